/**
 * The API in one file: `import { link } from "wield/inline"`. Fetches nothing, needs no bundler's help and no permission.
 *
 * The linker is text in here. A page runs it in a worker made of a Blob; elsewhere (Node, Deno, Bun, a page's own worker) it runs
 * in the thread that asks, because there is nothing to keep it from. Real files are not looked at.
 */
import { WorkerEngine } from "./api/client.ts";
import type { LocalEngine } from "./api/context.ts";
import type * as EngineModule from "./api/engine.ts";
import { kernelSource } from "./api/kernel-source.ts";
import { LinkError } from "./api/link-error.ts";
import { linkHere, openHere } from "./api/local.ts";
import { parseHere } from "./api/parse-line.ts";
import { sharedEngine } from "./api/shared-engine.ts";
import type { Engine, EngineOptions, LinkContext, LinkOptions, LinkResult } from "./api/types.ts";
// @ts-expect-error made by the build: the text of a script that sets wieldEngine
import engineText from "wield:engine";
// @ts-expect-error made by the build: bytes
import kernelBytes from "wield:kernels";

export { parseArgs } from "./api/parse-line.ts";
export { layerFS, memoryFS } from "./api/file-system.ts";
export { LinkError } from "./api/link-error.ts";
export type * from "./api/types.ts";

const kernels = kernelBytes as Uint8Array;
const text = engineText as string;

function blobWorker(): Worker {
  // No module: those are not loaded from Blobs in frames of an opaque origin (sandbox).
  const url = URL.createObjectURL(new Blob([text, '\nwieldEngine.serveWorker("classic");'], { type: "text/javascript" }));
  // The address stays good: the worker starts helpers by it.
  return new Worker(url);
}

/** The text has a LinkError of its own. */
function ownError(error: unknown): unknown {
  if (error instanceof LinkError || (error as Error | undefined)?.name !== "LinkError") return error;
  const { code, message, diagnostics, cause } = error as LinkError;
  return new LinkError(code, message, diagnostics, { cause });
}

const ownErrors = <T>(promise: Promise<T>): Promise<T> => promise.catch((error: unknown) => Promise.reject(ownError(error)));

/** The linker in this thread. */
class ThreadEngine implements Engine {
  readonly threads = Promise.resolve(1);
  private readonly source: EngineOptions["kernels"];
  private engine: Promise<LocalEngine> | undefined;

  constructor(source: EngineOptions["kernels"]) {
    this.source = source;
  }

  async link(options: LinkOptions): Promise<LinkResult> {
    return linkHere(await (this.engine ??= this.start()), options);
  }

  async createContext(options: LinkOptions): Promise<LinkContext> {
    return openHere(await (this.engine ??= this.start()), options);
  }

  dispose(): void {
    this.engine = Promise.reject(new LinkError("DISPOSED", "the engine has been disposed of"));
    this.engine.catch(() => undefined);
  }

  private async start(): Promise<LocalEngine> {
    const module = new Function(`${text}\nreturn wieldEngine;`)() as typeof EngineModule;
    const engine = module.createEngine(await module.compileKernels(kernelSource(this.source, kernels)), null).parsing(parseHere);
    return {
      link: (options, hooks) => ownErrors(engine.link(options, hooks)),
      open(options, hooks) {
        const inner = engine.open(options, hooks);
        return { change: (changes) => inner.change(changes), link: (watching) => ownErrors(inner.link(watching)), isStale: () => inner.isStale(), end: () => inner.end() };
      },
    };
  }
}

/** An engine of one's own. In a page: a worker. */
export function createEngine(options: EngineOptions = {}): Engine {
  if (typeof document === "undefined" && options.createWorker === undefined) return new ThreadEngine(options.kernels);
  return new WorkerEngine(options.createWorker ?? blobWorker, () => kernelSource(options.kernels, kernels), "a Content-Security-Policy has to allow blob: in worker-src");
}

/** See declarations.d.ts. */
export const { link, createContext } = sharedEngine(createEngine);
