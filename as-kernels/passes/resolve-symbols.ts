/**
 * One exact serial replay of lld's resolution over interned ids: files in command-line order, archive members extracted
 * depth first when they define something strongly wanted, COMDAT winners by inclusion order, definitions by lld's rules.
 *
 * Serial on purpose: archive semantics are an order, and once names are ids the whole replay costs some 10 ns a symbol.
 * A definition in a COMDAT copy that lost counts while files are read, as in lld, and is taken back at the end (settle).
 * Conflicts are only suspected here (params.suspects); settle-symbols.ts looks again, when every symbol has its final definition.
 */
import { params, tables } from "../shared/tables.ts";
import { report } from "../lib/issue.ts";
import {
  ERR_COMMON_ALIGN, ISSUE_BAD_OBJECT, ISSUE_WARN_COMMON, OBJF_LAZY, OBJ_SHARED, REC_ALIAS, REC_COMMON, REC_DEFAULT_VERSION, REC_DEFINED, REC_MENTION, REC_SIGNATURE, REC_UNUSED, REC_WEAK,
  SUSPECT_CONFLICT, SUSPECT_LOST, SYM_COMMON, SYM_DEFINED, SYM_KIND_MASK, SYM_LAZY, SYM_REF_STRONG, SYM_SHARED, SYM_TLS, SYM_UNDEF,
  SYM_USED_REGULAR, SYM_USED_SHARED, SYM_WEAK,
} from "../shared/abi.ts";
import { STB_GLOBAL, STB_WEAK, STT_FUNC, STT_GNU_IFUNC, STT_NOTYPE, STT_TLS, STV_DEFAULT, ST_INFO, ST_OTHER, ST_SIZE, ST_VALUE } from "../shared/elf.ts";
import { entryOf, isLargeCommon, sectionOf } from "../lib/symbol-entry.ts";

// State of one replay, at `state` (see resolveObjects): u32 cells
const ST_SEQ: u32 = 0; // objects included so far
const ST_INCLUDED: u32 = 4; // address of u32 obj rows in inclusion order, 1-based
const ST_STACK: u32 = 8; // address of (obj, next record) pairs
const ST_DONE: u32 = 12; // objects finished so far

/** The most constraining of two visibilities (gABI ch. 4 Symbol Visibility): internal < hidden < protected, default last. */
// @ts-ignore: decorator
@inline
function mergeVisibility(id: u32, vis: u8): void {
  if (vis == STV_DEFAULT) return;
  const column = tables().gsym.vis;
  const old = column[id];
  if (old == STV_DEFAULT || vis < old) column[id] = vis;
}

// @ts-ignore: decorator
@inline
function setKind(id: u32, kind: u32): void {
  const flags = tables().sym.flags;
  flags[id] = (flags[id] & ~SYM_KIND_MASK) | kind;
}

/** Records the definition `esym` of object `o` as the one that counts. */
function define(id: u32, o: u32, esym: u32, entry: u32, kind: u32): void {
  const gsym = tables().gsym;
  const flags = tables().sym.flags;
  const info = load<u8>(entry, ST_INFO);
  gsym.obj[id] = o;
  gsym.esym[id] = esym;
  gsym.bind[id] = info >> 4;
  // An indirect function of a shared object is a function as any other: who calls it goes through a PLT entry anyway (as lld).
  gsym.type[id] = kind == SYM_SHARED && (info & 15) == STT_GNU_IFUNC ? <u8>STT_FUNC : info & 15;
  gsym.size[id] = <f64>load<u64>(entry, ST_SIZE);
  const old = flags[id] & SYM_KIND_MASK;
  let bits = (flags[id] & ~(SYM_KIND_MASK | SYM_WEAK | SYM_TLS)) | kind;
  if (info >> 4 == STB_WEAK) bits |= SYM_WEAK;
  if ((info & 15) == STT_TLS) {
    bits |= SYM_TLS;
    if (old != SYM_UNDEF && old != SYM_LAZY && !(flags[id] & SYM_TLS)) suspect(SUSPECT_CONFLICT);
  }
  // A shared object that defines it too will look for ours first: it has to be exported.
  if (old == SYM_SHARED && kind != SYM_SHARED) bits |= SYM_USED_SHARED;
  flags[id] = bits;
}

/** Something that settle-symbols must look at: SUSPECT_*. */
// @ts-ignore: decorator
@inline
function suspect(what: u32): void {
  params().suspects |= what;
}

