/**
 * The generated files that are in the repository, so that editors and tsc have them: `npm run tables` writes those that are stale, and
 * so does every build. tidy.test.ts demands that none is.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { generateKernels, KERNELS_FILE } from "./gen-kernels.ts";
import { generateLayout, generateTables, LAYOUT_FILE, TABLES_FILE } from "./gen-tables.ts";
import { refreshViewer, VIEWER_FILE } from "./report-viewer.ts";

/** Makes `file` hold `text`; true when it did not. */
function refresh(file: string, text: string): boolean {
  if (existsSync(file) && readFileSync(file, "utf8") === text) return false;
  writeFileSync(file, text);
  return true;
}

/** Names those that were stale. */
export function refreshGenerated(): string[] {
  const stale: [string, boolean][] = [
    [TABLES_FILE, refresh(TABLES_FILE, generateTables())],
    [LAYOUT_FILE, refresh(LAYOUT_FILE, generateLayout())],
    [KERNELS_FILE, refresh(KERNELS_FILE, generateKernels())],
    [VIEWER_FILE, refreshViewer()],
  ];
  return stale.filter(([, written]) => written).map(([file]) => file);
}

if (/build-generated\.mjs$/.test(process.argv[1] ?? "")) for (const file of refreshGenerated()) console.log(`wrote ${file}`);
