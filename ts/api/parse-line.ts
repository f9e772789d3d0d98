/**
 * What options of the API mean, and a command line as options of the API.
 *
 * All of ts/args/ comes with it. In a page that is here and not in the worker, which asks (remote.ts).
 */
import { expandResponseFiles, type Expansion } from "../args/response-file.ts";
import type { LinkOptions as Options } from "../args/link-options.ts";
import { parseExpanded } from "../args/parse.ts";
import { decoded, utf8 } from "../memory/text.ts";
import { checkWords } from "./check.ts";
import { commandLine, hasResponseFiles, type Parsed, type Parser } from "./command-line.ts";
import { diagnosticOf } from "./diagnostic.ts";
import { LinkError } from "./link-error.ts";
import type { LinkOptions } from "./types.ts";

/** Kinds exclude each other: so the field replaces what `args` says rather than adding to it. */
function setKind(options: Options, kind: LinkOptions["kind"]): void {
  if (kind === undefined) return;
  options.relocatable = kind === "relocatable";
  options.shared = kind === "shared";
  options.pie = kind === "pie";
}

/** `line`: the words of commandLine. */
export function parsedLine(line: Expansion, kind: LinkOptions["kind"]): Parsed {
  const parsed = parseExpanded(line);
  setKind(parsed.options, kind);
  const { options, warnings, errors, action, text } = parsed;
  return { options, warnings, errors, action, text };
}

/** In the thread that links. */
export const parseHere: Parser = (options, more, readFile) => parsedLine(expandResponseFiles(commandLine(options, more).args.map(utf8), readFile), options.kind);

/** Words among which are no response files. Those who only have such words are without what reads the files. */
const plainLine = (words: readonly string[]): Expansion => ({ args: words.map(utf8), files: [], errors: [] });

/** What the linker inside is told, if that takes no file to know: a page finds it out while its worker starts. */
export function parsedBefore(options: LinkOptions): Parsed | null {
  return hasResponseFiles(options) ? null : parsedLine(plainLine(commandLine(options, []).args), options.kind);
}

/**
 * Options for `link` from a command line of ld (without the program's name): `args` as they are, and what they say about the
 * output in fields, which a program may change. Response files (@file) are read when the link begins. Throws LinkError
 * (LINK_FAILED) with a diagnostic for each option that is wrong.
 */
export function parseArgs(argv: readonly string[]): LinkOptions {
  checkWords(argv);
  const { options, errors } = parseExpanded(plainLine(argv.filter((word) => !word.startsWith("@"))));
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
