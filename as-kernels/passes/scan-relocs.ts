/**
 * Looks at every relocation of the live allocated sections once: what its symbol needs (GOT, PLT, copy, TLS slots) and how many
 * dynamic relocations its section needs.
 *
 * Decides nothing by itself: the cell (relocation row × output × writable × symbol column) of the table in params.scanPolicy says
 * what to do. Surprising: GOTPCRELX relocations that may be relaxed need the section's contents, which are not resident; such
 * sections are listed, and the caller comes back with windows of the file.
 */
import { tables, params } from "../shared/tables.ts";
import { report } from "../lib/issue.ts";
import { decision, isTlsCall, nearSymbol, policyBase, relaxableSymbol, relocEntry, SPECIAL_FLAGS, symbolColumn } from "../lib/needs.ts";
import { FORM_NONE, gotForm, gotPrefixBytes } from "../arch/x86-64.ts";
import { isBranch, isGotRelax } from "../arch/x86-64-relocations.ts";
import {
  RELA_BYTES, R_ADDEND, R_SYM, R_TYPE, SHF_ALLOC, SHF_WRITE, SHT_NOBITS, STV_DEFAULT, STV_PROTECTED, ST_OTHER, SYM_BYTES,
} from "../shared/elf.ts";
import {
  IGNORE_DATA_EQUALITY, IGNORE_FUNCTION_EQUALITY, ISEC_CONSUMED, ISEC_EH_FRAME, ISSUE_COPY_PROTECTED, ISSUE_DISCARDED_REF, ISSUE_NO_COPYRELOC,
  ISSUE_RELOC_ABSOLUTE, EHREC_CIE, ISSUE_RELOC_BAD_OFFSET, ISSUE_RELOC_BAD_RELAX, ISSUE_RELOC_BAD_SYMBOL, ISSUE_RELOC_NEEDS_PIC,
  ISSUE_RELOC_SHARED_TLS, ISSUE_RELOC_TEXTREL, ISSUE_RELOC_TLS_MISMATCH, ISSUE_RELOC_UNKNOWN, ISSUE_UNDEFINED, NEEDED_PERHAPS, SYM_ABSOLUTE, SYM_ADDRESS_TAKEN, SYM_COMMON,
  SYM_DEFINED, SYM_DISCARDED, SYM_EXPORTED, SYM_IN_OSEC, SYM_KIND_MASK, SYM_LOCAL, SYM_NEEDS_COPY, SYM_NEEDS_CPLT, SYM_NEEDS_GOT, SYM_NEEDS_GOTTP, SYM_FUNC,
  SYM_NEEDS_PLT, SYM_NEEDS_TLSDESC, SYM_OBJECT, SYM_NEEDS_TLSGD, SYM_PREEMPTIBLE, SYM_REF_LIVE, SYM_REF_STRONG, SYM_SECTION, SYM_SHARED, SYM_TLS, SYM_UNDEF,
  SYM_USED_REGULAR, SYM_WEAK,
} from "../shared/abi.ts";
import {
  ACT_CANONICAL_PLT, ACT_COPY, ACT_DYNAMIC, ACT_GOT, ACT_IPLT, ACT_NONE, ACT_PC_ABSOLUTE, ACT_PLT, ACT_RELATIVE, ACT_RELATIVE_IPLT, ACT_RELAX_GOT,
  ACT_SHARED_TLS, ACT_TEXTREL, ACT_TLS_DESC, ACT_TLS_GD, ACT_TLS_IE, ACT_TLS_LD, ACT_TLS_MISMATCH, COL_IFUNC, COL_ZERO, SCAN_NOTHING, SCAN_SIZE,
  SCAN_TLS_GD, SCAN_TLS_LD, UNDEFINED_ERROR, UNDEFINED_IGNORE, VALUE_GOT, VALUE_GOT_BASE_PC, VALUE_GOT_REL, VALUE_NONE, VALUE_PLT_GOT_REL,
  VALUE_UNKNOWN,
} from "../shared/reloc.ts";

/** Kinds of symbol that have an address in the output, as a bit per SYM_ kind. SYM_IN_OSEC is left out: it wants SYM_REF_LIVE. */
const PLAIN_KINDS: u32 = (1 << SYM_DEFINED) | (1 << SYM_COMMON);

// ---- DT_NEEDED ----

