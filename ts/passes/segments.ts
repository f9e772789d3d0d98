/**
 * Program headers: which there are and which output sections each holds, as lld's createPhdrs decides it.
 *
 * Addresses are assign-addresses' or script-layout's matter, file offsets and extents file-layout's. The file's own headers are not
 * output sections; a segment says in `heads` whether it begins with them.
 */
import { OBJ_RELOCATABLE, OBJF_EXEC_STACK } from "../../as-kernels/shared/abi.ts";
import {
  ELFOSABI_OPENBSD, PF_R, PF_W, PF_X, PT_DYNAMIC, PT_GNU_EH_FRAME, PT_GNU_PROPERTY, PT_GNU_RELRO, PT_GNU_SFRAME, PT_GNU_STACK, PT_INTERP, PT_LOAD, PT_NOTE, PT_NULL, PT_OPENBSD_MUTABLE,
  PT_OPENBSD_NOBTCFI, PT_OPENBSD_RANDOMIZE, PT_OPENBSD_SYSCALLS, PT_OPENBSD_WXNEEDED, PT_PHDR, PT_TLS, SHF_ALLOC, SHF_EXECINSTR, SHF_TLS, SHF_WRITE, SHT_NOBITS, SHT_NOTE,
} from "../../as-kernels/shared/elf.ts";
import { isLld } from "../args/identity.ts";
import type { Context, OutputSection, Segment } from "../context.ts";

/** Bits of Segment.heads. */
export const HEAD_FILE = 1;
export const HEAD_PROGRAM = 2;

export const flagsOf = (osec: OutputSection): number =>
  PF_R | ((osec.sh_flags & SHF_WRITE) !== 0 ? PF_W : 0) | ((osec.sh_flags & SHF_EXECINSTR) !== 0 ? PF_X : 0);
export const isTbss = (osec: OutputSection): boolean => (osec.sh_flags & SHF_TLS) !== 0 && osec.sh_type === SHT_NOBITS;
export const isAlloc = (osec: OutputSection): boolean => (osec.sh_flags & SHF_ALLOC) !== 0;
/** .tbss takes no address space: only PT_TLS describes it. */
export const needsLoad = (osec: OutputSection): boolean => isAlloc(osec) && !isTbss(osec);

export function newSegment(p_type: number, p_flags: number, p_align: number): Segment {
  return { p_type, p_flags, p_offset: 0, p_vaddr: 0n, p_paddr: 0n, p_filesz: 0, p_memsz: 0, p_align, sections: [], heads: 0, lmaOffset: 0n, lma: null };
}

/** Grows p_align, except where it is fixed. */
export function addSection(segment: Segment, osec: OutputSection): void {
  segment.sections.push(osec);
  segment.p_align = Math.max(segment.p_align, 2 ** osec.align);
}

/** Page sizes of this link. */
export function pageSizes(ctx: Context): { max: number; common: number } {
  const { z, nmagic, omagic } = ctx.options;
  if (nmagic || omagic) return { max: 1, common: 1 };
  const max = z.maxPageSize || ctx.arch.maxPageSize;
  return { max, common: Math.min(z.commonPageSize || ctx.arch.commonPageSize, max) };
}

/** What a script says about where a section is loaded: each change begins a PT_LOAD. */
export interface Loading {
  /** Memory region, or null. */
  region(osec: OutputSection): unknown;
  /** AT>region, or null. */
  loadRegion(osec: OutputSection): unknown;
  /** AT(address). */
  hasLma(osec: OutputSection): boolean;
  /** There is a SECTIONS command: no PT_LOAD is begun for alignment's sake. */
  hasSections: boolean;
}

const DEFAULT_LOADING: Loading = { region: () => null, loadRegion: () => null, hasLma: () => false, hasSections: false };

/** gABI ch. 5 Program Header, GNU's and OpenBSD's extensions; in lld's order. Reads ctx.osecs. */
export function makeSegments(ctx: Context, loading: Loading = DEFAULT_LOADING): Segment[] {
  const { z, nmagic, omagic } = ctx.options;
  const { osecs } = ctx;
  const segments: Segment[] = [];
  // A raw image has no headers.
  if (ctx.options.binary) return segments;
  const add = (type: number, flags: number, align = 0): Segment => {
    const segment = newSegment(type, flags, align);
    segments.push(segment);
    return segment;
  };
  const single = (type: number, name: string, flags?: number): void => {
    const osec = osecs.find((candidate) => candidate.name === name && isAlloc(candidate));
    if (osec !== undefined) addSection(add(type, flags ?? flagsOf(osec)), osec);
  };
  let head: Segment | null = null;
  if (!nmagic && !omagic) {
    add(PT_PHDR, PF_R, 8).heads = HEAD_PROGRAM;
    single(PT_INTERP, ".interp");
    head = add(PT_LOAD, PF_R, pageSizes(ctx).max);
    head.heads = HEAD_FILE | HEAD_PROGRAM;
  }
  const relro = relroSegment(ctx);
  addLoads(ctx, segments, head, relro.end, loading);
  const tls = newSegment(PT_TLS, PF_R, 0);
  for (const osec of osecs) if ((osec.sh_flags & SHF_TLS) !== 0) addSection(tls, osec);
  if (tls.sections.length > 0) segments.push(tls);
  single(PT_DYNAMIC, ".dynamic");
  if (relro.segment.sections.length > 0) segments.push(relro.segment);
  if (ctx.synthetics.ehFrame?.osec !== 0) single(PT_GNU_EH_FRAME, ".eh_frame_hdr");
  single(PT_GNU_SFRAME, ".sframe");
  if (ctx.osabi === ELFOSABI_OPENBSD) {
    single(PT_OPENBSD_MUTABLE, ".openbsd.mutable");
    single(PT_OPENBSD_RANDOMIZE, ".openbsd.randomdata");
    single(PT_OPENBSD_SYSCALLS, ".openbsd.syscalls");
  }
  // -z execstack decides; like lld, a missing or executable .note.GNU-stack in an input does not, unless asked to.
  if (z.gnustack) add(PT_GNU_STACK, PF_R | PF_W | (z.execstack ?? (z.execstackIfNeeded && wantsExecutableStack(ctx)) ? PF_X : 0)).p_memsz = z.stackSize;
  if (z.nobtcfi) add(PT_OPENBSD_NOBTCFI, PF_X);
  if (z.wxneeded) add(PT_OPENBSD_WXNEEDED, PF_X);
  single(PT_GNU_PROPERTY, ".note.gnu.property", PF_R);
  addNotes(ctx, add, loading);
  // Room for tools that add segments.
  for (let i = 0; i < ctx.options.spareProgramHeaders; i++) add(PT_NULL, 0);
  return segments;
}

