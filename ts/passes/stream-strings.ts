/**
 * Merging strings of sections that are not loaded: their contents are read once, some kilobytes at a time, and what is new among them stays
 * in memory until it is written.
 *
 * A part of merge-pieces, with the same result; not for -O2, which sorts all winners, nor for -r. The surprising choice: nobody knows
 * who was first before all threads are done, so strings are found and kept in one phase without an order (stream-strings kernel), and
 * get their places after it (place-strings kernel).
 */
import { ERR_COMPRESSED, ISSUE_BAD_MERGE, MERGE_SHARDS, STREAM_GROUP_BYTES, STREAM_ITEM_BYTES, STREAM_RUN_BYTES, STREAM_SLICE_BYTES } from "../../as-kernels/shared/abi.ts";
import {
  STREAM_BATCH_RECORDS, STREAM_BLOCK_ENTRIES, STREAM_BYTES, STREAM_COUNT, STREAM_ITEMS, STREAM_RECORD_BYTES, STREAM_SHARD_BYTES, STREAM_SORTED_BYTES, STREAM_STATE_FULL, STREAM_STATE_SHARDS,
} from "../../as-kernels/shared/cells.ts";
import type { Context } from "../context.ts";
import { mergedTooLarge } from "../diagnostics/layout-messages.ts";
import { outOfMemory } from "../memory/arena.ts";
import { HostError } from "../host/host.ts";
import type { Phases, WorkerContext } from "../memory/pool.ts";
import { moveTable, setRows } from "../memory/table.ts";
import { putXxh3Secret } from "../memory/xxh3-secret.ts";
import { keptRun } from "./section-runs.ts";
import { bindSymbols } from "./split-pieces.ts";

/** What is read is still in the second-level cache when it is cut. */
const STEP_BYTES = 1 << 17;
/** Bytes of contents that are looked up together. */
const BATCH_BYTES = 1 << 21;
/** And how many reads bring them, which are what short sections take. */
const BATCH_RUNS = 64;
/** And how many strings of them, before another step. */
const BATCH_RECORDS = 1 << 16;
/** A section that is too large for one thread is cut into parts of about this size, half of it at least. */
const PART_BYTES = 1 << 22;
/** Bytes that are looked at for the end of a string. */
const TAIL_BYTES = 4096;
/** Bytes of sections for each byte of the region for what goes away again: address space, of which little is used. */
const REGION_PART = 1.5;
/** And the part of what is left that it may take. */
const FREE_PART = 8;
/** Bytes of sections for each slot that the shards have at first. */
const SLOT_BYTES = 512;

/** Other layouts of the kernels. */
const STATE_BYTES = STREAM_STATE_SHARDS + STREAM_SHARD_BYTES * MERGE_SHARDS;
const RECORD_BYTES = STREAM_RECORD_BYTES + STREAM_SORTED_BYTES;
/** Addresses of blocks of entries: as many as their numbers can say. */
const MOST_BLOCKS = 1 << 19;

/** Worker windows: contents; the batch of the kernel. */
const CONTENTS = 0;
const BATCH = 1;
/** Kernels look at words. */
const MARGIN = 32;

const A_GROUPS = 0;
const A_RUNS = 1;
const A_SLICES = 2;
const A_STATE = 3;

/** Contents that cannot be inflated are the input's fault; they count as zeros. */
function inflate(w: WorkerContext, isec: number, at: number, bytes: number): void {
  try {
    w.contents(isec, at);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    w.kernels.reportIssue(ISSUE_BAD_MERGE, w.tables.isec.obj[isec]!, isec, 0, ERR_COMPRESSED);
    w.kernels.fillBytes(at, 0, bytes);
  }
}

/** What a thread has in work: contents of a group, and what has been cut of them. */
class Batch {
  private readonly w: WorkerContext;
  private readonly group: number;
  private readonly row: number;
  private contents = 0;
  private room = 0;
  private used = 0;
  private at = 0;
  private most = 0;
  private records = 0;

