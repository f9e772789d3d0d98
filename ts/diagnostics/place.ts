/**
 * Names of places: `lib.a(member.o)`, `a.o:(.text+0x3)`, the enclosing function, the source line.
 *
 * Reads the raw symbol table that parse-object left in memory, one object at a time and only while a message is made; that
 * is why it may loop over symbols. Nothing here may throw on a corrupt input: names that cannot be read are "".
 */
import {
  OBJ_INTERNAL,
  OBJ_RELOCATABLE,
  SYM_COMMON,
  SYM_DEFINED,
  SYM_DISCARDED,
  SYM_IN_OSEC,
  SYM_KIND_MASK,
  SYM_LAZY,
  SYM_SHARED,
} from "../../as-kernels/shared/abi.ts";
import { RELA_BYTES, SHN_LORESERVE, SHN_UNDEF, SHN_XINDEX, STT_FILE, STT_FUNC, STT_SECTION, SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { placeInScript } from "../script/lexer.ts";
import { demangle } from "./demangle.ts";
import type { Place, SourcePlace, SourceRef } from "./message.ts";
import { ObjectSections, type ObjectSource } from "./object-sections.ts";
import { SourceLines, type SourceLine } from "./source-line.ts";
import { SymbolSpans } from "./symbol-spans.ts";

/** What naming a place needs of a link; a Context is one. */
export type PlaceContext = Pick<Context, "tables" | "arena" | "assigned" | "inputs" | "options" | "objects" | "sources" | "params"> & {
  host: Pick<Context["host"], "readAt" | "inflate">;
};

const INTERNAL = "<internal>";

// ---- files ----

/** `a.o`, `lib.a(member.o)`, `<internal>`. */
export function fileName(ctx: PlaceContext, obj: number): ByteString {
  if (obj === 0 || ctx.tables.obj.kind[obj] === OBJ_INTERNAL) return INTERNAL;
  const input = ctx.inputs[ctx.tables.obj.fileId[obj]!];
  if (input === undefined) return INTERNAL;
  return input.member === "" ? input.path : `${input.path}(${baseName(input.member)})`;
}

/** The same as data. */
export function fileRef(ctx: PlaceContext, obj: number): SourceRef {
  const input = ctx.inputs[ctx.tables.obj.fileId[obj]!];
  if (obj === 0 || ctx.tables.obj.kind[obj] === OBJ_INTERNAL || input === undefined) return { input: INTERNAL };
  return input.member === "" ? { input: input.path } : { input: input.path, member: input.member };
}

export function filePlace(ctx: PlaceContext, obj: number): Place {
  return { text: fileName(ctx, obj), ref: fileRef(ctx, obj) };
}

/** File name of an archive member alone, and ` in archive PATH`. */
function memberAndArchive(ctx: PlaceContext, obj: number): [ByteString, ByteString] {
  const input = ctx.inputs[ctx.tables.obj.fileId[obj]!];
  if (input === undefined || ctx.tables.obj.kind[obj] === OBJ_INTERNAL) return [INTERNAL, ""];
  return input.member === "" ? [input.path, ""] : [input.member, ` in archive ${input.path}`];
}

function baseName(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf("/") + 1);
}

// ---- raw symbols ----

export interface RawSymbol {
  name: ByteString;
  bind: number;
  type: number;
  /** Section header index, extended indexes resolved. */
  shndx: number;
  value: number;
  size: number;
}

/** Symbol `index` of an object's symbol table, null when there is none. */
export function rawSymbol(ctx: PlaceContext, obj: number, index: number): RawSymbol | null {
  const { tables, arena } = ctx;
  const symtab = tables.obj.symtab[obj]!;
  if (symtab === 0 || index >= tables.obj.esymCount[obj]!) return null;
  const at = symtab + SYM_BYTES * index;
  const info = arena.u8[at + 4]!;
  return {
    name: rawName(ctx, obj, readU32(ctx, at)),
    bind: info >>> 4,
    type: info & 15,
    shndx: shndxAt(ctx, obj, index),
    value: readU64(ctx, at + 8),
    size: readU64(ctx, at + 16),
  };
}

function rawName(ctx: PlaceContext, obj: number, st_name: number): ByteString {
  const { strtab, strtabBytes } = ctx.tables.obj;
  if (strtab[obj] === 0 || st_name >= strtabBytes[obj]!) return "";
  return ctx.arena.cstring(strtab[obj]! + st_name, strtabBytes[obj]! - st_name);
}

