import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as abi from "../../as-kernels/shared/abi.ts";
import * as elf from "../../as-kernels/shared/elf.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory } from "../helpers/kernel-memory.ts";
import { prng } from "../helpers/prng.ts";

/** Last bytes of a section, and what its branches lead to: section indexes, with an offset in the section. */
interface Block {
  bytes: number[];
  jump: [number, number] | null;
  branch: [number, number] | null;
  align: number;
}

/** What is left: bytes lost, and whether the conditional jump is turned. */
function twin(blocks: Block[], b: number): { lost: number; turned: boolean } {
  const { bytes, jump, branch } = blocks[b]!;
  const next = blocks[b + 1];
  const none = { lost: 0, turned: false };
  if (next === undefined || next.align !== 0 || jump === null || bytes.length < 5 || bytes.at(-5) !== 0xe9) return none;
  const falls = (to: [number, number] | null): boolean => to !== null && to[0] === b + 1 && to[1] === 0;
  if (falls(jump)) return { lost: 5, turned: false };
  const conditional = bytes.length >= 11 && bytes.at(-11) === 0x0f && (bytes.at(-10)! & 0xf0) === 0x80;
  return conditional && falls(branch) ? { lost: 5, turned: true } : none;
}

for (const debug of [false, true]) {
  const test = suite(`kernel shorten-jumps ${debug ? "debug" : "release"}`);
  const { arena, tables, kernels } = kernelMemory(debug);

  test("shortens what its twin shortens, turns what it turns, and symbols follow", () => {
    let [shortened, turned] = [0, 0];
    for (let seed = 1; seed <= 600; seed++) {
      const random = prng(seed);
      const top = arena.mark();
      const count = random.between(2, 8);
      const target = (b: number): [number, number] => [random.chance(0.6) ? Math.min(b + 1, count - 1) : random.below(count), random.chance(0.8) ? 0 : 1];
      const blocks = Array.from({ length: count }, (_, b): Block => {
        const size = random.pick([0, 3, 5, 11, 20]);
        const bytes = Array.from({ length: size }, () => random.pick([0xe9, 0x0f, 0x84, 0x90]));
        if (size >= 5 && random.chance(0.9)) bytes[size - 5] = 0xe9;
        if (size >= 11 && random.chance(0.7)) bytes.splice(size - 11, 2, 0x0f, 0x80 + random.below(16));
        return { bytes, jump: size >= 5 && random.chance(0.9) ? target(b) : null, branch: size >= 11 && random.chance(0.8) ? target(b) : null, align: random.chance(0.85) ? 0 : 4 };
      });
      const obj = allocTable(arena, tables, "obj", 2);
      const esym = allocTable(arena, tables, "esym", count + 1);
      const sym = allocTable(arena, tables, "sym", 2 * count + 2);
      const gsym = allocTable(arena, tables, "gsym", count + 1);
      const isec = allocTable(arena, tables, "isec", count + 1);
      const member = allocTable(arena, tables, "member", count + 1);
      const symtab = arena.allocZeroed(24 * (count + 1));
      obj.symtab[1] = symtab;
      obj.esymCount[1] = count + 1;
      obj.firstGlobal[1] = 1 + (count >> 1);
      blocks.forEach(({ bytes, jump, branch, align }, b) => {
        const row = b + 1;
        member.isec[row] = row;
        esym.sym[row] = row;
        gsym.esym[row] = row;
        sym.flags[row] = abi.SYM_DEFINED;
        sym.isec[row] = row;
        arena.u64[(symtab + 24 * row + 16) >>> 3] = BigInt(bytes.length);
        gsym.size[row] = bytes.length;
        isec.obj[row] = 1;
        isec.size[row] = bytes.length;
        isec.align[row] = align;
        const relocs = [...(branch === null ? [] : [[bytes.length - 9, branch] as const]), ...(jump === null ? [] : [[bytes.length - 4, jump] as const])];
        isec.relaCount[row] = relocs.length;
        const at = arena.alloc(24 * relocs.length + 24);
        isec.rela[row] = relocs.length === 0 ? 0 : at;
        relocs.forEach(([offset, [to, value]], k) => {
          arena.u64[(at >>> 3) + 3 * k] = BigInt(offset);
          arena.u32[(at >>> 2) + 6 * k + 2] = random.pick([elf.R_X86_64_PC32, elf.R_X86_64_PLT32]);
          arena.u32[(at >>> 2) + 6 * k + 3] = to + 1;
          arena.u64[(at >>> 3) + 3 * k + 2] = BigInt.asUintN(64, BigInt(value - 4));
        });
      });
      const saved = arena.allocZeroed(count + 1);
      const tail = arena.alloc(16);
      for (let i = kernels.nextJump(1, count + 1); i <= count; i = kernels.nextJump(i + 1, count + 1)) {
        const last = blocks[i - 1]!.bytes.slice(-11);
        arena.u8.set(last, tail);
        arena.u8[saved + i] = kernels.shortenJump(i, tail, last.length);
      }
      kernels.trimSymbols(1, saved);
      blocks.forEach(({ bytes }, b) => {
        const row = b + 1;
        const expected = twin(blocks, b);
        const place = `seed ${seed} block ${b} of ${JSON.stringify(blocks)}`;
        assert.is(isec.size[row], bytes.length - expected.lost, place);
        const types = Array.from({ length: isec.relaCount[row]! }, (_, k) => arena.u32[((isec.rela[row]! + 24 * k) >>> 2) + 2]!);
        assert.is(types.includes(abi.RELOC_TURNED), expected.turned, place);
        assert.is(types.includes(elf.R_X86_64_NONE), expected.lost > 0, place);
        const size = row < obj.firstGlobal[1]! ? Number(arena.u64[(symtab + 24 * row + 16) >>> 3]) : gsym.size[row];
        assert.is(size, bytes.length - expected.lost, place);
        shortened += expected.lost > 0 ? 1 : 0;
        turned += expected.turned ? 1 : 0;
      });
      arena.release(top);
    }
    assert.ok(shortened > 200 && turned > 50, `${shortened} ${turned}`);
  });

  test.run();
}
