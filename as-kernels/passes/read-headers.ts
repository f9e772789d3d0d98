/**
 * From an object's ELF header to its tables in memory: section headers are checked, symbol table, string tables, group
 * contents and the section headers themselves come to stay, because three passes look at them.
 *
 * Objects that are in memory as a whole are done here one after the other (keepSpan): most archives are thousands of small
 * members. Of large ones TypeScript reads what planTables lists. This is where untrusted bytes enter, with parse-object.ts.
 */
import { alloc } from "../lib/alloc.ts";
import { tables } from "../shared/tables.ts";
import { copyBytes, strlen } from "../lib/bytes.ts";
import { cell, NO_ROOM, part } from "../lib/header-cells.ts";
import {
  OUT_ERROR_SECTION, OUT_ERROR_VALUE, OUT_FIRST_GLOBAL, OUT_GROUP_FROM, OUT_GROUP_TO, OUT_GROUPS, OUT_LOCAL_SIGNATURES, OUT_NAMES_DROP, OUT_NAMES_OFFSET, OUT_NAMES_SIZE,
  OUT_PARTS, OUT_SHNDX_OFFSET, OUT_SHNDX_SIZE, OUT_SHSTRNDX, OUT_STRTAB_OFFSET, OUT_STRTAB_SIZE, OUT_SYMTAB, OUT_SYMTAB_OFFSET, OUT_SYMTAB_SIZE, PART_BYTES, PART_MARGIN,
} from "../shared/cells.ts";
import { fail, reportObject } from "../lib/issue.ts";
import { plainRule } from "../lib/name-rules.ts";
import { isLinkonce } from "../lib/names.ts";
import {
  CTL_REGION_END, CTL_REGION_TOP, ERR_ALIGN, ERR_ALIGN_LARGE, ERR_GROUP, ERR_GROUP_EMPTY, ERR_HEADERS_END, ERR_HEADERS_START, ERR_MULTIPLE_SYMTABS, NEEDS_FIRST, ERR_NO_SECTIONS, ERR_RELA_ENTSIZE, ERR_RELA_TARGET,
  ERR_SECTION_BOUNDS, ERR_SHENTSIZE, ERR_SHSTRNDX, ERR_STRTAB_LINK, ERR_SYMTAB_ENTSIZE, ERR_SYMTAB_INFO, ERR_TRUNCATED, KEEP_ALL, OBJ_RELOCATABLE,
} from "../shared/abi.ts";
import {
  EHDR_BYTES, EI_OSABI, E_SHENTSIZE, E_SHNUM, E_SHOFF, E_SHSTRNDX, RELA_BYTES, SHDR_BYTES, SHF_ALLOC, SHN_XINDEX, SHT_GROUP, SHT_NOBITS, SHT_NULL, SHT_PROGBITS, SHT_RELA, SHT_STRTAB, SHT_SYMTAB, SHT_SYMTAB_SHNDX, SYM_BYTES,
  SH_ADDRALIGN, SH_ENTSIZE, SH_FLAGS, SH_INFO, SH_LINK, SH_OFFSET, SH_SIZE, SH_TYPE,
} from "../shared/elf.ts";

/** Sections that say something about the object, or nothing, and do not become part of the output: nobody looks at their alignment or their name. */
// @ts-ignore: decorator
@inline
function isOwnTable(type: u32): bool {
  return type == SHT_NULL || type == SHT_SYMTAB || type == SHT_STRTAB || type == SHT_RELA || type == SHT_GROUP || type == SHT_SYMTAB_SHNDX;
}

/**
 * Checks `count` section headers at `shdrs` of an object of `bytes` bytes and notes where its tables are (OUT_*).
 * Returns 0 or ERR_*.
 */
