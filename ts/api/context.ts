/**
 * Links in this thread, one by one or repeated: files are replaced, memory that was touched, kernels and workers stay, and unchanged
 * files are not read again. What comes out is what a link from nothing would give. What is kept between links: Session (link.ts), Machine.
 *
 * What programs say is checked by others (local.ts; in pages, which ask a worker, client.ts).
 */
import { decoded } from "../memory/text.ts";
import { untilAborted } from "./abort.ts";
import { plainPath } from "./file-system.ts";
import type { Hook } from "./hooks.ts";
import { LinkError } from "./link-error.ts";
import { Session, type Kept, type Runtime } from "./link.ts";
import type { Changes, InnerContext } from "./program-context.ts";
import type { ByteSource, LinkOptions, LinkResult, RelinkOptions } from "./types.ts";

/** `hooks`: of the plugins, which have been set up. */
export interface LocalEngine {
  link(options: LinkOptions, hooks: readonly Hook[]): Promise<LinkResult>;
  open(options: LinkOptions, hooks: readonly Hook[]): InnerContext;
}

export const localEngine = (runtime: Runtime): LocalEngine => ({
  link: (options, hooks) => new Session(runtime, options, hooks, null).link(options),
  open: (options, hooks) => new LocalContext(runtime, options, hooks),
});

class LocalContext implements InnerContext {
  private readonly kept: Kept = { updates: new Map(), last: null };
  private readonly session: Session;
  /** What the next link begins with: one that runs keeps what it began with. By plainPath. */
  private readonly changes: Map<string, ByteSource | null | undefined> = new Map();
  /** A page may ask for the next link, or for the end, while one that it has aborted still runs. */
  private running: Promise<unknown> = Promise.resolve();

  constructor(runtime: Runtime, options: LinkOptions, hooks: readonly Hook[]) {
    this.session = new Session(runtime, options, hooks, this.kept);
  }

  change(changes: Changes): void {
    for (const [name, source] of changes) this.changes.set(plainPath(name), source);
  }

  link(options: RelinkOptions): Promise<LinkResult> {
    const next = this.running.then(() => this.next(options));
    this.running = next.catch(() => undefined);
    return next;
  }

  private async next(options: RelinkOptions): Promise<LinkResult> {
    const { changes, kept: { updates } } = this;
    const stale = await untilAborted(options.signal, this.session.stale());
    for (const [path, source] of changes) {
      if (source === undefined) updates.delete(path);
      else updates.set(path, source);
    }
    const changed = this.session.refresh(changes, stale).map(decoded).sort();
    changes.clear();
    const reused = this.session.filesRead.length;
    try {
      const result = await this.session.link(options);
      return { ...result, incremental: { reused, changed } };
    } catch (error) {
      if (error instanceof LinkError && error.code === "INTERNAL") this.session.reset();
      throw error;
    }
  }

  async isStale(): Promise<boolean> {
    return (await this.session.stale()).size > 0;
  }

  /** Who keeps the context keeps none of what it had. */
  async end(): Promise<void> {
    await this.running;
    this.kept.updates.clear();
    this.changes.clear();
    this.session.end();
  }
}
