/**
 * Which files a link through the API sees: asked for by path, in layers, remembered with their contents.
 *
 * The surprising choice: passes read synchronously, programs may answer later. So what is not known yet is answered with "not
 * there" and noted as wanted; an attempt that wanted something does not count (VirtualHost.pass), what was wanted is fetched
 * side by side, and the link begins again.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Machine } from "../memory/machine.ts";
import { HostError, type Host } from "./host.ts";

/** Where files come from: asked by path, in order, until one knows the path. Answers may be promises. */
export interface Layer {
  /** undefined = not here, null = nowhere: later layers are not asked. */
  stat(path: ByteString): LayerStat | null | undefined | Promise<LayerStat | null | undefined>;
  /** Contents of what stat has found; rejects with a reason that can be printed. */
  read(path: ByteString): Uint8Array | Promise<Uint8Array>;
  /** Files may change between links without a word: their stat is asked for again. */
  readonly volatile?: boolean;
  /** Those of the runtime, as REAL. */
  readonly isReal?: boolean;
}

export interface LayerStat {
  bytes: number;
  /** Milliseconds since 1970. */
  modified: number;
  /** What read would give, where it is known already. */
  contents?: Uint8Array;
}

/** In the list of layers: the runtime's own files, which are not remembered. */
export const REAL = "real";

export type Layers = readonly (Layer | typeof REAL)[];

/** Host.resolve, perhaps later. */
export type Resolver = (name: ByteString, kind: "input" | "lib") => ByteString | undefined | Promise<ByteString | undefined>;

/** What is known of a path. */
export interface Entry {
  /** null = it is in none of them. */
  layer: Layer | typeof REAL | null;
  stat: LayerStat | null;
  /** null = not read yet, or a real file. */
  bytes: Uint8Array | null;
  /** Why it cannot be read. */
  failure: HostError | null;
  /** Where `bytes` are in the machine's memory, 0 = nowhere. */
  kept?: number;
}

/** A stretch of the machine's memory that holds a file. */
export interface KeptFile {
  address: number;
  bytes: number;
}

/** A file that is not what it was in the last link. */
export interface Replaced {
  path: ByteString;
  before: KeptFile;
  now: KeptFile;
}

let absence: HostError | undefined;
/** Made when it is first needed: for the place of an error, browsers read the whole program again. */
const notThere = (): HostError => (absence ??= new HostError("ENOENT", "No such file or directory"));

/** Files without a name; in no folder that a program could mean. */
const UNNAMED = "/proc/self/wield/";

const nowhere = (): Entry => ({ layer: null, stat: null, bytes: null, failure: notThere() });

function asFailure(error: unknown): HostError {
  return error instanceof HostError ? error : new HostError("EIO", error instanceof Error ? error.message : String(error));
}

export class VirtualFiles {
  layers: Layers;
  private readonly real: Host | null;
  private readonly machine: Machine | null;
  private readonly resolver: Resolver | null;
  private readonly entries = new Map<ByteString, Entry>();
  private readonly resolved = new Map<string, ByteString | undefined>();
  private wanted = new Map<string, Promise<void>>();
  /** Counts links: answers to what an earlier one asked do not count. */
  private link = 0;
  private unnamedFiles = 0;
  /** What the last link saw and this one sees anew: contents that are still in the machine's memory, and paths that were nowhere. */
  private readonly before = new Map<ByteString, KeptFile>();
  private readonly absent = new Set<ByteString>();
  /** Something else that the last link saw is gone. */
  private lost = false;

  /** `machine`: keeps contents for the next link; null = there is none. */
  constructor(layers: Layers, real: Host | null, machine: Machine | null, resolver: Resolver | null) {
    this.layers = layers;
    this.real = real;
    this.machine = machine;
    this.resolver = resolver;
  }

  // ---- what is asked later ----

  get isWaiting(): boolean {
    return this.wanted.size > 0;
  }

  /** Waits for what was wanted. Rejects with what a resolver throws; what cannot be read is told when it is opened. */
  async fetch(): Promise<void> {
    const { link } = this;
    while (this.wanted.size > 0 && link === this.link) {
      const all = [...this.wanted.values()];
      this.wanted = new Map();
      await Promise.all(all);
    }
  }

