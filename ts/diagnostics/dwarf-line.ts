/**
 * Line number programs (DWARF 5 §6.2; versions 2 to 5): from section and offset to file and line.
 *
 * Works on the `.debug_line` of an unlinked object, where an address is a section and an offset in it: DW_LNE_set_address says
 * which section through its relocation. Only what a message needs is kept: columns, statements, discriminators are skipped.
 */
import type { ByteString } from "../args/link-options.ts";
import { Cursor, readForm, type StringSections } from "./dwarf-reader.ts";
import type { DebugSection } from "./object-sections.ts";

interface FileEntry {
  name: ByteString;
  dir: number;
}

export interface LineTable {
  /** Offset in .debug_line: what DW_AT_stmt_list refers to. */
  offset: number;
  version: number;
  dirs: ByteString[];
  files: FileEntry[];
  /** The header and program in the section. */
  program: { at: number; end: number };
  header: ProgramHeader;
}

interface ProgramHeader {
  addressBytes: number;
  minimumInstruction: number;
  lineBase: number;
  lineRange: number;
  opcodeBase: number;
  operandCounts: number[];
}

export interface LineRow {
  file: number;
  line: number;
}

/** More units than any real object has: a corrupt section of tiny units must not take for ever. */
const MAX_UNITS = 1 << 16;
const MAX_ENTRIES = 1 << 20;

/** Headers of all line tables of a section; stops at the first that cannot be read. */
export function readLineTables(section: Uint8Array, strings: StringSections): LineTable[] {
  const tables: LineTable[] = [];
  for (let at = 0; at + 4 < section.length && tables.length < MAX_UNITS; ) {
    const c = new Cursor(section, at);
    const { length, offsetBytes } = c.initialLength();
    const end = c.at + length;
    if (c.bad || end > section.length) break;
    const table = readHeader(new Cursor(section, c.at, end), at, offsetBytes, strings);
    if (table !== null) tables.push(table);
    at = end;
  }
  return tables;
}

function readHeader(c: Cursor, offset: number, offsetBytes: number, strings: StringSections): LineTable | null {
  const version = c.u16();
  if (version < 2 || version > 5) return null;
  const addressBytes = version >= 5 ? c.u8() : 8;
  if (version >= 5) c.u8(); // segment selectors do not exist here
  const headerLength = c.unsigned(offsetBytes);
  const programAt = c.at + headerLength;
  const minimumInstruction = c.u8();
  if (version >= 4) c.u8(); // maximum_operations_per_instruction: 1 on every machine that is not VLIW
  c.u8(); // default_is_stmt
  const lineBase = c.i8();
  const lineRange = c.u8();
  const opcodeBase = c.u8();
  const operandCounts = [0];
  for (let i = 1; i < opcodeBase; i++) operandCounts.push(c.u8());
  const names = version >= 5 ? readNames5(c, offsetBytes, addressBytes, strings) : readNames2(c);
  if (c.bad || programAt > c.end) return null;
  const header = { addressBytes, minimumInstruction, lineBase, lineRange, opcodeBase, operandCounts };
  return { offset, version, ...names, program: { at: programAt, end: c.end }, header };
}

/** Versions 2 to 4: directory 0 is the compilation directory, files count from 1. */
function readNames2(c: Cursor): { dirs: ByteString[]; files: FileEntry[] } {
  const dirs: ByteString[] = [""];
  while (!c.bad && c.bytes[c.at] !== 0 && dirs.length < MAX_ENTRIES) dirs.push(c.cstring());
  c.u8();
  const files: FileEntry[] = [{ name: "", dir: 0 }];
  while (!c.bad && c.bytes[c.at] !== 0 && files.length < MAX_ENTRIES) {
    const name = c.cstring();
    files.push({ name, dir: c.uleb() });
    c.uleb(); // modification time
    c.uleb(); // bytes
  }
  c.u8();
  return { dirs, files };
}

const DW_LNCT_PATH = 1;
const DW_LNCT_DIRECTORY_INDEX = 2;

/** Version 5: entries described by their own formats (§6.2.4.1). */
function readNames5(c: Cursor, offsetBytes: number, addressBytes: number, strings: StringSections): { dirs: ByteString[]; files: FileEntry[] } {
  const unit = { version: 5, offsetBytes, addressBytes };
  const entries = (): FileEntry[] => {
    const format: [content: number, form: number][] = [];
    const formats = c.u8();
    for (let i = 0; i < formats; i++) format.push([c.uleb(), c.uleb()]);
    const count = c.uleb();
    const read: FileEntry[] = [];
    for (let i = 0; i < count && !c.bad && i < MAX_ENTRIES; i++) {
      const entry: FileEntry = { name: "", dir: 0 };
      for (const [content, form] of format) {
        const value = readForm(c, form, unit, strings);
        if (content === DW_LNCT_PATH && typeof value === "string") entry.name = value;
        else if (content === DW_LNCT_DIRECTORY_INDEX && typeof value === "number") entry.dir = value;
      }
      read.push(entry);
    }
    return read;
  };
  const dirs = entries().map(({ name }) => name);
  return { dirs, files: entries() };
}

