import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as abi from "../../as-kernels/shared/abi.ts";
import * as elf from "../../as-kernels/shared/elf.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory, type KernelMemory } from "../helpers/kernel-memory.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { markTwin, type TwinRecord, type TwinReloc, type TwinSection, type TwinSymbol } from "../helpers/twin/mark-live.ts";

const NAMES = [".text", ".data", ".ctors", ".ctors.1", ".dtor", ".init", ".init_array", ".fini", ".jcr", ".jc", ".init_x", ".jcr_x", ".stapsdt.base", ".stapsdt.bass", ".init_array.5", ".init_arra", "set", "a_1", "1a", "_x", "", "a.b"];
const TYPES = [elf.SHT_PROGBITS, elf.SHT_PROGBITS, elf.SHT_PROGBITS, elf.SHT_NOTE, elf.SHT_INIT_ARRAY, elf.SHT_FINI_ARRAY, elf.SHT_PREINIT_ARRAY];

interface Spec {
  sections: TwinSection[];
  symbols: TwinSymbol[];
  records: TwinRecord[];
}

function randomSpec(random: Prng): Spec {
  const count = random.between(1, 40);
  const symbolCount = random.between(1, 40);
  const relocs = (most: number): TwinReloc[] =>
    Array.from({ length: random.below(most) }, () => ({ symbol: random.below(symbolCount + 1), addend: random.between(-8, 40) }));
  const sections = Array.from({ length: count }, (_, s): TwinSection => {
    const kind = random.chance(0.1) ? abi.ISEC_MERGE : random.chance(0.04) ? abi.ISEC_EH_FRAME : random.chance(0.04) ? abi.ISEC_CONSUMED : abi.ISEC_REGULAR;
    const linked = random.chance(0.15) && s > 0 && kind === abi.ISEC_REGULAR;
    const plain = kind !== abi.ISEC_REGULAR || random.chance(0.8);
    const alloc = random.chance(0.85) ? elf.SHF_ALLOC : 0;
    return {
      name: plain ? ".text" : random.pick(NAMES), kind, type: plain ? elf.SHT_PROGBITS : random.pick(TYPES),
      flags: alloc | (linked ? elf.SHF_LINK_ORDER : 0) | (random.chance(0.03) ? elf.SHF_GNU_RETAIN : 0) | (random.chance(0.4) ? elf.SHF_EXECINSTR : 0),
      size: kind === abi.ISEC_MERGE ? 8 * random.between(1, 6) : 64, relocs: kind === abi.ISEC_MERGE ? [] : relocs(4), linkedTo: linked ? random.below(s) : -1,
      group: kind !== abi.ISEC_EH_FRAME && random.chance(0.15) ? random.below(3) : -1, entsize: 8,
    };
  });
  const symbols = Array.from({ length: symbolCount }, (): TwinSymbol => {
    const section = random.chance(0.85) ? random.below(count) : -1;
    const isSection = random.chance(0.3);
    return {
      section, value: section >= 0 && !isSection ? random.below(sections[section]!.size + 1) : 0, isSection, isRoot: section >= 0 && random.chance(0.05),
      retains: section < 0 && random.chance(0.5) ? Array.from({ length: random.below(3) }, () => random.below(count)) : [],
    };
  });
  const frames = sections.flatMap(({ kind }, s) => (kind === abi.ISEC_EH_FRAME ? [s] : []));
  const records = frames.length === 0 ? [] : Array.from({ length: random.below(8) }, (_, r): TwinRecord => ({
    relocs: relocs(3), func: r === 0 ? null : random.chance(0.2) ? null : random.below(count),
  }));
  return { sections, symbols, records };
}

