/**
 * The API in pages and their workers: `import { link } from "wield"`.
 *
 * Links run in a worker, so that the page never waits; where the page is cross-origin isolated, that worker starts helpers for
 * large links. The addresses of the worker and the kernels are literals, because that is what bundlers look for.
 */
import { WorkerEngine } from "./api/client.ts";
import type { KernelSource } from "./api/engine.ts";
import type { Engine, EngineOptions, LinkContext, LinkOptions, LinkResult } from "./api/types.ts";

export { parseArgs } from "./api/command-line.ts";
export { layerFS, memoryFS } from "./api/file-system.ts";
export { LinkError } from "./api/link-error.ts";
export type * from "./api/types.ts";

function defaultWorker(): Worker {
  return new Worker(new URL("./web-worker.mjs", import.meta.url), { type: "module" });
}

function kernelSource(kernels: EngineOptions["kernels"]): KernelSource {
  if (kernels === undefined) return { url: new URL("./kernels.wasm", import.meta.url).href };
  return typeof kernels === "string" || kernels instanceof URL ? { url: new URL(kernels, globalThis.location?.href).href } : kernels;
}

/** An engine with files of one's own, or one that can be ended. */
export function createEngine(options: EngineOptions = {}): Engine {
  return new WorkerEngine(options.createWorker ?? defaultWorker, () => kernelSource(options.kernels));
}

let shared: Engine | undefined;

/** Links. See LinkOptions for what may be said, LinkResult for what comes back. */
export function link(options: LinkOptions): Promise<LinkResult> {
  shared ??= createEngine();
  return shared.link(options);
}

/** A link that will be repeated. Nothing is linked yet. */
export function createContext(options: LinkOptions): Promise<LinkContext> {
  shared ??= createEngine();
  return shared.createContext(options);
}
