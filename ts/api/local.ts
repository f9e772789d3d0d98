/** The API for programs that link in their own thread: what they say is checked, their plugins are set up. In pages: client.ts. */
import { checkAborted } from "./abort.ts";
import { checkOptions } from "./check.ts";
import type { LocalEngine } from "./context.ts";
import { completed, setUp } from "./hooks.ts";
import { ProgramContext } from "./program-context.ts";
import type { LinkContext, LinkOptions, LinkResult } from "./types.ts";

export async function linkHere(engine: LocalEngine, options: LinkOptions): Promise<LinkResult> {
  checkOptions(options);
  checkAborted(options.signal);
  const hooks = await setUp(options.plugins, options.signal);
  return completed(await engine.link(options, hooks), hooks, options);
}

/** Plugins are set up once, for all links. */
export async function openHere(engine: LocalEngine, options: LinkOptions): Promise<LinkContext> {
  checkOptions(options);
  const hooks = await setUp(options.plugins, options.signal);
  return new ProgramContext(engine.open(options, hooks), hooks);
}
