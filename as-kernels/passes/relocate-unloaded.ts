/**
 * Relocations of sections that are not loaded, debug information above all: places that went away get a tombstone, and references into
 * strings are looked up where the string went.
 *
 * Nothing has looked at these relocations before, so offsets and symbols are checked here (relocate.ts trusts the scan).
 */
import { U32Col } from "../shared/columns.ts";
import { tables, params } from "../shared/tables.ts";
import { valueOf } from "../lib/dynamic-records.ts";
import { report } from "../lib/issue.ts";
import { relocEntry } from "../lib/needs.ts";
import { BLOCK_SHIFT, pieceAddress } from "../lib/pieces.ts";
import { putField } from "../lib/field.ts";
import { sizeOfSymbol } from "../lib/symbol-entry.ts";
import { debugBytes, isDebug, isDtpOffset, R_DEBUG_OFFSET } from "../arch/x86-64-relocations.ts";
import { RELA_BYTES, R_ADDEND, R_SYM, R_TYPE } from "../shared/elf.ts";
import {
  ISEC_MERGE, ISSUE_RELOC_BAD_OFFSET, ISSUE_RELOC_BAD_SYMBOL, ISSUE_RELOC_NON_ABS, ISSUE_RELOC_RANGE, ISSUE_RELOC_UNKNOWN, SYM_COMMON,
  SYM_DEFINED, SYM_FOLDED, SYM_IN_OSEC, SYM_KIND_MASK, SYM_SECTION, TOMB_ADDEND, TOMB_LINE, TOMB_MAX, TOMB_NONE, TOMB_ONE,
} from "../shared/abi.ts";
import { SLICE_CUT, SLICE_DONE, SLICE_UNSORTED } from "../shared/cells.ts";
import { VALUE_ABS, VALUE_GOT_REL, VALUE_NONE, VALUE_PC, VALUE_SIZE, VALUE_TPOFF, VALUE_UNKNOWN } from "../shared/reloc.ts";

/** Kinds that keep an address, as a bit per SYM_ kind; the others are dead for debug information, as in lld. */
const ALIVE_KINDS: u32 = (1 << SYM_DEFINED) | (1 << SYM_COMMON) | (1 << SYM_IN_OSEC);

/** No symbol's: object files have fewer. */
const NO_INDEX: u32 = 0xffffffff;

/** The tombstone in a field of a type that isDebug. */
// @ts-ignore: decorator
@inline
function deadValue(dead: u64, type: u32, width: u64): u64 {
  return width == 8 ? dead : type == R_DEBUG_OFFSET ? <u64><u32>dead : <u64><i64><i32>dead;
}

/** Where in its merged section byte `inside` of a section went whose pieces `blockIndex` finds (lib/pieces.ts). */
// @ts-ignore: decorator
@inline
function placeInside(inOffset: U32Col, pieceOut: U32Col, blockIndex: u32, inside: u32): u64 {
  let row = load<u32>(blockIndex + ((inside >> BLOCK_SHIFT) << 2));
  while (inOffset[row + 1] <= inside) row++;
  return <u64>pieceOut[row] + <u64>(inside - inOffset[row]);
}

/**
 * Applies the relocations from…end of section `i`, whose first byte would be at `bytes`; `rela`: where its first relocation would
 * be, if all were in memory. Not a kernel: relocate and relocateSlice call it.
 */