/** Writes rows: section s is isec s + 1, symbol i is entry i + 1 of the one object and sym row i + 1. */
function fill({ arena, tables, params }: KernelMemory, { sections, symbols, records }: Spec): void {
  const obj = allocTable(arena, tables, "obj", 2);
  const esym = allocTable(arena, tables, "esym", 3 + symbols.length);
  const sym = allocTable(arena, tables, "sym", symbols.length + 1);
  const gsym = allocTable(arena, tables, "gsym", symbols.length + 1);
  const isec = allocTable(arena, tables, "isec", sections.length + 1);
  const piece = allocTable(arena, tables, "piece", 1 + 7 * sections.length);
  const ehrec = allocTable(arena, tables, "ehrec", records.length + 1);
  params.set("globalSyms", symbols.length + 1);
  obj.esymBase[1] = 2;
  obj.esymCount[1] = symbols.length + 1;
  const putRelocs = (relocs: TwinReloc[]): number => {
    const at = arena.alloc(24 * relocs.length + 24);
    relocs.forEach(({ symbol, addend }, k) => {
      arena.u64[(at >>> 3) + 3 * k] = BigInt(8 * k);
      arena.u32[(at >>> 2) + 6 * k + 2] = 1;
      arena.u32[(at >>> 2) + 6 * k + 3] = symbol + 1;
      arena.u64[(at >>> 3) + 3 * k + 2] = BigInt.asUintN(64, BigInt(addend));
    });
    return at;
  };
  const ring = new Map<number, number>();
  let pieceRow = 1;
  sections.forEach((section, s) => {
    const i = s + 1;
    isec.obj[i] = 1;
    isec.name[i] = arena.put(section.name + "\0\0\0\0\0\0\0\0");
    isec.kind[i] = section.kind;
    isec.sh_type[i] = section.type;
    isec.sh_flags[i] = section.flags;
    isec.sh_entsize[i] = section.entsize;
    isec.size[i] = section.size;
    isec.relaCount[i] = section.relocs.length;
    isec.rela[i] = section.relocs.length === 0 ? 0 : putRelocs(section.relocs);
    if (section.linkedTo >= 0) {
      isec.nextDependent[i] = isec.dependent[section.linkedTo + 1]!;
      isec.dependent[section.linkedTo + 1] = i;
    }
    if (section.group >= 0) {
      const other = ring.get(section.group);
      isec.nextInGroup[i] = other === undefined ? i : isec.nextInGroup[other]!;
      if (other !== undefined) isec.nextInGroup[other] = i;
      ring.set(section.group, i);
    }
    if (section.kind !== abi.ISEC_MERGE) return;
    isec.pieceBase[i] = pieceRow;
    isec.pieceCount[i] = section.size / section.entsize;
    for (let p = 0; p <= isec.pieceCount[i]!; p++) piece.inOffset[pieceRow++] = p * section.entsize;
  });
  symbols.forEach((symbol, k) => {
    const id = k + 1;
    esym.sym[2 + id] = id;
    sym.flags[id] = (symbol.section < 0 ? abi.SYM_UNDEF : abi.SYM_DEFINED) | (symbol.isSection ? abi.SYM_SECTION : 0) | (symbol.isRoot ? (k % 2 ? abi.SYM_ROOT : abi.SYM_EXPORTED) : 0);
    sym.isec[id] = symbol.section + 1;
    sym.value[id] = BigInt(symbol.value);
    const home = sections[symbol.section];
    if (home?.kind === abi.ISEC_MERGE && (!symbol.isSection || symbol.isRoot)) {
      sym.piece[id] = 1 + isec.pieceBase[symbol.section + 1]! + Math.min(Math.floor(symbol.value / home.entsize), home.size / home.entsize - 1);
    }
    if (symbol.retains.length === 0) return;
    gsym.startStop[id] = arena.alloc(8 + 4 * symbol.retains.length);
    arena.u32.set([abi.START_STOP_RETAINS, symbol.retains.length, ...symbol.retains.map((s) => s + 1)], gsym.startStop[id]! >>> 2);
  });
  const frame = sections.findIndex(({ kind }) => kind === abi.ISEC_EH_FRAME) + 1;
  records.forEach(({ relocs, func }, k) => {
    const r = k + 1;
    ehrec.isec[r] = frame;
    ehrec.rela[r] = putRelocs(relocs);
    ehrec.relaCount[r] = relocs.length;
    if (func === null) return;
    ehrec.cie[r] = 1;
    ehrec.func[r] = func + 1;
    ehrec.nextFde[r] = isec.fde[func + 1]!;
    isec.fde[func + 1] = r;
  });
}

/** Sweeps over `step` sections at a time; `backwards`: as other threads might; `stacked`: from the second sweep on, to the end in one go. */
function mark({ arena, tables, kernels, params }: KernelMemory, step: number, backwards: boolean, stacked: boolean): void {
  const rows = tables.isec.rows;
  const waiting = abi.CTL_COUNTERS >>> 2;
  arena.u32[waiting] = 0;
  const targets = arena.alloc(tables.esym.rows * 4);
  kernels.fillTargets(1, targets);
  kernels.markRootSections(1, rows, targets);
  kernels.markRootSymbols(1, params.get("globalSyms"));
  kernels.markCies(1, tables.ehrec.rows);
  const chunks: [number, number][] = [];
  for (let at = 1; at < rows; at += step) chunks.push([at, Math.min(at + step, rows)]);
  if (backwards) chunks.reverse();
  for (let sweep = 0; arena.u32[waiting] !== 0; sweep++) {
    arena.u32[waiting] = 0;
    if (stacked && sweep > 0) {
      kernels.markSweep(1, rows, arena.allocZeroed(4 * rows));
      assert.equal(arena.u32[waiting], 0, "a sweep with a stack leaves nothing to the next");
    } else for (const [from, to] of chunks) kernels.markSweep(from, to, 0);
  }
}

