/**
 * --help: the table of options as text.
 *
 * Other programs read it: libtool wants "no-whole-archive" and a line ": supported targets:.* elf", cmake looks for
 * "--dependency-file" and "--push-state".
 */
import { TARGETS } from "../arch/targets.ts";
import type { Identity } from "./identity.ts";
import { OPTION_GROUPS } from "./options.ts";
import { namesOf, type OptionRow } from "./option-row.ts";
import { zKeywords } from "./z-options.ts";

export function helpText(who: Identity): string {
  const lines = [`USAGE: ${who.programName} [options] file...`, "", STARTED, ""];
  for (const [title, rows] of OPTION_GROUPS) lines.push(`${title}:`, ...rows.map(helpLine), "");
  lines.push("-z keywords:", ...wrap(zKeywords()), "");
  lines.push("@FILE stands for the arguments in FILE. Long options may be written with one dash, except those that begin with o.", "");
  lines.push(`${who.programName}: supported targets: ${TARGETS.map(({ format }) => format).join(" ")}`);
  lines.push(`${who.programName}: supported emulations: ${TARGETS.map(({ emulation }) => emulation).join(" ")}`);
  return lines.join("\n") + "\n";
}

/** As the message about no input files says it. */
const STARTED = "Compilers start it: gcc -B DIR (DIR holds this linker under the name ld), clang --ld-path=FILE";
const HELP_COLUMN = 34;

function helpLine(row: OptionRow): string {
  const names = wrap(namesOf(row).map((name) => `${name}${metavar(row, name)},`)).join("\n").slice(0, -1);
  const gap = names.length + 2 > HELP_COLUMN ? "\n" + " ".repeat(HELP_COLUMN) : " ".repeat(HELP_COLUMN - names.length);
  return names + gap + row.help;
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
