/**
 * Both halves of a string's identity with one look at it: XXH3, whose bits say where lld would put it, and 64 bits more from the same words.
 *
 * Not for names (hash.ts), which have no order to keep. The surprising choice: the second half takes the words that XXH3 has just
 * loaded, in two chains, so a string costs one loop and not two; what it makes of them has nothing in common with XXH3.
 */
import { hashLane1, mix } from "./hash.ts";
import { avalanche, avalanche64, fold128, long, MID_LAST, MID_START, PRIME64_1, PRIME_MX2 } from "./xxh3.ts";

const K1: u64 = 0x9e3779b97f4a7c15;
const K2: u64 = 0xc2b2ae3d27d4eb4f;
const K3: u64 = 0xd6e8feb86659fd93;

/** Two words of the second half. */
// @ts-ignore: decorator
@inline
function take(h: u64, first: u64, second: u64): u64 {
  return (rotl<u64>(h ^ (first * K1), 29) + second) * K2;
}

// @ts-ignore: decorator
@inline
function last(a: u64, b: u64, len: u32): u64 {
  return mix(a + rotl<u64>(b, 32) + <u64>len * K3);
}

function upTo16(at: u32, len: u32, secret: u32, out: u32): void {
  if (len > 8) {
    const first = load<u64>(at);
    const second = load<u64>(at + len - 8);
    const low = first ^ (load<u64>(secret, 24) ^ load<u64>(secret, 32));
    const high = second ^ (load<u64>(secret, 40) ^ load<u64>(secret, 48));
    store<u64>(out, avalanche(<u64>len + bswap<u64>(low) + high + fold128(low, high)));
    store<u64>(out, last(take(K3, first, second), 0, len), 8);
  } else if (len >= 4) {
    const word = <u64>load<u32>(at + len - 4) + (<u64>load<u32>(at) << 32);
    let h = word ^ load<u64>(secret, 8) ^ load<u64>(secret, 16);
    h ^= rotl<u64>(h, 49) ^ rotl<u64>(h, 24);
    h *= PRIME_MX2;
    h ^= (h >> 35) + <u64>len;
    h *= PRIME_MX2;
    store<u64>(out, h ^ (h >> 28));
    store<u64>(out, last(take(K3, word, 0), 0, len), 8);
  } else if (len == 0) {
    store<u64>(out, avalanche64(load<u64>(secret, 56) ^ load<u64>(secret, 64)));
    store<u64>(out, 0, 8);
  } else {
    const all = (<u32>load<u8>(at) << 16) | (<u32>load<u8>(at + (len >> 1)) << 24) | <u32>load<u8>(at + len - 1) | (len << 8);
    store<u64>(out, avalanche64(<u64>all ^ <u64>(load<u32>(secret) ^ load<u32>(secret, 4))));
    store<u64>(out, last(take(K3, <u64>all, 0), 0, len), 8);
  }
}

/** 17 to 128 bytes: pairs of words from both ends inwards. */
function upTo128(at: u32, len: u32, secret: u32, out: u32): void {
  let h = <u64>len * PRIME64_1;
  let a = K3;
  let b = K1;
  let k = ((len - 1) >> 5) << 4;
  for (;;) {
    const front = at + k;
    const back = at + len - 16 - k;
    const key = secret + 2 * k;
    const f0 = load<u64>(front);
    const f1 = load<u64>(front, 8);
    const b0 = load<u64>(back);
    const b1 = load<u64>(back, 8);
    h += fold128(f0 ^ load<u64>(key), f1 ^ load<u64>(key, 8));
    h += fold128(b0 ^ load<u64>(key, 16), b1 ^ load<u64>(key, 24));
    a = take(a, f0, f1);
    b = take(b, b0, b1);
    if (k == 0) break;
    k -= 16;
  }
  store<u64>(out, avalanche(h));
  store<u64>(out, last(a, b, len), 8);
}

function upTo240(at: u32, len: u32, secret: u32, out: u32): void {
  let h = <u64>len * PRIME64_1;
  let a = K3;
  let b = K1;
  for (let k: u32 = 0; k < 128; k += 32) {
    const f0 = load<u64>(at + k);
    const f1 = load<u64>(at + k, 8);
    const b0 = load<u64>(at + k, 16);
    const b1 = load<u64>(at + k, 24);
    h += fold128(f0 ^ load<u64>(secret + k), f1 ^ load<u64>(secret + k, 8));
    h += fold128(b0 ^ load<u64>(secret + k, 16), b1 ^ load<u64>(secret + k, 24));
    a = take(a, f0, f1);
    b = take(b, b0, b1);
  }
  h = avalanche(h);
  for (let k: u32 = 128, end = len & ~15; k < end; k += 16) {
    const f0 = load<u64>(at + k);
    const f1 = load<u64>(at + k, 8);
    const key = secret + k - 128 + MID_START;
    h += fold128(f0 ^ load<u64>(key), f1 ^ load<u64>(key, 8));
    a = take(a, f0, f1);
  }
  const b0 = load<u64>(at + len - 16);
  const b1 = load<u64>(at + len - 8);
  h += fold128(b0 ^ load<u64>(secret + MID_LAST), b1 ^ load<u64>(secret + MID_LAST, 8));
  store<u64>(out, avalanche(h));
  store<u64>(out, last(a, take(b, b0, b1), len), 8);
}

/** Writes the identity of the `len` bytes at `at` to `out`: u64 XXH3, u64 the other half. `scratch`: 64 bytes. Reads only the string. */
export function stringHash(at: u32, len: u32, secret: u32, scratch: u32, out: u32): void {
  if (len <= 16) {
    upTo16(at, len, secret, out);
  } else if (len <= 128) {
    upTo128(at, len, secret, out);
  } else if (len <= 240) {
    upTo240(at, len, secret, out);
  } else {
    store<u64>(out, long(at, len, secret, scratch));
    store<u64>(out, hashLane1(at, len), 8);
  }
}
