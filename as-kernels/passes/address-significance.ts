/**
 * Which sections must keep an address of their own under --icf: those whose symbols' addresses somebody may compare.
 *
 * Clang lists such symbols in .llvm_addrsig (LLVM's "address-significance tables"); without the table every symbol an object
 * mentions counts, and so does everything in .dynsym. Writes fold.state. Bits are only ever set, so the order of work is free.
 */
import { tables } from "../shared/tables.ts";
import { FOLD_UNIQUE, SYM_DEFINED, SYM_KIND_MASK } from "../shared/abi.ts";
import { SHF_EXECINSTR } from "../shared/elf.ts";

/** The section symbol `sym` is defined in stays. With `dataOnly` (--icf=all) code is not asked whether its address matters. */
// @ts-ignore: decorator
@inline
function keepUnique(sym: u32, dataOnly: u32): void {
  const t = tables();
  if ((t.sym.flags[sym] & SYM_KIND_MASK) != SYM_DEFINED) return;
  const row = t.sym.isec[sym];
  if (row == 0 || (dataOnly && t.isec.sh_flags[row] & SHF_EXECINSTR)) return;
  t.fold.state[row] = <u8>FOLD_UNIQUE;
}

/** Every symbol object `o` mentions. */
export function keepMentioned(o: u32, dataOnly: u32): void {
  const t = tables();
  const end = t.obj.esymBase[o] + t.obj.esymCount[o];
  for (let e = t.obj.esymBase[o] + 1; e < end; e++) keepUnique(t.esym.sym[e], dataOnly);
}

/** Globals [from, to) with one of the SYM_* bits `mask`. */
export function keepMarked(from: u32, to: u32, mask: u32, dataOnly: u32): void {
  const flags = tables().sym.flags;
  for (let sym = from; sym < to; sym++) if (flags[sym] & mask) keepUnique(sym, dataOnly);
}

/** Functions with a language-specific data area are told apart by it: records [from, to) of ehrec. */
export function keepUnwound(from: u32, to: u32): void {
  const t = tables();
  for (let r = from; r < to; r++) {
    if (t.ehrec.cie[r] != 0 && t.ehrec.func[r] != 0 && t.ehrec.relaCount[r] > 1) t.fold.state[t.ehrec.func[r]] = <u8>FOLD_UNIQUE;
  }
}

/** The symbols that object `o`'s table lists: `bytes` bytes of ULEB128 indexes at `at`. Returns 0 when they are malformed. */
export function keepListed(o: u32, at: u32, bytes: u32, dataOnly: u32): u32 {
  const t = tables();
  const count = t.obj.esymCount[o];
  const base = t.obj.esymBase[o];
  const end = at + bytes;
  while (at < end) {
    let index: u64 = 0;
    let shift: u64 = 0;
    let byte: u64 = 0x80;
    while (byte & 0x80) {
      if (at >= end || shift > 28) return 0;
      byte = <u64>load<u8>(at++);
      index |= (byte & 0x7f) << shift;
      shift += 7;
    }
    if (index >= <u64>count) return 0;
    keepUnique(t.esym.sym[base + <u32>index], dataOnly);
  }
  return 1;
}
