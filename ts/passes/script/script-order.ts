/**
 * order-sections under a layout script: linker-made sections find their place, empty sections go, orphans are inserted
 * (script-orphans).
 *
 * The script's order stands. Writes ctx.osecs and plan.items in output order.
 */
import { PT_LOAD, SHF_ALLOC, SHF_WRITE, SHT_NOBITS, SHT_NOTE, SHT_PROGBITS, SHT_X86_64_UNWIND } from "../../../as-kernels/shared/elf.ts";
import { isLld } from "../../args/identity.ts";
import type { Context, OutputSection } from "../../context.ts";
import { eachNode } from "../../script/expression.ts";
import { scriptError } from "../../script/lexer.ts";
import { expressions, type LayoutScript } from "../../script/layout.ts";
import type { Part, Place, Plan, PlanItem, PlannedSection } from "../../script/plan.ts";
import { evaluateIn, addressOf, type Environment } from "../../script/script-value.ts";
import { emittedRelocsOf } from "../emit-relocs.ts";
import type { SyntheticSection } from "../../synthetic/section.ts";
import { HEADERS_OSEC } from "../bind-sections.ts";
import { isBare } from "../file-layout.ts";
import { orderLinked } from "../link-order.ts";
import { DROPPED_FLAGS, isRelro, PADDING, PADDING_RANK, rankOf, setTombstone, sortMembers } from "../order-sections.ts";
import { applyInsertions } from "./script-insert.ts";
import { endsRelro, insertOrphans, reportOrphans } from "./script-orphans.ts";
import { INDISPENSABLE } from "./script-sections.ts";
import type { ScriptValues } from "./script-values.ts";
import { isAlloc, isTbss } from "../segments.ts";

/** Linker-made sections that lld creates before it knows whether anything will be in them. */
const ALWAYS = new Set([".got", ".got.plt", ".rela.dyn", ".rela.plt", ".plt", ".iplt", ".bss", ".bss.rel.ro", ".eh_frame"]);

export function orderScriptSections(ctx: Context, layout: LayoutScript, plan: Plan, environment: ScriptValues): void {
  const orphans = layout.hasSections ? plan.orphanWords() : [];
  for (const section of Object.values(ctx.synthetics)) {
    if (section === null) continue;
    if (section.isNeeded(ctx)) placeSynthetic(ctx, plan, section, orphans);
    else if (ALWAYS.has(section.name)) rememberFlags(plan, section);
  }
  if (ctx.options.emitRelocs) addRelocs(ctx, plan);
  if (layout.hasSections) reportOrphans(ctx, orphans);
  dropUnusedPadding(ctx, layout, plan);
  for (const section of plan.sections) section.osec.rank = rank(ctx, section);
  if (!layout.hasSections) plan.items = defaultOrder(ctx, plan.items);
  applyInsertions(ctx, layout, plan);
  environment.foresee();
  adjust(layout, plan, environment);
  for (const message of environment.errors) ctx.diag.error(message);
  plan.items = plan.items.filter((item) => item.kind !== "section" || !item.removed);
  for (const item of plan.items) if (item.kind === "section") item.osec.relro = isRelroHere(ctx, item);
  if (layout.hasSections) insertOrphans(layout, plan);
  propagatePhdrs(layout, plan);
  ctx.osecs = plan.items.filter((item) => item.kind === "section").map((section) => section.osec);
  publish(ctx);
  if (!layout.hasSections) sortDefault(ctx);
  orderLinked(ctx, plan.sections.map(({ osec, parts }) => ({ osec, runs: parts.filter((part) => part.kind === "members") })));
}

/**
 * Without SECTIONS: sections by rank, the script's behind others, and then what it says about symbols. --section-ordering-file
 * leaves every section where it would be.
 */
function defaultOrder(ctx: Context, items: PlanItem[]): PlanItem[] {
  const own = ({ command }: PlannedSection): number => (command === null || command.first ? 0 : 1);
  const sections = items.filter((item) => item.kind === "section");
  if (ctx.sectionOrder.length > 0) {
    const { osec, member } = ctx.tables;
    const first = ({ osec: { id } }: PlannedSection): number => member.isec.subarray(osec.memberBase[id]!, osec.memberBase[id]! + osec.memberCount[id]!).reduce((a, b) => Math.min(a, b), 2 ** 32);
    const appearance = new Map(sections.map((section) => [section, first(section)]));
    sections.sort((a, b) => appearance.get(a)! - appearance.get(b)!);
  }
  sections.sort((a, b) => a.osec.rank - b.osec.rank || own(a) - own(b));
  return [...sections, ...items.filter((item) => item.kind !== "section")];
}

/** Without SECTIONS constructors run by priority, as in the default layout. */
function sortDefault(ctx: Context): void {
  for (const osec of ctx.osecs) sortMembers(ctx, osec);
}

