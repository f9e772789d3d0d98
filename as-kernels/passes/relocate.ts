/**
 * Applies relocations to section contents that lie in an output window, and writes the dynamic relocations of those sections.
 *
 * Trusts the scan for allocated sections: offsets and symbols were checked there, and the same decision table is read again, so
 * the records fit exactly into the slices that create-synthetic gave each section. The two commonest types are handled in the
 * loop; everything else goes through `applyOne`. Sections that are not loaded have their own loop with tombstones.
 */
import { tables, params } from "../shared/tables.ts";
import { DID_RELATIVE, DID_SYMBOLIC, dynamicRecord, mayBeDynamic, putRela, recordedAddend, valueOf } from "../lib/dynamic-records.ts";
import { report } from "../lib/issue.ts";
import { putField } from "../lib/field.ts";
import { sizeOfSymbol } from "../lib/symbol-entry.ts";
import { isUndefined } from "../lib/symbol-flags.ts";
import { relocateUnloaded } from "./relocate-unloaded.ts";
import { adjustSplitStack } from "../lib/split-stack.ts";
import { gotEntryAddress, gotWord, isTlsCall, pltEntryAddress, relaxableSymbol, relocEntry, SPECIAL_FLAGS } from "../lib/needs.ts";
import {
  FORM_NONE, gdForm, gotForm, gotPrefixBytes, isTlsDescLea, ldForm, negateJcc, relaxGdToIe, relaxGdToLe, relaxGot, relaxIeToLe, relaxLdToLe, relaxTlsDescCall,
  relaxTlsDescToIe, relaxTlsDescToLe, TLS_BAD,
} from "../arch/x86-64.ts";
import { isBranch, R_CALL, R_RELATIVE, R_WORD } from "../arch/x86-64-relocations.ts";
import {
  RELA_BYTES, SHF_ALLOC, SHF_WRITE, SHT_NOBITS, R_ADDEND, R_SYM, R_TYPE,
} from "../shared/elf.ts";
import {
  ISEC_REGULAR, ISSUE_RELOC_BAD_RELAX, ISSUE_RELOC_RANGE, ISSUE_RELOC_UNKNOWN, RELOC_TURNED, SYM_DEFINED, SYM_IFUNC, SYM_KIND_MASK, SPLIT_STACK,
  SYM_PREEMPTIBLE, SYM_SECTION, SYM_SHARED, SYM_ABSOLUTE,
} from "../shared/abi.ts";
import {
  VALUE_ABS, VALUE_DTPOFF, VALUE_GOT, VALUE_GOT_BASE_PC, VALUE_GOT_PC, VALUE_GOT_PC_RELAX, VALUE_GOT_REL, VALUE_PC, VALUE_PLT_GOT_REL, VALUE_PLT_PC,
  VALUE_SIZE, VALUE_TLSDESC, VALUE_TLSDESC_CALL, VALUE_TLSGD, VALUE_TLSLD, VALUE_TPOFF, VALUE_UNKNOWN,
} from "../shared/reloc.ts";

/** What applyOne did besides writing the field, with the DID_* of dynamic records: took the next relocation with it. */
const DID_CALL: u32 = 4;

/**
 * Relocates the isecs of member rows from…to, all of one output section. Their bytes are at window + (isec.outOffset -
 * windowOffset). Members whose relocations are not in memory (isec.rela is 0) are left alone; returns how many those are.
 */
