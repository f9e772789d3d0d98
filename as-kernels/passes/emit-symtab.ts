/**
 * .symtab and .strtab: which symbols are written (lld's rules), their places by prefix sums, their bytes.
 *
 * Two walks with the same condition: count, then write into exact slices. Names are not shared between symbols.
 */
import { tables, params } from "../shared/tables.ts";
import { copyBytes, strlen, strlenBounded } from "../lib/bytes.ts";
import { ABSOLUTE, longIndex, sectionAt, shortIndex } from "../lib/section-at.ts";
import { isInOutput, isLocalLabel, isLocalised } from "../lib/written-symbol.ts";
import {
  SYM_DEFINED, SYM_DISCARDED, SYM_IFUNC, SYM_IN_OSEC, SYM_KIND_MASK, SYM_NEEDS_COPY, SYM_NEEDS_CPLT, SYM_REF_LIVE,
  SYM_SHARED, SYM_UNDEF, SYM_USED_REGULAR, SYM_TLS, DISCARD_ALL, DISCARD_LOCALS, DISCARD_NONE,
} from "../shared/abi.ts";
import {
  SHF_MERGE, SHN_UNDEF, STB_GLOBAL, STB_LOCAL, STT_FILE, STT_FUNC, STT_SECTION, SYM_BYTES, STB_GNU_UNIQUE, ST_INFO,
  ST_OTHER, ST_SHNDX, ST_SIZE, ST_VALUE,
} from "../shared/elf.ts";

/** Is local symbol `i` of object `o` written? */
// @ts-ignore: decorator
@inline
function keepLocal(id: u32, entry: u32, name: u32, discard: u32): bool {
  const t = tables();
  const flags = t.sym.flags[id];
  const type = load<u8>(entry, ST_INFO) & 15;
  if (type == STT_SECTION) return false;
  const kind = flags & SYM_KIND_MASK;
  if (kind == SYM_DISCARDED || kind == SYM_UNDEF) return false;
  const row = t.sym.isec[id];
  if (row != 0 && !isInOutput(id, row)) return false;
  if (flags & SYM_REF_LIVE && params().symIndex) return true; // a kept relocation names it
  if (discard == DISCARD_ALL) return false;
  if (discard == DISCARD_NONE || !isLocalLabel(name)) return true;
  return discard != DISCARD_LOCALS && !(row != 0 && t.isec.sh_flags[row] & SHF_MERGE);
}

/** Is global `id` written? */
// @ts-ignore: decorator
@inline
export function keepGlobal(id: u32): bool {
  const t = tables();
  const flags = t.sym.flags[id];
  if (!(flags & SYM_USED_REGULAR)) return false;
  const kind = flags & SYM_KIND_MASK;
  if (kind == SYM_DEFINED) {
    const row = t.sym.isec[id];
    return row == 0 || isInOutput(id, row);
  }
  if (kind == SYM_IN_OSEC) return true;
  if (kind == SYM_DISCARDED) return false;
  return !params().gcSections || (flags & SYM_REF_LIVE) != 0;
}

/** Counts the local symbols of object `o`; adds their name bytes (f64) to `bytes`. */
export function countLocals(o: u32, discard: u32, bytes: u32): u32 {
  const obj = tables().obj;
  const symtab = obj.symtab[o];
  const strtab = obj.strtab[o];
  const base = obj.localBase[o];
  const end = obj.firstGlobal[o];
  let count: u32 = 0;
  let names: f64 = 0;
  for (let i: u32 = 1; i < end; i++) {
    const entry = symtab + i * SYM_BYTES;
    const name = strtab + load<u32>(entry);
    if (!keepLocal(base + i, entry, name, discard)) continue;
    count++;
    names += <f64>(strlenBounded(name, obj.strtabBytes[o] - load<u32>(entry)) + 1);
  }
  store<f64>(bytes, load<f64>(bytes) + names);
  return count;
}

/**
 * Lists the globals that are written, at `list` from place `count` on: of rows [from, to), or of these places of the order of names at
 * `order` (u32). Returns how many there are now.
 */
export function listGlobals(from: u32, to: u32, order: u32, list: u32, count: u32): u32 {
  let found = count;
  for (let i = from; i < to; i++) {
    const id = order ? load<u32>(order + (i << 2)) : i;
    if (keepGlobal(id)) store<u32>(list + (found++ << 2), id);
  }
  return found;
}

/**
 * Of the globals at places [from, to) of the list: counts the localised ones of each object at `heads` (u32 per object) and appends their places to
 * `out`. Those of objects without STT_FILE, and the linker's own, count for object 0. Returns how many there are.
 */
export function listLocalised(from: u32, to: u32, heads: u32, out: u32): u32 {
  const list = params().symList;
  let count: u32 = 0;
  for (let i = from; i < to; i++) {
    const id = load<u32>(list + (i << 2));
    if (!isLocalised(id)) continue;
    const head = heads + (localsOwner(id) << 2);
    store<u32>(head, load<u32>(head) + 1);
    store<u32>(out + (count++ << 2), i);
  }
  return count;
}

