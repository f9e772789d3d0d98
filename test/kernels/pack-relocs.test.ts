import { suite } from "uvu";
import * as assert from "uvu/assert";
import { R_X86_64_64, R_X86_64_GLOB_DAT, R_X86_64_RELATIVE, RELA_BYTES } from "../../as-kernels/shared/elf.ts";
import { kernelMemory, type KernelMemory } from "../helpers/kernel-memory.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { unpack, type PackedRecord } from "../helpers/twin/android-relocs.ts";

function put({ arena }: KernelMemory, records: PackedRecord[]): number {
  const at = arena.alloc(RELA_BYTES * records.length + 16);
  records.forEach(({ offset, info, addend }, i) => arena.u64.set([offset, info, BigInt.asUintN(64, addend)], (at + RELA_BYTES * i) >>> 3));
  return at;
}

const read = ({ arena }: KernelMemory, at: number, count: number): PackedRecord[] =>
  Array.from({ length: count }, (_, i) => {
    const word = (at + RELA_BYTES * i) >>> 3;
    return { offset: arena.u64[word]!, info: arena.u64[word + 1]!, addend: BigInt.asIntN(64, arena.u64[word + 2]!) };
  });

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
const ORDERS = [
  (a: PackedRecord, b: PackedRecord) => compare(a.offset, b.offset),
  (a: PackedRecord, b: PackedRecord) => compare(a.info >> 32n, b.info >> 32n) || compare(a.offset, b.offset),
  (a: PackedRecord, b: PackedRecord) => compare(a.info, b.info) || compare(a.addend, b.addend) || compare(a.offset, b.offset),
];

/** Places here and there, many of them a word apart. */
function randomRecords(random: Prng, count: number, info: () => bigint, addend: () => bigint): PackedRecord[] {
  let offset = random.u64() >> 24n;
  return Array.from({ length: count }, () => {
    offset += random.pick([8n, 8n, 8n, 8n, 8n, 8n, 8n, 8n, 8n, 16n, 4n, 0x1000n]);
    return { offset, info: info(), addend: addend() };
  });
}

for (const debug of [false, true]) {
  const test = suite(`kernel pack-relocs ${debug ? "debug" : "release"}`);
  const memory = kernelMemory(debug);
  const { arena, kernels } = memory;

  const sorted = (records: PackedRecord[], order: number): number => {
    let [from, to] = [put(memory, records), arena.alloc(RELA_BYTES * records.length + 16)];
    if (records.length > 0) while (kernels.mergeRela(from, to, records.length, order) > 1) [from, to] = [to, from];
    return records.length > 0 ? to : from;
  };

  test("records are sorted in each of the three orders, equal ones as they were", () => {
    for (let seed = 1; seed <= 100; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const records = random.shuffle(randomRecords(random, random.below(60), () => BigInt(random.below(3)) << 32n | BigInt(random.below(3)), () => BigInt(random.between(-2, 2))));
      ORDERS.forEach((order, k) => assert.equal(read(memory, sorted(records, k), records.length), [...records].sort(order), `seed ${seed}, order ${k}`));
      arena.release(mark);
    }
  });

  test("the loader reads the records that were packed, and is told how many bytes there are", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const far = () => random.pick([0n, 0n, 1n, -1n, 63n, -64n, 64n, BigInt.asIntN(64, random.u64())]);
      const relative = randomRecords(random, random.pick([0, 1, 8, random.below(80)]), () => BigInt(R_X86_64_RELATIVE), () => (random.chance(0.5) ? BigInt(random.below(1000)) : far()));
      const others = randomRecords(
        random, random.pick([0, 1, random.below(60)]), () => (BigInt(random.pick([1, 1, 1, 2, 0x7fff_ffff, 0xffff_ffff])) << 32n) | BigInt(random.pick([R_X86_64_64, R_X86_64_GLOB_DAT])), () => (random.chance(0.7) ? 0n : far()),
      );
      const first = sorted(random.shuffle([...relative]), 0);
      const second = sorted(random.shuffle([...others]), 2);
      const spare = arena.alloc(RELA_BYTES * others.length + 16);
      const loose = kernels.takeUngrouped(second, others.length, spare);
      const third = sorted(read(memory, spare, loose), 0);
      const pack = (out: number, write: number) => kernels.packRecords(first, relative.length, second, others.length, third, loose, out, write);
      const bytes = pack(0, 0);
      const out = arena.alloc(bytes + 16);
      arena.u8.fill(0xee, out, out + bytes + 16);
      assert.is(pack(out, 1), bytes, `seed ${seed}`);
      assert.ok(arena.bytes(out + bytes, 16).every((byte) => byte === 0xee), `seed ${seed}`);
      assert.equal(unpack(arena.bytes(out, bytes)).sort(ORDERS[2]), [...relative, ...others].sort(ORDERS[2]), `seed ${seed}`);
      arena.release(mark);
    }
  });

  test.run();
}
