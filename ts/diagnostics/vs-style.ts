/**
 * --vs-diagnostics: messages begin with the place in the source as Visual Studio wants it, `file(line): error: …`, so that its
 * error list can jump there. Otherwise they begin with the program's name.
 *
 * Only reads finished messages: the place stands in their `>>>` lines. Not loaded with tables; runs for failed links.
 */
import type { ByteString } from "../args/link-options.ts";

/** `path:line` in brackets at the end of a line of a place. */
const IN_BRACKETS = /\(([^()]+):([0-9]+)\)$/;
const PLAIN = /^(\S+):([0-9]+)(?: |$)/;

/** `path(line)` of what follows `lead` in a line, "" when no line number is known. */
function sourceOf(line: ByteString, lead: string): ByteString {
  if (!line.startsWith(lead)) return "";
  const place = line.slice(lead.length);
  const match = IN_BRACKETS.exec(place) ?? PLAIN.exec(place);
  return match === null ? "" : `${match[1]}(${match[2]})`;
}

/** What a message begins with instead of the program's name; "" = it stays. */
export function vsLocation(message: ByteString): ByteString {
  const [first = "", second = "", third = ""] = message.split("\n");
  const quote = /^(\S+):([0-9]+): unclosed quote$/.exec(first);
  if (quote !== null) return `${quote[1]}(${quote[2]})`;
  if (first.startsWith("duplicate symbol: ")) {
    return second.startsWith(">>> defined in ") ? second.slice(15) : sourceOf(second, ">>> defined at ");
  }
  if (/^undefined (\S+ )?symbol:/.test(first)) {
    const source = sourceOf(second, ">>> referenced by ");
    if (source !== "" || !second.startsWith(">>> referenced by ")) return source;
    const colon = second.lastIndexOf(":");
    return colon < 0 ? "" : second.slice(18, colon);
  }
  return second.startsWith(">>> defined in ") ? sourceOf(third, ">>> referenced by ") : "";
}

/** A duplicate symbol is two messages, one for each place; null for all others. */
export function splitDuplicate(message: ByteString): [ByteString, ByteString] | null {
  const lines = message.split("\n");
  if (lines.length !== 5 || !lines[0]!.startsWith("duplicate symbol: ")) return null;
  if (!lines[1]!.startsWith(">>> defined at ") || !lines[3]!.startsWith(">>> defined at ")) return null;
  return [lines.slice(0, 3).join("\n"), [lines[0]!, ...lines.slice(3)].join("\n")];
}
