/**
 * V8's flags while the program runs. V8 refuses compiled code that was made under other flags than those of now, also the code that Node
 * has of its own modules: a thread, which needs many of them, takes twice as long to start under the launcher's flags as under none.
 */

/** The flags that the launcher (build/launcher.ts) and large-link.ts change. */
export const CHANGED = ["opt", "sparkplug", "rehash-snapshot", "min-semi-space-size", "wasm-lazy-validation", "wasm-tiering-budget", "allow-natives-syntax", "verify-snapshot-checksum"];

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
