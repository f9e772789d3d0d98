/**
 * The symbol table of an object that was replaced by one with another: which mentions of names have come and gone, whether the replay of
 * resolve-symbols would end as it did, and the order in which names are mentioned now.
 *
 * As in patch-object.ts, the rule is to refuse: 0 = link from the beginning. What each refusal is there for is said in
 * ts/passes/patch-symbols.ts. The records of the new object have been read (readSymbols) when this begins.
 */
import { params, tables } from "../shared/tables.ts";
import { SYM_NEEDS } from "../lib/symbol-flags.ts";
import { equal, strlen } from "../lib/bytes.ts";
import { SPECIAL_FLAGS } from "../lib/needs.ts";
import { keepGlobal } from "./emit-symtab.ts";
import {
  ISEC_MERGE, ISEC_REGULAR, ISEC_SYNTHETIC, NAME_COMES, NAME_GOES, NAME_IS_DEFINED, NAME_LAZY, NAME_OTHER, NAME_SEEN, NAME_SHARED, NAME_STRONG, OBJ_RELOCATABLE,
  OBJ_SHARED, OBJF_EXCLUDE_LIBS, OBJF_LAZY, REC_COMMON, REC_DEFAULT_VERSION, REC_DEFINED, REC_SIGNATURE, REC_UNUSED, REC_VERSIONED, STT_MENTION, SYM_ADDRESS_TAKEN,
  SYM_DEFINED, SYM_DISCARDED, SYM_EXPORTED, SYM_KIND_MASK, SYM_REF_STRONG, SYM_ROOT, SYM_IN_OSEC, SYM_SECTION, SYM_SHARED, SYM_TLS, SYM_USED_REGULAR, SYM_WEAK,
  OLD_SYMTAB, OLD_SYMBOLS, OLD_FIRST_GLOBAL, OLD_ESYM_BASE, OLD_KEYS, SYMBOL_KEY_BYTES,
} from "../shared/abi.ts";
import {
  SHN_LORESERVE, SHN_UNDEF, SHN_XINDEX, ST_INFO, ST_OTHER, ST_SHNDX, ST_SIZE, ST_VALUE, STB_GLOBAL, STB_WEAK, STT_NOTYPE, STT_SECTION, STT_TLS, STV_DEFAULT, SYM_BYTES, VER_NDX_GLOBAL,
} from "../shared/elf.ts";

/** With one of these, or an `aux` row, a symbol's row decides about more than the symbol. */
const NEEDED: u32 = SYM_EXPORTED | SYM_ROOT | SYM_NEEDS | SYM_ADDRESS_TAKEN;

// ---- what references lead to ----

/** Per symbol: what a reference to it leads to (u64, KEY_* and kind in the upper half), and the row of a global (u32, 0 = local). */
export const KEY_BYTES: u32 = SYMBOL_KEY_BYTES;
export const KEY_ID: u32 = 8;
/** Upper half: the lower one is a row of `sym`, or of `piece`; else of `isec`. */
export const KEY_ROW: u32 = 1 << 31;
const KEY_PIECE: u32 = 1 << 30;
/** Of the symbol's flags in the upper half. */
const KEY_FLAGS: u32 = SYM_KIND_MASK | SPECIAL_FLAGS;

/**
 * Writes the keys of the symbols of object `o` to `out`. Symbols with the same key are one to all passes before relocate, where a
 * relocation asks for no more than an address.
 */
export function symbolKeys(o: u32, out: u32): void {
  const t = tables();
  const sym = t.sym;
  const count = t.obj.esymCount[o];
  const globals = params().globalSyms;
  for (let i: u32 = 0; i < count; i++) {
    const row = t.esym.sym[t.obj.esymBase[o] + i];
    const flags = sym.flags[row];
    const isec = sym.isec[row];
    let upper = flags & KEY_FLAGS;
    let lower = isec;
    const plain = (flags & SYM_KIND_MASK) == SYM_DEFINED && !(flags & SPECIAL_FLAGS) && isec != 0;
    if (row < globals ? !plain : sym.aux[row] != 0) {
      upper |= KEY_ROW;
      lower = row;
    } else if (isec && t.isec.kind[isec] == ISEC_MERGE) {
      upper |= flags & SYM_SECTION;
      if (!(flags & SYM_SECTION)) {
        upper |= KEY_PIECE;
        lower = sym.piece[row];
      }
    }
    const at = out + i * KEY_BYTES;
    store<u64>(at, (<u64>upper << 32) | <u64>lower);
    store<u32>(at, row < globals ? row : 0, KEY_ID);
  }
}

