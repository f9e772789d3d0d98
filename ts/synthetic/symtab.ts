/**
 * .symtab, .strtab and .symtab_shndx: three sections written from one walk.
 *
 * Work is cut into units (the locals of an object; a stretch of globals), each with an exact slice found by prefix sums, so
 * that units can be written in any order. Locals come first (gABI ch. 4: sh_info); the globals that became local follow those of the object that
 * defines them, behind its STT_FILE (lld), and in the end those that belong to none.
 */
import { DISCARD_ALL, DISCARD_DEFAULT, DISCARD_LOCALS, DISCARD_NONE } from "../../as-kernels/shared/abi.ts";
import { SYM_BYTES, SHN_LORESERVE, SHT_STRTAB, SHT_SYMTAB, SHT_SYMTAB_SHNDX } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import type { WorkerContext } from "../memory/pool.ts";
import { inSteps } from "../memory/rows.ts";
import { entrySymbols, nameBytes, putEntrySymbols } from "./entry-symbols.ts";
import { keepRetained } from "./retained-symbols.ts";
import type { SyntheticSection } from "./section.ts";

/** Globals a unit takes. */
const STRETCH_BITS = 11;
const GLOBALS_PER_UNIT = 1 << STRETCH_BITS;
/** Units are written together up to about this many bytes of entries and names. */
const WINDOW_BYTES = 1 << 18;
/** Objects a chunk of the phases takes. */
const UNITS_PER_CHUNK = 32;

/** u32 cells of a unit: kind, first, end, symbols, name bytes (then first symbol index, first name offset). Localised symbols have their names in the units of globals. */
const UNIT_WORDS = 5;
const KIND_OBJECT = 0;
const KIND_LOCALISED = 1;
const KIND_GLOBAL = 2;

export const DISCARD = { default: DISCARD_DEFAULT, locals: DISCARD_LOCALS, all: DISCARD_ALL, none: DISCARD_NONE } as const;

const A_UNITS = 0;
const A_COUNT = 1;
const A_DISCARD = 2;
/** File positions of the three sections, -1 = there is no .symtab_shndx. */
const A_SYMTAB = 3;
const A_STRTAB = 4;
const A_SHNDX = 5;
const A_FD = 6;
/** Places of the localised globals, by object; the first unit of globals. */
const A_LOCALISED = 9;
const A_GLOBALS = 10;
/** Where all entries and all words of .symtab_shndx are to be collected in memory; 0 = they are written from windows. */
const A_ENTRIES = 7;
const A_WORDS = 8;

/** Worker windows of the three sections. */
const SYMTAB = 0;
const STRTAB = 1;
const SHNDX = 2;

/** Phase: symbols and name bytes of the units of a chunk. */
export function countSymtabPhase(w: WorkerContext, chunk: number): void {
  const bytes = w.window(0, 16);
  eachUnit(w, chunk, (at) => {
    const [kind, first, end] = [w.u32[at]!, w.u32[at + 1]!, w.u32[at + 2]!];
    w.f64[bytes >>> 3] = 0;
    w.u32[at + 3] = kind === KIND_OBJECT
      ? w.kernels.countLocals(first, w.args[A_DISCARD]!, bytes)
      : kind === KIND_LOCALISED ? end - first : w.kernels.countGlobals(first, end, bytes);
    w.u32[at + 4] = w.f64[bytes >>> 3]!;
  });
}

/** Phase: entries and names of the units of a chunk, as many at a time as fit into a window. */
export function emitSymtabPhase(w: WorkerContext, chunk: number): void {
  const last = Math.min((chunk + 1) * UNITS_PER_CHUNK, w.args[A_COUNT]!);
  const cell = (unit: number, field: number) => w.u32[(w.args[A_UNITS]! >>> 2) + unit * UNIT_WORDS + field]!;
  const bytes = (from: number, to: number) => (cell(to, 3) - cell(from, 3)) * SYM_BYTES + cell(to, 4) - cell(from, 4);
  for (let from = chunk * UNITS_PER_CHUNK, to: number; from < last; from = to) {
    to = from + 1;
    while (to < last && bytes(from, to + 1) <= WINDOW_BYTES) to++;
    emitUnits(w, from, to, cell);
  }
}