  constructor(w: WorkerContext, group: number) {
    this.w = w;
    this.group = group;
    this.row = w.args[A_GROUPS]! + group * STREAM_GROUP_BYTES;
    this.begin(BATCH_BYTES + STEP_BYTES, BATCH_RECORDS + STEP_BYTES);
  }

  private begin(bytes: number, records: number): void {
    const { w } = this;
    [this.contents, this.room, this.used] = [w.window(CONTENTS, bytes + MARGIN), bytes, 0];
    [this.at, this.most, this.records] = [w.window(BATCH, STREAM_BATCH_RECORDS + records * RECORD_BYTES), records, 0];
    w.kernels.openBatch(this.at);
  }

  /** Where `bytes` bytes can be put. */
  place(bytes: number): number {
    if (this.used + bytes > this.room || this.records > BATCH_RECORDS) this.enter();
    if (bytes > this.room) this.begin(bytes, this.most);
    return this.contents + this.used;
  }

  /** Cuts the bytes that have been put there last, `from` bytes behind the start of a section. */
  cut(isec: number, address: number, bytes: number, from: number): void {
    const { w } = this;
    const width = w.tables.isec.sh_entsize[isec]!;
    if (bytes > STEP_BYTES) {
      const most = w.kernels.mostPieces(address, bytes, width);
      if (this.records + most > this.most) {
        this.enter();
        if (most > this.most) [this.at, this.most] = [w.window(BATCH, STREAM_BATCH_RECORDS + most * RECORD_BYTES), most];
        w.kernels.openBatch(this.at);
      }
    }
    this.records = w.kernels.cutSlice(w.args[A_STATE]!, this.row, isec, address, bytes, from, this.at);
    if (this.records === 0 && bytes > 0) throw outOfMemory(w.memory);
    this.used = Math.ceil((address - this.contents + bytes) / 16) * 16;
  }

  /** Looks up what has been cut. */
  enter(): void {
    if (this.records > 0 && this.w.kernels.enterBatch(this.w.args[A_STATE]!, this.group, this.at) === 0) throw outOfMemory(this.w.memory);
    [this.used, this.records] = [0, 0];
  }
}

/** `bytes` bytes of a section from `from` on, `place` in file `source`, step by step. */
function takeSteps(w: WorkerContext, batch: Batch, isec: number, from: number, bytes: number, source: number, place: number): void {
  const width = w.tables.isec.sh_entsize[isec]!;
  for (let [at, step] = [0, STEP_BYTES]; at < bytes; ) {
    const count = Math.min(bytes - at, width * Math.max(1, Math.floor(step / width)));
    const contents = batch.place(count);
    w.read(source, place + at, contents, count);
    const end = at + count === bytes ? count : w.kernels.lastNul(contents, count, width);
    step = end === 0 ? 2 * step : STEP_BYTES;
    if (end === 0) continue;
    batch.cut(isec, contents, end, from + at);
    at += end;
  }
}

function takeRun(w: WorkerContext, batch: Batch, run: number): void {
  const [place, bytes] = [w.f64[run >>> 3]!, w.f64[(run >>> 3) + 1]!];
  const [source, first, end, compressed] = w.words(run + 16, 4);
  const slice = (w.args[A_SLICES]! + first * STREAM_SLICE_BYTES) >>> 2;
  if (bytes > STEP_BYTES && compressed === 0) return takeSteps(w, batch, w.u32[slice]!, w.u32[slice + 1]!, bytes, source, place);
  const contents = batch.place(compressed === 0 ? bytes : w.u32[slice + 2]!);
  const isec = w.u32[slice]!;
  const kept = keptRun(w, isec, w.u32[slice + 4 * (end - first - 1)]!);
  if (kept !== 0) w.kernels.copyMemory(contents, kept + place - w.tables.isec.sh_offset[isec]!, bytes);
  else if (compressed === 0) w.read(source, place, contents, bytes);
  else inflate(w, compressed, contents, w.u32[slice + 2]!);
  for (let n = slice; n < slice + 4 * (end - first); n += 4) batch.cut(w.u32[n]!, contents + w.u32[n + 3]!, w.u32[n + 2]!, w.u32[n + 1]!);
}

