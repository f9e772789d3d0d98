/**
 * The little of .debug_info that messages need (DWARF 5 §7.5; versions 2 to 5): the compilation directory of each unit, and
 * where external variables are declared.
 *
 * Walks entries in file order without building a tree. Bounded: a corrupt or enormous section ends the walk early, and what was
 * found until then is kept.
 */
import type { ByteString } from "../args/link-options.ts";
import { Cursor, readForm, type FormUnit, type FormValue, type StringSections } from "./dwarf-reader.ts";

export interface Unit {
  /** DW_AT_stmt_list, -1 = none. */
  lineOffset: number;
  compilationDir: ByteString;
  /** External variables by linkage name, else name. */
  variables: Map<ByteString, { file: number; line: number }>;
}

interface Abbreviation {
  tag: number;
  attributes: [name: number, form: number, implicit: number][];
}

const DW_TAG_COMPILE_UNIT = 0x11;
const DW_TAG_PARTIAL_UNIT = 0x3c;
const DW_TAG_SKELETON_UNIT = 0x4a;
const DW_TAG_VARIABLE = 0x34;
const DW_AT_NAME = 0x03;
const DW_AT_STMT_LIST = 0x10;
const DW_AT_COMP_DIR = 0x1b;
const DW_AT_DECL_FILE = 0x3a;
const DW_AT_DECL_LINE = 0x3b;
const DW_AT_EXTERNAL = 0x3f;
const DW_AT_STR_OFFSETS_BASE = 0x72;
const DW_AT_LINKAGE_NAME = 0x6e;
const DW_AT_MIPS_LINKAGE_NAME = 0x2007;

const MAX_ENTRIES = 1 << 22;
const MAX_UNITS = 1 << 16;
const MAX_ABBREVIATIONS = 1 << 16;

export interface InfoSections extends StringSections {
  info: Uint8Array;
  abbrev: Uint8Array;
  /** .debug_str_offsets, for DW_FORM_strx. */
  strOffsets: Uint8Array | null;
}

export function readUnits(sections: InfoSections): Unit[] {
  const units: Unit[] = [];
  let budget = MAX_ENTRIES;
  for (let at = 0; at + 4 < sections.info.length && units.length < MAX_UNITS && budget > 0; ) {
    const c = new Cursor(sections.info, at);
    const { length, offsetBytes } = c.initialLength();
    const end = c.at + length;
    if (c.bad || end > sections.info.length || length === 0) break;
    const reader = new UnitReader(sections, new Cursor(sections.info, c.at, end), offsetBytes);
    if (reader.readHeader()) budget -= reader.readEntries(budget);
    units.push(reader.unit);
    at = end;
  }
  return units;
}

class UnitReader {
  readonly unit: Unit = { lineOffset: -1, compilationDir: "", variables: new Map() };
  private readonly sections: InfoSections;
  private readonly c: Cursor;
  private readonly form: FormUnit;
  private abbreviations = new Map<number, Abbreviation>();
  private strOffsetsBase = 0;

  constructor(sections: InfoSections, c: Cursor, offsetBytes: number) {
    this.sections = sections;
    this.c = c;
    this.form = { version: 0, offsetBytes, addressBytes: 8 };
  }

  readHeader(): boolean {
    const { c, form } = this;
    form.version = c.u16();
    if (form.version < 2 || form.version > 5) return false;
    const type = form.version >= 5 ? c.u8() : 1;
    if (form.version >= 5) form.addressBytes = c.u8();
    const abbrevOffset = c.unsigned(form.offsetBytes);
    if (form.version < 5) form.addressBytes = c.u8();
    if (type === 4 || type === 5) c.skip(8); // skeleton, split_compile: dwo id
    else if (type === 2 || type === 6) c.skip(8 + form.offsetBytes); // type units: signature, type offset
    this.strOffsetsBase = form.offsetBytes === 8 ? 16 : 8;
    this.abbreviations = readAbbreviations(this.sections.abbrev, abbrevOffset);
    return !c.bad;
  }

