/**
 * What contexts are to a program, wherever they link: one link after the other, changes waited for.
 *
 * Knows nothing of linking (context.ts, and client.ts for pages), because pages load it.
 */
import { checkSources, checkWatching } from "./check.ts";
import { LinkError } from "./link-error.ts";
import type { ByteSource, LinkContext, LinkResult, RelinkOptions, WatchOptions } from "./types.ts";

const disposedOf = (): LinkError => new LinkError("DISPOSED", "the context has been disposed of");

/** What here and in a page is the same: one link after the other, waiting for changes. */
export abstract class BaseContext implements LinkContext {
  protected disposed = false;
  private running: Promise<unknown> = Promise.resolve();
  private waiting: (() => void)[] = [];
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
    const next = this.running.then(() => {
      if (this.disposed) throw disposedOf();
      return this.link(options);
    });
    this.running = next.catch(() => undefined);
    return next;
  }

  async *watch({ signal, debounceMs = 20, pollMs = 250, onProgress }: WatchOptions = {}): AsyncGenerator<LinkResult, void, void> {
    const ended = (): boolean => this.disposed || signal?.aborted === true;
    while (!ended()) {
      const { version } = this;
      try {
        yield await this.relink({ throwOnError: false, ...(signal === undefined ? {} : { signal }), ...(onProgress === undefined ? {} : { onProgress }) });
      } catch (error) {
        if (ended()) return;
        throw error;
      }
      while (!ended() && this.version === version && !(await this.isStale())) await this.pause(pollMs, signal);
      if (!ended()) await this.sleep(debounceMs);
    }
  }

  async dispose(): Promise<void> {
    if (this.disposed) return;
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
    for (const wake of this.waiting.splice(0)) wake();
  }

  private sleep(milliseconds: number): Promise<void> {
    return new Promise((done) => setTimeout(done, milliseconds));
  }

  /** Until something is touched, the signal aborts, or time is up. */
  private pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(wake, milliseconds);
      function wake(): void {
        clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        done();
      }
      signal?.addEventListener("abort", wake);
      this.waiting.push(wake);
    });
  }
}
