/**
 * A file that was replaced since the last link: the tables of that link are brought up to date, if they can be.
 *
 * Where only contents differ that passes copy and relocate, it is enough to know which sections those are (compare-contents kernel);
 * where symbols and references are the same, sizes and places are changed in the rows (patch-object kernel). Everything else is refused,
 * which is never wrong: then the link begins at the beginning.
 */
import { OBJF_CREL } from "../../as-kernels/shared/abi.ts";
import { RELA_BYTES } from "../../as-kernels/shared/elf.ts";
import type { Context, InputFile } from "../context.ts";
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
/** Of the set of references (patch-object kernel). */
const CELL_BYTES = 32;
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
  const old = arena.alloc(32);
  if (!readAgain(ctx, input, before.address, now.bytes, old)) return false;
  const o = input.obj;
  const relas = kernels.relaBytes(o);
  const slots = Math.max(MIN_SLOTS, 2 ** (1 + Math.ceil(Math.log2(1 + (2 * (relas + before.bytes)) / RELA_BYTES))));
  const to = arena.alloc(relas + 16);
  return (
    kernels.patchSections(o, old, before.address, now.address) !== 0 &&
    kernels.patchSymbols(o, old) !== 0 &&
    kernels.patchRelocations(o, before.address, now.address, old, to, pool.self.window(SET, slots * CELL_BYTES), slots) !== 0
  );
}

/** The object's tables anew, of the same sizes; where the old ones are is left at `old` (u32 cells: OLD_* of the kernel). `address`: of the old file. */
function readAgain({ arena, pool, tables }: Context, input: InputFile, address: number, bytes: number, old: number): boolean {
  const { obj } = tables;
  const o = input.obj;
  const same = [obj.e_shnum, obj.esymCount, obj.firstGlobal, obj.strtabBytes, obj.namesBytes, obj.groupCount, obj.recordCount];
  const before = same.map((column) => column[o]!);
  arena.u32.set([address + obj.shoff[o]!, obj.symtab[o]!, obj.strtab[o]!, obj.names[o]!, obj.shndxTab[o]!], old >>> 2);
  for (const column of [...same, obj.symtab, obj.strtab, obj.shndxTab]) column[o] = 0;
  input.bytes = obj.bytes[o] = bytes;
  keepTables(pool.self, o, o + 1, 0);
  return arena.issues === 0 && same.every((column, i) => column[o] === before[i]);
}
