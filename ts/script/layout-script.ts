/**
 * The layout commands of linker scripts, text → LayoutScript: SECTIONS, and what it hands to the readers of the other commands.
 *
 * Not here: commands that name input files (input-script.ts), and what the commands mean (passes/script-*.ts).
 */
import type { ByteString } from "../args/link-options.ts";
import type { LayoutScript } from "./layout.ts";
import { readMemory, readRegionAlias } from "./memory-script.ts";
import { LATER, readOutput } from "./output-script.ts";
import { readPhdrs } from "./phdrs-script.ts";
import { isAssignment, readStatement } from "./script-statement.ts";
import { ScriptText, type ReadInclude } from "./script-text.ts";

const COMMANDS = new Set(["SECTIONS", "MEMORY", "PHDRS", "ASSERT", "PROVIDE", "PROVIDE_HIDDEN", "HIDDEN", "REGION_ALIAS"]);

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
  layout.hasSections = true;
  t.expect("{");
  while (!t.take("}")) readSectionsItem(t, layout);
  if (t.peek() === "INSERT") throw t.error("linker script command INSERT is not supported yet");
}

function readSectionsItem(t: ScriptText, layout: LayoutScript): void {
  if (t.take(";")) return;
  const statement = readStatement(t);
  if (statement !== null) {
    layout.commands.push(statement);
    return;
  }
  if (t.takeWord("INCLUDE")) return t.readInclude((inner) => readSectionsItem(inner, layout));
  if (t.takeWord("ENTRY")) throw t.error("ENTRY inside SECTIONS is not supported yet");
  layout.commands.push(readOutput(t));
}
