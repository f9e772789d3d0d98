/**
 * The issue table, worded: what kernels and workers found wrong, in a fixed order, through ctx.diag.
 *
 * Call wordIssues(ctx) at the end of every pass whose kernels report. Rows of undefined symbols stay in the table: they are
 * grouped by symbol in passes/report-undefined.ts. The order (object, section, index, code) does not depend on threads.
 */
import * as abi from "../../as-kernels/shared/abi.ts";
import { SHDR_BYTES, SHF_ALLOC, SHF_X86_64_LARGE, SHN_ABS, SHN_LORESERVE, STT_SECTION } from "../../as-kernels/shared/elf.ts";
import { RANGE_SIGNED, RELOC_TYPES } from "../../as-kernels/shared/reloc.ts";
import { bytesBeforeField, rangeAdvice, relocationName, tlsSequence } from "../arch/x86-64-words.ts";
import { isLld } from "../args/identity.ts";
import type { ByteString } from "../args/link-options.ts";
import { readShdr, type Shdr } from "../elf/shdr.ts";
import { hdrDistance } from "./layout-messages.ts";
import type { Message, Place, SourcePlace } from "./message.ts";
import * as messages from "./messages.ts";
import * as place from "./place.ts";
import type { PlaceContext } from "./place.ts";
import type { Diagnostics } from "./print.ts";
import { valueRange, type ValueRange } from "./value-range.ts";

export type IssueContext = PlaceContext & { diag: Diagnostics };

/** One row of the issue table. */
export interface Issue {
  code: number;
  obj: number;
  isec: number;
  index: number;
  a: bigint;
  b: bigint;
  /** The first of several: advice is given once. */
  first?: boolean;
}

/** Codes that wait for passes/report-undefined.ts. */
const DEFERRED = new Set<number>([abi.ISSUE_UNDEFINED, abi.ISSUE_DISCARDED_REF, abi.ISSUE_UNDEFINED_SHLIB]);

/** Reports all rows but the deferred ones, and takes them out of the table. */
export function wordIssues(ctx: IssueContext): void {
  const { found, lost } = takeIssues(ctx, (code) => !DEFERRED.has(code));
  const tooFar = found.find(({ code }) => code === abi.ISSUE_RELOC_RANGE);
  if (tooFar !== undefined) tooFar.first = true;
  // What workers found twice is said once.
  found.forEach((issue, i) => {
    if (i === 0 || compareIssues(found[i - 1]!, issue) !== 0) word(ctx, issue);
  });
  if (lost > 0) ctx.diag.error(messages.moreProblems(lost));
}

/** Takes the rows that `wanted` picks out of the table, sorted; `lost`: reports the table had no room for. */
export function takeIssues(ctx: IssueContext, wanted: (code: number) => boolean): { found: Issue[]; lost: number } {
  const reported = ctx.arena.u32[abi.CTL_ISSUES >>> 2]!;
  if (reported === 0) return { found: [], lost: 0 };
  const { issue } = ctx.tables;
  const kept = Math.min(reported, Math.max(0, issue.rows - 1));
  const found: Issue[] = [];
  let left = 0;
  for (let row = 1; row <= kept; row++) {
    if (wanted(issue.code[row]!)) found.push(readIssue(ctx, row));
    else moveIssue(ctx, row, ++left);
  }
  ctx.arena.u32[abi.CTL_ISSUES >>> 2] = left;
  return { found: found.sort(compareIssues), lost: reported - kept };
}

function readIssue(ctx: IssueContext, row: number): Issue {
  const { code, obj, isec, index, a, b } = ctx.tables.issue;
  return { code: code[row]!, obj: obj[row]!, isec: isec[row]!, index: index[row]!, a: a[row]!, b: b[row]! };
}

function moveIssue(ctx: IssueContext, from: number, to: number): void {
  const { code, obj, isec, index, a, b } = ctx.tables.issue;
  for (const column of [code, obj, isec, index, a, b]) column[to] = column[from]!;
}

