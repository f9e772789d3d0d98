/**
 * Options under "Sections and layout" in --help: which sections are in the output, in which order, at which address.
 */
import type { ByteString, LinkOptions } from "../link-options.ts";
import { accept, choice, count, into, isGlob, named, onOff, option, parseHex, parseNumber, push, put } from "../option-row.ts";
import type { OptionRow, ParseState, Setter } from "../option-row.ts";
import { parseOutputOrder } from "../output-order.ts";

export const LAYOUT: OptionRow[] = [
  ...onOff("--gc-sections", "gcSections", "Leave out sections that nothing refers to", "Keep every section (default)"),
  option("--gc-keep-exported", "", "Keep global symbols that are not hidden", put("gcKeepExported", true)),
  ...onOff("--start-stop-gc", "startStopGc", "__start_X and __stop_X keep sections X only when nothing keeps any of them (default)", "They keep them all"),
  option("--print-gc-sections", "[=FILE]", "List what was left out, in FILE or on standard output", (s, v) => void (s.options.printGcSections = v || "-")),
  option("--no-print-gc-sections", "", "Do not list them (default)", put("printGcSections", "")),
  option("--start-stop", "", "__start_ and __stop_ of all loaded sections: __start_data_rel_ro", put("startStop", true)),
  option("--discard-sframe", "", "Leave out .sframe sections", (s) => void s.options.discardSections.push(/^\.sframe$/)),
  option("--discard-section", "=NAME", "Leave out the input sections NAME", (s, v) => void s.options.discardSections.push(namedExactly(v))),
  option("--no-discard-section", "=NAME", "Do not, after all", (s, v) => void (s.options.discardSections = s.options.discardSections.filter(({ source }) => source !== namedExactly(v).source))),
  ...onOff("--zero-to-bss", "zeroToBss", "Data sections of nothing but zeros take no space in the file", "They do (default)"),
  ...onOff("--relax", "relax", "Shorten code where the psABI allows it (default)", "Do not"),
  option("--fix-cortex-a53-843419", "", "AArch64 only", onlyFor("AArch64")),
  option("--fix-cortex-a8", "", "ARM only", onlyFor("ARM")),
  option("--be8 --cmse-implib", "", "ARM only", onlyFor("ARM")),
  option("--in-implib", "=FILE", "ARM only", (s, v, spelling) => onlyFor("ARM")(s, v, spelling.split("=")[0]!)),
  option("--toc-optimize", "", "PowerPC64 only", onlyFor("PowerPC64")),
  option("--pcrel-optimize", "", "PowerPC64 only", onlyFor("PowerPC64")),
  option("--relax-gp", "", "RISC-V only", onlyFor("RISC-V")),
  option("--execute-only", "", "AArch64 only", onlyFor("AArch64")),
  accept("--fix-cortex-a53-835769", "", "Ignored: AArch64 only"),
  option("--Ttext", "=ADDR", "Address of .text, hexadecimal", sectionStart(".text")),
  option("--Tdata", "=ADDR", "Address of .data", sectionStart(".data")),
  option("--Tbss", "=ADDR", "Address of .bss", sectionStart(".bss")),
  option("--section-start", "=NAME=ADDR", "Address of a section", setSectionStart),
  option("--section-align", "=NAME=N", "Alignment of a section, at least", setSectionAlign),
  option("--Ttext-segment", "=ADDR", "As --image-base, hexadecimal; and SEGMENT_START of a script", (s, v, spelling) => (setImageBase(s, parseHex(v), v, spelling), segmentStart("text-segment")(s, v, spelling))),
  option("--image-base", "=ADDR", "Address of the first byte of the output", (s, v, spelling) => setImageBase(s, parseNumber(v), v, spelling)),
  option("--physical-image-base", "=ADDR", "Load address of the image, where it differs from --image-base", (s, v, spelling) => setPhysicalBase(s, v, spelling)),
  option("--section-order", "=ITEMS", "Order and addresses of output sections: EHDR PHDR NAME TEXT RODATA DATA BSS =ADDRESS %ALIGNMENT !SYMBOL", (s, v) => void (s.options.outputOrder = parseOutputOrder(v, (text) => s.errors.push(`--section-order: ${text}`)))),
  option("--filler", "=BYTE", "Fill what no section covers with BYTE (default 0)", setFiller),
  option("--spare-program-headers", "=N", "Leave room for N more program headers (default 0)", (s, v) => void (s.options.spareProgramHeaders = Math.min(count(s, v, "--spare-program-headers"), 4096))),
  option("--Trodata-segment", "=ADDR", "What SEGMENT_START(\"rodata-segment\") of a script is", segmentStart("rodata-segment")),
  option("--Tldata-segment", "=ADDR", "What SEGMENT_START(\"ldata-segment\") of a script is", segmentStart("ldata-segment")),
  option("--omagic -N", "", "Writable code, no page alignment, no shared objects", (s) => void ((s.options.omagic = true), (s.now.static = true))),
  option("--no-omagic", "", "Undo --omagic (default), but for shared objects", put("omagic", false)),
  option("--nmagic -n", "", "No page alignment, no shared objects", (s) => void ((s.options.nmagic = true), (s.now.static = true))),
  option("--no-nmagic", "", "Undo --nmagic (default), but for shared objects", put("nmagic", false)),
  ...onOff("--rosegment", "rosegment", "Read-only data in a segment of its own (default)", "Read-only data may share the segment of the code"),
  option("--warn-rwx-segments", "", "Warn of segments that are writable and executable", put("rwxSegments", "warn")),
  option("--error-rwx-segments", "", "They are errors", put("rwxSegments", "error")),
  option("--no-warn-rwx-segments --no-error-rwx-segments", "", "They are neither (default)", put("rwxSegments", "none")),
  option("--warn-execstack", "", "Warn when the stack is executable", put("execstackNotice", "warn")),
  option("--warn-execstack-objects", "", "As --warn-execstack, but not when -z execstack asks for it", put("execstackNotice", "objects")),
  option("--error-execstack", "", "An executable stack is an error", put("execstackNotice", "error")),
  option("--no-warn-execstack --no-error-execstack", "", "It is neither, nor is an object that asks in vain", put("execstackNotice", "none")),
  ...onOff("--check-sections", "checkSections", "Sections may not overlap (default)", "They may"),
  option("--icf", "=KIND", "Fold identical sections: none, safe or all", choice("icf", { none: "none", safe: "safe", all: "all" }, "--icf value")),
  option("--keep-unique", "=SYMBOL", "Do not fold the section SYMBOL is defined in", push("keepUnique")),
  option("--ignore-data-address-equality", "", "Fold data whose address may be compared", put("ignoreDataAddressEquality", true)),
  option("--ignore-function-address-equality", "", "Addresses of functions need not be equal among modules", put("ignoreFunctionAddressEquality", true)),
  option("--no-icf", "", "As --icf=none", put("icf", "none")),
  option("--print-icf-sections", "[=FILE]", "List folded sections, in FILE or on standard output", (s, v) => void (s.options.printIcfSections = v || "-")),
  option("--no-print-icf-sections", "", "Do not list them (default)", put("printIcfSections", "")),
  option("--shuffle-sections", "[=GLOB=SEED]", "Random order of input sections (that match GLOB); SEED -1 reverses, 0 (default) is another each time", setShuffle),
  option("--reverse-sections", "", "As --shuffle-sections=*=-1", (s) => setShuffle(s, "*=-1")),
  option("--symbol-ordering-file", "=FILE", "Place the sections of symbols in the order of FILE", named(into("symbolOrderingFile"))),
  option("--section-ordering-file", "=FILE", "What comes first in output sections: NAME : { patterns }, or a pattern a line", push("sectionOrderingFiles")),
  ...onOff("--warn-symbol-ordering", "warnSymbolOrdering", "Warn when a symbol cannot be ordered (default)", "Do not"),
  option("--call-graph-ordering-file", "=FILE", "Functions beside their callers: CALLER CALLEE COUNT a line", named(into("callGraphOrderingFile"))),
  option("--call-graph-profile-sort", "=KIND", "How call graphs order functions: none, hfsort or cdsort (default)", setCallGraphSort),
  option("--no-call-graph-profile-sort", "", "As --call-graph-profile-sort=none", put("callGraphSort", "none")),
  ...onOff("--optimize-bb-jumps", "optimizeBbJumps", "Leave out jumps to the section behind (clang -fbasic-block-sections)", "Keep them (default)"),
  option("--print-symbol-order", "=FILE", "Write the symbols in the order the call graph gave them", into("printSymbolOrder")),
  option("--enable-non-contiguous-regions", "", "Input sections that do not fit go to later descriptions that match", put("nonContiguousRegions", true)),
  option("--enable-non-contiguous-regions-warnings", "", "Warn of such input sections", put("nonContiguousWarnings", true)),
  option("--warn-section-align", "", "Warn when alignment moves the start of a section", put("warnSectionAlign", true)),
  option("--sort-common", "[=ORDER]", "Place common symbols by alignment: descending (default) or ascending", (s, v) => setCommonOrder(s, v)),
  option("--randomize-section-padding", "=SEED", "Put random padding between input sections and before segments", (s, v, spelling) => void (s.options.paddingSeed = count(s, v, spelling) + 1)),
  ...onOff("--fortran-common", "fortranCommon", "Take archive members that define common symbols (default)", "Do not"),
  option("--orphan-handling", "=MODE", "Sections a script does not name: place, warn, error or discard", choice("orphanHandling", { place: "place", warn: "warn", error: "error", discard: "discard" }, "--orphan-handling mode")),
  option("--sort-section", "=RULE", "Order of sections under a script: none, name or alignment", choice("sortSection", { none: "none", name: "name", alignment: "alignment" }, "--sort-section rule")),
];

