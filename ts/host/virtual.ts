/**
 * The host of the API: files that programs bring, in front of real ones where there are any; the output stays in memory.
 *
 * Knows no runtime: what only a runtime has (kernels, workers, digests, real files) it asks the platform for. The surprising
 * choice: passes read synchronously, programs may answer later. So what is not known yet is answered with "not there" and
 * noted; the next pass is refused (pass, Wanted), what was noted is fetched side by side, and the link begins again.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Machine } from "../memory/machine.ts";
import type { StartedWorker } from "../memory/pool.ts";
import { bytesOf } from "../memory/text.ts";
import { HostError, type Digest, type FileStat, type Host, type OutputFile, type OutputOptions } from "./host.ts";
import { copyOut, VIRTUAL_OUTPUT, type VirtualMessage } from "./virtual-io.ts";

/** What a runtime brings. */
export type Platform = Pick<Host, "cpus" | "maxThreads" | "expectLargeLink" | "kernels" | "digest" | "random" | "inflate" | "deflate" | "now" | "peakMemory"> & {
  /** Workers with createVirtualIo. */
  startWorker(): VirtualWorker;
};

export interface VirtualWorker extends StartedWorker {
  /** A message that comes before all later calls of the endpoint. */
  send(message: VirtualMessage): void;
}

/** Where files come from: asked by path, in order, until one knows the path. Answers may be promises. */
export interface Layer {
  /** undefined = not here, null = nowhere: later layers are not asked. */
  stat(path: ByteString): LayerStat | null | undefined | Promise<LayerStat | null | undefined>;
  /** Contents of what stat has found; rejects with a reason that can be printed. */
  read(path: ByteString): Uint8Array | Promise<Uint8Array>;
  /** Files may change between links without a word: their stat is asked for again. */
  readonly volatile?: boolean;
}

export interface LayerStat {
  bytes: number;
  /** Milliseconds since 1970. */
  modified: number;
}

/** In the list of layers: the runtime's own files. */
export const REAL = "real";

/** Thrown between passes while files are awaited. */
export class Wanted extends Error {}

interface Entry {
  layer: Layer | typeof REAL | null;
  stat: LayerStat | null;
  bytes: Uint8Array | null;
  /** Why it cannot be read. */
  failure: HostError | null;
  /** Where `bytes` are in the machine's memory, 0 = nowhere. */
  kept?: number;
}

/** What the pass hook is told, and may throw from. */
export type OnPass = (name: string) => void | Promise<void>;

export interface VirtualOptions {
  layers: readonly (Layer | typeof REAL)[];
  platform: Platform;
  /** Real files; null = none. Released with this host. */
  real: Host | null;
  /** Outputs and reports are written to real files too. */
  write: boolean;
  /** Where the contents of files stay for the next link; null = there is none. */
  machine: Machine | null;
  /** What is called before each pass of this link; null = nobody looks on. */
  onPass(): OnPass | null;
  /** The whole of Host.resolve, perhaps later. */
  resolve: ((name: ByteString, kind: "input" | "lib") => ByteString | undefined | Promise<ByteString | undefined>) | null;
}

const NOT_THERE = new HostError("ENOENT", "No such file or directory");
/** An output that outgrows its size gets at most this much more at a time. */
const GROWTH_BYTES = 1 << 24;
const UNNAMED = "/proc/self/wield/";

function asFailure(error: unknown): HostError {
  return error instanceof HostError ? error : new HostError("EIO", error instanceof Error ? error.message : String(error));
}

const nowhere = (): Entry => ({ layer: null, stat: null, bytes: null, failure: NOT_THERE });

export class VirtualHost implements Host {
  /** What a link has written, by path. */
  readonly outputs = new Map<ByteString, Uint8Array<ArrayBuffer>>();
  /** What a link has printed on standard output. */
  text: ByteString = "";
  private readonly options: VirtualOptions;
  private layers: VirtualOptions["layers"];
  private readonly entries = new Map<ByteString, Entry>();
  private readonly resolved = new Map<string, ByteString | undefined>();
  private wanted = new Map<string, Promise<void>>();
  private readonly opened: { path: ByteString; bytes: Uint8Array }[] = [];
  private workers: { worker: VirtualWorker; sent: Set<ByteString> }[] = [];
  private readonly shared = new Map<ByteString, Uint8Array>();
  private output: Uint8Array = new Uint8Array(0);
  /** Size that the output was given, and where it ends if more was written. */
  private sizeGiven = 0;
  private endAt = 0;
  private unnamedFiles = 0;

  constructor(options: VirtualOptions) {
    this.options = options;
    this.layers = options.layers;
  }

  // ---- between attempts ----

  /** Files are awaited: what this attempt came to does not count. */
  get isWaiting(): boolean {
    return this.wanted.size > 0;
  }

