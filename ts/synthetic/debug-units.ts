/**
 * What indexes of debug information need of an object's DWARF: where its units are and which code they describe (DWARF 2 to 5).
 *
 * Reads the object's own sections, found through the link's tables, and looks relocations up where an attribute has an address;
 * nothing is relocated. Only the first entry of each unit is looked at. Problems are sentences, in LLVM's words.
 */
import { SYM_DEFINED, SYM_KIND_MASK } from "../../as-kernels/shared/abi.ts";
import { RELA_BYTES } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { Cursor, readForm, type FormUnit } from "../diagnostics/dwarf-reader.ts";
import { badObject } from "../diagnostics/messages.ts";
import { sectionPlace } from "../diagnostics/place.ts";
import { HostError } from "../host/host.ts";

/** A place in an input section: `offset` bytes from its start. isec 0 = a number that no relocation explains. */
interface Place {
  isec: number;
  offset: number;
}

/** Section contents with their relocations at hand. */
export class DebugBytes {
  readonly bytes: Uint8Array;
  readonly isec: number;
  private readonly ctx: Context;
  private relas: DataView | null = null;

  constructor(ctx: Context, isec: number) {
    const { pool: { self }, tables } = ctx;
    self.tables = tables;
    const size = tables.isec.size[isec]!;
    const address = self.window(0, size + 16);
    this.isec = isec;
    this.ctx = ctx;
    this.bytes = inflates(ctx, isec, address) ? self.bytes(address, size).slice() : new Uint8Array(0);
  }

  /** Section or null. */
  static of(ctx: Context, isec: number): DebugBytes | null {
    return isec === 0 ? null : new DebugBytes(ctx, isec);
  }

  /** The relocated value at `offset`, whose bytes say `stored`. */
  place(offset: number, stored: number): Place {
    const { esym, obj, sym, isec } = this.ctx.tables;
    const relas = this.relocations();
    const count = relas.byteLength / RELA_BYTES;
    let [low, high] = [0, count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (Number(relas.getBigUint64(middle * RELA_BYTES, true)) < offset) low = middle + 1;
      else high = middle;
    }
    const at = low * RELA_BYTES;
    if (low === count || Number(relas.getBigUint64(at, true)) !== offset) return { isec: 0, offset: stored };
    const object = isec.obj[this.isec]!;
    const index = relas.getUint32(at + 12, true);
    const addend = Number(relas.getBigInt64(at + 16, true));
    if (index >= obj.esymCount[object]!) return { isec: 0, offset: addend };
    const target = esym.sym[obj.esymBase[object]! + index]!;
    const defined = (sym.flags[target]! & SYM_KIND_MASK) === SYM_DEFINED;
    return { isec: defined ? sym.isec[target]! : 0, offset: Number(sym.value[target]!) + addend };
  }

  private relocations(): DataView {
    if (this.relas !== null) return this.relas;
    const { pool: { self }, tables: { isec, obj } } = this.ctx;
    const bytes = isec.relaCount[this.isec]! * RELA_BYTES;
    let address = isec.rela[this.isec]!;
    if (address === 0 && bytes > 0) {
      address = self.window(0, bytes);
      self.read(obj.source[isec.obj[this.isec]!]!, isec.relaOffset[this.isec]!, address, bytes);
    }
    const copy = bytes === 0 ? new Uint8Array(0) : self.bytes(address, bytes).slice();
    return (this.relas = new DataView(sorted(copy).buffer));
  }
}

/** Reads a section to `address`; false = it is compressed and corrupt, which is reported. */
function inflates(ctx: Context, isec: number, address: number): boolean {
  try {
    ctx.pool.self.contents(isec, address);
    return true;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    ctx.diag.error(badObject(sectionPlace(ctx, isec), "corrupted compressed section"));
    return false;
  }
}