/** An option that only means something on another machine. */
function onlyFor(machine: LinkOptions["machineOptions"][number]["machine"]): Setter {
  return (s, _, spelling) => void s.options.machineOptions.push({ option: spelling, machine });
}

function setCallGraphSort(s: ParseState, v: ByteString): void {
  if (v === "none" || v === "hfsort" || v === "cdsort") s.options.callGraphSort = v;
  else s.errors.push(`unknown --call-graph-profile-sort= value: ${v} (one of none, hfsort, cdsort)`);
}

/** A seed alone, or nothing, is mold's form. */
function setShuffle(s: ParseState, value: ByteString): void {
  const v = value === "" ? "*=0" : /^[0-9]+$/.test(value) ? `*=${value}` : value;
  const equals = v.indexOf("=");
  const [pattern, seed] = [v.slice(0, equals), v.slice(equals + 1)];
  if (equals <= 0 || seed === "") s.errors.push(`--shuffle-sections=: expected <section_glob>=<seed>, but got '${v}'`);
  else if (!/^-?(0[xX][0-9a-fA-F]{1,8}|[0-9]{1,15})$/.test(seed)) s.errors.push(`--shuffle-sections=: expected an integer, but got '${seed}'`);
  else if (isGlob(s, pattern, "--shuffle-sections=")) s.options.shuffleSections.push({ pattern, seed: (seed.startsWith("-") ? -Number(seed.slice(1)) : Number(seed)) >>> 0 });
}

