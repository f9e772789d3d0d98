/**
 * Strings of mergeable sections: characters of `width` bytes (sh_entsize), ended by one that is all zeros (gABI ch. 4 Sections, SHF_STRINGS).
 *
 * Vector loops may read up to 16 bytes past the end.
 */

/** Number of NUL characters of `width` bytes in the `len` bytes at `ptr` (len is a multiple of width). */
export function countNuls(ptr: u32, len: u32, width: u32): u32 {
  let n: u32 = 0;
  if (width == 1) {
    const zero = i8x16.splat(0);
    const whole = len & ~15;
    for (let at: u32 = 0; at < whole; at += 16) n += <u32>popcnt<i32>(i8x16.bitmask(i8x16.eq(v128.load(ptr + at), zero)));
    for (let at = whole; at < len; at++) n += load<u8>(ptr + at) == 0 ? 1 : 0;
    return n;
  }
  for (let at: u32 = 0; at < len; at += width) n += isNul(ptr + at, width) ? 1 : 0;
  return n;
}

/** Is the character at `ptr` the end of a string? */
// @ts-ignore: decorator
@inline
export function isNul(ptr: u32, width: u32): bool {
  if (width == 4) return load<u32>(ptr) == 0;
  if (width == 2) return load<u16>(ptr) == 0;
  for (let k: u32 = 0; k < width; k++) if (load<u8>(ptr + k) != 0) return false;
  return true;
}

/** Bytes of the string at `ptr` with its NUL; at most `limit`. */
// @ts-ignore: decorator
@inline
export function stringBytes(ptr: u32, limit: u32, width: u32): u32 {
  if (width == 1) {
    let at: u32 = 0;
    const zero = i8x16.splat(0);
    while (at < limit) {
      const mask = i8x16.bitmask(i8x16.eq(v128.load(ptr + at), zero));
      if (mask) {
        const found = at + <u32>ctz<i32>(mask) + 1;
        return found < limit ? found : limit;
      }
      at += 16;
    }
    return limit;
  }
  let at: u32 = 0;
  while (at < limit && !isNul(ptr + at, width)) at += width;
  return at + width < limit ? at + width : limit;
}
