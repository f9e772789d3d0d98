/**
 * A file that was replaced since the last link: the tables of that link are brought up to date, if they can be.
 *
 * Where only contents differ that passes copy and relocate, it is enough to know which sections those are (compare-contents kernel);
 * where sections are the same, sizes and places are changed in the rows (patch-object kernel), and symbols may come and go
 * (patch-symbols.ts). Everything else is refused, which is never wrong: then the link begins at the beginning.
 */
import { OBJF_CREL } from "../../as-kernels/shared/abi.ts";
import { RELA_BYTES } from "../../as-kernels/shared/elf.ts";
import type { Context, InputFile } from "../context.ts";
import { patchSymbolTable } from "./patch-symbols.ts";
import { keepTables } from "./read-headers.ts";

/** A stretch of the machine's memory, in bytes. */
export interface Place {
  address: number;
  bytes: number;
}

/** A file, before and now. */
export interface Replacement {
  source: number;
  before: Place;
  now: Place;
}

/** Worker windows. */
const MAP = 4;
const SET = 5;
/** Of the set of references, of what symbols lead to, and of what was (patch-object and patch-symbols kernels). */
const CELL_BYTES = 32;
const KEY_BYTES = 16;
const OLD_BYTES = 64;
const MIN_SLOTS = 16;

/** Do only contents differ that are copied and relocated? Notes the sections they are of in `dirty` (u8 per isec). */
export function compareFile(ctx: Context, { source, before, now }: Replacement, dirty: number): boolean {
  const { kernels, pool } = ctx;
  if (before.bytes !== now.bytes) return false;
  for (let at = kernels.firstDifference(before.address, now.address, 0, now.bytes); at < now.bytes; ) {
    const found = ctx.inputs.filter((input) => input.source === source && at >= input.offset && at < input.offset + input.bytes);
    const input = found[0];
    if (input === undefined || found.length > 1 || !ctx.objects.includes(input.obj)) return false;
    const map = pool.self.window(MAP, input.bytes);
    if (kernels.compareContents(input.obj, before.address + input.offset, now.address + input.offset, input.bytes, map, dirty) === 0) return false;
    at = kernels.firstDifference(before.address, now.address, input.offset + input.bytes, now.bytes);
  }
  return true;
}

/** Brings the rows of the one object in a file up to date; false = refused, and the tables may be in any state. */
export function patchFile(ctx: Context, { source, before, now }: Replacement): boolean {
  const { arena, kernels, pool, tables } = ctx;
  const inputs = ctx.inputs.filter((input) => input.source === source);
  const input = inputs[0];
  if (input === undefined || inputs.length > 1 || input.offset !== 0 || input.bytes !== before.bytes || !ctx.objects.includes(input.obj)) return false;
  if ((tables.obj.flags[input.obj]! & OBJF_CREL) !== 0) return false;
  const o = input.obj;
  const was = tablesOf(ctx, o);
  const keys = arena.alloc(was.symbols * KEY_BYTES);
  kernels.symbolKeys(o, keys);
  if (!readAgain(ctx, input, now.bytes)) return false;
  const is = tablesOf(ctx, o);
  const same = is.firstGlobal === was.firstGlobal && kernels.sameSymbols(o, was.symtab, was.symbols, was.strtab, was.strtabBytes) !== 0;
  const keysNow = arena.alloc(is.symbols * KEY_BYTES);
  const old = arena.alloc(OLD_BYTES);
  const cells = [before.address + was.shoff, was.symtab, was.symbols, was.firstGlobal, was.esymBase, was.names, was.namesBytes, keys, keysNow, is.symbols, Number(same)];
  arena.u32.set(cells, old >>> 2);
  if (is.groups !== was.groups || is.shndxTab !== 0 || was.shndxTab !== 0 || kernels.patchSections(o, old, before.address, now.address) === 0) return false;
  if (same ? kernels.patchSymbols(o, old) === 0 : !patchSymbolTable(ctx, o, was, old)) return false;
  kernels.symbolKeys(o, keysNow);
  const relas = kernels.relaBytes(o);
  const slots = Math.max(MIN_SLOTS, 2 ** (1 + Math.ceil(Math.log2(1 + (2 * (relas + before.bytes)) / RELA_BYTES))));
  const to = arena.alloc(relas + 16);
  return kernels.patchRelocations(o, before.address, now.address, old, to, pool.self.window(SET, slots * CELL_BYTES), slots) !== 0;
}

/** What is known of an object's tables. */
export interface ObjectTables {
  shoff: number;
  symtab: number;
  symbols: number;
  firstGlobal: number;
  /** esym row and sym row of symbol 0. */
  esymBase: number;
  localBase: number;
  strtab: number;
  strtabBytes: number;
  names: number;
  namesBytes: number;
  shndxTab: number;
  groups: number;
}

function tablesOf({ tables: { obj } }: Context, o: number): ObjectTables {
  return {
    shoff: obj.shoff[o]!, symtab: obj.symtab[o]!, symbols: obj.esymCount[o]!, firstGlobal: obj.firstGlobal[o]!, esymBase: obj.esymBase[o]!, localBase: obj.localBase[o]!,
    strtab: obj.strtab[o]!, strtabBytes: obj.strtabBytes[o]!, names: obj.names[o]!, namesBytes: obj.namesBytes[o]!, shndxTab: obj.shndxTab[o]!, groups: obj.groupCount[o]!,
  };
}

/** The object's tables anew: as many sections, or false. */
function readAgain({ arena, pool, tables }: Context, input: InputFile, bytes: number): boolean {
  const { obj } = tables;
  const o = input.obj;
  const sections = obj.e_shnum[o]!;
  for (const column of [obj.e_shnum, obj.esymCount, obj.firstGlobal, obj.strtabBytes, obj.namesBytes, obj.groupCount, obj.recordCount, obj.symtab, obj.strtab, obj.shndxTab]) column[o] = 0;
  input.bytes = obj.bytes[o] = bytes;
  keepTables(pool.self, o, o + 1, 0, 0);
  return arena.issues === 0 && obj.e_shnum[o] === sections;
}
