/**
 * SHF_MERGE sections become rows of `piece`, .eh_frame sections rows of `ehrec`.
 *
 * Looks at section contents twice: first to count, then to fill rows whose numbers follow from the counts. Unless they are many, contents
 * stay in memory in between, and until they are written. Writes piece, ehrec, cie, ehsec, isec.pieceBase/pieceCount/blockIndex/fde and sym.piece.
 */
import type { Context } from "../context.ts";
import type { Phases, WorkerContext } from "../memory/pool.ts";
import { slotsFor } from "../memory/rows.ts";
import { putXxh3Secret } from "../memory/xxh3-secret.ts";
import { allocTable, setRows } from "../memory/table.ts";
import { keepPieces } from "./kept-pieces.ts";
import { eachRun } from "./section-runs.ts";

/** isec rows a chunk takes. */
const CHUNK_SECTIONS = 4096;
/** Symbols a chunk takes. */
const CHUNK_SYMBOLS = 65536;
/** Sections are read together up to this size. */
const RUN_BYTES = 1 << 20;
/** More contents than this are read again each time they are looked at: touching memory costs more than that. */
const KEPT_BYTES = 64 << 20;

const COUNT = 0;
const FILL = 1;

/** What hashing long strings needs, behind the run cell. */
export const SCRATCH_BYTES = 64;

/** The worker window of the run cell (section-runs.ts), behind which there is room. */
const CELL = 1;

function splitChunk(w: WorkerContext, chunk: number): void {
  const [fill, keep] = w.args as [number, number];
  const from = 1 + chunk * CHUNK_SECTIONS;
  const to = Math.min(from + CHUNK_SECTIONS, w.tables.isec.rows);
  if (fill === COUNT) w.kernels.countConstants(from, to);
  const scratch = w.window(CELL, 2 * SCRATCH_BYTES) + SCRATCH_BYTES;
  eachRun(
    w,
    from,
    (row, cell) => w.kernels.nextPieceRun(row, to, fill, RUN_BYTES, cell),
    (row) => row,
    (first, end, contents, start) => w.kernels.splitRun(first, end, contents, start, fill, scratch),
    keep !== 0,
  );
}

function bindChunk(w: WorkerContext, chunk: number): void {
  const from = 1 + chunk * CHUNK_SYMBOLS;
  w.kernels.bindSymbolPieces(from, Math.min(from + CHUNK_SYMBOLS, w.tables.sym.rows));
}

export const SPLIT_PHASES: Phases = { "split-pieces": splitChunk, "bind-symbol-pieces": bindChunk };

export async function splitPieces(ctx: Context): Promise<void> {
  const { arena, kernels, options, params, pool, tables } = ctx;
  if (ctx.checkpoint.resolved?.pieces != null) return finishRecords(ctx);
  const chunks = Math.ceil((tables.isec.rows - 1) / CHUNK_SECTIONS);
  params.set("streams", options.relocatable || options.optimize >= 2 ? 0 : 1);
  await pool.run("split-pieces", chunks, COUNT, kernels.pieceBytes(1, tables.isec.rows) <= KEPT_BYTES ? 1 : 0);
  const { pieces, records } = allocRows(ctx);
  if (pieces > 1) params.set("xxh3Secret", putXxh3Secret(arena));
  if (pieces > 1 || records > 1) await pool.run("split-pieces", chunks, FILL, 0);
  kernels.linkFdes(1, records);
  finishRecords(ctx);
  if (pieces > 1) await bindSymbols(ctx);
  keepPieces(ctx);
}

/** What depends on the order of all .eh_frame sections. */
function finishRecords({ arena, kernels, tables }: Context): void {
  kernels.listEhFrames();
  const mark = arena.mark();
  const slots = slotsFor(tables.cie.rows);
  kernels.linkCies(arena.allocZeroed(4 * slots), slots);
  arena.release(mark);
}

/** Which piece symbols in merge sections are in; those in streamed strings wait for stream-strings (params.streamSymbols). */
export async function bindSymbols({ pool, tables }: Context): Promise<void> {
  await pool.run("bind-symbol-pieces", Math.ceil((tables.sym.rows - 1) / CHUNK_SYMBOLS));
}

/** Allocates the tables for the counted rows; returns their sizes, row 0 included. */
function allocRows(ctx: Context): { pieces: number; records: number } {
  const { arena, tables } = ctx;
  const rows = tables.isec.rows;
  const ends = assignRows(ctx, 1, rows, { pieces: 1, records: 1, cies: 1, frames: 1 }, 0);
  const alloc = (name: "piece" | "pieceHash" | "ehrec" | "cie" | "ehsec", count: number): void => {
    allocTable(arena, tables, name, count + ctx.spareRows(count));
    setRows(tables, name, count);
  };
  alloc("piece", ends.pieces);
  alloc("pieceHash", ends.pieces);
  alloc("ehrec", ends.records);
  alloc("cie", ends.cies);
  alloc("ehsec", ends.frames + 1);
  assignRows(ctx, 1, rows, { ...ends, pieces: 1, records: 1, frames: 1 }, arena.alloc(ends.indexBytes + 16));
  return ends;
}

/** Rows of `piece`, `ehrec`, `cie` and `ehsec`. */
export interface PieceRows {
  pieces: number;
  records: number;
  cies: number;
  frames: number;
}

/** What assignPieceRows is given and leaves. */
const ROWS_CELL_BYTES = 24;

/** Gives sections [from, to) their rows from `first` on, and with `base` != 0 the addresses of their block indexes; the rows behind them. */
function assignRows({ arena, kernels }: Context, from: number, to: number, first: PieceRows, base: number): PieceRows & { indexBytes: number } {
  const mark = arena.mark();
  const cell = arena.alloc(ROWS_CELL_BYTES);
  arena.u32.set([first.pieces, first.records, first.cies, first.frames], cell >>> 2);
  kernels.assignPieceRows(from, to, base, cell);
  const [pieces, records, cies, frames] = arena.words(cell, 4);
  const indexBytes = arena.f64[(cell >>> 3) + 2]!;
  arena.release(mark);
  return { pieces, records, cies, frames, indexBytes };
}

/** Sections [from, to) alone, whose rows follow `first`; their symbols are not looked at. null = there is no room for them. */
export function splitSections(ctx: Context, from: number, to: number, first: PieceRows, fits: (ends: PieceRows) => boolean): PieceRows | null {
  const { arena, kernels, params, pool: { self } } = ctx;
  const scratch = self.window(CELL, 2 * SCRATCH_BYTES) + SCRATCH_BYTES;
  const split = (fill: number): void =>
    eachRun(self, from, (row, cell) => kernels.nextPieceRun(row, to, fill, RUN_BYTES, cell), (row) => row, (at, end, contents, start) => kernels.splitRun(at, end, contents, start, fill, scratch));
  kernels.countConstants(from, to);
  split(COUNT);
  const ends = assignRows(ctx, from, to, first, 0);
  if (!fits(ends)) return null;
  assignRows(ctx, from, to, { ...ends, pieces: first.pieces, records: first.records }, arena.alloc(ends.indexBytes + 16));
  if (params.get("xxh3Secret") === 0) params.set("xxh3Secret", putXxh3Secret(arena));
  split(FILL);
  kernels.linkFdes(first.records, ends.records);
  return ends;
}
