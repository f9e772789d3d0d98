/**
 * --cref: which files define and mention each global symbol.
 *
 * Loops over all symbol-table entries in TypeScript: it runs only when the table is asked for. A symbol is listed when some
 * included object defines it; the first file of a symbol is the one that defines it, as in lld.
 */
import { OBJ_RELOCATABLE, OBJ_SHARED, SYM_COMMON, SYM_DEFINED, SYM_KIND_MASK, SYM_SHARED } from "../../as-kernels/shared/abi.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { displaySymbol, fileName } from "../diagnostics/place.ts";

const FILE_COLUMN = 50;

export function crossReference(ctx: Context): ByteString {
  const users = usersOf(ctx);
  const row = (symbol: ByteString, file: ByteString): ByteString => `${symbol.padEnd(FILE_COLUMN - 1)} ${file}\n`;
  let text = `Cross Reference Table\n\n${row("Symbol", "File")}`;
  for (const [sym, objs] of users) {
    const definer = ctx.tables.gsym.obj[sym]!;
    text += row(displaySymbol(ctx, sym), fileName(ctx, definer));
    for (const obj of objs) if (obj !== definer) text += row("", fileName(ctx, obj));
  }
  return text;
}

/** Objects that mention each defined global, in link order. */
function usersOf(ctx: Context): Map<number, Set<number>> {
  const users = new Map<number, Set<number>>();
  const { obj, esym, sym } = ctx.tables;
  const globals = ctx.params.get("globalSyms");
  for (const id of includedObjects(ctx)) {
    const first = obj.kind[id] === OBJ_SHARED ? 1 : Math.max(1, obj.firstGlobal[id]!);
    for (let i = first; i < obj.esymCount[id]!; i++) {
      const row = esym.sym[obj.esymBase[id]! + i]!;
      if (row === 0 || row >= globals || !isDefined(sym.flags[row]!)) continue;
      const known = users.get(row);
      if (known === undefined) users.set(row, new Set([id]));
      else known.add(id);
    }
  }
  return users;
}

function isDefined(flags: number): boolean {
  const kind = flags & SYM_KIND_MASK;
  return kind === SYM_DEFINED || kind === SYM_COMMON || kind === SYM_SHARED;
}

/** Relocatable objects in link order, then shared objects. */
export function includedObjects(ctx: Context): number[] {
  const relocatable = [...ctx.objects].filter((id) => ctx.tables.obj.kind[id] === OBJ_RELOCATABLE);
  return [...relocatable, ...ctx.sharedObjects.map((input) => input.obj)];
}
