/**
 * Output sections with their linker-made contents, in output order, and the members that need an order of their own.
 *
 * The order is lld's default layout (read-only, executable, writable with RELRO first, not loaded); the rank of a section
 * is one number made of the bits below, and sections of equal rank stay in order of appearance.
 */
import { TOMB_ADDEND, TOMB_LINE, TOMB_MAX, TOMB_NONE, TOMB_ONE, TOMB_VALUE, TOMB_ZERO } from "../../as-kernels/shared/abi.ts";
import {
  SHF_ALLOC, SHF_EXECINSTR, SHF_GROUP, SHF_INFO_LINK, SHF_LINK_ORDER, SHF_COMPRESSED, SHF_GNU_RETAIN, SHF_TLS, SHF_WRITE, SHF_X86_64_LARGE, SHT_FINI_ARRAY, SHT_INIT_ARRAY, SHT_NOBITS,
  SHT_NOTE, SHT_PREINIT_ARRAY, SHT_PROGBITS, SHT_X86_64_UNWIND,
} from "../../as-kernels/shared/elf.ts";
import { isLld } from "../args/identity.ts";
import type { Context, OutputSection } from "../context.ts";
import { setRows } from "../memory/table.ts";
import { Glob } from "../script/glob.ts";
import { emittedRelocsOf } from "./emit-relocs.ts";
import type { SyntheticSection } from "../synthetic/section.ts";
import { orderLinked } from "./link-order.ts";
import { HEADERS_OSEC } from "./bind-sections.ts";
import { rankByOrder } from "./output-order.ts";
import { isTbss } from "./segments.ts";

// Rank bits, most significant first. Sections placed by -Ttext and the like come before all others.
const RANK_FLOATING = 1 << 27;
const RANK_NOT_ALLOC = 1 << 26;
const RANK_LARGE_LAST = 1 << 15;
const RANK_WRITE = 1 << 14;
const RANK_EXEC_WRITE = 1 << 13;
const RANK_EXEC = 1 << 12;
const RANK_RODATA = 1 << 11;
const RANK_LARGE = 1 << 10;
const RANK_NOT_RELRO = 1 << 9;
const RANK_NOT_TLS = 1 << 8;
const RANK_NOBITS = 1 << 7;

/** Behind other sections of the same rank, in this order. */
export const UNWIND = [".eh_frame_hdr", ".eh_frame"];
export const UNWIND_BITS = 3;
const LAST = [".symtab", ".symtab_shndx", ".shstrtab", ".strtab"];
export const PADDING = ".relro_padding";
/** After everything else that is RELRO. */
export const PADDING_RANK = 1 << 6;

const RELRO_NAMES = new Set([".data.rel.ro", ".bss.rel.ro", ".ctors", ".dtors", ".jcr", ".eh_frame", ".fini_array", ".init_array", ".preinit_array", ".got", ".toc"]);
const ARRAYS = new Set<number>([SHT_INIT_ARRAY, SHT_FINI_ARRAY, SHT_PREINIT_ARRAY]);
/** Input-only flags that mean nothing in an executable. */
export const DROPPED_FLAGS = SHF_GROUP | SHF_INFO_LINK | SHF_COMPRESSED | SHF_GNU_RETAIN;

export function isRelro(ctx: Context, osec: OutputSection): boolean {
  const { z } = ctx.options;
  if (!z.relro || ctx.options.outputOrder.length > 0 || (osec.sh_flags & (SHF_ALLOC | SHF_WRITE)) !== (SHF_ALLOC | SHF_WRITE)) return false;
  if ((osec.sh_flags & SHF_TLS) !== 0 || ARRAYS.has(osec.sh_type)) return true;
  if (osec.name === ".got.plt") return z.now;
  if (osec.name === ".dynamic") return true;
  return osec.name === PADDING || RELRO_NAMES.has(osec.name);
}

