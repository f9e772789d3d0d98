/** How objects that are only GCC's intermediate code are told from others, in every link. */
import { OBJ_RELOCATABLE, SYM_COMMON, SYM_KIND_MASK, SYM_LAZY } from "../../as-kernels/shared/abi.ts";
import type { Context } from "../context.ts";

/** Common symbol of objects made with -fno-fat-lto-objects. */
export const SLIM_MARK = "__gnu_lto_slim";

/** Does some object that resolve-symbols met have the mark? */
export function meetsSlimObjects(ctx: Context): boolean {
  const slim = ctx.lookup(SLIM_MARK);
  const kind = slim === 0 ? 0 : ctx.tables.sym.flags[slim]! & SYM_KIND_MASK;
  if (kind !== SYM_COMMON && kind !== SYM_LAZY) return false;
  // gcc -r -flinker-output=nolto-rel asks for code.
  if (!ctx.options.relocatable || ctx.host.env("COLLECT_GCC_OPTIONS")?.includes("'-flinker-output=nolto-rel'")) return true;
  // Slim objects alone become one slim object; beside code, they have to become code.
  const objects = [...ctx.objects].filter((obj) => ctx.tables.obj.kind[obj] === OBJ_RELOCATABLE);
  const slims = objects.filter((obj) => ctx.kernels.mentions(obj, slim) !== 0);
  return slims.length > 0 && slims.length < objects.length;
}
