/**
 * The layout commands of linker scripts, text → LayoutScript: SECTIONS, MEMORY, PHDRS, assignments, PROVIDE, ASSERT.
 *
 * Not here: commands that name input files (input-script.ts), and what the commands mean (passes/script-*.ts). The surprise: there
 * are no tokens. What may be part of a word depends on where it stands (`a*b` is a file pattern in one place and a product in another),
 * so the parser reads the text from a position and knows at each place which of the two it wants.
 */
import type { ByteString } from "../args/link-options.ts";
import { SHF_ALLOC, SHF_EXECINSTR, SHF_GROUP, SHF_INFO_LINK, SHF_LINK_ORDER, SHF_MERGE, SHF_STRINGS, SHF_TLS, SHF_WRITE, SHT_NOBITS } from "../../as-kernels/shared/elf.ts";
import { parseExpressionAt, type BinaryOperator, type Expr } from "./expression.ts";
import { Glob, GlobError } from "./glob.ts";
import type { Assignment, InputDescription, LayoutScript, MemoryRegion, OutputDescription, PhdrCommand, SectionPattern, SortKind } from "./layout.ts";
import { isSpace, scriptError, type ScriptError } from "./lexer.ts";

/** Contents of an INCLUDEd file, or undefined when there is none. */
export type ReadInclude = (name: ByteString) => ByteString | undefined;

const INCLUDE_DEPTH = 10;

/** gABI ch. 5, Segment Types, with GNU's. */
const PHDR_TYPES: Record<string, number> = {
  PT_NULL: 0, PT_LOAD: 1, PT_DYNAMIC: 2, PT_INTERP: 3, PT_NOTE: 4, PT_SHLIB: 5, PT_PHDR: 6, PT_TLS: 7,
  PT_GNU_EH_FRAME: 0x6474e550, PT_GNU_STACK: 0x6474e551, PT_GNU_RELRO: 0x6474e552, PT_GNU_PROPERTY: 0x6474e553,
};
const SECTION_TYPES: Record<string, number> = { SHT_PROGBITS: 1, SHT_NOTE: 7, SHT_NOBITS: 8, SHT_INIT_ARRAY: 14, SHT_FINI_ARRAY: 15, SHT_PREINIT_ARRAY: 16 };
const SECTION_FLAGS: Record<string, number> = {
  SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR, SHF_MERGE, SHF_STRINGS, SHF_INFO_LINK, SHF_LINK_ORDER, SHF_OS_NONCONFORMING: 0x100, SHF_GROUP, SHF_TLS, SHF_COMPRESSED: 0x800,
};
const SORTS: Record<string, SortKind> = {
  SORT: "name", SORT_BY_NAME: "name", SORT_BY_ALIGNMENT: "alignment", SORT_BY_INIT_PRIORITY: "priority", SORT_NONE: "none",
};
const DATA: Record<string, number> = { BYTE: 1, SHORT: 2, LONG: 4, QUAD: 8 };
/** Real commands that are not obeyed yet. */
const LATER = /^(OVERLAY|INSERT|OVERWRITE_SECTIONS|SORT|SORT_BY_NAME|CREATE_OBJECT_SYMBOLS|SECTION_FLAGS|INPUT_SECTION_FLAGS|NOCROSSREFS|NOCROSSREFS_TO|REVERSE|CLASS)$/;