function compareIssues(x: Issue, y: Issue): number {
  return (
    x.obj - y.obj ||
    x.isec - y.isec ||
    x.index - y.index ||
    x.code - y.code ||
    (x.a < y.a ? -1 : x.a > y.a ? 1 : 0) ||
    (x.b < y.b ? -1 : x.b > y.b ? 1 : 0)
  );
}

function word(ctx: IssueContext, issue: Issue): void {
  const words = WORDS[issue.code];
  if (words === undefined) throw new Error(`issue ${JSON.stringify(issue, (_, value) => (typeof value === "bigint" ? `${value}` : value))} has no words`);
  if (issue.code === abi.ISSUE_BAD_OBJECT && issue.a === BigInt(abi.ERR_SECTION_TYPE) && !ctx.options.warnMismatch) return; // --no-warn-mismatch
  // What has to do with one relocation can be let through by --noinhibit-exec; a broken object cannot.
  const message = words(ctx, issue);
  if (issue.code === abi.ISSUE_BAD_OBJECT && isUnwanted(ctx, issue.obj)) ctx.diag.warnOnce(message);
  else if (issue.code === abi.ISSUE_WARN_COMMON || issue.code === abi.ISSUE_COPIED_DISCARDED) ctx.diag.warn(message);
  else if (OUTPUT_IS_POSSIBLE.has(issue.code)) ctx.diag.errorOrWarn(message);
  else ctx.diag.error(message);
}

/** An archive member that is no part of the link, or not yet: that it is broken need not concern anybody (lld does not even look). */
function isUnwanted({ tables: { obj } }: IssueContext, o: number): boolean {
  return (obj.flags[o]! & abi.OBJF_LAZY) !== 0 && obj.seq[o] === 0;
}

const OUTPUT_IS_POSSIBLE = new Set<number>([
  abi.ISSUE_RELOC_RANGE,
  abi.ISSUE_RELOC_UNKNOWN,
  abi.ISSUE_RELOC_NEEDS_PIC,
  abi.ISSUE_RELOC_TEXTREL,
  abi.ISSUE_RELOC_TLS_MISMATCH,
  abi.ISSUE_RELOC_BAD_RELAX,
  abi.ISSUE_COPY_PROTECTED,
  abi.ISSUE_NO_COPYRELOC,
  abi.ISSUE_RELOC_ABSOLUTE,
  abi.ISSUE_RELOC_NON_ABS,
  abi.ISSUE_RELOC_SHARED_TLS,
  abi.ISSUE_COPY_SIZE,
  abi.ISSUE_DUPLICATE,
  abi.ISSUE_SHARED_LOCAL,
  abi.ISSUE_HDR_DISTANCE,
  abi.ISSUE_MERGE_OFFSET,
  abi.ISSUE_TLS_ATTRIBUTE,
]);

type Words = (ctx: IssueContext, issue: Issue) => Message;

