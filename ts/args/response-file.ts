/**
 * @file arguments: replaces each by the words in the file, nested.
 *
 * Quoting is GNU's (libiberty): white space separates, '…' and "…" group, a backslash takes the next character as it is, in quotes
 * too. The surprise: an @file that cannot be read stays what it is, the name of an input.
 */
import type { ByteString } from "./link-options.ts";

/** Contents of a file, or undefined when it cannot be read. */
export type ReadFile = (path: ByteString) => ByteString | undefined;

/** Files inside files, and files in all: a file that names itself must end. */
const DEPTH_LIMIT = 16;
const FILE_LIMIT = 2000;

export interface Expansion {
  args: ByteString[];
  /** The files that were read, in order. */
  files: ByteString[];
  errors: ByteString[];
}

export function expandResponseFiles(argv: readonly ByteString[], readFile: ReadFile): Expansion {
  const windows = windowsQuoting(argv);
  const result: Expansion = { args: [], files: [], errors: [] };
  expand(argv, readFile, windows ? splitWindowsWords : splitWords, 0, result);
  return result;
}

/** --rsp-quoting must be known before response files are read; the last one counts. */
function windowsQuoting(argv: readonly ByteString[]): boolean {
  let windows = false;
  argv.forEach((arg, i) => {
    const value = arg.includes("rsp-quoting") ? /^--?rsp-quoting(?:=(.*))?$/.exec(arg) : null;
    if (value !== null) windows = (value[1] ?? argv[i + 1]) === "windows";
  });
  return windows;
}

function expand(argv: readonly ByteString[], readFile: ReadFile, split: (text: ByteString) => ByteString[], depth: number, result: Expansion): void {
  for (const arg of argv) {
    const text = arg.length > 1 && arg[0] === "@" && result.errors.length === 0 ? readFile(arg.slice(1)) : undefined;
    if (text === undefined) {
      result.args.push(arg);
    } else if (depth >= DEPTH_LIMIT || result.files.length >= FILE_LIMIT) {
      result.errors.push(`too many nested response files: ${arg}`);
    } else {
      result.files.push(arg.slice(1));
      expand(split(text), readFile, split, depth + 1, result);
    }
  }
}

/** A run of characters that mean themselves. Of bytes that are no ASCII none is a space: 0xa0 is the end of an à. */
const PLAIN = /[^ \t\n\v\f\r'"\\]+/y;

/** White space besides " ". */
const SPACES = "\t\n\v\f\r";

/** Words without quotes: as compilers write response files. No regular expressions, which V8 compiles for longer than a short file takes. */
function plainWords(text: ByteString): ByteString[] {
  let spaced = text;
  for (const space of SPACES) if (spaced.includes(space)) spaced = spaced.replaceAll(space, " ");
  return spaced.split(" ").filter((word) => word !== "");
}

/** The words of a response file. `""` is an empty word; an unfinished quote ends with the file. */
export function splitWords(text: ByteString): ByteString[] {
  if (!text.includes('"') && !text.includes("'") && !text.includes("\\")) return plainWords(text);
  const words: ByteString[] = [];
  let word: ByteString | undefined;
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    PLAIN.lastIndex = i;
    const c = text[i] as string;
    const run = PLAIN.exec(text)?.[0];
    if (run !== undefined) {
      word = (word ?? "") + run;
      i += run.length - 1;
    } else if (c === "\\" && i + 1 < text.length) {
      word = (word ?? "") + text[++i];
    } else if (quote !== "") {
      if (c === quote) quote = "";
      else word = (word ?? "") + c;
    } else if (c === "'" || c === '"') {
      quote = c;
      word ??= "";
    } else if (c === "\\") {
      word = (word ?? "") + c;
    } else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** Microsoft's rules: only "…" groups, backslashes are themselves unless they stand before a quote, two for one. */
export function splitWindowsWords(text: ByteString): ByteString[] {
  const words: ByteString[] = [];
  let word: ByteString | undefined;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const slashes = /^\\*/.exec(text.slice(i, i + 256))![0].length;
    i += slashes;
    const isQuote = text[i] === '"';
    if (slashes > 0) word = (word ?? "") + "\\".repeat(isQuote ? slashes >> 1 : slashes);
    if (isQuote && slashes % 2 === 0) {
      // Two quotes inside quotes are one.
      if (quoted && text[i + 1] === '"') word = (word ?? "") + text[i++];
      else quoted = !quoted;
      word ??= "";
    } else if (i < text.length && (quoted || (text[i] !== " " && !SPACES.includes(text[i]!)))) {
      word = (word ?? "") + text[i];
    } else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}
