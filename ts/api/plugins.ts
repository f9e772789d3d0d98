/**
 * Plugins: their hooks collected once per link, and what they answer turned into what the host and the link understand.
 *
 * A name in another namespace than "file" becomes the path `namespace:path` inside the linker and in messages.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Layer } from "../host/virtual-files.ts";
import { decoded, utf8 } from "../memory/text.ts";
import { readSource } from "./byte-source.ts";
import type { Input, LinkPlugin, LinkResult, LoadArguments, PluginHooks, ResolveArguments } from "./types.ts";

interface Hook<C> {
  filter: RegExp;
  namespace: string;
  callback: C;
}

type Resolve = Parameters<PluginHooks["onResolve"]>[1];
type Load = Parameters<PluginHooks["onLoad"]>[1];
type Undefined = Parameters<PluginHooks["onUndefined"]>[0];
type End = Parameters<PluginHooks["onEnd"]>[0];

const FILE = "file";

/** A filter with /g or /y would remember where it stopped. */
const fits = (filter: RegExp, path: string): boolean => {
  filter.lastIndex = 0;
  return filter.test(path);
};

export class Plugins {
  private readonly resolves: Hook<Resolve>[] = [];
  private readonly loads: Hook<Load>[] = [];
  private readonly undefineds: Undefined[] = [];
  private readonly ends: End[] = [];
  /** Paths in namespaces, by the path that the linker has for them. */
  private readonly placed = new Map<string, LoadArguments>();
  /** What onLoad gave, between stat and read. */
  private readonly loaded = new Map<string, Uint8Array>();

  /** Runs the plugins' set-up, one after another. */
  static async of(plugins: readonly LinkPlugin[]): Promise<Plugins> {
    const all = new Plugins();
    for (const plugin of plugins) {
      await plugin.setup({
        onResolve: ({ filter }, callback) => void all.resolves.push({ filter, namespace: FILE, callback }),
        onLoad: ({ filter, namespace }, callback) => void all.loads.push({ filter, namespace: namespace ?? FILE, callback }),
        onUndefined: (callback) => void all.undefineds.push(callback),
        onEnd: (callback) => void all.ends.push(callback),
      });
    }
    return all;
  }

  get wantsUndefined(): boolean {
    return this.undefineds.length > 0;
  }

  /** For Host.resolve; null = no plugin has a say. */
  get resolver(): ((name: ByteString, kind: "input" | "lib") => Promise<ByteString | undefined> | undefined) | null {
    if (this.resolves.length === 0) return null;
    return (name, kind) => {
      const path = decoded(name);
      const hooks = this.resolves.filter(({ filter }) => fits(filter, path));
      return hooks.length === 0 ? undefined : this.resolve(hooks, { path, kind });
    };
  }

  private async resolve(hooks: Hook<Resolve>[], args: ResolveArguments): Promise<ByteString | undefined> {
    for (const { callback } of hooks) {
      const answer = await callback(args);
      if (!answer) continue;
      const namespace = answer.namespace ?? FILE;
      const path = namespace === FILE ? answer.path : `${namespace}:${answer.path}`;
      if (namespace !== FILE) this.placed.set(path, { path: answer.path, namespace });
      return utf8(path);
    }
    return undefined;
  }

  /** Files that plugins load, in front of all others; null = there are none. */
  get layer(): Layer | null {
    if (this.loads.length === 0) return null;
    return {
      stat: (name) => {
        const path = decoded(name);
        const args = this.placed.get(path) ?? { path, namespace: FILE };
        const hooks = this.loads.filter(({ filter, namespace }) => namespace === args.namespace && fits(filter, args.path));
        return hooks.length === 0 ? undefined : this.load(hooks, args, name);
      },
      read: (name) => this.loaded.get(name)!,
    };
  }

  private async load(hooks: Hook<Load>[], args: LoadArguments, name: ByteString): Promise<{ bytes: number; modified: number } | undefined> {
    for (const { callback } of hooks) {
      const answer = await callback(args);
      if (!answer) continue;
      const bytes = await readSource(answer.data);
      this.loaded.set(name, bytes);
      return { bytes: bytes.length, modified: 0 };
    }
    return undefined;
  }

  /** Inputs for symbols that are undefined; [] = nobody has any. */
  async supply(symbols: readonly string[]): Promise<Input[]> {
    const inputs: Input[] = [];
    for (const callback of this.undefineds) inputs.push(...((await callback(symbols)) || []));
    return inputs;
  }

  async end(result: LinkResult): Promise<void> {
    for (const callback of this.ends) await callback(result);
  }
}
