/**
 * Cutting SHF_MERGE sections into pieces: strings at their NULs, constants every sh_entsize bytes; each piece gets the hash
 * that is its identity from then on.
 *
 * Not for deciding which pieces are equal (merge-pieces). Contents are looked at twice, once to count and once to fill,
 * because rows must not depend on who came first.
 */
import { tables, params } from "../shared/tables.ts";
import { hashBytes } from "../lib/hash.ts";
import { xxh3 } from "../lib/xxh3.ts";
import { report } from "../lib/issue.ts";
import { countEhFrame, fillEhFrame } from "./eh-frame.ts";
import { BLOCK_SHIFT, isStreamed, pieceAt } from "../lib/pieces.ts";
import { joinsRun, putRun } from "../lib/runs.ts";
import { countNuls, isNul, stringBytes } from "../lib/strings.ts";
import {
  ERR_MERGE_ENTSIZE, ERR_MERGE_UNTERMINATED, ISEC_EH_FRAME, ISEC_MERGE, ISEC_REGULAR, ISSUE_BAD_MERGE, ISSUE_MERGE_OFFSET,
  SYM_DEFINED, SYM_KIND_MASK, SYM_SECTION,
} from "../shared/abi.ts";
import { SHF_ALLOC, SHF_STRINGS, SHT_NOBITS } from "../shared/elf.ts";

/** Two sections are read together when the bytes between them are fewer than this. */
const GAP_BYTES: f64 = 16384;

/** Are the contents of row `i` wanted: merge sections of strings and .eh_frame when counting, constants too when filling? */
// @ts-ignore: decorator
@inline
function wanted(i: u32, fill: u32): bool {
  const isec = tables().isec;
  const kind = isec.kind[i];
  if (kind == ISEC_EH_FRAME) return isec.size[i] > 0 && isec.sh_type[i] != SHT_NOBITS;
  return kind == ISEC_MERGE && isec.size[i] > 0 && !isStreamed(i) && (fill != 0 || (isec.sh_flags[i] & SHF_STRINGS) != 0);
}

/**
 * Finds the next sections in rows [from, to) whose contents are needed and that one read can bring, at most `limit` bytes unless it is a
 * single section. Writes a run (lib/runs.ts) of isec rows at `run`; returns 0 when there are none.
 */
export function nextPieceRun(from: u32, to: u32, fill: u32, limit: f64, run: u32): u32 {
  const isec = tables().isec;
  let i = from;
  while (i < to && !wanted(i, fill)) i++;
  if (i >= to) return 0;
  const obj = isec.obj[i];
  const start = isec.sh_offset[i];
  let end = start + isec.size[i];
  let last = i + 1;
  const compressed = isec.compressed[i] != 0;
  for (let k = last; !compressed && k < to && isec.obj[k] == obj; k++) {
    if (!wanted(k, fill)) continue;
    if (!joinsRun(k, start, end, GAP_BYTES, limit)) break;
    end = isec.sh_offset[k] + isec.size[k];
    last = k + 1;
  }
  putRun(run, i, last, compressed, start, end);
  return 1;
}

/** Bytes of the sections of rows [from, to) that are taken apart. */
export function pieceBytes(from: u32, to: u32): f64 {
  const isec = tables().isec;
  let bytes: f64 = 0;
  for (let i = from; i < to; i++) if (wanted(i, 1)) bytes += isec.size[i];
  return bytes;
}

/** Bytes [start, start + bytes) of the file that rows [from, to) are of are at `contents` for good. */
export function keepRun(from: u32, to: u32, contents: u32, start: f64, bytes: f64): void {
  const isec = tables().isec;
  for (let i = from; i < to; i++) {
    if (!wanted(i, 1) || isec.compressed[i] != 0) continue;
    const at = isec.sh_offset[i] - start;
    if (at >= 0 && at + isec.size[i] <= bytes) isec.kept[i] = contents + <u32>at;
  }
}

/** Turns a merge section that cannot be cut into a regular one, and says why (ERR_*). */
export function rejectPieces(i: u32, detail: u32): void {
  const isec = tables().isec;
  report(ISSUE_BAD_MERGE, isec.obj[i], i, 0, detail, 0);
  isec.kind[i] = <u8>ISEC_REGULAR;
  isec.pieceCount[i] = 0;
}

