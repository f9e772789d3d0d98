/**
 * Links through the API: options → attempts → result.
 *
 * An attempt is a whole run of the linker over what is known. It is repeated when files had to be waited for
 * (host/virtual.ts) or a plugin supplied inputs for undefined symbols; only the last one counts. Nothing is shared
 * between links, so any number may run at once; a context (context.ts) keeps a session for one link after another.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Context, LinkObserver } from "../context.ts";
import { Diagnostics, LinkFailed } from "../diagnostics/print.ts";
import { HandOver } from "../host/hand-over.ts";
import { HostError, readText, type Host } from "../host/host.ts";
import { RecycledOutput, takeMemory } from "../host/recycled-output.ts";
import { VirtualHost, Wanted, type Platform } from "../host/virtual.ts";
import { REAL, type Layer } from "../host/virtual-files.ts";
import { link as runLink } from "../link.ts";
import { canTakeUp, relink } from "../relink.ts";
import { Machine } from "../memory/machine.ts";
import { decoded, writtenBy } from "../memory/text.ts";
import { layoutOf } from "../report/layout.ts";
import { linkMap } from "../report/map.ts";
import { commandLine, type Parser } from "./command-line.ts";
import { diagnosticOf } from "./diagnostic.ts";
import { bytesOfSource, isLater, readSource, shown, sizeOfSource } from "./byte-source.ts";
import { checkAborted, untilAborted } from "./abort.ts";
import { isMemory, layersOf, MemoryFiles, plainPath, REAL_FILES } from "./file-system.ts";
import type { Hook } from "./hooks.ts";
import { LinkError } from "./link-error.ts";
import { graphOf } from "./link-graph.ts";
import { Plugins } from "./plugins.ts";
import type { ByteSource, Diagnostic, FileStat, Input, LinkFileSystem, LinkGraph, LinkMap, LinkOptions, LinkResult, LinkStats, PassTiming, RelinkOptions, VirtualFile } from "./types.ts";

/** What a runtime gives to the API. */
export interface Runtime {
  /** Loads what loads asynchronously (the kernels in a page). Rejects with LinkError INIT_FAILED. */
  platform(): Promise<Platform> | Platform;
  /** Real files for one link; null = there are none. */
  realFiles(): Host | null;
  parse: Parser;
}

/** Machine counts memory in these. */
const PAGE_BYTES = 65536;
/** Passes of an ordinary link, for progress. */
const PASSES = 20;
/** Rounds in which plugins may supply inputs. */
const ROUNDS = 64;

const NO_STATS: LinkStats = { files: 0, objects: 0, members: 0, relocations: 0, symbols: 0, threads: 1, memory: 0 };

/** What an attempt came to. */
interface Attempt {
  ok: boolean;
  /** The file's name on the command line or in a script. */
  output: ByteString;
  diagnostics: Diagnostic[];
  map: LinkMap | undefined;
  graph: LinkGraph | undefined;
  passes: Context["passes"];
  stats: LinkStats;
}

/** What a function of the program threw while the linker was at work: the link rejects with that. */
class Thrown extends Error {}

/** What a context keeps between links. */
export interface Kept {
  /** What `update` has said, by plainPath; null = the file is gone. */
  readonly updates: Map<string, ByteSource | null>;
  /** The last link, where it can be taken up. */
  last: Context | null;
}

export class Session {
  private readonly runtime: Runtime;
  private readonly options: LinkOptions;
  private readonly kept: Kept | null;
  private watching: RelinkOptions = {};
  private passes = 0;
  private platform: Platform | undefined;
  /** The context's memory was too small, and is as large as can be now. */
  private outgrown = false;
  /** Of a context, it stays until the end; null = nothing has been linked yet, or the context has been disposed of. */
  private machine: Machine | null = null;
  private readonly plugins: Plugins;
  private host: VirtualHost | undefined;

  /** `options`: checked. `kept`: of a context, null = this is the only link. */
  constructor(runtime: Runtime, options: LinkOptions, hooks: readonly Hook[], kept: Kept | null) {
    this.runtime = runtime;
    this.options = options;
    this.plugins = new Plugins(hooks);
    this.kept = kept;
  }

  /** Failed links are results, too. */
  async link({ recycle, ...watching }: RelinkOptions): Promise<LinkResult> {
    this.watching = watching;
    const recycled = recycle === undefined ? null : takeMemory(recycle);
    checkAborted(watching.signal);
    this.host?.files.abandon();
    return this.attempts(recycled);
  }

  /** Paths as the linker has them, with contents that were read. */
  get filesRead(): ByteString[] {
    return this.host?.files.filesRead ?? [];
  }

