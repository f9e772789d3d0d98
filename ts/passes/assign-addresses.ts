/**
 * Addresses and file offsets of output sections, and the program headers, as lld lays out a link without a script.
 *
 * Members get their offsets once; what repeats is the walk over output sections, until no linker-made section changes its
 * size any more (.relr.dyn depends on addresses). Writes osec.addr, osec.offset, osec.size, isec.outOffset, ctx.segments.
 */
import {
  EHDR_BYTES, PF_R, PF_W, PF_X, PHDR_BYTES, PT_DYNAMIC, PT_GNU_EH_FRAME, PT_GNU_PROPERTY, PT_GNU_RELRO, PT_GNU_STACK, PT_INTERP, PT_LOAD, PT_NOTE,
  PT_PHDR, PT_TLS, SHF_ALLOC, SHF_EXECINSTR, SHF_TLS, SHF_WRITE, SHT_NOBITS, SHT_NOTE,
} from "../../as-kernels/shared/elf.ts";
import type { Context, OutputSection, Segment } from "../context.ts";
import { HEADERS_OSEC } from "./bind-sections.ts";

/** Rounds of layout before a section that keeps changing is called a bug. */
const MAX_ROUNDS = 30;

export const alignUp = (value: bigint, align: bigint): bigint => ((value + align - 1n) / align) * align;
const alignNumber = (value: number, align: number): number => Math.ceil(value / align) * align;

export const flagsOf = (osec: OutputSection): number =>
  PF_R | ((osec.sh_flags & SHF_WRITE) !== 0 ? PF_W : 0) | ((osec.sh_flags & SHF_EXECINSTR) !== 0 ? PF_X : 0);
export const isTbss = (osec: OutputSection): boolean => (osec.sh_flags & SHF_TLS) !== 0 && osec.sh_type === SHT_NOBITS;
export const isAlloc = (osec: OutputSection): boolean => (osec.sh_flags & SHF_ALLOC) !== 0;

export function newSegment(p_type: number, p_flags: number, sections: OutputSection[], p_align = 1): Segment {
  return { p_type, p_flags, p_offset: 0, p_vaddr: 0n, p_paddr: 0n, p_filesz: 0, p_memsz: 0, p_align, sections };
}

/** Page sizes of this link. */
export function pageSizes(ctx: Context): { max: number; common: number } {
  const { z, nmagic, omagic } = ctx.options;
  if (nmagic || omagic) return { max: 1, common: 1 };
  const max = z.maxPageSize || ctx.arch.maxPageSize;
  return { max, common: Math.min(z.commonPageSize || ctx.arch.commonPageSize, max) };
}

/** Address of the first byte of the file, when it is loaded. */
export function imageBase(ctx: Context): bigint {
  const { options } = ctx;
  return options.imageBase ?? (options.shared || options.pie ? 0n : ctx.arch.imageBase);
}

/** Loadable sections in runs of equal permissions, RELRO apart from the rest. */
function loadSegments(ctx: Context): Segment[] {
  const { options } = ctx;
  const { max } = pageSizes(ctx);
  const permissions = (osec: OutputSection): number => {
    if (options.omagic) return PF_R | PF_W | PF_X;
    const flags = flagsOf(osec);
    return !options.rosegment && (flags & PF_W) === 0 ? flags | PF_X : flags;
  };
  const alloc = ctx.osecs.filter(isAlloc);
  const firstFlags = options.omagic ? PF_R | PF_W | PF_X : options.rosegment ? PF_R : PF_R | PF_X;
  const loads = [newSegment(PT_LOAD, firstFlags, [], max)];
  let wasRelro = false;
  for (const osec of alloc) {
    let load = loads[loads.length - 1]!;
    const apart = wasRelro && !osec.relro && (osec.sh_flags & SHF_WRITE) !== 0;
    const placed = options.sectionStarts.has(osec.name);
    if (permissions(osec) !== load.p_flags || apart || placed) {
      load = newSegment(PT_LOAD, permissions(osec), [], max);
      loads.push(load);
    }
    load.sections.push(osec);
    load.p_align = Math.max(load.p_align, 2 ** osec.align);
    wasRelro = osec.relro;
  }
  return loads;
}

