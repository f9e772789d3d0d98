/**
 * Words of linker scripts, version scripts and dynamic lists, and the errors that point at them.
 *
 * Not for expressions: those have operators (expression.ts). The surprise: what may be part of a word differs by file kind. In a
 * version script a single `:` ends a word but `::` is part of it (`std::foo*`); in a linker script a word is a file name.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Message, Place } from "../diagnostics/message.ts";

/** A problem in a script, said completely: with file:line and the line itself. */
export class ScriptError extends Error {
  readonly said: Message;

  constructor(said: Message) {
    super(said.text);
    this.said = said;
  }
}

export interface Token {
  /** Without quotes; "" is a quoted empty word, never the end of the file. */
  text: ByteString;
  quoted: boolean;
  /** Bytes from the start of the text. */
  offset: number;
  end: number;
}

export type LexerMode = "script" | "version";

/** Characters that are a token of their own. */
const PUNCTUATION: Record<LexerMode, string> = { script: "(){};,", version: "{};:" };
/** What ends a word: searched for, because lists of symbols may have megabytes. */
const WORD_END: Record<LexerMode, RegExp> = { script: /[(){};," \n\t\r\f\v]|\/(?=\*)/g, version: /[{};:" \n\t\r\f\v]|\/(?=\*)/g };

export class Lexer {
  readonly text: ByteString;
  readonly name: ByteString;
  readonly #mode: LexerMode;
  #offset = 0;
  #ahead: Token | null | undefined;

  constructor(text: ByteString, name: ByteString, mode: LexerMode) {
    this.text = text;
    this.name = name;
    this.#mode = mode;
  }

