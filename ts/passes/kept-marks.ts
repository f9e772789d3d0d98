/**
 * What mark-live found in the last link, kept for one with replaced objects: who reached every live section first (kept-marks kernel).
 *
 * Sections of other objects stay live as long as it can be shown; what is new is followed. Refused, and then everything is marked: where
 * __start_X or __stop_X hold on to sections, where an old object reached into merged strings of another, and where something that only an old
 * object reached is reached by nobody who is certain to be live. Objects whose rows have been changed in place since count as replaced, too.
 */
import type { Context } from "../context.ts";
import type { KeptPieces } from "./kept-pieces.ts";
import type { Attempt } from "./patch-objects.ts";

/** Addresses: of u32 per isec row (mark-live kernel), of u8 per obj. */
export interface KeptMarks {
  parents: number;
  foreign: number;
  /** Rows of isec that there is room for. */
  most: number;
  /** Those of the last link, which they belong to; null = they are out of date. */
  pieces: KeptPieces | null;
  /** Objects with other relocations than those that were followed, and all that are others in the link that goes on. */
  touched: Set<number>;
  /** Sections that have reached those of these objects: obj rows, and their places in the object. */
  callers: Caller[];
  /** Names that they define in sections that were live. */
  reached: number[];
}

type Caller = readonly [o: number, place: number];

/** When objects that mention a replaced one's symbols are more than this part, everything is marked. */
const MOST_REFERRING = 4;

/** Room for a context; null = nothing is collected. */
export function allocMarks({ arena, checkpoint: { room }, options, tables }: Context): KeptMarks | null {
  if (!options.gcSections) return null;
  const most = room.isecsEnd + 1;
  return { parents: arena.alloc(4 * most), foreign: arena.alloc(tables.obj.rows), most, pieces: null, touched: new Set(), callers: [], reached: [] };
}

/** Before everything is marked: where parents are noted; 0 = nobody will ask. */
export function startMarks({ kernels, checkpoint: { resolved }, arena, tables }: Context): number {
  const kept = resolved?.marks ?? null;
  if (kept === null) return 0;
  const { foreign, parents } = kept;
  kept.pieces = null;
  forget(kept);
  kernels.fillBytes(parents, 0, 4 * tables.isec.rows);
  kernels.fillBytes(foreign, 0, tables.obj.rows);
  arena.u32[parents >>> 2] = foreign;
  return parents;
}

function forget(kept: KeptMarks): void {
  kept.touched.clear();
  kept.callers = [];
  kept.reached = [];
}

/** After mark-live. `exact`: all that is live is so by what a parent refers to. */
export function keepMarks({ arena, kernels, checkpoint: { resolved }, tables: { piece } }: Context, exact: boolean): void {
  const kept = resolved?.marks ?? null;
  if (kept === null) return;
  kept.pieces = exact && arena.issues === 0 ? resolved!.pieces : null;
  if (kept.pieces !== null) kernels.copyMemory(kept.pieces.live, piece.live.byteOffset, piece.rows);
}

/** Before rows of sections move. */
export function loseMarks({ arena, kernels, params, tables: { isec, obj } }: Context, kept: KeptMarks | null, attempts: readonly Attempt[]): void {
  if (kept === null) return;
  for (const { o } of attempts) kept.touched.add(o);
  if ([...kept.touched].some((o) => arena.u8[kept.foreign + o] !== 0)) kept.pieces = null;
  if (kept.pieces === null) return;
  const listed = (bytes: number, fill: (list: number) => number): number[] => {
    const mark = arena.mark();
    const list = arena.alloc(bytes);
    const rows = [...arena.u32.subarray(list >>> 2, (list >>> 2) + fill(list))];
    arena.release(mark);
    return rows;
  };
  kept.reached = [...kept.touched].flatMap((o) => listed(4 * params.get("globalSyms"), (list) => kernels.listReached(o, kept.parents, list)));
  const callers = [...kept.touched].flatMap((o) => listed(4 * obj.isecCount[o]!, (list) => kernels.loseParents(kept.parents, obj.isecBase[o]!, obj.isecBase[o]! + obj.isecCount[o]!, list)));
  kept.callers = [...new Set(callers)].map((row): Caller => [isec.obj[row]!, row - obj.isecBase[isec.obj[row]!]!]).filter(([o]) => !kept.touched.has(o));
}

/** In place of marking everything, with root symbols that are listed already; false = that has to be done, and nothing is marked. */
export function markChanged(ctx: Context, waiting: number): boolean {
  const { arena, checkpoint: { resolved }, kernels, tables } = ctx;
  const kept = resolved?.marks ?? null;
  if (kept === null || kept.pieces === null || kept.pieces !== resolved!.pieces) return false;
  const mark = arena.mark();
  const done = followChanged(ctx, kept, kept.pieces.live, waiting);
  arena.release(mark);
  if (done) {
    for (const o of kept.touched) kernels.markPieces(tables.obj.isecBase[o]!, tables.obj.isecBase[o]! + tables.obj.isecCount[o]!, 1);
    forget(kept);
    return true;
  }
  kernels.fillBytes(tables.isec.live.byteOffset, 0, tables.isec.rows);
  kernels.resetPieces();
  return false;
}

function followChanged(ctx: Context, { callers, parents, reached, touched }: KeptMarks, pieces: number, waiting: number): boolean {
  const { arena, kernels, params, tables, tables: { obj } } = ctx;
  const globals = params.get("globalSyms");
  const filled = arena.allocZeroed(obj.rows);
  const targets = arena.alloc(4 * tables.esym.rows);
  const sweep = (): number => kernels.sweepChanged(filled, targets);
  kernels.restoreLive(parents, pieces);
  for (const o of touched) kernels.markRootSections(obj.isecBase[o]!, obj.isecBase[o]! + obj.isecCount[o]!, targets);
  kernels.markRootSymbols(1, globals);
  kernels.markCies(1, tables.ehrec.rows);
  // Who is known to have referred to the replaced objects.
  let left = settle(ctx, callers.map(([o, place]): Work => () => kernels.visitRowAgain(obj.isecBase[o]! + place, o, parents, filled, targets) !== 0), sweep, waiting);
  // Who else refers to what was live of them, and to what only they had reached.
  const [names, referring] = [arena.allocZeroed(globals), arena.allocZeroed(obj.rows)];
  const list = arena.alloc(4 * reached.length);
  arena.u32.set(reached, list >>> 2);
  let wanted = kernels.nameDead(list, reached.length, names);
  for (let round = 0; round < 2; round++) {
    const orphans = kernels.nameOrphans(parents, names, referring);
    if (orphans === 0 && wanted === 0) return left.length === 0;
    kernels.findReferring(names, referring);
    const objects = [...ctx.objects].filter((o) => arena.u8[referring + o] !== 0 && !touched.has(o));
    if (round > 0 || objects.length > ctx.objects.length / MOST_REFERRING + 1) return false;
    left = settle(ctx, [...left, ...objects.map((o): Work => () => kernels.visitAgain(o, parents, filled, targets) !== 0)], sweep, waiting);
    wanted = 0;
  }
  return false;
}

type Work = () => boolean;

/** Until nothing waits, and nobody more is certain to be live; what is not. */
function settle({ arena }: Context, work: Work[], sweep: () => number, waiting: number): Work[] {
  for (let left = work; ; ) {
    do {
      arena.u32[waiting] = 0;
      sweep();
    } while (arena.u32[waiting] !== 0);
    left = left.filter((one) => one());
    if (arena.u32[waiting] === 0) return left;
  }
}
