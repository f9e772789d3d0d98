/**
 * --vs-diagnostics: messages begin with the place in the source as Visual Studio wants it, `file(line): error: …`, so that its
 * error list can jump there. Otherwise they begin with the program's name.
 *
 * Not loaded with tables; runs for failed links. An undefined symbol without a line has the object in its place, a duplicate one
 * the file that defines it first (lld).
 */
import type { ByteString } from "../args/link-options.ts";
import type { Message } from "./message.ts";

/** What a message begins with instead of the program's name; "" = it stays. */
export function vsLocation({ code, at }: Message): ByteString {
  if (at === undefined) return "";
  if (at.line !== undefined) return `${at.file}(${at.line})`;
  const inside = at.section !== undefined || at.function !== undefined;
  if (code === "UNDEFINED_SYMBOL") return inside && at.file === undefined ? (at.member ?? at.input) : "";
  if (code !== "DUPLICATE_SYMBOL" || inside) return "";
  return at.member === undefined ? at.input : `${at.input}(${at.member})`;
}
