/** --retain-symbols-file: which globals .symtab has then. Locals go with DISCARD_ALL (symtab.ts), .dynsym is not asked. */
import { SYM_REF_LIVE } from "../../as-kernels/shared/abi.ts";
import type { Context } from "../context.ts";
import { symbolBytes } from "../diagnostics/place.ts";

/** Leaves only its names in the list of globals, and what kept relocations refer to. Returns how many there are then. */
export function keepRetained(ctx: Context, list: number, count: number): number {
  const { arena, params, retained, tables: { sym } } = ctx;
  let kept = 0;
  for (let at = list >>> 2, end = at + count; at < end; at++) {
    const id = arena.u32[at]!;
    const referred = params.get("symIndex") !== 0 && (sym.flags[id]! & SYM_REF_LIVE) !== 0;
    if (referred || retained!.has(symbolBytes(ctx, id))) arena.u32[(list >>> 2) + kept++] = id;
  }
  return kept;
}
