/**
 * Turns needs into entries: aux rows and slot numbers in sym row order, slices of .rela.dyn, and later the contents of .got,
 * .got.plt, .plt and of the dynamic relocations that belong to them.
 *
 * Counters live in params, because one pass over the symbols is many short kernel calls. Not here: copy relocations (few, they
 * need the shared object's headers: ts/passes/create-synthetic.ts) and the sections' places.
 */
import { params, tables } from "../shared/tables.ts";
import { dynsymIndex, gotWord, ipltAddress, ipltSlot, isBound, isGotRelative, pltAddress, pltSlot, relativeDecision, symbolColumn } from "../lib/needs.ts";
import { isUndefined, SYM_NEEDS } from "../lib/symbol-flags.ts";
import { R_DTPMOD, R_DTPOFF, R_GLOB_DAT, R_IRELATIVE, R_JUMP_SLOT, R_RELATIVE, R_TLSDESC, R_TPOFF } from "../arch/x86-64-relocations.ts";
import {
  RELA_BYTES, R_ADDEND, R_INFO, R_SYM,
} from "../shared/elf.ts";
import { SYM_ADDRESS_TAKEN, SYM_NEEDS_COPY, SYM_NEEDS_CPLT, SYM_NEEDS_GOT, SYM_NEEDS_GOTTP, SYM_NEEDS_PLT, SYM_NEEDS_TLSDESC, SYM_NEEDS_TLSGD } from "../shared/abi.ts";
import { BY_INFO, BY_SYMBOL, PLT_GOT, PLT_IFUNC, PLT_LAZY } from "../shared/cells.ts";
import { COL_ABSOLUTE, COL_IFUNC, COL_LOCAL } from "../shared/reloc.ts";

/** Symbol rows from…to that get an aux row. */
export function countNeeds(from: u32, to: u32): u32 {
  const flags = tables().sym.flags;
  let count: u32 = 0;
  for (let i = from; i < to; i++) count += u32((flags[i] & (SYM_NEEDS | SYM_ADDRESS_TAKEN)) != 0);
  return count;
}

/** Rows from…to with SYM_NEEDS_COPY, as u32 at `out` (0 = only count). */
export function listCopies(from: u32, to: u32, out: u32): u32 {
  const flags = tables().sym.flags;
  let count: u32 = 0;
  for (let i = from; i < to; i++) {
    if (!(flags[i] & SYM_NEEDS_COPY)) continue;
    if (out) store<u32>(out + (count << 2), i);
    count++;
  }
  return count;
}

/** One bit per relative relocation: in .relr.dyn when there is one, .got being aligned to words. */
// @ts-ignore: decorator
@inline
function countGotRelative(): void {
  if (params().packRelr) params().relrCount++;
  else params().relativeCount++;
}

// @ts-ignore: decorator
@inline
function takeGot(words: u32): u32 {
  const first = params().gotWords;
  params().gotWords = first + words;
  return first + 1;
}

/** Gives symbol rows from…to their aux rows and entries, in row order, and counts the dynamic relocations of those. */
export function assignNeeds(from: u32, to: u32): void {
  const flags = tables().sym.flags;
  for (let i = from; i < to; i++) if (flags[i] & (SYM_NEEDS | SYM_ADDRESS_TAKEN)) assignOne(i, flags[i]);
}

function assignOne(i: u32, flags: u32): void {
  const aux = tables().aux;
  const row = params().auxRows + 1;
  params().auxRows = row;
  aux.sym[row] = i;
  tables().sym.aux[i] = row;
  const column = symbolColumn(flags);
  if (column == COL_IFUNC) {
    aux.iplt[row] = ++params().ipltCount;
    if (!(flags & SYM_ADDRESS_TAKEN)) return;
    // Its address is seen: it becomes that of the .iplt entry, and a GOT entry must agree with it.
    tables().sym.flags[i] = flags | SYM_NEEDS_CPLT;
    if (flags & SYM_NEEDS_GOT) {
      aux.got[row] = takeGot(1);
      if (params().pic) countGotRelative();
    }
    return;
  }
  const bound = isBound(column);
  if (flags & SYM_NEEDS_GOT) {
    aux.got[row] = takeGot(1);
    if (!bound) params().symbolicCount++;
    else if (params().pic && column == COL_LOCAL) countGotRelative();
  }
  if (flags & SYM_NEEDS_PLT) {
    if (flags & SYM_NEEDS_GOT && params().usePltGot && !(flags & SYM_NEEDS_CPLT)) aux.pltGot[row] = ++params().pltGotCount;
    else aux.plt[row] = ++params().pltCount;
  }
  if (flags & SYM_NEEDS_TLSDESC) {
    aux.tlsDesc[row] = takeGot(2);
    params().symbolicCount++;
  }
  if (flags & SYM_NEEDS_TLSGD) {
    aux.tlsGd[row] = takeGot(2);
    params().symbolicCount += bound ? 1 : 2;
  }
  if (flags & SYM_NEEDS_GOTTP) {
    aux.gotTp[row] = takeGot(1);
    params().symbolicCount++;
  }
}

