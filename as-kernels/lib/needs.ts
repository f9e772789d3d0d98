/**
 * What scan-relocs decides and relocate decides again: the symbol's column of the decision table, the cell, and where a symbol's
 * GOT and PLT entries are.
 *
 * Holds no policy: cells come from the table that TypeScript wrote (ts/passes/scan-policy.ts). Both passes must see the same
 * column, so flags that create-synthetic changes (a copied symbol becomes SYM_IN_OSEC) are looked at through SYM_NEEDS_COPY.
 */
import { tables, params } from "../shared/tables.ts";
import { isUndefined } from "./symbol-flags.ts";
import { isTlsCallType, R_WORD } from "../arch/x86-64-relocations.ts";
import { RELA_BYTES, SHF_WRITE, SHF_X86_64_LARGE, SHT_NOBITS, R_SYM, R_TYPE } from "../shared/elf.ts";
import {
  ISEC_EH_FRAME, OUT_EXEC, SYM_ABSOLUTE, SYM_DEFINED, SYM_FUNC, SYM_IFUNC, SYM_KIND_MASK, SYM_LAZY, SYM_NEEDS_COPY, SYM_OBJECT, SYM_PREEMPTIBLE, SYM_SHARED,
  SYM_TLS, SYM_WEAK,
} from "../shared/abi.ts";
import {
  ACT_RELATIVE, ACT_RELATIVE_IPLT, CELLS_PER_ROW, COL_ABSOLUTE, COL_DATA, COL_FUNC, COL_IFUNC, COL_LOCAL, COL_PREEMPTIBLE, COL_WEAK, COL_ZERO, COLUMNS, RELOC_TYPES, VALUE_UNKNOWN,
} from "../shared/reloc.ts";

/** A symbol with none of these, and of a kind in PLAIN_KINDS, is an address in the output that PC-relative code may use as it is. */
export const SPECIAL_FLAGS: u32 = SYM_PREEMPTIBLE | SYM_IFUNC | SYM_TLS | SYM_ABSOLUTE;

/** Column of the decision table for a symbol with `flags`. */
export function symbolColumn(flags: u32): u32 {
  const kind = flags & SYM_KIND_MASK;
  if (kind == SYM_SHARED || flags & SYM_NEEDS_COPY) {
    if (flags & SYM_OBJECT) return COL_DATA;
    return flags & SYM_FUNC ? COL_FUNC : COL_PREEMPTIBLE;
  }
  const undefined = isUndefined(flags);
  // What --unresolved-symbols leaves undefined in an executable that is not moved is 0 to all but calls and the GOT, as if it were weak (lld 22).
  const mayBeZero = undefined && (flags & SYM_WEAK || kind == SYM_LAZY || params().outputKind == OUT_EXEC);
  if (flags & SYM_PREEMPTIBLE) return mayBeZero ? COL_WEAK : COL_PREEMPTIBLE;
  if (undefined) return COL_ZERO;
  if (flags & SYM_ABSOLUTE) return COL_ABSOLUTE;
  return flags & SYM_IFUNC ? COL_IFUNC : COL_LOCAL;
}

/** Address of cell (row 0, column 0) for this output and a section that is `writable` (0 or 1). */
// @ts-ignore: decorator
@inline
export function policyBase(writable: u32): u32 {
  return params().scanPolicy + ((params().outputKind - 1) * 2 + writable) * COLUMNS;
}

/** Is the symbol's value known now, up to the load address? */
// @ts-ignore: decorator
@inline
export function isBound(column: u32): bool {
  return column == COL_LOCAL || column == COL_ABSOLUTE || column == COL_ZERO || column == COL_IFUNC;
}

// @ts-ignore: decorator
@inline
export function decision(base: u32, row: u32, column: u32): u32 {
  return <u32>load<u8>(base + row * CELLS_PER_ROW + column);
}

/** Entry of a relocation type: VALUE | bytes << 8 | RANGE << 16 | SCAN << 24. */
// @ts-ignore: decorator
@inline
export function relocEntry(type: u32): u32 {
  return type < <u32>RELOC_TYPES ? load<u32>(params().relocTypes + (type << 2)) : VALUE_UNKNOWN;
}

/** Address of word `index` (0-based) of .got. */
// @ts-ignore: decorator
@inline
export function gotWord(index: u32): u64 {
  return params().gotAddr + (<u64>index << 3);
}

/** Word of .got.plt that belongs to entry `plt` (1-based) of .plt. */
// @ts-ignore: decorator
@inline
export function pltSlot(plt: u32): u64 {
  return params().gotPltAddr + (<u64>(params().gotPltHeader + plt - 1) << 3);
}

/** Word of .got.plt that belongs to entry `iplt` (1-based) of .iplt; they follow those of .plt. */
// @ts-ignore: decorator
@inline
export function ipltSlot(iplt: u32): u64 {
  return params().gotPltAddr + (<u64>(params().gotPltHeader + params().pltCount + iplt - 1) << 3);
}

