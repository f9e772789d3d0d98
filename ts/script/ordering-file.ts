/** Ordering files (--symbol-ordering-file, --call-graph-ordering-file): one entry a line. What the entries mean is not known here. */
import type { ByteString } from "../args/link-options.ts";

/** Lines without white space around them; empty ones and comments (#) left out. */
export function orderingLines(text: ByteString): ByteString[] {
  return text.split("\n").map((line) => line.replace(/^[ \t\v\f\r]+|[ \t\v\f\r]+$/g, "")).filter((line) => line !== "" && line[0] !== "#");
}
