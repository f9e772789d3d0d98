/**
 * What the linker says about symbols, relocations and objects: one constructor per message, lld's wording.
 *
 * Pure functions from names and places to messages; they read no tables (issues.ts does) and print nothing (print.ts does).
 * Places arrive made (place.ts); symbol names arrive demangled. Continuation lines begin with `>>>`.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Message, Place, SourcePlace, SourceRef } from "./message.ts";

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

/** `>>> referenced by SRC` / `>>>               OBJ`, aligned as lld does. */
function placeLines(lead: string, place: SourcePlace): ByteString {
  if (place.source === "") return `\n${lead}${place.text}`;
  return `\n${lead}${place.source}\n>>>${" ".repeat(lead.length - 3)}${place.text}`;
}

/** `\n>>> defined in FILE` / `\n>>> referenced by …`. */
function definedAndReferenced(definedIn: Place, place: SourcePlace): ByteString {
  return `\n>>> defined in ${definedIn.text}${placeLines(">>> referenced by ", place)}`;
}

/** What is not known is left out. */
const known = (symbol: ByteString): { symbol?: ByteString } => (symbol === "" ? {} : { symbol });

// ---- symbols ----

/** Lines that help, and what they say in one. */
export interface Hint {
  lines: ByteString;
  hint: ByteString;
}

export interface UndefinedText {
  /** "", "hidden ", "protected ", "internal " */
  visibility: string;
  symbol: ByteString;
  rawSymbol: ByteString;
  references: SourcePlace[];
  /** References beyond those listed. */
  more: number;
  hints: Hint[];
}

export function undefinedSymbol({ visibility, symbol, rawSymbol, references: places, more, hints }: UndefinedText): Message {
  return {
    code: "UNDEFINED_SYMBOL",
    text: `undefined ${visibility}symbol: ${symbol}${references(places, more)}${hints.map(({ lines }) => lines).join("")}`,
    symbol,
    rawSymbol,
    ...refsOf(places),
    ...(hints.length === 0 ? {} : { hint: hints.map(({ hint }) => hint).join("\n") }),
  };
}

export function references(places: SourcePlace[], more: number): ByteString {
  const listed = places.map((place) => placeLines(">>> referenced by ", place)).join("");
  return more > 0 ? `${listed}\n>>> referenced ${more} more times` : listed;
}

/** The places that a message lists; the first is what it is about. */
export function refsOf(places: readonly Place[]): { at?: SourceRef; references?: SourceRef[] } {
  return places.length === 0 ? {} : { at: places[0]!.ref, references: places.map(({ ref }) => ref) };
}

export function didYouMean(before: string, symbol: ByteString, after: string, definedIn: ByteString): Hint {
  const hint = `did you mean${before}${symbol}${after}`;
  return { hint, lines: `\n>>> ${hint}${definedIn === "" ? "" : `\n>>> defined in: ${definedIn}`}` };
}

export const oneLine = (hint: string): Hint => ({ hint, lines: `\n>>> ${hint}` });

export const vtableHint = (): Hint =>
  oneLine("the vtable symbol may be undefined because the class is missing its key function (see https://lld.llvm.org/missingkeyfunction)");

export const startStopHint = (): Hint =>
  oneLine("the encapsulation symbol needs to be retained under --gc-sections properly; consider -z nostart-stop-gc (see https://lld.llvm.org/ELF/start-stop-gc)");

export function undefinedInSharedObject(symbol: ByteString, file: Place): Message {
  return { code: "UNDEFINED_SYMBOL", text: `undefined reference: ${symbol}\n>>> referenced by ${file.text} (disallowed by --no-allow-shlib-undefined)`, symbol, ...refsOf([file]) };
}

export function notExportedToSharedObject(symbol: ByteString, definedIn: Place, file: Place): Message {
  return { code: "UNDEFINED_SYMBOL", text: `non-exported symbol '${symbol}' in '${definedIn.text}' is referenced by DSO '${file.text}'`, symbol, ...refsOf([file]) };
}

/** -z force-ibt, -z cet-report: an input that lacks a feature. `feature`: GNU_PROPERTY_… */
export function missingProperty(file: Place, option: string, feature: string): Message {
  return { code: "OTHER", text: `${file.text}: ${option}: file does not have ${feature} property`, at: file.ref };
}

