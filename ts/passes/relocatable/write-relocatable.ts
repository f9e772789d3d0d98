/**
 * -r: contents and relocations of the output's sections, written window by window.
 *
 * A window is a stretch of members, whatever output sections they are in: members of groups are one section each, and a
 * write for every one of them would cost more than the copying. Relocations that are not resident are read straight to their
 * place in the window and rewritten there. Sections that will be compressed are made in memory first (osec.memory, see
 * relocatable-compressed.ts) and are then no longer written here.
 */
import { NEXT_BYTES, NEXT_COMPRESSED, NEXT_END, NEXT_SOURCE } from "../../../as-kernels/shared/cells.ts";
import { RELA_BYTES } from "../../../as-kernels/shared/elf.ts";
import type { Context } from "../../context.ts";
import type { Phases, WorkerContext } from "../../memory/pool.ts";
import { writeMerged } from "../write-merged.ts";
import { inflate } from "../write-output.ts";

const WINDOW_BYTES = 1 << 20;

/** A window: u32 first and end member, then f64 start and end in the file. */
const WINDOW_ROW = 24;

/** osec.memory of a section whose bytes are somewhere else and finished. */
export const STORED = 1;

const A_WINDOWS = 0;
const A_FD = 1;

/** Members, and the stretch of the file that their bytes or relocations take. */
export interface RelaWindow {
  first: number;
  end: number;
  from: number;
  to: number;
}

function putWindows(ctx: Context, windows: RelaWindow[]): number {
  const { arena } = ctx;
  const address = arena.alloc(windows.length * WINDOW_ROW);
  windows.forEach(({ first, end, from, to }, i) => {
    const at = address + i * WINDOW_ROW;
    arena.u32[at >>> 2] = first;
    arena.u32[(at >>> 2) + 1] = end;
    arena.f64[(at >>> 3) + 1] = from;
    arena.f64[(at >>> 3) + 2] = to;
  });
  return address;
}

function windowOf(w: WorkerContext, chunk: number): RelaWindow {
  const at = w.args[A_WINDOWS]! + chunk * WINDOW_ROW;
  return { first: w.u32[at >>> 2]!, end: w.u32[(at >>> 2) + 1]!, from: w.f64[(at >>> 3) + 1]!, to: w.f64[(at >>> 3) + 2]! };
}

/** More than `WINDOW_BYTES` are one member's. Writes them slice by slice if they are only to be copied, which needs no room for all of them. */
function copyLarge(w: WorkerContext, { first, end, from, to }: RelaWindow): boolean {
  const { isec, osec, member } = w.tables;
  const out = w.window(2, NEXT_BYTES);
  w.kernels.nextRun(first, end, WINDOW_BYTES, out);
  const [start, stop] = [w.f64[out >>> 3]!, w.f64[(out + NEXT_END) >>> 3]!];
  const source = w.u32[(out + NEXT_SOURCE) >>> 2]!;
  if (stop - start !== to - from || osec.memory[isec.osec[member.isec[first]!]!] !== 0 || w.kernels.nextTombstone(first, end) < end) return false;
  const window = w.window(0, WINDOW_BYTES + 16);
  for (let at = 0; at < to - from; at += WINDOW_BYTES) {
    const bytes = Math.min(WINDOW_BYTES, to - from - at);
    w.read(source, start + at, window, bytes);
    w.write(w.args[A_FD]!, window, bytes, from + at);
  }
  return true;
}

/** Phase: the contents of a window's members. */
function contentsPhase(w: WorkerContext, chunk: number): void {
  const { first, end, from, to } = windowOf(w, chunk);
  if (to - from > WINDOW_BYTES && copyLarge(w, { first, end, from, to })) return;
  const { isec, osec } = w.tables;
  const window = w.window(0, to - from + 16);
  const out = w.window(2, NEXT_BYTES);
  w.kernels.fillBytes(window, 0, to - from);
  for (let at = first; at < end; ) {
    const next = w.kernels.nextRun(at, end, WINDOW_BYTES, out);
    const [start, stop] = [w.f64[out >>> 3]!, w.f64[(out + NEXT_END) >>> 3]!];
    const compressed = w.u32[(out + NEXT_COMPRESSED) >>> 2]!;
    if (compressed !== 0) {
      inflate(w, compressed, window + (osec.offset[isec.osec[compressed]!]! + isec.outOffset[compressed]! - from));
    } else if (stop > start) {
      const input = w.window(1, stop - start + 16);
      w.read(w.u32[(out + NEXT_SOURCE) >>> 2]!, start, input, stop - start);
      w.kernels.placeContents(at, next, input, start, window, from);
    }
    at = next;
  }
  buryDead(w, first, end, window, from);
  const id = isec.osec[w.tables.member.isec[first]!]!;
  if (osec.memory[id] === 0) w.write(w.args[A_FD]!, window, to - from, from);
  else w.kernels.copyMemory(osec.memory[id]! + (from - osec.offset[id]!), window, to - from);
}

/** Range lists of debug information must not end where dead code was: see tombstoneOf in the kernels. */
function buryDead(w: WorkerContext, first: number, end: number, window: number, from: number): void {
  const { isec, member, obj, osec } = w.tables;
  for (let i = w.kernels.nextTombstone(first, end); i < end; i = w.kernels.nextTombstone(i + 1, end)) {
    const row = member.isec[i]!;
    const count = isec.relaCount[row]!;
    let rela = isec.rela[row]!;
    if (rela === 0) {
      rela = w.window(1, count * RELA_BYTES + 16);
      w.read(obj.source[isec.obj[row]!]!, isec.relaOffset[row]!, rela, count * RELA_BYTES);
    }
    w.kernels.buryDead(row, rela, count, window + (osec.offset[isec.osec[row]!]! + isec.outOffset[row]! - from));
  }
}