function emitUnits(w: WorkerContext, from: number, to: number, cell: (unit: number, field: number) => number): void {
  const [index, text] = [cell(from, 3), cell(from, 4)];
  const [entries, bytes] = [cell(to, 3) - index, cell(to, 4) - text];
  if (entries === 0 && bytes === 0) return;
  const wide = w.args[A_SHNDX]! >= 0;
  const [table, wordTable] = [w.args[A_ENTRIES]!, w.args[A_WORDS]!];
  const symtab = table !== 0 ? table + index * SYM_BYTES : w.window(SYMTAB, entries * SYM_BYTES + 16);
  const strtab = w.window(STRTAB, bytes + 32);
  const shndx = !wide ? 0 : table !== 0 ? wordTable + index * 4 : w.window(SHNDX, entries * 4);
  for (let unit = from; unit < to; unit++) {
    const entry = symtab + (cell(unit, 3) - index) * SYM_BYTES;
    const names = strtab + (cell(unit, 4) - text);
    const words = wide ? shndx + (cell(unit, 3) - index) * 4 : 0;
    const kind = cell(unit, 0);
    if (kind === KIND_OBJECT) w.kernels.emitLocals(cell(unit, 1), w.args[A_DISCARD]!, entry, names, cell(unit, 4), words);
    else if (kind === KIND_GLOBAL) w.kernels.emitGlobals(cell(unit, 1), cell(unit, 2), entry, names, cell(unit, 4), words);
    else {
      const bases = w.args[A_UNITS]! + (w.args[A_GLOBALS]! * UNIT_WORDS + 4) * 4;
      w.kernels.emitLocalised(w.args[A_LOCALISED]!, cell(unit, 1), cell(unit, 2), STRETCH_BITS, bases, UNIT_WORDS * 4, entry, words);
    }
  }
  const fd = w.args[A_FD]!;
  if (bytes > 0) w.write(fd, strtab, bytes, w.args[A_STRTAB]! + text);
  if (table !== 0 || entries === 0) return;
  w.write(fd, symtab, entries * SYM_BYTES, w.args[A_SYMTAB]! + index * SYM_BYTES);
  if (wide) w.write(fd, shndx, entries * 4, w.args[A_SHNDX]! + index * 4);
}

function eachUnit(w: WorkerContext, chunk: number, visit: (at: number) => void): void {
  const end = Math.min((chunk + 1) * UNITS_PER_CHUNK, w.args[A_COUNT]!);
  for (let unit = chunk * UNITS_PER_CHUNK; unit < end; unit++) visit((w.args[A_UNITS]! >>> 2) + unit * UNIT_WORDS);
}

/** The part the three sections share: units and totals. */
export class SymbolTable {
  readonly sections: { symtab: SyntheticSection; strtab: SyntheticSection; shndx: SyntheticSection };
  /** Entries, the null entry included. */
  entries = 1;
  locals = 1;
  nameBytes = 1;
  private units = 0;
  private unitCount = 0;
  private globalUnit = 0;
  private list = 0;
  private names = 0;
  private localised = 0;
  /** --got-plt-syms: the last of the locals, their first index, where their names begin. */
  private made: ReturnType<typeof entrySymbols> = [];
  private madeAt = 0;
  private madeNames = 0;

  constructor() {
    const needed = (ctx: Context) => ctx.options.strip !== "all";
    const plain = { sh_flags: 0, address: 0n, osec: 0, write: () => undefined };
    this.sections = {
      symtab: { ...plain, name: ".symtab", sh_type: SHT_SYMTAB, align: 3, sh_entsize: SYM_BYTES, isNeeded: needed, size: () => this.entries * SYM_BYTES, link: ".strtab" },
      shndx: { ...plain, name: ".symtab_shndx", sh_type: SHT_SYMTAB_SHNDX, align: 2, sh_entsize: 4, isNeeded: (ctx) => needed(ctx) && manySections(ctx), size: () => this.entries * 4, link: ".symtab" },
      strtab: { ...plain, name: ".strtab", sh_type: SHT_STRTAB, align: 0, sh_entsize: 0, isNeeded: needed, size: () => this.nameBytes },
    };
  }

