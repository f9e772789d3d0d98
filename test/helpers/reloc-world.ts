/**
 * One object with sections, symbols and relocations as tables, for tests of scan-relocs, create-synthetic and relocate.
 *
 * Builds what bind-sections would leave, and plays assign-addresses with fixed addresses. No ELF file exists: contents are given
 * and placed in a window by the test itself. Symbols are numbered alike in the object's symbol table and in `sym`.
 */
import * as abi from "../../as-kernels/shared/abi.ts";
import { RELA_BYTES, SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHT_PROGBITS, SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import { x86_64 } from "../../ts/arch/x86-64.ts";
import { defaultOptions } from "../../ts/args/default-options.ts";
import type { Context } from "../../ts/context.ts";
import { Arena } from "../../ts/memory/arena.ts";
import { allocTable, initTables, Params, type ParamName } from "../../ts/memory/table.ts";
import { assignNeeds, sliceDynamic } from "../../ts/passes/create-synthetic.ts";
import { installTables } from "../../ts/passes/scan-relocs.ts";
import { noSynthetics } from "../../ts/synthetic/index.ts";
import { kernelsOver } from "./kernel-memory.ts";

export interface SymSpec {
  /** SYM_* kind and bits. */
  flags: number;
  /** Index of the section it is in; -1 = none. */
  section?: number;
  value?: bigint;
  size?: number;
  vis?: number;
  /** As objects spell it, with an @version; "" = nobody asks. */
  name?: string;
  /** st_other where it is defined, which is a shared object for symbols of kind SYM_SHARED. */
  other?: number;
  /** Address, where it does not follow from section and value. */
  addr?: bigint;
}

export interface RelSpec {
  offset: number;
  type: number;
  /** Index into symbols; -1 = symbol table entry 0. */
  sym: number;
  addend: bigint;
}

export interface SecSpec {
  bytes: Uint8Array;
  flags: number;
  relocs: RelSpec[];
  /** log2 */
  align?: number;
  live?: boolean;
}

export interface RelocWorldSpec {
  output: "exec" | "pie" | "shared";
  sections: SecSpec[];
  symbols: SymSpec[];
  params?: Partial<Record<ParamName, number>>;
  ifuncNoplt?: boolean;
  debug?: boolean;
}

export interface RelocWorld {
  ctx: Context;
  /** isec row of a section; output section row = the same number. */
  row: (section: number) => number;
  sym: (symbol: number) => number;
  /** Scans all sections: needs are flags of symbols, dynamic relocations counts of sections. */
  scanSections: () => void;
  /** The same, and numbers what they need. */
  scan: () => void;
  /** Scans, lays out, and returns the relocated bytes of each section. */
  link: () => Uint8Array[];
  /** Symbolic dynamic relocations of .got: what RelaDynSection is made with. */
  ownSymbolic: () => number;
  /** Records of .rela.dyn that relocate wrote for sections: RELATIVE ones first. */
  records: () => { offset: bigint; type: number; sym: number; addend: bigint }[];
  issues: () => { code: number; isec: number; index: number; a: bigint; b: bigint }[];
}

export const TEXT = SHF_ALLOC | SHF_EXECINSTR;
export const DATA = SHF_ALLOC | SHF_WRITE;
export const OUTPUTS = { exec: abi.OUT_EXEC, pie: abi.OUT_PIE, shared: abi.OUT_SHARED } as const;

/** Where things lie: section k at BASE + k * STEP. */
export const BASE = 0x200000n;
export const STEP = 0x10000n;
export const PLACES = {
  gotAddr: 0x300000n, gotPltAddr: 0x310000n, pltAddr: 0x320000n, pltFirst: 0x320010n, pltLazy: 0x320016n, pltGotAddr: 0x330000n, ipltAddr: 0x340000n, tlsAddr: 0x350000n, tlsEnd: 0x350400n,
} as const;
/** From one entry to the next. */
const WIDTHS = { pltBytes: 16, pltGotBytes: 8, ipltBytes: 16 };

const MEMORY_PAGES = 256;

/** First sym row of the test's symbols: 0 is nothing, 1 the object's null symbol. */
const FIRST_SYM = 2;

export function relocWorld(spec: RelocWorldSpec): RelocWorld {
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: 65536, shared: true });
  const arena = new Arena(memory);
  const tables = initTables(arena);
  const params = new Params(arena);
  const kernels = kernelsOver(memory, spec.debug);
  const ctx = {
    arena, tables, params, kernels, arch: x86_64, options: defaultOptions(), synthetics: noSynthetics(), osecs: [], properties: new Map(), lookup: () => 0,
  } as unknown as Context;
  allocTable(arena, tables, "issue", 4096);
  params.set("outputKind", OUTPUTS[spec.output]);
  params.set("pic", spec.output === "exec" ? 0 : 1);
  params.set("shared", spec.output === "shared" ? 1 : 0);
  params.set("relax", 1);
  params.set("callNop", defaultOptions().z.callNop);
  params.set("zText", spec.params?.zText ?? 1);
  params.set("zCopyreloc", 1);
  ctx.options.z.ifuncNoplt = spec.ifuncNoplt ?? false;
  installTables(ctx);
  for (const [name, value] of Object.entries(spec.params ?? {})) params.set(name as ParamName, value as never);
  fillSymbols(ctx, spec);
  fillSections(ctx, spec);
  const row = (section: number) => section + 1;
  const rows = spec.sections.length + 1;

  let ownSymbolic = 0;

  /** Contents of every other section are in memory, as in small links. */
  const keepSome = () => {
    for (let row = 1; row < rows; row += 2) {
      const { bytes } = spec.sections[row - 1]!;
      tables.isec.kept[row] = arena.alloc(bytes.length + 64) + 16;
      arena.u8.set(bytes, tables.isec.kept[row]!);
    }
  };

  const scanSections = () => {
    keepSome();
    const waiting = arena.alloc(4 * rows);
    const count = kernels.scanRelocs(1, rows, waiting);
    for (let at = 0; at < count; at++) {
      const row = arena.u32[(waiting >>> 2) + at]!;
      const bytes = spec.sections[row - 1]!.bytes;
      const window = arena.alloc(bytes.length + 64) + 16;
      arena.u8.set(bytes, window);
      kernels.scanWaiting(waiting, at, at + 1, window, tables.isec.sh_offset[row]!);
    }
  };

  const scan = () => {
    scanSections();
    assignNeeds(ctx);
    ownSymbolic = params.get("symbolicCount");
    sliceDynamic(ctx);
  };

  const link = () => {
    scan();
    for (const [name, value] of Object.entries({ ...PLACES, ...WIDTHS })) params.set(name as ParamName, value as never);
    spec.sections.forEach((_, s) => (tables.osec.addr[row(s)] = BASE + STEP * BigInt(s)));
    spec.symbols.forEach((symbol, s) => {
      const inside = (symbol.section ?? -1) >= 0 ? BASE + STEP * BigInt(symbol.section!) : 0n;
      tables.sym.addr[FIRST_SYM + s] = symbol.addr ?? BigInt.asUintN(64, inside + (symbol.value ?? 0n));
    });
    kernels.resolveAux(1, params.get("auxRows") + 1);
    return spec.sections.map((section, s) => {
      const window = arena.alloc(section.bytes.length + 64) + 16;
      arena.u8.set(section.bytes, window);
      kernels.relocate(s + 1, s + 2, window, 0);
      return arena.u8.slice(window, window + section.bytes.length);
    });
  };

  const records = () => {
    const count = params.get("relativeCount") + params.get("symbolicCount");
    return Array.from({ length: count }, (_, k) => {
      const at = (params.get("relaDyn") + k * RELA_BYTES) >>> 3;
      const info = arena.u64[at + 1]!;
      return { offset: arena.u64[at]!, type: Number(info & 0xffffffffn), sym: Number(info >> 32n), addend: arena.u64[at + 2]! };
    });
  };

  const issues = () =>
    Array.from({ length: arena.u32[abi.CTL_ISSUES >>> 2]! }, (_, i) => {
      const { code, isec, index, a, b } = tables.issue;
      return { code: code[i + 1]!, isec: isec[i + 1]!, index: index[i + 1]!, a: a[i + 1]!, b: b[i + 1]! };
    });

  return { ctx, row, sym: (symbol) => FIRST_SYM + symbol, scanSections, scan, link, ownSymbolic: () => ownSymbolic, records, issues };
}

