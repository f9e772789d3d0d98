/**
 * The sections of the included objects become `isec` rows in link order, their local symbols `sym` rows.
 *
 * Relocations of allocated sections become resident here; those of debug sections are read when they are written.
 * Commons get a section each, so that gc can drop them one by one.
 */
import { ISEC_SYNTHETIC, MERGE_NONE, MERGE_OR_REFUSE, MERGE_SOME, OBJF_CREL, SPLIT_STACK } from "../../as-kernels/shared/abi.ts";
import { CHDR_BYTES, RELA_BYTES, SHT_NOBITS } from "../../as-kernels/shared/elf.ts";
import { isLld } from "../args/identity.ts";
import type { LinkOptions } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import * as messages from "../diagnostics/messages.ts";
import type { Phases, WorkerContext } from "../memory/pool.ts";
import { allocTable, recycleTable, setRows } from "../memory/table.ts";
import { wholeObject } from "./read-headers.ts";

/** Included objects a chunk takes. */
const OBJECTS_PER_CHUNK = 8;
/** Distinct file ranges of relocations read per object before ranges are widened. */
const MAX_RANGES = 512;
/** isec rows kept free for sections the linker makes (copy relocations, commons). */
const SPARE_SECTIONS = 64;

/** What crelCount says of contents that it has reported. */
const BROKEN_CREL = 0xffffffff;

const A_OBJECTS = 0; // address of u32 obj rows
const A_COUNT = 1;
const A_KEEP_MERGE = 2;

function keepsMerge(options: LinkOptions): number {
  if (!options.relocatable && (options.optimize === 0 || !options.mergeStrings)) return MERGE_NONE;
  return isLld(options) ? MERGE_OR_REFUSE : MERGE_SOME;
}

/** Phase: sections and symbols of the included objects of a chunk. */
function sectionsPhase(w: WorkerContext, chunk: number): void {
  const { obj } = w.tables;
  const end = Math.min((chunk + 1) * OBJECTS_PER_CHUNK, w.args[A_COUNT]!);
  for (let i = chunk * OBJECTS_PER_CHUNK; i < end; i++) {
    const o = w.u32[(w.args[A_OBJECTS]! >>> 2) + i]!;
    if (obj.e_shnum[o] !== 0) {
      w.kernels.fillSections(o, obj.shdrs[o]!, obj.names[o]!, obj.offset[o]!, w.args[A_KEEP_MERGE]!);
      readCompressionHeaders(w, o);
    }
    w.kernels.fillSymbols(o);
  }
}

/** Phase: their relocations. */
function relocationsPhase(w: WorkerContext, chunk: number): void {
  const { obj } = w.tables;
  const end = Math.min((chunk + 1) * OBJECTS_PER_CHUNK, w.args[A_COUNT]!);
  const list = w.args[A_OBJECTS]! >>> 2;
  for (let i = chunk * OBJECTS_PER_CHUNK; i < end; i++) {
    // Members mostly come in groups of neighbours: those can be read together.
    const o = w.u32[list + i]!;
    let together = 1;
    while (i + together < end && w.u32[list + i + together] === o + together) together++;
    if (obj.e_shnum[o] !== 0) loadRelocations(w, o, o + together);
  }
}

export const LOAD_PHASES: Phases = { "load-sections": sectionsPhase, "load-relocations": relocationsPhase };

/** gABI ch. 4, Elf64_Chdr, or what .zdebug sections begin with: size and alignment of compressed sections once they are inflated. */
function readCompressionHeaders(w: WorkerContext, o: number): void {
  const { obj, isec } = w.tables;
  const end = obj.isecBase[o]! + obj.isecCount[o]!;
  for (let row = w.kernels.nextCompressed(obj.isecBase[o]!, end); row < end; row = w.kernels.nextCompressed(row + 1, end)) {
    const at = w.window(2, CHDR_BYTES);
    w.read(obj.source[o]!, isec.sh_offset[row]!, at, Math.min(CHDR_BYTES, isec.compressed[row]! - 1));
    w.kernels.setUncompressed(row, at);
  }
}

/** Compact relocations become resident in full form, whatever section they are about. */
function unpackRelocations(w: WorkerContext, o: number): void {
  const { isec, obj } = w.tables;
  const end = obj.isecBase[o]! + obj.isecCount[o]!;
  for (let row = w.kernels.nextCrel(obj.isecBase[o]!, end); row < end; row = w.kernels.nextCrel(row + 1, end)) {
    const bytes = isec.dynRel[row]!;
    const from = w.window(3, bytes + 16);
    w.read(obj.source[o]!, isec.relaOffset[row]!, from, bytes);
    const count = w.kernels.crelCount(row, from, bytes);
    w.kernels.unpackCrel(row, from, bytes, count === BROKEN_CREL ? 0 : w.allocRegion(count * RELA_BYTES), count === BROKEN_CREL ? 0 : count);
  }
}

/** `limit`: end of the objects that can be read together with `o`. */
function loadRelocations(w: WorkerContext, o: number, limit: number): void {
  if ((w.tables.obj.flags[o]! & OBJF_CREL) !== 0) unpackRelocations(w, o);
  const ranges = w.window(2, MAX_RANGES * 16 + 16);
  const pairs = w.kernels.relaRanges(o, ranges, MAX_RANGES);
  if (pairs === 0) return;
  const { relas, relasFrom, offset } = w.tables.obj;
  if (relas[o] !== 0) {
    w.f64[ranges >>> 3] = offset[o]! + relasFrom[o]!;
    w.kernels.bindRelas(o, ranges, 1, relas[o]!);
    return;
  }
  const whole = wholeObject(w, o, limit);
  const cell = (i: number) => w.f64[(ranges >>> 3) + i]!;
  let bytes = 0;
  for (let i = 0; i < pairs; i++) bytes += cell(2 * i + 1) - cell(2 * i);
  const at = w.allocRegion(bytes);
  let to = at;
  for (let i = 0; i < pairs; i++) {
    const n = cell(2 * i + 1) - cell(2 * i);
    if (whole !== 0) w.kernels.copyMemory(to, whole + (cell(2 * i) - w.tables.obj.offset[o]!), n);
    else w.read(w.tables.obj.source[o]!, cell(2 * i), to, n);
    to += n;
  }
  w.kernels.bindRelas(o, ranges, pairs, at);
}

