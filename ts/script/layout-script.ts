/**
 * The layout commands of linker scripts, text → LayoutScript: SECTIONS, and what it hands to the readers of the other commands.
 *
 * Not here: commands that name input files (input-script.ts), and what the commands mean (passes/script/).
 */
import type { ByteString } from "../args/link-options.ts";
import { eachNode } from "./expression.ts";
import type { LayoutScript, ScriptCommand } from "./layout.ts";
import { readMemory, readRegionAlias } from "./memory-script.ts";
import { readOutput } from "./output-script.ts";
import { readOverlay } from "./overlay-script.ts";
import { readPhdrs } from "./phdrs-script.ts";
import { isAssignment, readStatement } from "./script-statement.ts";
import { ScriptText, type ReadInclude } from "./script-text.ts";

const COMMANDS = new Set(["SECTIONS", "MEMORY", "PHDRS", "ASSERT", "PROVIDE", "PROVIDE_HIDDEN", "HIDDEN", "REGION_ALIAS", "OVERWRITE_SECTIONS", "NOCROSSREFS", "NOCROSSREFS_TO"]);

/** Reads the layout command at `offset` into `layout`; returns where it ends, or -1 when there is none. Throws ScriptError. */
export function parseLayoutCommand(layout: LayoutScript, text: ByteString, name: ByteString, offset: number, include?: ReadInclude): number {
  const t = new ScriptText(text, name, offset, include);
  return readCommand(t, layout) ? t.at : -1;
}

function readCommand(t: ScriptText, layout: LayoutScript): boolean {
  const word = t.peek().replace(/[^A-Z_].*$/, "");
  if (COMMANDS.has(word) && !isAssignment(t)) {
    if (word === "SECTIONS") readSections(t, layout);
    else if (word === "MEMORY") readMemory(t, layout);
    else if (word === "PHDRS") readPhdrs(t, layout);
    else if (word === "REGION_ALIAS") readRegionAlias(t, layout);
    else if (word === "OVERWRITE_SECTIONS") readOverwrites(t, layout);
    else if (word.startsWith("NOCROSSREFS")) readNoCrossRefs(t, layout);
    else layout.commands.push(readStatement(t)!);
    return true;
  }
  const statement = readStatement(t);
  if (statement === null) return false;
  layout.commands.push(statement);
  return true;
}

function readSections(t: ScriptText, layout: LayoutScript): void {
  t.takeWord("SECTIONS");
  t.expect("{");
  const start = layout.commands.length;
  while (!t.take("}")) readSectionsItem(t, layout);
  const commands = layout.commands.slice(start);
  markRelro(commands);
  if (!t.takeWord("INSERT")) {
    layout.hasSections = true;
    return;
  }
  const after = t.takeWord("AFTER");
  if (!after && !t.takeWord("BEFORE")) throw t.error(`expected AFTER/BEFORE, but got '${t.shown()}'`);
  const where = t.word("section name");
  t.take(";");
  if (commands.length > 0) layout.insertions.push({ commands, after, where });
}

/**
 * RELRO are sections between `. = DATA_SEGMENT_ALIGN(…)` and `. = DATA_SEGMENT_RELRO_END(…)`, and none behind: scripts made for lazy
 * binding, such as the one that glibc keeps for its modules, have .got.plt there, and are used with -z now, too.
 */
function markRelro(commands: ScriptCommand[]): void {
  const calls = (command: ScriptCommand, name: string): boolean => {
    let found = false;
    if (command.kind === "assign") eachNode(command.expr.root, (node) => void (found ||= node.kind === "call" && node.name === name));
    return found;
  };
  const from = commands.findIndex((command) => calls(command, "DATA_SEGMENT_ALIGN"));
  const to = commands.findIndex((command) => calls(command, "DATA_SEGMENT_RELRO_END"));
  if (from < 0 || to < from) return;
  for (const [at, command] of commands.entries()) if (at > from && command.kind === "output") command.relro = at < to;
}

function readSectionsItem(t: ScriptText, layout: LayoutScript): void {
  if (t.take(";")) return;
  const statement = readStatement(t);
  if (statement !== null) {
    layout.commands.push(statement);
    return;
  }
  if (t.takeWord("INCLUDE")) return t.readInclude((inner) => readSectionsItem(inner, layout));
  if (t.takeWord("ENTRY")) {
    t.expect("(");
    layout.entry = t.word("symbol");
    t.expect(")");
    return;
  }
  if (t.peek() === "OVERLAY" || t.peek() === "OVERLAY:") return readOverlay(t, layout);
  layout.commands.push(readOutput(t));
}

/** OVERWRITE_SECTIONS { descriptions }: they take the place of those of the same name, or are placed as orphans are. */
function readOverwrites(t: ScriptText, layout: LayoutScript): void {
  t.takeWord("OVERWRITE_SECTIONS");
  t.expect("{");
  while (!t.take("}")) {
    if (t.take(";")) continue;
    const output = readOutput(t);
    output.overwrites = true;
    layout.commands.push(output);
  }
}

/** NOCROSSREFS(a b …), NOCROSSREFS_TO(a b …) */
function readNoCrossRefs(t: ScriptText, layout: LayoutScript): void {
  t.skip();
  const start = t.at;
  const place = t.place();
  const toFirst = t.takeWord("NOCROSSREFS_TO");
  if (!toFirst) t.takeWord("NOCROSSREFS");
  t.expect("(");
  const names: ByteString[] = [];
  while (!t.take(")")) {
    if (t.atEnd()) throw t.error("unexpected EOF", start);
    if (!t.take(",")) names.push(t.word("section name"));
  }
  t.take(";");
  layout.noCrossRefs.push({ place, names, toFirst });
}
