/**
 * Equal pieces of SHF_MERGE sections get one place: piece.out, and the sizes of the merged parts (`msec`).
 *
 * Needs isec.osec and final piece.live; addresses are not needed, so the merged bytes can be put together right away
 * (msec.bytes), by reading the sections that have winners once more. Work is cut by piece numbers of each msec, so the result
 * is a function of the inputs alone.
 */
import { MERGE_SHARDS, PIECE_RECORD_BYTES, TAIL_ITEM_BYTES } from "../../as-kernels/shared/abi.ts";
import type { Context } from "../context.ts";
import { mergedTooLarge } from "../diagnostics/layout-messages.ts";
import type { Phases, WorkerContext } from "../memory/pool.ts";
import { slotsFor } from "../memory/rows.ts";
import { allocTable, setRows } from "../memory/table.ts";
import { eachRun } from "./section-runs.ts";
import { streamStrings } from "./stream-strings.ts";

/** Pieces a counting, scattering or finishing chunk takes. */
const CHUNK_PIECES = 32768;
/** Msecs are worked on together until they have this many pieces: bounds the memory for records. */
const BATCH_PIECES = 1 << 22;
/** Members a copying chunk takes. */
const CHUNK_MEMBERS = 512;
const RUN_BYTES = 1 << 20;
/** More merged bytes than this are not kept in memory but made window by window. */
const RESIDENT_BYTES = 1 << 30;

/** A task in memory: u32 cells, read by workers. */
const TASK_WORDS = 8;
const T_MSEC = 0;
const T_FROM = 1;
const T_TO = 2;
const T_COUNTS = 3;
const T_RECORDS = 4;
const T_STARTS = 5;
const T_BY_ROW = 6;

function task(w: WorkerContext, chunk: number): Uint32Array {
  const at = (w.args[0]! >>> 2) + chunk * TASK_WORDS;
  return w.u32.subarray(at, at + TASK_WORDS);
}

function countChunk(w: WorkerContext, chunk: number): void {
  const t = task(w, chunk);
  w.kernels.countShards(t[T_MSEC]!, t[T_FROM]!, t[T_TO]!, t[T_COUNTS]!);
}

function scatterChunk(w: WorkerContext, chunk: number): void {
  const t = task(w, chunk);
  w.kernels.scatterPieces(t[T_MSEC]!, t[T_FROM]!, t[T_TO]!, t[T_COUNTS]!, t[T_RECORDS]!);
}

/** T_FROM, T_TO: record numbers; T_COUNTS: where the shard's size goes. */
function dedupeChunk(w: WorkerContext, chunk: number): void {
  const t = task(w, chunk);
  const slots = slotsFor(t[T_TO]! - t[T_FROM]!);
  const table = w.window(0, 4 * slots);
  const size = w.kernels.dedupeShard(t[T_MSEC]!, t[T_RECORDS]!, t[T_FROM]!, t[T_TO]!, table, slots, t[T_BY_ROW]!);
  w.u32[t[T_COUNTS]! >>> 2] = size;
}

/** Second argument: 1 = winners only. */
function finishChunk(w: WorkerContext, chunk: number): void {
  const t = task(w, chunk);
  w.kernels.finishPieces(t[T_MSEC]!, t[T_FROM]!, t[T_TO]!, t[T_STARTS]!, t[T_BY_ROW]!, w.args[1]!);
}

/** Arguments: first member, end. Copies winners into msec.bytes. */
function copyChunk(w: WorkerContext, chunk: number): void {
  const from = w.args[0]! + chunk * CHUNK_MEMBERS;
  const to = Math.min(from + CHUNK_MEMBERS, w.args[1]!);
  copyMembers(w, from, to, 0, 0, 0);
}

/** Arguments: first member, end. Compares every live piece with the bytes that stand for it. */
function verifyChunk(w: WorkerContext, chunk: number): void {
  const from = w.args[0]! + chunk * CHUNK_MEMBERS;
  const to = Math.min(from + CHUNK_MEMBERS, w.args[1]!);
  for (let member = from; member < to; member++) {
    const isec = w.tables.mmember.isec[member]!;
    const bytes = w.tables.msec.bytes[w.tables.isec.msec[isec]!]!;
    if (bytes === 0) continue;
    const contents = w.window(0, w.tables.isec.size[isec]!);
    w.contents(isec, contents);
    const wrong = w.kernels.verifyMerged(isec, contents, bytes);
    if (wrong !== 0) throw new Error(`two different mergeable pieces have the same 128-bit hash (piece row ${wrong - 1})`);
  }
}

export const MERGE_PHASES: Phases = {
  "merge-count": countChunk,
  "merge-scatter": scatterChunk,
  "merge-dedupe": dedupeChunk,
  "merge-finish": finishChunk,
  "merge-copy": copyChunk,
  "merge-verify": verifyChunk,
};

