/**
 * A link that is repeated: files are replaced, memory that was touched, kernels and workers stay, and unchanged files are not
 * read again. What comes out is what a link from nothing would give. What is kept between links: Session (link.ts), Machine.
 */
import { decoded } from "../memory/text.ts";
import { untilAborted } from "./abort.ts";
import { BaseContext } from "./base-context.ts";
import { checkOptions } from "./check.ts";
import { plainPath } from "./file-system.ts";
import { setUp } from "./hooks.ts";
import { LinkError } from "./link-error.ts";
import { Session, type Kept, type Runtime } from "./link.ts";
import { Plugins } from "./plugins.ts";
import type { ByteSource, LinkOptions, LinkResult, RelinkOptions } from "./types.ts";

/** In this thread. */
export class LocalContext extends BaseContext {
  private readonly kept: Kept = { updates: new Map(), last: null };
  private readonly session: Session;
  private readonly changed = new Set<string>();

  /** Plugins are set up once, for all links. */
  static async of(runtime: Runtime, options: LinkOptions): Promise<LocalContext> {
    checkOptions(options);
    return new LocalContext(runtime, options, new Plugins(await setUp(options.plugins, options.signal)));
  }

  private constructor(runtime: Runtime, options: LinkOptions, plugins: Plugins) {
    super();
    this.session = new Session(runtime, options, plugins, this.kept);
  }

  protected change(changes: Readonly<Record<string, ByteSource | null | undefined>>): void {
    for (const [name, source] of Object.entries(changes)) {
      const path = plainPath(name);
      this.changed.add(path);
      if (source === undefined) this.kept.updates.delete(path);
      else this.kept.updates.set(path, source);
    }
  }

  protected async link(options: RelinkOptions): Promise<LinkResult> {
    const stale = await untilAborted(options.signal, this.session.stale());
    const changed = this.session.refresh(this.changed, stale).map(decoded).sort();
    this.changed.clear();
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
  protected end(): void {
    this.kept.updates.clear();
    this.session.end();
  }
}
