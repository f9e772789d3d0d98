/**
 * The hooks that plugins ask for in their set-up, as a list: what a link in this thread calls (plugins.ts), and what stays in a
 * page whose links run in a worker (remote.ts).
 */
import { untilAborted } from "./abort.ts";
import { checkHook } from "./check.ts";
import type { LinkPlugin, PluginHooks } from "./types.ts";

export interface Hook {
  kind: "resolve" | "load" | "undefined" | "end";
  filter: RegExp;
  namespace: string | undefined;
  callback: (args: never) => unknown;
}

const ANY = /(?:)/;

/** Runs the plugins' set-up, one after another. Rejects with what they throw. */
export async function setUp(plugins: readonly LinkPlugin[] | undefined, signal: AbortSignal | undefined): Promise<Hook[]> {
  const hooks: Hook[] = [];
  const add = (kind: Hook["kind"], options: { filter: RegExp; namespace?: string }, callback: Hook["callback"]): void => {
    checkHook(kind, options, callback);
    hooks.push({ kind, filter: options.filter, namespace: options.namespace, callback });
  };
  const given: PluginHooks = {
    onResolve: (options, callback) => add("resolve", options, callback),
    onLoad: (options, callback) => add("load", options, callback),
    onUndefined: (callback) => add("undefined", { filter: ANY }, callback),
    onEnd: (callback) => add("end", { filter: ANY }, callback),
  };
  for (const plugin of plugins ?? []) await untilAborted(signal, plugin.setup(given));
  return hooks;
}
