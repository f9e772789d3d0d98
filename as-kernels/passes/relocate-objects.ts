/**
 * Output sections that are not loaded, put together object by object: an object's debug sections lie side by side in its file and so
 * do their relocations, so two reads bring what would take two for each section.
 *
 * A batch is a stretch of objects that are small together: for each of `count` output sections (u32 rows at `osecs`) a range of members.
 * Objects too large for a batch stand alone, and TypeScript treats their sections one by one.
 */
import { tables } from "../shared/tables.ts";
import { relocate } from "./relocate.ts";
import { ISEC_REGULAR } from "../shared/abi.ts";
import {
  BATCH_MEMBERS, BATCH_RANGES, EXTENT_BYTES, PLAN_EXTENTS, PLAN_INPUT, PLAN_OUTPUT, PLAN_REGIONS, READ_BYTES, READ_SIZE, READ_SOURCE, REGION_AT, REGION_BYTES, REGION_SIZE,
} from "../shared/cells.ts";
import { RELA_BYTES, SHT_NOBITS } from "../shared/elf.ts";

/** Of an extent (EXTENT_BYTES). The output section of relocations is NO_SECTION. */
const EXTENT_ISEC: u32 = 16;
const EXTENT_SECTION: u32 = 20;
const EXTENT_AT: u32 = 24;
const NO_SECTION: u32 = 0xffffffff;

/** Of a read: behind its source. */
const READ_AT: u32 = 20;
const READ_WHOLE: u32 = 24;

/** Bytes between two extents that are not worth a second read. */
const GAP_BYTES: f64 = 32768;

/** All members of output section `o` are ordinary contents, which nobody else writes between. */
export function isAllRegular(o: u32): u32 {
  const member = tables().member.isec;
  const kind = tables().isec.kind;
  const base = tables().osec.memberBase[o];
  for (let m = base, end = base + tables().osec.memberCount[o]; m < end; m++) if (kind[member[m]] != ISEC_REGULAR) return 0;
  return 1;
}

// @ts-ignore: decorator
@inline
function endOf(osecs: u32, k: u32): u32 {
  const osec = tables().osec;
  const o = load<u32>(osecs + (k << 2));
  return osec.memberBase[o] + osec.memberCount[o];
}

/** Bytes of relocations that must be read for row `i`. */
// @ts-ignore: decorator
@inline
function relaBytes(i: u32): f64 {
  const isec = tables().isec;
  return isec.rela[i] == 0 ? <f64>isec.relaCount[i] * RELA_BYTES : 0;
}

/**
 * Cuts the members of all `count` output sections into batches, written one behind the other at `rows`: objects of at most `limit` bytes
 * together, or one of at most `most`. `cursors`: u32 per output section. Returns how many.
 */
export function cutBatches(osecs: u32, count: u32, limit: f64, most: f64, cursors: u32, rows: u32): u32 {
  const member = tables().member.isec;
  const isec = tables().isec;
  for (let k: u32 = 0; k < count; k++) store<u32>(cursors + (k << 2), tables().osec.memberBase[load<u32>(osecs + (k << 2))]);
  const rowBytes = BATCH_RANGES + (count << 3);
  let n: u32 = 0;
  let row = rows;
  let open = false;
  let bytes: f64 = 0;
  let members: u32 = 0;
  for (;;) {
    let lowest = NO_SECTION;
    for (let k: u32 = 0; k < count; k++) {
      const m = load<u32>(cursors + (k << 2));
      if (m < endOf(osecs, k) && member[m] < lowest) lowest = member[m];
    }
    const obj = lowest != NO_SECTION ? isec.obj[lowest] : 0;
    let own: f64 = 0;
    if (lowest != NO_SECTION) {
      for (let k: u32 = 0; k < count; k++) {
        for (let m = load<u32>(cursors + (k << 2)), end = endOf(osecs, k); m < end && isec.obj[member[m]] == obj; m++) {
          const i = member[m];
          own += isec.compressed[i] != 0 ? most + 1 : isec.size[i] + relaBytes(i);
        }
      }
    }
    if (open && (lowest == NO_SECTION || bytes + own > limit)) {
      row = closeBatch(row, count, cursors, members);
      n++;
      open = false;
    }
    if (lowest == NO_SECTION) break;
    if (!open) {
      store<u32>(row, own > most ? 1 : 0);
      for (let k: u32 = 0; k < count; k++) store<u32>(row + BATCH_RANGES + (k << 3), load<u32>(cursors + (k << 2)));
      open = true;
      bytes = 0;
      members = 0;
    }
    bytes += own;
    for (let k: u32 = 0; k < count; k++) {
      let m = load<u32>(cursors + (k << 2));
      for (const end = endOf(osecs, k); m < end && isec.obj[member[m]] == obj; m++) members++;
      store<u32>(cursors + (k << 2), m);
    }
  }
  return n;
}

