/** What read-headers leaves of an object's headers (OUT_*, PART_*): looking at it. */
import { OUT_PLAN, PART_BYTES } from "../shared/cells.ts";

/** In place of an ERR_*: no memory. */
export const NO_ROOM: u32 = 0xffffffff;

/** Address of part `i` of the plan at `out`. */
// @ts-ignore: decorator
@inline
export function part(out: u32, i: u32): u32 {
  return out + OUT_PLAN + i * PART_BYTES;
}

// @ts-ignore: decorator
@inline
export function cell(out: u32, at: u32): f64 {
  return load<f64>(out + at);
}
