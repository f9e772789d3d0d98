/**
 * Contents of sections, run by run: neighbours in a file that one read brings (as-kernels/lib/runs.ts). For passes that look into many small
 * sections.
 */
import { ERR_COMPRESSED } from "../../as-kernels/shared/abi.ts";
import { HostError } from "../host/host.ts";
import type { WorkerContext } from "../memory/pool.ts";

/** Bytes of a run as kernels leave it. */
const RUN_CELL_BYTES = 32;
/** Kernels look at words. */
const MARGIN = 16;

/** Worker windows: section contents, run cell. */
const CONTENTS = 0;
const CELL = 1;

/** What is done with the sections of rows [from, to), of which byte `start` of the file is at `contents`. */
type Use = (from: number, to: number, contents: number, start: number) => void;

/**
 * Calls `find(row)` for run after run until it finds none, reads each run's contents and hands them to `use`. `isecOf` gives
 * the section of a row. A section that cannot be inflated is reported and passed over. `keep`: contents stay in memory for later calls.
 */
export function eachRun(w: WorkerContext, from: number, find: (row: number, cell: number) => number, isecOf: (row: number) => number, use: Use, keep = false): void {
  const { obj } = w.tables.isec;
  const cell = w.window(CELL, RUN_CELL_BYTES);
  for (let row = from; find(row, cell) !== 0; ) {
    const first = w.u32[cell >>> 2]!;
    row = w.u32[(cell >>> 2) + 1]!;
    const start = w.f64[(cell >>> 3) + 2]!;
    const bytes = w.f64[(cell >>> 3) + 3]!;
    const isec = isecOf(first);
    const last = isecOf(row - 1);
    const there = keptRun(w, isec, last);
    if (there !== 0) {
      use(first, row, there, start);
      continue;
    }
    const stored = w.u32[(cell >>> 2) + 2] === 0;
    const contents = keep && stored ? w.alloc(bytes + MARGIN) : w.window(CONTENTS, bytes);
    if (stored) w.read(w.tables.obj.source[obj[isec]!]!, start, contents, bytes);
    else if (!inflate(w, isec, contents)) continue;
    if (keep && stored) w.kernels.keepRun(first, row, contents, start, bytes);
    use(first, row, contents, start);
  }
}

/**
 * Where the contents of two sections of an object are in memory, with what is between them; 0 = they are not. Neighbours in an archive may lie as far
 * from each other in memory as in the file, and others between them elsewhere.
 */
export function keptRun({ tables: { isec: { kept, obj, sh_offset } } }: Pick<WorkerContext, "tables">, first: number, last: number): number {
  return kept[first] !== 0 && obj[first] === obj[last] && kept[last] === kept[first]! + (sh_offset[last]! - sh_offset[first]!) ? kept[first]! : 0;
}

/** False: the compressed contents are corrupt, which has been reported. */
function inflate(w: WorkerContext, isec: number, contents: number): boolean {
  try {
    w.contents(isec, contents);
    return true;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    w.kernels.rejectPieces(isec, ERR_COMPRESSED);
    return false;
  }
}
