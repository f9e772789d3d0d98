/**
 * What a context takes of memory: as much after 200 links as after a few, and nothing once it has been disposed of, whoever keeps it.
 *
 * In a process of its own, where nothing else comes and goes. Objects are large, so that one that is not given back shows.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SHF_ALLOC, SHF_EXECINSTR, STT_FUNC } from "../../as-kernels/shared/elf.ts";
import { ObjectBuilder } from "../helpers/object.ts";
import { temporaryFolder } from "../helpers/tools.ts";

const test = suite("api/context-memory");
const dir = temporaryFolder("context-memory");
const MIB = 1 << 20;
const OBJECT_BYTES = 2 * MIB;
const KINDS = 4;

/** Objects that differ in size, in names, and in both. */
function objectOf(kind: number): Uint8Array {
  const object = new ObjectBuilder();
  const text = object.section(".text", { flags: SHF_ALLOC | SHF_EXECINSTR, data: new Uint8Array(OBJECT_BYTES + 4096 * (kind & 1)).fill(0x90), align: 16 });
  object.symbol("_start", { in: text, type: STT_FUNC, size: 1 });
  for (let i = 0; i < 500 + 40 * kind; i++) object.symbol(`name${i}${"x".repeat(40)}`, { in: text, type: STT_FUNC, value: i, size: 1 });
  return object.bytes();
}

const SCRIPT = `
const [api, threads, kinds] = process.argv.slice(1);
const fs = await import("node:fs");
const { createContext } = await import(api);
const objects = Array.from({ length: Number(kinds) }, (_, i) => new Uint8Array(fs.readFileSync("o" + i + ".o")));
const context = await createContext({ args: ["a.o", "--build-id", "--threads=" + threads] });
const settled = async () => {
  for (let i = 0; i < 20; i++) {
    gc();
    await new Promise((done) => setTimeout(done, 20));
  }
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return { rss, own: heapUsed + arrayBuffers };
};
const taken = [], arena = [];
let again = 0;
for (let i = 0; i <= 200; i++) {
  context.update({ "a.o": objects[i % objects.length] });
  const { stats, timings } = await context.relink();
  arena.push(stats.memory);
  if (timings.passes.some(({ name }) => name === "load-inputs")) again++;
  if (i === 40 || i === 200) taken.push(await settled());
}
await context.dispose();
taken.push(await settled());
console.log(JSON.stringify({ taken, arena: [Math.max(...arena.slice(0, 40)), Math.max(...arena)], again, alive: context !== undefined }));
process.exit();
`;

for (const threads of [1, 2]) {
  test(`200 links take what a few take, and dispose gives it back, ${threads} threads`, () => {
    for (let kind = 0; kind < KINDS; kind++) fs.writeFileSync(path.join(dir, `o${kind}.o`), objectOf(kind));
    const api = pathToFileURL(path.resolve("dist/index.mjs")).href;
    const done = spawnSync(process.execPath, ["--expose-gc", "--input-type=module", "-e", SCRIPT, api, String(threads), String(KINDS)], { cwd: dir, encoding: "utf8" });
    assert.is(done.status, 0, done.stderr);
    const { taken, arena, again } = JSON.parse(done.stdout) as { taken: { rss: number; own: number }[]; arena: [number, number]; again: number };
    const [few, many, disposed] = taken as [(typeof taken)[0], (typeof taken)[0], (typeof taken)[0]];
    const shown = JSON.stringify({ taken, arena, again });
    assert.ok(again < 50, `links from the beginning: ${shown}`);
    // What is resident goes up and down with what the runtime keeps of freed memory: one object of each link would be 320 MiB.
    assert.ok(many.own < few.own + 2 * MIB && many.rss < few.rss + 64 * MIB, `after 40 and after 200 links: ${shown}`);
    assert.ok(arena[1] <= arena[0] + 4 * MIB, `working memory: ${shown}`);
    assert.ok(disposed.rss < many.rss - 2 * OBJECT_BYTES, `before and after dispose: ${shown}`);
  });
}

test.run();
