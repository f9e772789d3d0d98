/**
 * zlib where the runtime has none: never more bytes than the section says it has, and the same verdict as zlib's own.
 *
 * The library knows no limit: it is given the input in pieces, and stopped when enough has come.
 */
import { Unzlib } from "fflate";

const corrupted = (): Error => new Error("corrupted compressed data");

/** A piece can become 1032 times its size (RFC 1951: 258 bytes from two bits). */
const PIECE_BYTES = 1 << 15;

/** RFC 1950. Throws unless it is `size` bytes. */
export function unpackZlib(bytes: Uint8Array, size: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let total = 0;
  const stream = new Unzlib((part) => {
    if ((total += part.length) > size) throw corrupted();
    parts.push(part);
  });
  for (let i = 0; i === 0 || i < bytes.length; i += PIECE_BYTES) stream.push(bytes.subarray(i, i + PIECE_BYTES), i + PIECE_BYTES >= bytes.length);
  if (total !== size) throw corrupted();
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  const end = bytes.length;
  if (adler32(out) !== ((bytes[end - 4]! << 24) | (bytes[end - 3]! << 16) | (bytes[end - 2]! << 8) | bytes[end - 1]!) >>> 0) throw corrupted();
  return out;
}

function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  // As many bytes as sums of 32 bits hold.
  for (let from = 0; from < bytes.length; from += 3800) {
    const to = Math.min(bytes.length, from + 3800);
    for (let i = from; i < to; i++) b += a += bytes[i]!;
    a %= 65521;
    b %= 65521;
  }
  return ((b << 16) | a) >>> 0;
}