function isRelroHere(ctx: Context, { osec, command }: PlannedSection): boolean {
  return command?.relro !== false && (isRelro(ctx, osec) || (ctx.options.z.relro && command?.relro === true));
}

function rank(ctx: Context, { osec }: PlannedSection): number {
  return osec.name === PADDING ? rankOf(ctx, osec) | PADDING_RANK : rankOf(ctx, osec);
}

/** A section whose only input would be a linker-made one that is not needed keeps what it would have been (lld). */
function rememberFlags(plan: Plan, section: SyntheticSection): void {
  // A note that nobody asked for was never there.
  if (section.sh_type === SHT_NOTE) return;
  const place = plan.find(section.name);
  if (place === null || place === "discard" || place.section.command === null) return;
  commit(place.section, section);
  place.section.hadInputs = true;
}

/** What a linker-made section gives to its output section. */
function commit(target: PlannedSection, section: SyntheticSection): void {
  const { osec, command } = target;
  if (!target.hasInputs) {
    if (command?.sh_type == null) osec.sh_type = section.sh_type;
    osec.sh_entsize = section.sh_entsize;
  } else {
    const gives = osec.sh_type === SHT_NOBITS || osec.sh_type === SHT_X86_64_UNWIND;
    if (gives && section.sh_type !== SHT_NOBITS && command?.sh_type == null) osec.sh_type = section.sh_type;
    if (osec.sh_entsize !== section.sh_entsize) osec.sh_entsize = 0;
  }
  osec.sh_flags |= command?.nonAlloc === true ? section.sh_flags & ~SHF_ALLOC : section.sh_flags;
  osec.align = Math.max(osec.align, section.align);
}

/** --emit-relocs: a script does not match these sections; they are orphans in front of others that are not loaded. */
function addRelocs(ctx: Context, plan: Plan): void {
  const ofScript: PlanItem[] = [];
  const ofOrphans = new Map<PlanItem, PlanItem>();
  for (const target of [...plan.sections]) {
    const section = target.hasInputs && !target.removed ? emittedRelocsOf(ctx, target.osec) : null;
    if (section === null) continue;
    placeSynthetic(ctx, plan, section, [], plan.add(section.name));
    const added = plan.items.pop()!;
    if (target.command === null) ofOrphans.set(target, added);
    else ofScript.push(added);
  }
  const firstOrphan = plan.items.findIndex((item) => item.kind === "section" && item.command === null);
  const orphans = firstOrphan < 0 ? [] : plan.items.splice(firstOrphan);
  plan.items = [...plan.items, ...ofScript, ...orphans.flatMap((item) => (ofOrphans.has(item) ? [item, ofOrphans.get(item)!] : item))];
}

/** What GNU ld does not take for an orphan, and lld does: the file's own tables and the linker's name in .comment. */
function isNoOrphan({ options }: Context, name: string): boolean {
  return name === PADDING || (!isLld(options) && (name === ".comment" || INDISPENSABLE.includes(name)));
}

function placeSynthetic(ctx: Context, plan: Plan, section: SyntheticSection, orphans: string[], place: Place | "discard" | null = plan.find(section.name)): void {
  if (place === "discard") {
    if (section.name === ".shstrtab" && isLld(ctx.options)) ctx.diag.error({ code: "BAD_SCRIPT", text: `discarding ${section.name} section is not allowed` });
    if (!INDISPENSABLE.includes(section.name)) {
      section.discarded = true;
      return;
    }
    place = null;
  }
  place = placeInGnuScript(ctx, plan, section, place);
  place ??= plan.add(section.name);
  if (!place.named && !isNoOrphan(ctx, section.name)) orphans.push(`<internal>:(${section.name}) is being placed in '${section.name}'`);
  commit(place.section, section);
  const { osec } = place.section;
  const entry = { section, offset: 0 };
  osec.synthetic.push(entry);
  place.part.synthetic.push(entry);
  place.section.hasInputs = true;
  section.osec = osec.id;
}

/** Where a script made for GNU ld has a section that has another name there, or several: else the place it has already. */
function placeInGnuScript(ctx: Context, plan: Plan, section: SyntheticSection, place: Place | null): Place | null {
  let names: string[] = [];
  // GNU ld has no .bss.rel.ro: in scripts made for it such copies belong to .data.rel.ro, with which RELRO stays one run (lld).
  // Their *(.bss .bss.*) does not mean it.
  if (section.name === ".bss.rel.ro" && (place?.named !== true || place.section.osec.name === ".bss")) names = [".data.rel.ro.bss"];
  if (section === ctx.synthetics.relaDyn) {
    // In a static program it holds only IRELATIVE, which GNU ld calls .rela.iplt and its scripts bracket with __rela_iplt_start and _end.
    if (ctx.params.get("dynamic") === 0) names = [".rela.iplt"];
    // GNU ld's dynamic relocations are named by the section that they change, until a script collects them: gnu-efi's has no .rela.dyn.
    else if (place?.named !== true) names = [".data", ".got", ".data.rel.ro", ".bss", ".text"].map((name) => section.name.replace(".dyn", name));
  }
  for (const name of names) {
    const other = plan.find(name);
    if (other !== null && other !== "discard" && other.named) return other;
  }
  return place;
}

