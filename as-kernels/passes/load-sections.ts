/**
 * From included objects to `isec` and local `sym` rows: sections of lost COMDAT copies never get a row.
 *
 * numberSections runs once, serially, in inclusion order, so rows are in link order; the rest runs per object.
 */
import { params, tables } from "../shared/tables.ts";
import { isWarning } from "../lib/names.ts";
import { plainRule, rulePrefix } from "../lib/name-rules.ts";
import { report } from "../lib/issue.ts";
import {
  ERR_LINK_ORDER, ERR_LINK_ORDER_KIND, ERR_MULTIPLE_RELA, ERR_REL_UNSUPPORTED, ERR_SECTION_TYPE, ERR_RELA_TARGET, ISEC_EH_FRAME, ISEC_CONSUMED,
  ISEC_MERGE, ISEC_REGULAR, ISSUE_BAD_OBJECT, OBJF_EXEC_STACK, OBJF_HAS_STACK_NOTE, SPLIT_STACK, SPLIT_STACK_SOME_NOT, OUT_RELOCATABLE, SLOT_REGULAR,
  ERR_COMPRESSED, ERR_CREL, ERR_MERGE_WRITABLE, ISSUE_BAD_MERGE, MERGE_OR_REFUSE, OBJF_CREL,
} from "../shared/abi.ts";
import {
  ELFCOMPRESS_ZLIB, ELFCOMPRESS_ZSTD, SHDR_BYTES, SHF_ALLOC, SHF_COMPRESSED, SHF_EXECINSTR, SHF_LINK_ORDER, SHF_MERGE, SHF_OS_NONCONFORMING, SHT_CREL,
  SHT_NOBITS, SHT_NOTE, SHT_NULL, SHT_REL, SHT_RELA, SHT_STRTAB, SHT_SYMTAB, SHT_SYMTAB_SHNDX, RELA_BYTES, SHF_WRITE, SHT_HIOS, SHT_LOOS, SHT_LOUSER,
  SHT_UNKNOWN, SH_ADDRALIGN, SH_ENTSIZE, SH_FLAGS, SH_INFO, SH_LINK, SH_OFFSET, SH_SIZE, SH_TYPE,
} from "../shared/elf.ts";

/** ".note.GNU-stack\0" is no section of the output: it only says whether the stack must be executable. */
// @ts-ignore: decorator
@inline
function isStackNote(name: u32): bool {
  return load<u64>(name) == 0x4e472e65746f6e2e && load<u64>(name, 8) == 0x006b636174732d55;
}

/**
 * ".note.GNU-split-stack" says that the object's functions check how much stack there is, ".note.GNU-no-split-stack" that some do not:
 * SPLIT_STACK bits, 0 = another section.
 */
function splitStackNote(name: u32): u32 {
  if (load<u64>(name) != 0x4e472e65746f6e2e) return 0;
  if (load<u64>(name, 8) == 0x2d74696c70732d55 && load<u64>(name, 14) == 0x006b636174732d74) return SPLIT_STACK;
  return load<u64>(name, 8) == 0x6c70732d6f6e2d55 && load<u64>(name, 16) == 0x6b636174732d7469 && !load<u8>(name, 24) ? SPLIT_STACK_SOME_NOT : 0;
}

/** ".note.gnu.build-id\0": that of an object made by -r says nothing of what it becomes part of. */
// @ts-ignore: decorator
@inline
function isBuildId(name: u32): bool {
  return load<u64>(name) == 0x6e672e65746f6e2e && load<u64>(name, 8) == 0x2d646c6975622e75 && (load<u32>(name, 16) & 0xffffff) == 0x6469;
}

/** ".sframe\0" */
// @ts-ignore: decorator
@inline
function isSframe(name: u32): bool {
  return load<u64>(name) == 0x00656d617266732e;
}

/** ".debug" and ".stab", and longer */
// @ts-ignore: decorator
@inline
function isDebug(name: u32): bool {
  const head = load<u64>(name);
  return (head & 0xffffffffffff) == 0x67756265642e || (head & 0xffffffffff) == 0x626174732e;
}