/** Turns the counts of isec.dynRel and dynSym into first indexes, in member order; the running sums stay in params. */
export function sumDynamic(from: u32, to: u32): void {
  const member = tables().member.isec;
  const isec = tables().isec;
  for (let m = from; m < to; m++) {
    const i = member[m];
    if (!i) continue; // the table has room to spare
    const relative = isec.dynRel[i];
    const symbolic = isec.dynSym[i];
    isec.dynRel[i] = params().relativeCount;
    isec.dynSym[i] = params().symbolicCount;
    params().relativeCount += relative;
    params().symbolicCount += symbolic;
    params().relrCount += isec.relr[i];
  }
}

// ---- after resolve-addresses ----

/** Keeps where each symbol of aux rows from…to really is, then makes PLT entries that stand for symbols their address. */
export function resolveAux(from: u32, to: u32): void {
  const aux = tables().aux;
  const sym = tables().sym;
  for (let row = from; row < to; row++) {
    const i = aux.sym[row];
    aux.target[row] = sym.addr[i];
    if (!(sym.flags[i] & SYM_NEEDS_CPLT)) continue;
    if (aux.iplt[row]) sym.addr[i] = ipltAddress(aux.iplt[row]);
    else if (aux.plt[row]) sym.addr[i] = pltAddress(aux.plt[row]);
  }
}

/** Contents of .got for aux rows from…to, at `out` (zeroed); words the dynamic linker fills stay 0. */
export function writeGot(from: u32, to: u32, out: u32): void {
  const aux = tables().aux;
  const sym = tables().sym;
  const inPlace = params().packRelr || params().writeAddends;
  for (let row = from; row < to; row++) {
    const i = aux.sym[row];
    const flags = sym.flags[i];
    const column = symbolColumn(flags);
    const bound = isBound(column);
    if (!bound) continue;
    const addr = sym.addr[i];
    if (aux.got[row] && (inPlace || !params().pic || column == COL_ABSOLUTE)) store<u64>(out + ((aux.got[row] - 1) << 3), addr);
    // Thread-local variables that are bound have words in shared objects only.
    if (aux.tlsGd[row]) store<u64>(out + (aux.tlsGd[row] << 3), isUndefined(flags) ? 0 : addr - params().tlsAddr);
    if (params().rel && !isUndefined(flags)) {
      // What the relocations of these words would have as addend.
      if (aux.gotTp[row]) store<u64>(out + ((aux.gotTp[row] - 1) << 3), addr - params().tlsAddr);
      if (aux.tlsDesc[row]) store<u64>(out + (aux.tlsDesc[row] << 3), addr - params().tlsAddr);
    }
  }
}

// @ts-ignore: decorator
@inline
function putSymbolic(offset: u64, type: u32, sym: u32, addend: u64): void {
  const index = params().gotSymbolic;
  params().gotSymbolic = index + 1;
  const at = params().relaDyn + index * RELA_BYTES;
  store<u64>(at, offset);
  store<u64>(at, (<u64>sym << 32) | <u64>type, R_INFO);
  store<u64>(at, addend, R_ADDEND);
}

/** Dynamic relocations of the .got words and copies of aux rows from…to, at params.gotRelative and gotSymbolic. */
export function writeGotRelocs(from: u32, to: u32): void {
  const aux = tables().aux;
  const sym = tables().sym;
  const tlsAddr = params().tlsAddr;
  for (let row = from; row < to; row++) {
    const i = aux.sym[row];
    const flags = sym.flags[i];
    const column = symbolColumn(flags);
    const bound = isBound(column);
    const index = bound ? 0 : dynsymIndex(i);
    const offset = bound && !isUndefined(flags) ? sym.addr[i] - tlsAddr : 0;
    if (aux.got[row]) {
      const P = gotWord(aux.got[row] - 1);
      if (!bound) {
        putSymbolic(P, R_GLOB_DAT, index, 0);
      } else if (params().pic && (column == COL_LOCAL || column == COL_IFUNC) && !params().packRelr) {
        const at = params().relaDyn + params().gotRelative * RELA_BYTES;
        params().gotRelative++;
        store<u64>(at, P);
        store<u64>(at, R_RELATIVE, R_INFO);
        store<u64>(at, sym.addr[i], R_ADDEND);
      }
    }
    if (aux.tlsDesc[row]) putSymbolic(gotWord(aux.tlsDesc[row] - 1), R_TLSDESC, index, offset);
    if (aux.tlsGd[row]) {
      const P = gotWord(aux.tlsGd[row] - 1);
      putSymbolic(P, R_DTPMOD, index, 0);
      if (!bound) putSymbolic(P + 8, R_DTPOFF, index, 0);
    }
    if (aux.gotTp[row]) putSymbolic(gotWord(aux.gotTp[row] - 1), R_TPOFF, index, offset);
  }
}