for (const debug of [false, true]) {
  const test = suite(`kernel mark-live ${debug ? "debug" : "release"}`);
  const memory = kernelMemory(debug);
  const { arena, tables, kernels } = memory;

  function check(spec: Spec, place: string, step = 1000, backwards = false, stacked = false): number {
    const top = arena.mark();
    fill(memory, spec);
    mark(memory, step, backwards, stacked);
    const { isec, piece } = tables;
    const twin = markTwin(spec.sections, spec.symbols, spec.records);
    const live = spec.sections.map((_, s) => isec.live[s + 1] === 1);
    assert.equal(live, twin.sections, place);
    spec.sections.forEach(({ kind }, s) => {
      if (kind !== abi.ISEC_MERGE) return;
      const marked = Array.from({ length: isec.pieceCount[s + 1]! }, (_, p) => p).filter((p) => piece.live[isec.pieceBase[s + 1]! + p] === 1);
      assert.equal(marked, [...twin.pieces[s]!].sort((a, b) => a - b), `pieces of ${s}, ${place}`);
    });
    arena.release(top);
    return live.filter(Boolean).length;
  }

  test("keeps what its twin's fixpoint keeps, on seeded sections, in any order of work", () => {
    let [live, all] = [0, 0];
    for (let seed = 1; seed <= (debug ? 700 : 2000); seed++) {
      const random = prng(seed);
      const spec = randomSpec(random);
      live += check(spec, `seed ${seed}`, random.pick([1, 2, 17, 1000]), random.chance(0.5), random.chance(0.5));
      all += spec.sections.length;
    }
    assert.ok(live > 0.2 * all && live < 0.8 * all, `${live} of ${all} live`);
  });

  test("a chain of sections is followed to its end, a ring does not go round", () => {
    const size = 5000;
    const section = (s: number): TwinSection => ({
      name: ".text", kind: 0, type: 1, flags: elf.SHF_ALLOC, size: 64, relocs: [{ symbol: (s + 1) % size, addend: 0 }], linkedTo: -1, group: -1, entsize: 0,
    });
    const top = arena.mark();
    const sections = Array.from({ length: size }, (_, s) => section(s));
    const symbols = sections.map((_, s): TwinSymbol => ({ section: s, value: 0, isSection: false, isRoot: s === 17, retains: [] }));
    fill(memory, { sections, symbols, records: [] });
    mark(memory, 64, false, false);
    assert.is(tables.isec.live.reduce((a, b) => a + b, 0), size);
    arena.release(top);
  });

  test("without --gc-sections everything lives, but what was consumed; pieces of unloaded sections live with them", () => {
    const spec = randomSpec(prng(3));
    const merge: TwinSection = { name: ".debug_str", kind: abi.ISEC_MERGE, type: 1, flags: 0, size: 24, relocs: [], linkedTo: -1, group: -1, entsize: 8 };
    spec.sections.push(merge, { ...merge, flags: elf.SHF_ALLOC }, { ...merge, kind: abi.ISEC_CONSUMED });
    const top = arena.mark();
    fill(memory, spec);
    const { isec, piece } = tables;
    const [debugStr, loaded, consumed] = [isec.rows - 3, isec.rows - 2, isec.rows - 1];
    const pieces = (row: number): number[] => [...piece.live.subarray(isec.pieceBase[row]!, isec.pieceBase[row]! + isec.pieceCount[row]! + 1)];
    kernels.markPieces(1, isec.rows, 1);
    assert.equal(pieces(debugStr), [0, 0, 0, 0]);
    kernels.markAll(1, isec.rows);
    assert.equal(spec.sections.map((_, s) => isec.live[s + 1] === 1), spec.sections.map(({ kind }) => kind !== abi.ISEC_CONSUMED));
    assert.is(isec.live[consumed], 0);
    kernels.markPieces(1, isec.rows, 1);
    assert.equal([pieces(debugStr), pieces(loaded)], [[1, 1, 1, 0], [0, 0, 0, 0]]);
    kernels.markPieces(1, isec.rows, 0);
    assert.equal(pieces(loaded), [1, 1, 1, 0]);
    arena.release(top);
  });

  test("collects the sections that __start_ and __stop_ can name", () => {
    const top = arena.mark();
    const sections = NAMES.map((name): TwinSection => ({ name, kind: 0, type: 1, flags: 2, size: 1, relocs: [], linkedTo: -1, group: -1, entsize: 0 }));
    fill(memory, { sections, symbols: [], records: [] });
    const out = arena.alloc(4 * NAMES.length);
    const count = kernels.collectIdentifiers(1, NAMES.length + 1, out);
    const found = [...arena.u32.subarray(out >>> 2, (out >>> 2) + count)].map((row) => NAMES[row - 1]!);
    assert.equal(found, NAMES.filter((name) => /^[A-Za-z_][A-Za-z_0-9]*$/.test(name)));
    const list = arena.alloc(16) >>> 2;
    arena.u32.set([abi.START_STOP_WAITS, 2, 1, 2], list);
    assert.is(kernels.anyLive(list * 4), 0);
    tables.isec.live[2] = 1;
    assert.is(kernels.anyLive(list * 4), 1);
    arena.release(top);
  });

  test.run();
}
