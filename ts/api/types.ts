/**
 * The types of the API, the same in every runtime.
 *
 * Names and paths are ordinary strings here (the linker inside works on bytes: they are UTF-8). Addresses are bigint; sizes
 * and offsets are numbers of bytes; times are milliseconds. Nothing here is code. Published as it is (dist/types.d.mts), for reading in
 * an editor.
 *
 * Functions that a program gives may all answer later. What they throw: where a file's contents are asked for (`data`, `stat`, `read`,
 * onLoad), that file cannot be read, and a diagnostic says why; everywhere else (setup, onResolve, onUndefined, onEnd, onProgress) the
 * link ends and rejects with what was thrown, itself. An answer of a wrong type is thrown as a TypeError.
 */
import type { LinkGraph, LinkMap } from "./map-types.ts";

export * from "./map-types.ts";

/** Bytes in memory. They are not copied and not written to: leave them as they are until the link has ended. */
export type Bytes = Uint8Array | ArrayBuffer | SharedArrayBuffer;

/** Contents of a file: in memory (shared or not), in a Blob, or from a function, which is called at most once per link, when they are needed. */
export type ByteSource = Bytes | Blob | (() => Bytes | Promise<Bytes>);

/** A file that only this program has. It is seen before any file of `fs` under the same path. */
export interface VirtualFile {
  /** Its path: in messages, and for scripts, archives and libraries that name it. */
  readonly name: string;
  readonly data: ByteSource;
}

/**
 * One input, as on a command line, in its order:
 * - `"main.o"`: a path, looked up in `fs`; relative paths begin at the current directory
 * - `{ name: "main.o", data: bytes }`: a file in memory
 * - `{ lib: "m" }`: `-lm`, searched in the library paths; `{ lib: ":libm.a" }` is an exact file name; `static: true` takes archives only
 * - `{ group: [...] }`: `--start-group … --end-group`. As in lld, members are found in archives of any order without it, too
 * - `{ wholeArchive: "lib.a" }`: every member, needed or not
 */
export type Input =
  | string
  | VirtualFile
  | { readonly lib: string; readonly static?: boolean | undefined }
  | { readonly group: readonly Input[] }
  | { readonly wholeArchive: Input };

export interface FileStat {
  /** Bytes. */
  readonly size: number;
  /** Time of the last change, in milliseconds since 1970; default 0. A context reads a file again when this or `size` differs. */
  readonly mtimeMs?: number | undefined;
}

/** Where inputs come from. Both functions may answer with a promise; every path is asked for once per link. */
export interface LinkFileSystem {
  /** undefined = there is no such file here. Folders are not files. */
  stat(path: string): FileStat | undefined | Promise<FileStat | undefined>;
  /** The whole file. Throws or rejects when it cannot be read: the error's message becomes part of the diagnostic. */
  read(path: string): Bytes | Promise<Bytes>;
}

// ---- what is said ----

/** What a diagnostic is about. More may be added in later versions. */
export type DiagnosticCode =
  /** A symbol that is needed is defined nowhere. `symbol`, `references`, perhaps a `hint`. */
  | "UNDEFINED_SYMBOL"
  /** Two objects define a symbol. `symbol`, `references`: the definitions. */
  | "DUPLICATE_SYMBOL"
  /** An input is not there or cannot be read: an object, a script, a member of a thin archive. */
  | "FILE_NOT_FOUND"
  /** `-lX`, or what a shared object needs, is in no library path. `library`. */
  | "LIBRARY_NOT_FOUND"
  /** Neither object, archive, shared object nor text, or too short for one. (An empty file is a script that says nothing.) */
  | "UNKNOWN_FILE"
  /** A good file that cannot be part of this link: another machine, a shared object in a static link, LTO without its compiler. */
  | "INCOMPATIBLE_FILE"
  /** An object or shared object that contradicts itself or ELF. */
  | "BAD_OBJECT"
  /** An archive whose headers or index are wrong. */
  | "BAD_ARCHIVE"
  /** A relocation that cannot be done in this kind of output; often the answer is -fPIC. */
  | "RELOCATION"
  /** A relocation whose value does not fit into its field. */
  | "RELOCATION_OVERFLOW"
  /** A reference to a section that is not in the output. */
  | "DISCARDED_SECTION"
  /** An option that does not exist, lacks its value or excludes another. Perhaps a `hint`. */
  | "BAD_OPTION"
  /** A linker script, version script, dynamic list or ordering file that cannot be obeyed, or other text among the inputs, such as a web page. */
  | "BAD_SCRIPT"
  /** Sections that overlap, overflow their memory or find no place. */
  | "LAYOUT"
  /** Nothing to link. */
  | "NO_INPUT"
  /** The entry symbol is not defined (a warning). */
  | "NO_ENTRY"
  /** The output or a report cannot be written. */
  | "OUTPUT"
  /** More working memory was needed than 4 GiB, or than the runtime gives. */
  | "OUT_OF_MEMORY"
  /** The limit of `--error-limit` (here there is none unless `args` say so). */
  | "TOO_MANY_ERRORS"
  /** None of these: see `message`. */
  | "OTHER";