export function relocate(from: u32, to: u32, window: u32, windowOffset: f64): u32 {
  const member = tables().member.isec;
  const isec = tables().isec;
  const osec = tables().osec;
  const splitStack = params().splitStack;
  let waiting: u32 = 0;
  for (let m = from; m < to; m++) {
    const i = member[m];
    const kind = <u32>isec.kind[i];
    if (!isec.live[i] || !isec.relaCount[i] || isec.sh_type[i] == SHT_NOBITS) continue;
    if (kind != ISEC_REGULAR) continue;
    if (!isec.rela[i]) {
      waiting++;
      continue;
    }
    const outOffset = isec.outOffset[i];
    const bytes = window + <u32>(outOffset - windowOffset);
    const rela = isec.rela[i];
    const end = rela + isec.relaCount[i] * RELA_BYTES;
    if (isec.sh_flags[i] & SHF_ALLOC) {
      const place = osec.addr[isec.osec[i]] + <u64>outOffset;
      relocateLoaded(i, rela, end, bytes, place, <u64>isec.size[i]);
      if (splitStack && tables().obj.splitStack[isec.obj[i]] & SPLIT_STACK) adjustSplitStack(i, rela, end, bytes, place, <u64>isec.size[i]);
    } else {
      relocateUnloaded(i, rela, end, rela, bytes, <u64>outOffset);
    }
  }
  return waiting;
}

/**
 * Applies the relocations rela…end of allocated isec `i` to a record of it (.eh_frame) that lies at `bytes` in memory and at
 * address `place` in the output. `from`: offset of the record in the isec, `size`: its bytes. Not a kernel: write-eh-frame calls it.
 */
export function relocateRecord(i: u32, rela: u32, end: u32, bytes: u32, place: u64, from: u32, size: u32): void {
  relocateLoaded(i, rela, end, bytes - from, place - <u64>from, <u64>from + <u64>size);
}

function relocateLoaded(i: u32, rela: u32, end: u32, bytes: u32, place: u64, size: u64): void {
  const o = tables().isec.obj[i];
  const base = tables().obj.esymBase[o];
  const esymSym = tables().esym.sym;
  const symFlags = tables().sym.flags;
  const symAddr = tables().sym.addr;
  const pic = params().pic;
  const ifuncNoplt = params().ifuncNoplt;
  const symIsec = tables().sym.isec;
  const writesRelative = tables().isec.kind[i] == ISEC_REGULAR && tables().isec.sh_flags[i] & SHF_WRITE && !params().packRelr && !params().writeAddends;
  let relative = tables().isec.dynRel[i];
  let symbolic = params().relativeCount + tables().isec.dynSym[i];
  for (let r = rela; r < end; r += RELA_BYTES) {
    const type = load<u32>(r, R_TYPE);
    const sym = esymSym[base + load<u32>(r, R_SYM)];
    const at = bytes + load<u32>(r);
    if (isBranch(type) && !(ifuncNoplt && symFlags[sym] & SYM_IFUNC)) {
      const flags = symFlags[sym];
      const A = load<u64>(r, R_ADDEND);
      let SA = symAddr[sym] + A;
      if (flags & SYM_SECTION) SA = valueOf(sym, flags, A);
      else if (type == R_CALL && flags & (SYM_PREEMPTIBLE | SYM_IFUNC)) SA = pltEntryAddress(sym) + A;
      const V = <i64>(SA - place - load<u64>(r));
      store<u32>(at, <u32>V);
      if (V != <i64><i32>V && !params().ignoreOverflow) outOfRange(o, i, r, <u64>V, type);
      continue;
    }
    if (type == R_WORD) {
      const flags = symFlags[sym];
      if (!pic) {
        if (!(flags & (SYM_PREEMPTIBLE | SYM_SECTION)) && (flags & SYM_KIND_MASK) != SYM_SHARED) {
          store<u64>(at, symAddr[sym] + load<u64>(r, R_ADDEND));
          continue;
        }
      } else if (writesRelative && !(flags & SPECIAL_FLAGS) && (flags & SYM_KIND_MASK) == SYM_DEFINED && symIsec[sym]) {
        putRela(relative++, place + load<u64>(r), R_RELATIVE, valueOf(sym, flags, load<u64>(r, R_ADDEND)));
        continue;
      }
    }
    const did = applyOne(i, r, end, at, place, size, relative, symbolic);
    if (did) {
      relative += did & DID_RELATIVE;
      symbolic += (did & DID_SYMBOLIC) >> 1;
      if (did & DID_CALL) r += RELA_BYTES;
    }
  }
}

/** TP offset of a symbol plus addend (variant II: the block ends at the thread pointer); undefined: only the addend. */
// @ts-ignore: decorator
@inline
function tpOffset(sym: u32, flags: u32, A: u64): u64 {
  return isUndefined(flags) ? A : valueOf(sym, flags, A) - params().tlsEnd;
}

