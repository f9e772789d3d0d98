/**
 * The API in pages and their workers: `import { link } from "wield"`.
 *
 * Links run in a worker, so that the page never waits; where the page is cross-origin isolated, that worker starts helpers for
 * large links. A second worker has the complete program and is started when a link needs it. The addresses of the workers and
 * the kernels are literals, because that is what bundlers look for.
 */
import { WorkerEngine } from "./api/client.ts";
import { GrowingEngine } from "./api/growing.ts";
import { compileKernels, kernelSource, type KernelSource } from "./api/kernel-source.ts";
import { sharedEngine } from "./api/shared-engine.ts";
import type { Engine, EngineOptions } from "./api/types.ts";

export { parseArgs } from "./api/parse-line.ts";
export { layerFS, memoryFS } from "./api/file-system.ts";
export { LinkError } from "./api/link-error.ts";
export type * from "./api/types.ts";

const quickWorker = (): Worker => new Worker(new URL("./web-quick.mjs", import.meta.url), { type: "module" });
const completeWorker = (): Worker => new Worker(new URL("./web-worker.mjs", import.meta.url), { type: "module" });

/** Compiled here while the worker starts; where this page may not, the worker does. Once for all workers. */
function compiledOnce(source: KernelSource): () => Promise<KernelSource> {
  let compiled: Promise<KernelSource> | undefined;
  return () => (compiled ??= compileKernels(source).catch(() => ((compiled = undefined), source)));
}

const UNLOADED = "its file (web-*.mjs) cannot be loaded; where a bundler does not copy it: wield/inline, or createEngine with createWorker and kernels; where a Content-Security-Policy forbids it: worker-src";

/** An engine with files of one's own, or one that can be ended. */
export function createEngine({ createWorker, kernels }: EngineOptions = {}): Engine {
  const source = compiledOnce(kernelSource(kernels, { url: new URL("./kernels.wasm", import.meta.url).href }));
  if (createWorker !== undefined) return new WorkerEngine(createWorker, source, UNLOADED);
  return new GrowingEngine(new WorkerEngine(quickWorker, source, UNLOADED), () => new WorkerEngine(completeWorker, source, UNLOADED));
}

/** See declarations.d.ts. */
export const { link, createContext } = sharedEngine(createEngine);