export function corruptProperty(file: Place, what: string): Message {
  const section = ".note.gnu.property";
  return { code: "BAD_OBJECT", text: `${file.text}:(${section}): ${what}`, at: { ...file.ref, section } };
}

export function versionScriptUndefined(version: ByteString, symbol: ByteString): Message {
  return { code: "UNDEFINED_SYMBOL", text: `version script assignment of '${version}' to symbol '${symbol}' failed: symbol not defined`, symbol };
}

export function versionReassigned(symbol: ByteString, from: ByteString, to: ByteString): Message {
  return { code: "OTHER", text: `attempt to reassign symbol '${symbol}' of ${from} to ${to}`, symbol };
}

/** A definition called name@V or name@@V in a shared object whose version script has no V. */
export function undefinedSymbolVersion(file: Place, symbol: ByteString, version: ByteString): Message {
  return { code: "OTHER", text: `${file.text}: symbol ${symbol} has undefined version ${version}`, symbol, at: file.ref };
}

export function duplicateSymbol(symbol: ByteString, ...places: [SourcePlace, SourcePlace]): Message {
  const said = (shown: SourcePlace[]): Message => ({
    code: "DUPLICATE_SYMBOL",
    text: `duplicate symbol: ${symbol}${shown.map((place) => placeLines(">>> defined at ", place)).join("")}`,
    symbol,
    ...refsOf(shown),
  });
  return { ...said(places), parts: places.map((place) => said([place])) };
}

/** Either definition has no section (absolute, --defsym). */
export function duplicateSymbolInFiles(symbol: ByteString, first: Place, second: Place): Message {
  return { code: "DUPLICATE_SYMBOL", text: `duplicate symbol: ${symbol}\n>>> defined in ${first.text}\n>>> defined in ${second.text}`, symbol, ...refsOf([first, second]) };
}

/** --warn-common: a common symbol met another one, or a definition that counts instead. */
export function commonSymbol(symbol: ByteString, overridden: boolean): Message {
  return { code: "OTHER", text: overridden ? `common ${symbol} is overridden` : `multiple common of ${symbol}`, symbol };
}

/** Thread-local in one file, not in the other. */
export function tlsAttribute(symbol: ByteString, definedIn: Place, file: Place): Message {
  return { code: "BAD_OBJECT", text: `TLS attribute mismatch: ${symbol}\n>>> in ${definedIn.text}\n>>> in ${file.text}`, symbol, ...refsOf([definedIn, file]) };
}

/** Type and section contradict each other. */
export function tlsSection(file: Place, symbol: ByteString): Message {
  return { code: "BAD_OBJECT", text: `${file.text} has an STT_TLS symbol but doesn't have an SHF_TLS section: ${symbol}`, symbol, at: file.ref };
}

export interface DiscardedText {
  symbol: ByteString;
  /** Name of the section when the symbol is a section symbol, else "". */
  section: ByteString;
  definedIn: Place;
  /** COMDAT signature, "" when unknown. */
  signature: ByteString;
  prevailing: ByteString;
  /** The definition that counted while files were read is the discarded one. */
  mixed: boolean;
  references: SourcePlace[];
  more: number;
}

const MIXED_BINDINGS =
  "\n>>> or the symbol in the prevailing group is weak and the one in the discarded copy is not: bindings must not be mixed";

export function discardedReference(text: DiscardedText): Message {
  const what =
    text.section !== ""
      ? `relocation refers to a discarded section: ${text.section}`
      : `relocation refers to a symbol in a discarded section: ${text.symbol}`;
  const group =
    text.signature === ""
      ? ""
      : `\n>>> section group signature: ${text.signature}\n>>> prevailing definition is in ${text.prevailing}${text.mixed ? MIXED_BINDINGS : ""}`;
  return {
    code: "DISCARDED_SECTION",
    text: `${what}\n>>> defined in ${text.definedIn.text}${group}${references(text.references, text.more)}`,
    ...known(text.symbol),
    ...referring(text.definedIn, text.references),
  };
}

/** About the places that refer; the file that defines is listed, too. */
function referring(definedIn: Place, places: readonly Place[]): { at?: SourceRef; references: SourceRef[] } {
  return { at: places[0]?.ref ?? definedIn.ref, references: [definedIn.ref, ...places.map(({ ref }) => ref)] };
}

