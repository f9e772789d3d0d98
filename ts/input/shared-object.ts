/**
 * Reads what a link needs of a shared object: name, needed libraries, dynamic symbols, symbol versions.
 *
 * The tables go into the arena in one or two reads and are not interpreted here symbol by symbol: parse-object hashes the
 * names. The surprise: an object without section headers (stripped by hand, or made by a packer) is read through its
 * PT_DYNAMIC, as the dynamic linker does it.
 */
import {
  EHDR_BYTES,
  PHDR_BYTES,
  PT_DYNAMIC,
  PT_LOAD,
  SHDR_BYTES,
  SHT_DYNAMIC,
  SHT_DYNSYM,
  SHT_GNU_verdef,
  SHT_GNU_verneed,
  SHT_GNU_versym,
  SHT_STRTAB,
  STB_LOCAL,
  SYM_BYTES,
  VERDEF_BYTES,
  VERNAUX_BYTES,
  VERNEED_BYTES,
} from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Arena } from "../memory/arena.ts";
import { DT_GNU_HASH, DT_HASH, DT_NEEDED, DT_SONAME, DT_STRSZ, DT_STRTAB, DT_SYMTAB, DT_VERDEF, DT_VERNEED, DT_VERSYM, DYN_BYTES } from "../elf/dyn.ts";
import { readEhdr, readOffset, type Ehdr } from "../elf/ehdr.ts";
import { readPhdrs, type Phdr } from "../elf/phdr.ts";
import { readShdr, readShdrs, type Shdr } from "../elf/shdr.ts";
import { latin1Of } from "../memory/text.ts";
import { entrySize, SECTION_HEADERS_END, sectionHeadersStart, sectionOutsideFile } from "../diagnostics/messages.ts";
import type { ByteSource } from "./archive.ts";

const VERSION_INDEX = 0x7fff;
/** Version records have no stated size in .dynamic: what is read of them at most. */
const VERSION_RECORDS_MAX = 1 << 18;

/** Bytes of the names of sections that are looked at. */
const SECTION_NAMES_MAX = 1 << 20;
/** How the names of sections begin whose text is a warning for whoever refers to the symbol that follows. */
export const WARNING_PREFIX = ".gnu.warning.";

/** What is wrong with a shared object, without its name. */
export class BadSharedObject extends Error {}

/** A section `.gnu.warning.SYMBOL`: its text is a warning for whoever refers to `symbol`. */
export interface SymbolWarning {
  symbol: ByteString;
  /** In the file. */
  offset: number;
  bytes: number;
}

/** Addresses are in the arena, 0 = there is none. */
export interface SharedObject {
  /** EI_OSABI */
  osabi: number;
  /** DT_SONAME, "" = has none. */
  soname: ByteString;
  needed: ByteString[];
  symtab: number;
  esymCount: number;
  /** Index of the first symbol that is not local. */
  firstGlobal: number;
  strtab: number;
  strtabBytes: number;
  versym: number;
  /** u32 pairs (address, length), by version index; names of definitions and of needed versions. */
  verNames: number;
  verCount: number;
  /** The same names, "" for 0 and 1. */
  versions: ByteString[];
  warnings: readonly SymbolWarning[];
}

/** A stretch of the file; `address` is where it was read to. */
interface Range {
  offset: number;
  bytes: number;
  /** What its entries need, in bytes. */
  align: number;
  address: number;
}

/** Where the tables are in the file. */
interface Tables {
  dynamic: Range | null;
  dynsym: Range | null;
  dynstr: Range | null;
  versym: Range | null;
  verdef: Range | null;
  verneed: Range | null;
  firstGlobal: number;
  warnings: readonly SymbolWarning[];
}