/** A regular expression that only fits this name. */
const namedExactly = (name: ByteString): RegExp => new RegExp(`^${name.replace(/[^\w]/g, "\\$&")}$`);

/** `wanted`: what the option's value should have been. */
function refuse(s: ParseState, spelling: ByteString, v: ByteString, wanted: string): void {
  s.errors.push(`invalid argument: ${spelling.includes("=") ? spelling : `${spelling} ${v}`}\n>>> expected ${wanted}`);
}

function sectionStart(name: string): Setter {
  return (s, v, spelling) => {
    const address = parseHex(v);
    if (address === undefined) refuse(s, spelling, v, "a hexadecimal address");
    else s.options.sectionStarts.set(name, address);
  };
}

function setSectionStart(s: ParseState, v: ByteString, spelling: ByteString): void {
  const equals = v.lastIndexOf("=");
  const address = equals > 0 ? parseHex(v.slice(equals + 1)) : undefined;
  if (address === undefined) refuse(s, spelling, v, "SECTION=ADDRESS, the address in hexadecimal");
  else s.options.sectionStarts.set(v.slice(0, equals), address);
}

function setSectionAlign(s: ParseState, v: ByteString, spelling: ByteString): void {
  const [, name, text] = /^(.+)=(.*)$/s.exec(v) ?? ["", "", ""];
  const value = parseNumber(text!) ?? 0n;
  if (value === 0n || (value & (value - 1n)) !== 0n) refuse(s, spelling, v, "SECTION=ALIGNMENT, a power of 2");
  else s.options.sectionAligns.set(name!, value.toString(2).length - 1);
}

function segmentStart(name: string): Setter {
  return (s, v, spelling) => {
    const address = parseHex(v);
    if (address !== undefined) s.options.segmentStarts.set(name, address);
    else if (name !== "text-segment") refuse(s, spelling, v, "a hexadecimal address");
  };
}

function setPhysicalBase(s: ParseState, v: ByteString, spelling: ByteString): void {
  const address = parseNumber(v);
  if (address === undefined) refuse(s, spelling, v, "an address");
  else s.options.physicalBase = address;
}

function setCommonOrder(s: ParseState, v: ByteString): void {
  if (v === "" || v === "descending" || v === "ascending") s.options.sortCommon = v === "ascending" ? "ascending" : "descending";
  else s.errors.push(`unknown --sort-common order: ${v}`);
}

function setFiller(s: ParseState, v: ByteString): void {
  const value = parseNumber(v);
  if (value === undefined || value > 0xffn) s.errors.push(`--filler: expected a byte, but got '${v}'`);
  else s.options.filler = Number(value);
}

function setImageBase(s: ParseState, address: bigint | undefined, v: ByteString, spelling: ByteString): void {
  const equals = spelling.indexOf("=");
  if (address === undefined) s.errors.push(`${equals < 0 ? spelling : spelling.slice(0, equals)}: number expected, but got ${v}`);
  else s.options.imageBase = address;
}