/**
 * ".zdebug_", as GNU tools named compressed debug sections before there was SHF_COMPRESSED; "..debug_", when another section has had the name's
 * z taken out.
 */
// @ts-ignore: decorator
@inline
function isOldCompressed(name: u32): bool {
  const head = load<u64>(name);
  return head == 0x5f67756265647a2e || head == 0x5f67756265642e2e;
}

/** ".eh_frame\0" */
// @ts-ignore: decorator
@inline
function isEhFrame(name: u32): bool {
  return load<u64>(name) == 0x6d6172665f68652e && load<u16>(name, 8) == 0x0065;
}

/**
 * Gives isec rows from `next` on to the kept sections of object `o`, and local sym rows from `localBase` on.
 * Returns the next free isec row.
 */
export function numberSections(o: u32, next: u32, localBase: u32): u32 {
  const t = tables();
  const obj = t.obj;
  const slot = t.slot;
  const won = t.group.won;
  const base = obj.slotBase[o];
  const end = base + obj.e_shnum[o];
  let isec = next;
  obj.isecBase[o] = next;
  for (let s = base; s < end; s++) {
    if (slot.kind[s] != SLOT_REGULAR) continue;
    const g = slot.group[s];
    if (g != 0 && !won[g]) continue;
    slot.isec[s] = isec++;
  }
  obj.isecCount[o] = isec - next;
  obj.localBase[o] = localBase;
  return isec;
}

/**
 * Fills the isec rows of object `o` from its section headers at `shdrs`; `names`: its section name table, 0 = did not stay.
 * `base`: bytes from the start of the file to the object; `keepMerge`: MERGE_*.
 */
export function fillSections(o: u32, shdrs: u32, names: u32, base: f64, keepMerge: u32): void {
  const t = tables();
  const obj = t.obj;
  const isec = t.isec;
  const slot = t.slot;
  const slotBase = obj.slotBase[o];
  const count = obj.e_shnum[o];
  clearRows(obj.isecBase[o], obj.isecCount[o]);
  for (let i: u32 = 1; i < count; i++) {
    const row = slot.isec[slotBase + i];
    const header = shdrs + i * SHDR_BYTES;
    const type = load<u32>(header, SH_TYPE);
    if (row != 0) fillRow(o, i, row, header, names, base, keepMerge);
    else if (type == SHT_RELA || type == SHT_REL || type == SHT_CREL) fillRela(o, i, header, base);
  }
  linkGroups(o);
}

/**
 * Zeros in columns that are zero: those that are looked at before they are written. A page of new memory that is read first is the system's
 * page of zeros; to give it memory when it is written takes a second fault, and with threads an interrupt of the other processor.
 */
function clearRows(row: u32, count: u32): void {
  const isec = tables().isec;
  memory.fill(changetype<u32>(isec.relaOffset) + (row << 3), 0, count << 3);
  memory.fill(changetype<u32>(isec.relaCount) + (row << 2), 0, count << 2);
  memory.fill(changetype<u32>(isec.rela) + (row << 2), 0, count << 2);
  memory.fill(changetype<u32>(isec.kept) + (row << 2), 0, count << 2);
  memory.fill(changetype<u32>(isec.dynRel) + (row << 2), 0, count << 2);
  memory.fill(changetype<u32>(isec.dynSym) + (row << 2), 0, count << 2);
}

/** gABI ch. 4, Sections: types and flags that ask for a treatment nobody here knows. Types in between are processor specific. */
// @ts-ignore: decorator
@inline
function isUnknown(type: u32, flags: u32): bool {
  if (type < <u32>SHT_UNKNOWN) return false;
  if (type >= <u32>SHT_LOUSER) return (flags & SHF_ALLOC) != 0;
  return type < <u32>SHT_LOOS ? type != SHT_CREL : type <= <u32>SHT_HIOS && (flags & SHF_OS_NONCONFORMING) != 0;
}

/**
 * What cannot be merged stays as it is, as with GNU ld: clang writes .data..ro_after_init as writable constants, CompCert .rodata.cst8 of odd
 * sizes. `stored`: bytes, 0 = compressed.
 */
