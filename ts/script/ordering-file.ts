/** Ordering files (--symbol-ordering-file, --call-graph-ordering-file, gold's --section-ordering-file): one entry a line. What it means is not known here. */
import type { ByteString } from "../args/link-options.ts";

export interface OrderingLine {
  /** Without white space around it. */
  text: ByteString;
  /** Bytes from the start of the file. */
  offset: number;
}

const SPACE = /[ \t\v\f\r]*/y;

/** Lines but for empty ones and comments (#). */
export function orderingEntries(text: ByteString): OrderingLine[] {
  const found: OrderingLine[] = [];
  let start = 0;
  for (const line of text.split("\n")) {
    SPACE.lastIndex = 0;
    const space = SPACE.exec(line)![0].length;
    const entry = line.slice(space).replace(/[ \t\v\f\r]+$/, "");
    if (entry !== "" && entry[0] !== "#") found.push({ text: entry, offset: start + space });
    start += line.length + 1;
  }
  return found;
}

export function orderingLines(text: ByteString): ByteString[] {
  return orderingEntries(text).map((line) => line.text);
}