export function scanHeaders(shdrs: u32, count: u32, shstrndx: u32, bytes: f64, out: u32): u32 {
  memory.fill(out, 0, 112);
  const limit = <u64>bytes;
  let symtab: u32 = 0;
  let shndx: u32 = 0;
  let groups: u32 = 0;
  let strings: u32 = 0;
  let groupFrom: u64 = u64.MAX_VALUE;
  let groupTo: u64 = 0;
  for (let i: u32 = 1; i < count; i++) {
    const header = shdrs + i * SHDR_BYTES;
    const type = load<u32>(header, SH_TYPE);
    if (type == SHT_NULL) continue;
    const offset = load<u64>(header, SH_OFFSET);
    const size = load<u64>(header, SH_SIZE);
    if (type != SHT_NOBITS && (offset > limit || size > limit - offset)) return fail(out, i, ERR_SECTION_BOUNDS);
    const align = load<u64>(header, SH_ADDRALIGN);
    if (!isOwnTable(type)) {
      if (align > 0xffffffff) return fail(out, i, ERR_ALIGN_LARGE);
      if (align & (align - 1)) return fail(out, i, ERR_ALIGN);
    }
    if (type == SHT_SYMTAB) {
      if (symtab) return fail(out, i, ERR_MULTIPLE_SYMTABS);
      symtab = i;
    } else if (type == SHT_SYMTAB_SHNDX) {
      shndx = i;
    } else if (type == SHT_STRTAB) {
      strings++;
    } else if (type == SHT_GROUP) {
      if (size < 4) return fail(out, i, ERR_GROUP_EMPTY);
      if (size & 3 || offset & 3) return fail(out, i, ERR_GROUP);
      groups++;
      if (offset < groupFrom) groupFrom = offset;
      if (offset + size > groupTo) groupTo = offset + size;
    } else if (type == SHT_RELA) {
      if (load<u64>(header, SH_ENTSIZE) != RELA_BYTES || size % RELA_BYTES != 0) return fail(out, i, ERR_RELA_ENTSIZE);
      if (load<u32>(header, SH_INFO) >= count) {
        store<u32>(out + OUT_ERROR_VALUE, load<u32>(header, SH_INFO));
        return fail(out, i, ERR_RELA_TARGET);
      }
    }
  }
  store<u32>(out + OUT_SYMTAB, symtab);
  store<u32>(out + OUT_GROUPS, groups);
  if (groups) {
    store<f64>(out + OUT_GROUP_FROM, <f64>groupFrom);
    store<f64>(out + OUT_GROUP_TO, <f64>groupTo);
  }
  if (!noteNames(shdrs, count, shstrndx, out)) return fail(out, shstrndx, ERR_SHSTRNDX);
  if (symtab == 0) {
    if (groups) return fail(out, 0, ERR_GROUP);
  } else {
    const error = noteSymbols(shdrs, count, symtab, shndx, out);
    if (error) return error;
  }
  const strtab = symtab ? load<u32>(shdrs + symtab * SHDR_BYTES, SH_LINK) : 0;
  if (strings > u32(shstrndx != 0) + u32(strtab != 0 && strtab != shstrndx)) {
    const error = freeStrings(shdrs, count, shstrndx, strtab, out);
    if (error) return error;
  }
  return groups ? noteSignatures(shdrs, count, symtab, out) : 0;
}

/**
 * A string table that holds the names of neither sections nor symbols is contents like others, and SHT_PROGBITS from now on: .stabstr, to which
 * the debug information in .stab refers (GNU ld keeps it, lld does not). Returns 0 or ERR_*.
 */
function freeStrings(shdrs: u32, count: u32, shstrndx: u32, strtab: u32, out: u32): u32 {
  for (let i: u32 = 1; i < count; i++) {
    const header = shdrs + i * SHDR_BYTES;
    if (load<u32>(header, SH_TYPE) != SHT_STRTAB || i == shstrndx || i == strtab) continue;
    const align = load<u64>(header, SH_ADDRALIGN);
    if (align > 0xffffffff) return fail(out, i, ERR_ALIGN_LARGE);
    if (align & (align - 1)) return fail(out, i, ERR_ALIGN);
    store<u32>(header, SHT_PROGBITS, SH_TYPE);
  }
  return 0;
}

/** The section name table, with number `shstrndx`; 0 says that sections have no names, whatever header 0 has in these fields. False = it is none. */
function noteNames(shdrs: u32, count: u32, shstrndx: u32, out: u32): bool {
  if (shstrndx == 0) return true;
  if (shstrndx >= count) return false;
  const header = shdrs + shstrndx * SHDR_BYTES;
  if (load<u32>(header, SH_TYPE) != SHT_STRTAB) return false;
  store<f64>(out + OUT_NAMES_OFFSET, <f64>load<u64>(header, SH_OFFSET));
  store<f64>(out + OUT_NAMES_SIZE, <f64>load<u64>(header, SH_SIZE));
  return true;
}

