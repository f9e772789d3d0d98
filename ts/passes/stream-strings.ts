/**
 * Merging strings of sections that are not loaded: some megabytes of contents at a time are read, cut and hashed before the next ones
 * take their place; then every shard is deduplicated at once (stream-strings kernel), and what is kept is read again.
 *
 * A part of merge-pieces, with the same result; not for -O2, which sorts all winners, nor for -r. The surprising choice: a section is
 * cut into slices, which end where a string does, so a section of any size needs no more memory than many small ones.
 */
import { ERR_COMPRESSED, ISSUE_BAD_MERGE } from "../../as-kernels/shared/abi.ts";
import type { Context } from "../context.ts";
import { HostError } from "../host/host.ts";
import type { Phases, WorkerContext } from "../memory/pool.ts";
import { moveTable, setRows } from "../memory/table.ts";
import { putXxh3Secret } from "../memory/xxh3-secret.ts";
import { bindSymbols } from "./split-pieces.ts";

/** Contents that are worked on together: they are looked at twice, to count and to cut. */
const ROUND_BYTES = 8 << 20;
/** Slices of a round. */
const ROUND_SLICES = 4096;
/** A section is cut into slices of about this size. */
const CUT_BYTES = 1 << 18;
/** Bytes that are looked at for the end of a string. */
const TAIL_BYTES = 4096;
/** Bytes of sections for each piece that there is room for at first. */
const PIECE_BYTES = 12;

/** Layouts of the kernel. */
const RUN_BYTES = 40;
const SLICE_BYTES = 164;
const RECORD_BYTES = 24;
const ENTRY_BYTES = 24;
const SHARDS = 32;

/** Worker windows: contents of a run; tables of a shard; small things and the records of a slice. */
const CONTENTS = 0;
const TABLE = 1;
const SCRATCH = 2;
const SCRATCH_BYTES = 64;
const STATE_BYTES = 32;

/** Arguments of the phases of a round: its runs and slices. */
const A_RUNS = 0;
const A_SLICES = 1;
/** Of the others: a list of rounds (u32 slices, how many) or of runs (u32 run, slices of its round), how long it is; the msecs. */
const A_LIST = 0;
const A_COUNT = 1;
const A_STREAMS = 2;
const A_SIZES = 3;

/** In place of the bytes of a shard. */
const TOO_LARGE = 0xffff_ffff;

function readRun(w: WorkerContext, run: number, slices: number, at: number): void {
  const [source, , first, , compressed] = w.u32.subarray((run >>> 2) + 4, (run >>> 2) + 9) as unknown as [number, number, number, number, number];
  if (compressed === 0) w.read(source, w.f64[run >>> 3]!, at, w.f64[(run >>> 3) + 1]!);
  else inflate(w, compressed, at, w.u32[((slices + first * SLICE_BYTES) >>> 2) + 2]!);
}

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

function readChunk(w: WorkerContext, chunk: number): void {
  const [run, slices] = [w.args[A_RUNS]! + chunk * RUN_BYTES, w.args[A_SLICES]!];
  readRun(w, run, slices, w.u32[(run >>> 2) + 5]!);
  w.kernels.countSlices(run, slices);
}

function splitChunk(w: WorkerContext, chunk: number): void {
  const [run, slices] = [w.args[A_RUNS]! + chunk * RUN_BYTES, w.args[A_SLICES]!];
  const most = w.kernels.mostPieces(run, slices);
  w.kernels.splitSlices(run, slices, w.window(SCRATCH, SCRATCH_BYTES + most * RECORD_BYTES));
}

