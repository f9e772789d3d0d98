/**
 * The options of the API as a command line, and a command line as options of the API.
 *
 * What an option means is only known to ts/args/. Inputs stand behind `args`, so that positional options there (-static,
 * --as-needed) hold for them; the other fields come last, so that they win.
 */
import type { LinkOptions as Options } from "../args/link-options.ts";
import { parseArgs as parse, type ParsedArgs, type ParseEnv } from "../args/parse.ts";
import { decoded, utf8 } from "../memory/text.ts";
import { checkWords } from "./check.ts";
import { diagnosticOf } from "./diagnostic.ts";
import { LinkError } from "./link-error.ts";
import type { Input, LinkOptions, VirtualFile } from "./types.ts";

/** Words of the command line, and the files that exist in memory only. */
export interface CommandLine {
  args: string[];
  files: VirtualFile[];
}

const hexOf = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** A path is no option, whatever it begins with. */
const pathWord = (path: string): string => (path.startsWith("-") || path.startsWith("@") ? `./${path}` : path);

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

/** Kinds exclude each other: so the field replaces what `args` says rather than adding to it. */
function setKind(options: Options, kind: LinkOptions["kind"]): void {
  if (kind === undefined) return;
  options.relocatable = kind === "relocatable";
  options.shared = kind === "shared";
  options.pie = kind === "pie";
}

/** What the linker inside is told. */
export function parseLine(line: CommandLine, kind: LinkOptions["kind"], env: ParseEnv): ParsedArgs {
  const parsed = parse(line.args.map(utf8), env);
  setKind(parsed.options, kind);
  return parsed;
}

/** Where LinkOptions have what was parsed before they were sent. */
export const PARSED = Symbol();

/** What the linker inside is told, if that takes no file to know and has nothing to say: a page finds it out while its worker starts. */
export function parsedBefore(options: LinkOptions): Options | null {
  if (options.args?.some((word) => word.startsWith("@")) === true) return null;
  const { action, options: parsed, warnings, errors, text } = parseLine(commandLine(options, []), options.kind, {});
  return action === "link" && warnings.length + errors.length === 0 && text === "" ? parsed : null;
}

/**
 * Options for `link` from a command line of ld (without the program's name): `args` as they are, and what they say about the
 * output in fields, which a program may change. Response files (@file) are read when the link begins. Throws LinkError
 * (LINK_FAILED) with a diagnostic for each option that is wrong.
 */
export function parseArgs(argv: readonly string[]): LinkOptions {
  checkWords(argv);
  const plain = argv.filter((word) => !word.startsWith("@"));
  const { options, errors } = parse(plain.map(utf8));
  const wrong = errors.filter(({ code }) => code !== "NO_INPUT");
  if (wrong.length > 0) throw LinkError.of(wrong.map((message) => diagnosticOf("error", message)));
  const { buildId } = options;
  return {
    args: [...argv],
    output: decoded(options.output),
    kind: (["relocatable", "shared", "pie"] as const).find((kind) => options[kind]) ?? "exec",
    ...(options.entry === "" ? {} : { entry: decoded(options.entry) }),
    gcSections: options.gcSections,
    buildId: typeof buildId === "object" ? buildId.hex : buildId,
    threads: options.threads === 0 ? "auto" : options.threads,
  };
}