/** Is `name` the name of symbol `index`? Compares bytes: used in searches. */
export function hasName(ctx: PlaceContext, obj: number, index: number, name: ByteString): boolean {
  const { symtab, strtab, strtabBytes } = ctx.tables.obj;
  const at = readU32(ctx, symtab[obj]! + SYM_BYTES * index);
  if (symtab[obj] === 0 || at + name.length >= strtabBytes[obj]!) return false;
  const { u8 } = ctx.arena;
  for (let i = 0; i < name.length; i++) if (u8[strtab[obj]! + at + i] !== name.charCodeAt(i)) return false;
  return u8[strtab[obj]! + at + name.length] === 0;
}

function shndxAt(ctx: PlaceContext, obj: number, index: number): number {
  const at = ctx.tables.obj.symtab[obj]! + SYM_BYTES * index + 6;
  const shndx = ctx.arena.u8[at]! | (ctx.arena.u8[at + 1]! << 8);
  const extended = ctx.tables.obj.shndxTab[obj]!;
  return shndx === SHN_XINDEX && extended !== 0 ? readU32(ctx, extended + 4 * index) : shndx;
}

function readU32(ctx: PlaceContext, at: number): number {
  const { u8 } = ctx.arena;
  return (u8[at]! | (u8[at + 1]! << 8) | (u8[at + 2]! << 16) | (u8[at + 3]! << 24)) >>> 0;
}

function readU64(ctx: PlaceContext, at: number): number {
  return readU32(ctx, at) + readU32(ctx, at + 4) * 2 ** 32;
}

/** Offsets in the places of referrers are upper case, as in lld 19; those of relocations (`location`) are not. */
const upperHex = (value: number): string => value.toString(16).toUpperCase();

/** Does the global symbol `index` mean the object's own definition? Of two definitions of a name only one counts. */
function isOwn(ctx: PlaceContext, obj: number, index: number): boolean {
  const { obj: objects, esym, gsym } = ctx.tables;
  const row = objects.esymBase[obj]! + index;
  const sym = index < objects.firstGlobal[obj]! || row >= esym.rows ? 0 : esym.sym[row]!;
  return sym === 0 || sym >= gsym.rows || gsym.esym[sym] === 0 || gsym.esym[sym] === row;
}

/** Those of an object's symbols that have a size, in order. */
function* symbolSpans(ctx: PlaceContext, obj: number, symtab: number): Iterable<{ index: number; type: number; shndx: number; from: number; to: number }> {
  const count = ctx.tables.obj.esymCount[obj]!;
  for (let index = 1; index < count; index++) {
    const at = symtab + SYM_BYTES * index;
    const size = readU64(ctx, at + 16);
    if (size === 0) continue;
    const from = readU64(ctx, at + 8);
    yield { index, type: ctx.arena.u8[at + 4]! & 15, shndx: shndxAt(ctx, obj, index), from, to: from + size };
  }
}

/** First symbol of the isec's object that covers `offset`; `type` limits the search to STT_FUNC and the like. */
function enclosingSymbol(ctx: PlaceContext, isec: number, offset: number, type = 0): RawSymbol | null {
  const obj = ctx.tables.isec.obj[isec]!;
  const shndx = ctx.tables.isec.shndx[isec]!;
  const symtab = ctx.tables.obj.symtab[obj]!;
  if (symtab === 0 || shndx === SHN_UNDEF || ctx.tables.obj.kind[obj] !== OBJ_RELOCATABLE) return null;
  const spans = (knownOf(ctx, obj).spans ??= new SymbolSpans(symbolSpans(ctx, obj, symtab)));
  const index = spans.covering(shndx, offset, (i, kind) => kind !== STT_SECTION && kind !== STT_FILE && (type === 0 || kind === type) && isOwn(ctx, obj, i));
  return index === 0 ? null : rawSymbol(ctx, obj, index);
}

