import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ISEC_EH_FRAME, ISEC_MERGE, ISEC_REGULAR, OUT_EXEC, OUT_RELOCATABLE, SYM_DEFINED, SYM_DISCARDED, SYM_REF_LIVE, SYM_SECTION } from "../../as-kernels/shared/abi.ts";
import { R_X86_64_64, R_X86_64_PC32, RELA_BYTES, SHF_ALLOC } from "../../as-kernels/shared/elf.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory, takeIssues, type KernelMemory } from "../helpers/kernel-memory.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { copyTwin, type CopiedReloc, type CopiedSection, type CopiedSymbol } from "../helpers/twin/copy-relocs.ts";

const NAMES = [".text", ".data", ".debug_info", ".debug", ".debu", ".eh_frame", ".eh_framex", ".gcc_except_table", ".gcc_except_table.f"];
/** Constants of merged sections. */
const ENTSIZE = 8;

/** Sections of the world: the targets of section symbols, then those that have relocations. */
interface Target {
  live: boolean;
  bound: boolean;
  merge: boolean;
  size: number;
  /** From the start of the output section: of the section, or of its merged part. */
  outOffset: number;
  /** Merged: where each constant went. */
  pieces: number[];
  /** st_value of its section symbol, which tools may leave at other than 0. */
  value: number;
}

interface Member extends CopiedSection {
  kind: number;
  resident: boolean;
  relocs: CopiedReloc[];
}

interface World {
  targets: Target[];
  members: Member[];
  symbols: CopiedSymbol[];
  osecAddr: bigint;
}

/** Output section 2 has all of them, and section symbol 9. */
const SECTION_SYMBOL = 9;

function randomWorld(random: Prng, partial: boolean): World {
  const targets = Array.from({ length: 5 }, (): Target => {
    const count = random.between(1, 6);
    const merge = random.chance(0.5);
    return {
      live: random.chance(0.8), bound: random.chance(0.9), merge, value: merge ? 0 : random.pick([0, 0, 8]), size: ENTSIZE * count, outOffset: random.below(5000), pieces: Array.from({ length: count }, () => ENTSIZE * random.below(90)),
    };
  });
  const home = (target: Target) => {
    if (!target.live || !target.bound) return null;
    const place = (offset: bigint): bigint => {
      if (!target.merge) return BigInt(target.outOffset + target.value) + offset;
      const piece = Number(offset) / ENTSIZE >= target.pieces.length ? target.pieces.length - 1 : Math.floor(Number(offset) / ENTSIZE);
      return BigInt(target.outOffset + target.pieces[piece]!) + offset - BigInt(ENTSIZE * piece);
    };
    return { index: SECTION_SYMBOL, value: 0n, place };
  };
  const symbols: CopiedSymbol[] = [
    { is: "nothing" }, ...targets.map((target): CopiedSymbol => ({ is: "section", home: home(target) })), { is: "lost section" }, { is: "named", index: 0 }, { is: "named", index: 70_000 }, { is: "named", index: 3 },
  ];
  const osecAddr = partial ? 0n : 0x40_0000n;
  const members = Array.from({ length: random.between(1, 6) }, (): Member => {
    const size = random.below(200);
    const relocs = Array.from({ length: random.pick([0, 1, random.below(12)]) }, (): CopiedReloc => {
      const symbol = random.chance(0.05) ? symbols.length + random.below(3) : random.below(symbols.length);
      const target = targets[symbol - 1];
      // Places in merged sections: others are an error of their own.
      const addend = target?.merge ? BigInt(random.below(target.size)) : BigInt(random.between(-50, 50));
      return { offset: random.pick([BigInt(random.below(size + 1)), BigInt(size), BigInt(size + (random.chance(0.1) ? 1 : 0))]), type: random.pick([R_X86_64_64, R_X86_64_PC32]), symbol, addend };
    });
    return {
      name: random.pick(NAMES), flags: random.pick([0, SHF_ALLOC]), size, shift: osecAddr + BigInt(random.below(5000)), kind: random.pick([ISEC_REGULAR, ISEC_REGULAR, ISEC_MERGE, ISEC_EH_FRAME]),
      resident: random.chance(0.85), relocs,
    };
  });
  return { targets, members, symbols, osecAddr };
}

function putRelocs({ arena }: KernelMemory, relocs: CopiedReloc[]): number {
  const at = arena.alloc(RELA_BYTES * relocs.length + 8);
  relocs.forEach(({ offset, type, symbol, addend }, i) => arena.u64.set([offset, (BigInt(symbol) << 32n) | BigInt(type), BigInt.asUintN(64, addend)], (at + RELA_BYTES * i) >>> 3));
  return at;
}

const readRelocs = ({ arena }: KernelMemory, at: number, count: number): CopiedReloc[] =>
  Array.from({ length: count }, (_, i) => {
    const word = (at + RELA_BYTES * i) >>> 3;
    const info = arena.u64[word + 1]!;
    return { offset: arena.u64[word]!, type: Number(info & 0xffff_ffffn), symbol: Number(info >> 32n), addend: BigInt.asIntN(64, arena.u64[word + 2]!) };
  });

