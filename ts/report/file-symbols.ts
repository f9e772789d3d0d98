/**
 * --print-dependencies: which file refers to which for what. --print-symbol-counts: how many symbols a file defines, and how many of
 * them others refer to.
 *
 * Both loop over all symbol-table entries: they run only when asked for. Lines are in the order of the inputs and of their symbol tables.
 */
import { OBJ_RELOCATABLE, SYM_COMMON, SYM_DEFINED, SYM_KIND_MASK, SYM_SHARED } from "../../as-kernels/shared/abi.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { displaySymbol, fileName } from "../diagnostics/place.ts";

/** Calls `visit` for every global that a relocatable object mentions and somebody defines: `definer` is an obj row. */
function eachMention(ctx: Context, visit: (obj: number, sym: number, definer: number) => void): void {
  const { obj, esym, gsym, sym } = ctx.tables;
  const globals = ctx.params.get("globalSyms");
  for (const id of ctx.objects) {
    if (obj.kind[id] !== OBJ_RELOCATABLE) continue;
    for (let i = Math.max(1, obj.firstGlobal[id]!); i < obj.esymCount[id]!; i++) {
      const row = esym.sym[obj.esymBase[id]! + i]!;
      const kind = sym.flags[row]! & SYM_KIND_MASK;
      if (row === 0 || row >= globals || (kind !== SYM_DEFINED && kind !== SYM_COMMON && kind !== SYM_SHARED)) continue;
      if (gsym.obj[row] !== 0) visit(id, row, gsym.obj[row]!);
    }
  }
}

/** `a.o: b.a(c.o): symbol` (tab separated), each once. */
export function fileDependencies(ctx: Context): ByteString[] {
  const lines = new Set<ByteString>();
  eachMention(ctx, (obj, sym, definer) => {
    if (obj !== definer) lines.add(`${fileName(ctx, obj)}\t${fileName(ctx, definer)}\t${displaySymbol(ctx, sym)}`);
  });
  return [...lines];
}

/** gold's lines: `symbols FILE DEFINED USED`. */
export function symbolCounts(ctx: Context): ByteString {
  const defined = new Map<number, Set<number>>();
  const used = new Map<number, Set<number>>();
  const note = (map: Map<number, Set<number>>, obj: number, sym: number): void => {
    const set = map.get(obj);
    if (set === undefined) map.set(obj, new Set([sym]));
    else set.add(sym);
  };
  eachMention(ctx, (obj, sym, definer) => note(obj === definer ? defined : used, definer, sym));
  const { obj } = ctx.tables;
  const lines = [...ctx.objects].filter((id) => obj.kind[id] === OBJ_RELOCATABLE).map((id) => `symbols ${fileName(ctx, id)} ${defined.get(id)?.size ?? 0} ${used.get(id)?.size ?? 0}\n`);
  for (const { obj: id } of ctx.sharedObjects) lines.push(`symbols ${fileName(ctx, id)} ${obj.esymCount[id]! - 1} ${used.get(id)?.size ?? 0}\n`);
  return lines.join("");
}
