/**
 * Memory regions of a layout script: which one each output section goes to, and how full they are while sections are being placed.
 *
 * The region of a section without `>region` is lld's choice (findMemoryRegion).
 */
import { SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE } from "../../../as-kernels/shared/elf.ts";
import type { Context, OutputSection } from "../../context.ts";
import type { Message } from "../../diagnostics/message.ts";
import { alignAddress } from "../../elf/align.ts";
import type { LayoutScript, MemoryRegion } from "../../script/layout.ts";
import { READ_ONLY } from "../../script/memory-script.ts";
import type { Fill, Plan, PlannedSection, RegionUse } from "../../script/plan.ts";
import { addressOf, evaluateIn } from "../../script/script-value.ts";
import { isAlloc } from "../segments.ts";
import type { ScriptValues } from "./script-values.ts";

/** A memory region while it fills up. */
export interface Filling extends Fill {
  region: MemoryRegion;
}

export class Regions {
  private readonly ctx: Context;
  private readonly script: LayoutScript;
  private readonly plan: Plan;
  private readonly values: ScriptValues;
  private regions = new Map<MemoryRegion, Filling>();
  private readonly regionOf = new Map<PlannedSection, MemoryRegion | null>();
  /** Where in values.errors it says that a section does not fit, by what it says but for the number. */
  private readonly overflows = new Map<string, number>();
  /** Regions of the section that is being placed. */
  memory: Filling | null = null;
  loadMemory: Filling | null = null;

  constructor(ctx: Context, script: LayoutScript, plan: Plan, values: ScriptValues) {
    this.ctx = ctx;
    this.script = script;
    this.plan = plan;
    this.values = values;
  }

  /** Known once `choose` has run. */
  of(section: PlannedSection): MemoryRegion | null {
    return this.regionOf.get(section) ?? null;
  }

  /** The next section is placed. */
  enter(section: PlannedSection): void {
    const { command } = section;
    this.memory = this.filling(this.of(section));
    this.loadMemory = command === null || command.lmaRegion === "" ? null : this.filling(this.script.regions.get(command.lmaRegion) ?? null);
  }

  /** A round of layout begins: all are empty, and there are no errors yet. */
  open(): void {
    this.memory = this.loadMemory = null;
    this.overflows.clear();
    this.regions = new Map();
    for (const region of this.script.regions.values()) {
      const origin = addressOf(evaluateIn(region.origin, this.values));
      this.regions.set(region, { region, origin, length: addressOf(evaluateIn(region.length, this.values)), at: origin });
    }
  }

  /** Its region and its load region, once a round of layout has begun. */
  fillsOf(section: PlannedSection): Filling[] {
    const load = this.script.regions.get(section.command?.lmaRegion ?? "") ?? null;
    return [this.filling(this.of(section)), this.filling(load)].filter((filling) => filling !== null);
  }

  /** How full they have become, each once. */
  use(): RegionUse[] {
    return [...this.regions.values()].map(({ region, origin, length, at }) => ({ name: region.name, used: at - origin, length }));
  }

  private filling(region: MemoryRegion | null): Filling | null {
    return region === null ? null : this.regions.get(region)!;
  }

  /** The section grows: so does what its regions hold. */
  expand({ osec }: PlannedSection, bytes: bigint): void {
    if (!isAlloc(osec)) return;
    if (this.memory !== null) this.advance(this.memory, bytes, osec);
    if (this.loadMemory !== null && this.loadMemory !== this.memory) this.advance(this.loadMemory, bytes, osec);
  }

  /** Room before the section, so that it is aligned where it is loaded too; returns its load address. */
  alignLoad(osec: OutputSection): bigint {
    const memory = this.loadMemory!;
    const start = alignAddress(memory.at, 1n << BigInt(osec.align));
    if (memory.at < start) this.advance(memory, start - memory.at, osec);
    return start;
  }

  advance(memory: Filling, bytes: bigint, osec: OutputSection): void {
    memory.at += bytes;
    const over = memory.at - memory.origin - memory.length;
    if (over <= 0n) return;
    const what = `section '${osec.name}' will not fit in region '${memory.region.name}'`;
    const now: Message = { code: "LAYOUT", text: `${what}: overflowed by ${over} bytes` };
    const said = this.overflows.get(what);
    if (said !== undefined) this.values.errors[said] = now;
    else this.overflows.set(what, this.values.errors.push(now) - 1);
  }

  /** lld findMemoryRegion. */
  choose(): void {
    const { script, ctx } = this;
    let hint: MemoryRegion | null = null;
    for (const item of this.plan.items) {
      if (item.kind !== "section") continue;
      const { osec, command } = item;
      let region: MemoryRegion | null = null;
      const named = command?.region ?? "";
      for (const name of [named, command?.lmaRegion ?? ""]) {
        if (name !== "" && !script.regions.has(name)) ctx.diag.error({ code: "BAD_SCRIPT", text: `memory region '${name}' not declared\n>>> referenced by ${command!.place.text}`, at: command!.place.ref });
      }
      if (!isAlloc(osec)) {
        if (named !== "" && item.hasInputs) ctx.diag.warn({ code: "LAYOUT", text: `ignoring memory region assignment for non-allocatable section '${osec.name}'` });
        hint = null;
      } else if (named !== "") {
        region = hint = script.regions.get(named) ?? null;
      } else if (script.regions.size > 0) {
        if (command === null && hint !== null) region = hint;
        else {
          region = [...script.regions.values()].find((candidate) => suits(candidate, osec.sh_flags)) ?? null;
          hint = null;
          if (region === null) ctx.diag.error({ code: "BAD_SCRIPT", text: `no memory region specified for section '${osec.name}'` });
        }
      }
      this.regionOf.set(item, region);
    }
    ctx.diag.throwIfErrors();
  }
}

/** MEMORY attributes: one of those given, none of those behind `!`. */
function suits(region: MemoryRegion, flags: number): boolean {
  if (region.noFlags) return false;
  const has = (wanted: number): boolean => (flags & wanted & ~READ_ONLY) !== 0 || ((wanted & READ_ONLY) !== 0 && (flags & SHF_WRITE) === 0);
  return has(region.flags) && !has(region.inverted) && (flags & (SHF_ALLOC | SHF_EXECINSTR | SHF_WRITE)) !== 0;
}
