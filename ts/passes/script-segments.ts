/**
 * Program headers and file offsets under a layout script: PHDRS as written, or lld's default set.
 *
 * Addresses come from script-layout; here file offsets follow them inside each segment, and the file's headers get into the first
 * segment where there is room.
 */
import { EHDR_BYTES, PF_R, PHDR_BYTES, PT_GNU_RELRO, PT_GNU_STACK, PT_LOAD, PT_PHDR, PT_TLS, SHF_TLS, SHT_NOBITS } from "../../as-kernels/shared/elf.ts";
import type { Context, OutputSection, Segment } from "../context.ts";
import type { LayoutScript, PhdrCommand } from "../script/layout.ts";
import type { Plan, PlannedSection } from "../script/plan.ts";
import { addressOf, evaluateIn } from "../script/script-value.ts";
import { flagsOf, isAlloc, isTbss, makeSegments, newSegment, pageSizes, placeNotLoaded } from "./assign-addresses.ts";
import type { Regions } from "./script-regions.ts";
import type { ScriptValues } from "./script-values.ts";

/** No file is meant to be larger: a location counter gone astray. */
const MAX_FILE_BYTES = 2 ** 40;

const alignNumber = (value: number, align: number): number => Math.ceil(value / align) * align;

export class ScriptSegments {
  private readonly ctx: Context;
  private readonly script: LayoutScript;
  private readonly plan: Plan;
  private readonly values: ScriptValues;
  private readonly regions: Regions;
  private readonly planned = new Map<OutputSection, PlannedSection>();
  private readonly phdrOf = new Map<Segment, PhdrCommand>();
  private firstLoad: Segment | null = null;
  /** Whether the file's headers are in a PT_LOAD. */
  private loadsHeaders = true;

  constructor(ctx: Context, script: LayoutScript, plan: Plan, values: ScriptValues, regions: Regions) {
    this.ctx = ctx;
    this.script = script;
    this.plan = plan;
    this.values = values;
    this.regions = regions;
    for (const section of plan.sections) this.planned.set(section.osec, section);
  }

  make(): Segment[] {
    return this.script.phdrs.length > 0 ? this.scriptSegments() : this.defaultSegments();
  }

  /** PHDRS: as the script says. */
  private scriptSegments(): Segment[] {
    const { script, ctx } = this;
    const { max } = pageSizes(ctx);
    const segments = script.phdrs.map(({ p_type, p_flags }) => newSegment(p_type, p_flags ?? PF_R, [], p_type === PT_LOAD ? max : 0));
    script.phdrs.forEach((phdr, i) => this.phdrOf.set(segments[i]!, phdr));
    for (const osec of ctx.osecs) {
      for (const name of this.planned.get(osec)!.phdrs) {
        const index = script.phdrs.findIndex((phdr) => phdr.name === name);
        if (index < 0 && name !== "NONE") ctx.diag.error(`program header '${name}' is not listed in PHDRS`);
        if (index < 0) continue;
        segments[index]!.sections.push(osec);
        if (script.phdrs[index]!.p_flags === null) segments[index]!.p_flags |= flagsOf(osec);
      }
    }
    ctx.diag.throwIfErrors();
    return segments;
  }

  /** The default set, with PT_LOADs that also split where the script moves the load address. */
  private defaultSegments(): Segment[] {
    const loads = this.loadSegments();
    this.firstLoad = loads[0]!;
    return makeSegments(this.ctx, loads);
  }