  /** Counts what will be written; after create-synthetic, before layout. Again, when symbols are others. */
  async count(ctx: Context): Promise<void> {
    if (ctx.options.strip === "all") return;
    const { arena, params } = ctx;
    const globals = this.listGlobals(ctx);
    const rows = params.get("globalSyms");
    this.entries = this.locals = this.nameBytes = 1;
    // At most two for an object, and two for a stretch of globals; one that begins with those of no object; and an empty one ends the last.
    this.units ||= arena.alloc((2 * (ctx.objects.length + Math.ceil(rows / GLOBALS_PER_UNIT)) + 3) * UNIT_WORDS * 4);
    this.names ||= arena.alloc(rows * 4);
    this.localised ||= arena.alloc(rows * 4);
    params.set("symNames", this.names);
    const mark = arena.mark();
    const ends = this.groupLocalised(ctx, globals);
    this.unitCount = 0;
    const add = (kind: number, first: number, end: number): void => {
      const at = (this.units >>> 2) + this.unitCount++ * UNIT_WORDS;
      arena.u32[at] = kind;
      arena.u32[at + 1] = first;
      arena.u32[at + 2] = end;
    };
    let done = 0;
    const addLocalised = (end: number): void => {
      for (; done < end; done = Math.min(end, done + GLOBALS_PER_UNIT)) add(KIND_LOCALISED, done, Math.min(end, done + GLOBALS_PER_UNIT));
    };
    for (const o of ctx.objects) {
      add(KIND_OBJECT, o, 0);
      if (ends !== 0) addLocalised(arena.u32[(ends >>> 2) + o]!);
    }
    const objectUnits = this.unitCount;
    if (ends !== 0) addLocalised(arena.u32[ends >>> 2]!);
    this.globalUnit = this.unitCount;
    for (let i = 0; i < globals; i += GLOBALS_PER_UNIT) add(KIND_GLOBAL, i, Math.min(i + GLOBALS_PER_UNIT, globals));
    arena.release(mark);
    await this.run(ctx, () => undefined, "count-symtab", 0, 0, -1, 0, 0, 0);
    const sections = params.get("symIndex") === 0 ? null : new SectionSymbols(ctx);
    this.made = ctx.options.gotPltSymbols ? entrySymbols(ctx) : [];
    for (let unit = 0; unit < this.unitCount; unit++) {
      if (unit === objectUnits) this.endObjects(sections);
      const cell = (this.units >>> 2) + unit * UNIT_WORDS;
      const [symbols, bytes] = [arena.u32[cell + 3]!, arena.u32[cell + 4]!];
      arena.u32[cell + 3] = this.entries;
      arena.u32[cell + 4] = this.nameBytes;
      this.entries += symbols;
      this.nameBytes += bytes;
      if (arena.u32[cell] !== KIND_GLOBAL) this.locals += symbols;
      if (arena.u32[cell] === KIND_OBJECT) this.addSectionSymbols(sections, arena.u32[cell + 1]!);
    }
    // Without globals no unit follows those of the objects.
    if (objectUnits === this.unitCount) this.endObjects(sections);
    const end = (this.units >>> 2) + this.unitCount * UNIT_WORDS;
    arena.u32[end + 3] = this.entries;
    arena.u32[end + 4] = this.nameBytes;
    this.madeNames = this.nameBytes;
    if (this.made.length > 0) this.nameBytes += nameBytes(this.made);
    sections?.number();
  }

  /** Locals that belong to no object. */
  private endObjects(sections: SectionSymbols | null): void {
    this.addSectionSymbols(sections, 0);
    this.madeAt = this.entries;
    this.entries += this.made.length;
    this.locals += this.made.length;
  }

  /** Fills this.localised; returns where each object's end there (u32 per object; those of none are last and end at cell 0), 0 = there are none. */
  private groupLocalised({ arena, kernels, objects, tables }: Context, globals: number): number {
    const heads = arena.allocZeroed(tables.obj.rows * 4);
    const places = arena.alloc(globals * 4);
    const count = kernels.listLocalised(0, globals, heads, places);
    if (count === 0) return 0;
    const head = arena.u32.subarray(heads >>> 2, (heads >>> 2) + tables.obj.rows);
    let at = 0;
    for (const o of objects) {
      const mine = head[o]!;
      head[o] = at;
      at += mine;
    }
    head[0] = at;
    kernels.sortLocalised(places, count, heads, this.localised);
    return heads;
  }

