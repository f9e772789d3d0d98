/**
 * The text of a layout script, read from a position: words, names, patterns, numbers, expressions, INCLUDEd files.
 *
 * No commands (layout-script.ts and the files it calls). The surprise: there are no tokens. What may be part of a word depends on where
 * it stands (`a*b` is a file pattern in one place and a product in another), so each reader asks for what it wants.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Place } from "../diagnostics/message.ts";
import { parseExpressionAt, type Expr } from "./expression.ts";
import { Glob, GlobError } from "./glob.ts";
import type { FilePattern } from "./layout.ts";
import { scriptError, ScriptLines, skipBlanks, type ScriptError } from "./lexer.ts";

/** Contents of an INCLUDEd file, or undefined when there is none. */
export type ReadInclude = (name: ByteString) => ByteString | undefined;

const INCLUDE_DEPTH = 10;
/** `\s` would also end words at the byte 0xA0, of which UTF-8 makes letters. */
const WORD = /[^ \t-\r(){};,"]+/y;

export class ScriptText {
  /** Where reading goes on: bytes from the start of the text. */
  at: number;
  readonly text: ByteString;
  readonly name: ByteString;
  readonly include: ReadInclude | undefined;
  /** Files whose INCLUDEs lead here. */
  private readonly open: readonly ByteString[];
  private readonly lines: ScriptLines;

  constructor(text: ByteString, name: ByteString, offset: number, include: ReadInclude | undefined, open: readonly ByteString[] = []) {
    this.text = text;
    this.name = name;
    this.at = offset;
    this.include = include;
    this.open = open;
    this.lines = new ScriptLines(text, name);
  }

  error(message: string, offset = this.at): ScriptError {
    return scriptError(this.text, this.name, offset, message);
  }

  /** `file:line` */
  place(offset = this.at): Place {
    return this.lines.place(offset);
  }

  skip(): void {
    this.at = skipBlanks(this.text, this.name, this.at);
  }

  atEnd(): boolean {
    this.skip();
    return this.at >= this.text.length;
  }

  /** The word that comes next, not taken; "" when there is punctuation or a quote. */
  peek(): ByteString {
    this.skip();
    WORD.lastIndex = this.at;
    return WORD.exec(this.text)?.[0] ?? "";
  }

  shown(): string {
    const word = this.peek();
    return word !== "" ? word : (this.text[this.at] ?? "end of file");
  }

  /** Takes this text, whatever follows it. */
  take(text: string): boolean {
    this.skip();
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  /** Takes this whole word. */
  takeWord(word: string): boolean {
    const next = this.peek();
    if (next !== word && !(next.startsWith(word) && /^[^\w.$]/.test(next.slice(word.length)))) return false;
    this.at += word.length;
    return true;
  }

  expect(text: string): void {
    if (!this.take(text)) throw this.error(`${text} expected, but got ${this.shown()}`);
  }

  /** A name or file pattern, perhaps quoted. */
  word(what = "name"): ByteString {
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
  plainName(what = "name"): ByteString {
    this.skip();
    if (this.text[this.at] === '"') return this.word(what);
    const name = /^[\w.$\x80-\xff-]+/.exec(this.text.slice(this.at, this.at + 4096))?.[0];
    if (name === undefined) throw this.error(`${what} expected, but got ${this.shown()}`);
    this.at += name.length;
    return name;
  }

  expression(primary = false): Expr {
    const { expr, end } = parseExpressionAt(this.text, this.name, this.at, primary);
    this.at = end;
    return expr;
  }

  parenthesized(): Expr {
    this.expect("(");
    const expr = this.expression();
    this.expect(")");
    return expr;
  }

  /** A pattern of section names. */
  glob(): Glob {
    return this.pattern("section pattern", (pattern, exact) => new Glob(pattern, exact));
  }

  /** In quotes the colon means the same (GNU ld), but nothing is a wildcard (lld). */
  filePattern(): FilePattern {
    return this.pattern("filename pattern", (pattern, exact) => {
      if (pattern === ":") return { glob: new Glob("*"), of: "plain" };
      if (pattern[0] === ":") return { glob: new Glob(pattern.slice(1), exact), of: "plain" };
      if (pattern.endsWith(":")) return { glob: new Glob(pattern.slice(0, -1), exact), of: "members" };
      return { glob: new Glob(pattern, exact), of: "any" };
    });
  }

  /** `what`: for the message where there is none. */
  private pattern<T>(what: string, make: (pattern: ByteString, exact: boolean) => T): T {
    this.skip();
    const start = this.at;
    const quoted = this.text[start] === '"';
    if (!quoted && this.peek() === "") throw this.error(start < this.text.length ? `expected ${what}` : "unexpected EOF");
    const pattern = this.word();
    try {
      return make(pattern, quoted);
    } catch (error) {
      if (error instanceof GlobError) throw this.error(error.message, start);
      throw error;
    }
  }

  readInclude(read: (inner: ScriptText) => void): void {
    const start = this.at;
    const file = this.word("file");
    const text = this.include?.(file);
    if (text === undefined) throw this.error(`cannot find linker script ${file}`, start);
    if (file === this.name || this.open.includes(file)) throw this.error("there is a cycle in linker script INCLUDEs", start);
    if (this.open.length >= INCLUDE_DEPTH) throw this.error("INCLUDE is nested too deeply", start);
    const inner = new ScriptText(text, file, 0, this.include, [...this.open, this.name]);
    for (inner.skip(); inner.at < text.length; inner.skip()) read(inner);
  }

  readNumber(names: Record<string, number>, what: string): number {
    this.skip();
    const start = this.at;
    const word = this.plainName(what);
    if (Object.hasOwn(names, word)) return names[word]!;
    if (/^(0x[0-9a-fA-F]+|[0-9]+)$/.test(word)) return Number(word);
    throw this.error(`invalid ${what}: ${word}`, start);
  }
}