/** A definition in a section or an absolute one. `lost`: its COMDAT copy is not the one that is kept. `versioned`: as `x@@V`. */
function defineRegular(id: u32, o: u32, esym: u32, entry: u32, lost: bool, versioned: bool): void {
  const kind = tables().sym.flags[id] & SYM_KIND_MASK;
  const bind = load<u8>(entry, ST_INFO) >> 4;
  if (kind == SYM_COMMON) {
    if (params().warnCommon) report(ISSUE_WARN_COMMON, o, 0, esym - tables().obj.esymBase[o], <u64>id, 1);
    if (bind == STB_WEAK) return;
  } else if (kind == SYM_DEFINED) {
    // The first definition wins among equals; a strong one replaces weak and unique ones.
    const old = tables().gsym.bind[id];
    if (!lost && bind != STB_WEAK) suspect(SUSPECT_CONFLICT);
    // `.symver x, x@@V` defines x twice in one object: the version counts (lld).
    const again = versioned && tables().gsym.obj[id] == o;
    if ((old == STB_GLOBAL && !again) || bind != STB_GLOBAL) return;
  }
  define(id, o, esym, entry, SYM_DEFINED);
  if (lost) suspect(SUSPECT_LOST);
}

function defineCommon(id: u32, o: u32, esym: u32, entry: u32): void {
  const gsym = tables().gsym;
  const kind = tables().sym.flags[id] & SYM_KIND_MASK;
  const size = <f64>load<u64>(entry, ST_SIZE);
  // st_value of a common is its alignment (gABI ch. 4 Symbol Values)
  const value = load<u64>(entry, ST_VALUE);
  if (value == 0 || value >= 0xffffffff) report(ISSUE_BAD_OBJECT, o, 0, esym - tables().obj.esymBase[o], ERR_COMMON_ALIGN, value);
  const align: u8 = value > 1 ? <u8>(64 - clz<u64>(value - 1)) : 0;
  if (params().warnCommon && (kind == SYM_COMMON || (kind == SYM_DEFINED && gsym.bind[id] != STB_WEAK))) {
    report(ISSUE_WARN_COMMON, o, 0, esym - tables().obj.esymBase[o], <u64>id, <u64>(kind == SYM_DEFINED));
  }
  if (kind == SYM_COMMON) {
    if (align > gsym.align[id]) gsym.align[id] = align;
    // The largest counts; but small code reaches no large one (GNU ld).
    const large = isLargeCommon(entry);
    const wasLarge = isLargeCommon(entryOf(gsym.obj[id], gsym.esym[id]));
    if (large == wasLarge ? size > gsym.size[id] : wasLarge) {
      gsym.obj[id] = o;
      gsym.esym[id] = esym;
    }
    if (size > gsym.size[id]) gsym.size[id] = size;
    return;
  }
  if (kind == SYM_DEFINED && gsym.bind[id] != STB_WEAK) return;
  const before = gsym.size[id];
  define(id, o, esym, entry, SYM_COMMON);
  gsym.align[id] = align;
  if (kind == SYM_SHARED && before > size) gsym.size[id] = before;
}

/** Symbols a shared object brings: definitions fill what is undefined or lazy; strong references extract members. */
function addShared(state: u32, o: u32): void {
  const t = tables();
  const record = t.record;
  const gsym = t.gsym;
  const symFlags = t.sym.flags;
  const end = t.obj.recordBase[o] + t.obj.recordCount[o];
  for (let row = t.obj.recordBase[o]; row < end; row++) {
    const flags = record.flags[row];
    if (flags & REC_UNUSED) continue;
    const id = record.sym[row];
    const kind = symFlags[id] & SYM_KIND_MASK;
    if (!(flags & REC_DEFINED)) {
      // Weak, and the first mention of all: a member that defines it later is not extracted (lld).
      if (flags & REC_WEAK && kind == SYM_UNDEF && !(symFlags[id] & (SYM_USED_REGULAR | SYM_USED_SHARED))) symFlags[id] |= SYM_WEAK;
      symFlags[id] |= SYM_USED_SHARED;
      if (kind == SYM_LAZY && !(flags & REC_WEAK)) extract(state, gsym.lazy[id], o, id);
      continue;
    }
    if (kind == SYM_COMMON || kind == SYM_DEFINED) {
      symFlags[id] |= SYM_USED_SHARED;
      const size = <f64>load<u64>(entryOf(o, record.esym[row]), ST_SIZE);
      if (kind == SYM_COMMON && size > gsym.size[id]) gsym.size[id] = size;
    } else if (gsym.vis[id] == STV_DEFAULT && (kind == SYM_UNDEF || kind == SYM_LAZY)) {
      // The binding of the reference stays: a weak reference to a shared definition is weak.
      const bind = gsym.bind[id];
      const weak = symFlags[id] & SYM_WEAK;
      const esym = record.esym[row];
      define(id, o, esym, entryOf(o, esym), SYM_SHARED);
      if (symFlags[id] & SYM_USED_REGULAR) {
        gsym.bind[id] = bind;
        symFlags[id] = (symFlags[id] & ~SYM_WEAK) | weak;
      }
    } else if (kind != SYM_SHARED) {
      // It has to be found here, and the shared object will look for it too.
      symFlags[id] |= SYM_USED_SHARED;
    }
  }
}

