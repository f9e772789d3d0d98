/**
 * What the file of --report carries: a layout with every name once, in columns, because those are small when deflated. Indexes are
 * into `strings`; -1 = none. Columns that say so hold differences: each number less the one before it.
 */
export interface ReportData {
  output: string;
  /** One line: size, numbers of things. */
  about: string;
  strings: string[];
  /** Name, sh_type, sh_flags, address (hexadecimal), size; how many of `parts` and of `symbols` are in it. */
  sections: [name: number, type: number, flags: number, address: string, size: number, parts: number, symbols: number][];
  segments: [type: number, flags: number, sections: number[]][];
  /** Input sections, those of one section after those of another; offset in the output section. */
  parts: InputColumns & { offset: number[]; size: number[] };
  /** By section and offset in it. */
  symbols: { name: number[]; offset: number[]; size: number[] };
  /** What --gc-sections left out. */
  discarded: InputColumns & { size: number[] };
}

/** Differences. A section's name is in two: `.text.` and what it is for, which is often a symbol's name. */
export interface InputColumns {
  input: number[];
  member: number[];
  prefix: number[];
  section: number[];
}

/** The element that has a ReportData: written by `writtenData`, deflated (RFC 1951), in base64. */
export const DATA_ELEMENT = "data";

/** JSON, in which no NUL can be, and behind it the strings, in which there is none either: taking them apart is cheaper than parsing. */
export const writtenData = ({ strings, ...rest }: ReportData): string => [JSON.stringify(rest), ...strings].join("\0");

export function readData(written: string): ReportData {
  const strings = written.split("\0");
  const rest = strings.shift();
  return { ...(JSON.parse(rest!) as Omit<ReportData, "strings">), strings };
}

/** A column from its differences. */
export function summed(differences: readonly number[]): number[] {
  let sum = 0;
  return differences.map((difference) => (sum += difference));
}
