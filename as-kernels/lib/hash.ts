/**
 * 128-bit hash of a byte string: the identity of symbol names and mergeable strings.
 *
 * Two independent multiply-rotate lanes over 8-byte words, length-seeded, with two finalisers. Not cryptographic; inputs
 * that collide on purpose are caught by --verify-hashes. Reads up to 7 bytes past the end: memory has a guard page.
 */

/** Odd numbers of random bits, for all hashes. */
export const K1: u64 = 0x9e3779b97f4a7c15;
export const K2: u64 = 0xc2b2ae3d27d4eb4f;
export const K3: u64 = 0xd6e8feb86659fd93;

// @ts-ignore: decorator
@inline
export function mix(h: u64): u64 {
  h ^= h >> 32;
  h *= K3;
  h ^= h >> 29;
  h *= K1;
  return h ^ (h >> 32);
}

/** The first half of hashBytes alone. */
// @ts-ignore: decorator
@inline
export function hashLane0(ptr: u32, len: u32): u64 {
  let a: u64 = (<u64>len) * K2 + K1;
  let p = ptr;
  let left = len;
  while (left >= 8) {
    a = rotl<u64>(a ^ load<u64>(p), 29) * K1;
    p += 8;
    left -= 8;
  }
  if (left) {
    const word = load<u64>(p) & ((<u64>1 << (<u64>left << 3)) - 1);
    a = rotl<u64>(a ^ word, 29) * K1;
  }
  return mix(a);
}

/** Writes the 128-bit hash of the `len` bytes at `ptr`: one u64 at `out0`, one at `out1`. */
// @ts-ignore: decorator
@inline
export function hashBytes(ptr: u32, len: u32, out0: u32, out1: u32): void {
  let a: u64 = (<u64>len) * K2 + K1;
  let b: u64 = (<u64>len) ^ K3;
  let p = ptr;
  let left = len;
  while (left >= 8) {
    const word = load<u64>(p);
    a = rotl<u64>(a ^ word, 29) * K1;
    b = (rotl<u64>(b, 23) + word) * K2;
    p += 8;
    left -= 8;
  }
  if (left) {
    const word = load<u64>(p) & ((<u64>1 << (<u64>left << 3)) - 1);
    a = rotl<u64>(a ^ word, 29) * K1;
    b = (rotl<u64>(b, 23) + word) * K2;
  }
  store<u64>(out0, mix(a));
  store<u64>(out1, mix(b ^ rotl<u64>(a, 17)));
}
