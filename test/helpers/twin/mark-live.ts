/**
 * Garbage collection of lld as a fixpoint over plain objects: the oracle of mark-live.
 *
 * Not in the kernel's order: it repeats "what do the live sections hold on to" until nothing changes, because only the set counts.
 */
import { ISEC_CONSUMED, ISEC_EH_FRAME, ISEC_MERGE } from "../../../as-kernels/shared/abi.ts";
import * as elf from "../../../as-kernels/shared/elf.ts";

export interface TwinSymbol {
  /** Index of the section it is defined in; -1 = none. */
  section: number;
  value: number;
  isSection: boolean;
  isRoot: boolean;
  /** Sections X, for __start_X and __stop_X that retain them. */
  retains: number[];
}

export interface TwinReloc {
  /** Index into symbols; past the end = no such symbol, ignored. */
  symbol: number;
  addend: number;
}

export interface TwinSection {
  name: string;
  kind: number;
  type: number;
  flags: number;
  size: number;
  relocs: TwinReloc[];
  /** SHF_LINK_ORDER: the section it follows; -1 = none. */
  linkedTo: number;
  /** Number of its group; -1 = none. */
  group: number;
  /** Merge sections: bytes of a piece. */
  entsize: number;
}

export interface TwinRecord {
  /** Relocations of a CIE, or of an FDE of which the first says which function it describes. */
  relocs: TwinReloc[];
  /** FDE: section of the function; null = CIE. */
  func: number | null;
}

export interface Live {
  sections: boolean[];
  /** By section, what pieces are marked. */
  pieces: Set<number>[];
}

/** Names of sections that the C runtime runs, and beginnings of such names. */
const RESERVED = [".init", ".fini", ".jcr", ".stapsdt.base"];
const RESERVED_PREFIXES = [".ctors", ".dtors", ".init_array"];

function isRoot({ kind, type, flags, group, name }: TwinSection): boolean {
  if (kind === ISEC_CONSUMED) return false;
  if (kind === ISEC_EH_FRAME) return true;
  if ((flags & elf.SHF_GNU_RETAIN) !== 0) return true;
  if ((flags & elf.SHF_LINK_ORDER) !== 0) return false;
  if ((flags & elf.SHF_ALLOC) === 0) return group < 0;
  if ([elf.SHT_INIT_ARRAY, elf.SHT_FINI_ARRAY, elf.SHT_PREINIT_ARRAY].includes(type)) return true;
  if (type === elf.SHT_NOTE) return group < 0;
  return RESERVED.includes(name) || RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

export function markTwin(sections: TwinSection[], symbols: TwinSymbol[], records: TwinRecord[]): Live {
  const live = sections.map(() => false);
  /** Sections that are kept without being followed: debug information does not hold on to code. */
  const unfollowed = sections.map(
    (section) => section.kind === ISEC_EH_FRAME || (isRoot(section) && (section.flags & (elf.SHF_ALLOC | elf.SHF_GNU_RETAIN)) === 0),
  );
  const followed = sections.map(() => false);
  const pieces = sections.map(() => new Set<number>());
  let changed = true;
  const keep = (s: number, follow = true): void => {
    if (!live[s] || (follow && !followed[s] && !unfollowed[s])) changed = true;
    live[s] = true;
    if (follow && !unfollowed[s]) followed[s] = true;
  };
  const refer = ({ symbol: index, addend }: TwinReloc, fits: (s: TwinSection) => boolean = () => true): void => {
    const symbol = symbols[index];
    if (symbol === undefined) return;
    for (const s of symbol.section < 0 ? symbol.retains : []) keep(s);
    const target = sections[symbol.section];
    if (target === undefined || !fits(target)) return;
    if (target.kind === ISEC_MERGE) {
      const offset = symbol.value + (symbol.isSection ? addend : 0);
      // At the end of the section counts as its last piece.
      if (offset >= 0 && offset <= target.size) pieces[symbol.section]!.add(Math.min(Math.floor(offset / target.entsize), target.size / target.entsize - 1));
    }
    keep(symbol.section);
  };
  sections.forEach((section, s) => isRoot(section) && keep(s));
  symbols.forEach((symbol, index) => symbol.isRoot && symbol.section >= 0 && refer({ symbol: index, addend: 0 }));
  for (const { relocs, func } of records) if (func === null) relocs.forEach((reloc) => refer(reloc));
  while (changed) {
    changed = false;
    sections.forEach((section, s) => {
      if (!live[s]) return;
      // Sections linked to a live one stay with it, one that is not loaded too.
      if (section.kind !== ISEC_EH_FRAME) sections.forEach(({ linkedTo }, d) => linkedTo === s && keep(d));
      if (!followed[s]) return;
      section.relocs.forEach((reloc) => refer(reloc));
      if (section.group >= 0) sections.forEach(({ group }, d) => group === section.group && keep(d));
      for (const { func, relocs } of records) {
        if (func !== s) continue;
        // An FDE keeps the function's LSDA, not other functions; nothing in it names a __start_X.
        for (const reloc of relocs.slice(1)) if ((symbols[reloc.symbol]?.section ?? -1) >= 0) refer(reloc, ({ flags, group }) => (flags & (elf.SHF_EXECINSTR | elf.SHF_LINK_ORDER)) === 0 && group < 0);
      }
    });
  }
  return { sections: live, pieces };
}
