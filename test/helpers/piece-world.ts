/**
 * Sections with contents as tables, for tests of split-pieces, merge-pieces and the .eh_frame sections.
 *
 * Builds what load-sections and bind-sections would leave: one object per given list of sections, whose file is those
 * sections one after the other. Nothing is parsed and no ELF file exists.
 */
import { CTL_ISSUES, ISEC_EH_FRAME, ISEC_MERGE, ISEC_REGULAR, SYM_DEFINED } from "../../as-kernels/shared/abi.ts";
import { SHF_ALLOC, SHF_MERGE, SHF_STRINGS } from "../../as-kernels/shared/elf.ts";
import { defaultOptions } from "../../ts/args/default-options.ts";
import type { LinkOptions } from "../../ts/args/link-options.ts";
import type { Context } from "../../ts/context.ts";
import { Diagnostics } from "../../ts/diagnostics/print.ts";
import { HostError } from "../../ts/host/host.ts";
import { Arena } from "../../ts/memory/arena.ts";
import { Pool, type WorkerIo } from "../../ts/memory/pool.ts";
import { allocTable, initTables, Params } from "../../ts/memory/table.ts";
import { MERGE_PHASES } from "../../ts/passes/merge-pieces.ts";
import { SPLIT_PHASES } from "../../ts/passes/split-pieces.ts";
import { STREAM_PHASES } from "../../ts/passes/stream-strings.ts";
import { EH_FRAME_PHASES } from "../../ts/synthetic/eh-frame.ts";
import { kernelsOver } from "./kernel-memory.ts";

export interface RelocSpec {
  offset: number;
  type: number;
  /** Index into WorldSpec.symbols; relocation symbols are numbered alike in every object. */
  sym: number;
  addend?: number;
}

export interface SectionSpec {
  data: Uint8Array;
  kind: number;
  flags: number;
  entsize?: number;
  /** log2 */
  align?: number;
  osec?: number;
  live?: boolean;
  relocs?: RelocSpec[];
  /** Bytes of junk in the file before it. */
  gap?: number;
}

export interface PieceWorldSpec {
  /** Sections of each object. */
  objects: SectionSpec[][];
  /** Global symbols: section as [object, section index], value. */
  symbols?: { in?: [number, number]; value: number; kind?: number; flags?: number; addr?: bigint }[];
  options?: Partial<LinkOptions>;
  /** Output sections, rows 1…; default one. */
  osecs?: number;
  debug?: boolean;
  /** Claim chunks in the opposite order, as threads might. */
  backwards?: boolean;
}

/** Room for what tests write. */
const OUTPUT_BYTES = 1 << 16;

export interface PieceWorld {
  /** The output file, as far as phases write it themselves. */
  output: Uint8Array;
  ctx: Context;
  /** isec row of a section. */
  row: (object: number, section: number) => number;
  issues: () => { code: number; isec: number; index: number; a: bigint }[];
}

const MEMORY_PAGES = 1024;

export function strings(data: string, more: Partial<SectionSpec> = {}): SectionSpec {
  return { data: Uint8Array.from(data, (c) => c.charCodeAt(0)), kind: ISEC_MERGE, flags: SHF_ALLOC | SHF_MERGE | SHF_STRINGS, entsize: 1, ...more };
}

export function constants(data: Uint8Array, entsize: number, more: Partial<SectionSpec> = {}): SectionSpec {
  return { data, kind: ISEC_MERGE, flags: SHF_ALLOC | SHF_MERGE, entsize, ...more };
}

export function ehFrame(data: Uint8Array, relocs: RelocSpec[], more: Partial<SectionSpec> = {}): SectionSpec {
  return { data, kind: ISEC_EH_FRAME, flags: SHF_ALLOC, align: 3, relocs, ...more };
}

export function code(bytes: number, more: Partial<SectionSpec> = {}): SectionSpec {
  return { data: new Uint8Array(bytes), kind: ISEC_REGULAR, flags: SHF_ALLOC, ...more };
}

/** A pool whose chunks run in the opposite order. */
class BackwardsPool extends Pool {
  override async run(name: string, chunks: number, ...args: number[]): Promise<void> {
    const phases = { ...SPLIT_PHASES, ...MERGE_PHASES, ...STREAM_PHASES, ...EH_FRAME_PHASES };
    this.self.args = args;
    for (let chunk = chunks - 1; chunk >= 0; chunk--) phases[name]!(this.self, chunk);
  }
}