/** -r and --emit-relocs: the relocation is kept, but no longer means anything. `section`: the one it is in. */
export function copiedDiscarded(target: ByteString, file: Place, section: ByteString, offset: number): Message {
  const at = { ...file.ref, section: `.rela${section}`, offset };
  return { code: "DISCARDED_SECTION", text: `relocation refers to a discarded section: ${target}\n>>> referenced by ${file.text}:(${at.section}+${hex(offset)})`, at, references: [at] };
}

// ---- relocations; `at` is `a.o:(function f: .text+0x3)` ----

export interface RangeText {
  at: Place;
  type: string;
  value: bigint;
  min: bigint;
  max: bigint;
  /** Demangled; "" for a section symbol. */
  symbol: ByteString;
  section: ByteString;
  /** null = not worth saying. */
  definedIn: Place | null;
  /** Source line of `at`, null when it is not known. */
  source: Place | null;
  debug: boolean;
  large: boolean;
  /** What helps; "" = nothing to say. */
  advice?: ByteString;
}

export function relocationOutOfRange({ at, type, value, min, max, symbol, section, definedIn, source, debug, large, advice = "" }: RangeText): Message {
  const definition = symbol === "" ? null : definedIn;
  let hint = "";
  if (symbol !== "") hint += `; references '${symbol}'`;
  else if (section !== "") hint += `; references section '${section}'`;
  if (large && type === "R_X86_64_PC32") hint += "; R_X86_64_PC32 should not reference a section marked SHF_X86_64_LARGE";
  if (source !== null) hint += `\n>>> referenced by ${source.text}`;
  if (definition !== null) hint += `\n>>> defined in ${definition.text}`;
  if (debug) hint += "; consider recompiling with -fdebug-types-section to reduce size of debug sections";
  if (advice !== "") hint += `\n>>> ${advice}`;
  const here = { ...at.ref, ...source?.ref, input: at.ref.input };
  return {
    code: "RELOCATION_OVERFLOW",
    text: `${at.text}: relocation ${type} out of range: ${value} is not in [${min}, ${max}]${hint}`,
    ...known(symbol),
    at: here,
    references: definition === null ? [here] : [here, definition.ref],
    ...(advice === "" ? {} : { hint: advice }),
  };
}

/** A relocation that is wrong where it is. */
/** A relocation, and what is wrong with it. */
export const badRelocation = (at: Place, what: string): Message => ({ code: "RELOCATION", text: `${at.text}: ${what}`, at: at.ref });

export function unknownRelocation(at: Place, r_type: number, symbol: ByteString): Message {
  return { ...badRelocation(at, `unknown relocation (${r_type}) against symbol ${symbol}`), ...known(symbol) };
}

export function relocationOffset(at: Place, type: string): Message {
  return badRelocation(at, `relocation ${type} is outside its section`);
}

export function relocationSymbol(file: Place, at: Place, type: string, index: number): Message {
  return { code: "RELOCATION", text: `${file.text}: invalid symbol index ${index} in relocation ${type}\n>>> referenced by ${at.text}`, ...refsOf([at]) };
}

const against = (symbol: ByteString): ByteString => (symbol === "" ? "local symbol" : `symbol '${symbol}'`);

/** A relocation that this output cannot have, said in one line; who defines the symbol and who refers to it follow. */
function impossible(what: string, symbol: ByteString, definedIn: Place, place: SourcePlace): Message {
  return { code: "RELOCATION", text: what + definedAndReferenced(definedIn, place), ...known(symbol), ...referring(definedIn, [place]) };
}

export function recompileWithPic(type: string, symbol: ByteString, definedIn: Place, place: SourcePlace): Message {
  return impossible(`relocation ${type} cannot be used against ${against(symbol)}; recompile with -fPIC`, symbol, definedIn, place);
}

export function notWithShared(type: string, symbol: ByteString, definedIn: Place, place: SourcePlace): Message {
  return impossible(`relocation ${type} against ${symbol === "" ? "local symbol" : symbol} cannot be used with -shared; recompile with -fPIC`, symbol, definedIn, place);
}

/** `at` is `a.o:(.text)`. */
export function splitStackPrologue(at: Place, caller: ByteString, callee: ByteString): Message {
  return badObject(at, `${caller} (with -fsplit-stack) calls ${callee} (without -fsplit-stack), but couldn't adjust its prologue`);
}

export function noMorestack(): Message {
  const symbol = "__morestack_non_split";
  return { code: "UNDEFINED_SYMBOL", text: `mixing split-stack objects requires a definition of ${symbol}`, symbol };
}