/** gABI ch. 5 Program Header, GNU extensions; in lld's order. */
export function makeSegments(ctx: Context, loads: Segment[]): Segment[] {
  const { options } = ctx;
  const alloc = ctx.osecs.filter(isAlloc);
  const named = (name: string) => alloc.filter((osec) => osec.name === name);
  const segments: Segment[] = [newSegment(PT_PHDR, PF_R, [], 8)];
  const single = (type: number, name: string, flags?: number) => {
    const found = named(name);
    if (found.length > 0) segments.push(newSegment(type, flags ?? flagsOf(found[0]!), found));
  };
  single(PT_INTERP, ".interp");
  segments.push(...loads);
  const tls = alloc.filter((osec) => (osec.sh_flags & SHF_TLS) !== 0);
  if (tls.length > 0) segments.push(newSegment(PT_TLS, PF_R, tls));
  single(PT_DYNAMIC, ".dynamic");
  const relro = alloc.filter((osec) => osec.relro);
  if (relro.length > 0) segments.push(newSegment(PT_GNU_RELRO, PF_R, relro));
  single(PT_GNU_EH_FRAME, ".eh_frame_hdr");
  if (options.z.gnustack) segments.push(newSegment(PT_GNU_STACK, stackFlags(ctx), [], 0));
  single(PT_GNU_PROPERTY, ".note.gnu.property");
  let notes: Segment | null = null;
  for (const osec of alloc) {
    if (osec.sh_type !== SHT_NOTE) notes = null;
    else if (notes !== null && notes.sections[0]!.align === osec.align) notes.sections.push(osec);
    else segments.push((notes = newSegment(PT_NOTE, flagsOf(osec), [osec])));
  }
  return segments;
}

/** -z execstack decides; like lld, a missing or executable .note.GNU-stack in an input does not. */
function stackFlags(ctx: Context): number {
  return PF_R | PF_W | (ctx.options.z.execstack === true ? PF_X : 0);
}

/** Places members and linker-made contents inside each output section. */
function placeContents(ctx: Context): void {
  const { tables, kernels } = ctx;
  tables.msec.placed.fill(0);
  for (const osec of ctx.osecs) {
    const base = tables.osec.memberBase[osec.id]!;
    osec.size = kernels.layoutMembers!(base, base + tables.osec.memberCount[osec.id]!, 0);
    placeSynthetic(ctx, osec);
  }
}

/** Linker-made contents follow the members; the members' size is remembered in the first entry's base. */
function placeSynthetic(ctx: Context, osec: OutputSection): void {
  for (const entry of osec.synthetic) {
    entry.offset = alignNumber(osec.size, 2 ** entry.section.align);
    osec.size = entry.offset + entry.section.size(ctx);
  }
}

/** One walk over the output sections: addresses, then offsets. */
function walk(ctx: Context, base: bigint): void {
  const { options } = ctx;
  const { max, common } = pageSizes(ctx);
  const page = BigInt(max);
  const headers = BigInt(EHDR_BYTES + PHDR_BYTES * ctx.segments.length);
  const loads = ctx.segments.filter((segment) => segment.p_type === PT_LOAD);
  const tls = ctx.segments.find((segment) => segment.p_type === PT_TLS);
  let dot = base + headers;
  let tbssEnd = 0n;
  let paddingEnd = 0n;
  let previous: Segment | null = null;
  for (const load of loads) {
    const first = load.sections[0];
    if (first !== undefined && load !== loads[0]) {
      const crosses = previous !== null && (previous.p_flags & PF_X) !== (load.p_flags & PF_X);
      if (options.z.separateCode === "loadable-segments" || (options.z.separateCode === "code" && crosses)) dot = alignUp(dot, page);
      else if (tls !== undefined && tls.sections[0] === first) {
        const tlsAlign = BigInt(2 ** Math.max(...tls.sections.map((osec) => osec.align)));
        dot = alignUp(dot, page) + alignUp(dot % page, tlsAlign);
      } else dot = alignUp(dot, page) + (dot % page);
      if (dot < paddingEnd) dot = paddingEnd;
    }
    for (const osec of load.sections) {
      const start = options.sectionStarts.get(osec.name);
      if (start !== undefined) dot = start;
      if (isTbss(osec)) {
        const at = alignUp(tbssEnd > dot ? tbssEnd : dot, 1n << BigInt(osec.align));
        osec.sh_addr = at;
        tbssEnd = at + BigInt(osec.size);
        continue;
      }
      dot = alignUp(dot, 1n << BigInt(osec.align));
      osec.sh_addr = dot;
      if (osec.name === ".relro_padding") {
        // It ends at a page in memory, but takes nothing in the file: what follows stays congruent to what precedes it (lld).
        paddingEnd = alignUp(dot, BigInt(common));
        osec.size = Number(paddingEnd - dot);
      } else dot += BigInt(osec.size);
    }
    if (load.sections.length > 0) previous = load;
  }
}

