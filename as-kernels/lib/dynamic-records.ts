/**
 * Dynamic relocations of section contents: when a field becomes one, and the 24-byte record in memory it leaves (params.relaDyn).
 *
 * For relocate, which writes contents, and for pack-relocs, which only wants to know the records. The field itself is the
 * caller's. Records of .got, of copies and of the PLT are made elsewhere (create-synthetic).
 */
import { tables, params } from "../shared/tables.ts";
import { decisionFor, dynsymIndex } from "./needs.ts";
import { mergedPlace } from "./pieces.ts";
import { R_RELATIVE } from "../arch/x86-64-relocations.ts";
import { RELA_BYTES, R_ADDEND, R_INFO } from "../shared/elf.ts";
import { ISEC_MERGE, SYM_DEFINED, SYM_IFUNC, SYM_KIND_MASK, SYM_PREEMPTIBLE, SYM_SECTION } from "../shared/abi.ts";
import { ACT_DYNAMIC, ACT_RELATIVE, ACT_RELATIVE_IPLT, VALUE_ABS, VALUE_PC, VALUE_SIZE, VALUE_TPOFF } from "../shared/reloc.ts";

/** A RELATIVE record was written. */
export const DID_RELATIVE: u32 = 1;
/** Another dynamic relocation was written. */
export const DID_SYMBOLIC: u32 = 2;

/** S + A of a relocation against section symbol `sym`: in a merge section the addend takes part in choosing the piece. */
// @ts-ignore: decorator
@inline
function sectionAddress(sym: u32, A: u64): u64 {
  const target = tables().sym.isec[sym];
  if (tables().isec.kind[target] != ISEC_MERGE) return tables().sym.addr[sym] + A;
  return mergedPlace(tables().isec.obj[target], target, tables().sym.value[sym] + A);
}

/** S + A for any symbol. */
// @ts-ignore: decorator
@inline
export function valueOf(sym: u32, flags: u32, A: u64): u64 {
  const kind = flags & SYM_KIND_MASK;
  if (flags & SYM_SECTION && kind == SYM_DEFINED) return sectionAddress(sym, A);
  return tables().sym.addr[sym] + A;
}

/** Record `index` of .rela.dyn. */
// @ts-ignore: decorator
@inline
export function putRela(index: u32, offset: u64, info: u64, addend: u64): void {
  const at = params().relaDyn + index * RELA_BYTES;
  store<u64>(at, offset);
  store<u64>(at, info, R_INFO);
  store<u64>(at, addend, R_ADDEND);
}

/** Addend of record `index`. */
// @ts-ignore: decorator
@inline
export function recordedAddend(index: u32): u64 {
  return load<u64>(params().relaDyn + index * RELA_BYTES, R_ADDEND);
}

/** Can a relocation of this kind become a dynamic one? Spares most of them the look into the decision table. */
// @ts-ignore: decorator
@inline
export function mayBeDynamic(value: u32, width: u32, flags: u32): bool {
  if (value == VALUE_ABS || value == VALUE_PC) return width == 8 || (params().ifuncNoplt != 0 && (flags & SYM_IFUNC) != 0);
  return value == VALUE_TPOFF || value == VALUE_SIZE || (params().ifuncNoplt != 0 && (flags & SYM_IFUNC) != 0);
}

/**
 * Writes the dynamic relocation of a field, if the scan counted one: record `relative` or `symbolic`. Returns DID_* bits; 0: the field
 * holds all there is (.relr.dyn keeps its addend there). `P`: address of the field, `offset`: where it is in isec `i`.
 */
export function dynamicRecord(
  i: u32, entry: u32, type: u32, sym: u32, flags: u32, index: u32, offset: u64, P: u64, A: u64, relative: u32, symbolic: u32,
): u32 {
  const action = decisionFor(i, entry, sym, index ? flags : 0, index);
  if (action == ACT_RELATIVE || action == ACT_RELATIVE_IPLT) {
    if (params().packRelr && tables().isec.align[i] >= 1 && !(offset & 1)) return 0;
    putRela(relative, P, R_RELATIVE, valueOf(sym, flags, A) - ((entry & 0xff) == VALUE_PC ? P : 0));
    return DID_RELATIVE;
  }
  if (action != ACT_DYNAMIC) return 0;
  // The TP offset of our own variable is that of the module, which the dynamic linker adds, and its place in the block.
  if ((entry & 0xff) == VALUE_TPOFF && !(flags & SYM_PREEMPTIBLE)) putRela(symbolic, P, <u64>type, valueOf(sym, flags, A) - params().tlsAddr);
  else putRela(symbolic, P, (<u64>dynsymIndex(sym) << 32) | <u64>type, A);
  return DID_SYMBOLIC;
}
