/** What a machine's memory is when it is made. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createMemory } from "../../ts/host/memory.ts";

const test = suite("memory");

test("a memory has its full size, which is the most it can have", () => {
  for (const grows of [true, false]) for (const pages of [1, 16, 17, 1024, 65536]) {
    const memory = createMemory(pages, grows);
    assert.is(memory.buffer.byteLength, pages * 65536, `${pages} pages`);
    assert.throws(() => memory.grow(1));
    assert.instance(memory.buffer, SharedArrayBuffer);
  }
  assert.is(createMemory().buffer.byteLength, 2 ** 32);
});

test("a small link makes V8 collect nothing but young garbage", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wield-memory-"));
  const objects = ["start.o", "print.o", "steps.o"].map((name) => path.resolve("build/demo", name));
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--trace-gc", "dist/cli.cjs", "--gc-sections", ...objects, "-o", path.join(folder, "demo")], { encoding: "utf8" });
  fs.rmSync(folder, { recursive: true });
  assert.is(status, 0, stderr);
  assert.is(stdout.includes("Mark-Compact"), false, stdout);
});

test.run();
