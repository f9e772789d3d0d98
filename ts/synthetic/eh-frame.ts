/**
 * .eh_frame: the unwind records of live code, each CIE once, and a zero terminator.
 *
 * Which records there are follows from isec.live and isec.osec, so layout() runs once after bind-sections. Contents that
 * split-pieces has not left in memory are read again.
 */
import { SHF_ALLOC, SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import type { Phases, WorkerContext } from "../memory/pool.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

/** .eh_frame input sections a writing chunk takes. */
const CHUNK_SECTIONS = 64;

const A_FD = 0;
const A_POSITION = 1;

/** Phase: the records of a stretch of `ehsec` rows, which lie one behind the other in the output. */
function writeEhFramePhase(w: WorkerContext, chunk: number): void {
  const { ehsec, isec } = w.tables;
  const from = 1 + chunk * CHUNK_SECTIONS;
  const to = Math.min(from + CHUNK_SECTIONS, ehsec.rows - 1);
  const start = ehsec.out[from]!;
  const bytes = ehsec.out[to]! - start;
  if (bytes === 0) return;
  const out = w.window(3, bytes + 16);
  for (let k = from; k < to; k++) {
    if (ehsec.out[k + 1] === ehsec.out[k]) continue;
    const row = ehsec.isec[k]!;
    const contents = isec.kept[row] || w.window(0, isec.size[row]! + 16);
    if (isec.kept[row] === 0) w.contents(row, contents);
    w.kernels.writeEhFrame(k, contents, out + (ehsec.out[k]! - start));
  }
  w.write(w.args[A_FD]!, out, bytes, w.args[A_POSITION]! + start);
}

export const EH_FRAME_PHASES: Phases = { "write-eh-frame": writeEhFramePhase };

export class EhFrameSection extends SectionBase implements SyntheticSection {
  readonly name = ".eh_frame";
  readonly sh_type = SHT_PROGBITS;
  readonly sh_flags = SHF_ALLOC;
  /** Of the inputs; known after layout(). */
  align = 0;
  /** Live FDEs, and those among them that .eh_frame_hdr lists. */
  fdes = 0;
  entries = 0;
  private bytes = -1;

  /** Decides which records are written and where; after mark-live and bind-sections. */
  layout(ctx: Context): void {
    const out = ctx.arena.alloc(16);
    this.bytes = ctx.kernels.layoutEhFrame(out);
    this.fdes = ctx.arena.u32[out >>> 2]!;
    this.entries = ctx.arena.u32[(out >>> 2) + 1]!;
    this.align = ctx.arena.u32[(out >>> 2) + 2]!;
  }

  isNeeded(ctx: Context): boolean {
    return this.size(ctx) > 0;
  }

  size(ctx: Context): number {
    if (this.bytes < 0) this.layout(ctx);
    return this.bytes;
  }

  write(): void {
    throw new Error(".eh_frame is written in windows");
  }

  /** The terminator is among the zeros that a new file has. */
  async writeWindows(ctx: Context, fd: number, position: number): Promise<void> {
    const chunks = Math.ceil((ctx.tables.ehsec.rows - 2) / CHUNK_SECTIONS);
    await ctx.pool.run("write-eh-frame", chunks, fd, position);
  }
}
