/** What merge-pieces must make of a list of pieces, in plain TypeScript. */
import type { Piece } from "./split-pieces.ts";

const key = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

export interface Merged {
  /** Place of every piece, in input order. */
  out: number[];
  size: number;
}

/** Shards one after the other, in each of them first occurrence first, each piece at a multiple of `align`. */
export function mergeTwin(pieces: Piece[], align: number, shardOf: (piece: Piece) => number): Merged {
  const unique = new Map<string, { shard: number; bytes: number; at: number }>();
  for (const piece of pieces) {
    const id = key(piece.bytes);
    if (!unique.has(id)) unique.set(id, { shard: shardOf(piece), bytes: piece.bytes.length, at: 0 });
  }
  let size = 0;
  for (const item of [...unique.values()].sort((a, b) => a.shard - b.shard)) {
    item.at = Math.ceil(size / align) * align;
    size = item.at + item.bytes;
  }
  return { out: pieces.map((piece) => unique.get(key(piece.bytes))!.at), size };
}

/** Smallest size with tails shared, for strings of one-byte characters without alignment: those that end no other one. */
export function tailSizeTwin(pieces: Piece[]): number {
  const unique = [...new Set(pieces.map((piece) => key(piece.bytes)))];
  return unique.filter((text) => !unique.some((other) => other !== text && other.endsWith(text))).reduce((sum, text) => sum + text.length, 0);
}
