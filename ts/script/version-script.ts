/**
 * Version scripts: `V1 { global: foo; extern "C++" { std::*; }; local: *; } V0;` → VersionNode[].
 *
 * Only the text: which symbol gets which version is set-visibility. Patterns are checked here, where file and line are known.
 */
import type { ByteString, SymbolPattern, VersionNode } from "../args/link-options.ts";
import { Glob, GlobError, hasWildcard } from "./glob.ts";
import { Lexer } from "./lexer.ts";
import type { Token } from "./lexer.ts";

/** Throws ScriptError. The anonymous node has the name "". */
export function parseVersionScript(text: ByteString, name: ByteString): VersionNode[] {
  const lexer = new Lexer(text, name, "version");
  const nodes: VersionNode[] = [];
  const names = new Set<ByteString>();
  while (!lexer.atEnd()) readNode(lexer, nodes, names);
  return nodes;
}

/** Numbers of versions have 15 bits (VERSYM_VERSION), of which 0 and 1 mean something else. */
const MOST_NODES = 0x7fff - 1;

function readNode(lexer: Lexer, nodes: VersionNode[], names: Set<ByteString>): void {
  const anonymous = lexer.at("{");
  const first = lexer.peek();
  const name = anonymous ? "" : readName(lexer, "version name");
  if (name !== "" && names.has(name)) throw lexer.error(`version ${name} is defined twice`, first);
  if (nodes.length === MOST_NODES) throw lexer.error("too many versions", first);
  if (nodes.length > 0 && (anonymous || nodes[0]?.name === "")) {
    throw lexer.error("anonymous version definition is used in combination with other version definitions", first);
  }
  const node: VersionNode = { name, globals: [], locals: [], parents: [] };
  lexer.expect("{");
  readBody(lexer, node.globals, node.locals);
  while (!lexer.at(";")) node.parents.push(readName(lexer, "parent version or ;"));
  lexer.expect(";");
  nodes.push(node);
  names.add(name);
}

function readName(lexer: Lexer, what: string): ByteString {
  const token = lexer.next();
  if (!token.quoted && /^[{};:]$/.test(token.text)) throw lexer.error(`${what} expected, but got ${token.text}`, token);
  return token.text;
}

/**
 * Everything between `{` and `}`, which it takes too. Names before any `global:` or `local:` are global.
 * `locals` undefined: `local:` is an error (dynamic lists).
 */
export function readBody(lexer: Lexer, globals: SymbolPattern[], locals?: SymbolPattern[]): void {
  let list = globals;
  while (!lexer.take("}")) {
    const token = lexer.next();
    if (!token.quoted && lexer.at(":")) {
      list = scope(lexer, token, globals, locals);
      lexer.expect(":");
      continue;
    }
    if (!token.quoted && token.text === "extern" && !lexer.at(";") && !lexer.at("}")) readExtern(lexer, list);
    else list.push(readPattern(lexer, token, false));
    lexer.expect(";");
  }
}

function scope(lexer: Lexer, token: Token, globals: SymbolPattern[], locals: SymbolPattern[] | undefined): SymbolPattern[] {
  if (token.text === "global") return globals;
  if (token.text !== "local") throw lexer.error(`global: or local: expected, but got ${token.text}:`, token);
  if (locals === undefined) throw lexer.error('"local:" scope not supported in --dynamic-list', token);
  return locals;
}

/** `extern "C++" { a; b; }`, without the `;` after it. */
function readExtern(lexer: Lexer, list: SymbolPattern[]): void {
  const language = lexer.next();
  if (language.text !== "C" && language.text !== "C++") throw lexer.error(`Unknown language ${language.text}`, language);
  lexer.expect("{");
  while (!lexer.take("}")) {
    list.push(readPattern(lexer, lexer.next(), language.text === "C++"));
    if (!lexer.at("}")) lexer.expect(";");
  }
}

function readPattern(lexer: Lexer, token: Token, cxx: boolean): SymbolPattern {
  if (!token.quoted && /^[{};:]$/.test(token.text)) throw lexer.error(`symbol name expected, but got ${token.text}`, token);
  const exact = token.quoted || !hasWildcard(token.text);
  try {
    if (!exact) new Glob(token.text);
  } catch (error) {
    if (error instanceof GlobError) throw lexer.error(error.message, token);
    throw error;
  }
  // Names are compared as LLVM writes them; GNU's tools, from which they are copied, have spaces there.
  return { pattern: cxx ? token.text.replaceAll(/> (?=>)/g, ">") : token.text, cxx, exact };
}
