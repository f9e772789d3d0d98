/**
 * The linker in a worker of its own, as web-worker.mjs and the Blob of inline.mjs run it: what it answers, in both of its roles.
 *
 * The same file is started for the thread that links and for the threads that help it; nobody tells them apart but by what is
 * called. A link that nobody asked to watch is not interrupted by messages: abort and progress cost turns of the event loop.
 */
import * as Comlink from "comlink";
import { createVirtualIo } from "../host/virtual-io.ts";
import type { Platform } from "../host/virtual.ts";
import { createWebPlatform, webCompression } from "../host/web.ts";
import { PHASES } from "../memory/phases.ts";
import { serve, type WorkerEndpoint } from "../memory/pool.ts";
import { LinkError } from "./link-error.ts";
import { linkWith } from "./link.ts";
import { unpackOptions, type Callbacks, type PackedOptions, type PackedOutcome } from "./remote.ts";
import type { LinkOptions, LinkResult } from "./types.ts";

/** Where the kernels come from: compiled, as bytes, or to be fetched. */
export type KernelSource = WebAssembly.Module | Uint8Array | ArrayBuffer | { url: string };

export interface EngineEndpoint extends WorkerEndpoint {
  /** Compiles the kernels; rejects with why it cannot. Resolves to the number of threads there can be. */
  start(kernels: KernelSource): Promise<number>;
  link(job: number, packed: PackedOptions, callbacks: Callbacks, watched: boolean): Promise<PackedOutcome>;
  abort(job: number): void;
}

export async function compileKernels(source: KernelSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (!("url" in source)) return WebAssembly.compile(source as BufferSource);
  const answer = await fetch(source.url);
  if (!answer.ok) throw new Error(`${source.url}: ${answer.status} ${answer.statusText}`);
  return WebAssembly.compile(await answer.arrayBuffer());
}

/** Links in this thread. */
export function createEngine(kernels: WebAssembly.Module, workers: boolean): { threads: number; link(options: LinkOptions): Promise<LinkResult> } {
  const platform: Platform = createWebPlatform(kernels, workers);
  return { threads: platform.cpus, link: (options) => linkWith({ platform: () => platform, realFiles: () => null }, options) };
}

/** Answers messages to this worker. */
export function serveWorker(): void {
  const io = createVirtualIo(webCompression);
  const jobs = new Map<number, AbortController>();
  let engine: ReturnType<typeof createEngine> | undefined;
  const endpoint: EngineEndpoint = {
    ...serve(io, PHASES),
    async start(source) {
      engine = createEngine(await compileKernels(source), true);
      return engine.threads;
    },
    async link(job, packed, callbacks, watched) {
      const controller = new AbortController();
      jobs.set(job, controller);
      try {
        const { signal, ...options } = unpackOptions(packed, callbacks, controller.signal);
        const result = await engine!.link(watched ? { ...options, signal } : options);
        return Comlink.transfer({ result }, [result.output.buffer, ...[...result.files.values()].map(({ buffer }) => buffer)]);
      } catch (error) {
        const { code, message, diagnostics } = error instanceof LinkError ? error : new LinkError("INTERNAL", String((error as Error)?.message ?? error));
        return { error: { code, message, diagnostics } };
      } finally {
        jobs.delete(job);
        (callbacks as unknown as { [Comlink.releaseProxy]?(): void })[Comlink.releaseProxy]?.();
      }
    },
    abort: (job) => jobs.get(job)?.abort(),
  };
  addEventListener("message", ({ data }) => void io.receive(data));
  Comlink.expose(endpoint);
}
