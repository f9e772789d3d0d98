/**
 * A small link as tables: files, symbols and sections by hand, for tests of passes and linker-made sections.
 *
 * Builds what resolve-symbols would leave. The surprising choice: symbol names are given as objects spell them (`foo@@V`), and
 * every defined symbol gets an Elf64_Sym and a string table, because version suffixes are read from there.
 */
import {
  OBJ_INTERNAL, OBJ_RELOCATABLE, OBJ_SHARED, SYM_DEFINED, SYM_FUNC, SYM_IFUNC, SYM_OBJECT, SYM_SHARED, SYM_TLS, SYM_UNDEF, SYM_USED_REGULAR, SYM_WEAK,
} from "../../as-kernels/shared/abi.ts";
import { STB_GLOBAL, STB_WEAK, STT_FUNC, STT_GNU_IFUNC, STT_NOTYPE, STT_OBJECT, STT_TLS, STV_DEFAULT, SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import { defaultOptions } from "../../ts/args/default-options.ts";
import type { LinkOptions } from "../../ts/args/link-options.ts";
import type { Context, InputFile, OutputSection } from "../../ts/context.ts";
import { Diagnostics } from "../../ts/diagnostics/print.ts";
import { Arena } from "../../ts/memory/arena.ts";
import { allocTable, initTables, Params } from "../../ts/memory/table.ts";
import { noSynthetics } from "../../ts/synthetic/index.ts";
import { kernelsOver } from "../helpers/kernel-memory.ts";

export interface SymbolSpec {
  /** As the definition or the first mention spells it: foo, foo@V, foo@@V. */
  name: string;
  kind?: number;
  /** Added to the bits that follow from the rest. */
  flags?: number;
  bind?: number;
  type?: number;
  vis?: number;
  file?: string;
  /** Version index in the shared object that defines it. */
  ver?: number;
  isec?: number;
  addr?: bigint;
  size?: number;
}

export interface WorldSpec {
  /** Path → soname and versions for shared objects, null for relocatable ones. */
  files?: Record<string, { versions?: string[]; soname?: string; needed?: boolean } | null>;
  symbols: SymbolSpec[];
  options?: Partial<LinkOptions>;
  versionNodes?: Context["versionNodes"];
  dynamicList?: Context["dynamicList"];
  excluded?: string[];
}

export interface World {
  ctx: Context;
  row: (name: string) => number;
  /** What was printed, without the program's name. */
  messages: () => string[];
}

const MEMORY_PAGES = 256;

export function makeWorld(spec: WorldSpec, debug = false): World {
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES, shared: true });
  const arena = new Arena(memory);
  const tables = initTables(arena);
  const printed: string[] = [];
  const diag = new Diagnostics((_stream, text) => printed.push(text.trim()));
  const options = { ...defaultOptions(), ...spec.options } as LinkOptions;
  diag.configure(options);
  const rows = new Map<string, number>();
  const ctx = {
    options, arena, tables, params: new Params(arena), kernels: kernelsOver(memory, debug), diag,
    host: { env: () => undefined }, pool: {}, sources: [""], inputs: [undefined], versionNodes: spec.versionNodes ?? [], dynamicList: spec.dynamicList ?? [],
    properties: new Map(), sharedObjects: [], objects: new Uint32Array(), synthetics: noSynthetics(), osecs: [], segments: [],
    lookup: (name: string) => rows.get(name.replace(/@@.*$/, "")) ?? 0,
  } as unknown as Context;
  addFiles(ctx, spec);
  addSymbols(ctx, spec, rows);
  ctx.params.set("shared", options.shared ? 1 : 0);
  ctx.params.set("bsymbolic", ["none", "functions", "all", "non-weak-functions", "non-weak"].indexOf(options.bsymbolic));
  const strip = (line: string): string => line.replace(/^wield: /, "");
  return { ctx, row: (name) => ctx.lookup(name), messages: () => printed.map(strip) };
}