/** Name of the STT_FILE symbol, "" without one. */
function sourceFileName(ctx: PlaceContext, obj: number): ByteString {
  const symtab = ctx.tables.obj.symtab[obj]!;
  const locals = Math.min(ctx.tables.obj.firstGlobal[obj]!, ctx.tables.obj.esymCount[obj]!);
  if (symtab === 0) return "";
  let found = "";
  for (let i = 1; i < locals; i++) {
    if ((ctx.arena.u8[symtab + SYM_BYTES * i + 4]! & 15) === STT_FILE) found = rawSymbol(ctx, obj, i)!.name;
  }
  return found;
}

// ---- symbols ----

/** Name bytes of a `sym` row, `@VERSION` included; "" for section symbols. */
export function symbolBytes(ctx: PlaceContext, sym: number): ByteString {
  if (sym === 0) return "";
  if (sym >= ctx.params.get("globalSyms")) {
    const local = localSymbol(ctx, sym);
    return local === null ? "" : (rawSymbol(ctx, local.obj, local.index)?.name ?? "");
  }
  const { name, nameBytes } = ctx.tables.gsym;
  const stem = ctx.arena.string(name[sym]!, nameBytes[sym]!);
  const next = name[sym]! + nameBytes[sym]!;
  return ctx.arena.u8[next] === 0x40 ? stem + ctx.arena.cstring(next) : stem;
}

/** As people read it: demangled unless --no-demangle. */
export function displaySymbol(ctx: PlaceContext, sym: number): ByteString {
  return displayName(ctx, symbolBytes(ctx, sym));
}

/** displaySymbol for reports that name most symbols more than once. */
export function displayedOnce(ctx: PlaceContext): (sym: number) => ByteString {
  const names = new Map<number, ByteString>();
  return (sym) => {
    let name = names.get(sym);
    if (name === undefined) names.set(sym, (name = displaySymbol(ctx, sym)));
    return name;
  };
}

export function displayName(ctx: PlaceContext, bytes: ByteString): ByteString {
  if (!ctx.options.demangle) return bytes;
  const version = bytes.indexOf("@");
  return version < 0 ? demangle(bytes) : demangle(bytes.slice(0, version)) + bytes.slice(version);
}

/** Object and symbol index of a local `sym` row. */
function localSymbol(ctx: PlaceContext, sym: number): { obj: number; index: number } | null {
  const { localBase, firstGlobal } = ctx.tables.obj;
  for (const obj of ctx.objects) {
    const index = sym - localBase[obj]!;
    if (index >= 0 && index < firstGlobal[obj]!) return { obj, index };
  }
  return null;
}

/** obj row that defines (or would define) a symbol, 0 = nobody. */
function definingObject(ctx: PlaceContext, sym: number): number {
  if (sym === 0) return 0;
  if (sym >= ctx.params.get("globalSyms")) return localSymbol(ctx, sym)?.obj ?? 0;
  const kind = ctx.tables.sym.flags[sym]! & SYM_KIND_MASK;
  // An archive member that nobody asked for.
  if (kind === SYM_LAZY) return ctx.tables.gsym.lazy[sym]! || ctx.tables.gsym.refObj[sym]!;
  const defined = kind === SYM_DEFINED || kind === SYM_SHARED || kind === SYM_COMMON || kind === SYM_DISCARDED || kind === SYM_IN_OSEC;
  return defined ? ctx.tables.gsym.obj[sym]! : ctx.tables.gsym.refObj[sym]!;
}

/** The file that defines a symbol; `--defsym`, or `script:line`, where an expression does. */
export function definedIn(ctx: PlaceContext, sym: number): Place {
  const expr = ctx.assigned.get(sym);
  if (expr === undefined) return filePlace(ctx, definingObject(ctx, sym));
  return expr.name === "--defsym" ? { text: expr.name, ref: { input: expr.name } } : placeInScript(expr.text, expr.name, expr.offset);
}

// ---- sections ----

export function sectionName(ctx: PlaceContext, isec: number): ByteString {
  const { name, rule, obj, shndx } = ctx.tables.isec;
  // The name did not stay (mayDropNames), only the prefix that the rule is about.
  if (rule[isec] !== 0 && ctx.tables.obj.names[obj[isec]!] === 0) return headerName(ctx, obj[isec]!, shndx[isec]!);
  return name[isec] === 0 ? "" : ctx.arena.cstring(name[isec]!);
}

/** `a.o:(.text)`: the name of a section in messages and reports. */
export function sectionPath(ctx: PlaceContext, isec: number): ByteString {
  return `${fileName(ctx, ctx.tables.isec.obj[isec]!)}:(${sectionName(ctx, isec)})`;
}

