/**
 * An object that was replaced by one with the same sections, of other sizes: its rows are brought up to date where they are. Symbols that
 * come and go are the business of patch-symbols.ts; here are their values.
 *
 * For links that are taken up again before assign-addresses. Everything that the passes before have decided must come out the same, so
 * the rule is to refuse: 0 = link from the beginning, whatever has been changed in the tables meanwhile. The tables of the new object
 * have been read and checked (read-headers.ts) before; what was read of the old one is handed over as `old` (OLD_* cells).
 */
import { params, tables } from "../shared/tables.ts";
import { equal, strlenBounded } from "../lib/bytes.ts";
import { isBssHuge, relocEntry } from "../lib/needs.ts";
import { idOffset } from "../lib/cie.ts";
import { gotForm, gotPrefixBytes } from "../arch/x86-64.ts";
import { isAddress, isBranch, isGotRelax, isTlsSequence, R_CALL } from "../arch/x86-64-relocations.ts";
import { isOpaque, isSpoken } from "./compare-contents.ts";
import { isCut } from "./patch-pieces.ts";
import { noteCovered, recordBytes } from "./eh-frame.ts";
import { KEY_BYTES, KEY_ID, KEY_ROW, patchValue } from "./patch-symbols.ts";
import {
  EHREC_CIE, ISEC_CONSUMED, ISEC_EH_FRAME, ISEC_REGULAR, NEW_KEYS, NEW_SYMBOLS, OLD_KEYS, OLD_NAMES, OLD_NAMES_BYTES, OLD_SAME, OLD_SHDRS, OLD_SYMBOLS, OLD_SYMTAB,
  REFERENCE_CELL_BYTES, SLOT_REGULAR, SYM_DEFINED, SYM_KIND_MASK, SYM_NEEDS_PLT, SYM_REF_LIVE, SYM_REF_STRONG, SYM_SECTION, SYM_SHARED, SYM_WEAK,
} from "../shared/abi.ts";
import {
  EHDR_BYTES, E_FLAGS, E_SHOFF, R_ADDEND, R_SYM, R_TYPE, RELA_BYTES, SH_ADDRALIGN, SH_ENTSIZE,
  SH_FLAGS, SH_INFO, SH_LINK, SH_OFFSET, SH_SIZE, SH_TYPE, SHDR_BYTES, SHF_ALLOC, SHF_WRITE, SHT_CREL, SHT_GROUP,
  SHT_LLVM_ADDRSIG, SHT_NOBITS, SHT_NULL, SHT_REL, SHT_RELA, SHT_STRTAB, SHT_SYMTAB, SYM_BYTES,
} from "../shared/elf.ts";

/** What a section holds when it has no row, or one that nobody copies. */
// @ts-ignore: decorator
@inline
function isLost(o: u32, i: u32): bool {
  const slot = tables().slot;
  const s = tables().obj.slotBase[o] + i;
  return slot.kind[s] == SLOT_REGULAR && slot.isec[s] == 0;
}

/** May section `i` have another size, and other contents? */
function isFree(o: u32, i: u32, type: u32): bool {
  const row = tables().slot.isec[tables().obj.slotBase[o] + i];
  if (row) {
    const kind = tables().isec.kind[row];
    if (isOpaque(row)) return true;
    // recutPieces looks at them. Where sections are collected, pieces are, too: by what refers to them.
    if (isCut(row) && !isSpoken(tables().isec.name[row])) return !params().gcSections;
    if (kind == ISEC_EH_FRAME) return tables().isec.relaCount[row] != 0; // patchRelocations looks at it
    return kind == ISEC_REGULAR && tables().isec.sh_type[row] == SHT_NOBITS;
  }
  // Those that have a pass of their own here, the names in them, what is only read for --icf, and copies that lost.
  return type == SHT_RELA || type == SHT_SYMTAB || type == SHT_STRTAB || type == SHT_LLVM_ADDRSIG || isLost(o, i);
}

/**
 * Section headers and contents of object `o`, which was at `before` and is at `after`: is all that must be the same the same? Then
 * sizes and places become the new ones.
 */