  /** The next token, not taken; null at the end. */
  peek(): Token | null {
    if (this.#ahead === undefined) this.#ahead = this.#scan();
    return this.#ahead;
  }

  /** Takes the next token; the end of the file is an error. */
  next(): Token {
    const token = this.peek();
    if (token === null) throw this.error("unexpected EOF");
    this.#ahead = undefined;
    return token;
  }

  /** Goes on reading at this offset. */
  seek(offset: number): void {
    this.#offset = offset;
    this.#ahead = undefined;
  }

  atEnd(): boolean {
    return this.peek() === null;
  }

  /** Is the next token this unquoted text? */
  at(text: string): boolean {
    const token = this.peek();
    return token !== null && !token.quoted && token.text === text;
  }

  /** Takes the next token if it is this unquoted text. */
  take(text: string): boolean {
    if (!this.at(text)) return false;
    this.next();
    return true;
  }

  expect(text: string): Token {
    const token = this.peek();
    if (token === null) throw this.error("unexpected EOF");
    if (token.quoted || token.text !== text) throw this.error(`${text} expected, but got ${token.text}`, token);
    return this.next();
  }

  /** An error at a token, or at the end of the file. */
  error(message: string, token?: Token | null): ScriptError {
    return scriptError(this.text, this.name, token ? token.offset : this.text.length, message);
  }

  #scan(): Token | null {
    const { text } = this;
    const start = skipBlanks(text, this.name, this.#offset);
    const c = text[start];
    if (c === undefined) return null;
    if (c === '"') return this.#scanQuoted(start);
    this.#offset = PUNCTUATION[this.#mode].includes(c) ? start + 1 : this.#wordEnd(start);
    return { text: text.slice(start, this.#offset), quoted: false, offset: start, end: this.#offset };
  }

  #scanQuoted(start: number): Token {
    const end = this.text.indexOf('"', start + 1);
    if (end < 0) throw scriptError(this.text, this.name, start, "unclosed quote");
    this.#offset = end + 1;
    return { text: this.text.slice(start + 1, end), quoted: true, offset: start, end: end + 1 };
  }

  #wordEnd(start: number): number {
    const { text } = this;
    const end = WORD_END[this.#mode];
    for (end.lastIndex = start; end.test(text); end.lastIndex++) {
      const i = end.lastIndex - 1;
      if (text[i] !== ":" || text[i + 1] !== ":") return i;
    }
    return text.length;
  }
}

/** Where the next word begins: behind spaces and comments. */
export function skipBlanks(text: ByteString, name: ByteString, from: number): number {
  for (let at = from; ; ) {
    while (at < text.length && isSpace(text[at] as string)) at++;
    if (text.startsWith("/*", at)) {
      const end = text.indexOf("*/", at + 2);
      if (end < 0) throw scriptError(text, name, at, "unclosed comment");
      at = end + 2;
    } else if (text[at] === "#") {
      at = lineEndOf(text, at);
    } else {
      return at;
    }
  }
}

function isSpace(c: string): boolean {
  return c === " " || c === "\n" || c === "\t" || c === "\r" || c === "\f" || c === "\v";
}

/** The lines of a script as places. Counting goes on where it stopped, so asking in ascending order reads the text once. */
export class ScriptLines {
  readonly #text: ByteString;
  readonly #name: ByteString;
  #line = 0;
  /** Where the line `#line` begins, and where it ends: before the first line at first. */
  #start = 0;
  #end = -1;

  constructor(text: ByteString, name: ByteString) {
    this.#text = text;
    this.#name = name;
  }

  /** `name:line` of the byte at `offset`. */
  place(offset: number): Place {
    const at = visibleEnd(this.#text, offset);
    if (at < this.#start) [this.#line, this.#end] = [0, -1];
    while (this.#end < at) {
      this.#line++;
      this.#start = this.#end + 1;
      this.#end = lineEndOf(this.#text, this.#start);
    }
    const line = this.#line;
    return { text: `${this.#name}:${line}`, ref: { input: this.#name, file: this.#name, line } };
  }
}

/** `name:line` of the byte at `offset`. */
export function placeInScript(text: ByteString, name: ByteString, offset: number): Place {
  return new ScriptLines(text, name).place(offset);
}

/** The end of the file is shown as the end of its last line. */
function visibleEnd(text: ByteString, offset: number): number {
  let at = Math.min(offset, text.length);
  if (at === text.length) while (at > 0 && isSpace(text[at - 1] as string)) at--;
  return at;
}

function lineEndOf(text: ByteString, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}


/** `name:line: message`, the line, and a caret under the offset. */
export function scriptError(text: ByteString, name: ByteString, offset: number, message: string): ScriptError {
  const at = visibleEnd(text, offset);
  const lineStart = at === 0 ? 0 : text.lastIndexOf("\n", at - 1) + 1;
  const place = placeInScript(text, name, offset);
  const { shown, column } = excerpt(text.slice(lineStart, lineEndOf(text, at)), at - lineStart);
  const lines = [`${place.text}: ${printable(message)}`, shown, `${" ".repeat(column)}^`, ...encodingOf(text)];
  return new ScriptError({ code: "BAD_SCRIPT", text: lines.join("\n>>> "), at: place.ref });
}

/** A line about files that editors have saved in a way that scripts are not read. */
function encodingOf(text: ByteString): string[] {
  const encoding = text.startsWith("\xef\xbb\xbf") ? "UTF-8" : /^(\xff\xfe|\xfe\xff)/.test(text) ? "UTF-16" : "";
  return encoding === "" ? [] : [`it begins with a byte order mark (${encoding}), which scripts must not have`];
}

const EXCERPT_BYTES = 120;

/** Not more of a line than fits a screen: scripts may be binary junk. */
function excerpt(line: ByteString, column: number): { shown: string; column: number } {
  const from = column > EXCERPT_BYTES - 20 ? column - EXCERPT_BYTES / 2 : 0;
  const head = from > 0 ? "..." : "";
  const cut = line.slice(from, from + EXCERPT_BYTES);
  const tail = from + EXCERPT_BYTES < line.length ? "..." : "";
  return { shown: head + printable(cut) + tail, column: head.length + column - from };
}

/** Control characters as `?` (a tab as one space, so that the caret fits). Bytes from 0x80 stay: they may be UTF-8. */
function printable(text: ByteString): string {
  const clean = text.replace(/\t/g, " ").replace(/[\x00-\x09\x0b-\x1f\x7f]/g, "?");
  return clean.length > 400 ? clean.slice(0, 400) + "..." : clean;
}
