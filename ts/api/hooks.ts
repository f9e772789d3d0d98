/**
 * The hooks that plugins ask for in their set-up, as a list: what a link in this thread calls (plugins.ts), and what stays in a
 * page whose links run in a worker (packing.ts).
 */
import { untilAborted } from "./abort.ts";
import { checkAnswer, checkHook } from "./check.ts";
import { LinkError } from "./link-error.ts";
import type { LinkPlugin, LinkResult, PluginHooks, RelinkOptions } from "./types.ts";

export interface Hook {
  kind: "resolve" | "load" | "undefined" | "end";
  filter: RegExp;
  namespace: string | undefined;
  callback: (args: never) => unknown;
}

const ANY = /(?:)/;

/** Runs the plugins' set-up, one after another. Rejects with what they throw; so do the hooks, whose answers are checked. */
export async function setUp(plugins: readonly LinkPlugin[] | undefined, signal: AbortSignal | undefined): Promise<Hook[]> {
  const hooks: Hook[] = [];
  const add = (kind: Hook["kind"], options: { filter: RegExp; namespace?: string }, callback: Hook["callback"]): void => {
    checkHook(kind, options, callback);
    const checked = async (args: never): Promise<unknown> => checkAnswer(kind, await callback(args));
    hooks.push({ kind, filter: options.filter, namespace: options.namespace, callback: kind === "end" ? callback : checked });
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

/** What a program gets of a link that has ended: its plugins are told first, and a failed one is an error unless it asked for results only. */
export async function completed(result: LinkResult, hooks: readonly Hook[], { signal, throwOnError }: RelinkOptions): Promise<LinkResult> {
  for (const { kind, callback } of hooks) if (kind === "end") await untilAborted(signal, callback(result as never));
  if (!result.ok && throwOnError !== false) throw LinkError.of(result.diagnostics);
  return result;
}
