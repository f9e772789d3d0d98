/**
 * Input section descriptions of layout scripts: `KEEP(file(patterns))` with EXCLUDE_FILE, SORT forms and INPUT_SECTION_FLAGS.
 */
import { SHF_ALLOC, SHF_EXECINSTR, SHF_GROUP, SHF_INFO_LINK, SHF_LINK_ORDER, SHF_MERGE, SHF_STRINGS, SHF_TLS, SHF_WRITE } from "../../as-kernels/shared/elf.ts";
import { Glob } from "./glob.ts";
import type { InputDescription, SectionPattern, SortKind } from "./layout.ts";
import type { ScriptText } from "./script-text.ts";

const SECTION_FLAGS: Record<string, number> = {
  SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR, SHF_MERGE, SHF_STRINGS, SHF_INFO_LINK, SHF_LINK_ORDER, SHF_OS_NONCONFORMING: 0x100, SHF_GROUP, SHF_TLS, SHF_COMPRESSED: 0x800,
};
const SORTS: Record<string, SortKind> = {
  SORT: "name", SORT_BY_NAME: "name", SORT_BY_ALIGNMENT: "alignment", SORT_BY_INIT_PRIORITY: "priority", SORT_NONE: "none",
};

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
  if (Object.hasOwn(SORTS, t.peek())) throw t.error(`${t.peek()} of file names is not supported yet`);
  const input: InputDescription = { kind: "input", file: t.glob(), patterns: [], keep: false, ...flags };
  if (!t.take("(")) {
    // The whole file.
    input.patterns.push({ excluded: [], names: [new Glob("*")], outer: "default", inner: "default" });
    return input;
  }
  while (!t.take(")")) readPatterns(t, input.patterns);
  return input;
}

function readSectionFlags(t: ScriptText, flags: { withFlags: number; withoutFlags: number }): void {
  t.expect("(");
  do {
    const without = t.take("!");
    const bit = t.readNumber(SECTION_FLAGS, "section flag");
    if (without) flags.withoutFlags |= bit;
    else flags.withFlags |= bit;
  } while (t.take("&"));
  t.expect(")");
}

function readPatterns(t: ScriptText, patterns: SectionPattern[]): void {
  const outer = readSort(t);
  if (outer === "default") {
    readNames(t, patterns, outer, "default");
    return;
  }
  t.expect("(");
  const inner = readSort(t);
  if (inner !== "default") t.expect("(");
  t.skip();
  while (t.text[t.at] !== ")") {
    readNames(t, patterns, outer, inner);
    t.skip();
  }
  if (inner !== "default") t.expect(")");
  t.expect(")");
}

function readSort(t: ScriptText): SortKind {
  const word = t.peek();
  if (!Object.hasOwn(SORTS, word)) return "default";
  t.at += word.length;
  return SORTS[word]!;
}

/** Names up to the next `)`, EXCLUDE_FILE or sort. */
function readNames(t: ScriptText, patterns: SectionPattern[], outer: SortKind, inner: SortKind): void {
  const pattern: SectionPattern = { excluded: [], names: [], outer, inner };
  if (t.takeWord("EXCLUDE_FILE")) {
    t.expect("(");
    while (!t.take(")")) if (!t.take(",")) pattern.excluded.push(t.glob());
  }
  for (;;) {
    if (t.take(",")) continue;
    t.skip();
    const word = t.peek();
    if (t.text[t.at] === ")" || word === "EXCLUDE_FILE" || Object.hasOwn(SORTS, word)) break;
    pattern.names.push(t.glob());
  }
  if (pattern.names.length === 0) throw t.error("section pattern is expected");
  patterns.push(pattern);
}