/** Reads a shared object's tables into the arena. Throws BadSharedObject. */
export function readSharedObject(arena: Arena, file: ByteSource): SharedObject {
  const ehdr = readEhdr(viewAt(file, 0, EHDR_BYTES, "ELF header"));
  const tables = tablesOfSections(file, ehdr) ?? tablesOfSegments(file, ehdr);
  loadRanges(arena, file, tables);
  if (tables.dynstr !== null && tables.dynstr.bytes > 0 && arena.u8[tables.dynstr.address + tables.dynstr.bytes - 1] !== 0) {
    throw new BadSharedObject("string table of the dynamic symbols does not end in NUL");
  }
  const result = emptyObject(ehdr.osabi);
  result.warnings = tables.warnings;
  const { dynsym, dynstr, versym } = tables;
  if (dynstr !== null) {
    result.strtab = dynstr.address;
    result.strtabBytes = dynstr.bytes;
  }
  if (tables.dynamic !== null) readDynamic(arena, file, tables.dynamic, result);
  if (dynsym === null || dynstr === null) return result;
  result.symtab = dynsym.address;
  result.esymCount = dynsym.bytes / SYM_BYTES;
  result.firstGlobal = tables.firstGlobal > 0 ? tables.firstGlobal : skipLocals(arena, dynsym);
  if (versym !== null) {
    if (versym.bytes < 2 * result.esymCount) throw new BadSharedObject(".gnu.version has fewer entries than .dynsym");
    result.versym = versym.address;
  }
  readVersions(arena, tables, result);
  return result;
}

/** Section headers, also when there are more than e_shnum can say; none when the file has none. */
export function readSectionHeaders(file: ByteSource, ehdr: Ehdr): Shdr[] {
  const headers = sectionHeaderView(file, ehdr);
  return headers === undefined ? [] : readShdrs(headers, headers.byteLength / SHDR_BYTES);
}

function sectionHeaderView(file: ByteSource, ehdr: Ehdr): DataView | undefined {
  if (ehdr.e_shoff === 0) return undefined;
  if (ehdr.e_shentsize !== SHDR_BYTES) throw new BadSharedObject(`invalid e_shentsize in ELF header: ${ehdr.e_shentsize}`);
  if (ehdr.e_shoff + SHDR_BYTES > file.size) throw new BadSharedObject(sectionHeadersStart(ehdr.e_shoff));
  let count = ehdr.e_shnum;
  if (count === 0) count = readOffset(viewAt(file, ehdr.e_shoff, SHDR_BYTES, "section headers"), 32);
  if (ehdr.e_shoff + count * SHDR_BYTES > file.size) throw new BadSharedObject(SECTION_HEADERS_END);
  return viewAt(file, ehdr.e_shoff, count * SHDR_BYTES, "section headers");
}

export function readProgramHeaders(file: ByteSource, ehdr: Ehdr): Phdr[] {
  if (ehdr.e_phoff === 0 || ehdr.e_phnum === 0) return [];
  if (ehdr.e_phentsize !== PHDR_BYTES) throw new BadSharedObject(`e_phentsize is ${ehdr.e_phentsize} and not ${PHDR_BYTES}`);
  return readPhdrs(viewAt(file, ehdr.e_phoff, ehdr.e_phnum * PHDR_BYTES, "program headers"), ehdr.e_phnum);
}

function emptyObject(osabi: number): SharedObject {
  return {
    osabi,
    soname: "",
    needed: [],
    symtab: 0,
    esymCount: 0,
    firstGlobal: 0,
    strtab: 0,
    strtabBytes: 0,
    versym: 0,
    verNames: 0,
    verCount: 0,
    versions: [],
    warnings: [],
  };
}

/** A view of `bytes` bytes of the file. */
function viewAt(file: ByteSource, offset: number, bytes: number, what: string): DataView {
  if (!(offset + bytes <= file.size)) throw new BadSharedObject(`${what} reach behind the end of the file`);
  const buffer = new Uint8Array(bytes);
  if (file.read(buffer, offset) < bytes) throw new BadSharedObject(`${what} cannot be read`);
  return new DataView(buffer.buffer);
}

function range(file: ByteSource, offset: number, bytes: number, what: string, align = 1): Range {
  if (!(offset + bytes <= file.size)) throw new BadSharedObject(`${what} reaches behind the end of the file`);
  return { offset, bytes, align, address: 0 };
}

/** What a section header says is in the file. `index` is its number. */
function sectionRange(file: ByteSource, { sh_offset, sh_size }: Shdr, index: number, align: number): Range {
  if (!(sh_offset + sh_size <= file.size)) throw new BadSharedObject(sectionOutsideFile(index, sh_offset, sh_size, file.size));
  return { offset: sh_offset, bytes: sh_size, align, address: 0 };
}

function checkDynamic({ sh_entsize, sh_size }: Shdr, index: number): void {
  if (sh_entsize !== DYN_BYTES || sh_size % DYN_BYTES !== 0) throw new BadSharedObject(entrySize(index, DYN_BYTES, sh_entsize, sh_size));
}

