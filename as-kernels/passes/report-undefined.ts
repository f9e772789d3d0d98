/**
 * Finds the symbols a shared object leaves undefined and nobody in the link provides to it.
 *
 * Only rows of the shared object's own symbol table; undefined symbols of relocatable objects are scan-relocs' business.
 */
import { tables } from "../shared/tables.ts";
import { STB_WEAK, STV_HIDDEN, STV_INTERNAL, ST_INFO, ST_SHNDX, SYM_BYTES } from "../shared/elf.ts";
import { ISSUE_UNDEFINED_SHLIB, SYM_COMMON, SYM_DEFINED, SYM_FORCED_LOCAL, SYM_KIND_MASK, SYM_SHARED, SYM_WEAK } from "../shared/abi.ts";
import { report } from "../lib/issue.ts";
import { isUndefined } from "../lib/symbol-flags.ts";

/** Is the definition bound inside the output, so that the dynamic linker cannot give it to a shared object? */
// @ts-ignore: decorator
@inline
function isHidden(sym: u32, flags: u32): bool {
  if (flags & SYM_FORCED_LOCAL) return true;
  const vis = tables().gsym.vis[sym];
  return vis == STV_HIDDEN || vis == STV_INTERNAL;
}

/**
 * Reports obj's unprovided references as ISSUE_UNDEFINED_SHLIB rows; returns how many. `needs` != 0: those that provide the others are
 * needed instead.
 */
export function sharedUndefined(o: u32, needs: u32): u32 {
  const obj = tables().obj;
  const symFlags = tables().sym.flags;
  const esymSym = tables().esym.sym;
  const base = obj.esymBase[o];
  const count = obj.esymCount[o];
  let at = obj.symtab[o];
  if (at == 0) return 0;
  let found: u32 = 0;
  for (let i: u32 = 1; i < count; i++) {
    at += SYM_BYTES;
    if (load<u16>(at, ST_SHNDX) != 0 || load<u8>(at, ST_INFO) >> 4 == STB_WEAK) continue;
    const sym = esymSym[base + i];
    if (sym == 0) continue;
    const flags = symFlags[sym];
    const kind = flags & SYM_KIND_MASK;
    if (needs) {
      const owner = tables().gsym.obj[sym];
      if (kind == SYM_SHARED && !obj.needed[owner]) obj.needed[owner] = 1;
      continue;
    }
    const defined = kind == SYM_DEFINED || kind == SYM_COMMON;
    if (isUndefined(flags) ? (flags & SYM_WEAK) != 0 : !defined || !isHidden(sym, flags)) continue;
    report(ISSUE_UNDEFINED_SHLIB, o, 0, i, <u64>sym, 0);
    found++;
  }
  return found;
}
