/**
 * The end of a string and its 128-bit identity with one look at it, 16 bytes at a time.
 *
 * For strings of single bytes that are cut and hashed at once (stream-strings). The surprising choice: both halves see every word, each in
 * another part: what one multiplies before it is added, the other adds before it multiplies; so what is a weak difference for one is none
 * for the other. May read 15 bytes past the NUL.
 */
import { K1, K2, K3, mix } from "./hash.ts";

const K4: u64 = 0x165667b19e3779f9;

/** Writes the identity of the string at `at` to `out` (u64, u64); strings of another `salt` are others. Returns the address of its NUL. */
// @ts-ignore: decorator
@inline
export function cutString(at: u32, salt: u64, out: u32): u32 {
  const zero = i8x16.splat(0);
  let a: u64 = K3 ^ salt;
  let b: u64 = K1 + salt;
  let p = at;
  let block = v128.load(p);
  let nuls = i8x16.bitmask(i8x16.eq(block, zero));
  while (nuls == 0) {
    const first = load<u64>(p);
    const second = load<u64>(p, 8);
    a = (rotl<u64>(a ^ (first * K1), 29) + second) * K2;
    b = (rotl<u64>(b + second * K4, 41) ^ first) * K3;
    p += 16;
    block = v128.load(p);
    nuls = i8x16.bitmask(i8x16.eq(block, zero));
  }
  const left = ctz<i32>(nuls);
  block = v128.and(block, i8x16.lt_u(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), i8x16.splat(<i8>left)));
  const first = <u64>i64x2.extract_lane(block, 0);
  const second = <u64>i64x2.extract_lane(block, 1);
  a = (rotl<u64>(a ^ (first * K1), 29) + second) * K2;
  b = (rotl<u64>(b + second * K4, 41) ^ first) * K3;
  p += left;
  store<u64>(out, mix(a + <u64>(p - at) * K4));
  store<u64>(out, mix(b ^ rotl<u64>(a, 17)), 8);
  return p;
}
