/**
 * The cases of the API in every runtime: Node, Bun, Deno, and Chromium with and without cross-origin isolation, each with the
 * package's entry for it and with wield/inline. What they link must be the same, byte for byte; programs linked in a page run.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { COMPLETE_BUDGET, COMPLETE_FILE, compressedSizes, PAGE_BUDGET, PAGE_FILES } from "../../build/page-size.ts";
import { needBrowser, needOpener, openBrowser, postedBy, runtime, serveFolders, type Browser } from "../helpers/runtimes.ts";
import { repoRoot, run, temporaryFolder } from "../helpers/tools.ts";
import { fixtures } from "./fixtures.ts";

const test = suite("api/runtimes");
const dist = path.join(repoRoot(), "dist");
const dir = temporaryFolder("runtimes");

/** Outputs as base64, by case and name; "" = no error. */
type Results = Record<string, { error: string; milliseconds: number; outputs: Record<string, string> }>;

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

function prepare(): void {
  const done = run(path.join(repoRoot(), "node_modules/.bin/esbuild"), ["test/api/cases.ts", "--bundle", "--format=esm", "--target=es2022", "--log-level=warning", `--outfile=${dir}/cases.mjs`], { cwd: repoRoot() });
  if (done.status !== 0) throw new Error(done.stderr);
  const files = Object.fromEntries(Object.entries(fixtures()).map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64")]));
  fs.writeFileSync(path.join(dir, "fixtures.mjs"), `export const files = ${JSON.stringify(files)};`);
  fs.writeFileSync(path.join(dir, "runner.mjs"), RUNNER);
}

prepare();

/** Runs the cases in a process that begins with `command`. */
function inProcess(command: string[], entry: string): Results {
  const script = path.join(dir, `${path.basename(command[0]!)}-${path.basename(entry)}`);
  fs.writeFileSync(script, `import * as api from ${JSON.stringify(pathToFileURL(path.join(dist, entry)).href)};\nimport { results } from "./runner.mjs";\nconsole.log("\\n=" + JSON.stringify(await results(api)));\n`);
  const env = { ...process.env, NO_COLOR: "1", NODE_OPTIONS: "" };
  const done = spawnSync(command[0]!, [...command.slice(1), script], { encoding: "utf8", maxBuffer: 1 << 28, timeout: 120_000, env });
  const line = done.stdout.split("\n").find((text) => text.startsWith("="));
  if (line === undefined) throw new Error(`${command.join(" ")}: status ${done.status ?? done.signal}\n${done.stderr.slice(0, 3000)}`);
  return JSON.parse(line.slice(1)) as Results;
}

let reference: Results | undefined;

/** All cases pass, and give what Node gives. */
function check(results: Results): void {
  const errors = Object.entries(results).filter(([, { error }]) => error !== "");
  assert.equal(errors.map(([name, { error }]) => `${name}: ${error}`), []);
  reference ??= inProcess([process.execPath], "node.mjs");
  assert.equal(Object.keys(results), Object.keys(reference));
  for (const [name, { outputs }] of Object.entries(reference)) assert.equal(results[name]!.outputs, outputs, name);
}

function skipped(name: string, reason: string): void {
  console.log(`skipped: api/runtimes: ${name} (${reason})`);
  test.skip(name, () => {});
}

test("Node", () => check(inProcess([process.execPath], "node.mjs")));
test("Node, as Deno and Bun import it", () => check(inProcess([process.execPath], "index.mjs")));
test("Node, one file", () => check(inProcess([process.execPath], "inline.mjs")));

const bun = runtime("bun");
for (const entry of ["index.mjs", "inline.mjs"]) {
  if (bun === "") skipped(`Bun, ${entry}`, "needs bun: not installed");
  else test(`Bun, ${entry}`, () => check(inProcess([bun, "run"], entry)));
}

const deno = runtime("deno");
if (deno === "") {
  skipped("Deno may read", "needs deno: not installed");
  skipped("Deno, one file, without any permission", "needs deno: not installed");
} else {
  test("Deno may read", () => check(inProcess([deno, "run", "--no-prompt", "--allow-read"], "index.mjs")));
  test("Deno, one file, without any permission", () => check(inProcess([deno, "run", "--no-prompt"], "inline.mjs")));
}

// ---- real files ----

const REAL = `const { output, stats } = await api.link({ inputs: ["start.o", "print.o", "steps.o"].map((name) => ${JSON.stringify(path.join(repoRoot(), "build/demo"))} + "/" + name), gcSections: true, threads: 2 });
console.log([stats.threads, output.length, output.reduce((sum, byte) => (sum * 31 + byte) >>> 0, 0)].join(" "));`;

/** Every thread reads real files, however descriptors are shared. */
function readsFiles(command: string[]): void {
  const script = path.join(dir, `real-${path.basename(command[0]!)}.mjs`);
  fs.writeFileSync(script, `import * as api from ${JSON.stringify(pathToFileURL(path.join(dist, "index.mjs")).href)};\n${REAL}\n`);
  const said = [command, [process.execPath]].map((words) => run(words[0]!, [...words.slice(1), script], { env: { NODE_OPTIONS: "", NO_COLOR: "1" } }));
  assert.is(said[0]!.status, 0, said[0]!.stderr);
  assert.match(said[0]!.stdout, /^2 \d+/);
  assert.is(said[0]!.stdout, said[1]!.stdout);
}

if (bun === "") skipped("Bun reads real files in threads", "needs bun: not installed");
else test("Bun reads real files in threads", () => readsFiles([bun, "run"]));
if (deno === "") skipped("Deno reads real files in threads", "needs deno: not installed");
else test("Deno reads real files in threads", () => readsFiles([deno, "run", "--no-prompt", "--allow-read"]));

// ---- the program in one file ----

/** `command` links the demo, with one thread and with two; the same bytes as from the launcher. */
function links(command: string[]): void {
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

test("single.js needs nothing beside it", () => {
  fs.copyFileSync(path.join(dist, "single.js"), path.join(dir, "single.cjs"));
  links([process.execPath, path.join(dir, "single.cjs")]);
});

if (bun === "") skipped("single.js as a program made by Bun", "needs bun: not installed");
else {
  test("single.js as a program made by Bun", () => {
    const program = path.join(dir, "wield-bun");
    const made = run(bun, ["build", "--compile", "--bytecode", path.join(dist, "single.js"), "--outfile", program], { cwd: dir });
    assert.is(made.status, 0, made.stderr);
    links([program]);
  });
}

// ---- pages, with the files as they are published ----

const published = path.join(dir, "published");

/** Minifying takes half a minute on a busy machine. */
const PUBLISH_MS = 300_000;

function publish(): void {
  fs.mkdirSync(published, { recursive: true });
  const done = run(process.execPath, ["build/run.mjs", "build/web.ts", published], { cwd: repoRoot(), timeout: PUBLISH_MS });
  if (done.status !== 0) throw new Error(`build/web.ts: status ${done.status}\n${done.stderr}`);
}

publish();

let browser: Promise<Browser> | undefined;
const open = (): Promise<Browser> => (browser ??= openBrowser());

function html(entry: string): string {
  return `<!doctype html><meta charset="utf-8"><title>test</title><script type="module">
import * as api from "/dist/${entry}";
import { demo, results } from "./runner.mjs";
const engine = api.createEngine();
window.threads = await engine.threads;
engine.dispose();
window.demo = (await api.link(demo)).ok;
await new Promise((done) => (window.go = done));
window.results = await results(api);
</script>`;
}

interface Visit {
  results: Results;
  isolated: boolean;
  threads: number;
  /** Files of dist/ that were fetched for a link without a message, and for all cases. */
  first: string[];
  all: string[];
}

async function visit(entry: string, isolated: boolean): Promise<Visit> {
  fs.writeFileSync(path.join(dir, "page.html"), html(entry));
  const server = await serveFolders({ test: dir, dist: published }, isolated);
  const page = await (await open()).newPage();
  const trouble: string[] = [];
  const fetched = new Set<string>();
  page.on("pageerror", (error) => void trouble.push(error.message));
  page.on("response", (response) => {
    if (response.url().includes("/dist/")) fetched.add(path.basename(response.url()));
    if (response.status() >= 400 && !response.url().endsWith("favicon.ico")) trouble.push(`${response.status()} ${response.url()}`);
  });
  try {
    await page.goto(`${server.url}/test/page.html`);
    await page.waitForFunction("window.demo === true", undefined, { timeout: 60_000 }).catch((error: Error) => {
      throw new Error(`${error.message}\n${trouble.join("\n")}`);
    });
    const first = [...fetched].sort();
    await page.evaluate("window.go()");
    await page.waitForFunction("window.results !== undefined", undefined, { timeout: 60_000 }).catch((error: Error) => {
      throw new Error(`${error.message}\n${trouble.join("\n")}`);
    });
    assert.equal(trouble, []);
    return { results: await page.evaluate<Results>("window.results"), isolated: await page.evaluate("crossOriginIsolated"), threads: await page.evaluate("window.threads"), first, all: [...fetched].sort() };
  } finally {
    await page.close();
    server.close();
  }
}

function runs(base64: string): string {
  const file = path.join(temporaryFolder("page"), "program");
  fs.writeFileSync(file, Buffer.from(base64, "base64"), { mode: 0o755 });
  return spawnSync(file, { encoding: "utf8" }).stdout;
}

const noBrowser = needBrowser();
for (const entry of ["browser.mjs", "inline.mjs"]) {
  for (const isolated of [false, true]) {
    const name = `Chromium, ${isolated ? "" : "not "}isolated, ${entry}`;
    if (noBrowser !== "") {
      skipped(name, noBrowser);
      continue;
    }
    test(name, async () => {
      const page = await visit(entry, isolated);
      assert.is(page.isolated, isolated);
      if (!isolated) assert.is(page.threads, 1);
      assert.equal(page.first, entry === "inline.mjs" ? ["inline.mjs"] : [...PAGE_FILES].sort());
      assert.equal(page.all, entry === "inline.mjs" ? ["inline.mjs"] : [...PAGE_FILES, COMPLETE_FILE].sort());
      check(page.results);
      const demo = Object.values(page.results)[0]!.outputs["demo"]!;
      assert.match(runs(demo), /hello from a program that wield linked/);
      const hello = Object.values(page.results).find(({ outputs }) => outputs["hello"] !== undefined);
      if (hello !== undefined) assert.is(runs(hello.outputs["hello"]!), "hello from musl, 1\n");
    });
  }
}

// ---- browsers that nobody drives ----

/** All cases; what came of them, or what went wrong, is posted. */
const posting = (entry: string): string => `<!doctype html><meta charset="utf-8"><title>test</title><script type="module">
const post = (what) => fetch("/post", { method: "POST", body: JSON.stringify(what) });
addEventListener("error", ({ message }) => post({ trouble: message }));
try {
  const [api, { results }] = await Promise.all([import("/dist/${entry}"), import("./runner.mjs")]);
  await post({ results: await results(api), isolated: crossOriginIsolated });
} catch (error) {
  await post({ trouble: String(error) });
}
</script>`;

for (const name of ["Firefox", "WebKitGTK"] as const) {
  for (const [entry, isolated] of [["browser.mjs", false], ["browser.mjs", true], ["inline.mjs", false]] as const) {
    const title = `${name}, ${isolated ? "" : "not "}isolated, ${entry}`;
    const missing = needOpener(name);
    if (missing !== "") {
      skipped(title, missing);
      continue;
    }
    test(title, async () => {
      fs.writeFileSync(path.join(dir, "posting.html"), posting(entry));
      const answer = JSON.parse(await postedBy(name, { test: dir, dist: published }, "test/posting.html", isolated)) as { trouble?: string; results: Results; isolated: boolean };
      assert.is(answer.trouble, undefined);
      assert.is(answer.isolated, isolated);
      check(answer.results);
    });
  }
}

// ---- what is downloaded ----

test("what a page loads is within the budget, and knows nothing of Node", async () => {
  const sizes = [...(await compressedSizes(published, [...PAGE_FILES, COMPLETE_FILE]))];
  const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
  const first = total - new Map(sizes).get(COMPLETE_FILE)!;
  assert.ok(first <= PAGE_BUDGET && total <= COMPLETE_BUDGET, `${first} and ${total} bytes: ${sizes.join(", ")}`);
  for (const name of [...PAGE_FILES.filter((file) => file.endsWith(".mjs")), COMPLETE_FILE, "inline.mjs"]) {
    const text = fs.readFileSync(path.join(published, name), "utf8");
    assert.not.match(text, /(?:from|import|require)\s*\(?\s*["'](?:node:|fs|path|os|crypto|zlib|worker_threads)/, name);
    assert.not.match(text, /\brequire\(/, name);
  }
});

test.after(async () => {
  await (await browser)?.close();
});

test.run();