/** One shard of one msec. Its bytes go to A_SIZES. */
function dedupeChunk(w: WorkerContext, chunk: number): void {
  const m = w.u32[(w.args[A_STREAMS]! >>> 2) + Math.floor(chunk / SHARDS)]!;
  const shard = chunk % SHARDS;
  const rounds = w.args[A_LIST]! >>> 2;
  let pieces = 0;
  for (let n = 0; n < w.args[A_COUNT]!; n++) pieces += w.kernels.countShard(m, shard, w.u32[rounds + 2 * n]!, w.u32[rounds + 2 * n + 1]!);
  const slots = 2 ** Math.ceil(Math.log2(2 * pieces + 16));
  const table = w.window(TABLE, 4 * slots + ENTRY_BYTES * pieces + 16);
  const state = w.window(SCRATCH, STATE_BYTES);
  w.kernels.fillBytes(table, 0, 4 * slots);
  w.u32.set([table, slots - 1, table + 4 * slots, 0, 0], state >>> 2);
  let lost = 0;
  for (let n = 0; n < w.args[A_COUNT]! && lost === 0; n++) lost = w.kernels.dedupeSlices(m, shard, w.u32[rounds + 2 * n]!, w.u32[rounds + 2 * n + 1]!, state);
  w.u32[(w.args[A_SIZES]! >>> 2) + chunk] = lost !== 0 ? TOO_LARGE : w.u32[(state >>> 2) + 4]!;
}

/** The slices of one round. */
function finishChunk(w: WorkerContext, chunk: number): void {
  const round = (w.args[A_LIST]! >>> 2) + 2 * chunk;
  w.kernels.finishSlices(w.u32[round]!, w.u32[round + 1]!);
}

/** One run. */
function copyChunk(w: WorkerContext, chunk: number): void {
  const cell = (w.args[A_LIST]! >>> 2) + 2 * chunk;
  const [run, slices] = [w.u32[cell]!, w.u32[cell + 1]!];
  if (w.kernels.hasWinners(run, slices) === 0) return;
  const contents = w.window(CONTENTS, w.u32[(run >>> 2) + 8] !== 0 ? w.u32[((slices + w.u32[(run >>> 2) + 6]! * SLICE_BYTES) >>> 2) + 2]! : w.f64[(run >>> 3) + 1]!);
  readRun(w, run, slices, contents);
  w.kernels.copySlices(run, slices, contents);
}

export const STREAM_PHASES: Phases = {
  "stream-read": readChunk,
  "stream-split": splitChunk,
  "stream-dedupe": dedupeChunk,
  "stream-finish": finishChunk,
  "stream-copy": copyChunk,
};

/**
 * Needs isec.osec and the msecs; gives streamed sections their pieces, piece.out, and the msecs their size. null: there are none.
 * Otherwise `copy` is to be called when msec.bytes says where their contents go.
 */
export async function streamStrings(ctx: Context): Promise<StreamedStrings | null> {
  const { arena, kernels, params, tables } = ctx;
  const totals = arena.alloc(16);
  if (kernels.findStreams(totals) === 0) return null;
  const [bytes, indexBytes] = [arena.f64[totals >>> 3]!, arena.f64[(totals >>> 3) + 1]!];
  if (params.get("xxh3Secret") === 0) params.set("xxh3Secret", putXxh3Secret(arena));
  const streams: number[] = [];
  tables.msec.stream.forEach((is, m) => {
    if (is !== 0) streams.push(m);
  });
  const strings = new StreamedStrings(ctx, streams, bytes, indexBytes);
  await strings.split();
  await strings.dedupe();
  if (params.get("streamSymbols") !== 0) await bindSymbols(ctx);
  return strings;
}

interface Block {
  at: number;
  bytes: number;
}

export class StreamedStrings {
  private readonly ctx: Context;
  private readonly streams: number[];
  /** A few words that kernels leave. */
  private readonly cell: number;
  private contents: Block;
  /** The round that is being put together: rows of the kernel, and how many. */
  private readonly runRows: number;
  private readonly sliceRows: number;
  private runs = 0;
  private slices = 0;
  private used = 0;
  /** Finished rounds. */
  private readonly rounds: { runs: number; runCount: number; slices: number; count: number }[] = [];
  /** Memory that is over when all pieces have their places: one block as far as it goes, so that the merged bytes can take its place. */
  private readonly records: Block[];
  private recordsUsed: number;
  /** Next row of `piece`, and rows that there is room for. */
  private row: number;
  private room: number;
  /** Address of the next block index. */
  private index: number;

