/** The API in Node: the cases of cases.ts, and what only a runtime with files and processes has. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type * as Declared from "../../ts/api/declarations.d.ts";
import * as api from "../../ts/index.ts";
import { ld } from "../helpers/link.ts";
import { repoRoot, temporaryFolder } from "../helpers/tools.ts";
import type { Outputs } from "./case.ts";
import { cases } from "./cases.ts";
import { fixtures } from "./fixtures.ts";

const test = suite("api");
const files = fixtures();
const made: Outputs = {};
const DEMO = ["start.o", "print.o", "steps.o"];

/** What is published is what there is. */
const declared: typeof Declared = api;
assert.ok(declared);

function runs(bytes: Uint8Array): string {
  const file = path.join(temporaryFolder("run"), "program");
  fs.writeFileSync(file, bytes, { mode: 0o755 });
  const done = spawnSync(file, { encoding: "utf8" });
  assert.is(done.status, 0, String(done.error ?? done.stderr));
  return done.stdout;
}

for (const [name, body] of Object.entries(cases)) {
  test(name, async () => {
    Object.assign(made, await body(api, files));
  });
}

test("what was linked runs, and is what the program makes of the same files", () => {
  const dir = temporaryFolder("same");
  for (const [name, bytes] of Object.entries(files)) fs.writeFileSync(path.join(dir, name), bytes);
  assert.match(runs(made["demo"]!), /hello from a program that wield linked/);
  const done = spawnSync(ld, ["--gc-sections", "--build-id=sha1", ...DEMO, "-o", "out"], { cwd: dir, encoding: "utf8" });
  assert.is(done.status, 0, done.stderr);
  assert.equal(Buffer.compare(fs.readFileSync(path.join(dir, "out")), made["demo"]!), 0);
  if (made["hello"] !== undefined) assert.is(runs(made["hello"]), "hello from musl, 1\n");
});

test("real files are the default, virtual ones hide them, and nothing is written unless asked for", async () => {
  const dir = temporaryFolder("real");
  for (const name of DEMO) fs.writeFileSync(path.join(dir, name), files[name]!);
  const paths = DEMO.map((name) => path.join(dir, name));
  const output = path.join(dir, "out");
  const real = await api.link({ inputs: paths, gcSections: true, output });
  assert.not.ok(fs.existsSync(output));
  assert.equal(fs.readdirSync(dir).sort(), [...DEMO].sort());
  const layered = await api.link({ inputs: ["start.o", paths[1]!, paths[2]!], gcSections: true, fs: api.layerFS(api.memoryFS({ "start.o": files["start.o"]! }), api.realFS()) });
  assert.equal(Buffer.compare(layered.output, real.output), 0);
  const hidden = await api.link({ inputs: [{ name: paths[0]!, data: new Uint8Array([1]) }, ...paths.slice(1)], throwOnError: false });
  assert.is(hidden.diagnostics[0]!.code, "UNKNOWN_FILE");
  const written = await api.link({ inputs: paths, gcSections: true, output, args: [`-Map=${dir}/map`], write: true });
  assert.equal(Buffer.compare(fs.readFileSync(output), written.output), 0);
  assert.is(fs.statSync(output).mode & 0o100, 0o100);
  assert.ok(fs.existsSync(path.join(dir, "map")));
});

test("a context reads real files again when they have changed, and watches them", async () => {
  const dir = temporaryFolder("context");
  const paths = DEMO.map((name) => path.join(dir, name));
  for (const name of DEMO) fs.writeFileSync(path.join(dir, name), files[name]!);
  const options = { inputs: paths, gcSections: true };
  const context = await api.createContext(options);
  const first = await context.relink();
  assert.equal(Buffer.compare(first.output, (await api.link(options)).output), 0);
  assert.equal((await context.relink()).incremental, { reused: 3, changed: [] });
  const changed = files["steps.o"]!.slice();
  changed[changed.lastIndexOf(0x6c)] = 0x4c;
  const seen: (readonly string[])[] = [];
  const controller = new AbortController();
  for await (const { incremental, ok } of context.watch({ pollMs: 5, debounceMs: 1, signal: controller.signal })) {
    assert.ok(ok);
    seen.push(incremental!.changed);
    if (seen.length === 1) fs.writeFileSync(paths[2]!, changed);
    else controller.abort();
  }
  assert.equal(seen, [[], [paths[2]]]);
  assert.equal(Buffer.compare((await context.relink()).output, (await api.link(options)).output), 0);
  fs.rmSync(paths[1]!);
  assert.is((await context.relink({ throwOnError: false })).diagnostics[0]!.code, "FILE_NOT_FOUND");
  await context.dispose();
});

