/** Adler-32 (RFC 1950), the checksum of a zlib stream. */

const BASE: u32 = 65521;
/** Bytes that can be summed before the sums must be reduced: 255·n·(n+1)/2 + (n+1)·(BASE-1) fits into 32 bits. */
const LONGEST: u32 = 5552;

/** Of the `bytes` bytes at `from`. */
export function adler32(from: u32, bytes: u32): u32 {
  let a: u32 = 1;
  let b: u32 = 0;
  let at = from;
  const end = from + bytes;
  while (at < end) {
    const stop = end - at > LONGEST ? at + LONGEST : end;
    for (; at < stop; at++) {
      a += load<u8>(at);
      b += a;
    }
    a %= BASE;
    b %= BASE;
  }
  return (b << 16) | a;
}

/** Of bytes whose checksum is `first`, followed by `bytes` bytes whose checksum is `second`. */
export function joinAdler32(first: u32, second: u32, bytes: f64): u32 {
  const length = <u32>(<u64>bytes % BASE);
  const a1 = first & 0xffff;
  const a = (a1 + (second & 0xffff) + BASE - 1) % BASE;
  const b = <u32>((<u64>length * a1 + (first >> 16) + (second >> 16) + BASE - length) % BASE);
  return (b << 16) | a;
}
