/** The symbol table of a relocatable output: the oracle of the -r kernels of symbols. What .symtab of other outputs has, too, is in emit-symtab.ts. */
import { SYM_COMMON, SYM_DEFINED, SYM_DISCARDED, SYM_IN_OSEC, SYM_KIND_MASK, SYM_REF_LIVE, SYM_ROOT, SYM_USED_REGULAR } from "../../../as-kernels/shared/abi.ts";
import { SHF_MERGE, SHN_ABS, SHN_UNDEF, STB_GLOBAL, STB_GNU_UNIQUE, STT_COMMON, STT_FILE, STT_GNU_IFUNC, STT_NOTYPE, STT_SECTION, STT_TLS } from "../../../as-kernels/shared/elf.ts";
import { indexes, isThere, type Discard, type Entry, type Global, type Local, type Output } from "./emit-symtab.ts";

export interface RLocal extends Local {
  /** Defined in the header of a section group, whose index in the output it is (0 = not there); null = elsewhere. */
  groupIndex: number | null;
}

export interface RGlobal extends Global {
  /** How the entry that defines it spells the name; null = nothing defines it. */
  definedAs: string | null;
  /** Commons: log2. */
  align: number;
  /** st_shndx of the entry that defines it: commons of the large model have their own. */
  special: number;
}

const kindOf = ({ flags }: { flags: number }): number => flags & SYM_KIND_MASK;
const at = (output: Output | null) => (output === null ? { shndx: SHN_ABS, wide: 0 } : indexes(output));

/** A later link cannot do without what relocations and groups name; section symbols are made anew. */
export function isLocalKept(local: RLocal, discard: Discard): boolean {
  if (local.type === STT_SECTION) return false;
  if ((local.flags & SYM_ROOT) !== 0) return true;
  if (kindOf(local) !== SYM_DEFINED || !isThere(local)) return false;
  if ((local.flags & SYM_REF_LIVE) !== 0 || discard === "none") return true;
  if (discard === "all") return false;
  return !local.name.startsWith(".L") || (discard === "default" && ((local.section?.flags ?? 0) & SHF_MERGE) === 0);
}

export function localEntryOfObject(local: RLocal): Entry {
  const { type: info, other, size, section, addr } = local;
  const plain = { info, other, size };
  if (kindOf(local) !== SYM_DEFINED) return { ...plain, ...indexes({ index: local.groupIndex ?? SHN_UNDEF, flags: 0, addr: 0n, size: 0 }), value: 0n };
  const home = section === null ? at(null) : section.output === null ? { shndx: SHN_UNDEF, wide: 0 } : at(section.output);
  return { ...plain, ...home, value: info === STT_FILE ? 0n : addr };
}

/** `onlyUsed`: references and commons that nothing in the output refers to are left out (--gc-sections). */
export function isGlobalKept(global: RGlobal, onlyUsed: boolean): boolean {
  if ((global.flags & SYM_USED_REGULAR) === 0 || kindOf(global) === SYM_DISCARDED) return false;
  if (kindOf(global) === SYM_DEFINED) return isThere(global);
  return kindOf(global) === SYM_IN_OSEC || !onlyUsed || (global.flags & (SYM_REF_LIVE | SYM_ROOT)) !== 0;
}

/** A definition keeps its version suffix. */
export const nameOfGlobal = (global: RGlobal): string => (kindOf(global) === SYM_DEFINED && global.definedAs !== null ? global.definedAs : global.name);

/** `sttCommon`: commons have a type of their own (gABI ch. 4, STT_COMMON), not that of their mentions. */
export function globalEntryOfObject(global: RGlobal, gnuUnique: boolean, sttCommon: boolean): Entry {
  const { vis: other, section, output, addr, size } = global;
  const bind = global.bind === 0 || (global.bind === STB_GNU_UNIQUE && !gnuUnique) ? STB_GLOBAL : global.bind;
  const kind = kindOf(global);
  const plain = { info: (bind << 4) | (sttCommon && kind === SYM_COMMON && global.type !== STT_TLS ? STT_COMMON : global.type), other };
  if (kind === SYM_COMMON) return { ...plain, shndx: global.special, wide: 0, value: 1n << BigInt(global.align), size: BigInt(size) };
  if (kind !== SYM_DEFINED && kind !== SYM_IN_OSEC) return { ...plain, shndx: SHN_UNDEF, wide: 0, value: 0n, size: 0n };
  return { ...plain, ...at(kind === SYM_IN_OSEC ? output : (section?.output ?? null)), value: addr, size: BigInt(size) };
}

/** ELFOSABI_GNU is for what the generic ABI does not have. */
export const needsGnuAbi = ({ info }: Entry): boolean => (info & 15) === STT_GNU_IFUNC || info >> 4 === STB_GNU_UNIQUE;

/** The type of what nobody defines: that of its first mention that has one. */
export const typeOfReference = (mentions: number[]): number => mentions.find((type) => type !== STT_NOTYPE && type < STT_GNU_IFUNC) ?? STT_NOTYPE;

export type MemberKind = "copied" | "merged" | "unwind" | "made";

/**
 * Whose locals the symbol of an output section follows: those of the object that its first copied member comes from; "nobody's":
 * those of no object; null: relocations cannot mean it, there is none.
 */
export function ownerOfSection(members: { kind: MemberKind; object: number }[], mergeable: boolean): number | "nobody's" | null {
  const first = members.find(({ kind }) => kind === "copied" || kind === "made");
  if (first !== undefined) return first.kind === "made" ? "nobody's" : first.object;
  return members.some(({ kind }) => kind === "merged") || (members.length === 0 && mergeable) ? "nobody's" : null;
}
