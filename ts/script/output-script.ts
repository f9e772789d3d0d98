/**
 * Output section descriptions of layout scripts: `name address (type) : attributes { contents } >region :phdr =fill`.
 *
 * What stands between the braces for input sections is input-description.ts.
 */
import { SHT_NOBITS } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import { readInput } from "./input-description.ts";
import type { OutputDescription } from "./layout.ts";
import { readStatement } from "./script-statement.ts";
import type { ScriptText } from "./script-text.ts";
import { constantValue } from "./script-value.ts";

const SECTION_TYPES: Record<string, number> = { SHT_PROGBITS: 1, SHT_STRTAB: 3, SHT_NOTE: 7, SHT_NOBITS: 8, SHT_INIT_ARRAY: 14, SHT_FINI_ARRAY: 15, SHT_PREINIT_ARRAY: 16 };
const TYPES = /^(NOLOAD|COPY|INFO|OVERLAY|DSECT|READONLY|TYPE)$/;
const LONGEST_FILL = 1 << 16;
const DATA: Record<string, number> = { BYTE: 1, SHORT: 2, LONG: 4, QUAD: 8, SQUAD: 8 };
/** Real commands that are not obeyed yet. */
const LATER = /^(INSERT|ASCIZ|SECTION_FLAGS|CLASS)$/;

export function readOutput(t: ScriptText): OutputDescription {
  t.skip();
  const start = t.at;
  let name = t.word("section name");
  if (LATER.test(name)) throw t.error(`linker script command ${name} is not supported yet`, start);
  if (name.length > 1 && name.endsWith(":")) {
    name = name.slice(0, -1);
    t.at--;
  }
  const output = newOutput(t, name, start);
  readAddressAndType(t, output);
  t.expect(":");
  readAttributesOf(t, output);
  t.expect("{");
  while (!t.take("}")) readContents(t, output);
  readTrailer(t, output);
  output.usesSymbols = mentionsSymbols(output);
  return output;
}

export function mentionsSymbols(output: OutputDescription): boolean {
  const own = [output.address, output.lma, output.align, output.subalign];
  const inner = output.commands.map((command) => (command.kind === "input" ? null : command.expr));
  return [...own, ...inner].some((expr) => expr !== null && expr.symbols.length > 0);
}

export function newOutput(t: ScriptText, name: ByteString, start: number): OutputDescription {
  return {
    kind: "output", name, address: null, lma: null, align: null, subalign: null, constraint: "", sh_type: null, nonAlloc: false, readOnly: false, commands: [],
    fill: null, region: "", lmaRegion: "", phdrs: [], usesSymbols: false, inOverlay: false, relro: null, overwrites: false, first: false, orphan: false, place: t.place(start), offset: start,
  };
}

function readAddressAndType(t: ScriptText, output: OutputDescription): void {
  if (readType(t, output)) return;
  t.skip();
  if (t.text[t.at] === ":") return;
  output.address = t.expression();
  if (!readType(t, output) && t.take("(")) throw t.error(`unknown section directive: ${t.shown()}`);
}

/** `(NOLOAD)`, `(TYPE = n)`, … */
function readType(t: ScriptText, output: OutputDescription): boolean {
  t.skip();
  const start = t.at;
  const word = t.take("(") ? /^[\w.$]*/.exec(t.peek())![0] : "";
  if (!TYPES.test(word)) {
    t.at = start;
    return false;
  }
  t.at += word.length;
  if (word === "NOLOAD") output.sh_type = SHT_NOBITS;
  else if (word === "TYPE") {
    t.expect("=");
    output.sh_type = t.readNumber(SECTION_TYPES, "section type");
  } else if (word === "READONLY") {
    output.readOnly = true;
    readType(t, output);
  } else output.nonAlloc = true;
  t.expect(")");
  return true;
}

function readAttributesOf(t: ScriptText, output: OutputDescription): void {
  for (;;) {
    if (t.takeWord("AT")) output.lma = t.parenthesized();
    else if (t.takeWord("ALIGN_WITH_INPUT")) continue; // load addresses always keep their distance
    else if (t.takeWord("ALIGN")) output.align = t.parenthesized();
    else if (t.takeWord("SUBALIGN")) output.subalign = t.parenthesized();
    else if (t.takeWord("ONLY_IF_RO")) output.constraint = "ONLY_IF_RO";
    else if (t.takeWord("ONLY_IF_RW")) output.constraint = "ONLY_IF_RW";
    else return;
  }
}

/** What may follow the contents. */
export function readTrailer(t: ScriptText, output: OutputDescription): void {
  if (t.take(">")) output.region = t.word("memory region");
  if (t.peek() === "AT" || t.peek().startsWith("AT>")) {
    t.takeWord("AT");
    t.expect(">");
    if (output.lma !== null) throw t.error("section can't have both LMA and a load region");
    output.lmaRegion = t.word("memory region");
  }
  while (t.take(":")) output.phdrs.push(t.plainName("program header"));
  if (t.take("=")) output.fill = readFill(t);
  t.take(",");
}

/** Four bytes (lld), or with more than eight digits as many as are written (GNU ld). */
export function readFill(t: ScriptText): Uint8Array {
  t.skip();
  const start = t.at;
  const digits = /^0[xX]([0-9a-fA-F]{9,})(?![\w.$])/.exec(t.text.slice(t.at, t.at + LONGEST_FILL))?.[1];
  if (digits !== undefined) {
    t.at += digits.length + 2;
    return Uint8Array.from((digits.length % 2 === 0 ? digits : `0${digits}`).match(/../g)!, (byte) => parseInt(byte, 16));
  }
  const pattern = constantValue(t.expression(true));
  if (pattern > 0xffffffffn) throw t.error(`filler expression result does not fit 32-bit: 0x${pattern.toString(16)}`, start);
  const value = Number(pattern);
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

export function readContents(t: ScriptText, output: OutputDescription): void {
  if (t.take(";")) return;
  const statement = readStatement(t);
  if (statement !== null) {
    output.commands.push(statement);
    return;
  }
  const word = t.peek();
  if (Object.hasOwn(DATA, word)) {
    t.at += word.length;
    output.commands.push({ kind: "data", bytes: DATA[word]!, expr: t.parenthesized(), offset: 0, value: 0n });
  } else if (t.takeWord("CONSTRUCTORS") || t.takeWord("CREATE_OBJECT_SYMBOLS")) {
    // Only for a.out.
  } else if (/^SORT\s*\(\s*CONSTRUCTORS\s*\)/.test(t.text.slice(t.at, t.at + 100))) {
    t.at = t.text.indexOf(")", t.at) + 1;
  } else if (t.takeWord("FILL")) {
    t.expect("(");
    output.fill = readFill(t);
    t.expect(")");
  } else if (t.takeWord("INCLUDE")) {
    t.readInclude((inner) => readContents(inner, output));
  } else if (LATER.test(word)) {
    throw t.error(`linker script command ${word} is not supported yet`);
  } else {
    output.commands.push(readInput(t));
  }
}