/** .rela.plt: JUMP_SLOT per .plt entry, at `out`. */
export function writeJumpSlots(from: u32, to: u32, out: u32): void {
  const aux = tables().aux;
  for (let row = from; row < to; row++) {
    if (!aux.plt[row]) continue;
    const at = out + (aux.plt[row] - 1) * RELA_BYTES;
    store<u64>(at, pltSlot(aux.plt[row]));
    store<u64>(at, (<u64>dynsymIndex(aux.sym[row]) << 32) | R_JUMP_SLOT, R_INFO);
    store<u64>(at, params().markPlt ? pltAddress(aux.plt[row]) : 0, R_ADDEND);
  }
}

/** IRELATIVE per .iplt entry, at `out`; the addend is the resolver. */
export function writeIrelative(from: u32, to: u32, out: u32): void {
  const aux = tables().aux;
  for (let row = from; row < to; row++) {
    if (!aux.iplt[row]) continue;
    const at = out + (aux.iplt[row] - 1) * RELA_BYTES;
    store<u64>(at, ipltSlot(aux.iplt[row]));
    store<u64>(at, R_IRELATIVE, R_INFO);
    store<u64>(at, aux.target[row], R_ADDEND);
  }
}

/** .got.plt words at `out`: for .plt the code that binds the entry, if there is any, for .iplt the resolver if wanted. */
export function writeGotPlt(from: u32, to: u32, out: u32): void {
  const aux = tables().aux;
  const lazy = params().pltLazy;
  const bytes = params().pltBytes;
  for (let row = from; row < to; row++) {
    const plt = aux.plt[row];
    if (plt && lazy) store<u64>(out + <u32>(pltSlot(plt) - params().gotPltAddr), lazy + <u64>((plt - 1) * bytes));
    if (aux.iplt[row] && params().writeAddends) store<u64>(out + <u32>(ipltSlot(aux.iplt[row]) - params().gotPltAddr), aux.target[row]);
  }
}


/** Where the entries of a kind of PLT begin, `skip` bytes behind the start of their section. */
function entriesStart(kind: u32, skip: u32): u64 {
  if (kind == PLT_LAZY) return params().pltAddr + <u64>skip;
  if (kind == PLT_GOT) return params().pltGotAddr;
  return kind == PLT_IFUNC ? params().ipltAddr : params().pltFirst;
}

/**
 * PLT entries at `out` + `skip` from the template `entry` (`bytes` long). Fields of 4 bytes at offsets in it, 0 = no such field:
 * `slot`, relative to its end, addresses the word to jump through; `index`: entry number; `header`: up to three offsets, one in
 * each byte, of fields relative to their end: places in .plt whose distance from its start the template has there.
 */
export function writePlt(kind: u32, out: u32, entry: u32, bytes: u32, skip: u32, slot: u32, index: u32, header: u32): void {
  const aux = tables().aux;
  const rows = params().auxRows + 1;
  const start = entriesStart(kind, skip);
  for (let row: u32 = 1; row < rows; row++) {
    const number = kind == PLT_GOT ? aux.pltGot[row] : kind == PLT_IFUNC ? aux.iplt[row] : aux.plt[row];
    if (!number) continue;
    const place = (number - 1) * bytes;
    const P = start + <u64>place;
    const at = out + skip + place;
    memory.copy(at, entry, bytes);
    const target = kind == PLT_GOT ? gotWord(aux.got[row] - 1) : kind == PLT_IFUNC ? ipltSlot(number) : pltSlot(number);
    if (slot) store<u32>(at + slot, <u32>(target - (P + slot + 4)));
    if (index) store<u32>(at + index, number - 1);
    for (let fields = header; fields; fields >>= 8) {
      const field = fields & 0xff;
      store<u32>(at + field, load<u32>(at + field) + <u32>(params().pltAddr - (P + field + 4)));
    }
  }
}

// ---- order of .rela.dyn ----

/** Is record `a` before `b` in an order (BY_*)? */
// @ts-ignore: decorator
@inline
function before(a: u32, b: u32, order: u32): bool {
  if (order == BY_SYMBOL) {
    const x = load<u32>(a, R_SYM);
    const y = load<u32>(b, R_SYM);
    if (x != y) return x < y;
  } else if (order == BY_INFO) {
    const x = load<u64>(a, R_INFO);
    const y = load<u64>(b, R_INFO);
    if (x != y) return x < y;
    const m = load<i64>(a, R_ADDEND);
    const n = load<i64>(b, R_ADDEND);
    if (m != n) return m < n;
  }
  return load<u64>(a) < load<u64>(b);
}

