/**
 * -r: sections of a relocatable output, their places, headers and contents. Its symbol table is in relocatable-symbols.ts,
 * its relocations are in copy-relocs.ts.
 *
 * Nothing has an address: osec.addr stays 0, so sym.addr is the offset in the output section, which is what st_value and the
 * addends of section symbols need.
 */
import { tables } from "../shared/tables.ts";
import { copyBytes, equal, strlen } from "../lib/bytes.ts";
import { hashLane0, mix } from "../lib/hash.ts";
import { R_DEBUG_OFFSET, R_WORD } from "../arch/x86-64-relocations.ts";
import { layoutMembers } from "./assign-addresses.ts";
import {
  ISEC_CONSUMED, ISEC_EH_FRAME, ISEC_MERGE, ISEC_REGULAR, SYM_DEFINED, SYM_DISCARDED, SYM_KIND_MASK,
  SYM_ROOT, SYM_SECTION, TOMB_NONE, TOMB_ONE,
} from "../shared/abi.ts";
import {
  GRP_COMDAT, RELA_BYTES, SHDR_BYTES, SHF_ALLOC, SHF_COMPRESSED, SHF_GNU_RETAIN, SHF_GROUP, SHF_INFO_LINK, SHF_LINK_ORDER,
  SHF_MERGE, SHF_STRINGS, SHT_GROUP, SHT_NOBITS, SHT_PROGBITS, SHT_RELA, SHT_X86_64_UNWIND, R_SYM, R_TYPE, SH_ADDR, SH_ADDRALIGN, SH_ENTSIZE,
  SH_FLAGS, SH_INFO, SH_LINK, SH_OFFSET, SH_SIZE, SH_TYPE,
} from "../shared/elf.ts";

/** First osec row that is a section (row 1 stands for the headers). */
const FIRST: u32 = 2;
/** Bytes of ".rela". */
const RELA_PREFIX: u32 = 5;

/** Flags of an input section that its output section keeps. */
// @ts-ignore: decorator
@inline
function keptFlags(row: u32): u32 {
  return tables().isec.sh_flags[row] & ~(SHF_COMPRESSED | SHF_INFO_LINK);
}

/** Assemblers disagree on the type of .eh_frame. */
// @ts-ignore: decorator
@inline
function keptType(row: u32): u32 {
  const type = tables().isec.sh_type[row];
  return type == SHT_X86_64_UNWIND ? SHT_PROGBITS : type;
}

/** From here on .eh_frame is a section as any other: what its records refer to has been followed. */
export function forgetUnwind(from: u32, to: u32): void {
  const kind = tables().isec.kind;
  for (let row = from; row < to; row++) if (kind[row] == ISEC_EH_FRAME) kind[row] = ISEC_REGULAR;
}

/** Would alignment put padding between constants? Such a section is not merged, so that a reader still finds entsize strides. */
// @ts-ignore: decorator
@inline
function isOddMerge(row: u32, flags: u32): bool {
  const isec = tables().isec;
  const entsize = isec.sh_entsize[row];
  return (flags & (SHF_MERGE | SHF_STRINGS)) == SHF_MERGE && entsize != 0 && (entsize & ((1 << isec.align[row]) - 1)) != 0;
}

/** Group that section `row` is in, also one without loaded sections; 0 = none. */
// @ts-ignore: decorator
@inline
function groupOfSection(row: u32): u32 {
  const t = tables();
  const o = t.isec.obj[row];
  return t.obj.groupCount[o] == 0 ? 0 : t.slot.group[t.obj.slotBase[o] + t.isec.shndx[row]];
}

/** Members of a group stay alone, because the group may lose. */
// @ts-ignore: decorator
@inline
function staysApart(row: u32, flags: u32, dissolve: bool): bool {
  return (!dissolve && groupOfSection(row) != 0) || isOddMerge(row, flags);
}

/** ".debug_ranges\0" or ".debug_loc\0": an entry of two zeros would end their lists, so dead code is 1 there (as lld). */
function tombstoneOf(row: u32): u8 {
  const isec = tables().isec;
  if (isec.sh_flags[row] & SHF_ALLOC) return <u8>TOMB_NONE;
  const name = isec.name[row];
  if (load<u64>(name) != 0x6c5f67756265642e && load<u64>(name) != 0x725f67756265642e) return <u8>TOMB_NONE;
  const rest = load<u32>(name, 8);
  if ((rest & 0xffffff) == 0x636f) return <u8>TOMB_ONE; // "oc\0"
  return rest == 0x65676e61 && load<u16>(name, 12) == 0x0073 ? <u8>TOMB_ONE : <u8>TOMB_NONE; // "anges\0"
}

