/**
 * What the members of archives define and mention, without loading them: rows one behind the other in memory, a member and then its names.
 *
 * A link takes 350 of the 2,000 members of a libc.a. So archives are read once from end to end through a window; from the names alone
 * follows which members can have a say in the link at all, and only those become objects. Nothing here decides who defines a name: a
 * member counts as needed as soon as anything that may be part of the link mentions a name that it defines.
 *
 * The symbol index of an archive is not asked, since it may be stale. What is odd in any way is left to those who can say what is wrong.
 */
import { tables } from "../shared/tables.ts";
import { strlenBounded } from "../lib/bytes.ts";
import { AR_BYTES, AR_END, AR_END_MARK, memberSize } from "../lib/ar.ts";
import { OUT_FIRST_GLOBAL, OUT_STRTAB_OFFSET, OUT_STRTAB_SIZE, OUT_SYMTAB, OUT_SYMTAB_OFFSET, OUT_SYMTAB_SIZE } from "../shared/cells.ts";
import { hashSymbol } from "../lib/symbol-name.ts";
import { scanHeaders } from "./read-headers.ts";
import {
  REC_PASSED, SCANNED_ARCHIVE, SCANNED_AT, SCANNED_BYTES, SCANNED_DEFINED, SCANNED_NAME, SCANNED_NEEDED, SCANNED_OTHERS, SCANNED_SIZE, SCAN_ARCHIVE, SCAN_CURSOR, SCAN_LARGE,
  SCAN_LIMIT, SCAN_MACHINE, SCAN_MEMBER, SCAN_MORE, SCAN_NAMES, SCAN_NAMES_BYTES, SCAN_NEXT, SCAN_ODD,
  SYM_KIND_MASK, SYM_UNDEF, SYM_WEAK,
} from "../shared/abi.ts";
import {
  EHDR_BYTES, EI_CLASS, ELF_CLASS64_LSB, ELF_MAGIC, ET_REL, E_MACHINE, E_SHENTSIZE, E_SHNUM, E_SHOFF, E_SHSTRNDX, E_TYPE, SHDR_BYTES, SHN_COMMON, SHN_UNDEF, SHN_XINDEX, STB_LOCAL, ST_INFO, ST_SHNDX, SYM_BYTES,
} from "../shared/elf.ts";

const SLASH: u32 = 47;
const BLANK: u32 = 32;

// A name: its hash, its member, and the next definition of an equal one, or ONLY_MENTIONED.
const NAME_MEMBER: u32 = 16;
const NAME_NEXT: u32 = 20;
const NAME_BYTES: u32 = 24;
const ONLY_MENTIONED: u32 = 1;

/** `/` and `/SYM64/`, which are indexes, or `//`, the table of long names. */
function isSpecial(header: u32): bool {
  if (load<u8>(header) != SLASH) return false;
  const second = <u32>load<u8>(header, 1);
  return second == BLANK || second == SLASH || load<u64>(header) == 0x202f34364d59532f;
}

/**
 * Lists the members of an archive of `size` bytes, whose bytes [from, from + filled) are at `span`, from `from` on: a header is there.
 * Those of more than `large` bytes only get a row without names. Returns SCAN_*; SCAN_NEXT in `state` is where to go on.
 */
export function scanMembers(span: u32, filled: u32, from: f64, size: f64, large: u32, state: u32, out: u32): u32 {
  const end = <u64>(size - from);
  let at: u64 = 0;
  for (; at < end; ) {
    const header = span + <u32>at;
    store<f64>(state, from + <f64>at, SCAN_NEXT);
    if (at + AR_BYTES > end) return SCAN_ODD;
    if (at + AR_BYTES > <u64>filled) return SCAN_MORE;
    if (load<u16>(header + AR_END) != AR_END_MARK) return SCAN_ODD;
    const bytes = memberSize(header);
    const start = at + AR_BYTES;
    if (bytes > end - start) return SCAN_ODD;
    // Members begin at even positions of the file.
    const next = start + bytes + ((<u64>from + start + bytes) & 1);
    if (isSpecial(header)) {
      if (load<u8>(header, 1) == SLASH) {
        store<f64>(state, from + <f64>start, SCAN_NAMES);
        store<f64>(state, <f64>bytes, SCAN_NAMES_BYTES);
      }
      at = next;
      continue;
    }
    // `#1/20` and `__.SYMDEF` are BSD's.
    if (load<u8>(header) == 35 || load<u64>(header) == 0x4544_4d59_532e_5f5f) return SCAN_ODD;
    if (bytes <= <u64>large) {
      if (start + bytes > <u64>filled) return SCAN_MORE;
      if (!addMember(header, from + <f64>at, bytes, state) || !scanObject(header + AR_BYTES, <u32>bytes, state, out)) return SCAN_ODD;
    } else if (!addMember(header, from + <f64>at, bytes, state)) {
      return SCAN_ODD;
    }
    at = next;
    if (bytes > <u64>large) {
      store<f64>(state, from + <f64>at, SCAN_NEXT);
      return SCAN_LARGE;
    }
  }
  store<f64>(state, from + <f64>at, SCAN_NEXT);
  return SCAN_MORE;
}

