/**
 * An object that was replaced by one of the same size: does it differ in nothing but contents that no pass before relocate reads, and
 * mergeable pieces?
 *
 * Everything is compared but those stretches, so nothing that matters can be forgotten: a byte may differ if it belongs to a section
 * whose contents are only copied and relocated, or cut into pieces that end where they ended, and to nothing else (headers, other sections
 * that overlap it, instructions that the scan looks at).
 */
import { tables } from "../shared/tables.ts";
import { isOldArray } from "../lib/names.ts";
import { equal } from "../lib/bytes.ts";
import { isAddress } from "../arch/x86-64-relocations.ts";
import { isCut, samePieces } from "./patch-pieces.ts";
import { DIRTY, DIRTY_PIECES, ISEC_REGULAR } from "../shared/abi.ts";
import {
  EHDR_BYTES, R_TYPE, RELA_BYTES, SH_OFFSET, SH_SIZE, SH_TYPE, SHDR_BYTES,
  SHF_ALLOC, SHT_FINI_ARRAY, SHT_INIT_ARRAY, SHT_NOBITS, SHT_NULL, SHT_PREINIT_ARRAY, SHT_PROGBITS,
} from "../shared/elf.ts";

/** Bytes around a relocated field that decide what becomes of the instruction. */
const BEFORE: u64 = 8;
const AROUND: u64 = 24;

/** Sections that are not loaded, with more bytes and with relocations, may be written twice (relocateSlices); nobody knows afterwards how. */
const SLICED: f64 = 131072;

/** ".gnu", ".note" and longer: sections that say something to the linker. */
// @ts-ignore: decorator
@inline
export function isSpoken(name: u32): bool {
  const four = load<u32>(name);
  return four == 0x756e672e || four == 0x746f6e2e;
}

/** Are the contents of isec `row` only copied and relocated? */
export function isOpaque(row: u32): bool {
  const isec = tables().isec;
  const type = isec.sh_type[row];
  if (isec.kind[row] != ISEC_REGULAR || isec.compressed[row]) return false;
  if (type != SHT_PROGBITS && type != SHT_INIT_ARRAY && type != SHT_FINI_ARRAY && type != SHT_PREINIT_ARRAY) return false;
  return !isSpoken(isec.name[row]) && !isOldArray(isec.name[row]);
}

/** May the contents of isec `row` be others? */
// @ts-ignore: decorator
@inline
function isFree(row: u32): bool {
  return isOpaque(row) || (isCut(row) && !isSpoken(tables().isec.name[row]));
}

/** Offset, from `from` on and before `end`, of the first byte in which memory at `a` and at `b` differ; `end` = none. */
export function firstDifference(a: u32, b: u32, from: u32, end: u32): u32 {
  let at = from;
  while (at + 16 <= end && !v128.any_true(v128.xor(v128.load(a + at), v128.load(b + at)))) at += 16;
  while (at < end && load<u8>(a + at) == load<u8>(b + at)) at++;
  return at;
}

/** May section `row` be written twice? */
// @ts-ignore: decorator
@inline
export function isSliced(row: u32): bool {
  const isec = tables().isec;
  return !(isec.sh_flags[row] & SHF_ALLOC) && isec.relaCount[row] != 0 && isec.size[row] > SLICED;
}

/** More differs than contents. */
const DIFFERS: u32 = 0xffffffff;

/**
 * Compares object `o`, `bytes` bytes at `before`, with what replaces it at `after`. `map`: as many bytes of scratch. Sets `dirty` (u8 per isec,
 * DIRTY_*) of live sections with other contents, and of all with other pieces. Returns the highest that was set, 0xffffffff = something else differs.
 */
export function compareContents(o: u32, before: u32, after: u32, bytes: u32, map: u32, dirty: u32): u32 {
  const obj = tables().obj;
  const isec = tables().isec;
  const slot = tables().slot;
  const first = obj.isecBase[o];
  const end = first + obj.isecCount[o];
  const start = obj.offset[o];
  memory.fill(map, 0, bytes);
  for (let row = first; row < end; row++) if (isFree(row)) memory.fill(map + <u32>(isec.sh_offset[row] - start), 1, <u32>isec.size[row]);
  for (let i: u32 = 1; i < obj.e_shnum[o]; i++) {
    const header = before + <u32>obj.shoff[o] + i * SHDR_BYTES; // obj.shdrs is gone by now
    const type = load<u32>(header, SH_TYPE);
    const row = slot.isec[obj.slotBase[o] + i];
    if (type == SHT_NULL || type == SHT_NOBITS || (row && isFree(row))) continue;
    memory.fill(map + <u32>load<u64>(header, SH_OFFSET), 0, <u32>load<u64>(header, SH_SIZE));
  }
  for (let row = first; row < end; row++) if (isOpaque(row)) protectInstructions(row, map + <u32>(isec.sh_offset[row] - start));
  memory.fill(map, 0, EHDR_BYTES);
  memory.fill(map + <u32>obj.shoff[o], 0, obj.e_shnum[o] * SHDR_BYTES);

  for (let at = firstDifference(before, after, 0, bytes); at < bytes; at = firstDifference(before, after, at + 1, bytes)) if (!load<u8>(map + at)) return DIFFERS;
  let most: u32 = 0;
  for (let row = first; row < end; row++) {
    const cut = isCut(row);
    if (!cut && (!isec.live[row] || !isOpaque(row))) continue;
    const at = <u32>(isec.sh_offset[row] - start);
    if (equal(before + at, after + at, <u32>isec.size[row])) continue;
    if (cut ? !samePieces(row, after + at) : isSliced(row)) return DIFFERS;
    store<u8>(dirty + row, <u8>(cut ? DIRTY_PIECES : DIRTY));
    most = max<u32>(most, cut ? DIRTY_PIECES : DIRTY);
  }
  return most;
}

/** Takes what scan-relocs may have looked at out of `map`, which stands for the contents of isec `row`. */
function protectInstructions(row: u32, map: u32): void {
  const isec = tables().isec;
  const size = <u64>isec.size[row];
  const end = isec.rela[row] + isec.relaCount[row] * RELA_BYTES;
  if (!isec.rela[row]) return;
  for (let r = isec.rela[row]; r < end; r += RELA_BYTES) {
    if (isAddress(load<u32>(r, R_TYPE))) continue;
    const offset = load<u64>(r);
    const from = offset > BEFORE ? offset - BEFORE : 0;
    if (from < size) memory.fill(map + <u32>from, 0, <u32>min<u64>(size - from, AROUND));
  }
}

/** Is one of the members [from, to) dirty? */
export function anyDirty(from: u32, to: u32, dirty: u32): u32 {
  const member = tables().member.isec;
  for (let m = from; m < to; m++) if (load<u8>(dirty + member[m])) return 1;
  return 0;
}
