/**
 * Options that are understood and cannot be obeyed yet: said at once, so that nobody believes they took effect.
 *
 * What would change the meaning of the output is an error; what only leaves out an optimisation or a mark is a warning.
 */
import type { Context } from "../context.ts";

export function checkOptions(ctx: Context): void {
  const { options, diag } = ctx;
  if (options.emitRelocs) diag.error("--emit-relocs is not supported yet");
  if (options.icf !== "none") diag.warn(`--icf=${options.icf}: identical code folding is not supported yet; nothing is folded`);
  if (options.z.wxneeded) diag.warn("-z wxneeded is not supported yet");
  if (options.z.dynamicUndefinedWeak !== undefined) diag.warn("-z dynamic-undefined-weak is not supported yet");
  diag.throwIfErrors();
}
