/**
 * A page's side of linking: one worker that is started when it is first needed and stays for the next link.
 *
 * Knows neither where the worker's file is nor the kernels: browser.ts and inline.ts do.
 */
import * as Comlink from "comlink";
import { BaseContext } from "./base-context.ts";
import { checkOptions } from "./check.ts";
import type { EngineEndpoint } from "./engine.ts";
import type { KernelSource } from "./kernel-source.ts";
import { LinkError } from "./link-error.ts";
import { Packing, unpackOutcome } from "./remote.ts";
import type { ByteSource, Engine, LinkOptions, LinkResult, RelinkOptions } from "./types.ts";

interface Started {
  worker: Worker;
  endpoint: Comlink.Remote<EngineEndpoint>;
  threads: Promise<number>;
  /** Rejects when the worker cannot be started, or dies. */
  death: Promise<never>;
}

export class WorkerEngine implements Engine {
  private readonly createWorker: () => Worker;
  private readonly kernels: () => KernelSource | Promise<KernelSource>;
  private started: Started | undefined;
  private jobs = 0;
  private contexts = 0;
  private disposed = false;

  constructor(createWorker: () => Worker, kernels: () => KernelSource | Promise<KernelSource>) {
    this.createWorker = createWorker;
    this.kernels = kernels;
  }

  get threads(): Promise<number> {
    try {
      return this.start().threads;
    } catch (error) {
      return Promise.reject(error as LinkError);
    }
  }

  async link(options: LinkOptions): Promise<LinkResult> {
    checkOptions(options);
    const { signal } = options;
    const isAborted = (): boolean => signal?.aborted === true;
    const aborted = (): LinkError => new LinkError("ABORTED", "the link was aborted", [], { cause: signal?.reason });
    if (isAborted()) throw aborted();
    const packing = await Packing.of(options);
    const { endpoint, death } = this.start();
    const job = ++this.jobs;
    const onAbort = (): void => void endpoint.abort(job);
    signal?.addEventListener("abort", onAbort);
    try {
      if (isAborted()) throw aborted();
      const watched = signal !== undefined || options.onProgress !== undefined;
      const outcome = await Promise.race([endpoint.link(job, packing.packed, Comlink.proxy(packing), watched), death]);
      return await unpackOutcome(outcome, packing, options);
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async createContext(options: LinkOptions): Promise<BaseContext> {
    checkOptions(options);
    const packing = await Packing.of(options, true);
    return new RemoteContext(this.start(), ++this.contexts, packing, () => ++this.jobs);
  }

  dispose(): void {
    this.disposed = true;
    this.started?.worker.terminate();
    this.started = undefined;
  }

  private start(): Started {
    if (this.disposed) throw new LinkError("DISPOSED", "the engine has been disposed of");
    return (this.started ??= this.startWorker());
  }

  /** The kernels come while the worker starts, and a link is on its way before either is there. */
  private startWorker(): Started {
    let fail = (_: LinkError): void => undefined;
    const death = new Promise<never>((_, failed) => (fail = failed));
    death.catch(() => undefined);
    const worker = this.createWorker();
    const endpoint = Comlink.wrap<EngineEndpoint>(worker);
    const end = (message: string, cause?: unknown): void => {
      if (this.started?.worker === worker) this.started = undefined;
      worker.terminate();
      fail(new LinkError("INIT_FAILED", message, [], { cause }));
    };
    worker.addEventListener("error", (event) => {
      end(`the linker's worker failed: ${event.message || "its file cannot be loaded (where a bundler does not copy it: wield/inline, or createEngine with createWorker and kernels)"}`);
    });
    const answer = Promise.resolve(this.kernels()).then((kernels) => endpoint.start(kernels));
    answer.catch((error: unknown) => end(`the linker cannot be started: ${(error as Error)?.message ?? error}`, error));
    const threads = Promise.race([answer, death]);
    threads.catch(() => undefined);
    return { worker, endpoint, threads, death };
  }
}

/** A context on the other side of the worker. */
class RemoteContext extends BaseContext {
  private readonly engine: Started;
  private readonly id: number;
  private readonly packing: Packing;
  private readonly nextJob: () => number;

  constructor(engine: Started, id: number, packing: Packing, nextJob: () => number) {
    super();
    this.engine = engine;
    this.id = id;
    this.packing = packing;
    this.nextJob = nextJob;
    void engine.endpoint.open(id, packing.packed, Comlink.proxy(packing));
  }

  protected change(changes: Readonly<Record<string, ByteSource | null | undefined>>): void {
    void this.engine.endpoint.update(this.id, Object.entries(changes).map(([path, source]) => [path, source == null ? source : this.packing.packSource(source)]));
  }

  protected async link(options: RelinkOptions): Promise<LinkResult> {
    const { signal, onProgress } = options;
    const job = this.nextJob();
    const onAbort = (): void => void this.engine.endpoint.abort(job);
    if (signal?.aborted === true) throw new LinkError("ABORTED", "the link was aborted", [], { cause: signal.reason });
    signal?.addEventListener("abort", onAbort);
    try {
      const progress = onProgress === undefined ? null : Comlink.proxy(onProgress);
      const watched = signal !== undefined || onProgress !== undefined;
      const outcome = await Promise.race([this.engine.endpoint.relink(job, this.id, progress, watched), this.engine.death]);
      return await unpackOutcome(outcome, this.packing, options);
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  isStale(): Promise<boolean> {
    return Promise.race([this.engine.endpoint.isStale(this.id), this.engine.death]);
  }

  protected end(): void {
    void this.engine.endpoint.close(this.id);
  }
}
