/**
 * The types of the API, the same in every runtime.
 *
 * Names and paths are ordinary strings here (the linker inside works on bytes: they are UTF-8). Addresses are bigint; sizes
 * and offsets are numbers of bytes; times are milliseconds. Nothing here is code.
 *
 * Functions that a program gives may all answer later. What they throw: where a file's contents are asked for (`data`, `stat`, `read`,
 * onLoad), that file cannot be read, and a diagnostic says why; everywhere else (setup, onResolve, onUndefined, onEnd, onProgress) the
 * link ends and rejects with what was thrown, itself. An answer of a wrong type is thrown as a TypeError.
 */

/** Contents of a file: in memory (shared or not), in a Blob, or made when they are asked for, once per link. */
export type ByteSource = Uint8Array | ArrayBuffer | SharedArrayBuffer | Blob | (() => Bytes | Promise<Bytes>);
export type Bytes = Uint8Array | ArrayBuffer | SharedArrayBuffer;

/** A file that is only here: `name` is its path in messages and where `fs` would have it. */
export interface VirtualFile {
  readonly name: string;
  readonly data: ByteSource;
}

/** One input, as on a command line: */
export type Input =
  /** a path, looked up through `fs` (relative paths: from the current directory), */
  | string
  | VirtualFile
  /** `-lNAME` (`:file` for an exact file name); `static`: only archives, */
  | { readonly lib: string; readonly static?: boolean }
  /** `--start-group … --end-group`, */
  | { readonly group: readonly Input[] }
  /** `--whole-archive`. */
  | { readonly wholeArchive: Input };

export interface FileStat {
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970; default 0. */
  readonly mtimeMs?: number;
}

/** Where inputs come from. Both functions may answer later; every path is asked for once per link. */
export interface LinkFileSystem {
  /** undefined = there is no such file here. Folders are not files. */
  stat(path: string): FileStat | undefined | Promise<FileStat | undefined>;
  /** The whole file. Throws or rejects when it cannot be read: the message becomes part of the diagnostic. */
  read(path: string): Bytes | Promise<Bytes>;
}

// ---- what is said ----

/** What a diagnostic is about. `OTHER`: see its message. */
export type DiagnosticCode =
  | "UNDEFINED_SYMBOL"
  | "DUPLICATE_SYMBOL"
  | "FILE_NOT_FOUND"
  | "LIBRARY_NOT_FOUND"
  | "UNKNOWN_FILE"
  | "INCOMPATIBLE_FILE"
  | "BAD_OBJECT"
  | "BAD_ARCHIVE"
  | "RELOCATION"
  | "RELOCATION_OVERFLOW"
  | "DISCARDED_SECTION"
  | "BAD_OPTION"
  | "BAD_SCRIPT"
  | "LAYOUT"
  | "NO_INPUT"
  | "NO_ENTRY"
  | "OUTPUT"
  | "OUT_OF_MEMORY"
  | "TOO_MANY_ERRORS"
  | "OTHER";

/** A place in an input. */
export interface SourceRef {
  /** Path of the object, or of the archive it is in; "" when only the source is known. */
  readonly input: string;
  /** Name of the archive member. */
  readonly member?: string;
  readonly section?: string;
  /** Function around the place. */
  readonly function?: string;
  /** Bytes from the start of the section. */
  readonly offset?: number;
  /** Source file and line (1-based), where debug information has them. */
  readonly file?: string;
  readonly line?: number;
}

export interface Diagnostic {
  readonly severity: "error" | "warning" | "note";
  readonly code: DiagnosticCode;
  /** All lines of the message as the program prints them, without the prefix. */
  readonly message: string;
  /** The symbol it is about, demangled unless `--no-demangle` was given. */
  readonly symbol?: string;
  /** The same as in the symbol table, where it is known. */
  readonly rawSymbol?: string;
  /** The library that was looked for. */
  readonly library?: string;
  /** The place it is about: of a bad relocation, of the first reference or definition. */
  readonly at?: SourceRef;
  /** All places that the message lists. */
  readonly references?: readonly SourceRef[];
  /** "did you mean: …" and the like. */
  readonly hint?: string;
}