export function sectionPlace(ctx: PlaceContext, isec: number): Place {
  return { text: sectionPath(ctx, isec), ref: { ...fileRef(ctx, ctx.tables.isec.obj[isec]!), section: sectionName(ctx, isec) } };
}

/** Byte `offset` of a section, in the function `name` if that is not "". */
function offsetRef(ctx: PlaceContext, isec: number, offset: number, name: ByteString): SourceRef {
  const ref = { ...fileRef(ctx, ctx.tables.isec.obj[isec]!), section: sectionName(ctx, isec), offset };
  return name === "" ? ref : { ...ref, function: name };
}

/** `a.o:(.text+0x1c)`, with the function when one covers the offset: `a.o:(function f: .text+0x1c)`. */
export function location(ctx: PlaceContext, isec: number, offset: number): Place {
  const func = enclosingSymbol(ctx, isec, offset, STT_FUNC);
  const name = func === null ? "" : displayName(ctx, func.name);
  const lead = func === null ? "" : `function ${name}: `;
  return {
    text: `${fileName(ctx, ctx.tables.isec.obj[isec]!)}:(${lead}${sectionName(ctx, isec)}+0x${offset.toString(16)})`,
    ref: offsetRef(ctx, isec, offset, name),
  };
}

/** `member.o:(main) in archive lib.a`; without an enclosing symbol `a.o:(.text+0x4)`. */
export function objectPlace(ctx: PlaceContext, isec: number, offset: number): Place {
  const [file, archive] = memberAndArchive(ctx, ctx.tables.isec.obj[isec]!);
  const symbol = enclosingSymbol(ctx, isec, offset);
  const name = symbol === null ? "" : displayName(ctx, symbol.name);
  const inside = symbol === null ? `${sectionName(ctx, isec)}+0x${upperHex(offset)}` : name;
  return { text: `${file}:(${inside})${archive}`, ref: offsetRef(ctx, isec, offset, name) };
}

/** Source line and object of an offset; `name`: the symbol whose variable entry is tried when no code line covers it. */
export function sourcePlace(ctx: PlaceContext, isec: number, offset: number, name: ByteString): SourcePlace {
  const variable = enclosingSymbol(ctx, isec, offset)?.name ?? name;
  const source = sourceOf(ctx, isec, offset, variable);
  const { text, ref } = objectPlace(ctx, isec, offset);
  return { text, source: source?.text ?? "", ref: { ...ref, ...source?.ref, input: ref.input } };
}

/** `main.c:12 (/src/main.c:12)`, the name of the STT_FILE symbol, or null. */
export function sourceOf(ctx: PlaceContext, isec: number, offset: number, variable: ByteString): Place | null {
  const obj = ctx.tables.isec.obj[isec]!;
  if (ctx.tables.obj.kind[obj] !== OBJ_RELOCATABLE) return null;
  const known = knownOf(ctx, obj);
  const lines = (known.lines ??= new SourceLines(objectSource(ctx, obj)));
  const found = lines.line(ctx.tables.isec.shndx[isec]!, offset) ?? lines.variable(variable);
  if (found !== null) return { text: sourceLineText(found), ref: { input: "", file: found.path, line: found.line } };
  const file = (known.file ??= sourceFileName(ctx, obj));
  return file === "" ? null : { text: file, ref: { input: "", file } };
}

export function sourceLineText({ path, line }: SourceLine): ByteString {
  const name = baseName(path);
  return name === path ? `${name}:${line}` : `${name}:${line} (${path}:${line})`;
}

// ---- reading objects again ----

/** Name of section header `shndx`, also of sections that were discarded; "" when it cannot be read. */
export function headerName(ctx: PlaceContext, obj: number, shndx: number): ByteString {
  const sections = (knownOf(ctx, obj).sections ??= ObjectSections.open(objectSource(ctx, obj)));
  return sections?.nameOf(shndx) ?? "";
}

function objectSource(ctx: PlaceContext, obj: number): ObjectSource {
  return {
    bytes: ctx.tables.obj.bytes[obj]!,
    read: (position, bytes) => readObject(ctx, obj, position, bytes),
    inflate: (kind, bytes, size) => ctx.host.inflate(kind, bytes, size),
  };
}

