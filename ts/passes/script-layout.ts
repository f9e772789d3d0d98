/**
 * assign-addresses under a layout script: walks the script's commands with the location counter, as lld's assignAddresses does, then
 * gives file offsets and measures the segments.
 *
 * Rounds repeat until no address and no symbol changes, because expressions may look ahead. Unlike the default layout nothing is
 * aligned to pages here: the script says where things go, and file offsets only follow addresses inside a segment.
 */
import {
  EHDR_BYTES, PF_R, PHDR_BYTES, PT_GNU_RELRO, PT_GNU_STACK, PT_LOAD, PT_PHDR, PT_TLS, SHF_ALLOC, SHF_EXECINSTR, SHF_TLS, SHF_WRITE, SHT_NOBITS,
} from "../../as-kernels/shared/elf.ts";
import type { Context, OutputSection, Segment } from "../context.ts";
import type { Expr } from "../script/expression.ts";
import type { Assertion, Assignment, LayoutScript, MemoryRegion, PhdrCommand } from "../script/layout.ts";
import { scriptError } from "../script/lexer.ts";
import { READ_ONLY } from "../script/layout-script.ts";
import type { Members, Plan, PlannedSection } from "../script/plan.ts";
import { addressOf, evaluateIn } from "../script/script-value.ts";
import { alignUp, checkLayout, flagsOf, isAlloc, isTbss, makeSegments, newSegment, pageSizes, placeNotLoaded, publish } from "./assign-addresses.ts";
import { NOWHERE, ScriptValues } from "./script-values.ts";
import { PADDING } from "./order-sections.ts";

const MAX_ROUNDS = 30;
/** No file is meant to be larger: a location counter gone astray. */
const MAX_FILE_BYTES = 2 ** 40;

const alignNumber = (value: number, align: number): number => Math.ceil(value / align) * align;
const hex = (value: bigint): string => `0x${value.toString(16).toUpperCase()}`;

export function assignScriptAddresses(ctx: Context, script: LayoutScript, plan: Plan): void {
  new Layouter(ctx, script, plan).run();
}

/** `file:line` of an expression. */
function placeOf({ text, name, offset }: Expr): string {
  return scriptError(text, name, offset, "").message.split(": ")[0]!;
}

/** A memory region while it fills up. */
interface Filling {
  region: MemoryRegion;
  origin: bigint;
  length: bigint;
  at: bigint;
}

class Layouter {
  private readonly ctx: Context;
  private readonly script: LayoutScript;
  private readonly plan: Plan;
  private readonly values: ScriptValues;
  private readonly planned = new Map<OutputSection, PlannedSection>();
  private readonly phdrOf = new Map<Segment, PhdrCommand>();
  private firstLoad: Segment | null = null;
  /** Whether the file's headers are in a PT_LOAD. */
  private loadsHeaders = true;
  /** Bytes of the ELF header and of the program headers before empty ones are dropped. */
  private headerBytes = 0;
  private regions = new Map<MemoryRegion, Filling>();
  private readonly regionOf = new Map<PlannedSection, MemoryRegion | null>();
  private memory: Filling | null = null;
  private loadMemory: Filling | null = null;
  private lmaOffset = 0n;
  private tbss: bigint | null = null;

  constructor(ctx: Context, script: LayoutScript, plan: Plan) {
    this.ctx = ctx;
    this.script = script;
    this.plan = plan;
    this.values = new ScriptValues(ctx, script, plan);
    for (const section of plan.sections) this.planned.set(section.osec, section);
  }

