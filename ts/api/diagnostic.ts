/**
 * A message as data: code, symbol, places.
 *
 * Reads finished messages, whose shape is fixed (diagnostics/messages.ts: a first line, then lines that begin with `>>>`), so
 * that what a program is told never differs from what is printed. The first row of CODES that fits the first line counts; a
 * message that no row knows has the code OTHER and loses nothing else.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Subject } from "../diagnostics/print.ts";
import { decoded } from "../memory/text.ts";
import type { Diagnostic, DiagnosticCode, SourceRef } from "./types.ts";

/** First line → code; the group, where there is one, is the symbol. */
const CODES: readonly (readonly [RegExp, DiagnosticCode])[] = [
  [/^undefined (?:\w+ )?symbol: (.*)$/, "UNDEFINED_SYMBOL"],
  [/^undefined reference: (.*)$/, "UNDEFINED_SYMBOL"],
  [/^required symbol not defined: (.*)$/, "UNDEFINED_SYMBOL"],
  [/^non-exported symbol '(.*?)' in /, "UNDEFINED_SYMBOL"],
  [/^duplicate symbol: (.*)$/, "DUPLICATE_SYMBOL"],
  [/^cannot write output file|^cannot open (?:-|output)/, "OUTPUT"],
  [/^cannot open |: could not get the member |^cannot find (?:linker|version) script/, "FILE_NOT_FOUND"],
  [/^unable to find library|: unable to find library/, "LIBRARY_NOT_FOUND"],
  [/^unable to find |^cannot find .* inside /, "FILE_NOT_FOUND"],
  [/ is incompatible with |^attempted static link of dynamic object/, "INCOMPATIBLE_FILE"],
  [/: (?:file is empty|unknown file type|not an ELF file|neither a relocatable object nor a shared object|file is too short for an ELF header)$/, "UNKNOWN_FILE"],
  [/: LLVM bitcode \(compiled with -flto\)|: archive member is LLVM bitcode/, "INCOMPATIBLE_FILE"],
  [/: failed to parse archive:/, "BAD_ARCHIVE"],
  [/: relocation \S+ out of range: (?:.*?references '(.*?)')?/, "RELOCATION_OVERFLOW"],
  [/^relocation refers to a (?:symbol in a )?discarded section: (.*)$/, "DISCARDED_SECTION"],
  [/^(?:unresolvable )?relocation \S+ (?:cannot be used )?against (?:(?:non-)?TLS )?(?:symbol '(.*?)')?/, "RELOCATION"],
  [/^relocation \S+ cannot refer to absolute symbol: (.*)$/, "RELOCATION"],
  [/: (?:unknown relocation|relocation \S+ is outside its section|invalid symbol index|has non-ABS relocation)/, "RELOCATION"],
  [/^cannot (?:create a copy relocation for symbol (.*?): it has no size|preempt symbol: (.*))$/, "RELOCATION"],
  [/^(?:unknown (?:argument|option|emulation)|-\S+(?: and -\S+ may not be used together)|-\S+: )/, "BAD_OPTION"],
  [/^no input files$/, "NO_INPUT"],
  [/^cannot find entry symbol (\S+);/, "NO_ENTRY"],
  [/working memory$|^cannot reserve /, "OUT_OF_MEMORY"],
  [/^too many errors emitted/, "TOO_MANY_ERRORS"],
  [/^unable to place section|overlaps with |exceeds available address space|not contiguous with other relro|^section '.*' will not fit in region|^could not allocate headers/, "LAYOUT"],
  [/: (?:corrupt|section (?:\[index|table|header)|a section \[index|invalid |truncated|file is shorter)|^corrupted? /, "BAD_OBJECT"],
];

/** `a.o:(.text+0x4)`, `a.o:(main)`, `m.o:(function f: .text+0x1C) in archive lib.a`, `lib.a(m.o):(.data)`; else null. */
function objectRef(text: string): SourceRef | null {
  const match = /^(.*?):\((.*)\)(?: in archive (.*))?$/.exec(text);
  if (match === null) return null;
  const [, file = "", inside = "", archive] = match;
  const nested = /^(.*)\(([^()]*)\)$/.exec(file);
  const where = archive !== undefined ? { input: archive, member: file } : nested !== null ? { input: nested[1]!, member: nested[2]! } : { input: file };
  const section = /^(?:function (.*): )?(\S*)\+0x([0-9a-fA-F]+)$/.exec(inside);
  if (section !== null) return { ...where, section: section[2]!, offset: parseInt(section[3]!, 16), ...(section[1] === undefined ? {} : { function: section[1] }) };
  return inside.startsWith(".") ? { ...where, section: inside } : { ...where, function: inside };
}

/** `main.c:12 (/src/main.c:12)` or `main.c`. */
function sourceRef(text: string): Pick<SourceRef, "file" | "line"> {
  const match = /\((.*):(\d+)\)$/.exec(text) ?? /^(.*):(\d+)$/.exec(text);
  return match === null ? { file: text } : { file: match[1]!, line: Number(match[2]) };
}

const LEAD = /^>>> (?:referenced by|defined at|defined in|in) (.*)$/;

/** The places of `>>>` lines; a source line and the object below it are one. */
function places(lines: readonly string[]): SourceRef[] {
  const found: SourceRef[] = [];
  for (let i = 0; i < lines.length; i++) {
    const text = LEAD.exec(lines[i]!)?.[1];
    if (text === undefined || /^\d+ more times$/.test(text)) continue;
    const below = /^>>> {2,}(.*)$/.exec(lines[i + 1] ?? "")?.[1];
    const own = objectRef(text);
    if (own !== null) found.push(own);
    else if (below !== undefined) found.push({ ...(objectRef(below) ?? { input: below }), ...sourceRef(text) });
    else found.push(/:\d+$/.test(text) ? { input: "", ...sourceRef(text) } : { input: text });
  }
  return found;
}

/** What the first line says of a place: `a.o:(.text+0x3): …`, `script.ld:3: …`. */
function ownPlace(first: string): SourceRef | undefined {
  const inObject = /^(.+?:\([^()]*(?:\([^()]*\)[^()]*)*\)): /.exec(first);
  if (inObject !== null) return objectRef(inObject[1]!) ?? undefined;
  const inText = /^([^:\s]+):(\d+): /.exec(first);
  if (inText !== null) return { input: inText[1]!, file: inText[1]!, line: Number(inText[2]) };
  const inFile = /^(\S+?)(?:\((\S+)\))?: /.exec(first);
  return inFile === null || inFile[1]!.startsWith("-") ? undefined : { input: inFile[1]!, ...(inFile[2] === undefined ? {} : { member: inFile[2] }) };
}

/** `message`: of Diagnostics, without prefix. */
export function describe(severity: Diagnostic["severity"], message: ByteString, subject?: Subject): Diagnostic {
  const text = decoded(message);
  const [first = "", ...rest] = text.split("\n");
  const row = CODES.find(([pattern]) => pattern.test(first));
  const symbol = row?.[0].exec(first)?.slice(1).find((group) => group !== undefined && group !== "");
  const references = places(rest);
  const at = ownPlace(first) ?? references[0];
  const hints = rest.filter((line) => /^>>> (?:did you mean|the |unknown option)/.test(line)).map((line) => line.slice(4));
  const isScript = row === undefined && at?.line !== undefined && at.input !== "";
  return {
    severity,
    code: isScript ? "BAD_SCRIPT" : (row?.[1] ?? "OTHER"),
    message: text,
    ...(symbol === undefined ? {} : { symbol }),
    ...(subject?.tag === "undefined-symbol" ? { rawSymbol: decoded(subject.name) } : {}),
    ...(subject?.tag === "missing-lib" ? { library: decoded(subject.name) } : {}),
    ...(at === undefined ? {} : { at }),
    ...(references.length === 0 ? {} : { references }),
    ...(hints.length === 0 ? {} : { hint: hints.join("\n") }),
  };
}
