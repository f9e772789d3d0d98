/**
 * What the linker needs from the outside world: files, an output, workers, compression, digests.
 *
 * Only an interface, but for what is text: node.ts implements it over the file system, virtual.ts over files that programs bring. Paths are byte
 * strings. Input problems surface as HostError, whose message is ready to print ("No such file or directory"); the caller
 * adds the path. Everything is synchronous except starting workers, because reads are answered from the page cache; what a
 * program gets asynchronously is fetched between two attempts of a link (virtual.ts).
 */
import type { ByteString } from "../args/link-options.ts";
import type { StartedWorker, WorkerIo } from "../memory/pool.ts";
import { latin1Of, type Write } from "../memory/text.ts";

/** Bytes of input from which on a link is large: compiling kernels again with the optimising compiler pays (measured on links of 10 to 60 MB). */
export const LARGE_BYTES = 48 << 20;

/** An entry of a response file, script or list: characters of one that is not long. */
export const ENTRY_BYTES = 24;

/** A file-system call that failed: `code` as errno spells it, `message` as strerror words it. */
export class HostError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "HostError";
    this.code = code;
  }
}

/** What V8 takes as one string. */
const TEXT_BYTES_MAX = 0x1fffffe8;

/** What is read as one array: WebAssembly's memory has no room for more. */
export const WHOLE_BYTES_MAX = 2 ** 32 - 2;

export const tooLarge = (): HostError => new HostError("EFBIG", "File too large");

/** The whole of a file that is text, one character per byte. */
export function readText(host: Pick<Host, "readAll" | "optimise">, path: ByteString): ByteString {
  const bytes = host.readAll(path, TEXT_BYTES_MAX);
  if (bytes.length > TEXT_BYTES_MAX) throw tooLarge();
  host.optimise?.(bytes.length / ENTRY_BYTES);
  return latin1Of(bytes);
}

export interface FileStat {
  /** `other`: device, fifo or socket. */
  kind: "file" | "directory" | "other";
  bytes: number;
  /** Equal for two paths exactly when they are the same file. */
  identity: string;
  /** Last modification, in milliseconds. */
  modified: number;
}

/** The file a link writes. It appears under its name at commit; until then an older output stays. */
export interface OutputFile {
  /** Descriptor that worker threads of this process may write to as well (WorkerIo.writeAt). */
  readonly fd: number;
  /** Sets the length, before the first write. */
  truncate(bytes: number): void;
  /** Writes all of `bytes` at `position`; throws HostError (disk full, file too large). */
  write(bytes: Uint8Array, position: number): void;
  /** Reads back what was written (WorkerIo.read); bytes read. */
  read(into: Uint8Array, position: number): number;
  /** Closes, sets the mode and renames into place; throws HostError, after which the temporary file is gone. */
  commit(): void;
  /** Only where the output began with other bytes than zeros: makes all zeros that neither `write` wrote nor `written` has (from, to, from, to…). */
  clearGaps?(written: readonly number[]): void;
  /** Throws the output away; harmless after commit or a second time. */
  abort(): void;
}

export interface OutputOptions {
  /** 0o777 for programs and libraries, 0o666 for -r; the umask is taken off. */
  mode: number;
  /** Its length, if nobody but the calling thread writes to it: a small file is written as a whole at the end. */
  bytes?: number | undefined;
  /** The blocks of an old file there may become the new one's, where nobody would notice: OutputFile.clearGaps may be there then. */
  reuse?: boolean;
  /** API: its bytes stay in the machine's memory, and the next output there begins with them (`again`) or with zeros. */
  keep?: boolean;
  again?: boolean;
}

export type DigestAlgorithm = "sha1" | "sha256" | "md5";

/** An incremental digest (build-id). */
export interface Digest {
  update(bytes: Uint8Array): Digest;
  digest(): Uint8Array;
}

export interface Host extends WorkerIo {
  /** Threads that may run at once: processors, affinity and cgroup quota considered. At least 1. */
  readonly cpus: number;
  /** Makes zstd available to this thread's `deflate`, where that is possible. true = others do not have it, which the runtime lacks. */
  loadZstd?(): Promise<boolean>;
  /** Threads there can be, whatever options say; undefined = any number. */
  readonly maxThreads?: number | undefined;
  /** Threads stay for the next link, so as many start as options ask for, whatever the inputs. */
  readonly keepsThreads?: boolean;
  /** Growth of a memory costs nothing (createMemory). */
  readonly memoryGrows?: boolean | undefined;
  /** Each read is a call of the system, which takes longer than the bytes of a small object. */
  readonly readsAreCalls?: boolean;