  run(): void {
    const { ctx, values } = this;
    this.chooseRegions();
    ctx.segments = this.script.phdrs.length > 0 ? this.scriptSegments() : this.defaultSegments();
    const all = ctx.segments;
    let before = "";
    for (let round = 0; round < MAX_ROUNDS; round++) {
      ctx.segments = all;
      this.walk();
      this.headerBytes = Number(values.headers());
      ctx.segments = this.allocateHeaders(all);
      this.assignOffsets();
      this.measure();
      publish(ctx);
      const resized = this.settle();
      const state = `${values.state()};${ctx.osecs.map((osec) => `${osec.sh_addr}:${osec.size}`).join()}`;
      if (state === before && !resized) break;
      before = state;
      if (round === MAX_ROUNDS - 1) ctx.diag.errorOrWarn(values.changing === 0 ? "address assignment does not converge" : `assignment to symbol ${ctx.symbolName(values.changing)} does not converge`);
    }
    for (const message of new Set(values.errors)) ctx.diag.errorOrWarn(message);
    values.publish();
    checkLayout(ctx);
    this.checkLoadAddresses();
  }

  /** .relr.dyn and the like react to addresses. */
  private settle(): boolean {
    let changed = false;
    for (const osec of this.ctx.osecs) for (const { section } of osec.synthetic) if (section.settle?.(this.ctx) === true) changed = true;
    return changed;
  }

  // ---- addresses ----

  private walk(): void {
    const { values, ctx } = this;
    values.errors = [];
    values.changing = 0;
    values.location = ctx.options.imageBase ?? 0n;
    values.base = NOWHERE;
    this.memory = this.loadMemory = null;
    this.lmaOffset = 0n;
    this.tbss = null;
    ctx.tables.msec.placed.fill(0);
    this.openRegions();
    for (const item of this.plan.items) {
      if (item.kind === "section") this.place(item);
      else this.execute(item, null);
    }
  }

  private execute(command: Assignment | Assertion, inside: PlannedSection | null): void {
    const { values } = this;
    if (command.kind === "assign" && command.name !== "." && command.sym === 0) return;
    const value = evaluateIn(command.expr, values);
    if (command.kind === "assert") return;
    if (command.name === ".") this.moveTo(addressOf(value), inside, placeOf(command.expr));
    else values.assign(command.sym, value);
  }

  /** `where`: file and line, for errors. */
  private moveTo(to: bigint, inside: PlannedSection | null, where: string): void {
    const { values } = this;
    if (inside !== null) {
      if (to < values.location) {
        values.error(`${where}: unable to move location counter (${hex(values.location).toLowerCase()}) backward to ${hex(to).toLowerCase()} for section '${inside.osec.name}'`);
      }
      this.expand(inside, to - values.location);
      inside.osec.size = Math.max(0, inside.osec.size + Number(BigInt.asIntN(64, to - values.location)));
    }
    values.location = to;
  }

  private place(section: PlannedSection): void {
    const { values } = this;
    const { osec, command } = section;
    const saved = values.location;
    const sameRegion = this.memory?.region === this.regionOf.get(section) || (this.memory === null && this.regionOf.get(section) == null);
    const hadLoadRegion = this.loadMemory !== null;
    this.memory = this.filling(this.regionOf.get(section) ?? null);
    this.loadMemory = command === null || command.lmaRegion === "" ? null : this.filling(this.script.regions.get(command.lmaRegion) ?? null);
    this.startAt(section);
    osec.sh_addr = values.location;
    // Until the next section, symbols are relative to this one, even behind its end (lld).
    values.base = osec;
    if (command?.lma != null) this.lmaOffset = addressOf(evaluateIn(command.lma, values)) - values.location;
    else if (this.loadMemory !== null) this.lmaOffset = alignUp(this.loadMemory.at, 1n << BigInt(osec.align)) - values.location;
    else if (!sameRegion || hadLoadRegion) this.lmaOffset = 0n;
    section.lmaOffset = this.lmaOffset;
    osec.size = 0;
    this.fill(section);
    if (osec.name === PADDING && command === null) this.grow(section, Number(alignUp(values.location, BigInt(pageSizes(this.ctx).common)) - values.location));
    if (!isAlloc(osec)) values.location = saved;
    else if (isTbss(osec)) {
      this.tbss = values.location;
      values.location = saved;
    }
  }

