/**
 * Reading relocatable objects and the dynamic symbol tables of shared objects: section headers are checked, every mention
 * of a global name becomes a `record` row with its hash, groups and section slots are filled.
 *
 * This is where untrusted bytes enter: every offset, index and count that later kernels follow is checked here.
 * Not for section contents or relocations (load-sections).
 */
import { params, tables } from "../shared/tables.ts";
import { report } from "../lib/issue.ts";
import { indexOf, strlenBounded } from "../lib/bytes.ts";
import { hashBytes, mix } from "../lib/hash.ts";
import {
  ERR_ALIGN, ERR_ALIGN_LARGE, ERR_BINDING, ERR_GROUP, ERR_GROUP_EMPTY, ERR_GROUP_FORMAT, ERR_GROUP_MEMBER, ERR_LOCAL_AFTER_GLOBAL, ERR_MULTIPLE_SYMTABS, ERR_RELA_ENTSIZE, ERR_RELA_TARGET, ERR_SECTION_BOUNDS,
  ERR_SECTION_NAME, ERR_SHSTRNDX, ERR_STRTAB_END, ERR_STRTAB_LINK, ERR_SYMBOL_NAME, ERR_SYMBOL_SHNDX, ERR_SYMTAB_ENTSIZE, ERR_SYMTAB_INFO,
  ISSUE_SHARED_LOCAL, ISSUE_SHARED_VERSION,
  OBJF_CALL_GRAPH, OBJF_DEPENDENT_LIBRARIES, OUT_RELOCATABLE, REC_ALIAS, REC_COMMON, REC_DEFAULT_VERSION, REC_DEFINED, REC_MENTION, REC_SIGNATURE, REC_UNUSED, REC_VERSIONED, REC_WEAK,
  SLOT_GROUP, SLOT_NONE, SLOT_REGULAR, SLOT_RELA, STT_MENTION,
} from "../shared/abi.ts";
import {
  GRP_COMDAT, RELA_BYTES, SHDR_BYTES, SHF_EXCLUDE, SHN_COMMON, SHN_LORESERVE, SHN_UNDEF, SHN_X86_64_LCOMMON, SHN_XINDEX,
  SHT_CREL, SHT_GROUP, SHT_LLVM_ADDRSIG, SHT_LLVM_CALL_GRAPH_PROFILE, SHT_LLVM_DEPENDENT_LIBRARIES, SHT_NOBITS, SHT_NULL, SHT_REL, SHT_RELA,
  SHT_STRTAB, SHT_SYMTAB, SHT_SYMTAB_SHNDX, STB_GNU_UNIQUE, STB_LOCAL, STB_WEAK, STT_SECTION, SYM_BYTES, VERSYM_HIDDEN,
} from "../shared/elf.ts";

// Layout of a section header (gABI ch. 4, Elf64_Shdr)
const SH_TYPE: u32 = 4;
const SH_FLAGS: u32 = 8;
const SH_OFFSET: u32 = 24;
const SH_SIZE: u32 = 32;
const SH_LINK: u32 = 40;
const SH_INFO: u32 = 44;
const SH_ADDRALIGN: u32 = 48;
const SH_ENTSIZE: u32 = 56;

// What scanHeaders leaves at `out`, in 8-byte cells. Offsets are bytes from the start of the object.
const OUT_ERROR_SECTION: u32 = 0; // u32
const OUT_ERROR_VALUE: u32 = 104; // u32
const OUT_SYMTAB: u32 = 4; // u32 section index, 0 = none
const OUT_GROUPS: u32 = 8; // u32 SHT_GROUP sections
const OUT_FIRST_GLOBAL: u32 = 12; // u32
const OUT_SYMTAB_OFFSET: u32 = 16; // f64 from here on
const OUT_SYMTAB_SIZE: u32 = 24;
const OUT_STRTAB_OFFSET: u32 = 32;
const OUT_STRTAB_SIZE: u32 = 40;
const OUT_SHNDX_OFFSET: u32 = 48;
const OUT_SHNDX_SIZE: u32 = 56;
const OUT_GROUP_FROM: u32 = 64;
const OUT_GROUP_TO: u32 = 72;
const OUT_NAMES_OFFSET: u32 = 80;
const OUT_NAMES_SIZE: u32 = 88;
const OUT_LOCAL_SIGNATURES: u32 = 96; // f64: groups whose signature is a local symbol

