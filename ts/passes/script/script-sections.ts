/**
 * bind-sections under a layout script: every live input section goes to the output section whose description names it, to an
 * output section of its own name (orphan), or away (/DISCARD/).
 *
 * Reads isec.live, names and files; writes isec.osec, `osec`, `member` (in script order) and ctx.plan. What members give to their output
 * section is in script-members, what goes away in script-discard. Where orphans stand is decided in script-orphans, when it is known which
 * linker-made sections exist. Loops over input sections are TypeScript here: scripts are for
 * programs that are small beside what the default path must stand.
 */
import { ISEC_CONSUMED, ISEC_EH_FRAME, ISEC_REGULAR } from "../../../as-kernels/shared/abi.ts";
import { SHF_GNU_RETAIN, SHF_WRITE, SHT_PROGBITS } from "../../../as-kernels/shared/elf.ts";
import { isLld } from "../../args/identity.ts";
import type { ByteString } from "../../args/link-options.ts";
import type { Context } from "../../context.ts";
import { fileName, sectionName, sectionPlace } from "../../diagnostics/place.ts";
import { pushTo } from "../../memory/lists.ts";
import { allocTable, setRows } from "../../memory/table.ts";
import type { InputDescription, LayoutScript, OutputDescription } from "../../script/layout.ts";
import type { Members, Part, Place, Plan, PlannedSection } from "../../script/plan.ts";
import { HEADERS_OSEC, outputName, SPARE_OSECS } from "../bind-sections.ts";
import { newOutputSection } from "../order-sections.ts";
import { discardSections, unclaimSymbols } from "./script-discard.ts";
import { addMember, publishSection, subalign } from "./script-members.ts";
import { Spills } from "./script-spill.ts";
import { isUnique } from "../unique-sections.ts";
import { usesPlan } from "./script-shape.ts";
import { sortedRows, byPosition, type Found } from "./script-sort.ts";
import { Matcher, NO_FILE, scriptFileNames, type Candidate, type Subject } from "./script-match.ts";

export const DISCARD = "/DISCARD/";

/** Before mark-live: KEEP makes roots, as SHF_GNU_RETAIN does. */
export function keepScriptSections(ctx: Context): void {
  if (ctx.script === null || !usesPlan(ctx.script) || !ctx.options.gcSections) return;
  const matcher = new Matcher(ctx.script, (input) => input.keep);
  const { isec } = ctx.tables;
  const subject = subjects(ctx);
  for (let row = 1, end = isec.rows; row < end; row++) {
    if (isec.name[row] !== 0 && matcher.find(subject(row)) !== null) isec.sh_flags[row]! |= SHF_GNU_RETAIN;
  }
}

/** Input sections as patterns see them: all are about to be asked for. */
function subjects(ctx: Context): (row: number) => Subject {
  const { isec } = ctx.tables;
  ctx.host.optimise?.(isec.rows);
  const files = scriptFileNames(ctx);
  return (row) => ({ name: ctx.arena.cstring(isec.name[row]!), file: files(isec.obj[row]!), flags: isec.sh_flags[row]! });
}

export function bindScriptSections(ctx: Context, layout: LayoutScript): Plan {
  const { tables, arena } = ctx;
  const binder = new Binder(ctx, layout);
  binder.matchAll();
  allocTable(arena, tables, "osec", osecRows(ctx, binder.sections.length));
  allocTable(arena, tables, "member", tables.isec.rows + 1);
  if (ctx.options.relocatable) allocTable(arena, tables, "rout", tables.osec.rows);
  binder.fill();
  const items = binder.items();
  const add = (name: ByteString): Place => {
    const section = binder.addLate(name);
    items.push(section);
    return { section, part: lastMembers(section), named: false };
  };
  return { items, sections: binder.sections, orphanWords: () => binder.orphanWords(), leads: new Map(), regions: [], spills: binder.spills, find: (name) => binder.find(name), add };
}

