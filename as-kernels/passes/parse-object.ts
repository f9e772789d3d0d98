/**
 * Reading the symbol tables of relocatable and shared objects: every mention of a global name becomes a `record` row with its
 * hash, groups and section slots are filled.
 *
 * This is where untrusted bytes enter: every offset, index and count that later kernels follow is checked here and in read-headers.ts.
 * Not for section contents or relocations (load-sections).
 */
import { params, tables } from "../shared/tables.ts";
import { fail, report } from "../lib/issue.ts";
import { strlenBounded } from "../lib/bytes.ts";
import { hashBytes, mix } from "../lib/hash.ts";
import { isLinkonce } from "../lib/names.ts";
import { hashSymbol, NAME_DEFAULT, NAME_VERSIONED, STEM_MASK } from "../lib/symbol-name.ts";
import {
  ERR_BINDING, ERR_GROUP, ERR_GROUP_FORMAT, ERR_GROUP_MEMBER, ERR_LOCAL_AFTER_GLOBAL, NEEDS_GROUPS, ERR_SECTION_NAME, ERR_STRTAB_END, ERR_SYMBOL_NAME, ERR_SYMBOL_SHNDX, ISSUE_SHARED_LOCAL, ISSUE_SHARED_VERSION,
  OBJ_SHARED, OBJF_CALL_GRAPH, OBJF_DEPENDENT_LIBRARIES, OUT_RELOCATABLE, REC_ALIAS, REC_COMMON, REC_DEFAULT_VERSION, REC_DEFINED, REC_MENTION, REC_SIGNATURE, REC_UNUSED, REC_VERSIONED, REC_WEAK,
  SLOT_GROUP, SLOT_NONE, SLOT_REGULAR, SLOT_RELA, STT_MENTION,
} from "../shared/abi.ts";
import {
  GRP_COMDAT, SHDR_BYTES, SHF_EXCLUDE, SHN_COMMON, SHN_LORESERVE, SHN_UNDEF, SHN_X86_64_LCOMMON, SHN_XINDEX, SHT_CREL, SHT_GROUP, SHT_LLVM_ADDRSIG,
  SHT_LLVM_CALL_GRAPH_PROFILE, SHT_LLVM_DEPENDENT_LIBRARIES, SHT_NULL, SHT_REL, SHT_RELA, SHT_STRTAB, SHT_SYMTAB, SHT_SYMTAB_SHNDX, STB_GNU_UNIQUE,
  STB_LOCAL, STB_WEAK, STT_SECTION, SYM_BYTES, VERSYM_HIDDEN, SH_FLAGS, SH_INFO, SH_OFFSET, SH_SIZE, SH_TYPE, ST_INFO, ST_SHNDX,
} from "../shared/elf.ts";

/**
 * Prefix sums: the first row of each object in every per-object table. The rows of slot, esym, group and record, row 0 included,
 * are at `out`. Names are numbered, and symbols written, by first mention: what the linker itself mentions (object 1) comes last, as in lld.
 */
export function numberRows(out: u32): void {
  const obj = tables().obj;
  const rows = obj.rows;
  let slot: u32 = 1;
  let esym: u32 = 1;
  let group: u32 = 1;
  let record: u32 = 1;
  for (let o: u32 = 1; o < rows; o++) {
    obj.slotBase[o] = slot;
    obj.esymBase[o] = esym;
    obj.groupBase[o] = group;
    if (obj.kind[o] == OBJ_SHARED) obj.recordCount[o] = 2 * (obj.esymCount[o] - obj.firstGlobal[o]);
    slot += obj.e_shnum[o];
    esym += obj.esymCount[o];
    group += obj.groupCount[o];
  }
  for (let i: u32 = 1; i < rows; i++) {
    const o = i + 1 < rows ? i + 1 : 1;
    record += obj.passed[o];
    obj.recordBase[o] = record;
    record += obj.recordCount[o];
  }
  store<u32>(out, slot);
  store<u32>(out, esym, 4);
  store<u32>(out, group, 8);
  store<u32>(out, record, 12);
}

