/** --zero-to-bss: which data sections may turn out to hold nothing but zeros. */
import { tables } from "../shared/tables.ts";
import { ISEC_REGULAR } from "../shared/abi.ts";
import { SHF_ALLOC, SHF_EXECINSTR, SHF_MERGE, SHF_WRITE, SHT_PROGBITS } from "../shared/elf.ts";

const KINDS: u32 = SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR | SHF_MERGE;

/** First of sections [from, to) that is loaded writable data without relocations; `to` = none. */
export function nextPlainData(from: u32, to: u32): u32 {
  const isec = tables().isec;
  for (let row = from; row < to; row++) {
    if (isec.kind[row] != ISEC_REGULAR || isec.sh_type[row] != SHT_PROGBITS || (isec.sh_flags[row] & KINDS) != (SHF_ALLOC | SHF_WRITE)) continue;
    if (isec.size[row] > 0 && isec.relaCount[row] == 0 && isec.compressed[row] == 0) return row;
  }
  return to;
}

/** Are the `bytes` bytes at `at` all 0? */
export function isZero(at: u32, bytes: u32): u32 {
  let i: u32 = 0;
  for (; i + 16 <= bytes; i += 16) if (v128.any_true(v128.load(at + i))) return 0;
  for (; i < bytes; i++) if (load<u8>(at + i)) return 0;
  return 1;
}