  /** Between links: which files with contents that were read are no longer what they were. `paths`: as plainPath spells them; `stale`: of stale(). */
  refresh(paths: Pick<ReadonlySet<string>, "has">, stale: ReadonlySet<ByteString>): ByteString[] {
    const files = this.host?.files;
    if (files === undefined) return [];
    return [...files.forget((path) => paths.has(plainPath(decoded(path)))), ...files.refresh(stale)];
  }

  /** A context forgets everything: after a bug, nobody knows what it left behind. */
  reset(): void {
    this.machine?.stop();
    this.machine = null;
    this.kept!.last = null;
    this.host = undefined;
  }

  /** Nothing is kept. */
  end(): void {
    this.leave();
    this.reset();
  }

  private machineOf(platform: Platform, files: readonly VirtualFile[]): Machine {
    if (this.machine !== null) return this.machine;
    const { spare = null, memoryPages, memoryGrows } = platform;
    platform.spare = null;
    const pages = this.outgrown ? undefined : memoryPages?.(this.bytesOf(files));
    const fits = spare !== null && spare.arena.u8.length >= (pages ?? Infinity) * PAGE_BYTES;
    return (this.machine = fits ? spare : new Machine(pages, memoryGrows));
  }

  /** What this ran on may serve another link. */
  private leave(): void {
    const { machine, platform } = this;
    this.machine = null;
    if (machine?.retire() === true && platform!.memoryPages !== undefined) platform!.spare = machine;
  }

  /** Files that have changed without a word. */
  async stale(): Promise<ReadonlySet<ByteString>> {
    return this.host === undefined ? new Set() : this.host.files.stale();
  }

  private async attempts(recycled: ArrayBuffer | null): Promise<LinkResult> {
    const { signal } = this.watching;
    const platform = (this.platform ??= await untilAborted(signal, this.runtime.platform()));
    const began = platform.now();
    const more: Input[] = [];
    const files = commandLine(this.options, []).files;
    const host = this.startHost(platform, files);
    host.recycled = recycled === null ? null : new RecycledOutput(recycled);
    const taken = await this.takeUp(host);
    if (this.kept !== null) host.files.settle();
    if (taken !== null) return resultOf(taken, host, platform.now() - began, began);
    for (let round = 0; ; round++) {
      const attempt = await this.attempt(host, this.machineOf(platform, files), more);
      if (this.kept === null) this.leave();
      if (host.files.isWaiting) {
        await untilAborted(signal, host.files.fetch());
        host.restart();
        continue;
      }
      if (platform.memoryPages !== undefined && !this.outgrown && attempt.diagnostics.some(({ code }) => code === "OUT_OF_MEMORY")) {
        this.outgrown = true;
        if (this.kept !== null) {
          this.reset();
          return this.attempts(recycled);
        }
        host.restart();
        continue;
      }
      const supplied = attempt.ok || round >= ROUNDS ? [] : await this.supplied(attempt);
      if (supplied.length === 0) return resultOf(attempt, host, platform.now() - began, began);
      more.push(...supplied);
      const added = commandLine({ inputs: supplied }, []).files;
      const paths = new Set(added.map(({ name }) => plainPath(name)));
      files.push(...added);
      host.files.replaceLayers(this.layers(files), (path) => paths.has(plainPath(decoded(path))));
      host.restart();
    }
  }

  /** The last link with what has changed since; null = it has to be linked from the beginning. */
  private async takeUp(host: VirtualHost): Promise<Attempt | null> {
    const ctx = this.kept?.last;
    if (ctx == null) return null;
    this.kept!.last = null;
    let replaced = host.files.replaced();
    for (; replaced === null && host.files.isWaiting; replaced = host.files.replaced()) await untilAborted(this.watching.signal, host.files.fetch());
    const sources = replaced?.map((file) => ({ ...file, source: ctx.sources.indexOf(file.path) }));
    if (sources === undefined || sources.some(({ source }) => source < 0)) return null;
    this.passes = 0;
    const attempt = newAttempt(ctx.options.output);
    try {
      attempt.ok = await relink(ctx, sources, this.observer(attempt), host.keptOutput);
    } catch (error) {
      throw rejection(error, []);
    } finally {
      host.release();
    }
    if (!attempt.ok) host.restart();
    else if (canTakeUp(ctx)) this.kept!.last = ctx;
    return attempt.ok ? attempt : null;
  }

  private real: Host | null = null;