/**
 * LINK_FAILED: the inputs or options are wrong, `diagnostics` say how. ABORTED: by the signal. INIT_FAILED: the linker itself
 * could not be loaded or started. DISPOSED: the context or the engine is no more. INTERNAL: a bug of the linker.
 */
export type LinkErrorCode = "LINK_FAILED" | "ABORTED" | "INIT_FAILED" | "DISPOSED" | "INTERNAL";

// ---- options ----

export interface Progress {
  /** The pass that is about to run, as `--time` names it. */
  readonly pass: string;
  /** Passes done and (about) how many there are. */
  readonly done: number;
  readonly total: number;
}

export interface LinkOptions {
  /** The command line of ld, word by word, without the program's name; `wield --help` lists the options. */
  readonly args?: readonly string[];
  /** Inputs behind those of `args`. */
  readonly inputs?: readonly Input[];
  /** Where inputs are looked for. Default: real files where the runtime has them, else nothing. Virtual inputs are seen first. */
  readonly fs?: LinkFileSystem;

  // These are said last: what they say wins over `args`.
  /** `-o`; default "a.out". */
  readonly output?: string;
  /** `-no-pie` (the default), `-pie`, `-shared`, `-r`. */
  readonly kind?: "exec" | "pie" | "shared" | "relocatable";
  /** `-e` */
  readonly entry?: string;
  /** `-T`: path of a linker script, or the script itself. */
  readonly script?: string | VirtualFile;
  /** `-L`, behind those of `args`. */
  readonly libraryPaths?: readonly string[];
  readonly gcSections?: boolean;
  /** usual: a plain `--build-id`; bytes: `--build-id=0x…` */
  readonly buildId?: "none" | "usual" | "fast" | "md5" | "sha1" | "sha256" | "uuid" | Uint8Array;
  /** 1 = never start workers; "auto" (default): by the size of the inputs. Where memory cannot be shared there is one thread, whatever this says. */
  readonly threads?: number | "auto";

  /** Fill `result.map`. */
  readonly map?: boolean;
  /** Fill `result.graph`. */
  readonly graph?: boolean;
  /** Write the output and reports to real files, too (Node, Deno and Bun). Default false. */
  readonly write?: boolean;
  readonly plugins?: readonly LinkPlugin[];
  /**
   * Stops the link between two passes, and every wait for functions of yours: the promise rejects with LinkError ABORTED, whose
   * `cause` is the signal's reason; what they answer later does not count. In a context, `relink` and `watch` have signals of their own.
   */
  readonly signal?: AbortSignal;
  /** Called before every pass; the link goes on when it has returned (or what it returned has resolved). Passes come again when files had to be waited for. */
  readonly onProgress?: (progress: Progress) => void | Promise<void>;
  /** false: a failed link resolves, with `ok` false and no output. Default true: it rejects with LinkError. */
  readonly throwOnError?: boolean;
}

// ---- the result ----

export interface MapInput {
  /** Path of the object or of its archive; "<internal>" for what the linker made. */
  readonly input: string;
  readonly member?: string;
  /** Name of the input section. */
  readonly section: string;
  readonly address: bigint;
  /** Bytes from the start of the output section. */
  readonly offset: number;
  readonly size: number;
}

export interface MapSection {
  readonly name: string;
  /** sh_type and sh_flags (gABI ch. 4). */
  readonly type: number;
  readonly flags: number;
  readonly address: bigint;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly size: number;
  readonly align: number;
  readonly inputs: readonly MapInput[];
}

export interface MapSegment {
  /** p_type and p_flags (gABI ch. 5). */
  readonly type: number;
  readonly flags: number;
  readonly address: bigint;
  readonly offset: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
  /** Names of its sections. */
  readonly sections: readonly string[];
}

export interface MapSymbol {
  /** Demangled unless `--no-demangle` was given. */
  readonly name: string;
  readonly address: bigint;
  readonly size: number;
  /** Output section. */
  readonly section: string;
  readonly input: string;
  readonly member?: string;
}

export interface LinkMap {
  /** In output order. */
  readonly sections: readonly MapSection[];
  readonly segments: readonly MapSegment[];
  /** By section and address. */
  readonly symbols: readonly MapSymbol[];
  /** Sections that `--gc-sections` left out. */
  readonly discarded: readonly { readonly input: string; readonly member?: string; readonly section: string; readonly size: number }[];
  /** What `-Map` prints, in lld's columns. */
  readonly text: string;
}

