/**
 * Cutting `.eh_frame` into its records: who they are, which relocations they hold, which code they describe (Linux Standard
 * Base core, ch. 10 Exception Frames; the layout of CIE and FDE).
 *
 * Not for what is written in the end (write-eh-frame.ts). Call frame instructions are never looked at.
 * All lengths come from the input, so every read here is bounded by the section. The 64-bit length form has a 4-byte CIE id,
 * unlike in .debug_frame.
 */
import { params, tables } from "../shared/tables.ts";
import { encodedBytes, fdeEncoding, idOffset, LONG_FORM } from "../lib/cie.ts";
import { hashBytes, mix } from "../lib/hash.ts";
import { report } from "../lib/issue.ts";
import {
  EHREC_CIE, EHREC_EMPTY, ERR_EH_LARGE, ERR_EH_SMALL, ERR_FDE, ERR_FDE_ENCODING, ERR_TRUNCATED, ISEC_EH_FRAME, ISSUE_BAD_EH_FRAME, SYM_DEFINED, SYM_KIND_MASK,
} from "../shared/abi.ts";
import { RELA_BYTES, R_ADDEND, R_SYM, R_TYPE } from "../shared/elf.ts";

/** Why the record at `ptr` does not fit in `left` bytes. */
function misfit(ptr: u32, left: u32): u32 {
  if (left < 4) return ERR_EH_SMALL;
  const length = load<u32>(ptr);
  if (length == LONG_FORM) return ERR_EH_LARGE;
  return length < 4 ? ERR_EH_SMALL : ERR_TRUNCATED;
}

/** Bytes of a record from its length word on, with it; 0 = zero terminator; LONG_FORM = does not fit in `left` bytes. */
// @ts-ignore: decorator
@inline
export function recordBytes(ptr: u32, left: u32): u32 {
  if (left < 4) return LONG_FORM;
  const length = load<u32>(ptr);
  if (length == 0) return 0;
  if (length == LONG_FORM) {
    if (left < 16) return LONG_FORM;
    const long = load<u64>(ptr + 4);
    return long < 4 || long > <u64>(left - 12) ? LONG_FORM : <u32>long + 12;
  }
  return length < 4 || length > left - 4 ? LONG_FORM : length + 4;
}

function fail(i: u32, offset: u32, detail: u32): u32 {
  const isec = tables().isec;
  report(ISSUE_BAD_EH_FRAME, isec.obj[i], i, offset, detail, 0);
  isec.pieceCount[i] = 0;
  isec.blockIndex[i] = 0;
  return 0;
}

/** Counts records (isec.pieceCount) and CIEs (isec.blockIndex, until assignPieceRows) of section `i` at `contents`. */
export function countEhFrame(i: u32, contents: u32): u32 {
  const isec = tables().isec;
  if (isec.size[i] >= 4294967296.0) return fail(i, 0, ERR_TRUNCATED);
  const size = <u32>isec.size[i];
  let at: u32 = 0;
  let records: u32 = 0;
  let cies: u32 = 0;
  while (at < size) {
    const bytes = recordBytes(contents + at, size - at);
    if (bytes == LONG_FORM) return fail(i, at, misfit(contents + at, size - at));
    if (bytes == 0) break; // zero terminator (crtend.o): what follows is not looked at, as in lld
    if (load<u32>(contents + at + idOffset(contents + at)) == 0) cies++;
    records++;
    at += bytes;
  }
  isec.pieceCount[i] = records;
  isec.blockIndex[i] = cies;
  return records;
}

/** r_offset of the relocation at `rela`. */
// @ts-ignore: decorator
@inline
function offsetOf(rela: u32): u64 {
  return load<u64>(rela);
}