/** The file's own tables: made in one go, and not left out by a script. */
export const INDISPENSABLE: readonly string[] = [".symtab", ".symtab_shndx", ".strtab", ".shstrtab"];

const isExact = ({ pattern }: Candidate): boolean => pattern.names.some((glob) => glob.kind === "exact");

/** Output sections there may be, when the script and orphans make `planned`. */
function osecRows({ options, tables }: Context, planned: number): number {
  const further = options.relocatable ? tables.isec.rows : options.emitRelocs ? planned : 0;
  return planned + further + SPARE_OSECS + HEADERS_OSEC + 1;
}

class Binder {
  private readonly ctx: Context;
  private readonly layout: LayoutScript;
  private readonly matcher: Matcher;
  readonly sections: PlannedSection[] = [];
  private readonly byCommand = new Map<OutputDescription, PlannedSection>();
  private readonly byName = new Map<ByteString, PlannedSection>();
  private readonly parts = new Map<InputDescription, Members>();
  private found: Found = new Map();
  private discarded: number[] = [];
  /** Rows that no description names, in link order. */
  private orphans: { row: number; name: ByteString }[] = [];
  private ehFrames: number[] = [];
  /** Only with --enable-non-contiguous-regions. */
  spills: Spills | null = null;
  /** Orphans by the part they go to. */
  private readonly extra = new Map<Members, number[]>();

  constructor(ctx: Context, layout: LayoutScript) {
    this.ctx = ctx;
    this.layout = layout;
    this.matcher = new Matcher(layout);
    for (const command of layout.commands) if (command.kind === "output" && command.name !== DISCARD) this.addSection(command, command.name);
  }

  private addSection(command: OutputDescription | null, name: ByteString): PlannedSection {
    const id = HEADERS_OSEC + 1 + this.sections.length;
    const section: PlannedSection = {
      kind: "section", command, osec: newOutputSection(id, name, command?.sh_type ?? SHT_PROGBITS, 0), parts: [], hasInputs: false, hadInputs: false,
      phdrs: [...(command?.phdrs ?? [])], lmaOffset: 0n, removed: false,
    };
    this.sections.push(section);
    if (!this.byName.has(name)) this.byName.set(name, section);
    if (command === null) return section;
    this.byCommand.set(command, section);
    for (const inner of command.commands) {
      if (inner.kind !== "input") {
        section.parts.push(inner);
        continue;
      }
      const members: Members = { kind: "members", command: inner, from: 0, to: 0, synthetic: [] };
      this.parts.set(inner, members);
      section.parts.push(members);
    }
    return section;
  }

  items(): Plan["items"] {
    const items: Plan["items"] = [];
    for (const command of this.layout.commands) {
      if (command.kind !== "output") items.push(command);
      else if (command.name !== DISCARD) items.push(this.byCommand.get(command)!);
    }
    for (const section of this.sections) if (section.command === null) items.push(section);
    return items;
  }

  /** Matches all live sections; again when a description turns out not to apply. */
  matchAll(): void {
    do {
      if (this.ctx.options.nonContiguousRegions && !this.ctx.options.relocatable) this.spills = new Spills(this.ctx);
      this.found = new Map();
      this.discarded = [];
      this.orphans = [];
      this.ehFrames = [];
      this.match();
    } while (this.dropConstrained());
    if (this.matcher.disabled.size > 0) unclaimSymbols(this.ctx, this.layout, this.matcher.disabled);
    this.sortOrphans();
  }

