/** --build-id=fast: a sum of hashes over everything that is written. Not cryptographic. */
import { Params } from "../shared/tables.ts";
import { PARAMS_ADDR } from "../shared/abi.ts";
import { K1, K2, K3, mix } from "../lib/hash.ts";

/** A fourth one for the fourth lane. */
const K4: u64 = 0xa0761d6478bd642f;

// @ts-ignore: decorator
@inline
function step(lane: u64, word: u64, factor: u64): u64 {
  return rotl<u64>(lane ^ word, 29) * factor;
}

/** Adds the hash of the `bytes` bytes at `ptr`, which stand at `position` of the output. Reads up to 7 bytes past the end. */
export function digestWrite(ptr: u32, bytes: u32, position: f64): void {
  atomic.add<u64>(PARAMS_ADDR + offsetof<Params>("digest"), hashOf(ptr, bytes, position));
}

/** Takes out of the digest what digestWrite has added for the same bytes. */
export function undigestWrite(ptr: u32, bytes: u32, position: f64): void {
  atomic.sub<u64>(PARAMS_ADDR + offsetof<Params>("digest"), hashOf(ptr, bytes, position));
}

function hashOf(ptr: u32, bytes: u32, position: f64): u64 {
  let a: u64 = K1 ^ <u64>position;
  let b: u64 = K2 + <u64>bytes;
  let c: u64 = K3;
  let d: u64 = K4;
  let p = ptr;
  const end = ptr + bytes;
  for (const last = ptr + (bytes & ~31); p < last; p += 32) {
    a = step(a, load<u64>(p), K1);
    b = step(b, load<u64>(p, 8), K2);
    c = step(c, load<u64>(p, 16), K3);
    d = step(d, load<u64>(p, 24), K4);
  }
  for (; p + 8 <= end; p += 8) a = step(a, load<u64>(p), K1);
  if (p < end) b = step(b, load<u64>(p) & ((<u64>1 << (<u64>(end - p) << 3)) - 1), K2);
  return mix(mix(a) + rotl<u64>(mix(b), 13) + rotl<u64>(mix(c), 29) + rotl<u64>(mix(d), 47));
}