function isMergeable(flags: u32, stored: u64, entsize: u32): boolean {
  return (flags & SHF_WRITE) == 0 && stored % <u64>entsize == 0;
}

/**
 * Is the section none of the output? Notes for the linker, which are noted here; build-ids of what -r made; unwind tables that are merged;
 * debug information that is stripped.
 */
function isConsumed(o: u32, name: u32, type: u32, flags: u32): bool {
  const obj = tables().obj;
  if (isStackNote(name)) {
    obj.flags[o] |= <u8>(flags & SHF_EXECINSTR ? OBJF_HAS_STACK_NOTE | OBJF_EXEC_STACK : OBJF_HAS_STACK_NOTE);
    return true;
  }
  const split = splitStackNote(name);
  if (split) {
    obj.splitStack[o] |= <u8>split;
    params().splitStack = 1;
    return true;
  }
  if (type == SHT_NOTE && isBuildId(name)) return true;
  // Merged in a program; -r keeps them one behind the other, as it keeps what nobody may look into.
  if (isSframe(name) && flags & SHF_ALLOC && params().outputKind != OUT_RELOCATABLE) {
    params().sframes = 1;
    return true;
  }
  return params().stripDebug != 0 && !(flags & SHF_ALLOC) && (isDebug(name) || isOldCompressed(name));
}

/** isec row `row` of section `i`, from its header; other parameters as in fillSections. */
function fillRow(o: u32, i: u32, row: u32, header: u32, names: u32, base: f64, keepMerge: u32): void {
  const t = tables();
  const isec = t.isec;
  const sh_name = load<u32>(header);
  // Names that did not stay (settleNames): a rule, and then its prefix says all that kernels ask of a name, or an address.
  const rule = names != 0 ? <u32>plainRule(names + sh_name) : sh_name <= <u32>u8.MAX_VALUE ? sh_name : 0;
  const name = names != 0 ? names + sh_name : rule != 0 ? rulePrefix(rule) : sh_name;
  const flags = <u32>load<u64>(header, SH_FLAGS);
  const type = load<u32>(header, SH_TYPE);
  const size = load<u64>(header, SH_SIZE);
  const entsize = <u32>min<u64>(load<u64>(header, SH_ENTSIZE), 0xffffffff);
  const align = load<u64>(header, SH_ADDRALIGN);
  isec.obj[row] = o;
  isec.shndx[row] = i;
  isec.name[row] = name;
  isec.rule[row] = <u8>rule;
  isec.sh_type[row] = type;
  isec.sh_flags[row] = flags;
  isec.sh_offset[row] = base + <f64>load<u64>(header, SH_OFFSET);
  isec.size[row] = <f64>size;
  isec.sh_entsize[row] = entsize;
  isec.align[row] = align > 1 ? <u8>ctz<u64>(align) : 0;
  if (isUnknown(type, flags)) report(ISSUE_BAD_OBJECT, o, row, i, ERR_SECTION_TYPE, type);
  if (isWarning(name)) params().warningSections = 1;
  if (isConsumed(o, name, type, flags)) {
    isec.kind[row] = <u8>ISEC_CONSUMED;
    return;
  }
  if (flags & SHF_COMPRESSED) {
    if (type == SHT_NOBITS || flags & SHF_ALLOC || size < 24 || size >= MOST_STORED) report(ISSUE_BAD_OBJECT, o, row, i, ERR_COMPRESSED, 0);
    isec.compressed[row] = 1 + <u32>size;
  } else if (isOldCompressed(name) && !(flags & SHF_ALLOC) && type != SHT_NOBITS && size >= <u64>OLD_HEADER_BYTES && size < MOST_STORED) {
    isec.compressed[row] = 1 + <u32>size;
  }
  // A partial link that keeps everything need not know what is in .eh_frame.
  if (isEhFrame(name) && (params().outputKind != OUT_RELOCATABLE || params().gcSections)) isec.kind[row] = <u8>ISEC_EH_FRAME;
  else if (keepMerge && flags & SHF_MERGE && entsize != 0 && size != 0 && type != SHT_NOBITS) {
    if (keepMerge == MERGE_OR_REFUSE && flags & SHF_WRITE) report(ISSUE_BAD_MERGE, o, row, 0, ERR_MERGE_WRITABLE, 0);
    else if (keepMerge == MERGE_OR_REFUSE || isMergeable(flags, isec.compressed[row] ? 0 : size, entsize)) isec.kind[row] = <u8>ISEC_MERGE;
  }
  const whole = t.obj.whole[o];
  if (whole != 0 && isec.compressed[row] == 0 && type != SHT_NOBITS) isec.kept[row] = whole + <u32>load<u64>(header, SH_OFFSET);
  if (flags & SHF_LINK_ORDER) {
    const link = load<u32>(header, SH_LINK);
    if (link >= t.obj.e_shnum[o]) report(ISSUE_BAD_OBJECT, o, row, i, ERR_LINK_ORDER, 0);
    else isec.link[row] = t.slot.isec[t.obj.slotBase[o] + link];
  }
}