/** A place in an input. What is not known is not there. */
export interface SourceRef {
  /** Path of the object, or of the archive it is in; "" when only the source is known. */
  readonly input: string;
  /** Name of the archive member. */
  readonly member?: string;
  /** Name of the input section. */
  readonly section?: string;
  /** Function around the place. */
  readonly function?: string;
  /** Bytes from the start of the section. */
  readonly offset?: number;
  /** Source file, where debug information has it. */
  readonly file?: string;
  /** Line in `file`, from 1. */
  readonly line?: number;
}

/** One error, warning or remark, as text for people and as data for programs. */
export interface Diagnostic {
  /** Any "error" makes the link fail. */
  readonly severity: "error" | "warning" | "note";
  readonly code: DiagnosticCode;
  /** All lines of the message as the program prints them, without `wield: error: ` in front. */
  readonly message: string;
  /** The symbol it is about, demangled unless `--no-demangle` was given. */
  readonly symbol?: string;
  /** The same as it stands in symbol tables, where it is known. */
  readonly rawSymbol?: string;
  /** The library that was looked for: the X of `-lX`. */
  readonly library?: string;
  /** The place it is about: the bad relocation, the first reference or definition. */
  readonly at?: SourceRef;
  /** All places that the message lists. */
  readonly references?: readonly SourceRef[];
  /** What may have been meant, or what may help: "did you mean: …". Also part of `message`. */
  readonly hint?: string;
}

/** Why a promise rejected with LinkError. */
export type LinkErrorCode =
  /** Inputs or options are wrong: `diagnostics` say how. */
  | "LINK_FAILED"
  /** The signal aborted; `cause` is its reason. */
  | "ABORTED"
  /** The linker itself could not be loaded or started: its worker or its kernels are not where they should be. */
  | "INIT_FAILED"
  /** The context or engine has been disposed of. */
  | "DISPOSED"
  /** A bug of the linker. */
  | "INTERNAL";

// ---- options ----

/** Where a link stands. */
export interface Progress {
  /** The pass that is about to run, as `--time` names it. */
  readonly pass: string;
  /** Passes that are done. */
  readonly done: number;
  /** About how many there are; always more than `done`. */
  readonly total: number;
}

/**
 * What is linked, and how. Every field may be left out, but something has to be linked: an input, in `args` or `inputs`.
 *
 * A field of a wrong type, and one that does not exist, is a TypeError that names it.
 */
export interface LinkOptions {
  /** Arguments of ld, without the program's name; `wield --help` lists the options. What depends on the name (ld.lld) is as for `ld`. Default []. */
  readonly args?: readonly string[] | undefined;
  /** Inputs, behind those that `args` name. Default []. */
  readonly inputs?: readonly Input[] | undefined;
  /**
   * Where paths are looked for, after virtual inputs. Default: `realFS()` where `wield` has it (Node, Deno, Bun), else nothing;
   * `wield/inline` looks at no real files.
   */
  readonly fs?: LinkFileSystem | undefined;

  // What these say wins over `args`.
  /** Path of the output (`-o`). Default "a.out". The file is only written with `write`. */
  readonly output?: string | undefined;
  /** A program at fixed addresses (`-no-pie`), one that can be anywhere (`-pie`), a shared object (`-shared`), an object (`-r`). Default: as `args` say, else "exec". */
  readonly kind?: "exec" | "pie" | "shared" | "relocatable" | undefined;
  /** Symbol or address where the program begins (`-e`). Default: as a script says, else `_start`. */
  readonly entry?: string | undefined;
  /** Linker script (`-T`): its path, or the script itself as a virtual file. Default: none. */
  readonly script?: string | VirtualFile | undefined;
  /** Where `lib` inputs are searched (`-L`), behind those of `args`. Default []. */
  readonly libraryPaths?: readonly string[] | undefined;
  /** Leave out sections that nothing refers to (`--gc-sections`). Default false. */
  readonly gcSections?: boolean | undefined;
  /** The build ID (`--build-id=…`): "usual" is what a plain `--build-id` makes, 20 bytes; a Uint8Array is the ID itself. Default "none". */
  readonly buildId?: "none" | "usual" | "fast" | "xx" | "md5" | "sha1" | "sha256" | "uuid" | Uint8Array | undefined;
  /** The most threads there may be (`--threads`): 1 = never start a worker. Default "auto": by the size of the inputs. Where memory cannot be shared there is one, whatever this says. */
  readonly threads?: number | "auto" | undefined;

