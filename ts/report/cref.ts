/**
 * --cref: which files define and mention each global symbol.
 *
 * Loops over all symbol-table entries in TypeScript: it runs only when the table is asked for. A symbol is listed when a
 * relocatable object mentions it and its definition is in the output or in a shared object; the first file is the one that
 * defines it (lld).
 */
import { OBJ_RELOCATABLE, SYM_COMMON, SYM_DEFINED, SYM_IN_OSEC, SYM_KIND_MASK, SYM_SHARED } from "../../as-kernels/shared/abi.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { definedIn, displaySymbol, fileName } from "../diagnostics/place.ts";

const FILE_COLUMN = 50;

export function crossReference(ctx: Context): ByteString {
  const users = usersOf(ctx);
  const row = (symbol: ByteString, file: ByteString): ByteString => `${symbol.padEnd(FILE_COLUMN - 1)} ${file}\n`;
  let text = `\nCross Reference Table\n\n${row("Symbol", "File")}`;
  for (const [sym, objs] of users) {
    const definer = ctx.tables.gsym.obj[sym]!;
    text += row(displaySymbol(ctx, sym), definedIn(ctx, sym).text);
    for (const obj of objs) if (obj !== definer) text += row("", fileName(ctx, obj));
  }
  return text;
}

/** Relocatable objects that mention each defined global, in link order. */
function usersOf(ctx: Context): Map<number, Set<number>> {
  const users = new Map<number, Set<number>>();
  const { obj, esym } = ctx.tables;
  const globals = ctx.params.get("globalSyms");
  for (const id of ctx.objects) {
    if (obj.kind[id] !== OBJ_RELOCATABLE) continue;
    for (let i = Math.max(1, obj.firstGlobal[id]!); i < obj.esymCount[id]!; i++) {
      const row = esym.sym[obj.esymBase[id]! + i]!;
      if (row === 0 || row >= globals || !isThere(ctx, row)) continue;
      const known = users.get(row);
      if (known === undefined) users.set(row, new Set([id]));
      else known.add(id);
    }
  }
  return users;
}

/** Defined in the output (dead sections are not) or in a shared object. */
function isThere(ctx: Context, sym: number): boolean {
  const { flags, isec } = ctx.tables.sym;
  const kind = flags[sym]! & SYM_KIND_MASK;
  if (kind === SYM_SHARED || kind === SYM_IN_OSEC) return true;
  return (kind === SYM_DEFINED || kind === SYM_COMMON) && (isec[sym] === 0 || ctx.tables.isec.live[isec[sym]!] !== 0);
}