/** The sections that matter, by type; the first of each. Undefined when there are no section headers. */
function tablesOfSections(file: ByteSource, ehdr: Ehdr): Tables | undefined {
  const headers = sectionHeaderView(file, ehdr);
  const count = headers === undefined ? 0 : headers.byteLength / SHDR_BYTES;
  if (headers === undefined || count < 2) return undefined;
  const tables = emptyTables();
  tables.warnings = readWarnings(file, headers, ehdr.e_shstrndx * SHDR_BYTES);
  let link = 0;
  for (let i = 1; i < count; i++) {
    const sh_type = headers.getUint32(i * SHDR_BYTES + 4, true);
    if (sh_type < SHT_DYNAMIC) continue;
    const of = (align: number): Range => sectionRange(file, readShdr(headers, i * SHDR_BYTES), i, align);
    if (sh_type === SHT_DYNSYM && tables.dynsym === null) {
      const { sh_entsize, sh_info, sh_link, sh_size } = readShdr(headers, i * SHDR_BYTES);
      if (sh_entsize !== SYM_BYTES || sh_size % SYM_BYTES !== 0) throw new BadSharedObject(entrySize(i, SYM_BYTES, sh_entsize, sh_size));
      if (sh_info > sh_size / SYM_BYTES) throw new BadSharedObject(`invalid sh_info in symbol table: ${sh_info}`);
      tables.dynsym = of(8);
      tables.firstGlobal = sh_info;
      link = sh_link;
    } else if (sh_type === SHT_DYNAMIC) {
      checkDynamic(readShdr(headers, i * SHDR_BYTES), i);
      tables.dynamic ??= of(8);
      if (tables.dynsym === null) link = headers.getUint32(i * SHDR_BYTES + 40, true);
    } else if (sh_type === SHT_GNU_versym) {
      tables.versym ??= of(2);
    } else if (sh_type === SHT_GNU_verdef) {
      tables.verdef ??= of(4);
    } else if (sh_type === SHT_GNU_verneed) {
      tables.verneed ??= of(4);
    }
  }
  if (tables.versym !== null && tables.dynsym === null) throw new BadSharedObject("SHT_GNU_versym should be associated with symbol table");
  if (link === 0) return tables;
  const strings = link < count ? readShdr(headers, link * SHDR_BYTES) : undefined;
  if (strings?.sh_type !== SHT_STRTAB) throw new BadSharedObject(`sh_link ${link} of .dynsym is not a string table`);
  tables.dynstr = sectionRange(file, strings, link, 1);
  return tables;
}

/** `names`: where the header of .shstrtab is. Broken names, which nothing else needs, are none. */
function readWarnings(file: ByteSource, headers: DataView, names: number): SymbolWarning[] {
  const warnings: SymbolWarning[] = [];
  if (names + SHDR_BYTES > headers.byteLength) return warnings;
  const { sh_offset, sh_size } = readShdr(headers, names);
  if (sh_size > SECTION_NAMES_MAX || sh_offset + sh_size > file.size) return warnings;
  const bytes = new Uint8Array(sh_size);
  file.read(bytes, sh_offset);
  const text = latin1Of(bytes);
  if (!text.includes(WARNING_PREFIX)) return warnings;
  for (let at = 0; at < headers.byteLength; at += SHDR_BYTES) {
    const name = headers.getUint32(at, true);
    if (!text.startsWith(WARNING_PREFIX, name)) continue;
    const { sh_offset: offset, sh_size: bytes } = readShdr(headers, at);
    warnings.push({ symbol: text.slice(name + WARNING_PREFIX.length).split("\0", 1)[0]!, offset, bytes });
  }
  return warnings;
}

function emptyTables(): Tables {
  return { dynamic: null, dynsym: null, dynstr: null, versym: null, verdef: null, verneed: null, firstGlobal: 0, warnings: [] };
}