/** Has object `o` the symbols it had, but for values and sizes? The old tables were at `symtab` and `strtab`. */
export function sameSymbols(o: u32, symtab: u32, count: u32, strtab: u32, strtabBytes: u32): bool {
  const obj = tables().obj;
  if (count != obj.esymCount[o] || strtabBytes != obj.strtabBytes[o] || !equal(strtab, obj.strtab[o], strtabBytes)) return false;
  for (let i: u32 = 0; i < count; i++) if (load<u64>(symtab + i * SYM_BYTES) != load<u64>(obj.symtab[o] + i * SYM_BYTES)) return false;
  return true;
}

// ---- names ----

/**
 * Finds the names that the records of object `o` mention in the index at `table`; those that are new get the rows from `next` on, up to
 * `limit`, and are entered. `free`: its sections are others, too. Returns the next free row, 0 = refused: other COMDAT groups, no more room.
 */
export function bindMentions(o: u32, table: u32, slots: u32, next: u32, limit: u32, free: u32): u32 {
  const t = tables();
  const record = t.record;
  const gsym = t.gsym;
  const mask = slots - 1;
  let unused = next;
  for (let row = t.obj.recordBase[o], end = row + t.obj.recordCount[o]; row < end; row++) {
    if (record.flags[row] & REC_UNUSED) continue;
    const a = record.h0[row];
    const b = record.h1[row];
    let at = <u32>a & mask;
    let id = load<u32>(table + (at << 2));
    while (id != 0 && (gsym.h0[id] != a || gsym.h1[id] != b)) {
      at = (at + 1) & mask;
      id = load<u32>(table + (at << 2));
    }
    if (id == 0) {
      if (unused >= limit) return 0;
      id = unused++;
      gsym.h0[id] = a;
      gsym.h1[id] = b;
      gsym.name[id] = record.name[row];
      gsym.nameBytes[id] = record.nameBytes[row];
      store<u32>(table + (at << 2), id);
    }
    record.sym[row] = id;
  }
  if (free) return unused;
  for (let g = t.obj.groupBase[o], end = g + t.obj.groupCount[o]; g < end; g++) {
    if (t.group.comdat[g] && record.sym[t.group.record[g]] != t.group.name[g]) return 0;
  }
  return unused;
}

/** Is a mention with these record flags and this entry one that can come and go? */
// @ts-ignore: decorator
@inline
function isPlainMention(entry: u32, id: u32, anyVisibility: bool): bool {
  const name = tables().gsym.name[id];
  const bytes = tables().gsym.nameBytes[id];
  return (anyVisibility || (load<u8>(entry, ST_OTHER) & 3) == STV_DEFAULT) && strlen(name) == bytes && !isSetName(name);
}

/** "__start_", "__stop_": names that mean sections (linker-defined.ts). */
// @ts-ignore: decorator
@inline
function isSetName(name: u32): bool {
  return load<u32>(name) == 0x74735f5f;
}

/** A reference without a type, or to what is thread-local with that type: no conflict to look for (settle-symbols.ts). */
// @ts-ignore: decorator
@inline
function isPlainReference(entry: u32, id: u32): bool {
  const type = <u32>load<u8>(entry, ST_INFO) & 15;
  return type == STT_NOTYPE || (type == STT_TLS && (tables().sym.flags[id] & SYM_TLS) != 0);
}

/**
 * Compares the mentions of object `o`, of which `old` says what was, with the new ones. Those that come or go are listed at `changed` (u32 rows), what they are is in `marks` (u8 per
 * global, zeroed: NAME_*). `was`, `now`: u32 per global, zeroed. Binds the new symbols to their names. `free`: the object's sections are others,
 * have their rows, and those of symbols are as set-visibility left them. Returns 1 + how many, 0 = refused.
 */
