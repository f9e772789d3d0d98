/**
 * OVERLAY of layout scripts: sections that share their addresses and are loaded one behind the other.
 *
 * It is rewritten in terms of plain descriptions: every section begins at the address of the first, each is loaded behind the one
 * before, and the location counter ends behind the largest (GNU ld manual, "Overlay Description").
 */
import type { ByteString } from "../args/link-options.ts";
import type { Expr, Node } from "./expression.ts";
import type { Assignment, LayoutScript, OutputDescription } from "./layout.ts";
import { mentionsSymbols, newOutput, readContents, readFill, readTrailer } from "./output-script.ts";
import type { ScriptText } from "./script-text.ts";

/** OVERLAY [address] : [NOCROSSREFS] [AT(address)] { name { contents } :phdr =fill … } >region AT>region :phdr =fill */
export function readOverlay(t: ScriptText, layout: LayoutScript): void {
  const start = t.at;
  t.takeWord("OVERLAY");
  t.skip();
  const make = (root: Node): Expr => ({ root, symbols: [], text: t.text, name: t.name, offset: start });
  const named = (fn: "ADDR" | "LOADADDR" | "SIZEOF", name: ByteString): Node => ({ kind: "name", fn, name, offset: start });
  const address = t.text[t.at] === ":" ? make({ kind: "dot" }) : t.expression();
  t.expect(":");
  const place = t.place(start);
  const apart = t.takeWord("NOCROSSREFS");
  const loadedAt = t.takeWord("AT") ? t.parenthesized() : null;
  t.expect("{");
  const sections: OutputDescription[] = [];
  while (!t.take("}")) {
    const section = readSection(t);
    const [first, previous] = [sections[0], sections.at(-1)];
    section.address = first === undefined ? address : make(named("ADDR", first.name));
    section.lma = previous === undefined ? (loadedAt ?? make({ kind: "dot" })) : make({ kind: "binary", op: "+", a: named("LOADADDR", previous.name), b: named("SIZEOF", previous.name), offset: start });
    sections.push(section);
  }
  const outer = newOutput(t, "", start);
  readTrailer(t, outer);
  if (outer.lmaRegion !== "" && loadedAt !== null) throw t.error("section can't have both LMA and a load region", start);
  if (outer.lmaRegion !== "" && sections.length > 0) sections[0]!.lma = null;
  for (const section of sections) {
    section.region ||= outer.region;
    section.lmaRegion = outer.lmaRegion;
    if (section.phdrs.length === 0) section.phdrs.push(...outer.phdrs);
    section.fill ??= outer.fill;
  }
  layout.commands.push(...sections);
  if (apart) layout.noCrossRefs.push({ place, names: sections.map(({ name }) => name), toFirst: false });
  const assign = (name: ByteString, root: Node, provide: boolean): Assignment => ({ kind: "assign", name, expr: make(root), provide, hidden: false, start, sym: 0, at: 0n, moved: 0n });
  const [first] = sections;
  if (first === undefined) return;
  const largest = sections.map(({ name }) => named("SIZEOF", name)).reduce((a, b) => ({ kind: "call", name: "MAX", args: [a, b], offset: start }));
  layout.commands.push(assign(".", { kind: "binary", op: "+", a: named("ADDR", first.name), b: largest, offset: start }, false));
  for (const { name } of sections) {
    const word = name.replace(/[^A-Za-z0-9_]/g, "");
    layout.commands.push(assign(`__load_start_${word}`, named("LOADADDR", name), true));
    layout.commands.push(assign(`__load_stop_${word}`, { kind: "binary", op: "+", a: named("LOADADDR", name), b: named("SIZEOF", name), offset: start }, true));
  }
}

function readSection(t: ScriptText): OutputDescription {
  t.skip();
  const start = t.at;
  const section = newOutput(t, t.word("section name"), start);
  section.inOverlay = true;
  t.expect("{");
  while (!t.take("}")) readContents(t, section);
  while (t.take(":")) section.phdrs.push(t.plainName("program header"));
  if (t.take("=")) section.fill = readFill(t);
  t.take(",");
  section.usesSymbols = mentionsSymbols(section);
  return section;
}
