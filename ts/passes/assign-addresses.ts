/**
 * Addresses and file offsets of output sections, and the program headers, as lld lays out a link without a script.
 *
 * Members get their offsets once; what repeats is the walk over output sections, until no linker-made section changes its
 * size any more (.relr.dyn depends on addresses). Writes osec.addr, osec.offset, osec.size, isec.outOffset, ctx.segments.
 */
import { EHDR_BYTES, PF_X, PHDR_BYTES, PT_LOAD, PT_TLS } from "../../as-kernels/shared/elf.ts";
import type { Context, OutputSection, Segment } from "../context.ts";
import { alignAddress, alignUp } from "../elf/align.ts";
import { publishPlt } from "../synthetic/plt.ts";
import { HEADERS_OSEC } from "./bind-sections.ts";
import { checkLayout } from "./check-layout.ts";
import { assignOffsets, assignRawOffsets, dropEmptyLoads, measureSegments } from "./file-layout.ts";
import { PADDING } from "./order-sections.ts";
import { orderLoading, settleOrderedSegments, walkInOrder } from "./output-order.ts";
import { paddingSeedOf, startPadding } from "./random-padding.ts";
import { alignedByDefault, warnAligned } from "./warn-alignment.ts";
import { isAlloc, isTbss, makeSegments, pageSizes, unloadHeaders } from "./segments.ts";

/** Rounds of layout before a section that keeps changing is called a bug. */
const MAX_ROUNDS = 30;

/** Address of the first byte of the file, when it is loaded. */
export function imageBase(ctx: Context): bigint {
  const { options } = ctx;
  return options.imageBase ?? (options.shared || options.pie ? 0n : ctx.arch.target.imageBase);
}

/** Room for the headers: none in a raw image. */
export function headerBytes({ options, segments }: Context): number {
  return options.binary ? 0 : EHDR_BYTES + PHDR_BYTES * segments.length;
}

/** Places members and linker-made contents inside each output section. */
function placeContents(ctx: Context): void {
  const { tables, kernels } = ctx;
  tables.msec.placed.fill(0);
  for (const osec of ctx.osecs) {
    const base = tables.osec.memberBase[osec.id]!;
    if (ctx.options.paddingSeed > 0) ctx.params.set("paddingSeed", paddingSeedOf(ctx, osec));
    osec.size = kernels.layoutMembers(base, base + tables.osec.memberCount[osec.id]!, 0);
    placeSynthetic(ctx, osec);
  }
}

/** Linker-made contents follow what there is. */
function placeSynthetic(ctx: Context, osec: OutputSection): void {
  for (const entry of osec.synthetic) {
    entry.offset = alignUp(osec.size, 2 ** entry.section.align);
    osec.size = entry.offset + entry.section.size(ctx);
  }
}

/**
 * Where the first section of a PT_LOAD goes, without a script: the next page, at the same distance from its start as in the file, so that the
 * file has no holes. Pages that must not be shared begin anew.
 */
export function pageStart(ctx: Context, { load, previous }: LoadStart, tls: Segment | undefined, dot: bigint): bigint {
  const { separateCode } = ctx.options.z;
  const page = BigInt(pageSizes(ctx).max);
  const crosses = previous !== null && (previous.p_flags & PF_X) !== (load.p_flags & PF_X);
  if (separateCode === "loadable-segments" || (separateCode === "code" && crosses)) return alignAddress(dot, page);
  // Loaders want PT_TLS aligned, and .tbss may ask for more than .tdata does.
  if (tls !== undefined && tls.sections[0] === load.sections[0]) return alignAddress(dot, page) + alignAddress(dot % page, BigInt(tls.p_align));
  return alignAddress(dot, page) + (dot % page);
}

/** A PT_LOAD, and the one before. */
export interface LoadStart {
  load: Segment;
  previous: Segment | null;
}

/** By the section they begin with; the one that begins with the file's headers is not here. */
export function loadStarts(ctx: Context): Map<OutputSection, LoadStart> {
  const starts = new Map<OutputSection, LoadStart>();
  let previous: Segment | null = null;
  for (const load of ctx.segments) {
    if (load.p_type !== PT_LOAD || (load.heads === 0 && load.sections.length === 0)) continue;
    if (load.heads === 0) starts.set(load.sections[0]!, { load, previous });
    previous = load;
  }
  return starts;
}

