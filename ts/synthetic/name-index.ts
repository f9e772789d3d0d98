/**
 * One index of an input's .debug_names (DWARF 5, 6.1.1.4): where its parts are, and its abbreviations. Entries are read by debug-names.ts.
 */
import { Cursor } from "../diagnostics/dwarf-reader.ts";
import { latin1 } from "../memory/text.ts";
import type { DebugBytes } from "./debug-units.ts";

export const VERSION = 5;
export const DW_FORM_FLAG_PRESENT = 0x19;
export const DW_FORM_UDATA = 0x0f;
const DW_FORM_REF4 = 0x13;

/** Bytes of the forms that indexes use; udata has as many as its value needs. */
export const FORM_BYTES = new Map<number, number>([[0x0b, 1], [0x05, 2], [0x06, 4], [0x07, 8], [0x11, 1], [0x12, 2], [DW_FORM_REF4, 4], [DW_FORM_FLAG_PRESENT, 0]]);

export type Attribute = readonly [index: number, form: number];

/** An index that cannot be read; `message` says why. */
export class BadIndex extends Error {}

/** One name index of an input section. */
export interface NameIndex {
  section: DebugBytes;
  units: { isec: number; offset: number }[];
  typeUnits: number;
  augmentation: string;
  names: number;
  /** Offsets in the section: hashes (-1 = has none), string offsets, entry pool, end of the index. */
  hashes: number;
  strings: number;
  pool: number;
  end: number;
  abbreviations: Map<number, { tag: number; attributes: Attribute[] }>;
  word(at: number): number;
  /** Of name number `i`, from the start of the pool. */
  entryOffset(i: number): number;
}

/** The indexes of a section one after the other. Throws BadIndex. */
export function* readIndexes(section: DebugBytes): Generator<NameIndex> {
  const view = new DataView(section.bytes.buffer, section.bytes.byteOffset, section.bytes.byteLength);
  for (let at = 0; at < section.bytes.length; ) {
    const c = new Cursor(section.bytes, at);
    const { length, offsetBytes } = c.initialLength();
    if (offsetBytes === 8) throw new BadIndex("found DWARF64, which is currently unsupported");
    const end = c.at + length;
    if (c.bad || end > section.bytes.length) throw new BadIndex("unexpected end of data");
    const version = c.u16();
    if (version !== VERSION) throw new BadIndex(`unsupported version: ${version}`);
    yield readIndex(section, view, c, end);
    at = end;
  }
}

function readIndex(section: DebugBytes, view: DataView, c: Cursor, end: number): NameIndex {
  c.skip(2);
  const [unitCount, localTypes, foreignTypes, buckets, names, abbreviationBytes, augmentationBytes] = Array.from({ length: 7 }, () => c.u32()) as [number, number, number, number, number, number, number];
  const augmentation = latin1(section.bytes, c.at, Math.max(c.at, Math.min(end, c.at + augmentationBytes)));
  const unitsAt = c.at + Math.ceil(augmentationBytes / 4) * 4;
  const bucketsAt = unitsAt + 4 * unitCount + 4 * localTypes + 8 * foreignTypes;
  const hashes = bucketsAt + 4 * buckets;
  const strings = hashes + (buckets > 0 ? 4 * names : 0);
  const entries = strings + 4 * names;
  const table = entries + 4 * names;
  const pool = table + abbreviationBytes;
  if (c.bad || pool > end) throw new BadIndex("entry pool start is beyond end of section");
  const word = (at: number): number => view.getUint32(at, true);
  const units = Array.from({ length: unitCount }, (_, i) => section.place(unitsAt + 4 * i, word(unitsAt + 4 * i)));
  return {
    section, units, typeUnits: localTypes + foreignTypes, augmentation, names, hashes: buckets > 0 ? hashes : -1, strings, pool, end,
    abbreviations: readAbbreviations(new Cursor(section.bytes, table, pool)), word, entryOffset: (i) => word(entries + 4 * i),
  };
}

function readAbbreviations(c: Cursor): NameIndex["abbreviations"] {
  const found: NameIndex["abbreviations"] = new Map();
  for (let code = c.uleb(); code !== 0 && !c.bad; code = c.uleb()) {
    const tag = c.uleb();
    const attributes: Attribute[] = [];
    for (let [index, form] = [c.uleb(), c.uleb()]; (index !== 0 || form !== 0) && !c.bad; [index, form] = [c.uleb(), c.uleb()]) {
      if (form !== DW_FORM_UDATA && !FORM_BYTES.has(form)) throw new BadIndex(`unrecognized form encoding ${form} in abbrev table`);
      attributes.push([index, form]);
    }
    found.set(code, { tag, attributes });
  }
  if (c.bad) throw new BadIndex("incorrectly terminated abbreviation table");
  return found;
}
