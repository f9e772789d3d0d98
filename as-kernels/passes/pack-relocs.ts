/**
 * Android's packed dynamic relocations ("APS2"): groups of relocations that share an r_info, a distance or an addend, in SLEB128.
 *
 * Also tells, before anything is relocated, which records sections will have, because the packed size depends on their values.
 * The choice of groups follows lld: words in a row, the same r_info without addend, and the rest. Source: bionic's
 * linker/linker_reloc_iterators.h, which reads it.
 */
import { params, tables } from "../shared/tables.ts";
import { DID_RELATIVE, DID_SYMBOLIC, dynamicRecord, mayBeDynamic } from "../lib/dynamic-records.ts";
import { relocEntry } from "../lib/needs.ts";
import { R_RELATIVE } from "../arch/x86-64-relocations.ts";
import { RELA_BYTES, R_ADDEND, R_INFO, R_SYM, R_TYPE, SHF_ALLOC, SHT_NOBITS } from "../shared/elf.ts";
import { ISEC_REGULAR, SYM_ABSOLUTE, SYM_IN_OSEC, SYM_KIND_MASK } from "../shared/abi.ts";

// What a group shares.
const BY_INFO: i64 = 1;
const BY_OFFSET_DELTA: i64 = 2;
const HAS_ADDEND: i64 = 8;

/** Relatives a word apart from each other are a group of their own from this many on: its header has about 7 bytes. */
const ROW: u32 = 8;
/** Others of equal r_info are a group from this many on: the header has three values, and each member saves one. */
const SAME_INFO: u32 = 3;

/**
 * Writes the records of member rows from…to as relocate will, with the addresses of now. Returns how many of them refer to
 * symbols that the linker places later: those may still change.
 */
export function collectRecords(from: u32, to: u32): u32 {
  const member = tables().member.isec;
  const isec = tables().isec;
  let open: u32 = 0;
  for (let m = from; m < to; m++) {
    const i = member[m];
    if (!i || !isec.live[i] || !isec.relaCount[i] || !isec.rela[i] || isec.sh_type[i] == SHT_NOBITS) continue;
    if (isec.kind[i] == ISEC_REGULAR && isec.sh_flags[i] & SHF_ALLOC) open += collectSection(i);
  }
  return open;
}

function collectSection(i: u32): u32 {
  const isec = tables().isec;
  const base = tables().obj.esymBase[isec.obj[i]];
  const place = tables().osec.addr[isec.osec[i]] + <u64>isec.outOffset[i];
  const end = isec.rela[i] + isec.relaCount[i] * RELA_BYTES;
  let relative = isec.dynRel[i];
  let symbolic = params().relativeCount + isec.dynSym[i];
  let open: u32 = 0;
  for (let r = isec.rela[i]; r < end; r += RELA_BYTES) {
    const type = load<u32>(r, R_TYPE);
    const index = load<u32>(r, R_SYM);
    const sym = tables().esym.sym[base + index];
    const flags = index ? tables().sym.flags[sym] : SYM_ABSOLUTE;
    const entry = relocEntry(type);
    if (!mayBeDynamic(entry & 0xff, (entry >> 8) & 0xff, flags)) continue;
    const offset = load<u64>(r);
    const did = dynamicRecord(i, entry, type, sym, flags, index, offset, place + offset, load<u64>(r, R_ADDEND), relative, symbolic);
    relative += did & DID_RELATIVE;
    symbolic += (did & DID_SYMBOLIC) >> 1;
    if (did && (flags & SYM_KIND_MASK) == SYM_IN_OSEC) open++;
  }
  return open;
}

/** Records that follow `at` in a row of addresses, itself included. */
function rowLength(at: u32, end: u32): u32 {
  let last = at;
  while (last + RELA_BYTES < end && load<u64>(last + RELA_BYTES) == load<u64>(last) + 8) last += RELA_BYTES;
  return (last - at) / RELA_BYTES + 1;
}

/** Records from `at` on with the same r_info and addend. */
function sameLength(at: u32, end: u32): u32 {
  let next = at + RELA_BYTES;
  while (next < end && load<u64>(next, R_INFO) == load<u64>(at, R_INFO) && load<u64>(next, R_ADDEND) == load<u64>(at, R_ADDEND)) next += RELA_BYTES;
  return (next - at) / RELA_BYTES;
}

// @ts-ignore: decorator
@inline
function isGrouped(at: u32, length: u32): bool {
  return length >= SAME_INFO && load<u64>(at, R_ADDEND) == 0;
}

