/** The code caches of the program and of the API: used for what they were made of, and for nothing else. */
import * as fs from "node:fs";
import * as path from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { defaults, patient } from "../../ts/host/v8-flags.ts";
import { repoRoot, run, temporaryFolder } from "../helpers/tools.ts";

const test = suite("host/code-cache");
const dist = path.join(repoRoot(), "dist");
const demo = ["start.o", "print.o", "steps.o"].map((name) => path.join(repoRoot(), "build/demo", name));
const VERSION = (JSON.parse(fs.readFileSync(path.join(repoRoot(), "package.json"), "utf8")) as { version: string }).version;

/** dist/ with another version in its scripts, as long as ours, and the caches that ours has. */
function otherBuild(): string {
  const folder = temporaryFolder("code-cache");
  for (const name of fs.readdirSync(dist)) if (/\.(?:js|cjs|mjs|cache|wasm|json)$/.test(name)) fs.copyFileSync(path.join(dist, name), path.join(folder, name));
  for (const name of ["quick.js", "main.js", "api.js"]) {
    const text = fs.readFileSync(path.join(folder, name), "latin1");
    const other = text.replaceAll(`"${VERSION}"`, `"${VERSION.replace(/\d/g, "9")}"`);
    assert.not.equal(other, text);
    fs.writeFileSync(path.join(folder, name), other.slice(0, -16) + "0123456789abcdef", "latin1");
  }
  return folder;
}

const says = (program: string): string => /Linker: wield ([\d.]+)/.exec(fs.readFileSync(program, "latin1"))![1]!;

test("a cache of another build of the same length is not used", () => {
  const folder = otherBuild();
  const out = path.join(folder, "out");
  assert.is(run(process.execPath, [path.join(folder, "cli.cjs"), "--gc-sections", ...demo, "-o", out]).stderr, "");
  assert.is(says(out), VERSION.replace(/\d/g, "9"));
  const script = path.join(folder, "link.mjs");
  fs.writeFileSync(script, `import { link } from "./node.mjs"; await link({ inputs: ${JSON.stringify(demo)}, gcSections: true, output: process.argv[2], write: true });`);
  assert.is(run(process.execPath, [script, out]).stderr, "");
  assert.is(says(out), VERSION.replace(/\d/g, "9"));
});

/** In the program as in the shell script. */
const launcherFlags = (): string[] => fs.readFileSync(path.join(dist, "driver/ld"), "latin1").split(/[\0 ]/).filter((word) => word.startsWith("--"));

/** Whether V8 takes the cache of `dist/NAME.js` under `flags`. */
function accepted(name: string, flags: readonly string[]): boolean {
  const program = `const [name, tie] = process.argv.slice(1), { readFileSync } = require("fs"), { Script } = require("vm");
    const cachedData = readFileSync(name + ".cache").subarray(0, -tie);
    console.log(new Script(readFileSync(name + ".js", "latin1"), { filename: name + ".js", cachedData }).cachedDataRejected);`;
  const tie = 16 + (process.version + process.versions.v8 + process.arch).length;
  return run(process.execPath, [...flags, "-e", program, path.join(dist, name), String(tie)]).stdout === "false\n";
}

test("V8 knows the flags that are set while it runs", () => {
  const set = 'for (const flag of process.argv.slice(1)) require("node:v8").setFlagsFromString(flag);';
  const { v8 } = process.versions;
  assert.is(run(process.execPath, ["-e", set, "--", ...patient(v8), ...defaults(v8)]).stderr, "");
  // Those of Node 22 and later have no such budget.
  assert.not.match([...patient("12.4"), ...defaults("12.4"), ...patient("14.6")].join(" "), "interrupt");
});

test("V8 accepts the caches for what they were made of", () => {
  for (const name of ["quick", "main", "api"]) {
    const text = fs.readFileSync(path.join(dist, `${name}.js`), "latin1");
    const cache = fs.readFileSync(path.join(dist, `${name}.cache`));
    const tie = text.slice(-16) + process.version + process.versions.v8 + process.arch;
    assert.is(cache.subarray(-tie.length).toString("latin1"), tie, name);
    assert.ok(accepted(name, name === "api" ? [] : launcherFlags()), name);
  }
});

test("threads start under flags for which V8 takes the compiled code of Node's own modules", () => {
  const tag = (flags: string[], ...set: string[]): string =>
    run(process.execPath, [...flags, "-e", `const v8 = require("v8"); for (const flag of process.argv.slice(1).filter((word) => word !== "--")) v8.setFlagsFromString(flag); console.log(v8.cachedDataVersionTag());`, ...set]).stdout;
  // The tag is what V8 compares: its version, its flags, the processor.
  assert.is.not(tag(launcherFlags()), tag([]));
  assert.is(tag(launcherFlags(), "--", ...defaults(process.versions.v8)), tag([]));
});

/** An installed package without caches. */
function installed(): string {
  const folder = temporaryFolder("installed");
  const { files } = JSON.parse(fs.readFileSync(path.join(repoRoot(), "package.json"), "utf8")) as { files: string[] };
  assert.not.ok(files.includes("dist/*.cache"));
  for (const objects of ["build/demo/*.o", "build/launcher/*.o"]) assert.ok(files.includes(objects));
  fs.mkdirSync(path.join(folder, "dist"));
  for (const name of fs.readdirSync(dist)) if (/\.(?:js|cjs|mjs|wasm|json)$/.test(name)) fs.copyFileSync(path.join(dist, name), path.join(folder, "dist", name));
  for (const objects of ["build/demo", "build/launcher"]) fs.cpSync(path.join(repoRoot(), objects), path.join(folder, objects), { recursive: true });
  return folder;
}