export function compareMentions(o: u32, old: u32, was: u32, now: u32, marks: u32, changed: u32, free: u32): u32 {
  const t = tables();
  const obj = t.obj;
  const record = t.record;
  const first = obj.firstGlobal[o];
  const end = obj.esymCount[o];
  const esymBase = obj.esymBase[o];
  const symtab = load<u32>(old + OLD_SYMTAB);
  const count = load<u32>(old + OLD_SYMBOLS);
  const firstGlobal = load<u32>(old + OLD_FIRST_GLOBAL);
  const base = load<u32>(old + OLD_ESYM_BASE);
  const keys = load<u32>(old + OLD_KEYS);
  if (obj.flags[o] & OBJF_EXCLUDE_LIBS) return 0;
  for (let i = firstGlobal; i < count; i++) {
    const id = load<u32>(keys + i * KEY_BYTES, KEY_ID);
    // One name twice in a table, or one that stands for another.
    if (id == 0 || load<u32>(was + (id << 2))) return 0;
    store<u32>(was + (id << 2), i + 1);
  }
  let found: u32 = 0;
  for (let i = first; i < end; i++) {
    const row = obj.recordBase[o] + (i - first);
    const id = record.sym[row];
    if (record.flags[row] & (REC_UNUSED | REC_SIGNATURE) || id == 0 || load<u32>(now + (id << 2))) return 0;
    store<u32>(now + (id << 2), i + 1);
    t.esym.sym[esymBase + i] = id;
    const entry = obj.symtab[o] + i * SYM_BYTES;
    const place = load<u32>(was + (id << 2));
    if (place) {
      const from = symtab + (place - 1) * SYM_BYTES;
      if (free) {
        if (!sameHome(o, id, from, entry, base + place - 1, esymBase + i)) return 0;
        continue;
      }
      if (load<u32>(from, ST_INFO) != load<u32>(entry, ST_INFO)) return 0; // st_info, st_other, st_shndx
      if (t.gsym.obj[id] == o && t.gsym.esym[id] == base + place - 1) t.gsym.esym[id] = esymBase + i;
      if (!patchValue(esymBase + i, id, false, from, entry)) return 0;
      continue;
    }
    const flags = record.flags[row];
    const defines = (flags & REC_DEFINED) != 0;
    const again = free != 0 && defines && isWeakCopy(o, id, entry);
    if (flags & (REC_COMMON | REC_VERSIONED | REC_DEFAULT_VERSION) || !isPlainMention(entry, id, again || (free != 0 && defines))) return 0;
    if (defines ? !again && !comes(o, id, entry) : !isPlainReference(entry, id)) return 0;
    store<u8>(marks + id, defines && !again ? <u8>(NAME_COMES | NAME_IS_DEFINED) : <u8>NAME_COMES);
    store<u32>(changed + (found++ << 2), id);
  }
  for (let i = firstGlobal; i < count; i++) {
    const id = load<u32>(keys + i * KEY_BYTES, KEY_ID);
    if (load<u32>(now + (id << 2))) continue;
    const entry = symtab + i * SYM_BYTES;
    const defined = load<u16>(entry, ST_SHNDX) != SHN_UNDEF;
    const again = free != 0 && defined && isWeakCopy(o, id, entry);
    if (!isPlainMention(entry, id, again || (free != 0 && defined))) return 0;
    if (defined ? !again && (t.gsym.obj[id] != o || t.gsym.esym[id] != base + i || !(free ? canVanish(id, entry) : canGo(id))) : !isPlainReference(entry, id)) return 0;
    store<u8>(marks + id, defined && !again ? <u8>(NAME_GOES | NAME_IS_DEFINED) : <u8>NAME_GOES);
    store<u32>(changed + (found++ << 2), id);
  }
  return found + 1;
}

/** Where a symbol's section index leads: nowhere, to a section, or what the index itself says. */
// @ts-ignore: decorator
@inline
function homeKind(entry: u32): u32 {
  const shndx = <u32>load<u16>(entry, ST_SHNDX);
  return shndx != SHN_UNDEF && shndx < <u32>SHN_LORESERVE ? 1 : shndx;
}

/**
 * Is the entry of `id` one that the replay treats as the old one, whatever its section is now? Where it is the definition that counts, its
 * place is noted. `was`, `now`: its esym rows.
 */
function sameHome(o: u32, id: u32, from: u32, entry: u32, was: u32, now: u32): bool {
  const t = tables();
  if (load<u16>(from, ST_INFO) != load<u16>(entry, ST_INFO) || homeKind(from) != homeKind(entry)) return false; // st_info, st_other
  const kind = homeKind(entry);
  if (kind == SHN_UNDEF) return true;
  if (kind != 1 && (load<u64>(from, ST_VALUE) != load<u64>(entry, ST_VALUE) || load<u64>(from, ST_SIZE) != load<u64>(entry, ST_SIZE))) return false;
  const isec = kind == 1 ? t.slot.isec[t.obj.slotBase[o] + <u32>load<u16>(entry, ST_SHNDX)] : 0;
  // A strong one that does not count is in a copy that is not kept.
  if (t.gsym.esym[id] != was) return kind != 1 || load<u8>(entry, ST_INFO) >> 4 != STB_GLOBAL || isec == 0;
  if (kind == 1) {
    if (((t.sym.flags[id] & SYM_KIND_MASK) == SYM_DEFINED) != (isec != 0)) return false;
    t.gsym.size[id] = <f64>load<u64>(entry, ST_SIZE);
  }
  t.gsym.esym[id] = now;
  return true;
}

