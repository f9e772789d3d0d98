/**
 * An engine that begins small: the quick one links until a link needs what it is without (host/hand-over.ts), which the complete
 * one then does from its beginning, as everything after it.
 *
 * Knows neither where engines come from nor what is left out. Most programs never need the complete one, so it is not loaded
 * before; what is sure to need it (a layout script, -r, a map) does not try the quick one first.
 */
import { HandOver } from "../host/hand-over.ts";
import { checkOptions } from "./check.ts";
import { Packing } from "./packing.ts";
import { ProgramContext, type Changes, type InnerContext } from "./program-context.ts";
import type { ByteSource, Engine, LinkContext, LinkOptions, LinkResult, RelinkOptions } from "./types.ts";

/** An engine which can be told what another one was told. */
export interface Inner extends Engine {
  /** Starts what a link of these options needs, if anything has to be. */
  begin(options: LinkOptions): void;
  link(options: LinkOptions, packing?: Packing): Promise<LinkResult>;
  open(packing: Packing): InnerContext;
}

const needsComplete = ({ script, kind, map, graph }: LinkOptions): boolean => script !== undefined || kind === "relocatable" || map === true || graph === true;

export class GrowingEngine implements Engine {
  private readonly quick: Inner;
  private readonly load: () => Inner | Promise<Inner>;
  private complete: Promise<Inner> | undefined;
  private disposed = false;

  constructor(quick: Inner, load: () => Inner | Promise<Inner>) {
    this.quick = quick;
    this.load = load;
  }

  get threads(): Promise<number> {
    return (this.complete ?? Promise.resolve(this.quick)).then(({ threads }) => threads);
  }

  async link(options: LinkOptions): Promise<LinkResult> {
    checkOptions(options);
    if (!this.isQuick(options)) return (await this.grow()).link(options);
    this.quick.begin(options);
    const packing = await Packing.of(options);
    return packing.remembering(async () => {
      try {
        return await this.quick.link(options, packing);
      } catch (error) {
        if (!(error instanceof HandOver)) throw error;
      }
      return (await this.grow()).link(options, packing);
    });
  }

  async createContext(options: LinkOptions): Promise<LinkContext> {
    checkOptions(options);
    if (!this.isQuick(options)) return (await this.grow()).createContext(options);
    this.quick.begin(options);
    const packing = await Packing.of(options, true);
    return new ProgramContext(new GrowingContext(this.quick.open(packing), packing, async () => (await this.grow()).open(packing)), packing.ends);
  }

  dispose(): void {
    this.disposed = true;
    this.quick.dispose();
    this.complete?.then((complete) => complete.dispose(), () => undefined);
    this.complete = undefined;
  }

  /** What has been disposed of is said by the quick one. */
  private isQuick(options: LinkOptions): boolean {
    return this.disposed || (this.complete === undefined && !needsComplete(options));
  }

  private grow(): Promise<Inner> {
    this.complete ??= Promise.resolve(this.load());
    // Whoever cannot load it now may be able to later.
    this.complete.catch(() => (this.complete = undefined));
    return this.complete;
  }
}

/** Begins in the quick engine; when it cannot go on there, the complete one is told everything that has changed so far. */
class GrowingContext implements InnerContext {
  private inner: InnerContext;
  private readonly packing: Packing;
  private again: (() => Promise<InnerContext>) | null;
  private readonly changes = new Map<string, ByteSource | null | undefined>();

  constructor(quick: InnerContext, packing: Packing, again: () => Promise<InnerContext>) {
    this.inner = quick;
    this.packing = packing;
    this.again = again;
  }

  change(changes: Changes): void {
    if (this.again !== null) {
      for (const [path, source] of changes) {
        this.changes.delete(path);
        this.changes.set(path, source);
      }
    }
    this.inner.change(changes);
  }

  async link(options: RelinkOptions): Promise<LinkResult> {
    const { again } = this;
    if (again === null) return this.inner.link(options);
    return this.packing.remembering(async () => {
      try {
        return await this.inner.link(options);
      } catch (error) {
        if (!(error instanceof HandOver)) throw error;
      }
      return this.grow(again, options);
    });
  }

  private async grow(again: () => Promise<InnerContext>, options: RelinkOptions): Promise<LinkResult> {
    const complete = await again();
    await this.inner.end();
    complete.change(this.changes);
    this.inner = complete;
    this.again = null;
    this.changes.clear();
    return complete.link(options);
  }

  isStale(): Promise<boolean> {
    return this.inner.isStale();
  }

  end(): void | Promise<void> {
    return this.inner.end();
  }
}
