/**
 * Expressions of --defsym and of layout scripts: text → tree, which script-value.ts evaluates.
 *
 * As in lld a number is decimal, 0x hexadecimal, or hexadecimal with H, and may end in K or M; a leading 0 means nothing.
 */
import type { ByteString } from "../args/link-options.ts";
import { scriptError, skipBlanks } from "./lexer.ts";
import type { ScriptError } from "./lexer.ts";

export type UnaryOperator = "-" | "~" | "!" | "+";
export type BinaryOperator = "*" | "/" | "%" | "+" | "-" | "<<" | ">>" | "<" | "<=" | ">" | ">=" | "==" | "!=" | "&" | "^" | "|" | "&&" | "||";
export type FunctionName = "DEFINED" | "ABSOLUTE" | "MAX" | "MIN" | "ALIGN" | "LOG2CEIL" | ScriptFunction;
/** Functions that need a layout. */
export type ScriptFunction = "BLOCK" | "NEXT" | "DATA_SEGMENT_ALIGN" | "DATA_SEGMENT_END" | "DATA_SEGMENT_RELRO_END";
/** Functions of an output section, or of a memory region. */
export type NameFunction = "ADDR" | "LOADADDR" | "SIZEOF" | "ALIGNOF" | "ORIGIN" | "LENGTH" | "CONSTANT" | "SEGMENT_IS_GIVEN" | "SEGMENT_START";

export type Node =
  | { kind: "number"; value: bigint }
  | { kind: "symbol"; name: ByteString; offset: number }
  | { kind: "unary"; op: UnaryOperator; a: Node }
  | { kind: "binary"; op: BinaryOperator; a: Node; b: Node; offset: number }
  | { kind: "choice"; condition: Node; yes: Node; no: Node }
  | { kind: "call"; name: FunctionName; args: Node[]; offset: number }
  // only where there is a layout
  | { kind: "dot" }
  | { kind: "headers" }
  | { kind: "name"; fn: NameFunction; name: ByteString; offset: number }
  | { kind: "assert"; condition: Node; message: ByteString };

export interface Expr {
  root: Node;
  /** Symbols it mentions, each once, in order; without those only asked for by DEFINED. */
  symbols: ByteString[];
  text: ByteString;
  /** Of the file or option, for errors. */
  name: ByteString;
  /** Where it begins in `text`. */
  offset: number;
}

/** Binary operators from loosest to tightest: at which level. */
const LEVEL_OF: ReadonlyMap<string, number> = new Map(([
  ["||"],
  ["&&"],
  ["|"],
  ["^"],
  ["&"],
  ["==", "!="],
  ["<", "<=", ">", ">="],
  ["<<", ">>"],
  ["+", "-"],
  ["*", "/", "%"],
] as const).flatMap((operators, level) => operators.map((operator) => [operator, level] as const)));

const ARITY: Record<FunctionName, readonly number[]> = {
  DEFINED: [1], ABSOLUTE: [1], MAX: [2], MIN: [2], ALIGN: [1, 2], LOG2CEIL: [1], BLOCK: [1, 2], NEXT: [1], DATA_SEGMENT_ALIGN: [2], DATA_SEGMENT_END: [1], DATA_SEGMENT_RELRO_END: [2],
};
const NAME_FUNCTIONS = new Set<string>(["ADDR", "LOADADDR", "SIZEOF", "ALIGNOF", "ORIGIN", "LENGTH", "CONSTANT"]);

/** Depth of the tree: the evaluator walks it by recursion. */
const DEPTH_LIMIT = 1000;

const OPERATORS: ReadonlySet<string> = new Set("<< >> <= >= == != && || + - * / % < > & ^ | ~ ! ? : ( ) ,".split(" "));

interface Lexeme {
  kind: "number" | "word" | "operator" | "end";
  text: ByteString;
  offset: number;
  end: number;
}

interface Reader {
  text: ByteString;
  name: ByteString;
  /** End of the last lexeme taken. */
  at: number;
  ahead: Lexeme | null;
  depth: number;
  symbols: Set<ByteString>;
}

/** What errors call the source of an expression that no script has. */
const OPTION = "--defsym";

/** That of an option. Throws ScriptError. */
export function parseExpression(text: ByteString): Expr {
  const r: Reader = { text, name: OPTION, at: 0, ahead: null, depth: 0, symbols: new Set() };
  const root = readChoice(r);
  const rest = peek(r);
  if (rest.kind !== "end" || rest.offset < text.length) throw fail(r, `operator expected, but got ${rest.text}`, rest);
  return { root, symbols: [...r.symbols], text, name: OPTION, offset: 0 };
}

/** The expression of a layout script that begins at `offset`, and where it ends. `primary`: no operators outside parentheses. */
export function parseExpressionAt(text: ByteString, name: ByteString, offset: number, primary: boolean): { expr: Expr; end: number } {
  const r: Reader = { text, name, at: offset, ahead: null, depth: 0, symbols: new Set() };
  const root = primary ? readUnary(r) : readChoice(r);
  return { expr: { root, symbols: [...r.symbols], text, name, offset }, end: r.at };
}

