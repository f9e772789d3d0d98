/** -z unique-symbol: local symbols get names of their own, NAME.COUNT. Before the symbol table is counted; names in later messages have them, too. */
import type { Context } from "../context.ts";
import { slotsFor } from "../memory/rows.ts";

export function uniqueNames(ctx: Context): void {
  const { arena, kernels, params, tables: { obj } } = ctx;
  const globals = ctx.options.relocatable ? 1 : params.get("globalSyms");
  let bytes = kernels.uniqueGlobalBytes(1, globals);
  let names = globals;
  for (const o of ctx.objects) {
    bytes += kernels.uniqueLocalBytes(o);
    names += obj.firstGlobal[o]!;
  }
  let to = arena.alloc(bytes + 16);
  const slots = slotsFor(names);
  const table = arena.allocZeroed(8 * slots);
  for (const o of ctx.objects) to = kernels.uniqueLocals(o, table, slots, to);
  kernels.uniqueGlobals(1, globals, table, slots, to);
}