/** Copies winners of members [from, to) that lie in [low, high) of their msec to `at`; at 0: into msec.bytes, all of them. */
export function copyMembers(w: WorkerContext, from: number, to: number, low: number, high: number, at: number): void {
  eachRun(
    w,
    from,
    (row, cell) => w.kernels.nextWinnerRun(row, to, RUN_BYTES, cell),
    (row) => w.tables.mmember.isec[row]!,
    (first, end, contents, start) => w.kernels.copyRun(first, end, contents, start, low, high, at),
  );
}

export async function mergePieces(ctx: Context): Promise<void> {
  const { arena, kernels, tables } = ctx;
  const most = kernels.countMergeSections();
  allocTable(arena, tables, "msec", most);
  allocTable(arena, tables, "mmember", most);
  setRows(tables, "msec", kernels.groupMergeSections());
  const kept = await streamStrings(ctx);
  const { pieces } = tables.msec;
  for (let m = 1; m < tables.msec.rows; ) {
    if (pieces[m] === 0) {
      m++; // streamed, or empty
      continue;
    }
    const first = m;
    let sum = 0;
    while (m < tables.msec.rows && pieces[m] !== 0 && (m === first || sum + pieces[m]! <= BATCH_PIECES)) sum += pieces[m++]!;
    await mergeBatch(ctx, first, m);
  }
  await keepBytes(ctx, kept);
}

/** One msec of a batch, while its pieces are being placed. */
interface Group {
  m: number;
  chunks: number;
  /** Address of chunks × MERGE_SHARDS counters, then record positions. */
  counts: number;
  /** Address of MERGE_SHARDS + 1 first record numbers. */
  starts: number;
  /** Address of MERGE_SHARDS sizes, then offsets. */
  sizes: number;
  tail: boolean;
  /** First task of the group in the list it was added to last. */
  firstTask: number;
}

/** Gives the pieces of msecs [from, to) their places, and the msecs their sizes. */
export async function mergeBatch(ctx: Context, from: number, to: number): Promise<void> {
  const { arena, kernels, pool, tables } = ctx;
  const mark = arena.mark();
  const groups: Group[] = [];
  for (let m = from; m < to; m++) groups.push(makeGroup(ctx, m));
  const tasks = new Tasks(ctx, groups.reduce((sum, group) => sum + group.chunks, 0));
  for (const group of groups) tasks.addChunks(group, tables.msec.pieces[group.m]!);
  await pool.run("merge-count", tasks.count, tasks.address);
  const shardTasks = new Tasks(ctx, MERGE_SHARDS * groups.length);
  for (const group of groups) {
    const total = kernels.prefixShards(group.counts, group.chunks, MERGE_SHARDS, group.starts);
    const records = arena.alloc((total + 1) * PIECE_RECORD_BYTES);
    tasks.setRecords(group, records);
    for (let s = 0; s < MERGE_SHARDS; s++) {
      const at = (group.starts >>> 2) + s;
      const [from, to] = [arena.u32[at]!, arena.u32[at + 1]!];
      if (from < to) shardTasks.add([group.m, from, to, group.sizes + 4 * s, records, 0, group.tail ? 1 : 0]);
    }
  }
  await pool.run("merge-scatter", tasks.count, tasks.address);
  await pool.run("merge-dedupe", shardTasks.count, shardTasks.address);
  for (const group of groups) {
    if (kernels.placeShards(group.m, group.sizes) !== 0) ctx.diag.fatal(mergedTooLarge());
  }
  await finish(ctx, groups);
  arena.release(mark);
}

function makeGroup(ctx: Context, m: number): Group {
  const { arena, options, tables } = ctx;
  const chunks = Math.ceil(tables.msec.pieces[m]! / CHUNK_PIECES);
  const counts = arena.allocZeroed(4 * MERGE_SHARDS * chunks + 4);
  const starts = arena.alloc(4 * (MERGE_SHARDS + 1));
  const sizes = arena.allocZeroed(4 * MERGE_SHARDS);
  return { m, chunks, counts, starts, sizes, tail: options.optimize >= 2 && tables.msec.strings[m] !== 0, firstTask: 0 };
}

/** Local offsets become places; with tail merging, once the winners have found theirs. */
async function finish(ctx: Context, groups: Group[]): Promise<void> {
  const { pool, tables } = ctx;
  const plain = groups.filter((group) => !group.tail);
  const tails = groups.filter((group) => group.tail);
  if (plain.length > 0) {
    const tasks = finishTasks(ctx, plain, true);
    await pool.run("merge-finish", tasks.count, tasks.address, 0);
  }
  if (tails.length === 0) return;
  const winners = finishTasks(ctx, tails, true);
  await pool.run("merge-finish", winners.count, winners.address, 1);
  for (const group of tails) if (tables.msec.size[group.m]! > 0) await mergeTails(ctx, group.m);
  const others = finishTasks(ctx, tails, false);
  await pool.run("merge-finish", others.count, others.address, 0);
}

