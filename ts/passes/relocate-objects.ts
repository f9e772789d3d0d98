/**
 * Debug sections and whatever else is not loaded, put together object by object (relocate-objects kernel), and the large ones slice by slice.
 *
 * Relocations of such sections are read here, when they are used, because they are many and used once. Going through the members of one
 * output section at a time would read every object's few kilobytes twice for each of its dozen debug sections.
 */
import {
  BATCH_MEMBERS, BATCH_RANGES, EXTENT_BYTES, PLAN_INPUT, PLAN_OUTPUT, PLAN_REGIONS, READ_BYTES, READ_SIZE, READ_SOURCE, REGION_AT, REGION_BYTES, REGION_SIZE, SLICE_CUT, SLICE_UNSORTED,
} from "../../as-kernels/shared/cells.ts";
import { RELA_BYTES, SHF_ALLOC, SHT_NOBITS } from "../../as-kernels/shared/elf.ts";
import type { Context, OutputSection } from "../context.ts";
import type { WorkerContext } from "../memory/pool.ts";

/** Bytes of contents and relocations that are read for one batch of several objects, and of one object. */
const BATCH_BYTES = 1 << 20;
const OBJECT_BYTES = 1 << 22;
/** Batch rows take no more than this: where very many sections are not loaded, only those of the most members are put together so. */
const ROWS_BYTES = 1 << 28;
/** What a member needs in a plan. */
const MEMBER_BYTES = 2 * EXTENT_BYTES + 2 * READ_BYTES;

/** Relocations of a large section that are in memory at a time. */
const SLICE_RELAS = 1 << 13;
/** Arguments of the phase, among those of write-output: output descriptor; address of the batch rows, output sections' rows, how many. */
const A_FD = 1;
const A_BATCHES = 3;
const A_OSECS = 4;
const A_COUNT = 5;

/** Members [first, end) of an output section. */
export interface MemberRange {
  osec: OutputSection;
  first: number;
  end: number;
}

/** What the phase works on. */
export interface Batches {
  address: number;
  count: number;
  osecs: number;
  sections: number;
}

/** Those of `osecs` that are put together object by object. */
export function objectSections(ctx: Context, osecs: readonly OutputSection[]): OutputSection[] {
  const { memberCount } = ctx.tables.osec;
  const found = osecs.filter((osec) => takesObjects(ctx, osec));
  // A batch row has room for every section, and there may be a row for every member.
  const rowsBytes = (sections: number, members: number): number => (BATCH_RANGES + 8 * sections) * members;
  if (rowsBytes(found.length, membersOf(ctx, found)) <= ROWS_BYTES) return found;
  const taken = new Set<OutputSection>();
  let members = 0;
  for (const osec of found.toSorted((a, b) => memberCount[b.id]! - memberCount[a.id]!)) {
    members += memberCount[osec.id]!;
    if (rowsBytes(taken.size + 1, members) > ROWS_BYTES) break;
    taken.add(osec);
  }
  return found.filter((osec) => taken.has(osec));
}

function takesObjects({ tables, kernels }: Context, osec: OutputSection): boolean {
  if ((osec.sh_flags & SHF_ALLOC) !== 0 || osec.sh_type === SHT_NOBITS || tables.osec.memory[osec.id] !== 0) return false;
  return tables.osec.memberCount[osec.id]! > 1 && kernels.isAllRegular(osec.id) !== 0;
}

function membersOf({ tables }: Context, sections: readonly OutputSection[]): number {
  return sections.reduce((sum, { id }) => sum + tables.osec.memberCount[id]!, 0);
}

/** Cuts the members of `sections` into batches; `alone`: those of objects that are too large for one. */
export function cutObjects(ctx: Context, sections: OutputSection[]): { batches: Batches; alone: MemberRange[] } {
  const { arena, kernels } = ctx;
  const count = sections.length;
  const members = membersOf(ctx, sections);
  const osecs = arena.alloc(8 * count + 8);
  sections.forEach(({ id }, k) => (arena.u32[(osecs >>> 2) + k] = id));
  const rowBytes = BATCH_RANGES + 8 * count;
  const address = arena.alloc(rowBytes * members);
  const rows = kernels.cutBatches(osecs, count, BATCH_BYTES, OBJECT_BYTES, osecs + 4 * count, address);
  const alone: MemberRange[] = [];
  let kept = 0;
  for (let n = 0; n < rows; n++) {
    const row = (address + n * rowBytes) >>> 2;
    if (arena.u32[row] === 0) {
      arena.u32.copyWithin((address + kept++ * rowBytes) >>> 2, row, row + (rowBytes >>> 2));
      continue;
    }
    sections.forEach((osec, k) => {
      const [first, end] = [arena.u32[row + 2 + 2 * k]!, arena.u32[row + 3 + 2 * k]!];
      if (first < end) alone.push({ osec, first, end });
    });
  }
  return { batches: { address, count: kept, osecs, sections: count }, alone };
}

