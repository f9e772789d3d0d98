/**
 * -Map: the link map, in lld's columns `VMA LMA Size Align Out In Symbol`.
 *
 * Reads the tables after resolve-addresses and changes nothing. Loops over sections and symbols in TypeScript, because it runs
 * only when the map is asked for. As in lld, parts of merged strings are one line for all inputs, unwind records are shown in the
 * stretches that are contiguous in input and output, and symbols of merged strings and those the linker defines are left out.
 */
import { ISEC_CONSUMED, ISEC_EH_FRAME, ISEC_MERGE } from "../../as-kernels/shared/abi.ts";
import { PT_LOAD } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context, OutputSection } from "../context.ts";
import { fileName, sectionName, sectionPath } from "../diagnostics/place.ts";
import type { Write } from "../memory/text.ts";
import type { Assignment, Data } from "../script/layout.ts";
import type { PlannedSection } from "../script/plan.ts";
import type { SyntheticSection } from "../synthetic/section.ts";
import { LongText } from "./long-text.ts";
import { MapSymbols } from "./map-symbols.ts";
import { statementText } from "./statement-text.ts";

const IN = " ".repeat(8);
const SYMBOL = " ".repeat(16);
const DATA_NAMES: Record<number, string> = { 1: "BYTE", 2: "SHORT", 4: "LONG", 8: "QUAD" };

const hex = (value: bigint | number, width: number): string => (typeof value === "bigint" ? BigInt.asUintN(64, value) : value).toString(16).padStart(width);

/** A column of numbers that are often those of the line before: a section's and its symbol's. */
class Column {
  private readonly width: number;
  private last: bigint | number = -1;
  private text = "";

  constructor(width: number) {
    this.width = width;
  }

  show(value: bigint | number): string {
    if (value !== this.last) [this.last, this.text] = [value, hex(value, this.width)];
    return this.text;
  }
}

export function linkMap(ctx: Context, write: Write, nameOf?: (sym: number) => ByteString): void {
  new LinkMap(ctx, write, new MapSymbols(ctx, nameOf)).print();
}

class LinkMap {
  private readonly ctx: Context;
  private readonly symbols: MapSymbols;
  private readonly lines: LongText;
  private readonly vma = new Column(16);
  private readonly lma = new Column(16);
  private readonly size = new Column(8);
  /** Load address minus address, by osec, where it is not 0. */
  private readonly loadOffsets = new Map<OutputSection, bigint>();

  constructor(ctx: Context, write: Write, symbols: MapSymbols) {
    this.ctx = ctx;
    this.lines = new LongText(write);
    this.lines.push(`${"VMA".padStart(16)} ${"LMA".padStart(16)}     Size Align Out     In      Symbol`);
    this.symbols = symbols;
    for (const segment of ctx.segments) {
      if (segment.p_type !== PT_LOAD) continue;
      if (segment.p_paddr !== segment.p_vaddr) for (const osec of segment.sections) this.loadOffsets.set(osec, segment.p_paddr - segment.p_vaddr);
    }
  }

  print(): void {
    const { plan, osecs } = this.ctx;
    const printed = new Set<OutputSection>();
    let last: OutputSection | null = null;
    for (const item of plan?.items ?? []) {
      if (item.kind === "section") {
        this.section(item.osec, item);
        printed.add(item.osec);
        last = item.osec;
      } else if (item.kind === "assign" && (item.name === "." || item.sym !== 0)) {
        this.assignment(item, last, "");
      }
    }
    for (const osec of osecs) if (osec !== undefined && osec.index !== 0 && !printed.has(osec)) this.section(osec, null);
    this.lines.end();
  }

  private columns(vma: bigint, lma: bigint, size: bigint | number, align: number): string {
    const address = this.vma.show(vma);
    return `${address} ${lma === vma ? address : this.lma.show(lma)} ${this.size.show(size)} ${String(align).padStart(5)} `;
  }