  /** Waits for what was wanted. Never rejects: what cannot be read is told when it is opened. */
  async fetch(): Promise<void> {
    while (this.wanted.size > 0) {
      const all = [...this.wanted.values()];
      this.wanted = new Map();
      await Promise.all(all);
    }
  }

  /** Forgets what an attempt has made. Files stay. */
  restart(): void {
    this.outputs.clear();
    this.text = "";
  }

  /** Other files from now on: what was not found before may be there. */
  replaceLayers(layers: VirtualOptions["layers"]): void {
    this.layers = layers;
    this.forget((path) => this.entries.get(path)!.failure === NOT_THERE);
  }

  // ---- between links of a context ----

  /** Paths with contents that were read. */
  get filesRead(): ByteString[] {
    return [...this.entries].flatMap(([path, { bytes, layer }]) => (bytes === null || layer === null ? [] : [path]));
  }

  /** Drops what is known of the paths that `which` says; those with contents that were read. */
  forget(which: (path: ByteString) => boolean): ByteString[] {
    const read: ByteString[] = [];
    for (const [path, { bytes, kept = 0 }] of this.entries) {
      if (!which(path)) continue;
      if (bytes !== null) read.push(path);
      if (kept > 0) this.options.machine!.drop(kept);
      this.entries.delete(path);
      this.shared.delete(path);
      for (const { sent } of this.workers) sent.delete(path);
    }
    return read;
  }

  /** A new link: drops files that are not what they were, what was not there, and what the last link made; those with contents that were read. */
  async refresh(): Promise<ByteString[]> {
    const stale = await this.staleFiles();
    this.resolved.clear();
    this.forget((path) => this.entries.get(path)!.layer === null);
    return this.forget((path) => stale.has(path) || this.entries.get(path)!.failure !== null);
  }

  /** Files of volatile layers that are not what they were when they were read. */
  async staleFiles(): Promise<Set<ByteString>> {
    const stale = new Set<ByteString>();
    const checks: Promise<void>[] = [];
    for (const [path, { layer, stat }] of this.entries) {
      if (layer === null || layer === REAL || layer.volatile !== true) continue;
      const check = (now: LayerStat | null | undefined): void => {
        if (stat === null || now == null || now.bytes !== stat.bytes || now.modified !== stat.modified) stale.add(path);
      };
      const now = layer.stat(path);
      if (now instanceof Promise) checks.push(now.then(check, () => void stale.add(path)));
      else check(now);
    }
    await Promise.all(checks);
    return stale;
  }

  async pass(name: string): Promise<void> {
    if (this.isWaiting) throw new Wanted();
    await this.options.onPass()?.(name);
  }

  private want(key: string, later: Promise<void>): void {
    if (!this.wanted.has(key)) this.wanted.set(key, later);
  }

  resolve(name: ByteString, kind: "input" | "lib"): ByteString | undefined {
    const { resolve } = this.options;
    if (resolve === null) return undefined;
    const key = `${kind}:${name}`;
    if (this.resolved.has(key)) return this.resolved.get(key);
    const answer = resolve(name, kind);
    if (!(answer instanceof Promise)) {
      this.resolved.set(key, answer);
      return answer;
    }
    const later = answer.then((path) => {
      this.resolved.set(key, path);
      // It may have been looked up under its own name meanwhile.
      if (path !== undefined) this.entries.delete(path);
    });
    this.want(`resolve ${key}`, later);
    return undefined;
  }

  // ---- looking files up ----

  /** undefined = not known yet. `read`: its contents will be needed. */
  private entry(path: ByteString, read: boolean): Entry | undefined {
    const known = this.entries.get(path);
    if (known !== undefined) return known;
    const found = this.look(path, 0);
    if (!(found instanceof Promise)) {
      this.entries.set(path, found);
      return found;
    }
    const later = found.then(async (entry) => {
      this.entries.set(path, entry);
      if (read) await this.load(entry, path);
    });
    this.want(`stat ${path}`, later);
    return undefined;
  }

  private look(path: ByteString, from: number): Entry | Promise<Entry> {
    const { layers, options: { real } } = this;
    for (let i = from; i < layers.length; i++) {
      const layer = layers[i]!;
      if (layer === REAL) {
        if (real?.stat(path) !== undefined) return { layer, stat: null, bytes: null, failure: null };
        continue;
      }
      try {
        const stat = layer.stat(path);
        if (stat instanceof Promise) {
          return stat.then(
            (later) => (later === undefined ? this.look(path, i + 1) : later === null ? nowhere() : { layer, stat: later, bytes: null, failure: null }),
            (error: unknown) => ({ layer, stat: { bytes: 0, modified: 0 }, bytes: null, failure: asFailure(error) }),
          );
        }
        if (stat === null) return nowhere();
        if (stat !== undefined) return { layer, stat, bytes: null, failure: null };
      } catch (error) {
        return { layer, stat: { bytes: 0, modified: 0 }, bytes: null, failure: asFailure(error) };
      }
    }
    return nowhere();
  }

