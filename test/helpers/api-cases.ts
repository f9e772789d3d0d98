/**
 * The cases of the API (test/api/cases.ts) in other processes and in pages: what they need to run there, and what has to come of
 * them: no errors, and the bytes that Node gives.
 *
 * Cases, fixtures, Node's results and the files as they are published are made once for all test files (made-once.ts).
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import { COMPLETE_FILE, PAGE_FILES } from "../../build/page-size.ts";
import { fixtures } from "../api/fixtures.ts";
import { digestOf, madeOnce } from "./made-once.ts";
import { repoRoot, run, temporaryFolder } from "./tools.ts";

export const dist = path.join(repoRoot(), "dist");

/** Outputs as base64, by case and name; "" = no error. */
export type Results = Record<string, { error: string; milliseconds: number; outputs: Record<string, string> }>;

const RUNNER = `
import { cases, runCases } from "./cases.mjs";
import { files } from "./fixtures.mjs";
const bytes = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]));
const base64 = (all) => { let text = ""; for (const byte of all) text += String.fromCharCode(byte); return btoa(text); };
/** Files that come late are no reason to load more. */
export const demo = { inputs: ["start.o", "print.o", "steps.o"].map((name) => ({ name, data: async () => bytes[name] })), gcSections: true };
export async function results(api) {
  const done = await runCases(api, bytes);
  return Object.fromEntries(Object.entries(done).map(([name, result]) => [name, { ...result, outputs: Object.fromEntries(Object.entries(result.outputs).map(([key, value]) => [key, base64(value)])) }]));
}
`;

/** A folder with runner.mjs and what it imports, for one test file. */
export function casesFolder(): string {
  const dir = temporaryFolder("runtimes");
  const done = run(path.join(repoRoot(), "node_modules/.bin/esbuild"), ["test/api/cases.ts", "--bundle", "--format=esm", "--target=es2022", "--log-level=warning", `--outfile=${dir}/cases.mjs`], { cwd: repoRoot() });
  if (done.status !== 0) throw new Error(done.stderr);
  const files = Object.fromEntries(Object.entries(fixtures()).map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64")]));
  fs.writeFileSync(path.join(dir, "fixtures.mjs"), `export const files = ${JSON.stringify(files)};`);
  fs.writeFileSync(path.join(dir, "runner.mjs"), RUNNER);
  return dir;
}

/** Runs the cases in a process that begins with `command`. */
export function inProcess(dir: string, command: string[], entry: string): Results {
  const script = path.join(dir, `${path.basename(command[0]!)}-${path.basename(entry)}`);
  fs.writeFileSync(script, `import * as api from ${JSON.stringify(pathToFileURL(path.join(dist, entry)).href)};\nimport { results } from "./runner.mjs";\nconsole.log("\\n=" + JSON.stringify(await results(api)));\n`);
  const env = { ...process.env, NO_COLOR: "1", NODE_OPTIONS: "" };
  const done = spawnSync(command[0]!, [...command.slice(1), script], { encoding: "utf8", maxBuffer: 1 << 28, timeout: 180_000, env });
  const line = done.stdout.split("\n").find((text) => text.startsWith("="));
  if (line === undefined) throw new Error(`${command.join(" ")}: status ${done.status ?? done.signal}\n${done.stderr.slice(0, 3000)}`);
  return JSON.parse(line.slice(1)) as Results;
}

function expected(dir: string): Results {
  const files = ["node.mjs", "api.js", "kernels.wasm"].map((name) => path.join(dist, name));
  const digest = digestOf([...files, ...["cases.mjs", "fixtures.mjs", "runner.mjs"].map((name) => path.join(dir, name))]);
  const folder = madeOnce("node-results", digest, (made) => fs.writeFileSync(path.join(made, "results.json"), JSON.stringify(inProcess(dir, [process.execPath], "node.mjs"))));
  return JSON.parse(fs.readFileSync(path.join(folder, "results.json"), "utf8")) as Results;
}

/** All cases pass, and give what Node gives. `dir`: of casesFolder. */
export function checkResults(dir: string, results: Results): void {
  const errors = Object.entries(results).filter(([, { error }]) => error !== "");
  assert.equal(errors.map(([name, { error }]) => `${name}: ${error}`), []);
  const reference = expected(dir);
  assert.equal(Object.keys(results), Object.keys(reference));
  for (const [name, { outputs }] of Object.entries(reference)) assert.equal(results[name]!.outputs, outputs, name);
}

/** Minifying takes half a minute on a busy machine. */
const PUBLISH_MS = 300_000;

/** A folder with a page's files as they are published. */
export function published(): string {
  const files = [...PAGE_FILES, COMPLETE_FILE, "inline.mjs"];
  return madeOnce("published", digestOf(files.map((name) => path.join(dist, name))), (folder) => {
    const done = run(process.execPath, ["build/run.mjs", "build/web.ts", folder], { cwd: repoRoot(), timeout: PUBLISH_MS });
    if (done.status !== 0) throw new Error(`build/web.ts: status ${done.status}\n${done.stderr}`);
  });
}

const REAL = `const { output, stats } = await api.link({ inputs: ["start.o", "print.o", "steps.o"].map((name) => ${JSON.stringify(path.join(repoRoot(), "build/demo"))} + "/" + name), gcSections: true, threads: 2 });
console.log([stats.threads, output.length, output.reduce((sum, byte) => (sum * 31 + byte) >>> 0, 0)].join(" "));`;

/** Every thread reads real files, however descriptors are shared. */
export function readsFilesInThreads(dir: string, command: string[]): void {
  const script = path.join(dir, `real-${path.basename(command[0]!)}.mjs`);
  fs.writeFileSync(script, `import * as api from ${JSON.stringify(pathToFileURL(path.join(dist, "index.mjs")).href)};\n${REAL}\n`);
  const said = [command, [process.execPath]].map((words) => run(words[0]!, [...words.slice(1), script], { env: { NODE_OPTIONS: "", NO_COLOR: "1" } }));
  assert.is(said[0]!.status, 0, said[0]!.stderr);
  assert.match(said[0]!.stdout, /^2 \d+/);
  assert.is(said[0]!.stdout, said[1]!.stdout);
}

/** `command` links the demo, with one thread and with two; the same bytes as from the launcher. */
export function linksTheDemo(dir: string, command: string[]): void {
  const demo = path.join(repoRoot(), "build/demo");
  const out = (name: string): string => path.join(dir, name);
  const args = ["--gc-sections", "start.o", "print.o", "steps.o", "-o"];
  const link = (words: string[]): void => assert.is(run(words[0]!, words.slice(1), { cwd: demo }).stderr, "");
  link([path.join(dist, "driver/ld"), ...args, out("expected")]);
  for (const threads of ["1", "2"]) {
    link([...command, `--threads=${threads}`, ...args, out("single")]);
    assert.equal(Buffer.compare(fs.readFileSync(out("single")), fs.readFileSync(out("expected"))), 0);
  }
}
