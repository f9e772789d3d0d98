/**
 * Reading DWARF bytes: a cursor that never leaves its section, LEB128, and attribute forms (DWARF 5 §7.5.5, §7.6).
 *
 * Running off the end sets `bad` and gives zeros instead of throwing, so that parsers check once per record. Both byte orders
 * are not needed: every target so far is little-endian. Numbers above 2^53 lose digits; such values only occur in corrupt input.
 */
import type { ByteString } from "../args/link-options.ts";
import { cstringAt, viewOf } from "./object-sections.ts";

export class Cursor {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  at: number;
  end: number;
  /** Something was outside the section. */
  bad = false;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.at = at;
    this.end = Math.min(end, bytes.length);
    if (at > this.end) this.bad = true;
  }

  get done(): boolean {
    return this.bad || this.at >= this.end;
  }

  /** Position of the next `count` bytes, which are then behind the cursor; -1 when they are not there. */
  private take(count: number): number {
    const at = this.at;
    if (this.bad || !(count >= 0) || at + count > this.end) {
      this.bad = true;
      return -1;
    }
    this.at = at + count;
    return at;
  }

  u8(): number {
    const at = this.take(1);
    return at < 0 ? 0 : this.bytes[at]!;
  }

  i8(): number {
    return (this.u8() << 24) >> 24;
  }

  u16(): number {
    const at = this.take(2);
    return at < 0 ? 0 : this.view.getUint16(at, true);
  }

  u24(): number {
    return this.u16() + this.u8() * 65536;
  }

  u32(): number {
    const at = this.take(4);
    return at < 0 ? 0 : this.view.getUint32(at, true);
  }

  u64(): number {
    const low = this.u32();
    return low + this.u32() * 2 ** 32;
  }

  /** An unsigned number of 1, 2, 4 or 8 bytes. */
  unsigned(bytes: number): number {
    if (bytes === 8) return this.u64();
    if (bytes === 4) return this.u32();
    if (bytes === 2) return this.u16();
    if (bytes === 1) return this.u8();
    this.skip(bytes);
    return 0;
  }

  uleb(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  sleb(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) return byte & 0x40 ? value - scale : value;
    }
  }

  cstring(): ByteString {
    const text = cstringAt(this.bytes, this.at);
    this.skip(text.length + 1);
    return text;
  }

  skip(count: number): void {
    this.take(count);
  }

  /** unit_length: [length, 8 for 64-bit DWARF else 4] (DWARF 5 §7.4). */
  initialLength(): { length: number; offsetBytes: number } {
    const length = this.u32();
    if (length === 0xffffffff) return { length: this.u64(), offsetBytes: 8 };
    return { length, offsetBytes: 4 };
  }
}

/** What forms need to know of the unit they are in. */
export interface FormUnit {
  version: number;
  offsetBytes: number;
  addressBytes: number;
}

/** String sections, relocated. */
export interface StringSections {
  str: Uint8Array | null;
  lineStr: Uint8Array | null;
}

export type FormValue = number | ByteString;

const EMPTY = new Uint8Array(0);

/** Fixed sizes of forms whose value is a plain unsigned number. */
const FIXED = new Map<number, number>([
  [0x0b, 1], // DW_FORM_data1
  [0x0c, 1], // flag
  [0x11, 1], // ref1
  [0x25, 1], // strx1
  [0x29, 1], // addrx1
  [0x05, 2], // data2
  [0x12, 2], // ref2
  [0x26, 2], // strx2
  [0x2a, 2], // addrx2
  [0x06, 4], // data4
  [0x13, 4], // ref4
  [0x1c, 4], // ref_sup4
  [0x28, 4], // strx4
  [0x2c, 4], // addrx4
  [0x07, 8], // data8
  [0x14, 8], // ref8
  [0x20, 8], // ref_sig8
  [0x24, 8], // ref_sup8
]);

/** Reads one attribute value (DWARF 5 §7.5.6); blocks give their length, strings by index the index. */
export function readForm(c: Cursor, form: number, unit: FormUnit, strings: StringSections, implicit = 0): FormValue {
  const fixed = FIXED.get(form);
  if (fixed !== undefined) return c.unsigned(fixed);
  switch (form) {
    case 0x01: // addr
      return c.unsigned(unit.addressBytes);
    case 0x08: // string
      return c.cstring();
    case 0x0e: // strp
      return cstringAt(strings.str ?? EMPTY, c.unsigned(unit.offsetBytes));
    case 0x1f: // line_strp
      return cstringAt(strings.lineStr ?? EMPTY, c.unsigned(unit.offsetBytes));
    case 0x17: // sec_offset
    case 0x1d: // strp_sup
    case 0x1f20: // GNU_ref_alt
    case 0x1f21: // GNU_strp_alt
      return c.unsigned(unit.offsetBytes);
    case 0x10: // ref_addr
      return c.unsigned(unit.version <= 2 ? unit.addressBytes : unit.offsetBytes);
    case 0x0d: // sdata
      return c.sleb();
    case 0x0f: // udata
    case 0x15: // ref_udata
    case 0x1a: // strx
    case 0x1b: // addrx
    case 0x22: // loclistx
    case 0x23: // rnglistx
    case 0x1f01: // GNU_addr_index
    case 0x1f02: // GNU_str_index
      return c.uleb();
    case 0x27: // strx3
    case 0x2b: // addrx3
      return c.u24();
    case 0x19: // flag_present
      return 1;
    case 0x21: // implicit_const
      return implicit;
    case 0x1e: // data16
      return block(c, 16);
    case 0x0a: // block1
      return block(c, c.u8());
    case 0x03: // block2
      return block(c, c.u16());
    case 0x04: // block4
      return block(c, c.u32());
    case 0x09: // block
    case 0x18: // exprloc
      return block(c, c.uleb());
    case 0x16: // indirect
      return readForm(c, indirect(c), unit, strings, implicit);
    default:
      c.bad = true;
      return 0;
  }
}

/** An indirect form that is itself indirect could go on for ever: not allowed. */
function indirect(c: Cursor): number {
  const form = c.uleb();
  return form === 0x16 ? 0 : form;
}

function block(c: Cursor, length: number): number {
  c.skip(length);
  return length;
}