/** The headers are not loaded after all, and room for their segments stays. */
export function unloadHeaders(ctx: Context): void {
  for (const load of ctx.loads) load.heads = 0;
  ctx.segments = ctx.segments.filter(({ p_type }) => p_type !== PT_PHDR);
}

/** One PT_NOTE per run of equal alignment: readers would stumble over padding between notes. */
function addNotes(ctx: Context, add: (type: number, flags: number) => Segment, loading: Loading): void {
  let notes: Segment | null = null;
  for (const osec of ctx.osecs) {
    if (osec.sh_type !== SHT_NOTE || !isAlloc(osec)) {
      notes = null;
      continue;
    }
    if (notes === null || loading.hasLma(osec) || notes.sections.at(-1)!.align !== osec.align) notes = add(PT_NOTE, PF_R);
    addSection(notes, osec);
  }
}

/**
 * PT_GNU_RELRO, and the section that follows it. Dynamic loaders know only one, so it must be one run. Where a script or --section-start makes more of it,
 * there is none (GNU ld; an error for lld): U-Boot has its GOT far from .dynamic.
 */
function relroSegment(ctx: Context): { segment: Segment; end: OutputSection | null } {
  const segment = newSegment(PT_GNU_RELRO, PF_R, 1);
  let end: OutputSection | null = null;
  for (const osec of ctx.osecs) {
    if (!needsLoad(osec)) continue;
    if (!osec.relro) {
      if (segment.sections.length > 0) end ??= osec;
    } else if (end === null) {
      segment.sections.push(osec);
    } else if (!isLld(ctx.options)) {
      for (const other of ctx.osecs) other.relro = false;
      return { segment: newSegment(PT_GNU_RELRO, PF_R, 1), end: null };
    } else {
      ctx.diag.error({ code: "LAYOUT", text: `section: ${osec.name} is not contiguous with other relro sections` });
    }
  }
  return { segment, end };
}

/** Runs of equal permissions. `head` holds the file's headers and takes sections too. */
function addLoads(ctx: Context, segments: Segment[], head: Segment | null, relroEnd: OutputSection | null, loading: Loading): void {
  const { omagic, rosegment } = ctx.options;
  const { max } = pageSizes(ctx);
  let load = head;
  let flags = PF_R;
  for (const osec of ctx.osecs) {
    if (!needsLoad(osec)) continue;
    const wanted = omagic ? PF_R | PF_W | PF_X : flagsOf(osec);
    let apart = flags ^ wanted;
    // Without a segment for read-only data it shares the code's.
    if (!rosegment && (wanted & PF_W) === 0) apart &= ~PF_X;
    if (apart !== 0 || load === null || osec === relroEnd || !joins(load, osec, loading)) {
      load = newSegment(PT_LOAD, wanted, max);
      flags = wanted;
      segments.push(load);
    }
    load.p_flags |= wanted;
    addSection(load, osec);
  }
}

/**
 * Same region, same load region; the first section may have a load address of its own while only the headers are before it. Contents
 * behind a NOBITS section would have to be written out as zeros, so they begin a segment where alignment can be added.
 */
function joins(load: Segment, osec: OutputSection, loading: Loading): boolean {
  const first = load.sections[0];
  const last = load.sections.at(-1);
  if (loading.region(osec) !== (first === undefined ? null : loading.region(first))) return false;
  const sameLoadRegion = !loading.hasLma(osec) && loading.loadRegion(osec) === (first === undefined ? null : loading.loadRegion(first));
  if (!sameLoadRegion && last !== undefined) return false;
  return loading.hasSections || osec.sh_type === SHT_NOBITS || last?.sh_type !== SHT_NOBITS;
}

/** Does an object ask for an executable stack without getting one, and nobody has said that this is meant? */
export function refusesExecutableStack(ctx: Context): boolean {
  const { execstack, execstackIfNeeded } = ctx.options.z;
  return execstack === undefined && !execstackIfNeeded && wantsExecutableStack(ctx);
}

/** Does an object say that its code is on the stack? One that says nothing does not (lld). */
export function wantsExecutableStack({ objects, tables }: Context): boolean {
  const { obj } = tables;
  return objects.some((o) => obj.kind[o] === OBJ_RELOCATABLE && (obj.flags[o]! & OBJF_EXEC_STACK) !== 0);
}
