/** The fields that relocations fill: 1, 2, 4 or 8 bytes in little-endian order. */
import { RANGE_SIGNED, RANGE_UNSIGNED } from "../shared/reloc.ts";

/** Writes `V` to the `width` bytes at `at` if it is in `range` (RANGE_*); false when it is not. */
// @ts-ignore: decorator
@inline
export function putField(at: u32, V: i64, width: u32, range: u32): bool {
  if (width == 4) {
    if (range == RANGE_UNSIGNED ? V != <i64><u32>V : V != <i64><i32>V) return false;
    store<u32>(at, <u32>V);
  } else if (width == 8) {
    store<u64>(at, <u64>V);
  } else if (width == 2) {
    if (V < -0x8000 || V > (range == RANGE_SIGNED ? 0x7fff : 0xffff)) return false;
    store<u16>(at, <u16>V);
  } else if (width == 1) {
    if (V < -0x80 || V > (range == RANGE_SIGNED ? 0x7f : 0xff)) return false;
    store<u8>(at, <u8>V);
  }
  return true;
}
