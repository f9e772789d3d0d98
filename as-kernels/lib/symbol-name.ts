/** The identity of a name as symbol tables of relocatable objects spell it. */
import { indexOf } from "./bytes.ts";
import { hashBytes, mix } from "./hash.ts";

/** `foo@@V` and `foo@V`, in what hashSymbol returns; the other bits are the length of the stem. */
export const NAME_DEFAULT: u32 = 1 << 31;
export const NAME_VERSIONED: u32 = 1 << 30;
export const STEM_MASK: u32 = NAME_VERSIONED - 1;

/**
 * Writes the hash of the `len` bytes at `name` to `h0` and `h1`: `foo`, `foo@V` (its own identity) or `foo@@V` (identity foo). Returns the
 * length of the stem (up to the first '@'), and NAME_*.
 */
// @ts-ignore: decorator
@inline
export function hashSymbol(name: u32, len: u32, h0: u32, h1: u32): u32 {
  const stem = indexOf(name, len, 64);
  hashBytes(name, stem, h0, h1);
  if (stem == len || stem == 0) return stem;
  if (stem + 1 < len && load<u8>(name + stem + 1) == 64) return stem | NAME_DEFAULT;
  const a = load<u64>(h0);
  const b = load<u64>(h1);
  hashBytes(name + stem + 1, len - stem - 1, h0, h1);
  const va = load<u64>(h0);
  const vb = load<u64>(h1);
  store<u64>(h0, mix(a ^ rotl<u64>(va, 1)));
  store<u64>(h1, mix(b + rotl<u64>(vb, 7)));
  return stem | NAME_VERSIONED;
}