/** What messages have found out about an object. When it is another, so is the address of its symbol table. */
interface Known {
  symtab: number;
  spans?: SymbolSpans;
  lines?: SourceLines;
  /** sourceFileName */
  file?: ByteString;
  sections?: ObjectSections | null;
}

/** Objects about which so much stays in memory: messages come object by object. */
const MOST_KNOWN = 64;
const known = new WeakMap<object, Map<number, Known>>();

function knownOf(ctx: PlaceContext, obj: number): Known {
  const symtab = ctx.tables.obj.symtab[obj]!;
  let objects = known.get(ctx);
  if (objects === undefined) known.set(ctx, (objects = new Map()));
  let found = objects.get(obj);
  if (found?.symtab === symtab) return found;
  if (objects.size >= MOST_KNOWN) objects.clear();
  objects.set(obj, (found = { symtab }));
  return found;
}

/** `bytes` bytes at `position` of an object, null when the file does not have them. */
export function readObject(ctx: PlaceContext, obj: number, position: number, bytes: number): Uint8Array | null {
  const objectBytes = ctx.tables.obj.bytes[obj]!;
  if (!(position >= 0 && bytes >= 0 && position + bytes <= objectBytes)) return null;
  const path = ctx.sources[ctx.tables.obj.source[obj]!];
  return path === undefined ? null : readBytes(ctx, path, ctx.tables.obj.offset[obj]! + position, bytes);
}

function readBytes(ctx: PlaceContext, path: ByteString, position: number, bytes: number): Uint8Array | null {
  const target = new Uint8Array(bytes);
  try {
    for (let done = 0; done < bytes; ) {
      const got = ctx.host.readAt(path, target.subarray(done), position + done);
      if (got <= 0) return null;
      done += got;
    }
    return target;
  } catch {
    // The link itself says what cannot be read; a message that needs it is shorter.
    return null;
  }
}

// ---- relocations ----

export interface RawRelocation {
  r_offset: number;
  r_type: number;
  r_sym: number;
  r_addend: bigint;
}

/** Relocation `index` of an isec: from memory when resident, else from the file. */
export function rawRelocation(ctx: PlaceContext, isec: number, index: number): RawRelocation | null {
  const { rela, relaCount, relaOffset, obj } = ctx.tables.isec;
  if (index >= relaCount[isec]!) return null;
  if (rela[isec] !== 0) return readRela(new DataView(ctx.arena.memory.buffer), rela[isec]! + RELA_BYTES * index);
  const path = ctx.sources[ctx.tables.obj.source[obj[isec]!]!];
  const bytes = path === undefined ? null : readBytes(ctx, path, relaOffset[isec]! + RELA_BYTES * index, RELA_BYTES);
  return bytes === null ? null : readRela(new DataView(bytes.buffer), 0);
}

function readRela(view: DataView, at: number): RawRelocation {
  return {
    r_offset: Number(view.getBigUint64(at, true)),
    r_type: view.getUint32(at + 8, true),
    r_sym: view.getUint32(at + 12, true),
    r_addend: view.getBigInt64(at + 16, true),
  };
}

/** `sym` row a relocation of `obj` means, 0 when its index is out of range. */
export function relocationSym(ctx: PlaceContext, obj: number, r_sym: number): number {
  const { esymBase, esymCount } = ctx.tables.obj;
  return r_sym < esymCount[obj]! ? ctx.tables.esym.sym[esymBase[obj]! + r_sym]! : 0;
}

/** isec row of section header `shndx` of an object, 0 = none. */
export function isecOfHeader(ctx: PlaceContext, obj: number, shndx: number): number {
  if (shndx === SHN_UNDEF || shndx >= SHN_LORESERVE || shndx >= ctx.tables.obj.e_shnum[obj]!) return 0;
  return ctx.tables.slot.isec[ctx.tables.obj.slotBase[obj]! + shndx]!;
}

/** obj row that symbol-table entry `esym` belongs to, 0 = none. */
export function objectOfEsym(ctx: PlaceContext, esym: number): number {
  const { esymBase, esymCount } = ctx.tables.obj;
  for (let obj = 1; obj < ctx.tables.obj.rows; obj++) {
    if (esym >= esymBase[obj]! && esym < esymBase[obj]! + esymCount[obj]!) return obj;
  }
  return 0;
}
