/**
 * Every option the linker knows: one row per option, in the file of its heading in --help.
 *
 * Not here: the syntax of argv (parse.ts), -z keywords (z-options.ts). The surprise: what is in no table is refused even when
 * ignoring it would look harmless, because configure scripts probe options and believe an exit status of 0.
 */
import type { OptionRow } from "./option-row.ts";
import { ACCEPTED } from "./options/accepted.ts";
import { INPUTS } from "./options/inputs.ts";
import { LAYOUT } from "./options/layout.ts";
import { OUTPUT } from "./options/output.ts";
import { REPORTS } from "./options/reports.ts";
import { SYMBOLS } from "./options/symbols.ts";

/** In the order of --help. */
export const OPTION_GROUPS: readonly (readonly [string, readonly OptionRow[]])[] = [
  ["Inputs", INPUTS],
  ["Output", OUTPUT],
  ["Symbols", SYMBOLS],
  ["Sections and layout", LAYOUT],
  ["Reports", REPORTS],
  ["Accepted without effect", ACCEPTED],
];

/**
 * Options of GNU ld and lld we have not built: refused as unknown, but by their full name, so that `-mllvm` is not read as
 * `-m llvm` and the message can say that the option is real.
 */
export const KNOWN_ELSEWHERE: readonly string[] = (
  "version-exports-section init-array " +
  "lto-emit-asm lto-emit-llvm thinlto-index-only thinlto-emit-index-files thinlto-emit-imports-files"
).split(" ");