/** False = no room. */
function addMember(header: u32, at: f64, bytes: u64, state: u32): bool {
  const member = load<u32>(state, SCAN_CURSOR);
  if (member + SCANNED_SIZE > load<u32>(state, SCAN_LIMIT)) return false;
  memory.fill(member, 0, SCANNED_SIZE);
  store<f64>(member, at, SCANNED_AT);
  store<f64>(member, <f64>bytes, SCANNED_BYTES);
  store<u64>(member, load<u64>(header), SCANNED_NAME);
  store<u64>(member, load<u64>(header, 8), SCANNED_NAME + 8);
  store<u32>(member, load<u32>(state, SCAN_ARCHIVE), SCANNED_ARCHIVE);
  store<u32>(state, member, SCAN_MEMBER);
  store<u32>(state, member + SCANNED_SIZE, SCAN_CURSOR);
  return true;
}

/**
 * Is `ehdr` the header of an object of `bytes` bytes that is as objects are? Leaves where its section headers begin as f64 at `out`,
 * and how many there are and e_shstrndx as u32 behind it.
 */
export function scanHeader(ehdr: u32, bytes: f64, state: u32, out: u32): bool {
  if (bytes < <f64>(EHDR_BYTES + SHDR_BYTES) || load<u32>(ehdr) != ELF_MAGIC || <u32>load<u16>(ehdr, EI_CLASS) != ELF_CLASS64_LSB) return false;
  if (load<u16>(ehdr, E_TYPE) != ET_REL || <u32>load<u16>(ehdr, E_MACHINE) != load<u32>(state, SCAN_MACHINE)) return false;
  const start = load<u64>(ehdr + E_SHOFF);
  const count = <u32>load<u16>(ehdr + E_SHNUM);
  const names = <u32>load<u16>(ehdr + E_SHSTRNDX);
  const size = <u64>bytes;
  if (load<u16>(ehdr + E_SHENTSIZE) != SHDR_BYTES || count == 0 || names == SHN_XINDEX || start == 0 || start > size || count > (size - start) / SHDR_BYTES) return false;
  store<f64>(out, <f64>start);
  store<u32>(out, count, 8);
  store<u32>(out, names, 12);
  return true;
}

/** Adds the names of the object at `whole`, which is the last member. False = it is odd. */
function scanObject(whole: u32, bytes: u32, state: u32, out: u32): bool {
  if (!scanHeader(whole, <f64>bytes, state, out)) return false;
  const headers = whole + <u32>load<f64>(out);
  const count = load<u32>(out, 8);
  if (scanHeaders(headers, count, load<u32>(out, 12), <f64>bytes, out) != 0) return false;
  return scanTables(whole + <u32>load<f64>(out + OUT_SYMTAB_OFFSET), whole + <u32>load<f64>(out + OUT_STRTAB_OFFSET), state, out);
}

/** "__gnu_lto_slim\0", a common symbol of objects that are only GCC's intermediate code: what they define is not in their symbol table. */
// @ts-ignore: decorator
@inline
function isSlimMark(name: u32): bool {
  return load<u64>(name) == 0x746c5f756e675f5f && load<u64>(name, 7) == 0x006d696c735f6f74;
}

