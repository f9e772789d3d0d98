/**
 * One link: options, tables, arena, kernels, diagnostics and timer, handed to every pass.
 *
 * Holds no policy. Per-symbol, per-section and per-relocation facts live in tables (memory/schema.ts); only per-file and
 * per-output-section facts, of which there are few, are objects here.
 */
import type { ByteString, LinkOptions, SymbolPattern, VersionNode } from "./args/link-options.ts";
import type { Architecture } from "./arch/arch.ts";
import type { Arena, ArenaSpares } from "./memory/arena.ts";
import type { Tables, Params } from "./memory/table.ts";
import type { Kernels } from "./memory/kernels.ts";
import type { Pool } from "./memory/pool.ts";
import type { BitcodeCompiler } from "./lto/bitcode.ts";
import type { GccLto } from "./lto/gcc-lto.ts";
import type { Host } from "./host/host.ts";
import type { SymbolWarning } from "./input/shared-object.ts";
import type { Diagnostics } from "./diagnostics/print.ts";
import type { Phdr } from "./elf/phdr.ts";
import type { SyntheticSection } from "./synthetic/section.ts";
import type { SymbolTable } from "./synthetic/symtab.ts";
import type { LayoutScript, OutputDescription } from "./script/layout.ts";
import type { Expr } from "./script/expression.ts";
import type { LinkerDefined } from "./passes/linker-defined.ts";
import type { KeptMarks } from "./passes/kept-marks.ts";
import type { KeptNeeds } from "./passes/kept-needs.ts";
import type { KeptPieces } from "./passes/kept-pieces.ts";
import type { Plan } from "./script/plan.ts";
import type { Synthetics } from "./synthetic/index.ts";

/** A stretch of a file that is one object, archive member or shared object. Row number = obj.fileId. */
export interface InputFile {
  id: number;
  /** obj row, 0 = brings no symbols. */
  obj: number;
  /** Path of the file that is opened: row of ctx.sources. */
  source: number;
  /** Bytes from the start of the source to the first byte of this object. */
  offset: number;
  bytes: number;
  /** Path as the user knows it; for members, of the archive. */
  path: ByteString;
  /** Files of one archive, --start-group or --start-lib have the same; later ones a larger number. */
  group: number;
  /** Archive member name, "" otherwise. */
  member: ByteString;
  /** Shared objects: DT_SONAME, or the name to record. */
  soname: ByteString;
  /** Shared objects: DT_NEEDED names. */
  needed: ByteString[];
  /** Shared objects: for each version index, its name ("" for 0 and 1). */
  versions: ByteString[];
  /** Shared objects: `.gnu.warning.SYMBOL` sections. */
  warnings: readonly SymbolWarning[];
}

/** One output section. Addresses are bigint, offsets and sizes numbers. */
export interface OutputSection {
  /** osec row. */
  id: number;
  name: ByteString;
  sh_type: number;
  sh_flags: number;
  sh_addr: bigint;
  sh_offset: number;
  size: number;
  /** log2 */
  align: number;
  sh_entsize: number;
  sh_link: number;
  sh_info: number;
  /** Section header index in the output, 0 = not written. */
  index: number;
  /** Offset of the name in .shstrtab. */
  sh_name: number;
  /** Linker-made contents placed in it (offset within the osec), in order. */
  synthetic: { section: SyntheticSection; offset: number }[];
  /** Sort key among output sections, smaller first (lld getSectionRank). */
  rank: number;
  relro: boolean;
  /** Contents are already complete bytes in memory (compressed sections), `size` of them in these parts; else null. */
  ready: Uint8Array[] | null;
}

export interface Segment extends Phdr {
  /** In order. The file's headers are not among them. */
  sections: OutputSection[];
  /** Which of the file's headers it begins with: HEAD_* of passes/segments.ts. */
  heads: number;
  /** PT_LOAD under a script: load address minus address of its first section. */
  lmaOffset: bigint;
  /** PHDRS … AT(address), else null. */
  lma: bigint | null;
}

/** Looks on from outside (the API): reads the tables, changes nothing. */
export interface LinkObserver {
  /** Addresses are final, nothing is written: later, finished tables give their memory back. */
  laidOut?(ctx: Context): void;
  /** The output is in place. */
  linked?(ctx: Context): void;
}

/** What the passes leave for a link after this one that only lays out and writes again (relink.ts). */
export interface Checkpoint {
  linkerDefined: LinkerDefined;
  /** Tops of the arena: before assign-addresses, and after the last pass that does not write. */
  created: number;
  laidOut: number;
  /** The link as set-visibility left it; null = it cannot be taken up. */
  resolved: ResolvedState | null;
  /** Relocations in memory are not what they are in the files (mirrorRelocs): it cannot be taken up. */
  mirrored: boolean;
  /** ctx.inputs by source; null = nobody has asked for them. */
  inputs: Map<number, InputFile[]> | null;
  /** params.digest of everything but the build-id. */
  digest: bigint;
  /** Where names and symbols of replaced objects may go (passes/patch-symbols.ts). */
  room: SymbolRoom;
}

/** How many rows an object may use where its rows begin. */
export interface ObjectRows {
  esyms: number;
  locals: number;
  slots: number;
  groups: number;
}

/** What a link that goes on after set-visibility needs of that time (passes/replace-objects.ts). */
export interface ResolvedState {
  /** Top of the arena, and memory below that is free. */
  mark: number;
  spares: ArenaSpares;
  /** Memory set aside for tables of replaced objects: what is left of it. */
  area: { at: number; end: number };
  /** Addresses of copies: of globals (saveGlobals), of obj.needed, of the parameters. */
  globals: number;
  needed: number;
  params: number;
  /** What split-pieces has made; null = it begins anew. */
  pieces: KeptPieces | null;
  /** What mark-live has found; null = nothing is collected. */
  marks: KeptMarks | null;
  /** What scan-relocs has found. */
  needs: KeptNeeds;
}