const WORDS: Record<number, Words> = {
  [abi.ISSUE_BAD_OBJECT]: (ctx, issue) => {
    if (issue.a === BigInt(abi.ERR_LINK_ORDER_KIND)) return linkOrderKind(ctx, issue);
    const bySection = [abi.ERR_MULTIPLE_RELA, abi.ERR_SECTION_TYPE, abi.ERR_COMPRESSED].includes(Number(issue.a));
    const whose = issue.isec !== 0 && bySection ? place.sectionPlace(ctx, issue.isec) : place.filePlace(ctx, issue.obj);
    return messages.badObject(whose, objectDetail(ctx, issue));
  },
  [abi.ISSUE_SHARED_LOCAL]: (ctx, issue) =>
    messages.badObject(place.filePlace(ctx, issue.obj), `invalid local symbol '${symbolName(ctx, issue)}' in global part of symbol table`),
  [abi.ISSUE_SHARED_VERSION]: (ctx, issue) => messages.versionIndex(issue.b !== 0n, Number(issue.a), symbolName(ctx, issue), place.filePlace(ctx, issue.obj)),
  [abi.ISSUE_RELOC_RANGE]: rangeError,
  [abi.ISSUE_RELOC_UNKNOWN]: (ctx, issue) => {
    const at = relocationAt(ctx, issue);
    return messages.unknownRelocation(at.place, Number(issue.a), place.displaySymbol(ctx, at.sym));
  },
  [abi.ISSUE_RELOC_BAD_OFFSET]: (ctx, issue) => {
    const at = relocationAt(ctx, issue);
    return messages.relocationOffset(at.place, at.type);
  },
  [abi.ISSUE_RELOC_NEEDS_PIC]: (ctx, issue) => messages.recompileWithPic(...against(ctx, issue)),
  [abi.ISSUE_RELOC_TEXTREL]: (ctx, issue) => messages.recompileWithPic(...against(ctx, issue)),
  [abi.ISSUE_RELOC_BAD_SYMBOL]: (ctx, issue) => {
    const at = relocationAt(ctx, issue);
    return messages.relocationSymbol(place.filePlace(ctx, issue.obj), at.place, at.type, at.r_sym);
  },
  [abi.ISSUE_RELOC_TLS_MISMATCH]: (ctx, issue) => {
    const [type, symbol, definedIn, at] = against(ctx, issue);
    const isTls = (ctx.tables.sym.flags[Number(issue.b)]! & abi.SYM_TLS) !== 0;
    return messages.tlsMismatch(type, isTls, symbol, definedIn, at);
  },
  [abi.ISSUE_RELOC_BAD_RELAX]: (ctx, issue) => {
    const { offset, place: at, type } = relocationAt(ctx, issue);
    const before = bytesBeforeField(type);
    return messages.badRelocation(before > 0 && offset >= before ? place.location(ctx, issue.isec, offset - before) : at, tlsSequence(type));
  },
  [abi.ISSUE_DUPLICATE]: duplicate,
  [abi.ISSUE_BAD_EH_FRAME]: ehFrame,
  [abi.ISSUE_HDR_DISTANCE]: (ctx, issue) =>
    hdrDistance(place.sectionPlace(ctx, issue.isec), issue.b === 0n ? "PC offset" : "FDE offset", issue.a),
  [abi.ISSUE_BAD_MERGE]: (ctx, issue) => messages.badObject(place.sectionPlace(ctx, issue.isec), mergeDetail(ctx, issue)),
  [abi.ISSUE_COPY_PROTECTED]: (ctx, issue) => {
    const [, symbol, definedIn, at] = against(ctx, issue);
    return messages.cannotPreempt(symbol, definedIn, at);
  },
  [abi.ISSUE_MERGE_OFFSET]: (ctx, issue) =>
    messages.badObject(place.sectionPlace(ctx, issue.isec), "offset is outside the section"),
  [abi.ISSUE_COPIED_DISCARDED]: (ctx, issue) => {
    const obj = ctx.tables.isec.obj[issue.isec]!;
    const offset = place.rawRelocation(ctx, issue.isec, issue.index)?.r_offset ?? 0;
    const section = place.sectionName(ctx, issue.isec);
    return messages.copiedDiscarded(place.headerName(ctx, obj, place.rawSymbol(ctx, obj, Number(issue.a))?.shndx ?? 0), place.filePlace(ctx, obj), section, offset);
  },
  [abi.ISSUE_NO_COPYRELOC]: (ctx, issue) => messages.noCopyRelocation(...against(ctx, issue)),
  [abi.ISSUE_RELOC_ABSOLUTE]: (ctx, issue) => messages.absoluteSymbol(...against(ctx, issue)),
  [abi.ISSUE_RELOC_NON_ABS]: (ctx, issue) => {
    const at = relocationAt(ctx, issue);
    return messages.nonAbsoluteInUnloaded(at.place, at.type, place.displaySymbol(ctx, at.sym));
  },
  [abi.ISSUE_SPLIT_STACK]: (ctx, issue) => {
    const caller = place.rawSymbol(ctx, issue.obj, Number(issue.a))?.name ?? "";
    const callee = place.displaySymbol(ctx, relocationAt(ctx, issue).sym);
    return messages.splitStackPrologue(place.sectionPlace(ctx, issue.isec), place.displayName(ctx, caller), callee);
  },
  [abi.ISSUE_NO_MORESTACK]: () => messages.noMorestack(),
  [abi.ISSUE_RELOC_SHARED_TLS]: (ctx, issue) => messages.notWithShared(...against(ctx, issue)),
  [abi.ISSUE_COPY_SIZE]: (ctx, issue) => messages.noSizeToCopy(place.displaySymbol(ctx, Number(issue.b)), place.definedIn(ctx, Number(issue.b))),
  [abi.ISSUE_WARN_COMMON]: (ctx, issue) => messages.commonSymbol(place.displaySymbol(ctx, Number(issue.a)), issue.b === 1n),
  [abi.ISSUE_TLS_ATTRIBUTE]: (ctx, issue) => {
    const sym = Number(issue.a);
    return messages.tlsAttribute(place.displaySymbol(ctx, sym), place.definedIn(ctx, sym), place.filePlace(ctx, issue.obj));
  },
  [abi.ISSUE_TLS_SECTION]: (ctx, issue) =>
    messages.tlsSection(place.filePlace(ctx, issue.obj), place.displayName(ctx, place.rawSymbol(ctx, issue.obj, issue.index)?.name ?? "")),
};