/** Counts the pieces of the merge sections of rows [from, to) that need no reading: constants, and empty sections. */
export function countConstants(from: u32, to: u32): void {
  const isec = tables().isec;
  for (let i = from; i < to; i++) {
    if (isec.kind[i] != ISEC_MERGE) continue;
    const entsize = isec.sh_entsize[i];
    const size = isec.size[i];
    if (entsize == 0 || size >= 4294967296.0 || <u64>size % entsize != 0) rejectPieces(i, ERR_MERGE_ENTSIZE);
    else if (!(isec.sh_flags[i] & SHF_STRINGS)) isec.pieceCount[i] = <u32>size / entsize;
  }
}

/** Counts the strings of merge section `i`, whose contents are at `contents`. */
function countStrings(i: u32, contents: u32): u32 {
  const isec = tables().isec;
  const width = isec.sh_entsize[i];
  const size = <u32>isec.size[i];
  if (!isNul(contents + size - width, width)) {
    rejectPieces(i, ERR_MERGE_UNTERMINATED);
    return 0;
  }
  const n = countNuls(contents, size, width);
  isec.pieceCount[i] = n;
  return n;
}

/**
 * Gives the merge and .eh_frame sections of rows [from, to) their rows and block index, in row order. At `out`: the first u32 rows of `piece`,
 * `ehrec`, `cie`, `ehsec`, which become those behind the last, then f64 bytes of all block indexes, whose base address a second call with
 * `base` != 0 adds.
 */
export function assignPieceRows(from: u32, to: u32, base: u32, out: u32): void {
  const isec = tables().isec;
  let pieces = load<u32>(out);
  let records = load<u32>(out + 4);
  let cies = load<u32>(out + 8);
  let frames = load<u32>(out + 12);
  let bytes: u32 = 0;
  for (let i = from; i < to; i++) {
    const kind = isec.kind[i];
    if (kind == ISEC_MERGE) {
      isec.pieceBase[i] = pieces;
      pieces += isec.pieceCount[i] + 1;
      if (isec.sh_flags[i] & SHF_STRINGS && isec.pieceCount[i] != 0) {
        if (base != 0) isec.blockIndex[i] = base + bytes;
        bytes += ((<u32>isec.size[i] + (1 << BLOCK_SHIFT) - 1) >> BLOCK_SHIFT) << 2;
      }
    } else if (kind == ISEC_EH_FRAME) {
      isec.pieceBase[i] = records;
      records += isec.pieceCount[i];
      if (base == 0) {
        // the count phase left the number of CIEs in blockIndex; from now on it is their first `cie` row
        const own = isec.blockIndex[i];
        isec.blockIndex[i] = cies;
        cies += own;
      }
      frames++;
    }
  }
  store<u32>(out, pieces);
  store<u32>(out + 4, records);
  if (base == 0) store<u32>(out + 8, cies);
  store<u32>(out + 12, frames);
  store<f64>(out + 16, <f64>bytes);
}

/**
 * Identity of the `len` bytes at `ptr`, of which `text` are no terminator. Its top five bits are the shard merge-pieces puts the
 * piece in: those of lld's hash (XXH3), because the order of merged sections follows from them.
 */
// @ts-ignore: decorator
@inline
function setHash(row: u32, ptr: u32, len: u32, text: u32, secret: u32, scratch: u32): void {
  const hash = tables().pieceHash;
  hashBytes(ptr, len, changetype<u32>(hash.h0) + (row << 3), changetype<u32>(hash.h1) + (row << 3));
  hash.h0[row] = (hash.h0[row] >> 5) | (<u64>(<u32>xxh3(ptr, text, secret, scratch) >> 27) << 59);
}

/** In place of what the pieces of a section are at first: they stay as live as they are. */
export const AS_LIVE: u32 = 2;

/** Are the pieces of merge section `i` live before anybody has looked? */
// @ts-ignore: decorator
@inline
function liveAtFirst(i: u32): u32 {
  return params().gcSections != 0 && (tables().isec.sh_flags[i] & SHF_ALLOC) != 0 ? 0 : 1;
}

/** Fills the pieces of merge section `i`, whose contents are at `contents`. `scratch`: 64 bytes of the calling thread. */
export function fillPieces(i: u32, contents: u32, live: u32, scratch: u32): void {
  const isec = tables().isec;
  if (isec.sh_flags[i] & SHF_STRINGS) fillStrings(i, contents, scratch);
  else fillConstants(i, contents, scratch);
  tables().piece.inOffset[isec.pieceBase[i] + isec.pieceCount[i]] = <u32>isec.size[i];
  if (live != AS_LIVE) memory.fill(changetype<u32>(tables().piece.live) + isec.pieceBase[i], <u8>live, isec.pieceCount[i]);
}