/** Sorts the resident relocations of section `i` by r_offset, in place; assemblers write them sorted, `ld -r` may not. */
function sortRelocations(rela: u32, count: u32): void {
  let sorted = true;
  for (let k: u32 = 1; k < count && sorted; k++) {
    if (offsetOf(rela + k * RELA_BYTES) < offsetOf(rela + (k - 1) * RELA_BYTES)) sorted = false;
  }
  if (sorted) return;
  // heapsort: no memory, and no input makes it slow
  for (let k = count >> 1; k > 0; k--) siftDown(rela, k - 1, count);
  for (let end = count - 1; end > 0; end--) {
    swapRelocations(rela, rela + end * RELA_BYTES);
    siftDown(rela, 0, end);
  }
}

function siftDown(rela: u32, root: u32, count: u32): void {
  for (;;) {
    let child: u32 = 2 * root + 1;
    if (child >= count) return;
    if (child + 1 < count && offsetOf(rela + child * RELA_BYTES) < offsetOf(rela + (child + 1) * RELA_BYTES)) child++;
    if (offsetOf(rela + root * RELA_BYTES) >= offsetOf(rela + child * RELA_BYTES)) return;
    swapRelocations(rela + root * RELA_BYTES, rela + child * RELA_BYTES);
    root = child;
  }
}

function swapRelocations(a: u32, b: u32): void {
  for (let k: u32 = 0; k < <u32>RELA_BYTES; k += 8) {
    const kept = load<u64>(a + k);
    store<u64>(a + k, load<u64>(b + k));
    store<u64>(b + k, kept);
  }
}

/** sym row that the relocation at `rela` of object `obj` means; 0 = none, or an index that is out of range. */
// @ts-ignore: decorator
@inline
function targetOf(rela: u32, obj: u32): u32 {
  const index = load<u32>(rela, R_SYM);
  const table = tables().obj;
  return index < table.esymCount[obj] ? tables().esym.sym[table.esymBase[obj] + index] : 0;
}

/** Fills the records of section `i`, whose contents are at `contents`, and the `cie` rows of its CIEs. */
export function fillEhFrame(i: u32, contents: u32): u32 {
  const isec = tables().isec;
  const rec = tables().ehrec;
  const obj = isec.obj[i];
  const withHdr = params().ehFrameHdr != 0; // without it nobody looks into the records, as in lld
  const base = isec.pieceBase[i];
  const end = base + isec.pieceCount[i];
  let rela = isec.rela[i];
  const relaCount = rela != 0 ? isec.relaCount[i] : 0;
  const relaEnd = rela + relaCount * RELA_BYTES;
  if (relaCount > 1) sortRelocations(rela, relaCount);
  let cie = isec.blockIndex[i];
  let at: u32 = 0;
  for (let row = base; row < end; row++) {
    const ptr = contents + at;
    const bytes = recordBytes(ptr, <u32>isec.size[i] - at);
    if (bytes == LONG_FORM || bytes == 0) break; // the file changed under us
    const stop = <u64>at + bytes;
    while (rela < relaEnd && offsetOf(rela) < <u64>at) rela += RELA_BYTES;
    const first = rela;
    while (rela < relaEnd && offsetOf(rela) < stop) rela += RELA_BYTES;
    rec.isec[row] = i;
    rec.inOffset[row] = at;
    rec.size[row] = bytes;
    rec.rela[row] = rela > first ? first : 0;
    rec.relaCount[row] = (rela - first) / RELA_BYTES;
    rec.out[row] = -1;
    if (load<u32>(ptr + idOffset(ptr)) == 0) {
      rec.flags[row] = <u8>EHREC_CIE;
      if (withHdr) rec.enc[row] = <u8>fdeEncoding(row, ptr, ptr + idOffset(ptr) + 4);
      tables().cie.rec[cie] = row;
      hashCie(cie, row, ptr, obj);
      cie++;
    } else fillFde(row, base, ptr, obj);
    at += bytes;
  }
  return end - base;
}