/**
 * Binds live sections [from, to) to output sections of the same name, type, flags and entry size; each to its own when
 * `unique` (1, or the address of a byte for each row). `dissolve`: groups are forgotten. `linked`: 1 = only SHF_LINK_ORDER sections, which
 * need the osec of what they are linked to; 0 = only the others.
 * `table`: u32 cells, `slots` a power of two, zeroed before the first call. `rows`: osec rows so far. Returns the number of
 * osec rows.
 */
export function bindRelocatable(from: u32, to: u32, linked: u32, unique: u32, dissolve: u32, table: u32, slots: u32, rows: u32): u32 {
  const t = tables();
  const isec = t.isec;
  const osec = t.osec;
  const rout = t.rout;
  const mask = slots - 1;
  let next = rows;
  for (let row = from; row < to; row++) {
    if (!isec.live[row] || isec.kind[row] == ISEC_CONSUMED || isec.osec[row] != 0) continue;
    const flags = keptFlags(row) & (dissolve ? ~SHF_GROUP : ~0);
    if (u32((flags & SHF_LINK_ORDER) != 0) != linked) continue;
    const type = keptType(row);
    const name = isec.name[row];
    const bytes = strlen(name);
    const entsize = isec.sh_entsize[row];
    const link = linked ? isec.osec[isec.link[row]] : 0;
    if (isec.kind[row] == ISEC_MERGE && isOddMerge(row, flags)) isec.kind[row] = ISEC_REGULAR;
    let id: u32 = 0;
    if ((unique > 1 ? load<u8>(unique + row) != 0 : unique != 0) || staysApart(row, flags, dissolve != 0)) {
      id = next++;
      rout.apart[id] = 1;
    } else {
      const key = hashLane0(name, bytes) ^ (<u64>flags << 32) ^ <u64>type ^ (<u64>entsize << 20) ^ (<u64>link << 8);
      let at = <u32>mix(key) & mask;
      id = load<u32>(table + (at << 2));
      while (id != 0 && !fits(id, name, bytes, type, flags, entsize, link)) {
        at = (at + 1) & mask;
        id = load<u32>(table + (at << 2));
      }
      if (id == 0) {
        id = next++;
        store<u32>(table + (at << 2), id);
      }
    }
    if (osec.memberCount[id] == 0) {
      osec.name[id] = name;
      osec.nameBytes[id] = bytes;
      osec.sh_type[id] = type;
      osec.sh_flags[id] = flags;
      osec.sh_entsize[id] = entsize;
      osec.tombstone[id] = tombstoneOf(row);
      rout.link[id] = link;
    }
    if (isec.align[row] > osec.align[id]) osec.align[id] = isec.align[row];
    osec.memberCount[id] += 1;
    rout.relaCount[id] += isec.relaCount[row];
    isec.osec[row] = id;
  }
  return next;
}

function fits(id: u32, name: u32, bytes: u32, type: u32, flags: u32, entsize: u32, link: u32): bool {
  const t = tables();
  const osec = t.osec;
  if (osec.sh_type[id] != type || osec.sh_flags[id] != flags || osec.sh_entsize[id] != entsize || t.rout.link[id] != link) return false;
  return osec.nameBytes[id] == bytes && equal(osec.name[id], name, bytes);
}

/**
 * Gives every osec from `first` on its run of member rows, from row `base` on; `cursors`: u32 per osec, filled here for
 * fillMembers. Returns the member rows.
 */
export function baseMembers(first: u32, rows: u32, base: u32, cursors: u32): u32 {
  const osec = tables().osec;
  for (let id = first; id < rows; id++) {
    osec.memberBase[id] = base;
    store<u32>(cursors + (id << 2), base);
    base += osec.memberCount[id];
  }
  return base;
}

/** Counts what each kept group of object `o` holds in the output: live members and their relocation sections. */
function countGroups(o: u32): void {
  const t = tables();
  const obj = t.obj;
  const base = obj.slotBase[o];
  const end = base + obj.e_shnum[o];
  for (let s = base; s < end; s++) {
    const row = t.slot.isec[s];
    const g = t.slot.group[s];
    if (g == 0 || row == 0 || t.isec.osec[row] == 0 || t.group.shndx[g] == 0 || !t.group.won[g]) continue;
    if (!t.rout.apart[t.isec.osec[row]]) continue; // a script has put it among others
    t.group.words[g] += t.isec.relaCount[row] != 0 ? 2 : 1;
  }
}

