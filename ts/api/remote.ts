/**
 * Options and results on their way between a page and the worker that links for it.
 *
 * Bytes, Blobs and plain data go as they are; what a program has to be asked for (functions, file systems, plugins) stays where
 * it is and is called back. The surprise: file systems made by memoryFS go over whole when they are small, because asking costs
 * more than copying.
 */
import { HandOver } from "../host/hand-over.ts";
import { bytesOfSource, isBlob, readSource, sizeOfSource } from "./byte-source.ts";
import { isMemory, Layers, layersOf, memoryFS } from "./file-system.ts";
import { LinkError } from "./link-error.ts";
import type { Bytes, ByteSource, Diagnostic, FileStat, Input, LinkErrorCode, LinkFileSystem, LinkOptions, LinkPlugin, LinkResult, Loaded, LoadArguments, PluginHooks, Progress, Resolved, ResolveArguments, VirtualFile } from "./types.ts";

/** A source that is called back: its number. */
export type PackedSource = Exclude<ByteSource, () => unknown> | { ask: number };

type PackedFs = { memory: [path: string, source: PackedSource][] } | { layer: number };

interface PackedHook {
  kind: "resolve" | "load" | "undefined";
  filter: RegExp;
  namespace: string | undefined;
}

/** LinkOptions without functions. */
export interface PackedOptions {
  plain: Omit<LinkOptions, "inputs" | "script" | "fs" | "plugins" | "signal" | "onProgress">;
  inputs: unknown;
  script: unknown;
  fs: PackedFs[] | undefined;
  hooks: PackedHook[];
  progress: boolean;
}

/** What the worker calls. All answers come later. */
export interface Callbacks {
  source(id: number): Promise<Bytes>;
  stat(layer: number, path: string): Promise<FileStat | undefined>;
  read(layer: number, path: string): Promise<Bytes>;
  /** The answer of a hook; sources in it are packed. */
  hook(id: number, args: unknown): Promise<unknown>;
  progress(progress: Progress): void;
}

/** A rejected link, as data: an Error would lose its fields on the way. `needs`: what only the complete program has. */
export type PackedOutcome = { result: LinkResult } | { needs: string } | { error: { code: LinkErrorCode; message: string; diagnostics: readonly Diagnostic[] } };

/** Bytes of a memoryFS up to which all of it goes over. */
const SMALL_BYTES = 4 << 20;

/** Replaces every `data` in inputs, whatever they are nested in. */
function mapSources(value: unknown, change: (source: never) => unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => mapSources(each, change));
  if (typeof value !== "object" || value === null) return value;
  if ("data" in value) return { ...value, data: change(value.data as never) };
  if ("group" in value) return { group: mapSources(value.group, change) };
  if ("wholeArchive" in value) return { wholeArchive: mapSources(value.wholeArchive, change) };
  return value;
}

// ---- the page's side ----

/** One link's options, packed, and who answers the questions about them. */
export class Packing implements Callbacks {
  readonly packed: PackedOptions;
  readonly ends: ((result: LinkResult) => void | Promise<void>)[];
  private readonly sources: (() => Bytes | Promise<Bytes>)[] = [];
  private readonly layers: LinkFileSystem[] = [];
  private readonly callbacks: ((args: never) => unknown)[] = [];
  private readonly onProgress: LinkOptions["onProgress"];

  /** `kept`: for many links, so file systems in memory go over whole, whatever their size. */
  static async of(options: LinkOptions, kept = false): Promise<Packing> {
    const hooks: { hook: PackedHook; callback: (args: never) => unknown }[] = [];
    const ends: Packing["ends"] = [];
    const add = (hook: PackedHook, callback: (args: never) => unknown): void => void hooks.push({ hook, callback });
    for (const plugin of options.plugins ?? []) {
      await plugin.setup({
        onResolve: ({ filter }, callback) => add({ kind: "resolve", filter, namespace: undefined }, callback),
        onLoad: ({ filter, namespace }, callback) => add({ kind: "load", filter, namespace }, callback),
        onUndefined: (callback) => add({ kind: "undefined", filter: /./, namespace: undefined }, callback),
        onEnd: (callback) => void ends.push(callback),
      });
    }
    return new Packing(options, hooks, ends, kept);
  }