/**
 * Reads the symbols of objects [first, end). Returns the first that is broken, or whose groups must be read first (NEEDS_GROUPS),
 * with the culprit's index and ERR_* at `out`; `end` = all is well.
 */
export function readObjects(first: u32, end: u32, out: u32): u32 {
  const obj = tables().obj;
  for (let o = first; o < end; o++) {
    let error: u32 = 0;
    if (obj.kind[o] == OBJ_SHARED) error = readShared(o, out);
    else if (obj.groups[o] == 0 && obj.groupTo[o] > obj.groupFrom[o]) error = NEEDS_GROUPS;
    else error = readSymbols(o, obj.shdrs[o], obj.groups[o], obj.groupFrom[o], obj.names[o], obj.namesBytes[o], out);
    if (error == 0) continue;
    store<u32>(out, error, 4);
    return o;
  }
  return end;
}

/**
 * Fills slot, group and record rows of one relocatable object whose tables are resident and whose bases are set.
 * `shdrs`: section headers; `groups`: bytes of the file from object offset `groupFrom` on that hold all group contents;
 * `names`: section name table, 0 = did not stay. Returns 0 or ERR_* with the culprit's index at `out`.
 */
export function readSymbols(o: u32, shdrs: u32, groups: u32, groupFrom: f64, names: u32, namesBytes: u32, out: u32): u32 {
  const obj = tables().obj;
  const strtabBytes = obj.strtabBytes[o];
  if (strtabBytes > 0 && load<u8>(obj.strtab[o] + strtabBytes - 1) != 0) return fail(out, 0, ERR_STRTAB_END);
  if (namesBytes > 0 && load<u8>(names + namesBytes - 1) != 0) return fail(out, 0, ERR_STRTAB_END);
  const error = readSections(o, shdrs, groups, groupFrom, names, namesBytes, out);
  return error ? error : readEntries(o, out);
}

/** Section headers and groups. The records of groups that have a name of their own come behind those of the symbols. 0 or ERR_*. */
// @ts-ignore: decorator
@inline
function readSections(o: u32, shdrs: u32, groups: u32, groupFrom: f64, names: u32, namesBytes: u32, out: u32): u32 {
  const obj = tables().obj;
  const slot = tables().slot;
  const group = tables().group;
  const slotBase = obj.slotBase[o];
  const count = obj.e_shnum[o];
  const firstGlobal = obj.firstGlobal[o];
  const recordBase = obj.recordBase[o];
  let extra = recordBase + (obj.esymCount[o] - firstGlobal);
  let row = obj.groupBase[o];
  // They are zero; but see clearRows (load-sections): pages that are read before they are written cost twice.
  memory.fill(changetype<u32>(slot.group) + (slotBase << 2), 0, count << 2);
  for (let i: u32 = 1; i < count; i++) {
    const header = shdrs + i * SHDR_BYTES;
    const type = load<u32>(header, SH_TYPE);
    if (names != 0 && load<u32>(header) >= namesBytes && type != SHT_NULL) return fail(out, i, ERR_SECTION_NAME);
    slot.kind[slotBase + i] = <u8>slotKind(o, type, load<u64>(header, SH_FLAGS));
    if (type != SHT_GROUP) continue;
    const at = groups + <u32>(load<u64>(header, SH_OFFSET) - <u64>groupFrom);
    const signature = load<u32>(header, SH_INFO);
    if (load<u32>(at) & ~GRP_COMDAT) return fail(out, i, ERR_GROUP_FORMAT);
    group.obj[row] = o;
    group.comdat[row] = <u8>(load<u32>(at) & GRP_COMDAT);
    group.shndx[row] = i;
    group.signature[row] = signature;
    group.record[row] = signature >= firstGlobal ? recordBase + (signature - firstGlobal) : extra;
    slot.group[slotBase + i] = row;
    let error: u32 = 0;
    if (signature < firstGlobal) error = addLocalSignature(o, i, extra++, signature, shdrs, names, namesBytes, out);
    if (error == 0) error = readMembers(o, i, row, at, <u32>(load<u64>(header, SH_SIZE) >> 2), out);
    if (error) return error;
    row++;
  }
  if (names != 0) readLinkonce(o, row, extra, shdrs, names, namesBytes);
  return 0;
}

