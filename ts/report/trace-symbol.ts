/**
 * -y SYMBOL: who mentions and who defines a symbol. --why-extract: which reference brought each archive member in.
 *
 * Reads symbol tables after resolve-symbols; loops over symbol-table entries in TypeScript, because it runs only when asked for.
 */
import { OBJ_SHARED, OBJF_LAZY } from "../../as-kernels/shared/abi.ts";
import { SHN_COMMON, SHN_UNDEF } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { displaySymbol, fileName, rawSymbol } from "../diagnostics/place.ts";
import { includedObjects } from "./cref.ts";

/** Lines such as `a.o: reference to foo`, in link order. */
export function tracedSymbols(ctx: Context): ByteString[] {
  const wanted = new Map(ctx.options.traceSymbols.map((name) => [ctx.lookup(name), name]));
  wanted.delete(0);
  const lines: ByteString[] = [];
  if (wanted.size === 0) return lines;
  const { obj, esym } = ctx.tables;
  for (const id of includedObjects(ctx)) {
    for (let i = 1; i < obj.esymCount[id]!; i++) {
      const sym = esym.sym[obj.esymBase[id]! + i]!;
      if (wanted.has(sym)) lines.push(`${fileName(ctx, id)}: ${mention(ctx, id, i)} ${displaySymbol(ctx, sym)}`);
    }
  }
  return lines;
}

function mention(ctx: Context, obj: number, index: number): string {
  const shndx = rawSymbol(ctx, obj, index)?.shndx ?? SHN_UNDEF;
  if (shndx === SHN_UNDEF) return "reference to";
  if (ctx.tables.obj.kind[obj] === OBJ_SHARED) return "shared definition of";
  return shndx === SHN_COMMON ? "common definition of" : "definition of";
}

/** The table of --why-extract: `reference extracted symbol`, tab separated. */
export function whyExtract(ctx: Context): ByteString {
  const lines = ["reference\textracted\tsymbol"];
  for (const obj of ctx.objects) {
    if ((ctx.tables.obj.flags[obj]! & OBJF_LAZY) === 0) continue;
    const reason = firstWanted(ctx, obj);
    if (reason !== null) lines.push(`${reason.by}\t${fileName(ctx, obj)}\t${displaySymbol(ctx, reason.sym)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** The first symbol that an archive member defines and an object before it in the link order mentions; -u and the like: <internal>. */
function firstWanted(ctx: Context, obj: number): { by: ByteString; sym: number } | null {
  const { esymBase, esymCount, firstGlobal, seq } = ctx.tables.obj;
  const { gsym, esym } = ctx.tables;
  let fallback: { by: ByteString; sym: number } | null = null;
  for (let i = firstGlobal[obj]!; i < esymCount[obj]!; i++) {
    const sym = esym.sym[esymBase[obj]! + i]!;
    if (gsym.obj[sym] !== obj || rawSymbol(ctx, obj, i)?.shndx === SHN_UNDEF) continue;
    const by = gsym.refObj[sym]!;
    if (by !== 0 && by !== obj && seq[by]! < seq[obj]!) return { by: fileName(ctx, by), sym };
    if (by === 0) fallback ??= { by: "<internal>", sym };
  }
  return fallback;
}
