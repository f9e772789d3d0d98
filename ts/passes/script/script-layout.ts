/**
 * assign-addresses under a layout script: walks the script's commands with the location counter, as lld's assignAddresses does.
 * File offsets and program headers are script-segments.ts, memory regions script-regions.ts.
 *
 * Rounds repeat until no address and no symbol changes, because expressions may look ahead. Unlike the default layout nothing is
 * aligned to pages here: the script says where things go, and file offsets only follow addresses inside a segment.
 */
import { ISEC_EH_FRAME, ISEC_MERGE } from "../../../as-kernels/shared/abi.ts";
import { PT_LOAD, PT_TLS } from "../../../as-kernels/shared/elf.ts";
import { isLld } from "../../args/identity.ts";
import type { Context, OutputSection, Segment } from "../../context.ts";
import { addressEndless, assignmentEndless, misaligned, movesBackward } from "../../diagnostics/layout-messages.ts";
import { distinct } from "../../diagnostics/print.ts";
import { alignAddress, alignUp } from "../../elf/align.ts";
import type { Expr } from "../../script/expression.ts";
import type { Assertion, Assignment, LayoutScript } from "../../script/layout.ts";
import { placeInScript } from "../../script/lexer.ts";
import type { Members, Plan, PlannedSection } from "../../script/plan.ts";
import { addressOf, evaluateIn, type Value } from "../../script/script-value.ts";
import { loadStarts, pageStart, placeInFile, publish, type LoadStart } from "../assign-addresses.ts";
import { checkLayout } from "../check-layout.ts";
import { dropEmptyLoads } from "../file-layout.ts";
import { NOWHERE, ScriptValues } from "./script-values.ts";
import { PADDING } from "../order-sections.ts";
import { Regions } from "./script-regions.ts";
import { ScriptSegments } from "./script-segments.ts";
import { isAlloc, isTbss, pageSizes } from "../segments.ts";
import { warnAligned } from "../warn-alignment.ts";

/** Rounds of linker-made sections that change their size. */
const MAX_ROUNDS = 30;
/** Further rounds in which only addresses and symbols change (lld's number). */
const MAX_PASSES = 5;

export function assignScriptAddresses(ctx: Context, script: LayoutScript, plan: Plan, placeLinkerDefined: () => void): void {
  new Layouter(ctx, script, plan, placeLinkerDefined).run();
}

class Layouter {
  private readonly ctx: Context;
  private readonly script: LayoutScript;
  private readonly plan: Plan;
  /** Gives the linker's own symbols their places, which expressions may ask for. */
  private readonly placeLinkerDefined: () => void;
  private readonly values: ScriptValues;
  private readonly regions: Regions;
  private readonly segments: ScriptSegments;
  private readonly loadOf = new Map<OutputSection, Segment>();
  /** The first section that is not where the last round had it. */
  private moved: OutputSection | null = null;
  /** PT_LOADs that begin at a page, without SECTIONS. */
  private starts = new Map<OutputSection, LoadStart>();
  /** The last section for which a page was begun. */
  private paged: OutputSection | null = null;
  private tls: Segment | undefined;
  private lmaOffset = 0n;
  private tbss: bigint | null = null;
  /** --warn-section-align: what alignment added before a section, in the last walk. */
  private readonly aligned: Map<OutputSection, bigint> | null;
  /** Sections whose address somebody was warned of. */
  private readonly misaligned = new Set<OutputSection>();
  /** Merged parts that this round has shifted: their members may stand in several places. */
  private readonly shifted = new Set<number>();

  constructor(ctx: Context, script: LayoutScript, plan: Plan, placeLinkerDefined: () => void) {
    this.ctx = ctx;
    this.script = script;
    this.plan = plan;
    this.placeLinkerDefined = placeLinkerDefined;
    this.aligned = ctx.options.warnSectionAlign ? new Map() : null;
    this.values = new ScriptValues(ctx, script, plan.sections);
    this.regions = new Regions(ctx, script, plan, this.values);
    this.segments = new ScriptSegments(ctx, script, plan, this.values, this.regions);
  }

