/** Interning as the pass does it, over records written by hand. Shared by the test and the bench. */
import { REC_ALIAS, REC_SIGNATURE, SHARDS } from "../../as-kernels/shared/abi.ts";
import { allocTable } from "../../ts/memory/table.ts";
import type { KernelMemory } from "./kernel-memory.ts";
import type { Mention } from "./twin/intern-names.ts";

export interface NameRecord extends Mention {
  flags: number;
}

/** Runs the kernels as the pass does, `rows` records a chunk and chunks in any order that keeps prefix sums. */
export function internRecords({ arena, tables, kernels }: KernelMemory, records: NameRecord[], chunkRows: number, spareSlots: number): number {
  const rows = records.length + 1;
  const record = allocTable(arena, tables, "record", rows);
  allocTable(arena, tables, "esym", rows);
  records.forEach(({ h0, h1, flags }, k) => {
    record.h0[k + 1] = h0;
    record.h1[k + 1] = h1;
    record.flags[k + 1] = flags;
    record.esym[k + 1] = flags & (REC_SIGNATURE | REC_ALIAS) ? 0 : k + 1;
    record.name[k + 1] = 1000 + k;
    record.nameBytes[k + 1] = k % 40;
  });
  const chunks: [number, number][] = [];
  for (let from = 1; from < rows; from += chunkRows) chunks.push([from, Math.min(from + chunkRows, rows)]);
  const counts = arena.allocZeroed(chunks.length * SHARDS * 4);
  const order = arena.allocZeroed(rows * 4);
  chunks.forEach(([from, to], c) => kernels.histogramNames(from, to, counts + c * SHARDS * 4));
  const starts: number[] = [];
  let at = 0;
  for (let shard = 0; shard < SHARDS; shard++) {
    starts.push(at);
    for (let c = 0; c < chunks.length; c++) {
      const cell = (counts >>> 2) + c * SHARDS + shard;
      const n = arena.u32[cell]!;
      arena.u32[cell] = at;
      at += n;
    }
  }
  starts.push(at);
  [...chunks].reverse().forEach(([from, to], k) => kernels.scatterNames(from, to, counts + (chunks.length - 1 - k) * SHARDS * 4, order));
  for (let shard = SHARDS - 1; shard >= 0; shard--) {
    const slots = 2 ** Math.ceil(Math.log2(2 * (starts[shard + 1]! - starts[shard]!) + 2)) << spareSlots;
    const table = arena.alloc(slots * 4);
    arena.u8.fill(0xff, table, table + slots * 4);
    kernels.internShard(order, starts[shard]!, starts[shard + 1]!, table, slots);
  }
  let id = 1;
  const bases = chunks.map(([from, to]) => {
    const base = id;
    id += kernels.countLeaders(from, to, 0);
    return base;
  });
  [...chunks].reverse().forEach(([from, to], k) => kernels.numberLeaders(from, to, bases[chunks.length - 1 - k]!, 0));
  kernels.numberLeaders(1, rows, id, 1);
  id += kernels.countLeaders(1, rows, 1);
  allocTable(arena, tables, "gsym", id);
  for (const [from, to] of [...chunks].reverse()) kernels.bindNames(from, to);
  return id;
}
