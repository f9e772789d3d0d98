/**
 * The loops of set-visibility over the global symbols: start versions, glob matching, and who is exported or preemptible.
 *
 * Not here: which patterns exist and in which order they count (ts/passes/set-visibility.ts). The surprising choice: patterns
 * are matched symbol by symbol against the whole ordered list, so "the first pattern that matches" needs no bookkeeping but
 * one mark byte per symbol, and that byte array exists only in links that have patterns or versioned definitions.
 */
import { params, tables } from "../shared/tables.ts";
import { equal } from "../lib/bytes.ts";
import { isDefinedKind } from "../lib/symbol-flags.ts";
import {
  BSYM_ALL, BSYM_NONE, BSYM_NON_WEAK, BSYM_NON_WEAK_FUNCTIONS, FNV_BASIS, FNV_PRIME, GLOB_BYTES, GLOB_INDEX_SLOTS, MARK_ASSIGNED, MARK_DYNAMIC_LIST, MARK_VERSIONED,
  MARK_VERSIONED_DEFAULT, OBJF_EXCLUDE_LIBS, SYM_ABSOLUTE, SYM_COMMON, SYM_EXPORTED, SYM_FORCED_LOCAL, SYM_IFUNC,
  SYM_KIND_MASK, SYM_LAZY, SYM_OBJECT, SYM_PREEMPTIBLE, SYM_ROOT, SYM_SHARED, SYM_TLS, SYM_UNDEF, SYM_USED_REGULAR, SYM_USED_SHARED, SYM_WEAK,
  VIS_DYNAMIC_LIST_BINDS, VIS_EXPORT_ALL, VIS_HAS_DYNSYM, VIS_KEEP_EXPORTED, VIS_NO_DYNAMIC_LINKER, VIS_NOTHING_AT_RUN_TIME, VIS_READ_SUFFIX, VIS_SHARED,
} from "../shared/abi.ts";
import { STB_GNU_UNIQUE, STB_WEAK, STT_OBJECT, STV_DEFAULT, STV_HIDDEN, STV_INTERNAL, SYM_BYTES, VER_NDX_GLOBAL, VER_NDX_LOCAL } from "../shared/elf.ts";

const AT: u8 = 0x40; // '@'
const STAR: u8 = 0x2a;
const QUESTION: u8 = 0x3f;
const BRACKET: u8 = 0x5b;
const BRACKET_END: u8 = 0x5d;
const BACKSLASH: u8 = 0x5c;
const CARET: u8 = 0x5e;
const BANG: u8 = 0x21;
const DASH: u8 = 0x2d;

/** Undefined globals [from, to) become weak. */
export function weakenUndefined(from: u32, to: u32): void {
  const flags = tables().sym.flags;
  for (let sym = from; sym < to; sym++) if ((flags[sym] & SYM_KIND_MASK) == SYM_UNDEF) flags[sym] |= SYM_WEAK;
}

/** Address of the NUL-terminated name as the definition spells it (with its @VERSION): in a symbol table, or in a script. 0 = nothing defines it. */
export function definedName(sym: u32): u32 {
  const gsym = tables().gsym;
  const obj = tables().obj;
  const from = gsym.obj[sym];
  const entry = gsym.esym[sym];
  if (from == 0) return 0;
  if (entry == 0) return gsym.name[sym];
  const symtab = obj.symtab[from];
  const strtab = obj.strtab[from];
  const index = entry - obj.esymBase[from];
  if (symtab == 0 || strtab == 0 || index >= obj.esymCount[from]) return 0;
  return strtab + load<u32>(symtab + SYM_BYTES * index);
}

/**
 * Gives every global its version before any script speaks: VER_NDX_GLOBAL, VER_NDX_LOCAL under --exclude-libs, the shared
 * object's own version index for symbols it defines. With VIS_READ_SUFFIX also marks definitions called name@V or name@@V.
 * Returns how many were marked.
 */