/** Copies those of `count` records at `records` (in order of r_info, addend, offset) that are in no group to `out`; returns how many. */
export function takeUngrouped(records: u32, count: u32, out: u32): u32 {
  const end = records + count * RELA_BYTES;
  let to = out;
  for (let at = records; at < end; ) {
    const length = sameLength(at, end);
    if (!isGrouped(at, length)) {
      memory.copy(to, at, length * RELA_BYTES);
      to += length * RELA_BYTES;
    }
    at += length * RELA_BYTES;
  }
  return (to - out) / RELA_BYTES;
}

/** Appends a number; with `write` = 0 only its length counts. Returns the end. */
function put(at: u32, value: i64, write: u32): u32 {
  let rest = value;
  let done = false;
  while (!done) {
    const byte = <u8>(rest & 0x7f);
    rest >>= 7;
    done = (rest == 0 && !(byte & 0x40)) || (rest == -1 && (byte & 0x40) != 0);
    if (write) store<u8>(at, done ? byte : byte | 0x80);
    at++;
  }
  return at;
}

/**
 * The packed relocations at `out`; `write` = 0 only counts. `relative` by address, `others` by r_info, addend and address, `loose`: those
 * of them that are in no group, by address. Returns the number of bytes.
 */
export function packRecords(relative: u32, relativeCount: u32, others: u32, otherCount: u32, loose: u32, looseCount: u32, out: u32, write: u32): u32 {
  let at = out;
  if (write) store<u32>(at, 0x32535041); // "APS2"
  at = put(at + 4, <i64>(relativeCount + otherCount), write);
  at = put(at, 0, write); // the offset that distances begin with
  let offset: u64 = 0;
  let addend: u64 = 0;
  const relativeEnd = relative + relativeCount * RELA_BYTES;
  let single: u32 = 0;
  for (let r = relative; r < relativeEnd; ) {
    const length = rowLength(r, relativeEnd);
    if (length < ROW) {
      single += length;
      r += length * RELA_BYTES;
      continue;
    }
    // Two groups: the first goes to the row and takes its first record.
    at = put(put(at, 1, write), BY_OFFSET_DELTA | BY_INFO | HAS_ADDEND, write);
    at = put(put(at, <i64>(load<u64>(r) - offset), write), R_RELATIVE, write);
    at = put(at, <i64>(load<u64>(r, R_ADDEND) - addend), write);
    at = put(put(at, <i64>(length - 1), write), BY_OFFSET_DELTA | BY_INFO | HAS_ADDEND, write);
    at = put(put(at, 8, write), R_RELATIVE, write);
    addend = load<u64>(r, R_ADDEND);
    const end = r + length * RELA_BYTES;
    for (r += RELA_BYTES; r < end; r += RELA_BYTES) {
      at = put(at, <i64>(load<u64>(r, R_ADDEND) - addend), write);
      addend = load<u64>(r, R_ADDEND);
    }
    offset = load<u64>(r - RELA_BYTES);
  }
  if (single) {
    at = put(put(put(at, <i64>single, write), BY_INFO | HAS_ADDEND, write), R_RELATIVE, write);
    for (let r = relative; r < relativeEnd; ) {
      const length = rowLength(r, relativeEnd);
      const end = r + length * RELA_BYTES;
      if (length >= ROW) r = end;
      for (; r < end; r += RELA_BYTES) {
        at = put(put(at, <i64>(load<u64>(r) - offset), write), <i64>(load<u64>(r, R_ADDEND) - addend), write);
        offset = load<u64>(r);
        addend = load<u64>(r, R_ADDEND);
      }
    }
  }
  const othersEnd = others + otherCount * RELA_BYTES;
  for (let r = others; r < othersEnd; ) {
    const length = sameLength(r, othersEnd);
    const end = r + length * RELA_BYTES;
    if (!isGrouped(r, length)) {
      r = end;
      continue;
    }
    at = put(put(put(at, <i64>length, write), BY_INFO, write), <i64>load<u64>(r, R_INFO), write);
    for (; r < end; r += RELA_BYTES) {
      at = put(at, <i64>(load<u64>(r) - offset), write);
      offset = load<u64>(r);
    }
    addend = 0;
  }
  if (looseCount) {
    at = put(put(at, <i64>looseCount, write), HAS_ADDEND, write);
    const end = loose + looseCount * RELA_BYTES;
    for (let r = loose; r < end; r += RELA_BYTES) {
      at = put(put(put(at, <i64>(load<u64>(r) - offset), write), <i64>load<u64>(r, R_INFO), write), <i64>(load<u64>(r, R_ADDEND) - addend), write);
      offset = load<u64>(r);
      addend = load<u64>(r, R_ADDEND);
    }
  }
  return at - out;
}

/** Keeps r_offset and r_info of `count` 24-byte records (-z rel), in place. */
export function dropAddends(records: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) v128.store(records + i * 16, v128.load(records + i * RELA_BYTES));
}
