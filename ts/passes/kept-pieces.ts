/**
 * What split-pieces has made of sections, kept for a link that is taken up after set-visibility: pieces and unwind records of objects that stay.
 *
 * Those of a replaced object get the rows behind all others. So the order of rows is no longer that of sections, and whoever cares about order
 * goes through the sections (mmember, ehsec). Old rows stay, empty, until there is no room: then split-pieces begins anew.
 */
import type { Context } from "../context.ts";
import type { ArenaSpares } from "../memory/arena.ts";
import { placeOf, putTable, setRows } from "../memory/table.ts";
import { splitSections, type PieceRows } from "./split-pieces.ts";

/** The state behind split-pieces. */
export interface KeptPieces {
  /** Top of the arena, and memory below that is free. */
  mark: number;
  spares: ArenaSpares;
  /** The rows that there can be. */
  most: PieceRows;
  /** Address of a copy of piece.live as mark-live left it. */
  live: number;
  /** Where stream-strings took the table of pieces from. */
  piece: Uint32Array;
  /** Parameters. */
  streams: number;
  streamSymbols: number;
  xxh3Secret: number;
}

const PARAMETERS = ["streams", "streamSymbols", "xxh3Secret"] as const;

/** After split-pieces, for a context. */
export function keepPieces(ctx: Context): void {
  const { arena, checkpoint: { resolved }, params, tables } = ctx;
  if (resolved === null) return;
  const most = (rows: number): number => rows + ctx.spareRows(rows);
  const { cie, ehrec, ehsec, piece } = tables;
  const live = resolved.marks === null ? 0 : arena.alloc(most(piece.rows));
  resolved.pieces = {
    live, mark: arena.mark(), spares: arena.spares(), piece: placeOf(tables, "piece"),
    most: { pieces: most(piece.rows), records: most(ehrec.rows), cies: most(cie.rows), frames: most(ehsec.rows) },
    streams: params.get("streams"), streamSymbols: params.get("streamSymbols"), xxh3Secret: params.get("xxh3Secret"),
  };
}

/** Takes back what later passes have done to them. */
export function restorePieces({ kernels, params, tables }: Context, kept: KeptPieces): void {
  putTable(tables, "piece", kept.piece);
  for (const name of PARAMETERS) params.set(name, kept[name]);
  kernels.resetPieces();
}

/** The pieces of sections `rows` end elsewhere: in the table that stream-strings has made, and in the one that it began with. */
export function keepEnds({ checkpoint: { resolved }, tables, tables: { isec } }: Context, rows: readonly number[]): void {
  const kept = resolved?.pieces;
  if (kept == null) return;
  const ends = rows.map((i) => tables.piece.inOffset.slice(isec.pieceBase[i]!, isec.pieceBase[i]! + isec.pieceCount[i]! + 1));
  const moved = placeOf(tables, "piece");
  putTable(tables, "piece", kept.piece);
  rows.forEach((i, n) => tables.piece.inOffset.set(ends[n]!, isec.pieceBase[i]!));
  putTable(tables, "piece", moved);
}

/** There is no room for more of them. */
function dropPieces({ checkpoint, kernels, params }: Context): void {
  checkpoint.resolved!.pieces = null;
  for (const name of PARAMETERS) params.set(name, 0);
  kernels.clearPieces();
}

/** Before the sections of object `o` are others. */
export function forgetRecords({ checkpoint: { resolved }, kernels, tables: { obj } }: Context, o: number): void {
  if (resolved!.pieces !== null) kernels.dropRecords(obj.isecBase[o]!, obj.isecBase[o]! + obj.isecCount[o]!);
}

/** Takes the sections of an object apart that have got their rows. */
export function splitObject(ctx: Context, o: number): void {
  const { checkpoint: { resolved }, kernels, params, tables, tables: { cie, ehrec, obj, piece } } = ctx;
  const kept = resolved!.pieces;
  if (kept === null) return;
  const first = { pieces: piece.rows, records: ehrec.rows, cies: cie.rows, frames: kernels.countEhFrames() + 2 };
  const base = obj.isecBase[o]!;
  const ends = splitSections(ctx, base, base + obj.isecCount[o]!, first, (rows) => {
    const fits = rows.pieces <= kept.most.pieces && rows.records <= kept.most.records && rows.cies <= kept.most.cies && first.frames <= kept.most.frames;
    if (fits) setTables(ctx, { ...rows, frames: first.frames });
    return fits;
  });
  if (ends === null) return dropPieces(ctx);
  kernels.bindObjectPieces(o);
  kept.piece = placeOf(tables, "piece");
  for (const name of PARAMETERS) kept[name] = params.get(name);
}

function setTables({ tables }: Context, rows: PieceRows): void {
  for (const name of ["piece", "pieceHash"] as const) setRows(tables, name, rows.pieces);
  setRows(tables, "ehrec", rows.records);
  setRows(tables, "cie", rows.cies);
  setRows(tables, "ehsec", rows.frames);
}
