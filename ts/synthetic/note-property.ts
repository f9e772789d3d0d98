/**
 * .note.gnu.property: what the whole output needs of, or promises to, the processor, merged from the inputs' notes.
 *
 * Kinds by number range (x86-64 psABI, Program Property; Linux gABI extensions): AND (a promise holds only when every object
 * makes it: IBT, SHSTK), OR (a need of one is a need of all: ISA needed), OR-AND (known only when every object says it: ISA used).
 * Surprising: an object without the note counts as an object that promises nothing.
 */
import { OBJ_RELOCATABLE } from "../../as-kernels/shared/abi.ts";
import { SHF_ALLOC, SHT_NOTE } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import * as messages from "../diagnostics/messages.ts";
import { filePlace } from "../diagnostics/place.ts";
import { noteBytes, readNotes, writeNote } from "../elf/note.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

const NT_GNU_PROPERTY_TYPE_0 = 5;
const NOTE_NAME = "GNU";
/** Notes of properties are aligned to words also in 64-bit files. */
const NOTE_ALIGN = 8;
const PROPERTY_BYTES = 16;
/** A property without data (GNU_PROPERTY_MEMORY_SEAL). */
const BARE_PROPERTY_BYTES = 8;

/** Linux gABI extensions: the image may be sealed; -1 stands for "no data" in ctx.properties. */
const GNU_PROPERTY_MEMORY_SEAL = 3;
const NO_DATA = -1;
/** Function pointers and data of other modules are only reached through the GOT. */
const GNU_PROPERTY_1_NEEDED = 0xb0008000;
const GNU_PROPERTY_1_NEEDED_INDIRECT_EXTERN_ACCESS = 1;

export const GNU_PROPERTY_X86_FEATURE_1_AND = 0xc0000002;
const GNU_PROPERTY_X86_ISA_1_NEEDED = 0xc0008002;
const GNU_PROPERTY_X86_ISA_1_USED = 0xc0010002;
const GNU_PROPERTY_X86_ISA_1_BASELINE = 1;
/** Names of their bits. */
const ISA_LEVELS = ["baseline", "v2", "v3", "v4"];
export const GNU_PROPERTY_X86_FEATURE_1_IBT = 1;
export const GNU_PROPERTY_X86_FEATURE_1_SHSTK = 2;
const GNU_PROPERTY_X86_FEATURE_1_LAM_U48 = 4;

type Kind = "and" | "or" | "or-and" | "other";

/** First number of each range, ascending; a range ends where the next begins. */
const RANGES: readonly [number, Kind][] = [
  [0, "other"],
  [0xb0000000, "and"],
  [0xb0008000, "or"],
  [0xb0010000, "other"],
  [0xc0000002, "and"],
  [0xc0008000, "or"],
  [0xc0010000, "or-and"],
  [0xc0018000, "other"],
];

function kindOf(type: number): Kind {
  let kind: Kind = "other";
  for (const [first, name] of RANGES) if (type >= first) kind = name;
  return kind;
}

type Properties = Map<number, number>;

/** After load-sections: takes the notes out of the output and leaves the merged properties in ctx.properties. */
export function readProperties(ctx: Context): void {
  const { arena, kernels, tables } = ctx;
  ctx.properties = new Map();
  const mark = arena.mark();
  const count = kernels.takePropertyNotes(1, tables.isec.rows, 0);
  const list = arena.alloc(count * 4);
  kernels.takePropertyNotes(1, tables.isec.rows, list);
  const perObject = new Map<number, Properties>();
  for (let i = 0; i < count; i++) readSection(ctx, arena.u32[(list >>> 2) + i]!, perObject);
  arena.release(mark);
  const objects = [...ctx.objects].filter((obj) => tables.obj.kind[obj] === OBJ_RELOCATABLE);
  if (ctx.options.z.isaReport !== 0) for (const obj of objects) reportIsa(ctx, obj, perObject.get(obj));
  ctx.properties = merge(objects.map((obj) => checkFeatures(ctx, obj, perObject.get(obj) ?? new Map())));
  addOptions(ctx);
}

