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
  /** The files that were read, for --dependency-file and the like. */
  files: ByteString[];
  errors: ByteString[];
}

export function expandResponseFiles(argv: readonly ByteString[], readFile: ReadFile): Expansion {
  const result: Expansion = { args: [], files: [], errors: [] };
  expand(argv, readFile, 0, result);
  return result;
}

function expand(argv: readonly ByteString[], readFile: ReadFile, depth: number, result: Expansion): void {
  for (const arg of argv) {
    const text = arg.length > 1 && arg[0] === "@" && result.errors.length === 0 ? readFile(arg.slice(1)) : undefined;
    if (text === undefined) {
      result.args.push(arg);
    } else if (depth >= DEPTH_LIMIT || result.files.length >= FILE_LIMIT) {
      result.errors.push(`too many nested response files: ${arg}`);
    } else {
      result.files.push(arg.slice(1));
      expand(splitWords(text), readFile, depth + 1, result);
    }
  }
}

/** A run of characters that mean themselves. */
const PLAIN = /[^\s'"\\]+/y;

/** The words of a response file. `""` is an empty word; an unfinished quote ends with the file. */
export function splitWords(text: ByteString): ByteString[] {
  if (!/['"\\]/.test(text)) return text.split(/\s+/).filter((word) => word !== "");
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
