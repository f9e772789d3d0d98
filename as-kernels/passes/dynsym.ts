/**
 * The dynamic symbol table as loops over its symbols: collect, order for .gnu.hash, number, and write .dynsym, .dynstr,
 * .gnu.hash, .hash and .gnu.version.
 *
 * A list is `count` u32 sym rows in .dynsym order, without the null entry, so row i has dynamic symbol index i + 1.
 * The surprising choice: a shared object's function whose PLT entry is its address counts as hashed although its st_shndx
 * stays SHN_UNDEF, because the dynamic linker has to find it here.
 */
import { params, tables } from "../shared/tables.ts";
import { copyBytes } from "../lib/bytes.ts";
import { ABSOLUTE, sectionAt, shortIndex } from "../lib/section-at.ts";
import { isDefinedKind, SYM_NEEDS } from "../lib/symbol-flags.ts";
import {
  SYM_DEFINED, SYM_EXPORTED, SYM_IFUNC, SYM_IN_OSEC, SYM_KIND_MASK, SYM_NEEDS_COPY, SYM_NEEDS_CPLT, SYM_REF_LIVE, SYM_SHARED, SYM_TLS, SYM_WEAK,
} from "../shared/abi.ts";
import {
  SHN_UNDEF, STB_GLOBAL, STB_GNU_UNIQUE, STB_LOCAL, STB_WEAK, STT_COMMON, STT_FUNC, STT_GNU_IFUNC, STT_OBJECT, ST_INFO, ST_OTHER, ST_SHNDX, ST_SIZE,
  ST_VALUE, SYM_BYTES, VER_NDX_GLOBAL,
} from "../shared/elf.ts";

/** Defined by a shared object, copied into the output (then its kind has become SYM_IN_OSEC) or not: it has that object's version. */
// @ts-ignore: decorator
@inline
function isOfSharedObject(flags: u32): bool {
  return (flags & SYM_KIND_MASK) == SYM_SHARED || (flags & SYM_NEEDS_COPY) != 0;
}

/** Does the output give the symbol a value that others may look up? */
// @ts-ignore: decorator
@inline
function isHashed(flags: u32): bool {
  const kind = flags & SYM_KIND_MASK;
  return isDefinedKind(kind) || (kind == SYM_SHARED && (flags & (SYM_NEEDS_COPY | SYM_NEEDS_CPLT)) != 0);
}

/**
 * Splits the exported globals into references (`undefined`) and definitions (`defined`), each in sym order; addresses 0 only
 * count. With `gc`, references that no live section makes and definitions in dead sections are left out.
 * Counts go to `counts` as two u32.
 */
export function collectDynsyms(globals: u32, gc: u32, undefined: u32, defined: u32, counts: u32): void {
  const sym = tables().sym;
  const isec = tables().isec;
  let references: u32 = 0;
  let definitions: u32 = 0;
  for (let i: u32 = 1; i < globals; i++) {
    const flags = sym.flags[i];
    if ((flags & SYM_EXPORTED) == 0) continue;
    const kind = flags & SYM_KIND_MASK;
    if (isHashed(flags)) {
      if (gc != 0 && kind == SYM_DEFINED && sym.isec[i] != 0 && isec.live[sym.isec[i]] == 0) continue;
      if (defined != 0) store<u32>(defined + (definitions << 2), i);
      definitions++;
    } else {
      if (gc != 0 && (flags & (SYM_REF_LIVE | SYM_NEEDS)) == 0) continue;
      if (undefined != 0) store<u32>(undefined + (references << 2), i);
      references++;
    }
  }
  store<u32>(counts, references);
  store<u32>(counts, definitions, 4);
}

/** Merges two ascending lists of sym rows into `out`. */
export function mergeDynsyms(first: u32, firstCount: u32, second: u32, secondCount: u32, out: u32): void {
  const firstEnd = first + (firstCount << 2);
  const secondEnd = second + (secondCount << 2);
  let a = first;
  let b = second;
  for (let to = out; a < firstEnd || b < secondEnd; to += 4) {
    const fromSecond = a == firstEnd || (b < secondEnd && load<u32>(b) < load<u32>(a));
    store<u32>(to, load<u32>(fromSecond ? b : a));
    if (fromSecond) b += 4;
    else a += 4;
  }
}

/** Writes the GNU hash (h * 33 + c, from 5381) of each name as u32. */
export function gnuHashNames(list: u32, count: u32, hashes: u32): void {
  const gsym = tables().gsym;
  for (let i: u32 = 0; i < count; i++) {
    const row = load<u32>(list + (i << 2));
    let p = gsym.name[row];
    const end = p + gsym.nameBytes[row];
    let h: u32 = 5381;
    while (p < end) h = h * 33 + <u32>load<u8>(p++);
    store<u32>(hashes + (i << 2), h);
  }
}