/** Shared objects whose symbols (rows from…to, globals) have non-weak references become NEEDED_PERHAPS. Returns how many. */
export function findCandidates(from: u32, to: u32): u32 {
  const flags = tables().sym.flags;
  const gsym = tables().gsym;
  const needed = tables().obj.needed;
  let count: u32 = 0;
  for (let i = from; i < to; i++) {
    const f = flags[i];
    if ((f & SYM_KIND_MASK) != SYM_SHARED || !(f & SYM_REF_STRONG) || !(f & SYM_USED_REGULAR) || needed[gsym.obj[i]]) continue;
    needed[gsym.obj[i]] = NEEDED_PERHAPS; // counted once: next time it is set
    count++;
  }
  return count;
}

/** The end of it: candidates that nobody confirmed are not needed. Rows of `obj`. */
export function dropCandidates(from: u32, to: u32): void {
  const needed = tables().obj.needed;
  for (let i = from; i < to; i++) if (needed[i] == NEEDED_PERHAPS) needed[i] = 0;
}

/**
 * Marks shared objects that a live section has a non-weak reference to, through the relocations of isec rows from…to; of
 * `wanted` candidates. Returns how many were found. lld: with --gc-sections only live sections count; "non-weak" is a property
 * of the symbol, not of the single reference.
 */
export function markNeeded(from: u32, to: u32, wanted: u32): u32 {
  let found: u32 = 0;
  const isec = tables().isec;
  const obj = tables().obj;
  const esymSym = tables().esym.sym;
  const flags = tables().sym.flags;
  for (let i = from; i < to; i++) {
    const rela = isec.rela[i];
    if (!isec.live[i] || !rela || !(isec.sh_flags[i] & SHF_ALLOC)) continue;
    const base = obj.esymBase[isec.obj[i]];
    const count = obj.esymCount[isec.obj[i]];
    const end = rela + isec.relaCount[i] * RELA_BYTES;
    for (let r = rela; r < end; r += RELA_BYTES) {
      const index = load<u32>(r, R_SYM);
      if (index >= count) continue;
      const sym = esymSym[base + index];
      const f = flags[sym];
      if ((f & SYM_KIND_MASK) != SYM_SHARED || !(f & SYM_REF_STRONG)) continue;
      const owner = tables().gsym.obj[sym];
      if (obj.needed[owner] != NEEDED_PERHAPS) continue;
      obj.needed[owner] = 1;
      if (++found == wanted) return found;
    }
  }
  return found;
}

/** The same without garbage collection: every mention in an included object counts. Rows are globals. */
export function markNeededSymbols(from: u32, to: u32): void {
  const flags = tables().sym.flags;
  for (let i = from; i < to; i++) {
    const f = flags[i];
    if ((f & SYM_KIND_MASK) != SYM_SHARED || !(f & SYM_REF_STRONG) || !(f & SYM_USED_REGULAR)) continue;
    tables().obj.needed[tables().gsym.obj[i]] = 1;
  }
}

/**
 * Symbols of shared objects that get no DT_NEEDED become undefined and weak; `zero` = 1: 0 for good (-z nodynamic-undefined-weak). Rows are
 * globals. Returns how many.
 */
export function demoteShared(from: u32, to: u32, zero: u32): u32 {
  const flags = tables().sym.flags;
  const gsym = tables().gsym;
  const needed = tables().obj.needed;
  let count: u32 = 0;
  for (let i = from; i < to; i++) {
    const f = flags[i];
    if ((f & SYM_KIND_MASK) != SYM_SHARED || needed[gsym.obj[i]]) continue;
    flags[i] = (f & ~SYM_KIND_MASK) | SYM_UNDEF | SYM_WEAK;
    if (zero != 0) flags[i] = (flags[i] & ~(SYM_EXPORTED | SYM_PREEMPTIBLE)) | SYM_ABSOLUTE;
    gsym.obj[i] = 0;
    gsym.esym[i] = 0;
    gsym.ver[i] = 1; // VER_NDX_GLOBAL
    count++;
  }
  return count;
}

// ---- the scan ----

/**
 * Scans isec rows from…to, all of one object. Rows with relocations whose instructions must be seen are listed at `waiting`
 * (u32 each), unless their contents are in memory; returns how many.
 */