  /** Moves the location counter to where the section begins. */
  private startAt({ osec, command }: PlannedSection): void {
    const { values, memory } = this;
    if (!isAlloc(osec)) values.location = 0n;
    else if (isTbss(osec)) {
      if (this.tbss === null) this.tbss = values.location;
      values.location = this.tbss;
    } else {
      if (memory !== null) values.location = memory.at;
      const start = this.ctx.options.sectionStarts.get(osec.name);
      if (command?.address != null) values.location = addressOf(evaluateIn(command.address, values));
      else if (start !== undefined) values.location = start;
      if (memory !== null && values.location > memory.at) this.advance(memory, values.location - memory.at, osec);
    }
    if (command?.address != null && isAlloc(osec)) {
      this.warnMisaligned(osec);
      return;
    }
    const start = alignUp(values.location, 1n << BigInt(osec.align));
    if (memory !== null && isAlloc(osec)) this.advance(memory, start - values.location, osec);
    values.location = start;
  }

  private warnMisaligned(osec: OutputSection): void {
    const { values, ctx } = this;
    if (values.location % (1n << BigInt(osec.align)) === 0n || this.misaligned.has(osec)) return;
    this.misaligned.add(osec);
    ctx.diag.warn(`address (${hex(values.location).toLowerCase()}) of section ${osec.name} is not a multiple of alignment (${2 ** osec.align})`);
  }

  private readonly misaligned = new Set<OutputSection>();

  /** Contents in order. Inside a section `.` is relative to it. */
  private fill(section: PlannedSection): void {
    const { values } = this;
    const { osec } = section;
    for (const part of section.parts) {
      if (part.kind === "members") this.placeMembers(section, part);
      else if (part.kind === "data") {
        part.offset = osec.size;
        part.value = addressOf(evaluateIn(part.expr, values));
        this.grow(section, part.bytes);
      } else this.execute(part, section);
    }
  }

  private placeMembers(section: PlannedSection, part: Members): void {
    const { osec } = section;
    const before = osec.size;
    let end = part.to > part.from ? this.ctx.kernels.layoutMembers!(part.from, part.to, before) : before;
    for (const entry of part.synthetic) {
      entry.offset = alignNumber(end, 2 ** entry.section.align);
      end = entry.offset + entry.section.size(this.ctx);
    }
    this.grow(section, end - before);
  }

  private grow(section: PlannedSection, bytes: number): void {
    this.expand(section, BigInt(bytes));
    section.osec.size += bytes;
    this.values.location += BigInt(bytes);
  }

  /** AT and AT> may put sections on top of each other in load memory. */
  private checkLoadAddresses(): void {
    if (this.plan.sections.every((section) => section.lmaOffset === 0n)) return;
    const range = (section: PlannedSection): [bigint, bigint] => {
      const start = BigInt.asUintN(64, section.osec.sh_addr + section.lmaOffset);
      return [start, start + BigInt(section.osec.size) - 1n];
    };
    const word = (section: PlannedSection): string => `>>> ${section.osec.name} range is [${range(section).map(hex).join(", ")}]`;
    const placed = this.plan.sections.filter(({ osec, removed }) => !removed && isAlloc(osec) && !isTbss(osec) && osec.size > 0);
    placed.sort((a, b) => (range(a)[0] < range(b)[0] ? -1 : range(a)[0] > range(b)[0] ? 1 : 0));
    placed.forEach((section, i) => {
      const previous = placed[i - 1];
      if (previous === undefined || range(previous)[1] < range(section)[0]) return;
      this.ctx.diag.errorOrWarn(`section ${previous.osec.name} load address range overlaps with ${section.osec.name}\n${word(previous)}\n${word(section)}`);
    });
  }

  // ---- memory regions ----

  private openRegions(): void {
    this.regions = new Map();
    for (const region of this.script.regions.values()) {
      const origin = addressOf(evaluateIn(region.origin, this.values));
      this.regions.set(region, { region, origin, length: addressOf(evaluateIn(region.length, this.values)), at: origin });
    }
  }

  private filling(region: MemoryRegion | null): Filling | null {
    return region === null ? null : this.regions.get(region)!;
  }

