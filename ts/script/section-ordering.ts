/**
 * Section ordering files: which input sections stand first in their output section, and in which order.
 *
 * Two linkers have an option of this name. GNU ld's file (manual, "--section-ordering-file") has output section descriptions without
 * anything but inputs: `.text : { *(.text.hot) }`; gold's has a pattern for names of input sections on each line. A brace tells which.
 */
import type { ByteString } from "../args/link-options.ts";
import { Glob, GlobError } from "./glob.ts";
import type { OutputDescription } from "./layout.ts";
import { orderingEntries, type OrderingLine } from "./ordering-file.ts";
import { newOutput, readOutput } from "./output-script.ts";
import { ScriptText } from "./script-text.ts";

/** `outputName`: the output section of an input section in the default layout. Throws ScriptError. */
export function parseSectionOrder(text: ByteString, name: ByteString, outputName: (section: ByteString) => ByteString): OutputDescription[] {
  const t = new ScriptText(text, name, 0, undefined);
  return text.includes("{") ? readDescriptions(t) : readLines(t, outputName);
}

function readDescriptions(t: ScriptText): OutputDescription[] {
  const outputs: OutputDescription[] = [];
  while (!t.atEnd()) {
    if (t.take(";")) continue;
    if (t.takeWord("SECTIONS")) {
      t.expect("{");
      while (!t.take("}")) if (!t.take(";")) outputs.push(readDescription(t));
    } else outputs.push(readDescription(t));
  }
  return outputs;
}

function readDescription(t: ScriptText): OutputDescription {
  t.skip();
  const start = t.at;
  const output = readOutput(t);
  const { address, lma, align, subalign, constraint, sh_type, nonAlloc, readOnly, fill, region, lmaRegion, phdrs, commands } = output;
  const attributes = [address, lma, align, subalign, sh_type, fill].some((value) => value !== null) || constraint + region + lmaRegion !== "" || phdrs.length > 0;
  if (attributes || nonAlloc || readOnly || commands.some((command) => command.kind !== "input")) {
    throw t.error("a section ordering file may only place input sections into output sections", start);
  }
  output.first = true;
  return output;
}

/** gold's lines: all files, the output section is that of the default layout. Lines of one output section that follow each other are one description. */
function readLines(t: ScriptText, outputName: (section: ByteString) => ByteString): OutputDescription[] {
  const outputs: OutputDescription[] = [];
  const file = { glob: new Glob("*"), of: "any" } as const;
  for (const line of orderingEntries(t.text)) {
    const name = outputName(line.text);
    let output = outputs.at(-1);
    if (output?.name !== name) {
      outputs.push((output = newOutput(t, name, line.offset)));
      output.first = true;
    }
    output.commands.push({ kind: "input", file, excluded: [], fileSort: "none", patterns: [{ excluded: [], names: [lineGlob(t, line)], outer: "default", inner: "default", reversed: false }], keep: false, withFlags: 0, withoutFlags: 0 });
  }
  return outputs;
}

function lineGlob(t: ScriptText, line: OrderingLine): Glob {
  try {
    return new Glob(line.text);
  } catch (error) {
    if (!(error instanceof GlobError)) throw error;
    throw t.error(error.message, line.offset);
  }
}
