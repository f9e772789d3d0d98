/**
 * Members of an output section, a window at a time: which belong together, which of them one read brings, and how their contents get from
 * where they were read to their places.
 */
import { params, tables } from "../shared/tables.ts";
import { ISEC_EH_FRAME, ISEC_MERGE, ISEC_REGULAR } from "../shared/abi.ts";
import { NEXT_COMPRESSED, NEXT_END, NEXT_KEPT, NEXT_SOURCE } from "../shared/cells.ts";
import { SHT_NOBITS } from "../shared/elf.ts";

/** A read costs as much as copying this many bytes that nobody needs. */
const GAP_BYTES: f64 = 16384;

/**
 * Cuts members from `from` on into a stretch of about `bytes` bytes of output: index of the first member that is not part
 * of it. Merged parts and .eh_frame records are written elsewhere and take no room here.
 */
export function cutWindow(from: u32, to: u32, bytes: f64): u32 {
  const t = tables();
  const isec = t.isec;
  const member = t.member.isec;
  let start: f64 = -1;
  for (let i = from; i < to; i++) {
    const row = member[i];
    if (isec.kind[row] == ISEC_MERGE || isec.kind[row] == ISEC_EH_FRAME) continue;
    const at = isec.outOffset[row];
    if (start < 0) start = at;
    else if (at + isec.size[row] - start > bytes) return i;
  }
  return to;
}

/**
 * Longest run of regular members from `from` on that one read can fetch: same file, file offsets ascending with gaps of
 * at most GAP_BYTES, at most `limit` bytes (or one section). Leaves NEXT_* at `out`. Returns the index after the run; the run is empty (from = to offsets) when its members have no bytes in a file.
 */
export function nextRun(from: u32, to: u32, limit: f64, out: u32): u32 {
  const t = tables();
  const isec = t.isec;
  const member = t.member.isec;
  const sourceOf = t.obj.source;
  let first: f64 = 0;
  let last: f64 = 0;
  let source: u32 = 0;
  const keeps = params().keptMembers != 0;
  let any = false;
  let i = from;
  store<u32>(out, 0, NEXT_KEPT);
  for (; i < to; i++) {
    const row = member[i];
    const kind = isec.kind[row];
    if (kind != ISEC_REGULAR || isec.sh_type[row] == SHT_NOBITS || isec.size[row] == 0) continue;
    if (keeps && isec.kept[row] != 0) {
      store<u32>(out, 1, NEXT_KEPT);
      continue;
    }
    if (isec.compressed[row]) {
      if (!any) {
        store<f64>(out, 0);
        store<f64>(out, 0, NEXT_END);
        store<u32>(out, row, NEXT_COMPRESSED);
        return i + 1;
      }
      break;
    }
    const at = isec.sh_offset[row];
    const end = at + isec.size[row];
    const file = sourceOf[isec.obj[row]];
    if (!any) {
      any = true;
      source = file;
      first = at;
      last = end;
      continue;
    }
    if (file != source || at < last || at > last + GAP_BYTES || end - first > limit) break;
    last = end;
  }
  store<f64>(out, first);
  store<f64>(out, last, NEXT_END);
  store<u32>(out, source, NEXT_SOURCE);
  store<u32>(out, 0, NEXT_COMPRESSED);
  return i;
}

/** Members [from, to) that have no bytes in a file are zeros even where gaps are not: a script may put .bss among code. */
export function zeroNobits(from: u32, to: u32, window: u32, windowOffset: f64): void {
  const isec = tables().isec;
  const member = tables().member.isec;
  for (let i = from; i < to; i++) {
    const row = member[i];
    if (isec.sh_type[row] == SHT_NOBITS) memory.fill(window + <u32>(isec.outOffset[row] - windowOffset), 0, <u32>isec.size[row]);
  }
}

/** Copies the members of a run from `input` (file bytes from `inFrom` on) to their places in `window`. */
export function placeRun(from: u32, to: u32, input: u32, inFrom: f64, window: u32, windowOffset: f64): void {
  const t = tables();
  const isec = t.isec;
  const member = t.member.isec;
  const keeps = params().keptMembers != 0;
  for (let i = from; i < to; i++) {
    const row = member[i];
    if (isec.kind[row] != ISEC_REGULAR || isec.sh_type[row] == SHT_NOBITS || (keeps && isec.kept[row] != 0)) continue;
    const bytes = <u32>isec.size[row];
    memory.copy(window + <u32>(isec.outOffset[row] - windowOffset), input + <u32>(isec.sh_offset[row] - inFrom), bytes);
  }
}

/** Copies those of the members [from, to) whose contents are in memory to their places in `window`. */
export function placeKept(from: u32, to: u32, window: u32, windowOffset: f64): void {
  const isec = tables().isec;
  const member = tables().member.isec;
  for (let i = from; i < to; i++) {
    const row = member[i];
    if (isec.kind[row] == ISEC_REGULAR && isec.kept[row] != 0) memory.copy(window + <u32>(isec.outOffset[row] - windowOffset), isec.kept[row], <u32>isec.size[row]);
  }
}