/** SLOT_* of a section; takes note of those that are about the whole object. */
// @ts-ignore: decorator
@inline
function slotKind(o: u32, type: u32, flags: u64): u32 {
  const obj = tables().obj;
  if (type == SHT_LLVM_CALL_GRAPH_PROFILE) {
    obj.flags[o] |= <u8>OBJF_CALL_GRAPH;
    params().callGraph = 1;
    return SLOT_NONE;
  }
  if (type == SHT_RELA || type == SHT_REL || type == SHT_CREL) return SLOT_RELA;
  if (type == SHT_GROUP) return SLOT_GROUP;
  if (type == SHT_NULL || type == SHT_SYMTAB || type == SHT_STRTAB || type == SHT_SYMTAB_SHNDX) return SLOT_NONE;
  if (params().outputKind == OUT_RELOCATABLE) return SLOT_REGULAR;
  if (type == SHT_LLVM_DEPENDENT_LIBRARIES) {
    obj.flags[o] |= <u8>OBJF_DEPENDENT_LIBRARIES;
    params().dependentLibraries = 1;
    return SLOT_NONE;
  }
  return type == SHT_LLVM_ADDRSIG || flags & SHF_EXCLUDE ? SLOT_NONE : SLOT_REGULAR;
}

/** Takes the members of group `row`, section `i`, whose `words` (flags, then section indexes: gABI ch. 4, Section Groups) are at `at`. 0 or ERR_*. */
// @ts-ignore: decorator
@inline
function readMembers(o: u32, i: u32, row: u32, at: u32, words: u32, out: u32): u32 {
  const slotGroup = tables().slot.group;
  const slotBase = tables().obj.slotBase[o];
  const count = tables().obj.e_shnum[o];
  for (let w: u32 = 1; w < words; w++) {
    const member = load<u32>(at + (w << 2));
    if (member == 0 || member >= count || slotGroup[slotBase + member] != 0) return fail(out, i, ERR_GROUP_MEMBER);
    slotGroup[slotBase + member] = row;
  }
  return 0;
}

/** Makes record `extra` for group section `i`, which is called by a local symbol; a section symbol without a name has the section's. 0 or ERR_*. */
function addLocalSignature(o: u32, i: u32, extra: u32, signature: u32, shdrs: u32, names: u32, namesBytes: u32, out: u32): u32 {
  const obj = tables().obj;
  const entry = obj.symtab[o] + signature * SYM_BYTES;
  let name = load<u32>(entry);
  let base = obj.strtab[o];
  let bytes = obj.strtabBytes[o];
  if ((load<u8>(entry, ST_INFO) & 15) == STT_SECTION && name == 0) {
    const section = <u32>load<u16>(entry, ST_SHNDX);
    if (section >= obj.e_shnum[o]) return fail(out, i, ERR_GROUP);
    name = load<u32>(shdrs + section * SHDR_BYTES);
    base = names;
    bytes = namesBytes;
  }
  if (name >= bytes) return fail(out, signature, ERR_SYMBOL_NAME);
  addSignature(extra, base + name, strlenBounded(base + name, bytes - name));
  return 0;
}

/**
 * Sections .gnu.linkonce.* are groups of their own (rows from `row` on), called by their names (records from `extra` on), unless they are in one.
 * That of a function, .gnu.linkonce.t.NAME, is called NAME: newer compilers put the same function into a group of that name (GNU ld, gold).
 */
function readLinkonce(o: u32, row: u32, extra: u32, shdrs: u32, names: u32, namesBytes: u32): void {
  const obj = tables().obj;
  const slot = tables().slot;
  const group = tables().group;
  const slotBase = obj.slotBase[o];
  for (let i: u32 = 1, count = obj.e_shnum[o]; i < count; i++) {
    const header = shdrs + i * SHDR_BYTES;
    if (!isLinkonce(header, names, namesBytes)) continue;
    if (slot.group[slotBase + i] != 0 || slot.kind[slotBase + i] != SLOT_REGULAR) {
      tables().record.flags[extra] = REC_UNUSED;
      group.comdat[row] = 0;
    } else {
      const from = load<u32>(header);
      const bytes = strlenBounded(names + from, namesBytes - from);
      const skip: u32 = bytes > 16 && load<u16>(names + from, 14) == 0x2e74 ? 16 : 0; // "t."
      addSignature(extra, names + from + skip, bytes - skip);
      group.comdat[row] = 1;
      slot.group[slotBase + i] = row;
    }
    group.obj[row] = o;
    group.record[row] = extra;
    extra++;
    row++;
  }
}

