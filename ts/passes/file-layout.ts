/**
 * File offsets of output sections, and the extents of segments that follow from them: for the default layout and for scripts alike.
 *
 * Addresses are final here. Inside a PT_LOAD offsets keep the distances of the addresses (gABI ch. 5, Program Header), everything
 * else is packed.
 */
import { EHDR_BYTES, PF_X, PT_GNU_STACK, PT_LOAD, PT_TLS, SHT_NOBITS } from "../../as-kernels/shared/elf.ts";
import type { Context, OutputSection, Segment } from "../context.ts";
import { noPlaceInFile } from "../diagnostics/layout-messages.ts";
import { alignUp } from "../elf/align.ts";
import type { PlannedSection } from "../script/plan.ts";
import { placeSeparated } from "./separate-debug.ts";
import { HEAD_FILE, HEAD_PROGRAM, isAlloc, pageSizes } from "./segments.ts";

/** No file is meant to be larger: a location counter gone astray. */
const MAX_FILE_BYTES = 2 ** 40;

/** Where a segment begins in memory and in the file; null = it holds nothing. */
export function startOf(ctx: Context, { heads, sections }: Segment): { address: bigint; offset: number } | null {
  if ((heads & HEAD_FILE) !== 0) return { address: ctx.headers.address, offset: 0 };
  if ((heads & HEAD_PROGRAM) !== 0) return { address: ctx.headers.address + BigInt(EHDR_BYTES), offset: EHDR_BYTES };
  return sections.length === 0 ? null : { address: sections[0]!.sh_addr, offset: sections[0]!.sh_offset };
}

/** An empty PT_LOAD would make loaders map 0 bytes. Addresses must be known; the room for its program header stays. */
export function dropEmptyLoads(ctx: Context): void {
  ctx.segments = ctx.segments.filter((segment) => {
    if (segment.p_type !== PT_LOAD || segment.heads !== 0) return true;
    const last = segment.sections.at(-1);
    return last !== undefined && last.sh_addr + BigInt(last.size) !== segment.sections[0]!.sh_addr;
  });
}

/** Reads addresses and sizes; writes sh_offset and ctx.sectionHeaders. */
export function assignOffsets(ctx: Context): void {
  const { max } = pageSizes(ctx);
  const loadOf = new Map<OutputSection, Segment>();
  let lastCode: OutputSection | undefined;
  let tls: OutputSection | undefined;
  for (const segment of ctx.segments) {
    if (segment.p_type === PT_TLS) tls = segment.sections[0];
    if (segment.p_type !== PT_LOAD) continue;
    for (const osec of segment.sections) loadOf.set(osec, segment);
    if ((segment.p_flags & PF_X) !== 0) lastCode = segment.sections.at(-1);
  }
  let offset = ctx.headers.bytes;
  let end = offset;
  for (const osec of ctx.osecs) {
    if (!isAlloc(osec)) continue;
    const nobits = osec.sh_type === SHT_NOBITS;
    const at = offsetOf(ctx, osec, loadOf.get(osec), offset, osec === tls);
    // Addresses that go down, even by way of 2^64, would lead before the segment, or into the headers.
    if (at < (nobits || osec.size === 0 ? 0 : ctx.headers.bytes) || (!nobits && at + osec.size > MAX_FILE_BYTES)) {
      ctx.diag.errorOrWarn(noPlaceInFile(osec.name, at, osec.size));
      osec.sh_offset = offset;
    } else {
      osec.sh_offset = at;
    }
    offset = osec.sh_offset + (nobits ? 0 : osec.size);
    // Nobody else's bytes are in the last page of code.
    if (osec === lastCode && ctx.options.z.separateCode !== "none") offset = alignUp(offset, max);
    if (offset > end) end = offset;
  }
  placeNotLoaded(ctx, end);
}

/** Where sections are loaded: at their address, unless a script says otherwise. */
export function loadAddresses({ plan }: Context): (osec: OutputSection) => bigint {
  const offsetOf = new Map(plan?.sections.map(({ osec, lmaOffset }) => [osec, lmaOffset]));
  return (osec) => BigInt.asUintN(64, osec.sh_addr + (offsetOf.get(osec) ?? 0n));
}

/**
 * --oformat binary: contents at their load addresses, from the lowest on. Writes sh_offset and, as the size of the file,
 * ctx.sectionHeaders; what is not in the file leaves ctx.osecs.
 */
