/**
 * The output `.eh_frame`: which records it has and where, their bytes, and the `.eh_frame_hdr` search table.
 *
 * Records keep input order and size, without padding between them (lld); a CIE is written once, where it first occurs, also when no live FDE
 * needs it. An FDE's code address is S + A of its first relocation, whatever the encoding.
 */
import { params, tables } from "../shared/tables.ts";
import { copyBytes } from "../lib/bytes.ts";
import { encodedBytes, idOffset } from "../lib/cie.ts";
import { mergedAddress } from "../lib/pieces.ts";
import { report } from "../lib/issue.ts";
import { relocateRecord } from "./relocate.ts";
import { EHREC_CIE, EHREC_EMPTY, ISEC_MERGE, ISSUE_HDR_DISTANCE, SYM_SECTION } from "../shared/abi.ts";
import { RELA_BYTES, R_ADDEND, R_SYM } from "../shared/elf.ts";

/** A zero length word ends the section: glibc's frame registration expects it. */
const TERMINATOR_BYTES: u32 = 4;

/** Decides ehrec.live: the leaders of all CIEs, and FDEs whose section is live and placed. Returns the live FDEs. */
function decideLive(): u32 {
  const rec = tables().ehrec;
  const isec = tables().isec;
  let count: u32 = 0;
  for (let row: u32 = 1, rows = rec.rows; row < rows; row++) rec.live[row] = 0;
  for (let row: u32 = 1, rows = rec.rows; row < rows; row++) {
    if (rec.flags[row] & EHREC_CIE) {
      if (rec.leader[row] == row && isec.osec[rec.isec[row]]) rec.live[row] = 1;
      continue;
    }
    const func = rec.func[row];
    if (func == 0 || isec.live[func] == 0 || isec.osec[func] == 0 || isec.osec[rec.isec[row]] == 0) continue;
    rec.live[row] = 1;
    count++;
  }
  return count;
}

/**
 * Places all live records. At `out`: u32 live FDEs, u32 entries .eh_frame_hdr gets, u32 log2 of the largest alignment. Returns the size of the output section
 * in bytes with its terminator; 0 = there is no .eh_frame in the inputs.
 */
export function layoutEhFrame(out: u32): f64 {
  const rec = tables().ehrec;
  const ehsec = tables().ehsec;
  const isec = tables().isec;
  const fdes = decideLive();
  let entries: u32 = 0;
  let align: u8 = 0;
  let at: f64 = 0;
  const last = ehsec.rows - 1;
  for (let k: u32 = 1; k < last; k++) {
    const i = ehsec.isec[k];
    ehsec.out[k] = at;
    isec.outOffset[i] = at;
    if (isec.osec[i] && isec.align[i] > align) align = isec.align[i];
    for (let row = isec.pieceBase[i], end = row + isec.pieceCount[i]; row < end; row++) {
      if (!rec.live[row]) {
        rec.out[row] = -1;
        continue;
      }
      rec.out[row] = at;
      at += rec.size[row];
      if (!(rec.flags[row] & (EHREC_CIE | EHREC_EMPTY))) entries++;
    }
  }
  ehsec.out[last] = at;
  store<u32>(out, fdes);
  store<u32>(out + 4, entries);
  store<u32>(out + 8, align);
  return last > 1 ? at + TERMINATOR_BYTES : 0;
}

/**
 * Writes the live records of the section of row `k` of `ehsec`, whose contents are at `contents`, to `to`; the output's records are at
 * params.ehFrameAddr. Returns the bytes written.
 */
export function writeEhFrame(k: u32, contents: u32, to: u32): u32 {
  const rec = tables().ehrec;
  const isec = tables().isec;
  const i = tables().ehsec.isec[k];
  const start = tables().ehsec.out[k];
  let written: u32 = 0;
  for (let row = isec.pieceBase[i], end = row + isec.pieceCount[i]; row < end; row++) {
    if (!rec.live[row]) continue;
    const at = to + <u32>(rec.out[row] - start);
    writeRecord(row, contents + rec.inOffset[row], at);
    const rela = rec.rela[row];
    if (rela) relocateRecord(i, rela, rela + rec.relaCount[row] * RELA_BYTES, at, params().ehFrameAddr + <u64>rec.out[row], rec.inOffset[row], rec.size[row]);
    written = at - to + rec.size[row];
  }
  return written;
}

function writeRecord(row: u32, from: u32, to: u32): void {
  const rec = tables().ehrec;
  copyBytes(to, from, rec.size[row]);
  if (rec.flags[row] & EHREC_CIE) return;
  const id = idOffset(to);
  store<u32>(to + id, <u32>(rec.out[row] + <f64>id - rec.out[rec.leader[rec.cie[row]]]));
  if (params().shortened != 0) shortenRange(row, to + id + 4, to + rec.size[row]);
}