const WORD = /[A-Za-z0-9_.$@\x80-\xff]+/y;

function scan(r: Reader): Lexeme {
  const { text, name } = r;
  const offset = skipBlanks(text, name, r.at);
  const lexeme = (kind: Lexeme["kind"], word: ByteString, end: number): Lexeme => ({ kind, text: word, offset, end });
  if (offset >= text.length) return lexeme("end", "end of expression", offset);
  if (text[offset] === '"') {
    const end = text.indexOf('"', offset + 1);
    if (end < 0) throw scriptError(text, name, offset, "unclosed quote");
    return lexeme("word", text.slice(offset + 1, end), end + 1);
  }
  WORD.lastIndex = offset;
  const word = WORD.exec(text)?.[0];
  if (word !== undefined) return lexeme(/^[0-9]/.test(word) ? "number" : "word", word, offset + word.length);
  const two = text.slice(offset, offset + 2);
  const operator = OPERATORS.has(two) ? two : two[0]!;
  if (OPERATORS.has(operator)) return lexeme("operator", operator, offset + operator.length);
  // What cannot be part of an expression ends it.
  return lexeme("end", text[offset] as string, offset);
}

function peek(r: Reader): Lexeme {
  return (r.ahead ??= scan(r));
}

function advance(r: Reader): void {
  r.at = peek(r).end;
  r.ahead = null;
}

function take(r: Reader, operator: string): boolean {
  const lexeme = peek(r);
  if (lexeme.kind !== "operator" || lexeme.text !== operator) return false;
  advance(r);
  return true;
}

function expect(r: Reader, operator: string): void {
  const lexeme = peek(r);
  if (!take(r, operator)) throw fail(r, `${operator} expected, but got ${lexeme.text}`, lexeme);
}

function fail(r: Reader, message: string, lexeme: Lexeme): ScriptError {
  return scriptError(r.text, r.name, lexeme.offset, message);
}

function nested<T>(r: Reader, read: () => T): T {
  if (++r.depth > DEPTH_LIMIT) throw fail(r, "expression is nested too deeply", peek(r));
  const result = read();
  r.depth--;
  return result;
}

function readChoice(r: Reader): Node {
  return nested(r, () => {
    const condition = readBinary(r, 0);
    if (!take(r, "?")) return condition;
    const yes = readChoice(r);
    expect(r, ":");
    return { kind: "choice", condition, yes, no: readChoice(r) };
  });
}

/** Climbs by precedence; a chain of equal operators leans left and is as deep as it is long, so it counts too. */
function readBinary(r: Reader, level: number): Node {
  let a = readUnary(r);
  let chained = 0;
  for (;;) {
    const lexeme = peek(r);
    const found = lexeme.kind === "operator" ? LEVEL_OF.get(lexeme.text) : undefined;
    if (found === undefined || found < level) break;
    advance(r);
    if (++r.depth > DEPTH_LIMIT) throw fail(r, "expression is nested too deeply", lexeme);
    chained++;
    const b = readBinary(r, found + 1);
    a = { kind: "binary", op: lexeme.text as BinaryOperator, a, b, offset: lexeme.offset };
  }
  r.depth -= chained;
  return a;
}

function readUnary(r: Reader): Node {
  const lexeme = peek(r);
  advance(r);
  if (lexeme.kind === "operator" && "-~!+".includes(lexeme.text)) return nested(r, () => ({ kind: "unary", op: lexeme.text as UnaryOperator, a: readUnary(r) }));
  if (lexeme.kind === "number") return { kind: "number", value: numberValue(r, lexeme) };
  if (lexeme.kind === "word") return isFunction(r, lexeme) && take(r, "(") ? readCall(r, lexeme) : symbol(r, lexeme);
  if (lexeme.kind === "operator" && lexeme.text === "(") {
    const inner = readChoice(r);
    expect(r, ")");
    return inner;
  }
  // lld's wording
  throw fail(r, lexeme.offset < r.text.length ? `malformed number: ${lexeme.text}` : `expression expected, but got ${lexeme.text}`, lexeme);
}

function symbol(r: Reader, lexeme: Lexeme): Node {
  if (r.text[lexeme.offset] !== '"') {
    if (lexeme.text === ".") return { kind: "dot" };
    if (lexeme.text === "SIZEOF_HEADERS") return { kind: "headers" };
  }
  r.symbols.add(lexeme.text);
  return { kind: "symbol", name: lexeme.text, offset: lexeme.offset };
}

/** X of DEFINED(X). */
export function askedName(node: Node & { kind: "call" }): ByteString {
  return (node.args[0] as Node & { kind: "symbol" }).name;
}

