/** The fields that relocations fill: 1, 2, 4 or 8 bytes in little-endian order. */
import { RANGE_SIGNED, RANGE_UNSIGNED } from "../shared/reloc.ts";

/** Writes `V` to the `width` bytes at `at`, cut off where it is too long (--noinhibit-exec); false when it is not in `range` (RANGE_*). */
// @ts-ignore: decorator
@inline
export function putField(at: u32, V: i64, width: u32, range: u32): bool {
  if (width == 4) {
    store<u32>(at, <u32>V);
    return range == RANGE_UNSIGNED ? V == <i64><u32>V : V == <i64><i32>V;
  }
  if (width == 2) {
    store<u16>(at, <u16>V);
    return V >= -0x8000 && V <= (range == RANGE_SIGNED ? 0x7fff : 0xffff);
  }
  if (width == 1) {
    store<u8>(at, <u8>V);
    return V >= -0x80 && V <= (range == RANGE_SIGNED ? 0x7f : 0xff);
  }
  if (width == 8) store<u64>(at, <u64>V);
  return true;
}
