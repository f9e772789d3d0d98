/**
 * --debug-names: one .debug_names for the whole output (DWARF 5, 6.1.1), merged from those of the inputs, which it replaces.
 *
 * Not for objects compiled without -gpubnames: a unit without names stays out of the index. Every name occurs once, with the entries of
 * all units; entries gain the number of their unit. As lld 19, type units are not listed (a warning says so), and names stand in the
 * order of the top bits of their hash, which the format defines, first occurrence first.
 */
import { ISEC_MERGE } from "../../as-kernels/shared/abi.ts";
import { SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { Cursor } from "../diagnostics/dwarf-reader.ts";
import { badObject } from "../diagnostics/messages.ts";
import { sectionPlace } from "../diagnostics/place.ts";
import { latin1 } from "../memory/text.ts";
import { DebugBytes, findDebugSections } from "./debug-units.ts";
import { BadIndex, DW_FORM_FLAG_PRESENT, DW_FORM_UDATA, FORM_BYTES, readIndexes, VERSION, type Attribute, type NameIndex } from "./name-index.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

/** unit_length, version, padding, seven counts. */
const HEADER_BYTES = 36;
const DW_IDX_COMPILE_UNIT = 1;
const DW_IDX_PARENT = 4;
const ORDER_SHIFT = 27;
const SHARDS = 32;

/** An abbreviation of the output. */
interface Abbreviation {
  code: number;
  tag: number;
  attributes: Attribute[];
}

/** One record of a name: a debugging information entry that has it. */
interface Entry {
  abbreviation: Abbreviation;
  /** Of all attributes but the unit, in order. */
  values: number[];
  unit: number;
  parent: Entry | null;
  /** Bytes from the start of the output's entry pool. */
  at: number;
}

interface Name {
  hash: number;
  /** Where its text is: isec and offset of the first mention. */
  isec: number;
  offset: number;
  entries: Entry[];
  /** Bytes from the start of the entry pool to its first entry. */
  at: number;
}

const ulebBytes = (value: number): number => Math.max(1, Math.ceil(Math.log2(value + 1) / 7));

export class DebugNamesSection extends SectionBase implements SyntheticSection {
  readonly name = ".debug_names";
  readonly sh_type = SHT_PROGBITS;
  readonly sh_flags = 0;
  readonly align = 2;
  /** Of every unit: isec of its .debug_info and offset in it. */
  private readonly units: { isec: number; offset: number }[] = [];
  private readonly abbreviations = new Map<string, Abbreviation>();
  private readonly shards: Name[][] = Array.from({ length: SHARDS }, () => []);
  private readonly byText = new Map<string, Name>();
  private augmentation: string | null = null;
  private unitForm: Attribute[1] = 0x0b;
  private abbreviationTable: number[] = [];
  private poolBytes = 0;
  private indexes = 0;

  collect(ctx: Context): void {
    const { arena, tables } = ctx;
    const cells = arena.alloc(64);
    const inputs: NameIndex[] = [];
    for (const obj of ctx.objects) {
      if (tables.obj.isecCount[obj] === 0) continue;
      const { names } = findDebugSections(ctx, obj, cells);
      if (names === 0) continue;
      try {
        for (const input of readIndexes(new DebugBytes(ctx, names))) inputs.push(input);
      } catch (error) {
        if (!(error instanceof BadIndex)) throw error;
        ctx.diag.errorOrWarn(badObject(sectionPlace(ctx, names), error.message));
      }
    }
    const unitCount = inputs.reduce((sum, input) => sum + input.units.length, 0);
    this.unitForm = unitCount > 0xffff ? 0x06 : unitCount > 0xff ? 0x05 : 0x0b;
    const texts = new Texts(ctx);
    for (const input of inputs) this.merge(ctx, input, texts);
    this.place();
  }

  private merge(ctx: Context, input: NameIndex, texts: Texts): void {
    this.indexes++;
    if (input.typeUnits > 0) ctx.diag.warn(badObject(sectionPlace(ctx, input.section.isec), "type units are not implemented"));
    if (this.augmentation === null) this.augmentation = input.augmentation;
    else if (this.augmentation !== input.augmentation) this.augmentation = "";
    const before = this.units.length;
    this.units.push(...input.units);
    // All abbreviations take part, used or not, so that codes do not depend on names.
    const codes = new Map<number, Abbreviation>();
    for (const code of lldOrder(input.abbreviations.keys())) codes.set(code, this.abbreviation(input.abbreviations.get(code)!));
    try {
      this.mergeNames(input, codes, before, texts);
    } catch (error) {
      if (!(error instanceof BadIndex)) throw error;
      ctx.diag.errorOrWarn(badObject(sectionPlace(ctx, input.section.isec), error.message));
    }
  }

  private mergeNames(input: NameIndex, codes: Map<number, Abbreviation>, before: number, texts: Texts): void {
    const read = new Map<number, Entry>();
    const children: [entry: Entry, parent: number][] = [];
    for (let i = 0; i < input.names; i++) {
      const name = this.nameOf(input, i, texts);
      const c = new Cursor(input.section.bytes, input.pool + input.entryOffset(i), input.end);
      for (let start = c.at, code = c.uleb(); code !== 0; start = c.at, code = c.uleb()) {
        const old = input.abbreviations.get(code);
        if (c.bad) throw new BadIndex("index entry is out of bounds");
        if (old === undefined) throw new BadIndex(`abbrev code not found in abbrev table: ${code}`);
        const entry: Entry = { abbreviation: codes.get(code)!, values: [], unit: before, parent: null, at: 0 };
        for (const [index, form] of old.attributes) {
          if (form === DW_FORM_FLAG_PRESENT) continue;
          const value = form === DW_FORM_UDATA ? c.uleb() : c.unsigned(FORM_BYTES.get(form)!);
          if (index === DW_IDX_COMPILE_UNIT) entry.unit = before + value;
          else entry.values.push(value);
          if (index === DW_IDX_PARENT) children.push([entry, value]);
        }
        if (c.bad) throw new BadIndex("index entry is out of bounds");
        read.set(start - input.pool, entry);
        name.entries.push(entry);
      }
      if (c.bad) throw new BadIndex("index entry is out of bounds");
    }
    for (const [entry, parent] of children) entry.parent = read.get(parent) ?? null;
  }

  private nameOf(input: NameIndex, i: number, texts: Texts): Name {
    const at = input.strings + 4 * i;
    const { isec, offset } = input.section.place(at, input.word(at));
    const text = texts.at(isec, offset);
    let name = this.byText.get(text);
    if (name !== undefined) return name;
    name = { hash: input.hashes < 0 ? djbHash(text) : input.word(input.hashes + 4 * i), isec, offset, entries: [], at: 0 };
    this.byText.set(text, name);
    this.shards[name.hash >>> ORDER_SHIFT]!.push(name);
    return name;
  }

  /** The output's abbreviation for one of an input: with the unit, in a form that holds all of them, as last attribute. */
  private abbreviation({ tag, attributes }: { tag: number; attributes: Attribute[] }): Abbreviation {
    const kept: Attribute[] = [...attributes.filter(([index]) => index !== DW_IDX_COMPILE_UNIT), [DW_IDX_COMPILE_UNIT, this.unitForm]];
    const key = `${tag}:${kept.join()}`;
    let found = this.abbreviations.get(key);
    if (found === undefined) this.abbreviations.set(key, (found = { code: this.abbreviations.size + 1, tag, attributes: kept }));
    return found;
  }

  /** Entries get their places, and with them those that children refer to. */
  private place(): void {
    const out = this.abbreviationTable;
    for (const { code, tag, attributes } of this.abbreviations.values()) {
      for (const value of [code, tag, ...attributes.flat(), 0, 0]) pushUleb(out, value);
    }
    out.push(0);
    let at = 0;
    for (const name of this.ordered()) {
      name.at = at;
      for (const entry of name.entries) {
        entry.at = at;
        at += ulebBytes(entry.abbreviation.code) + this.valueBytes(entry);
      }
      at++;
    }
    this.poolBytes = at;
  }

  private *ordered(): Generator<Name> {
    for (const shard of this.shards) yield* shard;
  }

  private valueBytes({ abbreviation, values }: Entry): number {
    let bytes = FORM_BYTES.get(this.unitForm)!;
    let i = 0;
    for (const [index, form] of abbreviation.attributes) {
      if (index === DW_IDX_COMPILE_UNIT || form === DW_FORM_FLAG_PRESENT) continue;
      bytes += form === DW_FORM_UDATA ? ulebBytes(values[i]!) : FORM_BYTES.get(form)!;
      i++;
    }
    return bytes;
  }

  private get buckets(): number {
    const names = this.byText.size;
    return names > 1024 ? Math.floor(names / 4) : names > 16 ? Math.floor(names / 2) : Math.max(1, names);
  }

  isNeeded(): boolean {
    return this.indexes > 0;
  }

  size(): number {
    return HEADER_BYTES + (this.augmentation ?? "").length + 4 * this.units.length + 4 * this.buckets + 12 * this.byText.size + this.abbreviationTable.length + this.poolBytes;
  }

  write(ctx: Context, out: Uint8Array): void {
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    const augmentation = this.augmentation ?? "";
    const { buckets } = this;
    const names = this.byText.size;
    view.setUint16(4, VERSION, true);
    const words: [number, number][] = [[0, out.length - 4], [8, this.units.length], [20, buckets], [24, names], [28, this.abbreviationTable.length], [32, augmentation.length]];
    for (const [at, value] of words) view.setUint32(at, value, true);
    let at = HEADER_BYTES;
    for (const char of augmentation) out[at++] = char.charCodeAt(0);
    for (const { isec, offset } of this.units) {
      view.setUint32(at, outputOffset(ctx, isec, offset), true);
      at += 4;
    }
    this.writeNames(ctx, view, at);
    at += 4 * buckets + 12 * names;
    out.set(this.abbreviationTable, at);
    this.writePool(out, at + this.abbreviationTable.length);
  }

  /** Buckets, hashes, texts and entries, bucket by bucket. */
  private writeNames(ctx: Context, view: DataView, at: number): void {
    const { buckets } = this;
    const lists: Name[][] = Array.from({ length: buckets }, () => []);
    for (const name of this.ordered()) lists[name.hash % buckets]!.push(name);
    const count = this.byText.size;
    const hashes = at + 4 * buckets;
    let i = 0;
    lists.forEach((list, bucket) => {
      view.setUint32(at + 4 * bucket, list.length === 0 ? 0 : i + 1, true);
      for (const name of list) {
        view.setUint32(hashes + 4 * i, name.hash, true);
        view.setUint32(hashes + 4 * (count + i), outputOffset(ctx, name.isec, name.offset), true);
        view.setUint32(hashes + 4 * (2 * count + i), name.at, true);
        i++;
      }
    });
  }

  private writePool(out: Uint8Array, pool: number): void {
    for (const { entries } of this.ordered()) {
      for (const { abbreviation, values, unit, parent, at } of entries) {
        const bytes: number[] = [];
        pushUleb(bytes, abbreviation.code);
        let i = 0;
        for (const [index, form] of abbreviation.attributes) {
          if (form === DW_FORM_FLAG_PRESENT) continue;
          const value = index === DW_IDX_COMPILE_UNIT ? unit : index === DW_IDX_PARENT && parent !== null ? parent.at : values[i]!;
          if (index !== DW_IDX_COMPILE_UNIT) i++;
          if (form === DW_FORM_UDATA) pushUleb(bytes, value);
          else for (let k = 0, rest = value; k < FORM_BYTES.get(form)!; k++, rest = Math.floor(rest / 256)) bytes.push(rest % 256);
        }
        out.set(bytes, pool + at);
      }
    }
  }
}

/** Where a byte of an input section is in its output section. */
function outputOffset({ kernels, tables: { isec, msec, piece } }: Context, row: number, offset: number): number {
  if (row === 0 || isec.osec[row] === 0) return 0;
  if (isec.kind[row] !== ISEC_MERGE) return isec.outOffset[row]! + offset;
  const at = kernels.pieceOf(row, offset);
  return msec.outOffset[isec.msec[row]!]! + piece.out[at]! + offset - piece.inOffset[at]!;
}

/** Codes in the order in which lld, whose table of them is a hash table, numbers the abbreviations of the output. */
function lldOrder(codes: Iterable<number>): number[] {
  const sorted = [...codes];
  let slots = 64;
  while (sorted.length * 4 >= slots * 3) slots *= 2;
  const slot = (code: number): number => (Math.imul(code, 37) >>> 0) % slots;
  return sorted.sort((a, b) => slot(a) - slot(b) || a - b);
}

/** Texts of names, read from the string sections of the inputs. */
class Texts {
  private readonly ctx: Context;
  private section: DebugBytes | null = null;

  constructor(ctx: Context) {
    this.ctx = ctx;
  }

  at(isec: number, offset: number): string {
    if (isec === 0) return "";
    if (this.section?.isec !== isec) this.section = new DebugBytes(this.ctx, isec);
    const { bytes } = this.section;
    if (!(offset >= 0 && offset < bytes.length)) return "";
    let end = offset;
    while (end < bytes.length && bytes[end] !== 0) end++;
    return latin1(bytes, offset, end);
  }
}

/** The hash of DWARF 5, 6.1.1.4.5 (only used when an input has no hash table): letters are folded. */
function djbHash(text: string): number {
  const name = new TextDecoder().decode(Uint8Array.from(text, (char) => char.charCodeAt(0)));
  return new TextEncoder().encode(name.toLowerCase()).reduce((hash, byte) => (Math.imul(hash, 33) + byte) >>> 0, 5381);
}

function pushUleb(out: number[], value: number): void {
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      out.push(rest);
      return;
    }
    out.push((rest % 128) | 0x80);
  }
}
