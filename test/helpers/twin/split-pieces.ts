/** What split-pieces must find, in plain TypeScript: the oracle of its kernels. */

export interface Piece {
  offset: number;
  bytes: Uint8Array;
}

/** Cuts `data` behind every NUL of `width` bytes; null when the last string has no end. */
export function splitStringsTwin(data: Uint8Array, width: number): Piece[] | null {
  const pieces: Piece[] = [];
  let start = 0;
  for (let at = 0; at < data.length; at += width) {
    if (data.subarray(at, at + width).some((byte) => byte !== 0)) continue;
    pieces.push({ offset: start, bytes: data.subarray(start, at + width) });
    start = at + width;
  }
  return start === data.length ? pieces : null;
}

export function splitConstantsTwin(data: Uint8Array, entsize: number): Piece[] {
  return Array.from({ length: data.length / entsize }, (_, i) => ({ offset: i * entsize, bytes: data.subarray(i * entsize, (i + 1) * entsize) }));
}

/** Index of the piece that holds the byte at `offset`; the last one at the end. */
export function pieceOfTwin(pieces: Piece[], offset: number): number {
  let found = 0;
  pieces.forEach((piece, i) => {
    if (piece.offset <= offset) found = i;
  });
  return found;
}