/** The symbol table, section `symtab`, with its strings and, where `shndx` is not 0, its SHT_SYMTAB_SHNDX. Returns 0 or ERR_*. */
function noteSymbols(shdrs: u32, count: u32, symtab: u32, shndx: u32, out: u32): u32 {
  const header = shdrs + symtab * SHDR_BYTES;
  const size = load<u64>(header, SH_SIZE);
  const firstGlobal = load<u32>(header, SH_INFO);
  const link = load<u32>(header, SH_LINK);
  if (load<u64>(header, SH_ENTSIZE) != SYM_BYTES || size % SYM_BYTES != 0) return fail(out, symtab, ERR_SYMTAB_ENTSIZE);
  if (<u64>firstGlobal > size / SYM_BYTES || (firstGlobal == 0 && size != 0)) return fail(out, symtab, ERR_SYMTAB_INFO);
  if (link == 0 || link >= count || load<u32>(shdrs + link * SHDR_BYTES, SH_TYPE) != SHT_STRTAB) return fail(out, symtab, ERR_STRTAB_LINK);
  store<u32>(out + OUT_FIRST_GLOBAL, firstGlobal);
  store<f64>(out + OUT_SYMTAB_OFFSET, <f64>load<u64>(header, SH_OFFSET));
  store<f64>(out + OUT_SYMTAB_SIZE, <f64>size);
  store<f64>(out + OUT_STRTAB_OFFSET, <f64>load<u64>(shdrs + link * SHDR_BYTES, SH_OFFSET));
  store<f64>(out + OUT_STRTAB_SIZE, <f64>load<u64>(shdrs + link * SHDR_BYTES, SH_SIZE));
  if (shndx == 0) return 0;
  const words = shdrs + shndx * SHDR_BYTES;
  if (load<u64>(words, SH_SIZE) < (size / SYM_BYTES) * 4) return fail(out, shndx, ERR_SYMTAB_INFO);
  store<f64>(out + OUT_SHNDX_OFFSET, <f64>load<u64>(words, SH_OFFSET));
  store<f64>(out + OUT_SHNDX_SIZE, <f64>load<u64>(words, SH_SIZE));
  return 0;
}

/** Checks that the signatures of all groups are symbols, and counts those that are local ones. Returns 0 or ERR_*. */
function noteSignatures(shdrs: u32, count: u32, symtab: u32, out: u32): u32 {
  const symbols = load<u64>(shdrs + symtab * SHDR_BYTES, SH_SIZE) / SYM_BYTES;
  const firstGlobal = load<u32>(out + OUT_FIRST_GLOBAL);
  let local: u32 = 0;
  for (let i: u32 = 1; i < count; i++) {
    const group = shdrs + i * SHDR_BYTES;
    if (load<u32>(group, SH_TYPE) != SHT_GROUP) continue;
    const signature = load<u32>(group, SH_INFO);
    if (load<u32>(group, SH_LINK) != symtab || <u64>signature >= symbols) return fail(out, i, ERR_GROUP);
    if (signature < firstGlobal) local++;
  }
  store<f64>(out + OUT_LOCAL_SIGNATURES, <f64>local);
  return 0;
}

/** Sections of the object whose name begins with ".gnu.linkonce.": each is a COMDAT group of its own. */
export function countLinkonce(shdrs: u32, count: u32, names: u32, namesBytes: u32): u32 {
  let found: u32 = 0;
  for (let i: u32 = 1; i < count; i++) found += u32(isLinkonce(shdrs + i * SHDR_BYTES, names, namesBytes));
  return found;
}

/** A part that begins this close behind another comes with the same read. */
const NEAR_BYTES: f64 = 64;
/** Contents of SHT_GROUP sections that are scattered over more than this stay where they are. */
const SCATTERED_BYTES: f64 = 65536;

