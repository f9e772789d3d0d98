/**
 * V8's flags while the program runs. V8 refuses compiled code that was made under other flags than those of now, also the code that Node
 * has of its own modules: a thread, which needs many of them, takes twice as long to start under the launcher's flags as under none.
 */

/**
 * No function is small enough to be optimised, and functions are. As V8 starts, --no-opt would change other flags, too, since V8 12, which
 * --opt then does not change back.
 */
export const OPTIMISE_NONE = "--max-optimized-bytecode-size=0";
export const OPTIMISE = "--max-optimized-bytecode-size=61440";
/** TurboFan optimises nothing; where V8 has Maglev, which takes a tenth of the time, that does. */
export const NO_TURBOFAN = "--no-opt";
export const TURBOFAN = "--opt";

/** The flags that the launcher (build/launcher.ts) and large-link.ts change. */
export const CHANGED = ["max-optimized-bytecode-size", "opt", "sparkplug", "rehash-snapshot", "min-semi-space-size", "wasm-lazy-validation", "wasm-tiering-budget", "allow-natives-syntax", "verify-snapshot-checksum"];

/** As they are in V8 when nobody changes them: of the Node that builds, for which the launcher and its caches are (build/launcher.ts). */
declare const V8_DEFAULTS: readonly string[];

const nameOf = (flag: string): string => flag.replace(/^--(no-)?/, "").replace(/=.*/, "");

export function setFlags(flags: readonly string[]): void {
  const { setFlagsFromString } = require("node:v8") as typeof import("node:v8");
  for (const flag of flags) setFlagsFromString(flag);
}

/** Those of the process's flags that `defaultFlags` takes back. */
export function changedFlags(flags: readonly string[]): readonly string[] {
  return flags.filter((flag) => CHANGED.includes(nameOf(flag)));
}

export const defaultFlags = (): void => setFlags(V8_DEFAULTS);
