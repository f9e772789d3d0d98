/**
 * Mergeable pieces of a replaced object that have other bytes: their rows stay, with other hashes, and what they are merged into is merged
 * again. If all end where they ended, and that is as long as it was, nothing has moved but pieces.
 *
 * As in patch-object.ts, the rule is to refuse: standsAlone says no when anything but relocated contents may hold the address of a piece.
 */
import { tables, params } from "../shared/tables.ts";
import { SYM_NEEDS } from "../lib/symbol-flags.ts";
import { BLOCK_SHIFT, isStreamed } from "../lib/pieces.ts";
import { equal } from "../lib/bytes.ts";
import { countNuls, isNul, stringBytes } from "../lib/strings.ts";
import { isLocalLabel } from "../lib/written-symbol.ts";
import { isSliced } from "./compare-contents.ts";
import { resolveAddresses } from "./resolve-addresses.ts";
import { AS_LIVE, fillPieces } from "./split-pieces.ts";
import { DIRTY, ISEC_EH_FRAME, ISEC_MERGE, SYM_DEFINED, SYM_KIND_MASK, SYM_SECTION } from "../shared/abi.ts";
import { RELA_BYTES, R_SYM, SHDR_BYTES, SHF_STRINGS, SH_OFFSET, SH_SIZE, SYM_BYTES } from "../shared/elf.ts";

/** Is isec `row` cut into pieces that have rows? */
// @ts-ignore: decorator
@inline
export function isCut(row: u32): bool {
  const isec = tables().isec;
  return isec.kind[row] == ISEC_MERGE && isec.pieceCount[row] != 0 && !isec.compressed[row] && !isStreamed(row);
}

/** Do the pieces of section `i` end where they ended, when its contents are those at `contents`? */
export function samePieces(i: u32, contents: u32): bool {
  const isec = tables().isec;
  const inOffset = tables().piece.inOffset;
  if (!(isec.sh_flags[i] & SHF_STRINGS)) return true;
  const width = isec.sh_entsize[i];
  for (let row = isec.pieceBase[i], end = row + isec.pieceCount[i]; row < end; row++) {
    const bytes = inOffset[row + 1] - inOffset[row];
    if (stringBytes(contents + inOffset[row], bytes, width) != bytes || !isNul(contents + inOffset[row + 1] - width, width)) return false;
  }
  return true;
}

/** What split-pieces has left of object `o` in memory is of the old file. All of it: sections are read by runs of neighbours. */
function forgetContents(o: u32): void {
  const t = tables();
  memory.fill(changetype<u32>(t.isec.kept) + (t.obj.isecBase[o] << 2), 0, t.obj.isecCount[o] << 2);
}

/** Takes the pieces of section `i` from the contents at `contents`. `scratch`: 64 bytes. */
export function rehashPieces(i: u32, contents: u32, scratch: u32): void {
  forgetContents(tables().isec.obj[i]);
  fillPieces(i, contents, AS_LIVE, scratch);
}

/** More differs than recutPieces can bring up to date. */
const REFUSED: u32 = 0xffffffff;

/**
 * Cuts the mergeable sections of object `o`, which was at `before` and is at `after`, again where they differ: refused unless there are as many
 * pieces. `shdrs`: the old section headers; the rows of sections have the new sizes and places. `scratch`: 64 bytes. Writes the rows of the
 * sections to `out`, returns how many there are.
 */
