/**
 * .sframe: one table of stack frames for the whole output (SFrame specification, versions 1 to 3), merged from those of the inputs.
 *
 * Readers look at one header and search one index, so tables one behind the other, which is all that copying gives, would hide all but the
 * first. What described code that is not in the output goes. Inputs of several versions become the newest of them: each can say what those
 * before it say. The PLT has no entries here.
 */
import { SHF_ALLOC, SHT_GNU_SFRAME, SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { badObject } from "../diagnostics/messages.ts";
import { sectionPlace } from "../diagnostics/place.ts";
import { DebugBytes } from "./debug-units.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";
import {
  ABI_AMD64, ATTRIBUTE_BYTES, BadFrames, F_FRAME_POINTER, F_PCREL, F_SORTED, HEADER_BYTES, INDEX_BYTES, INFO_AT, MAGIC, readFrames, type FrameTable, type FunctionFrames,
} from "./sframe-reader.ts";

/** A function of the output. */
interface Described {
  isec: number;
  /** Bytes from the start of the section. */
  offset: number;
  frames: FunctionFrames;
}

/** What the number of rows of a function can be in version 3 (u16). */
const MOST_ROWS_3 = 0xffff;

class SframeSection extends SectionBase implements SyntheticSection {
  readonly name = ".sframe";
  readonly sh_flags = SHF_ALLOC;
  readonly align = 3;
  sh_type = SHT_PROGBITS;
  private version = 1;
  private flags = F_SORTED | F_FRAME_POINTER;
  private functions: Described[] = [];
  private returnAddress = 0;

  /** Which sections live and which were folded is known. */
  collect(ctx: Context): void {
    const { kernels, tables: { isec } } = ctx;
    const seen = new Map<number, Set<number>>();
    for (let row = kernels.nextSframe(1, isec.rows); row < isec.rows; row = kernels.nextSframe(row + 1, isec.rows)) {
      const section = new DebugBytes(ctx, row);
      if (isec.sh_type[row] === SHT_GNU_SFRAME) this.sh_type = SHT_GNU_SFRAME;
      try {
        for (const table of readFrames(section.bytes)) this.add(ctx, section, table, seen);
      } catch (error) {
        if (!(error instanceof BadFrames)) throw error;
        ctx.diag.warn(badObject(sectionPlace(ctx, row), `${error.message}; its stack frames are left out`));
      }
    }
    if (this.version === 3) this.functions = this.functions.filter(({ frames }) => frames.rows <= MOST_ROWS_3);
  }

  private add({ tables: { isec } }: Context, section: DebugBytes, table: FrameTable, seen: Map<number, Set<number>>): void {
    if (table.functions.length === 0) return;
    if (this.functions.length > 0 && this.returnAddress !== table.returnAddress) throw new BadFrames("the return address is elsewhere than in other .sframe sections");
    this.returnAddress = table.returnAddress;
    this.version = Math.max(this.version, table.version);
    this.flags = (this.flags & (table.flags | ~F_FRAME_POINTER)) | (table.flags & F_PCREL);
    for (const frames of table.functions) {
      // In objects a start counts from its field, with and without the flag (GNU as 2.40 to 2.46).
      const { isec: row, offset } = section.place(table.at + frames.field, 0);
      if (row === 0 || isec.live[row] === 0 || isec.osec[row] === 0) continue;
      // Of functions that were folded, one is left.
      let starts = seen.get(row);
      if (starts === undefined) seen.set(row, (starts = new Set()));
      if (starts.has(offset)) continue;
      starts.add(offset);
      this.functions.push({ isec: row, offset, frames });
    }
  }

  isNeeded(): boolean {
    return this.functions.length > 0;
  }

  /** Bytes before the rows of each function. */
  private get attributeBytes(): number {
    return this.version === 3 ? ATTRIBUTE_BYTES : 0;
  }

  private get rowBytes(): number {
    return this.functions.reduce((sum, { frames }) => sum + this.attributeBytes + frames.bytes.length, 0);
  }

  size(): number {
    return HEADER_BYTES + INDEX_BYTES[this.version]! * this.functions.length + this.rowBytes;
  }

  write(ctx: Context, out: Uint8Array): void {
    const { isec, osec } = ctx.tables;
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    const entryBytes = INDEX_BYTES[this.version]!;
    const indexBytes = entryBytes * this.functions.length;
    this.writeHeader(view, indexBytes);
    const placed = this.functions.map(({ isec: row, offset, frames }) => ({ frames, distance: Number(osec.addr[isec.osec[row]!]! + BigInt(isec.outOffset[row]!) - this.address) + offset }));
    placed.sort((a, b) => a.distance - b.distance);
    const rows = HEADER_BYTES + indexBytes;
    let to = 0;
    placed.forEach(({ frames, distance }, i) => {
      const at = HEADER_BYTES + i * entryBytes;
      this.writeEntry(ctx, view, at, (this.flags & F_PCREL) !== 0 ? distance - at : distance, frames, to);
      if (this.version === 3) {
        view.setUint16(rows + to, frames.rows, true);
        out.set([frames.info, frames.info2, frames.repeats], rows + to + 2);
      }
      out.set(frames.bytes, rows + to + this.attributeBytes);
      to += this.attributeBytes + frames.bytes.length;
    });
  }

  private writeHeader(view: DataView, indexBytes: number): void {
    view.setUint16(0, MAGIC, true);
    view.setUint8(2, this.version);
    view.setUint8(3, this.flags);
    view.setUint8(4, ABI_AMD64);
    view.setInt8(6, this.returnAddress);
    const rows = this.functions.reduce((sum, { frames }) => sum + frames.rows, 0);
    [this.functions.length, rows, this.rowBytes, 0, indexBytes].forEach((word, i) => view.setUint32(8 + 4 * i, word, true));
  }

  /** One entry of the index: at `at`, of a function `start` bytes from what starts count from, whose rows are at `rows` of theirs. */
  private writeEntry(ctx: Context, view: DataView, at: number, start: number, frames: FunctionFrames, rows: number): void {
    let next = at + 4;
    if (this.version === 3) {
      view.setBigInt64(at, BigInt(start), true);
      next = at + 8;
    } else {
      if (start !== (start | 0)) ctx.diag.error({ code: "LAYOUT", text: ".sframe: the distance to a function needs more than 32 bits" });
      view.setInt32(at, start, true);
    }
    view.setUint32(next, frames.size, true);
    view.setUint32(next + 4, rows, true);
    if (this.version === 3) return;
    view.setUint32(next + 8, frames.rows, true);
    view.setUint8(next + INFO_AT, frames.info);
    if (this.version === 2) view.setUint8(next + INFO_AT + 1, frames.repeats);
  }
}

/** create-synthetic, when there are .sframe sections and nobody wants them left out. */
export function addSframe(ctx: Context): void {
  if (ctx.options.discardSections.some((pattern) => pattern.test(".sframe"))) return;
  const section = new SframeSection();
  section.collect(ctx);
  Object.assign(ctx.synthetics, { [section.name]: section });
}
