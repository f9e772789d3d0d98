/**
 * The symbol tables of GCC's LTO objects: `.gnu.lto_.symtab.ID`, one per translation unit.
 *
 * Read only once a slim object is known to be part of a link. The format is GCC's (lto-symtab: name, COMDAT key, kind, visibility,
 * size, slot), the same since 4.6.
 */
import type { ByteString } from "../args/link-options.ts";
import { cstringAt, ObjectSections, viewOf, type ObjectSource } from "../diagnostics/object-sections.ts";
import { latin1Of } from "../memory/text.ts";

/** Kinds of a symbol: GCCPK_*. 0 is a definition. */
export const LTO_WEAK_DEF = 1;
export const LTO_UNDEF = 2;
export const LTO_WEAK_UNDEF = 3;
export const LTO_COMMON = 4;

/** GCCPV_DEFAULT, PROTECTED, INTERNAL, HIDDEN as STV_*. */
const VISIBILITIES = [0, 3, 1, 2];

export interface LtoSymbol {
  name: ByteString;
  /** Signature of the group it is in, "" without one. */
  comdat: ByteString;
  kind: number;
  /** STV_* */
  visibility: number;
  size: bigint;
  /** Number in the object's own list, and the translation unit (hexadecimal). */
  slot: number;
  unit: string;
}

const PREFIX = ".gnu.lto_.symtab.";

/** The symbols of a slim LTO object; null when it is none. */
export function readLtoSymbols(source: ObjectSource, slimMark: ByteString): LtoSymbol[] | null {
  const object = ObjectSections.open(source);
  if (object === null) return null;
  const units: string[] = [];
  for (let i = 1; object.header(i) !== undefined; i++) if (object.nameOf(i).startsWith(PREFIX)) units.push(object.nameOf(i).slice(PREFIX.length));
  const strings = units.length === 0 ? null : object.load(".strtab");
  if (strings === null || !latin1Of(strings.bytes).includes(`\0${slimMark}\0`)) return null;
  return units.flatMap((unit) => symbolsOf(object.load(PREFIX + unit)?.bytes ?? new Uint8Array(0), unit));
}

function symbolsOf(bytes: Uint8Array, unit: string): LtoSymbol[] {
  const view = viewOf(bytes);
  const found: LtoSymbol[] = [];
  for (let at = 0; at < bytes.length; ) {
    const name = cstringAt(bytes, at);
    const comdat = cstringAt(bytes, at + name.length + 1);
    at += name.length + comdat.length + 2;
    if (at + 14 > bytes.length) break;
    found.push({
      name, comdat, kind: bytes[at]!, visibility: VISIBILITIES[bytes[at + 1]! & 3]!, size: view.getBigUint64(at + 2, true), slot: view.getUint32(at + 10, true), unit,
    });
    at += 14;
  }
  return found;
}