function finishTasks(ctx: Context, groups: Group[], withStarts: boolean): Tasks {
  const tasks = new Tasks(ctx, groups.reduce((sum, group) => sum + group.chunks, 0));
  for (const group of groups) tasks.addChunks(group, ctx.tables.msec.pieces[group.m]!);
  for (const group of groups) tasks.setStarts(group, withStarts ? group.sizes : 0);
  return tasks;
}

/** -O2: needs the winners' bytes, so they are put together once for sorting. */
async function mergeTails(ctx: Context, m: number): Promise<void> {
  const { arena, kernels, tables } = ctx;
  const mark = arena.mark();
  const base = tables.msec.memberBase[m]!;
  const end = base + tables.msec.memberCount[m]!;
  const winners = kernels.countWinners(base, end);
  const bytes = arena.allocZeroed(tables.msec.size[m]! + 16);
  tables.msec.bytes[m] = bytes;
  await ctx.pool.run("merge-copy", Math.ceil((end - base) / CHUNK_MEMBERS), base, end);
  tables.msec.bytes[m] = 0;
  const list = arena.alloc(winners * TAIL_ITEM_BYTES + 16);
  const count = kernels.listWinners(m, bytes, list);
  kernels.sortReversed(list, count, arena.alloc(winners * TAIL_ITEM_BYTES + 64));
  kernels.placeTails(m, list, count);
  arena.release(mark);
}

/** A list of tasks in memory, for phases that read one per chunk. */
class Tasks {
  readonly address: number;
  count = 0;
  private readonly ctx: Context;

  constructor(ctx: Context, most: number) {
    this.ctx = ctx;
    this.address = ctx.arena.alloc(4 * TASK_WORDS * most + 4);
  }

  add(words: number[]): void {
    this.ctx.arena.u32.set(words, (this.address >>> 2) + TASK_WORDS * this.count++);
  }

  addChunks(group: Group, pieces: number): void {
    group.firstTask = this.count;
    for (let c = 0; c < group.chunks; c++) {
      const from = c * CHUNK_PIECES;
      this.add([group.m, from, Math.min(from + CHUNK_PIECES, pieces), group.counts + 4 * c * MERGE_SHARDS, 0, 0, group.tail ? 1 : 0]);
    }
  }

  setRecords(group: Group, records: number): void {
    this.setWord(group, T_RECORDS, records);
  }

  setStarts(group: Group, starts: number): void {
    this.setWord(group, T_STARTS, starts);
  }

  private setWord(group: Group, word: number, value: number): void {
    const { u32 } = this.ctx.arena;
    for (let i = 0; i < group.chunks; i++) u32[(this.address >>> 2) + TASK_WORDS * (group.firstTask + i) + word] = value;
  }
}

/** Puts the bytes of members [from, end) together, where their msecs have memory for them. */
export async function copyWinners({ kernels, pool }: Context, from: number, end: number): Promise<void> {
  kernels.countWinners(from, end);
  await pool.run("merge-copy", Math.ceil((end - from) / CHUNK_MEMBERS), from, end);
}

/** Puts the bytes of the merged parts together in memory, as far as RESIDENT_BYTES go, smallest rows first; `kept` are there already. */
async function keepBytes(ctx: Context, kept: number): Promise<void> {
  const { arena, kernels, options, pool, tables } = ctx;
  const { align, bytes, room, size, stream } = tables.msec;
  let left = RESIDENT_BYTES - kept;
  let any = false;
  for (let m = 1; m < tables.msec.rows; m++) {
    // Only to be compared do streamed strings have to lie in their order.
    if (size[m] === 0 || size[m]! > left || (stream[m] !== 0 && !options.verifyHashes)) continue;
    left -= size[m]!;
    room[m] = size[m]! + ctx.spareRows(size[m]!);
    // without alignment every byte is written
    bytes[m] = align[m] === 0 ? arena.alloc(room[m]! + 16) : arena.allocZeroed(room[m]! + 16);
    if (stream[m] === 0) any = true;
    else kernels.copyStrings(m, 0, size[m]!, bytes[m]!);
  }
  const end = tables.mmember.rows;
  if (any) await copyWinners(ctx, 1, end);
  else kernels.countWinners(1, end);
  if (options.verifyHashes && bytes.some((address) => address !== 0)) await pool.run("merge-verify", Math.ceil((end - 1) / CHUNK_MEMBERS), 1, end);
}
