import { suite } from "uvu";
import * as assert from "uvu/assert";
import { REC_ALIAS, REC_DEFINED, REC_MENTION, REC_SIGNATURE, REC_UNUSED } from "../../as-kernels/shared/abi.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { internRecords, type NameRecord } from "../helpers/intern-records.ts";
import { kernelMemory, type KernelMemory } from "../helpers/kernel-memory.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { internTwin } from "../helpers/twin/intern-names.ts";

/** Hashes from a small pool: equal ones, ones that share a slot, a first word or a second word, and ones all over the range. */
function randomRecords(random: Prng, count: number, variety: number): NameRecord[] {
  const near = random.u64();
  const pool = Array.from({ length: variety }, (_, k): [bigint, bigint] => {
    const h0 = random.pick([random.u64(), near, near ^ (1n << 40n), BigInt(k) << 58n, BigInt(k) << 32n, 0n]);
    return [BigInt.asUintN(64, h0), random.chance(0.2) ? 0n : random.u64()];
  });
  return Array.from({ length: count }, () => {
    const [h0, h1] = random.pick(pool);
    const unused = random.chance(0.1);
    const flags = unused ? REC_UNUSED : random.pick([0, REC_MENTION, REC_DEFINED, REC_DEFINED, REC_SIGNATURE, REC_ALIAS | REC_DEFINED]);
    return { h0, h1, unused, own: flags === REC_MENTION, flags };
  });
}

function check(memory: KernelMemory, records: NameRecord[], chunkRows: number, spareSlots: number, place: string): void {
  const { tables, arena, kernels } = memory;
  const mark = arena.mark();
  const twin = internTwin(records);
  const ids = internRecords(memory, records, chunkRows, spareSlots);
  const { record, gsym, esym } = tables;
  assert.is(ids, twin.first.length + 1, `names, ${place}`);
  records.forEach(({ flags }, k) => {
    if (record.sym[k + 1] !== twin.ids[k]) assert.is(record.sym[k + 1], twin.ids[k], `id of record ${k}, ${place}`);
    const bound = flags & (REC_SIGNATURE | REC_ALIAS) ? 0 : twin.ids[k];
    if (esym.sym[k + 1] !== bound) assert.is(esym.sym[k + 1], bound, `symbol of record ${k}, ${place}`);
  });
  assert.is(esym.sym[0], 0);
  twin.first.forEach((k, i) => {
    const facts = [gsym.h0[i + 1], gsym.h1[i + 1], gsym.name[i + 1], gsym.nameBytes[i + 1], gsym.firstEsym[i + 1]];
    assert.is(facts.join(), [record.h0[k + 1], record.h1[k + 1], 1000 + k, k % 40, record.esym[k + 1]].join(), `name ${i + 1}, ${place}`);
  });
  // Every name is found again, and no other.
  const slots = 2 ** Math.ceil(Math.log2(2 * ids));
  const table = arena.allocZeroed(slots * 4);
  kernels.indexNames(1, ids, table, slots);
  const find = (h0: bigint, h1: bigint): number => {
    record.h0[0] = h0;
    record.h1[0] = h1;
    return kernels.findName(table, slots);
  };
  const known = new Map(records.map(({ h0, h1, unused }, k) => [`${h0}/${h1}`, unused ? 0 : twin.ids[k]!]));
  twin.first.forEach((k, i) => {
    const { h0, h1 } = records[k]!;
    assert.is(find(h0, h1), i + 1);
    if (!known.has(`${h0}/${h1 ^ 1n}`)) assert.is(find(h0, h1 ^ 1n), 0);
    if (!known.has(`${h0 ^ (1n << 63n)}/${h1}`)) assert.is(find(h0 ^ (1n << 63n), h1), 0);
  });
  arena.release(mark);
}

for (const debug of [false, true]) {
  const test = suite(`kernel intern-names ${debug ? "debug" : "release"}`);
  const memory = kernelMemory(debug);

  test("numbers names by first mention as its twin does, whatever the chunks, on seeded rows", () => {
    for (let seed = 1; seed <= 400; seed++) {
      const random = prng(seed);
      const records = randomRecords(random, random.between(1, 120), random.between(1, 40));
      check(memory, records, random.pick([1, 7, 50, 1000]), random.below(2), `seed ${seed}`);
    }
  });

  test("many names", () => {
    const random = prng(1);
    check(memory, randomRecords(random, 20_000, 8000), 3000, 0, "many");
  });

  test("no records, only unused ones, one name only", () => {
    const row = { h0: 5n, h1: 6n, unused: false, flags: 0 };
    check(memory, [], 10, 0, "none");
    check(memory, [{ ...row, unused: true, flags: REC_UNUSED }], 10, 0, "unused");
    check(memory, Array.from({ length: 300 }, () => row), 10, 0, "one name");
  });

  test("names that all fall in one slot are told apart", () => {
    const records = Array.from({ length: 500 }, (_, k) => ({ h0: BigInt(k % 100) << 33n, h1: BigInt(k % 50), unused: false, flags: 0 }));
    check(memory, records, 64, 0, "one slot");
  });

  test("--verify-hashes finds the first row whose bytes differ from its name's", () => {
    const { arena, tables, kernels } = memory;
    const record = allocTable(arena, tables, "record", 6);
    for (let i = 1; i < 6; i++) {
      record.leader[i] = i === 3 ? 0 : 1;
      record.name[i] = arena.put(i === 3 ? "other" : "name");
      record.nameBytes[i] = 4;
    }
    assert.is(kernels.verifyNames(1, 6), 0);
    record.name[5] = arena.put("nam");
    assert.is(kernels.verifyNames(1, 6), 5);
    record.nameBytes[4] = 3;
    assert.is(kernels.verifyNames(1, 6), 4);
    assert.is(kernels.verifyNames(5, 5), 0);
  });

  test.run();
}
