/** layout-page.ts where the linker is loaded into a page: result.map has what a page needs to draw it. */
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";

export function reportPage({ diag }: Context): ByteString {
  diag.error({ code: "BAD_OPTION", text: "--report is not there in pages: result.map has the layout" });
  return "";
}
