/** A file that an option asks for beside the output. */
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { HostError } from "../host/host.ts";
import type { Write } from "../memory/text.ts";

/** What happens to files that could be opened. */
const FULL = new Set(["ENOSPC", "EFBIG", "EDQUOT", "EIO"]);

/** What is in a report, or how to write it. */
export type ReportText = ByteString | ((write: Write) => void);

/** `shown`: what messages call it. */
export function writeReport({ diag, host }: Context, path: ByteString, text: ReportText, shown: string): void {
  try {
    host.writeText(path, typeof text === "string" ? (write) => write(text) : text);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    diag.error({ code: "OUTPUT", text: `cannot ${FULL.has(error.code) ? "write" : "open"} ${path === "-" ? "standard output" : shown}: ${error.message}` });
  }
}

/** What an option lists in a file, or "-", among the messages. */
export function writeListing(ctx: Context, path: ByteString, text: ByteString, option: ByteString): void {
  if (path === "-") ctx.diag.text(text);
  else writeReport(ctx, path, text, `${option}= file ${path}`);
}

export const joinLines = (lines: readonly ByteString[]): ByteString => lines.map((line) => `${line}\n`).join("");
