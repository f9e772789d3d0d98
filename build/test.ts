/**
 * `npm test [-- WORD…]`: builds, then runs every test/**\/*.test.ts (whose path has one of the words) with uvu.
 *
 * Each file is bundled to dist/test and runs in a process of its own, a few at a time, with a folder for temporary files in which it
 * may leave nothing. The last line is `N passed, N failed, N skipped`; the status is 1 when something failed, and under WIELD_NO_SKIP=1
 * also when something was skipped. WIELD_TEST_NO_BUILD=1 takes dist/ as it is, WIELD_TEST_KEEP=1 keeps what tests have written.
 */
import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { buildAll } from "./bundle.ts";

const FILE_SECONDS = 400;
const OUT = path.resolve("dist/test");
const KEEP = Boolean(process.env["WIELD_TEST_KEEP"]);
/** What ours leave: tests, the linker, and lto-wrapper, whose objects the linker removes. Browsers and others leave what they like. */
const OURS = /^\.?(wield|cc\w{6}\.)/;
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "wield-test-"));
/** Each leads a process group, so that what it has started ends with it. */
const running = new Set<ChildProcess>();

interface Outcome {
  file: string;
  passed: number;
  failed: number;
  skipped: number;
  output: string;
  seconds: number;
}

function testFiles(words: string[]): string[] {
  const all = fs.readdirSync("test", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".test.ts"));
  return all.filter((file) => words.length === 0 || words.some((word) => file.includes(word))).sort();
}

const bundleOf = (file: string): string => path.join(OUT, file.replace(/\.ts$/, ".mjs"));

/** import.meta means dist/index.mjs, so that the host finds kernels.wasm and worker.js. */
async function bundleTests(files: string[]): Promise<void> {
  await build({
    entryPoints: files.map((file) => path.join("test", file)),
    outdir: OUT,
    outbase: "test",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    mainFields: ["module", "main"],
    define: {
      "import.meta.dirname": JSON.stringify(path.resolve("dist")),
      "import.meta.url": JSON.stringify(pathToFileURL(path.resolve("dist/index.mjs")).href),
    },
    banner: { js: 'import { createRequire as __createRequire } from "node:module";const require = __createRequire(process.cwd() + "/x.js");' },
    sourcemap: "inline",
    logLevel: "warning",
  });
}

/** Sum of the numbers in uvu's summaries (`Passed: 3`), of which a file may print several. */
function count(output: string, word: string): number {
  return [...output.matchAll(new RegExp(`^\\s*${word}:\\s+(\\d+)`, "gm"))].reduce((sum, match) => sum + Number(match[1]), 0);
}

function endGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-pid!, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

function cleanUp(): void {
  for (const child of running) endGroup(child);
  if (KEEP) console.log(`kept: ${scratch}`);
  else fs.rmSync(scratch, { recursive: true, force: true });
}

function runFile(file: string): Promise<Outcome> {
  const began = performance.now();
  const folder = fs.mkdtempSync(path.join(scratch, "t"));
  return new Promise((done) => {
    const child = spawn(process.execPath, ["--enable-source-maps", bundleOf(file)], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NODE_OPTIONS: "", FORCE_COLOR: "0", NO_COLOR: "1", TMPDIR: folder },
      detached: true,
    });
    running.add(child);
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    const timer = setTimeout(() => {
      chunks.push(Buffer.from(`\nstopped after ${FILE_SECONDS} s\n`));
      endGroup(child);
    }, FILE_SECONDS * 1000);
    child.on("close", (status) => {
      clearTimeout(timer);
      running.delete(child);
      // What was ended could not clean up.
      const left = KEEP || status === null ? [] : fs.readdirSync(folder).filter((name) => OURS.test(name));
      if (left.length > 0) chunks.push(Buffer.from(`\nleft behind: ${left.join(" ")}\n`));
      if (!KEEP) fs.rmSync(folder, { recursive: true, force: true });
      const output = Buffer.concat(chunks).toString("utf8").replace(/\x1b\[[0-9;]*m/g, "");
      const total = count(output, "Total");
      const passed = count(output, "Passed");
      const skipped = count(output, "Skipped");
      // uvu's total has no skipped tests. A file that prints no summary, dies after it or leaves files behind failed as a whole.
      const failed = Math.max(total - passed, status === 0 && left.length === 0 && /^\s*Total:/m.test(output) ? 0 : 1);
      done({ file, passed, failed, skipped, output, seconds: (performance.now() - began) / 1000 });
    });
  });
}

function show(outcome: Outcome): void {
  const { file, passed, failed, skipped, output, seconds } = outcome;
  const counts = `${passed} passed${failed > 0 ? `, ${failed} failed` : ""}${skipped > 0 ? `, ${skipped} skipped` : ""}`;
  console.log(`${failed > 0 ? "FAIL" : "ok  "} ${file.replace(/\.test\.ts$/, "")}: ${counts} (${seconds.toFixed(1)} s)`);
  if (failed > 0) console.log(output.split("\n").map((line) => `    ${line}`).join("\n"));
  else for (const line of output.split("\n")) if (/^\s*skipped:/i.test(line) && !/^\s*Skipped:\s+\d+$/.test(line)) console.log(`    ${line.trim()}`);
}

async function main(): Promise<void> {
  const files = testFiles(process.argv.slice(2));
  if (!process.env["WIELD_TEST_NO_BUILD"]) await buildAll();
  if (process.argv.length === 2) fs.rmSync(OUT, { recursive: true, force: true });
  await bundleTests(files);
  const outcomes: Outcome[] = [];
  const queue = [...files];
  const lane = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const outcome = await runFile(file);
      outcomes.push(outcome);
      show(outcome);
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, Math.max(2, os.availableParallelism())) }, lane));
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const failed = sum((outcome) => outcome.failed);
  const skipped = sum((outcome) => outcome.skipped);
  if (failed > 0) console.log(`failed: ${outcomes.filter((outcome) => outcome.failed > 0).map((outcome) => outcome.file).join(" ")}`);
  console.log(`${sum((outcome) => outcome.passed)} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed > 0 || files.length === 0 || (skipped > 0 && process.env["WIELD_NO_SKIP"] === "1") ? 1 : 0;
}

process.on("exit", cleanUp);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));
await main().catch((error: Error) => {
  console.error(error.message);
  console.log("0 passed, 1 failed, 0 skipped");
  process.exitCode = 1;
});
