/**
 * --error-handling-script=FILE: a program that is told of missing libraries and undefined symbols before the message is printed, so
 * that it can say where to get them.
 *
 * Its output comes first and does not change what the linker does. What is wrong with the script is one more message, which does
 * not count: the link has failed anyway.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { HostError } from "../host/host.ts";
import type { Subject } from "./print.ts";

/** Reports an error that the script is told of as `tag` and `name` (a symbol's as in the symbol table). */
export function taggedError(ctx: Pick<Context, "options" | "host" | "diag">, message: ByteString, tag: Subject["tag"], name: ByteString): void {
  const { options, host, diag } = ctx;
  const script = options.errorHandlingScript;
  if (script === "") return diag.error(message, { tag, name });
  let trouble = "";
  try {
    const { status, output } = host.execute(script, [tag, name]);
    diag.text(output);
    if (status !== 0) trouble = `exited with code ${status}`;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    trouble = "failed to execute";
  }
  diag.error(message, { tag, name });
  if (trouble !== "") diag.alsoError(`error handling script '${script}' ${trouble}`);
}