// @ts-ignore: decorator
@inline
function copyRecord(to: u32, from: u32): void {
  v128.store(to, v128.load(from));
  store<u64>(to, load<u64>(from, 16), 16);
}

/**
 * One pass of a natural merge sort (stable) over `count` 24-byte records: pairs of ascending runs at `from` become one at `to`.
 * Returns the number of runs it wrote; the caller swaps and repeats until that is 1.
 */
export function mergeRela(from: u32, to: u32, count: u32, order: u32): u32 {
  const end = from + count * RELA_BYTES;
  let runs: u32 = 0;
  let a = from;
  let out = to;
  while (a < end) {
    let middle = a + RELA_BYTES;
    while (middle < end && !before(middle, middle - RELA_BYTES, order)) middle += RELA_BYTES;
    let last = middle;
    if (middle < end) {
      last = middle + RELA_BYTES;
      while (last < end && !before(last, last - RELA_BYTES, order)) last += RELA_BYTES;
    }
    let b = middle;
    while (a < middle && b < last) {
      if (before(b, a, order)) {
        copyRecord(out, b);
        b += RELA_BYTES;
      } else {
        copyRecord(out, a);
        a += RELA_BYTES;
      }
      out += RELA_BYTES;
    }
    if (a < middle) {
      memory.copy(out, a, middle - a);
      out += middle - a;
    }
    if (b < last) {
      memory.copy(out, b, last - b);
      out += last - b;
    }
    a = last;
    runs++;
  }
  return runs;
}

// ---- .relr.dyn ----

/** Addresses of the .relr.dyn relocations of member rows from…to, appended at `out` as u64; returns how many. */
export function collectRelr(from: u32, to: u32, out: u32): u32 {
  const member = tables().member.isec;
  const isec = tables().isec;
  const osec = tables().osec;
  let count: u32 = 0;
  for (let m = from; m < to; m++) {
    const i = member[m];
    if (!i || !isec.relr[i]) continue;
    const base = osec.addr[isec.osec[i]] + <u64>isec.outOffset[i];
    const end = isec.rela[i] + isec.relaCount[i] * RELA_BYTES;
    for (let r = isec.rela[i]; r < end; r += RELA_BYTES) {
      if (!relativeDecision(i, r) || load<u64>(r) & 1) continue;
      store<u64>(out + (count << 3), base + load<u64>(r));
      count++;
    }
  }
  return count;
}

/** The same for the .got words of aux rows from…to. */
export function collectGotRelr(from: u32, to: u32, out: u32): u32 {
  const aux = tables().aux;
  let count: u32 = 0;
  for (let row = from; row < to; row++) {
    if (!isGotRelative(row)) continue;
    store<u64>(out + (count << 3), gotWord(aux.got[row] - 1));
    count++;
  }
  return count;
}

/** One pass of a natural merge sort over u64; as mergeRela. */
export function mergeAddresses(from: u32, to: u32, count: u32): u32 {
  const end = from + (count << 3);
  let runs: u32 = 0;
  let a = from;
  let out = to;
  while (a < end) {
    let middle = a + 8;
    while (middle < end && load<u64>(middle) >= load<u64>(middle - 8)) middle += 8;
    let last = middle;
    if (middle < end) {
      last = middle + 8;
      while (last < end && load<u64>(last) >= load<u64>(last - 8)) last += 8;
    }
    let b = middle;
    while (a < middle || b < last) {
      const fromB = a >= middle || (b < last && load<u64>(b) < load<u64>(a));
      store<u64>(out, load<u64>(fromB ? b : a));
      if (fromB) b += 8;
      else a += 8;
      out += 8;
    }
    a = last;
    runs++;
  }
  return runs;
}

/**
 * .relr.dyn words for ascending, even addresses (gABI draft, SHT_RELR): an even word is an address, an odd one a bitmap of the
 * 63 words that follow. `out` = 0 only counts. Returns the number of words.
 */
export function encodeRelr(addresses: u32, count: u32, out: u32): u32 {
  const end = addresses + (count << 3);
  let words: u32 = 0;
  let at = addresses;
  while (at < end) {
    const start = load<u64>(at);
    at += 8;
    if (out) store<u64>(out + (words << 3), start);
    words++;
    let next = start + 8;
    for (;;) {
      let bitmap: u64 = 0;
      while (at < end) {
        const distance = load<u64>(at) - next;
        if (distance >= 63 * 8 || distance & 7) break;
        bitmap |= <u64>1 << (distance >> 3);
        at += 8;
      }
      if (!bitmap) break;
      if (out) store<u64>(out + (words << 3), (bitmap << 1) | 1);
      words++;
      next += 63 * 8;
    }
  }
  return words;
}