/** Headers come before what has an address of its own (-Ttext), as with GNU ld, or are not loaded where there is no room for them. */
function lowerHeaders(ctx: Context): void {
  const { headers } = ctx;
  const start = ctx.options.sectionStarts.get(ctx.osecs.find(isAlloc)?.name ?? "");
  if (start === undefined || start >= headers.address + BigInt(headers.bytes)) return;
  const end = start - BigInt(headers.bytes);
  if (end < 0n) unloadHeaders(ctx);
  else headers.address = end - (end % BigInt(pageSizes(ctx).max));
}

/** One walk over the output sections. */
function walk(ctx: Context): void {
  const { sectionStarts } = ctx.options;
  const { common } = pageSizes(ctx);
  const starts = loadStarts(ctx);
  const tls = ctx.segments.find((segment) => segment.p_type === PT_TLS);
  let dot = ctx.headers.address + BigInt(ctx.headers.bytes);
  let tbss: bigint | null = null;
  for (const osec of ctx.osecs) {
    if (!isAlloc(osec)) {
      osec.sh_addr = 0n;
      continue;
    }
    const align = 1n << BigInt(osec.align);
    if (isTbss(osec)) {
      osec.sh_addr = alignAddress(tbss ?? dot, align);
      tbss = osec.sh_addr + BigInt(osec.size);
      continue;
    }
    const start = starts.get(osec);
    const placed = sectionStarts.get(osec.name);
    if (placed !== undefined) dot = placed;
    else if (start !== undefined) dot = pageStart(ctx, start, tls, dot) + startPadding(ctx, osec);
    dot = alignAddress(dot, align);
    osec.sh_addr = dot;
    // The padding is not in the file, and what follows is on another page anyway.
    if (osec.name === PADDING) osec.size = Number(alignAddress(dot, BigInt(common)) - dot);
    else dot += BigInt(osec.size);
  }
}

/** Copies what kernels need of the layout into tables and parameters. */
export function publish(ctx: Context): void {
  const { tables, params } = ctx;
  const { addr, offset, size } = tables.osec;
  addr[HEADERS_OSEC] = ctx.headers.address;
  for (const osec of ctx.osecs) {
    addr[osec.id] = osec.sh_addr;
    offset[osec.id] = osec.sh_offset;
    size[osec.id] = osec.size;
    for (const entry of osec.synthetic) entry.section.address = osec.sh_addr + BigInt(entry.offset);
  }
  const tls = ctx.segments.find((segment) => segment.p_type === PT_TLS);
  if (tls !== undefined) {
    params.set("tlsAddr", tls.p_vaddr);
    params.set("tlsEnd", alignAddress(tls.p_vaddr + BigInt(tls.p_memsz), BigInt(tls.p_align)));
  }
  const address = (section: { address: bigint } | null) => section?.address ?? 0n;
  params.set("gotAddr", address(ctx.synthetics.got));
  params.set("gotPltAddr", address(ctx.synthetics.gotPlt));
  params.set("ehFrameAddr", address(ctx.synthetics.ehFrame));
  params.set("ehFrameHdrAddr", address(ctx.synthetics.ehFrameHdr));
  publishPlt(ctx);
}

export function assignAddresses(ctx: Context): void {
  const ordered = ctx.options.outputOrder.length > 0;
  ctx.segments = makeSegments(ctx, ordered ? orderLoading(ctx) : undefined);
  ctx.loads = ctx.segments.filter((segment) => segment.p_type === PT_LOAD);
  ctx.headers = { address: imageBase(ctx), bytes: headerBytes(ctx) };
  lowerHeaders(ctx);
  placeContents(ctx);
  for (let round = 0; ; round++) {
    if (round === MAX_ROUNDS) throw new Error("layout does not settle");
    if (ordered) walkInOrder(ctx);
    else walk(ctx);
    publish(ctx);
    if (!settle(ctx)) break;
  }
  ctx.diag.throwIfErrors();
  if (ordered) settleOrderedSegments(ctx);
  const { physicalBase } = ctx.options;
  if (physicalBase !== undefined) for (const load of ctx.loads) load.lmaOffset = physicalBase - ctx.headers.address;
  dropEmptyLoads(ctx);
  placeInFile(ctx);
  if (ctx.options.warnSectionAlign && !ordered) warnAligned(ctx, alignedByDefault(ctx));
  checkLayout(ctx);
}

/** File offsets: also when sizes of sections that are not loaded have changed. Addresses stay. */
export function placeInFile(ctx: Context): void {
  if (ctx.options.binary) assignRawOffsets(ctx);
  else assignOffsets(ctx);
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
