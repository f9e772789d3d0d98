/**
 * Directives of GNU as that @defasm/core does not know, in words that it knows; every line stays the line it was.
 *
 * `.zero`, `.skip` and `.space` become bytes, `name@PLT` the name; `.align`, `.balign` and `.p2align` become a label, whose address
 * says after an attempt how many bytes are missing (assemble.ts repeats until none are).
 */

export interface Prepared {
  text: string;
  /** What each alignment directive wants, in bytes, by number: its label is alignLabel(number). */
  aligned: number[];
}

export const alignLabel = (index: number): string => `.Lwield_align_${index}`;

/** Longest run of bytes that a directive may ask for. */
const LARGEST = 1 << 16;

const FILL = /^(\s*(?:[\w.$]+:\s*)?)\.(?:zero|skip|space)\s+(0x[0-9a-f]+|\d+)\s*(?=[#;]|$)/i;
const ALIGN = /^(\s*(?:[\w.$]+:\s*)?)\.(align|balign|p2align)\s+(0x[0-9a-f]+|\d+)[^#;]*/i;
const IGNORED = /^\s*\.(?:ident|cfi_\w+|loc|p2align\s*$)\b.*$/i;

const SECTION = /^\s*\.(text|data|bss|section\s+([^\s,;#]+)(?:\s*,\s*"([^"]*)")?)/i;

const bytes = (count: number, value: string): string => `.byte ${new Array<string>(count).fill(value).join(",")}`;

/** Does code follow? undefined: the line does not change the section. */
function startsCode(line: string): boolean | undefined {
  const match = SECTION.exec(line);
  if (match === null) return undefined;
  return match[2] === undefined ? match[1]!.toLowerCase() === "text" : (match[3] ?? "").includes("x") || /^\.(text|init|fini)\b/.test(match[2]);
}

/** `padding`: bytes behind each label, by number. */
export function prepare(source: string, padding: readonly number[]): Prepared {
  const aligned: number[] = [];
  let isCode = true;
  const lines = source.split("\n").map((line) => {
    isCode = startsCode(line) ?? isCode;
    const fill = FILL.exec(line);
    if (fill !== null) {
      const count = Number(fill[2]);
      return count > LARGEST ? line : fill[1]! + (count === 0 ? "" : bytes(count, "0")) + line.slice(fill[0].length);
    }
    const align = ALIGN.exec(line);
    if (align !== null) {
      const wanted = align[2]!.toLowerCase() === "p2align" ? 2 ** Number(align[3]) : Number(align[3]);
      if (wanted < 1 || wanted > 4096 || (wanted & (wanted - 1)) !== 0) return line;
      const index = aligned.push(wanted) - 1;
      const missing = padding[index] ?? 0;
      return `${align[1]}${alignLabel(index)}:${missing === 0 ? "" : ` ${bytes(missing, isCode ? "0x90" : "0")}`}${line.slice(align[0].length)}`;
    }
    if (IGNORED.test(line)) return "";
    return line.replace(/(\b[\w.$]+)@PLT\b/gi, "$1");
  });
  return { text: lines.join("\n"), aligned };
}
