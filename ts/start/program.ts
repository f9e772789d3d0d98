/**
 * dist/cli.cjs (a name for which Node looks for no package.json): starts the quick program, which starts the complete one when it needs it.
 *
 * Large links are for the complete program from the first (host/large-link.ts), and so are those with a layout script, -r, a map and the
 * like: those that say so at a glance, because starting both programs costs them more than it costs others to look. Only a guess: either
 * program does the whole of any link.
 */
import { isFile } from "../host/file-kind.ts";
import { LARGE_BYTES } from "../host/host.ts";
import { bytesOf, loadBundle } from "./load.ts";

const fs = require("node:fs") as typeof import("node:fs");

/** Command lines with fewer words, and response files of fewer bytes, are not looked at: small links have no time for it. */
const MANY_WORDS = 64;
const MANY_BYTES = 1 << 10;
/** Nor are files that are no response files, but something large. */
const TOO_MANY_BYTES = 1 << 26;
/** To read more words twice, and the complete program without its code cache because V8 optimises by then, costs more than to start with it. */
const LONG_LINE = 4096;
/** Words of a command line whose size is asked for: of very many every so manieth tells enough. */
const LOOKED_AT = 512;

/** Options of links that only the complete program does, as they are written most often. */
const COMPLETE = new Set(["-r", "-T", "--script", "-Map", "--cref", "--icf", "-q", "--emit-relocs", "--gdb-index", "--compress-debug-sections", "--dependency-file"]);

/** Bytes of a file that can be read more than once; 0 of everything else. */
function sizeOf(file: string): number {
  try {
    const stat = fs.statSync(file);
    return isFile(stat) ? stat.size : 0;
  } catch {
    return 0;
  }
}

function addResponseFile(file: string, words: string[]): void {
  try {
    const bytes = sizeOf(file);
    if (bytes < MANY_BYTES || bytes > TOO_MANY_BYTES) return;
    for (const word of bytesOf(file).latin1Slice().split(/[ \t\n\v\f\r]+/)) words.push(word);
  } catch {
    // The program says what is wrong with it.
  }
}

function wordsOf(args: readonly string[]): string[] {
  const words: string[] = [];
  for (const word of args) {
    if (word[0] === "@") addResponseFile(word.slice(1), words);
    else words.push(word);
  }
  return words;
}

/** About how many bytes a large link names on its command line; 0 when it is not large. */
function largeInputBytes(words: readonly string[]): number {
  if (words.length < MANY_WORDS) return 0;
  const step = Math.ceil(words.length / LOOKED_AT);
  let bytes = 0;
  for (let i = 0; i < words.length; i += step) if (/\.(o|a|rlib)$/.test(words[i]!)) bytes += sizeOf(words[i]!) * step;
  return bytes >= LARGE_BYTES ? bytes : 0;
}

function needsComplete(words: readonly string[]): boolean {
  for (const word of words) {
    const end = word.indexOf("=");
    if (COMPLETE.has(end < 0 ? word : word.slice(0, end))) return true;
  }
  return false;
}

const words = wordsOf(process.argv.slice(2));
const inputBytes = largeInputBytes(words);
if (inputBytes > 0 || words.length > LONG_LINE || needsComplete(words)) loadBundle("main").start(undefined, inputBytes);
else loadBundle("quick").start(() => loadBundle("main").start());
