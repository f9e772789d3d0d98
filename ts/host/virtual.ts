/**
 * The host of the API: files that programs bring, in front of real ones where there are any; the output stays in memory.
 *
 * Knows no runtime: what only a runtime has (kernels, workers, digests, real files) it asks the platform for. Which files
 * there are is virtual-files.ts.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Machine } from "../memory/machine.ts";
import type { StartedWorker } from "../memory/pool.ts";
import { bytesOf, writtenBy, type Write } from "../memory/text.ts";
import { HostError, type Digest, type DigestAlgorithm, type FileStat, type Host, type OutputFile, type OutputOptions } from "./host.ts";
import type { RecycledOutput } from "./recycled-output.ts";
import { REAL, VirtualFiles, type Entry, type Layers, type Resolver } from "./virtual-files.ts";
import { copyOut, VIRTUAL_OUTPUT, type KeptBytes, type SharedBytes, type VirtualMessage } from "./virtual-io.ts";

/** What a runtime brings. */
export type Platform = Pick<Host, "cpus" | "maxThreads" | "memoryGrows" | "expectLargeLink" | "kernels" | "digest" | "random" | "inflate" | "deflate" | "loadZstd" | "now" | "peakMemory"> & {
  /** Workers with createVirtualIo. */
  startWorker(): VirtualWorker;
  /** Size of the memory that a link of so many bytes of files begins with, in 64 KiB; absent = as large as can be. */
  memoryPages?(bytes: number): number;
  /**
   * What nobody links on any more, for the next link that begins with as much memory or less. Browsers take a while to make one, and give it
   * back when they like: WebKit, which has room for 14, in a worker only when it makes others.
   */
  spare?: Machine | null;
};

export interface VirtualWorker extends StartedWorker {
  /** A message that comes before all later calls of the endpoint. */
  send(message: VirtualMessage): void;
}

/** Thrown between passes while files are awaited. */
export class Wanted extends Error {}

/** What the pass hook is told, and may throw from. */
export type OnPass = (name: string) => void | Promise<void>;

export interface VirtualOptions {
  layers: Layers;
  platform: Platform;
  /** Real files; null = none. Released with this host. */
  real: Host | null;
  /** Outputs and reports are written to real files too. */
  write: boolean;
  /** Where the contents of files stay for the next link; null = there is none. */
  machine: Machine | null;
  /** What is called before each pass of this link; null = nobody looks on. */
  onPass(): OnPass | null;
  resolve: Resolver | null;
}

/** An output that outgrows its size gets at most this much more at a time. */
const GROWTH_BYTES = 1 << 24;
export class VirtualHost implements Host {
  /** What a link has written, by path. */
  readonly outputs = new Map<ByteString, Uint8Array<ArrayBuffer>>();
  /** What a link has printed on standard output. */
  text: ByteString = "";
  readonly files: VirtualFiles;
  private readonly options: VirtualOptions;
  private readonly opened: Uint8Array[] = [];
  private readonly descriptors = new Map<ByteString, number>();
  /** `sent`: what a worker has, by path: by entry, because a program may say that the same bytes have changed. */
  private workers: { worker: VirtualWorker; sent: Map<ByteString, Entry> }[] = [];
  /** Contents in memory that threads share. */
  private readonly shared = new WeakMap<Entry, Uint8Array>();
  private output: Uint8Array = new Uint8Array(0);
  /** Where `output` is in the machine's memory, 0 = elsewhere. */
  private outputAt = 0;
  private lastOutput: KeptBytes | null = null;
  /** Memory that the next output may take. */
  recycled: RecycledOutput | null = null;
  /** Size that the output was given, and where it ends if more was written. */
  private sizeGiven = 0;
  private endAt = 0;

  constructor(options: VirtualOptions) {
    this.options = options;
    this.files = new VirtualFiles(options.layers, options.real, options.machine, options.resolve);
  }

  /** Forgets what an attempt has made. Files stay. */
  restart(): void {
    this.outputs.clear();
    this.text = "";
  }

  pass(name: string): Promise<void> | void {
    if (this.files.isWaiting) throw new Wanted();
    return this.options.onPass()?.(name);
  }

  resolve(name: ByteString, kind: "input" | "lib"): ByteString | undefined {
    return this.files.resolve(name, kind);
  }

  private get real(): Host {
    return this.options.real!;
  }

  // ---- files ----

