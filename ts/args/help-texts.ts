/**
 * What --help says of each option, for the text of a program whose tables are without it: a page's, whose worker has the texts
 * (build/leave-out.ts).
 */
import type { ByteString } from "./link-options.ts";
import { OPTION_GROUPS } from "./options.ts";

/** `help`: with a \0 for each option, in order. */
export function withHelpTexts(help: ByteString): ByteString {
  const texts = OPTION_GROUPS.flatMap(([, rows]) => rows.map((row) => row.help));
  let next = 0;
  return help.replaceAll("\0", () => texts[next++]!);
}