/** One group. */
function takeChunk(w: WorkerContext, chunk: number): void {
  const row = (w.args[A_GROUPS]! + chunk * STREAM_GROUP_BYTES) >>> 2;
  const batch = new Batch(w, chunk);
  for (let run = w.u32[row]!; run < w.u32[row + 1]!; run++) takeRun(w, batch, w.args[A_RUNS]! + run * STREAM_RUN_BYTES);
  batch.enter();
}

const groupRow = (w: WorkerContext, chunk: number): number => w.args[A_GROUPS]! + chunk * STREAM_GROUP_BYTES;

export const STREAM_PHASES: Phases = {
  "stream-take": takeChunk,
  "stream-mark": (w, chunk) => void w.kernels.markWinners(groupRow(w, chunk), chunk, w.args[A_STATE]!),
  "stream-place": (w, chunk) => void w.kernels.placeWinners(groupRow(w, chunk), w.args[A_STATE]!),
  "stream-finish": (w, chunk) => void w.kernels.finishGroup(groupRow(w, chunk), w.args[A_STATE]!),
};

/**
 * Needs isec.osec and the msecs; gives streamed sections their pieces, piece.out, and the msecs their size and their contents
 * (msec.stream), unless those are too many to be kept. Returns the bytes that are.
 */
export async function streamStrings(ctx: Context): Promise<number> {
  const { arena, kernels, params, tables } = ctx;
  const totals = arena.alloc(16);
  if (kernels.findStreams(totals) === 0) return 0;
  const [bytes, indexBytes] = [arena.f64[totals >>> 3]!, arena.f64[(totals >>> 3) + 1]!];
  if (params.get("xxh3Secret") === 0) params.set("xxh3Secret", putXxh3Secret(arena));
  const streams: number[] = [];
  tables.msec.stream.forEach((is, m) => {
    if (is !== 0) streams.push(m);
  });
  const strings = new StreamedStrings(ctx, streams, bytes, indexBytes);
  const kept = await strings.merge();
  if (params.get("streamSymbols") !== 0) await bindSymbols(ctx);
  return kept;
}

class StreamedStrings {
  private readonly ctx: Context;
  private readonly streams: number[];
  private readonly state: number;
  private readonly region: { at: number; bytes: number };
  /** Rows of the kernels, and how many. */
  private readonly runRows: number;
  private readonly sliceRows: number;
  private runs = 0;
  private slices = 0;
  /** Address of the next block index. */
  private index: number;
  /** A few words that kernels leave, and the end of a part. */
  private readonly cell: number;

  constructor(ctx: Context, streams: number[], bytes: number, indexBytes: number) {
    const { arena, tables } = ctx;
    this.ctx = ctx;
    this.streams = streams;
    this.state = arena.allocZeroed(STATE_BYTES, 64);
    this.index = arena.alloc(indexBytes + 16);
    this.cell = arena.alloc(TAIL_BYTES + 64);
    const most = tables.mmember.rows + Math.ceil((2 * bytes) / PART_BYTES) + 1;
    this.runRows = arena.alloc(STREAM_RUN_BYTES * most);
    this.sliceRows = arena.alloc(STREAM_SLICE_BYTES * most);
    const { free } = arena;
    const region = Math.floor(Math.min(bytes / REGION_PART + 65536, free / FREE_PART) / 64) * 64;
    this.region = { at: arena.alloc(region, 64), bytes: region };
    const slots = 2 ** Math.max(4, Math.ceil(Math.log2(bytes / SLOT_BYTES / MERGE_SHARDS)));
    // of each msec one string is shorter than two bytes, and every shard has a block that is not full
    const blocks = Math.min(MOST_BLOCKS, Math.ceil((bytes / 2 + streams.length) / STREAM_BLOCK_ENTRIES) + MERGE_SHARDS + 1);
    arena.u32.set([this.region.at, this.region.at + region, 0, 0, slots, arena.alloc(4 * blocks), 1, blocks], this.state >>> 2);
  }

