/**
 * load-sections, its symbols: the local ones of an included object, and the globals that it defines, get their `sym` rows; common symbols are
 * found, and get their place.
 */
import { params, tables } from "../shared/tables.ts";
import { report } from "../lib/issue.ts";
import { entryOf, isLargeCommon } from "../lib/symbol-entry.ts";
import {
  OUT_RELOCATABLE, SYM_ABSOLUTE, SYM_COMMON, SYM_DEFINED, SYM_DISCARDED, SYM_FUNC, SYM_IFUNC, SYM_KIND_MASK, SYM_LOCAL, ISSUE_TLS_SECTION, SYM_OBJECT,
  SYM_SECTION, SYM_SHARED, SYM_TLS, SYM_UNDEF, SYM_WEAK, ISEC_SYNTHETIC,
} from "../shared/abi.ts";
import {
  SHF_ALLOC, SHF_TLS, SHF_WRITE, SHF_X86_64_LARGE, SHN_ABS, SHN_COMMON, SHN_LORESERVE, SHN_UNDEF, SHN_X86_64_LCOMMON, SHN_XINDEX, STT_FUNC, STT_GNU_IFUNC, STT_OBJECT, STT_SECTION, STT_TLS,
  SHT_NOBITS, SYM_BYTES, ST_INFO, ST_SHNDX, ST_VALUE,
} from "../shared/elf.ts";

/** Fills sym rows: all local symbols of `o`, and the globals whose definition is in `o`. */
export function fillSymbols(o: u32): void {
  const t = tables();
  const obj = t.obj;
  const sym = t.sym;
  const esymSym = t.esym.sym;
  const slotIsec = t.slot.isec;
  const symtab = obj.symtab[o];
  const shndxTab = obj.shndxTab[o];
  const slotBase = obj.slotBase[o];
  const esymBase = obj.esymBase[o];
  const count = obj.esymCount[o];
  const firstGlobal = obj.firstGlobal[o];
  const localBase = obj.localBase[o];
  for (let i: u32 = 0; i < count; i++) {
    const entry = symtab + i * SYM_BYTES;
    const raw = <u32>load<u16>(entry, ST_SHNDX);
    const type = <u32>load<u8>(entry, ST_INFO) & 15;
    let row: u32;
    let bits: u32;
    if (i < firstGlobal) {
      row = localBase + i;
      esymSym[esymBase + i] = row;
      bits = SYM_LOCAL | SYM_DEFINED;
    } else {
      row = esymSym[esymBase + i];
      if (t.gsym.esym[row] != esymBase + i) continue;
      bits = sym.flags[row];
      if ((bits & SYM_KIND_MASK) != SYM_DEFINED) {
        sym.flags[row] = bits | typeBits(type);
        continue;
      }
    }
    bits |= typeBits(type);
    let isec: u32 = 0;
    if (raw == SHN_ABS) {
      bits |= SYM_ABSOLUTE;
    } else if (raw == SHN_UNDEF) {
      bits = (bits & ~SYM_KIND_MASK) | SYM_UNDEF | SYM_ABSOLUTE;
    } else {
      let shndx = raw;
      if (raw == SHN_XINDEX && shndxTab) shndx = load<u32>(shndxTab + (i << 2));
      else if (raw >= <u32>SHN_LORESERVE) {
        if (i >= firstGlobal && (raw == SHN_COMMON || raw == SHN_X86_64_LCOMMON)) continue; // it has its place already (patch-symbols)
        shndx = 0;
      }
      isec = slotIsec[slotBase + shndx];
      // A weak definition in a section that is not linked (SHF_EXCLUDE) is none: 0, or somebody else's at run time (lld, GNU ld).
      if (isec == 0 && i >= firstGlobal && bits & SYM_WEAK) {
        sym.flags[row] = (bits & ~SYM_KIND_MASK) | SYM_UNDEF | typeBits(type);
        continue;
      }
      if (isec == 0) bits = (bits & ~SYM_KIND_MASK) | SYM_DISCARDED;
      else if (type == STT_TLS && !(t.isec.sh_flags[isec] & SHF_TLS) && params().outputKind != OUT_RELOCATABLE) {
        report(ISSUE_TLS_SECTION, o, isec, i, 0, 0);
      }
    }
    sym.isec[row] = isec;
    sym.value[row] = load<u64>(entry, ST_VALUE);
    sym.flags[row] = bits;
  }
}

/** Flag bits of a symbol type (gABI ch. 4 Symbol Types). */
// @ts-ignore: decorator
@inline
function typeBits(type: u32): u32 {
  if (type == STT_FUNC) return SYM_FUNC;
  if (type == STT_SECTION) return SYM_SECTION;
  if (type == STT_OBJECT) return SYM_OBJECT;
  if (type == STT_TLS) return SYM_TLS;
  if (type == STT_GNU_IFUNC) return SYM_FUNC | SYM_IFUNC;
  return 0;
}

/** Type bits of globals defined in shared objects; writes the ids of commons to `out` and returns their number. */
export function collectCommons(from: u32, to: u32, out: u32): u32 {
  const t = tables();
  const flags = t.sym.flags;
  let found: u32 = 0;
  for (let id = from; id < to; id++) {
    const kind = flags[id] & SYM_KIND_MASK;
    if (kind == SYM_SHARED) {
      flags[id] |= typeBits(t.gsym.type[id]);
      const o = t.gsym.obj[id];
      const entry = t.obj.symtab[o] + (t.gsym.esym[id] - t.obj.esymBase[o]) * SYM_BYTES;
      t.sym.value[id] = load<u64>(entry, ST_VALUE);
    } else if (kind == SYM_COMMON) {
      store<u32>(out + (found << 2), id);
      found++;
    }
  }
  return found;
}

/** Gives common symbols (ids at `list`) their space, each in an isec row, from row 1 on. `name`, `tlsName`, `largeName`: of their sections. */
export function placeCommons(list: u32, count: u32, name: u32, tlsName: u32, largeName: u32): void {
  const t = tables();
  const isec = t.isec;
  const gsym = t.gsym;
  const sym = t.sym;
  for (let i: u32 = 0; i < count; i++) {
    const row = 1 + i;
    const id = load<u32>(list + (i << 2));
    const tls = gsym.type[id] == STT_TLS;
    const large = !tls && isLargeCommon(entryOf(gsym.obj[id], gsym.esym[id]));
    // Scripts and maps know a common by the file that has the largest.
    isec.obj[row] = gsym.obj[id];
    isec.name[row] = tls ? tlsName : large ? largeName : name;
    isec.sh_type[row] = SHT_NOBITS;
    isec.sh_flags[row] = SHF_ALLOC | SHF_WRITE | (tls ? SHF_TLS : large ? SHF_X86_64_LARGE : 0);
    isec.size[row] = gsym.size[id];
    isec.align[row] = gsym.align[id];
    isec.kind[row] = ISEC_SYNTHETIC;
    isec.live[row] = 0;
    sym.isec[id] = row;
    sym.value[id] = 0;
    sym.flags[id] = (sym.flags[id] & ~SYM_KIND_MASK) | SYM_DEFINED | (tls ? SYM_TLS : SYM_OBJECT);
    if (!tls) gsym.type[id] = STT_OBJECT;
  }
}
