/**
 * -Map: the link map, in lld's columns `VMA LMA Size Align Out In Symbol`.
 *
 * Reads the tables after resolve-addresses and changes nothing. Loops over sections and symbols in TypeScript, because it runs
 * only when the map is asked for. LMA equals VMA: there are no linker scripts that could tell them apart.
 */
import { ISEC_CONSUMED, ISEC_EH_FRAME, ISEC_MERGE, SYM_DEFINED, SYM_KIND_MASK, SYM_SECTION } from "../../as-kernels/shared/abi.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context, OutputSection } from "../context.ts";
import { displayName, displaySymbol, rawSymbol, sectionName, sectionPlace } from "../diagnostics/place.ts";

const IN = " ".repeat(8);
const SYMBOL = " ".repeat(16);

const hex = (value: bigint | number, width: number): string => value.toString(16).padStart(width);

function columns(address: bigint, size: number, align: number): string {
  const vma = hex(address, 16);
  return `${vma} ${vma} ${hex(size, 8)} ${String(align).padStart(5)} `;
}

export function linkMap(ctx: Context): ByteString {
  const lines = [`${"VMA".padStart(16)} ${"LMA".padStart(16)}     Size Align Out     In      Symbol`];
  const symbols = symbolsBySection(ctx);
  for (const osec of ctx.osecs) {
    if (osec === undefined || osec.index === 0) continue;
    lines.push(columns(osec.sh_addr, osec.size, 2 ** osec.align) + osec.name);
    for (const part of partsOf(ctx, osec)) {
      lines.push(columns(osec.sh_addr + BigInt(part.offset), part.size, 2 ** part.align) + IN + part.name);
      if (part.isec !== 0) for (const symbol of symbols(part.isec)) lines.push(columns(symbol.address, symbol.size, 1) + SYMBOL + symbol.name);
    }
  }
  return `${lines.join("\n")}\n`;
}

// ---- what an output section is made of ----

interface Part {
  offset: number;
  size: number;
  /** log2 */
  align: number;
  name: ByteString;
  /** 0 = made by the linker. */
  isec: number;
}

function partsOf(ctx: Context, osec: OutputSection): Part[] {
  const { isec, osec: table, member } = ctx.tables;
  const parts: Part[] = [];
  const base = table.memberBase[osec.id]!;
  for (let i = base; i < base + table.memberCount[osec.id]!; i++) {
    const row = member.isec[i]!;
    if (isec.live[row] === 0 || isec.kind[row] === ISEC_MERGE || isec.kind[row] === ISEC_EH_FRAME) continue;
    parts.push({ offset: isec.outOffset[row]!, size: isec.size[row]!, align: isec.align[row]!, name: sectionPlace(ctx, row), isec: row });
  }
  for (const { section, offset } of osec.synthetic) parts.push(internal(section.name, offset, section.size(ctx), section.align));
  parts.push(...mergedParts(ctx, osec));
  return parts.filter((part) => part.size > 0 || part.isec !== 0).sort((x, y) => x.offset - y.offset || x.isec - y.isec);
}

function internal(name: ByteString, offset: number, size: number, align: number): Part {
  return { offset, size, align, name: `<internal>:(${name})`, isec: 0 };
}

function mergedParts(ctx: Context, osec: OutputSection): Part[] {
  const { msec, mmember } = ctx.tables;
  const parts: Part[] = [];
  for (let m = 1; m < msec.rows; m++) {
    if (msec.osec[m] !== osec.id) continue;
    const name = msec.memberCount[m] === 0 ? osec.name : sectionName(ctx, mmember.isec[msec.memberBase[m]!]!);
    parts.push(internal(name, msec.outOffset[m]!, msec.size[m]!, msec.align[m]!));
  }
  return parts;
}

// ---- symbols ----

interface MapSymbol {
  address: bigint;
  size: number;
  name: ByteString;
}

interface Mention {
  sym: number;
  obj: number;
  index: number;
}

/** Looks up the symbols of a section, by address. Names are only made when a section is printed. */
function symbolsBySection(ctx: Context): (isec: number) => MapSymbol[] {
  const bySection = new Map<number, Mention[]>();
  const add = (sym: number, obj: number, index: number): void => {
    const flags = ctx.tables.sym.flags[sym]!;
    const isec = ctx.tables.sym.isec[sym]!;
    if ((flags & SYM_KIND_MASK) !== SYM_DEFINED || (flags & SYM_SECTION) !== 0 || isec === 0) return;
    const list = bySection.get(isec);
    if (list === undefined) bySection.set(isec, [{ sym, obj, index }]);
    else list.push({ sym, obj, index });
  };
  for (const obj of ctx.objects) {
    const locals = Math.min(ctx.tables.obj.firstGlobal[obj]!, ctx.tables.obj.esymCount[obj]!);
    for (let i = 1; i < locals; i++) add(ctx.tables.obj.localBase[obj]! + i, obj, i);
  }
  const globals = ctx.params.get("globalSyms");
  for (let sym = 1; sym < globals; sym++) add(sym, 0, 0);
  return (isec) => (bySection.get(isec) ?? []).map((mention) => describe(ctx, mention)).filter(({ name }) => name !== "").sort(byAddress);
}

function describe(ctx: Context, { sym, obj, index }: Mention): MapSymbol {
  const address = ctx.tables.sym.addr[sym]!;
  if (obj === 0) return { address, size: ctx.tables.gsym.size[sym]!, name: displaySymbol(ctx, sym) };
  const raw = rawSymbol(ctx, obj, index);
  return { address, size: raw?.size ?? 0, name: displayName(ctx, raw?.name ?? "") };
}

function byAddress(x: MapSymbol, y: MapSymbol): number {
  return x.address < y.address ? -1 : x.address > y.address ? 1 : 0;
}

/** `removing unused section a.o:(.text.f)` for every section that mark-live left dead (--print-gc-sections). */
export function unusedSections(ctx: Context): ByteString[] {
  const { isec } = ctx.tables;
  const dead: ByteString[] = [];
  for (let row = 1; row < isec.rows; row++) {
    if (isec.live[row] === 0 && isec.kind[row] !== ISEC_CONSUMED && isec.obj[row] !== 0 && sectionName(ctx, row) !== "") dead.push(`removing unused section ${sectionPlace(ctx, row)}`);
  }
  return dead;
}