  /** Fill `result.map`: sections, segments, symbols and their addresses. Default false. */
  readonly map?: boolean | undefined;
  /** Fill `result.graph`: who refers to whom, and what keeps a section. Default false. */
  readonly graph?: boolean | undefined;
  /** Also write the output and reports to real files (Node, Deno and Bun with `wield`; elsewhere it does nothing). Default false. */
  readonly write?: boolean | undefined;
  /** Functions that find, load and supply files. Their set-up runs once: at the start of `link`, or in `createContext`. Default []. */
  readonly plugins?: readonly LinkPlugin[] | undefined;
  /**
   * Stops the link between two passes, and every wait for functions of yours: the promise rejects with LinkError ABORTED, whose
   * `cause` is the signal's reason; what they answer later does not count. In a context, `relink` and `watch` have signals of their own.
   */
  readonly signal?: AbortSignal | undefined;
  /** Called before every pass; the link goes on when it has returned (or what it returned has resolved). Passes come again when files had to be waited for. */
  readonly onProgress?: ((progress: Progress) => void | Promise<void>) | undefined;
  /** Default true: a link that fails rejects with LinkError. false: it resolves, with `ok` false and no output. */
  readonly throwOnError?: boolean | undefined;
}

// ---- the result ----

/** How much there was to do. */
export interface LinkStats {
  /** Files that were read. */
  readonly files: number;
  /** Objects that are part of the output, archive members among them. */
  readonly objects: number;
  /** Archive members that are part of the output. */
  readonly members: number;
  /** Relocations of the inputs' sections. */
  readonly relocations: number;
  /** Global symbols of the link: what its objects define or refer to, and what it adds itself. The same number in a context as from `link`. */
  readonly symbols: number;
  /** Threads that took part. */
  readonly threads: number;
  /** Bytes of working memory that were used. */
  readonly memory: number;
}

/** One pass of the link: a row of `--time`. */
export interface PassTiming {
  readonly name: string;
  /** Milliseconds from the start of the link. */
  readonly start: number;
  readonly milliseconds: number;
}

/** The result of a link. */
export interface LinkResult {
  /** false only with `throwOnError: false`, and in `watch`. */
  readonly ok: boolean;
  /** The file; empty when `ok` is false. It is the whole of its buffer, unless `recycle` was given. Never in shared memory: Blob, TextDecoder, digests and postMessage take it. */
  readonly output: Uint8Array<ArrayBuffer>;
  /** Other files that options asked for (`-Map=x`, `--dependency-file=x` …), by path. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** What options print on standard output (`--help`, `--trace`, `--print-gc-sections` …). */
  readonly text: string;
  /** Errors, warnings and remarks, in the order in which they were found. */
  readonly diagnostics: readonly Diagnostic[];
  /** With `map: true`, when the link succeeded. */
  readonly map: LinkMap | undefined;
  /** With `graph: true`, when the link succeeded. */
  readonly graph: LinkGraph | undefined;
  /** Wall time in milliseconds: of the whole link, waiting for files included, and of each pass of its last attempt. */
  readonly timings: { readonly total: number; readonly passes: readonly PassTiming[] };
  readonly stats: LinkStats;
  /** In a context: how many files did not have to be read again, and the paths of those that had changed since the last link. */
  readonly incremental?: { readonly reused: number; readonly changed: readonly string[] };
}

// ---- engines ----

/** A class that pages have and a program's `lib` may not know: its objects, or nothing. */
type WebWorker = typeof globalThis extends { Worker: { prototype: infer Class } } ? Class : never;
type WasmModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Class } } } ? Class : never;

/** Where the linker's files are, for a page. In Node, Deno and Bun `wield` takes them from its own folder, whatever this says. */
export interface EngineOptions {
  /** The kernels (`wield/kernels.wasm`): their address, their bytes, or compiled. Default: the file beside the module; in `wield/inline`, what is in it. */
  readonly kernels?: string | URL | Uint8Array | ArrayBuffer | WasmModule | undefined;
  /** Starts `wield/worker` as a module worker. Default: the file beside the module; in `wield/inline`, what is in it. */
  readonly createWorker?: (() => WebWorker) | undefined;
}

