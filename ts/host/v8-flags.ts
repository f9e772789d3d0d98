/**
 * V8's flags while the program runs. V8 refuses compiled code that was made under other flags than those of now, also the code that Node
 * has of its own modules: a thread, which needs many of them, takes twice as long to start under the launcher's flags as under none.
 */

/** What the launcher (build/launcher.ts) and large-link.ts change, as it is in V8 without them. */
export const DEFAULTS = ["--opt", "--sparkplug", "--rehash-snapshot", "--min-semi-space-size=0", "--no-wasm-lazy-validation", "--wasm-tiering-budget=1800000", "--no-allow-natives-syntax", "--no-verify-snapshot-checksum"];

const nameOf = (flag: string): string => flag.replace(/^--(no-)?/, "").replace(/=.*/, "");

export function setFlags(flags: readonly string[]): void {
  const { setFlagsFromString } = require("node:v8") as typeof import("node:v8");
  for (const flag of flags) setFlagsFromString(flag);
}

/** Those of the process's flags that `defaultFlags` takes back. */
export function changedFlags(flags: readonly string[]): readonly string[] {
  const names = DEFAULTS.map(nameOf);
  return flags.filter((flag) => names.includes(nameOf(flag)));
}

export const defaultFlags = (): void => setFlags(DEFAULTS);