// ---- relocations ----

interface RelocationAt {
  /** `a.o:(function f: .text+0x3)` */
  place: Place;
  offset: number;
  type: string;
  r_sym: number;
  /** sym row, 0 = none. */
  sym: number;
}

function relocationAt(ctx: IssueContext, issue: Issue): RelocationAt {
  const obj = ctx.tables.isec.obj[issue.isec]!;
  const rela = place.rawRelocation(ctx, issue.isec, issue.index);
  const offset = rela?.r_offset ?? 0;
  const type = relocationName(ctx.params.get("machine"), rela?.r_type ?? 0);
  const r_sym = rela?.r_sym ?? 0;
  return { place: place.location(ctx, issue.isec, offset), offset, type, r_sym, sym: place.relocationSym(ctx, obj, r_sym) };
}

/** Type, symbol, file that defines it and place: what most relocation messages say. */
function against(ctx: IssueContext, issue: Issue): [type: string, symbol: ByteString, definedIn: Place, at: SourcePlace] {
  const at = relocationAt(ctx, issue);
  const sym = Number(issue.b) || at.sym;
  const symbol = place.displaySymbol(ctx, sym);
  return [at.type, symbol, place.definedIn(ctx, sym), place.sourcePlace(ctx, issue.isec, at.offset, place.symbolBytes(ctx, sym))];
}

function rangeError(ctx: IssueContext, issue: Issue): Message {
  const at = relocationAt(ctx, issue);
  const machine = ctx.params.get("machine");
  const range = fieldRange(ctx, Number(issue.b));
  const obj = ctx.tables.isec.obj[issue.isec]!;
  const raw = place.rawSymbol(ctx, obj, at.r_sym);
  const section = raw?.type === STT_SECTION;
  // lld says less where it no longer has the symbol at hand: in sections that are not loaded.
  const loaded = (ctx.tables.isec.sh_flags[issue.isec]! & SHF_ALLOC) !== 0;
  const symbol = place.symbolBytes(ctx, at.sym);
  const targetIsec = at.sym === 0 ? 0 : targetSection(ctx, at.sym);
  const type = relocationName(machine, Number(issue.b));
  const value = range.signed ? BigInt.asIntN(64, issue.a) : issue.a;
  return messages.relocationOutOfRange({
    at: at.place,
    type,
    value,
    min: range.min,
    max: range.max,
    symbol: section || !loaded ? "" : place.displayName(ctx, symbol),
    section: section && loaded ? place.sectionName(ctx, targetIsec) : "",
    definedIn: at.sym === 0 || section || !loaded ? null : place.definedIn(ctx, at.sym),
    source: place.sourceOf(ctx, issue.isec, at.offset, symbol),
    debug: place.sectionName(ctx, issue.isec).startsWith(".debug"),
    advice: issue.first === true && loaded && !isLld(ctx.options) ? rangeAdvice(type, value) : "",
    large: targetIsec !== 0 && (ctx.tables.isec.sh_flags[targetIsec]! & SHF_X86_64_LARGE) !== 0,
  });
}

