/** .ctors and .dtors, which older compilers have in place of .init_array and .fini_array, become part of these. */
import { tables } from "../shared/tables.ts";
import { isOldArray } from "../lib/names.ts";
import { RELA_BYTES } from "../shared/elf.ts";

/**
 * The words of .ctors and .dtors run last to first, those of .init_array first to last: mirrors the relocations of such
 * sections among members [from, to) before anything looks at them. Returns how many there are.
 */
export function mirrorRelocs(from: u32, to: u32): u32 {
  const isec = tables().isec;
  const member = tables().member.isec;
  let count: u32 = 0;
  for (let i = from; i < to; i++) {
    const row = member[i];
    if (!isOldArray(isec.name[row])) continue;
    count++;
    if (isec.rela[row] == 0) continue;
    const last = <u64>isec.size[row] - 8;
    const end = isec.rela[row] + isec.relaCount[row] * RELA_BYTES;
    for (let at = isec.rela[row]; at < end; at += RELA_BYTES) if (load<u64>(at) <= last) store<u64>(at, last - load<u64>(at));
  }
  return count;
}

/** Mirrors the words of such sections where they lie in a window. */
export function mirrorWords(from: u32, to: u32, window: u32, windowOffset: f64): void {
  const isec = tables().isec;
  const member = tables().member.isec;
  for (let i = from; i < to; i++) {
    const row = member[i];
    if (!isOldArray(isec.name[row])) continue;
    let low = window + <u32>(isec.outOffset[row] - windowOffset);
    let high = low + (<u32>isec.size[row] & ~7);
    while (low + 8 < high) {
      high -= 8;
      const word = load<u64>(low);
      store<u64>(low, load<u64>(high));
      store<u64>(high, word);
      low += 8;
    }
  }
}
