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
import type { Write } from "../memory/text.ts";
import { LongText } from "./long-text.ts";

const FILE_COLUMN = 50;

export function crossReference(ctx: Context, write: Write, nameOf = (sym: number): ByteString => displaySymbol(ctx, sym)): void {
  const { symbols, users, from, end } = usersOf(ctx);
  const row = (symbol: ByteString, file: ByteString): ByteString => `${symbol.padEnd(FILE_COLUMN - 1)} ${file}`;
  const text = new LongText(write);
  text.push(`\nCross Reference Table\n\n${row("Symbol", "File")}`);
  for (const sym of symbols) {
    const definer = ctx.tables.gsym.obj[sym]!;
    text.push(row(nameOf(sym), definedIn(ctx, sym).text));
    for (let i = from[sym]!; i < end[sym]!; i++) if (users[i] !== definer) text.push(row("", fileName(ctx, users[i]!)));
  }
  text.end();
}

/** Defined globals in the order in which relocatable objects mention them; those objects, in link order: users[from[sym] … end[sym]). */
function usersOf(ctx: Context): { symbols: number[]; users: Uint32Array; from: Uint32Array; end: Uint32Array } {
  const globals = ctx.params.get("globalSyms");
  const symbols: number[] = [];
  const [from, end, last] = [new Uint32Array(globals), new Uint32Array(globals), new Uint32Array(globals)];
  eachUser(ctx, last, (sym) => {
    if (end[sym]!++ === 0) symbols.push(sym);
  });
  let total = 0;
  for (const sym of symbols) {
    from[sym] = total;
    total += end[sym]!;
    end[sym] = from[sym]!;
  }
  const users = new Uint32Array(total);
  eachUser(ctx, last.fill(0), (sym, obj) => void (users[end[sym]!++] = obj));
  return { symbols, users, from, end };
}

/** Each object that mentions a symbol, once. `last`: zeros, by symbol. */
function eachUser(ctx: Context, last: Uint32Array, visit: (sym: number, obj: number) => void): void {
  const { obj, esym } = ctx.tables;
  for (const id of ctx.objects) {
    if (obj.kind[id] !== OBJ_RELOCATABLE) continue;
    for (let i = Math.max(1, obj.firstGlobal[id]!); i < obj.esymCount[id]!; i++) {
      const row = esym.sym[obj.esymBase[id]! + i]!;
      if (row === 0 || row >= last.length || last[row] === id || !isThere(ctx, row)) continue;
      last[row] = id;
      visit(row, id);
    }
  }
}

/** Defined in the output (dead sections are not) or in a shared object. */
function isThere(ctx: Context, sym: number): boolean {
  const { flags, isec } = ctx.tables.sym;
  const kind = flags[sym]! & SYM_KIND_MASK;
  if (kind === SYM_SHARED || kind === SYM_IN_OSEC) return true;
  return (kind === SYM_DEFINED || kind === SYM_COMMON) && (isec[sym] === 0 || ctx.tables.isec.live[isec[sym]!] !== 0);
}