  private match(): void {
    const { isec } = this.ctx.tables;
    const subject = subjects(this.ctx);
    const isAlone = isUnique(this.ctx);
    const { live, kind } = isec;
    const inputs: number[] = [];
    for (let row = 1, end = isec.rows; row < end; row++) if (live[row] !== 0 && kind[row] !== ISEC_CONSUMED) inputs.push(row);
    for (const row of inputs.sort(byPosition(this.ctx))) {
      if (kind[row] === ISEC_EH_FRAME) {
        this.ehFrames.push(row);
        continue;
      }
      const section = subject(row);
      const candidate = isAlone(section.name) ? null : this.matcher.find(section);
      if (candidate === null) this.orphans.push({ row, name: section.name });
      else if (candidate.output.name === DISCARD) this.discarded.push(row);
      else {
        this.rowsOf(candidate).push(row);
        if (this.spills !== null && kind[row] === ISEC_REGULAR) this.offerSpills(this.spills, row, section, candidate);
      }
    }
  }

  /** Other output sections that the row may move to. */
  private offerSpills(spills: Spills, row: number, subject: Subject, first: Candidate): void {
    const seen = new Set([first.output]);
    this.matcher.find(subject, (candidate) => {
      if (seen.has(candidate.output) || candidate.output.name === DISCARD) return false;
      seen.add(candidate.output);
      if (this.ctx.options.nonContiguousWarnings) this.warnOfChoice(row, first.output.name, candidate.output.name);
      spills.offer(row, this.parts.get(first.input)!, { section: this.byCommand.get(candidate.output)!, part: this.parts.get(candidate.input)! });
      this.rowsOf(candidate).push(row);
      return false;
    });
  }

  private warnOfChoice(row: number, first: ByteString, other: ByteString): void {
    const file = fileName(this.ctx, this.ctx.tables.isec.obj[row]!);
    const text = `--enable-non-contiguous-regions may change behaviour for section '${sectionName(this.ctx, row)}' from '${file}' (assigned to ${first}, but additional match: ${other})`;
    this.ctx.diag.warn({ code: "LAYOUT", text, at: sectionPlace(this.ctx, row).ref });
  }

  private rowsOf({ pattern }: Candidate): number[] {
    let rows = this.found.get(pattern);
    if (rows === undefined) this.found.set(pattern, (rows = []));
    return rows;
  }

  /** ONLY_IF_RO, ONLY_IF_RW: true = something changed. */
  private dropConstrained(): boolean {
    const { isec } = this.ctx.tables;
    for (const command of this.byCommand.keys()) {
      if (command.constraint === "" || this.matcher.disabled.has(command)) continue;
      const rows = command.commands.flatMap((input) => (input.kind === "input" ? input.patterns.flatMap((pattern) => this.found.get(pattern) ?? []) : []));
      const writable = rows.some((row) => (isec.sh_flags[row]! & SHF_WRITE) !== 0);
      if (writable === (command.constraint === "ONLY_IF_RW")) continue;
      this.matcher.disabled.add(command);
      this.byCommand.get(command)!.removed = true;
      if (this.byName.get(command.name)?.command === command) {
        const other = this.sections.find((section) => section.osec.name === command.name && !section.removed);
        if (other !== undefined) this.byName.set(command.name, other);
        else this.byName.delete(command.name);
      }
      return true;
    }
    return false;
  }

  private sortOrphans(): void {
    const { orphanHandling, unique, relocatable } = this.ctx.options;
    const isAlone = isUnique(this.ctx);
    for (const { row, name } of this.orphans) {
      const alone = unique || isAlone(name);
      if (orphanHandling === "discard") {
        this.discarded.push(row);
        continue;
      }
      // -r has rules of its own for them, and takes them up afterwards.
      if (relocatable && (alone || !this.byName.has(name))) continue;
      const part = lastMembers(this.sectionFor(this.orphanName(name), alone));
      pushTo(this.extra, part, row);
    }
  }

  /** Under SECTIONS orphans keep their name, except commons. */
  private orphanName(name: ByteString): ByteString {
    if (!this.layout.hasSections) return outputName(this.ctx, name);
    return name === "COMMON" ? ".bss" : name === "LARGE_COMMON" ? ".lbss" : name;
  }

