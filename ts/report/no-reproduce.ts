/** reproduce.ts where the linker is loaded into a page, which has the files already. */
import type { Context } from "../context.ts";

export function reproduce({ diag }: Context): void {
  diag.error({ code: "BAD_OPTION", text: "--reproduce is not there in pages: they have the inputs and the options" });
}
