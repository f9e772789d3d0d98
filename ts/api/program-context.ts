/**
 * What contexts are to a program, wherever they link: what it says is checked, one link comes after the other, changes are waited for.
 *
 * Knows nothing of linking (InnerContext), because pages load it.
 */
import { checkAborted, untilAborted } from "./abort.ts";
import { checkSources, checkWatching } from "./check.ts";
import { completed, type Hook } from "./hooks.ts";
import { LinkError } from "./link-error.ts";
import type { ByteSource, LinkContext, LinkResult, RelinkOptions, WatchOptions } from "./types.ts";

const disposedOf = (): LinkError => new LinkError("DISPOSED", "the context has been disposed of");

export type Changes = Iterable<readonly [path: string, source: ByteSource | null | undefined]>;

/** Where a context links: in this thread (context.ts), in a worker (client.ts), in one and then in another (growing.ts). Only checked things get there. */
export interface InnerContext {
  change(changes: Changes): void;
  /** Resolves to failed links, too; nobody but the linker has seen the result. */
  link(options: RelinkOptions): Promise<LinkResult>;
  /** Has a file changed without update()? */
  isStale(): Promise<boolean>;
  end(): void | Promise<void>;
}

export class ProgramContext implements LinkContext {
  private readonly inner: InnerContext;
  private readonly hooks: readonly Hook[];
  private disposed = false;
  /** Who disposes of it again waits for the same end. */
  private ending: Promise<void> | undefined;
  private running: Promise<unknown> = Promise.resolve();
  /** Who waits for a change, or the end. */
  private readonly waiting = new Set<() => void>();
  /** Counts what may have changed. */
  private version = 0;

  constructor(inner: InnerContext, hooks: readonly Hook[]) {
    this.inner = inner;
    this.hooks = hooks;
  }

  update(changes: Parameters<LinkContext["update"]>[0]): void {
    if (this.disposed) throw disposedOf();
    this.inner.change(checkSources("changes", changes, true));
    this.touch();
  }

  async relink(options: RelinkOptions = {}): Promise<LinkResult> {
    checkWatching(options);
    const { signal } = options;
    const next = this.running.then(async () => {
      if (this.disposed) throw disposedOf();
      checkAborted(signal);
      return completed(await this.inner.link(options), this.hooks, options);
    });
    this.running = next.catch(() => undefined);
    // A link before it may be long.
    return untilAborted(signal, next);
  }

  async *watch({ signal, debounceMs = 20, pollMs = 250, onProgress }: WatchOptions = {}): AsyncGenerator<LinkResult, void, void> {
    const ended = (): boolean => this.disposed || signal?.aborted === true;
    while (!ended()) {
      const { version } = this;
      try {
        yield await this.relink({ throwOnError: false, ...(signal === undefined ? {} : { signal }), ...(onProgress === undefined ? {} : { onProgress }) });
        while (!ended() && this.version === version && !(await untilAborted(signal, this.inner.isStale()))) await this.pause(pollMs, signal, true);
      } catch (error) {
        if (ended()) return;
        throw error;
      }
      if (!ended()) await this.pause(debounceMs, signal, false);
    }
  }

  dispose(): Promise<void> {
    return (this.ending ??= this.stop());
  }

  private async stop(): Promise<void> {
    this.disposed = true;
    this.touch();
    await this.running;
    await this.inner.end();
  }

  private touch(): void {
    this.version++;
    for (const wake of this.waiting) wake();
  }

  /** Until the signal aborts, time is up, or (`touched`) something changes. */
  private pause(milliseconds: number, signal: AbortSignal | undefined, touched: boolean): Promise<void> {
    return new Promise((done) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        this.waiting.delete(wake);
        done();
      };
      const timer = setTimeout(wake, milliseconds);
      signal?.addEventListener("abort", wake);
      if (touched) this.waiting.add(wake);
    });
  }
}
