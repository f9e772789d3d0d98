/**
 * What pages load, and how large it may be: printed by the build, held by a test.
 *
 * Compressing takes longer than the rest of the build, so sizes are kept beside the files, by their contents.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import { put } from "./put.ts";

/** Everything that a page loads before its first link. */
export const PAGE_FILES = ["browser.mjs", "web-quick.mjs", "kernels.wasm"];
/** Loaded when a link needs it: for messages, maps, layout scripts, -r and the like (web.ts). */
export const COMPLETE_FILE = "web-worker.mjs";
/** Bytes of PAGE_FILES, and of all of them, as they are published and servers send them (brotli, best quality). */
export const PAGE_BUDGET = 151_000;
export const COMPLETE_BUDGET = 318_000;

const INLINE = "inline.mjs";
const KNOWN = "page-size.json";

type Known = Record<string, { digest: string; bytes: number }>;

function known(dist: string): Known {
  try {
    return JSON.parse(fs.readFileSync(path.join(dist, KNOWN), "utf8")) as Known;
  } catch {
    return {};
  }
}

async function brotliBytes(contents: Uint8Array): Promise<number> {
  return (await promisify(brotliCompress)(contents, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22 } })).length;
}

/** Compressed sizes of files in dist/, by name. */
export async function compressedSizes(dist: string, names: readonly string[]): Promise<Map<string, number>> {
  const before = known(dist);
  const sizes = await Promise.all(
    names.map(async (name): Promise<[string, Known[string]]> => {
      const contents = fs.readFileSync(path.join(dist, name));
      const digest = createHash("sha256").update(contents).digest("hex");
      return [name, before[name]?.digest === digest ? before[name] : { digest, bytes: await brotliBytes(contents) }];
    }),
  );
  put(path.join(dist, KNOWN), JSON.stringify({ ...before, ...Object.fromEntries(sizes) }));
  return new Map(sizes.map(([name, { bytes }]) => [name, bytes]));
}

/** One line for the build. `release`: it is what is published, so that it has budgets. */
export async function pageSizeLine(dist: string, release: boolean): Promise<string> {
  const sizes = await compressedSizes(dist, [...PAGE_FILES, COMPLETE_FILE, INLINE]);
  const kB = (bytes: number): string => (bytes / 1000).toFixed(1);
  const first = PAGE_FILES.reduce((sum, name) => sum + sizes.get(name)!, 0);
  const all = first + sizes.get(COMPLETE_FILE)!;
  const of = (budget: number): string => (release ? ` of ${kB(budget)}` : "");
  return `a page loads ${kB(first)}${of(PAGE_BUDGET)} kB (brotli: ${PAGE_FILES.map((name) => `${name} ${kB(sizes.get(name)!)}`).join(", ")}), with ${COMPLETE_FILE} for some links ${kB(all)}${of(COMPLETE_BUDGET)} kB; or ${INLINE}, ${kB(sizes.get(INLINE)!)} kB${release ? "" : "; less when packed (--release)"}`;
}
