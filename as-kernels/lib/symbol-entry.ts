/** Reading raw symbol-table entries (Elf64_Sym, gABI ch. 4 Symbol Table) of an object whose tables are resident. */
import { params, tables } from "../shared/tables.ts";
import { SHN_LORESERVE, SHN_X86_64_LCOMMON, SHN_XINDEX, ST_SHNDX, ST_SIZE, SYM_BYTES } from "../shared/elf.ts";

/** Address of the entry of esym row `esym`, which belongs to object `o`. */
// @ts-ignore: decorator
@inline
export function entryOf(o: u32, esym: u32): u32 {
  const obj = tables().obj;
  return obj.symtab[o] + (esym - obj.esymBase[o]) * SYM_BYTES;
}

/** Is the common symbol one of the medium model, which may lie far from code (psABI, SHN_X86_64_LCOMMON)? */
// @ts-ignore: decorator
@inline
export function isLargeCommon(entry: u32): bool {
  return load<u16>(entry, ST_SHNDX) == SHN_X86_64_LCOMMON;
}

/** Section index of a symbol-table entry; 0 for undefined and reserved indexes. */
// @ts-ignore: decorator
@inline
export function sectionOf(o: u32, esym: u32, entry: u32): u32 {
  const obj = tables().obj;
  const shndx = <u32>load<u16>(entry, ST_SHNDX);
  if (shndx == SHN_XINDEX && obj.shndxTab[o]) return load<u32>(obj.shndxTab[o] + ((esym - obj.esymBase[o]) << 2));
  return shndx >= <u32>SHN_LORESERVE ? 0 : shndx;
}

/** st_size of row `sym`, entry `index` of object `o`: as the definition says; locals: in the object's own symbol table. */
export function sizeOfSymbol(o: u32, index: u32, sym: u32): u64 {
  if (sym < params().globalSyms) return <u64>tables().gsym.size[sym];
  return load<u64>(tables().obj.symtab[o] + SYM_BYTES * index, ST_SIZE);
}
