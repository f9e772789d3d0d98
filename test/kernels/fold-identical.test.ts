import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as abi from "../../as-kernels/shared/abi.ts";
import * as elf from "../../as-kernels/shared/elf.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory, type KernelMemory } from "../helpers/kernel-memory.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { foldTwin, type FoldReloc, type FoldSection, type FoldSymbol } from "../helpers/twin/fold-identical.ts";

interface Spec {
  sections: FoldSection[];
  symbols: FoldSymbol[];
}

/** Few kinds of contents, relocations and symbols, so that many sections are identical and many nearly so. */
function randomSpec(random: Prng): Spec {
  const count = random.between(2, 30);
  const symbolCount = random.between(1, 12);
  const variety = random.between(1, 3);
  const sections = Array.from({ length: count }, (): FoldSection => {
    const merge = random.chance(0.1);
    return {
      contents: merge ? "" : random.pick(["", "same contents", "other contents"].slice(0, variety)), flags: elf.SHF_ALLOC | (random.chance(0.1) ? elf.SHF_GROUP : 0),
      osec: merge || random.chance(0.9) ? 2 : 3, unique: random.chance(0.1),
      pieces: merge ? Array.from({ length: random.between(1, 4) }, () => 8 * random.below(6)) : null,
      relocs: merge ? [] : Array.from({ length: random.below(4) }, (_, k): FoldReloc => ({
        offset: random.chance(0.95) ? 2 * k : 2 * k + 1, type: random.chance(0.95) ? elf.R_X86_64_PC32 : elf.R_X86_64_64,
        symbol: random.chance(0.05) ? -1 : random.below(symbolCount), addend: random.chance(0.8) ? 4 : random.pick([0, 8, 12]),
      })),
    };
  });
  const symbols = Array.from({ length: symbolCount }, (): FoldSymbol => {
    const section = random.chance(0.85) ? random.below(count) : random.pick([-1, -2]);
    const isSection = random.chance(0.4);
    return { section, value: isSection || random.chance(0.7) ? 0 : 8, isSection, preemptible: section >= 0 && random.chance(0.1) };
  });
  return { sections, symbols };
}

const flagsOf = (flags: number): number => flags & ~elf.SHF_GROUP;

/** Section s is isec s + 1, symbol i entry i + 1 of the one object and sym row i + 1. Contents lie one after the other. */
function fill({ arena, tables, params }: KernelMemory, { sections, symbols }: Spec): number {
  const obj = allocTable(arena, tables, "obj", 2);
  const esym = allocTable(arena, tables, "esym", symbols.length + 1);
  const sym = allocTable(arena, tables, "sym", symbols.length + 1);
  const isec = allocTable(arena, tables, "isec", sections.length + 1);
  const piece = allocTable(arena, tables, "piece", 1 + 5 * sections.length);
  const fold = allocTable(arena, tables, "fold", sections.length + 1);
  params.set("globalSyms", symbols.length + 1);
  obj.esymCount[1] = symbols.length + 1;
  const text = sections.map(({ contents }) => contents).join("");
  const contents = arena.put(text + "\0".repeat(32));
  let offset = 0;
  let pieceRow = 1;
  sections.forEach((section, s) => {
    const i = s + 1;
    const bytes = section.pieces === null ? section.contents.length : 8 * section.pieces.length;
    Object.assign(isec.obj, { [i]: 1 });
    isec.name[i] = arena.put(".text\0\0\0\0\0\0\0\0\0\0\0");
    isec.kind[i] = section.pieces === null ? abi.ISEC_REGULAR : abi.ISEC_MERGE;
    isec.sh_type[i] = elf.SHT_PROGBITS;
    isec.sh_flags[i] = section.flags;
    isec.sh_offset[i] = 1000 + offset;
    isec.size[i] = bytes;
    isec.live[i] = 1;
    isec.osec[i] = section.osec;
    isec.align[i] = s % 5;
    if (section.unique) fold.state[i] = abi.FOLD_UNIQUE;
    offset += section.contents.length;
    if (section.relocs.length > 0) {
      const at = arena.alloc(24 * section.relocs.length);
      isec.rela[i] = at;
      isec.relaCount[i] = section.relocs.length;
      section.relocs.forEach((reloc, k) => {
        arena.u64[(at >>> 3) + 3 * k] = BigInt(reloc.offset);
        arena.u32[(at >>> 2) + 6 * k + 2] = reloc.type;
        arena.u32[(at >>> 2) + 6 * k + 3] = reloc.symbol + 1;
        arena.u64[(at >>> 3) + 3 * k + 2] = BigInt(reloc.addend);
      });
    }
    if (section.pieces === null) return;
    isec.sh_entsize[i] = 8;
    isec.msec[i] = section.osec;
    isec.pieceBase[i] = pieceRow;
    isec.pieceCount[i] = section.pieces.length;
    section.pieces.forEach((out, k) => {
      piece.inOffset[pieceRow] = 8 * k;
      piece.out[pieceRow++] = out;
    });
    piece.inOffset[pieceRow++] = bytes;
  });
  symbols.forEach((symbol, k) => {
    const id = k + 1;
    esym.sym[id] = id;
    const kind = symbol.section === -2 ? abi.SYM_UNDEF : abi.SYM_DEFINED;
    sym.flags[id] = kind | (symbol.isSection ? abi.SYM_SECTION : 0) | (symbol.preemptible ? abi.SYM_PREEMPTIBLE : 0);
    sym.isec[id] = Math.max(0, symbol.section + 1);
    sym.value[id] = BigInt(symbol.value);
    const pieces = symbol.section < 0 ? null : sections[symbol.section]!.pieces;
    if (pieces !== null && pieces !== undefined) sym.piece[id] = 1 + isec.pieceBase[symbol.section + 1]! + Math.min(symbol.value >> 3, pieces.length - 1);
  });
  return contents;
}

