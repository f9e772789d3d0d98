/**
 * What a layout script says, as the parser leaves it: SECTIONS, MEMORY, PHDRS and assignments, in order.
 *
 * No policy. The names are GNU ld's (manual, "Linker Scripts"); fields that passes fill in are marked so, because a script has
 * few commands and a table beside the tree would only repeat it.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Place } from "../diagnostics/message.ts";
import type { Expr } from "./expression.ts";
import type { Glob } from "./glob.ts";

export interface Assignment {
  kind: "assign";
  /** "." = the location counter. */
  name: ByteString;
  expr: Expr;
  provide: boolean;
  hidden: boolean;
  /** Where the statement begins in expr.text. */
  start: number;
  /** Filled in: sym row that it defines, 0 = none. */
  sym: number;
  /** Filled in, for the link map: location counter before it, and how far it moved. */
  at: bigint;
  moved: bigint;
}

export interface Assertion {
  kind: "assert";
  expr: Expr;
}

/** BYTE, SHORT, LONG, QUAD. */
export interface Data {
  kind: "data";
  bytes: number;
  expr: Expr;
  /** Filled in: bytes from the start of the output section, and what to write there. */
  offset: number;
  value: bigint;
}

export type SortKind = "default" | "none" | "name" | "alignment" | "priority";

/** How file names are sorted: SORT(pattern) in the place of a file. */
export type FileSort = "none" | "name" | "reverse";

/**
 * Which files something holds for. "any": the glob is of `a.o` or `lib.a:member.o`; "members": of all archives whose members are meant (`lib.a:`);
 * "plain": of what is in no archive (`:a.o`).
 */
export interface FilePattern {
  glob: Glob;
  of: "any" | "members" | "plain";
}

/** Section names between two EXCLUDE_FILE or SORT of an input description. */
export interface SectionPattern {
  excluded: FilePattern[];
  names: Glob[];
  outer: SortKind;
  inner: SortKind;
  /** REVERSE: from the other end. */
  reversed: boolean;
}

/** `file(sections)` */
export interface InputDescription {
  kind: "input";
  file: FilePattern;
  /** EXCLUDE_FILE in front of the file: holds for all its patterns. */
  excluded: FilePattern[];
  fileSort: FileSort;
  patterns: SectionPattern[];
  keep: boolean;
  /** INPUT_SECTION_FLAGS: sh_flags that must all be there, and that must not. */
  withFlags: number;
  withoutFlags: number;
}

export type OutputCommand = Assignment | Assertion | Data | InputDescription;

/** An output section description. */
export interface OutputDescription {
  kind: "output";
  name: ByteString;
  address: Expr | null;
  lma: Expr | null;
  align: Expr | null;
  subalign: Expr | null;
  constraint: "" | "ONLY_IF_RO" | "ONLY_IF_RW";
  /** Section type when given (NOLOAD, TYPE=), else null. */
  sh_type: number | null;
  /** COPY, INFO, OVERLAY: not loaded. */
  nonAlloc: boolean;
  /** READONLY: not writable, whatever its inputs are. */
  readOnly: boolean;
  commands: OutputCommand[];
  /** Four bytes, or null. */
  fill: Uint8Array | null;
  region: ByteString;
  lmaRegion: ByteString;
  phdrs: ByteString[];
  /** Its expressions mention symbols: it is kept even if empty. */
  usesSymbols: boolean;
  /** Part of an OVERLAY: may share addresses with the others. */
  inOverlay: boolean;
  /** Between DATA_SEGMENT_ALIGN and DATA_SEGMENT_RELRO_END: true, behind both: false, null = its name and flags decide. */
  relro: boolean | null;
  /** From OVERWRITE_SECTIONS: matches before all others. */
  overwrites: boolean;
  /** From --section-ordering-file: its inputs stand before all others of an output section whose place the layout knows. */
  first: boolean;
  /** Filled in: from OVERWRITE_SECTIONS, and the script has no section of this name. */
  orphan: boolean;
  /** file:line, for errors. */
  place: Place;
  offset: number;
}