function fillRela(o: u32, i: u32, header: u32, base: f64): void {
  const t = tables();
  const obj = t.obj;
  const target = load<u32>(header, SH_INFO);
  if (target >= obj.e_shnum[o] || !takesRelocations(load<u32>(header - (i - target) * SHDR_BYTES, SH_TYPE))) {
    report(ISSUE_BAD_OBJECT, o, 0, i, ERR_RELA_TARGET, <u64>target);
    return;
  }
  const row = t.slot.isec[obj.slotBase[o] + target];
  if (row == 0) return;
  const isec = t.isec;
  const compact = load<u32>(header, SH_TYPE) == SHT_CREL;
  if (load<u32>(header, SH_TYPE) != SHT_RELA && !compact) {
    if (load<u64>(header, SH_SIZE) != 0) report(ISSUE_BAD_OBJECT, o, 0, i, ERR_REL_UNSUPPORTED, 0);
    return;
  }
  if (isec.relaOffset[row] != 0) {
    report(ISSUE_BAD_OBJECT, o, row, i, ERR_MULTIPLE_RELA, 0);
    return;
  }
  isec.relaOffset[row] = base + <f64>load<u64>(header, SH_OFFSET);
  if (compact) {
    if (load<u64>(header, SH_SIZE) == 0) return;
    if (load<u64>(header, SH_SIZE) >= MOST_STORED) return report(ISSUE_BAD_OBJECT, o, row, i, ERR_CREL, 0);
    // Until unpackCrel (lib/crel.ts) is called: the section's bytes in dynRel, and "some" relocations.
    t.obj.flags[o] |= <u8>OBJF_CREL;
    isec.relaCount[row] = 1;
    isec.rela[row] = PACKED;
    isec.dynRel[row] = <u32>load<u64>(header, SH_SIZE);
    return;
  }
  isec.relaCount[row] = <u32>(load<u64>(header, SH_SIZE) / RELA_BYTES);
}

/** What is compressed or packed is unpacked in memory, and so must fit there; the column has 32 bits. */
const MOST_STORED: u64 = 0xffffffff;

/** isec.rela of a section whose relocations are still in the compact form. */
const PACKED: u32 = 1;

/** First section from row `from` on (before `to`) with relocations still to be unpacked; `to` = none. Its bytes are in isec.dynRel. */
export function nextCrel(from: u32, to: u32): u32 {
  const rela = tables().isec.rela;
  let row = from;
  while (row < to && rela[row] != PACKED) row++;
  return row;
}

/** Are sections of this type ones that relocations can be applied to? The object's own tables are not. */
function takesRelocations(type: u32): bool {
  return type != SHT_NULL && type != SHT_SYMTAB && type != SHT_STRTAB && type != SHT_SYMTAB_SHNDX && type != SHT_RELA && type != SHT_REL && type != SHT_CREL;
}