/** Targets are isec 1 …, members follow; symbol k of the object is sym row 10 + k. */
function fillWorld(memory: KernelMemory, { targets, members, symbols, osecAddr }: World, partial: boolean): number {
  const { arena, tables, params } = memory;
  const first = targets.length + 1;
  const isec = allocTable(arena, tables, "isec", first + members.length);
  const osec = allocTable(arena, tables, "osec", 3);
  const rout = allocTable(arena, tables, "rout", 3);
  const msec = allocTable(arena, tables, "msec", first);
  const piece = allocTable(arena, tables, "piece", 1 + targets.reduce((sum, { pieces }) => sum + pieces.length + 1, 0));
  const obj = allocTable(arena, tables, "obj", 2);
  const esym = allocTable(arena, tables, "esym", 5 + symbols.length);
  const sym = allocTable(arena, tables, "sym", 10 + symbols.length);
  const member = allocTable(arena, tables, "member", 1 + members.length);
  params.set("outputKind", partial ? OUT_RELOCATABLE : OUT_EXEC);
  osec.addr[2] = osecAddr;
  osec.memberBase[2] = 1;
  osec.memberCount[2] = members.length;
  rout.sym[2] = SECTION_SYMBOL;
  let row = 1;
  targets.forEach(({ live, bound, merge, size, outOffset, pieces }, t) => {
    const i = t + 1;
    isec.live[i] = live ? 1 : 0;
    isec.osec[i] = bound ? 2 : 0;
    isec.size[i] = size;
    if (!merge) return void (isec.outOffset[i] = outOffset);
    isec.kind[i] = ISEC_MERGE;
    isec.sh_entsize[i] = ENTSIZE;
    isec.pieceBase[i] = row;
    isec.pieceCount[i] = pieces.length;
    isec.msec[i] = i;
    msec.osec[i] = 2;
    msec.outOffset[i] = outOffset;
    pieces.forEach((out, p) => {
      piece.inOffset[row] = ENTSIZE * p;
      piece.out[row++] = out;
    });
    piece.inOffset[row++] = size;
  });
  members.forEach((one, m) => {
    const i = first + m;
    isec.obj[i] = 1;
    isec.osec[i] = 2;
    isec.live[i] = 1;
    isec.kind[i] = one.kind;
    isec.name[i] = arena.put(one.name + "\0".repeat(16));
    isec.sh_flags[i] = one.flags;
    isec.size[i] = one.size;
    isec.outOffset[i] = Number(one.shift - osecAddr);
    isec.relaCount[i] = one.relocs.length;
    isec.rela[i] = one.resident ? putRelocs(memory, one.relocs) : 0;
    member.isec[1 + m] = i;
  });
  obj.esymBase[1] = 5;
  obj.esymCount[1] = symbols.length;
  const indexes = arena.allocZeroed(4 * (10 + symbols.length));
  params.set("symIndex", indexes);
  symbols.forEach((symbol, k) => {
    esym.sym[5 + k] = 10 + k;
    sym.flags[10 + k] = symbol.is === "section" ? SYM_DEFINED | SYM_SECTION : symbol.is === "lost section" ? SYM_DISCARDED | SYM_SECTION : SYM_DEFINED;
    if (symbol.is === "section") [sym.isec[10 + k], sym.value[10 + k]] = [k, BigInt(targets[k - 1]!.value)];
    if (symbol.is === "named") arena.u32[(indexes >>> 2) + 10 + k] = symbol.index;
  });
  return first;
}