export function pieceWorld(spec: PieceWorldSpec): PieceWorld {
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES, shared: true });
  const arena = new Arena(memory);
  const tables = initTables(arena);
  const kernels = kernelsOver(memory, spec.debug);
  const files: Uint8Array[] = [];
  const output = new Uint8Array(OUTPUT_BYTES);
  const io = {
    readAt(path: string, target: Uint8Array, position: number): number {
      const bytes = files[Number(path)]!.subarray(position, position + target.length);
      target.set(bytes);
      return bytes.length;
    },
    writeAt(_fd: number, bytes: Uint8Array, position: number): void {
      output.set(bytes, position);
    },
    inflate(): Uint8Array {
      throw new HostError("EINVAL", "corrupt");
    },
    deflate: () => undefined,
  } as Partial<WorkerIo> as WorkerIo;
  const phases = { ...SPLIT_PHASES, ...MERGE_PHASES, ...STREAM_PHASES, ...EH_FRAME_PHASES };
  const pool = new (spec.backwards === true ? BackwardsPool : Pool)(arena, tables, kernels, io, phases);
  const params = new Params(arena);
  const options = { ...defaultOptions(), ...spec.options };
  const diag = new Diagnostics(() => {});
  params.set("gcSections", options.gcSections ? 1 : 0);
  params.set("ehFrameHdr", options.ehFrameHdr ? 1 : 0);
  allocTable(arena, tables, "issue", 100);
  arena.u32[CTL_ISSUES >>> 2] = 0;
  const ctx = { options, arena, tables, kernels, pool, params, diag, checkpoint: { resolved: null }, spareRows: () => 0 } as unknown as Context;
  const rows = fillSections(ctx, spec, files);
  pool.self.sources = files.map((_, i) => String(i));
  fillSymbols(ctx, spec, (object, section) => rows[object]![section]!);
  pool.self.tables = tables as typeof pool.self.tables;
  return {
    ctx,
    output,
    row: (object, section) => rows[object]![section]!,
    issues: () => {
      const { code: codes, isec, index, a } = tables.issue;
      const count = arena.u32[CTL_ISSUES >>> 2]!;
      return Array.from({ length: count }, (_, i) => ({ code: codes[i + 1]!, isec: isec[i + 1]!, index: index[i + 1]!, a: a[i + 1]! }));
    },
  };
}

function fillSections(ctx: Context, spec: PieceWorldSpec, files: Uint8Array[]): number[][] {
  const { arena, tables } = ctx;
  const total = spec.objects.reduce((sum, list) => sum + list.length, 0);
  allocTable(arena, tables, "obj", spec.objects.length + 1);
  allocTable(arena, tables, "isec", total + 1);
  const { obj, isec } = tables;
  let row = 0;
  return spec.objects.map((list, o) => {
    const parts: number[] = [];
    obj.source[o + 1] = o;
    const made = list.map((section) => {
      row++;
      for (let k = section.gap ?? 0; k > 0; k--) parts.push(0xee);
      isec.obj[row] = o + 1;
      isec.sh_offset[row] = parts.length;
      isec.size[row] = section.data.length;
      isec.sh_flags[row] = section.flags;
      isec.sh_entsize[row] = section.entsize ?? 0;
      isec.align[row] = section.align ?? 0;
      isec.kind[row] = section.kind;
      isec.live[row] = section.live === false ? 0 : 1;
      isec.osec[row] = section.osec ?? 1;
      putRelocs(ctx, row, section.relocs ?? []);
      for (const byte of section.data) parts.push(byte);
      return row;
    });
    files.push(Uint8Array.from(parts));
    return made;
  });
}

function putRelocs(ctx: Context, row: number, relocs: RelocSpec[]): void {
  const { arena, tables } = ctx;
  if (relocs.length === 0) return;
  const at = arena.alloc(24 * relocs.length);
  relocs.forEach((reloc, i) => {
    const rela = at + 24 * i;
    arena.u64[rela >>> 3] = BigInt(reloc.offset);
    arena.u32[(rela >>> 2) + 2] = reloc.type;
    arena.u32[(rela >>> 2) + 3] = reloc.sym + 1;
    arena.u64[(rela >>> 3) + 2] = BigInt.asUintN(64, BigInt(reloc.addend ?? 0));
  });
  tables.isec.rela[row] = at;
  tables.isec.relaCount[row] = relocs.length;
}

function fillSymbols(ctx: Context, spec: PieceWorldSpec, row: (object: number, section: number) => number): void {
  const { arena, tables } = ctx;
  const symbols = spec.symbols ?? [];
  allocTable(arena, tables, "sym", symbols.length + 1);
  allocTable(arena, tables, "esym", symbols.length + 1);
  allocTable(arena, tables, "osec", (spec.osecs ?? 1) + 1);
  symbols.forEach((symbol, i) => {
    tables.esym.sym[i + 1] = i + 1;
    tables.sym.flags[i + 1] = (symbol.kind ?? SYM_DEFINED) | (symbol.flags ?? 0);
    tables.sym.isec[i + 1] = symbol.in === undefined ? 0 : row(...symbol.in);
    tables.sym.value[i + 1] = BigInt(symbol.value);
    tables.sym.addr[i + 1] = symbol.addr ?? 0n;
  });
  tables.obj.esymCount.fill(symbols.length + 1);
}
