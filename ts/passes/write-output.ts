/**
 * Reading, relocating and writing, window by window: input section contents go from the file straight to their place in a
 * window of the output, are relocated there and written.
 *
 * A window is a stretch of members of one output section, about a megabyte; a larger member without relocations is cut.
 * Nothing of a window outlives it, so memory does not grow with the output. Linker-made contents are written by their own section (write-synthetic).
 */
import { SHF_ALLOC, SHF_EXECINSTR, SHT_FINI_ARRAY, SHT_INIT_ARRAY, SHT_NOBITS, RELA_BYTES } from "../../as-kernels/shared/elf.ts";
import { ERR_COMPRESSED, ISEC_EH_FRAME, ISEC_MERGE, ISEC_REGULAR, ISSUE_BAD_OBJECT } from "../../as-kernels/shared/abi.ts";
import { BATCH_RANGES, NEXT_BYTES, NEXT_COMPRESSED, NEXT_END, NEXT_KEPT, NEXT_SOURCE } from "../../as-kernels/shared/cells.ts";
import type { Context, OutputSection } from "../context.ts";
import { HostError } from "../host/host.ts";
import type { WorkerContext } from "../memory/pool.ts";
import { keepOrdered } from "./section-order/ordered-contents.ts";
import { cutObjects, objectSections, type Batches, relocateObjects, relocateSlices, type MemberRange } from "./relocate-objects.ts";
import { writeMerged } from "./write-merged.ts";

/** Fits the second-level cache together with the window it is read through. */
const WINDOW_BYTES = 1 << 18;
const ARRAY_TYPES = new Set<number>([SHT_INIT_ARRAY, SHT_FINI_ARRAY]);

/** u32 cells of a window row: osec, first member, end member, WINDOW_*; then f64 from, to (bytes from the osec's start). */
export const WINDOW_ROW = 32;

/** Whole members; a slice of the one member; one member that is to be treated in slices. */
const WINDOW_MEMBERS = 0;
const WINDOW_SLICE = 1;
const WINDOW_SLICES = 2;

/** Arguments: window rows, descriptor, pieces of merged parts, what relocate-objects asks for (3 to 5), how many windows and batches there are. */
const A_WINDOWS = 0;
const A_FD = 1;
const A_MERGED = 2;
const A_WINDOW_COUNT = 6;
const A_BATCH_COUNT = 7;
/** Bytes of a merged part that are one chunk. */
const MERGED_BYTES = 1 << 20;
/** In place of a descriptor: sections with osec.memory are being made. */
const IN_MEMORY = 0xffff_ffff;

/** A window's bytes, relocated: `bytes` of them at `window`, from offset `from` of the output section on. */
interface Made {
  osec: number;
  window: number;
  from: number;
  bytes: number;
}

/** The byte between the members of an output section with these flags. */
const fillOf = ({ params }: Pick<Context, "params">, flags: number): number => params.get((flags & SHF_EXECINSTR) !== 0 ? "codeFill" : "filler");

/** Makes the window of the row at `row` in this worker's memory. */
export function makeWindow(w: WorkerContext, row: number): Made {
  const [osec, first, end, kind] = w.words(row, 4);
  const [from, to] = [w.f64[(row >>> 3) + 2]!, w.f64[(row >>> 3) + 3]!];
  const bytes = to - from;
  const window = w.window(0, bytes + 16);
  const made = { osec, window, from, bytes };
  if (kind === WINDOW_SLICE) {
    readSlice(w, first, window, from, bytes);
    return made;
  }
  const flags = w.tables.osec.sh_flags[osec]!;
  const fill = fillOf(w, flags);
  w.kernels.fillBytes(window, fill, bytes);
  if (fill !== 0) w.kernels.zeroNobits(first, end, window, from);
  readMembers(w, first, end, window, from);
  if (ARRAY_TYPES.has(w.tables.osec.sh_type[osec]!)) w.kernels.mirrorWords(first, end, window, from);
  // A layout script can place sections that are not loaded among those that are: their relocations are not in memory.
  if ((flags & SHF_ALLOC) === 0) relocateEach(w, first, end, window, from);
  else if (w.kernels.relocate(first, end, window, from) > 0) relocateEach(w, first, end, window, from, false);
  return made;
}