// @ts-ignore: decorator
@inline
function fail(out: u32, section: u32, error: u32): u32 {
  store<u32>(out + OUT_ERROR_SECTION, section);
  return error;
}

/** Sections that say something about the object and do not become part of the output: nobody looks at their alignment. */
// @ts-ignore: decorator
@inline
function isOwnTable(type: u32): bool {
  return type == SHT_SYMTAB || type == SHT_STRTAB || type == SHT_RELA || type == SHT_GROUP || type == SHT_SYMTAB_SHNDX;
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
  if ((shstrndx >= count && shstrndx != 0) || (count > 0 && shstrndx != 0 && load<u32>(shdrs + shstrndx * SHDR_BYTES, SH_TYPE) != SHT_STRTAB)) {
    return fail(out, shstrndx, ERR_SHSTRNDX);
  }
  if (count > 0) {
    store<f64>(out + OUT_NAMES_OFFSET, <f64>load<u64>(shdrs + shstrndx * SHDR_BYTES, SH_OFFSET));
    store<f64>(out + OUT_NAMES_SIZE, <f64>load<u64>(shdrs + shstrndx * SHDR_BYTES, SH_SIZE));
  }
  if (symtab == 0) return groups ? fail(out, 0, ERR_GROUP) : 0;
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
  if (shndx) {
    if (load<u64>(shdrs + shndx * SHDR_BYTES, SH_SIZE) < (size / SYM_BYTES) * 4) return fail(out, shndx, ERR_SYMTAB_INFO);
    store<f64>(out + OUT_SHNDX_OFFSET, <f64>load<u64>(shdrs + shndx * SHDR_BYTES, SH_OFFSET));
    store<f64>(out + OUT_SHNDX_SIZE, <f64>load<u64>(shdrs + shndx * SHDR_BYTES, SH_SIZE));
  }
  if (groups) {
    let localSignatures: u32 = 0;
    for (let i: u32 = 1; i < count; i++) {
      const group = shdrs + i * SHDR_BYTES;
      if (load<u32>(group, SH_TYPE) != SHT_GROUP) continue;
      const signature = load<u32>(group, SH_INFO);
      if (load<u32>(group, SH_LINK) != symtab || <u64>signature >= size / SYM_BYTES) return fail(out, i, ERR_GROUP);
      if (signature < firstGlobal) localSignatures++;
    }
    store<f64>(out + OUT_LOCAL_SIGNATURES, <f64>localSignatures);
  }
  return 0;
}

/** Sections of the object whose name begins with ".gnu.linkonce.": each is a COMDAT group of its own. */
export function countLinkonce(shdrs: u32, count: u32, names: u32, namesBytes: u32): u32 {
  let found: u32 = 0;
  for (let i: u32 = 1; i < count; i++) found += u32(isLinkonce(shdrs + i * SHDR_BYTES, names, namesBytes));
  return found;
}

/** ".gnu.linkonce." as bytes: ".gnu.lin" then "konce." */
// @ts-ignore: decorator
@inline
function isLinkonce(header: u32, names: u32, namesBytes: u32): bool {
  const name = load<u32>(header);
  if (<u64>name + 15 > <u64>namesBytes || load<u64>(names + name) != 0x6e696c2e756e672e) return false;
  return (load<u64>(names + name, 8) & 0xffffffffffff) == 0x2e65636e6f6b;
}

/**
 * Fills slot, group and record rows of one relocatable object whose tables are resident and whose bases are set.
 * `shdrs`: section headers; `groups`: bytes of the file from object offset `groupFrom` on that hold all group contents;
 * `names`: section name table. Returns 0 or ERR_* with the culprit's index at `out`.
 */