export function rankOf(ctx: Context, osec: OutputSection): number {
  const { sectionStarts } = ctx.options;
  const start = sectionStarts.get(osec.name);
  if (start !== undefined) return [...sectionStarts.values()].filter((other) => other < start).length;
  const flags = osec.sh_flags;
  if ((flags & SHF_ALLOC) === 0) return RANK_FLOATING | RANK_NOT_ALLOC | (LAST.indexOf(osec.name) + 1);
  let rank = RANK_FLOATING;
  const { lrodataAfterBss } = ctx.options.z;
  const large = (flags & SHF_X86_64_LARGE) !== 0;
  if ((flags & (SHF_WRITE | SHF_EXECINSTR)) === 0) {
    // Large data stays away from code: before other read-only data, or behind all that is small.
    if (large) rank |= lrodataAfterBss ? RANK_LARGE_LAST : 0;
    else rank |= lrodataAfterBss ? 0 : RANK_LARGE;
    if (osec.name === ".interp") rank |= 2;
    else if (osec.sh_type === SHT_NOTE) rank |= 3;
    else if (osec.sh_type !== SHT_PROGBITS && osec.sh_type !== SHT_X86_64_UNWIND) rank |= 4;
    else rank |= RANK_RODATA | (UNWIND.indexOf(osec.name) + 1);
  } else if ((flags & SHF_EXECINSTR) !== 0) {
    // Large code, too, stays away from small code and its data: lld since 20.
    if ((flags & SHF_WRITE) !== 0) rank |= RANK_EXEC_WRITE;
    // .init before .text, as GNU ld: winegcc's has the header of a PE file, by which Wine finds the code.
    else rank |= large ? RANK_LARGE | 5 : osec.name === ".init" && !isLld(ctx.options) ? RANK_EXEC : RANK_EXEC | 1;
  } else {
    rank |= RANK_WRITE;
    if ((flags & SHF_TLS) === 0) rank |= RANK_NOT_TLS;
    if (!osec.relro) rank |= RANK_NOT_RELRO;
    // .lbss directly behind .bss costs no bytes in the file.
    if (large) rank |= !lrodataAfterBss ? RANK_LARGE : osec.sh_type === SHT_NOBITS ? 1 : RANK_LARGE_LAST;
  }
  if (osec.sh_type === SHT_NOBITS) rank |= RANK_NOBITS;
  return rank;
}

/** What a reference to dead code becomes in a section (lld's tombstones): debug_loc and ranges cannot hold a plain 0. */
export function tombstoneOf(name: string, flags: number): number {
  if ((flags & SHF_ALLOC) !== 0) return TOMB_NONE;
  if (name === ".debug_loc" || name === ".debug_ranges") return TOMB_ONE;
  if (name === ".debug_names") return TOMB_MAX;
  if (name === ".debug_line") return TOMB_LINE;
  return name.startsWith(".debug_") ? TOMB_ZERO : TOMB_ADDEND;
}

/** Writes what the kernels want to know of it; -z dead-reloc-in-nonalloc=GLOB=VALUE has the last word. */
export function setTombstone({ options, tables }: Context, { id, name, sh_flags }: OutputSection): void {
  const { tombstone, dead } = tables.osec;
  tombstone[id] = tombstoneOf(name, sh_flags);
  dead[id] = 0n;
  if (options.z.deadRelocs.length === 0 || (sh_flags & SHF_ALLOC) !== 0) return;
  const rule = options.z.deadRelocs.findLast(({ glob }) => new Glob(glob).matches(name));
  if (rule === undefined) return;
  dead[id] = rule.value;
  if (tombstone[id] !== TOMB_LINE) tombstone[id] = TOMB_VALUE;
}

export function newOutputSection(id: number, name: string, type: number, flags: number): OutputSection {
  return {
    id, name, sh_type: type, sh_flags: flags, sh_addr: 0n, sh_offset: 0, size: 0, align: 0, sh_entsize: 0, sh_link: 0, sh_info: 0,
    index: 0, sh_name: 0, synthetic: [], rank: 0, relro: false, ready: null,
  };
}

/** The section of each name that has linker-made contents, else the first. */
export function sectionsByName(osecs: readonly OutputSection[]): Map<string, OutputSection> {
  const found = new Map<string, OutputSection>();
  for (const osec of osecs) if (osec.synthetic.length > 0 || !found.has(osec.name)) found.set(osec.name, osec);
  return found;
}

/** Reads `osec` rows and ctx.synthetics; writes ctx.osecs in output order, osec.index, the order of `member` runs. */
export function orderSections(ctx: Context): void {
  const { tables } = ctx;
  const byName = new Map<string, OutputSection>();
  for (let id = HEADERS_OSEC + 1; id < tables.osec.rows; id++) {
    const name = ctx.arena.string(tables.osec.name[id]!, tables.osec.nameBytes[id]!);
    const flags = (tables.osec.sh_flags[id]! & ~DROPPED_FLAGS) >>> 0;
    const osec = newOutputSection(id, name, arrayType(ctx, id, name, tables.osec.sh_type[id]!), flags);
    osec.align = tables.osec.align[id]!;
    osec.sh_entsize = tables.osec.sh_entsize[id]!;
    // --unique: only the first of a name takes linker-made contents in
    byName.set(byName.has(name) ? `${name}\0${id}` : name, osec);
  }
  for (const section of Object.values(ctx.synthetics)) {
    if (section !== null && section.isNeeded(ctx)) addSynthetic(ctx, byName, section);
  }
  const osecs = ctx.options.emitRelocs ? withRelocs(ctx, byName) : [...byName.values()];
  for (const osec of osecs) {
    osec.relro = isRelro(ctx, osec);
    osec.rank = osec.name === PADDING ? rankOf(ctx, osec) | PADDING_RANK : rankOf(ctx, osec);
  }
  if (ctx.options.outputOrder.length > 0) rankByOrder(ctx, osecs.filter(({ name }) => name !== PADDING));
  const padded = osecs.some((osec) => osec.relro && osec.name !== PADDING && !isTbss(osec));
  ctx.osecs = osecs.filter((osec) => padded || osec.name !== PADDING).sort((a, b) => a.rank - b.rank);
  ctx.osecs.forEach((osec, i) => {
    osec.index = i + 1;
    tables.osec.index[osec.id] = i + 1;
    tables.osec.sh_flags[osec.id] = osec.sh_flags;
    tables.osec.sh_type[osec.id] = osec.sh_type;
    setTombstone(ctx, osec);
    sortMembers(ctx, osec);
  });
  const { memberBase, memberCount } = tables.osec;
  const linked = ctx.osecs.filter((osec) => (osec.sh_flags & SHF_LINK_ORDER) !== 0);
  if (linked.length > 0) orderLinked(ctx, linked.map((osec) => ({ osec, runs: [{ from: memberBase[osec.id]!, to: memberBase[osec.id]! + memberCount[osec.id]! }] })));
  tables.osec.index[HEADERS_OSEC] = ctx.osecs.length > 0 ? 1 : 0;
}