/** All symbols are globals; a shared object (obj row 2) defines those of kind SYM_SHARED. */
function fillSymbols(ctx: Context, spec: RelocWorldSpec): void {
  const { arena, tables, params } = ctx;
  const rows = FIRST_SYM + spec.symbols.length;
  allocTable(arena, tables, "obj", 3);
  allocTable(arena, tables, "esym", 1 + rows);
  allocTable(arena, tables, "sym", rows);
  allocTable(arena, tables, "gsym", rows);
  params.set("globalSyms", rows);
  const symtab = arena.allocZeroed((rows + 1) * SYM_BYTES);
  for (const o of [1, 2]) {
    tables.obj.esymBase[o] = 1;
    tables.obj.esymCount[o] = rows - 1;
    tables.obj.symtab[o] = symtab;
  }
  tables.esym.sym[1] = 1;
  spec.symbols.forEach((symbol, s) => {
    const row = FIRST_SYM + s;
    tables.esym.sym[2 + s] = row;
    tables.sym.flags[row] = symbol.flags;
    tables.sym.isec[row] = (symbol.section ?? -1) + 1;
    tables.sym.value[row] = BigInt.asUintN(64, symbol.value ?? 0n);
    tables.gsym.size[row] = symbol.size ?? 0;
    tables.gsym.vis[row] = symbol.vis ?? 0;
    arena.u8[symtab + (1 + s) * SYM_BYTES + 5] = symbol.other ?? 0;
    if (symbol.name !== undefined) {
      tables.gsym.name[row] = arena.put(symbol.name);
      tables.gsym.nameBytes[row] = symbol.name.replace(/@.*/, "").length;
    }
    tables.gsym.dynsym[row] = 100 + s;
    if ((symbol.flags & abi.SYM_KIND_MASK) === abi.SYM_SHARED) {
      tables.gsym.obj[row] = 2;
      tables.gsym.esym[row] = 2 + s;
    }
  });
}

