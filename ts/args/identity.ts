/**
 * What the linker says it is: --version, -V, --help.
 *
 * Other programs read these texts. libtool wants "GNU" in `-v`, "no-whole-archive" and a line ": supported targets:.* elf" in
 * `--help`; meson wants "GNU" or "LLD" in --version, cmake "LLD N", the Linux kernel the words LLD and N; cmake looks for
 * "--dependency-file" and "--push-state" in --help.
 */
import { OPTION_GROUPS } from "./options.ts";
import type { OptionRow } from "./option-row.ts";
import { zKeywords } from "./z-options.ts";

/** The linker whose options and layout are ours: cmake, meson and the Linux kernel choose what to pass by a name and a version they know. */
const LLD_VERSION = "19.1.7";

/** Of package.json; a test compares. */
export const VERSION = "0.1.0";

export const DEFAULT_EMULATIONS: readonly string[] = ["elf_x86_64"];
export const DEFAULT_TARGETS: readonly string[] = ["elf64-x86-64"];

export interface Identity {
  programName: string;
  compatVersion: string;
  emulations: readonly string[];
  targets: readonly string[];
}

/** `level` 2 is -V. The v is for libtool, which takes a word that begins with 0. or 1. for a GNU ld without version scripts. */
export function versionText(who: Identity, level: number): string {
  const first = who.compatVersion === "" ? `wield v${VERSION}, as LLD ${LLD_VERSION} (compatible with GNU ld)` : who.compatVersion;
  const lines = [first];
  if (level === 2) lines.push("  Supported emulations:", ...who.emulations.map((name) => "   " + name));
  return lines.join("\n") + "\n";
}

export function helpText(who: Identity): string {
  const lines = [`USAGE: ${who.programName} [options] file...`, ""];
  for (const [title, rows] of OPTION_GROUPS) lines.push(`${title}:`, ...rows.map(helpLine), "");
  lines.push("-z keywords:", ...wrap(zKeywords()), "");
  lines.push("@FILE stands for the arguments in FILE. Long options may be written with one dash, except those that begin with o.", "");
  lines.push(`${who.programName}: supported targets: ${who.targets.join(" ")}`);
  lines.push(`${who.programName}: supported emulations: ${who.emulations.join(" ")}`);
  return lines.join("\n") + "\n";
}

const HELP_COLUMN = 34;

function helpLine(row: OptionRow): string {
  const names = row.names.map((name) => name + metavar(row, name)).join(", ");
  const gap = names.length + 4 > HELP_COLUMN ? "\n" + " ".repeat(HELP_COLUMN) : " ".repeat(HELP_COLUMN - names.length - 2);
  return `  ${names}${gap}${row.help}`;
}

function metavar(row: OptionRow, name: string): string {
  if (row.value === "none") return "";
  if (row.value === "optional") return `[=${row.metavar}]`;
  return name.startsWith("--") ? `=${row.metavar}` : ` ${row.metavar}`;
}

function wrap(words: string[]): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.length - 1;
    if (last >= 0 && (lines[last] as string).length + word.length < 98) lines[last] += " " + word;
    else lines.push("  " + word);
  }
  return lines;
}
