/** Section header indexes of symbols in the output, and which section an address lies in: for the few symbols that moved into a linker-made one. */
import { tables } from "../shared/tables.ts";
import { SHF_ALLOC, SHF_TLS, SHN_ABS, SHN_LORESERVE, SHN_XINDEX } from "../shared/elf.ts";

/** Stands for SHN_ABS among section header indexes, which may be 0xfff1 themselves. */
export const ABSOLUTE: u32 = 0xffffffff;

/** st_shndx of a symbol in section `index`: what does not fit there is in .symtab_shndx (gABI ch. 4 Symbol Table, SHN_XINDEX). */
// @ts-ignore: decorator
@inline
export function shortIndex(index: u32): u16 {
  if (index == ABSOLUTE) return <u16>SHN_ABS;
  return <u16>(index >= <u32>SHN_LORESERVE ? SHN_XINDEX : index);
}

/** Word of .symtab_shndx: the index when st_shndx is SHN_XINDEX, else 0. */
// @ts-ignore: decorator
@inline
export function longIndex(index: u32): u32 {
  return index >= <u32>SHN_LORESERVE && index != ABSOLUTE ? index : 0;
}

/** Section header index of the allocated output section that holds `address`; ABSOLUTE when none does. */
export function sectionAt(address: u64): u32 {
  const osec = tables().osec;
  let edge: u32 = ABSOLUTE;
  for (let i: u32 = 1; i < osec.rows; i++) {
    // .tbss has the addresses of what follows it; nothing that moves is thread-local.
    if (osec.index[i] == 0 || (osec.sh_flags[i] & (SHF_ALLOC | SHF_TLS)) != SHF_ALLOC || address < osec.addr[i]) continue;
    const offset = <f64>(address - osec.addr[i]);
    if (offset < osec.size[i]) return osec.index[i];
    if (offset == osec.size[i]) edge = osec.index[i];
  }
  return edge;
}
