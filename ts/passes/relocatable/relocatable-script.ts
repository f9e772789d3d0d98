/**
 * -r under a layout script: which output sections its descriptions make, and what lies where inside them.
 *
 * Sections that no description names are not touched: -r binds them by name, type and flags as without a script. Nothing has
 * an address, so `.` begins at 0 in every output section and commands between sections only define numbers. Memory regions,
 * load addresses and program headers mean nothing here.
 */
import { SYM_ABSOLUTE, TOMB_ONE } from "../../../as-kernels/shared/abi.ts";
import { SHF_COMPRESSED, SHF_GROUP, SHF_INFO_LINK, SHF_LINK_ORDER, SHF_MERGE, SHF_STRINGS, SHT_NOBITS, SHT_PROGBITS } from "../../../as-kernels/shared/elf.ts";
import { isLld } from "../../args/identity.ts";
import type { Context, OutputSection } from "../../context.ts";
import { movesBackward } from "../../diagnostics/layout-messages.ts";
import { distinct } from "../../diagnostics/print.ts";
import type { Assertion, Assignment, LayoutScript } from "../../script/layout.ts";
import type { Plan, PlannedSection } from "../../script/plan.ts";
import { addressOf, evaluateIn } from "../../script/script-value.ts";
import { HEADERS_OSEC } from "../bind-sections.ts";
import { tombstoneOf } from "../order-sections.ts";
import { hasContents } from "../script/script-order.ts";
import { reportOrphans } from "../script/script-orphans.ts";
import { bindScriptSections } from "../script/script-sections.ts";
import { NOWHERE, ScriptValues } from "../script/script-values.ts";

/** Rounds of layout: expressions may look ahead, and no address can grow from round to round. */
const ROUNDS = 4;

/** Binds what the script names; osec and member rows in front of those that -r adds. Returns the plan. */
export function bindRelocatableScript(ctx: Context, script: LayoutScript): Plan {
  const plan = bindScriptSections(ctx, script);
  if (script.hasSections) reportOrphans(ctx, [...plan.orphanWords(), ...tableOrphans(ctx, plan)]);
  for (const section of plan.sections) {
    adjust(section);
    publish(ctx, section.osec);
  }
  return plan;
}

/** The tables of the object itself, as far as the script does not name them. */
function tableOrphans({ options }: Context, plan: Plan): string[] {
  if (!isLld(options)) return []; // no orphans for GNU ld
  const tables = options.strip === "all" ? [".shstrtab"] : [".symtab", ".shstrtab", ".strtab"];
  const isNamed = (name: string): boolean => {
    const place = plan.find(name);
    return place !== null && (place === "discard" || place.named);
  };
  return tables.filter((name) => !isNamed(name)).map((name) => `<internal>:(${name}) is being placed in '${name}'`);
}

/** Flags that an output section made of several inputs cannot keep. */
function adjust({ osec, parts }: PlannedSection): void {
  osec.sh_flags = (osec.sh_flags & ~(SHF_GROUP | SHF_COMPRESSED | SHF_INFO_LINK)) >>> 0;
  if (osec.sh_entsize === 0) osec.sh_flags = (osec.sh_flags & ~(SHF_MERGE | SHF_STRINGS)) >>> 0;
  if (osec.sh_type === SHT_NOBITS && parts.some(hasContents)) osec.sh_type = SHT_PROGBITS;
}

function publish(ctx: Context, osec: OutputSection): void {
  const { isec, member, osec: table, rout } = ctx.tables;
  table.sh_type[osec.id] = osec.sh_type;
  table.sh_flags[osec.id] = osec.sh_flags;
  table.tombstone[osec.id] = tombstoneOf(osec.name, osec.sh_flags) === TOMB_ONE ? TOMB_ONE : 0;
  const base = table.memberBase[osec.id]!;
  let relocations = 0;
  for (let i = base, end = base + table.memberCount[osec.id]!; i < end; i++) relocations += isec.relaCount[member.isec[i]!]!;
  rout.relaCount[osec.id] = relocations;
  if ((osec.sh_flags & SHF_LINK_ORDER) !== 0 && table.memberCount[osec.id]! > 0) rout.link[osec.id] = isec.osec[isec.link[member.isec[base]!]!]!;
}

/** Places members and data inside the script's sections and gives the script's symbols their values. */
export function layoutRelocatableScript(ctx: Context, script: LayoutScript, plan: Plan): void {
  const layouter = new RelocatableLayouter(ctx, script, plan);
  layouter.run();
}

class RelocatableLayouter {
  private readonly ctx: Context;
  private readonly plan: Plan;
  private readonly values: ScriptValues;

  constructor(ctx: Context, script: LayoutScript, plan: Plan) {
    this.ctx = ctx;
    this.plan = plan;
    this.values = new ScriptValues(ctx, script, plan.sections);
  }

  run(): void {
    const { ctx, plan, values } = this;
    let before = "none";
    for (let round = 0; round < ROUNDS && before !== values.state(); round++) {
      before = values.state();
      values.beginRound();
      ctx.tables.msec.placed.fill(0);
      for (const item of plan.items) {
        values.location = 0n;
        values.base = NOWHERE;
        if (item.kind === "section") this.fill(item);
        else this.execute(item, null);
      }
    }
    for (const message of distinct(values.errors)) ctx.diag.errorOrWarn(message);
    for (const { osec } of plan.sections) {
      ctx.tables.osec.size[osec.id] = osec.size;
      ctx.tables.osec.align[osec.id] = osec.align;
    }
    values.publish();
    this.makeAbsolute(values.symbols());
  }

  /** Symbols outside of sections, or in sections that are not there, are numbers. */
  private makeAbsolute(symbols: Iterable<number>): void {
    const { osec, sym } = this.ctx.tables;
    for (const id of symbols) {
      const base = sym.isec[id]!;
      if (base !== HEADERS_OSEC && (osec.memberCount[base] !== 0 || osec.size[base] !== 0)) continue;
      sym.isec[id] = 0;
      sym.flags[id]! |= SYM_ABSOLUTE;
    }
  }

  private fill(section: PlannedSection): void {
    const { ctx, values } = this;
    const { osec, command } = section;
    osec.size = 0;
    values.base = osec;
    if (command?.align != null) osec.align = Math.max(osec.align, Math.round(Math.log2(Math.max(1, Number(addressOf(evaluateIn(command.align, values)))))));
    for (const part of section.parts) {
      if (part.kind === "members") {
        if (part.to > part.from) osec.size = ctx.kernels.layoutMembers(part.from, part.to, osec.size);
      } else if (part.kind === "data") {
        part.offset = osec.size;
        part.value = addressOf(evaluateIn(part.expr, values));
        osec.size += part.bytes;
      } else this.execute(part, section);
      values.location = BigInt(osec.size);
    }
  }

  private execute(command: Assignment | Assertion, inside: PlannedSection | null): void {
    const { values } = this;
    if (command.kind === "assign" && command.name !== "." && command.sym === 0) return;
    const value = evaluateIn(command.expr, values);
    if (command.kind === "assert") return;
    if (command.name !== ".") values.assign(command.sym, value);
    else if (inside !== null) {
      const to = addressOf(value);
      if (to < values.location) values.error(movesBackward(inside.osec.name));
      else inside.osec.size = Number(to);
    }
  }
}