/** What fits the field of a relocation type, from the architecture's table in memory. */
function fieldRange(ctx: IssueContext, r_type: number): ValueRange {
  const types = ctx.params.get("relocTypes");
  const at = types === 0 || r_type >= RELOC_TYPES ? 0 : types + 4 * r_type;
  return at === 0 ? valueRange(32, RANGE_SIGNED) : valueRange(8 * ctx.arena.u8[at + 1]!, ctx.arena.u8[at + 2]!);
}

/** isec a defined symbol lives in, 0 = none. */
function targetSection(ctx: IssueContext, sym: number): number {
  const kind = ctx.tables.sym.flags[sym]! & abi.SYM_KIND_MASK;
  return kind === abi.SYM_DEFINED ? ctx.tables.sym.isec[sym]! : 0;
}

// ---- duplicate symbols ----

interface Definition {
  file: Place;
  /** null for absolute symbols. */
  place: SourcePlace | null;
}

function duplicate(ctx: IssueContext, issue: Issue): Message {
  const sym = Number(issue.a);
  return duplicateSymbol(ctx, place.displaySymbol(ctx, sym), ctx.tables.gsym.esym[sym]!, ctx.tables.gsym.obj[sym]!, Number(issue.b));
}

/** "duplicate symbol", defined by two symbol-table entries; the first's object may be none (the linker itself). */
export function duplicateSymbol(ctx: IssueContext, symbol: ByteString, firstEsym: number, firstObj: number, secondEsym: number): Message {
  const first = definition(ctx, firstEsym, firstObj);
  const second = definition(ctx, secondEsym, place.objectOfEsym(ctx, secondEsym));
  if (first.place === null || second.place === null) return messages.duplicateSymbolInFiles(symbol, first.file, second.file);
  return messages.duplicateSymbol(symbol, first.place, second.place);
}

function definition(ctx: IssueContext, esym: number, obj: number): Definition {
  const file = place.filePlace(ctx, obj);
  const raw = esym === 0 || obj === 0 ? null : place.rawSymbol(ctx, obj, esym - ctx.tables.obj.esymBase[obj]!);
  if (raw === null || raw.shndx === SHN_ABS || raw.shndx >= SHN_LORESERVE) return { file, place: null };
  const isec = place.isecOfHeader(ctx, obj, raw.shndx);
  const name = place.displayName(ctx, raw.name);
  if (isec === 0) return { file, place: { source: "", text: `${file.text}:(${name})`, ref: { ...file.ref, function: name } } };
  return { file, place: place.sourcePlace(ctx, isec, raw.value, raw.name) };
}

// ---- details of broken objects ----

/** What lld says of a record of .eh_frame; \0 stands for the number or text the kernel left. */
const EH_FRAME_DETAILS: Record<number, string> = {
  [abi.ERR_EH_SMALL]: "CIE/FDE too small",
  [abi.ERR_EH_LARGE]: "CIE/FDE too large",
  [abi.ERR_TRUNCATED]: "CIE/FDE ends past the end of the section",
  [abi.ERR_CIE_SMALL]: "CIE is too small",
  [abi.ERR_CIE_END]: "unexpected end of CIE",
  [abi.ERR_CIE_VERSION]: "FDE version 1 or 3 expected, but got \0",
  [abi.ERR_CIE_STRING]: "corrupted CIE (failed to read string)",
  [abi.ERR_CIE_LEB]: "corrupted CIE (failed to read LEB128)",
  [abi.ERR_CIE_ALIGNED]: "DW_EH_PE_aligned encoding is not supported",
  [abi.ERR_CIE_ENCODING]: "unknown FDE encoding",
  [abi.ERR_CIE_CUT]: "corrupted CIE",
  [abi.ERR_CIE_LETTER]: "unknown .eh_frame augmentation string: \0",
};