/** Identity of a CIE: its bytes, and what its relocations refer to (the personality routine). */
function hashCie(cie: u32, row: u32, ptr: u32, obj: u32): void {
  const table = tables().cie;
  const rec = tables().ehrec;
  const out0 = changetype<u32>(table.h0) + (cie << 3);
  const out1 = changetype<u32>(table.h1) + (cie << 3);
  hashBytes(ptr, rec.size[row], out0, out1);
  let rela = rec.rela[row];
  for (let k = rec.relaCount[row]; k > 0; k--, rela += RELA_BYTES) {
    const target = (<u64>targetOf(rela, obj) << 32) | <u64>load<u32>(rela, R_TYPE);
    const place = offsetOf(rela) - <u64>rec.inOffset[row];
    store<u64>(out0, mix(load<u64>(out0) ^ target) + load<u64>(rela, R_ADDEND));
    store<u64>(out1, mix(load<u64>(out1) + target) ^ mix(load<u64>(rela, R_ADDEND) + place));
  }
}

/** Finds an FDE's CIE, the section its code is in, and whether it covers any code. */
function fillFde(row: u32, base: u32, ptr: u32, obj: u32): void {
  const rec = tables().ehrec;
  const idAt = idOffset(ptr);
  const id = load<u32>(ptr + idAt); // bytes back from the id field to the CIE
  const place = rec.inOffset[row] + idAt;
  const cie = id > place ? 0 : findRecord(base, row, place - id);
  if (cie == 0 || !(rec.flags[cie] & EHREC_CIE)) {
    report(ISSUE_BAD_EH_FRAME, obj, rec.isec[row], rec.inOffset[row], ERR_FDE, 0);
    return;
  }
  rec.cie[row] = cie;
  rec.func[row] = codeOf(row, obj, rec.inOffset[row] + idAt + 4);
  if (!noteCovered(row, ptr)) report(ISSUE_BAD_EH_FRAME, obj, rec.isec[row], rec.inOffset[row], ERR_FDE_ENCODING, 0);
}

/** Notes of the FDE `row`, which lies at `ptr`, if it covers no code, where somebody wants to know. False = its address has no size that is known. */
export function noteCovered(row: u32, ptr: u32): bool {
  const rec = tables().ehrec;
  rec.flags[row] = 0;
  if (!params().ehFrameHdr || rec.func[row] == 0) return true;
  const width = encodedBytes(rec.enc[rec.cie[row]]);
  const range = ptr + idOffset(ptr) + 4 + width;
  if (width == 0) return false;
  if (range + width > ptr + rec.size[row]) return true; // ends behind the address, which is all that is needed
  const covered = width == 8 ? load<u64>(range) : width == 4 ? <u64>load<u32>(range) : <u64>load<u16>(range);
  if (covered == 0) rec.flags[row] = <u8>EHREC_EMPTY;
  return true;
}

/** Row of the record of rows [from, to) that starts at `offset`, 0 = none. */
function findRecord(from: u32, to: u32, offset: u32): u32 {
  const starts = tables().ehrec.inOffset;
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle] < offset) low = middle + 1;
    else high = middle;
  }
  return low < to && starts[low] == offset ? low : 0;
}

/**
 * Section that an FDE describes: where the symbol of the relocation on its first pointer is defined; 0 when that is not a
 * kept section of the same object (a lost COMDAT copy, an absolute address, no relocation): such an FDE is dropped.
 */
function codeOf(row: u32, obj: u32, offset: u32): u32 {
  const rec = tables().ehrec;
  if (rec.relaCount[row] == 0 || offsetOf(rec.rela[row]) != <u64>offset) return 0;
  const sym = tables().sym;
  const target = targetOf(rec.rela[row], obj);
  if (target == 0 || (sym.flags[target] & SYM_KIND_MASK) != SYM_DEFINED) return 0;
  const i = sym.isec[target];
  return i != 0 && tables().isec.obj[i] == obj ? i : 0;
}

