/** In place of gcc-lto.ts where no programs can be started (build/web.ts): slim LTO objects end the link. */
import type { Context } from "../context.ts";

export class GccLto {
  readonly objects = null;

  claim(): null {
    return null;
  }

  compile(ctx: Context): boolean {
    return ctx.diag.fatal({ code: "INCOMPATIBLE_FILE", text: "an input is an LTO object (compiled with -flto), and no compiler can be started here: compile without -flto, or with -ffat-lto-objects" });
  }
}