/**
 * Checks the ELF header at `ehdr`; `first`: section header 0, or 0 where it is not at hand. Writes obj.osabi, obj.shoff and obj.e_shnum.
 * Returns 0, NEEDS_FIRST, or ERR_* with the culprit's index at `out`. gABI ch. 4, ELF Header: large counts are in section header 0.
 */
export function checkHeader(o: u32, ehdr: u32, first: u32, out: u32): u32 {
  const obj = tables().obj;
  const size = <u64>obj.bytes[o];
  const start = load<u64>(ehdr, E_SHOFF);
  obj.osabi[o] = load<u8>(ehdr, EI_OSABI);
  let count = <u64>load<u16>(ehdr, E_SHNUM);
  let shstrndx = <u32>load<u16>(ehdr, E_SHSTRNDX);
  store<u32>(out + OUT_SHSTRNDX, 0);
  // No sections at all is an empty object, as for lld; otherwise e_shnum and e_shstrndx speak of a table that is not there.
  if (start == 0) return count != 0 || shstrndx != 0 ? fail(out, shstrndx, ERR_NO_SECTIONS) : 0;
  if (load<u16>(ehdr, E_SHENTSIZE) != SHDR_BYTES) return fail(out, 0, ERR_SHENTSIZE);
  if (size < <u64>SHDR_BYTES || start > size - SHDR_BYTES) return fail(out, 0, ERR_HEADERS_START);
  obj.shoff[o] = <f64>start;
  if (count == 0 || shstrndx == SHN_XINDEX) {
    if (first == 0) return NEEDS_FIRST;
    if (count == 0) count = load<u64>(first, SH_SIZE);
    if (shstrndx == SHN_XINDEX) shstrndx = load<u32>(first, SH_LINK);
  }
  if (count > (size - start) / SHDR_BYTES) return fail(out, 0, ERR_HEADERS_END);
  obj.e_shnum[o] = <u32>count;
  store<u32>(out + OUT_SHSTRNDX, shstrndx);
  return 0;
}

/** Bytes [offset, offset + bytes) of the object are wanted. */
function want(out: u32, offset: f64, bytes: f64): void {
  const parts = load<u32>(out + OUT_PARTS);
  for (let i: u32 = 0; i < parts; i++) {
    const at = part(out, i);
    const end = load<f64>(at) + load<f64>(at, 8);
    if (offset >= load<f64>(at) && offset + bytes <= end) return;
    if (i == parts - 1 && offset >= end && offset <= end + NEAR_BYTES) {
      store<f64>(at, offset + bytes - load<f64>(at), 8);
      return;
    }
  }
  const at = part(out, parts);
  store<f64>(at, offset);
  store<f64>(at, bytes, 8);
  store<u32>(out + OUT_PARTS, parts + 1);
}

/** Where bytes that were wanted are now. */
function found(out: u32, offset: f64, bytes: f64): u32 {
  let at = part(out, 0);
  while (offset < load<f64>(at) || offset + bytes > load<f64>(at) + load<f64>(at, 8)) at += PART_BYTES;
  return load<u32>(at, 16) + <u32>(offset - load<f64>(at));
}

/**
 * Checks the section headers of object `o` at `shdrs` and lists at `out` which other parts of it are to stay in memory; with `drop` 1 its
 * section names need not. False = it is broken, which has been reported.
 */
export function planTables(o: u32, shdrs: u32, drop: u32, out: u32): bool {
  const error = planParts(o, shdrs, drop, out);
  if (error != 0) reportObject(o, load<u32>(out + OUT_ERROR_SECTION), error, load<u32>(out + OUT_ERROR_VALUE));
  return error == 0;
}