export function scanRelocs(from: u32, to: u32, waiting: u32): u32 {
  const isec = tables().isec;
  let count: u32 = 0;
  for (let i = from; i < to; i++) {
    const relocs = isec.relaCount[i];
    if (!relocs || !isec.live[i] || !(isec.sh_flags[i] & SHF_ALLOC) || isec.sh_type[i] == SHT_NOBITS || !isec.osec[i]) continue;
    const kind = <u32>isec.kind[i];
    if (kind == ISEC_CONSUMED) continue;
    if (kind == ISEC_EH_FRAME) {
      scanEhFrame(i);
      continue;
    }
    const rela = isec.rela[i];
    if (!rela || !scanSection(i, rela, relocs)) continue;
    if (isec.kept[i] != 0) {
      scanForms(i, rela, relocs, isec.kept[i]);
      continue;
    }
    store<u32>(waiting + (count << 2), i);
    count++;
  }
  return count;
}

/**
 * Rows from index `at` of the `count` listed at `waiting` on that one read brings: contents that ascend in the file with gaps of at most `gap`
 * bytes, up to `limit` bytes together. Leaves the file offsets of the first and the end (f64) at `out`; returns the index behind them.
 */
export function waitingRun(waiting: u32, at: u32, count: u32, gap: f64, limit: f64, out: u32): u32 {
  const isec = tables().isec;
  const first = load<u32>(waiting + (at << 2));
  const start = isec.sh_offset[first];
  let end = start + isec.size[first];
  let i = at + 1;
  for (; i < count; i++) {
    const row = load<u32>(waiting + (i << 2));
    const from = isec.sh_offset[row];
    const to = from + isec.size[row];
    if (from < start || from > end + gap || to - start > limit) break;
    if (to > end) end = to;
  }
  store<f64>(out, start);
  store<f64>(out, end, 8);
  return i;
}

/** Decides what scanRelocs left in rows from…to of the list, whose contents, from `start` of the file on, are at `window`. */
export function scanWaiting(waiting: u32, from: u32, to: u32, window: u32, start: f64): void {
  const isec = tables().isec;
  for (let i = from; i < to; i++) {
    const row = load<u32>(waiting + (i << 2));
    scanForms(row, isec.rela[row], isec.relaCount[row], window + <u32>(isec.sh_offset[row] - start));
  }
}

/**
 * Only FDEs of live code count, and each CIE once: a dead function's record must not pull anything in. Which records are
 * written is decided later (layoutEhFrame) by the same rule.
 */
function scanEhFrame(i: u32): void {
  const isec = tables().isec;
  const ehrec = tables().ehrec;
  if (!checkRecords(i)) return;
  const end = isec.pieceBase[i] + isec.pieceCount[i];
  for (let e = isec.pieceBase[i]; e < end; e++) {
    if (ehrec.flags[e] & EHREC_CIE) {
      if (ehrec.rela[e] && ehrec.leader[e] == e) scanSection(i, ehrec.rela[e], ehrec.relaCount[e]);
      continue;
    }
    const func = ehrec.func[e];
    if (!func || !ehrec.cie[e] || !isec.live[func] || !isec.osec[func]) continue;
    if (ehrec.rela[e]) scanSection(i, ehrec.rela[e], ehrec.relaCount[e]);
  }
}

/** Records of dead code are not scanned, but what is wrong with their relocations is wrong all the same. */
function checkRecords(i: u32): bool {
  const isec = tables().isec;
  const o = isec.obj[i];
  const symbols = tables().obj.esymCount[o];
  const size = <u64>isec.size[i];
  const rela = isec.rela[i];
  const end = rela + isec.relaCount[i] * RELA_BYTES;
  if (!rela) return true;
  for (let r = rela; r < end; r += RELA_BYTES) {
    const index = load<u32>(r, R_SYM);
    const offset = load<u64>(r);
    if (index >= symbols) report(ISSUE_RELOC_BAD_SYMBOL, o, i, (r - rela) / RELA_BYTES, <u64>index, <u64>load<u32>(r, R_TYPE));
    else if (offset >= size) report(ISSUE_RELOC_BAD_OFFSET, o, i, (r - rela) / RELA_BYTES, offset, <u64>load<u32>(r, R_TYPE));
    else continue;
    return false;
  }
  return true;
}

/** May an instruction's form decide whether the symbol needs a GOT entry? */
// @ts-ignore: decorator
@inline
function mayRelax(r: u32, type: u32, sym: u32, flags: u32): bool {
  return isGotRelax(type) && params().relax != 0 && load<i64>(r, R_ADDEND) == -4 && load<u64>(r) >= gotPrefixBytes(type) && relaxableSymbol(flags) && nearSymbol(sym, flags);
}

