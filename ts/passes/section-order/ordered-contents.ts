/**
 * Contents of sections in an order that was asked for, brought into memory in the order of the files.
 *
 * Windows of the output (write-output.ts) read what lies side by side in a file at once. Ordered sections lie anywhere: with a hundred thousand of
 * them, as many reads were most of the link. Runs before the output is written. Reads isec; writes isec.kept.
 */
import type { Context } from "../../context.ts";
import type { WorkerContext } from "../../memory/pool.ts";
import { eachRun } from "../section-runs.ts";

/** Entries of the list that a chunk takes. */
const CHUNK_ENTRIES = 4096;
const ENTRY_BYTES = 8;
/** Contents are read together up to this size. */
const RUN_BYTES = 1 << 20;
/** They may have this part of the memory that is left when sections are ordered. */
export const KEPT_PART = 1 / 4;

const A_LIST = 0;
const A_COUNT = 1;
const A_BASE = 2;

/** Phase: a stretch of the list. */
export function orderedContentsPhase(w: WorkerContext, chunk: number): void {
  const { kernels, u32 } = w;
  const [list, count, base] = [w.args[A_LIST]!, w.args[A_COUNT]!, w.args[A_BASE]!];
  const to = Math.min((chunk + 1) * CHUNK_ENTRIES, count);
  eachRun(
    w, chunk * CHUNK_ENTRIES, (at, cell) => kernels.nextOrderedRun(at, to, list, RUN_BYTES, cell), (at) => u32[(list + at * ENTRY_BYTES) >>> 2]!,
    (first, end, contents, start) => kernels.keepOrdered(first, end, list, base, contents, start),
  );
}

export async function keepOrdered(ctx: Context): Promise<void> {
  const { arena, params, pool, tables: { isec }, ordered: { list, count } } = ctx;
  if (count === 0) return;
  const last = (list + (count - 1) * ENTRY_BYTES) >>> 2;
  const bytes = arena.u32[last + 1]! + isec.size[arena.u32[last]!]!;
  if (bytes > arena.free / 2) return;
  params.set("keptMembers", 1);
  await pool.run("ordered-contents", Math.ceil(count / CHUNK_ENTRIES), list, count, arena.alloc(bytes));
}