  private expand({ osec }: PlannedSection, bytes: bigint): void {
    if (!isAlloc(osec)) return;
    if (this.memory !== null) this.advance(this.memory, bytes, osec);
    if (this.loadMemory !== null && this.loadMemory !== this.memory) this.advance(this.loadMemory, bytes, osec);
  }

  private advance(memory: Filling, bytes: bigint, osec: OutputSection): void {
    memory.at += bytes;
    const over = memory.at - memory.origin - memory.length;
    if (over <= 0n) return;
    const start = `section '${osec.name}' will not fit in region '${memory.region.name}': overflowed by `;
    this.values.errors = this.values.errors.filter((message) => !message.startsWith(start));
    this.values.error(`${start}${over} bytes`);
  }

  /** lld findMemoryRegion. */
  private chooseRegions(): void {
    const { script, ctx } = this;
    let hint: MemoryRegion | null = null;
    for (const item of this.plan.items) {
      if (item.kind !== "section") continue;
      const { osec, command } = item;
      let region: MemoryRegion | null = null;
      const named = command?.region ?? "";
      for (const name of [named, command?.lmaRegion ?? ""]) {
        if (name !== "" && !script.regions.has(name)) ctx.diag.error(`memory region '${name}' not declared`);
      }
      if (!isAlloc(osec)) {
        if (named !== "" && item.hasInputs) ctx.diag.warn(`ignoring memory region assignment for non-allocatable section '${osec.name}'`);
        hint = null;
      } else if (named !== "") {
        region = hint = script.regions.get(named) ?? null;
      } else if (script.regions.size > 0) {
        if (command === null && hint !== null) region = hint;
        else {
          region = [...script.regions.values()].find((candidate) => suits(candidate, osec.sh_flags)) ?? null;
          hint = null;
          if (region === null) ctx.diag.error(`no memory region specified for section '${osec.name}'`);
        }
      }
      this.regionOf.set(item, region);
    }
    ctx.diag.throwIfErrors();
  }

  // ---- segments ----

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
      const region = (of: PlannedSection): string => `${this.regionOf.get(of)?.name ?? ""},`;
      const sameLoad = first === null || (section.command?.lma == null && (section.command?.lmaRegion ?? "") === (first.command?.lmaRegion ?? ""));
      const sameMemory = first === null ? this.regionOf.get(section) == null : region(section) === region(first);
      const relroEnd = wasRelro && !osec.relro;
      if (permissions(osec) !== load.p_flags || relroEnd || !sameLoad || !sameMemory) loads.push((load = newSegment(PT_LOAD, permissions(osec), [], max)));
      load.sections.push(osec);
      wasRelro = osec.relro;
    }
    return loads;
  }

  /** lld allocateHeaders: below the first section, when there is room; else no segment holds the headers and PT_PHDR goes. */
  private allocateHeaders(segments: Segment[]): Segment[] {
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
  private assignOffsets(): void {
    const { ctx } = this;
    const loadOf = new Map<OutputSection, Segment>();
    for (const segment of ctx.segments) if (segment.p_type === PT_LOAD) for (const osec of segment.sections) loadOf.set(osec, segment);
    const lastCode = ctx.segments.filter((segment) => segment.p_type === PT_LOAD && (segment.p_flags & 1) !== 0).at(-1)?.sections.at(-1);
    const { max } = pageSizes(ctx);
    let offset = this.headerBytes;
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
        this.values.error(`unable to place section ${osec.name} at file offset ${hex(BigInt.asUintN(64, BigInt(osec.sh_offset)))}; check your linker script for overflows`);
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
  private measure(): void {
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

/** MEMORY attributes: one of those given, none of those behind `!`. */
function suits(region: MemoryRegion, flags: number): boolean {
  if (region.noFlags) return false;
  const has = (wanted: number): boolean => (flags & wanted & ~READ_ONLY) !== 0 || ((wanted & READ_ONLY) !== 0 && (flags & SHF_WRITE) === 0);
  return has(region.flags) && !has(region.inverted) && (flags & (SHF_ALLOC | SHF_EXECINSTR | SHF_WRITE)) !== 0;
}
