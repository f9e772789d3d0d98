/**
 * A page's side of linking: one worker that is started when it is first needed and stays for the next link.
 *
 * Knows neither where the worker's file is nor the kernels: browser.ts and inline.ts do.
 */
import * as Comlink from "comlink";
import { takeMemory } from "../host/recycled-output.ts";
import { checkAborted, untilAborted } from "./abort.ts";
import { checkOptions } from "./check.ts";
import type { EngineEndpoint } from "./engine.ts";
import type { Inner } from "./growing.ts";
import { completed } from "./hooks.ts";
import type { KernelSource } from "./kernel-source.ts";
import { LinkError } from "./link-error.ts";
import { Packing, unpackOutcome } from "./packing.ts";
import { ProgramContext, type Changes, type InnerContext } from "./program-context.ts";
import type { PackedOutcome } from "./remote.ts";
import type { ByteSource, LinkContext, LinkOptions, LinkResult, Progress, RelinkOptions } from "./types.ts";

const disposedOf = (): LinkError => new LinkError("DISPOSED", "the engine has been disposed of");

type Endpoint = Comlink.Remote<EngineEndpoint>;

/** A worker that starts, or has started. */
class Started {
  readonly threads: Promise<number>;
  /** The kernels are compiled, or nobody can: until then a page has better things to do than copying what it sends. */
  readonly ready: Promise<unknown>;
  private readonly worker: Worker;
  private readonly endpoint: Endpoint;
  private readonly onEnd: () => void;
  /** Who waits for an answer. A promise that they all race against would keep every answer for as long as the worker lives. */
  private readonly waiting = new Set<(error: LinkError) => void>();
  private dead: LinkError | null = null;

  /** The kernels come while the worker starts, and a link is on its way before that has started. `unloaded`: why there may be no program for it, which browsers do not say. */
  constructor(worker: Worker, kernels: KernelSource | Promise<KernelSource>, unloaded: string, onEnd: () => void) {
    this.worker = worker;
    this.endpoint = Comlink.wrap<EngineEndpoint>(worker);
    this.onEnd = onEnd;
    worker.addEventListener("error", (event) => {
      this.end(initFailed(`the linker's worker failed: ${event.message || unloaded}`));
    });
    this.ready = Promise.resolve(kernels).catch(() => undefined);
    this.threads = this.ask(async (endpoint) => endpoint.start(await kernels)).catch((error: unknown) => {
      this.end(notStarted(error));
      throw this.dead;
    });
    this.threads.catch(() => undefined);
  }

  /** What the worker answers; rejects when it cannot be started, or dies, or is ended before that. */
  ask<T>(call: (endpoint: Endpoint) => Promise<T>): Promise<T> {
    return new Promise((done, failed) => {
      if (this.dead !== null) return failed(this.dead);
      this.waiting.add(failed);
      call(this.endpoint).then(done, failed).finally(() => this.waiting.delete(failed));
    });
  }

  /** The same where nobody waits for the answer: what goes wrong is said by the link that needs it. */
  tell(call: (endpoint: Endpoint) => Promise<unknown>): void {
    this.ask(call).catch(() => undefined);
  }

  end(error: LinkError): void {
    if (this.dead !== null) return;
    this.dead = error;
    this.onEnd();
    this.endpoint[Comlink.releaseProxy]();
    this.worker.terminate();
    for (const fail of this.waiting) fail(error);
    this.waiting.clear();
  }
}

const initFailed = (message: string, cause?: unknown): LinkError => new LinkError("INIT_FAILED", message, [], { cause });
const notStarted = (error: unknown): LinkError => initFailed(`the linker cannot be started: ${(error as Error)?.message ?? error}`, error);

export class WorkerEngine implements Inner {
  private readonly createWorker: () => Worker;
  private readonly kernels: () => KernelSource | Promise<KernelSource>;
  private readonly unloaded: string;
  private started: Started | undefined;
  private jobs = 0;
  private contexts = 0;
  private disposed = false;

  constructor(createWorker: () => Worker, kernels: () => KernelSource | Promise<KernelSource>, unloaded: string) {
    this.createWorker = createWorker;
    this.kernels = kernels;
    this.unloaded = unloaded;
  }

