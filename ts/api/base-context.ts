/**
 * What contexts are to a program, wherever they link: one link after the other, changes waited for.
 *
 * Knows nothing of linking (context.ts, and client.ts for pages), because pages load it.
 */
import { checkAborted, untilAborted } from "./abort.ts";
import { checkSources, checkWatching } from "./check.ts";
import { LinkError } from "./link-error.ts";
import type { ByteSource, LinkContext, LinkResult, RelinkOptions, WatchOptions } from "./types.ts";

const disposedOf = (): LinkError => new LinkError("DISPOSED", "the context has been disposed of");

/** What here and in a page is the same: one link after the other, waiting for changes. */
export abstract class BaseContext implements LinkContext {
  protected disposed = false;
  /** Who disposes of it again waits for the same end. */
  private ending: Promise<void> | undefined;
  private running: Promise<unknown> = Promise.resolve();
  /** Who waits for a change, or the end. */
  private readonly waiting = new Set<() => void>();
  /** Counts what may have changed. */
  private version = 0;

  update(changes: Readonly<Record<string, ByteSource | null | undefined>>): void {
    if (this.disposed) throw disposedOf();
    checkSources("changes", changes, true);
    this.change(changes);
    this.touch();
  }

  async relink(options: RelinkOptions = {}): Promise<LinkResult> {
    checkWatching(options);
    const { signal } = options;
    const next = this.running.then(() => {
      if (this.disposed) throw disposedOf();
      checkAborted(signal);
      return this.link(options);
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
        while (!ended() && this.version === version && !(await untilAborted(signal, this.isStale()))) await this.pause(pollMs, signal, true);
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
    this.end();
  }

  protected abstract change(changes: Readonly<Record<string, ByteSource | null | undefined>>): void;
  protected abstract link(options: RelinkOptions): Promise<LinkResult>;
  /** Has a file changed without update()? */
  abstract isStale(): Promise<boolean>;
  protected abstract end(): void;

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