/** The same through PT_DYNAMIC, whose addresses PT_LOAD maps to file offsets. */
function tablesOfSegments(file: ByteSource, ehdr: Ehdr): Tables {
  const tables = emptyTables();
  const phdrs = readProgramHeaders(file, ehdr);
  const segment = phdrs.find((phdr) => phdr.p_type === PT_DYNAMIC);
  if (segment === undefined) return tables;
  tables.dynamic = range(file, segment.p_offset, segment.p_filesz, "PT_DYNAMIC");
  const tags = new Map<number, number>();
  const view = viewAt(file, segment.p_offset, segment.p_filesz, "PT_DYNAMIC");
  for (let at = 0; at + DYN_BYTES <= view.byteLength && readOffset(view, at) !== 0; at += DYN_BYTES) {
    tags.set(readOffset(view, at), readOffset(view, at + 8));
  }
  /** What lies at the address a tag gives: `bytes` of it, or up to `limit` until its segment ends. */
  const at = (tag: number, what: string, align: number, bytes: number, limit = bytes): Range | null => {
    const address = tags.get(tag);
    if (address === undefined) return null;
    for (const phdr of phdrs) {
      const inside = address - Number(phdr.p_vaddr);
      if (phdr.p_type !== PT_LOAD || inside < 0 || inside >= phdr.p_filesz) continue;
      return range(file, phdr.p_offset + inside, bytes >= 0 ? bytes : Math.min(limit, phdr.p_filesz - inside), what, align);
    }
    throw new BadSharedObject(`address of ${what} is in no segment`);
  };
  tables.dynstr = at(DT_STRTAB, "DT_STRTAB", 1, tags.get(DT_STRSZ) ?? 0);
  const hash = at(DT_HASH, "DT_HASH", 4, 8);
  const gnuHash = hash === null ? at(DT_GNU_HASH, "DT_GNU_HASH", 4, -1, Infinity) : null;
  let count = 0;
  if (hash !== null) count = viewAt(file, hash.offset, 8, "DT_HASH").getUint32(4, true);
  else if (gnuHash !== null) count = countByGnuHash(viewAt(file, gnuHash.offset, gnuHash.bytes, "DT_GNU_HASH"));
  tables.dynsym = at(DT_SYMTAB, "DT_SYMTAB", 8, count * SYM_BYTES);
  tables.versym = at(DT_VERSYM, "DT_VERSYM", 2, count * 2);
  tables.verdef = at(DT_VERDEF, "DT_VERDEF", 4, -1, VERSION_RECORDS_MAX);
  tables.verneed = at(DT_VERNEED, "DT_VERNEED", 4, -1, VERSION_RECORDS_MAX);
  return tables;
}

/** Symbols a .gnu.hash covers: the chain of the highest bucket ends with the last symbol. */
function countByGnuHash(view: DataView): number {
  const word = (index: number): number => {
    if (4 * index + 4 > view.byteLength) throw new BadSharedObject("DT_GNU_HASH is truncated");
    return view.getUint32(4 * index, true);
  };
  const buckets = word(0);
  const firstHashed = word(1);
  const bucketBase = 4 + 2 * word(2);
  let last = 0;
  for (let i = 0; i < buckets; i++) last = Math.max(last, word(bucketBase + i));
  if (last < firstHashed) return firstHashed;
  while ((word(bucketBase + buckets + last - firstHashed) & 1) === 0) last++;
  return last + 1;
}

/** Reads all ranges but .dynamic; neighbours, as linkers lay them out, in one read. */
function loadRanges(arena: Arena, file: ByteSource, tables: Tables): void {
  const wanted = [tables.dynsym, tables.dynstr, tables.versym, tables.verdef, tables.verneed].filter((one) => one !== null);
  wanted.sort((a, b) => a.offset - b.offset);
  for (let i = 0; i < wanted.length; ) {
    const base = wanted[i]!.offset;
    let end = wanted[i]!.offset + wanted[i]!.bytes;
    let next = i + 1;
    for (; next < wanted.length && wanted[next]!.offset <= end + 4096 && fits(wanted[next]!, base); next++) {
      end = Math.max(end, wanted[next]!.offset + wanted[next]!.bytes);
    }
    const address = arena.alloc(end - base + 16);
    if (file.read(arena.bytes(address, end - base), base) < end - base) throw new BadSharedObject("file is shorter than it was");
    for (; i < next; i++) wanted[i]!.address = address + wanted[i]!.offset - base;
  }
}

/** Is the table aligned in memory when it is read together with what starts at file offset `base`? */
function fits(table: Range, base: number): boolean {
  return (table.offset - base) % table.align === 0;
}