/** As planTables; returns 0, or ERR_* with the culprit at `out`. */
export function planParts(o: u32, shdrs: u32, drop: u32, out: u32): u32 {
  const obj = tables().obj;
  const count = obj.e_shnum[o];
  const error = scanHeaders(shdrs, count, load<u32>(out + OUT_SHSTRNDX), obj.bytes[o], out);
  if (error != 0) {
    obj.e_shnum[o] = 0;
    return error;
  }
  store<u32>(out + OUT_PARTS, 0);
  if (load<u32>(out + OUT_SYMTAB) != 0) {
    want(out, cell(out, OUT_SYMTAB_OFFSET), cell(out, OUT_SYMTAB_SIZE));
    want(out, cell(out, OUT_STRTAB_OFFSET), cell(out, OUT_STRTAB_SIZE));
  }
  // Some assemblers have one table for symbols and sections.
  const apart = cell(out, OUT_NAMES_OFFSET) != cell(out, OUT_STRTAB_OFFSET);
  store<u32>(out + OUT_NAMES_DROP, u32(drop != 0 && apart));
  if (!drop || !apart) want(out, cell(out, OUT_NAMES_OFFSET), cell(out, OUT_NAMES_SIZE)); // also where there is none: it has an address
  if (cell(out, OUT_SHNDX_SIZE) != 0) want(out, cell(out, OUT_SHNDX_OFFSET), cell(out, OUT_SHNDX_SIZE));
  const scattered = cell(out, OUT_GROUP_TO) - cell(out, OUT_GROUP_FROM);
  if (scattered > 0 && scattered <= SCATTERED_BYTES) want(out, cell(out, OUT_GROUP_FROM), scattered);
  return 0;
}

/**
 * The parts planned at `out` are in memory: notes where, and counts rows. `shdrs`: the section headers; `dropped`: the section names if
 * they do not stay (OUT_NAMES_DROP). False = no room.
 */
export function bindTables(o: u32, shdrs: u32, dropped: u32, out: u32): bool {
  const obj = tables().obj;
  const count = obj.e_shnum[o];
  obj.shdrs[o] = shdrs;
  if (load<u32>(out + OUT_SYMTAB) != 0) {
    const symBytes = cell(out, OUT_SYMTAB_SIZE);
    const strtabBytes = cell(out, OUT_STRTAB_SIZE);
    obj.esymCount[o] = <u32>symBytes / SYM_BYTES;
    obj.firstGlobal[o] = load<u32>(out + OUT_FIRST_GLOBAL);
    obj.symtab[o] = found(out, cell(out, OUT_SYMTAB_OFFSET), symBytes);
    obj.strtab[o] = found(out, cell(out, OUT_STRTAB_OFFSET), strtabBytes);
    obj.strtabBytes[o] = <u32>strtabBytes;
    if (cell(out, OUT_SHNDX_SIZE) != 0) obj.shndxTab[o] = found(out, cell(out, OUT_SHNDX_OFFSET), cell(out, OUT_SHNDX_SIZE));
  }
  const namesBytes = <u32>cell(out, OUT_NAMES_SIZE);
  const drops = load<u32>(out + OUT_NAMES_DROP) != 0;
  const names = drops ? dropped : found(out, cell(out, OUT_NAMES_OFFSET), cell(out, OUT_NAMES_SIZE));
  const linkonce = countLinkonce(shdrs, count, names, namesBytes);
  obj.names[o] = names;
  obj.namesBytes[o] = namesBytes;
  if (drops) {
    // Where a name means a group, or is none, it is looked at again.
    const again = linkonce != 0 || cell(out, OUT_LOCAL_SIGNATURES) != 0 || !areNames(shdrs, count, names, namesBytes);
    if (!(again ? keepNames(o, names, namesBytes) : settleNames(o, shdrs, names))) return false;
  }
  obj.groupCount[o] = load<u32>(out + OUT_GROUPS) + linkonce;
  const from = cell(out, OUT_GROUP_FROM);
  const bytes = cell(out, OUT_GROUP_TO) - from;
  obj.groupFrom[o] = from;
  obj.groupTo[o] = from + bytes;
  obj.groups[o] = bytes > 0 && bytes <= SCATTERED_BYTES ? found(out, from, bytes) : 0;
  obj.recordCount[o] = obj.esymCount[o] - obj.firstGlobal[o] + <u32>cell(out, OUT_LOCAL_SIGNATURES) + linkonce;
  return true;
}

/** Do all sections have names in the table, and does it end as it should? */
function areNames(shdrs: u32, count: u32, names: u32, namesBytes: u32): bool {
  if (namesBytes == 0 || load<u8>(names + namesBytes - 1) != 0) return false;
  for (let i: u32 = 1; i < count; i++) {
    const header = shdrs + i * SHDR_BYTES;
    if (load<u32>(header) >= namesBytes && load<u32>(header, SH_TYPE) != SHT_NULL) return false;
  }
  return true;
}

