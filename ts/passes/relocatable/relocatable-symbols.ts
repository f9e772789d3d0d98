/**
 * -r: the symbol table of a relocatable output (kernels of the same name): section symbols, locals by object, globals.
 *
 * Cut into units with exact slices as in synthetic/symtab.ts. It is written before relocations are, because writing it
 * leaves every symbol's index in sym.aux.
 */
import { CTL_COUNTERS } from "../../../as-kernels/shared/abi.ts";
import { RELA_BYTES, SYM_BYTES } from "../../../as-kernels/shared/elf.ts";
import type { Context } from "../../context.ts";
import type { Phases, WorkerContext } from "../../memory/pool.ts";
import { DISCARD, SectionSymbols } from "../../synthetic/symtab.ts";
import { uniqueNames } from "../unique-names.ts";

/** Globals a unit takes. */
const GLOBALS_PER_UNIT = 1 << 14;
const UNITS_PER_CHUNK = 32;
/** isec rows a chunk takes when used symbols are marked. */
const SECTIONS_PER_CHUNK = 4096;

/** u32 cells of a unit: object or 0, first and end global, then symbols and name bytes (later first index and first offset). */
const UNIT_WORDS = 5;

const A_UNITS = 0;
const A_COUNT = 1;
const A_DISCARD = 2;
const A_ONLY_USED = 3;
const A_SYMTAB = 4;
const A_STRTAB = 5;
const A_SHNDX = 6;

function eachUnit(w: WorkerContext, chunk: number, visit: (at: number) => void): void {
  const end = Math.min((chunk + 1) * UNITS_PER_CHUNK, w.args[A_COUNT]!);
  for (let unit = chunk * UNITS_PER_CHUNK; unit < end; unit++) visit((w.args[A_UNITS]! >>> 2) + unit * UNIT_WORDS);
}

function countPhase(w: WorkerContext, chunk: number): void {
  const bytes = w.window(0, 16);
  eachUnit(w, chunk, (at) => {
    const [object, first, end] = [w.u32[at]!, w.u32[at + 1]!, w.u32[at + 2]!];
    w.f64[bytes >>> 3] = 0;
    w.u32[at + 3] = object !== 0
      ? w.kernels.countRelocatableLocals(object, w.args[A_DISCARD]!, bytes)
      : w.kernels.countRelocatableGlobals(first, end, w.args[A_ONLY_USED]!, bytes);
    w.u32[at + 4] = w.f64[bytes >>> 3]!;
  });
}

function emitPhase(w: WorkerContext, chunk: number): void {
  eachUnit(w, chunk, (at) => {
    const [object, first, end, index, text] = [w.u32[at]!, w.u32[at + 1]!, w.u32[at + 2]!, w.u32[at + 3]!, w.u32[at + 4]!];
    const entry = w.args[A_SYMTAB]! + index * SYM_BYTES;
    const names = w.args[A_STRTAB]! + text;
    const shndx = w.args[A_SHNDX] === 0 ? 0 : w.args[A_SHNDX]! + index * 4;
    const written = object !== 0
      ? w.kernels.emitRelocatableLocals(object, w.args[A_DISCARD]!, entry, index, names, text, shndx)
      : w.kernels.emitRelocatableGlobals(first, end, w.args[A_ONLY_USED]!, entry, index, names, text, shndx);
    // Every symbol has at least one byte of name, so this tells a wrong count as well.
    if (text + written !== w.u32[at + UNIT_WORDS + 4]!) throw new Error(`symbols: ${written} bytes of names instead of ${w.u32[at + UNIT_WORDS + 4]! - text}`);
  });
}

/** Argument: first sym row to mark. Relocations of sections that are not loaded are read for this, one section at a time. */
function markUsedPhase(w: WorkerContext, chunk: number): void {
  const first = w.args[0]!;
  const { isec, obj } = w.tables;
  const from = 1 + chunk * SECTIONS_PER_CHUNK;
  const to = Math.min(from + SECTIONS_PER_CHUNK, isec.rows);
  for (let row = w.kernels.markUsedResident(from, to, first); row < to; row = w.kernels.markUsedResident(row + 1, to, first)) {
    const count = isec.relaCount[row]!;
    const at = w.window(1, count * RELA_BYTES + 16);
    w.read(obj.source[isec.obj[row]!]!, isec.relaOffset[row]!, at, count * RELA_BYTES);
    w.kernels.markUsed(row, at, count, first);
  }
}

export const RELOCATABLE_SYMBOL_PHASES: Phases = {
  "count-relocatable-symbols": countPhase, "emit-relocatable-symbols": emitPhase, "mark-used": markUsedPhase,
};