/** Phase: the merged strings and constants of one msec. Argument: 1 = only what goes to memory. */
function mergedPhase(w: WorkerContext, chunk: number): void {
  const { msec, osec } = w.tables;
  const m = chunk + 1;
  const memory = osec.memory[msec.osec[m]!]!;
  if (w.args[A_WINDOWS] === 1 && memory > STORED) return writeMerged(w, m, 0, msec.size[m]!, memory + msec.outOffset[m]!);
  if (w.args[A_WINDOWS] === 1 || memory !== 0) return;
  const start = osec.offset[msec.osec[m]!]! + msec.outOffset[m]!;
  const size = msec.size[m]!;
  for (let from = 0; from < size; from += WINDOW_BYTES) {
    const bytes = Math.min(size - from, WINDOW_BYTES);
    const window = w.window(3, bytes + 16);
    writeMerged(w, m, from, from + bytes, window);
    w.write(w.args[A_FD]!, window, bytes, start + from);
  }
}

/** Phase: the relocations of a window's members. */
function relocationsPhase(w: WorkerContext, chunk: number): void {
  const { first, end, from, to } = windowOf(w, chunk);
  const { isec, member, obj } = w.tables;
  const window = w.window(0, to - from + 16);
  const written = w.window(2, 4) >>> 2;
  let at = window;
  for (let i = first; i < end; ) {
    i = w.kernels.writeRelas(i, end, at, written << 2);
    at += w.u32[written]!;
    if (i === end) break;
    const row = member.isec[i]!;
    w.read(obj.source[isec.obj[row]!]!, isec.relaOffset[row]!, at, isec.relaCount[row]! * RELA_BYTES);
    isec.rela[row] = at;
    i = w.kernels.writeRelas(i, i + 1, at, written << 2);
    isec.rela[row] = 0;
    at += w.u32[written]!;
  }
  if (at - window !== to - from) throw new Error(`relocations: ${at - window} bytes instead of ${to - from}`);
  w.write(w.args[A_FD]!, window, to - from, from);
}

export const RELOCATABLE_PHASES: Phases = {
  "relocatable-contents": contentsPhase, "relocatable-merged": mergedPhase, "relocatable-relocations": relocationsPhase,
};

/** Windows of the members in [first, last). */
function contentWindows({ arena, kernels }: Context, first: number, last: number, windows: RelaWindow[]): void {
  const out = arena.alloc(16);
  while (first < last) {
    const end = kernels.cutContents(first, last, WINDOW_BYTES, out);
    const [from, to] = [arena.f64[out >>> 3]!, arena.f64[(out >>> 3) + 1]!];
    if (to > from) windows.push({ first, end, from, to });
    first = end;
  }
}

/** Makes the contents of the output sections `ids` in memory: osec.memory has the addresses, of zeros. */
export async function makeContents(ctx: Context, ids: number[]): Promise<void> {
  const { osec, msec } = ctx.tables;
  const windows: RelaWindow[] = [];
  for (const id of ids) contentWindows(ctx, osec.memberBase[id]!, osec.memberBase[id]! + osec.memberCount[id]!, windows);
  await ctx.pool.run("relocatable-contents", windows.length, putWindows(ctx, windows), 0);
  await ctx.pool.run("relocatable-merged", msec.rows - 1, 1, 0);
}

/** Writes what sections contain, but for those that are stored already (`stored`, by osec row). */
export async function writeContents(ctx: Context, fd: number, stored: Iterable<number>): Promise<void> {
  const { tables } = ctx;
  const windows: RelaWindow[] = [];
  let first = 1;
  for (const id of stored) {
    contentWindows(ctx, first, tables.osec.memberBase[id]!, windows);
    first = tables.osec.memberBase[id]! + tables.osec.memberCount[id]!;
  }
  contentWindows(ctx, first, tables.member.rows, windows);
  await ctx.pool.run("relocatable-contents", windows.length, putWindows(ctx, windows), fd);
  // Afterwards, because windows write zeros between their members.
  await ctx.pool.run("relocatable-merged", tables.msec.rows - 1, 0, fd);
}

/** Writes all relocation sections, which lie one after the other from file offset `start` on. */
export async function writeRelocations(ctx: Context, fd: number, start: number): Promise<void> {
  const { arena, kernels, tables } = ctx;
  const windows: RelaWindow[] = [];
  const out = arena.alloc(16);
  const members = tables.member.rows;
  let from = start;
  for (let first = 1; first < members; ) {
    const end = kernels.cutRelas(first, members, WINDOW_BYTES, out);
    const to = from + arena.u32[out >>> 2]! * RELA_BYTES;
    if (to > from) windows.push({ first, end, from, to });
    first = end;
    from = to;
  }
  await writeRelaWindows(ctx, fd, windows);
}

/** Writes the relocations of the members of each window to its place in the file, which they must fill exactly. */
export async function writeRelaWindows(ctx: Context, fd: number, windows: RelaWindow[]): Promise<void> {
  await ctx.pool.run("relocatable-relocations", windows.length, putWindows(ctx, windows), fd);
  ctx.checkIssues();
}