/** What may differ from link to link of a context. */
export interface RelinkOptions extends Pick<LinkOptions, "signal" | "onProgress" | "throwOnError"> {
  /**
   * An output that is not needed any more: the new one takes its memory, which for large programs saves a quarter of the time. This array,
   * and every other view of its buffer, is empty from then on. The buffer of the new output may be larger than the output.
   */
  readonly recycle?: Uint8Array<ArrayBuffer> | undefined;
}

/** What `watch` is told. */
export interface WatchOptions extends Pick<LinkOptions, "signal" | "onProgress"> {
  /** How long to wait for further changes after one, in milliseconds. Default 20. */
  readonly debounceMs?: number | undefined;
  /** How often files (real ones, and those of `fs`) are looked at, in milliseconds. Default 250. */
  readonly pollMs?: number | undefined;
}

/**
 * A link that is repeated: memory, kernels and workers stay, files that did not change are not read again. Each link gives what
 * one from nothing would give, byte for byte. After `dispose` links and updates fail with LinkError DISPOSED, and `watch` ends.
 */
export interface LinkContext {
  /**
   * New contents by path, in place of what `inputs` and `fs` have, from the next link on (one that runs ends with what it began with).
   * A path that nothing asks for changes nothing. null = the file is gone;
   * undefined = again as `inputs` and `fs` have it, asked for anew.
   */
  update(changes: Readonly<Record<string, ByteSource | null | undefined>> | ReadonlyMap<string, ByteSource | null | undefined>): void;
  /** Links with what there is now. Called again meanwhile, it waits for the link before it. Rejects as `link` does. */
  relink(options?: RelinkOptions): Promise<LinkResult>;
  /** Links at once and after every change, until the signal aborts or the context is disposed of. Links that fail are results, too (`ok` is false). */
  watch(options?: WatchOptions): AsyncIterable<LinkResult>;
  /** Lets go of memory and workers; a link that is running ends first. */
  dispose(): Promise<void>;
}

/** What links: in a page a worker, elsewhere the thread that asks. */
export interface Engine {
  /** As the function `link`, here. */
  link(options: LinkOptions): Promise<LinkResult>;
  /** As the function `createContext`, here. */
  createContext(options: LinkOptions): Promise<LinkContext>;
  /** Threads that large links may use: 1 where memory cannot be shared. Starts the worker. */
  readonly threads: Promise<number>;
  /** Ends the worker: links that have not ended, and later ones, reject with LinkError DISPOSED. (Where there is no worker, those that run come to their end.) */
  dispose(): void;
}

// ---- plugins ----

/** The file that a name means. */
export interface Resolved {
  /** Its path in `namespace`. */
  readonly path: string;
  /** Default "file": looked up through `fs` when no onLoad answers. Others exist for onLoad only. */
  readonly namespace?: string | undefined;
}

/** A name that `onResolve` is asked about. */
export interface ResolveArguments {
  /** As written: a path, or the X of -lX. */
  readonly path: string;
  /** "lib": it was -lX. */
  readonly kind: "input" | "lib";
}

/** A file that `onLoad` is asked for. */
export interface LoadArguments {
  readonly path: string;
  /** "file", or as `onResolve` said. */
  readonly namespace: string;
}

/** The contents of a file. */
export interface Loaded {
  readonly data: ByteSource;
}

/** An answer, now or later; undefined = none, the next is asked. */
export type Maybe<T> = T | undefined | void | Promise<T | undefined | void>;

/** What a plugin's set-up may ask for. A `filter` is matched against the path; of several hooks that match, the first that answers counts. */
export interface PluginHooks {
  /** Says which file a name means, before it is looked for. */
  onResolve(options: { readonly filter: RegExp }, callback: (args: ResolveArguments) => Maybe<Resolved>): void;
  /** Gives a file's contents. Also asked for the paths that a library search tries: answer undefined for what is not yours. */
  onLoad(options: { readonly filter: RegExp; readonly namespace?: string | undefined }, callback: (args: LoadArguments) => Maybe<Loaded>): void;
  /** Symbols (as in symbol tables) that would be undefined: what is returned is linked as well, and the link begins again. */
  onUndefined(callback: (symbols: readonly string[]) => Maybe<readonly Input[]>): void;
  /** Called at the end of every link, successful or not, that was not aborted. */
  onEnd(callback: (result: LinkResult) => void | Promise<void>): void;
}

/** Finds, loads or supplies files for a link. */
export interface LinkPlugin {
  /** For whoever reads the options. */
  readonly name: string;
  /** Asks for hooks. Runs once, before anything is linked; what it throws is what the link rejects with. */
  setup(hooks: PluginHooks): void | Promise<void>;
}
