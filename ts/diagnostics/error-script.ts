/**
 * --error-handling-script=FILE: a program that is told of missing libraries and undefined symbols before the message is printed, so
 * that it can say where to get them.
 *
 * Its output comes first and does not change what the linker does. What is wrong with the script is one more message, which does
 * not count: the link has failed anyway.
 */
import type { Context } from "../context.ts";
import { HostError } from "../host/host.ts";
import type { Message } from "./message.ts";

/** Reports an error that the script is told of: one that names a library or a symbol (as in the symbol table). */
export function taggedError({ options, host, diag }: Pick<Context, "options" | "host" | "diag">, message: Message): void {
  const script = options.errorHandlingScript;
  if (script === "") return diag.error(message);
  const words = message.library !== undefined ? ["missing-lib", message.library] : ["undefined-symbol", message.rawSymbol ?? ""];
  let trouble = "";
  try {
    const { status, output } = host.execute(script, words);
    diag.text(output);
    if (status !== 0) trouble = `exited with code ${status}`;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    trouble = "failed to execute";
  }
  diag.error(message);
  if (trouble !== "") diag.alsoError(`error handling script '${script}' ${trouble}`);
}