  /** Returns how many entries were read. */
  readEntries(limit: number): number {
    let count = 0;
    while (!this.c.done && count < limit) {
      const code = this.c.uleb();
      count++;
      if (code === 0) continue;
      const abbreviation = this.abbreviations.get(code);
      if (abbreviation === undefined) break;
      this.readEntry(abbreviation);
    }
    return count;
  }

  private readEntry({ tag, attributes }: Abbreviation): void {
    if (tag === DW_TAG_VARIABLE) this.readVariable(attributes);
    else if (tag === DW_TAG_COMPILE_UNIT || tag === DW_TAG_SKELETON_UNIT || tag === DW_TAG_PARTIAL_UNIT) this.readUnit(attributes);
    else for (const [, form, implicit] of attributes) readForm(this.c, form, this.form, NO_STRINGS, implicit);
  }

  private values(attributes: Abbreviation["attributes"]): Map<number, FormValue> {
    const values = new Map<number, FormValue>();
    const byIndex: [number, number][] = [];
    for (const [name, form, implicit] of attributes) {
      const value = readForm(this.c, form, this.form, this.sections, implicit);
      if (isStringIndex(form) && typeof value === "number") byIndex.push([name, value]);
      else values.set(name, value);
    }
    const base = values.get(DW_AT_STR_OFFSETS_BASE);
    if (typeof base === "number") this.strOffsetsBase = base;
    for (const [name, index] of byIndex) values.set(name, this.indexedString(index));
    return values;
  }

  private indexedString(index: number): ByteString {
    const { strOffsets, str } = this.sections;
    if (strOffsets === null || str === null) return "";
    const at = new Cursor(strOffsets, this.strOffsetsBase + index * this.form.offsetBytes).unsigned(this.form.offsetBytes);
    return new Cursor(str, at).cstring();
  }

  private readUnit(attributes: Abbreviation["attributes"]): void {
    const values = this.values(attributes);
    const lineOffset = values.get(DW_AT_STMT_LIST);
    const compilationDir = values.get(DW_AT_COMP_DIR);
    if (typeof lineOffset === "number") this.unit.lineOffset = lineOffset;
    if (typeof compilationDir === "string") this.unit.compilationDir = compilationDir;
  }

  private readVariable(attributes: Abbreviation["attributes"]): void {
    if (!attributes.some(([name]) => name === DW_AT_EXTERNAL)) {
      for (const [, form, implicit] of attributes) readForm(this.c, form, this.form, NO_STRINGS, implicit);
      return;
    }
    const values = this.values(attributes);
    const name = values.get(DW_AT_LINKAGE_NAME) ?? values.get(DW_AT_MIPS_LINKAGE_NAME) ?? values.get(DW_AT_NAME);
    const file = values.get(DW_AT_DECL_FILE);
    const line = values.get(DW_AT_DECL_LINE);
    if (values.get(DW_AT_EXTERNAL) !== 1 || typeof name !== "string" || name === "") return;
    if (typeof file !== "number" || typeof line !== "number") return;
    if (!this.unit.variables.has(name)) this.unit.variables.set(name, { file, line });
  }
}

const NO_STRINGS: StringSections = { str: null, lineStr: null };

/** DW_FORM_strx, strx1 to strx4, GNU_str_index. */
function isStringIndex(form: number): boolean {
  return form === 0x1a || (form >= 0x25 && form <= 0x28) || form === 0x1f02;
}

function readAbbreviations(section: Uint8Array, offset: number): Map<number, Abbreviation> {
  const table = new Map<number, Abbreviation>();
  const c = new Cursor(section, offset);
  while (!c.done && table.size < MAX_ABBREVIATIONS) {
    const code = c.uleb();
    if (code === 0) break;
    const tag = c.uleb();
    c.u8(); // children
    const attributes: Abbreviation["attributes"] = [];
    while (!c.bad) {
      const name = c.uleb();
      const form = c.uleb();
      const implicit = form === 0x21 ? c.sleb() : 0;
      if (name === 0 && form === 0) break;
      attributes.push([name, form, implicit]);
    }
    table.set(code, { tag, attributes });
  }
  return table;
}