/** Decides the relocations that mayRelax: isec `i`, whose contents are at `bytes` in memory. */
function scanForms(i: u32, rela: u32, count: u32, bytes: u32): void {
  const isec = tables().isec;
  const obj = tables().obj;
  const o = isec.obj[i];
  const base = obj.esymBase[o];
  const symbols = obj.esymCount[o];
  const esymSym = tables().esym.sym;
  const size = <u64>isec.size[i];
  const end = rela + count * RELA_BYTES;
  for (let r = rela; r < end; r += RELA_BYTES) {
    const type = load<u32>(r, R_TYPE);
    if (!isGotRelax(type)) continue;
    const index = load<u32>(r, R_SYM);
    const offset = load<u64>(r);
    if (index >= symbols || !index || offset > size || size - offset < 4) continue;
    const sym = esymSym[base + index];
    const flags = tables().sym.flags[sym];
    if (flags & SYM_NEEDS_GOT || (flags & SYM_KIND_MASK) == SYM_DISCARDED || !mayRelax(r, type, sym, flags)) continue;
    if (gotForm(bytes + <u32>offset, type, params().relaxAbs32) == FORM_NONE) need(sym, SYM_NEEDS_GOT);
  }
}

/** Load-check, then atomic or: most relocations find the bits set. */
// @ts-ignore: decorator
@inline
function need(sym: u32, bits: u32): void {
  const ptr = changetype<usize>(tables().sym.flags) + (sym << 2);
  if ((load<u32>(ptr) & bits) != bits) atomic.or<u32>(ptr, bits);
}

/** `count` relocations of isec `i` at `rela`. True when some were left to scanForms. */
function scanSection(i: u32, rela: u32, count: u32): bool {
  const isec = tables().isec;
  const o = isec.obj[i];
  const base = tables().obj.esymBase[o];
  const symbols = tables().obj.esymCount[o];
  const esymSym = tables().esym.sym;
  const symFlags = tables().sym.flags;
  const size = <u64>isec.size[i];
  const pcLimit = size - 4;
  const ehFrame = isec.kind[i] == ISEC_EH_FRAME;
  const section = isec.rela[i]; // relocation 0, for diagnostics
  const writableSection = (isec.sh_flags[i] & SHF_WRITE) != 0;
  // Unwind records come and go one by one, with no dynamic relocations of theirs, even where they are writable.
  const policy = policyBase(<u32>(!ehFrame && (writableSection || !params().zText)));
  const packs = params().packRelr != 0 && isec.align[i] >= 1;
  let relative: u32 = 0;
  let symbolic: u32 = 0;
  let relr: u32 = 0;
  let forms = false;
  const end = rela + count * RELA_BYTES;
  for (let r = rela; r < end; r += RELA_BYTES) {
    const type = load<u32>(r, R_TYPE);
    const index = load<u32>(r, R_SYM);
    const offset = load<u64>(r);
    if (index < symbols && isBranch(type)) {
      const flags = symFlags[esymSym[base + index]];
      if (!(flags & SPECIAL_FLAGS) && (1 << (flags & SYM_KIND_MASK)) & PLAIN_KINDS && size >= 4 && offset <= pcLimit) continue;
    }
    const number = (r - section) / RELA_BYTES;
    if (index >= symbols) {
      report(ISSUE_RELOC_BAD_SYMBOL, o, i, number, <u64>index, <u64>type);
      continue;
    }
    const entry = relocEntry(type);
    const value = entry & 0xff;
    if (value == VALUE_NONE) continue;
    const sym = esymSym[base + index];
    if (value == VALUE_UNKNOWN) {
      report(ISSUE_RELOC_UNKNOWN, o, i, number, <u64>type, <u64>sym);
      continue;
    }
    const width = <u64>((entry >> 8) & 0xff);
    if (offset > size || size - offset < width) {
      report(ISSUE_RELOC_BAD_OFFSET, o, i, number, offset, <u64>type);
      continue;
    }
    const flags = symFlags[sym];
    let column: u32 = COL_ZERO;
    if (index != 0) {
      if (!usable(o, i, number, index, sym, flags)) continue;
      column = symbolColumn(flags);
    }
    if (value == VALUE_GOT || value == VALUE_GOT_REL || value == VALUE_PLT_GOT_REL || value == VALUE_GOT_BASE_PC) {
      if (!params().needsGotBase) params().needsGotBase = 1;
    }
    const row = entry >> 24;
    let action = decision(policy, row, column);
    if (row >= <u32>SCAN_TLS_GD) {
      if (isForeign(sym, flags)) action = ACT_TLS_MISMATCH;
    } else if (flags & SYM_TLS && row != SCAN_NOTHING && row != SCAN_SIZE && isProvided(flags)) action = ACT_TLS_MISMATCH;
    if (action == ACT_NONE) {
      if (row == SCAN_TLS_GD || row == SCAN_TLS_LD) r = skipCall(o, i, r, end, number, type);
      continue;
    }
    if (action == ACT_RELATIVE || action == ACT_RELATIVE_IPLT) {
      if (action == ACT_RELATIVE_IPLT) need(sym, SYM_ADDRESS_TAKEN);
      if (packs && !(offset & 1)) relr++;
      else relative++;
      if (!writableSection) params().hasTextRel = 1;
    } else if (action == ACT_DYNAMIC) {
      if (column == COL_IFUNC) need(sym, SYM_EXPORTED);
      symbolic++;
      if (!writableSection) params().hasTextRel = 1;
    } else if (action == ACT_GOT) {
      need(sym, SYM_NEEDS_GOT);
    } else if (action == ACT_RELAX_GOT) {
      if (flags & SYM_NEEDS_GOT) continue;
      if (mayRelax(r, type, sym, flags)) forms = true;
      else need(sym, SYM_NEEDS_GOT);
    } else if (action == ACT_TLS_IE) {
      need(sym, SYM_NEEDS_GOTTP);
      if (params().shared) params().hasStaticTls = 1;
      else if (row == SCAN_TLS_GD) r = skipCall(o, i, r, end, number, type);
    } else {
      demand(o, i, number, type, sym, action);
    }
  }
  if (relative) isec.dynRel[i] += relative;
  if (symbolic) isec.dynSym[i] += symbolic;
  if (relr) isec.relr[i] += relr;
  return forms;
}