export function recutPieces(o: u32, before: u32, after: u32, shdrs: u32, scratch: u32, out: u32): u32 {
  const isec = tables().isec;
  let count: u32 = 0;
  forgetContents(o);
  for (let i = tables().obj.isecBase[o], end = i + tables().obj.isecCount[o]; i < end; i++) {
    if (!isCut(i)) continue;
    const header = shdrs + isec.shndx[i] * SHDR_BYTES;
    const was = <u32>load<u64>(header, SH_SIZE);
    const size = <u32>isec.size[i];
    const contents = after + <u32>(isec.sh_offset[i] - tables().obj.offset[o]);
    if (was == size && equal(before + <u32>load<u64>(header, SH_OFFSET), contents, size)) continue;
    const width = isec.sh_entsize[i];
    if (isec.sh_flags[i] & SHF_STRINGS) {
      if (size % width || (size - 1) >> BLOCK_SHIFT > (was - 1) >> BLOCK_SHIFT) return REFUSED;
      if (!isNul(contents + size - width, width) || countNuls(contents, size, width) != isec.pieceCount[i]) return REFUSED;
    } else if (was != size) return REFUSED;
    fillPieces(i, contents, 1, scratch);
    store<u32>(out + (count++ << 2), i);
  }
  return count;
}

/** Is symbol `s` defined in a section of msec `m`? */
// @ts-ignore: decorator
@inline
function isIn(s: u32, m: u32): bool {
  const t = tables();
  return (t.sym.flags[s] & SYM_KIND_MASK) == SYM_DEFINED && t.isec.msec[t.sym.isec[s]] == m;
}

/**
 * Is nothing made from addresses of pieces of msec `m` but the relocated contents of objects that have such pieces? 0 = a symbol that is
 * written, a dynamic relocation or an unwind record may be. `labels`: are local labels (.L) written?
 */
export function standsAlone(m: u32, labels: u32): u32 {
  const t = tables();
  for (let id: u32 = 1, globals = params().globalSyms; id < globals; id++) if (isIn(id, m)) return 0;
  let last: u32 = 0;
  for (let k = t.msec.memberBase[m], end = k + t.msec.memberCount[m]; k < end; k++) {
    const o = t.isec.obj[t.mmember.isec[k]];
    if (o != last && !usesPlainly(o, m, labels)) return 0;
    last = o;
  }
  return 1;
}

/** The same for object `o`. */
function usesPlainly(o: u32, m: u32, labels: u32): bool {
  const t = tables();
  const isec = t.isec;
  const base = t.obj.localBase[o];
  for (let i: u32 = 1; i < t.obj.firstGlobal[o]; i++) {
    const id = base + i;
    if (!isIn(id, m)) continue;
    const flags = t.sym.flags[id];
    if (flags & SYM_NEEDS || t.sym.aux[id]) return false;
    if (!(flags & SYM_SECTION) && (labels || !isLocalLabel(t.obj.strtab[o] + load<u32>(t.obj.symtab[o] + i * SYM_BYTES)))) return false;
  }
  for (let i = t.obj.isecBase[o], end = i + t.obj.isecCount[o]; i < end; i++) {
    if (isec.dynRel[i] || isec.dynSym[i] || isec.relr[i] || isSliced(i) || (isec.kind[i] == ISEC_EH_FRAME && refersTo(i, m))) return false;
  }
  return true;
}

/** Does a relocation of section `i` refer to a symbol in msec `m`, as far as one can know? */
function refersTo(i: u32, m: u32): bool {
  const t = tables();
  const isec = t.isec;
  if (isec.relaCount[i] && !isec.rela[i]) return true;
  const base = t.obj.esymBase[isec.obj[i]];
  for (let r = isec.rela[i], end = r + isec.relaCount[i] * RELA_BYTES; r < end; r += RELA_BYTES) {
    if (isIn(t.esym.sym[base + load<u32>(r, R_SYM)], m)) return true;
  }
  return false;
}

/** Pieces of msec `m` have moved: local symbols of objects that have some get their addresses, and the sections of these objects are dirty. */
export function movePieces(m: u32, dirty: u32): void {
  const t = tables();
  let last: u32 = 0;
  for (let k = t.msec.memberBase[m], end = k + t.msec.memberCount[m]; k < end; k++) {
    const o = t.isec.obj[t.mmember.isec[k]];
    if (o == last) continue;
    last = o;
    memory.fill(dirty + t.obj.isecBase[o], <u8>DIRTY, t.obj.isecCount[o]);
    resolveAddresses(t.obj.localBase[o], t.obj.localBase[o] + t.obj.firstGlobal[o]);
  }
}
