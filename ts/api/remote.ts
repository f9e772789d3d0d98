/**
 * What a page and the worker that links for it say to each other, and the worker's side of it: options with functions again,
 * which call back. The page's side: packing.ts.
 */
import { expandResponseFiles, type Expansion } from "../args/response-file.ts";
import { utf8 } from "../memory/text.ts";
import { commandLine, type Parsed, type Parser } from "./command-line.ts";
import { Layers, MemoryFiles } from "./file-system.ts";
import type { Hook } from "./hooks.ts";
import type { Bytes, ByteSource, Diagnostic, FileStat, Input, LinkErrorCode, LinkFileSystem, LinkOptions, LinkResult, Progress, VirtualFile } from "./types.ts";

/** A source that is called back: its number. */
export type PackedSource = Exclude<ByteSource, () => unknown> | { ask: number };

/** A file of a context that is another from now on; null = gone, undefined = again what the options have. */
export type PackedChange = [path: string, source: PackedSource | null | undefined];

export type PackedFs = { memory: [path: string, source: PackedSource][] } | { layer: number };

type PackedHook = Omit<Hook, "callback">;

/** LinkOptions without functions. */
export interface PackedOptions {
  plain: Omit<LinkOptions, "inputs" | "script" | "fs" | "plugins" | "signal" | "onProgress">;
  inputs: unknown;
  script: unknown;
  fs: PackedFs[] | undefined;
  hooks: PackedHook[];
  progress: boolean;
  /** What all that says as a command line; null = the worker asks when it has read the files that it takes to know. */
  parsed: Parsed | null;
}

/** What the worker calls. All answers come later. */
export interface Callbacks {
  source(id: number): Promise<Bytes>;
  stat(layer: number, path: string): Promise<FileStat | undefined>;
  read(layer: number, path: string): Promise<Bytes>;
  /** The answer of a hook; sources in it are packed. */
  hook(id: number, args: unknown): Promise<unknown>;
  progress(progress: Progress): Promise<void>;
  /** What a command line means. */
  parse(line: Expansion, kind: LinkOptions["kind"]): Promise<Parsed>;
}

/** A rejected link, as data: an Error would lose its fields on the way. `needs`: what only the complete program has. */
export type PackedOutcome = { result: LinkResult } | { needs: string } | { error: { code: LinkErrorCode; message: string; diagnostics: readonly Diagnostic[] } };

/** Replaces every `data` in inputs, whatever they are nested in. */
export function mapSources(value: unknown, change: (source: never) => unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => mapSources(each, change));
  if (typeof value !== "object" || value === null) return value;
  if ("data" in value) return { ...value, data: change(value.data as never) };
  if ("group" in value) return { group: mapSources(value.group, change) };
  if ("wholeArchive" in value) return { wholeArchive: mapSources(value.wholeArchive, change) };
  return value;
}

/** `callbacks`: null when nothing is asked. */
export function unpackSource(data: PackedSource, callbacks: Callbacks | null): ByteSource {
  return typeof data === "object" && "ask" in data ? () => callbacks!.source(data.ask) : data;
}

const unpackInputs = (value: unknown, callbacks: Callbacks | null): unknown => mapSources(value, (data) => unpackSource(data, callbacks));

/** But for the plugins: unpackHooks. */
export function unpackOptions(packed: PackedOptions, callbacks: Callbacks | null): LinkOptions {
  const layer = (fs: PackedFs): LinkFileSystem => {
    if ("memory" in fs) return new MemoryFiles(fs.memory.map(([path, data]) => [path, unpackSource(data, callbacks)]));
    return { stat: (path) => callbacks!.stat(fs.layer, path), read: (path) => callbacks!.read(fs.layer, path) };
  };
  return {
    ...packed.plain,
    inputs: unpackInputs(packed.inputs, callbacks) as readonly Input[] | undefined,
    script: unpackInputs(packed.script, callbacks) as string | VirtualFile | undefined,
    fs: packed.fs === undefined ? undefined : new Layers(packed.fs.map(layer)),
    onProgress: packed.progress ? (progress) => callbacks!.progress(progress) : undefined,
  };
}

export function unpackHooks({ hooks }: PackedOptions, callbacks: Callbacks | null): Hook[] {
  return hooks.map((hook, id) => ({ ...hook, callback: async (args: unknown) => unpackInputs(await callbacks!.hook(id, args), callbacks) }));
}

/** Who parses for the worker: the page has done so, or is asked. */
export function remoteParser({ parsed }: PackedOptions, callbacks: Callbacks | null): Parser {
  return (options, more, readFile) => {
    if (parsed !== null && more.length === 0) return { ...parsed, options: structuredClone(parsed.options) };
    return callbacks!.parse(expandResponseFiles(commandLine(options, more).args.map(utf8), readFile), options.kind);
  };
}