export function assignRawOffsets(ctx: Context): void {
  // A script's heap or stack is only a stretch of addresses (GNU ld).
  for (const section of ctx.plan?.sections ?? []) if (isBare(section)) section.osec.sh_type = SHT_NOBITS;
  const inFile = (osec: OutputSection): boolean => osec.sh_type !== SHT_NOBITS && osec.size > 0;
  const lma = loadAddresses(ctx);
  ctx.osecs = ctx.osecs.filter(isAlloc);
  const written = ctx.osecs.filter(inFile);
  const lowest = written.reduce((low, osec) => (lma(osec) < low ? lma(osec) : low), written[0] === undefined ? 0n : lma(written[0]));
  ctx.sectionHeaders = 0;
  for (const osec of ctx.osecs) osec.sh_offset = 0;
  for (const osec of written) {
    const end = Number(lma(osec) - lowest) + osec.size;
    osec.sh_offset = end - osec.size;
    if (end > MAX_FILE_BYTES) ctx.diag.fatal(noPlaceInFile(osec.name, osec.sh_offset, osec.size));
    ctx.sectionHeaders = Math.max(ctx.sectionHeaders, end);
  }
}

/** Nothing but moves of the location counter. */
export function isBare({ command, hasInputs, parts }: PlannedSection): boolean {
  return !hasInputs && command?.fill == null && parts.every((part) => part.kind !== "data");
}

/** lld computeFileOffset. `offset`: end of what was placed before. */
function offsetOf(ctx: Context, osec: OutputSection, load: Segment | undefined, offset: number, startsTls: boolean): number {
  if (load !== undefined && load.heads === 0 && load.sections[0] === osec) {
    const residue = Number(osec.sh_addr % BigInt(load.p_align));
    return alignUp(offset - residue, load.p_align) + residue;
  }
  if (osec.sh_type === SHT_NOBITS && !startsTls) return offset;
  if (load === undefined) return alignUp(offset, 2 ** osec.align);
  const start = startOf(ctx, load)!;
  return start.offset + Number(BigInt.asIntN(64, osec.sh_addr - start.address));
}

/** Sections that are not loaded follow in the file from `from` on, then the section headers. */
function placeNotLoaded(ctx: Context, from: number): void {
  if (ctx.options.separateDebug !== "") return placeSeparated(ctx, from);
  let offset = from;
  for (const osec of ctx.osecs) {
    if (isAlloc(osec)) continue;
    osec.sh_offset = alignUp(offset, 2 ** osec.align);
    if (osec.sh_type !== SHT_NOBITS) offset = osec.sh_offset + osec.size;
  }
  ctx.sectionHeaders = alignUp(offset, 8);
}

/** Extents of all segments from those of their sections. */
export function measureSegments(ctx: Context): void {
  for (const segment of ctx.segments) {
    const start = startOf(ctx, segment);
    if (start === null || segment.p_type === PT_GNU_STACK) continue;
    const last = segment.sections.at(-1);
    segment.p_offset = start.offset;
    segment.p_vaddr = start.address;
    if (last === undefined) {
      const end = (segment.heads & HEAD_PROGRAM) !== 0 ? ctx.headers.bytes : EHDR_BYTES;
      segment.p_filesz = segment.p_memsz = end - start.offset;
    } else {
      segment.p_filesz = last.sh_offset - start.offset + (last.sh_type === SHT_NOBITS ? 0 : last.size);
      segment.p_memsz = Number(BigInt.asIntN(64, last.sh_addr + BigInt(last.size) - start.address));
    }
    segment.p_paddr = segment.lma ?? BigInt.asUintN(64, start.address + lmaOffsetOf(ctx, segment));
  }
}

/** Load address minus address of what a segment begins with: that of the PT_LOAD it lies in. */
function lmaOffsetOf(ctx: Context, segment: Segment): bigint {
  if (segment.p_type === PT_LOAD) return segment.lmaOffset;
  const first = segment.heads === 0 ? segment.sections[0] : undefined;
  const load = ctx.segments.find((candidate) => {
    if (candidate.p_type !== PT_LOAD) return false;
    return first === undefined ? (candidate.heads & segment.heads) !== 0 : candidate.sections.includes(first);
  });
  return load?.lmaOffset ?? 0n;
}