/** A definition that comes too late to count, of a name that is weak here: one that an object before `o` has defined. */
function isWeakCopy(o: u32, id: u32, entry: u32): bool {
  const t = tables();
  const bind = <u32>load<u8>(entry, ST_INFO) >> 4;
  const owner = t.gsym.obj[id];
  const vis = load<u8>(entry, ST_OTHER) & 3;
  if (bind == STB_GLOBAL || homeKind(entry) != 1 || (t.sym.flags[id] & SYM_KIND_MASK) != SYM_DEFINED || t.obj.kind[owner] != OBJ_RELOCATABLE) return false;
  if (t.obj.seq[owner] == 0 || t.obj.seq[owner] >= t.obj.seq[o]) return false;
  // The definition that counts has said as much about its visibility.
  const said = load<u8>(t.obj.symtab[owner] + (t.gsym.esym[id] - t.obj.esymBase[owner]) * SYM_BYTES, ST_OTHER) & 3;
  return vis == STV_DEFAULT || (said != STV_DEFAULT && said <= vis);
}

/** Is the definition of `id`, which was `entry`, one that a link is without when nobody else mentions the name? */
// @ts-ignore: decorator
@inline
function canVanish(id: u32, entry: u32): bool {
  return (tables().sym.flags[id] & (SYM_KIND_MASK | SYM_ROOT)) == SYM_DEFINED && homeKind(entry) == 1 && !tables().gsym.groupOwner[id];
}

/** Has the definition of `id` no effect but the symbol itself? */
// @ts-ignore: decorator
@inline
function canGo(id: u32): bool {
  const flags = tables().sym.flags[id];
  const row = tables().sym.isec[id];
  return (flags & SYM_KIND_MASK) == SYM_DEFINED && !(flags & NEEDED) && !tables().sym.aux[id] && row != 0 && tables().isec.kind[row] != ISEC_SYNTHETIC && !tables().gsym.groupOwner[id];
}

/** A name that nobody has defined: can object `o` do it with `entry`? In a section that is kept, so that it is the definition that counts. */
function comes(o: u32, id: u32, entry: u32): bool {
  const t = tables();
  const bind = <u32>load<u8>(entry, ST_INFO) >> 4;
  const shndx = <u32>load<u16>(entry, ST_SHNDX);
  if ((bind != STB_GLOBAL && bind != STB_WEAK) || shndx >= <u32>SHN_LORESERVE || (<u32>load<u8>(entry, ST_INFO) & 15) == STT_SECTION) return false;
  const row = t.slot.isec[t.obj.slotBase[o] + shndx];
  const owner = t.gsym.groupOwner[id];
  return row != 0 && (t.isec.kind[row] == ISEC_REGULAR || t.isec.kind[row] == ISEC_MERGE) && (!owner || t.group.obj[owner - 1] == o);
}

/** Value and size of the symbol of esym row `e`, row `row`, as they were at `from` and are at `to`: only where a definition's own section holds it. */
export function patchValue(e: u32, row: u32, local: bool, from: u32, to: u32): bool {
  if (load<u64>(from, ST_VALUE) == load<u64>(to, ST_VALUE) && load<u64>(from, ST_SIZE) == load<u64>(to, ST_SIZE)) return true;
  const sym = tables().sym;
  const gsym = tables().gsym;
  const shndx = <u32>load<u16>(to, ST_SHNDX);
  if (shndx == SHN_UNDEF || (shndx >= <u32>SHN_LORESERVE && shndx != SHN_XINDEX)) return false;
  const kind = sym.flags[row] & SYM_KIND_MASK;
  // Another object's definition counts.
  if (!local && gsym.esym[row] != e) return kind == SYM_DEFINED || kind == SYM_DISCARDED;
  if (kind == SYM_DISCARDED) return true;
  const section = sym.isec[row];
  if (kind != SYM_DEFINED || !section || tables().isec.kind[section] != ISEC_REGULAR || sym.value[row] != load<u64>(from, ST_VALUE)) return false;
  sym.value[row] = load<u64>(to, ST_VALUE);
  if (!local) gsym.size[row] = <f64>load<u64>(to, ST_SIZE);
  return true;
}

