/**
 * What V8 is told for a link of a second or more, after the launcher has told it the opposite for small ones.
 *
 * Only the complete program has this: so a large link begins again in it, before it has done any work.
 */

/** Optimised kernels and baseline code as usual; no optimised JavaScript, because what takes long here is WebAssembly. */
export function prepareV8(): void {
  const { setFlagsFromString } = require("node:v8") as typeof import("node:v8");
  const undo = process.execArgv.length === 0 ? [] : ["--wasm-tiering-budget=4000000", "--sparkplug"];
  for (const flag of [...undo, "--no-opt"]) setFlagsFromString(flag);
}
