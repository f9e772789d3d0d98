/**
 * The command line as text and as words, and how the form reads and changes it. The text is the truth; nothing else is kept.
 *
 * Knows how words are written, not what all options mean: only those that the form has a field for.
 */

/** Words as a POSIX shell splits them. A quote that is not closed ends with the text. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  const pattern = /\s*((?:"(?:\\.|[^"\\])*"?|'[^']*'?|\\.|[^\s"'\\])+)/gsu;
  for (const [, raw] of text.matchAll(pattern)) {
    words.push(raw!.replace(/"((?:\\.|[^"\\])*)"?|'([^']*)'?|\\(.)/gsu, (_, double?: string, single?: string, plain?: string) => double?.replace(/\\(["\\$`])/g, "$1") ?? single ?? plain ?? ""));
  }
  return words;
}

export const joinWords = (words: readonly string[]): string => words.map((word) => (/^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(" ");

/** Options whose value is the next word. */
const WITH_VALUE = new Set(["-o", "-e", "-z", "-L", "-l", "-T", "-m", "-y", "-u", "-Map", "--defsym", "--entry", "--output"]);

export interface Choice {
  /** Identifies the field. */
  id: string;
  label: string;
  help: string;
  /** What the field can say: words of the command line each; the first is the default and usually none. */
  values: readonly { label: string; words: readonly string[] }[];
}

const flag = (id: string, label: string, help: string, word: string): Choice => ({ id, label, help, values: [{ label: "off", words: [] }, { label: "on", words: word.split(" ") }] });

export const CHOICES: readonly Choice[] = [
  { id: "kind", label: "Output", help: "What is made", values: [
    { label: "static executable", words: ["-static"] }, { label: "executable", words: [] }, { label: "static-pie", words: ["-static", "-pie", "--no-dynamic-linker"] }, { label: "shared object", words: ["-shared"] }, { label: "relocatable object", words: ["-r"] },
  ] },
  flag("gc", "Drop unused", "--gc-sections: keep what the entry point leads to", "--gc-sections"),
  { id: "icf", label: "Fold identical", help: "--icf: identical functions become one", values: [{ label: "off", words: [] }, { label: "safe", words: ["--icf=safe"] }, { label: "all", words: ["--icf=all"] }] },
  { id: "strip", label: "Strip", help: "-S: no debug information; -s: no symbols either", values: [{ label: "nothing", words: [] }, { label: "debug", words: ["-S"] }, { label: "all", words: ["-s"] }] },
  { id: "id", label: "Build id", help: "--build-id: a digest of the file in a note", values: [{ label: "none", words: [] }, { label: "fast", words: ["--build-id=fast"] }, { label: "sha1", words: ["--build-id=sha1"] }] },
  flag("separate", "Separate code", "-z separate-code: code shares no page with data", "-z separate-code"),
  flag("relax", "No relaxing", "--no-relax: keep loads from the GOT as they are", "--no-relax"),
  flag("headers", "No headers", "-z nosectionheader: only what a kernel reads", "-z nosectionheader"),
];

/** Words of the command line, options with their values as one. */
function units(words: readonly string[]): string[][] {
  const made: string[][] = [];
  for (let i = 0; i < words.length; i++) {
    if (WITH_VALUE.has(words[i]!) && i + 1 < words.length) made.push([words[i]!, words[++i]!]);
    else made.push([words[i]!]);
  }
  return made;
}

const key = (unit: readonly string[]): string => unit.join(" ").replace(/^--?/, "");

/** Which value of a choice the words say: the one with the most words that are all there. */
export function chosen({ values }: Choice, words: readonly string[]): number {
  const present = new Set(units(words).map(key));
  let best = values.findIndex((value) => value.words.length === 0);
  for (const [i, value] of values.entries()) {
    const wanted = units(value.words);
    if (wanted.length > (best < 0 ? 0 : units(values[best]!.words).length) && wanted.every((unit) => present.has(key(unit)))) best = i;
  }
  return Math.max(0, best);
}

/** The command line with the choice changed: other words stay where they are. */
export function choose(choice: Choice, value: number, words: readonly string[]): string[] {
  const all = new Set(choice.values.flatMap((each) => units(each.words).map(key)));
  const kept = units(words).filter((unit) => !all.has(key(unit))).flat();
  const isProgram = kept[0] !== undefined && !kept[0].startsWith("-") && !/\.\w+$/.test(kept[0]);
  return [...kept.slice(0, isProgram ? 1 : 0), ...choice.values[value]!.words, ...kept.slice(isProgram ? 1 : 0)];
}

/** Value of `-o X` and the like, "" = not there. */
export function valueOf(option: string, words: readonly string[]): string {
  return units(words).findLast((unit) => unit[0] === option)?.[1] ?? "";
}

export function setValue(option: string, value: string, words: readonly string[]): string[] {
  const all = units(words);
  const at = all.findLastIndex((unit) => unit[0] === option);
  if (value === "") return all.filter((unit) => unit[0] !== option).flat();
  if (at < 0) return [...words.slice(0, 1), option, value, ...words.slice(1)];
  return all.map((unit, i) => (i === at ? [option, value] : unit)).flat();
}

/** Without the program's name, which people leave in front. */
export function linkerWords(text: string): string[] {
  const words = splitWords(text);
  return /^(?:\S*\/)?(?:ld|ld\.\w+|wield)$/.test(words[0] ?? "") ? words.slice(1) : words;
}

/** Inputs that are named: files, not options nor their values. */
export function namedFiles(words: readonly string[]): string[] {
  return units(words).filter(([word]) => !word!.startsWith("-")).map(([word]) => word!);
}

export function addFile(name: string, words: readonly string[]): string[] {
  if (namedFiles(words).includes(name)) return [...words];
  const all = units(words);
  const isStart = (unit: readonly string[]): boolean => /(?:^|\/)(?:lib[^/]*\.a|crtn\.o|crtend\w*\.o)$/.test(unit[0]!) || unit[0] === "-l";
  const at = all.findIndex(isStart);
  return at < 0 || /\.a$/.test(name) ? [...words, name] : [...all.slice(0, at), [name], ...all.slice(at)].flat();
}

export const removeFile = (name: string, words: readonly string[]): string[] => units(words).filter((unit) => unit.length > 1 || unit[0] !== name).flat();