/** Phase: a window, a batch of objects or a piece of a merged part. All in one, so that nobody waits between them. */
export function relocatePhase(w: WorkerContext, chunk: number): void {
  const [windows, batches] = [w.args[A_WINDOW_COUNT]!, w.args[A_BATCH_COUNT]!];
  if (chunk < windows) relocateWindow(w, chunk);
  else if (chunk < windows + batches) relocateObjects(w, chunk - windows);
  else writeMergedPiece(w, chunk - windows - batches);
}

function relocateWindow(w: WorkerContext, chunk: number): void {
  const row = w.args[A_WINDOWS]! + chunk * WINDOW_ROW;
  if (w.u32[(row >>> 2) + 3] === WINDOW_SLICES) {
    const [target, start] = [w.u32[row >>> 2]!, w.f64[(row >>> 3) + 2]!];
    if (relocateSlices(w, w.u32[(row >>> 2) + 1]!, WINDOW_BYTES, (at, offset, count) => put(w, target, start + offset, at, count))) return;
  }
  const { osec, window, from, bytes } = makeWindow(w, row);
  put(w, osec, from, window, bytes);
}

/** Bytes of an output section, `from` on, leave for the file, or for memory when they are to be compressed. */
function put(w: WorkerContext, osec: number, from: number, window: number, bytes: number): void {
  const memory = w.tables.osec.memory[osec]!;
  if (memory !== 0) w.kernels.copyMemory(memory + from, window, bytes);
  else w.write(w.args[A_FD]!, window, bytes, w.tables.osec.offset[osec]! + from);
}

/** Bytes of the output section from `from` on, all of member row `m`. */
function readSlice(w: WorkerContext, m: number, window: number, from: number, bytes: number): void {
  const { isec, member, obj } = w.tables;
  const i = member.isec[m]!;
  w.read(obj.source[isec.obj[i]!]!, isec.sh_offset[i]! + from - isec.outOffset[i]!, window, bytes);
}

/** Can the member be copied piece by piece? */
function isPlain({ tables: { isec } }: Context, i: number): boolean {
  return isec.kind[i] === ISEC_REGULAR && isec.relaCount[i] === 0 && isec.compressed[i] === 0 && isec.sh_type[i] !== SHT_NOBITS;
}

/** Brings the members' bytes to their places, with as few reads as their order in the files allows. */
function readMembers(w: WorkerContext, first: number, end: number, window: number, from: number): void {
  const out = w.window(2, NEXT_BYTES);
  for (let at = first; at < end; ) {
    const next = w.kernels.nextRun(at, end, WINDOW_BYTES, out);
    const start = w.f64[out >>> 3]!;
    const stop = w.f64[(out + NEXT_END) >>> 3]!;
    const compressed = w.u32[(out + NEXT_COMPRESSED) >>> 2]!;
    if (compressed !== 0) {
      inflate(w, compressed, window + (w.tables.isec.outOffset[compressed]! - from));
    } else if (next === at + 1 && stop > start) {
      const isec = w.tables.member.isec[at]!;
      w.read(w.u32[(out + NEXT_SOURCE) >>> 2]!, start, window + (w.tables.isec.outOffset[isec]! - from), stop - start);
    } else if (stop > start) {
      const input = w.window(1, stop - start + 16);
      w.read(w.u32[(out + NEXT_SOURCE) >>> 2]!, start, input, stop - start);
      w.kernels.placeRun(at, next, input, start, window, from);
    }
    if (w.u32[(out + NEXT_KEPT) >>> 2] !== 0) w.kernels.placeKept(at, next, window, from);
    at = next;
  }
}

/** Contents of a compressed section; what does not inflate is the input's fault. */
export function inflate(w: WorkerContext, isec: number, address: number): void {
  try {
    w.contents(isec, address);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    w.kernels.reportIssue(ISSUE_BAD_OBJECT, w.tables.isec.obj[isec]!, isec, w.tables.isec.shndx[isec]!, ERR_COMPRESSED);
  }
}

