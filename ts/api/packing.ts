/**
 * Options and results in a page whose worker links for it: the page's side of remote.ts.
 *
 * Bytes, Blobs and plain data go as they are; what a program has to be asked for (functions, file systems, plugins) stays where
 * it is and is called back. The surprise: file systems made by memoryFS go over whole when they are small, because asking costs
 * more than copying.
 */
import * as Comlink from "comlink";
import type { Expansion } from "../args/response-file.ts";
import { HandOver } from "../host/hand-over.ts";
import { checkAborted } from "./abort.ts";
import { bytesOfSource, isBlob, isBuffer, readSource, sizeOfSource } from "./byte-source.ts";
import { hasResponseFiles, type Parsed } from "./command-line.ts";
import { isMemory, layersOf } from "./file-system.ts";
import { setUp, type Hook } from "./hooks.ts";
import { LinkError } from "./link-error.ts";
import { parsedBefore, parsedLine } from "./parse-line.ts";
import { mapSources, type Callbacks, type PackedChange, type PackedFs, type PackedOptions, type PackedOutcome, type PackedSource } from "./remote.ts";
import type { Bytes, ByteSource, FileStat, LinkFileSystem, LinkOptions, LinkResult, Progress } from "./types.ts";

/** Bytes of a memoryFS up to which all of it goes over. */
const SMALL_BYTES = 32 << 20;

/** Bytes from this many on are copied here and given away: a copy that messages make is made twice, the second time by who waits for it. */
const MANY_BYTES = 1 << 16;

/** What can be sent of `source`; buffers that go along are added to `moved`. */
function sent<T>(source: T, moved: ArrayBuffer[]): T | Uint8Array<ArrayBuffer> {
  if (!(ArrayBuffer.isView(source) || isBuffer(source)) || source.byteLength < MANY_BYTES) return source;
  const copy = new Uint8Array(bytesOfSource(source as Bytes));
  moved.push(copy.buffer);
  return copy;
}

/** An answer that is sent. */
function moving(bytes: Bytes): Bytes {
  const moved: ArrayBuffer[] = [];
  const copy = sent(bytes, moved);
  return moved.length > 0 ? Comlink.transfer(copy, moved) : copy;
}

/** One link's options, packed, and who answers the questions about them. */
export class Packing implements Callbacks {
  readonly packed: PackedOptions;
  readonly ends: readonly Hook[];
  /** What a function of the page threw that ends the link. */
  private thrown: { error: unknown } | undefined;
  /** Counts links. */
  private links = 0;
  /** What was answered in this link, in case it begins again in another worker; null = it will not. */
  private answers: Map<string, Promise<unknown>> | null = null;
  private readonly sources: (() => Bytes | Promise<Bytes>)[] = [];
  private readonly layers: LinkFileSystem[] = [];
  private readonly hooks: readonly Hook[];
  private readonly onProgress: LinkOptions["onProgress"];
  /** What a context was told, by path: saying it to another worker makes no other source of it. */
  private readonly changes = new Map<string, { source: ByteSource; packed: PackedSource }>();

  /** Sets up the plugins. `kept`: for many links, so file systems in memory go over whole, whatever their size. */
  static async of(options: LinkOptions, kept = false): Promise<Packing> {
    checkAborted(options.signal);
    return new Packing(options, await setUp(options.plugins, options.signal), kept);
  }

  private constructor(options: LinkOptions, hooks: readonly Hook[], kept: boolean) {
    const { inputs, script, fs, plugins: _, signal: __, onProgress, ...plain } = options;
    this.ends = hooks.filter(({ kind }) => kind === "end");
    this.hooks = hooks.filter(({ kind }) => kind !== "end");
    this.onProgress = onProgress;
    this.packed = {
      plain,
      inputs: this.packInputs(inputs),
      script: this.packInputs(script),
      fs: fs === undefined ? undefined : layersOf(fs).map((layer) => this.packFs(layer, kept)),
      hooks: this.hooks.map(({ kind, filter, namespace }) => ({ kind, filter, namespace })),
      progress: onProgress !== undefined,
      parsed: null,
    };
  }

  /** `packed` for a message, which may take it away. */
  get message(): PackedOptions {
    const moved: ArrayBuffer[] = [];
    const { packed } = this;
    const inputs = (value: unknown): unknown => mapSources(value, (source) => sent(source, moved));
    const fs = packed.fs?.map((layer): PackedFs => ("memory" in layer ? { memory: layer.memory.map(([path, source]) => [path, sent(source, moved)]) } : layer));
    const parsed = parsedBefore({ ...packed.plain, inputs: packed.inputs, script: packed.script } as LinkOptions);
    return Comlink.transfer({ ...packed, inputs: inputs(packed.inputs), script: inputs(packed.script), fs, parsed }, moved);
  }