test("without the layer of real files there are none", async () => {
  const result = await api.link({ inputs: [path.join(repoRoot(), "build/demo/start.o")], fs: api.memoryFS({}), throwOnError: false });
  assert.is(result.diagnostics[0]!.code, "FILE_NOT_FOUND");
});

test("a file that the runtime does not permit to read is not called missing; a folder is called that", async () => {
  const dir = temporaryFolder("permission");
  fs.writeFileSync(path.join(dir, "start.o"), files["start.o"]!);
  fs.writeFileSync(path.join(dir, "run.mjs"), `import { createContext, link } from ${JSON.stringify(path.join(repoRoot(), "dist", "index.mjs"))};
for (const begin of [link, async (options) => (await createContext(options)).relink()]) await begin({ inputs: ["start.o"] }).catch(({ message }) => console.log(message));`);
  const permission = process.allowedNodeEnvironmentFlags.has("--permission") ? "--permission" : "--experimental-permission";
  const done = spawnSync(process.execPath, [permission, `--allow-fs-read=${repoRoot()}/*`, `--allow-fs-read=${path.join(dir, "run.mjs")}`, "--no-warnings", "run.mjs"], { cwd: dir, encoding: "utf8" });
  assert.match(done.stdout, /^(cannot open start\.o: Access to this API has been restricted.*\n){2}$/, done.stderr);
  const context = await api.createContext({ inputs: [dir] });
  assert.match((await context.relink({ throwOnError: false })).diagnostics[0]!.message, /Is a directory/);
  await context.dispose();
});

test("a process can link hundreds of times", async () => {
  const inputs = DEMO.map((name) => ({ name, data: files[name]! }));
  const first = await api.link({ inputs, gcSections: true });
  for (let i = 0; i < 200; i++) {
    const { output } = await api.link({ inputs, gcSections: true });
    assert.is(output.length, first.output.length);
  }
});

test("a link does without threads that cannot start", () => {
  const dir = temporaryFolder("threads");
  for (const name of ["index.mjs", "kernels.wasm"]) fs.copyFileSync(path.join(repoRoot(), "dist", name), path.join(dir, name));
  fs.writeFileSync(path.join(dir, "start.o"), files["start.o"]!);
  fs.writeFileSync(path.join(dir, "run.mjs"), `import { createContext } from "./index.mjs";
const context = await createContext({ inputs: ["start.o"], args: ["--unresolved-symbols=ignore-all"], threads: 3 });
for (let i = 0; i < 4; i++) {
  console.log((await context.relink()).ok);
  await new Promise((done) => setTimeout(done, 40));
}
await context.dispose();`);
  const done = spawnSync(process.execPath, ["run.mjs"], { cwd: dir, encoding: "utf8" });
  assert.equal([done.stdout, done.stderr, done.status], ["true\n".repeat(4), "", 0]);
});

test("a context that was not disposed of keeps no process from ending", () => {
  const file = path.join(temporaryFolder("idle"), "run.mjs");
  fs.writeFileSync(file, `import { createContext } from ${JSON.stringify(path.join(repoRoot(), "dist", "index.mjs"))};
const context = await createContext({ inputs: [{ name: "start.o", data: new Uint8Array(${JSON.stringify([...files["start.o"]!])}) }], args: ["--unresolved-symbols=ignore-all"], threads: 3 });
await context.relink();
console.log("linked");`);
  const done = spawnSync(process.execPath, [file], { encoding: "utf8", timeout: 20_000 });
  assert.equal([done.stdout, done.stderr, done.status], ["linked\n", "", 0]);
});

test("where no worker can be made, as in service workers, pages are told so by a LinkError", async () => {
  const { createEngine, LinkError } = (await import(path.join(repoRoot(), "dist", "browser.mjs"))) as typeof Declared;
  const cause = new ReferenceError("Worker is not defined");
  const engine = createEngine({ createWorker: () => { throw cause; } });
  const refused = (await engine.link({ inputs: DEMO }).catch((error: unknown) => error)) as Declared.LinkError;
  assert.instance(refused, LinkError);
  assert.equal([refused.code, refused.message, refused.cause], ["INIT_FAILED", "the linker cannot be started: Worker is not defined", cause]);
});

test.run();