  run(): void {
    const { ctx, values, segments } = this;
    this.regions.choose();
    segments.make();
    for (const load of ctx.segments) if (load.p_type === PT_LOAD) for (const osec of load.sections) this.loadOf.set(osec, load);
    this.starts = loadStarts(ctx);
    this.tls = ctx.segments.find((segment) => segment.p_type === PT_TLS);
    let before = "";
    let passes = 0;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      this.moved = null;
      this.walk();
      if (this.plan.spills?.spill(this.plan.items, (section) => this.regions.fillsOf(section)) === true) {
        round--;
        continue;
      }
      publish(ctx);
      this.placeLinkerDefined();
      const resized = this.settle();
      const state = `${values.state()};${ctx.osecs.map((osec) => `${osec.sh_addr}:${osec.size}`).join()}`;
      if (state === before && !resized) break;
      before = state;
      passes = resized ? 0 : passes + 1;
      if (passes <= MAX_PASSES && round < MAX_ROUNDS - 1) continue;
      this.reportEndless();
      break;
    }
    this.plan.regions = this.regions.use();
    segments.setLoadAddresses();
    for (const message of distinct(values.errors)) ctx.diag.errorOrWarn(message);
    if (this.script.hasSections) segments.allocateHeaders();
    dropEmptyLoads(ctx);
    placeInFile(ctx);
    segments.sharePages();
    values.publish();
    if (this.aligned !== null) warnAligned(ctx, this.aligned);
    checkLayout(ctx, new Set(this.plan.sections.filter(({ command }) => command?.inOverlay === true).map(({ osec }) => osec)));
  }

  private reportEndless(): void {
    const { ctx, moved } = this;
    if (moved !== null) ctx.diag.errorOrWarn(addressEndless(moved.name, moved.sh_addr));
    const { changing } = this.values;
    if (changing !== 0) ctx.diag.errorOrWarn(assignmentEndless(ctx.symbolName(changing)));
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
    values.beginRound();
    values.location = this.script.hasSections ? (ctx.options.imageBase ?? 0n) : ctx.headers.address + BigInt(ctx.headers.bytes);
    values.base = NOWHERE;
    this.lmaOffset = 0n;
    this.tbss = null;
    ctx.tables.msec.placed.fill(0);
    this.shifted.clear();
    this.regions.open();
    this.paged = null;
    for (const item of this.plan.items) {
      const about = this.plan.leads.get(item);
      if (about !== undefined && !this.script.hasSections) this.nextPage(about.osec);
      if (item.kind === "section") this.place(item);
      else this.execute(item, null);
    }
  }

  private execute(command: Assignment | Assertion, inside: PlannedSection | null): void {
    const { values } = this;
    if (command.kind === "assign" && command.name !== "." && command.sym === 0) return;
    const value = evaluateIn(command.expr, values);
    if (command.kind === "assert") return;
    command.at = values.location;
    if (command.name === ".") this.moveTo(inside === null ? addressOf(value) : this.addressInside(inside, value), inside, command.expr);
    else values.assign(command.sym, value);
    command.moved = values.location - command.at;
  }

  /** A number, which lld has for an address, counts from the section's start where it would lead backward (GNU ld: always). */
  private addressInside({ osec }: PlannedSection, value: Value): bigint {
    const { location } = this.values;
    const to = addressOf(value);
    const forward = osec.sh_addr + to;
    return to < location && forward >= location && value.sec === null && !isLld(this.ctx.options) ? forward : to;
  }

  /** `expr` gave the address. */
  private moveTo(to: bigint, inside: PlannedSection | null, expr: Expr): void {
    const { values } = this;
    if (inside !== null) {
      if (to < values.location) {
        const place = placeInScript(expr.text, expr.name, expr.offset);
        values.error(movesBackward(inside.osec.name, { place, from: values.location, to }));
      }
      this.regions.expand(inside, to - values.location);
      inside.osec.size = Math.max(0, inside.osec.size + Number(BigInt.asIntN(64, to - values.location)));
    }
    values.location = to;
  }

  private place(section: PlannedSection): void {
    const { values, regions } = this;
    const { osec, command } = section;
    const saved = values.location;
    const sameRegion = (regions.memory?.region ?? null) === regions.of(section);
    const hadLoadRegion = regions.loadMemory !== null;
    regions.enter(section);
    // Sections of an overlay share a place: its region holds the largest.
    const shared = command?.inOverlay === true ? regions.memory : null;
    const held = shared?.at ?? 0n;
    this.startAt(section);
    if (this.moved === null && osec.sh_addr !== values.location) this.moved = osec;
    osec.sh_addr = values.location;
    // Until the next section, symbols are relative to this one, even behind its end (lld).
    values.base = osec;
    if (command?.lma != null) this.lmaOffset = addressOf(evaluateIn(command.lma, values)) - values.location;
    else if (regions.loadMemory !== null) this.lmaOffset = regions.alignLoad(osec) - values.location;
    else if (!sameRegion || hadLoadRegion) this.lmaOffset = 0n;
    // A segment has one load address; what it holds moves along, whatever the script says (lld).
    const load = this.loadOf.get(osec);
    if (load?.sections[0] === osec) load.lmaOffset = this.lmaOffset;
    section.lmaOffset = load?.lmaOffset ?? (this.ctx.options.binary ? this.lmaOffset : 0n);
    osec.size = 0;
    this.fill(section);
    if (shared !== null && shared.at < held) shared.at = held;
    if (osec.name === PADDING && command === null) this.pad(section);
    if (!isAlloc(osec)) values.location = saved;
    else if (isTbss(osec)) {
      this.tbss = values.location;
      values.location = saved;
    }
  }

  /** Moves the location counter to where the section begins. */
  private startAt(section: PlannedSection): void {
    const { values, regions, script } = this;
    const { osec, command } = section;
    const { memory } = regions;
    if (!isAlloc(osec)) {
      // A section of type OVERLAY or INFO may lie over others: U-Boot's .bss does (GNU ld; lld puts it at 0).
      values.location = 0n;
      if (command?.nonAlloc === true && command.address !== null) {
        values.location = addressOf(evaluateIn(command.address, values));
        return;
      }
    } else if (isTbss(osec)) {
      if (this.tbss === null) this.tbss = values.location;
      values.location = this.tbss;
    } else {
      // An address of its own counts from the location counter while that is in the region (GNU ld), else from what the region holds (lld).
      if (memory !== null && (command?.address == null || values.location < memory.origin || values.location >= memory.origin + memory.length)) values.location = memory.at;
      const start = this.ctx.options.sectionStarts.get(osec.name);
      if (start !== undefined) values.location = start;
      else if (command?.address != null) values.location = addressOf(evaluateIn(command.address, values));
      else if (!script.hasSections) this.nextPage(osec);
      if (memory !== null && command?.inOverlay === true && values.location < memory.at) memory.at = values.location;
      if (memory !== null && values.location > memory.at) regions.advance(memory, values.location - memory.at, osec);
    }
    if (command?.address != null && isAlloc(osec) && script.hasSections) {
      this.warnMisaligned(osec);
      return;
    }
    const start = alignAddress(values.location, 1n << BigInt(osec.align));
    if (this.aligned !== null && isAlloc(osec)) this.aligned.set(osec, start - values.location);
    regions.expand(section, start - values.location);
    values.location = start;
  }

  /** Without SECTIONS segments begin at pages, as in the default layout. */
  private nextPage(osec: OutputSection): void {
    const { values } = this;
    const start = this.starts.get(osec);
    if (start === undefined || this.paged === osec) return;
    this.paged = osec;
    values.location = pageStart(this.ctx, start, this.tls, values.location);
  }

  private warnMisaligned(osec: OutputSection): void {
    const { values, ctx } = this;
    if (values.location % (1n << BigInt(osec.align)) === 0n || this.misaligned.has(osec)) return;
    this.misaligned.add(osec);
    ctx.diag.warn(misaligned(osec.name, values.location, 2 ** osec.align));
  }

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
    // What is aligned is the address, and a script may put a section where it is not.
    const skew = Number(osec.sh_addr % (1n << BigInt(osec.align)));
    const before = osec.size + skew;
    let end = part.to > part.from ? this.ctx.kernels.layoutMembers(part.from, part.to, before) : before;
    if (skew !== 0) this.shift(part, skew);
    for (const entry of part.synthetic) {
      entry.offset = alignUp(end, 2 ** entry.section.align) - skew;
      end = entry.offset + skew + entry.section.size(this.ctx);
    }
    this.grow(section, end - before);
  }

  /** Members were placed as if the section began `skew` bytes earlier. */
  private shift(part: Members, skew: number): void {
    const { isec, msec, member } = this.ctx.tables;
    const merged = new Set<number>();
    for (const row of member.isec.subarray(part.from, part.to)) {
      if (isec.kind[row] === ISEC_MERGE) {
        const m = isec.msec[row]!;
        if (m !== 0 && !this.shifted.has(m)) merged.add(m);
      } else if (isec.kind[row] !== ISEC_EH_FRAME) {
        isec.outOffset[row]! -= skew;
      }
    }
    for (const m of merged) {
      msec.outOffset[m]! -= skew;
      this.shifted.add(m);
    }
  }

  /** RELRO ends at a page. What follows a segment is on another page anyway, so the location counter stays (lld). */
  private pad(section: PlannedSection): void {
    const { location } = this.values;
    const bytes = alignAddress(location, BigInt(pageSizes(this.ctx).common)) - location;
    this.regions.expand(section, bytes);
    section.osec.size += Number(bytes);
  }

  private grow(section: PlannedSection, bytes: number): void {
    this.regions.expand(section, BigInt(bytes));
    section.osec.size += bytes;
    this.values.location += BigInt(bytes);
  }
}
