/**
 * Where a place in an SHF_MERGE section went: offset → piece → address. Shared by mark-live, scan-relocs and relocate.
 *
 * Not for references through named symbols, whose piece is chosen once, by st_value alone (sym.piece); the addend is added
 * after. References through section symbols choose by st_value + addend, as lld and GNU ld do.
 */
import { params, tables } from "../shared/tables.ts";
import { report } from "./issue.ts";
import { ISEC_MERGE, ISSUE_MERGE_OFFSET } from "../shared/abi.ts";
import { SHF_ALLOC, SHF_STRINGS } from "../shared/elf.ts";

/** log2 of the bytes that one entry of isec.blockIndex covers. */
export const BLOCK_SHIFT: u32 = 6;

/** Is section `isec` cut into pieces by stream-strings: strings that are not loaded, all of which live? */
// @ts-ignore: decorator
@inline
export function isStreamed(isec: u32): bool {
  const table = tables().isec;
  return params().streams != 0 && table.kind[isec] == ISEC_MERGE && (table.sh_flags[isec] & (SHF_STRINGS | SHF_ALLOC)) == SHF_STRINGS;
}

/**
 * Row of the piece of merge section `isec` that holds the byte at `offset`; at or past the end, the last one. 0 when the
 * section has no pieces. The caller compares `offset` with isec.size first: only offset = size still has a meaning.
 */
export function pieceAt(isec: u32, offset: u64): u32 {
  const table = tables().isec;
  const count = table.pieceCount[isec];
  if (count == 0) return 0;
  const base = table.pieceBase[isec];
  const size = <u64>table.size[isec];
  if (offset >= size) return base + count - 1;
  const index = table.blockIndex[isec];
  if (index == 0) return base + <u32>offset / table.sh_entsize[isec];
  const inOffset = tables().piece.inOffset;
  let row = load<u32>(index + ((<u32>offset >> BLOCK_SHIFT) << 2));
  while (inOffset[row + 1] <= <u32>offset) row++;
  return row;
}

/** Virtual address of the byte at `offset` of the section that `row` is a piece of; `offset` may lie outside the piece. */
export function pieceAddress(isec: u32, row: u32, offset: u64): u64 {
  const m = tables().isec.msec[isec];
  if (m == 0) return 0;
  const msec = tables().msec;
  const start = tables().osec.addr[msec.osec[m]] + <u64>msec.outOffset[m];
  if (row == 0) return start;
  const piece = tables().piece;
  return start + <u64>piece.out[row] + (offset - <u64>piece.inOffset[row]);
}

/** Virtual address of the byte at `offset` of merge section `isec`. */
export function mergedAddress(isec: u32, offset: u64): u64 {
  return pieceAddress(isec, pieceAt(isec, offset), offset);
}

/** The same for a relocation of object `o`; an offset at or past the end, or before the section, is the input's fault (as lld). */
export function mergedPlace(o: u32, isec: u32, offset: u64): u64 {
  if (offset >= <u64>tables().isec.size[isec]) report(ISSUE_MERGE_OFFSET, o, isec, 0, offset, 0);
  return mergedAddress(isec, offset);
}

/** Virtual address of a named symbol defined in a merge section (sym.piece != 0), after assign-addresses. */
export function mergedSymbolAddress(sym: u32): u64 {
  const table = tables().sym;
  return pieceAddress(table.isec[sym], table.piece[sym] - 1, table.value[sym]);
}
