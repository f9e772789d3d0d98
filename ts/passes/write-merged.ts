/**
 * The bytes of merged strings and constants, for whoever writes the output.
 *
 * Not a SyntheticSection: a merged part (`msec`) stands among the input sections of its output section, where its first
 * member stood. Usually merge-pieces has left the bytes in memory, streamed strings one by one; very large ones are read again for every window.
 */
import type { WorkerContext } from "../memory/pool.ts";
import { copyMembers } from "./merge-pieces.ts";

/** Writes bytes [from, to) of msec `m`, offsets from its own start, to `outAddr`. May use worker windows 0 and 1. */
export function writeMerged(w: WorkerContext, m: number, from: number, to: number, outAddr: number): void {
  const { msec } = w.tables;
  const bytes = msec.bytes[m]!;
  if (bytes !== 0) {
    w.kernels.copyMemory(outAddr, bytes + from, to - from);
    return;
  }
  const isStreamed = msec.stream[m] !== 0;
  if (!isStreamed || msec.align[m] !== 0) w.kernels.fillBytes(outAddr, 0, to - from);
  if (isStreamed) return void w.kernels.copyStrings(m, from, to, outAddr);
  const base = msec.memberBase[m]!;
  copyMembers(w, base, base + msec.memberCount[m]!, from, to, outAddr);
}