// ---- the order of names ----

/** Mentions in object `q`, or the linker's own that give no place (`own`): names that have none yet are appended at `order`. `o`: the object whose names come and go. */
function addMentions(q: u32, own: bool, order: u32, marks: u32, o: u32, count: u32): u32 {
  const obj = tables().obj;
  const esym = tables().esym.sym;
  const base = obj.esymBase[q];
  let place = count;
  for (let e = base + obj.firstGlobal[q], end = base + obj.esymCount[q]; e < end; e++) {
    const id = esym[e];
    if (id == 0 || (q == 1 && ((<u32>load<u8>(obj.symtab[1] + (e - base) * SYM_BYTES, ST_INFO) & 15) == STT_MENTION) != own)) continue;
    const mark = load<u8>(marks + id);
    if (!(mark & NAME_SEEN)) store<u32>(order + (++place << 2), id);
    if (mark & (NAME_COMES | NAME_GOES)) store<u8>(marks + id, mark | <u8>(NAME_SEEN | mentionBits(q, o, obj.symtab[q] + (e - base) * SYM_BYTES)));
    else if (!(mark & NAME_SEEN)) store<u8>(marks + id, mark | <u8>NAME_SEEN);
  }
  return place;
}

/** What a mention in object `q` is to object `o`: a member that is not taken into the link only offers its definitions. */
function mentionBits(q: u32, o: u32, entry: u32): u32 {
  const obj = tables().obj;
  if (q == o) return 0;
  if (q == 1) return NAME_OTHER; // options
  if (obj.kind[q] == OBJ_SHARED) return NAME_OTHER | NAME_SHARED;
  const defines = load<u16>(entry, ST_SHNDX) != SHN_UNDEF;
  const offers = defines && obj.flags[q] & OBJF_LAZY ? NAME_LAZY : 0;
  if (!obj.seq[q]) return offers;
  return NAME_OTHER | offers | (!defines && load<u8>(entry, ST_INFO) >> 4 == STB_GLOBAL ? NAME_STRONG : 0);
}

/**
 * Lists the globals at `order` (u32, from place 1 on) as intern-names numbers them: by first mention, with what only the linker itself mentions
 * last. Adds to `marks` NAME_SEEN, and of names that come or go who else than object `o` mentions them. Returns how many.
 */
export function orderNames(order: u32, marks: u32, o: u32): u32 {
  let count: u32 = 0;
  for (let q: u32 = 1, rows = tables().obj.rows; q < rows; q++) count = addMentions(q, false, order, marks, o, count);
  return addMentions(1, true, order, marks, o, count);
}

/**
 * Is this order (orderNames) of a link from the beginning the one that its rows are in? Not where signatures of groups, versions or
 * redirected names have a say.
 */
export function isRowOrder(order: u32, count: u32, marks: u32): bool {
  const t = tables();
  const gsym = t.gsym;
  let last: u32 = 0;
  for (let i: u32 = 1; i <= count; i++) {
    const id = load<u32>(order + (i << 2));
    if (!(t.sym.flags[id] & SYM_USED_REGULAR)) continue; // never written
    if (id < last || t.esym.sym[gsym.firstEsym[id]] != id || load<u8>(gsym.name[id] + gsym.nameBytes[id]) == 0x40) return false;
    last = id;
  }
  for (let id: u32 = 1; id < gsym.rows; id++) if (keepGlobal(id) && !(load<u8>(marks + id) & NAME_SEEN)) return false;
  return true;
}

/** Are the names whose rows decide about the order of other tables still in that of their rows? */
export function keepsTables(order: u32, count: u32): bool {
  const sym = tables().sym;
  const kind = tables().isec.kind;
  let last: u32 = 0;
  for (let i: u32 = 1; i <= count; i++) {
    const id = load<u32>(order + (i << 2));
    const flags = sym.flags[id];
    const made = (flags & SYM_KIND_MASK) == SYM_DEFINED && kind[sym.isec[id]] == ISEC_SYNTHETIC;
    if (!(flags & NEEDED) && !sym.aux[id] && !made && !tables().gsym.dynsym[id]) continue;
    if (id < last) return false;
    last = id;
  }
  return true;
}

// ---- what comes and goes ----