/** By r_offset; assemblers write them so, `ld -r` may not. */
function sorted(relas: Uint8Array): Uint8Array {
  const view = new DataView(relas.buffer);
  const count = relas.length / RELA_BYTES;
  const offset = (i: number) => Number(view.getBigUint64(i * RELA_BYTES, true));
  for (let i = 1; i < count; i++) {
    if (offset(i) >= offset(i - 1)) continue;
    const order = Array.from({ length: count }, (_, k) => k).sort((a, b) => offset(a) - offset(b));
    const out = new Uint8Array(relas.length);
    order.forEach((from, to) => out.set(relas.subarray(from * RELA_BYTES, (from + 1) * RELA_BYTES), to * RELA_BYTES));
    return out;
  }
  return relas;
}

/** Cells of the kernel findDebugSections. */
export interface DebugSections {
  info: number;
  abbrev: number;
  ranges: number;
  rnglists: number;
  addr: number;
  strOffsets: number;
  pubNames: number;
  pubTypes: number;
  names: number;
}

export function findDebugSections(ctx: Context, obj: number, cells: number): DebugSections {
  ctx.kernels.findDebugSections(obj, cells);
  const [info, abbrev, ranges, rnglists, addr, strOffsets, pubNames, pubTypes, names] = ctx.arena.words(cells, 9);
  return { info, abbrev, ranges, rnglists, addr, strOffsets, pubNames, pubTypes, names };
}

export interface CompilationUnit {
  /** Bytes from the start of the object's .debug_info. */
  offset: number;
  /** With the length word. */
  length: number;
}

/** Code of unit number `unit` of the object. */
export interface CodeRange {
  isec: number;
  low: number;
  high: number;
  unit: number;
}

const DW_UT_TYPE = 2;
const DW_UT_SKELETON = 4;
const DW_UT_SPLIT_COMPILE = 5;
const DW_UT_SPLIT_TYPE = 6;
const DW_AT_LOW_PC = 0x11;
const DW_AT_HIGH_PC = 0x12;
const DW_AT_RANGES = 0x55;
const DW_AT_STR_OFFSETS_BASE = 0x72;
const DW_AT_ADDR_BASE = 0x73;
const DW_AT_RNGLISTS_BASE = 0x74;
const DW_AT_GNU_RANGES_BASE = 0x2132;
const DW_AT_GNU_ADDR_BASE = 0x2133;
const DW_FORM_ADDR = 0x01;
const DW_FORM_RNGLISTX = 0x23;
const DW_FORM_STRINGS = { str: null, lineStr: null };

/** DW_FORM_addrx and its fixed sizes, and what GNU had before them. */
const isAddressIndex = (form: number): boolean => form === 0x1b || (form >= 0x29 && form <= 0x2c) || form === 0x1f01;

/** Thrown and caught here: the unit cannot be understood; `message` says why. */
class BadUnit extends Error {}

interface Attribute {
  form: number;
  value: number;
  /** Bytes from the start of .debug_info. */
  at: number;
}

/** Units of an object, and their code. */
export class DebugUnits {
  readonly units: CompilationUnit[] = [];
  /** Code by unit; empty when `problem` is not "". */
  ranges: CodeRange[] = [];
  problem = "";
  private readonly info: DebugBytes;
  private readonly others: { abbrev: DebugBytes | null; ranges: DebugBytes | null; rnglists: DebugBytes | null; addr: DebugBytes | null; strOffsets: DebugBytes | null };

  constructor(ctx: Context, sections: DebugSections) {
    this.info = new DebugBytes(ctx, sections.info);
    const of = (isec: number) => DebugBytes.of(ctx, isec);
    this.others = { abbrev: of(sections.abbrev), ranges: of(sections.ranges), rnglists: of(sections.rnglists), addr: of(sections.addr), strOffsets: of(sections.strOffsets) };
    try {
      this.read();
    } catch (error) {
      if (!(error instanceof BadUnit)) throw error;
      this.problem = error.message;
      this.ranges = [];
    }
  }