function readSection(ctx: Context, isec: number, perObject: Map<number, Properties>): void {
  const { arena, tables } = ctx;
  const size = tables.isec.size[isec]!;
  const obj = tables.isec.obj[isec]!;
  const address = arena.alloc(size);
  ctx.pool.self.contents(isec, address);
  let properties = perObject.get(obj);
  if (properties === undefined) perObject.set(obj, (properties = new Map()));
  const problem = parseProperties(arena.bytes(address, size), properties);
  if (problem !== "") ctx.diag.error(messages.corruptProperty(filePlace(ctx, obj), problem));
}

/** Adds the properties in the section's bytes to `into`; returns what is wrong with them, "" = nothing. */
export function parseProperties(bytes: Uint8Array, into: Properties): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const notes = readNotes(bytes, NOTE_ALIGN);
  if (notes === null) return "data is too short";
  for (const note of notes) {
    if (note.name !== NOTE_NAME || note.type !== NT_GNU_PROPERTY_TYPE_0) continue;
    const end = note.descAt + note.descBytes;
    for (let at = note.descAt; at < end; ) {
      if (end - at < 8) return "program property is too short";
      const type = view.getUint32(at, true);
      const bytesOfData = view.getUint32(at + 4, true);
      if (bytesOfData > end - at - 8) return "program property is too short";
      const kind = kindOf(type);
      if (kind !== "other" && bytesOfData !== 4) return `program property 0x${type.toString(16)} has ${bytesOfData} bytes instead of 4`;
      if (kind !== "other") into.set(type, ((into.get(type) ?? 0) | view.getUint32(at + 8, true)) >>> 0);
      at += 8 + Math.ceil(bytesOfData / NOTE_ALIGN) * NOTE_ALIGN;
    }
  }
  return "";
}

/** The output's properties from those of each object. */
export function merge(objects: Properties[]): Properties {
  const merged: Properties = new Map();
  const types = new Set(objects.flatMap((properties) => [...properties.keys()]));
  for (const type of [...types].sort((a, b) => a - b)) {
    const values = objects.map((properties) => properties.get(type));
    const kind = kindOf(type);
    if (kind === "other") continue;
    if (kind !== "or" && values.includes(undefined)) continue;
    const value = values.reduce<number>(
      (sum, each) => (kind === "and" ? sum & each! : sum | (each ?? 0)) >>> 0,
      kind === "and" ? 0xffffffff : 0,
    );
    if (value !== 0 && !isNoNeed(type, value)) merged.set(type, value);
  }
  return merged;
}

/** Every x86-64 processor is a baseline one; C libraries' start files say it in every program, and lld drops it too. */
function isNoNeed(type: number, value: number): boolean {
  return type === GNU_PROPERTY_X86_ISA_1_NEEDED && value === GNU_PROPERTY_X86_ISA_1_BASELINE;
}

/** -z force-ibt adds the promise the object does not make; -z cet-report says so. */
function checkFeatures(ctx: Context, obj: number, properties: Properties): Properties {
  const { z } = ctx.options;
  if (!z.forceIbt && z.cetReport === "none" && z.lamReports.length === 0) return properties;
  const features = properties.get(GNU_PROPERTY_X86_FEATURE_1_AND) ?? 0;
  for (const { bit, option, how } of z.lamReports) {
    if ((features & bit) !== 0) continue;
    const message = messages.missingProperty(filePlace(ctx, obj), option, `GNU_PROPERTY_X86_FEATURE_1_LAM_U${bit === GNU_PROPERTY_X86_FEATURE_1_LAM_U48 ? 48 : 57}`);
    if (how === "error") ctx.diag.error(message);
    else ctx.diag.warn(message);
  }
  const report = (bit: number, name: string): void => {
    if ((features & bit) !== 0 || z.cetReport === "none") return;
    const message = messages.missingProperty(filePlace(ctx, obj), "-z cet-report", `GNU_PROPERTY_X86_FEATURE_1_${name}`);
    if (z.cetReport === "error") ctx.diag.error(message);
    else ctx.diag.warn(message);
  };
  report(GNU_PROPERTY_X86_FEATURE_1_IBT, "IBT");
  report(GNU_PROPERTY_X86_FEATURE_1_SHSTK, "SHSTK");
  if (!z.forceIbt || (features & GNU_PROPERTY_X86_FEATURE_1_IBT) !== 0) return properties;
  if (z.cetReport === "none") {
    ctx.diag.warn(messages.missingProperty(filePlace(ctx, obj), "-z force-ibt", "GNU_PROPERTY_X86_FEATURE_1_IBT"));
  }
  return new Map(properties).set(GNU_PROPERTY_X86_FEATURE_1_AND, features | GNU_PROPERTY_X86_FEATURE_1_IBT);
}