/**
 * Places the groups of object `o` that hold something, from byte `at` of the groups' part of the file on. Their signatures
 * become SYM_ROOT, which keeps them in the symbol table. Returns their number.
 */
export function placeGroups(o: u32, at: f64): u32 {
  countGroups(o);
  const group = tables().group;
  const end = tables().obj.groupBase[o] + tables().obj.groupCount[o];
  let count: u32 = 0;
  let to = at;
  for (let g = tables().obj.groupBase[o]; g < end; g++) {
    if (group.words[g] == 0) continue;
    const id = tables().esym.sym[tables().obj.esymBase[o] + group.signature[g]];
    tables().sym.flags[id] |= SYM_ROOT;
    count++;
    group.outOffset[g] = to;
    to += <f64>(4 + 4 * group.words[g]);
  }
  return count;
}

/** Bytes the groups of object `o` take in the output. */
export function groupBytes(o: u32): u32 {
  const group = tables().group;
  const end = tables().obj.groupBase[o] + tables().obj.groupCount[o];
  let bytes: u32 = 0;
  for (let g = tables().obj.groupBase[o]; g < end; g++) if (group.words[g] != 0) bytes += 4 + 4 * group.words[g];
  return bytes;
}

/** A script's description that nothing fits makes no section. */
// @ts-ignore: decorator
@inline
function isAbsent(id: u32): bool {
  return tables().osec.memberCount[id] == 0 && tables().osec.size[id] == 0;
}

/** Group that the only member of output section `id` is in; 0 = none. */
// @ts-ignore: decorator
@inline
function groupOf(id: u32): u32 {
  const t = tables();
  if (!t.rout.apart[id]) return 0;
  const row = t.member.isec[t.osec.memberBase[id]];
  return t.osec.memberCount[id] == 0 ? 0 : groupOfSection(row);
}

/**
 * Section header indexes of output sections and their relocation sections, from `index` on. A group stands before its first
 * member (gABI ch. 4 Section Groups); sections before `first` are a script's, and their relocations follow them all (as lld).
 * Returns the next free index.
 */
export function numberOutputs(first: u32, index: u32): u32 {
  const osec = tables().osec;
  const rout = tables().rout;
  const group = tables().group;
  let next = index;
  for (let id: u32 = FIRST; id < first; id++) if (!isAbsent(id)) osec.index[id] = next++;
  for (let id: u32 = FIRST; id < osec.rows; id++) {
    if (isAbsent(id)) continue;
    const g = groupOf(id);
    if (g != 0 && group.words[g] != 0 && group.index[g] == 0) group.index[g] = next++;
    if (id >= first) osec.index[id] = next++;
    if (rout.relaCount[id] != 0) rout.relaIndex[id] = next++;
  }
  return next;
}

/**
 * Places members in their output sections, but for those of sections before `first`, which a script has placed, and all
 * sections in the file from `start` on; returns the end.
 */
export function layoutOutputs(first: u32, start: f64): f64 {
  const osec = tables().osec;
  let at = start;
  for (let id: u32 = FIRST; id < osec.rows; id++) {
    const base = osec.memberBase[id];
    if (id >= first) osec.size[id] = layoutMembers(base, base + osec.memberCount[id], 0);
    const mask = (<u64>1 << osec.align[id]) - 1;
    if (osec.sh_type[id] != SHT_NOBITS) at = <f64>((<u64>at + mask) & ~mask);
    osec.offset[id] = at;
    if (osec.sh_type[id] != SHT_NOBITS) at += osec.size[id];
  }
  return at;
}

/** Places the relocation sections one after the other from `start` (a multiple of 8) on; returns the end. */
export function layoutRelas(start: f64): f64 {
  const rout = tables().rout;
  const rows = tables().osec.rows;
  let at = start;
  for (let id: u32 = FIRST; id < rows; id++) {
    rout.relaOffset[id] = at;
    at += <f64>rout.relaCount[id] * RELA_BYTES;
  }
  return at;
}

/**
 * Section names from offset `start` of the name table on; `to`: where they are written, 0 = only counted. Returns
 * the bytes.
 */
