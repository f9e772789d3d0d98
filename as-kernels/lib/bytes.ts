/** Bytes in memory: length, comparison, copying. Vector loops may read up to 16 bytes past the end, never write. */

/** Bytes before the first NUL at `ptr`, at most `limit`; `limit` when there is none. */
// @ts-ignore: decorator
@inline
export function strlenBounded(ptr: u32, limit: u32): u32 {
  let at: u32 = 0;
  while (at < limit) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(ptr + at), i8x16.splat(0)));
    if (mask) {
      const found = at + <u32>ctz<i32>(mask);
      return found < limit ? found : limit;
    }
    at += 16;
  }
  return limit;
}

/** Above the length of any string, so that the sums cannot overflow. */
const LONGEST: u32 = 1 << 24;

/** Bytes before the NUL at `ptr`, which is there: names were checked when they were read. */
// @ts-ignore: decorator
@inline
export function strlen(ptr: u32): u32 {
  return strlenBounded(ptr, LONGEST);
}

/** Position of `byte` in the `len` bytes at `ptr`; `len` when there is none. */
// @ts-ignore: decorator
@inline
export function indexOf(ptr: u32, len: u32, byte: u8): u32 {
  let at: u32 = 0;
  const wanted = i8x16.splat(byte);
  while (at < len) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(ptr + at), wanted));
    if (mask) {
      const found = at + <u32>ctz<i32>(mask);
      return found < len ? found : len;
    }
    at += 16;
  }
  return len;
}

// @ts-ignore: decorator
@inline
export function equal(a: u32, b: u32, len: u32): bool {
  let i: u32 = 0;
  while (i + 8 <= len) {
    if (load<u64>(a + i) != load<u64>(b + i)) return false;
    i += 8;
  }
  while (i < len) {
    if (load<u8>(a + i) != load<u8>(b + i)) return false;
    i++;
  }
  return true;
}

/** Exact copy; memory.copy has a fixed cost that short copies avoid. */
// @ts-ignore: decorator
@inline
export function copyBytes(to: u32, from: u32, len: u32): void {
  if (len >= 64) {
    memory.copy(to, from, len);
    return;
  }
  let i: u32 = 0;
  while (i + 8 <= len) {
    store<u64>(to + i, load<u64>(from + i));
    i += 8;
  }
  while (i < len) {
    store<u8>(to + i, load<u8>(from + i));
    i++;
  }
}
