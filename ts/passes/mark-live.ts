/**
 * --gc-sections: which input sections are part of the output (engine: breadth first, parallel over the queue).
 *
 * Roots and edges are lld's; the kernel follows them, this file names the roots that options and linker-made symbols give.
 * Reads isec, sym, relocations; writes isec.live, piece.live.
 */
import { CTL_COUNTERS, SYM_DEFINED, SYM_KIND_MASK } from "../../as-kernels/shared/abi.ts";
import type { Context } from "../context.ts";
import type { WorkerContext } from "../memory/pool.ts";

/** Queue entries a chunk takes. */
const ENTRIES_PER_CHUNK = 256;
/** Queues shorter than this are followed without waking workers. */
const PARALLEL_ENTRIES = 1024;

const A_FROM = 0;
const A_TO = 1;

/** Phase: follows a stretch of the queue. */
export function markQueuePhase(w: WorkerContext, chunk: number): void {
  const from = w.args[A_FROM]! + chunk * ENTRIES_PER_CHUNK;
  w.kernels.markQueue!(from, Math.min(from + ENTRIES_PER_CHUNK, w.args[A_TO]!));
}

export async function markLive(ctx: Context): Promise<void> {
  const { kernels, tables, params, arena } = ctx;
  const rows = tables.isec.rows;
  if (!ctx.options.gcSections) {
    kernels.markAll!(1, rows);
    kernels.markPieces!(1, rows, 0);
    return;
  }
  const mark = arena.mark();
  const queue = arena.alloc(rows * 4);
  const counter = CTL_COUNTERS >>> 2;
  arena.u32[counter] = 0;
  retainStartStop(ctx);
  kernels.markRootSections!(1, rows, queue);
  kernels.markRootSymbols!(1, params.get("globalSyms"));
  kernels.markCies!(1, tables.ehrec.rows);
  let from = 0;
  for (let to = arena.u32[counter]!; from < to; from = to, to = arena.u32[counter]!) {
    if (to - from < PARALLEL_ENTRIES) kernels.markQueue!(from, to);
    else await ctx.pool.run("mark-live", Math.ceil((to - from) / ENTRIES_PER_CHUNK), from, to);
    from = to;
  }
  arena.release(mark);
  kernels.markPieces!(1, rows, 1);
}

/**
 * __start_X and __stop_X (X a C identifier) hold on to all sections X: always for glibc's own sets, for others under
 * -z nostart-stop-gc. Sets gsym.startStop of those symbols.
 */
function retainStartStop(ctx: Context): void {
  const { kernels, tables, arena, options } = ctx;
  const list = arena.alloc(tables.isec.rows * 4);
  const count = kernels.collectIdentifiers!(1, tables.isec.rows, list);
  const byName = new Map<string, number[]>();
  for (let i = 0; i < count; i++) {
    const row = arena.u32[(list >>> 2) + i]!;
    const name = arena.cstring(tables.isec.name[row]!);
    if (options.startStopGc && !name.startsWith("__libc_")) continue;
    const rows = byName.get(name);
    if (rows === undefined) byName.set(name, [row]);
    else rows.push(row);
  }
  for (const [name, rows] of byName) {
    for (const symbol of ["__start_" + name, "__stop_" + name]) {
      const id = ctx.lookup(symbol);
      if (id === 0 || (tables.sym.flags[id]! & SYM_KIND_MASK) === SYM_DEFINED) continue;
      const at = arena.alloc(4 * (rows.length + 1));
      arena.u32[at >>> 2] = rows.length;
      arena.u32.set(rows, (at >>> 2) + 1);
      tables.gsym.startStop[id] = at;
    }
  }
}
