/**
 * XXH3, 64 bits, seed 0 (the xxHash specification, "XXH3 algorithm overview"): the hash lld uses, for what shows lld's order.
 *
 * Our own identities are lib/hash.ts. The 192 bytes of the default secret come by address, because kernels hold no data
 * (ts/memory/xxh3-secret.ts). Reads only the input's own bytes.
 */

const PRIME32_1: u64 = 0x9e3779b1;
const PRIME32_2: u64 = 0x85ebca77;
const PRIME32_3: u64 = 0xc2b2ae3d;
const PRIME64_1: u64 = 0x9e3779b185ebca87;
const PRIME64_2: u64 = 0xc2b2ae3d27d4eb4f;
const PRIME64_3: u64 = 0x165667b19e3779f9;
const PRIME64_4: u64 = 0x85ebca77c2b2ae63;
const PRIME64_5: u64 = 0x27d4eb2f165667c5;
const PRIME_MX1: u64 = 0x165667919e3779f9;
const PRIME_MX2: u64 = 0x9fb21c651e98df25;

const SECRET_BYTES: u32 = 192;
const STRIPE_BYTES: u32 = 64;
const STRIPES_PER_BLOCK: u32 = (SECRET_BYTES - STRIPE_BYTES) / 8;
const BLOCK_BYTES: u32 = STRIPE_BYTES * STRIPES_PER_BLOCK;
/** Secret offsets of the last bytes of inputs of 129 to 240 bytes, and of rounds after the eighth. */
const MID_LAST: u32 = 136 - 17;
const MID_START: u32 = 3;

// @ts-ignore: decorator
@inline
function avalanche(h: u64): u64 {
  h ^= h >> 37;
  h *= PRIME_MX1;
  return h ^ (h >> 32);
}

/** The final mix of XXH64, which short inputs use. */
// @ts-ignore: decorator
@inline
function avalanche64(h: u64): u64 {
  h ^= h >> 33;
  h *= PRIME64_2;
  h ^= h >> 29;
  h *= PRIME64_3;
  return h ^ (h >> 32);
}

/** Both halves of the 128-bit product, xored. */
// @ts-ignore: decorator
@inline
function fold128(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >> 32);
  const cross = aLow * bHigh + (middle & 0xffffffff);
  return (aHigh * bHigh + (middle >> 32) + (cross >> 32)) ^ (a * b);
}

// @ts-ignore: decorator
@inline
function mix16(at: u32, secret: u32): u64 {
  return fold128(load<u64>(at) ^ load<u64>(secret), load<u64>(at, 8) ^ load<u64>(secret, 8));
}

function upTo16(at: u32, len: u32, secret: u32): u64 {
  if (len > 8) {
    const low = load<u64>(at) ^ (load<u64>(secret, 24) ^ load<u64>(secret, 32));
    const high = load<u64>(at + len - 8) ^ (load<u64>(secret, 40) ^ load<u64>(secret, 48));
    return avalanche(<u64>len + bswap<u64>(low) + high + fold128(low, high));
  }
  if (len >= 4) {
    let h = <u64>load<u32>(at + len - 4) + (<u64>load<u32>(at) << 32);
    h ^= load<u64>(secret, 8) ^ load<u64>(secret, 16);
    h ^= rotl<u64>(h, 49) ^ rotl<u64>(h, 24);
    h *= PRIME_MX2;
    h ^= (h >> 35) + <u64>len;
    h *= PRIME_MX2;
    return h ^ (h >> 28);
  }
  if (len == 0) return avalanche64(load<u64>(secret, 56) ^ load<u64>(secret, 64));
  const all = (<u32>load<u8>(at) << 16) | (<u32>load<u8>(at + (len >> 1)) << 24) | <u32>load<u8>(at + len - 1) | (len << 8);
  return avalanche64(<u64>all ^ <u64>(load<u32>(secret) ^ load<u32>(secret, 4)));
}

/** 17 to 240 bytes. */
function upTo240(at: u32, len: u32, secret: u32): u64 {
  let h = <u64>len * PRIME64_1;
  if (len <= 128) {
    for (let i = (len - 1) / 32 + 1; i > 0; i--) {
      const k = 16 * (i - 1);
      h += mix16(at + k, secret + 2 * k);
      h += mix16(at + len - 16 - k, secret + 2 * k + 16);
    }
    return avalanche(h);
  }
  const rounds = len / 16;
  for (let i: u32 = 0; i < 8; i++) h += mix16(at + 16 * i, secret + 16 * i);
  h = avalanche(h);
  for (let i: u32 = 8; i < rounds; i++) h += mix16(at + 16 * i, secret + 16 * (i - 8) + MID_START);
  return avalanche(h + mix16(at + len - 16, secret + MID_LAST));
}

// @ts-ignore: decorator
@inline
function accumulate(acc: u32, at: u32, secret: u32): void {
  for (let i: u32 = 0; i < 64; i += 8) {
    const data = load<u64>(at + i);
    const key = data ^ load<u64>(secret + i);
    const other = acc + (i ^ 8);
    store<u64>(other, load<u64>(other) + data);
    store<u64>(acc + i, load<u64>(acc + i) + (key & 0xffffffff) * (key >> 32));
  }
}

/** More than 240 bytes; `acc`: 64 bytes of scratch. */
function long(at: u32, len: u32, secret: u32, acc: u32): u64 {
  store<u64>(acc, PRIME32_3);
  store<u64>(acc, PRIME64_1, 8);
  store<u64>(acc, PRIME64_2, 16);
  store<u64>(acc, PRIME64_3, 24);
  store<u64>(acc, PRIME64_4, 32);
  store<u64>(acc, PRIME32_2, 40);
  store<u64>(acc, PRIME64_5, 48);
  store<u64>(acc, PRIME32_1, 56);
  const blocks = (len - 1) / BLOCK_BYTES;
  for (let block: u32 = 0; block < blocks; block++) {
    for (let n: u32 = 0; n < STRIPES_PER_BLOCK; n++) accumulate(acc, at + block * BLOCK_BYTES + n * STRIPE_BYTES, secret + 8 * n);
    for (let i: u32 = 0; i < 64; i += 8) {
      let lane = load<u64>(acc + i);
      lane ^= lane >> 47;
      lane ^= load<u64>(secret + SECRET_BYTES - STRIPE_BYTES + i);
      store<u64>(acc + i, lane * PRIME32_1);
    }
  }
  const rest = (len - 1 - blocks * BLOCK_BYTES) / STRIPE_BYTES;
  for (let n: u32 = 0; n < rest; n++) accumulate(acc, at + blocks * BLOCK_BYTES + n * STRIPE_BYTES, secret + 8 * n);
  accumulate(acc, at + len - STRIPE_BYTES, secret + SECRET_BYTES - STRIPE_BYTES - 7);
  let h = <u64>len * PRIME64_1;
  for (let i: u32 = 0; i < 64; i += 16) h += fold128(load<u64>(acc + i) ^ load<u64>(secret + 11 + i), load<u64>(acc + i, 8) ^ load<u64>(secret + 11 + i, 8));
  return avalanche(h);
}

/** Hash of the `len` bytes at `at`. */
export function xxh3(at: u32, len: u32, secret: u32, scratch: u32): u64 {
  if (len <= 16) return upTo16(at, len, secret);
  return len <= 240 ? upTo240(at, len, secret) : long(at, len, secret, scratch);
}

/** The same as a kernel: the hash goes to `out`. Scratch follows the secret. */
export function hashXxh3(at: u32, len: u32, secret: u32, out: u32): void {
  store<u64>(out, xxh3(at, len, secret, secret + SECRET_BYTES));
}