  /** Nobody may wait for it in the end. */
  private want(key: string, later: Promise<void>): void {
    later.catch(() => undefined);
    this.wanted.set(key, later);
  }

  /** A link begins: what an aborted one was waiting for is not waited for. */
  abandon(): void {
    this.wanted = new Map();
    this.link++;
  }

  // ---- looking up ----

  resolve(name: ByteString, kind: "input" | "lib"): ByteString | undefined {
    if (this.resolver === null) return undefined;
    const key = `${kind}:${name}`;
    if (this.resolved.has(key)) return this.resolved.get(key);
    if (this.wanted.has(`resolve ${key}`)) return undefined;
    const { link } = this;
    const answer = this.resolver(name, kind);
    if (!(answer instanceof Promise)) {
      this.resolved.set(key, answer);
      return answer;
    }
    const later = answer.then((path) => {
      if (link !== this.link) return;
      this.resolved.set(key, path);
      // It may have been looked up under its own name meanwhile.
      if (path !== undefined) this.entries.delete(path);
    });
    this.want(`resolve ${key}`, later);
    return undefined;
  }

  /** What has been found out of a path so far. */
  known(path: ByteString): Entry | undefined {
    return this.entries.get(path);
  }

  /** undefined = not known yet. `read`: its contents will be needed. */
  entry(path: ByteString, read: boolean): Entry | undefined {
    const known = this.entries.get(path);
    if (known !== undefined) return known;
    if (this.wanted.has(`stat ${path}`)) return undefined;
    const { link } = this;
    const found = this.look(path, 0);
    if (!(found instanceof Promise)) {
      this.entries.set(path, found);
      return found;
    }
    const later = found.then(async (entry) => {
      if (link !== this.link) return;
      this.entries.set(path, entry);
      if (read) await this.load(entry, path);
    });
    this.want(`stat ${path}`, later);
    return undefined;
  }

  private look(path: ByteString, from: number): Entry | Promise<Entry> {
    for (let i = from; i < this.layers.length; i++) {
      const layer = this.layers[i]!;
      if (layer === REAL) {
        if (this.real?.stat(path) !== undefined) return { layer, stat: null, bytes: null, failure: null };
        continue;
      }
      const found = (stat: LayerStat): Entry => ({ layer, stat, bytes: stat.contents ?? null, failure: null });
      const failed = (error: unknown): Entry => ({ layer, stat: { bytes: 0, modified: 0 }, bytes: null, failure: asFailure(error) });
      try {
        const stat = layer.stat(path);
        if (stat instanceof Promise) return stat.then((later) => (later === undefined ? this.look(path, i + 1) : later === null ? nowhere() : found(later)), failed);
        if (stat !== undefined) return stat === null ? nowhere() : found(stat);
      } catch (error) {
        return failed(error);
      }
    }
    return nowhere();
  }

  /** Gets an entry's contents, at once or later. */
  private load(entry: Entry, path: ByteString): Promise<void> | undefined {
    if (entry.layer === null || entry.layer === REAL || entry.bytes !== null || entry.failure !== null) return undefined;
    const { link } = this;
    const fail = (error: unknown): void => {
      if (link === this.link) entry.failure = asFailure(error);
    };
    try {
      const bytes = entry.layer.read(path);
      if (bytes instanceof Promise) return bytes.then((later) => void (link === this.link && (entry.bytes = later)), fail);
      entry.bytes = bytes;
    } catch (error) {
      fail(error);
    }
    return undefined;
  }

  /** Contents of a virtual file, null = a real one; throws HostError. */
  contents(path: ByteString): Uint8Array | null {
    const entry = this.entry(path, true);
    if (entry === undefined) throw notThere();
    if (entry.layer === REAL) return null;
    if (this.wanted.has(`read ${path}`)) throw notThere();
    const later = this.load(entry, path);
    if (later !== undefined) this.want(`read ${path}`, later);
    // What is not there may be real, and closed to this program: then this says so.
    if (entry.failure === absence && this.layers.some((layer) => layer === REAL || layer.isReal)) this.real?.open(path);
    if (entry.failure !== null) throw entry.failure;
    if (entry.bytes === null) throw notThere();
    return entry.bytes;
  }