  private constructor(options: LinkOptions, hooks: { hook: PackedHook; callback: (args: never) => unknown }[], ends: Packing["ends"], kept: boolean) {
    const { inputs, script, fs, plugins: _, signal: __, onProgress, ...plain } = options;
    this.ends = ends;
    this.onProgress = onProgress;
    this.callbacks.push(...hooks.map(({ callback }) => callback));
    this.packed = {
      plain,
      inputs: this.packInputs(inputs),
      script: this.packInputs(script),
      fs: fs === undefined ? undefined : layersOf(fs).map((layer) => this.packFs(layer, kept)),
      hooks: hooks.map(({ hook }) => hook),
      progress: onProgress !== undefined,
    };
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

  private packFs(fs: LinkFileSystem, kept: boolean): PackedFs {
    if (!isMemory(fs)) return { layer: this.layers.push(fs) - 1 };
    const files = [...fs.sources];
    const small = files.reduce((sum, [, source]) => sum + (isBlob(source) ? 0 : sizeOfSource(source)), 0) <= SMALL_BYTES;
    if (!small && !kept) return { layer: this.layers.push(fs) - 1 };
    return { memory: files.map(([path, source]) => [path, this.packSource(source)]) };
  }

  async source(id: number): Promise<Bytes> {
    return readSource(this.sources[id]!);
  }

  async stat(layer: number, path: string): Promise<FileStat | undefined> {
    return this.layers[layer]!.stat(path);
  }

  async read(layer: number, path: string): Promise<Bytes> {
    return this.layers[layer]!.read(path);
  }

  async hook(id: number, args: unknown): Promise<unknown> {
    const answer = await this.callbacks[id]!(args as never);
    return this.packInputs(answer);
  }

  progress(progress: Progress): void {
    this.onProgress?.(progress);
  }
}

/** The result as `link` gives it; rejects as `link` does. */
export async function unpackOutcome(outcome: PackedOutcome, packing: Packing, options: LinkOptions): Promise<LinkResult> {
  if ("needs" in outcome) throw new HandOver(outcome.needs);
  if ("error" in outcome) {
    const { code, message, diagnostics } = outcome.error;
    throw new LinkError(code, message, diagnostics, code === "ABORTED" ? { cause: options.signal?.reason } : undefined);
  }
  for (const end of packing.ends) await end(outcome.result);
  if (!outcome.result.ok && options.throwOnError !== false) throw LinkError.of(outcome.result.diagnostics);
  return outcome.result;
}

// ---- the worker's side ----

export function unpackSource(data: PackedSource, callbacks: Callbacks): ByteSource {
  return typeof data === "object" && "ask" in data ? () => callbacks.source(data.ask) : data;
}

export function unpackOptions(packed: PackedOptions, callbacks: Callbacks): LinkOptions {
  const source = (data: PackedSource): ByteSource => unpackSource(data, callbacks);
  const inputs = (value: unknown): unknown => mapSources(value, source);
  const layer = (fs: PackedFs): LinkFileSystem => {
    if ("memory" in fs) return memoryFS(new Map(fs.memory.map(([path, data]) => [path, source(data)])));
    return { stat: (path) => callbacks.stat(fs.layer, path), read: (path) => callbacks.read(fs.layer, path) };
  };
  return {
    ...packed.plain,
    inputs: inputs(packed.inputs) as readonly Input[] | undefined,
    script: inputs(packed.script) as string | VirtualFile | undefined,
    fs: packed.fs === undefined ? undefined : new Layers(packed.fs.map(layer)),
    plugins: packed.hooks.length === 0 ? [] : [remotePlugin(packed.hooks, callbacks, inputs)],
    onProgress: packed.progress ? (progress) => callbacks.progress(progress) : undefined,
    throwOnError: false,
  };
}

function remotePlugin(hooks: readonly PackedHook[], callbacks: Callbacks, unpack: (value: unknown) => unknown): LinkPlugin {
  const ask = async (id: number, args: unknown): Promise<unknown> => unpack(await callbacks.hook(id, args));
  return {
    name: "remote",
    setup({ onResolve, onLoad, onUndefined }: PluginHooks) {
      hooks.forEach(({ kind, filter, namespace }, id) => {
        if (kind === "resolve") onResolve({ filter }, (args: ResolveArguments) => ask(id, args) as Promise<Resolved | undefined>);
        else if (kind === "load") onLoad(namespace === undefined ? { filter } : { filter, namespace }, (args: LoadArguments) => ask(id, args) as Promise<Loaded | undefined>);
        else onUndefined((symbols) => ask(id, symbols) as Promise<readonly Input[] | undefined>);
      });
    },
  };
}