  private read(): void {
    const { bytes } = this.info;
    for (let at = 0; at + 11 <= bytes.length; ) {
      const c = new Cursor(bytes, at);
      const { length, offsetBytes } = c.initialLength();
      const end = c.at + length;
      if (c.bad || end > bytes.length) return;
      const unit: FormUnit = { version: c.u16(), offsetBytes, addressBytes: 8 };
      const type = unit.version >= 5 ? c.u8() : 1;
      if (unit.version >= 5) unit.addressBytes = c.u8();
      const abbreviations = c.unsigned(offsetBytes);
      if (unit.version < 5) unit.addressBytes = c.u8();
      if (type === DW_UT_SKELETON || type === DW_UT_SPLIT_COMPILE) c.skip(8);
      if (type !== DW_UT_TYPE && type !== DW_UT_SPLIT_TYPE && unit.version >= 2 && unit.version <= 5) {
        this.units.push({ offset: at, length: end - at });
        this.readUnit(new Cursor(bytes, c.at, end), unit, this.abbreviationsAt(at, offsetBytes, abbreviations));
      }
      at = end;
    }
  }

  private abbreviationsAt(unit: number, offsetBytes: number, stored: number): number {
    // Relocated against .debug_abbrev: the addend is what counts.
    const { bytes } = this.info;
    const version = bytes[unit + (offsetBytes === 8 ? 12 : 4)]!;
    const field = unit + (offsetBytes === 8 ? 12 : 4) + (version >= 5 ? 4 : 2);
    return this.info.place(field, stored).offset;
  }

  private readUnit(c: Cursor, unit: FormUnit, abbreviations: number): void {
    const attributes = this.attributes(c, unit, abbreviations);
    if (attributes === null) return;
    this.checkStrings(unit, attributes.get(DW_AT_STR_OFFSETS_BASE));
    const number = this.units.length - 1;
    const add = (low: Place, high: number): void => {
      if (low.isec !== 0 && low.offset !== high && Number.isSafeInteger(low.offset) && Number.isSafeInteger(high)) this.ranges.push({ isec: low.isec, low: low.offset, high, unit: number });
    };
    const base = this.offset(attributes.get(DW_AT_ADDR_BASE) ?? attributes.get(DW_AT_GNU_ADDR_BASE), 8);
    const lowPc = attributes.get(DW_AT_LOW_PC);
    const low = lowPc === undefined ? { isec: 0, offset: 0 } : this.address(lowPc, unit, base);
    const ranges = attributes.get(DW_AT_RANGES);
    if (ranges !== undefined) {
      if (unit.version >= 5) this.readRangeLists(unit, this.rangeList(ranges, attributes.get(DW_AT_RNGLISTS_BASE), unit), low, base, add);
      else this.readRanges(unit, this.info.place(ranges.at, ranges.value).offset + this.offset(attributes.get(DW_AT_GNU_RANGES_BASE), 0), low, add);
      return;
    }
    const highPc = attributes.get(DW_AT_HIGH_PC);
    if (lowPc === undefined || highPc === undefined) return;
    const isAddress = highPc.form === DW_FORM_ADDR || isAddressIndex(highPc.form);
    add(low, isAddress ? this.address(highPc, unit, base).offset : low.offset + highPc.value);
  }

  /** Attributes of the unit's first entry that are numbers. */
  private attributes(c: Cursor, unit: FormUnit, offset: number): Map<number, Attribute> | null {
    const code = c.uleb();
    const a = new Cursor(this.others.abbrev?.bytes ?? new Uint8Array(0), offset);
    for (;;) {
      const found = a.uleb();
      if (a.bad || found === 0) return null;
      a.uleb();
      a.u8();
      const values = new Map<number, Attribute>();
      for (;;) {
        const name = a.uleb();
        const form = a.uleb();
        const implicit = form === 0x21 ? a.sleb() : 0;
        if (a.bad) return null;
        if (name === 0 && form === 0) break;
        if (found !== code) continue;
        const at = c.at;
        const value = readForm(c, form, unit, DW_FORM_STRINGS, implicit);
        if (c.bad) return null;
        if (typeof value === "number") values.set(name, { form, value, at });
      }
      if (found === code) return values;
    }
  }

  /** A section offset, relocated against the start of its section. */
  private offset(attribute: Attribute | undefined, otherwise: number): number {
    return attribute === undefined ? otherwise : this.info.place(attribute.at, attribute.value).offset;
  }

  private address(attribute: Attribute, unit: FormUnit, base: number): Place {
    if (isAddressIndex(attribute.form)) return this.indexed(attribute.value, unit, base);
    return this.info.place(attribute.at, attribute.value);
  }