function ehFrame(ctx: IssueContext, { a, b, isec, index }: Issue): Message {
  if (a === BigInt(abi.ERR_FDE)) return messages.badObject(place.sectionPlace(ctx, isec), "invalid CIE reference");
  const at = place.objectPlace(ctx, isec, index);
  if (a === BigInt(abi.ERR_FDE_ENCODING)) return messages.unknownFdeEncoding(at);
  const value = a === BigInt(abi.ERR_CIE_LETTER) ? bytesOf(b) : String(b);
  return messages.corruptEhFrame((EH_FRAME_DETAILS[Number(a)] ?? "bad record").replace("\0", () => value), at);
}

/** Little-endian, up to the first NUL. */
function bytesOf(value: bigint): ByteString {
  let text = "";
  for (let rest = value; rest !== 0n; rest >>= 8n) text += String.fromCharCode(Number(rest & 255n));
  return text;
}

function mergeDetail(ctx: IssueContext, issue: Issue): string {
  const { size, sh_entsize } = ctx.tables.isec;
  const details: Record<number, string> = {
    [abi.ERR_MERGE_ENTSIZE]: `SHF_MERGE section size (${size[issue.isec]}) must be a multiple of sh_entsize (${sh_entsize[issue.isec]})`,
    [abi.ERR_MERGE_UNTERMINATED]: "string is not null terminated",
    [abi.ERR_MERGE_WRITABLE]: "writable SHF_MERGE section is not supported",
    [abi.ERR_COMPRESSED]: "corrupted compressed section",
  };
  return details[Number(issue.a)] ?? "corrupt mergeable section";
}

function linkOrderKind(ctx: IssueContext, { isec }: Issue): Message {
  return messages.linkOrderKind(place.sectionName(ctx, isec), place.sectionPlace(ctx, isec), place.sectionPath(ctx, ctx.tables.isec.link[isec]!));
}

