import { suite } from "uvu";
import * as assert from "uvu/assert";
import { kernelMemory } from "../helpers/kernel-memory.ts";
import { prng } from "../helpers/prng.ts";

for (const debug of [false, true]) {
  const test = suite(`kernel shards ${debug ? "debug" : "release"}`);
  const { arena, kernels } = kernelMemory(debug);

  test("prefixShards gives rows the places that a stable sort by shard gives them", () => {
    const random = prng(11);
    for (const [chunks, shards] of [[1, 1], [1, 64], [7, 32], [5, 3]] as const) {
      const rows = Array.from({ length: chunks }, () => Array.from({ length: random.below(40) }, () => random.below(shards)));
      const counts = arena.allocZeroed(4 * chunks * shards);
      const starts = arena.alloc(4 * (shards + 1));
      const cell = (chunk: number, shard: number): number => (counts >>> 2) + chunk * shards + shard;
      rows.forEach((own, chunk) => own.forEach((shard) => arena.u32[cell(chunk, shard)]!++));
      const sum = kernels.prefixShards(counts, chunks, shards, starts);
      assert.is(sum, rows.flat().length);
      const sorted = rows.flatMap((own, chunk) => own.map((shard, i) => ({ shard, chunk, i }))).sort((a, b) => a.shard - b.shard);
      const placed: typeof sorted = [];
      rows.forEach((own, chunk) => own.forEach((shard, i) => (placed[arena.u32[cell(chunk, shard)]!++] = { shard, chunk, i })));
      assert.equal(placed, sorted);
      const firsts = Array.from({ length: shards + 1 }, (_, shard) => sorted.filter((row) => row.shard < shard).length);
      assert.equal([...arena.u32.subarray(starts >>> 2, (starts >>> 2) + shards + 1)], firsts);
    }
  });

  test("without chunks every shard is empty", () => {
    const starts = arena.alloc(16);
    arena.u32.fill(9, starts >>> 2, (starts >>> 2) + 4);
    assert.is(kernels.prefixShards(0, 0, 3, starts), 0);
    assert.equal([...arena.u32.subarray(starts >>> 2, (starts >>> 2) + 4)], [0, 0, 0, 0]);
  });

  test.run();
}
