/**
 * What V8 is told for a link of a second or more, after the launcher has told it the opposite for small ones.
 *
 * Only the complete program has this: so a large link that was not known as one when the program started (start/program.ts) begins again
 * in it, before it has done any work.
 */
import { NO_MARKING, NO_TURBOFAN, OPTIMISE } from "./v8-flags.ts";

/**
 * TurboFan compiles no JavaScript, because what takes long here is WebAssembly; `launched`: and what the launcher's flags took away,
 * optimised kernels and baseline code. The budget counts where kernels are not compiled already (kernel-cache.ts): with ten times as much, two threads
 * spent 11 % more of their time in code that is not optimised yet. Marking would begin shortly before the end, for a collection that never comes.
 */
export function largeLinkFlags(launched: boolean): readonly string[] {
  return [...(launched ? ["--wasm-tiering-budget=400000", "--sparkplug", OPTIMISE] : []), NO_TURBOFAN, NO_MARKING];
}