  /** `offset` bytes into an output section. */
  private line(osec: OutputSection, offset: number, size: bigint | number, align: number, text: ByteString): void {
    this.lineAt(osec, osec.sh_addr + BigInt(offset), size, align, text);
  }

  private lineAt(osec: OutputSection, vma: bigint, size: bigint | number, align: number, text: ByteString): void {
    const loadOffset = this.loadOffsets.get(osec);
    this.lines.push(this.columns(vma, loadOffset === undefined ? vma : vma + loadOffset, size, align) + text);
  }

  private section(osec: OutputSection, planned: PlannedSection | null): void {
    this.line(osec, 0, osec.size, 2 ** osec.align, osec.name);
    if (planned === null) return this.contents(osec);
    const { tables } = this.ctx;
    const merged = new Set<number>();
    for (const part of planned.parts) {
      if (part.kind === "assign") this.assignment(part, osec, IN);
      else if (part.kind === "data") this.data(osec, part);
      else if (part.kind === "members") {
        for (let i = part.from; i < part.to; i++) {
          const row = tables.member.isec[i]!;
          const msec = tables.isec.kind[row] === ISEC_MERGE ? tables.isec.msec[row]! : 0;
          if (msec === 0) this.input(osec, row);
          else if (!merged.has(msec)) this.merged(osec, msec);
          merged.add(msec);
        }
        for (const { section, offset } of part.synthetic) this.synthetic(osec, section, offset);
      }
    }
  }

  /** Without a script: everything by its place. */
  private contents(osec: OutputSection): void {
    const { isec, msec, osec: table, member } = this.ctx.tables;
    const parts: { offset: number; size: number; print: () => void }[] = [];
    const base = table.memberBase[osec.id]!;
    const members = member.isec.subarray(base, base + table.memberCount[osec.id]!);
    // The usual case, without an object for each of hundreds of thousands.
    if (table.msec[osec.id] === 0 && osec.synthetic.length === 0 && members.every((row, i) => i === 0 || isBefore(isec, members[i - 1]!, row))) {
      for (const row of members) this.input(osec, row);
      return;
    }
    for (const row of members) {
      if (isec.kind[row] !== ISEC_MERGE) parts.push({ offset: isec.outOffset[row]!, size: isec.size[row]!, print: () => this.input(osec, row) });
    }
    for (let m = table.msec[osec.id]!; m !== 0; m = msec.next[m]!) {
      const row = m;
      parts.push({ offset: msec.outOffset[m]!, size: msec.size[m]!, print: () => this.merged(osec, row) });
    }
    for (const { section, offset } of osec.synthetic) parts.push({ offset, size: section.size(this.ctx), print: () => this.synthetic(osec, section, offset) });
    parts.sort((x, y) => x.offset - y.offset || x.size - y.size);
    for (const part of parts) part.print();
  }

  // ---- what an output section is made of ----

  private input(osec: OutputSection, row: number): void {
    const { isec } = this.ctx.tables;
    if (isec.live[row] === 0 || isec.kind[row] === ISEC_EH_FRAME) return;
    const name = sectionName(this.ctx, row);
    const place = isec.obj[row] === 1 && name.endsWith("COMMON") ? `${this.symbols.fileOfCommon(row)}:(COMMON)` : `${fileName(this.ctx, isec.obj[row]!)}:(${name})`;
    this.line(osec, isec.outOffset[row]!, isec.size[row]!, 2 ** isec.align[row]!, IN + place);
    this.symbolLines(osec, this.symbols.of(row));
  }

  private merged(osec: OutputSection, m: number): void {
    const { msec, mmember } = this.ctx.tables;
    if (msec.size[m] === 0) return;
    const name = msec.memberCount[m] === 0 ? osec.name : sectionName(this.ctx, mmember.isec[msec.memberBase[m]!]!);
    this.line(osec, msec.outOffset[m]!, msec.size[m]!, 2 ** msec.align[m]!, `${IN}<internal>:(${name})`);
  }