  get threads(): Promise<number> {
    try {
      return this.start().threads;
    } catch (error) {
      return Promise.reject(error as LinkError);
    }
  }

  begin({ signal }: LinkOptions): void {
    if (this.disposed || signal?.aborted === true) return;
    try {
      this.start();
    } catch {
      // The link will say it.
    }
  }

  async link(options: LinkOptions, given?: Packing): Promise<LinkResult> {
    checkOptions(options);
    const packing = given ?? (await Packing.of(options));
    const engine = this.start();
    const watched = options.signal !== undefined || options.onProgress !== undefined;
    const result = await runJob(engine, ++this.jobs, packing, options.signal, (endpoint, job) => endpoint.link(job, packing.message, packing.callbacks, watched));
    return completed(result, packing.ends, options);
  }

  async createContext(options: LinkOptions): Promise<LinkContext> {
    checkOptions(options);
    const packing = await Packing.of(options, true);
    return new ProgramContext(this.open(packing), packing.ends);
  }

  open(packing: Packing): InnerContext {
    return new RemoteContext(this.start(), ++this.contexts, packing, () => ++this.jobs);
  }

  dispose(): void {
    this.disposed = true;
    this.started?.end(disposedOf());
  }

  private start(): Started {
    if (this.disposed) throw disposedOf();
    try {
      return (this.started ??= new Started(this.createWorker(), this.kernels(), this.unloaded, () => (this.started = undefined)));
    } catch (error) {
      // Service workers and shared ones have no Worker; frames of an opaque origin may not load it.
      throw notStarted(error);
    }
  }
}

/** One link there, seen from here: the signal ends it here at once, and there as soon as it can. */
async function runJob(engine: Started, job: number, packing: Packing, signal: AbortSignal | undefined, start: (endpoint: Endpoint, job: number) => Promise<PackedOutcome>): Promise<LinkResult> {
  const onAbort = (): void => engine.tell((endpoint) => endpoint.abort(job));
  checkAborted(signal);
  packing.begin();
  signal?.addEventListener("abort", onAbort);
  try {
    const begun = engine.ready.then(() => {
      // What is not asked for need not be aborted there.
      checkAborted(signal);
      return engine.ask((endpoint) => start(endpoint, job));
    });
    return unpackOutcome(await untilAborted(signal, begun), packing, signal);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

/** A context on the other side of the worker. */
class RemoteContext implements InnerContext {
  private readonly engine: Started;
  private readonly id: number;
  private readonly packing: Packing;
  private readonly nextJob: () => number;
  /** What the next link is told first: a message of its own would cost as much as a small link. */
  private readonly changes = new Map<string, ByteSource | null | undefined>();

  constructor(engine: Started, id: number, packing: Packing, nextJob: () => number) {
    this.engine = engine;
    this.id = id;
    this.packing = packing;
    this.nextJob = nextJob;
    engine.tell((endpoint) => endpoint.open(id, packing.message, Comlink.proxy(packing)));
  }

  change(changes: Changes): void {
    for (const [path, source] of changes) {
      // One file may have several paths: what was said last counts.
      this.changes.delete(path);
      this.changes.set(path, source);
    }
  }

  async link({ signal, onProgress, recycle }: RelinkOptions): Promise<LinkResult> {
    const { engine, packing, changes } = this;
    const memory = recycle === undefined ? null : takeMemory(recycle);
    const given = memory === null ? undefined : Comlink.transfer(new Uint8Array(memory), [memory]);
    const progress = onProgress === undefined ? null : Comlink.proxy((now: Progress) => packing.report(onProgress, now));
    const watched = signal !== undefined || onProgress !== undefined;
    return runJob(engine, this.nextJob(), packing, signal, (endpoint, job) => {
      const told = packing.packChanges(changes);
      changes.clear();
      return endpoint.relink(job, this.id, told, progress, watched, given);
    });
  }

  isStale(): Promise<boolean> {
    return this.engine.ask((endpoint) => endpoint.isStale(this.id));
  }

  end(): void {
    this.engine.tell((endpoint) => endpoint.close(this.id));
  }
}