/** The padding exists only for other RELRO sections, and under SECTIONS only where the script says that RELRO ends. */
function dropUnusedPadding(ctx: Context, layout: LayoutScript, plan: Plan): void {
  let padded = false;
  for (const section of plan.sections) {
    const { osec, removed } = section;
    osec.relro = !removed && isRelroHere(ctx, section);
    if (osec.relro && osec.name !== PADDING && !isTbss(osec)) padded = true;
  }
  padded &&= layout.hasSections ? layout.commands.some(endsRelro) : layout.phdrs.length === 0;
  for (const section of plan.sections) if (section.osec.name === PADDING && section.command === null && !padded) section.removed = true;
}

/** lld adjustOutputSections: alignment, flags and header names of empty sections, and which of them go. */
function adjust(layout: LayoutScript, plan: Plan, environment: Environment): void {
  const used = usedNames(layout);
  let flags = SHF_ALLOC;
  let phdrs: string[] = [];
  /** The allocated section before. */
  let before: OutputSection | undefined;
  for (const section of plan.items) {
    if (section.kind !== "section" || section.removed) continue;
    const { osec, command } = section;
    if (command?.align != null) {
      const value = addressOf(evaluateIn(command.align, environment));
      if ((value & (value - 1n)) !== 0n) environment.error(scriptError(command.align.text, command.align.name, command.align.offset, "alignment must be power of 2").said);
      const align = Number(value);
      if (align > 1) osec.align = Math.max(osec.align, Math.round(Math.log2(align)));
    }
    osec.sh_flags = (osec.sh_flags & ~DROPPED_FLAGS) >>> 0;
    const empty = !section.hasInputs;
    const discardable = empty && isDiscardable(section, used);
    if ((!empty || section.hadInputs) && !discardable) flags = osec.sh_flags;
    if (empty) osec.sh_flags = flags & ((command?.nonAlloc === true ? 0 : SHF_ALLOC) | (command?.readOnly === true ? 0 : SHF_WRITE));
    if (command !== null) {
      if (section.phdrs.length > 0) phdrs = section.phdrs;
      else if ((osec.sh_flags & SHF_ALLOC) !== 0) section.phdrs = phdrs;
    }
    if (discardable) section.removed = true;
    if (section.parts.some(hasContents) && osec.sh_type === SHT_NOBITS && command?.sh_type == null) osec.sh_type = SHT_PROGBITS;
    // A heap or stack behind .bss takes no file space, nor makes .bss take some (GNU ld).
    if (isBare(section) && command?.sh_type == null && before?.sh_type === SHT_NOBITS && !isTbss(before)) osec.sh_type = SHT_NOBITS;
    if (!section.removed && isAlloc(osec)) before = osec;
  }
}

function isDiscardable(section: PlannedSection, used: Set<string>): boolean {
  if (section.command === null) return true;
  if (section.command.usesSymbols || used.has(section.osec.name)) return false;
  return section.parts.every((part) => part.kind === "members" || (part.kind === "assign" && part.name !== "." && part.sym === 0));
}

/** Does a part of a .bss section need bytes in the file? BYTE(0) does not. */
export function hasContents(part: Part): boolean {
  return part.kind === "data" && !(part.expr.root.kind === "number" && part.expr.root.value === 0n);
}

/** Sections that ADDR and LOADADDR ask for stay, even if empty. */
function usedNames(layout: LayoutScript): Set<string> {
  const used = new Set<string>();
  for (const { expr } of expressions(layout)) {
    eachNode(expr.root, (node) => {
      if (node.kind === "name" && (node.fn === "ADDR" || node.fn === "LOADADDR")) used.add(node.name);
    });
  }
  return used;
}

/** Sections without `:name` are in the segments of the one before; the first in the first PT_LOAD. */
function propagatePhdrs(layout: LayoutScript, plan: Plan): void {
  const first = layout.phdrs.find((phdr) => phdr.p_type === PT_LOAD);
  let phdrs = first === undefined ? [] : [first.name];
  for (const item of plan.items) {
    if (item.kind !== "section") continue;
    if (item.phdrs.length > 0) phdrs = item.phdrs;
    else if ((item.osec.sh_flags & SHF_ALLOC) !== 0) item.phdrs = phdrs;
  }
}

function publish(ctx: Context): void {
  const { osec: table } = ctx.tables;
  ctx.osecs.forEach((osec, i) => {
    osec.index = i + 1;
    table.index[osec.id] = i + 1;
    table.sh_flags[osec.id] = osec.sh_flags;
    table.sh_type[osec.id] = osec.sh_type;
    setTombstone(ctx, osec);
  });
  table.index[HEADERS_OSEC] = ctx.osecs.length > 0 ? 1 : 0;
}
