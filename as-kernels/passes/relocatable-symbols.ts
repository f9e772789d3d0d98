/**
 * -r: the symbol table of a relocatable output. All symbols that are not local to a lost section stay, with their binding,
 * visibility and version suffix; commons stay commons.
 *
 * Two walks with the same condition, as in emit-symtab.ts: count, then write into exact slices; the second leaves each
 * symbol's index in sym.aux, which has no other use in such a link. Values come from sym.addr (offsets, see relocatable.ts).
 */
import { tables, params } from "../shared/tables.ts";
import { copyBytes, strlen, strlenBounded } from "../lib/bytes.ts";
import { isInOutput, isLocalLabel } from "../lib/written-symbol.ts";
import {
  CTL_COUNTERS, DISCARD_ALL, DISCARD_LOCALS, DISCARD_NONE, ISEC_EH_FRAME, ISEC_MERGE, ISEC_SYNTHETIC, SYM_COMMON, SYM_DEFINED, SYM_DISCARDED,
  SYM_IN_OSEC, SYM_KIND_MASK, SYM_REF_LIVE, SYM_ROOT, SYM_USED_REGULAR,
} from "../shared/abi.ts";
import {
  SHF_MERGE, SHN_ABS, SHN_COMMON, SHN_LORESERVE, SHN_UNDEF, SHN_XINDEX, STB_GLOBAL, STB_GNU_UNIQUE, STT_COMMON, STT_FILE, STT_GNU_IFUNC, STT_NOTYPE, STT_TLS,
  STT_SECTION, ST_INFO, ST_OTHER, ST_SHNDX, ST_SIZE, ST_VALUE, SYM_BYTES,
} from "../shared/elf.ts";

const FIRST: u32 = 2;
/** u32: set when a symbol needs the GNU OS/ABI. */
const GNU_ABI: u32 = CTL_COUNTERS;

/** Group whose header symbol `i` of object `o` is defined in (assemblers put local signatures there); 0 = none. */
function groupOfSymbol(o: u32, i: u32, entry: u32): u32 {
  const t = tables();
  let shndx = <u32>load<u16>(entry, ST_SHNDX);
  if (shndx == SHN_XINDEX && t.obj.shndxTab[o] != 0) shndx = load<u32>(t.obj.shndxTab[o] + (i << 2));
  else if (shndx >= <u32>SHN_LORESERVE) return 0;
  const g = t.slot.group[t.obj.slotBase[o] + shndx];
  return t.group.shndx[g] == shndx ? g : 0;
}

function keepLocal(id: u32, entry: u32, name: u32, discard: u32): bool {
  const t = tables();
  const flags = t.sym.flags[id];
  const kind = flags & SYM_KIND_MASK;
  if ((load<u8>(entry, ST_INFO) & 15) == STT_SECTION) return false;
  if (flags & SYM_ROOT) return true; // names a group
  if (kind != SYM_DEFINED) return false;
  const row = t.sym.isec[id];
  if (row != 0 && !isInOutput(id, row)) return false;
  if (discard == DISCARD_NONE || flags & SYM_REF_LIVE) return true;
  if (discard == DISCARD_ALL) return false;
  if (!isLocalLabel(name)) return true;
  return discard != DISCARD_LOCALS && !(row != 0 && t.isec.sh_flags[row] & SHF_MERGE);
}

// @ts-ignore: decorator
@inline
function keepGlobal(id: u32, onlyUsed: u32): bool {
  const t = tables();
  const flags = t.sym.flags[id];
  if (!(flags & SYM_USED_REGULAR)) return false;
  const kind = flags & SYM_KIND_MASK;
  if (kind == SYM_DEFINED) {
    const row = t.sym.isec[id];
    return row == 0 || isInOutput(id, row);
  }
  if (kind == SYM_IN_OSEC) return true;
  return kind != SYM_DISCARDED && (!onlyUsed || (flags & (SYM_REF_LIVE | SYM_ROOT)) != 0);
}

/** A definition has the name of its symbol-table entry (foo@@V), a reference that of its first mention. */
// @ts-ignore: decorator
@inline
function globalName(id: u32): u32 {
  const t = tables();
  const e = t.gsym.esym[id];
  if (e == 0 || (t.sym.flags[id] & SYM_KIND_MASK) != SYM_DEFINED) return t.gsym.name[id];
  const o = t.gsym.obj[id];
  return t.obj.strtab[o] + load<u32>(t.obj.symtab[o] + (e - t.obj.esymBase[o]) * SYM_BYTES);
}