/** -z isa-level-report, in GNU ld's words. */
function reportIsa(ctx: Context, obj: number, properties: Properties | undefined): void {
  [GNU_PROPERTY_X86_ISA_1_NEEDED, GNU_PROPERTY_X86_ISA_1_USED].forEach((type, which) => {
    const value = properties?.get(type) ?? 0;
    if (value === 0 || (ctx.options.z.isaReport & (1 << which)) === 0) return;
    const levels = Array.from({ length: 32 }, (_, bit) => (bit < 4 ? `x86-64-${ISA_LEVELS[bit]}` : `<unknown: ${(2 ** bit).toString(16)}>`));
    ctx.diag.note(`${filePlace(ctx, obj).text}: x86 ISA ${which === 0 ? "needed" : "used"}: ${levels.filter((_, bit) => (value >>> bit) % 2 === 1).join(", ")}`);
  });
}

/** -z ibt, shstk, lam-u48, lam-u57, x86-64-v2 and the like: promised and needed whatever the inputs say. */
function addOptions(ctx: Context): void {
  const { z } = ctx.options;
  const add = (type: number, bits: number): void => {
    if (bits !== 0) ctx.properties.set(type, ((ctx.properties.get(type) ?? 0) | bits) >>> 0);
  };
  add(GNU_PROPERTY_X86_FEATURE_1_AND, z.features | (z.ibt ? GNU_PROPERTY_X86_FEATURE_1_IBT : 0) | (z.shstk ? GNU_PROPERTY_X86_FEATURE_1_SHSTK : 0));
  add(GNU_PROPERTY_X86_ISA_1_NEEDED, z.isa);
  if (z.indirectExternAccess) add(GNU_PROPERTY_1_NEEDED, GNU_PROPERTY_1_NEEDED_INDIRECT_EXTERN_ACCESS);
  if (z.memorySeal) ctx.properties.set(GNU_PROPERTY_MEMORY_SEAL, NO_DATA);
}

function propertyBytes({ properties }: Context): number {
  let bytes = 0;
  for (const value of properties.values()) bytes += value === NO_DATA ? BARE_PROPERTY_BYTES : PROPERTY_BYTES;
  return bytes;
}

export class NotePropertySection extends SectionBase implements SyntheticSection {
  readonly name = ".note.gnu.property";
  readonly sh_type = SHT_NOTE;
  readonly sh_flags = SHF_ALLOC;
  readonly align = 3;

  isNeeded(ctx: Context): boolean {
    return ctx.properties.size > 0;
  }

  size(ctx: Context): number {
    return noteBytes(NOTE_NAME, propertyBytes(ctx), NOTE_ALIGN);
  }

  write(ctx: Context, out: Uint8Array): void {
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    let at = writeNote(out, 0, NOTE_NAME, NT_GNU_PROPERTY_TYPE_0, propertyBytes(ctx), NOTE_ALIGN);
    for (const type of [...ctx.properties.keys()].sort((a, b) => a - b)) {
      const value = ctx.properties.get(type)!;
      view.setUint32(at, type, true);
      if (value !== NO_DATA) {
        view.setUint32(at + 4, 4, true);
        view.setUint32(at + 8, value, true);
      }
      at += value === NO_DATA ? BARE_PROPERTY_BYTES : PROPERTY_BYTES;
    }
  }
}