  private startHost(platform: Platform, files: readonly VirtualFile[]): VirtualHost {
    if (this.host !== undefined) {
      this.host.files.replaceLayers(this.layers(files));
      this.host.restart();
      return this.host;
    }
    this.real = this.runtime.realFiles();
    this.host = new VirtualHost({
      platform, real: this.real,
      layers: this.layers(files),
      machine: this.kept === null ? null : this.machineOf(platform, files),
      write: this.options.write === true && this.real !== null,
      onPass: () => this.onPass,
      resolve: this.plugins.resolver,
    });
    return this.host;
  }

  /** Of all files; Infinity = there may be others than those in memory. */
  private bytesOf(files: readonly VirtualFile[]): number {
    const { kept, plugins, options: { fs } } = this;
    const layers = fs === undefined ? [] : layersOf(fs);
    if (kept !== null || this.real !== null || plugins.layer !== null || !layers.every(isMemory)) return Infinity;
    const sources = [...files.map(({ data }) => data), ...layers.flatMap((layer) => [...layer.sources.values()])];
    return sources.reduce((sum, source) => sum + (typeof source === "function" ? Infinity : sizeOfSource(source)), 0);
  }

  /** Who is asked for a path, in order. A context keeps the contents of real files. */
  private layers(files: readonly VirtualFile[]): (Layer | typeof REAL)[] {
    const { plugins, real } = this;
    const layers: (Layer | typeof REAL)[] = this.kept === null ? [] : [updatesLayer(this.kept.updates)];
    if (files.length > 0) layers.push(asLayer(new MemoryFiles(files.map(({ name, data }) => [name, data]))));
    if (plugins.layer !== null) layers.push(plugins.layer);
    const realLayer = this.kept === null || real === null ? REAL : keptFiles(real);
    const { fs } = this.options;
    for (const layer of fs === undefined ? [null] : layersOf(fs)) layers.push(layer === null || REAL_FILES in layer ? realLayer : asLayer(layer));
    return layers;
  }

  private get onPass(): ((name: string) => Promise<void>) | null {
    const { signal, onProgress } = this.watching;
    if (signal === undefined && onProgress === undefined) return null;
    return async (name) => {
      // A page that links in a worker answers later; it may abort until then.
      try {
        await untilAborted(signal, onProgress?.({ pass: name, done: Math.min(this.passes++, PASSES - 1), total: PASSES }));
      } catch (cause) {
        throw new Thrown("", { cause });
      }
      await turn();
      checkAborted(signal);
    };
  }

  private async attempt(host: VirtualHost, machine: Machine, more: readonly Input[]): Promise<Attempt> {
    this.passes = 0;
    const attempt = newAttempt("");
    let ended: Context | null = null;
    const diag = new Diagnostics((stream, text) => host.print(stream === "stdout" ? "out" : "err", text));
    diag.listener = (severity, message) => void attempt.diagnostics.push(diagnosticOf(severity, message));
    try {
      const parsed = await this.runtime.parse(this.options, more, (path) => textOf(host, path));
      diag.configure({ ...parsed.options, color: "never" });
      diag.text(parsed.text);
      for (const warning of parsed.warnings) diag.warn(warning);
      for (const error of parsed.errors) diag.error(error);
      if (parsed.action === "link") {
        const status = await runLink(parsed.options, host, diag, machine, this.observer(attempt, (ctx) => (ended = ctx)), this.kept !== null);
        attempt.ok = status === 0;
        attempt.output = parsed.options.output;
      } else attempt.ok = !diag.hasErrors;
    } catch (error) {
      // What is awaited was missed like a file that is not there, and a message about it is beyond the quick program.
      if (error instanceof LinkFailed || error instanceof Wanted || (error instanceof HandOver && host.files.isWaiting)) return attempt;
      throw rejection(error, attempt.diagnostics);
    } finally {
      host.release();
    }
    this.keep(ended, attempt, host);
    return attempt;
  }

  /** A link that said nothing, wrote only its output and knows no plugins can be taken up by the next. */
  private keep(ctx: Context | null, attempt: Attempt, host: VirtualHost): void {
    if (this.kept === null || ctx === null || !attempt.ok || attempt.diagnostics.length > 0) return;
    if (host.text === "" && host.outputs.size === 1 && !this.plugins.asked && canTakeUp(ctx)) this.kept.last = ctx;
  }

  private observer(attempt: Attempt, ended?: (ctx: Context) => void): LinkObserver {
    return {
      laidOut: (ctx) => {
        if (this.options.map === true) attempt.map = { ...layoutOf(ctx), text: decoded(writtenBy((write) => linkMap(ctx, write))) };
        if (this.options.graph === true) attempt.graph = graphOf(ctx);
      },
      linked: (ctx) => {
        attempt.passes = ctx.passes;
        attempt.stats = statsOf(ctx);
        ended?.(ctx);
      },
    };
  }