/** Adds the names of the last member, whose symbol and string tables, described at `out` (scanHeaders), are at `symtab` and `strtab`. False = they are odd. */
export function scanTables(symtab: u32, strtab: u32, state: u32, out: u32): bool {
  if (load<u32>(out + OUT_SYMTAB) == 0) return true;
  const strtabBytes = <u32>load<f64>(out + OUT_STRTAB_SIZE);
  if (strtabBytes > 0 && load<u8>(strtab + strtabBytes - 1) != 0) return false;
  const end = symtab + <u32>load<f64>(out + OUT_SYMTAB_SIZE);
  const first = symtab + load<u32>(out + OUT_FIRST_GLOBAL) * SYM_BYTES;
  const member = load<u32>(state, SCAN_MEMBER);
  let at = load<u32>(state, SCAN_CURSOR);
  if (<u64>at + <u64>(end - first) > <u64>load<u32>(state, SCAN_LIMIT)) return false;
  let defined: u32 = 0;
  for (let entry = first; entry < end; entry += SYM_BYTES) {
    const name = load<u32>(entry);
    if (name >= strtabBytes || load<u8>(entry, ST_INFO) >> 4 == STB_LOCAL) return false;
    const shndx = <u32>load<u16>(entry, ST_SHNDX);
    const isDefined = shndx != SHN_UNDEF;
    if (shndx == SHN_COMMON && isSlimMark(strtab + name)) return false;
    hashSymbol(strtab + name, strlenBounded(strtab + name, strtabBytes - name), at, at + 8);
    store<u32>(at, member, NAME_MEMBER);
    store<u32>(at, isDefined ? 0 : ONLY_MENTIONED, NAME_NEXT);
    defined += u32(isDefined);
    at += NAME_BYTES;
  }
  store<u32>(member, defined, SCANNED_DEFINED);
  store<u32>(member, (end - first) / SYM_BYTES - defined, SCANNED_OTHERS);
  store<u32>(state, at, SCAN_CURSOR);
  return true;
}

// @ts-ignore: decorator
@inline
function names(member: u32): u32 {
  return load<u32>(member, SCANNED_DEFINED) + load<u32>(member, SCANNED_OTHERS);
}

// @ts-ignore: decorator
@inline
function nextMember(member: u32): u32 {
  return member + SCANNED_SIZE + names(member) * NAME_BYTES;
}

/** How many members there are in [from, to), and names that they define, as two u32 at `out`. */
export function countScanned(from: u32, to: u32, out: u32): void {
  let members: u32 = 0;
  let defined: u32 = 0;
  for (let member = from; member < to; member = nextMember(member)) {
    members++;
    defined += load<u32>(member, SCANNED_DEFINED);
  }
  store<u32>(out, members);
  store<u32>(out, defined, 4);
}

/** Cell of the name with that hash, or the empty one where it belongs. */
// @ts-ignore: decorator
@inline
function cellOf(h0: u64, h1: u64, table: u32, mask: u32): u32 {
  let slot = <u32>h0 & mask;
  let name = load<u32>(table + (slot << 2));
  while (name != 0 && (load<u64>(name) != h0 || load<u64>(name, 8) != h1)) {
    slot = (slot + 1) & mask;
    name = load<u32>(table + (slot << 2));
  }
  return table + (slot << 2);
}

/** Puts the names that members in [from, to) define into the table of `slots` (a power of two) zeroed u32 cells. */
export function indexScanned(from: u32, to: u32, table: u32, slots: u32): void {
  for (let member = from; member < to; member = nextMember(member)) {
    let name = member + SCANNED_SIZE;
    for (const end = nextMember(member); name < end; name += NAME_BYTES) {
      if (load<u32>(name, NAME_NEXT) == ONLY_MENTIONED) continue;
      const cell = cellOf(load<u64>(name), load<u64>(name, 8), table, slots - 1);
      store<u32>(name, load<u32>(cell), NAME_NEXT);
      store<u32>(cell, name);
    }
  }
}