function keepNames(o: u32, names: u32, bytes: u32): bool {
  const at = alloc(bytes + PART_MARGIN);
  if (at == 0) return false;
  memory.copy(at, names, bytes);
  memory.fill(at + bytes, 0, PART_MARGIN);
  tables().obj.names[o] = at;
  return true;
}

/** Above all offsets in a name table that is in memory, while settleNames is at work. */
const RULED: u32 = 0x80000000;

/**
 * Section names of object `o` do not stay, which obj.names says with 0: in the headers, sh_name becomes the number of the rule that fits,
 * or the address of a copy of the name (which is above all such numbers). False = no room.
 */
function settleNames(o: u32, shdrs: u32, names: u32): bool {
  const obj = tables().obj;
  const end = shdrs + obj.e_shnum[o] * SHDR_BYTES;
  let bytes: u32 = 0;
  for (let header = shdrs + SHDR_BYTES; header < end; header += SHDR_BYTES) {
    if (isOwnTable(load<u32>(header, SH_TYPE))) continue;
    const name = names + load<u32>(header);
    const rule = <u32>plainRule(name);
    if (rule != 0) store<u32>(header, RULED | rule);
    else bytes += strlen(name) + 1;
  }
  let at = alloc(bytes + PART_MARGIN);
  if (at == 0) return false;
  for (let header = shdrs + SHDR_BYTES; header < end; header += SHDR_BYTES) {
    if (isOwnTable(load<u32>(header, SH_TYPE))) continue;
    const sh_name = load<u32>(header);
    if (sh_name & RULED) {
      store<u32>(header, sh_name & ~RULED);
      continue;
    }
    const length = strlen(names + sh_name) + 1;
    copyBytes(at, names + sh_name, length);
    store<u32>(header, at);
    at += length;
  }
  memory.fill(at, 0, PART_MARGIN);
  obj.names[o] = 0;
  obj.namesBytes[o] = 0;
  return true;
}

/** As WorkerContext.allocRegion; 0 = no room. */
export function allocRegion(bytes: u32): u32 {
  const size = (bytes + 15) & ~15;
  const end = <u64>load<u32>(CTL_REGION_END);
  if (<u64>load<u32>(CTL_REGION_TOP) + size > end) return alloc(bytes);
  const at = atomic.add<u32>(CTL_REGION_TOP, size);
  return <u64>at + size <= end ? at : alloc(bytes);
}

/** Copies the planned parts of the object at `whole` to memory that stays, unless it `stays` itself. False = no room. */
function keepParts(whole: u32, stays: bool, out: u32): bool {
  const parts = load<u32>(out + OUT_PARTS);
  for (let i: u32 = 0; i < parts; i++) {
    if (stays) {
      store<u32>(part(out, i), whole + <u32>load<f64>(part(out, i)), 16);
      continue;
    }
    const bytes = <u32>load<f64>(part(out, i), 8);
    const at = alloc(bytes + PART_MARGIN);
    if (at == 0) return false;
    memory.copy(at, whole + <u32>load<f64>(part(out, i)), bytes);
    memory.fill(at + bytes, 0, PART_MARGIN);
    store<u32>(part(out, i), at, 16);
  }
  return true;
}

/**
 * Keeps the relocations of the loaded sections of the object at `whole`, unless they are spread over it, so that load-sections need not
 * read it again. False = no room.
 */
function keepRelas(o: u32, whole: u32, shdrs: u32): bool {
  const obj = tables().obj;
  let from: u64 = u64.MAX_VALUE;
  let to: u64 = 0;
  let sum: u64 = 0;
  for (let i: u32 = 1, count = obj.e_shnum[o]; i < count; i++) {
    const header = shdrs + i * SHDR_BYTES;
    if (load<u32>(header, SH_TYPE) != SHT_RELA || !(load<u64>(shdrs + load<u32>(header, SH_INFO) * SHDR_BYTES, SH_FLAGS) & SHF_ALLOC)) continue;
    const offset = load<u64>(header, SH_OFFSET);
    const size = load<u64>(header, SH_SIZE);
    if (size == 0) continue;
    if (offset < from) from = offset;
    if (offset + size > to) to = offset + size;
    sum += size;
  }
  if (sum == 0 || to - from > 2 * sum) return true;
  const at = alloc(<u32>(to - from));
  if (at == 0) return false;
  memory.copy(at, whole + <u32>from, <u32>(to - from));
  obj.relas[o] = at;
  obj.relasFrom[o] = <f64>from;
  return true;
}