  private synthetic(osec: OutputSection, section: SyntheticSection, offset: number): void {
    if (section === this.ctx.synthetics.ehFrame) return this.unwindRecords(osec, offset);
    const size = section.size(this.ctx);
    this.line(osec, offset, size, 2 ** section.align, `${IN}<internal>:(${section.name})`);
    if (size > 0) this.symbolLines(osec, this.symbols.inside(section.address, section.address + BigInt(size)));
  }

  private symbolLines(osec: OutputSection, symbols: { address: bigint; size: number; name: ByteString }[]): void {
    for (const { address, size, name } of symbols) this.lineAt(osec, address, size, 1, SYMBOL + name);
  }

  private unwindRecords(osec: OutputSection, base: number): void {
    const { isec, inOffset, size, out, live, rows } = this.ctx.tables.ehrec;
    const written: number[] = [];
    for (let row = 1; row < rows; row++) if (live[row] !== 0 && out[row]! >= 0) written.push(row);
    written.sort((a, b) => out[a]! - out[b]!);
    for (let i = 0; i < written.length; ) {
      const first = written[i++]!;
      let bytes = size[first]!;
      for (; i < written.length; i++) {
        const next = written[i]!;
        if (isec[next] !== isec[first] || inOffset[next] !== inOffset[first]! + bytes || out[next] !== out[first]! + bytes) break;
        bytes += size[next]!;
      }
      const file = fileName(this.ctx, this.ctx.tables.isec.obj[isec[first]!]!);
      this.line(osec, base + out[first]!, bytes, 1, `${IN}${file}:(${sectionName(this.ctx, isec[first]!)}+0x${hex(inOffset[first]!, 1)})`);
    }
  }

  // ---- what scripts say ----

  private assignment(command: Assignment, osec: OutputSection | null, indent: string): void {
    if (command.name !== "." && command.sym === 0) return;
    const text = indent + statementText(command.expr.text, command.start);
    if (osec === null) this.lines.push(this.columns(command.at, 0n, BigInt.asUintN(64, command.moved), 1) + text);
    else this.lineAt(osec, command.at, BigInt.asUintN(64, command.moved), 1, text);
  }

  private data(osec: OutputSection, { bytes, offset, expr }: Data): void {
    this.line(osec, offset, bytes, 1, `${IN}${DATA_NAMES[bytes] ?? "DATA"} ( ${statementText(expr.text, expr.offset)} )`);
  }
}

/** `removing unused section a.o:(.text.f)` for every section that mark-live left dead (--print-gc-sections). */
export function unusedSections(ctx: Context): ByteString[] {
  const { isec } = ctx.tables;
  const dead: ByteString[] = [];
  for (let row = 1; row < isec.rows; row++) {
    if (isec.live[row] === 0 && isec.kind[row] !== ISEC_CONSUMED && isec.obj[row] !== 0 && sectionName(ctx, row) !== "") dead.push(`removing unused section ${sectionPath(ctx, row)}`);
  }
  return dead;
}

/** The order of parts in the map. */
function isBefore({ outOffset, size }: Context["tables"]["isec"], x: number, y: number): boolean {
  return outOffset[x]! < outOffset[y]! || (outOffset[x] === outOffset[y] && size[x]! <= size[y]!);
}

/** --print-map-discarded: GNU ld's heading and columns. */
export function discardedSections(ctx: Context, write: Write): void {
  const { isec } = ctx.tables;
  const text = new LongText(write);
  text.push("Discarded input sections\n");
  for (let row = 1; row < isec.rows; row++) {
    const name = sectionName(ctx, row);
    if (isec.live[row] !== 0 || isec.kind[row] === ISEC_CONSUMED || isec.obj[row] === 0 || name === "") continue;
    const start = name.length < 15 ? ` ${name}`.padEnd(16) : ` ${name}\n${" ".repeat(16)}`;
    text.push(`${start}0x${"0".repeat(16)} ${`0x${hex(isec.size[row]!, 1)}`.padStart(10)} ${fileName(ctx, isec.obj[row]!)}`);
  }
  text.push("");
  text.end();
}