export function relocateUnloaded(i: u32, from: u32, end: u32, rela: u32, bytes: u32, outOffset: u64): void {
  const isec = tables().isec;
  const o = isec.obj[i];
  const base = tables().obj.esymBase[o];
  const symbols = tables().obj.esymCount[o];
  const esymSym = tables().esym.sym;
  const symFlags = tables().sym.flags;
  const symIsec = tables().sym.isec;
  const symAddr = tables().sym.addr;
  const live = isec.live;
  const size = <u64>isec.size[i];
  const tombstone = <u32>tables().osec.tombstone[isec.osec[i]];
  const dead: u64 = tombstone == TOMB_ONE ? 1 : tombstone == TOMB_MAX ? ~(<u64>0) : tables().osec.dead[isec.osec[i]];
  const hasTombstone = tombstone != TOMB_NONE && tombstone != TOMB_ADDEND;
  // Debug information of a folded function would claim the code of another; only breakpoints on its lines still make sense.
  const deadFlags: u32 = hasTombstone && tombstone != TOMB_LINE ? SYM_FOLDED : 0;
  // Most references are to strings of one section, so what pieceAt and pieceAddress would look up each time is kept for it, and the
  // commonest of all, 32 bits through its section symbol, know it by that symbol's number.
  let strings: u32 = 0;
  let stringsIndex: u32 = NO_INDEX;
  let stringsValue: u64 = 0;
  let stringBytes: u64 = 0;
  let blockIndex: u32 = 0;
  let stringsAt: u64 = 0;
  const symValue = tables().sym.value;
  const inOffset = tables().piece.inOffset;
  const pieceOut = tables().piece.out;
  for (let r = from; r < end; r += RELA_BYTES) {
    const type = load<u32>(r, R_TYPE);
    const index = load<u32>(r, R_SYM);
    const offset = load<u64>(r);
    const A = load<u64>(r, R_ADDEND);
    if (index == stringsIndex && type == R_DEBUG_OFFSET && offset < size && size - offset >= 4) {
      const inside = stringsValue + A;
      if (inside < stringBytes) {
        const V = stringsAt + placeInside(inOffset, pieceOut, blockIndex, <u32>inside);
        if (V == <u64><u32>V) {
          store<u32>(bytes + <u32>offset, <u32>V);
          continue;
        }
      }
    }
    if (index >= symbols) {
      report(ISSUE_RELOC_BAD_SYMBOL, o, i, (r - rela) / RELA_BYTES, <u64>index, <u64>type);
      continue;
    }
    const sym = esymSym[base + index];
    const flags = symFlags[sym];
    const target = symIsec[sym];
    const kind = flags & SYM_KIND_MASK;
    const alive = ((1 << kind) & ALIVE_KINDS) != 0 && !(flags & deadFlags) && (kind != SYM_DEFINED || target == 0 || live[target] != 0);
    if (!isDebug(type)) {
      unloadedRare(i, r, rela, bytes, outOffset, size, sym, flags, index, alive, hasTombstone, dead);
      continue;
    }
    const width = debugBytes(type);
    if (offset > size || size - offset < width) {
      report(ISSUE_RELOC_BAD_OFFSET, o, i, (r - rela) / RELA_BYTES, offset, <u64>type);
      continue;
    }
    let V: u64 = A;
    if (alive) {
      if (flags & SYM_SECTION && kind == SYM_DEFINED) {
        if (target != strings && isec.kind[target] == ISEC_MERGE && isec.blockIndex[target] && isec.msec[target]) {
          strings = target;
          stringBytes = <u64>isec.size[target];
          blockIndex = isec.blockIndex[target];
          stringsAt = pieceAddress(target, 0, 0);
          stringsIndex = index;
          stringsValue = symValue[sym];
        }
        const inside = symValue[sym] + A;
        V = target == strings && inside < stringBytes ? stringsAt + placeInside(inOffset, pieceOut, blockIndex, <u32>inside) : valueOf(sym, flags, A);
      } else {
        V = symAddr[sym] + A;
      }
      if (isDtpOffset(type)) V -= params().tlsAddr;
    } else if (hasTombstone) {
      V = deadValue(dead, type, width);
    }
    const at = bytes + <u32>offset;
    if (width == 8) {
      store<u64>(at, V);
      continue;
    }
    store<u32>(at, <u32>V);
    if (type == R_DEBUG_OFFSET ? V != <u64><u32>V : <i64>V != <i64><i32>V) report(ISSUE_RELOC_RANGE, o, i, (r - rela) / RELA_BYTES, V, <u64>type);
  }
}

/** The types that hardly occur in debug information. */
function unloadedRare(
  i: u32, r: u32, rela: u32, bytes: u32, outOffset: u64, size: u64, sym: u32, flags: u32, index: u32, alive: bool, hasTombstone: bool,
  dead: u64,
): void {
  const o = tables().isec.obj[i];
  const type = load<u32>(r, R_TYPE);
  const offset = load<u64>(r);
  const A = load<u64>(r, R_ADDEND);
  const number = (r - rela) / RELA_BYTES;
  const entry = relocEntry(type);
  const value = entry & 0xff;
  const width = (entry >> 8) & 0xff;
  if (value == VALUE_NONE) return;
  if (value == VALUE_UNKNOWN) return report(ISSUE_RELOC_UNKNOWN, o, i, number, <u64>type, <u64>sym);
  if (offset > size || size - offset < <u64>width) return report(ISSUE_RELOC_BAD_OFFSET, o, i, number, offset, <u64>type);
  let V: u64 = alive ? valueOf(sym, flags, A) : A;
  if (value == VALUE_ABS) {
    if (!alive && hasTombstone) V = dead;
  } else if (value == VALUE_PC) {
    V -= offset + outOffset; // as if the section were at address 0: what GNU linkers always did
  } else if (value == VALUE_SIZE) {
    V = sizeOfSymbol(o, index, sym) + A;
  } else if (value == VALUE_GOT_REL) {
    V -= params().gotPltAddr;
  } else if (value == VALUE_TPOFF) {
    V = alive ? V - params().tlsEnd : A;
  } else {
    return report(ISSUE_RELOC_NON_ABS, o, i, number, <u64>type, <u64>sym);
  }
  if (!putField(bytes + <u32>offset, <i64>V, width, (entry >> 16) & 0xff)) report(ISSUE_RELOC_RANGE, o, i, number, V, <u64>type);
}

/** Largest field of a relocation. */
const FIELD_BYTES: u64 = 8;

/**
 * Applies relocations to bytes [from, to) of section `i`, which are at `slice`: those that are for them among numbers [first, end), which
 * are at `relas`. Returns SLICE_*, the number of the next relocation at `out` (u32), and behind it how far the bytes are finished: a
 * field is never cut in two.
 */
export function relocateSlice(i: u32, relas: u32, first: u32, end: u32, slice: u32, from: u32, to: u32, out: u32): u32 {
  const isec = tables().isec;
  const size = <u64>isec.size[i];
  const all = <u64>to == size;
  const stop = relas + (end - first) * RELA_BYTES;
  let state: u32 = SLICE_DONE;
  let cut = to;
  let r = relas;
  for (; r < stop; r += RELA_BYTES) {
    const offset = load<u64>(r);
    if (offset < <u64>from) {
      state = SLICE_UNSORTED;
      break;
    }
    if (!all && offset + FIELD_BYTES > <u64>to) {
      state = SLICE_CUT;
      if (offset < <u64>to) cut = <u32>offset;
      break;
    }
  }
  relocateUnloaded(i, relas, r, relas - first * RELA_BYTES, slice - from, <u64>isec.outOffset[i]);
  store<u32>(out, first + (r - relas) / RELA_BYTES);
  store<u32>(out, cut, 4);
  return state;
}