/** What takes neither dynamic relocations of the section nor other relocations along: an entry for the symbol, or an error. */
function demand(o: u32, i: u32, number: u32, type: u32, sym: u32, action: u32): void {
  if (action == ACT_PLT) need(sym, SYM_NEEDS_PLT);
  else if (action == ACT_IPLT) need(sym, SYM_ADDRESS_TAKEN);
  else if (action == ACT_COPY || action == ACT_CANONICAL_PLT) defineHere(o, i, number, type, sym, action);
  else if (action == ACT_TLS_GD) need(sym, SYM_NEEDS_TLSGD);
  else if (action == ACT_TLS_DESC) need(sym, SYM_NEEDS_TLSDESC);
  else if (action != ACT_TLS_LD) reject(o, i, number, type, sym, action);
  else if (!params().needsTlsModule) params().needsTlsModule = 1;
}

/** Notes the reference; false when the symbol cannot be referred to (reported). */
function usable(o: u32, i: u32, number: u32, index: u32, sym: u32, flags: u32): bool {
  const kind = flags & SYM_KIND_MASK;
  if (kind == SYM_DISCARDED) {
    report(ISSUE_DISCARDED_REF, o, i, number, <u64>index, <u64>sym);
    return false;
  }
  if (!(flags & SYM_LOCAL)) need(sym, SYM_REF_LIVE);
  if (kind != SYM_UNDEF) return true;
  if (namesVersion(sym)) {
    // Even a weak one: without its shared object there is no record to ask for the version with.
    report(ISSUE_UNDEFINED, o, i, number, <u64>sym, 0);
    return params().undefinedPolicy != UNDEFINED_ERROR;
  }
  if (flags & SYM_WEAK) return true;
  const policy = params().undefinedPolicy;
  const external = sym < params().globalSyms && tables().gsym.vis[sym] == STV_DEFAULT;
  if (external && policy == UNDEFINED_IGNORE) return true;
  report(ISSUE_UNDEFINED, o, i, number, <u64>sym, 0);
  return external && policy != UNDEFINED_ERROR;
}

/** Is the symbol called name@V? */
function namesVersion(sym: u32): bool {
  if (sym >= params().globalSyms) return false;
  const name = tables().gsym.name[sym];
  return name != 0 && load<u8>(name + tables().gsym.nameBytes[sym]) == 0x40;
}