/** Stable counting sort by bucket: `list`, `hashes` → `outList`, `outHashes`. `cursors`: buckets + 1 zeroed u32. */
export function sortByBucket(list: u32, hashes: u32, count: u32, buckets: u32, outList: u32, outHashes: u32, cursors: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = cursors + ((load<u32>(hashes + (i << 2)) % buckets + 1) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
  for (let b: u32 = 1; b < buckets; b++) {
    const at = cursors + (b << 2);
    store<u32>(at, load<u32>(at) + load<u32>(at - 4));
  }
  for (let i: u32 = 0; i < count; i++) {
    const h = load<u32>(hashes + (i << 2));
    const at = cursors + ((h % buckets) << 2);
    const to = load<u32>(at);
    store<u32>(at, to + 1);
    store<u32>(outList + (to << 2), load<u32>(list + (i << 2)));
    store<u32>(outHashes + (to << 2), h);
  }
}

/** gsym.dynsym = place in the table. */
export function numberDynsyms(list: u32, count: u32): void {
  const dynsym = tables().gsym.dynsym;
  for (let i: u32 = 0; i < count; i++) dynsym[load<u32>(list + (i << 2))] = i + 1;
}

/**
 * Places the names of `list` one after the other in .dynstr from offset `at` on: u32 offsets at `offsets`, by index in .dynsym.
 * Returns where they end. The list is in sym order, which is not always that of .dynsym.
 */
export function placeDynsymNames(list: u32, count: u32, at: u32, offsets: u32): u32 {
  const nameBytes = tables().gsym.nameBytes;
  const dynsym = tables().gsym.dynsym;
  let offset = at;
  for (let i: u32 = 0; i < count; i++) {
    const row = load<u32>(list + (i << 2));
    store<u32>(offsets + (dynsym[row] << 2), offset);
    offset += nameBytes[row] + 1;
  }
  return offset;
}

/** The names one after the other at `out`, each with its NUL (`out` is zeroed). */
export function writeDynsymNames(list: u32, count: u32, out: u32): void {
  const gsym = tables().gsym;
  let at = out;
  for (let i: u32 = 0; i < count; i++) {
    const row = load<u32>(list + (i << 2));
    const bytes = gsym.nameBytes[row];
    copyBytes(at, gsym.name[row], bytes);
    at += bytes + 1;
  }
}

/** Elf64_Sym entries 1 … count at `out` (which begins with the null entry). `offsets` of names as placeDynsymNames left them. */
export function writeDynsyms(list: u32, count: u32, out: u32, offsets: u32, gnuUnique: u32): void {
  const sym = tables().sym;
  const gsym = tables().gsym;
  const isec = tables().isec;
  const osec = tables().osec;
  const tlsAddr = params().tlsAddr;
  let at = out + SYM_BYTES;
  for (let i: u32 = 0; i < count; i++, at += SYM_BYTES) {
    const row = load<u32>(list + (i << 2));
    const flags = sym.flags[row];
    const kind = flags & SYM_KIND_MASK;
    let bind = <u32>gsym.bind[row];
    let type = <u32>gsym.type[row];
    // A reference is as strong as the strongest mention, whatever the definition elsewhere says.
    if (!isDefinedKind(kind)) bind = flags & SYM_WEAK ? STB_WEAK : STB_GLOBAL;
    if (bind == STB_LOCAL || (bind == STB_GNU_UNIQUE && gnuUnique == 0)) bind = STB_GLOBAL;
    if (type == STT_COMMON) type = STT_OBJECT;
    // An indirect function is an ordinary one once its PLT entry is its address.
    if (type == STT_GNU_IFUNC && (flags & SYM_NEEDS_CPLT) != 0) type = STT_FUNC;
    let shndx: u32 = SHN_UNDEF;
    let value: u64 = 0;
    let size: u64 = 0;
    if (isHashed(flags)) {
      value = sym.addr[row];
      if (kind == SYM_SHARED) {
        if ((flags & SYM_NEEDS_COPY) != 0) {
          shndx = sectionAt(value);
          size = <u64>gsym.size[row];
        }
      } else {
        size = <u64>gsym.size[row];
        const section = sym.isec[row];
        if ((flags & SYM_IFUNC) != 0 && (flags & SYM_NEEDS_CPLT) != 0) {
          shndx = sectionAt(value);
          size = 0;
        } else if (section == 0) shndx = ABSOLUTE;
        else if (kind == SYM_IN_OSEC) shndx = osec.index[section];
        else shndx = osec.index[isec.osec[section]];
        if ((flags & SYM_TLS) != 0 && section != 0) value -= tlsAddr;
      }
    }
    store<u32>(at, load<u32>(offsets + ((i + 1) << 2)));
    store<u8>(at, <u8>((bind << 4) | (type & 15)), ST_INFO);
    store<u8>(at, gsym.vis[row] & 3, ST_OTHER);
    store<u16>(at, shortIndex(shndx), ST_SHNDX);
    store<u64>(at, value, ST_VALUE);
    store<u64>(at, size, ST_SIZE);
  }
}

/**
 * .gnu.hash: header, bloom filter, buckets, chains (the last hash of a bucket has bit 0 set). `hashes` belong to the last
 * `count` dynamic symbols, of which the first has index `first`; they are sorted by bucket. `out` is zeroed.
 */
export function writeGnuHash(hashes: u32, count: u32, first: u32, out: u32, buckets: u32, maskWords: u32, shift: u32): void {
  store<u32>(out, buckets);
  store<u32>(out, first, 4);
  store<u32>(out, maskWords, 8);
  store<u32>(out, shift, 12);
  const bloom = out + 16;
  const bucketAt = bloom + (maskWords << 3);
  const chain = bucketAt + (buckets << 2);
  let last: u32 = 0xffffffff;
  for (let i: u32 = 0; i < count; i++) {
    const h = load<u32>(hashes + (i << 2));
    const word = bloom + (((h >> 6) & (maskWords - 1)) << 3);
    store<u64>(word, load<u64>(word) | (<u64>1 << <u64>(h & 63)) | (<u64>1 << <u64>((h >> shift) & 63)));
    const bucket = h % buckets;
    if (bucket != last) {
      store<u32>(bucketAt + (bucket << 2), first + i);
      if (i != 0) store<u32>(chain + ((i - 1) << 2), load<u32>(chain + ((i - 1) << 2)) | 1);
      last = bucket;
    }
    store<u32>(chain + (i << 2), h & ~1);
  }
  if (count != 0) store<u32>(chain + ((count - 1) << 2), load<u32>(chain + ((count - 1) << 2)) | 1);
}

/** .hash (gABI ch. 5, Hash Table): as many buckets as symbols, the null symbol included. `out` is zeroed. */
export function writeSysvHash(list: u32, count: u32, out: u32): void {
  const gsym = tables().gsym;
  const symbols = count + 1;
  store<u32>(out, symbols);
  store<u32>(out, symbols, 4);
  const bucketAt = out + 8;
  const chain = bucketAt + (symbols << 2);
  for (let i: u32 = 0; i < count; i++) {
    const row = load<u32>(list + (i << 2));
    let p = gsym.name[row];
    const end = p + gsym.nameBytes[row];
    let h: u32 = 0;
    while (p < end) {
      h = (h << 4) + <u32>load<u8>(p++);
      h ^= (h >> 24) & 0xf0;
      h &= 0x0fffffff;
    }
    const bucket = bucketAt + ((h % symbols) << 2);
    store<u32>(chain + ((i + 1) << 2), load<u32>(bucket));
    store<u32>(bucket, i + 1);
  }
}

/**
 * Numbers the versions of shared objects that the list uses, from `next` on in order of first use: `maps` is a u32 address per
 * obj row of u16 per version index, 0 = not used. Returns the number after the last.
 */
export function numberNeededVersions(list: u32, count: u32, maps: u32, next: u32): u32 {
  const flags = tables().sym.flags;
  const gsym = tables().gsym;
  let number = next;
  for (let i: u32 = 0; i < count; i++) {
    const row = load<u32>(list + (i << 2));
    if (!isOfSharedObject(flags[row])) continue;
    const map = load<u32>(maps + (gsym.obj[row] << 2));
    const ver = <u32>gsym.ver[row];
    if (map == 0 || ver <= <u32>VER_NDX_GLOBAL || ver >= load<u16>(map) || load<u16>(map + (ver << 1))) continue;
    store<u16>(map + (ver << 1), <u16>number);
    number++;
  }
  return number;
}

/** .gnu.version entries 1 … count. The first word of a map is the number of its version indexes. */
export function writeVersym(list: u32, count: u32, out: u32, maps: u32): void {
  const flags = tables().sym.flags;
  const gsym = tables().gsym;
  for (let i: u32 = 0; i < count; i++) {
    const row = load<u32>(list + (i << 2));
    let ver: u32 = VER_NDX_GLOBAL;
    if (isOfSharedObject(flags[row])) {
      const map = load<u32>(maps + (gsym.obj[row] << 2));
      const own = <u32>gsym.ver[row];
      if (map != 0 && own > <u32>VER_NDX_GLOBAL && own < load<u16>(map)) ver = load<u16>(map + (own << 1));
    } else if (isDefinedKind(flags[row] & SYM_KIND_MASK)) ver = gsym.ver[row];
    store<u16>(out + ((i + 1) << 1), <u16>ver);
  }
}