/** File offsets: congruent to addresses inside a segment (gABI ch. 5), packed outside. */
function assignOffsets(ctx: Context): void {
  const { max } = pageSizes(ctx);
  const headers = EHDR_BYTES + PHDR_BYTES * ctx.segments.length;
  const loads = ctx.segments.filter((segment) => segment.p_type === PT_LOAD);
  const { options } = ctx;
  let offset = headers;
  loads.forEach((load, i) => {
    const first = load.sections[0];
    if (first === undefined) return;
    let startOffset = 0;
    let startAddr = imageBase(ctx);
    if (i > 0 || (first.sh_addr < startAddr)) {
      const residue = Number(first.sh_addr % BigInt(load.p_align));
      startOffset = alignNumber(offset - residue, load.p_align) + residue;
      startAddr = first.sh_addr;
    }
    for (const osec of load.sections) {
      if (osec.sh_type === SHT_NOBITS) {
        osec.sh_offset = osec === first || isTbss(osec) ? Math.max(offset, startOffset) : offset;
        continue;
      }
      osec.sh_offset = startOffset + Number(osec.sh_addr - startAddr);
      offset = osec.sh_offset + osec.size;
    }
    const nextIsCode = (load.p_flags & PF_X) !== 0;
    if (nextIsCode && options.z.separateCode !== "none" && i + 1 < loads.length) offset = alignNumber(offset, max);
  });
  placeNotLoaded(ctx, offset);
}

/** Sections that are not loaded follow in the file from `from` on, then the section headers. */
export function placeNotLoaded(ctx: Context, from: number): void {
  let offset = from;
  for (const osec of ctx.osecs) {
    if (isAlloc(osec)) continue;
    if (osec.ready !== null) osec.size = osec.ready.length;
    osec.sh_offset = alignNumber(offset, 2 ** osec.align);
    if (osec.sh_type !== SHT_NOBITS) offset = osec.sh_offset + osec.size;
  }
  ctx.sectionHeaders = alignNumber(offset, 8);
}

/** Extents of all segments from those of their sections. */
function measureSegments(ctx: Context): void {
  const headers = EHDR_BYTES + PHDR_BYTES * ctx.segments.length;
  const base = imageBase(ctx);
  const firstLoad = ctx.segments.find((segment) => segment.p_type === PT_LOAD);
  for (const segment of ctx.segments) {
    if (segment.p_type === PT_GNU_STACK) {
      segment.p_memsz = ctx.options.z.stackSize;
      continue;
    }
    if (segment.p_type === PT_PHDR) {
      segment.p_offset = EHDR_BYTES;
      segment.p_vaddr = base + BigInt(EHDR_BYTES);
      segment.p_filesz = segment.p_memsz = headers - EHDR_BYTES;
    } else {
      measure(segment, segment === firstLoad ? { base, headers } : null);
    }
    segment.p_paddr = segment.p_vaddr;
  }
}

function measure(segment: Segment, head: { base: bigint; headers: number } | null): void {
  const first = segment.sections[0];
  segment.p_offset = head === null ? first!.sh_offset : 0;
  segment.p_vaddr = head === null ? first!.sh_addr : head.base;
  let fileEnd = head === null ? segment.p_offset : head.headers;
  let memEnd = segment.p_vaddr + BigInt(head === null ? 0 : head.headers);
  let align = 0;
  for (const osec of segment.sections) {
    align = Math.max(align, osec.align);
    if (osec.sh_type !== SHT_NOBITS) fileEnd = osec.sh_offset + osec.size;
    if (isTbss(osec) && segment.p_type !== PT_TLS) continue;
    const end = osec.sh_addr + BigInt(osec.size);
    if (end > memEnd) memEnd = end;
  }
  segment.p_filesz = fileEnd - segment.p_offset;
  segment.p_memsz = Number(memEnd - segment.p_vaddr);
  if (segment.p_type !== PT_LOAD && segment.p_type !== PT_GNU_RELRO) segment.p_align = 2 ** align;
}