/** Rows behind those of a link that are kept free for names and symbols to come; none where no link can follow. */
export interface SymbolRoom {
  /** First free row of `gsym`, `esym`, the local part of `sym`, `slot` and `group`, and the ends of the free rows. */
  names: number;
  namesEnd: number;
  esyms: number;
  esymsEnd: number;
  locals: number;
  localsEnd: number;
  slots: number;
  slotsEnd: number;
  groups: number;
  groupsEnd: number;
  /** End of the room for rows of `isec`, which are moved to make some. */
  isecsEnd: number;
  /** Address of the names in order of their first mention; 0 = they are still in the order of their rows. */
  order: number;
  /** By object that has other rows than it had: how many it may use. */
  rows: Map<number, ObjectRows>;
  /** Symbols have come or gone since the symbol table was counted. */
  moved: boolean;
}

export interface Context {
  options: LinkOptions;
  host: Host;
  arena: Arena;
  tables: Tables;
  params: Params;
  kernels: Kernels;
  pool: Pool;
  diag: Diagnostics;
  observer: LinkObserver | null;

  /** Paths that are opened, row = InputFile.source. */
  sources: ByteString[];
  /** Row 0 unused. */
  inputs: InputFile[];
  /** Every file that was read, in order, each once: for --dependency-file. */
  loadedFiles: ByteString[];
  versionNodes: VersionNode[];
  /** --defsym and the layout commands of scripts, null = none. Scripts lay out sections only if script.hasSections. */
  script: LayoutScript | null;
  /** The layout when a script lays out sections, from bind-sections on. */
  plan: Plan | null;
  /** Names that --defsym expressions and scripts refer to. */
  expressionNames: ByteString[];
  /** Patterns of --dynamic-list, --export-dynamic-symbol and --export-dynamic-symbol-list. */
  dynamicList: SymbolPattern[];
  /** What --section-ordering-file describes. */
  sectionOrder: OutputDescription[];
  /** The text of --symbol-ordering-file, and the lines of --call-graph-ordering-file; null = not given. */
  symbolOrder: ByteString | null;
  callGraph: ByteString[] | null;
  /** Sections that were ordered, as the kernel listOrdered lists them. */
  ordered: { list: number; count: number };
  /** Names of --retain-symbols-file; null = not given. */
  retained: ReadonlySet<ByteString> | null;
  /** Program properties of the output (.note.gnu.property): pr_type → value. Filled by readProperties. */
  properties: Map<number, number>;
  /** Shared objects in the link, in order, that may get DT_NEEDED. */
  sharedObjects: InputFile[];
  /** Expressions that define symbols (--defsym, scripts), by sym row: where a definition is. */
  assigned: Map<number, Expr>;
  /** What inputs defined those as, which expressions further up still mean: section (0 = none) and value. */
  replaced: Map<number, { isec: number; value: bigint }>;
  /** For --why-extract: option that demands a name, by sym row. */
  whyExtracted: Map<number, string>;
  /** For --print-archive-stats and --warn-backrefs: archives not taken whole, at each place of the command line. */
  archives: { path: ByteString; members: number; group: number }[];
  /** Libraries that objects ask for: specifiers met so far, files that are loaded behind the command line's. */
  dependents: { seen: Set<ByteString>; paths: ByteString[] } | null;
  /** -t: lines printed in earlier rounds of loading. */
  traced: number;
  /** Slim LTO objects were met: what stands for them. */
  lto: GccLto | null;
  /** LLVM bitcode was met: what compiles it. */
  bitcode: BitcodeCompiler | null;
  /** Included relocatable objects in link order (obj rows). */
  objects: Uint32Array;
  /** Synthetic sections by role; create-synthetic fills it. */
  synthetics: Synthetics;
  symtab: SymbolTable;
  checkpoint: Checkpoint;
  /** Passes that have run, milliseconds of the host's clock. */
  passes: { name: string; start: number; end: number }[];
  /** Output sections in output order. */
  osecs: OutputSection[];
  segments: Segment[];
  /** All PT_LOADs, those too that turned out to be empty and were left out. */
  loads: Segment[];
  /** ELF header and program headers: address of the first byte, and how many bytes are set aside for them (0 without headers). */
  headers: { address: bigint; bytes: number };
  /** EI_OSABI of the output; -1 = neither -m nor a script names it, and the inputs are not known yet. */
  osabi: number;
  /** File offset of the section header table. */
  sectionHeaders: number;
  /** --separate-debug-file: end of all that is written, some of which is cut off; else 0. */
  separatedEnd: number;
  /** -z rewrite-endbr: functions (sym rows) whose addresses nobody takes. */
  onlyCalled: readonly number[];
  /** What the target machine demands. */
  arch: Architecture;
  /** First local row of `sym`. */
  localSymBase: number;
  /** Global sym rows in .dynsym order, without the null entry. */
  dynsyms: Uint32Array;
  /** How many rows to keep free behind `rows` of names or symbols. */
  spareRows(rows: number): number;
  /** While inputs are looked for: there are this many bytes already. */
  expectBytes(bytes: number): void;
  /** Words what kernels reported; throws LinkFailed when there were errors. End of a pass. */
  checkIssues(): void;
  /** sym row of a name as bytes, 0 = nobody mentions it. */
  lookup(name: ByteString): number;
  /** Its table (as-kernels/passes/intern-names.ts): address, and u32 cells it has. */
  names: { table: number; slots: number };
  /** Bytes of a global's name. `versioned`: with @VERSION. */
  symbolName(sym: number): ByteString;
}