/** SECTIONS { … } INSERT AFTER|BEFORE where */
export interface Insertion {
  commands: ScriptCommand[];
  after: boolean;
  where: ByteString;
}

/** NOCROSSREFS(a b …), NOCROSSREFS_TO(a b …): output sections that may not refer to each other, or to the first. */
export interface NoCrossRefs {
  place: Place;
  names: ByteString[];
  toFirst: boolean;
}

export interface PhdrCommand {
  name: ByteString;
  p_type: number;
  p_flags: number | null;
  filehdr: boolean;
  phdrs: boolean;
  lma: Expr | null;
}

export interface MemoryRegion {
  name: ByteString;
  origin: Expr;
  length: Expr;
  /** Attributes (sh_flags) that a section must have one of, and must not have. */
  flags: number;
  inverted: number;
  noFlags: boolean;
}

/** By name; aliases are further names of the same region. */
export type Regions = Map<ByteString, MemoryRegion>;

export type ScriptCommand = Assignment | Assertion | OutputDescription;

export interface LayoutScript {
  /** There is a SECTIONS command, other than to INSERT: it replaces the default layout. */
  hasSections: boolean;
  commands: ScriptCommand[];
  /** ENTRY inside SECTIONS, "" = not given. */
  entry: ByteString;
  phdrs: PhdrCommand[];
  insertions: Insertion[];
  noCrossRefs: NoCrossRefs[];
  regions: Regions;
  /** Of the scripts before it, which it may give further names. */
  earlierRegions: Regions | undefined;
  /** Of the whole script, for errors. */
  text: ByteString;
  name: ByteString;
}

export function newLayout(text: ByteString, name: ByteString, earlierRegions?: Regions): LayoutScript {
  return { hasSections: false, commands: [], entry: "", phdrs: [], insertions: [], noCrossRefs: [], regions: new Map(), earlierRegions, text, name };
}

/** Several -T scripts are one. */
export function joinLayouts(first: LayoutScript | null, second: LayoutScript): LayoutScript {
  if (first === null) return second;
  first.hasSections ||= second.hasSections;
  first.commands = first.commands.concat(second.commands);
  first.phdrs = first.phdrs.concat(second.phdrs);
  first.insertions = first.insertions.concat(second.insertions);
  first.noCrossRefs = first.noCrossRefs.concat(second.noCrossRefs);
  for (const [name, region] of second.regions) first.regions.set(name, region);
  return first;
}

/** Every assignment, those inside output sections too, in order. */
export function assignments(layout: LayoutScript): Assignment[] {
  const found: Assignment[] = [];
  for (const command of layout.commands) {
    if (command.kind === "assign") found.push(command);
    else if (command.kind === "output") for (const inner of command.commands) if (inner.kind === "assign") found.push(inner);
  }
  return found;
}

/** Files that input descriptions are about and whose names are no patterns, each once; not members of archives. */
export function namedFiles(layout: LayoutScript): Set<ByteString> {
  const names = new Set<ByteString>();
  for (const command of layout.commands) {
    if (command.kind !== "output") continue;
    for (const inner of command.commands) {
      if (inner.kind !== "input" || inner.file.of !== "any") continue;
      const { kind, literal } = inner.file.glob;
      if (kind === "exact" && !literal.includes(":")) names.add(literal);
    }
  }
  return names;
}

/** Every expression, with the assignment it belongs to. */
export function expressions(layout: LayoutScript): { expr: Expr; of: Assignment | null }[] {
  const found: { expr: Expr; of: Assignment | null }[] = [];
  const add = (expr: Expr | null, of: Assignment | null = null): void => {
    if (expr !== null) found.push({ expr, of });
  };
  for (const command of layout.commands) {
    if (command.kind !== "output") {
      add(command.expr, command.kind === "assign" ? command : null);
      continue;
    }
    for (const expr of [command.address, command.lma, command.align, command.subalign]) add(expr);
    for (const inner of command.commands) if (inner.kind !== "input") add(inner.expr, inner.kind === "assign" ? inner : null);
  }
  for (const phdr of layout.phdrs) add(phdr.lma);
  for (const { origin, length } of layout.regions.values()) {
    add(origin);
    add(length);
  }
  return found;
}