function addFiles(ctx: Context, { files = {}, excluded = [] }: WorldSpec): void {
  const names = Object.keys(files);
  const { arena, tables } = ctx;
  const obj = allocTable(arena, tables, "obj", names.length + 2);
  obj.kind[1] = OBJ_INTERNAL;
  ctx.inputs.push({ id: 1, obj: 1, path: "<internal>", member: "" } as InputFile);
  const included: number[] = [];
  names.forEach((path, i) => {
    const id = i + 2;
    const shared = files[path];
    const soname = shared?.soname ?? path;
    const versions = shared ? ["", "", ...(shared.versions ?? [])] : [];
    ctx.inputs.push({ id, obj: id, group: 0, source: 0, offset: 0, bytes: 0, path, member: "", soname, needed: [], versions, warnings: [] });
    obj.fileId[id] = id;
    obj.kind[id] = shared ? OBJ_SHARED : OBJ_RELOCATABLE;
    obj.needed[id] = shared && shared.needed !== false ? 1 : 0;
    if (excluded.includes(path)) obj.flags[id] = 4;
    if (shared) ctx.sharedObjects.push(ctx.inputs[id]!);
    else included.push(id);
  });
  ctx.objects = new Uint32Array(included);
}

/** The last word of names, with the version when it is part of the identity. */
const identity = (name: string): string => name.replace(/@@.*$/, "");

function addSymbols(ctx: Context, { symbols, files = {} }: WorldSpec, rows: Map<string, number>): void {
  const { arena, tables } = ctx;
  const globals = symbols.length + 1;
  ctx.params.set("globalSyms", globals);
  ctx.localSymBase = globals;
  allocTable(arena, tables, "esym", globals);
  const sym = allocTable(arena, tables, "sym", globals);
  const gsym = allocTable(arena, tables, "gsym", globals);
  const paths = Object.keys(files);
  // One symbol table for all: entry i is symbol i, of whichever file.
  const symtab = arena.allocZeroed(globals * SYM_BYTES);
  const strtab = arena.allocZeroed(1);
  for (let id = 1; id < tables.obj.rows; id++) {
    tables.obj.symtab[id] = symtab;
    tables.obj.strtab[id] = strtab;
    tables.obj.esymBase[id] = 0;
    tables.obj.esymCount[id] = globals;
    tables.obj.firstGlobal[id] = 1;
    tables.obj.versym[id] = arena.allocZeroed(globals * 2);
  }
  symbols.forEach((spec, i) => {
    const row = i + 1;
    const file = spec.file === undefined ? 0 : paths.indexOf(spec.file) + 2;
    const kind = spec.kind ?? (file === 0 ? SYM_UNDEF : files[spec.file!] ? SYM_SHARED : SYM_DEFINED);
    const bind = spec.bind ?? STB_GLOBAL;
    const type = spec.type ?? STT_NOTYPE;
    const stem = spec.name.indexOf("@") < 0 ? spec.name.length : spec.name.indexOf("@");
    rows.set(identity(spec.name), row);
    gsym.name[row] = arena.put(spec.name);
    gsym.nameBytes[row] = stem;
    arena.u32[(symtab + row * SYM_BYTES) >>> 2] = gsym.name[row]! - strtab;
    tables.esym.sym[row] = row;
    gsym.obj[row] = kind === SYM_UNDEF ? 0 : file;
    gsym.esym[row] = kind === SYM_UNDEF ? 0 : row;
    gsym.bind[row] = bind;
    gsym.type[row] = type;
    gsym.vis[row] = spec.vis ?? STV_DEFAULT;
    gsym.size[row] = spec.size ?? 0;
    sym.isec[row] = spec.isec ?? 0;
    sym.addr[row] = spec.addr ?? 0n;
    if (spec.ver !== undefined) arena.u16[(tables.obj.versym[file]! >>> 1) + row] = spec.ver;
    const isFunction = type === STT_FUNC || type === STT_GNU_IFUNC;
    sym.flags[row] =
      kind | SYM_USED_REGULAR | (isFunction ? SYM_FUNC : 0) | (type === STT_GNU_IFUNC ? SYM_IFUNC : 0) | (type === STT_OBJECT ? SYM_OBJECT : 0) | (type === STT_TLS ? SYM_TLS : 0) | (bind === STB_WEAK ? SYM_WEAK : 0) | (spec.flags ?? 0);
  });
}

/** An output section for tests that need addresses. */
export function outputSection(id: number, name: string, addr: bigint, size: number, rest: Partial<OutputSection> = {}): OutputSection {
  return {
    id, name, sh_type: 1, sh_flags: 2, sh_addr: addr, sh_offset: 0, size, align: 3, sh_entsize: 0, sh_link: 0, sh_info: 0, index: id,
    sh_name: 0, synthetic: [], rank: 0, relro: false, ready: null, ...rest,
  };
}