/** Address of the word that holds the symbol's address; an IFUNC without a .got word uses the slot of its .iplt entry. */
export function gotEntryAddress(sym: u32): u64 {
  const aux = tables().aux;
  const row = tables().sym.aux[sym];
  if (aux.got[row]) return gotWord(aux.got[row] - 1);
  if (aux.iplt[row]) return ipltSlot(aux.iplt[row]);
  return 0;
}

/** Is the word of .got that aux row `row` has an address of this output, which only the load address is missing in? */
// @ts-ignore: decorator
@inline
export function isGotRelative(row: u32): bool {
  const sym = tables().aux.sym[row];
  if (!tables().aux.got[row]) return false;
  const column = symbolColumn(tables().sym.flags[sym]);
  return column == COL_LOCAL || column == COL_IFUNC;
}

/** Address of entry `plt` (1-based) of .plt as calls see it. */
// @ts-ignore: decorator
@inline
export function pltAddress(plt: u32): u64 {
  return params().pltFirst + <u64>((plt - 1) * params().pltBytes);
}

// @ts-ignore: decorator
@inline
export function ipltAddress(iplt: u32): u64 {
  return params().ipltAddr + <u64>((iplt - 1) * params().ipltBytes);
}

/** Address calls to the symbol go to: its PLT entry, or the symbol itself when it has none. */
export function pltEntryAddress(sym: u32): u64 {
  const aux = tables().aux;
  const row = tables().sym.aux[sym];
  if (row) {
    if (aux.plt[row]) return pltAddress(aux.plt[row]);
    if (aux.iplt[row]) return ipltAddress(aux.iplt[row]);
    if (aux.pltGot[row]) return params().pltGotAddr + <u64>((aux.pltGot[row] - 1) * params().pltGotBytes);
  }
  return tables().sym.addr[sym];
}

/** Is the symbol one whose GOT entry can be avoided: bound in the output and moving with it? */
// @ts-ignore: decorator
@inline
export function relaxableSymbol(flags: u32): bool {
  return symbolColumn(flags) == COL_LOCAL;
}

/** Far below the reach of 32 bits, as the rest of the image comes to it. */
const HUGE_BSS_KIB: u32 = 1 << 20;

/** Is .bss, which stands behind everything else, so large that code may not reach all of it? */
export function isBssHuge(): bool {
  return params().bssKiB >= HUGE_BSS_KIB;
}

/** Is it sure, before there are addresses, that the symbol will be in reach of 32 bits? Those of large sections and of a huge .bss keep a GOT entry, used or not. */
export function nearSymbol(sym: u32, flags: u32): bool {
  const isec = tables().isec;
  const i = tables().sym.isec[sym];
  if ((flags & SYM_KIND_MASK) != SYM_DEFINED) return !isBssHuge();
  return !(isec.sh_flags[i] & SHF_X86_64_LARGE) && (isec.sh_type[i] != SHT_NOBITS || !isBssHuge());
}

/** Is the relocation after `r` the call that belongs to a TLS sequence at `r`? */
export function isTlsCall(r: u32, end: u32): bool {
  const next = r + RELA_BYTES;
  if (next >= end) return false;
  if (!isTlsCallType(load<u32>(next, R_TYPE))) return false;
  const distance = load<u64>(next) - load<u64>(r);
  return distance >= 5 && distance <= 8;
}

/** Index of a symbol in .dynsym; locals have none. */
// @ts-ignore: decorator
@inline
export function dynsymIndex(sym: u32): u32 {
  return sym < params().globalSyms ? tables().gsym.dynsym[sym] : 0;
}

/** Is what the scan decided a relative relocation? */
export function isRelativeAction(action: u32): bool {
  return action == ACT_RELATIVE || action == ACT_RELATIVE_IPLT;
}

/** What the scan decided for this relocation. */
export function decisionFor(i: u32, entry: u32, sym: u32, flags: u32, index: u32): u32 {
  const isec = tables().isec;
  const writable = isec.kind[i] != ISEC_EH_FRAME && ((isec.sh_flags[i] & SHF_WRITE) != 0 || !params().zText);
  return decision(policyBase(<u32>writable), entry >> 24, index ? symbolColumn(flags) : COL_ZERO);
}

/** Does the relocation at `r` of isec `i` become a relative one? For collectRelr, which sees the section before it is relocated. */
export function relativeDecision(i: u32, r: u32): bool {
  const type = load<u32>(r, R_TYPE);
  if (type != R_WORD) return false;
  const index = load<u32>(r, R_SYM);
  const sym = tables().esym.sym[tables().obj.esymBase[tables().isec.obj[i]] + index];
  return isRelativeAction(decisionFor(i, relocEntry(type), sym, tables().sym.flags[sym], index));
}