/** Groups of `o`: the first included object with a signature keeps its copy. */
function claimGroups(o: u32): void {
  const t = tables();
  const group = t.group;
  const end = t.obj.groupBase[o] + t.obj.groupCount[o];
  for (let g = t.obj.groupBase[o]; g < end; g++) {
    if (!group.comdat[g]) {
      group.won[g] = 1;
      continue;
    }
    const id = t.record.sym[group.record[g]];
    group.name[g] = id;
    if (t.gsym.groupOwner[id] == 0) {
      t.gsym.groupOwner[id] = g + 1;
      group.won[g] = 1;
    }
  }
}

/** Definitions of an object that is now part of the link. */
function addDefinitions(o: u32): void {
  const t = tables();
  const record = t.record;
  const obj = t.obj;
  const slotGroup = t.slot.group;
  const won = t.group.won;
  const hasGroups = obj.groupCount[o] != 0;
  const slotBase = obj.slotBase[o];
  const end = obj.recordBase[o] + obj.recordCount[o];
  for (let row = obj.recordBase[o]; row < end; row++) {
    const flags = record.flags[row];
    if (flags & (REC_UNUSED | REC_SIGNATURE | REC_MENTION)) continue;
    const id = record.sym[row];
    const esym = record.esym[row];
    const entry = entryOf(o, esym);
    mergeVisibility(id, load<u8>(entry, ST_OTHER) & 3);
    const bits = t.sym.flags[id];
    t.sym.flags[id] = bits | SYM_USED_REGULAR;
    const type = load<u8>(entry, ST_INFO) & 15;
    if (type != STT_NOTYPE && type != STT_TLS && (bits & SYM_TLS || !(flags & REC_DEFINED))) suspect(SUSPECT_CONFLICT);
    if (!(flags & REC_DEFINED)) {
      // GNU ld refuses a shared object beside a definition when only one of them says that the symbol is thread-local.
      if (type == STT_TLS && ((bits & SYM_KIND_MASK) == SYM_UNDEF || (bits & SYM_KIND_MASK) == SYM_LAZY)) t.gsym.type[id] = STT_TLS;
      continue;
    }
    if (flags & REC_COMMON) {
      defineCommon(id, o, esym, entry);
      continue;
    }
    let lost = false;
    if (hasGroups) {
      const g = slotGroup[slotBase + sectionOf(o, esym, entry)];
      lost = g != 0 && !won[g];
    }
    defineRegular(id, o, esym, entry, lost, (flags & REC_DEFAULT_VERSION) != 0);
  }
}

/** First reference fixes the binding; a later strong one makes it strong. Returns the member to extract, 0 = none. */
// @ts-ignore: decorator
@inline
function addReference(id: u32, o: u32, flags: u32): u32 {
  const t = tables();
  const gsym = t.gsym;
  let bits = t.sym.flags[id];
  const kind = bits & SYM_KIND_MASK;
  const weak = (flags & REC_WEAK) != 0;
  if (kind == SYM_UNDEF || kind == SYM_SHARED || kind == SYM_LAZY) {
    if (!weak) {
      bits = (bits & ~SYM_WEAK) | SYM_REF_STRONG;
      gsym.bind[id] = STB_GLOBAL;
    } else if (!(bits & SYM_REF_STRONG)) {
      bits |= SYM_WEAK;
      gsym.bind[id] = STB_WEAK;
    }
  } else if (!weak) bits |= SYM_REF_STRONG;
  t.sym.flags[id] = bits | SYM_USED_REGULAR;
  if (gsym.refObj[id] == 0) gsym.refObj[id] = o;
  if (kind == SYM_SHARED && gsym.vis[id] != STV_DEFAULT) {
    // A reference with restricted visibility must be satisfied here; the shared object will look for that definition too.
    t.sym.flags[id] = (t.sym.flags[id] & ~SYM_KIND_MASK) | SYM_UNDEF | SYM_USED_SHARED;
    gsym.esym[id] = 0;
    gsym.obj[id] = 0;
  }
  return kind == SYM_LAZY && !weak ? gsym.lazy[id] : 0;
}

