/**
 * Objects that were replaced by ones with other sections: the tables become those that a link from the beginning would have after
 * set-visibility, if the replay of resolve-symbols would take the same objects, in the same order, with the same definitions for all else
 * (patch-symbols.ts). Then all passes from split-pieces on run as in any link.
 *
 * Rows of sections are in link order, which later passes count on: the rows behind an object with more or fewer sections are moved. What else
 * passes read in row order are names, of which those that have come are last, and local symbols: isInOrder looks, once it is known which of
 * them have entries in tables that are in that order.
 */
import { OBJF_CALL_GRAPH, OBJF_CREL, OBJF_DEPENDENT_LIBRARIES, OBJF_EXEC_STACK, OBJF_HAS_STACK_NOTE } from "../../as-kernels/shared/abi.ts";
import type { Context } from "../context.ts";
import { allocTable, clearRows, shiftRows } from "../memory/table.ts";
import { forgetRecords, splitObject } from "./kept-pieces.ts";
import { fillObject } from "./load-sections.ts";
import { oldCells, readAgain, type Attempt } from "./patch-objects.ts";
import { bindNames, compareNames, listsOf, moreRows, readRecords, rowsOf, settleVisibility, takeRows } from "./patch-symbols.ts";
import { restoreResolved, saveAgain } from "./resolved-state.ts";

/** What headers of sections say of their object. */
const SAID = OBJF_HAS_STACK_NOTE | OBJF_EXEC_STACK | OBJF_CALL_GRAPH | OBJF_DEPENDENT_LIBRARIES;
/** And of the whole link. */
const SPOKEN = ["callGraph", "dependentLibraries", "splitStack", "sframes", "warningSections"] as const;

/** False = refused, and the tables may be in any state. */
export function replaceObjects(ctx: Context, attempts: readonly Attempt[]): boolean {
  const { arena, checkpoint: { resolved, room }, options } = ctx;
  if (resolved === null || room.order === 0 || options.discardSections.length > 0) return false;
  restoreResolved(ctx, resolved, attempts);
  if (!arena.inside(resolved.area, () => attempts.every((attempt) => replaceObject(ctx, attempt)))) return false;
  if (resolved.pieces === null) arena.rewind(resolved.mark, resolved.spares);
  saveAgain(ctx, resolved);
  return true;
}

/** When create-synthetic is done: is what depends on the order of names and of local symbols as it would be? */
export function isInOrder({ checkpoint: { room }, kernels, params, tables: { obj } }: Context): boolean {
  if (kernels.keepsTables(room.order, params.get("globalSyms") - 1) === 0) return false;
  for (const o of room.rows.keys()) if (kernels.anyAux(obj.localBase[o]!, obj.localBase[o]! + obj.firstGlobal[o]!) !== 0) return false;
  return true;
}

function replaceObject(ctx: Context, attempt: Attempt): boolean {
  const { arena, kernels, params, tables, tables: { obj } } = ctx;
  const { before, input, now, o, was } = attempt;
  const spoken = SPOKEN.map((name) => params.get(name));
  forgetRecords(ctx, o);
  obj.flags[o] = obj.flags[o]! & ~SAID;
  if (!readAgain(ctx, input, now.bytes) || obj.shndxTab[o] !== 0 || was.shndxTab !== 0) return false;
  if (kernels.sameNotes(before.address, now.address) === 0) return false;
  if (!takeSlots(ctx, attempt) || !takeRows(ctx, o, was)) return false;
  if (!readRecords(ctx, o) || !bindNames(ctx, o, 1) || kernels.claimAgain(o, attempt.groups, was.groups) === 0) return false;
  if (!placeSections(ctx, o)) return false;
  fillObject(ctx, o);
  kernels.takePropertyNotes(obj.isecBase[o]!, obj.isecBase[o]! + obj.isecCount[o]!, arena.alloc(4 * obj.isecCount[o]!));
  if (arena.issues > 0 || (obj.flags[o]! & OBJF_CREL) !== 0 || SPOKEN.some((name, i) => params.get(name) !== spoken[i])) return false;
  const lists = listsOf(ctx);
  const count = compareNames(ctx, o, oldCells(ctx, attempt, 0, false), lists, 1);
  if (count < 0) return false;
  kernels.fillSymbols(o);
  settleVisibility(ctx, o, [...arena.u32.subarray(lists.changed >>> 2, (lists.changed >>> 2) + count)]);
  allocTable(arena, tables, "record", 1);
  splitObject(ctx, o);
  return arena.issues === 0;
}

/** Rows for its section headers and groups, as takeRows. */
function takeSlots(ctx: Context, { o, was }: Attempt): boolean {
  const { tables: { group, obj, slot }, checkpoint: { room } } = ctx;
  const rows = rowsOf(ctx, o, was);
  group.obj.fill(0, obj.groupBase[o]!, obj.groupBase[o]! + rows.groups);
  if (obj.e_shnum[o]! > rows.slots) {
    rows.slots = moreRows(obj.e_shnum[o]!);
    obj.slotBase[o] = room.slots;
    room.slots += rows.slots;
  }
  if (obj.groupCount[o]! > rows.groups) {
    rows.groups = moreRows(obj.groupCount[o]!);
    obj.groupBase[o] = room.groups;
    room.groups += rows.groups;
  }
  if (room.slots > room.slotsEnd || room.groups > room.groupsEnd) return false;
  slot.isec.fill(0, obj.slotBase[o]!, obj.slotBase[o]! + obj.e_shnum[o]!);
  return true;
}

/** Gives its sections the rows of the old ones, and moves those behind them. */
function placeSections({ checkpoint: { resolved, room }, kernels, tables, tables: { obj, slot } }: Context, o: number): boolean {
  const [base, isecCount] = [obj.isecBase[o]!, obj.isecCount[o]!];
  const rows = tables.isec.rows;
  const count = kernels.numberSections(o, base, obj.localBase[o]!) - base;
  const delta = count - isecCount;
  if (isecCount === 0 || rows + delta > room.isecsEnd) return false;
  if (delta !== 0) {
    slot.isec.fill(0, obj.slotBase[o]!, obj.slotBase[o]! + obj.e_shnum[o]!);
    shiftRows(tables, "isec", base + isecCount, delta, kernels.copyMemory);
    kernels.moveReferences(base + isecCount, delta);
    if (resolved!.marks !== null) kernels.moveParents(resolved!.marks.parents, base + isecCount, rows, delta);
    if (resolved!.pieces !== null) kernels.moveRecords(base + isecCount, delta);
    if (delta < 0) clearRows(tables, "isec", rows + delta, rows, kernels.fillBytes);
    kernels.numberSections(o, base, obj.localBase[o]!);
  }
  clearRows(tables, "isec", base, base + count, kernels.fillBytes);
  return true;
}
