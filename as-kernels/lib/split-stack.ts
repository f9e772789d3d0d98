/**
 * Split stacks: a function compiled with -fsplit-stack that calls one that is not must see to enough stack for both.
 *
 * Its prologue is changed to ask for more, or to always ask, and its call of __morestack becomes one of __morestack_non_split, which
 * grants a large stack. After the section has been relocated; only for sections of objects with .note.GNU-split-stack. Choices as lld.
 */
import { params, tables } from "../shared/tables.ts";
import { report } from "./issue.ts";
import { pltEntryAddress } from "./needs.ts";
import { adjustPrologue } from "../arch/x86-64.ts";
import { isBranch } from "../arch/x86-64-relocations.ts";
import {
  ISSUE_NO_MORESTACK, ISSUE_RELOC_RANGE, ISSUE_SPLIT_STACK, SPLIT_STACK, SPLIT_STACK_SOME_NOT, SYM_DEFINED, SYM_FUNC, SYM_KIND_MASK,
} from "../shared/abi.ts";
import {
  RELA_BYTES, STT_FUNC, SYM_BYTES, R_ADDEND, R_SYM, R_TYPE, ST_INFO, ST_SHNDX, ST_SIZE, ST_VALUE,
} from "../shared/elf.ts";

/** Isec `i`, relocated by rela…end, whose `size` bytes are at `bytes` in memory and at `place` in the output. */
export function adjustSplitStack(i: u32, rela: u32, end: u32, bytes: u32, place: u64, size: u64): void {
  const obj = tables().obj;
  const o = tables().isec.obj[i];
  const shndx = tables().isec.shndx[i];
  const symbols = obj.symtab[o];
  const last = symbols + obj.esymCount[o] * SYM_BYTES;
  for (let entry = symbols + SYM_BYTES; entry < last; entry += SYM_BYTES) {
    if (!isFunctionOf(entry, shndx)) continue;
    const value = load<u64>(entry, ST_VALUE);
    const after = value + load<u64>(entry, ST_SIZE);
    if (after > size || after < value) continue;
    const call = foreignCall(o, rela, end, value, after);
    if (!call || hasAlias(symbols, entry, shndx, value)) continue;
    if (!adjustPrologue(bytes + <u32>value, size - value, params().splitStackBytes) && !(obj.splitStack[o] & SPLIT_STACK_SOME_NOT)) {
      report(ISSUE_SPLIT_STACK, o, i, (call - rela) / RELA_BYTES, <u64>((entry - symbols) / SYM_BYTES), 0);
    }
    switchCalls(i, rela, end, bytes, place, value, after);
  }
}

// @ts-ignore: decorator
@inline
function isFunctionOf(entry: u32, shndx: u32): bool {
  return <u32>load<u16>(entry, ST_SHNDX) == shndx && (load<u8>(entry, ST_INFO) & 15) == STT_FUNC;
}

/** Has an earlier name of the same function been seen to already? */
function hasAlias(symbols: u32, entry: u32, shndx: u32, value: u64): bool {
  for (let other = symbols + SYM_BYTES; other < entry; other += SYM_BYTES) {
    if (isFunctionOf(other, shndx) && load<u64>(other, ST_VALUE) == value && load<u64>(other, ST_SIZE)) return true;
  }
  return false;
}

/** Does the symbol's name begin with __morestack? */
function isMorestack(sym: u32): bool {
  if (sym >= params().globalSyms) return false;
  const name = tables().gsym.name[sym];
  // "__morest", "stack" with the byte before it
  return tables().gsym.nameBytes[sym] >= 11 && load<u64>(name) == 0x747365726f6d5f5f && load<u32>(name, 7) == 0x6b636174;
}

/** First relocation between offsets `from` and `to` that refers to a function which may not have been compiled with split stacks. */
function foreignCall(o: u32, rela: u32, end: u32, from: u64, to: u64): u32 {
  const base = tables().obj.esymBase[o];
  for (let r = rela; r < end; r += RELA_BYTES) {
    const offset = load<u64>(r);
    if (offset < from || offset >= to) continue;
    const sym = tables().esym.sym[base + load<u32>(r, R_SYM)];
    const flags = tables().sym.flags[sym];
    if (!(flags & SYM_FUNC) || isMorestack(sym)) continue;
    const target = tables().sym.isec[sym];
    if ((flags & SYM_KIND_MASK) == SYM_DEFINED && target && tables().obj.splitStack[tables().isec.obj[target]] & SPLIT_STACK) continue;
    return r;
  }
  return 0;
}

/** Calls of __morestack between offsets `from` and `to` go to __morestack_non_split. */
function switchCalls(i: u32, rela: u32, end: u32, bytes: u32, place: u64, from: u64, to: u64): void {
  const o = tables().isec.obj[i];
  const base = tables().obj.esymBase[o];
  const target = params().morestackNonSplit;
  if (!target) return report(ISSUE_NO_MORESTACK, 0, 0, 0, 0, 0);
  for (let r = rela; r < end; r += RELA_BYTES) {
    const offset = load<u64>(r);
    const type = load<u32>(r, R_TYPE);
    if (offset < from || offset >= to || !isBranch(type)) continue;
    if (tables().esym.sym[base + load<u32>(r, R_SYM)] != params().morestack) continue;
    const V = <i64>(pltEntryAddress(target) + load<u64>(r, R_ADDEND) - place - offset);
    if (V != <i64><i32>V) report(ISSUE_RELOC_RANGE, o, i, (r - rela) / RELA_BYTES, <u64>V, <u64>type);
    else store<u32>(bytes + <u32>offset, <u32>V);
  }
}
