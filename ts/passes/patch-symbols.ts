/**
 * An object that was replaced by one with another symbol table: names and symbols of the last link are brought up to date, if the replay of
 * resolve-symbols would take the same objects, in the same order, with the same definitions for everything else.
 *
 * Why it would, name by name. The replay treats names apart, but for the members that references extract. Where object o
 * - defines a name that nobody else mentions (no reference, no member that offers it, no option), the definition counts and extracts nothing;
 *   where that is gone, so is the name;
 * - refers, or no longer refers, to a name that an object defines which is taken into the link before o, the reference meets a definition, and
 *   nothing happens. If that object comes later, neither does anything where no archive member and no shared object mentions the name;
 * - refers, or no longer refers, to a name of a shared object that others refer to strongly, it changes nothing, if no member offers the name; nor does it for
 *   what the linker defines itself (_GLOBAL_OFFSET_TABLE_) where another object refers to it strongly.
 * References that have a type or a visibility have a say in more, and so have definitions that are exported, wanted by options, common or in
 * other COMDAT groups: all that is refused. What is left of a name is its place among the others, which is that of its first mention: places are
 * found anew (orderNames) and must be as they were for all names that have entries in other tables than .symtab. Local symbols are the
 * object's own; those with entries elsewhere stay where they are, or it is refused.
 */
import type { Context, ObjectRows } from "../context.ts";
import { allocTable } from "../memory/table.ts";
import type { ObjectTables } from "./patch-objects.ts";
import { refreshVisibility } from "./set-visibility.ts";

/** Worker windows. */
const OUT = 2;
const NAMES = 6;
const OUT_BYTES = 16;
/** By how much. */
const GROWTH = 1.25;
/** Lists of a cell per global in the window: marks, names that come and go, their places before and now. */
const LISTS = 4;

/** `was`: the tables of before, `old`: the same as kernels have it. Names that have come or gone; null = refused. The object's sections are as they were. */
export function patchSymbolTable(ctx: Context, o: number, was: ObjectTables, old: number): number[] | null {
  const { arena, kernels, checkpoint: { room } } = ctx;
  if (room.order === 0 || kernels.anyAux(was.localBase, was.localBase + was.firstGlobal) !== 0 || !takeRows(ctx, o, was)) return null;
  const lists = listsOf(ctx);
  const mark = arena.mark();
  if (!readRecords(ctx, o) || !bindNames(ctx, o, 0)) return null;
  const count = compareNames(ctx, o, old, lists, 0);
  if (count < 0 || kernels.keepsTables(room.order, lists.ordered) === 0) return null;
  arena.release(mark);
  allocTable(arena, ctx.tables, "record", 1);
  const changed = [...arena.u32.subarray(lists.changed >>> 2, (lists.changed >>> 2) + count)];
  const { streamSymbols, locals } = { streamSymbols: ctx.params.get("streamSymbols"), locals: ctx.tables.obj.localBase[o]! };
  kernels.fillSymbols(o);
  kernels.bindSymbolPieces(locals, locals + ctx.tables.obj.firstGlobal[o]!);
  for (const id of changed) if (ctx.tables.gsym.obj[id] === o) kernels.bindSymbolPieces(id, id + 1);
  settleVisibility(ctx, o, changed);
  return arena.issues === 0 && ctx.params.get("streamSymbols") === streamSymbols && kernels.anyNeeded(lists.changed, count, lists.marks) === 0 ? changed : null;
}

/** Lists of a cell per global: what comes and goes, the places of names in the object's symbol table before and now. */
export interface NameLists {
  marks: number;
  changed: number;
  before: number;
  now: number;
  /** Names in the order of their first mention: how many. */
  ordered: number;
}

export function listsOf({ params, pool }: Context): NameLists {
  const globals = params.get("globalSyms");
  const window = pool.self.window(NAMES, 4 * LISTS * globals);
  const [marks, changed, before, now] = Array.from({ length: LISTS }, (_, i) => window + 4 * i * globals) as [number, number, number, number];
  return { marks, changed, before, now, ordered: 0 };
}