/** Takes an object into the link: its number, its groups, its definitions; references follow on the stack. */
// @ts-ignore: decorator
@inline
function enter(state: u32, o: u32, depth: u32): void {
  const obj = tables().obj;
  const seq = load<u32>(state + ST_SEQ) + 1;
  store<u32>(state + ST_SEQ, seq);
  store<u32>(load<u32>(state + ST_INCLUDED) + (seq << 2), o);
  obj.seq[o] = seq;
  claimGroups(o);
  addDefinitions(o);
  const frame = load<u32>(state + ST_STACK) + (depth << 3);
  store<u32>(frame, o);
  store<u32>(frame, obj.recordBase[o], 4);
}

/** Takes a member into the link and notes why. */
function extract(state: u32, member: u32, by: u32, id: u32): void {
  noteWhy(member, by, id);
  include(state, member);
}

// @ts-ignore: decorator
@inline
function noteWhy(member: u32, by: u32, id: u32): void {
  const obj = tables().obj;
  if (obj.seq[member] != 0) return;
  obj.whyObj[member] = by;
  obj.whySym[member] = id;
}

/** --fortran-common: the member not yet in the link that offers a definition with contents of common symbol `id`; 0 = none. */
function memberWithData(id: u32): u32 {
  const t = tables();
  const o = t.gsym.lazy[id];
  if ((t.sym.flags[id] & SYM_KIND_MASK) != SYM_COMMON || o == 0 || t.obj.seq[o] != 0) return 0;
  return definesData(o, id) ? o : 0;
}

function definesData(o: u32, id: u32): bool {
  const t = tables();
  const end = t.obj.recordBase[o] + t.obj.recordCount[o];
  for (let row = t.obj.recordBase[o]; row < end; row++) {
    const flags = t.record.flags[row];
    if (t.record.sym[row] == id && flags & REC_DEFINED && !(flags & (REC_COMMON | REC_UNUSED | REC_SIGNATURE | REC_ALIAS))) return true;
  }
  return false;
}

/** Includes an object and, depth first, every archive member its references extract. */
function include(state: u32, root: u32): void {
  const t = tables();
  const obj = t.obj;
  if (obj.seq[root] != 0) return;
  const record = t.record;
  const stack = load<u32>(state + ST_STACK);
  let depth: u32 = 1;
  enter(state, root, 0);
  while (depth) {
    const frame = stack + ((depth - 1) << 3);
    const o = load<u32>(frame);
    const end = obj.recordBase[o] + obj.recordCount[o];
    let row = load<u32>(frame, 4);
    let wanted: u32 = 0;
    while (row < end && wanted == 0) {
      const flags = record.flags[row];
      if (flags & REC_COMMON) {
        if (params().fortranCommon) {
          wanted = memberWithData(record.sym[row]);
          if (wanted != 0) noteWhy(wanted, o, record.sym[row]);
        }
      } else if (!(flags & (REC_DEFINED | REC_UNUSED | REC_SIGNATURE | REC_MENTION))) {
        wanted = addReference(record.sym[row], o, flags);
        if (wanted != 0) {
          if (obj.seq[wanted] != 0) wanted = 0;
          else noteWhy(wanted, o, record.sym[row]);
        }
      }
      row++;
    }
    store<u32>(frame, row, 4);
    if (wanted) {
      enter(state, wanted, depth);
      depth++;
    } else {
      const done = load<u32>(state + ST_DONE) + 1;
      store<u32>(state + ST_DONE, done);
      obj.done[o] = done;
      depth--;
    }
  }
}

/** A lazy object offers its definitions; one that is already strongly wanted takes it into the link at once. */
function offer(state: u32, o: u32): void {
  const t = tables();
  const record = t.record;
  const gsym = t.gsym;
  const symFlags = t.sym.flags;
  const end = t.obj.recordBase[o] + t.obj.recordCount[o];
  for (let row = t.obj.recordBase[o]; row < end; row++) {
    const flags = record.flags[row];
    if (!(flags & REC_DEFINED) || flags & (REC_UNUSED | REC_SIGNATURE | REC_ALIAS)) continue;
    const id = record.sym[row];
    const bits = symFlags[id];
    if (params().fortranCommon && (bits & SYM_KIND_MASK) == SYM_COMMON && !(flags & REC_COMMON)) {
      extract(state, o, gsym.obj[id], id);
      return;
    }
    if ((bits & SYM_KIND_MASK) != SYM_UNDEF) continue;
    if ((bits & (SYM_USED_REGULAR | SYM_USED_SHARED)) && !(bits & SYM_WEAK)) {
      extract(state, o, gsym.refObj[id], id);
      return;
    }
    gsym.lazy[id] = o;
    setKind(id, SYM_LAZY);
  }
}

