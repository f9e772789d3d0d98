/**
 * The layout of a link as data: sections, segments, symbols, what was left out.
 *
 * For result.map, --report and --metafile. Reads the tables when addresses are final. Loops over sections and symbols in TypeScript, because it
 * runs only when the map is asked for.
 */
import { ISEC_CONSUMED, ISEC_EH_FRAME, ISEC_MERGE } from "../../as-kernels/shared/abi.ts";
import type { LinkMap, MapInput, MapSection, MapSegment, MapSymbol } from "../api/types.ts";
import type { Context, InputFile, OutputSection } from "../context.ts";
import { sectionName } from "../diagnostics/place.ts";
import { decoded } from "../memory/text.ts";
import { MapSymbols, type MapSymbol as Symbol } from "./map-symbols.ts";

const INTERNAL = { input: "<internal>" };

/** Without the text of -Map, which takes as long again. */
export function layoutOf(ctx: Context): Omit<LinkMap, "text"> {
  const symbols: MapSymbol[] = [];
  const finder = new MapSymbols(ctx);
  const sections = ctx.osecs.filter((osec) => osec !== undefined && osec.index !== 0).map((osec) => section(ctx, osec, finder, symbols));
  return { sections, segments: ctx.segments.map(segment), symbols, discarded: discarded(ctx) };
}

function origin(input: InputFile | undefined): { input: string; member?: string } {
  if (input === undefined || input.id <= 1) return INTERNAL;
  return input.member === "" ? { input: decoded(input.path) } : { input: decoded(input.path), member: decoded(input.member) };
}

function originOf({ tables, inputs }: Context, isec: number): { input: string; member?: string } {
  return origin(inputs[tables.obj.fileId[tables.isec.obj[isec]!]!]);
}

function section(ctx: Context, osec: OutputSection, finder: MapSymbols, symbols: MapSymbol[]): MapSection {
  const name = decoded(osec.name);
  const inputs: MapInput[] = [];
  const add = (from: { input: string; member?: string }, part: string, offset: number, size: number): void => {
    if (size > 0) inputs.push({ ...from, section: part, address: osec.sh_addr + BigInt(offset), offset, size });
  };
  const note = (from: { input: string; member?: string }, found: Symbol[]): void => {
    for (const symbol of found) symbols.push({ name: decoded(symbol.name), address: symbol.address, size: symbol.size, section: name, ...from });
  };
  const { isec, msec, osec: table, member } = ctx.tables;
  const base = table.memberBase[osec.id]!;
  for (const row of member.isec.subarray(base, base + table.memberCount[osec.id]!)) {
    if (isec.live[row] === 0 || isec.kind[row] === ISEC_MERGE || isec.kind[row] === ISEC_EH_FRAME) continue;
    add(originOf(ctx, row), decoded(sectionName(ctx, row)), isec.outOffset[row]!, isec.size[row]!);
    note(originOf(ctx, row), finder.of(row));
  }
  for (let m = table.msec[osec.id]!; m !== 0; m = msec.next[m]!) add(INTERNAL, name, msec.outOffset[m]!, msec.size[m]!);
  for (const { section: made, offset } of osec.synthetic) {
    const size = made.size(ctx);
    add(INTERNAL, made.name, offset, size);
    if (size > 0) note(INTERNAL, finder.inside(made.address, made.address + BigInt(size)));
  }
  inputs.sort((a, b) => a.offset - b.offset || a.size - b.size);
  const { sh_type, sh_flags, sh_addr, sh_offset, size, align } = osec;
  return { name, type: sh_type, flags: sh_flags >>> 0, address: sh_addr, offset: sh_offset, size, align: 2 ** align, inputs };
}

function segment({ p_type, p_flags, p_vaddr, p_offset, p_filesz, p_memsz, p_align, sections }: Context["segments"][number]): MapSegment {
  return {
    type: p_type, flags: p_flags, address: p_vaddr, offset: p_offset, fileSize: p_filesz, memorySize: p_memsz, align: p_align,
    sections: sections.map(({ name }) => decoded(name)),
  };
}

function discarded(ctx: Context): LinkMap["discarded"] {
  const { isec } = ctx.tables;
  const dead: { input: string; member?: string; section: string; size: number }[] = [];
  if (!ctx.options.gcSections) return dead;
  for (let row = 1; row < isec.rows; row++) {
    if (isec.live[row] !== 0 || isec.kind[row] === ISEC_CONSUMED || isec.obj[row] === 0) continue;
    const name = sectionName(ctx, row);
    if (name !== "") dead.push({ ...originOf(ctx, row), section: decoded(name), size: isec.size[row]! });
  }
  return dead;
}