/** Reads `slot`, `group.won`; writes `isec`, `sym`, esym.sym of locals. */
export async function loadSections(ctx: Context): Promise<void> {
  const { tables, arena, kernels, params, options } = ctx;
  const globals = params.get("globalSyms");
  let isec = 1;
  let local = globals;
  const number = (first: number): void => {
    isec = first;
    local = globals;
    for (const o of ctx.objects) {
      isec = kernels.numberSections(o, isec, local);
      local += tables.obj.firstGlobal[o]!;
    }
  };
  number(1);
  recycleTable(arena, tables, "record");
  growSymbols(ctx, local + ctx.spareRows(local));
  Object.assign(ctx.checkpoint.room, { locals: local, localsEnd: tables.sym.rows });
  const mark = arena.mark();
  const list = arena.alloc(globals * 4);
  const found = kernels.collectCommons(1, globals, list);
  // In relocatable output they stay SHN_COMMON, as in GNU ld, unless -d says otherwise.
  const commonCount = options.relocatable && !options.defineCommon ? 0 : found;
  const commons = arena.u32.slice(list >>> 2, (list >>> 2) + commonCount);
  arena.release(mark);
  // Common symbols come before the sections of objects (lld).
  if (commonCount > 0) number(1 + commonCount);
  allocTable(arena, tables, "isec", isec + SPARE_SECTIONS + ctx.spareRows(isec));
  ctx.checkpoint.room.isecsEnd = tables.isec.rows - SPARE_SECTIONS;
  setRows(tables, "isec", isec);
  params.set("symRows", tables.sym.rows);
  ctx.localSymBase = globals;

  const count = ctx.objects.length;
  const chunks = Math.ceil(count / OBJECTS_PER_CHUNK);
  await ctx.pool.run("load-sections", chunks, ctx.objects.byteOffset, count, keepsMerge(options));
  // Only these look at section headers again (address-significance, call-graph).
  if (options.icf === "none" && params.get("callGraph") === 0) arena.reuseRegion();
  await ctx.pool.run("load-relocations", chunks, ctx.objects.byteOffset, count);
  ctx.checkIssues();
  if (options.relocatable && params.get("splitStack") === 1 && ctx.objects.some((o) => (tables.obj.splitStack[o]! & SPLIT_STACK) !== 0)) {
    ctx.diag.error(messages.splitStackRelocatable());
  }
  if (options.sortCommon !== "none") sortCommons(ctx, commons);
  placeCommons(ctx, commons);
}

/** Fills the rows that one included object has been given, and loads its relocations. Its symbols are not looked at. */
export function fillObject({ kernels, options, pool: { self }, tables: { obj } }: Context, o: number): void {
  kernels.fillSections(o, obj.shdrs[o]!, obj.names[o]!, obj.offset[o]!, keepsMerge(options));
  readCompressionHeaders(self, o);
  loadRelocations(self, o, o + 1);
}

/** Makes room for local symbols behind the globals' rows. */
function growSymbols(ctx: Context, rows: number): void {
  const { tables, arena } = ctx;
  const old = tables.sym.flags;
  const { isec, value, addr, aux, piece } = tables.sym;
  allocTable(arena, tables, "sym", rows);
  tables.sym.flags.set(old);
  for (const column of [old, isec, value, addr, aux, piece]) arena.recycle(column.byteOffset, column.byteLength);
}

/** Adds a section without file contents; returns its isec row. `name`: address of its NUL-terminated name. */
export function addSection(ctx: Context, name: number, flags: number, size: number, align: number): number {
  const { isec } = ctx.tables;
  const row = isec.rows;
  setRows(ctx.tables, "isec", row + 1);
  isec.obj[row] = 1;
  isec.name[row] = name;
  isec.sh_type[row] = SHT_NOBITS;
  isec.sh_flags[row] = flags;
  isec.size[row] = size;
  isec.align[row] = align;
  isec.kind[row] = ISEC_SYNTHETIC;
  isec.live[row] = 1;
  return row;
}

/** --sort-common: by alignment, else in their order. */
function sortCommons({ options, tables: { gsym } }: Context, commons: Uint32Array): void {
  const sign = options.sortCommon === "ascending" ? 1 : -1;
  commons.set(Array.from(commons).sort((a, b) => sign * (gsym.align[a]! - gsym.align[b]!)));
}

/** gABI ch. 4 Special Sections, SHN_COMMON: unallocated C variables get space in .bss or, large ones, in .lbss, in symbol order, each in an isec row from 1 on. */
function placeCommons(ctx: Context, commons: Uint32Array): void {
  if (commons.length === 0) return;
  const { arena, kernels } = ctx;
  const bss = arena.put("COMMON");
  const tbss = arena.put(".tbss.COMMON");
  const lbss = arena.put("LARGE_COMMON");
  const mark = arena.mark();
  const list = arena.alloc(commons.byteLength);
  arena.u32.set(commons, list >>> 2);
  kernels.placeCommons(list, commons.length, bss, tbss, lbss);
  arena.release(mark);
}
