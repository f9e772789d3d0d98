/**
 * Input section descriptions of layout scripts: `KEEP(file(patterns))` with EXCLUDE_FILE, sorts and INPUT_SECTION_FLAGS.
 */
import { SHF_ALLOC, SHF_EXECINSTR, SHF_GROUP, SHF_INFO_LINK, SHF_LINK_ORDER, SHF_MERGE, SHF_STRINGS, SHF_TLS, SHF_WRITE } from "../../as-kernels/shared/elf.ts";
import { Glob } from "./glob.ts";
import type { FilePattern, FileSort, InputDescription, SectionPattern, SortKind } from "./layout.ts";
import type { ScriptText } from "./script-text.ts";

const SECTION_FLAGS: Record<string, number> = {
  SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR, SHF_MERGE, SHF_STRINGS, SHF_INFO_LINK, SHF_LINK_ORDER, SHF_OS_NONCONFORMING: 0x100, SHF_GROUP, SHF_TLS, SHF_COMPRESSED: 0x800,
};
const SORTS: Record<string, SortKind> = {
  SORT: "name", SORT_BY_NAME: "name", SORT_BY_ALIGNMENT: "alignment", SORT_BY_INIT_PRIORITY: "priority", SORT_NONE: "none",
};
const REVERSE = "REVERSE";
const EXCLUDE_FILE = "EXCLUDE_FILE";

/** How the patterns between two parentheses are sorted. */
type Sort = Pick<SectionPattern, "outer" | "inner" | "reversed">;

const UNSORTED: Sort = { outer: "default", inner: "default", reversed: false };

export function readInput(t: ScriptText): InputDescription {
  if (!t.takeWord("KEEP")) return readInputPatterns(t);
  t.expect("(");
  const input = readInputPatterns(t);
  t.expect(")");
  input.keep = true;
  return input;
}

function readInputPatterns(t: ScriptText): InputDescription {
  const flags = { withFlags: 0, withoutFlags: 0 };
  if (t.takeWord("INPUT_SECTION_FLAGS")) readSectionFlags(t, flags);
  const excluded = readExcluded(t);
  const input: InputDescription = { kind: "input", ...readFile(t), excluded, patterns: [], keep: false, ...flags };
  if (t.take("(")) while (!t.take(")")) readPatterns(t, input.patterns);
  else input.patterns.push({ excluded: [], names: [new Glob("*")], ...UNSORTED }); // the whole file
  return input;
}

/** `pattern`, `SORT(pattern)`, `SORT_NONE(pattern)`, `REVERSE(pattern)`: the order of files by name (GNU ld). */
function readFile(t: ScriptText): Pick<InputDescription, "file" | "fileSort"> {
  const word = t.peek();
  const fileSort: FileSort = word === REVERSE ? "reverse" : word === "SORT" || word === "SORT_BY_NAME" ? "name" : "none";
  if (fileSort === "none" && word !== "SORT_NONE") return { file: t.filePattern(), fileSort };
  t.takeWord(word);
  t.expect("(");
  const inner = readFile(t);
  t.expect(")");
  if (fileSort === "none") return inner;
  return { file: inner.file, fileSort: fileSort === "reverse" || inner.fileSort === "reverse" ? "reverse" : "name" };
}

/** `EXCLUDE_FILE(files)`, if it is there. */
function readExcluded(t: ScriptText): FilePattern[] {
  const excluded: FilePattern[] = [];
  if (!t.takeWord(EXCLUDE_FILE)) return excluded;
  t.expect("(");
  while (!t.take(")")) if (!t.take(",")) excluded.push(t.filePattern());
  return excluded;
}

/** `INPUT_SECTION_FLAGS(SHF_ALLOC & !SHF_WRITE & 0x10)` */
function readSectionFlags(t: ScriptText, flags: { withFlags: number; withoutFlags: number }): void {
  t.expect("(");
  for (;;) {
    const without = t.take("!");
    const bit = readFlag(t);
    if (without) flags.withoutFlags |= bit;
    else flags.withFlags |= bit;
    if (t.take(")")) return;
    if (!t.take("&")) throw t.error("expected & or )");
  }
}

function readFlag(t: ScriptText): number {
  t.skip();
  const start = t.at;
  const name = t.shown();
  const word = /^\w*/.exec(name)![0];
  t.at += word.length;
  if (Object.hasOwn(SECTION_FLAGS, word)) return SECTION_FLAGS[word]!;
  if (/^(0x[0-9a-fA-F]+|[0-9]+)$/.test(word)) return Number(word);
  throw t.error(`unrecognised flag: ${name}`, start);
}

function readPatterns(t: ScriptText, patterns: SectionPattern[]): void {
  let depth = 0;
  let sort = UNSORTED;
  for (let word = t.peek(); word === REVERSE || Object.hasOwn(SORTS, word); word = t.peek()) {
    if (word === REVERSE) sort = { ...sort, outer: sort.outer === "default" ? "none" : sort.outer, reversed: true };
    else if (sort.outer === "default" || (sort.outer === "none" && sort.reversed)) sort = { ...sort, outer: SORTS[word]! };
    else if (sort.inner === "default") sort = { ...sort, inner: SORTS[word]! };
    else throw t.error("section patterns are sorted too often");
    t.takeWord(word);
    t.expect("(");
    depth++;
  }
  if (depth === 0) return readNames(t, patterns, sort);
  for (t.skip(); t.text[t.at] !== ")"; t.skip()) readNames(t, patterns, sort);
  while (depth-- > 0) t.expect(")");
}

/** Names up to the next `)`, EXCLUDE_FILE or sort. */
function readNames(t: ScriptText, patterns: SectionPattern[], sort: Sort): void {
  const pattern: SectionPattern = { excluded: readExcluded(t), names: [], ...sort };
  for (;;) {
    if (t.take(",")) continue;
    t.skip();
    const word = t.peek();
    if (t.text[t.at] === ")" || word === EXCLUDE_FILE || word === REVERSE || Object.hasOwn(SORTS, word)) break;
    pattern.names.push(t.glob());
  }
  if (pattern.names.length === 0) throw t.error("section pattern is expected");
  patterns.push(pattern);
}