/** First section from row `from` on (before `to`) that is a .sframe to merge; `to` = none. */
export function nextSframe(from: u32, to: u32): u32 {
  const isec = tables().isec;
  let row = from;
  while (row < to && !(isec.kind[row] == ISEC_CONSUMED && isec.name[row] && isec.sh_flags[row] & SHF_ALLOC && isSframe(isec.name[row]))) row++;
  return row;
}

/** First section from row `from` on (before `to`) that is compressed; `to` when there is none. */
export function nextCompressed(from: u32, to: u32): u32 {
  const compressed = tables().isec.compressed;
  let row = from;
  while (row < to && !compressed[row]) row++;
  return row;
}

/** No deflate stream is more than 1032 times as long when inflated. */
const MOST_DEFLATE: u64 = 1032;
/** A section that claims to inflate to more than this is a bomb, not debug information. */
const MAX_INFLATED: u64 = 1 << 30;

/** "ZLIB" and the size in big-endian order, before what a .zdebug section holds. */
const OLD_HEADER_BYTES: u32 = 12;
const ZLIB: u32 = 0x42494c5a;

/** Section `i` is called .zdebug_X: if it begins as such sections do, its name is .debug_X from now on, else it is no compressed section. */
function setOldUncompressed(i: u32, header: u32): void {
  const isec = tables().isec;
  if (load<u32>(header) != ZLIB) {
    isec.compressed[i] = 0;
    return;
  }
  const size = bswap<u64>(load<u64>(header, 4));
  if (size > (<u64>isec.compressed[i] - 1) * MOST_DEFLATE || size > MAX_INFLATED) {
    report(ISSUE_BAD_OBJECT, isec.obj[i], i, isec.shndx[i], ERR_COMPRESSED, 0);
    isec.size[i] = 0;
    return;
  }
  isec.size[i] = <f64>size;
  // Sections of one name share it.
  store<u8>(isec.name[i], 0x2e, 1);
  isec.name[i] += 1;
}

/**
 * Takes the size and alignment of compressed section `i` from its Elf64_Chdr at `chdr` (gABI ch. 4, SHF_COMPRESSED). A size
 * that cannot be is reported, so that nobody makes room for it.
 */
export function setUncompressed(i: u32, chdr: u32): void {
  const isec = tables().isec;
  if (!(isec.sh_flags[i] & SHF_COMPRESSED)) return setOldUncompressed(i, chdr);
  const type = load<u32>(chdr);
  const size = load<u64>(chdr, 8);
  const align = load<u64>(chdr, 16);
  const stored = <u64>isec.compressed[i] - 1;
  const possible = type == ELFCOMPRESS_ZLIB ? size <= stored * MOST_DEFLATE : type == ELFCOMPRESS_ZSTD;
  if (!possible || size > MAX_INFLATED || (align & (align - 1)) != 0 || align > 0xffffffff) {
    report(ISSUE_BAD_OBJECT, isec.obj[i], i, isec.shndx[i], ERR_COMPRESSED, 0);
    isec.size[i] = 0;
    return;
  }
  isec.size[i] = <f64>size;
  isec.align[i] = align > 1 ? <u8>ctz<u64>(align) : 0;
}

/** Chains LINK_ORDER dependents and closes the rings of group members. */
function linkGroups(o: u32): void {
  const t = tables();
  const isec = t.isec;
  const slot = t.slot;
  const slotBase = t.obj.slotBase[o];
  const count = t.obj.e_shnum[o];
  const grouped = t.obj.groupCount[o] != 0;
  // A group's last seen member stands in group.record, whose use is over; ring closed below.
  if (grouped) {
    const end = t.obj.groupBase[o] + t.obj.groupCount[o];
    for (let g = t.obj.groupBase[o]; g < end; g++) t.group.record[g] = 0;
  }
  for (let i: u32 = 1; i < count; i++) {
    const row = slot.isec[slotBase + i];
    if (row == 0) continue;
    // A merge section with relocations is copied as it is: its pieces have no identity of their own.
    if (isec.relaCount[row] != 0 && isec.kind[row] == ISEC_MERGE) isec.kind[row] = <u8>ISEC_REGULAR;
    const link = isec.link[row];
    if (link != 0) {
      const kind = isec.kind[link];
      if (kind == ISEC_EH_FRAME || (kind == ISEC_MERGE && isec.relaCount[link] == 0)) report(ISSUE_BAD_OBJECT, o, row, i, ERR_LINK_ORDER_KIND, 0);
      isec.nextDependent[row] = isec.dependent[link];
      isec.dependent[link] = row;
    }
    const g = grouped ? slot.group[slotBase + i] : 0;
    if (g == 0) continue;
    const last = t.group.record[g];
    if (last == 0) {
      isec.nextInGroup[row] = row;
    } else {
      isec.nextInGroup[row] = isec.nextInGroup[last];
      isec.nextInGroup[last] = row;
    }
    t.group.record[g] = row;
  }
  if (grouped) openUnloadedGroups(o);
}