/** Sorts those `count` places by object: `heads` has the index at `out` where each object's begin, and in the end where they end. */
export function sortLocalised(places: u32, count: u32, heads: u32, out: u32): void {
  const list = params().symList;
  for (let n: u32 = 0; n < count; n++) {
    const i = load<u32>(places + (n << 2));
    const head = heads + (localsOwner(load<u32>(list + (i << 2))) << 2);
    const at = load<u32>(head);
    store<u32>(out + (at << 2), i);
    store<u32>(head, at + 1);
  }
}

/** The object whose local symbols, an STT_FILE in front (gABI ch. 4 Symbol Table), a localised symbol follows; 0 = none. */
// @ts-ignore: decorator
@inline
function localsOwner(id: u32): u32 {
  const t = tables();
  if ((t.sym.flags[id] & SYM_KIND_MASK) != SYM_DEFINED) return 0;
  const o = t.gsym.obj[id];
  return t.obj.firstGlobal[o] > 1 && (load<u8>(t.obj.symtab[o] + SYM_BYTES, ST_INFO) & 15) == STT_FILE ? o : 0;
}

/**
 * Counts the globals at places [from, to) of the list that are no locals of the output. The names of all of them are in this order (lld), and
 * where each begins among those from `from` on is noted in params.symNames.
 */
export function countGlobals(from: u32, to: u32, bytes: u32): u32 {
  const list = params().symList;
  const places = params().symNames;
  let count: u32 = 0;
  let names: u32 = 0;
  for (let i = from; i < to; i++) {
    const id = load<u32>(list + (i << 2));
    if (!isLocalised(id)) count++;
    store<u32>(places + (i << 2), names);
    names += fullName(id) + 1;
  }
  store<f64>(bytes, load<f64>(bytes) + <f64>names);
  return count;
}

/** Symbols among globals [from, to) that inputs define and others may refer to, but for thread-local ones: rows at `out` (0 = only count). Returns their number. */
export function listDefinedGlobals(from: u32, to: u32, out: u32): u32 {
  let count: u32 = 0;
  for (let id = from; id < to; id++) {
    if ((tables().sym.flags[id] & SYM_KIND_MASK) != SYM_DEFINED || tables().sym.flags[id] & SYM_TLS || isLocalised(id) || !keepGlobal(id)) continue;
    if (out != 0) store<u32>(out + (count << 2), id);
    count++;
  }
  return count;
}

/** Bytes of a global's name with its @version. */
// @ts-ignore: decorator
@inline
function fullName(id: u32): u32 {
  return strlen(tables().gsym.name[id]);
}

/** Writes one Elf64_Sym; `wideAt`: its word of .symtab_shndx, 0 = there is none. */
// @ts-ignore: decorator
@inline
function put(at: u32, wideAt: u32, name: u32, info: u8, other: u8, shndx: u32, value: u64, size: u64): void {
  store<u32>(at, name);
  store<u8>(at, info, ST_INFO);
  store<u8>(at, other, ST_OTHER);
  store<u16>(at, shortIndex(shndx), ST_SHNDX);
  store<u64>(at, value, ST_VALUE);
  store<u64>(at, size, ST_SIZE);
  if (wideAt != 0) store<u32>(wideAt, longIndex(shndx));
}

/** An indirect function whose PLT entry is its address: an ordinary function there, without a size (lld). */
// @ts-ignore: decorator
@inline
function isPltFunction(id: u32): bool {
  return (tables().sym.flags[id] & (SYM_IFUNC | SYM_NEEDS_CPLT)) == (SYM_IFUNC | SYM_NEEDS_CPLT);
}

/** Output section header index a defined symbol is relative to, or ABSOLUTE. */
// @ts-ignore: decorator
@inline
function outputIndex(id: u32): u32 {
  const t = tables();
  const kind = t.sym.flags[id] & SYM_KIND_MASK;
  const row = t.sym.isec[id];
  if (isPltFunction(id)) return sectionAt(t.sym.addr[id]);
  if (kind == SYM_IN_OSEC) return row == 0 ? ABSOLUTE : t.osec.index[row];
  if (row == 0) return ABSOLUTE;
  return t.osec.index[t.isec.osec[row]];
}

/** st_value: TLS symbols are offsets from the start of the TLS segment (gABI ch. 4 Symbol Values); absolute ones are what they are (lld). */
// @ts-ignore: decorator
@inline
function outputValue(id: u32): u64 {
  const t = tables();
  const addr = t.sym.addr[id];
  return t.sym.flags[id] & SYM_TLS && t.sym.isec[id] != 0 ? addr - params().tlsAddr : addr;
}

/**
 * Writes the local symbols of object `o`: entries at `at`, names at `names` whose offset in .strtab is `nameOffset`.
 * `shndxAt`: parallel u32 words of .symtab_shndx, 0 = none. Returns the number of name bytes.
 */