const COMMANDS = new Set(["SECTIONS", "MEMORY", "PHDRS", "ASSERT", "PROVIDE", "PROVIDE_HIDDEN", "HIDDEN", "REGION_ALIAS"]);
const ASSIGNS = /(?:"([^"]*)"|([A-Za-z_.$\x80-\xff][\w.$@\x80-\xff]*))\s*(<<=|>>=|[-+*/&|^]?=)(?!=)/y;
const WORD = /[^\s(){};,"]+/y;

/** Reads the layout command at `offset` into `layout`; returns where it ends, or -1 when there is none. Throws ScriptError. */
export function parseLayoutCommand(layout: LayoutScript, text: ByteString, name: ByteString, offset: number, include?: ReadInclude): number {
  const parser = new LayoutParser(layout, text, name, offset, include, 0);
  return parser.readCommand() ? parser.at : -1;
}

class LayoutParser {
  at: number;
  private readonly layout: LayoutScript;
  private readonly text: ByteString;
  private readonly name: ByteString;
  private readonly include: ReadInclude | undefined;
  private readonly depth: number;

  constructor(layout: LayoutScript, text: ByteString, name: ByteString, offset: number, include: ReadInclude | undefined, depth: number) {
    this.layout = layout;
    this.text = text;
    this.name = name;
    this.at = offset;
    this.include = include;
    this.depth = depth;
  }

  // ---- reading ----

  private error(message: string, offset = this.at): ScriptError {
    return scriptError(this.text, this.name, offset, message);
  }

  private skip(): void {
    const { text } = this;
    for (;;) {
      while (this.at < text.length && isSpace(text[this.at]!)) this.at++;
      if (text.startsWith("/*", this.at)) {
        const end = text.indexOf("*/", this.at + 2);
        if (end < 0) throw this.error("unclosed comment");
        this.at = end + 2;
      } else if (text[this.at] === "#") {
        const end = text.indexOf("\n", this.at);
        this.at = end < 0 ? text.length : end;
      } else {
        return;
      }
    }
  }

  /** The word that comes next, not taken; "" when there is punctuation or a quote. */
  private peek(): ByteString {
    this.skip();
    WORD.lastIndex = this.at;
    return WORD.exec(this.text)?.[0] ?? "";
  }

  private shown(): string {
    const word = this.peek();
    return word !== "" ? word : (this.text[this.at] ?? "end of file");
  }

  /** Takes this text, whatever follows it. */
  private take(text: string): boolean {
    this.skip();
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  /** Takes this whole word. */
  private takeWord(word: string): boolean {
    const next = this.peek();
    if (next !== word && !(next.startsWith(word) && /^[^\w.$]/.test(next.slice(word.length)))) return false;
    this.at += word.length;
    return true;
  }

  private expect(text: string): void {
    if (!this.take(text)) throw this.error(`${text} expected, but got ${this.shown()}`);
  }

  /** A name or file pattern, perhaps quoted. */
  private word(what = "name"): ByteString {
    const word = this.peek();
    if (word !== "") {
      this.at += word.length;
      return word;
    }
    if (this.text[this.at] !== '"') throw this.error(`${what} expected, but got ${this.shown()}`);
    const end = this.text.indexOf('"', this.at + 1);
    if (end < 0) throw this.error("unclosed quote");
    const quoted = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    return quoted;
  }

  /** A word made of letters, digits and `_`, `.`, `-`: ends before `:` and operators. */
  private plainName(what = "name"): ByteString {
    this.skip();
    if (this.text[this.at] === '"') return this.word(what);
    const name = /^[\w.$\x80-\xff-]+/.exec(this.text.slice(this.at, this.at + 4096))?.[0];
    if (name === undefined) throw this.error(`${what} expected, but got ${this.shown()}`);
    this.at += name.length;
    return name;
  }

  private expression(primary = false): Expr {
    const { expr, end } = parseExpressionAt(this.text, this.name, this.at, primary);
    this.at = end;
    return expr;
  }

  private parenthesized(): Expr {
    this.expect("(");
    const expr = this.expression();
    this.expect(")");
    return expr;
  }

  private glob(): Glob {
    this.skip();
    const start = this.at;
    const quoted = this.text[start] === '"';
    const pattern = this.word("pattern");
    try {
      return new Glob(pattern, quoted);
    } catch (error) {
      if (error instanceof GlobError) throw this.error(error.message, start);
      throw error;
    }
  }

  private readInclude(read: (inner: LayoutParser) => void): void {
    const start = this.at;
    const file = this.word("file");
    const text = this.include?.(file);
    if (text === undefined) throw this.error(`cannot find linker script ${file}`, start);
    if (this.depth >= INCLUDE_DEPTH) throw this.error("INCLUDE is nested too deeply", start);
    const inner = new LayoutParser(this.layout, text, file, 0, this.include, this.depth + 1);
    for (inner.skip(); inner.at < text.length; inner.skip()) read(inner);
  }

  // ---- commands ----

  readCommand(): boolean {
    const word = this.peek().replace(/[^A-Z_].*$/, "");
    if (COMMANDS.has(word) && !this.isAssignment()) {
      if (word === "SECTIONS") this.readSections();
      else if (word === "MEMORY") this.readMemory();
      else if (word === "PHDRS") this.readPhdrs();
      else if (word === "REGION_ALIAS") this.readRegionAlias();
      else this.layout.commands.push(this.readStatement()!);
      return true;
    }
    const statement = this.readStatement();
    if (statement === null) return false;
    this.layout.commands.push(statement);
    return true;
  }

  private isAssignment(): boolean {
    this.skip();
    ASSIGNS.lastIndex = this.at;
    return ASSIGNS.test(this.text);
  }

  /** An assignment or assertion, or null. */
  private readStatement(): Assignment | ReturnType<LayoutParser["readAssert"]> | null {
    this.skip();
    if (this.isAssignment()) {
      const assignment = this.readAssignment(false, false);
      if (!this.take(";") && this.peek() !== "" ) throw this.error(`; expected, but got ${this.shown()}`);
      return assignment;
    }
    for (const [word, provide, hidden] of [["PROVIDE_HIDDEN", true, true], ["PROVIDE", true, false], ["HIDDEN", false, true]] as const) {
      if (!this.takeWord(word)) continue;
      this.expect("(");
      if (!this.isAssignment()) throw this.error(`assignment expected, but got ${this.shown()}`);
      const assignment = this.readAssignment(provide, hidden);
      this.expect(")");
      this.take(";");
      return assignment;
    }
    return this.peek().replace(/[^A-Z].*$/, "") === "ASSERT" ? this.readAssert() : null;
  }

  private readAssert(): { kind: "assert"; expr: Expr } {
    const expr = this.expression(true);
    this.take(";");
    return { kind: "assert", expr };
  }

  private readAssignment(provide: boolean, hidden: boolean): Assignment {
    this.skip();
    ASSIGNS.lastIndex = this.at;
    const match = ASSIGNS.exec(this.text)!;
    const name = match[1] ?? match[2]!;
    const operator = match[3]!.slice(0, -1);
    const start = this.at;
    this.at += match[0].length;
    const expr = this.expression();
    if (operator !== "") {
      const old = name === "." ? ({ kind: "dot" } as const) : ({ kind: "symbol", name } as const);
      expr.root = { kind: "binary", op: operator as BinaryOperator, a: old, b: expr.root, offset: start };
      if (name !== "." && !expr.symbols.includes(name)) expr.symbols.push(name);
    }
    return { kind: "assign", name, expr, provide, hidden, sym: 0 };
  }

  private readRegionAlias(): void {
    this.takeWord("REGION_ALIAS");
    this.expect("(");
    const alias = this.word();
    this.expect(",");
    const start = this.at;
    const name = this.word();
    this.expect(")");
    const region = this.layout.regions.get(name);
    if (region === undefined) throw this.error(`memory region '${name}' is not defined`, start);
    if (this.layout.regions.has(alias)) throw this.error(`redefinition of memory region '${alias}'`, start);
    this.layout.regions.set(alias, region);
  }

  /** MEMORY { name (attributes) : ORIGIN = expr, LENGTH = expr } */
  private readMemory(): void {
    this.takeWord("MEMORY");
    this.expect("{");
    while (!this.take("}")) {
      if (this.takeWord("INCLUDE")) {
        this.readInclude((inner) => inner.readRegion());
        continue;
      }
      this.readRegion();
    }
  }

  private readRegion(): void {
    this.skip();
    const start = this.at;
    const region: MemoryRegion = { name: this.plainName(), origin: null!, length: null!, flags: 0, inverted: 0, noFlags: true };
    if (this.take("(")) this.readAttributes(region);
    this.expect(":");
    region.origin = this.readAssigned("ORIGIN", "org", "o");
    this.expect(",");
    region.length = this.readAssigned("LENGTH", "len", "l");
    if (this.layout.regions.has(region.name)) throw this.error(`region '${region.name}' already defined`, start);
    this.layout.regions.set(region.name, region);
  }

  private readAssigned(...names: string[]): Expr {
    const found = names.find((name) => this.takeWord(name));
    if (found === undefined) throw this.error(`expected one of: ${names.join(", ")}`);
    this.expect("=");
    return this.expression();
  }

  /** GNU ld: r w x a, i and l (initialized) mean nothing here, ! inverts what follows. */
  private readAttributes(region: MemoryRegion): void {
    let inverted = false;
    region.noFlags = false;
    for (const c of this.word("attributes").toLowerCase()) {
      const bit = c === "w" ? SHF_WRITE : c === "x" ? SHF_EXECINSTR : c === "a" ? SHF_ALLOC : 0;
      if (c === "!") inverted = !inverted;
      else if (c === "r") (inverted ? (region.inverted |= READ_ONLY) : (region.flags |= READ_ONLY));
      else if (inverted) region.inverted |= bit;
      else region.flags |= bit;
    }
    this.expect(")");
  }

  /** PHDRS { name type FILEHDR PHDRS AT(address) FLAGS(flags) ; } */
  private readPhdrs(): void {
    this.takeWord("PHDRS");
    this.expect("{");
    while (!this.take("}")) {
      const phdr: PhdrCommand = { name: this.plainName(), p_type: 0, p_flags: null, filehdr: false, phdrs: false, lma: null };
      phdr.p_type = this.readNumber(PHDR_TYPES, "program header type");
      while (!this.take(";")) {
        if (this.takeWord("FILEHDR")) phdr.filehdr = true;
        else if (this.takeWord("PHDRS")) phdr.phdrs = true;
        else if (this.takeWord("AT")) phdr.lma = this.parenthesized();
        else if (this.takeWord("FLAGS")) phdr.p_flags = this.constant(this.parenthesized());
        else throw this.error(`unexpected header attribute: ${this.shown()}`);
      }
      this.layout.phdrs.push(phdr);
    }
  }

  private readNumber(names: Record<string, number>, what: string): number {
    this.skip();
    const start = this.at;
    const word = this.plainName(what);
    if (Object.hasOwn(names, word)) return names[word]!;
    if (/^(0x[0-9a-fA-F]+|[0-9]+)$/.test(word)) return Number(word);
    throw this.error(`invalid ${what}: ${word}`, start);
  }

  /** A number that must be known while reading. */
  private constant(expr: Expr): number {
    const { root } = expr;
    if (root.kind === "number") return Number(root.value);
    if (root.kind === "binary" && root.op === "|") return this.constant({ ...expr, root: root.a }) | this.constant({ ...expr, root: root.b });
    throw this.error("number expected", expr.offset);
  }

  // ---- SECTIONS ----

  private readSections(): void {
    this.takeWord("SECTIONS");
    this.layout.hasSections = true;
    this.expect("{");
    while (!this.take("}")) this.readSectionsItem();
    if (this.peek() === "INSERT") throw this.error("linker script command INSERT is not supported yet");
  }

  private readSectionsItem(): void {
    if (this.take(";")) return;
    const statement = this.readStatement();
    if (statement !== null) {
      this.layout.commands.push(statement);
      return;
    }
    if (this.takeWord("INCLUDE")) return this.readInclude((inner) => inner.readSectionsItem());
    if (this.takeWord("ENTRY")) throw this.error("ENTRY inside SECTIONS is not supported yet");
    this.layout.commands.push(this.readOutput());
  }

  private readOutput(): OutputDescription {
    this.skip();
    const start = this.at;
    let name = this.word("section name");
    if (LATER.test(name)) throw this.error(`linker script command ${name} is not supported yet`, start);
    if (name.length > 1 && name.endsWith(":")) {
      name = name.slice(0, -1);
      this.at--;
    }
    const output: OutputDescription = {
      kind: "output", name, address: null, lma: null, align: null, subalign: null, constraint: "", sh_type: null, nonAlloc: false, commands: [],
      fill: null, region: "", lmaRegion: "", phdrs: [], usesSymbols: false, offset: start,
    };
    this.readAddressAndType(output);
    this.expect(":");
    this.readAttributesOf(output);
    this.expect("{");
    while (!this.take("}")) this.readContents(output);
    this.readTrailer(output);
    const own = [output.address, output.lma, output.align, output.subalign];
    const inner = output.commands.map((command) => (command.kind === "input" ? null : command.expr));
    output.usesSymbols = [...own, ...inner].some((expr) => expr !== null && expr.symbols.length > 0);
    return output;
  }

  private readAddressAndType(output: OutputDescription): void {
    if (this.readType(output)) return;
    this.skip();
    if (this.text[this.at] === ":") return;
    output.address = this.expression();
    this.readType(output);
  }

  /** `(NOLOAD)`, `(TYPE = n)`, … */
  private readType(output: OutputDescription): boolean {
    this.skip();
    const match = /^\(\s*(NOLOAD|COPY|INFO|OVERLAY|DSECT|TYPE\s*=)/.exec(this.text.slice(this.at, this.at + 200));
    if (match === null) return false;
    this.at += match[0].length;
    const word = match[1]!;
    if (word === "NOLOAD") output.sh_type = SHT_NOBITS;
    else if (word.startsWith("TYPE")) output.sh_type = this.readNumber(SECTION_TYPES, "section type");
    else output.nonAlloc = true;
    this.expect(")");
    return true;
  }

  private readAttributesOf(output: OutputDescription): void {
    for (;;) {
      if (this.takeWord("AT")) output.lma = this.parenthesized();
      else if (this.takeWord("ALIGN_WITH_INPUT")) throw this.error("ALIGN_WITH_INPUT is not supported yet");
      else if (this.takeWord("ALIGN")) output.align = this.parenthesized();
      else if (this.takeWord("SUBALIGN")) output.subalign = this.parenthesized();
      else if (this.takeWord("ONLY_IF_RO")) output.constraint = "ONLY_IF_RO";
      else if (this.takeWord("ONLY_IF_RW")) output.constraint = "ONLY_IF_RW";
      else return;
    }
  }

  private readTrailer(output: OutputDescription): void {
    if (this.take(">")) output.region = this.word("memory region");
    if (this.peek() === "AT" || this.peek().startsWith("AT>")) {
      this.takeWord("AT");
      this.expect(">");
      if (output.lma !== null) throw this.error("section can't have both LMA and a load region");
      output.lmaRegion = this.word("memory region");
    }
    while (this.take(":")) output.phdrs.push(this.plainName("program header"));
    if (this.take("=")) output.fill = this.readFill();
    this.take(",");
  }

  private readFill(): Uint8Array {
    this.skip();
    const start = this.at;
    const { root } = this.expression(true);
    if (root.kind !== "number") throw this.error("number expected", start);
    if (root.value > 0xffffffffn) throw this.error(`filler expression result does not fit 32-bit: 0x${root.value.toString(16)}`, start);
    const value = Number(root.value);
    return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
  }

  private readContents(output: OutputDescription): void {
    if (this.take(";")) return;
    const statement = this.readStatement();
    if (statement !== null) {
      output.commands.push(statement);
      return;
    }
    const word = this.peek();
    const bytes = DATA[word];
    if (bytes !== undefined) {
      this.at += word.length;
      output.commands.push({ kind: "data", bytes, expr: this.parenthesized(), offset: 0, value: 0n });
    } else if (this.takeWord("CONSTRUCTORS")) {
      // Only for a.out.
    } else if (/^SORT\s*\(\s*CONSTRUCTORS\s*\)/.test(this.text.slice(this.at, this.at + 100))) {
      this.at = this.text.indexOf(")", this.at) + 1;
    } else if (this.takeWord("FILL")) {
      this.expect("(");
      output.fill = this.readFill();
      this.expect(")");
    } else if (this.takeWord("INCLUDE")) {
      this.readInclude((inner) => inner.readContents(output));
    } else if (LATER.test(word) && word !== "INPUT_SECTION_FLAGS") {
      throw this.error(`linker script command ${word} is not supported yet`);
    } else {
      output.commands.push(this.readInput());
    }
  }

  private readInput(): InputDescription {
    if (!this.takeWord("KEEP")) return this.readInputPatterns();
    this.expect("(");
    const input = this.readInputPatterns();
    this.expect(")");
    input.keep = true;
    return input;
  }

  private readInputPatterns(): InputDescription {
    const flags = { withFlags: 0, withoutFlags: 0 };
    if (this.takeWord("INPUT_SECTION_FLAGS")) this.readSectionFlags(flags);
    if (LATER.test(this.peek())) throw this.error(`${this.peek()} of file names is not supported yet`);
    const input: InputDescription = { kind: "input", file: this.glob(), patterns: [], keep: false, ...flags };
    if (!this.take("(")) {
      // The whole file.
      input.patterns.push({ excluded: [], names: [new Glob("*")], outer: "default", inner: "default" });
      return input;
    }
    while (!this.take(")")) this.readPatterns(input.patterns);
    return input;
  }

  private readSectionFlags(flags: { withFlags: number; withoutFlags: number }): void {
    this.expect("(");
    do {
      const without = this.take("!");
      const bit = this.readNumber(SECTION_FLAGS, "section flag");
      if (without) flags.withoutFlags |= bit;
      else flags.withFlags |= bit;
    } while (this.take("&"));
    this.expect(")");
  }

  private readPatterns(patterns: SectionPattern[]): void {
    const outer = this.readSort();
    if (outer === "default") {
      this.readNames(patterns, outer, "default");
      return;
    }
    this.expect("(");
    const inner = this.readSort();
    if (inner !== "default") this.expect("(");
    this.skip();
    while (this.text[this.at] !== ")") {
      this.readNames(patterns, outer, inner);
      this.skip();
    }
    if (inner !== "default") this.expect(")");
    this.expect(")");
  }

  private readSort(): SortKind {
    const word = this.peek();
    if (!Object.hasOwn(SORTS, word)) return "default";
    this.at += word.length;
    return SORTS[word]!;
  }

  /** Names up to the next `)`, EXCLUDE_FILE or sort. */
  private readNames(patterns: SectionPattern[], outer: SortKind, inner: SortKind): void {
    const pattern: SectionPattern = { excluded: [], names: [], outer, inner };
    if (this.takeWord("EXCLUDE_FILE")) {
      this.expect("(");
      while (!this.take(")")) if (!this.take(",")) pattern.excluded.push(this.glob());
    }
    for (;;) {
      if (this.take(",")) continue;
      this.skip();
      const word = this.peek();
      if (this.text[this.at] === ")" || word === "EXCLUDE_FILE" || Object.hasOwn(SORTS, word)) break;
      pattern.names.push(this.glob());
    }
    if (pattern.names.length === 0) throw this.error("section pattern is expected");
    patterns.push(pattern);
  }
}

/** Stands for the `r` attribute of a memory region among sh_flags. */
export const READ_ONLY = 1 << 30;
