/**
 * .eh_frame: the unwind records of live code, each CIE once, and a zero terminator.
 *
 * Which records there are follows from isec.live and isec.osec, so layout() runs once after bind-sections. Contents are read
 * again while writing; no input section is kept in memory.
 */
import { SHF_ALLOC, SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import type { Phases, WorkerContext } from "../memory/pool.ts";
import type { SyntheticSection } from "./section.ts";

/** .eh_frame input sections a writing chunk takes. */
const CHUNK_SECTIONS = 64;

/**
 * Writes the records of `ehsec` rows [from, to) where they belong in the output section, which begins at `out` in memory and
 * at virtual address `address`.
 */
export function writeEhSections(w: WorkerContext, from: number, to: number, out: number, address: number): void {
  const { ehsec, isec } = w.tables;
  for (let k = from; k < to; k++) {
    if (ehsec.out[k + 1] === ehsec.out[k]) continue;
    const row = ehsec.isec[k]!;
    const contents = w.window(0, isec.size[row]!);
    w.contents(row, contents);
    w.kernels.writeEhFrame!(k, contents, out + ehsec.out[k]!, address);
  }
}

function writeChunk(w: WorkerContext, chunk: number): void {
  const from = 1 + chunk * CHUNK_SECTIONS;
  writeEhSections(w, from, Math.min(from + CHUNK_SECTIONS, w.tables.ehsec.rows - 1), w.args[0]!, w.args[1]!);
}

export const EH_FRAME_PHASES: Phases = { "write-eh-frame": writeChunk };

export class EhFrameSection implements SyntheticSection {
  readonly name = ".eh_frame";
  readonly sh_type = SHT_PROGBITS;
  readonly sh_flags = SHF_ALLOC;
  readonly align = 3;
  readonly sh_entsize = 0;
  address = 0n;
  osec = 0;
  /** Live FDEs, and those among them that .eh_frame_hdr lists. */
  fdes = 0;
  entries = 0;
  private bytes = -1;

  /** Decides which records are written and where; after mark-live and bind-sections. */
  layout(ctx: Context): void {
    const out = ctx.arena.alloc(16);
    this.bytes = ctx.kernels.layoutEhFrame!(out);
    this.fdes = ctx.arena.u32[out >>> 2]!;
    this.entries = ctx.arena.u32[(out >>> 2) + 1]!;
  }

  isNeeded(ctx: Context): boolean {
    return this.size(ctx) > 0;
  }

  size(ctx: Context): number {
    if (this.bytes < 0) this.layout(ctx);
    return this.bytes;
  }

  /** The terminator is among the zeros that are there already. */
  write(ctx: Context, _out: Uint8Array, outAddr: number): void {
    ctx.pool.self.tables = ctx.tables;
    writeEhSections(ctx.pool.self, 1, ctx.tables.ehsec.rows - 1, outAddr, Number(this.address));
  }

  /** As write, on all threads. */
  async writeParallel(ctx: Context, outAddr: number): Promise<void> {
    const chunks = Math.ceil((ctx.tables.ehsec.rows - 2) / CHUNK_SECTIONS);
    await ctx.pool.run("write-eh-frame", chunks, outAddr, Number(this.address));
  }
}