/**
 * Replays objects [from, to). `state`: u32 cells {objects included so far, address of the list of included obj rows
 * (1-based), address of a stack of 8 bytes per object, objects finished so far}.
 */
export function resolveObjects(from: u32, to: u32, state: u32): u32 {
  const obj = tables().obj;
  for (let o = from; o < to; o++) {
    if (obj.kind[o] == OBJ_SHARED) addShared(state, o);
    else if (obj.flags[o] & OBJF_LAZY) offer(state, o);
    else include(state, o);
  }
  return load<u32>(state + ST_SEQ);
}

/** EI_OSABI of the first object (rows below `rows`) that is part of the link, or first shared object, that names a system; 0 = none does. */
export function firstAbi(rows: u32): u32 {
  const obj = tables().obj;
  for (let o: u32 = 0; o < rows; o++) if (obj.osabi[o] && (obj.seq[o] || obj.kind[o] == OBJ_SHARED)) return obj.osabi[o];
  return 0;
}

/** How many symbols the objects that are linked, and the linker, mention. */
export function mentionedSymbols(): u32 {
  const flags = tables().sym.flags;
  const rows = tables().gsym.rows;
  let count: u32 = 0;
  for (let id: u32 = 0; id < rows; id++) count += <u32>((flags[id] & SYM_USED_REGULAR) != 0);
  return count;
}

/** How many relocations the sections have. */
export function relocationCount(): u32 {
  const relaCount = tables().isec.relaCount;
  const rows = tables().isec.rows;
  let count: u32 = 0;
  for (let i: u32 = 0; i < rows; i++) count += relaCount[i];
  return count;
}

/** A strong reference from nowhere (--entry, -u after the fact): extracts the member that defines `id`. */
export function demand(id: u32, state: u32): u32 {
  const flags = tables().sym.flags;
  const kind = flags[id] & SYM_KIND_MASK;
  flags[id] |= SYM_USED_REGULAR;
  if (kind == SYM_UNDEF && !(flags[id] & SYM_WEAK)) flags[id] |= SYM_REF_STRONG;
  if (kind == SYM_LAZY) extract(state, tables().gsym.lazy[id], 0, id);
  return load<u32>(state + ST_SEQ);
}

/** --wrap: symbol-table entries of included objects [from, to) of the list follow `map` (u32 per global, 0 = stays). */
export function redirectSymbols(included: u32, from: u32, to: u32, map: u32): void {
  const t = tables();
  const sym = t.esym.sym;
  for (let s = from; s < to; s++) {
    const o = load<u32>(included + (s << 2));
    const end = t.obj.esymBase[o] + t.obj.esymCount[o];
    for (let e = t.obj.esymBase[o] + t.obj.firstGlobal[o]; e < end; e++) {
      const target = load<u32>(map + (sym[e] << 2));
      if (target) sym[e] = target;
    }
  }
}

/** Sets the byte at `marks` of each global that a symbol-table entry of object `o` means. */
export function markMentions(o: u32, marks: u32): void {
  const t = tables();
  const sym = t.esym.sym;
  const end = t.obj.esymBase[o] + t.obj.esymCount[o];
  for (let e = t.obj.esymBase[o] + t.obj.firstGlobal[o]; e < end; e++) store<u8>(marks + sym[e], 1);
}

/** Has object `o` a global symbol-table entry that means `id`? */
export function mentions(o: u32, id: u32): u32 {
  const t = tables();
  const end = t.obj.esymBase[o] + t.obj.esymCount[o];
  for (let e = t.obj.esymBase[o] + t.obj.firstGlobal[o]; e < end; e++) if (t.esym.sym[e] == id) return 1;
  return 0;
}

/** Globals of a kind (SYM_UNDEF … SYM_IN_OSEC), as u32 at `out`; returns how many. */
export function listKind(kind: u32, out: u32): u32 {
  const flags = tables().sym.flags;
  const end = tables().gsym.rows;
  let found: u32 = 0;
  for (let id: u32 = 1; id < end; id++) {
    if ((flags[id] & SYM_KIND_MASK) != kind) continue;
    store<u32>(out + (found << 2), id);
    found++;
  }
  return found;
}
