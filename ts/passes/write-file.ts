/** The output file, from its creation to the moment it appears under its name. */
import type { Context } from "../context.ts";
import { HostError, type OutputFile, type OutputOptions } from "../host/host.ts";
import { timed } from "./timed.ts";

/**
 * May the output take the blocks of the program that it replaces? Of a library nobody knows who runs it. And not where passes read back what is
 * not all written yet.
 */
function reusesOld({ options }: Context): boolean {
  const { updateInPlace, relocatable, hexFormat, z } = options;
  return !relocatable && hexFormat === "" && !z.rewriteEndbr && (updateInPlace ?? !options.shared);
}

/** `write` puts `bytes` bytes into the output. `how`: what the API asks for. */
export async function writeFile(ctx: Context, bytes: number, write: (output: OutputFile) => Promise<void>, how: Pick<OutputOptions, "keep" | "again"> = {}): Promise<void> {
  const { options, host } = ctx;
  const mode = options.relocatable ? 0o666 : 0o777;
  if (bytes > Number.MAX_SAFE_INTEGER) ctx.diag.fatal({ code: "OUTPUT", text: `output file too large: ${bytes} bytes` });
  let file: OutputFile | undefined;
  try {
    const output = (file = host.createOutput(options.output, { ...how, mode, reuse: reusesOld(ctx), bytes: ctx.pool.threads === 1 ? bytes : undefined }));
    output.truncate(bytes);
    await write(output);
    ctx.diag.throwIfErrors();
    // A signal that arrived meanwhile ends the program here, while the old output is still in place.
    await host.turn();
    await timed(ctx, "commit", () => output.commit());
  } catch (error) {
    file?.abort();
    if (error instanceof HostError) ctx.diag.fatal({ code: "OUTPUT", text: `cannot write output file ${options.output}: ${error.message}` });
    throw error;
  }
}