export function startVersions(from: u32, to: u32, bits: u32, marks: u32): u32 {
  const sym = tables().sym;
  const gsym = tables().gsym;
  const obj = tables().obj;
  const flags = sym.flags;
  let versioned: u32 = 0;
  for (let i = from; i < to; i++) {
    const kind = flags[i] & SYM_KIND_MASK;
    if (kind == SYM_SHARED) {
      const dso = gsym.obj[i];
      const versym = obj.versym[dso];
      const entry = gsym.esym[i];
      let ver: u32 = VER_NDX_GLOBAL;
      if (versym != 0 && entry != 0) ver = load<u16>(versym + ((entry - obj.esymBase[dso]) << 1)) & 0x7fff;
      gsym.ver[i] = <u16>(ver == VER_NDX_LOCAL ? VER_NDX_GLOBAL : ver);
      continue;
    }
    const defined = isDefinedKind(kind);
    const excluded = defined && (obj.flags[gsym.obj[i]] & OBJF_EXCLUDE_LIBS) != 0;
    gsym.ver[i] = <u16>(excluded ? VER_NDX_LOCAL : VER_NDX_GLOBAL);
    // No pattern of a version script brings it back (lld, GNU ld).
    if (excluded && marks != 0) store<u8>(marks + i, MARK_ASSIGNED);
    if (!defined || (bits & VIS_READ_SUFFIX) == 0) continue;
    const name = definedName(i);
    if (name == 0) continue;
    const at = name + gsym.nameBytes[i];
    if (load<u8>(at) != AT) continue;
    const isDefault = load<u8>(at, 1) == AT;
    const mark = load<u8>(marks + i) | (isDefault ? MARK_VERSIONED_DEFAULT : MARK_VERSIONED);
    // name@ and name@@ are of no version, whatever a script says of their names (GNU ld).
    store<u8>(marks + i, load<u8>(at + (isDefault ? 2 : 1)) == 0 ? mark | MARK_ASSIGNED : mark);
    versioned++;
  }
  return versioned;
}

/** Lists the globals whose mark byte has one of `wanted`. Returns how many; `out` = 0 only counts. */
export function listMarked(from: u32, to: u32, marks: u32, wanted: u32, out: u32): u32 {
  let count: u32 = 0;
  for (let i = from; i < to; i++) {
    if ((load<u8>(marks + i) & wanted) == 0) continue;
    if (out != 0) store<u32>(out + (count << 2), i);
    count++;
  }
  return count;
}

/** Lists undefined globals that were asked for as name@V: they may mean the default version. `out` = 0 only counts. */
export function listVersionedUndefined(from: u32, to: u32, out: u32): u32 {
  const flags = tables().sym.flags;
  const gsym = tables().gsym;
  let count: u32 = 0;
  for (let i = from; i < to; i++) {
    if ((flags[i] & SYM_KIND_MASK) != SYM_UNDEF || (flags[i] & SYM_USED_REGULAR) == 0) continue;
    const name = gsym.name[i];
    if (name == 0 || load<u8>(name + gsym.nameBytes[i]) != AT) continue;
    if (out != 0) store<u32>(out + (count << 2), i);
    count++;
  }
  return count;
}

/** Lists the globals a pattern may name: defined, common, or an unextracted member's. `out` = 0 only counts. */
export function listVersionable(from: u32, to: u32, out: u32): u32 {
  const flags = tables().sym.flags;
  let count: u32 = 0;
  for (let i = from; i < to; i++) {
    const kind = flags[i] & SYM_KIND_MASK;
    if (!isDefinedKind(kind) && kind != SYM_LAZY) continue;
    if (out != 0) store<u32>(out + (count << 2), i);
    count++;
  }
  return count;
}

/** Address of the ']' that ends the set whose first character is at `p`; `end` when there is none. */
// @ts-ignore: decorator
@inline
function bracketEnd(p: u32, end: u32): u32 {
  let at = p;
  if (at < end && (load<u8>(at) == CARET || load<u8>(at) == BANG)) at++;
  if (at < end && load<u8>(at) == BRACKET_END) at++;
  while (at < end && load<u8>(at) != BRACKET_END) at++;
  return at;
}