export function patchSections(o: u32, old: u32, before: u32, after: u32): u32 {
  const obj = tables().obj;
  const isec = tables().isec;
  if (!equal(before, after, E_SHOFF) || !equal(before + E_FLAGS, after + E_FLAGS, EHDR_BYTES - E_FLAGS)) return 0;
  for (let i: u32 = 1; i < obj.e_shnum[o]; i++) {
    const from = load<u32>(old + OLD_SHDRS) + i * SHDR_BYTES;
    const to = obj.shdrs[o] + i * SHDR_BYTES;
    const type = load<u32>(to, SH_TYPE);
    if (type != load<u32>(from, SH_TYPE) || load<u64>(from, SH_FLAGS) != load<u64>(to, SH_FLAGS) || !sameName(o, old, load<u32>(from), load<u32>(to))) return 0;
    if (load<u32>(from, SH_LINK) != load<u32>(to, SH_LINK)) return 0;
    // Where symbols are others, so are their indexes: which ones they are of is looked at with the symbols.
    if ((load<u32>(old + OLD_SAME) || (type != SHT_SYMTAB && type != SHT_GROUP)) && load<u32>(from, SH_INFO) != load<u32>(to, SH_INFO)) return 0;
    if (load<u64>(from, SH_ADDRALIGN) != load<u64>(to, SH_ADDRALIGN) || load<u64>(from, SH_ENTSIZE) != load<u64>(to, SH_ENTSIZE)) return 0;
    if (type == SHT_NULL) continue;
    if (type == SHT_REL || type == SHT_CREL) return 0;
    const size = load<u64>(to, SH_SIZE);
    if (!isFree(o, i, type)) {
      if (size != load<u64>(from, SH_SIZE)) return 0;
      if (type != SHT_NOBITS && !equal(before + <u32>load<u64>(from, SH_OFFSET), after + <u32>load<u64>(to, SH_OFFSET), <u32>size)) return 0;
    }
    const row = tables().slot.isec[obj.slotBase[o] + i];
    if (!row) continue;
    if (isec.kind[row] == ISEC_CONSUMED) continue;
    if (isFree(o, i, type) && isec.kind[row] != ISEC_EH_FRAME) {
      // An empty section may have been treated as none.
      if ((size == 0) != (isec.size[row] == 0) || <f64>size >= 4294967296.0) return 0;
      const huge = isBssHuge();
      if (type == SHT_NOBITS) params().bssKiB += <u32>(size >> 10) - <u32>(isec.size[row] / 1024);
      if (isBssHuge() != huge) return 0;
      isec.size[row] = <f64>size;
    }
    isec.sh_offset[row] = obj.offset[o] + <f64>load<u64>(to, SH_OFFSET);
  }
  return 1;
}

/** Have two sections, whose names are at these offsets of the section name table then and now, the same name? */
function sameName(o: u32, old: u32, before: u32, after: u32): bool {
  const obj = tables().obj;
  const limit = load<u32>(old + OLD_NAMES_BYTES);
  if (before >= limit || after >= obj.namesBytes[o]) return false;
  const a = load<u32>(old + OLD_NAMES) + before;
  const b = obj.names[o] + after;
  const bytes = strlenBounded(a, limit - before);
  return bytes == strlenBounded(b, obj.namesBytes[o] - after) && equal(a, b, bytes);
}

/** Symbols of object `o`, which are the same but for values and sizes: those that it defines get the new ones. */
export function patchSymbols(o: u32, old: u32): u32 {
  const obj = tables().obj;
  const esymBase = obj.esymBase[o];
  const symtab = load<u32>(old + OLD_SYMTAB);
  for (let i: u32 = 0; i < obj.esymCount[o]; i++) {
    if (!patchValue(esymBase + i, tables().esym.sym[esymBase + i], i < obj.firstGlobal[o], symtab + i * SYM_BYTES, obj.symtab[o] + i * SYM_BYTES)) return 0;
  }
  return 1;
}

// ---- relocations ----

/** Bytes of a cell of the set of relocations: what they refer to and how (three u64), how often before (u32) and after. */
const SET_CELL: u32 = REFERENCE_CELL_BYTES;
const BEFORE: u32 = 24;
const AFTER: u32 = 28;
/** GOTPCRELX relocations that are no candidates for relaxation. */
const NO_FORM: u64 = 0xff;

/** Bytes of relocations of the loaded sections of `o`. */
export function relaBytes(o: u32): u32 {
  const obj = tables().obj;
  let bytes: u32 = 0;
  for (let i: u32 = 1; i < obj.e_shnum[o]; i++) if (loadedTarget(o, i)) bytes += <u32>load<u64>(obj.shdrs[o] + i * SHDR_BYTES, SH_SIZE);
  return bytes;
}