/** Members that define the name become needed: onto the stack that ends at `top`, whose new end this returns. */
// @ts-ignore: decorator
@inline
function needName(h0: u64, h1: u64, table: u32, mask: u32, top: u32): u32 {
  for (let name = load<u32>(cellOf(h0, h1, table, mask)); name != 0; name = load<u32>(name, NAME_NEXT)) {
    const member = load<u32>(name, NAME_MEMBER);
    if (load<u32>(member, SCANNED_NEEDED)) continue;
    store<u32>(member, 1, SCANNED_NEEDED);
    store<u32>(top, member);
    top += 4;
  }
  return top;
}

/**
 * Marks the members that define a name with one of the flags `mask` in sym.flags, those that define a name that these mention, and so on.
 * `stack`: room for a u32 per member. Returns how many are new.
 */
export function needScanned(mask: u32, table: u32, slots: u32, stack: u32): u32 {
  const gsym = tables().gsym;
  const flags = tables().sym.flags;
  let top = stack;
  for (let id: u32 = 1, end = gsym.rows; id < end; id++) if (flags[id] & mask) top = needName(gsym.h0[id], gsym.h1[id], table, slots - 1, top);
  let needed: u32 = 0;
  while (top > stack) {
    top -= 4;
    needed++;
    const member = load<u32>(top);
    let name = member + SCANNED_SIZE;
    for (const end = nextMember(member); name < end; name += NAME_BYTES) top = needName(load<u64>(name), load<u64>(name, 8), table, slots - 1, top);
  }
  return needed;
}

/** Lists the needed members in [from, to) of an archive: u32 each at `out`. Returns how many. */
export function listScanned(from: u32, to: u32, archive: u32, out: u32): u32 {
  let count: u32 = 0;
  for (let member = from; member < to; member = nextMember(member)) {
    if (load<u32>(member, SCANNED_ARCHIVE) != archive || load<u32>(member, SCANNED_NEEDED) == 0) continue;
    store<u32>(out + (count++ << 2), member);
  }
  return count;
}

/**
 * Members in [from, to) are not loaded: what they mention goes to `record` rows from `row` on, so that names come in the order that they
 * have when all members are loaded. Returns how many there are; `row` 0: writes nothing.
 */
export function passNames(from: u32, to: u32, row: u32): u32 {
  const record = tables().record;
  let count: u32 = 0;
  for (let member = from; member < to; member = nextMember(member)) {
    if (row == 0) {
      count += names(member);
      continue;
    }
    let name = member + SCANNED_SIZE;
    for (const end = nextMember(member); name < end; name += NAME_BYTES, count++) {
      record.h0[row + count] = load<u64>(name);
      record.h1[row + count] = load<u64>(name, 8);
      record.flags[row + count] = REC_PASSED;
    }
  }
  return count;
}

/** The member behind one. */
export function memberBehind(member: u32): u32 {
  return nextMember(member);
}

/**
 * Is one of the `count` names of an archive's symbol index in use, one of the flags `mask` in sym.flags, or is it `always`? Also true when
 * there are fewer. `names`: NUL-terminated names, one behind the other, `bytes` bytes. `table`: as for findName. `out`: 16 bytes.
 */
export function indexReferred(names: u32, bytes: u32, count: u32, mask: u32, always: u32, table: u32, slots: u32, out: u32): bool {
  const gsym = tables().gsym;
  const flags = tables().sym.flags;
  let at: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const len = strlenBounded(names + at, bytes - at);
    if (len == bytes - at) return true;
    hashSymbol(names + at, len, out, out + 8);
    at += len + 1;
    const h0 = load<u64>(out);
    let slot = <u32>h0 & (slots - 1);
    let id = load<u32>(table + (slot << 2));
    while (id != 0 && (gsym.h0[id] != h0 || gsym.h1[id] != load<u64>(out, 8))) {
      slot = (slot + 1) & (slots - 1);
      id = load<u32>(table + (slot << 2));
    }
    if (id != 0 && (flags[id] & mask || id == always)) return true;
  }
  return false;
}

/** The first symbol from `id` on that is missing, must be there, and has one of the flags `mask`; 0 = none. */
export function nextMissing(id: u32, mask: u32): u32 {
  const flags = tables().sym.flags;
  for (const end = tables().gsym.rows; id < end; id++) {
    if ((flags[id] & SYM_KIND_MASK) == SYM_UNDEF && !(flags[id] & SYM_WEAK) && flags[id] & mask) return id;
  }
  return 0;
}