/**
 * Any relocation of an allocated section. `at`: its field in memory; `place`: address of the section; `relative`, `symbolic`: next
 * records of the section in .rela.dyn. Returns DID_* bits.
 */
function applyOne(i: u32, r: u32, end: u32, at: u32, place: u64, size: u64, relative: u32, symbolic: u32): u32 {
  const o = tables().isec.obj[i];
  const type = load<u32>(r, R_TYPE);
  const index = load<u32>(r, R_SYM);
  const sym = tables().esym.sym[tables().obj.esymBase[o] + index];
  const flags = index ? tables().sym.flags[sym] : SYM_ABSOLUTE;
  const entry = relocEntry(type);
  const value = entry & 0xff;
  const width = (entry >> 8) & 0xff;
  const range = (entry >> 16) & 0xff;
  const A = load<u64>(r, R_ADDEND);
  const offset = load<u64>(r);
  const P = place + offset;
  let V: u64 = 0;
  if (mayBeDynamic(value, width, flags)) {
    const did = dynamicRecord(i, entry, type, sym, flags, index, offset, P, A, relative, symbolic);
    if (did) {
      if (params().writeAddends && width == 8) store<u64>(at, recordedAddend(did & DID_RELATIVE ? relative : symbolic));
      return did;
    }
  }
  if (value == VALUE_ABS || value == VALUE_PC) {
    V = valueOf(sym, flags, A) - (value == VALUE_PC ? P : 0);
  } else if (value == VALUE_GOT_PC_RELAX || value == VALUE_GOT_PC) {
    if (value == VALUE_GOT_PC_RELAX && params().relax && <i64>A == -4 && index && offset >= gotPrefixBytes(type)) {
      const form = relaxableSymbol(flags) ? gotForm(at, type, params().relaxAbs32) : FORM_NONE;
      if (form != FORM_NONE) {
        const SA = tables().sym.addr[sym];
        if (!relaxGot(at, type, form, SA, P, params().callNop)) return 0;
        if (!gotEntryAddress(sym)) return outOfRange(o, i, r, SA - 4 - P, type);
      }
    }
    V = gotEntryAddress(sym) + A - P;
  } else if (value >= <u32>VALUE_TLSGD) {
    return applyTls(i, r, end, at, P, size, entry, sym, flags);
  } else if (value == VALUE_TPOFF) {
    V = tpOffset(sym, flags, A);
  } else if (value == VALUE_DTPOFF) {
    // In an executable local dynamic code has become local exec, and so have its offsets.
    V = params().shared ? valueOf(sym, flags, A) - params().tlsAddr : tpOffset(sym, flags, A);
  } else if (value == VALUE_PLT_PC) {
    V = pltOrValue(sym, flags, A) - P;
  } else if (value == VALUE_PLT_GOT_REL) {
    V = pltOrValue(sym, flags, A) - params().gotPltAddr;
  } else if (value == VALUE_GOT) {
    V = gotEntryAddress(sym) + A - params().gotPltAddr;
  } else if (value == VALUE_GOT_REL) {
    V = valueOf(sym, flags, A) - params().gotPltAddr;
  } else if (value == VALUE_GOT_BASE_PC) {
    V = params().gotPltAddr + A - P;
  } else if (value == VALUE_SIZE) {
    V = sizeOfSymbol(o, index, sym) + A;
  } else if (type == RELOC_TURNED) {
    negateJcc(at);
    return put32(o, i, r, at, pltOrValue(sym, flags, A) - P, R_CALL);
  } else if (value == VALUE_UNKNOWN) {
    report(ISSUE_RELOC_UNKNOWN, o, i, (r - tables().isec.rela[i]) / RELA_BYTES, <u64>type, <u64>sym);
    return 0;
  } else {
    return 0; // VALUE_NONE
  }
  if (putField(at, <i64>V, width, range) || params().ignoreOverflow) return 0;
  return outOfRange(o, i, r, V, type);
}