/** Part of the phase: one batch of objects. */
export function relocateObjects(w: WorkerContext, chunk: number): void {
  const [osecs, count] = [w.args[A_OSECS]!, w.args[A_COUNT]!];
  const row = w.args[A_BATCHES]! + chunk * (BATCH_RANGES + 8 * count);
  const members = w.u32[(row + BATCH_MEMBERS) >>> 2]!;
  const cursors = w.window(2, 4 * count + 16 + PLAN_REGIONS + count * REGION_BYTES + members * MEMBER_BYTES);
  const plan = cursors + Math.ceil(count / 4) * 16;
  const reads = w.kernels.planBatch(row, osecs, count, cursors, plan);
  const input = w.window(1, w.f64[(plan + PLAN_INPUT) >>> 3]! + 16);
  const output = w.window(0, w.f64[(plan + PLAN_OUTPUT) >>> 3]! + 16);
  const regions = plan + PLAN_REGIONS;
  let read = regions + count * REGION_BYTES + members * 2 * EXTENT_BYTES;
  for (let n = 0; n < reads; n++, read += READ_BYTES) {
    const [source, at, there] = w.words(read + READ_SOURCE, 3);
    if (there !== 0) w.kernels.copyMemory(input + at, there, w.f64[(read + READ_SIZE) >>> 3]!);
    else w.read(source, w.f64[read >>> 3]!, input + at, w.f64[(read + READ_SIZE) >>> 3]!);
  }
  w.kernels.makeBatch(row, count, plan, input, output);
  for (let k = 0; k < count; k++) {
    const region = regions + k * REGION_BYTES;
    const bytes = w.f64[(region + REGION_SIZE) >>> 3]!;
    const place = w.tables.osec.offset[w.u32[(osecs >>> 2) + k]!]! + w.f64[region >>> 3]!;
    if (bytes > 0) w.write(w.args[A_FD]!, output + w.u32[(region + REGION_AT) >>> 2]!, bytes, place);
  }
}

/**
 * A member too large for a window, with relocations: slices of `step` bytes are relocated and handed to `put`, with the offset from the
 * start of the section. False: its relocations are not in order, so it needs to be in memory as a whole; some bytes have been written.
 */
export function relocateSlices(w: WorkerContext, m: number, step: number, put: (window: number, from: number, bytes: number) => void): boolean {
  const { isec, member, obj } = w.tables;
  const i = member.isec[m]!;
  const [size, count, source] = [isec.size[i]!, isec.relaCount[i]!, obj.source[isec.obj[i]!]!];
  const out = w.window(2, 16);
  const relas = w.window(1, SLICE_RELAS * RELA_BYTES + 16);
  const window = w.window(0, step + 16);
  let [next, loaded, loadedEnd] = [0, 0, 0];
  for (let from = 0; from < size; ) {
    const to = Math.min(size, from + step);
    let cut = to;
    w.read(source, isec.sh_offset[i]! + from, window, to - from);
    while (next < count) {
      if (next === loadedEnd) {
        [loaded, loadedEnd] = [next, Math.min(count, next + SLICE_RELAS)];
        w.read(source, isec.relaOffset[i]! + loaded * RELA_BYTES, relas, (loadedEnd - loaded) * RELA_BYTES);
      }
      const state = w.kernels.relocateSlice(i, relas + (next - loaded) * RELA_BYTES, next, loadedEnd, window, from, to, out);
      if (state === SLICE_UNSORTED) return false;
      next = w.u32[out >>> 2]!;
      cut = w.u32[(out >>> 2) + 1]!;
      if (state === SLICE_CUT) break;
    }
    put(window, from, cut - from);
    from = cut;
  }
  return true;
}
