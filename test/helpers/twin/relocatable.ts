/**
 * The sections of a relocatable output: the oracle of the -r kernels, from the gABI's chapters on sections and section groups
 * and what lld and GNU ld join.
 */
import {
  GRP_COMDAT, RELA_BYTES, SHF_COMPRESSED, SHF_GROUP, SHF_GNU_RETAIN, SHF_INFO_LINK, SHF_LINK_ORDER, SHF_MERGE, SHF_STRINGS, SHT_GROUP, SHT_NOBITS, SHT_PROGBITS, SHT_RELA,
  SHT_X86_64_UNWIND,
} from "../../../as-kernels/shared/elf.ts";

export interface RSection {
  name: string;
  type: number;
  flags: number;
  entsize: number;
  /** log2 */
  align: number;
  size: number;
  relas: number;
  live: boolean;
  /** Only its meaning is kept. */
  consumed: boolean;
  /** Is it cut into pieces that are merged? */
  merge: boolean;
  /** SHF_LINK_ORDER: what sh_link means. */
  linked: RSection | null;
  group: RGroup | null;
}

export interface RGroup {
  comdat: boolean;
  /** The copy that counts. */
  won: boolean;
  /** It has a section header (.gnu.linkonce has none). */
  header: boolean;
  /** In the order of the object's section headers. */
  members: RSection[];
  /** Index of the symbol that names it. */
  symbol: number;
}

export interface ROutput {
  name: string;
  type: number;
  flags: number;
  entsize: number;
  align: number;
  members: RSection[];
  link: ROutput | null;
  /** Takes no other section in. */
  apart: boolean;
  relas: number;
}

export interface RHeader {
  name: string;
  type: number;
  flags: number;
  offset: number;
  size: number;
  link: number;
  info: number;
  align: number;
  entsize: number;
}

/** Between constants that alignment pulls apart a reader could not step by sh_entsize. */
const isOdd = ({ flags, entsize, align }: RSection): boolean => (flags & SHF_MERGE) !== 0 && (flags & SHF_STRINGS) === 0 && entsize > 0 && entsize % 2 ** align !== 0;

export const isMerged = (section: RSection): boolean => section.merge && !isOdd(section);

/** Sections that go together: of one name, type, flags, entry size and, where order follows others, of what they follow. `dissolve`: groups are forgotten. */
export function bindRelocatableTwin(sections: RSection[], unique: (section: RSection) => boolean, dissolve: boolean): ROutput[] {
  const outputs: ROutput[] = [];
  const kept = sections.filter(({ live, consumed }) => live && !consumed);
  const follows = ({ flags }: RSection): boolean => (flags & SHF_LINK_ORDER) !== 0;
  for (const section of [...kept.filter((section) => !follows(section)), ...kept.filter(follows)]) {
    // Flags that speak of how the bytes were stored, and of header fields that are filled in anew, are gone.
    const flags = section.flags & ~SHF_COMPRESSED & ~SHF_INFO_LINK & (dissolve ? ~SHF_GROUP : ~0);
    const type = section.type === SHT_X86_64_UNWIND ? SHT_PROGBITS : section.type;
    const link = follows(section) ? (outputs.find(({ members }) => members.includes(section.linked!)) ?? null) : null;
    const apart = unique(section) || (section.group !== null && !dissolve) || isOdd(section);
    const same = (o: ROutput): boolean => !o.apart && o.name === section.name && o.type === type && o.flags === flags && o.entsize === section.entsize && o.link === link;
    let output = apart ? undefined : outputs.find(same);
    if (output === undefined) {
      output = { name: section.name, type, flags, entsize: section.entsize, align: 0, members: [], link, apart, relas: 0 };
      outputs.push(output);
    }
    output.members.push(section);
    output.align = Math.max(output.align, section.align);
    output.relas += section.relas;
  }
  return outputs;
}

/** Members of a group that are in the output; a group without any is not there. */
const membersOf = (group: RGroup, outputs: ROutput[]): ROutput[] =>
  !group.won || !group.header ? [] : group.members.flatMap((member) => outputs.filter(({ members }) => members.includes(member)));