for (const debug of [false, true]) {
  const test = suite(`kernel copy-relocs ${debug ? "debug" : "release"}`);
  const memory = kernelMemory(debug);
  const { arena, tables, kernels } = memory;
  const issues = () => takeIssues(memory).map(({ code, index }) => [code, index]);

  for (const partial of [true, false]) {
    test(`relocations say in the output what they said in the input: ${partial ? "-r" : "--emit-relocs"}`, () => {
      for (let seed = 1; seed <= 200; seed++) {
        const mark = arena.mark();
        const random = prng(seed);
        const where = `seed ${seed}`;
        const world = randomWorld(random, partial);
        fillWorld(memory, world, partial);
        const { members, symbols } = world;
        const copied = members.filter(({ kind }) => kind !== ISEC_EH_FRAME);
        assert.is(kernels.countCopiedRelas(2), copied.reduce((sum, { relocs }) => sum + relocs.length, 0), where);
        // Stretches of resident relocations, between them those that have to be read.
        for (let from = 0; from <= members.length; from++) {
          const out = arena.alloc(8);
          const stop = members.findIndex(({ kind, relocs, resident }, m) => m >= from && kind !== ISEC_EH_FRAME && relocs.length > 0 && !resident);
          const end = stop < 0 ? members.length : stop;
          const wanted = members.slice(from, end).filter((one) => copied.includes(one)).map((one) => copyTwin(one, one.relocs, symbols, partial));
          const relocs = wanted.flatMap((one) => one.relocs);
          const to = arena.alloc(RELA_BYTES * relocs.length + 16);
          assert.is(kernels.writeRelas(1 + from, 1 + members.length, to, out), 1 + end, where);
          assert.is(arena.u32[out >>> 2], RELA_BYTES * relocs.length, where);
          assert.equal(readRelocs(memory, to, relocs.length), relocs, where);
          assert.equal(issues(), wanted.flatMap((one) => one.issues), where);
          from = end;
        }
        arena.release(mark);
      }
    });
  }

  test("stretches of relocations have room for them, or are those of one section", () => {
    const mark = arena.mark();
    const random = prng(1);
    const relocs = (count: number): CopiedReloc[] => Array.from({ length: count }, () => ({ offset: 0n, type: R_X86_64_64, symbol: 0, addend: 0n }));
    const counts = [1, 2, 20, 3, 0, 4];
    const member = (count: number): Member => ({ name: ".text", flags: SHF_ALLOC, size: 8, shift: 0n, kind: ISEC_REGULAR, resident: true, relocs: relocs(count) });
    fillWorld(memory, { ...randomWorld(random, false), members: counts.map(member) }, false);
    const out = arena.alloc(8);
    const cuts: [number, number][] = [];
    for (let from = 1; from <= counts.length; ) {
      from = kernels.cutRelas(from, 1 + counts.length, 4 * RELA_BYTES, out);
      cuts.push([from - 1, arena.u32[out >>> 2]!]);
      assert.ok(cuts.length <= counts.length, "goes on");
    }
    assert.equal(cuts, [[2, 3], [3, 20], [5, 3], [6, 4]]);
    arena.release(mark);
  });

  test("relocations of unwind records move with their records, and only with those that are written", () => {
    for (let seed = 1; seed <= 150; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const world = randomWorld(random, false);
      const first = fillWorld(memory, world, false);
      const { members, symbols } = world;
      const ehsec = allocTable(arena, tables, "ehsec", members.length + 2);
      const ehrec = allocTable(arena, tables, "ehrec", 1 + 4 * members.length);
      // Beyond what a double can tell apart.
      const start = 0xffff_ffff_8000_1048n;
      memory.params.set("ehFrameAddr", start);
      const wanted: CopiedReloc[] = [];
      const found: [number, number][] = [];
      let row = 1;
      members.forEach((one, m) => {
        const i = first + m;
        ehsec.isec[1 + m] = i;
        tables.isec.pieceBase[i] = row;
        tables.isec.pieceCount[i] = random.below(4);
        for (let left = tables.isec.pieceCount[i]!; left > 0; left--, row++) {
          const relocs = one.relocs.slice(0, random.below(one.relocs.length + 1));
          ehrec.live[row] = random.below(2);
          ehrec.inOffset[row] = random.below(100);
          ehrec.out[row] = random.below(3000);
          ehrec.relaCount[row] = relocs.length;
          ehrec.rela[row] = putRelocs(memory, relocs);
          if (ehrec.live[row] === 0) continue;
          const twin = copyTwin({ ...one, shift: start + BigInt(ehrec.out[row]! - ehrec.inOffset[row]!) }, relocs, symbols, false);
          wanted.push(...twin.relocs);
          found.push(...twin.issues);
        }
      });
      assert.is(kernels.countUnwindRelas(1, 1 + members.length), wanted.length, `seed ${seed}`);
      const to = arena.alloc(RELA_BYTES * wanted.length + 16);
      assert.is(kernels.writeUnwindRelas(1, 1 + members.length, to), RELA_BYTES * wanted.length, `seed ${seed}`);
      assert.equal(readRelocs(memory, to, wanted.length), wanted, `seed ${seed}`);
      assert.equal(issues(), found, `seed ${seed}`);
      arena.release(mark);
    }
  });

  test("symbols are used that relocations of sections in the output name", () => {
    for (let seed = 1; seed <= 150; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const world = randomWorld(random, true);
      const first = fillWorld(memory, world, true);
      const { members, symbols } = world;
      const dropped = members.map(() => random.chance(0.3));
      dropped.forEach((is, m) => is && (tables.isec.osec[first + m] = 0));
      const locals = random.pick([0, 10, 14]);
      const end = first + members.length;
      for (let row = kernels.markUsedResident(first, end, locals); row < end; row = kernels.markUsedResident(row + 1, end, locals)) {
        const { relocs } = members[row - first]!;
        kernels.markUsed(row, putRelocs(memory, relocs), relocs.length, locals);
      }
      const used = new Set(members.flatMap(({ relocs }, m) => (dropped[m] ? [] : relocs.map(({ symbol }) => symbol))));
      symbols.forEach((_, k) => assert.is((tables.sym.flags[10 + k]! & SYM_REF_LIVE) !== 0, used.has(k) && 10 + k >= locals, `seed ${seed}, symbol ${k}`));
      arena.release(mark);
    }
  });

  test.run();
}