function fillConstants(i: u32, contents: u32, scratch: u32): void {
  const isec = tables().isec;
  const piece = tables().piece;
  const entsize = isec.sh_entsize[i];
  const secret = params().xxh3Secret;
  let row = isec.pieceBase[i];
  const end = row + isec.pieceCount[i];
  let at: u32 = 0;
  for (; row < end; row++) {
    piece.inOffset[row] = at;
    setHash(row, contents + at, entsize, entsize, secret, scratch);
    at += entsize;
  }
}

function fillStrings(i: u32, contents: u32, scratch: u32): void {
  const isec = tables().isec;
  const piece = tables().piece;
  const width = isec.sh_entsize[i];
  const secret = params().xxh3Secret;
  const size = <u32>isec.size[i];
  const index = isec.blockIndex[i];
  let row = isec.pieceBase[i];
  const end = row + isec.pieceCount[i];
  let start: u32 = 0;
  let block: u32 = 0; // first byte of the next block that has no entry
  while (start < size && row < end) {
    const stop = start + stringBytes(contents + start, size - start, width);
    piece.inOffset[row] = start;
    setHash(row, contents + start, stop - start, stop - start - width, secret, scratch);
    while (block < stop) {
      store<u32>(index + ((block >> BLOCK_SHIFT) << 2), row);
      block += 1 << BLOCK_SHIFT;
    }
    start = stop;
    row++;
  }
}

/** Counts (fill = 0) or fills the wanted sections of rows [from, to); file offset `start` is at address `contents`. `scratch`: 64 bytes. */
export function splitRun(from: u32, to: u32, contents: u32, start: f64, fill: u32, scratch: u32): void {
  const isec = tables().isec;
  for (let i = from; i < to; i++) {
    const kind = isec.kind[i];
    if (!wanted(i, fill)) continue;
    const at = contents + (isec.compressed[i] != 0 ? 0 : <u32>(isec.sh_offset[i] - start));
    if (kind == ISEC_EH_FRAME) {
      if (fill) fillEhFrame(i, at);
      else countEhFrame(i, at);
    } else if (fill) fillPieces(i, at, liveAtFirst(i), scratch);
    else countStrings(i, at);
  }
}

/** For the symbols of rows [from, to) that name a place in a merge section: which piece it is. */
export function bindSymbolPieces(from: u32, to: u32): u32 {
  const sym = tables().sym;
  const isec = tables().isec;
  const flags = sym.flags;
  const streams = params().streams;
  let bound: u32 = 0;
  for (let s = from; s < to; s++) {
    const f = flags[s];
    if ((f & SYM_KIND_MASK) != SYM_DEFINED || (f & SYM_SECTION) != 0) continue;
    const i = sym.isec[s];
    if (i == 0 || isec.kind[i] != ISEC_MERGE) continue;
    if (streams && isec.pieceCount[i] == 0 && isStreamed(i)) {
      params().streamSymbols = 1;
      continue;
    }
    const value = sym.value[s];
    if (value > <u64>isec.size[i]) {
      report(ISSUE_MERGE_OFFSET, isec.obj[i], i, s, value, 1);
      continue;
    }
    const row = pieceAt(i, value);
    if (row != 0) sym.piece[s] = row + 1;
    bound++;
  }
  return bound;
}

/** The same for the symbols that object `o` defines, of which something else may have been known. */
export function bindObjectPieces(o: u32): void {
  const obj = tables().obj;
  const piece = tables().sym.piece;
  const definedIn = tables().gsym.obj;
  for (let id: u32 = 1, globals = params().globalSyms; id < globals; id++) {
    if (definedIn[id] != o) continue;
    piece[id] = 0;
    bindSymbolPieces(id, id + 1);
  }
  bindSymbolPieces(obj.localBase[o], obj.localBase[o] + obj.firstGlobal[o]);
}

/** Pieces of sections that are taken apart are as live as they were before anybody looked, and those of streamed strings are not there yet. */
export function resetPieces(): void {
  const isec = tables().isec;
  const live = changetype<u32>(tables().piece.live);
  for (let i: u32 = 1, rows = isec.rows; i < rows; i++) {
    if (isec.kind[i] != ISEC_MERGE) continue;
    if (isStreamed(i)) {
      isec.pieceCount[i] = 0;
      isec.blockIndex[i] = 0;
    } else memory.fill(live + isec.pieceBase[i], <u8>liveAtFirst(i), isec.pieceCount[i]);
  }
}

/** pieceAt as TypeScript can call it. */
export function pieceOf(isec: u32, offset: f64): u32 {
  return pieceAt(isec, <u64>offset);
}