  /** Gets an entry's contents, at once or later. */
  private load(entry: Entry, path: ByteString): Promise<void> | undefined {
    if (entry.layer === null || entry.layer === REAL || entry.bytes !== null || entry.failure !== null) return undefined;
    const fail = (error: unknown): void => void (entry.failure = asFailure(error));
    try {
      const bytes = entry.layer.read(path);
      if (bytes instanceof Promise) return bytes.then((later) => void (entry.bytes = later), fail);
      entry.bytes = bytes;
    } catch (error) {
      fail(error);
    }
    return undefined;
  }

  /** Contents of a virtual file, null = a real one; throws HostError. */
  private contents(path: ByteString): Uint8Array | null {
    const entry = this.entry(path, true);
    if (entry === undefined) throw NOT_THERE;
    if (entry.layer === REAL) return null;
    const later = this.load(entry, path);
    if (later !== undefined) this.want(`read ${path}`, later);
    if (entry.failure !== null) throw entry.failure;
    if (entry.bytes === null) throw NOT_THERE;
    return entry.bytes;
  }

  private get real(): Host {
    return this.options.real!;
  }

  // ---- files ----

  stat(path: ByteString): FileStat | undefined {
    const entry = this.entry(path, false);
    if (entry === undefined || entry.layer === null) return undefined;
    if (entry.layer === REAL) return this.real.stat(path);
    return { kind: "file", bytes: entry.bytes?.length ?? entry.stat!.bytes, identity: `virtual:${path}`, modified: entry.stat!.modified };
  }

  exists(path: ByteString): boolean {
    const entry = this.entry(path, false);
    if (entry === undefined || entry.layer === null) return false;
    return entry.layer === REAL ? this.real.exists(path) : true;
  }

  readAll(path: ByteString): Uint8Array {
    return this.contents(path) ?? this.real.readAll(path);
  }

  readdir(path: ByteString): ByteString[] {
    return this.options.real?.readdir(path) ?? [];
  }

  open(path: ByteString): number {
    const bytes = this.contents(path);
    if (bytes === null) return this.real.open(path);
    let at = this.opened.findIndex((file) => file.path === path);
    if (at < 0) at = this.opened.push({ path, bytes }) - 1;
    return VIRTUAL_OUTPUT - 1 - at;
  }

  private file(fd: number): { bytes: Uint8Array } | undefined {
    return fd < VIRTUAL_OUTPUT ? this.opened[VIRTUAL_OUTPUT - 1 - fd] : undefined;
  }

  reopen(path: ByteString): ByteString {
    return this.entries.get(path)?.layer === REAL ? this.real.reopen(path) : path;
  }

  unnamed(bytes: Uint8Array): ByteString {
    const { layers, options: { real } } = this;
    if (real !== null && layers.every((layer) => layer === REAL)) return this.note(real.unnamed(bytes));
    const path = `${UNNAMED}${++this.unnamedFiles}`;
    this.entries.set(path, { layer: null, stat: { bytes: bytes.length, modified: 0 }, bytes, failure: null });
    return path;
  }

  private note(path: ByteString): ByteString {
    this.entries.set(path, { layer: REAL, stat: null, bytes: null, failure: null });
    return path;
  }

  size(fd: number): number {
    return this.file(fd)?.bytes.length ?? this.real.size(fd);
  }

  read(fd: number, into: Uint8Array, position: number): number {
    const file = this.file(fd);
    return file === undefined ? this.real.read(fd, into, position) : copyOut(file.bytes, into, 0, into.length, position);
  }

  close(fd: number): void {
    if (this.file(fd) === undefined) this.real.close(fd);
  }

  realpath(path: ByteString): ByteString {
    return this.entries.get(path)?.layer === REAL ? this.real.realpath(path) : path;
  }

  cwd(): ByteString {
    return this.options.real?.cwd() ?? "/";
  }

  writeText(path: ByteString, text: ByteString): void {
    if (path === "-") this.text += text;
    else this.outputs.set(path, bytesOf(text));
    if (path !== "-" && this.options.write) this.real.writeText(path, text);
  }

  execute(program: ByteString, args: readonly ByteString[], folder?: ByteString): { status: number; output: ByteString } {
    if (this.options.real === null) throw new HostError("ENOSYS", "no programs can be started here");
    return this.real.execute(program, args, folder);
  }

  remove(path: ByteString): void {
    if (!this.outputs.delete(path)) this.options.real?.remove(path);
  }

  // ---- what workers do, too ----