/**
 * Debug sections: relocations are read for one member at a time, because they are many and used once. `residents`: those of
 * members that have them in memory are still to be applied.
 */
function relocateEach(w: WorkerContext, first: number, end: number, window: number, from: number, residents = true): void {
  const { isec, member, obj } = w.tables;
  for (let i = first; i < end; i++) {
    const row = member.isec[i]!;
    const count = isec.relaCount[row]!;
    if (count === 0 || isec.kind[row] !== ISEC_REGULAR) continue;
    if (isec.rela[row] !== 0) {
      if (residents) w.kernels.relocate(i, i + 1, window, from);
      continue;
    }
    const o = isec.obj[row]!;
    const whole = obj.whole[o]!;
    isec.rela[row] = whole !== 0 ? whole + (isec.relaOffset[row]! - obj.offset[o]!) : w.window(1, count * RELA_BYTES + 16);
    if (whole === 0) w.read(obj.source[o]!, isec.relaOffset[row]!, isec.rela[row]!, count * RELA_BYTES);
    w.kernels.relocate(i, i + 1, window, from);
    isec.rela[row] = 0;
  }
}

/** Is the member to be treated in slices: relocations that are read when they are used, of more than a window? */
function isSliced({ tables: { isec } }: Context, i: number): boolean {
  return isec.relaCount[i] !== 0 && isec.rela[i] === 0 && isec.compressed[i] === 0 && isec.sh_type[i] !== SHT_NOBITS && (isec.sh_flags[i]! & SHF_ALLOC) === 0;
}

/** Cuts all members of `osecs` into windows; returns the table's address and rows. */
export function cutWindows(ctx: Context, osecs: OutputSection[], bytes: number): { address: number; count: number } {
  const { osec } = ctx.tables;
  return cutRanges(ctx, osecs.map((section) => ({ osec: section, first: osec.memberBase[section.id]!, end: osec.memberBase[section.id]! + osec.memberCount[section.id]! })), bytes, false);
}

/** The same for ranges of members; `slices`: large members with relocations may be treated in slices. */
function cutRanges(ctx: Context, ranges: MemberRange[], bytes: number, slices: boolean): { address: number; count: number } {
  const { tables, kernels, arena } = ctx;
  const rows: number[][] = [];
  for (const { osec, first, end } of ranges) {
    if (osec.sh_type === SHT_NOBITS) continue;
    for (let at = first; at < end; ) {
      const next = kernels.cutWindow(at, end, bytes);
      const extent = extentOf(ctx, at, next);
      const single = next === at + 1 && !ARRAY_TYPES.has(osec.sh_type) ? tables.member.isec[at]! : 0;
      const kind = single === 0 ? WINDOW_MEMBERS : isPlain(ctx, single) ? WINDOW_SLICE : slices && tables.isec.size[single]! > bytes && isSliced(ctx, single) ? WINDOW_SLICES : WINDOW_MEMBERS;
      const step = kind === WINDOW_SLICE ? bytes : Infinity;
      for (let from = extent?.from ?? Infinity; from < (extent?.to ?? 0); from += step) {
        rows.push([osec.id, at, next, kind, from, Math.min(from + step, extent!.to)]);
      }
      at = next;
    }
  }
  const address = arena.alloc(rows.length * WINDOW_ROW);
  rows.forEach(([osec, at, next, slice, from, to], i) => {
    const cell = address + i * WINDOW_ROW;
    arena.u32[cell >>> 2] = osec!;
    arena.u32[(cell >>> 2) + 1] = at!;
    arena.u32[(cell >>> 2) + 2] = next!;
    arena.u32[(cell >>> 2) + 3] = slice!;
    arena.f64[(cell >>> 3) + 2] = from!;
    arena.f64[(cell >>> 3) + 3] = to!;
  });
  return { address, count: rows.length };
}

