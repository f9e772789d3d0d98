/**
 * A link that is taken up and of which only contents and mergeable pieces differ: the pieces are merged again, and what refers to them
 * has to be written again like sections with other contents.
 */
import { DIRTY_PIECES } from "../../as-kernels/shared/abi.ts";
import type { Context } from "../context.ts";
import { isDigested } from "./digest-output.ts";
import { copyWinners, mergeBatch } from "./merge-pieces.ts";
import type { Replacement } from "./patch-objects.ts";

/** What hashing long strings needs. */
const SCRATCH_BYTES = 64;
/** A worker window. */
const SCRATCH = 4;

/**
 * `dirty`: of compareFile; the sections that refer to pieces are added. The msecs whose bytes are others; null = more than contents would
 * be others, and all passes from merge-pieces on have to run again.
 */
export async function patchPieces(ctx: Context, files: readonly Replacement[], dirty: number): Promise<ReadonlySet<number> | null> {
  const { arena, kernels, options, pool: { self }, tables: { isec, msec, obj } } = ctx;
  const differs = arena.bytes(dirty, isec.rows);
  const rows: number[] = [];
  for (let i = differs.indexOf(DIRTY_PIECES); i >= 0; i = differs.indexOf(DIRTY_PIECES, i + 1)) rows.push(i);
  const merged = new Set(rows.map((i) => isec.msec[i]!).filter((m) => m !== 0));
  const labels = Number(options.discard === "none");
  if (options.verifyHashes || isDigested(ctx) || [...merged].some((m) => msec.bytes[m] === 0 || kernels.standsAlone(m, labels) === 0)) return null;
  const scratch = self.window(SCRATCH, SCRATCH_BYTES);
  for (const i of rows) {
    const { now } = files.find(({ source }) => source === obj.source[isec.obj[i]!])!;
    kernels.rehashPieces(i, now.address + isec.sh_offset[i]!, scratch);
  }
  for (const m of merged) {
    if (!(await mergeAgain(ctx, m))) return null;
    kernels.movePieces(m, dirty);
  }
  return merged;
}

/** Merges pieces of msec `m` that have other hashes. False: the result has another size, and its bytes are not made. */
async function mergeAgain(ctx: Context, m: number): Promise<boolean> {
  const { kernels, tables: { msec } } = ctx;
  const size = msec.size[m]!;
  await mergeBatch(ctx, m, m + 1);
  if (msec.size[m] !== size) return false;
  if (msec.align[m] !== 0) kernels.fillBytes(msec.bytes[m]!, 0, size);
  await copyWinners(ctx, msec.memberBase[m]!, msec.memberBase[m]! + msec.memberCount[m]!);
  return true;
}