  stat(path: ByteString): FileStat | undefined {
    const entry = this.files.entry(path, false);
    if (entry === undefined || entry.layer === null) return undefined;
    if (entry.layer === REAL) return this.real.stat(path);
    return { kind: "file", bytes: entry.bytes?.length ?? entry.stat!.bytes, identity: `virtual:${path}`, modified: entry.stat!.modified };
  }

  exists(path: ByteString): boolean {
    const entry = this.files.entry(path, false);
    if (entry === undefined || entry.layer === null) return false;
    return entry.layer === REAL ? this.real.exists(path) : true;
  }

  readAll(path: ByteString, atMost?: number): Uint8Array {
    return this.files.contents(path) ?? this.real.readAll(path, atMost);
  }

  readdir(path: ByteString): ByteString[] {
    return this.options.real?.readdir(path) ?? [];
  }

  open(path: ByteString): number {
    const bytes = this.files.contents(path);
    if (bytes === null) return this.real.open(path);
    let fd = this.descriptors.get(path);
    if (fd === undefined) this.descriptors.set(path, (fd = VIRTUAL_OUTPUT - this.opened.push(bytes)));
    return fd;
  }

  private file(fd: number): Uint8Array | undefined {
    return fd < VIRTUAL_OUTPUT ? this.opened[VIRTUAL_OUTPUT - 1 - fd] : undefined;
  }

  reopen(path: ByteString): ByteString {
    return this.files.known(path)?.layer === REAL ? this.real.reopen(path) : path;
  }

  unnamed(bytes: Uint8Array): ByteString {
    return this.files.unnamed(bytes);
  }

  size(fd: number): number {
    return this.file(fd)?.length ?? this.real.size(fd);
  }

  read(fd: number, into: Uint8Array, position: number): number {
    if (fd === VIRTUAL_OUTPUT) {
      this.recycled?.clear(this.output);
      return copyOut(this.output, into, 0, into.length, position);
    }
    const file = this.file(fd);
    return file === undefined ? this.real.read(fd, into, position) : copyOut(file, into, 0, into.length, position);
  }

  close(fd: number): void {
    if (this.file(fd) === undefined) this.real.close(fd);
  }

  realpath(path: ByteString): ByteString {
    return this.files.known(path)?.layer === REAL ? this.real.realpath(path) : path;
  }

  cwd(): ByteString {
    return this.options.real?.cwd() ?? "/";
  }

  writeText(path: ByteString, fill: (write: Write) => void): void {
    const text = writtenBy(fill);
    if (path === "-") this.text += text;
    else this.outputs.set(path, bytesOf(text));
    if (path !== "-" && this.options.write) this.real.writeText(path, (write) => write(text));
  }

  /** Programs only open real files. */
  execute(program: ByteString, args: readonly ByteString[], folder?: ByteString): ReturnType<Host["execute"]> {
    const { real } = this.options;
    if (real === null) throw new HostError("ENOSYS", "no programs can be started here");
    const readable = (word: ByteString): ByteString => {
      const bytes = this.files.known(word)?.bytes;
      return bytes == null ? word : real.unnamed(bytes);
    };
    return real.execute(program, args.map(readable), folder, true);
  }

  changeDirectory(): void {
    throw new HostError("ENOSYS", "files here are known by their whole paths");
  }

  async runCommand(): Promise<number> {
    throw new HostError("ENOSYS", "no programs can be started here");
  }

  removeAtEnd(paths: readonly ByteString[]): void {
    this.options.real?.removeAtEnd(paths);
  }

  // ---- what workers do, too ----

  readAt(path: ByteString, target: Uint8Array, position: number): number {
    const bytes = this.files.known(path)?.bytes;
    return bytes == null ? this.realFile(path).readAt(path, target, position) : copyOut(bytes, target, 0, target.length, position);
  }

  readMemory(path: ByteString, memory: Uint8Array, address: number, bytes: number, position: number): number {
    const entry = this.files.known(path);
    const file = entry?.bytes;
    if (file == null) return this.realFile(path).readMemory!(path, memory, address, bytes, position);
    const kept = this.files.keep(entry!, file);
    if (kept === 0) return copyOut(file, memory, address, bytes, position);
    const count = Math.max(0, Math.min(bytes, file.length - position));
    this.options.machine!.kernels.copyMemory(address, kept + position, count);
    return count;
  }

  private realFile(path: ByteString): Host {
    if (this.options.real === null) throw new Error(`${path} is read before it is opened`);
    return this.options.real;
  }