/** Are all sections at places that suit what is in them? TypeScript looks at tables through views of words. */
function areAligned(shdrs: u32, count: u32): bool {
  for (let i: u32 = 1; i < count; i++) {
    const header = shdrs + i * SHDR_BYTES;
    const type = load<u32>(header, SH_TYPE);
    const align: u64 = type == SHT_SYMTAB || type == SHT_RELA ? 8 : type == SHT_GROUP || type == SHT_SYMTAB_SHNDX ? 4 : 1;
    if (load<u64>(header, SH_OFFSET) & (align - 1)) return false;
  }
  return true;
}

/** A copy of the object at `whole`, and zeros behind it; 0 = no room. */
function copyWhole(o: u32, whole: u32): u32 {
  const bytes = <u32>tables().obj.bytes[o];
  const at = alloc(bytes + PART_MARGIN);
  if (at == 0) return 0;
  memory.copy(at, whole, bytes);
  memory.fill(at + bytes, 0, PART_MARGIN);
  return at;
}

/**
 * Loads the tables of object `o`, which is at `whole`, with `relas` 1 its relocations too, with KEEP_ALL all that is in it; with `drop` 1
 * section names need not stay. Returns 0, NO_ROOM, or ERR_* with the culprit at `out`.
 */
export function keepWhole(o: u32, whole: u32, relas: u32, drop: u32, out: u32): u32 {
  const obj = tables().obj;
  const bytes = obj.bytes[o];
  store<u32>(out + OUT_ERROR_VALUE, 0);
  if (bytes < EHDR_BYTES) return fail(out, 0, ERR_TRUNCATED);
  const start = load<u64>(whole, E_SHOFF);
  let error = checkHeader(o, whole, start <= <u64>bytes - SHDR_BYTES ? whole + <u32>start : 0, out);
  if (error != 0) return error;
  const headers = whole + <u32>obj.shoff[o];
  error = planParts(o, headers, drop, out);
  if (error != 0) return error;
  const stays = relas == KEEP_ALL && !(start & 7) && areAligned(headers, obj.e_shnum[o]);
  if (stays) {
    whole = copyWhole(o, whole);
    if (whole == 0) return NO_ROOM;
    obj.whole[o] = obj.relas[o] = whole;
  }
  const headersBytes = obj.e_shnum[o] * SHDR_BYTES;
  const shdrs = stays ? whole + <u32>obj.shoff[o] : allocRegion(headersBytes);
  if (shdrs == 0 || !keepParts(whole, stays, out) || (relas && !stays && !keepRelas(o, whole, headers))) return NO_ROOM;
  if (!stays) memory.copy(shdrs, headers, headersBytes);
  return bindTables(o, shdrs, whole + <u32>cell(out, OUT_NAMES_OFFSET), out) ? 0 : NO_ROOM;
}

/**
 * Objects from `first` on (ids below `limit`) that are in memory as a whole: bytes [from, to) of their file are at `span`.
 * Loads the tables of each (`relas`, `drop`: keepWhole), or reports what is wrong with it.
 * Returns the first object that is not there; 0 = no room.
 */
export function keepSpan(first: u32, limit: u32, span: u32, from: f64, to: f64, relas: u32, drop: u32, out: u32): u32 {
  const obj = tables().obj;
  let o = first;
  for (; o < limit && obj.kind[o] == OBJ_RELOCATABLE && obj.source[o] == obj.source[first]; o++) {
    if (obj.offset[o] < from || obj.offset[o] + obj.bytes[o] > to || (o != first && obj.shdrs[o] != 0)) break;
    const error = keepWhole(o, span + <u32>(obj.offset[o] - from), relas, drop, out);
    if (error == NO_ROOM) return 0;
    if (error != 0) reportObject(o, load<u32>(out + OUT_ERROR_SECTION), error, load<u32>(out + OUT_ERROR_VALUE));
  }
  return o;
}