export function readSymbols(o: u32, shdrs: u32, groups: u32, groupFrom: f64, names: u32, namesBytes: u32, out: u32): u32 {
  const t = tables();
  const obj = t.obj;
  const slot = t.slot;
  const group = t.group;
  const record = t.record;
  const count = obj.e_shnum[o];
  const slotBase = obj.slotBase[o];
  const symtab = obj.symtab[o];
  const strtab = obj.strtab[o];
  const strtabBytes = obj.strtabBytes[o];
  const symbols = obj.esymCount[o];
  const firstGlobal = obj.firstGlobal[o];
  const esymBase = obj.esymBase[o];
  const recordBase = obj.recordBase[o];
  const shndxTab = obj.shndxTab[o];
  if (strtabBytes > 0 && load<u8>(strtab + strtabBytes - 1) != 0) return fail(out, 0, ERR_STRTAB_END);
  if (namesBytes > 0 && load<u8>(names + namesBytes - 1) != 0) return fail(out, 0, ERR_STRTAB_END);
  let extra = recordBase + (symbols - firstGlobal);
  let groupRow = obj.groupBase[o];

  for (let i: u32 = 1; i < count; i++) {
    const header = shdrs + i * SHDR_BYTES;
    const type = load<u32>(header, SH_TYPE);
    if (load<u32>(header) >= namesBytes && type != SHT_NULL) return fail(out, i, ERR_SECTION_NAME);
    let kind: u8 = <u8>SLOT_REGULAR;
    if (type == SHT_NULL || type == SHT_SYMTAB || type == SHT_STRTAB || type == SHT_SYMTAB_SHNDX || type == SHT_LLVM_CALL_GRAPH_PROFILE ||
        ((type == SHT_LLVM_ADDRSIG || type == SHT_LLVM_DEPENDENT_LIBRARIES) && params().outputKind != OUT_RELOCATABLE)) {
      kind = <u8>SLOT_NONE;
      if (type == SHT_LLVM_CALL_GRAPH_PROFILE) {
        obj.flags[o] |= <u8>OBJF_CALL_GRAPH;
        params().callGraph = 1;
      } else if (type == SHT_LLVM_DEPENDENT_LIBRARIES) {
        obj.flags[o] |= <u8>OBJF_DEPENDENT_LIBRARIES;
        params().dependentLibraries = 1;
      }
    } else if (type == SHT_RELA || type == SHT_REL || type == SHT_CREL) {
      kind = <u8>SLOT_RELA;
    } else if (type == SHT_GROUP) {
      kind = <u8>SLOT_GROUP;
    } else if (load<u64>(header, SH_FLAGS) & SHF_EXCLUDE && params().outputKind != OUT_RELOCATABLE) {
      kind = <u8>SLOT_NONE;
    }
    slot.kind[slotBase + i] = kind;
    if (type == SHT_GROUP) {
      const at = groups + <u32>(load<u64>(header, SH_OFFSET) - <u64>groupFrom);
      const words = <u32>(load<u64>(header, SH_SIZE) >> 2);
      const comdat = load<u32>(at) & GRP_COMDAT;
      if (load<u32>(at) & ~GRP_COMDAT) return fail(out, i, ERR_GROUP_FORMAT);
      group.obj[groupRow] = o;
      group.comdat[groupRow] = <u8>comdat;
      group.shndx[groupRow] = i;
      group.signature[groupRow] = load<u32>(header, SH_INFO);
      slot.group[slotBase + i] = groupRow;
      const signature = load<u32>(header, SH_INFO);
      if (signature >= firstGlobal) {
        group.record[groupRow] = recordBase + (signature - firstGlobal);
      } else {
        const entry = symtab + signature * SYM_BYTES;
        let name = load<u32>(entry);
        let base = strtab;
        let bytes = strtabBytes;
        if ((load<u8>(entry, 4) & 15) == STT_SECTION && name == 0) {
          const section = <u32>load<u16>(entry, 6);
          if (section >= count) return fail(out, i, ERR_GROUP);
          name = load<u32>(shdrs + section * SHDR_BYTES);
          base = names;
          bytes = namesBytes;
        }
        if (name >= bytes) return fail(out, signature, ERR_SYMBOL_NAME);
        addSignature(extra, base + name, strlenBounded(base + name, bytes - name));
        group.record[groupRow] = extra;
        extra++;
      }
      for (let w: u32 = 1; w < words; w++) {
        const member = load<u32>(at + (w << 2));
        if (member == 0 || member >= count || slot.group[slotBase + member] != 0) return fail(out, i, ERR_GROUP_MEMBER);
        slot.group[slotBase + member] = groupRow;
      }
      groupRow++;
    }
  }
  for (let i: u32 = 1; i < count; i++) {
    const header = shdrs + i * SHDR_BYTES;
    if (!isLinkonce(header, names, namesBytes)) continue;
    if (slot.group[slotBase + i] != 0 || slot.kind[slotBase + i] != SLOT_REGULAR) {
      record.flags[extra] = REC_UNUSED;
      group.comdat[groupRow] = 0;
    } else {
      const name = names + load<u32>(header);
      addSignature(extra, name, strlenBounded(name, namesBytes - load<u32>(header)));
      group.comdat[groupRow] = 1;
      slot.group[slotBase + i] = groupRow;
    }
    group.obj[groupRow] = o;
    group.record[groupRow] = extra;
    extra++;
    groupRow++;
  }

  for (let i: u32 = 0; i < symbols; i++) {
    const entry = symtab + i * SYM_BYTES;
    const name = load<u32>(entry);
    if (name >= strtabBytes && (name || strtabBytes)) return fail(out, i, ERR_SYMBOL_NAME);
    let shndx = <u32>load<u16>(entry, 6);
    if (shndx == SHN_XINDEX && shndxTab) shndx = load<u32>(shndxTab + (i << 2));
    else if (shndx >= <u32>SHN_LORESERVE) shndx = 0;
    if (shndx >= count && shndx) return fail(out, i, ERR_SYMBOL_SHNDX);
    if (i < firstGlobal) continue;
    const info = load<u8>(entry, 4);
    const bind = <u32>(info >> 4);
    if (bind == STB_LOCAL) return fail(out, i, ERR_LOCAL_AFTER_GLOBAL);
    if (bind > <u32>STB_WEAK && bind != STB_GNU_UNIQUE) return fail(out, i, ERR_BINDING);
    const row = recordBase + (i - firstGlobal);
    const raw = <u32>load<u16>(entry, 6);
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
  const record = tables().record;
  hashBytes(name, len, <u32>changetype<usize>(record.h0) + (row << 3), <u32>changetype<usize>(record.h1) + (row << 3));
  record.name[row] = name;
  record.nameBytes[row] = len;
  record.flags[row] = REC_SIGNATURE;
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

/** Record of a symbol-table name: `foo`, `foo@V` (its own identity) or `foo@@V` (identity foo). */
// @ts-ignore: decorator
@inline
function addName(row: u32, name: u32, limit: u32, flags: u32): void {
  const record = tables().record;
  const len = strlenBounded(name, limit);
  const stem = indexOf(name, len, 64);
  const h0 = <u32>changetype<usize>(record.h0) + (row << 3);
  const h1 = <u32>changetype<usize>(record.h1) + (row << 3);
  hashBytes(name, stem, h0, h1);
  let all = flags;
  if (stem < len && stem > 0) {
    if (stem + 1 < len && load<u8>(name + stem + 1) == 64) {
      all |= REC_DEFAULT_VERSION;
    } else {
      all |= REC_VERSIONED;
      const a = load<u64>(h0);
      const b = load<u64>(h1);
      hashBytes(name + stem + 1, len - stem - 1, h0, h1);
      const va = load<u64>(h0);
      const vb = load<u64>(h1);
      store<u64>(h0, mix(a ^ rotl<u64>(va, 1)));
      store<u64>(h1, mix(b + rotl<u64>(vb, 7)));
    }
  }
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
  let row = obj.recordBase[o];
  for (let i = first; i < symbols; i++, row += 2) {
    const entry = symtab + i * SYM_BYTES;
    const name = load<u32>(entry);
    if (name >= strtabBytes) return fail(out, i, ERR_SYMBOL_NAME);
    record.esym[row] = esymBase + i;
    record.esym[row + 1] = esymBase + i;
    record.flags[row] = REC_UNUSED;
    record.flags[row + 1] = REC_UNUSED;
    const info = load<u8>(entry, 4);
    if (info >> 4 == STB_LOCAL) {
      report(ISSUE_SHARED_LOCAL, o, 0, i, 0, 0);
      continue;
    }
    let version: u32 = 1;
    if (versym) version = <u32>load<u16>(versym + (i << 1));
    const hidden = version & VERSYM_HIDDEN;
    version &= ~VERSYM_HIDDEN;
    const defined = load<u16>(entry, 6) != SHN_UNDEF;
    // Version index 0 makes a definition local to its object; glibc's base version symbols (hidden, index 1) do not bind.
    if (defined && (version == 0 || (version == 1 && hidden))) continue;
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
