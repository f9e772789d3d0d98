/**
 * A run: sections of one object, one behind the other in the file, whose contents one read brings. As a cell in memory: u32 first and end row,
 * u32 1 = one compressed section, then f64 start in the file and bytes (ts/passes/section-runs.ts reads it).
 */
import { tables } from "../shared/tables.ts";

const RUN_TO: u32 = 4;
const RUN_COMPRESSED: u32 = 8;
const RUN_START: u32 = 16;
const RUN_BYTES: u32 = 24;

/** Is section `i` part of a run from `start` to `end`? It lies behind it, by at most `gap` bytes, and with it the run has at most `limit`. */
// @ts-ignore: decorator
@inline
export function joinsRun(i: u32, start: f64, end: f64, gap: f64, limit: f64): bool {
  const isec = tables().isec;
  const at = isec.sh_offset[i];
  return isec.compressed[i] == 0 && at >= end && at - end <= gap && at + isec.size[i] - start <= limit;
}

export function putRun(run: u32, from: u32, to: u32, compressed: bool, start: f64, end: f64): void {
  store<u32>(run, from);
  store<u32>(run, to, RUN_TO);
  store<u32>(run, u32(compressed), RUN_COMPRESSED);
  store<f64>(run, start, RUN_START);
  store<f64>(run, end - start, RUN_BYTES);
}