/** References keep the type of their first typed mention (linkers compare STT_TLS). Objects [from, to) of the list. */
export function typeReferences(objects: u32, from: u32, to: u32): void {
  const t = tables();
  const obj = t.obj;
  for (let i = from; i < to; i++) {
    const o = load<u32>(objects + (i << 2));
    const base = obj.esymBase[o];
    const count = obj.esymCount[o];
    for (let s = obj.firstGlobal[o]; s < count; s++) {
      const entry = obj.symtab[o] + s * SYM_BYTES;
      if (load<u16>(entry, ST_SHNDX) != SHN_UNDEF) continue;
      const id = t.esym.sym[base + s];
      const type = load<u8>(entry, ST_INFO) & 15;
      if (t.gsym.esym[id] == 0 && t.gsym.type[id] == STT_NOTYPE && type < <u8>STT_GNU_IFUNC) t.gsym.type[id] = type;
    }
  }
}

/** Counts the local symbols of object `o`; adds their name bytes (f64) to `bytes`. */
export function countRelocatableLocals(o: u32, discard: u32, bytes: u32): u32 {
  const obj = tables().obj;
  const end = obj.firstGlobal[o];
  let count: u32 = 0;
  let names: f64 = 0;
  for (let i: u32 = 1; i < end; i++) {
    const entry = obj.symtab[o] + i * SYM_BYTES;
    const name = obj.strtab[o] + load<u32>(entry);
    if (!keepLocal(obj.localBase[o] + i, entry, name, discard)) continue;
    count++;
    names += <f64>(strlenBounded(name, obj.strtabBytes[o] - load<u32>(entry)) + 1);
  }
  store<f64>(bytes, load<f64>(bytes) + names);
  return count;
}

/** Counts globals [from, to); `onlyUsed`: references and commons that no live section uses are left out. */
export function countRelocatableGlobals(from: u32, to: u32, onlyUsed: u32, bytes: u32): u32 {
  let count: u32 = 0;
  let names: f64 = 0;
  for (let id = from; id < to; id++) {
    if (!keepGlobal(id, onlyUsed)) continue;
    count++;
    names += <f64>(strlen(globalName(id)) + 1);
  }
  store<f64>(bytes, load<f64>(bytes) + names);
  return count;
}

/** Writes Elf64_Sym at `at`; `shndxAt`: its word of .symtab_shndx, 0 = there is none. `special`: shndx is SHN_ABS and the like. */
// @ts-ignore: decorator
@inline
function put(at: u32, shndxAt: u32, name: u32, info: u32, other: u32, shndx: u32, special: bool, value: u64, size: u64): void {
  const wide = !special && shndx >= <u32>SHN_LORESERVE;
  store<u32>(at, name);
  store<u8>(at, <u8>info, ST_INFO);
  store<u8>(at, <u8>other, ST_OTHER);
  store<u16>(at, <u16>(wide ? SHN_XINDEX : shndx), ST_SHNDX);
  store<u64>(at, value, ST_VALUE);
  store<u64>(at, size, ST_SIZE);
  if (shndxAt != 0) store<u32>(shndxAt, wide ? shndx : 0);
}

const NO_SYMBOL: u32 = 0xffffffff;

/**
 * Object whose local symbols the section symbol of output section `id` follows: that of its first member; 0 = it is merged;
 * NO_SYMBOL = no input section a relocation could mean is in it, so it needs none.
 */
function ownerOf(id: u32): u32 {
  const t = tables();
  const base = t.osec.memberBase[id];
  // Linker-made strings (.comment) may meet others in a later link.
  let owner: u32 = t.osec.memberCount[id] == 0 && t.osec.sh_flags[id] & SHF_MERGE ? 0 : NO_SYMBOL;
  for (let i = base, end = base + t.osec.memberCount[id]; i < end; i++) {
    const row = t.member.isec[i];
    const kind = t.isec.kind[row];
    if (kind == ISEC_MERGE) owner = 0;
    else if (kind != ISEC_EH_FRAME) return kind == ISEC_SYNTHETIC ? 0 : t.isec.obj[row];
  }
  return owner;
}