/** Checks all symbols and makes the records of the globals. 0 or ERR_*. */
// @ts-ignore: decorator
@inline
function readEntries(o: u32, out: u32): u32 {
  const obj = tables().obj;
  const record = tables().record;
  const count = obj.e_shnum[o];
  const symtab = obj.symtab[o];
  const strtab = obj.strtab[o];
  const strtabBytes = obj.strtabBytes[o];
  const symbols = obj.esymCount[o];
  const firstGlobal = obj.firstGlobal[o];
  const esymBase = obj.esymBase[o];
  const recordBase = obj.recordBase[o];
  const shndxTab = obj.shndxTab[o];
  for (let i: u32 = 0; i < symbols; i++) {
    const entry = symtab + i * SYM_BYTES;
    const name = load<u32>(entry);
    if (name >= strtabBytes && (name || strtabBytes)) return fail(out, i, ERR_SYMBOL_NAME);
    let shndx = <u32>load<u16>(entry, ST_SHNDX);
    if (shndx == SHN_XINDEX && shndxTab) shndx = load<u32>(shndxTab + (i << 2));
    else if (shndx >= <u32>SHN_LORESERVE) shndx = 0;
    if (shndx >= count && shndx) return fail(out, i, ERR_SYMBOL_SHNDX);
    if (i < firstGlobal) continue;
    const info = load<u8>(entry, ST_INFO);
    const bind = <u32>(info >> 4);
    if (bind == STB_LOCAL) return fail(out, i, ERR_LOCAL_AFTER_GLOBAL);
    if (bind > <u32>STB_WEAK && bind != STB_GNU_UNIQUE) return fail(out, i, ERR_BINDING);
    const row = recordBase + (i - firstGlobal);
    const raw = <u32>load<u16>(entry, ST_SHNDX);
    let flags: u32 = 0;
    if (o == 1 && (info & 15) == STT_MENTION) flags = REC_MENTION; // the linker's own object
    else if (raw == SHN_COMMON || raw == SHN_X86_64_LCOMMON) flags = REC_COMMON | REC_DEFINED;
    else if (raw != SHN_UNDEF) flags = REC_DEFINED;
    if (info >> 4 == STB_WEAK) flags |= REC_WEAK;
    addName(row, strtab + name, strtabBytes - name, flags);
    record.esym[row] = esymBase + i;
  }
  return 0;
}

function addSignature(row: u32, name: u32, len: u32): void {
  addPlain(row, name, len, REC_SIGNATURE);
}

/** Hash of a name with its version: both words of both hashes take part. */
// @ts-ignore: decorator
@inline
function addVersion(row: u32, version: u32, len: u32, scratch: u32): void {
  const record = tables().record;
  hashBytes(version, len, scratch, scratch + 8);
  record.h0[row] = mix(record.h0[row] ^ rotl<u64>(load<u64>(scratch), 1));
  record.h1[row] = mix(record.h1[row] + rotl<u64>(load<u64>(scratch, 8), 7));
}

/** Record of a symbol-table name (hashSymbol). */
// @ts-ignore: decorator
@inline
function addName(row: u32, name: u32, limit: u32, flags: u32): void {
  const record = tables().record;
  const found = hashSymbol(name, strlenBounded(name, limit), <u32>changetype<usize>(record.h0) + (row << 3), <u32>changetype<usize>(record.h1) + (row << 3));
  const stem = found & STEM_MASK;
  const all = flags | (found & NAME_DEFAULT ? REC_DEFAULT_VERSION : 0) | (found & NAME_VERSIONED ? REC_VERSIONED : 0);
  record.name[row] = name;
  record.nameBytes[row] = stem;
  record.flags[row] = all;
}