/** Entry 0 and what else is local at the front; sh_info says it where there are section headers. */
function skipLocals(arena: Arena, dynsym: Range): number {
  let index = 1;
  while (index * SYM_BYTES < dynsym.bytes && arena.u8[dynsym.address + index * SYM_BYTES + 4]! >>> 4 === STB_LOCAL) index++;
  return Math.min(index, dynsym.bytes / SYM_BYTES);
}

function readDynamic(arena: Arena, file: ByteSource, dynamic: Range, result: SharedObject): void {
  const view = viewAt(file, dynamic.offset, dynamic.bytes, ".dynamic");
  for (let at = 0; at + DYN_BYTES <= view.byteLength; at += DYN_BYTES) {
    const tag = readOffset(view, at);
    if (tag === 0) return;
    if (tag === DT_SONAME) result.soname = dynamicString(arena, result, readOffset(view, at + 8), "DT_SONAME");
    else if (tag === DT_NEEDED) result.needed.push(dynamicString(arena, result, readOffset(view, at + 8), "DT_NEEDED"));
  }
}

function dynamicString(arena: Arena, object: SharedObject, offset: number, what: string): ByteString {
  if (offset >= object.strtabBytes) throw new BadSharedObject(`invalid ${what} entry: its name is outside of the string table`);
  return arena.cstring(object.strtab + offset);
}

/** Symbol versions (LSB core, Symbol Versioning): the name behind each version index, defined or needed. */
function readVersions(arena: Arena, tables: Tables, result: SharedObject): void {
  const names: number[] = [];
  if (tables.verdef !== null) readVerdef(view(arena, tables.verdef), names);
  if (tables.verneed !== null) readVerneed(view(arena, tables.verneed), names, result.strtabBytes);
  if (names.length === 0) return;
  result.verCount = names.length;
  result.verNames = arena.allocZeroed(8 * names.length, 4);
  if (tables.verdef !== null) arena.u32[(result.verNames >>> 2) + 1] = 1;
  for (let index = 0; index < names.length; index++) {
    const offset = names[index];
    if (!offset || index < 2) {
      result.versions.push("");
      continue;
    }
    const name = dynamicString(arena, result, offset, `version ${index}`);
    arena.u32[(result.verNames >>> 2) + 2 * index] = result.strtab + offset;
    arena.u32[(result.verNames >>> 2) + 2 * index + 1] = name.length;
    result.versions.push(name);
  }
}

function view(arena: Arena, of: Range): DataView {
  return new DataView(arena.memory.buffer, of.address, of.bytes);
}

/** `names[index]` = offset of the version's name in .dynstr. */
function readVerdef(records: DataView, names: number[]): void {
  for (let at = 0; at + VERDEF_BYTES <= records.byteLength; ) {
    const aux = at + records.getUint32(at + 12, true);
    if (aux + 8 > records.byteLength) throw new BadSharedObject("has an invalid Verdaux");
    setName(names, records.getUint16(at + 4, true), records.getUint32(aux, true));
    const next = records.getUint32(at + 16, true);
    if (next === 0) return;
    at += next;
  }
  throw new BadSharedObject("has an invalid Verdef");
}

function readVerneed(records: DataView, names: number[], strtabBytes: number): void {
  /** Chains may share their tails; more steps than records fit is a made-up file. */
  let steps = records.byteLength / VERNEED_BYTES;
  for (let at = 0; at + VERNEED_BYTES <= records.byteLength; ) {
    const count = records.getUint16(at + 2, true);
    let aux = at + records.getUint32(at + 8, true);
    for (let i = 0; i < count; i++) {
      if (aux + VERNAUX_BYTES > records.byteLength || steps-- < 0) throw new BadSharedObject("has an invalid Vernaux");
      if (records.getUint32(aux + 8, true) >= strtabBytes) throw new BadSharedObject("has a Vernaux with an invalid vna_name");
      setName(names, records.getUint16(aux + 6, true), records.getUint32(aux + 8, true));
      aux += records.getUint32(aux + 12, true);
    }
    const next = records.getUint32(at + 12, true);
    if (next === 0) return;
    at += next;
  }
  throw new BadSharedObject("has an invalid Verneed");
}

function setName(names: number[], index: number, offset: number): void {
  const at = index & VERSION_INDEX;
  while (names.length <= at) names.push(0);
  names[at] = offset;
}