  writeAt(fd: number, bytes: Uint8Array, position: number): void {
    if (fd !== VIRTUAL_OUTPUT) return this.real.writeAt(fd, bytes, position);
    const end = position + bytes.length;
    if (end > this.output.length) this.startOutput(Math.max(end, Math.min(2 * this.output.length, end + GROWTH_BYTES)));
    if (this.endAt > 0 || end > this.sizeGiven) this.endAt = Math.max(this.endAt, end);
    if (this.outputAt !== 0 && bytes.buffer === this.output.buffer) this.options.machine!.kernels.copyMemory(this.outputAt + position, bytes.byteOffset, bytes.length);
    else this.output.set(bytes, position);
    this.recycled?.wrote(position, end);
  }

  /** Hands virtual files to workers, in memory that all share; real ones by descriptor. */
  share(paths: readonly ByteString[]): number[] {
    const virtual = paths.flatMap((path) => {
      const entry = this.files.known(path);
      return entry?.bytes == null ? [] : [{ path, entry, bytes: entry.bytes }];
    });
    for (const { worker, sent } of this.workers) {
      const news = virtual.filter(({ path, entry }) => sent.get(path) !== entry);
      for (const { path, entry } of news) sent.set(path, entry);
      if (news.length > 0) worker.send({ wieldFiles: news.map(({ path, entry, bytes }) => [path, this.sharedBytes(entry, bytes)]) });
    }
    const real = paths.filter((path) => this.files.known(path)?.bytes == null);
    const handles = new Map((this.options.real?.share?.(real) ?? []).map((handle, i) => [real[i]!, handle]));
    return paths.map((path) => handles.get(path) ?? -1);
  }

  private sharedBytes(entry: Entry, bytes: Uint8Array): SharedBytes | KeptBytes {
    const kept = this.files.keep(entry, bytes);
    if (kept > 0) return { address: kept, bytes: bytes.length };
    const posted = ({ buffer, byteOffset, length }: Uint8Array): SharedBytes => ({ buffer, from: byteOffset, bytes: length });
    if (bytes.buffer instanceof SharedArrayBuffer) return posted(bytes);
    let shared = this.shared.get(entry);
    if (shared === undefined) {
      shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
      shared.set(bytes);
      this.shared.set(entry, shared);
    }
    return posted(shared);
  }

  inflate(kind: number, bytes: Uint8Array, size: number): Uint8Array {
    return this.options.platform.inflate(kind, bytes, size);
  }

  deflate(kind: number, bytes: Uint8Array, level: number, last: boolean): Uint8Array | undefined {
    return this.options.platform.deflate(kind, bytes, level, last);
  }

  async loadZstd(): Promise<boolean> {
    return (await this.options.platform.loadZstd?.()) === true;
  }

  // ---- the output ----

  checkWritable(path: ByteString, replaced: boolean): void {
    if (this.options.write) this.real.checkWritable(path, replaced);
  }

  /** The output that was committed last, if its bytes are still in the machine's memory. */
  get keptOutput(): KeptBytes | null {
    return this.lastOutput;
  }

  createOutput(path: ByteString, options: OutputOptions): OutputFile {
    this.lastOutput = null;
    return {
      fd: VIRTUAL_OUTPUT,
      truncate: (bytes) => {
        this.endAt = 0;
        this.sizeGiven = bytes;
        if (!this.startKept(bytes, options)) this.startOutput(bytes);
      },
      write: (bytes, position) => this.writeAt(VIRTUAL_OUTPUT, bytes, position),
      read: (into, position) => this.read(VIRTUAL_OUTPUT, into, position),
      commit: () => this.commit(path, options),
      abort: () => this.dropOutput(),
    };
  }

  createSideFile(path: ByteString, bytes: number): Pick<OutputFile, "write" | "commit" | "abort"> {
    const contents = new Uint8Array(bytes);
    return {
      write: (part, position) => contents.set(part, position),
      commit: () => {
        this.outputs.set(path, contents);
        if (!this.options.write) return;
        const file = this.real.createSideFile(path, bytes);
        file.write(contents, 0);
        file.commit();
      },
      abort: () => undefined,
    };
  }

  private dropOutput(): void {
    this.output = new Uint8Array(0);
    this.outputAt = 0;
  }