/** Where the finished tables are in memory; `shndx` 0 = there is none. */
export interface SymbolBytes {
  symtab: number;
  strtab: number;
  shndx: number;
}

/** Sets SYM_REF_LIVE of the symbols from row `first` on that relocations of the output's sections name. */
export async function markUsed(ctx: Context, first: number): Promise<void> {
  await ctx.pool.run("mark-used", Math.ceil((ctx.tables.isec.rows - 1) / SECTIONS_PER_CHUNK), first);
}

export class RelocatableSymbols {
  /** Entries, the null entry included. */
  entries = 0;
  locals = 0;
  nameBytes = 1;
  private units = 0;
  private unitCount = 0;

  /** Which symbols there will be. After bind-sections; writes SYM_REF_LIVE where the options make it matter. */
  async count(ctx: Context): Promise<void> {
    const { arena, params } = ctx;
    const globals = params.get("globalSyms");
    if (discardOf(ctx) !== DISCARD.none) await markUsed(ctx, 0);
    ctx.kernels.typeReferences(ctx.objects.byteOffset, 0, ctx.objects.length);
    const stretches = Math.ceil(globals / GLOBALS_PER_UNIT);
    this.unitCount = ctx.objects.length + stretches;
    this.units = arena.allocZeroed((this.unitCount + 1) * UNIT_WORDS * 4);
    ctx.objects.forEach((object, i) => (arena.u32[(this.units >>> 2) + i * UNIT_WORDS] = object));
    for (let i = 0; i < stretches; i++) {
      const at = (this.units >>> 2) + (ctx.objects.length + i) * UNIT_WORDS;
      arena.u32[at + 1] = Math.max(1, i * GLOBALS_PER_UNIT);
      arena.u32[at + 2] = Math.min((i + 1) * GLOBALS_PER_UNIT, globals);
    }
    if (ctx.options.z.uniqueSymbol) uniqueNames(ctx);
    await this.run(ctx, "count-relocatable-symbols", 0, 0, 0);
    const sections = new SectionSymbols(ctx);
    this.entries = 1;
    const addSections = (object: number): void => void (this.entries += sections.place(object, this.entries));
    for (let unit = 0; unit < this.unitCount; unit++) {
      if (unit === ctx.objects.length) addSections(0);
      if (unit === ctx.objects.length) this.locals = this.entries;
      const cell = (this.units >>> 2) + unit * UNIT_WORDS;
      const [symbols, bytes] = [arena.u32[cell + 3]!, arena.u32[cell + 4]!];
      arena.u32[cell + 3] = this.entries;
      arena.u32[cell + 4] = this.nameBytes;
      this.entries += symbols;
      this.nameBytes += bytes;
      if (unit < ctx.objects.length) addSections(arena.u32[cell]!);
    }
    arena.u32[(this.units >>> 2) + this.unitCount * UNIT_WORDS + 4] = this.nameBytes;
    if (stretches === 0) {
      addSections(0);
      this.locals = this.entries;
    }
    sections.number();
  }

  /** Fills the tables; `wide`: section indexes do not fit into st_shndx. True in `gnuAbi`: a symbol needs the GNU OS/ABI. */
  async emit(ctx: Context, wide: boolean): Promise<SymbolBytes & { gnuAbi: boolean }> {
    const { arena } = ctx;
    const symtab = arena.alloc(this.entries * SYM_BYTES);
    const strtab = arena.alloc(this.nameBytes + 16);
    const shndx = wide ? arena.allocZeroed(this.entries * 4) : 0;
    arena.u8[strtab] = 0;
    arena.u32[CTL_COUNTERS >>> 2] = 0;
    ctx.params.set("symIndex", ctx.tables.sym.aux.byteOffset);
    ctx.kernels.emitSectionSymbols(symtab, shndx);
    await this.run(ctx, "emit-relocatable-symbols", symtab, strtab, shndx);
    return { symtab, strtab, shndx, gnuAbi: arena.u32[CTL_COUNTERS >>> 2] !== 0 };
  }

  private run(ctx: Context, phase: string, symtab: number, strtab: number, shndx: number): Promise<void> {
    const onlyUsed = ctx.options.gcSections ? 1 : 0;
    const chunks = Math.ceil(this.unitCount / UNITS_PER_CHUNK);
    return ctx.pool.run(phase, chunks, this.units, this.unitCount, discardOf(ctx), onlyUsed, symtab, strtab, shndx);
  }
}

/** -s leaves what relocations and other files need. */
function discardOf(ctx: Context): number {
  return ctx.options.strip === "all" ? DISCARD.all : DISCARD[ctx.options.discard];
}