function fillSections(ctx: Context, spec: RelocWorldSpec): void {
  const { arena, tables } = ctx;
  const rows = spec.sections.length + 1;
  allocTable(arena, tables, "isec", rows);
  allocTable(arena, tables, "osec", rows);
  allocTable(arena, tables, "member", rows);
  const { isec } = tables;
  let offset = 64;
  spec.sections.forEach((section, s) => {
    const i = s + 1;
    isec.obj[i] = 1;
    isec.sh_type[i] = SHT_PROGBITS;
    isec.sh_flags[i] = section.flags;
    isec.sh_offset[i] = offset;
    isec.size[i] = section.bytes.length;
    isec.align[i] = section.align ?? 3;
    isec.live[i] = section.live === false ? 0 : 1;
    isec.osec[i] = i;
    isec.relaCount[i] = section.relocs.length;
    isec.rela[i] = arena.alloc(section.relocs.length * RELA_BYTES);
    section.relocs.forEach((rel, k) => {
      const at = (isec.rela[i]! + k * RELA_BYTES) >>> 3;
      arena.u64[at] = BigInt(rel.offset);
      arena.u64[at + 1] = (BigInt(rel.sym + 1) << 32n) | BigInt(rel.type);
      arena.u64[at + 2] = BigInt.asUintN(64, rel.addend);
    });
    tables.osec.sh_flags[i] = section.flags;
    tables.member.isec[i] = i;
    offset += section.bytes.length;
  });
}
