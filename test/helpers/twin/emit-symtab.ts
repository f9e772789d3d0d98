/** What .symtab gets of local and global symbols: the oracle of emit-symtab, from lld's includeInSymtab and discard rules. */
import {
  SYM_COMMON, SYM_DEFINED, SYM_DISCARDED, SYM_FORCED_LOCAL, SYM_IFUNC, SYM_IN_OSEC, SYM_KIND_MASK, SYM_LAZY, SYM_NEEDS_COPY, SYM_NEEDS_CPLT, SYM_REF_LIVE, SYM_SHARED, SYM_TLS, SYM_UNDEF,
  SYM_USED_REGULAR,
} from "../../../as-kernels/shared/abi.ts";
import {
  SHF_ALLOC, SHF_MERGE, SHF_TLS, SHN_ABS, SHN_LORESERVE, SHN_UNDEF, SHN_XINDEX, STB_GLOBAL, STB_GNU_UNIQUE, STB_LOCAL, STT_FILE, STT_FUNC, STT_SECTION, STV_HIDDEN, STV_INTERNAL,
} from "../../../as-kernels/shared/elf.ts";

/** An output section; `index` 0: without a header. */
export interface Output {
  index: number;
  flags: number;
  addr: bigint;
  size: number;
}

/** Where a symbol is defined: an input section, whose output is null when it is thrown away. */
export interface Section {
  live: boolean;
  flags: number;
  merge: boolean;
  output: Output | null;
}

export type Piece = "none" | "dead" | "live";

export interface Local {
  name: string;
  type: number;
  flags: number;
  /** null = absolute */
  section: Section | null;
  /** Of a symbol in a merge section. */
  piece: Piece;
  addr: bigint;
  size: bigint;
  other: number;
}

export interface Global {
  name: string;
  type: number;
  bind: number;
  vis: number;
  flags: number;
  section: Section | null;
  /** SYM_IN_OSEC: what it is relative to, null = absolute. */
  output: Output | null;
  piece: Piece;
  addr: bigint;
  size: number;
}

export interface Link {
  outputs: Output[];
  tlsAddr: bigint;
  gcSections: boolean;
  gnuUnique: boolean;
  /** Relocations are copied, so symbols are kept for them. */
  copiesRelocations: boolean;
}

/** An Elf64_Sym with its word of .symtab_shndx. */
export interface Entry {
  info: number;
  other: number;
  shndx: number;
  wide: number;
  value: bigint;
  size: bigint;
}

export type Discard = "default" | "locals" | "all" | "none";

const kindOf = (symbol: { flags: number }): number => symbol.flags & SYM_KIND_MASK;

/** Is what the symbol names in the output? */
export function isThere({ section, piece }: { section: Section | null; piece: Piece }): boolean {
  return section === null || (section.live && section.output !== null && (!section.merge || piece === "live"));
}

export function isWritten(local: Local, discard: Discard, link: Link): boolean {
  const { name, type, flags, section } = local;
  if (type === STT_SECTION || kindOf(local) === SYM_UNDEF || kindOf(local) === SYM_DISCARDED || !isThere(local)) return false;
  if (link.copiesRelocations && (flags & SYM_REF_LIVE) !== 0) return true;
  if (discard === "none") return true;
  if (discard === "all") return false;
  return !name.startsWith(".L") || (discard === "default" && (section === null || (section.flags & SHF_MERGE) === 0));
}

/** Only what a regular object mentions; with --gc-sections, of what is not defined here only what live code refers to. */
export function isGlobalWritten(global: Global, link: Link): boolean {
  if ((global.flags & SYM_USED_REGULAR) === 0) return false;
  switch (kindOf(global)) {
    case SYM_DEFINED: return isThere(global);
    case SYM_IN_OSEC: return true;
    case SYM_DISCARDED: return false;
    default: return !link.gcSections || (global.flags & SYM_REF_LIVE) !== 0;
  }
}

/** Definitions that nobody outside can see are local symbols of the output. */
export function isLocalised(global: Global): boolean {
  const hidden = global.vis === STV_HIDDEN || global.vis === STV_INTERNAL || (global.flags & SYM_FORCED_LOCAL) !== 0;
  return hidden && [SYM_DEFINED, SYM_IN_OSEC].includes(kindOf(global));
}

/** The section that holds an address; one that ends there when none does. */
export function outputAt(address: bigint, { outputs }: Link): Output | null {
  const candidates = outputs.filter(({ index, flags, addr }) => index !== 0 && (flags & SHF_ALLOC) !== 0 && (flags & SHF_TLS) === 0 && addr <= address);
  return candidates.find(({ addr, size }) => address < addr + BigInt(size)) ?? candidates.findLast(({ addr, size }) => address === addr + BigInt(size)) ?? null;
}

/** st_shndx and the word of .symtab_shndx, by output section; null = absolute. */
export function indexes(output: Output | null): { shndx: number; wide: number } {
  if (output === null) return { shndx: SHN_ABS, wide: 0 };
  return output.index < SHN_LORESERVE ? { shndx: output.index, wide: 0 } : { shndx: SHN_XINDEX, wide: output.index };
}

/** An indirect function whose address is that of its PLT entry. */
const isPltFunction = ({ flags }: { flags: number }): boolean => (flags & SYM_IFUNC) !== 0 && (flags & SYM_NEEDS_CPLT) !== 0;

const valueOf = (symbol: { flags: number; addr: bigint }, absolute: boolean, { tlsAddr }: Link): bigint =>
  BigInt.asUintN(64, (symbol.flags & SYM_TLS) !== 0 && !absolute ? symbol.addr - tlsAddr : symbol.addr);

export function localEntry(local: Local, link: Link): Entry {
  const { type, section, other, size } = local;
  if (type === STT_FILE) return { info: STT_FILE, other, shndx: SHN_ABS, wide: 0, value: 0n, size };
  const value = valueOf(local, section === null, link);
  if (isPltFunction(local)) return { info: STT_FUNC, other, ...indexes(outputAt(local.addr, link)), value, size: 0n };
  return { info: type, other, ...indexes(section === null ? null : section.output), value, size };
}

export function globalEntry(global: Global, link: Link): Entry {
  const kind = kindOf(global);
  const plt = isPltFunction(global);
  const strong = global.bind === 0 || (global.bind === STB_GNU_UNIQUE && !link.gnuUnique) ? STB_GLOBAL : global.bind;
  const info = ((isLocalised(global) ? STB_LOCAL : strong) << 4) | (plt ? STT_FUNC : global.type);
  const other = global.vis;
  const copied = kind === SYM_SHARED && (global.flags & SYM_NEEDS_COPY) !== 0;
  if (kind !== SYM_DEFINED && kind !== SYM_IN_OSEC && !copied) return { info, other, shndx: SHN_UNDEF, wide: 0, value: global.addr, size: 0n };
  const home = kind === SYM_IN_OSEC ? global.output : (global.section?.output ?? null);
  const moved = plt || copied ? outputAt(global.addr, link) : home;
  return { info, other, ...indexes(moved), value: valueOf(global, home === null, link), size: plt ? 0n : BigInt(global.size) };
}

/** Kinds that a global has when .symtab is written; commons have become definitions in .bss but under -r and where nobody placed them. */
export const GLOBAL_KINDS = [SYM_UNDEF, SYM_DEFINED, SYM_SHARED, SYM_LAZY, SYM_COMMON, SYM_IN_OSEC, SYM_DISCARDED];
