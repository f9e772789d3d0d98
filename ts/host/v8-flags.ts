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
/**
 * For much JavaScript that runs for some tenths of a second: baseline code, and TurboFan only for what runs very long. With its own budget it
 * spent half of the CPU time of a link with 5,000 output sections on functions that were over by then.
 */
export const patient = (v8: string): string[] => ["--sparkplug", ...interruptBudget(v8, 500_000)];
/** Bytes of bytecode until TurboFan is asked. V8 12 counts calls, and complains of flags that it does not know. */
const interruptBudget = (v8: string, bytes: number): string[] => (Number.parseInt(v8) < 12 ? [`--interrupt-budget=${bytes}`] : []);
/** TurboFan optimises nothing; where V8 has Maglev, which takes a tenth of the time, that does. */
export const NO_TURBOFAN = "--no-opt";
export const TURBOFAN = "--opt";
/** Garbage that survives is collected in one go. */
export const NO_MARKING = "--no-incremental-marking";

/** What the launcher (build/launcher/launcher.ts) and large-link.ts change, as it is in V8 when nobody does; `v8`: its version. */
export function defaults(v8: string): string[] {
  const wasm = Number.parseInt(v8) < 12 ? 1_800_000 : 13_000_000;
  return [
    OPTIMISE, TURBOFAN, "--sparkplug", ...interruptBudget(v8, 67_584), "--rehash-snapshot", "--min-semi-space-size=0", "--no-wasm-lazy-validation", `--wasm-tiering-budget=${wasm}`, "--no-allow-natives-syntax",
    "--no-verify-snapshot-checksum", "--incremental-marking",
  ];
}

const nameOf = (flag: string): string => flag.replace(/^--(no-)?/, "").replace(/=.*/, "");

export function setFlags(flags: readonly string[]): void {
  const { setFlagsFromString } = require("node:v8") as typeof import("node:v8");
  for (const flag of flags) setFlagsFromString(flag);
}

/** Those of `flags` that setting the defaults takes back. */
export function changedFlags(flags: readonly string[]): readonly string[] {
  const names = defaults("").map(nameOf);
  return flags.filter((flag) => names.includes(nameOf(flag)));
}