  /** A file without a name, until the next link. */
  unnamed(bytes: Uint8Array): ByteString {
    const path = `${UNNAMED}${++this.unnamedFiles}`;
    this.entries.set(path, { layer: null, stat: { bytes: bytes.length, modified: 0 }, bytes, failure: null });
    return path;
  }

  /** Passes read into the machine's memory only: a copy that stays there is worth it. 0 = there is none. */
  keep(entry: Entry, bytes: Uint8Array): number {
    return (entry.kept ??= this.machine?.keep(bytes) ?? 0);
  }

  // ---- between links ----

  /** Other files from now on; `added`: paths that are there now, which may not have been before. */
  replaceLayers(layers: Layers, added: (path: ByteString) => boolean = () => false): void {
    this.layers = layers;
    this.forget((path, entry) => entry.failure === absence && added(path));
  }

  /** Paths with contents that were read. */
  get filesRead(): ByteString[] {
    return [...this.entries].flatMap(([path, { bytes, layer }]) => (bytes === null || layer === null ? [] : [path]));
  }

  /** Drops what is known of the paths that `which` says; those with contents that were read. */
  forget(which: (path: ByteString, entry: Entry) => boolean): ByteString[] {
    const read: ByteString[] = [];
    for (const [path, entry] of this.entries) {
      if (!which(path, entry)) continue;
      if (entry.bytes !== null) read.push(path);
      this.remember(path, entry);
      this.entries.delete(path);
    }
    return read;
  }

  private remember(path: ByteString, { kept, bytes, failure }: Entry): void {
    if (failure === absence) this.absent.add(path);
    else if (!kept) this.lost = true;
    else if (this.before.has(path)) this.machine!.drop(kept);
    else this.before.set(path, { address: kept, bytes: bytes!.length });
  }

  /**
   * What the last link saw and has changed since. null = that is not all that has changed, or it is not known, or (isWaiting) not yet.
   */
  replaced(): Replaced[] | null {
    if (this.lost) return null;
    for (const path of this.absent) if (this.entry(path, false)?.layer !== null) return null;
    const all: Replaced[] = [];
    for (const [path, before] of this.before) {
      try {
        const bytes = this.contents(path);
        const address = bytes === null ? 0 : this.keep(this.entries.get(path)!, bytes);
        if (address === 0) return null;
        all.push({ path, before, now: { address, bytes: bytes!.length } });
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        return null;
      }
    }
    return all;
  }

  /** From now on "the last link" is one that sees what there is now. */
  settle(): void {
    for (const { address } of this.before.values()) this.machine!.drop(address);
    this.before.clear();
    this.absent.clear();
    this.lost = false;
  }

  /** A new link: drops `stale` files, what was not there, and what the last link made; those with contents that were read. */
  refresh(stale: ReadonlySet<ByteString>): ByteString[] {
    this.resolved.clear();
    this.forget((_, { layer }) => layer === null);
    return this.forget((path, { failure }) => stale.has(path) || failure !== null);
  }

  /** Files of volatile layers that are not what they were when they were read. */
  async stale(): Promise<Set<ByteString>> {
    const stale = new Set<ByteString>();
    const checks: Promise<void>[] = [];
    for (const [path, { layer, stat }] of this.entries) {
      if (layer === null || layer === REAL || layer.volatile !== true) continue;
      const failed = (): void => void stale.add(path);
      const check = (now: LayerStat | null | undefined): void => {
        if (stat === null || now == null || now.bytes !== stat.bytes || now.modified !== stat.modified) failed();
      };
      try {
        const now = layer.stat(path);
        if (now instanceof Promise) checks.push(now.then(check, failed));
        else check(now);
      } catch {
        failed();
      }
    }
    await Promise.all(checks);
    return stale;
  }
}