  /** The output in the machine's memory, where all threads can write; false = it has to be elsewhere. A single thread need not copy it. */
  private startKept(bytes: number, { keep, again }: OutputOptions): boolean {
    const { machine } = this.options;
    if (machine === null || (this.workers.length === 0 && keep !== true)) return false;
    this.outputAt = machine.outputMemory(bytes);
    if (this.outputAt === 0) return false;
    this.output = machine.arena.bytes(this.outputAt, bytes);
    if (again !== true) machine.kernels.fillBytes(this.outputAt, 0, bytes);
    for (const { worker } of this.workers) worker.send({ wieldOutput: { address: this.outputAt, bytes } });
    return true;
  }

  private startOutput(bytes: number): void {
    if (bytes === this.output.length) return;
    const before = this.output;
    if (before.length > 0) this.recycled?.clear(before);
    this.outputAt = 0;
    try {
      this.output = this.workers.length > 0 ? new Uint8Array(new SharedArrayBuffer(bytes)) : (this.recycled?.take(bytes, false) ?? new Uint8Array(bytes));
    } catch {
      throw new HostError("ENOMEM", `no memory for its ${bytes} bytes`);
    }
    this.output.set(before.subarray(0, bytes));
    for (const { worker } of this.workers) worker.send({ wieldOutput: this.output.buffer });
  }

  /** The finished output where no other thread can reach it. */
  private plain(used: Uint8Array): Uint8Array<ArrayBuffer> {
    const { recycled } = this;
    const isOwn = recycled !== null || used.length === used.buffer.byteLength;
    if (used.buffer instanceof ArrayBuffer && isOwn) return used as Uint8Array<ArrayBuffer>;
    if (recycled === null) return new Uint8Array(used);
    const plain = recycled.take(used.length, true);
    plain.set(used);
    return plain;
  }

  private commit(path: ByteString, options: OutputOptions): void {
    const used = this.endAt > 0 ? this.output.subarray(0, this.endAt) : this.output;
    this.recycled?.clear(used);
    const plain = this.plain(used);
    if (this.outputAt !== 0) this.lastOutput = { address: this.outputAt, bytes: used.length };
    this.dropOutput();
    this.endAt = this.sizeGiven = 0;
    if (this.options.write) {
      const file = this.real.createOutput(path, options);
      try {
        file.truncate(plain.length);
        file.write(plain, 0);
        file.commit();
      } catch (error) {
        file.abort();
        throw error;
      }
    }
    this.outputs.set(path, plain);
  }

  // ---- compute ----

  get cpus(): number {
    return this.options.platform.cpus;
  }

  readonly keepsThreads = true;

  get maxThreads(): number | undefined {
    return this.options.platform.maxThreads;
  }

  expectLargeLink(bytes: number): void {
    this.options.platform.expectLargeLink(bytes);
  }

  kernels(debug?: boolean): WebAssembly.Module {
    return this.options.platform.kernels(debug);
  }

  startWorker(): StartedWorker {
    const worker = this.options.platform.startWorker();
    this.workers.push({ worker, sent: new Map() });
    return {
      endpoint: worker.endpoint,
      busy: (on) => worker.busy?.(on),
      onEnd: (ended) => worker.onEnd?.(ended),
      terminate: () => {
        this.workers = this.workers.filter((other) => other.worker !== worker);
        worker.terminate();
      },
    };
  }

  digest(algorithm: DigestAlgorithm): Digest {
    return this.options.platform.digest(algorithm);
  }

  random(into: Uint8Array): void {
    this.options.platform.random(into);
  }

  // ---- the process, which is not ours ----

  /** What a link does depends on its options alone; only the search for programs needs to know where they are. */
  env(name: string): ByteString | undefined {
    return name === "PATH" ? this.options.real?.env(name) : undefined;
  }

  now(): number {
    return this.options.platform.now();
  }

  peakMemory(): number {
    return this.options.platform.peakMemory();
  }

  print(stream: "out" | "err", text: ByteString): void {
    if (stream === "out") this.text += text;
  }

  isTerminal(): boolean {
    return false;
  }

  turn(): Promise<void> {
    return Promise.resolve(this.options.onPass()?.("commit"));
  }

  /** Workers that stay for the next link close real files: they would go on reading what those were. */
  release(): void {
    for (const { worker } of this.workers) worker.send({ wieldForget: true });
    this.opened.length = 0;
    this.descriptors.clear();
    this.dropOutput();
    this.options.real?.release();
  }
}