/** --optimize-bb-jumps has cut off the end of the code: FDE `row` covers less. `at`: its code address, the size behind it; `end`: of the record. */
function shortenRange(row: u32, at: u32, end: u32): void {
  const rec = tables().ehrec;
  const func = rec.func[row];
  const lost = <u64>load<u8>(params().shortened + func);
  if (func == 0 || lost == 0) return;
  const sym = targetSymbol(rec.isec[row], rec.rela[row]);
  const start = tables().sym.value[sym] + load<u64>(rec.rela[row], R_ADDEND);
  const size = <u64>tables().isec.size[func];
  const width = encodedBytes(rec.enc[rec.cie[row]]);
  const range = at + width;
  if (range + width > end) return;
  if (width == 8) {
    if (start + load<u64>(range) > size) store<u64>(range, load<u64>(range) - lost);
  } else if (width == 4) {
    if (start + <u64>load<u32>(range) > size) store<u32>(range, load<u32>(range) - <u32>lost);
  } else if (start + <u64>load<u16>(range) > size) {
    store<u16>(range, load<u16>(range) - <u16>lost);
  }
}

/** sym row of the relocation at `rela` of section `i`. */
// @ts-ignore: decorator
@inline
function targetSymbol(i: u32, rela: u32): u32 {
  const obj = tables().obj;
  return tables().esym.sym[obj.esymBase[tables().isec.obj[i]] + load<u32>(rela, R_SYM)];
}

/** S + A of the relocation at `rela` of object `obj`. */
function targetAddress(obj: u32, rela: u32): u64 {
  const sym = tables().sym;
  const s = tables().esym.sym[tables().obj.esymBase[obj] + load<u32>(rela, R_SYM)];
  const A = load<u64>(rela, R_ADDEND);
  const i = sym.isec[s];
  if (sym.flags[s] & SYM_SECTION && tables().isec.kind[i] == ISEC_MERGE) return mergedAddress(i, sym.value[s] + A);
  return sym.addr[s] + A;
}

/**
 * Collects .eh_frame_hdr's keys at `keys`: u64 with the signed distance code - header in the upper half (top bit flipped, so
 * that unsigned order is signed order) and FDE - header below. Returns their number, without those whose distance needs more
 * than 32 bits, which are reported.
 */
export function collectHdr(keys: u32): u32 {
  const ehsec = tables().ehsec;
  let n: u32 = 0;
  for (let k: u32 = 1, last = ehsec.rows - 1; k < last; k++) n += hdrKeys(ehsec.isec[k], keys + (n << 3));
  return n;
}

/** Those of the records of .eh_frame section `i`. */
function hdrKeys(i: u32, keys: u32): u32 {
  const rec = tables().ehrec;
  const isec = tables().isec;
  const frames = <i64>params().ehFrameAddr;
  const hdr = <i64>params().ehFrameHdrAddr;
  let n: u32 = 0;
  for (let row = isec.pieceBase[i], end = row + isec.pieceCount[i]; row < end; row++) {
    if (!rec.live[row] || rec.flags[row] & (EHREC_CIE | EHREC_EMPTY)) continue;
    const code = <i64>targetAddress(isec.obj[i], rec.rela[row]) - hdr;
    const fde = frames + <i64>rec.out[row] - hdr;
    if (code != <i64><i32>code || fde != <i64><i32>fde) {
      report(ISSUE_HDR_DISTANCE, isec.obj[i], i, rec.inOffset[row], <u64>(code != <i64><i32>code ? code : fde), <u64>(code == <i64><i32>code));
      continue;
    }
    store<u64>(keys + (n << 3), (<u64>(<u32>code ^ 0x80000000) << 32) | <u64><u32>fde);
    n++;
  }
  return n;
}

const DIGIT_BITS: u32 = 11;
const DIGITS: u32 = 1 << DIGIT_BITS;

/**
 * Sorts `count` keys at `keys` by their upper half, stably (radix, three digits), with as much room at `spare` and 8 KiB of
 * counters at `counters`. Returns where the result is.
 */
export function sortHdr(keys: u32, spare: u32, counters: u32, count: u32): u32 {
  let from = keys;
  let to = spare;
  for (let shift: u64 = 32; shift < 64; shift += <u64>DIGIT_BITS) {
    memory.fill(counters, 0, DIGITS * 4);
    for (let k: u32 = 0; k < count; k++) {
      const slot = counters + ((<u32>(load<u64>(from + (k << 3)) >> shift) & (DIGITS - 1)) << 2);
      store<u32>(slot, load<u32>(slot) + 1);
    }
    let sum: u32 = 0;
    for (let d: u32 = 0; d < DIGITS; d++) {
      const here = load<u32>(counters + (d << 2));
      store<u32>(counters + (d << 2), sum);
      sum += here;
    }
    for (let k: u32 = 0; k < count; k++) {
      const key = load<u64>(from + (k << 3));
      const slot = counters + ((<u32>(key >> shift) & (DIGITS - 1)) << 2);
      const at = load<u32>(slot);
      store<u64>(to + (at << 3), key);
      store<u32>(slot, at + 1);
    }
    const swap = from;
    from = to;
    to = swap;
  }
  return from;
}

/** Writes the table (pairs of i32: code, FDE) from sorted keys; of equal code addresses the first stays. Returns entries. */
export function writeHdrTable(keys: u32, count: u32, to: u32): u32 {
  let n: u32 = 0;
  let last: u32 = 0;
  for (let k: u32 = 0; k < count; k++) {
    const key = load<u64>(keys + (k << 3));
    const code = <u32>(key >> 32) ^ 0x80000000;
    if (n != 0 && code == last) continue;
    store<u32>(to + (n << 3), code);
    store<u32>(to + (n << 3) + 4, <u32>key);
    last = code;
    n++;
  }
  return n;
}
