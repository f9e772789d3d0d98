/**
 * A file that was replaced since the last link: the tables of that link are brought up to date, if they can be.
 *
 * Where only contents differ that passes copy and relocate, it is enough to know which sections those are (compare-contents kernel), and where
 * mergeable pieces differ, which (patch-pieces.ts); where sections are the same, sizes and places are changed in the rows (patch-object
 * kernel), and symbols may come and go (patch-symbols.ts). Everything else is refused, which is never wrong: then the link begins at the beginning.
 */
import {
  DIRTY_PIECES, GROUP_CELL_BYTES, NEW_KEYS, NEW_SYMBOLS, OBJF_CREL, OLD_BYTES, OLD_ESYM_BASE, OLD_FIRST_GLOBAL, OLD_KEYS, OLD_NAMES, OLD_NAMES_BYTES, OLD_SAME, OLD_SHDRS, OLD_SYMBOLS, OLD_SYMTAB,
  REFERENCE_CELL_BYTES, SYMBOL_KEY_BYTES,
} from "../../as-kernels/shared/abi.ts";
import { RELA_BYTES } from "../../as-kernels/shared/elf.ts";
import type { Context, InputFile } from "../context.ts";
import { needsOf, type ObjectNeeds } from "./kept-needs.ts";
import { recutObject } from "./patch-pieces.ts";
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
  /** Archive members: which one. Else the file is one object. */
  input?: InputFile;
  /** What is read of the file. */
  inputs: readonly InputFile[];
}

/** Worker windows. */
const MAP = 4;
const SET = 5;
const MIN_SLOTS = 16;

/** What differs: contents that are copied and relocated; pieces that end where they ended (patch-pieces.ts), too; more than that. */
export type Compared = "contents" | "pieces" | "more";

/** Notes the sections that differ in `dirty` (u8 per isec, DIRTY_*). */
export function compareFile(ctx: Context, { inputs, before, now }: Replacement, dirty: number): Compared {
  const { kernels, pool } = ctx;
  let most: Compared = "contents";
  if (before.bytes !== now.bytes) return "more";
  for (let at = kernels.firstDifference(before.address, now.address, 0, now.bytes); at < now.bytes; ) {
    const found = inputs.filter((input) => at >= input.offset && at < input.offset + input.bytes);
    const input = found[0];
    if (input === undefined || found.length > 1 || !ctx.objects.includes(input.obj)) return "more";
    const map = pool.self.window(MAP, input.bytes);
    const differs = kernels.compareContents(input.obj, before.address + input.offset, now.address + input.offset, input.bytes, map, dirty);
    if (differs > DIRTY_PIECES) return "more";
    if (differs === DIRTY_PIECES) most = "pieces";
    at = kernels.firstDifference(before.address, now.address, input.offset + input.bytes, now.bytes);
  }
  return most;
}

/** An object that is about to be replaced, and what was known of it; addresses are of memory that stays. */
export interface Attempt extends Replacement {
  input: InputFile;
  o: number;
  was: ObjectTables;
  /** Keys of its symbols (symbolKeys), and its groups (listGroups). */
  keys: number;
  groups: number;
  /** What scan-relocs has found in it; null = nobody knows. */
  needs: ObjectNeeds | null;
  /** Rows of mergeable sections with other pieces, when its rows have been brought up to date. */
  recut: readonly number[];
}

/** Looks at the object that is replaced; null = it is none of the link. */
export function beginAttempt(ctx: Context, file: Replacement): Attempt | null {
  const { arena, kernels, tables } = ctx;
  const input = file.input ?? onlyObject(file);
  if (input === null || input.bytes !== file.before.bytes || !ctx.objects.includes(input.obj)) return null;
  const o = input.obj;
  if ((tables.obj.flags[o]! & OBJF_CREL) !== 0) return null;
  const was = tablesOf(ctx, o);
  const keys = arena.alloc(was.symbols * SYMBOL_KEY_BYTES);
  kernels.symbolKeys(o, keys);
  const groups = arena.alloc(was.groups * GROUP_CELL_BYTES);
  kernels.listGroups(was.groupBase, was.groups, groups);
  return { ...file, input, o, was, keys, groups, needs: needsOf(ctx, o, file.before.address), recut: [] };
}

/** The object that the whole file is; null = it is none. */
function onlyObject({ inputs }: Replacement): InputFile | null {
  return inputs.length === 1 && inputs[0]!.offset === 0 ? inputs[0]! : null;
}