  private loadSegments(): Segment[] {
    const { ctx } = this;
    const { options } = ctx;
    const { max } = pageSizes(ctx);
    const permissions = (osec: OutputSection): number => {
      if (options.omagic) return 7;
      const flags = flagsOf(osec);
      return !options.rosegment && (flags & 2) === 0 ? flags | 1 : flags;
    };
    let load = newSegment(PT_LOAD, options.omagic ? 7 : options.rosegment ? PF_R : PF_R | 1, [], max);
    const loads = [load];
    let wasRelro = false;
    for (const osec of ctx.osecs) {
      if (!isAlloc(osec) || isTbss(osec)) continue;
      const section = this.planned.get(osec)!;
      const first = load.sections[0] === undefined ? null : this.planned.get(load.sections[0])!;
      const region = (of: PlannedSection): string => `${this.regions.of(of)?.name ?? ""},`;
      const sameLoad = first === null || (section.command?.lma == null && (section.command?.lmaRegion ?? "") === (first.command?.lmaRegion ?? ""));
      const sameMemory = first === null ? this.regions.of(section) === null : region(section) === region(first);
      const relroEnd = wasRelro && !osec.relro;
      if (permissions(osec) !== load.p_flags || relroEnd || !sameLoad || !sameMemory) loads.push((load = newSegment(PT_LOAD, permissions(osec), [], max)));
      load.sections.push(osec);
      wasRelro = osec.relro;
    }
    return loads;
  }

  /** lld allocateHeaders: below the first section, when there is room; else no segment holds the headers and PT_PHDR goes. */
  allocateHeaders(segments: Segment[]): Segment[] {
    const { ctx, script } = this;
    const explicit = script.phdrs.some((phdr) => phdr.filehdr || phdr.phdrs);
    const page = BigInt(pageSizes(ctx).max);
    const alloc = ctx.osecs.filter(isAlloc);
    const lowest = alloc.reduce<bigint | null>((low, osec) => (low === null || osec.sh_addr < low ? osec.sh_addr : low), null) ?? 0n;
    const size = this.values.headers();
    const room = explicit ? lowest : lowest % page;
    const paged = !ctx.options.omagic && !ctx.options.nmagic;
    const fits = (paged || explicit) && size <= room && segments.some((segment) => segment.p_type === PT_LOAD);
    if (fits) {
      const base = lowest - size;
      this.plan.headers = base - (base % page);
      this.loadsHeaders = script.phdrs.length === 0 || explicit;
      return segments.filter((segment) => !this.isEmptyLoad(segment));
    }
    if (explicit) this.values.error("could not allocate headers");
    this.plan.headers = 0n;
    this.loadsHeaders = false;
    return segments.filter((segment) => segment.p_type !== PT_PHDR && !this.isEmptyLoad(segment));
  }

  private isEmptyLoad(segment: Segment): boolean {
    if (segment.p_type !== PT_LOAD || this.holdsHeaders(segment)) return false;
    const last = segment.sections.at(-1);
    return last === undefined || last.sh_addr + BigInt(last.size) === segment.sections[0]!.sh_addr;
  }

  private holdsHeaders(segment: Segment): boolean {
    if (!this.loadsHeaders) return false;
    if (this.script.phdrs.length === 0) return segment === this.firstLoad;
    const phdr = this.phdrOf.get(segment);
    return phdr !== undefined && (phdr.filehdr || phdr.phdrs);
  }

  // ---- file offsets ----

  /** Congruent to addresses at the start of a PT_LOAD and at equal distance inside it. */
  assignOffsets(headerBytes: number): void {
    const { ctx } = this;
    const loadOf = new Map<OutputSection, Segment>();
    for (const segment of ctx.segments) if (segment.p_type === PT_LOAD) for (const osec of segment.sections) loadOf.set(osec, segment);
    const lastCode = ctx.segments.filter((segment) => segment.p_type === PT_LOAD && (segment.p_flags & 1) !== 0).at(-1)?.sections.at(-1);
    const { max } = pageSizes(ctx);
    let offset = headerBytes;
    for (const osec of ctx.osecs) {
      if (!isAlloc(osec)) continue;
      const load = loadOf.get(osec);
      const first = load?.sections[0];
      const headed = load !== undefined && this.holdsHeaders(load);
      if (load !== undefined && first === osec && !headed) {
        const align = Math.max(load.p_align, ...load.sections.map((member) => 2 ** member.align));
        const residue = Number(osec.sh_addr % BigInt(align));
        osec.sh_offset = alignNumber(offset - residue, align) + residue;
      } else if (osec.sh_type === SHT_NOBITS && !this.startsTls(osec)) {
        osec.sh_offset = offset;
      } else if (load === undefined) {
        osec.sh_offset = alignNumber(offset, 2 ** osec.align);
      } else {
        osec.sh_offset = headed ? Number(osec.sh_addr - this.plan.headers) : first!.sh_offset + Number(osec.sh_addr - first!.sh_addr);
      }
      if (osec.sh_offset < 0 || osec.sh_offset + (osec.sh_type === SHT_NOBITS ? 0 : osec.size) > MAX_FILE_BYTES) {
        this.values.error(`unable to place section ${osec.name} at file offset 0x${BigInt.asUintN(64, BigInt(osec.sh_offset)).toString(16).toUpperCase()}; check your linker script for overflows`);
        osec.sh_offset = offset;
      }
      if (osec.sh_type !== SHT_NOBITS) offset = osec.sh_offset + osec.size;
      if (osec === lastCode && ctx.options.z.separateCode !== "none") offset = alignNumber(offset, max);
    }
    offset = ctx.osecs.reduce((end, osec) => (isAlloc(osec) && osec.sh_type !== SHT_NOBITS ? Math.max(end, osec.sh_offset + osec.size) : end), offset);
    placeNotLoaded(ctx, offset);
  }