  constructor(ctx: Context, streams: number[], bytes: number, indexBytes: number) {
    const { arena, kernels, tables } = ctx;
    this.ctx = ctx;
    this.streams = streams;
    this.row = tables.piece.rows;
    this.room = this.row + Math.ceil(bytes / PIECE_BYTES) + 2 * tables.mmember.rows;
    moveTable(arena, tables, "piece", this.room, kernels.copyMemory!);
    this.index = arena.alloc(indexBytes + 16);
    const contents = Math.min(ROUND_BYTES, 2 * bytes + (1 << 16));
    const records = contents + 64 + Math.ceil(bytes / PIECE_BYTES / 2) * RECORD_BYTES;
    this.records = [{ at: arena.alloc(records), bytes: records }];
    this.contents = { at: this.records[0]!.at, bytes: contents };
    this.recordsUsed = contents + 64;
    this.cell = arena.alloc(TAIL_BYTES + 64);
    this.runRows = arena.alloc(RUN_BYTES * ROUND_SLICES);
    this.sliceRows = arena.alloc(SLICE_BYTES * ROUND_SLICES);
  }

  /** Cuts all streamed sections into pieces. */
  async split(): Promise<void> {
    const { ctx: { arena, kernels, tables }, cell } = this;
    let row = 1;
    while (row < tables.isec.rows) {
      arena.u32.set([row, this.runs, this.slices, this.used], cell >>> 2);
      kernels.cutStrings(this.contents.at, this.contents.bytes, this.runRows, this.sliceRows, ROUND_SLICES, cell);
      const large = arena.u32[(cell >>> 2) + 4]!;
      [row, this.runs, this.slices, this.used] = arena.u32.subarray(cell >>> 2, (cell >>> 2) + 4) as unknown as [number, number, number, number];
      if (large === 0) {
        await this.round();
      } else {
        await this.addLarge(large);
        row = large + 1;
      }
    }
    await this.round();
    setRows(tables, "piece", this.row);
  }

  /** Adds the slices of a section; works on what is there whenever there is no more room. */
  private async addLarge(isec: number): Promise<void> {
    const { tables } = this.ctx;
    const size = tables.isec.size[isec]!;
    const whole = tables.isec.compressed[isec] !== 0;
    for (let from = 0; from < size; ) {
      const to = whole ? size : this.sliceEnd(isec, from);
      if (Math.ceil(this.used / 16) * 16 + (to - from) > this.contents.bytes || this.slices === ROUND_SLICES) {
        await this.round();
        this.makeRoom(to - from);
      }
      this.addSlice(isec, from, to, whole);
      from = to;
    }
  }

  private makeRoom(bytes: number): void {
    const { arena } = this.ctx;
    if (bytes <= this.contents.bytes) return;
    this.contents = { at: arena.alloc(bytes + 64), bytes };
    this.records.push({ at: this.contents.at, bytes: bytes + 64 });
  }

  /** Address for that many records. */
  private recordsFor(pieces: number): number {
    const first = this.records[0]!;
    const bytes = pieces * RECORD_BYTES;
    if (this.recordsUsed + bytes <= first.bytes) {
      this.recordsUsed += bytes;
      return first.at + this.recordsUsed - bytes;
    }
    const block = { at: this.ctx.arena.alloc(bytes), bytes };
    this.records.push(block);
    return block.at;
  }

  private addSlice(isec: number, from: number, to: number, compressed: boolean): void {
    const { arena, kernels, tables } = this.ctx;
    const at = this.contents.at + Math.ceil(this.used / 16) * 16;
    const run = this.runRows + this.runs * RUN_BYTES;
    arena.f64[run >>> 3] = tables.isec.sh_offset[isec]! + from;
    arena.f64[(run >>> 3) + 1] = to - from;
    arena.u32.set([tables.obj.source[tables.isec.obj[isec]!]!, at, this.slices, this.slices + 1, compressed ? isec : 0], (run >>> 2) + 4);
    kernels.putSlice(this.sliceRows + this.slices * SLICE_BYTES, isec, from, to - from, at);
    this.runs++;
    this.slices++;
    this.used = at + (to - from) - this.contents.at;
  }

