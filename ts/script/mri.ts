/**
 * -c: MRI scripts, as commands of a linker script (GNU ld's manual, "MRI Compatible Script Files").
 *
 * Every line becomes a line, so that messages about the result name the right one; what lays out the output is gathered into a SECTIONS
 * command behind the last. Sections that no command names follow as orphans, by the rules of the default layout.
 */
import type { ByteString } from "../args/link-options.ts";

export interface MriScript {
  text: ByteString;
  /** LIST: a link map is to be printed. */
  list: boolean;
  warnings: ByteString[];
}

interface Described {
  address: ByteString;
  align: ByteString;
  subalign: ByteString;
  inputs: ByteString[];
}

/** Numbers as MRI writes them, $1F and 1Fh, in C's way. */
function expression(text: ByteString): ByteString {
  return text
    .replace(/(?<![\w.$])\$([0-9A-Fa-f]+)(?![\w.$])/g, "0x$1")
    .replace(/(?<![\w.$])([0-9][0-9A-Fa-f]*)[Hh](?![\w.$])/g, "0x$1")
    .replace(/(?<![\w.$])([01]+)[Bb](?![\w.$])/g, (_, digits: string) => `0x${parseInt(digits, 2).toString(16)}`)
    .replace(/(?<![\w.$])([0-7]+)[Oo](?![\w.$])/g, (_, digits: string) => `0x${parseInt(digits, 8).toString(16)}`);
}

const quoted = (name: ByteString): ByteString => (/^[\w.$]+$/.test(name) ? name : `"${name}"`);
const names = (text: ByteString): ByteString[] => text.split(/[\s,]+/).filter(Boolean).map((name) => name.replace(/^"(.*)"$/, "$1"));

/** `NAME = EXPR`, `NAME, EXPR` or `NAME EXPR`. */
function pair(text: ByteString): [ByteString, ByteString] | null {
  const match = /^([^\s=,]+)\s*[=,\s]\s*(.+)$/.exec(text);
  return match === null ? null : [match[1]!, expression(match[2]!)];
}

/** Lines without comments. `#` and what follows it means that the next line goes on with this one, which then stands there. */
function continued(text: ByteString): ByteString[] {
  let before = "";
  return text.split("\n").map((written) => {
    const line = before + written.replace(/^\s*\*.*|;.*/, "").trim();
    const end = line.indexOf("#");
    before = end < 0 ? "" : line.slice(0, end);
    return end < 0 ? line : "";
  });
}

export function mriScript(text: ByteString, path: ByteString): MriScript {
  const script: MriScript = { text: "", list: false, warnings: [] };
  const sections = new Map<ByteString, Described>();
  const describe = (name: ByteString): Described => {
    if (!sections.has(name)) sections.set(name, { address: "", align: "", subalign: "", inputs: [name] });
    return sections.get(name)!;
  };
  const ordered: ByteString[] = [];
  const only: ByteString[] = [];
  let base = "";
  const command = (keyword: string, rest: ByteString): ByteString | null => {
    const two = pair(rest);
    if (keyword === "LOAD") return `INPUT(${names(rest).map((name) => `"${name}"`).join(" ")})`;
    if (keyword === "NAME") return `OUTPUT("${names(rest)[0] ?? ""}")`;
    if (keyword === "EXTERN") return `EXTERN(${names(rest).map(quoted).join(" ")})`;
    if (keyword === "START") return `ENTRY(${names(rest)[0] ?? ""})`;
    if (keyword === "PUBLIC") return two === null ? null : `${quoted(two[0])} = ${two[1]};`;
    if (keyword === "FORMAT") return rest.toUpperCase() === "S" ? "OUTPUT_FORMAT(srec)" : null;
    if (keyword === "BASE") base = expression(rest);
    else if (keyword === "LIST") script.list = true;
    else if (keyword === "ORDER") for (const name of names(rest)) ordered.push(name), describe(name);
    else if (keyword === "ABSOLUTE") for (const name of names(rest)) only.push(name), describe(name);
    else if (keyword === "SECT" || keyword === "ALIGN" || keyword === "ALIGNMOD") {
      if (two === null) return null;
      const field = keyword === "SECT" ? "address" : keyword === "ALIGN" ? "align" : "subalign";
      describe(two[0])[field] ||= two[1];
    } else if (keyword === "ALIAS") {
      const [out, input] = names(rest);
      if (out === undefined || input === undefined) return null;
      describe(out).inputs.push(input);
    } else if (!["CHIP", "END", "CASE", ""].includes(keyword)) return null;
    return "";
  };
  const lines = continued(text).map((line, i) => {
    const [, keyword = "", rest = ""] = /^(\S*)\s*(.*)$/s.exec(line) ?? [];
    const made = command(keyword.toUpperCase() === keyword || keyword.toLowerCase() === keyword ? keyword.toUpperCase() : `?${keyword}`, rest);
    if (made === null) script.warnings.push(`${path}:${i + 1}: not understood in an MRI script: ${line}`);
    return made ?? "";
  });
  script.text = `${lines.join("\n")} ${layout(sections, ordered, only, base)}\n`;
  return script;
}

function layout(sections: Map<ByteString, Described>, ordered: ByteString[], only: ByteString[], base: ByteString): ByteString {
  if (sections.size === 0 && base === "") return "";
  const order = [...new Set([...ordered, ...sections.keys()])];
  const described = order.map((name) => {
    const { address, align, subalign, inputs } = sections.get(name)!;
    const patterns = inputs.map((input) => `*(${input}${input.startsWith(".") ? ` ${input}.*` : ""}${input === ".bss" ? " COMMON" : ""})`);
    return `${name} ${address === "" ? "" : `(${address})`}:${align === "" ? "" : ` ALIGN(${align})`}${subalign === "" ? "" : ` SUBALIGN(${subalign})`} { ${patterns.join(" ")} }`;
  });
  return `SECTIONS { ${base === "" ? "" : `. = ${base};`} ${described.join(" ")} ${only.length === 0 ? "" : "/DISCARD/ : { INPUT_SECTION_FLAGS(SHF_ALLOC) *(*) }"} }`;
}