/** Path of a file of a table, made absolute where the directories allow; "" when there is no such file. */
export function filePath(table: LineTable, file: number, compilationDir: ByteString): ByteString {
  const entry = table.files[file];
  if (entry === undefined || entry.name === "") return "";
  if (entry.name.startsWith("/")) return entry.name;
  const base = table.version >= 5 ? (table.dirs[0] ?? "") : compilationDir;
  const dir = table.dirs[entry.dir] ?? "";
  const isBase = entry.dir === 0 || dir === "";
  return joined(isBase ? joined(compilationDir, base) : joined(joined(compilationDir, base), dir), entry.name);
}

function joined(dir: ByteString, name: ByteString): ByteString {
  if (name.startsWith("/") || dir === "" || dir === name) return name;
  if (name === "") return dir;
  return dir.endsWith("/") ? dir + name : `${dir}/${name}`;
}

// ---- the program ----

interface State {
  address: number;
  section: number;
  file: number;
  line: number;
}

/** The row that covers `offset` of section header `shndx`, null when the table has none. */
export function findLine(table: LineTable, section: DebugSection, shndx: number, offset: number): LineRow | null {
  if (table.header.lineRange === 0) return null;
  const search = new RowSearch(shndx, offset);
  run(table, section, (state, ends) => search.see(state, ends));
  return search.found;
}

/** Rows of one sequence ascend: the wanted one is the last that does not start after the offset, if another row follows it. */
class RowSearch {
  found: LineRow | null = null;
  private readonly shndx: number;
  private readonly offset: number;
  private before: State | null = null;

  constructor(shndx: number, offset: number) {
    this.shndx = shndx;
    this.offset = offset;
  }

  /** Returns false when nothing more needs to be seen. */
  see(state: State, ends: boolean): boolean {
    const { before } = this;
    if (before !== null && before.section === this.shndx && before.address <= this.offset && this.offset < state.address) {
      this.found = { file: before.file, line: before.line };
      return false;
    }
    this.before = ends ? null : { ...state };
    return true;
  }
}

function run(table: LineTable, section: DebugSection, row: (state: State, ends: boolean) => boolean): void {
  const { header } = table;
  const c = new Cursor(section.bytes, table.program.at, table.program.end);
  const fresh = (): State => ({ address: 0, section: 0, file: 1, line: 1 });
  let state = fresh();
  while (!c.done) {
    const opcode = c.u8();
    if (opcode >= header.opcodeBase) {
      const adjusted = opcode - header.opcodeBase;
      state.address += Math.floor(adjusted / header.lineRange) * header.minimumInstruction;
      state.line += header.lineBase + (adjusted % header.lineRange);
      if (!row(state, false)) return;
    } else if (opcode === 0) {
      const length = c.uleb();
      const next = c.at + length;
      const extended = length === 0 ? 0 : c.u8();
      if (extended === 1) {
        if (!row(state, true)) return;
        state = fresh();
      } else if (extended === 2) {
        state.section = section.targets.get(c.at) ?? 0;
        state.address = c.unsigned(length - 1);
      }
      if (next > c.end) return;
      c.at = next;
    } else if (!standard(c, opcode, state, header, row)) return;
  }
}

/** DW_LNS_* (§6.2.5.2). Returns false to stop. */
function standard(c: Cursor, opcode: number, state: State, header: ProgramHeader, row: (state: State, ends: boolean) => boolean): boolean {
  switch (opcode) {
    case 1: // copy
      return row(state, false);
    case 2: // advance_pc
      state.address += c.uleb() * header.minimumInstruction;
      return true;
    case 3: // advance_line
      state.line += c.sleb();
      return true;
    case 4: // set_file
      state.file = c.uleb();
      return true;
    case 8: // const_add_pc
      state.address += Math.floor((255 - header.opcodeBase) / header.lineRange) * header.minimumInstruction;
      return true;
    case 9: // fixed_advance_pc
      state.address += c.u16();
      return true;
    default:
      for (let i = 0; i < (header.operandCounts[opcode] ?? 0); i++) c.uleb();
      return true;
  }
}