/** Defined here, and not thread-local. Section symbols of TLS sections have no type of their own. */
// @ts-ignore: decorator
@inline
function isForeign(sym: u32, flags: u32): bool {
  if (flags & (SYM_TLS | SYM_SECTION)) return false;
  return (flags & SYM_KIND_MASK) == SYM_DEFINED && tables().sym.isec[sym] != 0;
}

/** Has a definition: what an undefined symbol's type says is no more than its first mention's guess. */
// @ts-ignore: decorator
@inline
function isProvided(flags: u32): bool {
  const kind = flags & SYM_KIND_MASK;
  return kind == SYM_DEFINED || kind == SYM_SHARED;
}

/**
 * A relaxed general or local dynamic sequence takes the call of __tls_get_addr with it: returns the relocation of that call, to be
 * skipped, or reports that it is missing. The name stays in .dynsym, as with lld.
 */
// @ts-ignore: decorator
@inline
function skipCall(o: u32, i: u32, r: u32, end: u32, number: u32, type: u32): u32 {
  if (isTlsCall(r, end)) {
    const index = load<u32>(r + RELA_BYTES, R_SYM);
    if (index < tables().obj.esymCount[o]) {
      const callee = tables().esym.sym[tables().obj.esymBase[o] + index];
      if (!(tables().sym.flags[callee] & SYM_LOCAL)) need(callee, SYM_REF_LIVE);
    }
    return r + RELA_BYTES;
  }
  report(ISSUE_RELOC_BAD_RELAX, o, i, number, <u64>type, 0);
  return r;
}

/**
 * Is the symbol protected in the shared object that defines it? It is used there directly, and a copy or a PLT entry of ours
 * would go unnoticed; --ignore-function-address-equality and its relative for data accept that.
 */
function isProtectedThere(sym: u32): bool {
  const gsym = tables().gsym;
  const obj = tables().obj;
  const owner = gsym.obj[sym];
  if (!owner || !gsym.esym[sym]) return false;
  const flags = tables().sym.flags[sym];
  if (flags & SYM_FUNC && params().ignoreEquality & IGNORE_FUNCTION_EQUALITY) return false;
  if (flags & SYM_OBJECT && params().ignoreEquality & IGNORE_DATA_EQUALITY) return false;
  const entry = obj.symtab[owner] + SYM_BYTES * (gsym.esym[sym] - obj.esymBase[owner]);
  return (load<u8>(entry, ST_OTHER) & 3) == STV_PROTECTED;
}

/** A reference that only works when the executable itself holds the symbol: copy relocation or canonical PLT entry. */
function defineHere(o: u32, i: u32, number: u32, type: u32, sym: u32, action: u32): void {
  if (isProtectedThere(sym)) {
    report(ISSUE_COPY_PROTECTED, o, i, number, <u64>type, <u64>sym);
    return;
  }
  if (action == ACT_COPY) {
    if (!params().zCopyreloc) report(ISSUE_NO_COPYRELOC, o, i, number, <u64>type, <u64>sym);
    else need(sym, SYM_NEEDS_COPY);
    return;
  }
  need(sym, SYM_NEEDS_CPLT | SYM_NEEDS_PLT);
}

function reject(o: u32, i: u32, number: u32, type: u32, sym: u32, action: u32): void {
  let code: u32 = ISSUE_RELOC_NEEDS_PIC;
  // What a script or --defsym assigns is taken as it is, where the image will be or not (lld, GNU ld).
  if (action == ACT_PC_ABSOLUTE && (tables().sym.flags[sym] & SYM_KIND_MASK) == SYM_IN_OSEC) return;
  if (action == ACT_PC_ABSOLUTE) code = ISSUE_RELOC_ABSOLUTE;
  else if (action == ACT_TEXTREL) code = ISSUE_RELOC_TEXTREL;
  else if (action == ACT_TLS_MISMATCH) code = ISSUE_RELOC_TLS_MISMATCH;
  else if (action == ACT_SHARED_TLS) code = ISSUE_RELOC_SHARED_TLS;
  const wantsPic = code == ISSUE_RELOC_NEEDS_PIC || code == ISSUE_RELOC_TEXTREL;
  if (wantsPic && !params().shared && (tables().sym.flags[sym] & SYM_KIND_MASK) == SYM_SHARED && isProtectedThere(sym)) code = ISSUE_COPY_PROTECTED;
  report(code, o, i, number, <u64>type, <u64>sym);
}