  /** All of it; returns the bytes that stay in memory. */
  async merge(): Promise<number> {
    const { ctx: { arena, kernels, pool, tables }, runRows, sliceRows, state, streams } = this;
    this.listRuns();
    const groups = arena.alloc(STREAM_GROUP_BYTES * this.runs);
    const count = kernels.groupRuns(runRows, this.runs, BATCH_BYTES, BATCH_RUNS, groups);
    await pool.run("stream-take", count, groups, runRows, sliceRows, state);
    await pool.run("stream-mark", count, groups, runRows, sliceRows, state);
    for (const m of streams) tables.msec.stream[m] = arena.allocZeroed(STREAM_BYTES);
    const first = tables.piece.rows;
    const rows = kernels.numberSegments(groups, count, first);
    moveTable(arena, tables, "piece", rows, kernels.copyMemory!, this.ctx.checkpoint.resolved?.pieces != null);
    setRows(tables, "piece", rows);
    for (const m of streams) this.placeStream(m);
    await pool.run("stream-place", count, groups, runRows, sliceRows, state);
    await pool.run("stream-finish", count, groups, runRows, sliceRows, state);
    arena.recycle(this.region.at, this.region.bytes);
    if (arena.u32[(state + STREAM_STATE_FULL) >>> 2] === 0) return streams.reduce((sum, m) => sum + tables.msec.size[m]!, 0);
    for (const m of streams) tables.msec.stream[m] = 0;
    return 0;
  }

  private placeStream(m: number): void {
    const { ctx: { arena, diag, kernels, tables } } = this;
    const stream = tables.msec.stream[m]!;
    if (kernels.placeShards(m, stream) !== 0) diag.fatal(mergedTooLarge());
    const count = kernels.numberItems(stream);
    arena.u32[(stream + STREAM_ITEMS) >>> 2] = arena.alloc(STREAM_ITEM_BYTES * count + 16);
    arena.u32[(stream + STREAM_COUNT) >>> 2] = count;
  }

  private listRuns(): void {
    const { ctx: { arena, kernels, tables }, cell } = this;
    let row = 1;
    while (row < tables.isec.rows) {
      arena.u32.set([row, this.runs, this.slices, this.index], cell >>> 2);
      kernels.listRuns(this.runRows, this.sliceRows, cell);
      const large = arena.u32[(cell >>> 2) + 4]!;
      [row, this.runs, this.slices, this.index] = arena.words(cell, 4);
      if (large !== 0) this.addParts(large);
    }
  }

  /** The parts of a large section. */
  private addParts(isec: number): void {
    const { arena, kernels, tables } = this.ctx;
    const size = tables.isec.size[isec]!;
    const source = tables.obj.source[tables.isec.obj[isec]!]!;
    for (let from = 0, to = 0; from < size; from = to) {
      to = this.partEnd(isec, from);
      const run = this.runRows + this.runs * STREAM_RUN_BYTES;
      arena.f64[run >>> 3] = tables.isec.sh_offset[isec]! + from;
      arena.f64[(run >>> 3) + 1] = to - from;
      arena.u32.set([source, this.slices, this.slices + 1, 0], (run >>> 2) + 4);
      kernels.putSlice(this.sliceRows + this.slices * STREAM_SLICE_BYTES, isec, from, to - from, 0);
      this.runs++;
      this.slices++;
    }
  }

  /** Where a part that begins at `from` ends: behind a string. */
  private partEnd(isec: number, from: number): number {
    const { ctx: { kernels, pool, tables }, cell } = this;
    const [size, width] = [tables.isec.size[isec]!, tables.isec.sh_entsize[isec]!];
    const source = tables.obj.source[tables.isec.obj[isec]!]!;
    const step = width * Math.floor(TAIL_BYTES / width);
    if (step === 0) return size;
    for (let bytes = PART_BYTES; from + bytes < size; bytes *= 2) {
      for (let end = from + width * Math.ceil(bytes / width); end > from + width * Math.ceil(bytes / width / 2); end -= step) {
        const start = Math.max(from, end - step);
        pool.self.read(source, tables.isec.sh_offset[isec]! + start, cell, end - start);
        const found = kernels.lastNul(cell, end - start, width);
        if (found !== 0) return start + found;
      }
    }
    return size;
  }
}
