/**
 * An object that was replaced by one with another symbol table: names and symbols of the last link are brought up to date, if the replay of
 * resolve-symbols would take the same objects, in the same order, with the same definitions for everything else.
 *
 * Why it would, name by name. The replay treats names apart, but for the members that references extract. Where object o
 * - defines a name that nobody else mentions (no reference, no member that offers it, no option), the definition counts and extracts nothing;
 *   where that is gone, so is the name;
 * - refers, or no longer refers, to a name that an object defines which is taken into the link before o, the reference meets a definition, and
 *   nothing happens. If that object comes later, neither does anything where no archive member and no shared object mentions the name;
 * - refers to a name of a shared object that others refer to strongly, it changes nothing, if no member offers the name.
 * References that have a type or a visibility have a say in more, and so have definitions that are exported, wanted by options, common or in
 * other COMDAT groups: all that is refused. What is left of a name is its place among the others, which is that of its first mention: places are
 * found anew (orderNames) and must be as they were for all names that have entries in other tables than .symtab. Local symbols are the
 * object's own; those with entries elsewhere stay where they are, or it is refused.
 */
import type { Context } from "../context.ts";
import { allocTable } from "../memory/table.ts";
import type { ObjectTables } from "./patch-objects.ts";
import { refreshVisibility } from "./set-visibility.ts";

/** Worker windows. */
const OUT = 2;
const NAMES = 6;
const OUT_BYTES = 16;
/** An object that has more symbols than it had will have even more. */
const GROWTH = 1.25;
/** Lists of a cell per global in the window: marks, names that come and go, their places before and now. */
const LISTS = 4;

/** `was`: the tables of before, `old`: the same as kernels have it. False = refused. The object's sections are as they were. */
export function patchSymbolTable(ctx: Context, o: number, was: ObjectTables, old: number): boolean {
  const { arena, kernels, checkpoint: { room } } = ctx;
  // Their versions, and whether they are exported, depend on lists of names; warnings and call graphs speak of names, too.
  if (ctx.versionNodes.length > 0 || ctx.dynamicList.length > 0 || ctx.params.get("warningSections") === 1 || room.namesEnd === 0) return false;
  if (kernels.anyAux(was.localBase, was.localBase + was.firstGlobal) !== 0) return false;
  const globals = ctx.params.get("globalSyms");
  const window = ctx.pool.self.window(NAMES, 4 * LISTS * globals);
  const [marks, changed, before, now] = Array.from({ length: LISTS }, (_, i) => window + 4 * i * globals) as [number, number, number, number];
  if (room.order === 0 && !startOrder(ctx, marks)) return false;
  if (!takeRows(ctx, o, was)) return false;
  const mark = arena.mark();
  if (!readRecords(ctx, o)) return false;
  room.names = kernels.bindMentions(o, ctx.names.table, ctx.names.slots, room.names, room.namesEnd);
  if (room.names === 0) return false;
  kernels.fillBytes(window, 0, 4 * LISTS * globals);
  const count = kernels.compareMentions(o, old, before, now, marks, changed) - 1;
  if (count < 0) return false;
  kernels.fillBytes(room.order, 0, 4 * globals);
  const ordered = kernels.orderNames(room.order, marks, o);
  if (kernels.settleMentions(o, changed, count, marks, now) === 0 || kernels.keepsTables(room.order, ordered) === 0) return false;
  room.moved = true;
  arena.release(mark);
  allocTable(arena, ctx.tables, "record", 1);
  return fillSymbols(ctx, o, arena.u32.subarray(changed >>> 2, (changed >>> 2) + count)) && kernels.anyNeeded(changed, count, marks) === 0;
}

/** The order of the names of a link from the beginning, if it is one that can be found again. */
function startOrder({ arena, kernels, params, checkpoint: { room } }: Context, marks: number): boolean {
  const globals = params.get("globalSyms");
  const order = arena.allocZeroed(4 * globals);
  kernels.fillBytes(marks, 0, globals);
  if (kernels.isRowOrder(order, kernels.orderNames(order, marks, 0), marks) === 0) return false;
  room.order = order;
  return true;
}

/** Rows for the symbols of object `o`: those it has, or new ones, with room for more, where they are too few. */
function takeRows({ kernels, tables: { obj }, checkpoint: { room } }: Context, o: number, was: ObjectTables): boolean {
  kernels.clearSymbols(was.localBase, was.localBase + was.firstGlobal);
  const rows = room.rows.get(o) ?? { esyms: was.symbols, locals: was.firstGlobal };
  room.rows.set(o, rows);
  const more = (count: number): number => Math.ceil(count * GROWTH);
  if (obj.esymCount[o]! > rows.esyms) {
    rows.esyms = more(obj.esymCount[o]!);
    obj.esymBase[o] = room.esyms;
    room.esyms += rows.esyms;
  }
  if (obj.firstGlobal[o]! > rows.locals) {
    rows.locals = more(obj.firstGlobal[o]!);
    obj.localBase[o] = room.locals;
    room.locals += rows.locals;
  }
  return room.esyms <= room.esymsEnd && room.locals <= room.localsEnd;
}

/** Hashes the names, and checks the symbol table as that of any object. */
function readRecords(ctx: Context, o: number): boolean {
  const { arena, kernels, pool, tables } = ctx;
  const { obj, slot } = tables;
  if (obj.groups[o] === 0 && obj.groupTo[o]! > obj.groupFrom[o]!) return false;
  allocTable(arena, tables, "record", 1 + obj.recordCount[o]!);
  obj.recordBase[o] = 1;
  slot.group.fill(0, obj.slotBase[o]!, obj.slotBase[o]! + obj.e_shnum[o]!);
  return kernels.readSymbols(o, obj.shdrs[o]!, obj.groups[o]!, obj.groupFrom[o]!, obj.names[o]!, obj.namesBytes[o]!, pool.self.window(OUT, OUT_BYTES)) === 0;
}

/** Fills the rows of the symbols that object `o` defines; `changed`: names that have come and gone. */
function fillSymbols(ctx: Context, o: number, changed: Uint32Array): boolean {
  const { arena, kernels, params, tables: { gsym, obj } } = ctx;
  const streams = params.get("streamSymbols");
  const locals = obj.localBase[o]!;
  kernels.fillSymbols(o);
  kernels.bindSymbolPieces(locals, locals + obj.firstGlobal[o]!);
  for (const id of changed) {
    if (gsym.obj[id] !== o) continue;
    kernels.bindSymbolPieces(id, id + 1);
    refreshVisibility(ctx, id);
  }
  return arena.issues === 0 && params.get("streamSymbols") === streams;
}