const ARRAY_NAMES: Record<string, number> = { ".init_array": SHT_INIT_ARRAY, ".fini_array": SHT_FINI_ARRAY, ".preinit_array": SHT_PREINIT_ARRAY };

/** Type of an output section by its inputs': .ctors and PROGBITS make an array section, unless all of it is plain PROGBITS. */
export function arrayType(ctx: Context, osec: number, name: string, type: number): number {
  const wanted = ARRAY_NAMES[name];
  if (wanted === undefined || type === wanted || type === SHT_NOBITS) return type;
  const { isec, member, osec: { memberBase, memberCount } } = ctx.tables;
  const members = member.isec.subarray(memberBase[osec]!, memberBase[osec]! + memberCount[osec]!);
  const isArray = (row: number): boolean => isec.sh_type[row] === wanted || /^\.[cd]tors/.test(ctx.arena.cstring(isec.name[row]!));
  return members.some(isArray) ? wanted : type;
}

/** `byName`: output sections there are; a new one is added. */
function addSynthetic(ctx: Context, byName: SectionsByName, section: SyntheticSection): void {
  const { tables } = ctx;
  let osec = byName.get(section.name);
  // An input may call something that is loaded .shstrtab or .strtab; the table is another section then, as with GNU ld.
  const other = osec !== undefined && (osec.sh_flags & ~section.sh_flags & SHF_ALLOC) !== 0;
  if (other) byName.set(`${section.name}\0`, osec!);
  if (osec === undefined || other) {
    const id = tables.osec.rows;
    setRows(tables, "osec", id + 1);
    osec = newOutputSection(id, section.name, section.sh_type, section.sh_flags);
    osec.sh_entsize = section.sh_entsize;
    byName.set(section.name, osec);
  } else {
    // Also .eh_frame, which is SHT_X86_64_UNWIND in the inputs: types that meet become SHT_PROGBITS (lld).
    if ((osec.sh_type === SHT_NOBITS || osec.sh_type === SHT_X86_64_UNWIND) && section.sh_type !== SHT_NOBITS) osec.sh_type = section.sh_type;
    osec.sh_flags |= section.sh_flags;
    if (osec.sh_entsize !== section.sh_entsize) osec.sh_entsize = 0;
  }
  osec.synthetic.push({ section, offset: 0 });
  osec.align = Math.max(osec.align, section.align);
  section.osec = osec.id;
}

interface SectionsByName {
  get(name: string): OutputSection | undefined;
  set(name: string, osec: OutputSection): unknown;
}

/** --emit-relocs: the relocations kept for a section follow it among those that are not loaded. */
function withRelocs(ctx: Context, byName: Map<string, OutputSection>): OutputSection[] {
  const osecs: OutputSection[] = [];
  for (const target of byName.values()) {
    osecs.push(target);
    const section = emittedRelocsOf(ctx, target);
    if (section !== null) addSynthetic(ctx, { get: () => undefined, set: (_, osec) => osecs.push(osec) }, section);
  }
  return osecs;
}

/** Number at the end of a section name; lower runs earlier. */
export function priorityOf(name: string): number {
  const digits = /\.(\d+)$/.exec(name);
  if (digits === null) return 65536;
  const value = Number(digits[1]);
  return /^\.[cd]tors\.\d+$/.test(name) ? 65535 - value : value;
}

/** Constructors by priority. The sets are small. */
export function sortMembers(ctx: Context, osec: OutputSection): void {
  const { tables, arena } = ctx;
  const base = tables.osec.memberBase[osec.id]!;
  const members = tables.member.isec.subarray(base, base + tables.osec.memberCount[osec.id]!);
  if (members.length < 2) return;
  if (Object.hasOwn(ARRAY_NAMES, osec.name) || ARRAYS.has(osec.sh_type)) {
    ctx.host.optimise?.(members.length);
    const keyed = Array.from(members, (row) => ({ row, key: priorityOf(arena.cstring(tables.isec.name[row]!)) }));
    keyed.sort((a, b) => a.key - b.key);
    members.set(keyed.map((entry) => entry.row));
  }
}
