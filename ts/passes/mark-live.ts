/**
 * --gc-sections: which input sections are part of the output (sweeps over all of them, in parallel, until nothing is new).
 *
 * Roots and edges are lld's; the kernel follows them, this file names the roots that options and linker-made symbols give.
 * Reads isec, sym, relocations; writes isec.live, piece.live.
 */
import { CTL_COUNTERS, START_STOP_RETAINS, START_STOP_WAITS, START_STOP_WANTED, SYM_DEFINED, SYM_KIND_MASK, SYM_WEAK } from "../../as-kernels/shared/abi.ts";
import type { Context } from "../context.ts";
import { pushTo } from "../memory/lists.ts";
import type { WorkerContext } from "../memory/pool.ts";
import { inSteps } from "../memory/rows.ts";
import { keepMarks, markChanged, startMarks } from "./kept-marks.ts";

/** Index in u32: the kernel's word that some section waits. */
const WAITING = CTL_COUNTERS >>> 2;
/** Index in u32: sections that the chunks of a sweep have met. */
const VISITED = (CTL_COUNTERS >>> 2) + 2;
/** Index in u32: where parents are noted (kept-marks.ts). */
const PARENTS = (CTL_COUNTERS >>> 2) + 3;
/** Index in u32: the stack of a sweep that has one. */
const STACK = (CTL_COUNTERS >>> 2) + 4;
/** Included objects a chunk takes. */
const OBJECTS_PER_CHUNK = 64;
/** Sections a chunk sweeps over. */
const SECTIONS_PER_CHUNK = 2048;
/** When the last sweep met fewer sections than this, workers are left asleep, and one sweep does the rest. */
const PARALLEL_SECTIONS = 1024;

/** Phase: follows the sections of a stretch that wait; adds their number to the second counter. Argument: rows of isec. */
export function markLivePhase(w: WorkerContext, chunk: number): void {
  const from = 1 + chunk * SECTIONS_PER_CHUNK;
  const visited = w.kernels.markSweep(from, Math.min(from + SECTIONS_PER_CHUNK, w.args[0]!), 0);
  if (visited > 0) Atomics.add(w.u32, VISITED, visited);
}

/** Phase: what the symbols of a stretch of included objects lead to. Arguments: address of u32 obj rows, their number, the targets. */
export function fillTargetsPhase(w: WorkerContext, chunk: number): void {
  const [objects, count, targets] = w.args as [number, number, number];
  const end = Math.min((chunk + 1) * OBJECTS_PER_CHUNK, count);
  for (let i = chunk * OBJECTS_PER_CHUNK; i < end; i++) w.kernels.fillTargets(w.u32[(objects >>> 2) + i]!, targets);
}

export async function markLive(ctx: Context): Promise<void> {
  const { kernels, tables, params, arena } = ctx;
  const rows = tables.isec.rows;
  if (!ctx.options.gcSections) {
    kernels.markAll(1, rows);
    kernels.markPieces(1, rows, 0);
    return;
  }
  const mark = arena.mark();
  arena.u32[WAITING] = arena.u32[STACK] = 0;
  const { used, waiting } = listStartStop(ctx);
  arena.u32[PARENTS] = ctx.checkpoint.resolved?.marks?.parents ?? 0;
  if (used === 0 && markChanged(ctx, WAITING)) {
    arena.release(mark);
    return keepMarks(ctx, true);
  }
  arena.u32[PARENTS] = startMarks(ctx);
  const targets = arena.alloc(tables.esym.rows * 4);
  const count = ctx.objects.length;
  await ctx.pool.run("fill-targets", Math.ceil(count / OBJECTS_PER_CHUNK), ctx.objects.byteOffset, count, targets);
  inSteps(rows, (first, end) => kernels.markRootSections(first, end, targets));
  inSteps(params.get("globalSyms"), (first, end) => kernels.markRootSymbols(first, end));
  kernels.markCies(1, tables.ehrec.rows);
  let expected = PARALLEL_SECTIONS;
  let stack = 0;
  do {
    while (arena.u32[WAITING] !== 0) {
      arena.u32[WAITING] = 0;
      arena.u32[VISITED] = 0;
      if (expected < PARALLEL_SECTIONS) {
        if (stack === 0) arena.u32[(stack = arena.alloc(4 * rows)) >>> 2] = 0;
        kernels.markSweep(1, rows, stack);
      } else {
        await ctx.pool.run("mark-live", Math.ceil((rows - 1) / SECTIONS_PER_CHUNK), rows);
        expected = arena.u32[VISITED]!;
      }
    }
  } while (retainWanted(ctx, waiting));
  arena.release(mark);
  kernels.markPieces(1, rows, 1);
  keepMarks(ctx, used === 0);
}

/**
 * __start_X and __stop_X (X a C identifier) hold on to all sections X: always for glibc's own sets, for others under
 * -z nostart-stop-gc. Under lld's default, start-stop-gc, they do not; but a set of which nothing else is live would leave
 * the symbols undefined, so it is kept then (what GNU ld does, and what the program wants), unless all references are weak and
 * the program is ready for that. Sets gsym.startStop; returns how many sets are held on to, and the lists of the second kind.
 */
function listStartStop(ctx: Context): { used: number; waiting: number[] } {
  const { kernels, tables, arena, options } = ctx;
  const list = arena.alloc(tables.isec.rows * 4);
  let count = 0;
  inSteps(tables.isec.rows, (from, to) => (count += kernels.collectIdentifiers(from, to, list + 4 * count)));
  ctx.host.optimise?.(count);
  const byName = new Map<string, number[]>();
  for (let i = 0; i < count; i++) {
    const row = arena.u32[(list >>> 2) + i]!;
    const name = arena.cstring(tables.isec.name[row]!);
    pushTo(byName, name, row);
  }
  const waiting: number[] = [];
  let sets = 0;
  for (const [name, rows] of byName) {
    const retains = !options.startStopGc || name.startsWith("__libc_");
    const at = arena.alloc(4 * (rows.length + 2));
    let used = false;
    for (const symbol of ["__start_" + name, "__stop_" + name]) {
      const id = ctx.lookup(symbol);
      const flags = tables.sym.flags[id]!;
      if (id === 0 || (flags & SYM_KIND_MASK) === SYM_DEFINED || (!retains && (flags & SYM_WEAK) !== 0)) continue;
      tables.gsym.startStop[id] = at;
      used = true;
    }
    if (!used) continue;
    sets++;
    arena.u32.set([retains ? START_STOP_RETAINS : START_STOP_WAITS, rows.length, ...rows], at >>> 2);
    if (!retains) waiting.push(at);
  }
  return { used: sets, waiting };
}

/** Marks the sets that are referred to and wholly dead; true = there were some. */
function retainWanted(ctx: Context, waiting: number[]): boolean {
  const { arena, kernels } = ctx;
  const wanted = waiting.filter((at) => arena.u32[at >>> 2] === START_STOP_WANTED && kernels.anyLive(at) === 0);
  for (const at of wanted) {
    arena.u32[at >>> 2] = START_STOP_RETAINS;
    kernels.retain(at);
  }
  return wanted.length > 0;
}