function closeBatch(row: u32, count: u32, cursors: u32, members: u32): u32 {
  store<u32>(row, members, BATCH_MEMBERS);
  for (let k: u32 = 0; k < count; k++) store<u32>(row + BATCH_RANGES + (k << 3), load<u32>(cursors + (k << 2)), 4);
  return row + BATCH_RANGES + (count << 3);
}

/** Writes an extent at `at`; returns the end of it. */
// @ts-ignore: decorator
@inline
function putExtent(at: u32, place: f64, bytes: f64, i: u32, section: u32): u32 {
  store<f64>(at, place);
  store<f64>(at, bytes, 8);
  store<u32>(at, i, EXTENT_ISEC);
  store<u32>(at, section, EXTENT_SECTION);
  return at + EXTENT_BYTES;
}

/** Sorts the extents [first, end) by place in the file: Shell's sort, since they are a few as a rule, but may be tens of thousands (.stack_sizes). */
function sortExtents(first: u32, end: u32): void {
  let gap: u32 = EXTENT_BYTES;
  while (gap < (end - first) / 3) gap = 3 * gap + EXTENT_BYTES;
  for (; gap != 0; gap = (gap - EXTENT_BYTES) / 3) {
    for (let next = first + gap; next < end; next += EXTENT_BYTES) {
      const place = load<f64>(next);
      const head = v128.load(next);
      const tail = v128.load(next, 16);
      let at = next;
      for (; at >= first + gap && load<f64>(at - gap) > place; at -= gap) {
        v128.store(at, v128.load(at - gap));
        v128.store(at, v128.load(at - gap, 16), 16);
      }
      v128.store(at, head);
      v128.store(at, tail, 16);
    }
  }
}

/**
 * Says what to read for the batch at `row` and how large its parts of the output are, at `plan` (PLAN_*). `cursors`: u32 per output
 * section. Room is needed for two extents and two reads per member. Returns the number of reads.
 */