export interface GraphObject {
  /** Path of the object or of its archive; "<internal>" for what the linker made. */
  readonly input: string;
  readonly member?: string;
  /** Archive members: the object (index in `objects`, -1 = an option or a script) whose reference to a symbol brought it in. */
  readonly extracted?: { readonly by: number; readonly symbol: string };
}

/**
 * What keeps a section under `--gc-sections`, by the shortest way: it is a root (`symbol`: because this symbol in it is), or section
 * `from` leads to it: refers to it (through `symbol`), is what it depends on (SHF_LINK_ORDER), is in its group, refers to it as a
 * personality routine, or its unwinding information does. Sections and symbols are indexes in the graph's lists, -1 = not one of them.
 */
export type Reason =
  | { readonly kind: "root"; readonly note: string; readonly symbol?: number }
  | { readonly kind: "reference" | "dependent" | "group" | "personality" | "unwinding"; readonly from: number; readonly symbol: number };

/** A section of an input. */
export interface GraphSection {
  /** Index in `objects`. */
  readonly object: number;
  readonly name: string;
  /** sh_type and sh_flags (gABI ch. 4). */
  readonly type: number;
  readonly flags: number;
  readonly size: number;
  /** false: `--gc-sections` left it out. */
  readonly live: boolean;
  /** Bytes from the start of the input (of the archive, for a member) to the contents; -1 = none, or compressed. */
  readonly inputOffset: number;
  /** The output section it became part of. */
  readonly output?: string;
  /** Where it is in memory; not known of sections that are taken apart (merged strings, unwind records). */
  readonly address?: bigint;
  /** Bytes from the start of the output to the contents; -1 = none there, or taken apart. */
  readonly outputOffset: number;
  /** Only with `--gc-sections`. */
  readonly why?: Reason;
}

export interface GraphSymbol {
  /** Demangled unless `--no-demangle` was given; of section symbols: the section's name. */
  readonly name: string;
  /** As in the symbol table. */
  readonly rawName: string;
  /** Undefined for symbols that have none: undefined, from a shared object, in a section that was left out. */
  readonly address?: bigint;
  readonly size: number;
  /** STB_* and STT_* (gABI ch. 4). */
  readonly bind: number;
  readonly type: number;
  /** Index in `sections` of the section it is in; -1 = in none (absolute, undefined, the linker's own). */
  readonly section: number;
  /** Index in `objects` of the object that defines it; -1 = none. */
  readonly object: number;
  readonly defined: boolean;
}

/** One row per relocation, in columns, those of one section in sequence. */
export interface GraphRelocations {
  /** Index in `sections`. */
  readonly section: Uint32Array;
  /** Bytes from the start of the section. */
  readonly offset: Float64Array;
  /** r_type; its name is in `names`. */
  readonly type: Uint32Array;
  /** Index in `symbols`; -1 = none. */
  readonly symbol: Int32Array;
  readonly addend: BigInt64Array;
  readonly names: ReadonlyMap<number, string>;
}

/** Who refers to whom. Sections that are not loaded (debug information) are without their relocations. */
export interface LinkGraph {
  readonly objects: readonly GraphObject[];
  readonly sections: readonly GraphSection[];
  readonly symbols: readonly GraphSymbol[];
  readonly relocations: GraphRelocations;
}

export interface LinkStats {
  /** Files that were read. */
  readonly files: number;
  /** Objects that are part of the output, archive members among them, and those members alone. */
  readonly objects: number;
  readonly members: number;
  readonly relocations: number;
  readonly symbols: number;
  readonly threads: number;
  /** Bytes of working memory that were used. */
  readonly memory: number;
}

export interface PassTiming {
  readonly name: string;
  /** Milliseconds from the start of the link. */
  readonly start: number;
  readonly milliseconds: number;
}

