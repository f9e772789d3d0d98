import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as abi from "../../as-kernels/shared/abi.ts";
import * as elf from "../../as-kernels/shared/elf.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory } from "../helpers/kernel-memory.ts";
import { prng } from "../helpers/prng.ts";

for (const debug of [false, true]) {
  const test = suite(`kernel order-members ${debug ? "debug" : "release"}`);
  const { arena, tables, kernels } = kernelMemory(debug);

  test("ranked members first and by rank, the others as they were, as a plain sort does it", () => {
    for (let seed = 1; seed <= 500; seed++) {
      const random = prng(seed);
      const top = arena.mark();
      const count = random.between(1, 60);
      const rows = Array.from({ length: count }, (_, i) => i + 1).sort(() => random.below(3) - 1);
      const ranks = Array.from({ length: count + 1 }, () => (random.chance(0.4) ? random.between(1, 12) : 0));
      const member = allocTable(arena, tables, "member", count + 3);
      member.isec.set([77, ...rows, 99], 0);
      const at = arena.alloc(4 * ranks.length);
      arena.u32.set(ranks, at >>> 2);
      const ranked = rows.filter((row) => ranks[row] !== 0).sort((a, b) => ranks[a]! - ranks[b]! || a - b);
      assert.is(kernels.orderMembers(1, count + 1, at, arena.alloc(4 * count)), ranked.length);
      assert.equal([...member.isec.subarray(0, count + 2)], [77, ...ranked, ...rows.filter((row) => ranks[row] === 0), 99], `seed ${seed}`);
      arena.release(top);
    }
  });

  test("contents of ranked sections, read side by side, stay in memory", () => {
    const file = Uint8Array.from({ length: 1_200_000 }, (_, i) => (i * 7 + (i >> 8)) & 255);
    for (let seed = 1; seed <= 300; seed++) {
      const random = prng(seed);
      const top = arena.mark();
      const rows = random.between(1, 60);
      const isec = allocTable(arena, tables, "isec", rows + 1);
      const ranks = arena.allocZeroed(4 * rows + 4);
      let [obj, offset] = [1, 0];
      for (let row = 1; row <= rows; row++) {
        if (random.chance(0.1)) [obj, offset] = [obj + 1, 0];
        isec.obj[row] = obj;
        isec.sh_offset[row] = offset += random.pick([0, 3, 16, 16384, 16385]);
        offset += isec.size[row] = random.pick([0, 1, 40, 3000]);
        isec.live[row] = random.chance(0.9) ? 1 : 0;
        isec.kind[row] = random.pick([abi.ISEC_REGULAR, abi.ISEC_REGULAR, abi.ISEC_REGULAR, abi.ISEC_MERGE]);
        isec.sh_type[row] = random.pick([elf.SHT_PROGBITS, elf.SHT_PROGBITS, elf.SHT_NOBITS]);
        isec.sh_flags[row] = random.pick([elf.SHF_ALLOC, elf.SHF_ALLOC, 0]);
        isec.compressed[row] = random.chance(0.1) ? 1 : 0;
        isec.kept[row] = 0;
        arena.u32[(ranks >>> 2) + row] = random.pick([0, 1, 2]);
      }
      const most = random.pick([4000, 1e9]);
      const wanted: number[] = [];
      let end = 0;
      for (let row = 1; row <= rows; row++) {
        const { live, kind, sh_type, sh_flags, compressed, size } = isec;
        if (arena.u32[(ranks >>> 2) + row] === 0 || live[row] === 0 || kind[row] !== abi.ISEC_REGULAR || sh_type[row] === elf.SHT_NOBITS) continue;
        if (sh_flags[row] === 0 || compressed[row] !== 0 || size[row] === 0) continue;
        if (end + size[row]! > most) break;
        wanted.push(row);
        end += Math.ceil(size[row]! / 16) * 16;
      }
      const list = arena.alloc(8 * rows);
      const count = kernels.listOrdered(ranks, most, list);
      assert.equal(Array.from({ length: count }, (_, i) => arena.u32[(list >>> 2) + 2 * i]), wanted, `seed ${seed}`);
      const [base, run, limit] = [arena.alloc(end), arena.alloc(32), random.pick([1, 5000, 1 << 20])];
      let reads = 0;
      for (let at = 0; kernels.nextOrderedRun(at, count, list, limit, run) !== 0; at = arena.u32[(run >>> 2) + 1]!, reads++) {
        const [start, bytes] = [arena.f64[(run >>> 3) + 2]!, arena.f64[(run >>> 3) + 3]!];
        const contents = arena.alloc(bytes);
        arena.u8.set(file.subarray(start, start + bytes), contents);
        kernels.keepOrdered(at, arena.u32[(run >>> 2) + 1]!, list, base, contents, start);
      }
      const follows = (row: number, before: number): boolean => isec.obj[row] === isec.obj[before] && isec.sh_offset[row]! - isec.sh_offset[before]! - isec.size[before]! <= 16384;
      if (limit > 5000) assert.is(reads, wanted.filter((row, i) => i === 0 || !follows(row, wanted[i - 1]!)).length, `seed ${seed}`);
      for (let row = 1; row <= rows; row++) {
        if (!wanted.includes(row)) assert.is(isec.kept[row], 0);
        else assert.equal(arena.u8.slice(isec.kept[row], isec.kept[row]! + isec.size[row]!), file.slice(isec.sh_offset[row], isec.sh_offset[row]! + isec.size[row]!), `seed ${seed}`);
      }
      arena.release(top);
    }
  });

  test("finds the local symbols that are named, not sections and files", () => {
    const top = arena.mark();
    const names = ["one", "two", "", "three", "one", "four", "file", "section", "global"];
    const wanted = ["four", "one", "file", "section", "global", "nobody", "on"];
    let text = "\0";
    const offsets = names.map((name) => (name === "" ? 0 : (text += `${name}\0`).length - name.length - 1));
    const strtab = arena.put(text);
    const symtab = arena.alloc(24 * (names.length + 1));
    arena.u8.fill(0, symtab, symtab + 24 * (names.length + 1));
    offsets.forEach((offset, i) => {
      arena.u32[(symtab + 24 * (i + 1)) >>> 2] = offset;
      arena.u8[symtab + 24 * (i + 1) + 4] = names[i] === "file" ? elf.STT_FILE : names[i] === "section" ? elf.STT_SECTION : elf.STT_FUNC;
    });
    const obj = allocTable(arena, tables, "obj", 2);
    obj.symtab[1] = symtab;
    obj.strtab[1] = strtab;
    obj.strtabBytes[1] = text.length;
    obj.esymCount[1] = names.length + 1;
    obj.firstGlobal[1] = names.length;
    obj.localBase[1] = 500;
    const list = arena.alloc(8 * wanted.length);
    wanted.forEach((name, i) => arena.u32.set([arena.put(name), name.length], (list >>> 2) + 2 * i));
    const table = arena.allocZeroed(4 * 16);
    kernels.indexOrder(list, wanted.length, table, 16, arena.alloc(wanted.length));
    const out = arena.alloc(8 * names.length);
    const count = kernels.orderedLocals(1, list, table, 16, out);
    assert.equal([...arena.u32.subarray(out >>> 2, (out >>> 2) + 2 * count)], [2, 501, 2, 505, 1, 506]);
    arena.release(top);
  });

  test("edges of a profile: ends in one output section, both live, with either form of relocation", () => {
    const top = arena.mark();
    const obj = allocTable(arena, tables, "obj", 2);
    const esym = allocTable(arena, tables, "esym", 8);
    const sym = allocTable(arena, tables, "sym", 8);
    const isec = allocTable(arena, tables, "isec", 8);
    obj.esymCount[1] = 7;
    for (let i = 1; i < 7; i++) {
      esym.sym[i] = i;
      sym.isec[i] = i;
      sym.flags[i] = i === 6 ? abi.SYM_UNDEF : abi.SYM_DEFINED;
      isec.live[i] = i === 5 ? 0 : 1;
      isec.osec[i] = i === 4 ? 3 : 2;
    }
    const pairs = [[1, 2], [2, 1], [1, 4], [1, 5], [1, 6], [3, 3], [1, 9], [3, 1]];
    const weights = arena.alloc(8 * pairs.length);
    pairs.forEach((_, i) => (arena.u64[(weights >>> 3) + i] = BigInt(10 + i)));
    for (const step of [16, 24]) {
      const relocations = arena.alloc(2 * step * pairs.length);
      pairs.flat().forEach((index, i) => (arena.u32[(relocations + step * i + 12) >>> 2] = index));
      const out = arena.alloc(16 * pairs.length);
      const count = kernels.callGraphEdges(1, weights, pairs.length, relocations, step, out);
      const edges = Array.from({ length: count }, (_, i) => [arena.u32[(out >>> 2) + 4 * i], arena.u32[(out >>> 2) + 4 * i + 1], arena.f64[(out >>> 3) + 2 * i + 1]]);
      assert.equal(edges, [[1, 2, 10], [2, 1, 11], [3, 3, 15], [3, 1, 17]]);
    }
    arena.release(top);
  });

  test.run();
}