  private indexed(index: number, unit: FormUnit, base: number): Place {
    const { addr } = this.others;
    const at = base + index * unit.addressBytes;
    if (addr === null || at + unit.addressBytes > addr.bytes.length) return { isec: 0, offset: 0 };
    return addr.place(at, new Cursor(addr.bytes, at).unsigned(unit.addressBytes));
  }

  /** .debug_ranges (DWARF 4, 2.17.3). */
  private readRanges(unit: FormUnit, offset: number, low: Place, add: (low: Place, high: number) => void): void {
    const { ranges } = this.others;
    const size = unit.addressBytes;
    let base = low;
    for (let at = offset; ; at += 2 * size) {
      if (ranges === null || at + 2 * size > ranges.bytes.length) throw new BadUnit(`decoding address ranges: invalid range list entry at offset 0x${at.toString(16)}`);
      const c = new Cursor(ranges.bytes, at);
      const isBase = ranges.bytes.subarray(at, at + size).every((byte) => byte === 0xff);
      const from = ranges.place(at, c.unsigned(size));
      const to = ranges.place(at + size, c.unsigned(size));
      if (isBase) base = to;
      else if (from.isec === 0 && from.offset === 0 && to.isec === 0 && to.offset === 0) return;
      else if (from.isec !== 0) add(from, to.offset);
      else add({ isec: base.isec, offset: base.offset + from.offset }, base.offset + to.offset);
    }
  }

  /** Where a unit's list in .debug_rnglists begins. */
  private rangeList(ranges: Attribute, baseOf: Attribute | undefined, unit: FormUnit): number {
    if (ranges.form !== DW_FORM_RNGLISTX) return this.info.place(ranges.at, ranges.value).offset;
    const base = this.offset(baseOf, unit.offsetBytes === 8 ? 20 : 12);
    const bytes = this.others.rnglists?.bytes ?? new Uint8Array(0);
    const c = new Cursor(bytes, base + ranges.value * unit.offsetBytes);
    const found = base + c.unsigned(unit.offsetBytes);
    if (c.bad) throw new BadUnit(`decoding address ranges: missing or invalid range list table`);
    return found;
  }

  /** .debug_rnglists (DWARF 5, 7.25). */
  private readRangeLists(unit: FormUnit, offset: number, low: Place, addrBase: number, add: (low: Place, high: number) => void): void {
    const { rnglists } = this.others;
    const c = new Cursor(rnglists?.bytes ?? new Uint8Array(0), offset);
    const address = (): Place => {
      const at = c.at;
      return rnglists!.place(at, c.unsigned(unit.addressBytes));
    };
    let base = low;
    for (;;) {
      const start = c.at;
      const kind = c.u8();
      if (kind === 0 && !c.bad) return;
      if (kind === 1) base = this.indexed(c.uleb(), unit, addrBase);
      else if (kind === 2) add(this.indexed(c.uleb(), unit, addrBase), this.indexed(c.uleb(), unit, addrBase).offset);
      else if (kind === 3) {
        const from = this.indexed(c.uleb(), unit, addrBase);
        add(from, from.offset + c.uleb());
      } else if (kind === 4) {
        const from = base.offset + c.uleb();
        add({ isec: base.isec, offset: from }, base.offset + c.uleb());
      } else if (kind === 5) base = address();
      else if (kind === 6) add(address(), address().offset);
      else if (kind === 7) {
        const from = address();
        add(from, from.offset + c.uleb());
      } else c.bad = true;
      if (c.bad) throw new BadUnit(`decoding address ranges: invalid range list entry at offset 0x${start.toString(16)}`);
    }
  }

  /** LLVM refuses a unit whose table of string offsets has no header. */
  private checkStrings(unit: FormUnit, base: Attribute | undefined): void {
    if (unit.version < 5 || base === undefined) return;
    const size = this.others.strOffsets?.bytes.length ?? 0;
    const offset = this.offset(base, 0);
    const header = unit.offsetBytes === 8 ? 16 : 8;
    if (offset >= header && offset <= size) return;
    throw new BadUnit(`invalid reference to or invalid content in .debug_str_offsets[.dwo]: insufficient space for ${unit.offsetBytes * 8} bit header prefix`);
  }
}