/**
 * Records of a shared object's dynamic symbols: two rows per symbol, `name` and `name@version`.
 * A hidden definition has only the versioned name; a reference has only one row (gABI symbol versions, LSB core §10.7).
 * Returns 0 or ERR_SYMBOL_NAME with the symbol's index at `out`.
 */
export function readShared(o: u32, out: u32): u32 {
  const t = tables();
  const obj = t.obj;
  const record = t.record;
  const symtab = obj.symtab[o];
  const strtab = obj.strtab[o];
  const strtabBytes = obj.strtabBytes[o];
  const versym = obj.versym[o];
  const verNames = obj.verNames[o];
  const verCount = obj.verCount[o];
  const first = obj.firstGlobal[o];
  const symbols = obj.esymCount[o];
  const esymBase = obj.esymBase[o];
  const definesVersions = verCount > 0 && load<u32>(verNames, 4) != 0;
  let row = obj.recordBase[o];
  for (let i = first; i < symbols; i++, row += 2) {
    const entry = symtab + i * SYM_BYTES;
    const name = load<u32>(entry);
    if (name >= strtabBytes) return fail(out, i, ERR_SYMBOL_NAME);
    record.esym[row] = esymBase + i;
    record.esym[row + 1] = esymBase + i;
    record.flags[row] = REC_UNUSED;
    record.flags[row + 1] = REC_UNUSED;
    const info = load<u8>(entry, ST_INFO);
    if (info >> 4 == STB_LOCAL) {
      report(ISSUE_SHARED_LOCAL, o, 0, i, 0, 0);
      continue;
    }
    let version: u32 = 1;
    if (versym) version = <u32>load<u16>(versym + (i << 1));
    const hidden = version & VERSYM_HIDDEN;
    version &= ~VERSYM_HIDDEN;
    const defined = load<u16>(entry, ST_SHNDX) != SHN_UNDEF;
    // Version index 0 makes a definition local to its object, unless the object defines no versions (TinyCC leaves 0, and the dynamic
    // linker binds to such); glibc's base version symbols (hidden, index 1) do not bind.
    if (defined && ((version == 0 && definesVersions) || (version == 1 && hidden))) continue;
    let flags: u32 = defined ? REC_DEFINED : 0;
    if (info >> 4 == STB_WEAK) flags |= REC_WEAK;
    const len = strlenBounded(strtab + name, strtabBytes - name);
    const named = version > 1 && version < verCount && load<u32>(verNames + (version << 3)) != 0;
    if (version > 1 && !named) {
      report(ISSUE_SHARED_VERSION, o, 0, i, <u64>version, <u64>defined);
      continue;
    }
    if (!hidden && (defined || !named)) addPlain(row, strtab + name, len, flags);
    if (!named) continue;
    const alias = flags | REC_VERSIONED | (hidden || !defined ? 0 : REC_ALIAS);
    if (record.flags[row] == REC_UNUSED) addPlain(row + 1, strtab + name, len, alias);
    else copyPlain(row, alias);
    addVersion(row + 1, load<u32>(verNames + (version << 3)), load<u32>(verNames + (version << 3), 4), out);
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function addPlain(row: u32, name: u32, len: u32, flags: u32): void {
  const record = tables().record;
  hashBytes(name, len, <u32>changetype<usize>(record.h0) + (row << 3), <u32>changetype<usize>(record.h1) + (row << 3));
  record.name[row] = name;
  record.nameBytes[row] = len;
  record.flags[row] = flags;
}

/** Row `row` again as the next one, with other flags. */
// @ts-ignore: decorator
@inline
function copyPlain(row: u32, flags: u32): void {
  const record = tables().record;
  record.h0[row + 1] = record.h0[row];
  record.h1[row + 1] = record.h1[row];
  record.name[row + 1] = record.name[row];
  record.nameBytes[row + 1] = record.nameBytes[row];
  record.flags[row + 1] = flags;
}

/** Leaves the hash of `len` bytes at `name` (with its @version, if any) in record row 0, for findName. */
export function hashName(name: u32, len: u32): void {
  addName(0, name, len, 0);
}