export function nameOutputs(start: u32, to: u32): u32 {
  const osec = tables().osec;
  const rout = tables().rout;
  let at: u32 = 0;
  for (let id: u32 = FIRST; id < osec.rows; id++) {
    if (isAbsent(id)) continue;
    const bytes = osec.nameBytes[id];
    rout.sh_name[id] = start + at;
    if (to != 0) {
      copyBytes(to + at, osec.name[id], bytes);
      store<u8>(to + at + bytes, 0);
    }
    at += bytes + 1;
    if (rout.relaCount[id] == 0) continue;
    if (to != 0) {
      store<u32>(to + at, 0x6c65722e); // ".rel"
      store<u8>(to + at, 0x61, 4); // "a"
      copyBytes(to + at + RELA_PREFIX, osec.name[id], bytes);
      store<u8>(to + at + RELA_PREFIX + bytes, 0);
    }
    at += RELA_PREFIX + bytes + 1;
  }
  return at;
}

/** Elf64_Shdr number `index` of the table at `shdrs`; sh_addr is 0. */
function putHeader(
  shdrs: u32, index: u32, name: u32, type: u32, flags: u32, offset: f64, size: f64, link: u32, info: u32, align: u64, entsize: u32,
): void {
  const at = shdrs + index * SHDR_BYTES;
  store<u32>(at, name);
  store<u32>(at, type, SH_TYPE);
  store<u64>(at, <u64>flags, SH_FLAGS);
  store<u64>(at, 0, SH_ADDR);
  store<u64>(at, <u64>offset, SH_OFFSET);
  store<u64>(at, <u64>size, SH_SIZE);
  store<u32>(at, link, SH_LINK);
  store<u32>(at, info, SH_INFO);
  store<u64>(at, align, SH_ADDRALIGN);
  store<u64>(at, <u64>entsize, SH_ENTSIZE);
}

/** Headers of all output sections and their relocation sections. Returns 1 when one needs the GNU OS/ABI. */
export function outputHeaders(shdrs: u32, symtab: u32): u32 {
  const osec = tables().osec;
  const rout = tables().rout;
  let gnu: u32 = 0;
  for (let id: u32 = FIRST; id < osec.rows; id++) {
    if (isAbsent(id)) continue;
    const flags = osec.sh_flags[id];
    const index = osec.index[id];
    const rela = rout.relaIndex[id];
    const name = rout.sh_name[id];
    if (flags & SHF_GNU_RETAIN) gnu = 1;
    const link = flags & SHF_LINK_ORDER ? osec.index[rout.link[id]] : 0;
    putHeader(
      shdrs, index, name, osec.sh_type[id], flags, osec.offset[id], osec.size[id], link, 0,
      <u64>1 << osec.align[id], osec.sh_entsize[id],
    );
    if (rela == 0) continue;
    putHeader(
      shdrs, rela, name + osec.nameBytes[id] + 1, SHT_RELA, SHF_INFO_LINK | (flags & SHF_GROUP), rout.relaOffset[id], <f64>rout.relaCount[id] * RELA_BYTES,
      symtab, index, 8, RELA_BYTES,
    );
  }
  return gnu;
}

/** Symbol index in the output of the signature of group `g`. */
function signatureOf(o: u32, g: u32): u32 {
  const t = tables();
  const id = t.esym.sym[t.obj.esymBase[o] + t.group.signature[g]];
  if (t.sym.flags[id] & SYM_SECTION && t.sym.isec[id] != 0) return t.rout.sym[t.isec.osec[t.sym.isec[id]]];
  return t.sym.aux[id];
}

/** Headers and contents of the groups of object `o`: their part of the file begins at `contents`, in the file at `from`. `name`: offset. */
export function writeGroups(o: u32, shdrs: u32, name: u32, symtab: u32, contents: u32, from: f64): void {
  const t = tables();
  const group = t.group;
  const obj = t.obj;
  const first = obj.groupBase[o];
  const end = first + obj.groupCount[o];
  for (let g = first; g < end; g++) {
    if (group.words[g] == 0) continue;
    putHeader(
      shdrs, group.index[g], name, SHT_GROUP, 0, from + group.outOffset[g], <f64>(4 + 4 * group.words[g]), symtab, signatureOf(o, g), 4, 4,
    );
    store<u32>(contents + <u32>group.outOffset[g], group.comdat[g] ? GRP_COMDAT : 0);
    group.words[g] = 0; // counts again as members are written
  }
  const base = obj.slotBase[o];
  const last = base + obj.e_shnum[o];
  for (let s = base; s < last; s++) {
    const row = t.slot.isec[s];
    const g = t.slot.group[s];
    if (g == 0 || row == 0 || group.index[g] == 0) continue;
    const id = t.isec.osec[row];
    if (id == 0 || !t.rout.apart[id]) continue;
    let at = contents + <u32>group.outOffset[g] + 4 + 4 * group.words[g];
    store<u32>(at, t.osec.index[id]);
    group.words[g] += 1;
    if (t.rout.relaIndex[id] == 0) continue;
    at += 4;
    store<u32>(at, t.rout.relaIndex[id]);
    group.words[g] += 1;
  }
}

