/** Small kernels of compressed sections and compact relocations, against zlib and a plain encoder. */
import { deflateSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory } from "../helpers/kernel-memory.ts";
import { prng } from "../helpers/prng.ts";

/** Adler-32 as zlib has it: the last four bytes of its stream. */
const adler = (bytes: Uint8Array): number => Buffer.from(deflateSync(bytes)).readUInt32BE(deflateSync(bytes).length - 4);

interface Rela { offset: bigint; type: number; sym: number; addend: bigint }

const uleb = (value: bigint): number[] => (value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...uleb(value >> 7n)]);
const sleb = (value: bigint): number[] => (value >= -64n && value < 64n ? [Number(value & 127n)] : [Number(value & 127n) | 128, ...sleb(value >> 7n)]);

/** LLVM's encoding of SHT_CREL with addends; offsets are multiples of 1 << shift. */
function encode(relas: Rela[], shift: number): Uint8Array {
  const out = [...uleb(BigInt(relas.length * 8 + 4 + shift))];
  let last: Rela = { offset: 0n, type: 0, sym: 0, addend: 0n };
  for (const rela of relas) {
    const delta = BigInt.asUintN(64, rela.offset - last.offset) >> BigInt(shift);
    const flags = (rela.sym !== last.sym ? 1 : 0) + (rela.type !== last.type ? 2 : 0) + (rela.addend !== last.addend ? 4 : 0);
    if (delta < 16n) out.push(Number(delta << 3n) + flags);
    else out.push(Number((delta & 15n) << 3n) + flags + 128, ...uleb(delta >> 4n));
    if (flags & 1) out.push(...sleb(BigInt(rela.sym - last.sym)));
    if (flags & 2) out.push(...sleb(BigInt(rela.type - last.type)));
    if (flags & 4) out.push(...sleb(BigInt.asIntN(64, rela.addend - last.addend)));
    last = rela;
  }
  return Uint8Array.from(out);
}

for (const debug of [false, true]) {
  const test = suite(`kernel lib/adler, lib/crel ${debug ? "debug" : "release"}`);
  const { arena, tables, kernels } = kernelMemory(debug);
  const isec = allocTable(arena, tables, "isec", 4);
  allocTable(arena, tables, "issue", 16);
  const random = prng(11);

  test("checksums of any length, and of parts joined", () => {
    const at = arena.alloc(100_000);
    for (const length of [0, 1, 5551, 5552, 5553, 65521, 99_000]) {
      const bytes = Uint8Array.from({ length }, () => (length === 99_000 ? 255 : random.below(256)));
      arena.u8.set(bytes, at);
      assert.is(kernels.adler32(at, length), adler(bytes), `${length}`);
      const cut = random.below(length + 1);
      const joined = kernels.joinAdler32(adler(bytes.subarray(0, cut)), adler(bytes.subarray(cut)), length - cut);
      assert.is(joined, adler(bytes), `${length} cut at ${cut}`);
    }
  });

  test("compact relocations unpack to what was packed", () => {
    const from = arena.alloc(1 << 16);
    const to = arena.alloc(1 << 16);
    for (let round = 0; round < 60; round++) {
      const shift = random.below(4);
      let offset = 0n;
      const relas = Array.from({ length: random.below(60) }, (): Rela => {
        offset += BigInt(random.below(3) === 0 ? random.below(1 << 30) : random.below(40)) << BigInt(shift);
        return { offset, type: random.below(45), sym: random.below(1 << 20), addend: BigInt.asIntN(64, BigInt(random.below(1 << 30)) ** 2n * (random.below(2) === 0 ? 1n : -1n)) };
      });
      const packed = encode(relas, shift);
      arena.u8.set(packed, from);
      assert.is(kernels.crelCount(1, from, packed.length), relas.length);
      assert.is(kernels.unpackCrel(1, from, packed.length, to, relas.length), relas.length);
      const found = relas.map((_, i): Rela => ({
        offset: arena.u64[(to + 24 * i) >>> 3]!, type: arena.u32[(to + 24 * i + 8) >>> 2]!, sym: arena.u32[(to + 24 * i + 12) >>> 2]!,
        addend: BigInt.asIntN(64, arena.u64[(to + 24 * i + 16) >>> 3]!),
      }));
      assert.equal(found, relas);
      assert.is(isec.relaCount[1], relas.length);
      for (let cut = 1; cut < packed.length; cut += 7) {
        // Cut off or not, nothing outside is read or written, and a section either has all of its relocations or none.
        if (kernels.crelCount(1, from, cut) !== relas.length) continue;
        assert.ok([0, relas.length].includes(kernels.unpackCrel(1, from, cut, to, relas.length)));
      }
    }
  });

  test.run();
}