/** In a layout script a parenthesis behind a symbol belongs to what follows: `.bss start (NOLOAD) : …`. */
function isFunction(r: Reader, lexeme: Lexeme): boolean {
  if (r.text[lexeme.offset] === '"') return false;
  return NAME_FUNCTIONS.has(lexeme.text) || Object.hasOwn(ARITY, lexeme.text) || lexeme.text === "ASSERT" || lexeme.text === "SEGMENT_START";
}

function readCall(r: Reader, lexeme: Lexeme): Node {
  if (NAME_FUNCTIONS.has(lexeme.text)) return readNameCall(r, lexeme);
  if (lexeme.text === "ASSERT") return readAssert(r);
  if (lexeme.text === "SEGMENT_START") return readSegmentStart(r);
  const name = lexeme.text as FunctionName;
  const counts = ARITY[name];
  if (name === "DEFINED") {
    const asked = peek(r);
    if (asked.kind !== "word") throw fail(r, `symbol expected, but got ${asked.text}`, asked);
    advance(r);
    expect(r, ")");
    return { kind: "call", name, args: [{ kind: "symbol", name: asked.text, offset: asked.offset }], offset: lexeme.offset };
  }
  const args = [readChoice(r)];
  while (take(r, ",")) args.push(readChoice(r));
  expect(r, ")");
  if (!counts.includes(args.length)) throw fail(r, `${name} takes ${counts.join(" or ")} arguments`, lexeme);
  return { kind: "call", name, args, offset: lexeme.offset };
}

/** `SIZEOF( name )`: the name of a section may hold characters that are operators elsewhere. */
function readNameCall(r: Reader, lexeme: Lexeme): Node {
  const start = skipBlanks(r.text, r.name, r.at);
  const quoted = r.text[start] === '"';
  const end = quoted ? r.text.indexOf('"', start + 1) : start + /^[^ \t-\r()]*/.exec(r.text.slice(start, start + 4096))![0].length;
  const name = r.text.slice(quoted ? start + 1 : start, end);
  if (end < 0 || name === "") throw scriptError(r.text, r.name, start, end < 0 ? "unclosed quote" : "name expected");
  r.ahead = null;
  r.at = quoted ? end + 1 : end;
  expect(r, ")");
  return { kind: "name", fn: lexeme.text as NameFunction, name, offset: lexeme.offset };
}

/** `ASSERT( condition , "message" )`, behind its parenthesis. */
function readAssert(r: Reader): Node {
  const condition = readChoice(r);
  expect(r, ",");
  const message = peek(r);
  if (message.kind !== "word") throw fail(r, `message expected, but got ${message.text}`, message);
  advance(r);
  expect(r, ")");
  return { kind: "assert", condition, message: message.text };
}

/** `SEGMENT_START( name , default )`: what -Ttext-segment and the like say of the segment, else the default (GNU ld; in lld always the default). */
function readSegmentStart(r: Reader): Node {
  const { text: name, offset } = peek(r);
  advance(r);
  expect(r, ",");
  const no = readChoice(r);
  expect(r, ")");
  const node = (fn: NameFunction): Node => ({ kind: "name", fn, name, offset });
  return { kind: "choice", condition: node("SEGMENT_IS_GIVEN"), yes: node("SEGMENT_START"), no };
}

/** GNU ld's suffixes; but a leading 0 means nothing (lld). */
function numberValue(r: Reader, lexeme: Lexeme): bigint {
  const form = /^(?!0[xX]$)(?:0[xX]([0-9a-fA-F]+)|([0-9][0-9a-fA-F]*)[hHxX]|([0-7]+)[oO]|([01]+)[bB]|([0-9]+)[dD]?)([kKmM]?)$/.exec(lexeme.text);
  if (!form) throw fail(r, `malformed number: ${lexeme.text}`, lexeme);
  const [, hex, hexH, octal, binary, decimal, suffix] = form;
  const digits = (hex ?? hexH ?? octal ?? binary ?? decimal)!;
  const prefix = decimal !== undefined ? "" : binary !== undefined ? "0b" : octal !== undefined ? "0o" : "0x";
  const scale = suffix === "" ? 1n : suffix === "k" || suffix === "K" ? 1024n : 1024n * 1024n;
  if (digits.length > 64) throw fail(r, `number is too large: ${lexeme.text}`, lexeme);
  const value = BigInt(prefix + digits) * scale;
  if (value >> 64n) throw fail(r, `number is too large: ${lexeme.text}`, lexeme);
  return value;
}

/** Calls `visit` for every node of the tree. */
export function eachNode(node: Node, visit: (node: Node) => void): void {
  visit(node);
  if (node.kind === "unary") eachNode(node.a, visit);
  else if (node.kind === "binary") for (const child of [node.a, node.b]) eachNode(child, visit);
  else if (node.kind === "choice") for (const child of [node.condition, node.yes, node.no]) eachNode(child, visit);
  else if (node.kind === "call") for (const child of node.args) eachNode(child, visit);
  else if (node.kind === "assert") eachNode(node.condition, visit);
}
