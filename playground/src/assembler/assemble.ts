/**
 * x86-64 assembly (GNU as syntax, AT&T or Intel) → a relocatable object: @defasm/core encodes, the tests' object writer writes.
 *
 * Remembers the line of every relocation, so that what the linker says of a symbol can be shown where it is used.
 */
import { ASMError, AssemblyState, type AsmSymbol, type Relocation, type Section as AsmSection } from "@defasm/core";
import { SHF_EXECINSTR, SHN_ABS, SHN_COMMON, SHN_UNDEF, SHT_NOBITS, STB_GLOBAL, STB_LOCAL, STT_SECTION } from "../../../as-kernels/shared/elf.ts";
import { ObjectBuilder, type Section, type Sym } from "../../../test/helpers/object.ts";
import { alignLabel, prepare, type Prepared } from "./directives.ts";

export interface AssemblyError {
  /** 1-based. */
  line: number;
  message: string;
}

export interface Assembled {
  /** The object; of what could be assembled, when there are errors. */
  bytes: Uint8Array;
  errors: AssemblyError[];
  /** Lines that refer to a symbol, by its name. */
  references: Map<string, number[]>;
  /** Lines that define a symbol. */
  definitions: Map<string, number>;
}

/** Attempts until all alignment is right: each settles at least one directive. */
const ATTEMPTS = 40;

// psABI x86-64, table 4.9.
const PC_RELATIVE: Record<number, number> = { 8: 15, 16: 13, 32: 2, 64: 24 };
const ABSOLUTE: Record<number, number> = { 8: 14, 16: 12, 32: 10, 64: 1 };
const R_X86_64_PLT32 = 4;
const R_X86_64_32S = 11;

export function assemble(source: string): Assembled {
  const { state, prepared } = settle(source);
  const builder = new ObjectBuilder();
  const sections = new Map<AsmSection, Section>();
  for (const section of state.sections) sections.set(section, addSection(builder, section, alignmentOf(state, section, prepared)));
  const symbols = new Symbols(builder, sections);
  for (const symbol of state.symbols.values()) if (isNamed(symbol)) symbols.of(symbol);
  for (const [section, made] of sections) for (const reloc of section.getRelocations()) symbols.relocate(made, reloc);
  return { bytes: builder.bytes(), ...places(state, source) };
}

function settle(source: string): { state: AssemblyState; prepared: Prepared } {
  const padding: number[] = [];
  for (let attempt = 1; ; attempt++) {
    const prepared = prepare(source, padding);
    const state = new AssemblyState();
    // The program need not end in a newline.
    state.compile(`${prepared.text}\n`);
    const missing = prepared.aligned.map((wanted, i) => {
      const at = Number(state.symbols.get(alignLabel(i))?.value.addend ?? 0n);
      return (wanted - (at % wanted)) % wanted;
    });
    const wrong = missing.findIndex((bytes, i) => bytes !== (padding[i] ?? 0));
    if (wrong < 0 || attempt === ATTEMPTS) return { state, prepared };
    // What is behind the first moves with it.
    padding.length = wrong;
    padding.push(missing[wrong]!);
  }
}

const isNamed = (symbol: AsmSymbol): boolean => symbol.type !== STT_SECTION && !symbol.name.startsWith(".L");

function alignmentOf(state: AssemblyState, section: AsmSection, { aligned }: Prepared): number {
  const own = aligned.filter((_, i) => state.symbols.get(alignLabel(i))?.value.section === section);
  return Math.max((section.flags & SHF_EXECINSTR) !== 0 ? 16 : 1, ...own);
}

function addSection(builder: ObjectBuilder, { name, type, flags, entrySize, head }: AsmSection, align: number): Section {
  const data = new Uint8Array(head.dump());
  return builder.section(name, type === SHT_NOBITS ? { type, flags, align, size: data.length } : { type, flags, align, entsize: entrySize, data });
}

class Symbols {
  private readonly builder: ObjectBuilder;
  private readonly sections: ReadonlyMap<AsmSection, Section>;
  private readonly known = new Map<AsmSymbol, Sym>();

  constructor(builder: ObjectBuilder, sections: ReadonlyMap<AsmSection, Section>) {
    this.builder = builder;
    this.sections = sections;
  }

  of(symbol: AsmSymbol): Sym {
    let made = this.known.get(symbol);
    if (made === undefined) this.known.set(symbol, (made = this.make(symbol)));
    return made;
  }

  private make(symbol: AsmSymbol): Sym {
    const { name, bind, type = 0, size, visibility = 0, value } = symbol;
    const section = value.section as AsmSection | { index: number } | null;
    const place = this.placeOf(symbol);
    const isCommon = section !== null && "index" in section && section.index === SHN_COMMON;
    const isDefined = symbol.statement !== null || isCommon;
    return this.builder.symbol(name, { in: isCommon ? SHN_COMMON : place, value: isDefined ? value.addend : 0n, size: Number(size ?? 0n), bind: isDefined ? (bind ?? STB_LOCAL) : Math.max(bind ?? STB_GLOBAL, STB_GLOBAL), type, visibility });
  }

  private placeOf({ statement, value }: AsmSymbol): Section | number {
    if (statement === null || value.section === null) return SHN_UNDEF;
    return this.sections.get(value.section as AsmSection) ?? SHN_ABS;
  }

  relocate(section: Section, { offset, addend, symbol, size, signed, pcRelative, functionAddr }: Relocation): void {
    const type = functionAddr && size === 32 ? R_X86_64_PLT32 : pcRelative ? PC_RELATIVE[size]! : size === 32 && signed ? R_X86_64_32S : ABSOLUTE[size]!;
    const place = this.placeOf(symbol);
    // As GNU as: labels that are not in the symbol table are so many bytes into their section.
    if (typeof place === "object" && !isNamed(symbol)) this.builder.reloc(section, offset, type, this.builder.sectionSymbol(place), addend + (symbol.type === STT_SECTION ? 0n : symbol.value.addend));
    else this.builder.reloc(section, offset, type, this.of(symbol), addend);
  }
}

interface Mention {
  value?: { section?: unknown };
}

/** Lines of errors, references and definitions. */
function places(state: AssemblyState, source: string): Omit<Assembled, "bytes"> {
  const errors: AssemblyError[] = [];
  const references = new Map<string, number[]>();
  const definitions = new Map<string, number>();
  const last = source.split("\n").length;
  const offsets: { line: number; section: AsmSection; from: number; to: number }[] = [];
  state.iterate((statement, line) => {
    const error = statement.error;
    if (error) errors.push({ line: Math.min(line, last), message: error instanceof ASMError ? error.message : "the assembler does not know this form of the instruction" });
    const { symbol, section, address, length } = statement as typeof statement & { symbol?: AsmSymbol } & Mention;
    if (symbol !== undefined && symbol.statement === statement && isNamed(symbol)) definitions.set(symbol.name, line);
    if (statement.relocations.length > 0) offsets.push({ line, section, from: address, to: address + length });
  });
  for (const section of state.sections) {
    for (const { offset, symbol } of section.getRelocations()) {
      const line = offsets.find((each) => each.section === section && offset >= each.from && offset < each.to)?.line;
      if (line === undefined) continue;
      const lines = references.get(symbol.name);
      if (lines === undefined) references.set(symbol.name, [line]);
      else if (!lines.includes(line)) lines.push(line);
    }
  }
  return { errors, references, definitions };
}