  /** Where a slice that begins at `from` ends: behind a string. */
  private sliceEnd(isec: number, from: number): number {
    const { ctx: { kernels, pool, tables }, cell } = this;
    const [size, width] = [tables.isec.size[isec]!, tables.isec.sh_entsize[isec]!];
    const source = tables.obj.source[tables.isec.obj[isec]!]!;
    const step = width * Math.floor(TAIL_BYTES / width);
    if (step === 0) return size;
    for (let bytes = CUT_BYTES; from + bytes < size; bytes *= 2) {
      for (let end = from + width * Math.floor(bytes / width); end > from; end -= step) {
        const start = Math.max(from, end - step);
        pool.self.read(source, tables.isec.sh_offset[isec]! + start, cell, end - start);
        const found = kernels.lastNul(cell, end - start, width);
        if (found !== 0) return start + found;
      }
    }
    return size;
  }

  /** Works on the slices that are there. */
  private async round(): Promise<void> {
    const { ctx: { arena, kernels, pool, tables }, cell } = this;
    const [runCount, count] = [this.runs, this.slices];
    if (count === 0) return;
    const runs = arena.alloc(RUN_BYTES * runCount);
    const slices = arena.alloc(SLICE_BYTES * count);
    kernels.copyMemory(runs, this.runRows, RUN_BYTES * runCount);
    kernels.copyMemory(slices, this.sliceRows, SLICE_BYTES * count);
    await pool.run("stream-read", runCount, runs, slices);
    const pieces = kernels.countPieces(slices, count);
    kernels.numberSlices(slices, count, this.row, this.index, this.recordsFor(pieces), cell);
    setRows(tables, "piece", this.row);
    this.row = arena.u32[cell >>> 2]!;
    this.index = arena.u32[(cell >>> 2) + 1]!;
    if (this.row > this.room) {
      this.room = 2 * this.row;
      moveTable(arena, tables, "piece", this.room, kernels.copyMemory!);
    }
    setRows(tables, "piece", this.row);
    await pool.run("stream-split", runCount, runs, slices);
    this.rounds.push({ runs, runCount, slices, count });
    [this.runs, this.slices, this.used] = [0, 0, 0];
  }

  private listRounds(): number {
    const { arena } = this.ctx;
    const list = arena.alloc(8 * this.rounds.length);
    this.rounds.forEach(({ slices, count }, n) => arena.u32.set([slices, count], (list >>> 2) + 2 * n));
    return list;
  }

  /** Gives all pieces their places: piece.out, msec.size. */
  async dedupe(): Promise<void> {
    const { ctx: { arena, diag, kernels, pool, tables }, streams, rounds } = this;
    const list = this.listRounds();
    const numbers = arena.alloc(4 * streams.length);
    const sizes = arena.alloc(4 * SHARDS * streams.length);
    arena.u32.set(streams, numbers >>> 2);
    await pool.run("stream-dedupe", SHARDS * streams.length, list, rounds.length, numbers, sizes);
    streams.forEach((m, k) => {
      tables.msec.stream[m] = sizes + 4 * SHARDS * k;
      if (kernels.placeShards(m, tables.msec.stream[m]!) !== 0) diag.fatal({ code: "LAYOUT", text: "merged section is larger than 4 GiB" });
    });
    await pool.run("stream-finish", rounds.length, list, rounds.length);
    for (const { at, bytes } of this.records) arena.recycle(at, bytes);
  }

  /** Copies the winners to msec.bytes, where that is not 0. */
  async copy(): Promise<void> {
    const { ctx: { arena, pool }, rounds } = this;
    const count = rounds.reduce((sum, { runCount }) => sum + runCount, 0);
    const list = arena.alloc(8 * count);
    let at = list >>> 2;
    for (const { runs, runCount, slices } of rounds) {
      for (let n = 0; n < runCount; n++, at += 2) arena.u32.set([runs + n * RUN_BYTES, slices], at);
    }
    await pool.run("stream-copy", count, list);
  }
}
