/** The clock of a link: every pass runs through here. */
import type { Context } from "../context.ts";

/** Times a pass; `--time` and `--time-trace` print the list. */
export async function timed<T>(ctx: Context, name: string, pass: () => T | Promise<T>): Promise<T> {
  if (ctx.host.pass !== undefined) await ctx.host.pass(name);
  const start = ctx.host.now();
  const result = await pass();
  ctx.passes.push({ name, start, end: ctx.host.now() });
  return result;
}
