/**
 * What the linker says about inputs: one constructor per message, lld's wording.
 *
 * Pure functions from names and places to text; they read no tables (issues.ts does) and print nothing (print.ts does).
 * Places arrive as finished text (place.ts); symbol names arrive demangled. Continuation lines begin with `>>>`.
 */
import type { ByteString } from "../args/link-options.ts";

/** A place in source and object: `src` is "" when no line is known. */
export interface PlaceText {
  src: ByteString;
  obj: ByteString;
}

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

/** `>>> referenced by SRC` / `>>>               OBJ`, aligned as lld does. */
function placeLines(lead: string, place: PlaceText): ByteString {
  if (place.src === "") return `\n${lead}${place.obj}`;
  return `\n${lead}${place.src}\n>>>${" ".repeat(lead.length - 3)}${place.obj}`;
}

/** `\n>>> defined in FILE` / `\n>>> referenced by …`. */
export function definedAndReferenced(definedIn: ByteString, place: PlaceText): ByteString {
  return `\n>>> defined in ${definedIn}${placeLines(">>> referenced by ", place)}`;
}

// ---- symbols ----

export interface UndefinedText {
  /** "", "hidden ", "protected ", "internal " */
  visibility: string;
  symbol: ByteString;
  references: PlaceText[];
  /** References beyond those listed. */
  more: number;
  /** Spelling suggestion and hints, each beginning with a newline, or "". */
  hints: ByteString;
}

export function undefinedSymbol(text: UndefinedText): ByteString {
  return `undefined ${text.visibility}symbol: ${text.symbol}${references(text.references, text.more)}${text.hints}`;
}

export function references(places: PlaceText[], more: number): ByteString {
  const listed = places.map((place) => placeLines(">>> referenced by ", place)).join("");
  return more > 0 ? `${listed}\n>>> referenced ${more} more times` : listed;
}

/** Undefined and referenced by no section: -u, --entry, a linker script. */
export function undefinedByOption(symbol: ByteString, by: ByteString): ByteString {
  return `undefined symbol: ${symbol}\n>>> referenced by ${by}`;
}

export function didYouMean(before: string, symbol: ByteString, after: string, definedIn: ByteString): ByteString {
  return `\n>>> did you mean${before}${symbol}${after}${definedIn === "" ? "" : `\n>>> defined in: ${definedIn}`}`;
}

export function vtableHint(): ByteString {
  return (
    "\n>>> the vtable symbol may be undefined because the class is missing its key function " +
    "(see https://lld.llvm.org/missingkeyfunction)"
  );
}

export function startStopHint(): ByteString {
  return (
    "\n>>> the encapsulation symbol needs to be retained under --gc-sections properly; " +
    "consider -z nostart-stop-gc (see https://lld.llvm.org/ELF/start-stop-gc)"
  );
}

export function undefinedInSharedObject(symbol: ByteString, file: ByteString): ByteString {
  return `undefined reference: ${symbol}\n>>> referenced by ${file} (disallowed by --no-allow-shlib-undefined)`;
}

export function notExportedToSharedObject(symbol: ByteString, definedIn: ByteString, file: ByteString): ByteString {
  return `non-exported symbol '${symbol}' in '${definedIn}' is referenced by DSO '${file}'`;
}

/** -z force-ibt, -z cet-report: an input that lacks a feature. `feature`: GNU_PROPERTY_… */
export function missingProperty(file: ByteString, option: string, feature: string): ByteString {
  return `${file}: ${option}: file does not have ${feature} property`;
}

export function corruptProperty(file: ByteString, what: string): ByteString {
  return `${file}:(.note.gnu.property): ${what}`;
}

export function versionScriptUndefined(version: ByteString, symbol: ByteString): ByteString {
  return `version script assignment of '${version}' to symbol '${symbol}' failed: symbol not defined`;
}

export function versionReassigned(symbol: ByteString, from: ByteString, to: ByteString): ByteString {
  return `attempt to reassign symbol '${symbol}' of ${from} to ${to}`;
}

/** A definition called name@V or name@@V in a shared object whose version script has no V. */
export function undefinedSymbolVersion(file: ByteString, symbol: ByteString, version: ByteString): ByteString {
  return `${file}: symbol ${symbol} has undefined version ${version}`;
}

export function duplicateSymbol(symbol: ByteString, first: PlaceText, second: PlaceText): ByteString {
  return `duplicate symbol: ${symbol}${placeLines(">>> defined at ", first)}${placeLines(">>> defined at ", second)}`;
}

/** Either definition has no section (absolute, --defsym). */
export function duplicateSymbolInFiles(symbol: ByteString, first: ByteString, second: ByteString): ByteString {
  return `duplicate symbol: ${symbol}\n>>> defined in ${first}\n>>> defined in ${second}`;
}