/** Is `byte` in the set between `p` and its ']'? */
// @ts-ignore: decorator
@inline
function inBracket(p: u32, close: u32, byte: u8): bool {
  let at = p;
  let negated = false;
  if (load<u8>(at) == CARET || load<u8>(at) == BANG) {
    negated = true;
    at++;
  }
  let found = false;
  while (at < close) {
    const low = load<u8>(at);
    if (at + 2 < close && load<u8>(at, 1) == DASH) {
      if (byte >= low && byte <= load<u8>(at, 2)) found = true;
      at += 3;
    } else {
      if (byte == low) found = true;
      at++;
    }
  }
  return found != negated;
}

/** Does the shell pattern (`*`, `?`, `[a-z]`, `[!a]`, `\x`) match all of the name? Backtracks to the last `*` only. */
export function globMatch(pattern: u32, patternBytes: u32, name: u32, nameBytes: u32): bool {
  const patternEnd = pattern + patternBytes;
  const nameEnd = name + nameBytes;
  let p = pattern;
  let n = name;
  let starP: u32 = 0;
  let starN: u32 = 0;
  while (true) {
    if (p < patternEnd && load<u8>(p) == STAR) {
      starP = ++p;
      starN = n;
      if (p == patternEnd) return true;
      continue;
    }
    if (n == nameEnd) return p == patternEnd;
    if (p < patternEnd) {
      const wanted = load<u8>(p);
      const byte = load<u8>(n);
      if (wanted == QUESTION) {
        p++;
        n++;
        continue;
      }
      if (wanted == BRACKET) {
        const close = bracketEnd(p + 1, patternEnd);
        if (close < patternEnd) {
          if (inBracket(p + 1, close, byte)) {
            p = close + 1;
            n++;
            continue;
          }
        } else if (byte == BRACKET) {
          p++;
          n++;
          continue;
        }
      } else if (wanted == BACKSLASH && p + 1 < patternEnd) {
        if (load<u8>(p, 1) == byte) {
          p += 2;
          n++;
          continue;
        }
      } else if (wanted == byte) {
        p++;
        n++;
        continue;
      }
    }
    if (starP == 0) return false;
    p = starP;
    n = ++starN;
  }
  return false;
}

/** Can the name end as the pattern does? Asked first, because most of thousands of patterns that begin with `*` do not. */
// @ts-ignore: decorator
@inline
function mayEnd(pattern: u32, patternBytes: u32, name: u32, nameBytes: u32): bool {
  if (patternBytes < 2 || nameBytes == 0) return true;
  const last = load<u8>(pattern + patternBytes - 1);
  if (last == STAR || last == QUESTION || last == BRACKET_END || load<u8>(pattern + patternBytes - 2) == BACKSLASH) return true;
  return load<u8>(name + nameBytes - 1) == last;
}

/** First pattern of the chain that matches; `best` when none before that does. */
function firstOfChain(chain: u32, best: u32, globs: u32, name: u32, nameBytes: u32, version: u32, versionBytes: u32): u32 {
  let next = chain;
  while (next != 0 && next - 1 < best) {
    const row = globs + (next - 1) * GLOB_BYTES;
    if (version == 0 || (versionBytes == load<u32>(row, 16) && equal(version, load<u32>(row, 12), versionBytes))) {
      const pattern = load<u32>(row);
      const patternBytes = load<u32>(row, 4);
      if (mayEnd(pattern, patternBytes, name, nameBytes) && globMatch(pattern, patternBytes, name, nameBytes)) return next - 1;
    }
    next = load<u32>(row, 20);
  }
  return best;
}

/**
 * Number of the first of `count` patterns that matches the name, `count` = none. Only patterns whose literal start is a start of
 * the name are tried: `index` finds them by hash. `version` != 0: the pattern must stand in the node of that name.
 */
