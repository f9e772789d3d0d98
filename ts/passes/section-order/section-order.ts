/**
 * The order of input sections that somebody asked for: --shuffle-sections, --symbol-ordering-file, or a call graph (profiles of clang's objects,
 * --call-graph-ordering-file). Such sections come first in their output section, the others keep their order.
 *
 * Runs when it is known what is live and what was folded, and does nothing at all in a link without such wishes. `.init` and
 * `.fini` are never touched. Writes the order of `member` runs.
 */
import { SYM_DEFINED, SYM_KIND_MASK } from "../../../as-kernels/shared/abi.ts";
import { STT_SECTION } from "../../../as-kernels/shared/elf.ts";
import type { ByteString } from "../../args/link-options.ts";
import type { Context } from "../../context.ts";
import { rawSymbol } from "../../diagnostics/place.ts";
import { writeReport } from "../../report/write.ts";
import { HEADERS_OSEC } from "../bind-sections.ts";
import { sortByCache } from "./cache-directed-sort.ts";
import { readCallGraph } from "./call-graph.ts";
import { sortByCallers } from "./call-graph-sort.ts";
import { KEPT_PART } from "./ordered-contents.ts";
import { shuffledSections } from "./shuffle-sections.ts";
import { OrderedNames, rankBySymbols } from "./ordered-names.ts";

/** Is there any wish? */
export function wantsSectionOrder(ctx: Context): boolean {
  return ctx.options.shuffleSections.length > 0 || wantsFirst(ctx);
}

/** Are there sections that shall come first? */
function wantsFirst(ctx: Context): boolean {
  if (ctx.symbolOrder !== null) return ctx.symbolOrder !== "";
  return ctx.options.callGraphSort !== "none" && (ctx.callGraph !== null || ctx.params.get("callGraph") === 1);
}

export function orderInputSections(ctx: Context): void {
  const { arena, kernels, tables } = ctx;
  const list = arena.alloc(8 * tables.isec.rows);
  const mark = arena.mark();
  const ranks = arena.allocZeroed(4 * tables.isec.rows);
  /** Gives the sections that have none yet the ranks from `from` on; the next one. */
  const rank = (rows: number[], from: number): number => {
    rows.forEach((row, i) => (arena.u32[(ranks >>> 2) + row] ||= from + i));
    return from + rows.length;
  };
  let next = 1;
  if (wantsFirst(ctx)) next = ctx.symbolOrder !== null ? rankBySymbols(ctx, ctx.symbolOrder, ranks) : rank(byCallGraph(ctx), next);
  if (ctx.options.shuffleSections.length > 0) next = rank(shuffledSections(ctx), next);
  if (next > 1) {
    apply(ctx, ranks, arena.alloc(4 * tables.member.rows));
    ctx.ordered = { list, count: kernels.listOrdered(ranks, arena.free * KEPT_PART, list) };
  }
  arena.release(mark);
}

function byCallGraph(ctx: Context): number[] {
  const { options, tables } = ctx;
  const names = ctx.callGraph === null ? null : new OrderedNames(ctx, options.callGraphOrderingFile, ctx.callGraph);
  const graph = readCallGraph(ctx, names);
  ctx.diag.throwIfErrors();
  ctx.host.optimise?.(graph.from.length);
  const sort = options.callGraphSort === "hfsort" ? sortByCallers : sortByCache;
  const order = graph.from.length === 0 ? [] : sort(graph, (row) => tables.isec.size[row]!);
  if (options.printSymbolOrder !== "") printOrder(ctx, order);
  return order;
}

/** --print-symbol-order: the symbols of the ordered sections, in a form that --symbol-ordering-file reads. */
function printOrder(ctx: Context, order: number[]): void {
  const { isec, obj, esym, sym } = ctx.tables;
  const names = new Map(order.map((row) => [row, [] as ByteString[]]));
  for (const o of new Set(order.map((row) => isec.obj[row]!))) {
    for (let i = 1; i < obj.esymCount[o]!; i++) {
      const id = esym.sym[obj.esymBase[o]! + i]!;
      const list = (sym.flags[id]! & SYM_KIND_MASK) === SYM_DEFINED && isec.obj[sym.isec[id]!] === o ? names.get(sym.isec[id]!) : undefined;
      const raw = list === undefined ? null : rawSymbol(ctx, o, i);
      if (raw !== null && raw.type !== STT_SECTION) list!.push(raw.name);
    }
  }
  const { printSymbolOrder } = ctx.options;
  writeReport(ctx, printSymbolOrder, order.flatMap((row) => names.get(row)!).map((name) => `${name}\n`).join(""), printSymbolOrder);
}

function apply(ctx: Context, ranks: number, scratch: number): void {
  const { kernels, tables, plan, arena } = ctx;
  const { osec } = tables;
  if (plan === null) {
    for (let id = HEADERS_OSEC; id < osec.rows; id++) {
      const name = arena.string(osec.name[id]!, osec.nameBytes[id]!);
      if (name !== ".init" && name !== ".fini") kernels.orderMembers(osec.memberBase[id]!, osec.memberBase[id]! + osec.memberCount[id]!, ranks, scratch);
    }
    return;
  }
  for (const { osec: section, parts } of plan.sections) {
    if (section.name === ".init" || section.name === ".fini") continue;
    for (const part of parts) if (part.kind === "members") kernels.orderMembers(part.from, part.to, ranks, scratch);
  }
}