/** --warn-common: a common symbol met another one, or a definition that counts instead. */
export function commonSymbol(symbol: ByteString, overridden: boolean): ByteString {
  return overridden ? `common ${symbol} is overridden` : `multiple common of ${symbol}`;
}

/** Thread-local in one file, not in the other. */
export function tlsAttribute(symbol: ByteString, definedIn: ByteString, file: ByteString): ByteString {
  return `TLS attribute mismatch: ${symbol}\n>>> in ${definedIn}\n>>> in ${file}`;
}

/** Type and section contradict each other. */
export function tlsSection(file: ByteString, symbol: ByteString): ByteString {
  return `${file} has an STT_TLS symbol but doesn't have an SHF_TLS section: ${symbol}`;
}

export interface DiscardedText {
  symbol: ByteString;
  /** Name of the section when the symbol is a section symbol, else "". */
  section: ByteString;
  definedIn: ByteString;
  /** COMDAT signature, "" when unknown. */
  signature: ByteString;
  prevailing: ByteString;
  /** The definition that counted while files were read is the discarded one. */
  mixed: boolean;
  references: PlaceText[];
  more: number;
}

const MIXED_BINDINGS =
  "\n>>> or the symbol in the prevailing group is weak and the one in the discarded copy is not: bindings must not be mixed";

export function discardedReference(text: DiscardedText): ByteString {
  const what =
    text.section !== ""
      ? `relocation refers to a discarded section: ${text.section}`
      : `relocation refers to a symbol in a discarded section: ${text.symbol}`;
  const group =
    text.signature === ""
      ? ""
      : `\n>>> section group signature: ${text.signature}\n>>> prevailing definition is in ${text.prevailing}${text.mixed ? MIXED_BINDINGS : ""}`;
  return `${what}\n>>> defined in ${text.definedIn}${group}${references(text.references, text.more)}`;
}

/** -r and --emit-relocs: the relocation is kept, but no longer means anything. `section`: the one it is in. */
export function copiedDiscarded(target: ByteString, file: ByteString, section: ByteString, offset: number): ByteString {
  return `relocation refers to a discarded section: ${target}\n>>> referenced by ${file}:(.rela${section}+0x${offset.toString(16)})`;
}

// ---- relocations; `at` is `a.o:(function f: .text+0x3)` ----

export interface RangeText {
  at: ByteString;
  type: string;
  value: bigint;
  min: bigint;
  max: bigint;
  /** Demangled; "" for a section symbol. */
  symbol: ByteString;
  section: ByteString;
  definedIn: ByteString;
  src: ByteString;
  debug: boolean;
  large: boolean;
}

export function relocationOutOfRange(text: RangeText): ByteString {
  let hint = "";
  if (text.symbol !== "") hint += `; references '${text.symbol}'`;
  else if (text.section !== "") hint += `; references section '${text.section}'`;
  if (text.large && text.type === "R_X86_64_PC32") hint += "; R_X86_64_PC32 should not reference a section marked SHF_X86_64_LARGE";
  if (text.src !== "") hint += `\n>>> referenced by ${text.src}`;
  if (text.symbol !== "" && text.definedIn !== "") hint += `\n>>> defined in ${text.definedIn}`;
  if (text.debug) hint += "; consider recompiling with -fdebug-types-section to reduce size of debug sections";
  return `${text.at}: relocation ${text.type} out of range: ${text.value} is not in [${text.min}, ${text.max}]${hint}`;
}

export function unknownRelocation(at: ByteString, r_type: number, symbol: ByteString): ByteString {
  return `${at}: unknown relocation (${r_type}) against symbol ${symbol}`;
}

export function relocationOffset(at: ByteString, type: string): ByteString {
  return `${at}: relocation ${type} is outside its section`;
}

export function relocationSymbol(file: ByteString, at: ByteString, type: string, index: number): ByteString {
  return `${file}: invalid symbol index ${index} in relocation ${type}\n>>> referenced by ${at}`;
}

const against = (symbol: ByteString): ByteString => (symbol === "" ? "local symbol" : `symbol '${symbol}'`);

export function recompileWithPic(type: string, symbol: ByteString, definedIn: ByteString, place: PlaceText): ByteString {
  return `relocation ${type} cannot be used against ${against(symbol)}; recompile with -fPIC${definedAndReferenced(definedIn, place)}`;
}

export function notWithShared(type: string, symbol: ByteString, definedIn: ByteString, place: PlaceText): ByteString {
  return `relocation ${type} against ${symbol === "" ? "local symbol" : symbol} cannot be used with -shared${definedAndReferenced(definedIn, place)}`;
}