function objectDetail(ctx: IssueContext, issue: Issue): string {
  const index = issue.index;
  const details: Record<number, string | (() => string)> = {
    [abi.ERR_TRUNCATED]: "the file is truncated",
    [abi.ERR_HEADERS_START]: () => messages.sectionHeadersStart(elfHeader(ctx, issue, 40, 8)),
    [abi.ERR_HEADERS_END]: messages.SECTION_HEADERS_END,
    [abi.ERR_SHENTSIZE]: () => `invalid e_shentsize in ELF header: ${elfHeader(ctx, issue, 58, 2)}`,
    [abi.ERR_SECTION_BOUNDS]: () => sectionBounds(ctx, issue),
    [abi.ERR_SHSTRNDX]: () => {
      const shdr = index < ctx.tables.obj.e_shnum[issue.obj]! || ctx.tables.obj.e_shnum[issue.obj] === 0 ? sectionHeader(ctx, issue) : null;
      return shdr === null ? `section header string table index ${index} does not exist` : `invalid sh_type for string table section [index ${index}]: expected SHT_STRTAB, but got 0x${shdr.sh_type.toString(16)}`;
    },
    [abi.ERR_STRTAB_LINK]: "invalid string table linked to the symbol table",
    [abi.ERR_SYMTAB_ENTSIZE]: () => entrySize(ctx, issue),
    [abi.ERR_SYMTAB_INFO]: "invalid sh_info in symbol table",
    [abi.ERR_SYMBOL_NAME]: `invalid symbol name offset: the name of symbol [index ${index}] is outside of the string table`,
    [abi.ERR_SYMBOL_SHNDX]: `symbol [index ${index}]: invalid section index`,
    [abi.ERR_MULTIPLE_SYMTABS]: "multiple symbol tables",
    [abi.ERR_GROUP_EMPTY]: "empty SHT_GROUP",
    [abi.ERR_GROUP_FORMAT]: "unsupported SHT_GROUP format",
    [abi.ERR_GROUP]: `section [index ${index}]: invalid section group`,
    [abi.ERR_GROUP_MEMBER]: `invalid section index in group [index ${index}]`,
    [abi.ERR_RELA_TARGET]: `relocation section (index ${index}) has invalid sh_info (${issue.b})`,
    [abi.ERR_RELA_ENTSIZE]: () => entrySize(ctx, issue),
    [abi.ERR_CREL]: `section [index ${index}]: its SHT_CREL relocations are corrupt`,
    [abi.ERR_REL_UNSUPPORTED]: `section [index ${index}]: SHT_REL relocations are not used on this architecture`,
    [abi.ERR_MULTIPLE_RELA]: "multiple relocation sections to one section are not supported",
    [abi.ERR_SECTION_NAME]: () => sectionNameOffset(ctx, issue),
    [abi.ERR_ALIGN_LARGE]: `section sh_addralign is too large: section [index ${index}]`,
    [abi.ERR_SECTION_TYPE]: `unknown section type 0x${issue.b.toString(16)}`,
    [abi.ERR_ALIGN]: `section [index ${index}]: sh_addralign is not a power of 2`,
    [abi.ERR_STRTAB_END]: "SHT_STRTAB string table is non-null terminated",
    [abi.ERR_LOCAL_AFTER_GLOBAL]: `broken object: local symbol [index ${index}] found at index >= .symtab's sh_info`,
    [abi.ERR_COMPRESSED]: "corrupted compressed section",
    [abi.ERR_LINK_ORDER]: `section [index ${index}]: invalid sh_link of an SHF_LINK_ORDER section`,
    [abi.ERR_COMMON_ALIGN]: () => `common symbol '${symbolName(ctx, issue)}' has invalid alignment: ${issue.b}`,
    [abi.ERR_BINDING]: () => `symbol (${index}) has invalid binding: ${place.rawSymbol(ctx, issue.obj, index)?.bind ?? 0}`,
    [abi.ERR_NO_SECTIONS]: `section header string table index ${index} does not exist: there is no section header table (e_shoff is 0)`,
  };
  const detail = details[Number(issue.a)];
  return typeof detail === "function" ? detail() : (detail ?? `corrupt object (detail ${issue.a}, index ${index})`);
}

function symbolName(ctx: IssueContext, { obj, index }: Issue): ByteString {
  return place.displayName(ctx, place.rawSymbol(ctx, obj, index)?.name ?? "");
}

/** Number of `bytes` bytes at `offset` of the object's ELF header. */
function elfHeader(ctx: IssueContext, { obj }: Issue, offset: number, bytes: number): bigint {
  const raw = place.readObject(ctx, obj, offset, bytes);
  return raw === null ? 0n : raw.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** The section header an issue is about, read again to show its numbers. */
function sectionHeader(ctx: IssueContext, issue: Issue): Shdr | null {
  const raw = place.readObject(ctx, issue.obj, Number(elfHeader(ctx, issue, 40, 8)) + SHDR_BYTES * issue.index, SHDR_BYTES);
  return raw === null ? null : readShdr(new DataView(raw.buffer, raw.byteOffset), 0);
}

function sectionBounds(ctx: IssueContext, issue: Issue): string {
  const shdr = sectionHeader(ctx, issue);
  if (shdr === null) return `section [index ${issue.index}] lies outside the file`;
  return messages.sectionOutsideFile(issue.index, shdr.sh_offset, shdr.sh_size, ctx.tables.obj.bytes[issue.obj]!);
}

/** Entries of symbol tables and of relocation sections have 24 bytes. */
function entrySize(ctx: IssueContext, issue: Issue): string {
  const shdr = sectionHeader(ctx, issue);
  return messages.entrySize(issue.index, 24, shdr?.sh_entsize ?? 0, shdr?.sh_size ?? 0);
}

function sectionNameOffset(ctx: IssueContext, issue: Issue): string {
  return messages.sectionNameOutside(issue.index, sectionHeader(ctx, issue)?.sh_name ?? 0);
}
