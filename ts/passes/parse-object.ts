/**
 * Reads the symbol tables of all inputs into memory and turns every mention of a global name into a hashed record.
 *
 * Two phases, because rows have to be numbered in input order: `parse-object` finds and loads the tables of each object,
 * a prefix sum gives every object its rows, `read-symbols` fills them.
 */
import { OBJ_INTERNAL, REC_UNUSED, OBJ_RELOCATABLE, OBJ_SHARED, ERR_TRUNCATED } from "../../as-kernels/shared/abi.ts";
import { SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { allocTable } from "../memory/table.ts";
import { ReadFailed, type WorkerContext } from "../memory/pool.ts";
import { broken, readHeaders } from "./read-headers.ts";

/** Objects a chunk takes. */
const OBJECTS_PER_CHUNK = 8;
/** String tables this close behind their symbol table come with the same read. */
const NEAR_BYTES = 64;

// Cells of scanHeaders' result (as-kernels/passes/parse-object.ts OUT_*)
const OUT_SYMTAB = 1;
const OUT_GROUPS = 2;
const OUT_FIRST_GLOBAL = 3;
const OUT_SYMTAB_OFFSET = 2; // f64 cells
const OUT_STRTAB_OFFSET = 4;
const OUT_SHNDX_OFFSET = 6;
const OUT_GROUP_FROM = 8;
const OUT_NAMES_OFFSET = 10;
const OUT_LOCAL_SIGNATURES = 12;
const OUT_ERROR_VALUE = 26; // u32 cell

/** Bytes [from, from + size) of the object in memory that stays, with 16 zero bytes behind them. `whole`: Headers.whole. */
function keep(w: WorkerContext, o: number, whole: number, from: number, size: number): number {
  const address = w.alloc(size + 16);
  if (whole !== 0) w.kernels.copyMemory!(address, whole + from, size);
  else w.read(w.tables.obj.source[o]!, w.tables.obj.offset[o]! + from, address, size);
  w.kernels.fillBytes!(address + size, 0, 16);
  return address;
}

/** Phase: loads symbol table, string tables and counts of the objects of a chunk. */
export function parseObjectPhase(w: WorkerContext, chunk: number): void {
  const first = 1 + chunk * OBJECTS_PER_CHUNK;
  const end = Math.min(first + OBJECTS_PER_CHUNK, w.tables.obj.rows);
  for (let o = first; o < end; o++) {
    if (w.tables.obj.kind[o] !== OBJ_RELOCATABLE) continue;
    try {
      loadTables(w, o, end);
    } catch (error) {
      if (!(error instanceof ReadFailed)) throw error;
      broken(w, o, 0, ERR_TRUNCATED);
    }
  }
}

function loadTables(w: WorkerContext, o: number, limit: number): void {
  const headers = readHeaders(w, o, limit);
  if (headers === null) return;
  const { obj } = w.tables;
  const out = w.window(2, 4096);
  const error = w.kernels.scanHeaders!(headers.shdrs, headers.count, headers.shstrndx, obj.bytes[o]!, out);
  if (error !== 0) {
    w.kernels.reportObject!(o, w.u32[out >>> 2]!, error, w.u32[(out >>> 2) + OUT_ERROR_VALUE]!);
    return;
  }
  const word = (i: number) => w.u32[(out >>> 2) + i]!;
  const cell = (i: number) => w.f64[(out >>> 3) + i]!;
  obj.e_shnum[o] = headers.count;
  obj.groupCount[o] = word(OUT_GROUPS);
  const namesOffset = cell(OUT_NAMES_OFFSET);
  const namesBytes = cell(OUT_NAMES_OFFSET + 1);
  if (word(OUT_SYMTAB) !== 0) {
    const [symtab, symBytes] = [cell(OUT_SYMTAB_OFFSET), cell(OUT_SYMTAB_OFFSET + 1)];
    const [strtab, strtabBytes] = [cell(OUT_STRTAB_OFFSET), cell(OUT_STRTAB_OFFSET + 1)];
    const joined = strtab >= symtab + symBytes && strtab <= symtab + symBytes + NEAR_BYTES;
    obj.esymCount[o] = symBytes / SYM_BYTES;
    obj.firstGlobal[o] = word(OUT_FIRST_GLOBAL);
    obj.symtab[o] = keep(w, o, headers.whole, symtab, joined ? strtab + strtabBytes - symtab : symBytes);
    obj.strtab[o] = joined ? obj.symtab[o]! + (strtab - symtab) : keep(w, o, headers.whole, strtab, strtabBytes);
    obj.strtabBytes[o] = strtabBytes;
    if (cell(OUT_SHNDX_OFFSET + 1) !== 0) obj.shndxTab[o] = keep(w, o, headers.whole, cell(OUT_SHNDX_OFFSET), cell(OUT_SHNDX_OFFSET + 1));
  }
  if (namesOffset === cell(OUT_STRTAB_OFFSET) && word(OUT_SYMTAB) !== 0) obj.names[o] = obj.strtab[o]!;
  else obj.names[o] = keep(w, o, headers.whole, namesOffset, namesBytes);
  obj.namesBytes[o] = namesBytes;
  const linkonce = w.kernels.countLinkonce!(headers.shdrs, headers.count, obj.names[o]!, namesBytes);
  obj.groupCount[o] = word(OUT_GROUPS) + linkonce;
  obj.groupFrom[o] = cell(OUT_GROUP_FROM);
  obj.groupTo[o] = cell(OUT_GROUP_FROM + 1);
  obj.recordCount[o] = obj.esymCount[o]! - obj.firstGlobal[o]! + cell(OUT_LOCAL_SIGNATURES) + linkonce;
}

/** Phase: hashes names, fills slots and groups of the objects of a chunk. */
export function readSymbolsPhase(w: WorkerContext, chunk: number): void {
  const first = 1 + chunk * OBJECTS_PER_CHUNK;
  const { obj } = w.tables;
  const end = Math.min(first + OBJECTS_PER_CHUNK, obj.rows);
  const out = w.window(2, 4096);
  for (let o = first; o < end; o++) {
    let error = 0;
    if (obj.kind[o] === OBJ_SHARED) error = w.kernels.readShared!(o, out);
    else if (obj.kind[o] === OBJ_INTERNAL) error = w.kernels.readSymbols!(o, 0, 0, 0, 0, 0, out);
    else error = readObject(w, o, end, out);
    if (error === 0) continue;
    broken(w, o, w.u32[out >>> 2]!, error);
    forget(w, o);
  }
}

/** What a broken object was found to mention counts for nothing: a member that nobody wants must not stop the link, nor be extracted. */
function forget(w: WorkerContext, o: number): void {
  const { obj, record } = w.tables;
  const end = obj.recordBase[o]! + obj.recordCount[o]!;
  for (let row = obj.recordBase[o]!; row < end; row++) record.flags[row] = REC_UNUSED;
}

function readObject(w: WorkerContext, o: number, limit: number, out: number): number {
  const { obj } = w.tables;
  const headers = readHeaders(w, o, limit);
  if (headers === null) return 0;
  const from = obj.groupFrom[o]!;
  const bytes = obj.groupTo[o]! - from;
  let groups = headers.whole + from;
  if (bytes > 0 && headers.whole === 0) {
    groups = w.window(3, bytes);
    w.read(obj.source[o]!, obj.offset[o]! + from, groups, bytes);
  }
  return w.kernels.readSymbols!(o, headers.shdrs, groups, from, obj.names[o]!, obj.namesBytes[o]!, out);
}

/** Loads and parses all inputs. Reads `obj`; writes `slot`, `group`, `record`, `esym` rows. */
export async function parseObject(ctx: Context): Promise<void> {
  const { tables, pool } = ctx;
  const chunks = Math.ceil((tables.obj.rows - 1) / OBJECTS_PER_CHUNK);
  await pool.run("parse-object", chunks);
  ctx.checkIssues();
  numberRows(ctx);
  await pool.run("read-symbols", chunks);
  ctx.checkIssues();
}

/** Prefix sums over objects: the first row of each object in every per-object table. */
function numberRows(ctx: Context): void {
  const { tables, arena } = ctx;
  const { obj } = tables;
  let slot = 1;
  let esym = 1;
  let group = 1;
  let record = 1;
  for (let o = 1; o < obj.rows; o++) {
    obj.slotBase[o] = slot;
    obj.esymBase[o] = esym;
    obj.groupBase[o] = group;
    if (obj.kind[o] === OBJ_SHARED) obj.recordCount[o] = 2 * (obj.esymCount[o]! - obj.firstGlobal[o]!);
    slot += obj.e_shnum[o]!;
    esym += obj.esymCount[o]!;
    group += obj.groupCount[o]!;
  }
  // Names are numbered, and symbols written, by first mention: what the linker itself mentions (object 1) comes last, as in lld.
  for (let i = 1; i < obj.rows; i++) {
    const o = i + 1 < obj.rows ? i + 1 : 1;
    obj.recordBase[o] = record;
    record += obj.recordCount[o]!;
  }
  allocTable(arena, tables, "slot", slot);
  allocTable(arena, tables, "esym", esym);
  allocTable(arena, tables, "group", group);
  allocTable(arena, tables, "record", record);
}
