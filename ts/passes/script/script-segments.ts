/**
 * Program headers under a layout script: PHDRS as written, or lld's default set; and whether the file's headers are loaded.
 */
import { PF_R, PF_X, PT_GNU_RELRO, PT_INTERP, PT_LOAD } from "../../../as-kernels/shared/elf.ts";
import type { Context, OutputSection, Segment } from "../../context.ts";
import type { Expr } from "../../script/expression.ts";
import type { LayoutScript } from "../../script/layout.ts";
import type { Plan, PlannedSection } from "../../script/plan.ts";
import { addressOf, evaluateIn } from "../../script/script-value.ts";
import { headerBytes, imageBase } from "../assign-addresses.ts";
import { addSection, flagsOf, HEAD_FILE, HEAD_PROGRAM, isAlloc, makeSegments, newSegment, pageSizes, unloadHeaders } from "../segments.ts";
import type { Regions } from "./script-regions.ts";
import type { ScriptValues } from "./script-values.ts";

export class ScriptSegments {
  private readonly ctx: Context;
  private readonly script: LayoutScript;
  private readonly values: ScriptValues;
  private readonly regions: Regions;
  private readonly planned = new Map<OutputSection, PlannedSection>();

  private readonly lmas = new Map<Segment, Expr>();

  constructor(ctx: Context, script: LayoutScript, plan: Plan, values: ScriptValues, regions: Regions) {
    this.ctx = ctx;
    this.script = script;
    this.values = values;
    this.regions = regions;
    for (const section of plan.sections) this.planned.set(section.osec, section);
  }

  /** PHDRS … AT(address); it may depend on the layout, so after it. */
  setLoadAddresses(): void {
    for (const [segment, expr] of this.lmas) segment.lma = addressOf(evaluateIn(expr, this.values));
  }

  /** Writes ctx.segments and ctx.headers. */
  make(): void {
    const { ctx, script } = this;
    ctx.segments = script.phdrs.length > 0 && !ctx.options.binary ? this.scriptSegments() : this.defaultSegments();
    ctx.loads = ctx.segments.filter((segment) => segment.p_type === PT_LOAD);
    ctx.headers = { address: script.hasSections ? 0n : imageBase(ctx), bytes: headerBytes(ctx) };
    ctx.diag.throwIfErrors();
  }

  /** PHDRS: as the script says. */
  private scriptSegments(): Segment[] {
    const { script, ctx } = this;
    const { max } = pageSizes(ctx);
    const segments = script.phdrs.map(({ p_type, p_flags, filehdr, phdrs, lma }) => {
      const segment = newSegment(p_type, p_flags ?? PF_R, Math.max(p_type === PT_LOAD ? max : 0, phdrs ? 8 : filehdr ? 1 : 0));
      segment.heads = (filehdr ? HEAD_FILE : 0) | (phdrs ? HEAD_PROGRAM : 0);
      if (lma !== null) this.lmas.set(segment, lma);
      return segment;
    });
    for (const osec of ctx.osecs) {
      const section = this.planned.get(osec)!;
      for (const name of section.phdrs) {
        const index = script.phdrs.findIndex((phdr) => phdr.name === name);
        if (index < 0) {
          const { text, ref } = section.command?.place ?? { text: script.name, ref: { input: script.name } };
          if (name !== "NONE") ctx.diag.error({ code: "BAD_SCRIPT", text: `${text}: program header '${name}' is not listed in PHDRS`, at: ref });
          continue;
        }
        addSection(segments[index]!, osec);
        if (script.phdrs[index]!.p_flags === null) segments[index]!.p_flags |= flagsOf(osec);
      }
    }
    return segments;
  }

  /** The default set, with PT_LOADs that also split where the script moves the load address. */
  private defaultSegments(): Segment[] {
    const command = (osec: OutputSection) => this.planned.get(osec)!.command;
    /** What is loaded behind an overlay does not begin where its last section ends. */
    const behindOverlay = (osec: OutputSection): boolean => command(osec)?.inOverlay === false && command(osec)!.lmaRegion !== "" && command(this.ctx.osecs[osec.index - 2] ?? osec)?.inOverlay === true;
    return makeSegments(this.ctx, {
      region: (osec) => this.regions.of(this.planned.get(osec)!),
      loadRegion: (osec) => this.script.regions.get(command(osec)?.lmaRegion ?? "") ?? null,
      hasLma: (osec) => command(osec)?.lma != null || behindOverlay(osec),
      hasSections: this.script.hasSections,
    });
  }

  /**
   * Scripts made for GNU ld often put code, constants and data side by side on one page. Mapped one after the other, the last PT_LOAD decides
   * what that page may do, so it must allow what those before it need: GNU ld makes one segment of them. With lld such programs crash; only
   * where an operating system is certain to map them, in programs with an interpreter, this is not as lld has it.
   */
  sharePages(): void {
    const { ctx, script } = this;
    if (!script.hasSections || script.phdrs.length > 0 || !ctx.segments.some(({ p_type }) => p_type === PT_INTERP)) return;
    const page = BigInt(pageSizes(ctx).common);
    let before: Segment | null = null;
    let gained = false;
    for (const load of ctx.segments) {
      if (load.p_type !== PT_LOAD || load.p_memsz === 0) continue;
      const end: bigint = before === null ? 0n : before.p_vaddr + BigInt(before.p_memsz);
      if (before !== null && end <= load.p_vaddr && (end - 1n) / page === load.p_vaddr / page) {
        const relro = (before.p_flags & PF_X) !== 0 && load.sections[0]?.relro === true;
        gained ||= relro;
        load.p_flags |= before.p_flags;
      }
      before = load;
    }
    // Protecting that page would take the code's permission away again.
    if (gained) ctx.segments = ctx.segments.filter((segment) => segment.p_type !== PT_GNU_RELRO);
  }

  /** lld allocateHeaders: below the first section, when there is room; else no segment holds the headers and PT_PHDR goes. */
  allocateHeaders(): void {
    const { ctx, script } = this;
    const firstLoad = ctx.segments.find((segment) => segment.p_type === PT_LOAD);
    if (firstLoad === undefined) return;
    const explicit = script.phdrs.some((phdr) => phdr.filehdr || phdr.phdrs);
    const page = BigInt(pageSizes(ctx).max);
    let lowest = (1n << 64n) - 1n;
    for (const osec of ctx.osecs) if (isAlloc(osec) && osec.sh_addr < lowest) lowest = osec.sh_addr;
    const bytes = BigInt(ctx.headers.bytes);
    const paged = !ctx.options.omagic && !ctx.options.nmagic;
    if ((paged || explicit) && bytes <= (explicit ? lowest : lowest % page)) {
      const start = lowest - bytes;
      ctx.headers.address = start - (start % page);
      return;
    }
    if (explicit) ctx.diag.errorOrWarn({ code: "LAYOUT", text: "could not allocate headers" });
    unloadHeaders(ctx);
  }
}