export function firstGlob(name: u32, nameBytes: u32, version: u32, versionBytes: u32, globs: u32, count: u32, index: u32): u32 {
  let best = firstOfChain(load<u32>(index, 40), count, globs, name, nameBytes, version, versionBytes);
  const longest = min<u32>(load<u32>(index, 32), nameBytes);
  const mask = load<u32>(index, 36);
  let hash: u32 = FNV_BASIS;
  for (let bytes: u32 = 1; bytes <= longest; bytes++) {
    hash = (hash ^ <u32>load<u8>(name + bytes - 1)) * <u32>FNV_PRIME;
    if (!(load<u32>(index + ((bytes >> 5) << 2)) & (1 << (bytes & 31)))) continue;
    const chain = load<u32>(index + GLOB_INDEX_SLOTS + (((hash ^ (hash >> 15)) & mask) << 2));
    if (chain) best = firstOfChain(chain, best, globs, name, nameBytes, version, versionBytes);
  }
  return best;
}

/**
 * Assigns the first matching pattern's version to every symbol that has none yet. Patterns are `count` rows of GLOB_BYTES at
 * `globs`. A plain name matches the pattern; name@V matches when its version is the pattern's, name@@V never (its own version
 * counts).
 */
export function assignGlobs(from: u32, to: u32, marks: u32, globs: u32, count: u32, index: u32): void {
  const flags = tables().sym.flags;
  const gsym = tables().gsym;
  for (let i = from; i < to; i++) {
    const mark = load<u8>(marks + i);
    if ((mark & (MARK_ASSIGNED | MARK_VERSIONED_DEFAULT)) != 0) continue;
    const kind = flags[i] & SYM_KIND_MASK;
    if (!isDefinedKind(kind) && kind != SYM_LAZY) continue;
    const stemBytes = gsym.nameBytes[i];
    let version: u32 = 0;
    let versionBytes: u32 = 0;
    if ((mark & MARK_VERSIONED) != 0) {
      version = definedName(i) + stemBytes + 1;
      while (load<u8>(version + versionBytes) != 0) versionBytes++;
    }
    const g = firstGlob(gsym.name[i], stemBytes, version, versionBytes, globs, count, index);
    if (g == count) continue;
    gsym.ver[i] = <u16>load<u32>(globs + g * GLOB_BYTES, 8);
    store<u8>(marks + i, mark | MARK_ASSIGNED);
  }
}

/** Marks the symbols that some pattern of the dynamic list matches. Same pattern rows as assignGlobs. */
export function markDynamicGlobs(from: u32, to: u32, marks: u32, globs: u32, count: u32, index: u32): void {
  const flags = tables().sym.flags;
  const gsym = tables().gsym;
  for (let i = from; i < to; i++) {
    const kind = flags[i] & SYM_KIND_MASK;
    if (!isDefinedKind(kind) && kind != SYM_LAZY) continue;
    if (firstGlob(gsym.name[i], gsym.nameBytes[i], 0, 0, globs, count, index) == count) continue;
    store<u8>(marks + i, load<u8>(marks + i) | MARK_DYNAMIC_LIST);
  }
}

/** The same for all variables (--dynamic-list-data). */
export function markDynamicData(from: u32, to: u32, marks: u32): void {
  const flags = tables().sym.flags;
  const type = tables().gsym.type;
  for (let i = from; i < to; i++) {
    const kind = flags[i] & SYM_KIND_MASK;
    if (kind != SYM_COMMON && !(isDefinedKind(kind) && type[i] == STT_OBJECT)) continue;
    store<u8>(marks + i, load<u8>(marks + i) | MARK_DYNAMIC_LIST);
  }
}