/** Bytes of the output that members [first, end) cover; null when they have none of their own. */
function extentOf(ctx: Context, first: number, end: number): { from: number; to: number } | null {
  const { isec, member } = ctx.tables;
  const own = (row: number) => isec.kind[row] !== ISEC_MERGE && isec.kind[row] !== ISEC_EH_FRAME;
  let i = first;
  while (i < end && !own(member.isec[i]!)) i++;
  if (i === end) return null;
  let last = end - 1;
  while (!own(member.isec[last]!)) last--;
  const from = isec.outOffset[member.isec[i]!]!;
  const to = isec.outOffset[member.isec[last]!]! + isec.size[member.isec[last]!]!;
  return to > from ? { from, to } : null;
}

/** A piece of the merged strings and constants of an msec, a window at a time. */
function writeMergedPiece(w: WorkerContext, chunk: number): void {
  const { msec, osec } = w.tables;
  const row = (w.args[A_MERGED]! >>> 2) + 2 * chunk;
  const [m, number] = [w.u32[row]!, w.u32[row + 1]!];
  const target = msec.osec[m]!;
  if ((osec.memory[target] !== 0) !== (w.args[A_FD]! === IN_MEMORY)) return;
  const start = msec.outOffset[m]!;
  const end = Math.min(msec.size[m]!, (number + 1) * MERGED_BYTES);
  for (let from = number * MERGED_BYTES; from < end; from += WINDOW_BYTES) {
    const to = Math.min(end, from + WINDOW_BYTES);
    const ready = msec.bytes[m] !== 0;
    const window = ready ? msec.bytes[m]! + from : w.window(3, to - from + 16);
    if (!ready) writeMerged(w, m, from, to, window);
    put(w, target, start + from, window, to - from);
  }
}

/** Cuts the merged parts of which `takes` says so into pieces: a list of u32 msec row, u32 number of the piece. */
function cutMerged({ arena, tables: { msec } }: Context, takes: (m: number) => boolean): List {
  const rows: number[] = [];
  msec.size.forEach((size, m) => {
    if (m > 0 && takes(m)) for (let n = 0; n * MERGED_BYTES < size; n++) rows.push(m, n);
  });
  const address = arena.alloc(4 * rows.length + 4);
  arena.u32.set(rows, address >>> 2);
  return { address, count: rows.length / 2 };
}

/** Reads isec, member, sym; writes the output's input-made contents, .rela.dyn slices. This thread does `work` while others have begun. */
export async function writeOutput(ctx: Context, fd: number, work: () => void): Promise<void> {
  await keepOrdered(ctx);
  await writeSections(ctx, ctx.osecs.filter((osec) => osec.ready === null), fd, work);
}

/** Makes the contents of some output sections in memory, at osec.memory, relocated. */
export async function makeSections(ctx: Context, osecs: OutputSection[]): Promise<void> {
  await writeSections(ctx, osecs, IN_MEMORY, () => undefined);
}

interface List {
  address: number;
  count: number;
}

const NOTHING: List = { address: 0, count: 0 };
const NO_WINDOWS = { windows: NOTHING, batches: { ...NOTHING, osecs: 0, sections: 0 } };

/** All windows of `osecs`, and the batches of objects of those that are put together so. */
function cutSections(ctx: Context, osecs: OutputSection[], fd: number): { windows: List; batches: Batches; objects: OutputSection[] } {
  const { tables } = ctx;
  const objects = fd === IN_MEMORY ? [] : objectSections(ctx, osecs);
  const { batches, alone } = cutObjects(ctx, objects);
  const taken = new Set(objects);
  const whole = osecs.filter((osec) => !taken.has(osec));
  const ranges = whole.map((osec) => ({ osec, first: tables.osec.memberBase[osec.id]!, end: tables.osec.memberBase[osec.id]! + tables.osec.memberCount[osec.id]! }));
  return { windows: cutRanges(ctx, [...alone, ...ranges], WINDOW_BYTES, fd !== IN_MEMORY), batches, objects };
}

async function run({ pool }: Context, { windows, batches }: { windows: List; batches: Batches }, merged: List, fd: number, work: () => void): Promise<void> {
  const chunks = windows.count + batches.count + merged.count;
  await pool.runWhile(work, "relocate", chunks, windows.address, fd, merged.address, batches.address, batches.osecs, batches.sections, windows.count, batches.count);
}