/** What kernels want to know of the old tables; `keysNow`: of the new ones. */
export function oldCells({ arena, tables: { obj } }: Context, { before, o, was, keys }: Attempt, keysNow: number, same: boolean): number {
  const old = arena.alloc(OLD_BYTES);
  const set = (cell: number, value: number): void => void (arena.u32[(old + cell) >>> 2] = value);
  set(OLD_SHDRS, before.address + was.shoff);
  set(OLD_SYMTAB, was.symtab);
  set(OLD_SYMBOLS, was.symbols);
  set(OLD_FIRST_GLOBAL, was.firstGlobal);
  set(OLD_ESYM_BASE, was.esymBase);
  set(OLD_NAMES, was.names);
  set(OLD_NAMES_BYTES, was.namesBytes);
  set(OLD_KEYS, keys);
  set(NEW_KEYS, keysNow);
  set(NEW_SYMBOLS, obj.esymCount[o]!);
  set(OLD_SAME, Number(same));
  return old;
}

/** Brings the rows of an object up to date where they are; false = refused, and they may be in any state. */
export function patchFile(ctx: Context, attempt: Attempt): boolean {
  const { arena, checkpoint: { resolved }, kernels, params, pool, tables } = ctx;
  const { before, input, now, o, was } = attempt;
  if (!readAgain(ctx, input, now.bytes) || tables.obj.e_shnum[o] !== was.sections) return false;
  const is = tablesOf(ctx, o);
  const same = is.firstGlobal === was.firstGlobal && kernels.sameSymbols(o, was.symtab, was.symbols, was.strtab, was.strtabBytes) !== 0;
  const keysNow = arena.alloc(is.symbols * SYMBOL_KEY_BYTES);
  const old = oldCells(ctx, attempt, keysNow, same);
  if (is.groups !== was.groups || is.shndxTab !== 0 || was.shndxTab !== 0 || kernels.patchSections(o, old, before.address, now.address) === 0) return false;
  const recut = recutObject(ctx, o, before, now, was.shoff);
  if (recut === null) return false;
  attempt.recut = recut;
  const changed = same ? (kernels.patchSymbols(o, old) === 0 ? null : []) : patchSymbolTable(ctx, o, was, old);
  if (changed === null) return false;
  kernels.symbolKeys(o, keysNow);
  const relas = kernels.relaBytes(o);
  const slots = Math.max(MIN_SLOTS, 2 ** (1 + Math.ceil(Math.log2(1 + (2 * (relas + before.bytes)) / RELA_BYTES))));
  const to = arena.alloc(relas + 16);
  if (kernels.patchRelocations(o, before.address, now.address, old, to, pool.self.window(SET, slots * REFERENCE_CELL_BYTES), slots) === 0) return false;
  if (resolved === null) return true;
  const list = arena.alloc(4 * changed.length);
  arena.u32.set(changed, list >>> 2);
  kernels.saveDefined(o, list, changed.length, resolved.globals, params.get("globalSyms"));
  return true;
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
  /** How many, and the first row. */
  groups: number;
  groupBase: number;
  sections: number;
}

function tablesOf({ tables: { obj } }: Context, o: number): ObjectTables {
  return {
    shoff: obj.shoff[o]!, symtab: obj.symtab[o]!, symbols: obj.esymCount[o]!, firstGlobal: obj.firstGlobal[o]!, esymBase: obj.esymBase[o]!, localBase: obj.localBase[o]!,
    strtab: obj.strtab[o]!, strtabBytes: obj.strtabBytes[o]!, names: obj.names[o]!, namesBytes: obj.namesBytes[o]!, shndxTab: obj.shndxTab[o]!, groups: obj.groupCount[o]!,
    groupBase: obj.groupBase[o]!, sections: obj.e_shnum[o]!,
  };
}

/** The object's tables anew; false = there is something to say about them, or it is for another system. */
export function readAgain({ arena, pool, tables }: Context, input: InputFile, bytes: number): boolean {
  const { obj } = tables;
  const o = input.obj;
  const osabi = obj.osabi[o];
  for (const column of [obj.e_shnum, obj.esymCount, obj.firstGlobal, obj.strtabBytes, obj.namesBytes, obj.groupCount, obj.recordCount, obj.symtab, obj.strtab, obj.shndxTab, obj.relas]) column[o] = 0;
  input.bytes = obj.bytes[o] = bytes;
  keepTables(pool.self, o, o + 1, 0, 0);
  return arena.issues === 0 && obj.osabi[o] === osabi;
}
