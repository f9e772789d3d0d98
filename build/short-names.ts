/**
 * Names of members that pages can have short: minifiers keep the names of properties, since they cannot know who else uses them.
 */
import * as fs from "node:fs";
import * as path from "node:path";

const WORD = /\w+/g;
const PRIVATE = /^ +private (?:readonly |async |get |set |\*)*(\w+)/gm;
/** A class or an interface, and in it a field, a method, a getter. Keys of other objects may be looked up by text. */
const TYPE = /^(?:export )?(?:abstract )?(?:class|interface) .*\{\n([^]*?)^\}/gm;
const MEMBER = /^ {2}(?:private |readonly |async |get |set |\*)*(\w+)(?=[?!]?: |\(.*[{;]$| = )/gm;
const STRING = /"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g;

/** What links and tells of it: names that stand nowhere else are none of the API or of a file that is written. */
const ENGINE = /^(?:passes|synthetic|script|input|arch|lto|diagnostics|report)\//;

/** What else is in the programs that pages load. */
const LIBRARIES = ["comlink/dist/esm/comlink.mjs", "fflate/esm/browser.js", "fzstd/esm/index.mjs"];

const wordsOf = (text: string): Set<string> => new Set(text.match(WORD));

/** Properties of whatever the language has, which are more than the engine uses. */
function builtIn(): Set<string> {
  const names = new Set<string>();
  const seen = new Set<unknown>();
  const visit = (value: unknown): void => {
    if (value === null || (typeof value !== "object" && typeof value !== "function") || seen.has(value)) return;
    seen.add(value);
    for (const [name, { value: own, get }] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
      names.add(name);
      visit(own);
      visit(get);
    }
    visit(Object.getPrototypeOf(value));
  };
  visit(globalThis);
  return names;
}

/** Those of private members which stand in a single file, and there only behind `this`: TypeScript sees to the rest. */
function privateNames(texts: Iterable<string>): string[] {
  const all = [...texts];
  /** In how many files each word is. */
  const files = new Map<string, number>();
  for (const text of all) for (const word of wordsOf(text)) files.set(word, (files.get(word) ?? 0) + 1);
  const isOwn = (name: string, text: string): boolean => files.get(name) === 1 && !new RegExp(`(?<!\\bthis)\\.${name}\\b`).test(text);
  return all.flatMap((text) => [...text.matchAll(PRIVATE)].map(([, name]) => name!).filter((name) => isOwn(name, text)));
}

/** Those of members of the engine's which stand nowhere else, and in no string. */
function engineNames(texts: ReadonlyMap<string, string>): string[] {
  const foreign = builtIn();
  for (const library of LIBRARIES) for (const word of wordsOf(fs.readFileSync(path.join("node_modules", library), "utf8"))) foreign.add(word);
  const names = new Set<string>();
  for (const [file, text] of texts) {
    if (ENGINE.test(file)) for (const [, body] of text.matchAll(TYPE)) for (const [, name] of body!.matchAll(MEMBER)) names.add(name!);
    if (!ENGINE.test(file)) for (const word of wordsOf(text)) foreign.add(word);
    for (const [, quoted, template] of text.matchAll(STRING)) for (const word of wordsOf(quoted ?? template!)) foreign.add(word);
  }
  return [...names].filter((name) => !foreign.has(name));
}

/** Matches those names, of the sources in `folder`. */
export function shortNames(folder: string): RegExp {
  const files = (fs.readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith(".ts"));
  const texts = new Map(files.map((name) => [name, fs.readFileSync(path.join(folder, name), "utf8")]));
  return new RegExp(`^(?:${[...new Set([...privateNames(texts.values()), ...engineNames(texts)])].join("|")})$`);
}