/** isec whose relocations section `i` of `o` holds. */
// @ts-ignore: decorator
@inline
function targetOf(o: u32, i: u32): u32 {
  const header = tables().obj.shdrs[o] + i * SHDR_BYTES;
  return load<u32>(header, SH_TYPE) == SHT_RELA ? tables().slot.isec[tables().obj.slotBase[o] + load<u32>(header, SH_INFO)] : 0;
}

/** The same when it is loaded and so are its relocations. */
// @ts-ignore: decorator
@inline
function loadedTarget(o: u32, i: u32): u32 {
  const row = targetOf(o, i);
  return row && tables().isec.sh_flags[row] & SHF_ALLOC ? row : 0;
}

/**
 * Copies the relocations of object `o` to `to` (relaBytes). Refused unless those of every live section refer to what the old ones
 * referred to, or to what is live anyway and needs no more than its address. `set`: scratch of `slots` cells, a power of two that is more
 * than twice the relocations of any section, old ones included.
 */
export function patchRelocations(o: u32, before: u32, after: u32, old: u32, to: u32, set: u32, slots: u32): u32 {
  const obj = tables().obj;
  const isec = tables().isec;
  let at = to;
  for (let i: u32 = 1; i < obj.e_shnum[o]; i++) {
    const row = targetOf(o, i);
    if (!row || isec.kind[row] == ISEC_CONSUMED) continue;
    const header = obj.shdrs[o] + i * SHDR_BYTES;
    const bytes = <u32>load<u64>(header, SH_SIZE);
    const from = isec.rela[row];
    const count = isec.relaCount[row];
    // Kinds depend on whether there are any.
    if ((bytes == 0) != (count == 0)) return 0;
    isec.relaOffset[row] = obj.offset[o] + <f64>load<u64>(header, SH_OFFSET);
    isec.relaCount[row] = bytes / RELA_BYTES;
    if (!(isec.sh_flags[row] & SHF_ALLOC)) {
      if (from) return 0;
      continue;
    }
    if (bytes == 0) continue;
    if (!from) return 0;
    memory.copy(at, after + <u32>load<u64>(header, SH_OFFSET), bytes);
    isec.rela[row] = at;
    if (isec.kind[row] == ISEC_EH_FRAME) {
      if (!patchEhFrame(row, old, before + <u32>load<u64>(load<u32>(old + OLD_SHDRS) + isec.shndx[row] * SHDR_BYTES, SH_OFFSET), after, from, count)) return 0;
    } else if (isec.live[row]) {
      if (isec.kind[row] != ISEC_REGULAR || isec.sh_type[row] == SHT_NOBITS) return 0;
      const contents = before + <u32>load<u64>(load<u32>(old + OLD_SHDRS) + isec.shndx[row] * SHDR_BYTES, SH_OFFSET);
      if (!sameReferences(row, old, contents, after + <u32>(isec.sh_offset[row] - obj.offset[o]), from, count, set, slots)) return 0;
    }
    at += bytes;
  }
  return 1;
}

/** What relocation `r` refers to. `keys`: of its object's symbols, then or now (symbolKeys). */
// @ts-ignore: decorator
@inline
function targetKey(keys: u32, r: u32): u64 {
  const at = keys + load<u32>(r, R_SYM) * KEY_BYTES;
  const id = load<u32>(at, KEY_ID);
  const key = load<u64>(at);
  return id && !isAddress(load<u32>(r, R_TYPE)) ? (key & 0xffffffff00000000) | (<u64>KEY_ROW << 32) | <u64>id : key;
}

/** The addend where it decides what is referred to: pieces of a merged section, of which some are not kept. */
// @ts-ignore: decorator
@inline
function placeOf(key: u64, r: u32): u64 {
  return params().gcSections && <u32>(key >> 32) & SYM_SECTION ? load<u64>(r, R_ADDEND) : 0;
}

/** What the scan sees in the instruction of a GOTPCRELX relocation; the contents of the section are at `contents`. */
// @ts-ignore: decorator
@inline
function formOf(r: u32, type: u32, contents: u32): u64 {
  if (!isGotRelax(type)) return 0;
  if (load<i64>(r, R_ADDEND) != -4 || load<u64>(r) < gotPrefixBytes(type)) return NO_FORM;
  return <u64>gotForm(contents + <u32>load<u64>(r), type, params().relaxAbs32);
}

