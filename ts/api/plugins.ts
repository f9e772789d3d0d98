/**
 * What plugins answer, turned into what the host and the link understand. Their set-up is in hooks.ts.
 *
 * A name in another namespace than "file" becomes the path `namespace:path` inside the linker and in messages.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Layer, LayerStat } from "../host/virtual-files.ts";
import { decoded, utf8 } from "../memory/text.ts";
import { untilAborted } from "./abort.ts";
import { readSource } from "./byte-source.ts";
import type { Hook } from "./hooks.ts";
import type { Input, Loaded, LoadArguments, Resolved, ResolveArguments } from "./types.ts";

const FILE = "file";

/** A filter with /g or /y would remember where it stopped. */
const fits = ({ filter }: Hook, path: string): boolean => {
  filter.lastIndex = 0;
  return filter.test(path);
};

/** The first answer that is one; undefined = nobody has any. */
async function firstAnswer<T>(hooks: readonly Hook[], args: unknown): Promise<T | undefined> {
  for (const { callback } of hooks) {
    const answer = await callback(args as never);
    if (answer) return answer as T;
  }
  return undefined;
}

export class Plugins {
  private readonly hooks: readonly Hook[];
  /** Paths in namespaces, by the path that the linker has for them. */
  private readonly placed = new Map<string, LoadArguments>();

  constructor(hooks: readonly Hook[]) {
    this.hooks = hooks;
  }

  private of(kind: Hook["kind"]): Hook[] {
    return this.hooks.filter((hook) => hook.kind === kind);
  }

  /** For Host.resolve; null = no plugin has a say. */
  get resolver(): ((name: ByteString, kind: "input" | "lib") => Promise<ByteString | undefined> | undefined) | null {
    const all = this.of("resolve");
    if (all.length === 0) return null;
    return (name, kind) => {
      const path = decoded(name);
      const hooks = all.filter((hook) => fits(hook, path));
      return hooks.length === 0 ? undefined : this.resolve(hooks, { path, kind });
    };
  }

  private async resolve(hooks: readonly Hook[], args: ResolveArguments): Promise<ByteString | undefined> {
    const answer = await firstAnswer<Resolved>(hooks, args);
    if (answer === undefined) return undefined;
    const { path, namespace = FILE } = answer;
    if (namespace === FILE) return utf8(path);
    this.placed.set(`${namespace}:${path}`, { path, namespace });
    return utf8(`${namespace}:${path}`);
  }

  /** Files that plugins load, in front of all others; null = there are none. */
  get layer(): Layer | null {
    const all = this.of("load");
    if (all.length === 0) return null;
    return {
      stat: (name) => {
        const path = decoded(name);
        const args = this.placed.get(path) ?? { path, namespace: FILE };
        const hooks = all.filter((hook) => (hook.namespace ?? FILE) === args.namespace && fits(hook, args.path));
        return hooks.length === 0 ? undefined : this.load(hooks, args);
      },
      read: () => {
        throw new Error("onLoad's answers are contents");
      },
    };
  }

  private async load(hooks: readonly Hook[], args: LoadArguments): Promise<LayerStat | undefined> {
    const answer = await firstAnswer<Loaded>(hooks, args);
    if (answer === undefined) return undefined;
    const contents = await readSource(answer.data);
    return { bytes: contents.length, modified: 0, contents };
  }

  /** Whether a link may ask them something. */
  get asked(): boolean {
    return this.hooks.some(({ kind }) => kind !== "end");
  }

  get wantsUndefined(): boolean {
    return this.of("undefined").length > 0;
  }

  /** Inputs for symbols that are undefined; [] = nobody has any. */
  async supply(symbols: readonly string[], signal: AbortSignal | undefined): Promise<Input[]> {
    const inputs: Input[] = [];
    for (const hook of this.of("undefined")) {
      inputs.push(...(((await untilAborted(signal, hook.callback(symbols as never))) || []) as Input[]));
    }
    return inputs;
  }
}