  /** The globals that are written, in the order in which names are mentioned; how many. */
  private listGlobals(ctx: Context): number {
    const { arena, kernels, params, checkpoint: { room } } = ctx;
    const rows = params.get("globalSyms");
    this.list ||= arena.alloc(rows * 4);
    params.set("symList", this.list);
    let count = 0;
    inSteps(rows, (from, to) => (count = kernels.listGlobals(from, to, room.order, this.list, count)));
    return ctx.retained === null ? count : keepRetained(ctx, this.list, count);
  }

  /** Section symbols follow the locals of an object; 0: those that belong to none. */
  private addSectionSymbols(sections: SectionSymbols | null, object: number): void {
    const count = sections?.place(object, this.entries) ?? 0;
    this.entries += count;
    this.locals += count;
  }

  /** Writes all three to the output `fd` and does `work`; the null entry and the empty name are zeros that a new file has. */
  async emit(ctx: Context, fd: number, positionOf: (section: SyntheticSection) => number, work: () => void): Promise<void> {
    if (ctx.options.strip === "all") return work();
    const { symtab, strtab, shndx } = this.sections;
    const wide = manySections(ctx);
    const places = [positionOf(symtab), positionOf(strtab), wide ? positionOf(shndx) : -1] as const;
    if (ctx.params.get("symIndex") === 0 && this.made.length === 0) return this.run(ctx, work, "emit-symtab", ...places, fd, 0, 0);
    work();
    // Section symbols and those of entries stand between those of the units: entries are written when all of them are there.
    const { arena, pool, params, kernels } = ctx;
    const mark = arena.mark();
    const entries = arena.allocZeroed(this.entries * SYM_BYTES);
    const words = wide ? arena.allocZeroed(this.entries * 4) : 0;
    if (params.get("symIndex") !== 0) {
      params.set("symtabAt", entries);
      kernels.emitSectionSymbols(entries, words);
    }
    const text = arena.alloc(this.nameBytes - this.madeNames + 16);
    if (this.made.length > 0) putEntrySymbols(ctx, this.made, entries + this.madeAt * SYM_BYTES, wide ? words + this.madeAt * 4 : 0, text, this.madeNames);
    await this.run(ctx, () => undefined, "emit-symtab", ...places, fd, entries, words);
    pool.self.write(fd, entries, this.entries * SYM_BYTES, places[0]);
    if (wide) pool.self.write(fd, words, this.entries * 4, places[2]);
    if (this.made.length > 0) pool.self.write(fd, text, this.nameBytes - this.madeNames, places[1] + this.madeNames);
    arena.release(mark);
  }

  private run(ctx: Context, work: () => void, phase: string, symtab: number, strtab: number, shndx: number, fd: number, entries: number, words: number): Promise<void> {
    const chunks = Math.ceil(this.unitCount / UNITS_PER_CHUNK);
    return ctx.pool.runWhile(work, phase, chunks, this.units, this.unitCount, ctx.retained === null ? DISCARD[ctx.options.discard] : DISCARD.all, symtab, strtab, shndx, fd, entries, words, this.localised, this.globalUnit);
  }
}

/** Symbols of output sections, for relocations that are kept: how many each object brings, and their indexes (rout.sym). */
export class SectionSymbols {
  private readonly ctx: Context;
  private readonly cells: number;

  constructor(ctx: Context) {
    this.ctx = ctx;
    this.cells = ctx.arena.allocZeroed(ctx.tables.obj.rows * 4);
    ctx.kernels.countSectionSymbols(this.cells);
  }

  /** Those of `object` begin with index `first`; returns their number. */
  place(object: number, first: number): number {
    const at = (this.cells >>> 2) + object;
    const count = this.ctx.arena.u32[at]!;
    this.ctx.arena.u32[at] = first;
    return count;
  }

  number(): void {
    this.ctx.kernels.numberSectionSymbols(this.cells);
  }
}

/** Section indexes do not fit into st_shndx. */
function manySections(ctx: Context): boolean {
  return ctx.tables.osec.rows + 16 >= SHN_LORESERVE;
}
