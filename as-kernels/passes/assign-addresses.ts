/**
 * Offsets of input sections inside their output section, exactly as a serial walk gives them: input order, no padding but
 * alignment. About a nanosecond per section, so it is not worth splitting among threads.
 */
import { mix } from "../lib/hash.ts";
import { params, tables } from "../shared/tables.ts";
import { ISEC_EH_FRAME, ISEC_MERGE } from "../shared/abi.ts";

// @ts-ignore: decorator
@inline
function alignUp(value: f64, log2: u8): f64 {
  const mask = (<u64>1 << log2) - 1;
  return <f64>((<u64>value + mask) & ~mask);
}

/**
 * Places members [from, to) one after the other from `start` on; returns the end. A merged part stands where its first
 * member stands (msec.osec is cleared by the caller and set here), .eh_frame records are placed by their own section.
 */
export function layoutMembers(from: u32, to: u32, start: f64): f64 {
  const t = tables();
  const isec = t.isec;
  const member = t.member.isec;
  const msec = t.msec;
  const padding = params().paddingSeed;
  let at = start;
  for (let i = from; i < to; i++) {
    const row = member[i];
    const kind = isec.kind[row];
    // As much as the section's alignment, half of the time.
    if (padding != 0 && mix((<u64>padding << 32) + i) & 1) at += <f64>(<u64>1 << isec.align[row]);
    if (kind == ISEC_EH_FRAME) continue;
    if (kind == ISEC_MERGE) {
      const m = isec.msec[row];
      if (m == 0 || msec.placed[m]) continue;
      msec.placed[m] = 1;
      at = alignUp(at, msec.align[m]);
      msec.outOffset[m] = at;
      at += msec.size[m];
      continue;
    }
    at = alignUp(at, isec.align[row]);
    isec.outOffset[row] = at;
    at += isec.size[row];
  }
  return at;
}