export interface LinkResult {
  readonly ok: boolean;
  /** The file; empty when `ok` is false. Never in shared memory: Blob, TextDecoder, digests and postMessage take it. */
  readonly output: Uint8Array<ArrayBuffer>;
  /** Other files that options asked for (`-Map=x`, `--dependency-file=x` …), by path. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** What options print on standard output (`--help`, `--trace`, `--print-gc-sections` …). */
  readonly text: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly map: LinkMap | undefined;
  readonly graph: LinkGraph | undefined;
  readonly timings: { readonly total: number; readonly passes: readonly PassTiming[] };
  readonly stats: LinkStats;
  /** In a context: files whose contents were still there, and those that had changed since the last link. */
  readonly incremental?: { readonly reused: number; readonly changed: readonly string[] };
}

// ---- engines ----

export interface EngineOptions {
  /** The kernels (`wield/kernels.wasm`): an address, bytes, or compiled. Default: the file beside the module. */
  readonly kernels?: string | URL | Uint8Array | ArrayBuffer | WebAssembly.Module;
  /** Starts `wield/worker` as a module worker. Default: the file beside the module. */
  readonly createWorker?: () => Worker;
}

export type RelinkOptions = Pick<LinkOptions, "signal" | "onProgress" | "throwOnError">;

export interface WatchOptions extends Pick<LinkOptions, "signal" | "onProgress"> {
  /** After a change, this long is waited for more; default 20. */
  readonly debounceMs?: number;
  /** How often real files (and those of file systems of yours) are looked at; default 250. */
  readonly pollMs?: number;
}

/** A link that is repeated. Each gives what a link from nothing would give, byte for byte. */
export interface LinkContext {
  /**
   * Contents that are in place of what `inputs` and `fs` have under these paths from now on; null = the file is gone,
   * undefined = as `inputs` and `fs` have it, asked for again.
   */
  update(changes: Readonly<Record<string, ByteSource | null | undefined>>): void;
  /** Links with what there is now; one after another if called again meanwhile. */
  relink(options?: RelinkOptions): Promise<LinkResult>;
  /** Links at once and after every change, until the signal aborts or the context is disposed of. Links that fail are results, too. */
  watch(options?: WatchOptions): AsyncIterable<LinkResult>;
  /** Lets go of memory and workers; a link that is running ends first. */
  dispose(): Promise<void>;
}

/** What links: in a page a worker, elsewhere the thread that asks. */
export interface Engine {
  link(options: LinkOptions): Promise<LinkResult>;
  createContext(options: LinkOptions): Promise<LinkContext>;
  /** Threads that large links may use: 1 where memory cannot be shared. Starts the worker. */
  readonly threads: Promise<number>;
  /** Ends the worker: links that have not ended, and later ones, reject with LinkError DISPOSED. (Where there is no worker, those that run come to their end.) */
  dispose(): void;
}

// ---- plugins ----

/** Stands in for a file name. */
export interface Resolved {
  readonly path: string;
  /** Default "file": looked up through `fs` when no onLoad answers. Others exist for onLoad only. */
  readonly namespace?: string;
}

export interface ResolveArguments {
  /** As written: a path, or the X of -lX (`kind` "lib"). */
  readonly path: string;
  readonly kind: "input" | "lib";
}

export interface LoadArguments {
  readonly path: string;
  readonly namespace: string;
}

export interface Loaded {
  readonly data: ByteSource;
}

type Maybe<T> = T | undefined | void | Promise<T | undefined | void>;

export interface PluginHooks {
  /** Says which file a name means. The first answer counts. */
  onResolve(options: { readonly filter: RegExp }, callback: (args: ResolveArguments) => Maybe<Resolved>): void;
  /** Gives a file's contents. Also asked for the paths that a library search tries: answer undefined for what is not yours. */
  onLoad(options: { readonly filter: RegExp; readonly namespace?: string }, callback: (args: LoadArguments) => Maybe<Loaded>): void;
  /** Symbols (as in symbol tables) that would be undefined: what is returned is linked as well, and the link begins again. */
  onUndefined(callback: (symbols: readonly string[]) => Maybe<readonly Input[]>): void;
  /** The end of every link that was not aborted. */
  onEnd(callback: (result: LinkResult) => void | Promise<void>): void;
}

export interface LinkPlugin {
  readonly name: string;
  setup(hooks: PluginHooks): void | Promise<void>;
}
