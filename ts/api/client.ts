/**
 * A page's side of linking: one worker that is started when it is first needed and stays for the next link.
 *
 * Knows neither where the worker's file is nor the kernels: browser.ts and inline.ts do.
 */
import * as Comlink from "comlink";
import { checkAborted, untilAborted } from "./abort.ts";
import { BaseContext } from "./base-context.ts";
import { checkOptions } from "./check.ts";
import type { EngineEndpoint } from "./engine.ts";
import type { KernelSource } from "./kernel-source.ts";
import { LinkError } from "./link-error.ts";
import { Packing, unpackOutcome, type PackedOutcome } from "./remote.ts";
import type { ByteSource, Engine, LinkOptions, LinkResult, Progress, RelinkOptions } from "./types.ts";

const disposedOf = (): LinkError => new LinkError("DISPOSED", "the engine has been disposed of");

interface Started {
  worker: Worker;
  endpoint: Comlink.Remote<EngineEndpoint>;
  threads: Promise<number>;
  /** Rejects when the worker cannot be started, or dies, or is ended. */
  death: Promise<never>;
  end(error: LinkError): void;
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

  async link(options: LinkOptions, given?: Packing): Promise<LinkResult> {
    checkOptions(options);
    const packing = given ?? (await Packing.of(options));
    const engine = this.start();
    const watched = options.signal !== undefined || options.onProgress !== undefined;
    return runJob(engine, ++this.jobs, packing, options, (job) => engine.endpoint.link(job, packing.packed, Comlink.proxy(packing), watched));
  }

  async createContext(options: LinkOptions, given?: Packing): Promise<BaseContext> {
    checkOptions(options);
    const packing = given ?? (await Packing.of(options, true));
    return new RemoteContext(this.start(), ++this.contexts, packing, () => ++this.jobs);
  }

  dispose(): void {
    this.disposed = true;
    this.started?.end(disposedOf());
  }

  private start(): Started {
    if (this.disposed) throw disposedOf();
    return (this.started ??= this.startWorker());
  }

  /** The kernels come while the worker starts, and a link is on its way before either is there. */
  private startWorker(): Started {
    let fail = (_: LinkError): void => undefined;
    const death = new Promise<never>((_, failed) => (fail = failed));
    death.catch(() => undefined);
    const worker = this.createWorker();
    const endpoint = Comlink.wrap<EngineEndpoint>(worker);
    const end = (error: LinkError): void => {
      if (this.started?.worker === worker) this.started = undefined;
      worker.terminate();
      fail(error);
    };
    const failed = (message: string, cause?: unknown): void => end(new LinkError("INIT_FAILED", message, [], { cause }));
    worker.addEventListener("error", (event) => {
      failed(`the linker's worker failed: ${event.message || "its file cannot be loaded (where a bundler does not copy it: wield/inline, or createEngine with createWorker and kernels)"}`);
    });
    const answer = Promise.resolve(this.kernels()).then((kernels) => endpoint.start(kernels));
    answer.catch((error: unknown) => failed(`the linker cannot be started: ${(error as Error)?.message ?? error}`, error));
    const threads = Promise.race([answer, death]);
    threads.catch(() => undefined);
    return { worker, endpoint, threads, death, end };
  }
}

/** One link there, seen from here: the signal ends it here at once, and there as soon as it can. */
async function runJob({ endpoint, death }: Started, job: number, packing: Packing, options: LinkOptions, start: (job: number) => Promise<PackedOutcome>): Promise<LinkResult> {
  const { signal } = options;
  const onAbort = (): void => void endpoint.abort(job);
  checkAborted(signal);
  packing.begin();
  signal?.addEventListener("abort", onAbort);
  try {
    const outcome = await untilAborted(signal, Promise.race([start(job), death]));
    return await unpackOutcome(outcome, packing, options);
  } finally {
    signal?.removeEventListener("abort", onAbort);
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
    void this.engine.endpoint.update(this.id, Object.entries(changes).map(([path, source]) => [path, this.packing.packChange(path, source)]));
  }

  protected async link(options: RelinkOptions): Promise<LinkResult> {
    const { engine, packing } = this;
    const { signal, onProgress } = options;
    const progress = onProgress === undefined ? null : Comlink.proxy((now: Progress) => packing.report(onProgress, now));
    const watched = signal !== undefined || onProgress !== undefined;
    return runJob(engine, this.nextJob(), packing, options, (job) => engine.endpoint.relink(job, this.id, progress, watched));
  }

  isStale(): Promise<boolean> {
    return Promise.race([this.engine.endpoint.isStale(this.id), this.engine.death]);
  }

  protected end(): void {
    void this.engine.endpoint.close(this.id);
  }
}