export function splitStackRelocatable(): Message {
  return { code: "INCOMPATIBLE_FILE", text: "cannot mix split-stack and non-split-stack in a relocatable link" };
}

export function noCopyRelocation(type: string, symbol: ByteString, definedIn: Place, place: SourcePlace): Message {
  return impossible(`unresolvable relocation ${type} against symbol '${symbol}'; recompile with -fPIC or remove '-z nocopyreloc'`, symbol, definedIn, place);
}

/** A relative relocation to an absolute symbol in output that moves. */
export function absoluteSymbol(type: string, symbol: ByteString, definedIn: Place, place: SourcePlace): Message {
  return impossible(`relocation ${type} cannot refer to absolute symbol: ${symbol}`, symbol, definedIn, place);
}

export function nonAbsoluteInUnloaded(at: Place, type: string, symbol: ByteString): Message {
  return { ...badRelocation(at, `has non-ABS relocation ${type} against symbol '${symbol}'`), ...known(symbol) };
}

export function noSizeToCopy(symbol: ByteString, definedIn: Place): Message {
  return { code: "RELOCATION", text: `cannot create a copy relocation for symbol ${symbol}: it has no size\n>>> defined in ${definedIn.text}`, symbol, ...refsOf([definedIn]) };
}

export function cannotPreempt(symbol: ByteString, definedIn: Place, place: SourcePlace): Message {
  return impossible(`cannot preempt symbol: ${symbol}`, symbol, definedIn, place);
}

export function tlsMismatch(type: string, isTls: boolean, symbol: ByteString, definedIn: Place, place: SourcePlace): Message {
  return impossible(`relocation ${type} cannot be used against ${isTls ? "TLS" : "non-TLS"} ${against(symbol)}`, symbol, definedIn, place);
}

// ---- objects ----

/** A file, section or place of an object, and what is wrong there. */
export function badObject(at: Place, what: ByteString): Message {
  return { code: "BAD_OBJECT", text: `${at.text}: ${what}`, at: at.ref };
}

export const SECTION_HEADERS_END = "section table goes past the end of file";

export function sectionHeadersStart(e_shoff: number | bigint): string {
  return `section header table goes past the end of the file: e_shoff = ${hex(e_shoff)}`;
}

/** A symbol of a shared object whose version index means nothing. */
export function versionIndex(defined: boolean, index: number, symbol: ByteString, file: Place): Message {
  return {
    code: "BAD_OBJECT",
    text: `corrupt input file: version ${defined ? "definition" : "need"} index ${index} for symbol ${symbol} is out of bounds\n>>> defined in ${file.text}`,
    symbol,
    ...refsOf([file]),
  };
}

export function sectionOutsideFile(index: number, offset: number, size: number, fileBytes: number): ByteString {
  return (
    `section [index ${index}] has a sh_offset (${hex(offset)}) + sh_size (${hex(size)}) ` +
    `that is greater than the file size (${hex(fileBytes)})`
  );
}

/** A table whose entries have not the size they must have, or that does not consist of whole ones. */
export function entrySize(index: number, expected: number, sh_entsize: number, sh_size: number): string {
  return sh_entsize !== expected
    ? `section [index ${index}] has invalid sh_entsize: expected ${expected}, but got ${sh_entsize}`
    : `section [index ${index}] has an invalid sh_size (${sh_size}) which is not a multiple of its sh_entsize (${expected})`;
}

export function sectionNameOutside(index: number, sh_name: number): string {
  return `a section [index ${index}] has an invalid sh_name (${hex(sh_name)}) offset which goes past the end of the section name string table`;
}

export function corruptEhFrame(what: string, at: Place): Message {
  return { code: "BAD_OBJECT", text: `corrupted .eh_frame: ${what}\n>>> defined in ${at.text}`, ...refsOf([at]) };
}

export function unknownFdeEncoding(at: Place): Message {
  return { code: "BAD_OBJECT", text: `unknown FDE size encoding\n>>> defined in ${at.text}`, ...refsOf([at]) };
}

/** lld's words, which begin with the section instead of the file. */
export function linkOrderKind(section: ByteString, at: Place, target: ByteString): Message {
  return { code: "BAD_OBJECT", text: `a section ${section} with SHF_LINK_ORDER should not refer a non-regular section: ${target}`, at: at.ref };
}

export function moreProblems(count: number): ByteString {
  return `${count} more problems of the same kinds were not kept`;
}