  readAt(path: ByteString, target: Uint8Array, position: number): number {
    const bytes = this.entries.get(path)?.bytes;
    return bytes == null ? this.realFile(path).readAt(path, target, position) : copyOut(bytes, target, 0, target.length, position);
  }

  readMemory(path: ByteString, memory: Uint8Array, address: number, bytes: number, position: number): number {
    const entry = this.entries.get(path);
    const file = entry?.bytes;
    if (file == null) return this.realFile(path).readMemory!(path, memory, address, bytes, position);
    const kept = this.keep(entry!, file);
    if (kept === 0) return copyOut(file, memory, address, bytes, position);
    const count = Math.max(0, Math.min(bytes, file.length - position));
    this.options.machine!.kernels.copyMemory!(address, kept + position, count);
    return count;
  }

  /** Passes read into the machine's memory only: a copy that stays there is worth it. */
  private keep(entry: Entry, bytes: Uint8Array): number {
    return (entry.kept ??= this.options.machine?.keep(bytes) ?? 0);
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
    this.output.set(bytes, position);
  }

  /** Hands virtual files to workers, in memory that all share; real ones by descriptor. */
  share(paths: readonly ByteString[]): number[] {
    for (const { worker, sent } of this.workers) {
      const files = paths.filter((path) => this.entries.get(path)?.bytes != null && !sent.has(path));
      if (files.length === 0) continue;
      for (const path of files) sent.add(path);
      worker.send({ wieldFiles: files.map((path) => [path, this.sharedBytes(path)]) });
    }
    const real = paths.filter((path) => this.entries.get(path)?.bytes == null);
    const handles = new Map((this.options.real?.share?.(real) ?? []).map((handle, i) => [real[i]!, handle]));
    return paths.map((path) => handles.get(path) ?? -1);
  }

  private sharedBytes(path: ByteString): Uint8Array {
    let bytes = this.shared.get(path);
    if (bytes === undefined) {
      const entry = this.entries.get(path)!;
      const own = entry.bytes!;
      const { machine } = this.options;
      const kept = this.keep(entry, own);
      if (kept > 0) return machine!.arena.bytes(kept, own.length);
      bytes = own.buffer instanceof SharedArrayBuffer ? own : new Uint8Array(new SharedArrayBuffer(own.length));
      if (bytes !== own) bytes.set(own);
      this.shared.set(path, bytes);
    }
    return bytes;
  }

  inflate(kind: number, bytes: Uint8Array, size: number): Uint8Array {
    return this.options.platform.inflate(kind, bytes, size);
  }

  deflate(kind: number, bytes: Uint8Array, level: number, last: boolean): Uint8Array | undefined {
    return this.options.platform.deflate(kind, bytes, level, last);
  }

  // ---- the output ----

  checkWritable(path: ByteString, replaced: boolean): void {
    if (this.options.write) this.real.checkWritable(path, replaced);
  }

  createOutput(path: ByteString, options: OutputOptions): OutputFile {
    return {
      fd: VIRTUAL_OUTPUT,
      truncate: (bytes) => {
        this.endAt = 0;
        this.sizeGiven = bytes;
        this.startOutput(bytes);
      },
      write: (bytes, position) => this.writeAt(VIRTUAL_OUTPUT, bytes, position),
      read: (into, position) => copyOut(this.output, into, 0, into.length, position),
      commit: () => this.commit(path, options),
      abort: () => void (this.output = new Uint8Array(0)),
    };
  }

  private startOutput(bytes: number): void {
    if (bytes === this.output.length) return;
    const before = this.output;
    this.output = new Uint8Array(this.workers.length > 0 ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
    this.output.set(before.subarray(0, bytes));
    for (const { worker } of this.workers) worker.send({ wieldOutput: this.output });
  }

  private commit(path: ByteString, options: OutputOptions): void {
    const used = this.endAt > 0 ? this.output.subarray(0, this.endAt) : this.output;
    const plain = used.buffer instanceof ArrayBuffer && used.length === used.buffer.byteLength ? (used as Uint8Array<ArrayBuffer>) : new Uint8Array(used);
    this.output = new Uint8Array(0);
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

  get maxThreads(): number | undefined {
    return this.options.platform.maxThreads;
  }

  expectLargeLink(): void {
    this.options.platform.expectLargeLink();
  }

  kernels(debug?: boolean): WebAssembly.Module {
    return this.options.platform.kernels(debug);
  }

  startWorker(): StartedWorker {
    const worker = this.options.platform.startWorker();
    this.workers.push({ worker, sent: new Set() });
    return {
      endpoint: worker.endpoint,
      terminate: () => {
        this.workers = this.workers.filter((other) => other.worker !== worker);
        worker.terminate();
      },
    };
  }

  digest(algorithm: "sha1" | "md5"): Digest {
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
    this.output = new Uint8Array(0);
    this.options.real?.release();
  }
}
