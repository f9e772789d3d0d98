/**
 * SHF_MERGE sections become rows of `piece`, .eh_frame sections rows of `ehrec`.
 *
 * Looks at section contents twice, sections that lie close together read with one read: first to count, then to fill rows whose
 * numbers follow from the counts. Unless they are many, contents stay in memory in between, and until they are written. Writes piece, ehrec, cie, ehsec, isec.pieceBase/pieceCount/blockIndex/fde
 * and sym.piece. Sections with SHF_COMPRESSED get their size here, before anyone asks for it.
 */
import { ERR_COMPRESSED } from "../../as-kernels/shared/abi.ts";
import type { Context } from "../context.ts";
import { HostError } from "../host/host.ts";
import type { Phases, WorkerContext } from "../memory/pool.ts";
import { slotsFor } from "../memory/rows.ts";
import { putXxh3Secret } from "../memory/xxh3-secret.ts";
import { allocTable, setRows } from "../memory/table.ts";
import { keepPieces } from "./kept-pieces.ts";

/** isec rows a chunk takes. */
const CHUNK_SECTIONS = 4096;
/** Symbols a chunk takes. */
const CHUNK_SYMBOLS = 65536;
/** Sections are read together up to this size. */
const RUN_BYTES = 1 << 20;
/** More contents than this are read again each time they are looked at: touching memory costs more than that. */
const KEPT_BYTES = 64 << 20;

/** Kernels look at words. */
const MARGIN = 16;

const COUNT = 0;
const FILL = 1;

/** A stretch of sections that one read brings, as nextPieceRun and nextWinnerRun leave it: rows, compressed, file offset, bytes. */
export const RUN_CELL_BYTES = 32;

/** What hashing long strings needs, behind the run cell. */
const SCRATCH_BYTES = 64;

/** Worker windows: section contents, run cell. */
const CONTENTS = 0;
const CELL = 1;

/**
 * Calls `find(row)` for run after run until it finds none, reads each run's contents and hands them to `use`. `isecOf` gives
 * the section of a row. A section that cannot be inflated is reported and passed over. `keep`: contents stay in memory for later calls.
 */
export function eachRun(
  w: WorkerContext,
  from: number,
  find: (row: number, cell: number) => number,
  isecOf: (row: number) => number,
  use: (from: number, to: number, contents: number, start: number) => void,
  keep = false,
): void {
  const { kept, sh_offset, obj } = w.tables.isec;
  const cell = w.window(CELL, RUN_CELL_BYTES);
  for (let row = from; find(row, cell) !== 0; ) {
    const first = w.u32[cell >>> 2]!;
    row = w.u32[(cell >>> 2) + 1]!;
    const start = w.f64[(cell >>> 3) + 2]!;
    const bytes = w.f64[(cell >>> 3) + 3]!;
    const isec = isecOf(first);
    const last = isecOf(row - 1);
    if (kept[isec] !== 0 && kept[last] === kept[isec]! + (sh_offset[last]! - start)) {
      use(first, row, kept[isec]!, start);
      continue;
    }
    const stored = w.u32[(cell >>> 2) + 2] === 0;
    const contents = keep && stored ? w.alloc(bytes + MARGIN) : w.window(CONTENTS, bytes);
    if (stored) w.read(w.tables.obj.source[obj[isec]!]!, start, contents, bytes);
    else if (!inflate(w, isec, contents)) continue;
    if (keep && stored) w.kernels.keepRun(first, row, contents, start, bytes);
    use(first, row, contents, start);
  }
}

/** False: the compressed contents are corrupt, which has been reported. */
function inflate(w: WorkerContext, isec: number, contents: number): boolean {
  try {
    w.contents(isec, contents);
    return true;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    w.kernels.rejectPieces(isec, ERR_COMPRESSED);
    return false;
  }
}

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

/** Gives sections [from, to) their rows from `first` on, and with `base` != 0 the addresses of their block indexes; the rows behind them. */
function assignRows({ arena, kernels }: Context, from: number, to: number, first: PieceRows, base: number): PieceRows & { indexBytes: number } {
  const mark = arena.mark();
  const cell = arena.alloc(RUN_CELL_BYTES);
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
