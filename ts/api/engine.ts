/**
 * The linker in a worker of its own, as web-worker.mjs and the Blob of inline.mjs run it: what it answers, in both of its roles.
 *
 * The same file is started for the thread that links and for the threads that help it; nobody tells them apart but by what is
 * called. A link that nobody asked to watch is not interrupted by messages: abort and progress cost turns of the event loop.
 */
import * as Comlink from "comlink";
import { withHelpTexts } from "../args/help-texts.ts";
import { createVirtualIo } from "../host/virtual-io.ts";
import type { Platform } from "../host/virtual.ts";
import { HandOver } from "../host/hand-over.ts";
import { createWebPlatform, webIo } from "../host/web.ts";
import { PHASES } from "../phases.ts";
import { serve, type WorkerEndpoint } from "../memory/pool.ts";
import { LinkError } from "./link-error.ts";
import { localEngine, type LocalEngine } from "./context.ts";
import type { Parser } from "./command-line.ts";
import { compileKernels, type KernelSource } from "./kernel-source.ts";
import type { InnerContext } from "./program-context.ts";
import { remoteParser, unpackHooks, unpackOptions, unpackSource, type Callbacks, type PackedChange, type PackedOptions, type PackedOutcome } from "./remote.ts";
import type { LinkResult, Progress } from "./types.ts";

export { compileKernels };

export interface EngineEndpoint extends WorkerEndpoint {
  /** Compiles the kernels; rejects with why it cannot. Resolves to the number of threads there can be. */
  start(kernels: KernelSource): Promise<number>;
  link(job: number, packed: PackedOptions, callbacks: Callbacks | null, watched: boolean): Promise<PackedOutcome>;
  abort(job: number): void;
  /** A context by number, until `close`. */
  open(context: number, packed: PackedOptions, callbacks: Callbacks): Promise<void>;
  /** `changes`: since the last link. */
  relink(job: number, context: number, changes: PackedChange[], onProgress: ((progress: Progress) => Promise<void>) | null, watched: boolean, recycle: Uint8Array<ArrayBuffer> | undefined): Promise<PackedOutcome>;
  isStale(context: number): Promise<boolean>;
  close(context: number): Promise<void>;
}

/** Who parses command lines for it has no texts for --help. */
export interface ParserlessEngine {
  threads: number;
  parsing(parser: Parser): LocalEngine;
}

/** Links in this thread, with `helpers`: as createWebPlatform takes them. */
export function createEngine(kernels: WebAssembly.Module, helpers: WorkerType | null): ParserlessEngine {
  const platform: Platform = createWebPlatform(kernels, helpers);
  const parsing = (parser: Parser): LocalEngine =>
    localEngine({
      platform: () => platform,
      realFiles: () => null,
      async parse(options, more, readFile) {
        const parsed = await parser(options, more, readFile);
        return parsed.action === "help" ? { ...parsed, text: withHelpTexts(parsed.text) } : parsed;
      },
    });
  return { threads: platform.cpus, parsing };
}

function release(proxy: unknown): void {
  (proxy as { [Comlink.releaseProxy]?(): void } | null)?.[Comlink.releaseProxy]?.();
}

/** Answers messages to this worker, which was started as `type`. */
export function serveWorker(type: WorkerType = "module"): void {
  const io = createVirtualIo(webIo);
  const jobs = new Map<number, AbortController>();
  const contexts = new Map<number, { opened: Promise<InnerContext>; callbacks: Callbacks }>();
  let start = (_: ParserlessEngine): void => undefined;
  /** Messages may come before the kernels; each waits, so they keep their order. */
  const engine = new Promise<ParserlessEngine>((done) => (start = done));
  /** Runs a link that can be aborted by its number, also before it begins. */
  const outcome = async (job: number, run: (signal: AbortSignal) => Promise<LinkResult>): Promise<PackedOutcome> => {
    const controller = new AbortController();
    jobs.set(job, controller);
    try {
      const result = await run(controller.signal);
      return Comlink.transfer({ result }, [result.output.buffer, ...[...result.files.values()].map(({ buffer }) => buffer)]);
    } catch (error) {
      if (error instanceof HandOver) return { needs: error.needed };
      const { code, message, diagnostics } = error instanceof LinkError ? error : new LinkError("INTERNAL", String((error as Error)?.message ?? error));
      return { error: { code, message, diagnostics } };
    } finally {
      jobs.delete(job);
    }
  };
  const endpoint: EngineEndpoint = {
    ...serve(io, PHASES),
    async start(source) {
      const made = createEngine(await compileKernels(source), type);
      start(made);
      return made.threads;
    },
    async link(job, packed, callbacks, watched) {
      const done = await outcome(job, async (signal) => {
        const { link } = (await engine).parsing(remoteParser(packed, callbacks));
        const options = unpackOptions(packed, callbacks);
        return link(watched ? { ...options, signal } : options, unpackHooks(packed, callbacks));
      });
      release(callbacks);
      return done;
    },
    abort: (job) => jobs.get(job)?.abort(),
    async open(id, packed, callbacks) {
      const opened = engine.then(({ parsing }) => parsing(remoteParser(packed, callbacks)).open(unpackOptions(packed, callbacks), unpackHooks(packed, callbacks)));
      contexts.set(id, { opened, callbacks });
      await opened;
    },
    async relink(job, id, changes, onProgress, watched, recycle) {
      const { opened, callbacks } = contexts.get(id)!;
      const done = await outcome(job, async (signal) => {
        const context = await opened;
        context.change(changes.map(([path, source]) => [path, source == null ? source : unpackSource(source, callbacks)]));
        return context.link({ recycle, ...(watched ? { signal } : {}), ...(onProgress === null ? {} : { onProgress }) });
      });
      release(onProgress);
      return done;
    },
    async isStale(id) {
      return (await contexts.get(id)!.opened).isStale();
    },
    async close(id) {
      const { opened, callbacks } = contexts.get(id)!;
      contexts.delete(id);
      await (await opened).end();
      release(callbacks);
    },
  };
  addEventListener("message", ({ data }) => void io.receive(data));
  Comlink.expose(endpoint);
}
