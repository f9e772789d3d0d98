/**
 * --emit-relocs: the relocations of the inputs, kept beside a finished image as .rela sections that are not loaded.
 *
 * Not for dynamic relocations (rela-dyn.ts). Counts follow from the members of each output section and its live unwind records,
 * so sizes are known before layout and windows are written in parallel into exact slices. Relocations say what the inputs said,
 * even where an instruction has been relaxed (as lld); r_offset is an address. A script cannot match these sections.
 */
import { RELA_BYTES, SHF_INFO_LINK, SHT_NOBITS, SHT_RELA } from "../../as-kernels/shared/elf.ts";
import type { Context, OutputSection } from "../context.ts";
import { allocTable } from "../memory/table.ts";
import type { Phases, WorkerContext } from "../memory/pool.ts";
import { SPARE_OSECS } from "./bind-sections.ts";
import { markUsed } from "./relocatable/relocatable-symbols.ts";
import { writeRelaWindows, type RelaWindow } from "./relocatable/write-relocatable.ts";
import { SectionBase, type SyntheticSection } from "../synthetic/section.ts";

const WINDOW_BYTES = 1 << 20;
/** .eh_frame input sections a chunk takes. */
const UNWIND_SECTIONS = 256;

/** The relocations of one output section. */
class EmittedRelocs extends SectionBase implements SyntheticSection {
  readonly name: string;
  readonly sh_type = SHT_RELA;
  readonly sh_flags = SHF_INFO_LINK;
  readonly align = 3;
  override readonly sh_entsize = RELA_BYTES;
  readonly link = ".symtab";
  readonly writesItself = true;
  readonly target: OutputSection;
  readonly count: number;

  constructor(target: OutputSection, count: number) {
    super();
    this.name = ".rela" + target.name;
    this.target = target;
    this.count = count;
  }

  get info(): number {
    return this.target.index;
  }

  isNeeded(): boolean {
    return true;
  }

  size(): number {
    return this.count * RELA_BYTES;
  }

  write(): void {
    throw new Error(`${this.name} is written by emitRelocs`);
  }
}

/** After create-synthetic, before output sections are ordered: which local symbols relocations name, and room for indexes. */
export async function prepareEmittedRelocs(ctx: Context): Promise<void> {
  const { arena, params, tables } = ctx;
  await markUsed(ctx, params.get("globalSyms"));
  params.set("symIndex", arena.allocZeroed(tables.sym.rows * 4));
  allocTable(arena, tables, "rout", 2 * tables.osec.rows + SPARE_OSECS);
}

/** The section that holds the relocations of `target`; null when it has none. */
export function emittedRelocsOf(ctx: Context, target: OutputSection): SyntheticSection | null {
  const { kernels, tables } = ctx;
  if (target.sh_type === SHT_NOBITS) return null;
  let count = kernels.countCopiedRelas(target.id);
  if (hasUnwind(ctx, target)) count += kernels.countUnwindRelas(1, tables.ehsec.rows - 1);
  return count === 0 ? null : new EmittedRelocs(target, count);
}

/** Are the unwind records in this output section? */
function hasUnwind({ synthetics }: Context, target: OutputSection): boolean {
  return synthetics.ehFrame !== null && target.synthetic.some(({ section }) => section === synthetics.ehFrame);
}

/** Arguments: address of a file offset (f64) for each chunk and the end, file descriptor. */
function unwindPhase(w: WorkerContext, chunk: number): void {
  const from = 1 + chunk * UNWIND_SECTIONS;
  const to = Math.min(from + UNWIND_SECTIONS, w.tables.ehsec.rows - 1);
  const at = (w.args[0]! >>> 3) + chunk;
  const [start, end] = [w.f64[at]!, w.f64[at + 1]!];
  if (end === start) return;
  const window = w.window(0, end - start + 16);
  const written = w.kernels.writeUnwindRelas(from, to, window);
  if (written !== end - start) throw new Error(`.rela.eh_frame: ${written} bytes instead of ${end - start}`);
  w.write(w.args[1]!, window, written, start);
}

export const EMITTED_RELOC_PHASES: Phases = { "emit-unwind-relocs": unwindPhase };

/** Writes all of them, once the symbol table has been. */
export async function emitRelocs(ctx: Context, fd: number): Promise<void> {
  const windows: RelaWindow[] = [];
  for (const osec of ctx.osecs) {
    for (const { section, offset } of osec.synthetic) {
      if (!(section instanceof EmittedRelocs)) continue;
      const end = cutWindows(ctx, section, osec.sh_offset + offset, windows);
      if (hasUnwind(ctx, section.target)) await emitUnwind(ctx, fd, end, osec.sh_offset + offset + section.size());
      else if (end !== osec.sh_offset + offset + section.size()) throw new Error(`${section.name} has not the size it promised`);
    }
  }
  await writeRelaWindows(ctx, fd, windows);
}

/** Windows for the members of a section's target, whose relocations begin at file offset `from`; returns where they end. */
function cutWindows(ctx: Context, { target }: EmittedRelocs, from: number, windows: RelaWindow[]): number {
  const { arena, kernels, tables } = ctx;
  const out = arena.alloc(16);
  const members = tables.osec.memberBase[target.id]! + tables.osec.memberCount[target.id]!;
  let at = from;
  for (let first = tables.osec.memberBase[target.id]!; first < members; ) {
    const end = kernels.cutRelas(first, members, WINDOW_BYTES, out);
    const to = at + arena.u32[out >>> 2]! * RELA_BYTES;
    if (to > at) windows.push({ first, end, from: at, to });
    first = end;
    at = to;
  }
  return at;
}

async function emitUnwind(ctx: Context, fd: number, from: number, to: number): Promise<void> {
  const { arena, kernels, tables } = ctx;
  const sections = tables.ehsec.rows - 2;
  const chunks = Math.ceil(sections / UNWIND_SECTIONS);
  const starts = arena.alloc(8 * (chunks + 1));
  let at = from;
  for (let chunk = 0; chunk < chunks; chunk++) {
    arena.f64[(starts >>> 3) + chunk] = at;
    const first = 1 + chunk * UNWIND_SECTIONS;
    at += kernels.countUnwindRelas(first, Math.min(first + UNWIND_SECTIONS, sections + 1)) * RELA_BYTES;
  }
  arena.f64[(starts >>> 3) + chunks] = at;
  if (at !== to) throw new Error(".rela.eh_frame has not the size it promised");
  await ctx.pool.run("emit-unwind-relocs", chunks, starts, fd);
}