test("installing the package makes the launcher and the caches, for the Node that does", () => {
  const folder = installed();
  const script = (JSON.parse(fs.readFileSync(path.join(repoRoot(), "package.json"), "utf8")) as { scripts: Record<string, string> }).scripts["postinstall"]!;
  const made = run("sh", ["-c", script], { cwd: folder, env: { npm_lifecycle_event: "postinstall" } });
  assert.equal([made.status, made.stdout, made.stderr], [0, "", ""]);
  for (const name of ["quick", "main", "api"]) {
    const tie = fs.readFileSync(path.join(folder, `dist/${name}.js`), "latin1").slice(-16) + process.version + process.versions.v8 + process.arch;
    assert.ok(fs.readFileSync(path.join(folder, `dist/${name}.cache`), "latin1").endsWith(tie), name);
  }
  assert.is(fs.existsSync(path.join(folder, "dist/kernels.launcher.cache")), fs.existsSync(path.join(dist, "kernels.launcher.cache")));
  assert.equal(fs.readFileSync(path.join(folder, "dist/driver/ld")), fs.readFileSync(path.join(dist, "driver/ld")));
  assert.equal(fs.readdirSync(path.join(folder, "dist")).filter((name) => name.startsWith("warm.")), ["warm.cjs"]);
  const out = path.join(folder, "out");
  assert.equal(run(path.join(folder, "dist/driver/ld"), ["--gc-sections", ...demo, "-o", out]).stderr, "");
  assert.is(run(out, []).status, 0);
});

test("an installation that cannot make caches succeeds without them", () => {
  const folder = installed();
  fs.rmSync(path.join(folder, "build"), { recursive: true });
  const script = path.join(folder, "dist/warm.cjs");
  const [alone, installing] = [run(process.execPath, [script]), run(process.execPath, [script], { env: { npm_lifecycle_event: "postinstall" } })];
  assert.is(alone.status, 1);
  assert.match(alone.stderr, "no such file");
  assert.equal([installing.status, installing.stdout, installing.stderr], [0, "", ""]);
  const out = path.join(folder, "out");
  assert.equal(run(process.execPath, [path.join(folder, "dist/cli.cjs"), "--gc-sections", ...demo, "-o", out]).stderr, "");
  assert.is(run(out, []).status, 0);
});

test("compiled kernels are used with the launcher's flags, and for what they were made of only", () => {
  if (!fs.existsSync(path.join(dist, "kernels.launcher.cache"))) {
    // Since V8 14 only builds for its own tests can serialize a module.
    assert.not.equal(run(process.execPath, ["--allow-natives-syntax", "-e", "(module) => %SerializeWasmModule(module)"]).status, 0);
    return;
  }
  const folder = temporaryFolder("kernel-cache");
  for (const name of ["cli.cjs", "quick.js", "main.js", "kernels.wasm", "kernels.quick.cache", "kernels.launcher.cache", "package.json"]) fs.copyFileSync(path.join(dist, name), path.join(folder, name));
  const flags = launcherFlags();
  const at = (name: string): string => path.join(folder, name);
  const link = (out: string, words: string[]): string => run(process.execPath, [...words, at("cli.cjs"), "--gc-sections", ...demo, "-o", at(out)]).stderr;
  assert.is(link("expected", []), "");
  fs.renameSync(at("kernels.wasm"), at("hidden"));
  assert.is(link("cached", flags), "");
  // Without the launcher the program sets the flags itself, once it has a cache for this Node.
  assert.not.equal(link("no-cache", []), "");
  for (const name of ["quick.cache", "main.cache"]) fs.copyFileSync(path.join(dist, name), at(name));
  assert.is(link("without-launcher", []), "");
  assert.not.equal(link("other-flags", [...flags, "--stack-size=900"]), "");
  const caches = ["kernels.quick.cache", "kernels.launcher.cache"].map((name) => ({ file: at(name), bytes: fs.readFileSync(at(name)) }));
  assert.ok(caches[0]!.bytes.length < 0.7 * caches[1]!.bytes.length, "small links read less");
  const write = (changed: (bytes: Buffer) => Buffer): void => {
    for (const { file, bytes } of caches) fs.writeFileSync(file, changed(bytes));
  };
  write((bytes) => Buffer.concat([Buffer.from(bytes.subarray(0, 64).toString("latin1").replace(process.version, "v0.1.2").padEnd(64)), bytes.subarray(64)]));
  assert.not.equal(link("other-node", flags), "");
  fs.renameSync(at("hidden"), at("kernels.wasm"));
  assert.is(link("other-node", flags), "");
  write((bytes) => bytes.subarray(0, 100_000));
  assert.is(link("short", flags), "");
  write((bytes) => bytes);
  assert.is(link("other-flags", [...flags, "--stack-size=900"]), "");
  for (const name of ["cached", "without-launcher", "other-node", "short", "other-flags"]) assert.equal(fs.readFileSync(at(name)), fs.readFileSync(at("expected")), name);
});

test.run();