/** L + A: a section symbol's place, or where calls to the symbol go. */
// @ts-ignore: decorator
@inline
function pltOrValue(sym: u32, flags: u32, A: u64): u64 {
  return flags & SYM_SECTION ? valueOf(sym, flags, A) : pltEntryAddress(sym) + A;
}

// @ts-ignore: decorator
@inline
function outOfRange(o: u32, i: u32, r: u32, V: u64, type: u32): u32 {
  report(ISSUE_RELOC_RANGE, o, i, (r - tables().isec.rela[i]) / RELA_BYTES, V, <u64>type);
  return 0;
}

/** The thread-local models: in an executable they become initial exec (another module's symbol) or local exec. */
function applyTls(i: u32, r: u32, end: u32, at: u32, P: u64, size: u64, entry: u32, sym: u32, flags: u32): u32 {
  const aux = tables().aux;
  const o = tables().isec.obj[i];
  const type = load<u32>(r, R_TYPE);
  const value = entry & 0xff;
  const offset = load<u64>(r);
  const A = load<u64>(r, R_ADDEND);
  const row = tables().sym.aux[sym];
  const toIe = flags & SYM_PREEMPTIBLE || (flags & SYM_KIND_MASK) == SYM_SHARED;
  let V: u64 = 0;
  if (params().shared) {
    if (value == VALUE_TLSDESC_CALL) return 0;
    if (value == VALUE_TLSGD) V = gotWord(aux.tlsGd[row] - 1) + A - P;
    else if (value == VALUE_TLSLD) V = gotWord(params().tlsModuleGot - 1) + A - P;
    else if (value == VALUE_TLSDESC) V = gotWord(aux.tlsDesc[row] - 1) + A - P;
    else V = gotWord(aux.gotTp[row] - 1) + A - P;
    return put32(o, i, r, at, V, type);
  }
  if (value == VALUE_TLSGD) {
    const form = gdForm(at, offset, size - offset);
    if (form == TLS_BAD || !isTlsCall(r, end)) return badSequence(o, i, r, type);
    if (toIe) {
      const field = relaxGdToIe(at, form);
      put32(o, i, r, field, gotWord(aux.gotTp[row] - 1) + A - (P + <u64>(field - at)), type);
    } else {
      put32(o, i, r, relaxGdToLe(at, form), tpOffset(sym, flags, A + 4), type);
    }
    return DID_CALL;
  }
  if (value == VALUE_TLSLD) {
    const form = ldForm(at, offset, size - offset);
    if (form == TLS_BAD || !isTlsCall(r, end)) return badSequence(o, i, r, type);
    relaxLdToLe(at, form);
    return DID_CALL;
  }
  if (value == VALUE_TLSDESC_CALL) {
    relaxTlsDescCall(at);
    return 0;
  }
  if (value == VALUE_TLSDESC) {
    if (!isTlsDescLea(at, type, offset)) return badSequence(o, i, r, type);
    if (toIe) {
      relaxTlsDescToIe(at);
      return put32(o, i, r, at, gotWord(aux.gotTp[row] - 1) + A - P, type);
    }
    relaxTlsDescToLe(at, type);
    return put32(o, i, r, at, tpOffset(sym, flags, A + 4), type);
  }
  if (toIe) return put32(o, i, r, at, gotWord(aux.gotTp[row] - 1) + A - P, type);
  if (!relaxIeToLe(at, type, offset)) return badSequence(o, i, r, type);
  return put32(o, i, r, at, tpOffset(sym, flags, A + 4), type);
}

// @ts-ignore: decorator
@inline
function put32(o: u32, i: u32, r: u32, at: u32, V: u64, type: u32): u32 {
  store<u32>(at, <u32>V);
  return <i64>V == <i64><i32>V ? 0 : outOfRange(o, i, r, V, type);
}

function badSequence(o: u32, i: u32, r: u32, type: u32): u32 {
  report(ISSUE_RELOC_BAD_RELAX, o, i, (r - tables().isec.rela[i]) / RELA_BYTES, <u64>type, 0);
  return 0;
}