/** Copies what kernels need of the layout into tables and parameters. */
export function publish(ctx: Context): void {
  const { tables, params } = ctx;
  tables.osec.addr[HEADERS_OSEC] = ctx.plan?.headers ?? imageBase(ctx);
  for (const osec of ctx.osecs) {
    tables.osec.addr[osec.id] = osec.sh_addr;
    tables.osec.offset[osec.id] = osec.sh_offset;
    tables.osec.size[osec.id] = osec.size;
    for (const entry of osec.synthetic) entry.section.address = osec.sh_addr + BigInt(entry.offset);
  }
  const tls = ctx.segments.find((segment) => segment.p_type === PT_TLS);
  if (tls !== undefined) {
    params.set("tlsAddr", tls.p_vaddr);
    params.set("tlsEnd", alignUp(tls.p_vaddr + BigInt(tls.p_memsz), BigInt(tls.p_align)));
  }
  const address = (section: { address: bigint } | null) => section?.address ?? 0n;
  params.set("gotAddr", address(ctx.synthetics.got));
  params.set("gotPltAddr", address(ctx.synthetics.gotPlt));
  params.set("pltAddr", address(ctx.synthetics.plt));
  params.set("pltGotAddr", address(ctx.synthetics.pltGot));
  params.set("ipltAddr", address(ctx.synthetics.iplt));
}

export function assignAddresses(ctx: Context): void {
  ctx.segments = makeSegments(ctx, loadSegments(ctx));
  placeContents(ctx);
  for (let round = 0; ; round++) {
    if (round === MAX_ROUNDS) throw new Error("layout does not settle");
    walk(ctx, imageBase(ctx));
    assignOffsets(ctx);
    measureSegments(ctx);
    publish(ctx);
    if (!settle(ctx)) break;
  }
  checkLayout(ctx);
}

/** Sizes of sections that are not loaded have changed: file offsets again. Addresses stay. */
export function placeUnloaded(ctx: Context): void {
  if (ctx.plan !== null) {
    const loaded = ctx.osecs.filter((osec) => isAlloc(osec) && osec.sh_type !== SHT_NOBITS);
    placeNotLoaded(ctx, Math.max(EHDR_BYTES + PHDR_BYTES * ctx.segments.length, ...loaded.map((osec) => osec.sh_offset + osec.size)));
    publish(ctx);
    return;
  }
  assignOffsets(ctx);
  measureSegments(ctx);
  publish(ctx);
}

/** Lets linker-made sections react to the addresses; true = lay out again. */
function settle(ctx: Context): boolean {
  let changed = false;
  for (const osec of ctx.osecs) {
    let moved = false;
    for (const { section } of osec.synthetic) if (section.settle?.(ctx) === true) moved = true;
    if (!moved) continue;
    changed = true;
    if (ctx.tables.osec.memberCount[osec.id]! > 0) throw new Error(`${osec.name}: cannot change its size`);
    osec.size = 0;
    placeSynthetic(ctx, osec);
  }
  return changed;
}

/** Sections that -Ttext and the like put on top of each other. */
export function checkLayout(ctx: Context): void {
  const placed = ctx.osecs.filter((osec) => isAlloc(osec) && !isTbss(osec) && osec.size > 0);
  const sorted = placed.sort((a, b) => (a.sh_addr < b.sh_addr ? -1 : a.sh_addr > b.sh_addr ? 1 : 0));
  const hex = (value: bigint) => `0x${value.toString(16).toUpperCase()}`;
  const range = (osec: OutputSection) => `${osec.name} range is [${hex(osec.sh_addr)}, ${hex(osec.sh_addr + BigInt(osec.size) - 1n)}]`;
  for (let i = 1; i < sorted.length; i++) {
    const [a, b] = [sorted[i - 1]!, sorted[i]!];
    if (a.sh_addr + BigInt(a.size) <= b.sh_addr) continue;
    ctx.diag.error(`section ${a.name} virtual address range overlaps with ${b.name}\n>>> ${range(a)}\n>>> ${range(b)}`);
  }
}