async function writeSections(ctx: Context, osecs: OutputSection[], fd: number, work: () => void): Promise<void> {
  const cut = cutSections(ctx, osecs, fd);
  // A window fills what is between its members, and so the place of a merged part among them, which has to come after it.
  const covered = windowSections(ctx, cut.windows);
  for (const osec of cut.objects) covered.add(osec.id);
  // Raw images have no debug sections.
  const others = new Set(osecs.map(({ id }) => id).filter((id) => !covered.has(id)));
  const isCovered = (m: number): boolean => covered.has(ctx.tables.msec.osec[m]!);
  await run(ctx, cut, cutMerged(ctx, (m) => others.has(ctx.tables.msec.osec[m]!)), fd, work);
  const late = cutMerged(ctx, isCovered);
  if (late.count > 0) await run(ctx, NO_WINDOWS, late, fd, () => undefined);
  ctx.checkIssues();
}

/** Ids of the output sections that the windows are of. */
function windowSections({ arena }: Context, windows: List): Set<number> {
  return new Set(Array.from({ length: windows.count }, (_, n) => arena.u32[(windows.address + n * WINDOW_ROW) >>> 2]!));
}

// ---- an output that is there already ----

/**
 * Makes those windows again that hold one of the sections that are not 0 in `dirty` (u8 per isec), and the msecs `remerged`; the finished output
 * is in memory at `previous`. What is merged stands in holes of the windows, which the digest knows as empty (params.replaced): they are emptied before and filled after.
 */
export async function rewriteOutput(ctx: Context, fd: number, dirty: number, remerged: ReadonlySet<number>, previous: number): Promise<void> {
  const { params } = ctx;
  const cut = cutSections(ctx, ctx.osecs.filter((osec) => osec.ready === null), fd);
  const { windows, batches } = cut;
  windows.count = keepDirty(ctx, windows, WINDOW_ROW, 4, 1, dirty);
  batches.count = keepDirty(ctx, batches, BATCH_RANGES + 8 * batches.sections, BATCH_RANGES, batches.sections, dirty);
  const osecs = windowSections(ctx, windows);
  emptyHoles(ctx, osecs, previous);
  const digests = params.get("digests");
  if (digests !== 0) params.set("replaced", previous);
  await run(ctx, cut, NOTHING, fd, () => undefined);
  params.set("replaced", 0);
  params.set("digests", 0);
  const merged = cutMerged(ctx, (m) => remerged.has(m) || osecs.has(ctx.tables.msec.osec[m]!));
  await run(ctx, NO_WINDOWS, merged, fd, () => undefined);
  params.set("digests", digests);
  ctx.checkIssues();
}

/** The rows of a table, `rowBytes` long, of which one of the ranges of members (u32 pairs from byte `from` on) holds a dirty section; how many. */
function keepDirty({ arena, kernels }: Context, { address, count }: { address: number; count: number }, rowBytes: number, from: number, ranges: number, dirty: number): number {
  const { u8, u32 } = arena;
  let kept = 0;
  for (let n = 0; n < count; n++) {
    const row = address + n * rowBytes;
    let isDirty = false;
    for (let k = 0; k < ranges; k++) isDirty ||= kernels.anyDirty(u32[(row + from + 8 * k) >>> 2]!, u32[(row + from + 8 * k + 4) >>> 2]!, dirty) !== 0;
    if (isDirty) u8.copyWithin(address + kept++ * rowBytes, row, row + rowBytes);
  }
  return kept;
}

/** The bytes of the merged parts of some output sections become what is between members. */
function emptyHoles({ kernels, params, tables: { msec, osec } }: Context, osecs: ReadonlySet<number>, previous: number): void {
  for (let m = 1; m < msec.rows; m++) {
    const id = msec.osec[m]!;
    if (!osecs.has(id)) continue;
    kernels.fillBytes(previous + osec.offset[id]! + msec.outOffset[m]!, fillOf({ params }, osec.sh_flags[id]!), msec.size[m]!);
  }
}