/** Chains the FDEs of rows [from, to) to the sections they describe (isec.fde, ehrec.nextFde), in row order. */
export function linkFdes(from: u32, to: u32): void {
  const rec = tables().ehrec;
  const heads = tables().isec.fde;
  for (let row = to - 1; row >= from; row--) {
    const func = rec.func[row];
    if (func == 0) continue;
    rec.nextFde[row] = heads[func];
    heads[func] = row;
  }
}

/**
 * Finds the leader of every CIE, the first in the order of `ehsec`, with a table of `slots` (a power of two, above the number of CIEs) zeroed
 * u32 at `table`.
 */
export function linkCies(table: u32, slots: u32): u32 {
  const ehsec = tables().ehsec;
  const isec = tables().isec;
  const cie = tables().cie;
  const rec = tables().ehrec;
  let leaders: u32 = 0;
  for (let k: u32 = 1, last = ehsec.rows - 1; k < last; k++) {
    const i = ehsec.isec[k];
    for (let c = isec.blockIndex[i], rows = cie.rows; c < rows && cie.rec[c] && rec.isec[cie.rec[c]] == i; c++) leaders += linkCie(c, table, slots);
  }
  return leaders;
}

/** 1 = it leads itself. */
function linkCie(c: u32, table: u32, slots: u32): u32 {
  const cie = tables().cie;
  const rec = tables().ehrec;
  const mask = slots - 1;
  let slot = <u32>cie.h0[c] & mask;
  let other = load<u32>(table + (slot << 2));
  while (other != 0 && !(cie.h0[other] == cie.h0[c] && cie.h1[other] == cie.h1[c])) {
    slot = (slot + 1) & mask;
    other = load<u32>(table + (slot << 2));
  }
  const leads: u32 = other == 0 ? 1 : 0;
  if (leads) {
    store<u32>(table + (slot << 2), c);
    other = c;
  }
  rec.leader[cie.rec[c]] = cie.rec[other];
  return leads;
}

/** Lists the .eh_frame sections in `ehsec`. */
export function listEhFrames(): u32 {
  const isec = tables().isec;
  const ehsec = tables().ehsec;
  let n: u32 = 1;
  for (let i: u32 = 1, rows = isec.rows; i < rows; i++) {
    if (isec.kind[i] == ISEC_EH_FRAME) ehsec.isec[n++] = i;
  }
  return n;
}

/** How many .eh_frame sections there are. */
export function countEhFrames(): u32 {
  const kind = tables().isec.kind;
  let n: u32 = 0;
  for (let i: u32 = 1, rows = tables().isec.rows; i < rows; i++) if (kind[i] == ISEC_EH_FRAME) n++;
  return n;
}

/** The records of sections [from, to) are nobody's any more: empty rows, which no pass takes for anything. */
export function dropRecords(from: u32, to: u32): void {
  const rec = tables().ehrec;
  const cie = tables().cie;
  for (let row: u32 = 1, rows = rec.rows; row < rows; row++) {
    if (rec.isec[row] - from >= to - from) continue;
    rec.isec[row] = 0;
    rec.func[row] = 0;
    rec.cie[row] = 0;
    rec.rela[row] = 0;
    rec.relaCount[row] = 0;
    rec.live[row] = 0;
    rec.flags[row] = 0;
    rec.nextFde[row] = 0;
    rec.leader[row] = 0;
  }
  for (let c: u32 = 1, rows = cie.rows; c < rows; c++) if (!rec.isec[cie.rec[c]]) cie.rec[c] = 0;
}

/** Rows of sections from `from` on have moved by `delta`: their records follow. */
export function moveRecords(from: u32, delta: u32): void {
  const rec = tables().ehrec;
  for (let row: u32 = 1, rows = rec.rows; row < rows; row++) {
    if (rec.isec[row] >= from) rec.isec[row] += delta;
    if (rec.func[row] >= from) rec.func[row] += delta;
  }
}