/** A group without allocated sections is not collected: debug information of types has no reference to it (as lld). */
function openUnloadedGroups(o: u32): void {
  const t = tables();
  const next = t.isec.nextInGroup;
  const end = t.obj.groupBase[o] + t.obj.groupCount[o];
  for (let g = t.obj.groupBase[o]; g < end; g++) {
    const last = t.group.record[g];
    if (last == 0) continue;
    let row = last;
    let loaded = false;
    do {
      if (t.isec.sh_flags[row] & SHF_ALLOC) loaded = true;
      row = next[row];
    } while (row != last && !loaded);
    if (loaded) continue;
    for (row = last; next[row] != 0;) {
      const after = next[row];
      next[row] = 0;
      row = after;
    }
  }
}

/**
 * File ranges that hold the relocations of the object's allocated sections, as f64 pairs (from, to) at `out`, at most
 * `limit` pairs; ranges closer than 4 KiB are joined. Returns the number of pairs.
 */
export function relaRanges(o: u32, out: u32, limit: u32): u32 {
  const t = tables();
  const isec = t.isec;
  const end = t.obj.isecBase[o] + t.obj.isecCount[o];
  let pairs: u32 = 0;
  for (let row = t.obj.isecBase[o]; row < end; row++) {
    if (isec.relaCount[row] == 0 || isec.rela[row] != 0 || !(isec.sh_flags[row] & SHF_ALLOC)) continue;
    const from = isec.relaOffset[row];
    const to = from + <f64>isec.relaCount[row] * RELA_BYTES;
    const last = out + ((pairs - 1) << 4);
    if (pairs != 0 && from >= load<f64>(last) && (from <= load<f64>(last, 8) + 4096 || pairs == limit)) {
      if (to > load<f64>(last, 8)) store<f64>(last, to, 8);
    } else if (pairs != 0 && pairs == limit) {
      if (from < load<f64>(last)) store<f64>(last, from);
      if (to > load<f64>(last, 8)) store<f64>(last, to, 8);
    } else {
      store<f64>(out + (pairs << 4), from);
      store<f64>(out + (pairs << 4), to, 8);
      pairs++;
    }
  }
  return pairs;
}

/** Points the allocated sections of `o` at their relocations, once the `pairs` ranges lie one after the other at `at`. */
export function bindRelas(o: u32, ranges: u32, pairs: u32, at: u32): void {
  const t = tables();
  const isec = t.isec;
  const end = t.obj.isecBase[o] + t.obj.isecCount[o];
  let pair: u32 = 0;
  let start = at;
  for (let row = t.obj.isecBase[o]; row < end; row++) {
    if (isec.relaCount[row] == 0 || isec.rela[row] != 0 || !(isec.sh_flags[row] & SHF_ALLOC)) continue;
    const from = isec.relaOffset[row];
    while (pair + 1 < pairs && !(from >= load<f64>(ranges + (pair << 4)) && from < load<f64>(ranges + (pair << 4), 8))) {
      start += <u32>(load<f64>(ranges + (pair << 4), 8) - load<f64>(ranges + (pair << 4)));
      pair++;
    }
    isec.rela[row] = start + <u32>(from - load<f64>(ranges + (pair << 4)));
  }
}
