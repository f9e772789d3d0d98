/**
 * .gdb_index, version 7 (gdb manual, "Index Section Format"): which unit describes which code and has which names, so that gdb need not
 * read all debug information to start.
 *
 * Made when --gdb-index asks for it, from .debug_gnu_pubnames, .debug_gnu_pubtypes (`-ggnu-pubnames`) and the first entry of each unit.
 * What cannot be read is warned about and left out, as lld does.
 */
import { SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { sectionPlace } from "../diagnostics/place.ts";
import { Cursor } from "../diagnostics/dwarf-reader.ts";
import { badObject } from "../diagnostics/messages.ts";
import { slotsFor } from "../memory/rows.ts";
import { DebugBytes, DebugUnits, findDebugSections, type CodeRange, type CompilationUnit } from "./debug-units.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

const VERSION = 7;
const HEADER_BYTES = 24;
const UNIT_BYTES = 16;
const AREA_BYTES = 20;
const SLOT_BYTES = 8;
const MIN_SLOTS = 1024;
/** Of the kernels' records of names and of units of a name. */
const NAME_BYTES = 48;
const CELL_BYTES = 8;
/** lld orders names by the top five bits of their hash. */
const ORDER_SHIFT = 27;
/** Least bytes an entry of a public-name table takes. */
const SMALLEST_NAME = 6;

/** An object with debug information. */
interface Chunk {
  info: number;
  units: CompilationUnit[];
  ranges: CodeRange[];
  /** Units of the objects before it. */
  before: number;
}

export class GdbIndexSection extends SectionBase implements SyntheticSection {
  readonly name = ".gdb_index";
  readonly sh_type = SHT_PROGBITS;
  readonly sh_flags = 0;
  readonly align = 0;
  private readonly chunks: Chunk[] = [];
  private units = 0;
  private areas = 0;
  private count = 0;
  private order = 0;
  private poolBytes = 0;

  /** Reads the debug information of all objects. Which sections live and which were folded is known. */
  collect(ctx: Context): void {
    const { arena, tables } = ctx;
    const cells = arena.alloc(64);
    const names = new NameTable(ctx);
    for (const obj of ctx.objects) {
      if (tables.obj.isecCount[obj] === 0) continue;
      const sections = findDebugSections(ctx, obj, cells);
      if (sections.info === 0 || tables.isec.osec[sections.info] === 0) continue;
      const read = new DebugUnits(ctx, sections);
      if (read.problem !== "") ctx.diag.warn(badObject(sectionPlace(ctx, sections.info), read.problem));
      const chunk = { info: sections.info, units: read.units, ranges: read.ranges.filter(({ isec }) => tables.isec.live[isec] !== 0 && tables.isec.osec[isec] !== 0), before: this.units };
      this.chunks.push(chunk);
      for (const isec of [sections.pubNames, sections.pubTypes]) if (isec !== 0) names.add(isec, chunk);
      this.units += chunk.units.length;
      this.areas += chunk.ranges.length;
    }
    this.count = names.count;
    this.order = arena.alloc(4 * this.count + 16);
    this.poolBytes = ctx.kernels.placeGdbNames(names.records, this.count, this.order, ORDER_SHIFT);
    if (this.poolBytes >= 2 ** 32) ctx.diag.errorOrWarn({ code: "LAYOUT", text: `--gdb-index: constant pool size (${this.poolBytes}) exceeds UINT32_MAX` });
  }

  private get slots(): number {
    return Math.max(MIN_SLOTS, 2 ** (Math.floor(Math.log2(Math.max(1, Math.floor((this.count * 4) / 3)))) + 1));
  }

  isNeeded(): boolean {
    return this.chunks.length > 0;
  }

  private get tableAt(): number {
    return HEADER_BYTES + this.units * UNIT_BYTES + this.areas * AREA_BYTES;
  }

  size(): number {
    return this.tableAt + this.slots * SLOT_BYTES + this.poolBytes;
  }

  write(ctx: Context, out: Uint8Array, outAddr: number): void {
    const { isec, osec } = ctx.tables;
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    const areasAt = HEADER_BYTES + this.units * UNIT_BYTES;
    const poolAt = this.tableAt + this.slots * SLOT_BYTES;
    [VERSION, HEADER_BYTES, areasAt, areasAt, this.tableAt, poolAt].forEach((word, i) => view.setUint32(4 * i, word, true));
    let unitAt = HEADER_BYTES;
    let areaAt = areasAt;
    for (const chunk of this.chunks) {
      for (const unit of chunk.units) {
        view.setBigUint64(unitAt, BigInt(isec.outOffset[chunk.info]! + unit.offset), true);
        view.setBigUint64(unitAt + 8, BigInt(unit.length), true);
        unitAt += UNIT_BYTES;
      }
      for (const { isec: code, low, high, unit } of chunk.ranges) {
        const start = osec.addr[isec.osec[code]!]! + BigInt(isec.outOffset[code]!);
        view.setBigUint64(areaAt, start + BigInt(low), true);
        view.setBigUint64(areaAt + 8, start + BigInt(high), true);
        view.setUint32(areaAt + 16, chunk.before + unit, true);
        areaAt += AREA_BYTES;
      }
    }
    ctx.kernels.writeGdbNames(this.order, this.count, outAddr + this.tableAt, this.slots, outAddr + poolAt);
  }
}

/** The names of all objects, in kernel memory. */
class NameTable {
  records = 0;
  count = 0;
  private readonly ctx: Context;
  /** u32 cells for the kernel addPublicNames. */
  private readonly state: number;
  private slots = 0;
  private capacity = 0;

  constructor(ctx: Context) {
    this.ctx = ctx;
    this.state = ctx.arena.allocZeroed(32);
  }

  /** Names of one section, .debug_gnu_pubnames or .debug_gnu_pubtypes of a chunk. */
  add(isec: number, chunk: Chunk): void {
    const { ctx, state } = this;
    const { arena, kernels } = ctx;
    const section = new DebugBytes(ctx, isec);
    const { bytes } = section;
    const text = arena.alloc(bytes.length + 16);
    const most = Math.ceil(bytes.length / SMALLEST_NAME);
    this.reserve(most);
    const cells = arena.alloc(most * CELL_BYTES + 16);
    const copy = arena.alloc(bytes.length + 16);
    arena.u8.set(bytes, copy);
    arena.u32.set([cells, 0, text], (state >>> 2) + 4);
    for (let at = 0; at < bytes.length; ) at = this.addSet(section, at, copy, chunk, (what) => ctx.diag.warn(badObject(sectionPlace(ctx, isec), what)), kernels);
    this.count = arena.u32[(state >>> 2) + 3]!;
  }

  /** One table of names (DWARF 4, 6.1.1, with GNU's byte of attributes); returns where the next begins. */
  private addSet(section: DebugBytes, at: number, copy: number, chunk: Chunk, warn: (message: string) => void, kernels: Context["kernels"]): number {
    const { bytes } = section;
    const table = `name lookup table at offset 0x${at.toString(16)}`;
    const cutOff = (where: number, from: number, to: number): string =>
      `unexpected end of data at offset 0x${where.toString(16)} while reading [0x${from.toString(16)}, 0x${to.toString(16)})`;
    const c = new Cursor(bytes, at);
    const { length, offsetBytes } = c.initialLength();
    if (c.bad) {
      warn(`${table} parsing failed: ${cutOff(bytes.length, at, at + 4)}`);
      return bytes.length;
    }
    const end = c.at + length;
    const limit = Math.min(end, bytes.length);
    const header = c.at + 2 + 2 * offsetBytes;
    if (header > limit) {
      warn(`${table} does not have a complete header: ${cutOff(limit, c.at, header)}`);
      return end;
    }
    c.skip(2);
    const info = section.place(c.at, c.unsigned(offsetBytes)).offset;
    const unit = chunk.units.findIndex((candidate) => candidate.offset >= info);
    const stop = kernels.addPublicNames(copy + header, copy + limit, offsetBytes, chunk.before + (unit < 0 ? chunk.units.length : unit), this.state) - copy;
    if (stop + offsetBytes > limit) warn(`${table} parsing failed: ${cutOff(limit, stop, stop + offsetBytes)}`);
    else if (bytes.subarray(stop, stop + offsetBytes).some((byte) => byte !== 0)) warn(`${table} parsing failed: no null terminated string at offset 0x${(stop + offsetBytes + 1).toString(16)}`);
    else if (stop + offsetBytes !== end) {
      warn(`${table} has a terminator at offset 0x${stop.toString(16)} before the expected end at 0x${(end - offsetBytes).toString(16)}`);
    }
    return end;
  }

  /** Makes room for `more` further names. */
  private reserve(more: number): void {
    const { arena, kernels } = this.ctx;
    const wanted = this.count + more;
    if (wanted <= this.capacity) return;
    this.capacity = Math.max(1024, 2 * wanted);
    this.slots = slotsFor(this.capacity);
    const old = this.records;
    this.records = arena.alloc(this.capacity * NAME_BYTES + 64);
    const table = arena.allocZeroed(4 * this.slots);
    arena.u32.set([table, this.slots, this.records], this.state >>> 2);
    kernels.moveNames(old, this.count, this.records, table, this.slots);
  }
}