/** Do the relocations of isec `row` refer to what the `count` old ones at `from` did, in the same ways? As often, where each may be a dynamic one. */
function sameReferences(row: u32, old: u32, before: u32, after: u32, from: u32, count: u32, set: u32, limit: u32): bool {
  const isec = tables().isec;
  const o = isec.obj[row];
  const size = <u64>isec.size[row];
  const rela = isec.rela[row];
  const now = isec.relaCount[row];
  const symbols = tables().obj.esymCount[o];
  const oldKeys = load<u32>(old + OLD_KEYS);
  const newKeys = load<u32>(old + NEW_KEYS);
  let slots: u32 = 16;
  while (slots <= 2 * (count + now)) slots <<= 1;
  if (slots > limit) return false;
  memory.fill(set, 0, slots * SET_CELL);
  for (let r = from; r < from + count * RELA_BYTES; r += RELA_BYTES) {
    // Sequences of two relocations: order matters.
    if (isTlsSequence(load<u32>(r, R_TYPE)) && (!load<u32>(old + OLD_SAME) || !sameSequence(from, count, rela, now))) return false;
    const cell = cellOf(oldKeys, r, before, set, slots);
    store<u32>(cell, load<u32>(cell, BEFORE) + 1, BEFORE);
  }
  for (let r = rela; r < rela + now * RELA_BYTES; r += RELA_BYTES) {
    const offset = load<u64>(r);
    if (load<u32>(r, R_SYM) >= symbols || offset > size || size - offset < <u64>((relocEntry(load<u32>(r, R_TYPE)) >> 8) & 0xff)) return false;
    const cell = cellOf(newKeys, r, after, set, slots);
    store<u32>(cell, load<u32>(cell, AFTER) + 1, AFTER);
  }
  const exact = (isec.sh_flags[row] & SHF_WRITE) != 0 || params().hasTextRel != 0;
  for (let cell = set; cell < set + slots * SET_CELL; cell += SET_CELL) {
    const was = load<u32>(cell, BEFORE);
    const fresh = load<u32>(cell, AFTER);
    if (exact ? was == fresh : (was == 0) == (fresh == 0)) continue;
    // One that is new changes nothing, and neither does one that is gone where nothing is collected.
    if (exact || (was != 0 && params().gcSections) || !isInert(load<u64>(cell), <u32>load<u64>(cell, 16), fresh != 0)) return false;
  }
  return true;
}

/** Is a relocation of this type, to what `key` says, one that no pass before relocate does anything about? `comes`: it was not there. */
function isInert(key: u64, type: u32, comes: bool): bool {
  if (!isBranch(type)) return false;
  const row = <u32>key;
  if (<u32>(key >> 32) & KEY_ROW) {
    // A call of what is called through its PLT entry anyway.
    const flags = tables().sym.flags[row];
    return comes && type == R_CALL && (flags & (SYM_KIND_MASK | SYM_NEEDS_PLT | SYM_REF_LIVE | SYM_REF_STRONG | SYM_WEAK)) == (SYM_SHARED | SYM_NEEDS_PLT | SYM_REF_LIVE | SYM_REF_STRONG);
  }
  if (<u32>(key >> 32) != SYM_DEFINED || !row) return false;
  const isec = tables().isec;
  return isec.live[row] != 0 && isec.osec[row] != 0 && isec.kind[row] == ISEC_REGULAR;
}

/** The same relocations one by one, but for their offsets? */
function sameSequence(a: u32, countA: u32, b: u32, countB: u32): bool {
  if (countA != countB) return false;
  for (let k: u32 = 0; k < countA; k++) if (!equal(a + k * RELA_BYTES + 8, b + k * RELA_BYTES + 8, 16)) return false;
  return true;
}

function cellOf(keys: u32, r: u32, contents: u32, set: u32, slots: u32): u32 {
  const type = load<u32>(r, R_TYPE);
  const what = targetKey(keys, r);
  const place = placeOf(what, r);
  const form = <u64>type | (formOf(r, type, contents) << 32);
  const hash = (what ^ rotl<u64>(place, 29) ^ rotl<u64>(form, 40)) * 0x9e3779b97f4a7c15;
  let slot = <u32>(hash >> 40) & (slots - 1);
  let cell = set + slot * SET_CELL;
  while (load<u32>(cell, BEFORE) || load<u32>(cell, AFTER)) {
    if (load<u64>(cell) == what && load<u64>(cell, 8) == place && load<u64>(cell, 16) == form) return cell;
    slot = (slot + 1) & (slots - 1);
    cell = set + slot * SET_CELL;
  }
  store<u64>(cell, what);
  store<u64>(cell, place, 8);
  store<u64>(cell, form, 16);
  return cell;
}

// ---- unwind records ----