for (const debug of [false, true]) {
  const test = suite(`kernel fold-identical ${debug ? "debug" : "release"}`);
  const memory = kernelMemory(debug);
  const { arena, tables, kernels } = memory;

  /** The rounds of the pass, `step` rows or entries at a time. Leaves the folded work list. */
  function fold(contents: number, step: number): { active: number; count: number; rounds: number } {
    const rows = tables.isec.rows;
    const cell = arena.alloc(32);
    let candidates = 0;
    for (let from = 1; from < rows; from += step) candidates += kernels.foldCandidates(from, Math.min(from + step, rows));
    for (let from = 1; from < rows; from += step) {
      const to = Math.min(from + step, rows);
      for (let row = from; kernels.nextFoldRun(row, to, 40, cell) !== 0; ) {
        const first = arena.u32[cell >>> 2]!;
        row = arena.u32[(cell >>> 2) + 1]!;
        const start = arena.f64[(cell >>> 3) + 2]!;
        kernels.foldContents(first, row, contents + start - 1000, start);
      }
      kernels.foldConstants(from, to);
    }
    const [active, keys, order, next, starts] = [4, 16, 4, 4, 4].map((bytes) => arena.alloc(bytes * (candidates + 66))) as [number, number, number, number, number];
    const table = arena.alloc(4 * 4 * (candidates + 64));
    let count = kernels.listCandidates(1, rows, active);
    assert.is(count, candidates);
    let [classes, rounds] = [0, 0];
    for (; count > 0; rounds++) {
      for (let from = 0; from < count; from += step) kernels.foldKeys(from, Math.min(from + step, count), active, keys, rounds);
      kernels.foldScatter(count, keys, order, starts);
      arena.u32[abi.CTL_COUNTERS >>> 2] = 0;
      for (let shard = 63; shard >= 0; shard--) {
        const [from, to] = [arena.u32[(starts >>> 2) + shard]!, arena.u32[(starts >>> 2) + shard + 1]!];
        if (from < to) kernels.foldGroup(from, to, order, keys, active, next, table, 2 ** Math.ceil(Math.log2(2 * (to - from) + 1)));
      }
      if (arena.u32[abi.CTL_COUNTERS >>> 2] === classes) break;
      count = kernels.foldCompact(count, active, next);
      classes = arena.u32[(abi.CTL_COUNTERS >>> 2) + 1]!;
    }
    return { active, count, rounds };
  }

  test("finds the classes its twin finds, and symbols follow", () => {
    let [folded, all] = [0, 0];
    for (let seed = 1; seed <= (debug ? 500 : 2000); seed++) {
      const random = prng(seed);
      const spec = randomSpec(random);
      const top = arena.mark();
      const { active, count } = fold(fill(memory, spec), random.pick([1, 3, 1000]));
      const leaders = foldTwin(spec.sections.map((section) => ({ ...section, flags: flagsOf(section.flags) })), spec.symbols);
      assert.equal(spec.sections.map((_, s) => tables.fold.cls[s + 1]! - 1), leaders, `seed ${seed}`);
      const gone = leaders.filter((leader, s) => leader !== s).length;
      assert.is(kernels.foldSections(count, active), gone);
      assert.equal(spec.sections.map((_, s) => tables.isec.live[s + 1]!), leaders.map((leader, s) => (leader === s ? 1 : 0)));
      leaders.forEach((leader, s) => assert.ok(tables.isec.align[leader + 1]! >= s % 5, "alignment of what was folded in"));
      kernels.foldSymbols(1, tables.sym.rows);
      spec.symbols.forEach(({ section }, k) => {
        if (section < 0) return;
        assert.is(tables.sym.isec[k + 1], leaders[section]! + 1);
        assert.is((tables.sym.flags[k + 1]! & abi.SYM_FOLDED) !== 0, leaders[section] !== section);
      });
      folded += gone;
      all += leaders.length;
      arena.release(top);
    }
    assert.ok(folded > 0.1 * all && folded < 0.9 * all, `${folded} of ${all}`);
  });

  test("a long chain is told apart to its end", () => {
    const length = 300;
    const spec: Spec = {
      sections: Array.from({ length: 2 * length }, (_, s): FoldSection => ({
        contents: s === 2 * length - 1 ? "end" : "jmp", flags: 2, osec: 2, unique: false, pieces: null,
        relocs: s % length === length - 1 ? [] : [{ offset: 1, type: 2, symbol: s + 1, addend: 0 }],
      })),
      symbols: Array.from({ length: 2 * length }, (_, s): FoldSymbol => ({ section: s, value: 0, isSection: false, preemptible: false })),
    };
    const top = arena.mark();
    assert.is(fold(fill(memory, spec), 1000).count, 0);
    arena.release(top);
  });

  test("a function and an indirect one or a thread-local variable at its place are not the same", () => {
    const section = (contents: string, relocs: FoldReloc[]): FoldSection => ({ contents, flags: elf.SHF_ALLOC, osec: 2, unique: false, pieces: null, relocs });
    const call = (symbol: number): FoldSection => section("call", [{ offset: 1, type: elf.R_X86_64_PC32, symbol, addend: 0 }]);
    const symbol: FoldSymbol = { section: 2, value: 0, isSection: false, preemptible: false };
    for (const [bits, alike] of [[0, 2], [abi.SYM_IFUNC, 0], [abi.SYM_TLS, 0]] as const) {
      const top = arena.mark();
      const contents = fill(memory, { sections: [call(0), call(1), section("f", [])], symbols: [symbol, symbol] });
      tables.sym.flags[2]! |= bits;
      assert.is(fold(contents, 1000).count, alike);
      arena.release(top);
    }
  });

  test("what must not be folded", () => {
    const names = [".text", ".init", ".fini", "set", ".data", ".data.rel.ro", ".data.rel.ro.x", ".data.rel.rox", ".init.text", "a.b"];
    const top = arena.mark();
    const section: FoldSection = { contents: "x", flags: elf.SHF_ALLOC, osec: 2, unique: false, pieces: null, relocs: [] };
    fill(memory, { sections: names.map(() => section), symbols: [] });
    const { isec, fold: table } = tables;
    const candidates = (): string[] => names.filter((_, s) => (table.state[s + 1]! & abi.FOLD_CANDIDATE) !== 0);
    names.forEach((name, s) => (isec.name[s + 1] = arena.put(name + "\0".repeat(16))));
    kernels.foldCandidates(1, isec.rows);
    assert.equal(candidates(), [".text", ".data", ".data.rel.ro", ".data.rel.ro.x", ".data.rel.rox", ".init.text", "a.b"]);
    table.state.fill(0);
    isec.sh_flags.fill(elf.SHF_ALLOC | elf.SHF_WRITE);
    kernels.foldCandidates(1, isec.rows);
    assert.equal(candidates(), [".data.rel.ro", ".data.rel.ro.x"]);
    for (const flags of [0, elf.SHF_ALLOC | elf.SHF_LINK_ORDER]) {
      table.state.fill(0);
      isec.sh_flags.fill(flags);
      assert.is(kernels.foldCandidates(1, isec.rows), 0);
    }
    arena.release(top);
  });

  test("address significance: tables, mentions, exports; code only when asked", () => {
    const section = (flags: number): FoldSection => ({ contents: "x", flags, osec: 2, unique: false, pieces: null, relocs: [] });
    const code = elf.SHF_ALLOC | elf.SHF_EXECINSTR;
    const spec: Spec = {
      sections: Array.from({ length: 200 }, (_, s) => section(s % 2 ? code : elf.SHF_ALLOC)),
      symbols: Array.from({ length: 200 }, (_, s): FoldSymbol => ({ section: s, value: 0, isSection: false, preemptible: false })),
    };
    const top = arena.mark();
    fill(memory, spec);
    const unique = (): number[] => {
      const rows = [...tables.fold.state].flatMap((state, row) => (state & abi.FOLD_UNIQUE ? [row] : []));
      tables.fold.state.fill(0);
      return rows;
    };
    const leb = (bytes: number[]): number => arena.put(String.fromCharCode(...bytes));
    assert.is(kernels.keepListed(1, leb([3, 4, 0xc8, 0x01]), 4, 0), 1);
    assert.equal(unique(), [3, 4, 200]);
    assert.is(kernels.keepListed(1, leb([3, 4, 0xc8, 0x01]), 4, 1), 1);
    assert.equal(unique(), [3]);
    for (const bad of [[0xff, 0xff, 0xff, 0xff, 0xff, 1], [0x80], [0xc9, 0x01]]) assert.is(kernels.keepListed(1, leb(bad), bad.length, 0), 0);
    unique();
    kernels.keepMentioned(1, 1);
    assert.equal(unique(), spec.sections.flatMap((_, s) => (s % 2 ? [] : [s + 1])));
    tables.sym.flags[7]! |= abi.SYM_EXPORTED;
    kernels.keepMarked(1, tables.sym.rows, abi.SYM_EXPORTED, 0);
    assert.equal(unique(), [7]);
    arena.release(top);
  });

  test.run();
}
