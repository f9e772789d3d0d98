/**
 * A link that is taken up and of which mergeable pieces differ: they are merged again. Where only contents differ beside them, what refers to
 * pieces is written again like sections with other contents.
 */
import { DIRTY_PIECES } from "../../as-kernels/shared/abi.ts";
import type { Context } from "../context.ts";
import { isDigested } from "./digest-output.ts";
import { keepEnds } from "./kept-pieces.ts";
import { copyWinners, mergeBatch } from "./merge-pieces.ts";
import type { Place, Replacement } from "./patch-objects.ts";
import { SCRATCH_BYTES } from "./split-pieces.ts";

/** A worker window. */
const SCRATCH = 4;

/** The msecs that sections are merged into. */
const msecsOf = ({ tables: { isec } }: Context, rows: readonly number[]): Set<number> => new Set(rows.map((i) => isec.msec[i]!).filter((m) => m !== 0));

/**
 * `dirty`: of compareFile; the sections that refer to pieces are added. The msecs whose bytes are others; null = more than contents would
 * be others, and all passes from merge-pieces on have to run again.
 */
export async function patchPieces(ctx: Context, files: readonly Replacement[], dirty: number): Promise<ReadonlySet<number> | null> {
  const { arena, kernels, options, pool: { self }, tables: { isec, msec, obj } } = ctx;
  const differs = arena.bytes(dirty, isec.rows);
  const rows: number[] = [];
  for (let i = differs.indexOf(DIRTY_PIECES); i >= 0; i = differs.indexOf(DIRTY_PIECES, i + 1)) rows.push(i);
  const merged = msecsOf(ctx, rows);
  const labels = Number(options.discard === "none");
  if (isDigested(ctx) || [...merged].some((m) => !isKept(ctx, m) || kernels.standsAlone(m, labels) === 0)) return null;
  const scratch = self.window(SCRATCH, SCRATCH_BYTES);
  for (const i of rows) {
    const { now } = files.find(({ source }) => source === obj.source[isec.obj[i]!])!;
    kernels.rehashPieces(i, now.address + isec.sh_offset[i]!, scratch);
  }
  for (const m of merged) {
    const size = msec.size[m]!;
    if (!(await mergeAgain(ctx, m)) || msec.size[m] !== size) return null;
    kernels.movePieces(m, dirty);
  }
  return merged;
}

/** Cuts the mergeable sections of a replaced object again (recutPieces); the rows that differ, null = not all can be. */
export function recutObject(ctx: Context, o: number, before: Place, now: Place, shoff: number): number[] | null {
  const { arena, kernels, pool: { self }, tables: { obj } } = ctx;
  const list = arena.alloc(4 * obj.isecCount[o]! + 4);
  const count = kernels.recutPieces(o, before.address, now.address, before.address + shoff, self.window(SCRATCH, SCRATCH_BYTES), list);
  if (count > obj.isecCount[o]!) return null;
  if (count > 0) kernels.bindObjectPieces(o);
  const rows = [...arena.u32.subarray(list >>> 2, (list >>> 2) + count)];
  keepEnds(ctx, rows);
  return arena.issues > 0 ? null : rows;
}

/** Merges the pieces of sections that were cut again. False: it has to be done from the beginning. */
export async function mergeRecut(ctx: Context, rows: readonly number[]): Promise<boolean> {
  for (const m of msecsOf(ctx, rows)) if (!isKept(ctx, m) || !(await mergeAgain(ctx, m))) return false;
  return true;
}

/** Are the bytes of msec `m` in memory, and nobody compares them with hashes? */
const isKept = ({ options, tables: { msec } }: Context, m: number): boolean => msec.bytes[m] !== 0 && !options.verifyHashes;

/** Merges the pieces of msec `m` where some have other hashes. False: there is no room for what comes of it. */
async function mergeAgain(ctx: Context, m: number): Promise<boolean> {
  const { kernels, tables: { msec } } = ctx;
  await mergeBatch(ctx, m, m + 1);
  if (msec.size[m]! > msec.room[m]!) return false;
  if (msec.align[m] !== 0) kernels.fillBytes(msec.bytes[m]!, 0, msec.size[m]!);
  await copyWinners(ctx, msec.memberBase[m]!, msec.memberBase[m]! + msec.memberCount[m]!);
  return true;
}