/**
 * Records of .eh_frame section `i`, whose relocations were `count` at `old`: as many, about the same code, by the same CIEs. FDEs may have other sizes.
 * `before`: the old contents, `object`: the new object.
 */
function patchEhFrame(i: u32, cells: u32, before: u32, object: u32, old: u32, count: u32): bool {
  const isec = tables().isec;
  const obj = tables().obj;
  const rec = tables().ehrec;
  const o = isec.obj[i];
  const header = obj.shdrs[o] + isec.shndx[i] * SHDR_BYTES;
  const size = <u32>load<u64>(header, SH_SIZE);
  const contents = object + <u32>load<u64>(header, SH_OFFSET);
  if (isec.relaCount[i] != count || load<u64>(header, SH_SIZE) >= 0xffffffff) return false;
  let at: u32 = 0;
  let rela = isec.rela[i];
  let was = old;
  const end = rela + count * RELA_BYTES;
  for (let row = isec.pieceBase[i], last = row + isec.pieceCount[i]; row < last; row++) {
    const ptr = contents + at;
    const bytes = at < size ? recordBytes(ptr, size - at) : 0;
    if (bytes == 0 || bytes > size - at) return false;
    const isCie = load<u32>(ptr + idOffset(ptr)) == 0;
    if (isCie != ((rec.flags[row] & EHREC_CIE) != 0)) return false;
    if (isCie ? bytes != rec.size[row] || !equal(ptr, before + rec.inOffset[row], bytes) : !sameCie(row, ptr, at)) return false;
    const first = rela;
    while (rela < end && load<u64>(rela) < <u64>at + bytes) {
      // One that stands before its predecessor would be sorted, which has not been done here.
      if (load<u64>(rela) < <u64>at || (rela > first && load<u64>(rela) < load<u64>(rela - RELA_BYTES))) return false;
      if (load<u64>(rela) - at != load<u64>(was) - rec.inOffset[row] || !sameTarget(cells, was, rela, isCie)) return false;
      if (<u64>at + bytes - load<u64>(rela) < <u64>((relocEntry(load<u32>(rela, R_TYPE)) >> 8) & 0xff)) return false;
      rela += RELA_BYTES;
      was += RELA_BYTES;
    }
    if ((rela - first) / RELA_BYTES != rec.relaCount[row]) return false;
    rec.rela[row] = rela > first ? first : 0;
    rec.inOffset[row] = at;
    rec.size[row] = bytes;
    if (!isCie && !noteCovered(row, ptr)) return false;
    at += bytes;
  }
  if (rela != end) return false;
  if (at < size && recordBytes(contents + at, size - at) != 0) return false;
  isec.kept[i] = 0;
  isec.size[i] = <f64>size;
  return true;
}

/** Do relocation `was` of an old record and `now` of a new one refer to the same in the same way? CIEs: to the same symbol and place. */
function sameTarget(cells: u32, was: u32, now: u32, isCie: bool): bool {
  if (load<u32>(was, R_TYPE) != load<u32>(now, R_TYPE)) return false;
  const oldKeys = load<u32>(cells + OLD_KEYS);
  const newKeys = load<u32>(cells + NEW_KEYS);
  if (load<u32>(was, R_SYM) >= load<u32>(cells + OLD_SYMBOLS) || load<u32>(now, R_SYM) >= load<u32>(cells + NEW_SYMBOLS)) return false;
  const key = targetKey(oldKeys, was);
  if (key != targetKey(newKeys, now)) return false;
  if (isCie) {
    // Identical CIEs are found by the rows of the symbols they refer to.
    const id = load<u32>(oldKeys + load<u32>(was, R_SYM) * KEY_BYTES, KEY_ID);
    if (id != load<u32>(newKeys + load<u32>(now, R_SYM) * KEY_BYTES, KEY_ID) || (id == 0 && !load<u32>(cells + OLD_SAME))) return false;
    if (id == 0 && load<u32>(was, R_SYM) != load<u32>(now, R_SYM)) return false;
  }
  return (!isCie && !placeOf(key, was) && !placeOf(key, now)) || load<u64>(now, R_ADDEND) == load<u64>(was, R_ADDEND);
}

/** Does the FDE at `ptr`, offset `at` of its section, name the CIE it did? Its row is up to date already. */
function sameCie(row: u32, ptr: u32, at: u32): bool {
  const rec = tables().ehrec;
  const id = idOffset(ptr);
  const cie = rec.cie[row];
  return cie != 0 && load<u32>(ptr + id) <= at + id && rec.inOffset[cie] == at + id - load<u32>(ptr + id);
}