export function planBatch(row: u32, osecs: u32, count: u32, cursors: u32, plan: u32): u32 {
  const member = tables().member.isec;
  const isec = tables().isec;
  const extents = plan + PLAN_REGIONS + count * REGION_BYTES;
  const reads = extents + 2 * EXTENT_BYTES * load<u32>(row, BATCH_MEMBERS);
  let output: f64 = 0;
  for (let k: u32 = 0; k < count; k++) {
    const first = load<u32>(row + BATCH_RANGES + (k << 3));
    const end = load<u32>(row + BATCH_RANGES + (k << 3), 4);
    const region = plan + PLAN_REGIONS + k * REGION_BYTES;
    const from: f64 = first < end ? isec.outOffset[member[first]] : 0;
    const bytes: f64 = first < end ? isec.outOffset[member[end - 1]] + isec.size[member[end - 1]] - from : 0;
    store<f64>(region, from);
    store<f64>(region, bytes, REGION_SIZE);
    store<u32>(region, <u32>output, REGION_AT);
    output += Math.ceil((bytes + 8) / 16) * 16;
    store<u32>(cursors + (k << 2), first);
  }
  let extent = extents;
  let read = reads;
  let input: f64 = 0;
  for (;;) {
    let lowest = NO_SECTION;
    for (let k: u32 = 0; k < count; k++) {
      const m = load<u32>(cursors + (k << 2));
      if (m < load<u32>(row + BATCH_RANGES + (k << 3), 4) && member[m] < lowest) lowest = member[m];
    }
    if (lowest == NO_SECTION) break;
    const obj = isec.obj[lowest];
    const first = extent;
    for (let k: u32 = 0; k < count; k++) {
      let m = load<u32>(cursors + (k << 2));
      for (const end = load<u32>(row + BATCH_RANGES + (k << 3), 4); m < end && isec.obj[member[m]] == obj; m++) {
        const i = member[m];
        if (isec.size[i] > 0 && isec.sh_type[i] != SHT_NOBITS) extent = putExtent(extent, isec.sh_offset[i], isec.size[i], i, k);
        const bytes = relaBytes(i);
        if (bytes > 0) extent = putExtent(extent, isec.relaOffset[i], bytes, i, NO_SECTION);
      }
      store<u32>(cursors + (k << 2), m);
    }
    sortExtents(first, extent);
    // extents that lie close together become one read
    const source = tables().obj.source[obj];
    const whole = tables().obj.whole[obj];
    for (let at = first; at < extent; ) {
      const start = load<f64>(at);
      let end = start;
      for (; at < extent && load<f64>(at) - end <= GAP_BYTES; at += EXTENT_BYTES) {
        store<u32>(at, <u32>(input + load<f64>(at) - start), EXTENT_AT);
        end = Math.max(end, load<f64>(at) + load<f64>(at, 8));
      }
      store<f64>(read, start);
      store<f64>(read, end - start, READ_SIZE);
      store<u32>(read, source, READ_SOURCE);
      store<u32>(read, <u32>input, READ_AT);
      store<u32>(read, whole != 0 ? whole + <u32>(start - tables().obj.offset[obj]) : 0, READ_WHOLE);
      read += READ_BYTES;
      input += Math.ceil((end - start) / 8) * 8;
    }
  }
  const n = (read - reads) / READ_BYTES;
  store<u32>(plan, n);
  store<u32>(plan, (extent - extents) / EXTENT_BYTES, PLAN_EXTENTS);
  store<f64>(plan, input, PLAN_INPUT);
  store<f64>(plan, output, PLAN_OUTPUT);
  return n;
}

/** Makes the output of the batch at `output` from what was read to `input`. */
export function makeBatch(row: u32, count: u32, plan: u32, input: u32, output: u32): void {
  const isec = tables().isec;
  const regions = plan + PLAN_REGIONS;
  const extents = regions + count * REGION_BYTES;
  const end = extents + load<u32>(plan, PLAN_EXTENTS) * EXTENT_BYTES;
  memory.fill(output, 0, <u32>load<f64>(plan, PLAN_OUTPUT));
  for (let extent = extents; extent < end; extent += EXTENT_BYTES) {
    const i = load<u32>(extent, EXTENT_ISEC);
    const k = load<u32>(extent, EXTENT_SECTION);
    const from = input + load<u32>(extent, EXTENT_AT);
    if (k == NO_SECTION) {
      isec.rela[i] = from;
      continue;
    }
    const region = regions + k * REGION_BYTES;
    memory.copy(output + load<u32>(region, REGION_AT) + <u32>(isec.outOffset[i] - load<f64>(region)), from, <u32>isec.size[i]);
  }
  for (let k: u32 = 0; k < count; k++) {
    const region = regions + k * REGION_BYTES;
    relocate(load<u32>(row + BATCH_RANGES + (k << 3)), load<u32>(row + BATCH_RANGES + (k << 3), 4), output + load<u32>(region, REGION_AT), load<f64>(region));
  }
  for (let extent = extents; extent < end; extent += EXTENT_BYTES) {
    if (load<u32>(extent, EXTENT_SECTION) == NO_SECTION) isec.rela[load<u32>(extent, EXTENT_ISEC)] = 0;
  }
}
