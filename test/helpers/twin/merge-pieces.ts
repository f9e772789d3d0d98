/** What merge-pieces must make of a list of pieces, in plain TypeScript. */
import type { Piece } from "./split-pieces.ts";

const key = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

export interface Merged {
  /** Place of every piece, in input order. */
  out: number[];
  size: number;
}

/** One shard: first occurrence first, each at a multiple of `align`. */
export function mergeTwin(pieces: Piece[], align: number): Merged {
  const known = new Map<string, number>();
  let size = 0;
  const out = pieces.map((piece) => {
    const id = key(piece.bytes);
    const place = known.get(id);
    if (place !== undefined) return place;
    const at = Math.ceil(size / align) * align;
    known.set(id, at);
    size = at + piece.bytes.length;
    return at;
  });
  return { out, size };
}

/** Smallest size with tails shared, for strings of one-byte characters without alignment: those that end no other one. */
export function tailSizeTwin(pieces: Piece[]): number {
  const unique = [...new Set(pieces.map((piece) => key(piece.bytes)))];
  return unique.filter((text) => !unique.some((other) => other !== text && other.endsWith(text))).reduce((sum, text) => sum + text.length, 0);
}
