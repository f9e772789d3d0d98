/**
 * The bytes of merged strings and constants, for whoever writes the output.
 *
 * Not a SyntheticSection: a merged part (`msec`) stands among the input sections of its output section, where its first
 * member stood. Usually merge-pieces has left the bytes in memory; very large ones are read again for every window.
 */
import type { Context } from "../context.ts";
import type { WorkerContext } from "../memory/pool.ts";
import { copyMembers } from "../passes/merge-pieces.ts";

/** Writes bytes [from, to) of msec `m`, offsets from its own start, to `outAddr`. */
export function writeMerged(w: WorkerContext, m: number, from: number, to: number, outAddr: number): void {
  const { msec } = w.tables;
  const bytes = msec.bytes[m]!;
  if (bytes !== 0) {
    w.kernels.copyMemory!(outAddr, bytes + from, to - from);
    return;
  }
  w.kernels.fillBytes!(outAddr, 0, to - from);
  const base = msec.memberBase[m]!;
  copyMembers(w, base, base + msec.memberCount[m]!, from, to, outAddr);
}

/** Bytes of a part that are made and written at a time when they are not in memory. */
const WINDOW_BYTES = 1 << 22;

/**
 * Hands all merged parts to `write`, with their file positions; after assign-addresses, and after the windows of input
 * sections have been written, because those may run over the places of merged parts between them.
 */
export function writeMergedParts(ctx: Context, write: (bytes: Uint8Array, position: number) => void): void {
  const { arena, tables } = ctx;
  const { msec, osec } = tables;
  ctx.pool.self.tables = tables;
  for (let m = 1; m < msec.rows; m++) {
    const size = msec.size[m]!;
    const position = osec.offset[msec.osec[m]!]! + msec.outOffset[m]!;
    if (size === 0) continue;
    if (msec.bytes[m] !== 0) {
      write(arena.bytes(msec.bytes[m]!, size), position);
      continue;
    }
    const mark = arena.mark();
    const window = arena.alloc(WINDOW_BYTES);
    for (let from = 0; from < size; from += WINDOW_BYTES) {
      const to = Math.min(from + WINDOW_BYTES, size);
      writeMerged(ctx.pool.self, m, from, to, window);
      write(arena.bytes(window, to - from), position + from);
    }
    arena.release(mark);
  }
}