  /** What --orphan-handling=warn and =error are about. */
  orphanWords(): ByteString[] {
    const { obj } = this.ctx.tables.isec;
    return this.orphans.map(({ row, name }) => `${fileName(this.ctx, obj[row]!)}:(${name}) is being placed in '${this.orphanName(name)}'`);
  }

  private sectionFor(name: ByteString, unique: boolean): PlannedSection {
    const known = unique ? undefined : this.byName.get(name);
    return known ?? this.addSection(null, name);
  }

  /** Place of a linker-made section; the section is made when there is none. */
  find(name: ByteString): Place | "discard" | null {
    const candidate = this.candidateFor(name);
    if (candidate !== null) {
      if (candidate.output.name === DISCARD || (name === ".comment" && !isExact(candidate) && !isLld(this.ctx.options))) return "discard";
      return { section: this.byCommand.get(candidate.output)!, part: this.parts.get(candidate.input)!, named: true };
    }
    if (this.ctx.options.orphanHandling === "discard") return null;
    const known = this.byName.get(name);
    return known === undefined ? null : { section: known, part: lastMembers(known), named: false };
  }

  /** For GNU ld the file's own tables are no sections: `*(*)` does not mean them. */
  private candidateFor(name: ByteString): Candidate | null {
    const subject = { name, file: NO_FILE, flags: 0 };
    return this.matcher.find(subject, INDISPENSABLE.includes(name) && !isLld(this.ctx.options) ? isExact : undefined);
  }

  // ---- tables ----

  fill(): void {
    const { tables } = this.ctx;
    const { isec, member } = tables;
    discardSections(this.ctx, this.discarded, [this.found, this.extra] as Map<unknown, number[]>[]);
    let at = 1;
    for (const section of this.sections) {
      const { id } = section.osec;
      const align = section.command?.subalign == null ? null : subalign(this.ctx, section.command.subalign);
      tables.osec.memberBase[id] = at;
      for (const part of section.parts) {
        if (part.kind !== "members") continue;
        part.from = at;
        const named = part.command === null ? [] : sortedRows(this.ctx, part.command, this.found);
        if (align !== null) for (const row of named) tables.isec.align[row] = align;
        const rows = [...named, ...(this.extra.get(part) ?? [])];
        const present = this.spills === null ? rows : this.spills.present(part, rows);
        for (const row of rows) addMember(this.ctx, section, row);
        const [memberIsec, isecOsec] = [member.isec, isec.osec];
        for (const row of present) {
          memberIsec[at++] = row;
          isecOsec[row] = id;
        }
        part.to = at;
      }
      tables.osec.memberCount[id] = at - tables.osec.memberBase[id]!;
      publishSection(this.ctx, section);
    }
    setRows(tables, "osec", HEADERS_OSEC + 1 + this.sections.length);
    setRows(tables, "member", at);
    const place = this.find(".eh_frame");
    if (place === "discard") return;
    const section = place?.section ?? (this.ehFrames.length > 0 ? this.addLate(".eh_frame") : null);
    if (section !== null) for (const row of this.ehFrames) tables.isec.osec[row] = section.osec.id;
  }

  /** An orphan that only a linker-made section fills. */
  addLate(name: ByteString): PlannedSection {
    const section = this.addSection(null, name);
    lastMembers(section);
    setRows(this.ctx.tables, "osec", section.osec.id + 1);
    publishSection(this.ctx, section);
    return section;
  }
}

/** The part that takes what joins a section at its end. */
function lastMembers(section: PlannedSection): Members {
  const last: Part | undefined = section.parts.at(-1);
  if (last?.kind === "members") return last;
  const members: Members = { kind: "members", command: null, from: 0, to: 0, synthetic: [] };
  section.parts.push(members);
  return members;
}

/** Output sections that will exist as far as members and data decide: for __start_ and __stop_ symbols. */
export function plannedNames(plan: Plan): ByteString[] {
  return plan.sections.filter((section) => section.hasInputs || section.parts.some((part) => part.kind === "data")).map((section) => section.osec.name);
}
