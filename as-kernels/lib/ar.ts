/** Headers of archive members: struct ar_hdr, which is text (ar.h; gABI ch. 7, Archive File). */
import { AR_HEADER_BYTES } from "../shared/elf.ts";

export const AR_BYTES: u32 = AR_HEADER_BYTES;
const AR_SIZE: u32 = 48;
/** Where "`\n" is. */
export const AR_END: u32 = 58;
export const AR_END_MARK: u32 = 0x0a60;

const BLANK: u32 = 32;

/** The decimal number in ar_size, blanks behind it; larger than any file when it is none. */
export function memberSize(header: u32): u64 {
  let size: u64 = 0;
  let at = AR_SIZE;
  for (; at < AR_END; at++) {
    const digit = <u32>load<u8>(header + at) - 48;
    if (digit > 9) break;
    size = size * 10 + <u64>digit;
  }
  if (at == AR_SIZE) return u64.MAX_VALUE >> 1;
  for (; at < AR_END; at++) if (load<u8>(header + at) != BLANK) return u64.MAX_VALUE >> 1;
  return size;
}
