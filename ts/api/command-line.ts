/**
 * The options of the API as a command line.
 *
 * What an option means is only known to ts/args/ (parse-line.ts). Inputs stand behind `args`, so that positional options there
 * (-static, --as-needed) hold for them; the other fields come last, so that they win.
 */
import type { ParsedArgs } from "../args/parse.ts";
import type { ReadFile } from "../args/response-file.ts";
import type { Input, LinkOptions, VirtualFile } from "./types.ts";

/** Words of the command line, and the files that exist in memory only. */
export interface CommandLine {
  args: string[];
  files: VirtualFile[];
}

/** What the linker inside is told, as data. */
export type Parsed = Pick<ParsedArgs, "options" | "warnings" | "errors" | "action" | "text">;

/** Finds out what options say; `more`: inputs that plugins added. Asked again for every attempt, because the linker changes options. */
export type Parser = (options: LinkOptions, more: readonly Input[], readFile: ReadFile) => Parsed | Promise<Parsed>;

const hexOf = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** A path is no option, whatever it begins with; the empty one is none that there is. */
const pathWord = (path: string): string => (/^([-@]|$)/.test(path) ? `./${path}` : path);

function addInput(line: CommandLine, input: Input): void {
  const { args } = line;
  if (typeof input === "string") args.push(pathWord(input));
  else if ("data" in input) {
    line.files.push({ ...input, name: pathWord(input.name) });
    args.push(pathWord(input.name));
  } else if ("lib" in input) {
    if (input.static === true) args.push("--push-state", "-Bstatic", `-l${input.lib}`, "--pop-state");
    else args.push(`-l${input.lib}`);
  } else if ("group" in input) {
    args.push("--start-group");
    for (const each of input.group) addInput(line, each);
    args.push("--end-group");
  } else {
    args.push("--push-state", "--whole-archive");
    addInput(line, input.wholeArchive);
    args.push("--pop-state");
  }
}

/** `more`: inputs that plugins added. Errors are not limited: a program can show them all. */
export function commandLine(options: LinkOptions, more: readonly Input[]): CommandLine {
  const line: CommandLine = { args: ["--error-limit=0", ...(options.args ?? [])], files: [] };
  const { args } = line;
  for (const input of [...(options.inputs ?? []), ...more]) addInput(line, input);
  for (const path of options.libraryPaths ?? []) args.push("-L", path);
  if (options.output !== undefined) args.push("-o", options.output);
  if (options.entry !== undefined) args.push("-e", options.entry);
  if (typeof options.script === "object") line.files.push(options.script);
  if (options.script !== undefined) args.push("-T", typeof options.script === "string" ? options.script : options.script.name);
  if (options.gcSections !== undefined) args.push(options.gcSections ? "--gc-sections" : "--no-gc-sections");
  if (options.buildId === "usual") args.push("--build-id");
  else if (options.buildId !== undefined) args.push(`--build-id=${typeof options.buildId === "string" ? options.buildId : `0x${hexOf(options.buildId)}`}`);
  if (typeof options.threads === "number") args.push(`--threads=${options.threads}`);
  return line;
}

/** Whether files have to be read to know what options say. */
export const hasResponseFiles = ({ args }: LinkOptions): boolean => args?.some((word) => word.startsWith("@")) === true;