/** `at` is `a.o:(.text)`. */
export function splitStackPrologue(at: ByteString, caller: ByteString, callee: ByteString): ByteString {
  return `${at}: ${caller} (with -fsplit-stack) calls ${callee} (without -fsplit-stack), but couldn't adjust its prologue`;
}

export function noMorestack(): ByteString {
  return "mixing split-stack objects requires a definition of __morestack_non_split";
}

export function splitStackRelocatable(): ByteString {
  return "cannot mix split-stack and non-split-stack in a relocatable link";
}

export function noCopyRelocation(type: string, symbol: ByteString, definedIn: ByteString, place: PlaceText): ByteString {
  return (
    `unresolvable relocation ${type} against symbol '${symbol}'; recompile with -fPIC or remove '-z nocopyreloc'` +
    definedAndReferenced(definedIn, place)
  );
}

/** A relative relocation to an absolute symbol in output that moves. */
export function absoluteSymbol(type: string, symbol: ByteString, definedIn: ByteString, place: PlaceText): ByteString {
  return `relocation ${type} cannot refer to absolute symbol: ${symbol}${definedAndReferenced(definedIn, place)}`;
}

export function nonAbsoluteInUnloaded(at: ByteString, type: string, symbol: ByteString): ByteString {
  return `${at}: has non-ABS relocation ${type} against symbol '${symbol}'`;
}

export function noSizeToCopy(symbol: ByteString, definedIn: ByteString): ByteString {
  return `cannot create a copy relocation for symbol ${symbol}: it has no size\n>>> defined in ${definedIn}`;
}

export function cannotPreempt(symbol: ByteString, definedIn: ByteString, place: PlaceText): ByteString {
  return `cannot preempt symbol: ${symbol}${definedAndReferenced(definedIn, place)}`;
}

export function tlsMismatch(type: string, isTls: boolean, symbol: ByteString, definedIn: ByteString, place: PlaceText): ByteString {
  const kind = isTls ? "TLS" : "non-TLS";
  return `relocation ${type} cannot be used against ${kind} ${against(symbol)}${definedAndReferenced(definedIn, place)}`;
}

const TLS_SEQUENCE: Record<string, string> = {
  R_X86_64_GOTTPOFF: "R_X86_64_GOTTPOFF must be used in MOVQ or ADDQ instructions only",
  R_X86_64_GOTPC32_TLSDESC: "R_X86_64_GOTPC32_TLSDESC must be used in leaq x@tlsdesc(%rip), %REG",
  R_X86_64_TLSGD: "expected R_X86_64_PLT32 or R_X86_64_GOTPCRELX after R_X86_64_TLSGD",
  R_X86_64_TLSLD: "expected R_X86_64_PLT32 or R_X86_64_GOTPCRELX after R_X86_64_TLSLD",
};

export function tlsSequence(at: ByteString, type: string): ByteString {
  return `${at}: ${TLS_SEQUENCE[type] ?? `${type} is not part of a code sequence the psABI knows`}`;
}

// ---- objects ----

export function notAnElfFile(file: ByteString): ByteString {
  return `${file}: not an ELF file`;
}

export function corruptObject(file: ByteString, what: ByteString): ByteString {
  return `${file}: ${what}`;
}

export const SECTION_HEADERS_END = "section table goes past the end of file";

export function sectionHeadersStart(e_shoff: number | bigint): string {
  return `section header table goes past the end of the file: e_shoff = ${hex(e_shoff)}`;
}

/** A symbol of a shared object whose version index means nothing. */
export function versionIndex(defined: boolean, index: number, symbol: ByteString, file: ByteString): ByteString {
  return `corrupt input file: version ${defined ? "definition" : "need"} index ${index} for symbol ${symbol} is out of bounds\n>>> defined in ${file}`;
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

export function corruptEhFrame(what: string, at: ByteString): ByteString {
  return `corrupted .eh_frame: ${what}\n>>> defined in ${at}`;
}

/** .eh_frame_hdr says distances in 32 bits. */
export function hdrDistance(place: ByteString, what: string, distance: bigint): ByteString {
  return `${place}: ${what} is too large: 0x${distance.toString(16).toUpperCase()}`;
}

export function unknownFdeEncoding(at: ByteString): ByteString {
  return `unknown FDE size encoding\n>>> defined in ${at}`;
}

/** `place` is `a.o:(.rodata.str1.1)`. */
export function badMergeSection(place: ByteString, what: string): ByteString {
  return `${place}: ${what}`;
}

export function moreProblems(count: number): ByteString {
  return `${count} more problems of the same kinds were not kept`;
}

// ---- reports ----

export function removingUnusedSection(place: ByteString): ByteString {
  return `removing unused section ${place}`;
}
