/**
 * --section-order: what stands where in the output, as a list of words (mold's replacement of layout scripts).
 *
 * EHDR PHDR: the file's headers. TEXT, RODATA, DATA, BSS: all sections of the kind that are not named themselves. =N is an address, %N an
 * alignment, !NAME a symbol at that place; anything else is the name of an output section.
 */
import type { ByteString, OutputOrderItem } from "./link-options.ts";
import { parseNumber } from "./option-row.ts";

const GROUPS = ["TEXT", "RODATA", "DATA", "BSS"];

/** `fail` hears of every mistake. The two headers are one thing in our files, so they must stand together. */
export function parseOutputOrder(text: ByteString, fail: (what: string) => void): OutputOrderItem[] {
  const words = text.split(/[ \t\n]+/).filter(Boolean);
  const items: OutputOrderItem[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === "EHDR" && words[i + 1] === "PHDR") items.push({ kind: "headers", name: words[i++]!, value: 0n });
    else if (word === "EHDR" || word === "PHDR") fail("EHDR and PHDR stand together: EHDR PHDR");
    else if (word[0] === "=" || word[0] === "%") items.push({ kind: word[0] === "=" ? "address" : "align", name: word, value: numberOf(word, fail) });
    else if (word[0] === "!") items.push({ kind: "symbol", name: word.slice(1), value: 0n });
    else items.push({ kind: GROUPS.includes(word) ? "group" : "section", name: word, value: 0n });
  }
  if (items.some((item) => item.kind === "symbol" && item.name === "")) fail("'!' is without the name of a symbol");
  if (items.filter((item) => item.kind === "headers").length > 1) fail("EHDR PHDR is there twice");
  if (words.length === 0) fail("nothing is listed");
  return items;
}

function numberOf(word: ByteString, fail: (what: string) => void): bigint {
  const value = parseNumber(word.slice(1));
  if (value === undefined) fail(`not a number: ${word}`);
  else if (word[0] === "%" && (value === 0n || (value & (value - 1n)) !== 0n)) fail(`not a power of 2: ${word}`);
  else return value;
  return 1n;
}