  // ---- files ----
  /** undefined = does not exist (or cannot be looked at). Follows symbolic links. */
  stat(path: ByteString): FileStat | undefined;
  /** True for anything but a directory that can be looked up. */
  exists(path: ByteString): boolean;
  /** The whole file, fifos and devices included; throws EFBIG rather than reading more than `atMost` bytes (WHOLE_BYTES_MAX if not given). */
  readAll(path: ByteString, atMost?: number): Uint8Array;
  /** Names in a folder, unsorted; [] when it cannot be read. */
  readdir(path: ByteString): ByteString[];
  /** The same, undefined when it cannot be read. Not there where files may also be elsewhere. */
  namesIn?(path: ByteString): ByteString[] | undefined;
  /** Descriptor for reading. Directories fail with EISDIR. */
  open(path: ByteString): number;
  /** The path under which an opened file can be opened again: its own, unless it is a fifo, whose contents are kept. */
  reopen(path: ByteString): ByteString;
  /** Keeps bytes in an unnamed file until release(); its path can be opened by this process and its workers. */
  unnamed(bytes: Uint8Array): ByteString;
  /** Bytes of an open file. */
  size(fd: number): number;
  close(fd: number): void;
  /** Path without symbolic links, "." and ".."; `path` itself when it does not exist. */
  realpath(path: ByteString): ByteString;
  cwd(): ByteString;
  /** Writes a file that goes with the link (map, dependency file, trace), which is what `fill` writes; "-" is standard output. */
  writeText(path: ByteString, fill: (write: Write) => void): void;

  /** Runs a program with this process's environment and standard error (`quiet`: it is `errors`); throws HostError when it cannot be started. */
  execute(program: ByteString, args: readonly ByteString[], folder?: ByteString, quiet?: boolean): { status: number; output: ByteString; errors?: ByteString };
  /** -C: to the folder of that path, seen from where the program was started, and on to the next. */
  changeDirectory(folders: readonly ByteString[]): void;
  /** --run: a command whose compilers find this linker under the names of the others; its exit status. */
  runCommand(args: readonly ByteString[]): Promise<number>;
  /** Files of other programs that are removed by release(), or when a signal ends the link. */
  removeAtEnd(paths: readonly ByteString[]): void;

  // ---- the output ----
  /** Throws HostError when `path` cannot become an output (`replaced`: by rename) or a report; changes nothing. "" and "-" can. */
  checkWritable(path: ByteString, replaced: boolean): void;
  /** Opens the output; "-" is standard output, devices and fifos are written directly. */
  createOutput(path: ByteString, options: OutputOptions): OutputFile;

  /** Opens a file of `bytes` bytes that goes with the output. */
  createSideFile(path: ByteString, bytes: number): Pick<OutputFile, "write" | "commit" | "abort">;

  // ---- compute ----
  /** Bytes of input that somebody has seen named on the command line; 0 = nobody looked. */
  readonly inputBytes?: number;
  /** Called before the kernels are compiled when the link is not small: `bytes` of input (large ones have LARGE_BYTES). */
  expectLargeLink(bytes: number): void;
  /** So many things, about, are to be gone through in JavaScript now, which the engine had better compile when they are many. */
  optimise?(things: number): void;
  /** The link asks for what only the complete program has. */
  beComplete?(): void;
  /** There may be messages and reports. */
  expectReports?(): void;
  /** The compiled kernels; `debug` = with assertions, for tests. */
  kernels(debug?: boolean): WebAssembly.Module;
  /** Starts a worker thread; returns at once. */
  startWorker(): StartedWorker;
  /** `into` filled with random bytes (uuid build-id). */
  random(into: Uint8Array): void;

  // ---- the process ----
  env(name: string): ByteString | undefined;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Peak resident memory in bytes, 0 = unknown. */
  peakMemory(): number;
  print(stream: "out" | "err", text: ByteString): void;
  isTerminal(stream: "out" | "err"): boolean;
  /** Lets signals in: resolves after a turn of the event loop. A link without workers calls it between windows. */
  turn(): Promise<void>;
  /** Before each pass, where it is there: progress, and the place to stop a link by throwing. */
  pass?(name: string): Promise<void> | void;
  /** Another file instead of one that the command line or a script names, before it is looked for (`lib`: the X of -lX); undefined = as ever. */
  resolve?(name: ByteString, kind: "input" | "lib"): ByteString | undefined;
  /** The end of a link: closes inputs, throws away an unfinished output and what removeAtEnd was told. */
  release(): void;
}
