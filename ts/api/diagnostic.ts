/** What the linker says, as programs are told of it: its strings are bytes inside and UTF-8 here. */
import type { Message } from "../diagnostics/message.ts";
import { decoded } from "../memory/text.ts";
import type { Diagnostic, SourceRef } from "./types.ts";

function decodedRef(ref: SourceRef): SourceRef {
  return Object.fromEntries(Object.entries(ref).map(([key, value]) => [key, typeof value === "string" ? decoded(value) : value])) as unknown as SourceRef;
}

/** An option where a path was expected (pathWord in command-line.ts). */
const OPTION = /^cannot open \.\/-/;

export function diagnosticOf(severity: Diagnostic["severity"], { text, code, symbol, rawSymbol, library, at, references, hint }: Message): Diagnostic {
  return {
    severity,
    code,
    message: decoded(text) + (OPTION.test(text) ? '\n>>> inputs are files: options go into args, and a library is { lib: "c" }' : ""),
    ...(symbol === undefined ? {} : { symbol: decoded(symbol) }),
    ...(rawSymbol === undefined ? {} : { rawSymbol: decoded(rawSymbol) }),
    ...(library === undefined ? {} : { library: decoded(library) }),
    ...(at === undefined ? {} : { at: decodedRef(at) }),
    ...(references === undefined || references.length === 0 ? {} : { references: references.map(decodedRef) }),
    ...(hint === undefined ? {} : { hint: decoded(hint) }),
  };
}