/** Before anything is changed: finds the order of the names of a link from the beginning, if it is one that can be found again. */
export function startOrder(ctx: Context): void {
  const { arena, kernels, params, checkpoint: { room } } = ctx;
  // Their versions, and whether they are exported, depend on lists of names; warnings and call graphs speak of names, too.
  if (room.order !== 0 || ctx.versionNodes.length > 0 || ctx.dynamicList.length > 0 || params.get("warningSections") === 1 || room.namesEnd === 0) return;
  const globals = params.get("globalSyms");
  const order = arena.allocZeroed(4 * globals);
  const { marks } = listsOf(ctx);
  kernels.fillBytes(marks, 0, globals);
  if (kernels.isRowOrder(order, kernels.orderNames(order, marks, 0), marks) !== 0) room.order = order;
}

/** The names that object `o` mentions get rows; `free`: its sections are others. False = refused. */
export function bindNames({ kernels, names, checkpoint: { room } }: Context, o: number, free: number): boolean {
  const end = kernels.bindMentions(o, names.table, names.slots, room.names, room.namesEnd, free);
  if (end !== 0) room.names = end;
  return end !== 0;
}

/** Names that have come or gone (lists.changed): how many, or -1 = refused. Their definitions appear and disappear. */
export function compareNames({ kernels, params, checkpoint: { room } }: Context, o: number, old: number, lists: NameLists, free: number): number {
  const globals = params.get("globalSyms");
  const { marks, changed, before, now } = lists;
  kernels.fillBytes(marks, 0, 4 * LISTS * globals);
  const count = kernels.compareMentions(o, old, before, now, marks, changed, free) - 1;
  if (count < 0) return -1;
  // Where the object mentions the same names at the same places, the order is the one that is there.
  if (count === 0 && kernels.firstDifference(before, now, 0, 4 * globals) === 4 * globals) lists.ordered = globals - 1;
  else {
    kernels.fillBytes(room.order, 0, 4 * globals);
    lists.ordered = kernels.orderNames(room.order, marks, o);
  }
  room.moved = true;
  return kernels.settleMentions(o, changed, count, marks, now) === 0 ? -1 : count;
}

/** What object `o` may use of the tables that have room. */
export function rowsOf({ checkpoint: { room } }: Context, o: number, was: ObjectTables): ObjectRows {
  const rows = room.rows.get(o) ?? { esyms: was.symbols, locals: was.firstGlobal, slots: was.sections, groups: was.groups };
  room.rows.set(o, rows);
  return rows;
}

/** An object that has more rows than it had will have even more. */
export const moreRows = (count: number): number => Math.ceil(count * GROWTH);

/** Rows for the symbols of object `o`: those it has, or new ones, with room for more, where they are too few. */
export function takeRows(ctx: Context, o: number, was: ObjectTables): boolean {
  const { kernels, tables: { obj }, checkpoint: { room } } = ctx;
  kernels.clearSymbols(was.localBase, was.localBase + was.firstGlobal);
  const rows = rowsOf(ctx, o, was);
  if (obj.esymCount[o]! > rows.esyms) {
    rows.esyms = moreRows(obj.esymCount[o]!);
    obj.esymBase[o] = room.esyms;
    room.esyms += rows.esyms;
  }
  if (obj.firstGlobal[o]! > rows.locals) {
    rows.locals = moreRows(obj.firstGlobal[o]!);
    obj.localBase[o] = room.locals;
    room.locals += rows.locals;
  }
  return room.esyms <= room.esymsEnd && room.locals <= room.localsEnd;
}

/** Hashes the names, and checks the symbol table as that of any object. */
export function readRecords(ctx: Context, o: number): boolean {
  const { arena, kernels, pool, tables } = ctx;
  const { obj, slot } = tables;
  if (obj.groups[o] === 0 && obj.groupTo[o]! > obj.groupFrom[o]!) return false;
  allocTable(arena, tables, "record", 1 + obj.recordCount[o]!);
  obj.recordBase[o] = 1;
  slot.group.fill(0, obj.slotBase[o]!, obj.slotBase[o]! + obj.e_shnum[o]!);
  return kernels.readSymbols(o, obj.shdrs[o]!, obj.groups[o]!, obj.groupFrom[o]!, obj.names[o]!, obj.namesBytes[o]!, pool.self.window(OUT, OUT_BYTES)) === 0;
}

/** Decides about those of the names that have come or gone that object `o` defines. */
export function settleVisibility(ctx: Context, o: number, changed: readonly number[]): void {
  for (const id of changed) if (ctx.tables.gsym.obj[id] === o) refreshVisibility(ctx, id);
}