  /** Who answers questions; null = there will be none. */
  get callbacks(): Callbacks | null {
    const { sources, layers, hooks, packed } = this;
    return sources.length + layers.length + hooks.length > 0 || packed.progress || hasResponseFiles(packed.plain) ? Comlink.proxy(this as Callbacks) : null;
  }

  private packInputs(value: unknown): unknown {
    return mapSources(value, (source) => this.packSource(source));
  }

  packSource(source: ByteSource): PackedSource {
    if (typeof source === "function") return { ask: this.sources.push(source) - 1 };
    if (isBlob(source)) return source;
    try {
      bytesOfSource(source);
      return source;
    } catch {
      // Cannot be sent either: what is wrong with it is said when it is read.
      return { ask: this.sources.push(() => source) - 1 };
    }
  }

  /** What `update` of a context was told, for a message. */
  packChanges(changes: ReadonlyMap<string, ByteSource | null | undefined>): PackedChange[] {
    const moved: ArrayBuffer[] = [];
    const packed = Array.from(changes, ([path, source]): PackedChange => [path, source == null ? source : sent(this.packChange(path, source), moved)]);
    return Comlink.transfer(packed, moved);
  }

  private packChange(path: string, source: ByteSource): PackedSource {
    const known = this.changes.get(path);
    if (known?.source === source) return known.packed;
    const packed = this.packSource(source);
    this.changes.set(path, { source, packed });
    return packed;
  }

  private packFs(fs: LinkFileSystem, kept: boolean): PackedFs {
    if (!isMemory(fs)) return { layer: this.layers.push(fs) - 1 };
    const files = [...fs.sources];
    const small = files.reduce((sum, [, source]) => sum + (isBlob(source) ? 0 : sizeOfSource(source)), 0) <= SMALL_BYTES;
    if (!small && !kept) return { layer: this.layers.push(fs) - 1 };
    return { memory: files.map(([path, source]) => [path, this.packSource(source)]) };
  }

  // ---- of one link after the other ----

  /** A link that may begin again elsewhere: until it ends, nobody is asked the same twice. */
  async remembering<T>(link: () => Promise<T>): Promise<T> {
    this.answers = new Map();
    try {
      return await link();
    } finally {
      this.answers = null;
    }
  }

  private once<T>(question: readonly unknown[], ask: () => T | Promise<T>): Promise<T> {
    const key = JSON.stringify(question);
    const known = this.answers?.get(key);
    if (known !== undefined) return known as Promise<T>;
    const answer = (async () => ask())();
    this.answers?.set(key, answer);
    return answer;
  }

  /** Runs a function of the page whose error is the link's. */
  private async ending<T>(run: () => T | Promise<T>): Promise<T> {
    const { links } = this;
    try {
      return await run();
    } catch (error) {
      // An aborted link may have asked it.
      if (links === this.links) this.thrown ??= { error };
      throw error;
    }
  }

  /** A link begins in a worker. */
  begin(): void {
    this.links++;
    this.thrown = undefined;
  }

  /** Throws what a function of the page threw. */
  rethrow(): void {
    if (this.thrown !== undefined) throw this.thrown.error;
  }

  // ---- what the worker asks ----

  async source(id: number): Promise<Bytes> {
    return moving(await this.once(["source", id], () => readSource(this.sources[id]!)));
  }

  stat(layer: number, path: string): Promise<FileStat | undefined> {
    return this.once(["stat", layer, path], () => this.layers[layer]!.stat(path));
  }

  async read(layer: number, path: string): Promise<Bytes> {
    return moving(await this.once(["read", layer, path], () => this.layers[layer]!.read(path)));
  }

  hook(id: number, args: unknown): Promise<unknown> {
    const { kind, callback } = this.hooks[id]!;
    const ask = async (): Promise<unknown> => this.packInputs(await callback(args as never));
    return this.once(["hook", id, args], () => (kind === "load" ? ask() : this.ending(ask)));
  }

  progress(progress: Progress): Promise<void> {
    return this.report(this.onProgress!, progress);
  }

  async parse(line: Expansion, kind: LinkOptions["kind"]): Promise<Parsed> {
    return parsedLine(line, kind);
  }

  /** onProgress of this link, or of one of a context. */
  report(onProgress: NonNullable<LinkOptions["onProgress"]>, progress: Progress): Promise<void> {
    return this.ending(() => onProgress(progress));
  }
}

/** The result of a link; throws what it was ended by. */
export function unpackOutcome(outcome: PackedOutcome, packing: Packing, signal: AbortSignal | undefined): LinkResult {
  packing.rethrow();
  if ("needs" in outcome) throw new HandOver(outcome.needs);
  if ("error" in outcome) {
    const { code, message, diagnostics } = outcome.error;
    throw new LinkError(code, message, diagnostics, code === "ABORTED" ? { cause: signal?.reason } : undefined);
  }
  return outcome.result;
}