/**
 * Does -Bsymbolic or its relatives bind this definition to the shared object it is in? To -Bsymbolic-functions a label of assembly or a script
 * that has no type (STT_NOTYPE) is a function, as for GNU ld: U-Boot's EFI program counts on it. An IFUNC is none (lld, GNU ld): a program that
 * takes its address has a PLT entry of its own for it, and the two would not be equal. STB_GNU_UNIQUE promises one definition in the whole
 * process, which is the dynamic linker's to choose (GNU ld; lld binds it too).
 */
// @ts-ignore: decorator
@inline
function bindsLocally(bsymbolic: u32, flags: u32, bind: u8): bool {
  if (bind == STB_GNU_UNIQUE && params().gnuUnique) return false;
  if (bsymbolic == BSYM_ALL) return true;
  if (bsymbolic == BSYM_NON_WEAK) return bind != STB_WEAK;
  if (bsymbolic == BSYM_NONE || (bsymbolic == BSYM_NON_WEAK_FUNCTIONS && bind == STB_WEAK)) return false;
  return (flags & (SYM_IFUNC | SYM_OBJECT | SYM_TLS)) == 0 && (flags & SYM_KIND_MASK) != SYM_COMMON;
}

/** Decides for every global: forced local, exported (in .dynsym), preemptible. `marks` = 0: nothing is in a dynamic list. */
export function setVisibility(from: u32, to: u32, bits: u32, marks: u32): void {
  const sym = tables().sym;
  const gsym = tables().gsym;
  const bsymbolic: u32 = (bits & VIS_DYNAMIC_LIST_BINDS) != 0 ? BSYM_ALL : params().bsymbolic;
  const hasDynsym = (bits & VIS_HAS_DYNSYM) != 0;
  const shared = (bits & VIS_SHARED) != 0;
  const keepExported = (bits & VIS_KEEP_EXPORTED) != 0;
  for (let i = from; i < to; i++) {
    let flags = sym.flags[i];
    const kind = flags & SYM_KIND_MASK;
    const defined = isDefinedKind(kind);
    const vis = gsym.vis[i];
    const hidden = vis == STV_HIDDEN || vis == STV_INTERNAL;
    flags &= ~(SYM_EXPORTED | SYM_PREEMPTIBLE | SYM_FORCED_LOCAL);
    // Only references are left of what no member was extracted for; scripts have nothing to say about those (lld).
    if (kind == SYM_LAZY) gsym.ver[i] = VER_NDX_GLOBAL;
    const local = kind != SYM_SHARED && gsym.ver[i] == VER_NDX_LOCAL;
    if (local) flags |= SYM_FORCED_LOCAL;
    const listed = marks != 0 && (load<u8>(marks + i) & MARK_DYNAMIC_LIST) != 0;
    // A static executable has nowhere to export to, but what is to be exported is not garbage (lld).
    if (defined && !hidden && !local && (keepExported || (!hasDynsym && (listed || (bits & VIS_EXPORT_ALL) != 0)))) flags |= SYM_ROOT;
    if (hasDynsym && !hidden && !local) {
      if (defined) {
        if (listed || (bits & VIS_EXPORT_ALL) != 0 || (flags & SYM_USED_SHARED) != 0) {
          flags |= SYM_EXPORTED;
          if (shared && vis == STV_DEFAULT && (listed || !bindsLocally(bsymbolic, flags, gsym.bind[i]))) flags |= SYM_PREEMPTIBLE;
        }
      } else if ((flags & SYM_USED_REGULAR) != 0) {
        const nothing = (bits & VIS_NOTHING_AT_RUN_TIME) != 0 || (gsym.bind[i] == STB_WEAK && (bits & VIS_NO_DYNAMIC_LINKER) != 0);
        if (!nothing || kind == SYM_SHARED) {
          flags |= SYM_EXPORTED;
          if (vis == STV_DEFAULT) flags |= SYM_PREEMPTIBLE;
        }
      }
    }
    // What nobody can define later is the absolute value 0.
    if (!defined && kind != SYM_SHARED && (flags & SYM_PREEMPTIBLE) == 0) flags |= SYM_ABSOLUTE;
    sym.flags[i] = flags;
  }
}
