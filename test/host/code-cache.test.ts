/** The code caches of the program and of the API: used for what they were made of, and for nothing else. */
import * as fs from "node:fs";
import * as path from "node:path";
import { Script } from "node:vm";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { repoRoot, run, temporaryFolder } from "../helpers/tools.ts";

const test = suite("host/code-cache");
const dist = path.join(repoRoot(), "dist");
const demo = ["start.o", "print.o", "steps.o"].map((name) => path.join(repoRoot(), "build/demo", name));
const VERSION = (JSON.parse(fs.readFileSync(path.join(repoRoot(), "package.json"), "utf8")) as { version: string }).version;

/** dist/ with another version in its scripts, as long as ours, and the caches that ours has. */
function otherBuild(): string {
  const folder = temporaryFolder("code-cache");
  for (const name of fs.readdirSync(dist)) if (/\.(?:js|mjs|cache|wasm|json)$/.test(name)) fs.copyFileSync(path.join(dist, name), path.join(folder, name));
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
  assert.is(run(process.execPath, [path.join(folder, "cli.js"), "--gc-sections", ...demo, "-o", out]).stderr, "");
  assert.is(says(out), VERSION.replace(/\d/g, "9"));
  const script = path.join(folder, "link.mjs");
  fs.writeFileSync(script, `import { link } from "./node.mjs"; await link({ inputs: ${JSON.stringify(demo)}, gcSections: true, output: process.argv[2], write: true });`);
  assert.is(run(process.execPath, [script, out]).stderr, "");
  assert.is(says(out), VERSION.replace(/\d/g, "9"));
});

test("V8 accepts the caches for what they were made of", () => {
  for (const name of ["quick", "main", "api"]) {
    const text = fs.readFileSync(path.join(dist, `${name}.js`), "latin1");
    const cache = fs.readFileSync(path.join(dist, `${name}.cache`));
    const tie = text.slice(-16) + process.version + process.versions.v8 + process.arch;
    assert.is(cache.subarray(-tie.length).toString("latin1"), tie, name);
    assert.is(new Script(text, { filename: path.join(dist, `${name}.js`), cachedData: cache.subarray(0, -tie.length) }).cachedDataRejected, false, name);
  }
});

test.run();
