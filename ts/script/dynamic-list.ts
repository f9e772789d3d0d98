/**
 * Dynamic lists (--dynamic-list, --export-dynamic-symbol-list): `{ foo; extern "C++" { "a::b"; }; };` → SymbolPattern[].
 *
 * The same grammar as a version script without names, `local:` and parents.
 */
import type { ByteString, SymbolPattern } from "../args/link-options.ts";
import { Lexer } from "./lexer.ts";
import { readBody } from "./version-script.ts";

/** Throws ScriptError. Several lists in one file are one list. */
export function parseDynamicList(text: ByteString, name: ByteString): SymbolPattern[] {
  const lexer = new Lexer(text, name, "version");
  const patterns: SymbolPattern[] = [];
  if (lexer.atEnd()) throw lexer.error("unexpected EOF");
  do {
    lexer.expect("{");
    readBody(lexer, patterns);
    lexer.expect(";");
  } while (!lexer.atEnd());
  return patterns;
}