  private startsTls(osec: OutputSection): boolean {
    return (osec.sh_flags & SHF_TLS) !== 0 && this.ctx.segments.some((segment) => segment.p_type === PT_TLS && segment.sections[0] === osec);
  }

  /** Extents of segments; what holds the headers begins with them. */
  measure(): void {
    const { ctx, plan } = this;
    const size = EHDR_BYTES + PHDR_BYTES * ctx.segments.length;
    for (const segment of ctx.segments) {
      if (segment.p_type === PT_GNU_STACK) segment.p_memsz = ctx.options.z.stackSize;
      const headed = this.headExtent(segment);
      const first = segment.sections[0];
      if (first === undefined && headed === null) continue;
      const start = headed === null ? { offset: first!.sh_offset, address: first!.sh_addr } : { offset: headed, address: plan.headers + BigInt(headed) };
      const last = segment.sections.findLast((osec) => segment.p_type !== PT_GNU_RELRO || !isTbss(osec));
      segment.p_offset = start.offset;
      segment.p_vaddr = start.address;
      if (last === undefined) {
        segment.p_filesz = segment.p_memsz = this.headEnd(segment, size) - start.offset;
      } else {
        segment.p_filesz = last.sh_offset - start.offset + (last.sh_type === SHT_NOBITS ? 0 : last.size);
        segment.p_memsz = Number(last.sh_addr + BigInt(last.size) - start.address);
      }
      const lma = this.phdrOf.get(segment)?.lma;
      if (lma != null) segment.p_paddr = addressOf(evaluateIn(lma, this.values));
      else segment.p_paddr = segment.p_vaddr + (segment.sections.length === 0 ? 0n : this.loadOffset(segment));
      const align = Math.max(0, ...segment.sections.map((osec) => 2 ** osec.align));
      if (segment.p_type === PT_LOAD) segment.p_align = Math.max(pageSizes(ctx).max, align);
      else if (segment.p_type === PT_PHDR) segment.p_align = 8;
      else segment.p_align = segment.p_type === PT_GNU_RELRO ? 1 : align;
    }
  }

  /** Load address minus address: of a PT_LOAD, its last section's (lld). */
  private loadOffset(segment: Segment): bigint {
    const osec = segment.sections.at(segment.p_type === PT_LOAD ? -1 : 0)!;
    return this.planned.get(osec)!.lmaOffset;
  }

  /** File offset of the headers that a segment begins with, or null. */
  private headExtent(segment: Segment): number | null {
    const phdr = this.phdrOf.get(segment);
    if (phdr !== undefined) return phdr.filehdr ? 0 : phdr.phdrs ? EHDR_BYTES : null;
    if (segment.p_type === PT_PHDR) return EHDR_BYTES;
    return this.holdsHeaders(segment) ? 0 : null;
  }

  private headEnd(segment: Segment, size: number): number {
    const phdr = this.phdrOf.get(segment);
    return phdr !== undefined && phdr.filehdr && !phdr.phdrs && segment.p_type === PT_LOAD ? EHDR_BYTES : size;
  }
}
