/**
 * Names of private members that pages can have short: minifiers keep the names of properties, since they cannot know who else uses them.
 *
 * Nobody else uses what stands in a single file, and there only behind `this`: TypeScript sees to the rest.
 */
import * as fs from "node:fs";
import * as path from "node:path";

const DECLARED = /^ +private (?:readonly |async |get |set |\*)*(\w+)/gm;
const WORD = /\w+/g;

/** Matches those names, of the sources in `folder`. */
export function privateNames(folder: string): RegExp {
  const texts = (fs.readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith(".ts")).map((name) => fs.readFileSync(path.join(folder, name), "utf8"));
  /** In how many files each word is. */
  const files = new Map<string, number>();
  for (const text of texts) for (const word of new Set(text.match(WORD))) files.set(word, (files.get(word) ?? 0) + 1);
  const isOwn = (name: string, text: string): boolean => files.get(name) === 1 && !new RegExp(`(?<!\\bthis)\\.${name}\\b`).test(text);
  const names = texts.flatMap((text) => [...text.matchAll(DECLARED)].map(([, name]) => name!).filter((name) => isOwn(name, text)));
  return new RegExp(`^(?:${[...new Set(names)].join("|")})$`);
}