export function emitLocals(o: u32, discard: u32, at: u32, names: u32, nameOffset: u32, shndxAt: u32): u32 {
  const t = tables();
  const obj = t.obj;
  const symtab = obj.symtab[o];
  const strtab = obj.strtab[o];
  const base = obj.localBase[o];
  const end = obj.firstGlobal[o];
  const indexes = params().symIndex;
  const symtabAt = params().symtabAt;
  let to = at;
  let text: u32 = 0;
  for (let i: u32 = 1; i < end; i++) {
    const entry = symtab + i * SYM_BYTES;
    const name = strtab + load<u32>(entry);
    const id = base + i;
    if (!keepLocal(id, entry, name, discard)) continue;
    const bytes = strlenBounded(name, obj.strtabBytes[o] - load<u32>(entry));
    const moved = isPltFunction(id);
    const info = moved ? <u8>STT_FUNC : load<u8>(entry, ST_INFO);
    const file = (info & 15) == STT_FILE;
    const shndx = file ? ABSOLUTE : outputIndex(id);
    const wideAt = shndxAt != 0 ? shndxAt + (to - at) / SYM_BYTES * 4 : 0;
    put(to, wideAt, bytes ? nameOffset + text : 0, info, load<u8>(entry, ST_OTHER), shndx, file ? 0 : outputValue(id), moved ? 0 : load<u64>(entry, ST_SIZE));
    copyBytes(names + text, name, bytes);
    store<u8>(names + text + bytes, 0);
    if (indexes) store<u32>(indexes + (id << 2), (to - symtabAt) / SYM_BYTES);
    text += bytes + 1;
    to += SYM_BYTES;
  }
  return text;
}

/**
 * As emitLocals, for the globals at places [from, to) that are no locals of the output. Names stand in the order of the globals, whichever they are
 * (as lld): those of localised ones are written here, too.
 */
export function emitGlobals(from: u32, end: u32, at: u32, names: u32, nameOffset: u32, shndxAt: u32): u32 {
  const gsym = tables().gsym;
  const list = params().symList;
  let to = at;
  let text: u32 = 0;
  for (let i = from; i < end; i++) {
    const id = load<u32>(list + (i << 2));
    const bytes = fullName(id);
    copyBytes(names + text, gsym.name[id], bytes);
    store<u8>(names + text + bytes, 0);
    if (!isLocalised(id)) {
      let bind = <u32>gsym.bind[id];
      if (bind == 0 || (bind == STB_GNU_UNIQUE && !params().gnuUnique)) bind = STB_GLOBAL;
      putGlobal(id, bind, to, nameOffset + text, shndxAt != 0 ? shndxAt + (to - at) / SYM_BYTES * 4 : 0);
      to += SYM_BYTES;
    }
    text += bytes + 1;
  }
  return text;
}

/**
 * The localised globals whose places of the list are at `places` [from, end). Their names are those of the stretches of `1 << stretchBits` globals
 * that countGlobals has counted, from place 0 on; where the names of stretch n begin is the u32 at `bases` + n * `baseStep`.
 */
export function emitLocalised(places: u32, from: u32, end: u32, stretchBits: u32, bases: u32, baseStep: u32, at: u32, shndxAt: u32): void {
  const list = params().symList;
  const names = params().symNames;
  for (let n = from; n < end; n++) {
    const i = load<u32>(places + (n << 2));
    const name = load<u32>(bases + (i >> stretchBits) * baseStep) + load<u32>(names + (i << 2));
    putGlobal(load<u32>(list + (i << 2)), STB_LOCAL, at + (n - from) * SYM_BYTES, name, shndxAt != 0 ? shndxAt + (n - from) * 4 : 0);
  }
}

/** Writes global `id`, whose name is at `name` of .strtab. */
// @ts-ignore: decorator
@inline
function putGlobal(id: u32, bind: u32, to: u32, name: u32, wideAt: u32): void {
  const t = tables();
  const kind = t.sym.flags[id] & SYM_KIND_MASK;
  // A variable copied from a shared object lives here now.
  const copied = kind == SYM_SHARED && (t.sym.flags[id] & SYM_NEEDS_COPY) != 0;
  const defined = kind == SYM_DEFINED || kind == SYM_IN_OSEC || copied;
  const shndx = copied ? sectionAt(t.sym.addr[id]) : defined ? outputIndex(id) : SHN_UNDEF;
  const value = defined ? outputValue(id) : t.sym.addr[id];
  const moved = isPltFunction(id);
  const type = moved ? STT_FUNC : <u32>t.gsym.type[id];
  put(to, wideAt, name, <u8>((bind << 4) | type), t.gsym.vis[id], shndx, value, defined && !moved ? <u64>t.gsym.size[id] : 0);
  const indexes = params().symIndex;
  if (indexes) store<u32>(indexes + (id << 2), (to - params().symtabAt) / SYM_BYTES);
}