  private async supplied(attempt: Attempt): Promise<Input[]> {
    const { plugins } = this;
    if (!plugins.wantsUndefined) return [];
    const symbols = attempt.diagnostics.filter(({ severity, code }) => severity === "error" && code === "UNDEFINED_SYMBOL").map(({ rawSymbol, symbol }) => rawSymbol ?? symbol ?? "");
    return symbols.length === 0 ? [] : plugins.supply([...new Set(symbols)], this.watching.signal);
  }
}

/** What a link rejects with that was ended by `error`. */
function rejection(error: unknown, diagnostics: readonly Diagnostic[]): unknown {
  if (error instanceof Thrown) return error.cause;
  if (error instanceof LinkError || error instanceof HandOver) return error;
  return new LinkError("INTERNAL", `internal error: ${(error as Error)?.message ?? error}`, diagnostics, { cause: error });
}

function newAttempt(output: ByteString): Attempt {
  return { ok: false, output, diagnostics: [], map: undefined, graph: undefined, passes: [], stats: NO_STATS };
}

function resultOf(attempt: Attempt, host: VirtualHost, total: number, began: number): LinkResult {
  const { outputs } = host;
  const output = attempt.ok ? (outputs.get(attempt.output) ?? new Uint8Array(0)) : new Uint8Array(0);
  outputs.delete(attempt.output);
  return {
    ok: attempt.ok,
    output,
    files: new Map([...outputs].map(([path, bytes]) => [decoded(path), bytes])),
    text: decoded(host.text),
    diagnostics: attempt.diagnostics,
    map: attempt.ok ? attempt.map : undefined,
    graph: attempt.ok ? attempt.graph : undefined,
    timings: { total, passes: attempt.passes.map(({ name, start, end }): PassTiming => ({ name, start: start - began, milliseconds: end - start })) },
    stats: attempt.stats,
  };
}

/** What `update` has said comes before everything else. */
function updatesLayer(updates: Kept["updates"]): Layer {
  return {
    stat(path) {
      const source = updates.get(plainPath(decoded(path)));
      return source == null ? source : { bytes: sizeOfSource(source), modified: 0 };
    },
    read: (path) => readSource(updates.get(plainPath(decoded(path)))!),
  };
}

/** Real files whose contents stay in memory, which workers can share, as long as size and time of modification are the same. */
function keptFiles(real: Host): Layer {
  return {
    volatile: true,
    isReal: true,
    stat(path) {
      const stat = real.stat(path);
      return stat === undefined || stat.kind === "directory" ? undefined : { bytes: stat.bytes, modified: stat.modified };
    },
    read: (path) => real.readAll(path),
  };
}

/** Lets timers, messages and abort events in. In browsers a message comes sooner than a timer. */
function turn(): Promise<void> {
  return new Promise((done) => {
    if (typeof setImmediate === "function") return void setImmediate(done);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      done();
    };
    port2.postMessage(0);
  });
}

function asLayer(fs: LinkFileSystem): Layer {
  const shape = (stat: FileStat | undefined) => {
    if (stat == null) return undefined;
    if (typeof stat.size !== "number") throw new TypeError(`stat gave ${shown(stat)} without a size`);
    return { bytes: stat.size, modified: stat.mtimeMs ?? 0 };
  };
  return {
    volatile: !isMemory(fs),
    stat(path) {
      const stat = fs.stat(decoded(path));
      return isLater(stat) ? Promise.resolve(stat).then(shape) : shape(stat);
    },
    read(path) {
      const bytes = fs.read(decoded(path));
      return isLater(bytes) ? Promise.resolve(bytes).then(bytesOfSource) : bytesOfSource(bytes);
    },
  };
}

/** A response file; undefined when it cannot be read. */
function textOf(host: Host, path: ByteString): ByteString | undefined {
  try {
    return readText(host, path);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

function statsOf(ctx: Context): LinkStats {
  const { inputs, kernels, objects, tables: { obj: { fileId } } } = ctx;
  const files = Array.from(objects, (obj) => inputs[fileId[obj]!]).filter((input) => input !== undefined && input.id > 1);
  const { resolved } = ctx.checkpoint;
  const unused = resolved === null ? 0 : resolved.area.end - resolved.area.at;
  return {
    files: ctx.loadedFiles.length, objects: files.length, members: files.filter((input) => input!.member !== "").length, relocations: kernels.relocationCount() >>> 0,
    symbols: kernels.mentionedSymbols() >>> 0, threads: ctx.pool.threads, memory: ctx.arena.mark() - unused,
  };
}