const isGroup = (entry: RGroup | ROutput | { relasOf: ROutput }): entry is RGroup => "comdat" in entry;

export interface RLayout {
  /** Of header 0 on. */
  headers: RHeader[];
  /** Words of every group, in the order of `groups`; null: not there. */
  groups: (number[] | null)[];
  gnuAbi: boolean;
}

/** `sizes`: of the outputs; the file begins with a header of `start` bytes; `symtab`: header index of the symbol table. */
export function layoutRelocatableTwin(outputs: ROutput[], groups: RGroup[], sizes: number[], start: number, symtab: number): RLayout {
  type Entry = RGroup | ROutput | { relasOf: ROutput };
  const entries: Entry[] = [];
  for (const output of outputs) {
    // A group must be known before its members (gABI ch. 4 Section Groups).
    const group = output.members[0]!.group;
    if (group !== null && groups.includes(group) && !entries.includes(group) && membersOf(group, outputs).length > 0) entries.push(group);
    entries.push(output);
    if (output.relas > 0) entries.push({ relasOf: output });
  }
  const indexOf = (wanted: Entry | null): number => (wanted === null ? 0 : 1 + entries.indexOf(wanted));
  const relasOf = (output: ROutput): number => 1 + entries.findIndex((entry) => "relasOf" in entry && entry.relasOf === output);
  const words = groups.map((group): number[] | null => {
    const members = membersOf(group, outputs);
    if (members.length === 0) return null;
    return [group.comdat ? GRP_COMDAT : 0, ...members.flatMap((output) => (output.relas > 0 ? [indexOf(output), relasOf(output)] : [indexOf(output)]))];
  });

  // The file: contents, then groups, then relocations.
  const offsets = new Map<Entry, number>();
  let at = start;
  const align = (bytes: number) => (at = Math.ceil(at / bytes) * bytes);
  outputs.forEach((output, i) => {
    if (output.type === SHT_NOBITS) return void offsets.set(output, at);
    offsets.set(output, align(2 ** output.align));
    at += sizes[i]!;
  });
  align(4);
  groups.forEach((group, g) => {
    offsets.set(group, at);
    at += 4 * (words[g]?.length ?? 0);
  });
  align(8);
  for (const entry of entries) {
    if (!("relasOf" in entry)) continue;
    offsets.set(entry, at);
    at += RELA_BYTES * entry.relasOf.relas;
  }

  const headers = entries.map((entry): RHeader => {
    const offset = offsets.get(entry)!;
    if (isGroup(entry)) {
      return { name: ".group", type: SHT_GROUP, flags: 0, offset, size: 4 * words[groups.indexOf(entry)]!.length, link: symtab, info: entry.symbol, align: 4, entsize: 4 };
    }
    if ("relasOf" in entry) {
      const { name, flags, relas } = entry.relasOf;
      return {
        name: ".rela" + name, type: SHT_RELA, flags: SHF_INFO_LINK | (flags & SHF_GROUP), offset, size: RELA_BYTES * relas, link: symtab, info: indexOf(entry.relasOf), align: 8,
        entsize: RELA_BYTES,
      };
    }
    const { name, type, flags, entsize } = entry;
    return { name, type, flags, offset, size: sizes[outputs.indexOf(entry)]!, link: indexOf(entry.link), info: 0, align: 2 ** entry.align, entsize };
  });
  const nothing: RHeader = { name: "", type: 0, flags: 0, offset: 0, size: 0, link: 0, info: 0, align: 0, entsize: 0 };
  return { headers: [nothing, ...headers], groups: words, gnuAbi: outputs.some(({ flags }) => (flags & SHF_GNU_RETAIN) !== 0) };
}

/** Must dead code be 1 in the section? A pair of zeros ends the lists of these (DWARF 4, 2.6.2 and 2.17.3). */
export const deadIsOne = ({ name, flags }: ROutput): boolean => (flags & 2) === 0 && (name === ".debug_loc" || name === ".debug_ranges");