/** Would the replay end with this definition of `id`, whether or not object `o` refers to it? `mark`: who else mentions it. */
function isSettled(o: u32, id: u32, mark: u32): bool {
  const t = tables();
  const flags = t.sym.flags[id];
  const owner = t.gsym.obj[id];
  const kind = flags & SYM_KIND_MASK;
  if (kind == SYM_SHARED) {
    // One reference of many: not the first, and not the only strong one.
    return (mark & (NAME_COMES | NAME_STRONG)) != 0 && !(mark & NAME_LAZY) && !(flags & SYM_WEAK) && (flags & (SYM_REF_STRONG | SYM_USED_REGULAR)) == (SYM_REF_STRONG | SYM_USED_REGULAR);
  }
  // The linker's own, which another object wants, too.
  if (kind == SYM_IN_OSEC && owner == 1) return (mark & (NAME_STRONG | NAME_LAZY | NAME_SHARED)) == NAME_STRONG && !(flags & (SYM_ROOT | SYM_TLS));
  if (kind != SYM_DEFINED || t.obj.kind[owner] != OBJ_RELOCATABLE || !t.obj.seq[owner] || t.isec.kind[t.sym.isec[id]] == ISEC_SYNTHETIC) return false;
  return t.obj.seq[owner] < t.obj.seq[o] || !(mark & (NAME_LAZY | NAME_SHARED));
}

/**
 * Of the `count` names at `changed`, which `marks` say what is to happen to and who mentions them: definitions appear and disappear
 * (fillSymbols and set-visibility do the rest). `now`: places in the symbol table of object `o`. 0 = refused.
 */
export function settleMentions(o: u32, changed: u32, count: u32, marks: u32, now: u32): u32 {
  const t = tables();
  const gsym = t.gsym;
  const sym = t.sym;
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u32>(changed + (i << 2));
    const mark = <u32>load<u8>(marks + id);
    if (!(mark & NAME_IS_DEFINED)) {
      const place = load<u32>(now + (id << 2));
      const weak = place != 0 && load<u8>(t.obj.symtab[o] + (place - 1) * SYM_BYTES, ST_INFO) >> 4 == STB_WEAK;
      if (!isSettled(o, id, mark) || (weak && (sym.flags[id] & SYM_KIND_MASK) == SYM_SHARED)) return 0;
      continue;
    }
    if (mark & NAME_OTHER) return 0;
    sym.isec[id] = 0;
    sym.value[id] = 0;
    sym.addr[id] = 0;
    sym.piece[id] = 0;
    sym.flags[id] = 0;
    gsym.obj[id] = 0;
    gsym.esym[id] = 0;
    gsym.size[id] = 0;
    gsym.bind[id] = 0;
    gsym.type[id] = 0;
    gsym.vis[id] = 0;
    if (mark & NAME_GOES) continue;
    const index = load<u32>(now + (id << 2)) - 1;
    const entry = t.obj.symtab[o] + index * SYM_BYTES;
    const info = load<u8>(entry, ST_INFO);
    gsym.obj[id] = o;
    gsym.esym[id] = t.obj.esymBase[o] + index;
    gsym.size[id] = <f64>load<u64>(entry, ST_SIZE);
    gsym.bind[id] = info >> 4;
    gsym.type[id] = info & 15;
    gsym.vis[id] = load<u8>(entry, ST_OTHER) & 3;
    gsym.ver[id] = VER_NDX_GLOBAL;
    sym.flags[id] = SYM_DEFINED | SYM_USED_REGULAR | (info >> 4 == STB_WEAK ? SYM_WEAK : 0);
  }
  return 1;
}

/** Is any definition among the `count` names at `changed` one that others than its object know? */
export function anyNeeded(changed: u32, count: u32, marks: u32): bool {
  const flags = tables().sym.flags;
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u32>(changed + (i << 2));
    if (load<u8>(marks + id) & NAME_IS_DEFINED && flags[id] & NEEDED) return true;
  }
  return false;
}

/** Does anything of `aux` belong to symbols [from, to)? */
export function anyAux(from: u32, to: u32): bool {
  const aux = tables().sym.aux;
  for (let i = from; i < to; i++) if (aux[i]) return true;
  return false;
}

/** Symbols [from, to) as if nothing had been said of them. */
export function clearSymbols(from: u32, to: u32): void {
  const sym = tables().sym;
  for (let i = from; i < to; i++) {
    sym.flags[i] = 0;
    sym.isec[i] = 0;
    sym.value[i] = 0;
    sym.addr[i] = 0;
    sym.piece[i] = 0;
  }
}