// ---- contents ----

/**
 * Cuts members from `from` on into a stretch of about `bytes` bytes of the file: index of the first that is not part of it.
 * Leaves its first and end file offset (f64) at `out`; they are equal when the members have no bytes.
 */
export function cutContents(from: u32, to: u32, bytes: f64, out: u32): u32 {
  const t = tables();
  const isec = t.isec;
  const member = t.member.isec;
  let start: f64 = 0;
  let end: f64 = 0;
  let i = from;
  for (; i < to; i++) {
    const row = member[i];
    if (isec.sh_type[row] == SHT_NOBITS || isec.size[row] == 0 || isec.kind[row] == ISEC_MERGE) continue;
    const at = t.osec.offset[isec.osec[row]] + isec.outOffset[row];
    if (end == 0) start = at;
    else if (at + isec.size[row] - start > bytes) break;
    end = at + isec.size[row];
  }
  store<f64>(out, start);
  store<f64>(out, end, 8);
  return i;
}

/** Copies a run of members (nextRun) from `input`, file bytes from `inFrom` on, to the window that begins at offset `start`. */
export function placeContents(from: u32, to: u32, input: u32, inFrom: f64, window: u32, start: f64): void {
  const t = tables();
  const isec = t.isec;
  const member = t.member.isec;
  for (let i = from; i < to; i++) {
    const row = member[i];
    if (isec.kind[row] != ISEC_REGULAR || isec.sh_type[row] == SHT_NOBITS || isec.compressed[row] != 0) continue;
    const at = t.osec.offset[isec.osec[row]] + isec.outOffset[row] - start;
    memory.copy(window + <u32>at, input + <u32>(isec.sh_offset[row] - inFrom), <u32>isec.size[row]);
  }
}

/** First member from `from` on, before `end`, whose relocations may want a tombstone other than 0; `end` = none. */
export function nextTombstone(from: u32, end: u32): u32 {
  const isec = tables().isec;
  const member = tables().member.isec;
  let i = from;
  while (i < end && (tables().osec.tombstone[isec.osec[member[i]]] == TOMB_NONE || isec.relaCount[member[i]] == 0 || isec.kind[member[i]] != ISEC_REGULAR)) i++;
  return i;
}

/**
 * Writes the tombstone of section `row`, whose bytes are at `bytes`, wherever one of the `count` relocations at `rela` refers
 * to what is not in the output.
 */
export function buryDead(row: u32, rela: u32, count: u32, bytes: u32): void {
  const t = tables();
  const o = t.isec.obj[row];
  const size = <u64>t.isec.size[row];
  const dead: u64 = t.osec.tombstone[t.isec.osec[row]] == TOMB_ONE ? 1 : 0;
  const end = rela + count * RELA_BYTES;
  for (let at = rela; at < end; at += RELA_BYTES) {
    const index = load<u32>(at, R_SYM);
    const type = load<u32>(at, R_TYPE);
    const width: u64 = type == R_WORD ? 8 : type == R_DEBUG_OFFSET ? 4 : 0;
    const offset = load<u64>(at);
    if (width == 0 || index == 0 || index >= t.obj.esymCount[o] || offset > size || size - offset < width) continue;
    const id = t.esym.sym[t.obj.esymBase[o] + index];
    const kind = t.sym.flags[id] & SYM_KIND_MASK;
    const target = t.sym.isec[id];
    if (kind != SYM_DISCARDED && (kind != SYM_DEFINED || target == 0 || (t.isec.live[target] != 0 && t.isec.osec[target] != 0))) continue;
    if (width == 8) store<u64>(bytes + <u32>offset, dead);
    else store<u32>(bytes + <u32>offset, <u32>dead);
  }
}