/** Adds up the section symbols of every object in u32 cells at `counts` (by obj row; 0: those of merged sections). */
export function countSectionSymbols(counts: u32): void {
  const rows = tables().osec.rows;
  for (let id: u32 = FIRST; id < rows; id++) {
    const owner = ownerOf(id);
    if (owner == NO_SYMBOL) continue;
    const at = counts + (owner << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
}

/** Indexes of the section symbols (rout.sym): those of an object from the number in its cell at `next` on. */
export function numberSectionSymbols(next: u32): void {
  const rows = tables().osec.rows;
  const rout = tables().rout;
  for (let id: u32 = FIRST; id < rows; id++) {
    const owner = ownerOf(id);
    if (owner == NO_SYMBOL) continue;
    const at = next + (owner << 2);
    rout.sym[id] = load<u32>(at);
    store<u32>(at, load<u32>(at) + 1);
  }
}

/** The null symbol and one section symbol for every output section. */
export function emitSectionSymbols(at: u32, shndxAt: u32): void {
  const osec = tables().osec;
  const rout = tables().rout;
  put(at, shndxAt, 0, 0, 0, 0, true, 0, 0);
  for (let id: u32 = FIRST; id < osec.rows; id++) {
    const i = rout.sym[id];
    if (i == 0) continue;
    put(at + i * SYM_BYTES, shndxAt != 0 ? shndxAt + (i << 2) : 0, 0, STT_SECTION, 0, osec.index[id], false, osec.addr[id], 0);
  }
}

/** Writes the local symbols of object `o`: entries at `at`, the first with index `index`; names at `names`, offset `nameOffset`. */
export function emitRelocatableLocals(o: u32, discard: u32, at: u32, index: u32, names: u32, nameOffset: u32, shndxAt: u32): u32 {
  const t = tables();
  const obj = t.obj;
  const end = obj.firstGlobal[o];
  let n: u32 = 0;
  let text: u32 = 0;
  for (let i: u32 = 1; i < end; i++) {
    const entry = obj.symtab[o] + i * SYM_BYTES;
    const name = obj.strtab[o] + load<u32>(entry);
    const id = obj.localBase[o] + i;
    if (!keepLocal(id, entry, name, discard)) continue;
    const bytes = strlenBounded(name, obj.strtabBytes[o] - load<u32>(entry));
    const info = load<u8>(entry, ST_INFO);
    const row = t.sym.isec[id];
    const defined = (t.sym.flags[id] & SYM_KIND_MASK) == SYM_DEFINED;
    const special = defined && row == 0;
    let shndx: u32 = SHN_ABS;
    if (!defined) shndx = t.group.index[groupOfSymbol(o, i, entry)];
    else if (row != 0) shndx = t.osec.index[t.isec.osec[row]];
    if ((info & 15) == STT_GNU_IFUNC) atomic.or<u32>(GNU_ABI, 1);
    put(
      at + n * SYM_BYTES, shndxAt != 0 ? shndxAt + (n << 2) : 0, bytes ? nameOffset + text : 0, info, load<u8>(entry, ST_OTHER),
      shndx, special, (info & 15) == STT_FILE || !defined ? 0 : t.sym.addr[id], load<u64>(entry, ST_SIZE),
    );
    t.sym.aux[id] = index + n;
    copyBytes(names + text, name, bytes);
    store<u8>(names + text + bytes, 0);
    text += bytes + 1;
    n++;
  }
  return text;
}

/** As emitRelocatableLocals, for globals [from, to). */
export function emitRelocatableGlobals(from: u32, to: u32, onlyUsed: u32, at: u32, index: u32, names: u32, nameOffset: u32, shndxAt: u32): u32 {
  const t = tables();
  const gsym = t.gsym;
  let n: u32 = 0;
  let text: u32 = 0;
  for (let id = from; id < to; id++) {
    if (!keepGlobal(id, onlyUsed)) continue;
    const name = globalName(id);
    const bytes = strlen(name);
    const kind = t.sym.flags[id] & SYM_KIND_MASK;
    const row = t.sym.isec[id];
    let bind = <u32>gsym.bind[id];
    if (bind == 0) bind = STB_GLOBAL;
    if (bind == STB_GNU_UNIQUE && !params().gnuUnique) bind = STB_GLOBAL;
    const type = kind == SYM_COMMON && params().sttCommon && gsym.type[id] != STT_TLS ? STT_COMMON : <u32>gsym.type[id];
    if (bind == STB_GNU_UNIQUE || type == STT_GNU_IFUNC) atomic.or<u32>(GNU_ABI, 1);
    let shndx: u32 = SHN_UNDEF;
    let special = true;
    let value: u64 = 0;
    let size: u64 = 0;
    if (kind == SYM_DEFINED || kind == SYM_IN_OSEC) {
      special = row == 0;
      shndx = special ? SHN_ABS : t.osec.index[kind == SYM_DEFINED ? t.isec.osec[row] : row];
      value = t.sym.addr[id];
      size = <u64>gsym.size[id];
    } else if (kind == SYM_COMMON) {
      shndx = commonIndex(id);
      value = <u64>1 << gsym.align[id];
      size = <u64>gsym.size[id];
    }
    put(
      at + n * SYM_BYTES, shndxAt != 0 ? shndxAt + (n << 2) : 0, nameOffset + text, (bind << 4) | type, gsym.vis[id], shndx, special, value, size,
    );
    t.sym.aux[id] = index + n;
    copyBytes(names + text, name, bytes);
    store<u8>(names + text + bytes, 0);
    text += bytes + 1;
    n++;
  }
  return text;
}

/** SHN_COMMON, or the large model's index, as the chosen common has it. */
function commonIndex(id: u32): u32 {
  const t = tables();
  const e = t.gsym.esym[id];
  if (e == 0) return SHN_COMMON;
  const o = t.gsym.obj[id];
  return <u32>load<u16>(t.obj.symtab[o] + (e - t.obj.esymBase[o]) * SYM_BYTES, ST_SHNDX);
}
