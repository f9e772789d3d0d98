/**
 * The symbols that the names in an ordering file mean: globals, and local symbols of any object.
 *
 * Runs only when such a file was given: that is why every local symbol's name may be looked up.
 */
import { NAME_AGAIN, SYM_ABSOLUTE, SYM_DEFINED, SYM_IN_OSEC, SYM_KIND_MASK, SYM_LAZY, SYM_SHARED, SYM_UNDEF, SYM_USED_REGULAR } from "../../../as-kernels/shared/abi.ts";
import { UNDEFINED_IGNORE } from "../../../as-kernels/shared/reloc.ts";
import type { ByteString } from "../../args/link-options.ts";
import type { Context } from "../../context.ts";
import { displayName, filePlace } from "../../diagnostics/place.ts";
import { slotsFor } from "../../memory/rows.ts";
import { undefinedPolicy } from "../scan-relocs.ts";

export class OrderedNames {
  readonly path: ByteString;
  readonly lines: ByteString[];
  private readonly ctx: Context;

  constructor(ctx: Context, path: ByteString, lines: ByteString[]) {
    this.ctx = ctx;
    this.path = path;
    this.lines = lines;
  }

  /** sym rows by name: the global, then locals in object order. Names that mean nothing are warned about with `missing`. */
  find(names: ByteString[], missing: (name: ByteString) => string): Map<ByteString, number[]> {
    const { ctx } = this;
    const found = new Map<ByteString, number[]>(names.map((name) => [name, []]));
    for (const name of names) {
      const id = ctx.lookup(name);
      const flags = ctx.tables.sym.flags[id]!;
      if (id !== 0 && (flags & SYM_KIND_MASK) !== SYM_LAZY && (flags & (SYM_USED_REGULAR | SYM_KIND_MASK)) !== 0) found.get(name)!.push(id);
    }
    this.findLocals(names, found);
    if (ctx.options.warnSymbolOrdering) for (const name of names) this.warn(name, found.get(name)!, missing);
    return found;
  }

  private findLocals(names: ByteString[], found: Map<ByteString, number[]>): void {
    const { ctx } = this;
    const { arena } = ctx;
    const mark = arena.mark();
    const list = arena.alloc(8 * names.length + 8);
    names.forEach((name, i) => arena.u32.set([arena.put(name), name.length], (list >>> 2) + 2 * i));
    eachLocal(ctx, indexNames(ctx, list, names.length, arena.alloc(names.length)), (at, count) => {
      for (let i = 0; i < count; i++) found.get(names[arena.u32[(at >>> 2) + 2 * i]! - 1]!)!.push(arena.u32[(at >>> 2) + 2 * i + 1]!);
    });
    arena.release(mark);
  }

  /** What cannot be ordered although it was asked for (lld's words). */
  private warn(name: ByteString, ids: number[], missing: (name: ByteString) => string): void {
    const { ctx } = this;
    if (ids.length === 0) ctx.diag.warn({ code: "OTHER", text: missing(displayName(ctx, name)), symbol: displayName(ctx, name) });
    for (const id of ids) {
      const why = this.obstacle(id);
      if (why === "") continue;
      const [symbol, { text, ref }] = [displayName(ctx, name), filePlace(ctx, this.fileOf(id))];
      ctx.diag.warn({ code: "OTHER", text: `${text}: unable to order ${why} symbol: ${symbol}`, symbol, at: ref });
    }
  }

  private obstacle(id: number): string {
    const { sym, isec } = this.ctx.tables;
    const flags = sym.flags[id]!;
    const kind = flags & SYM_KIND_MASK;
    if (kind === SYM_UNDEF) return undefinedPolicy(this.ctx) === UNDEFINED_IGNORE ? "" : "undefined";
    if (kind === SYM_SHARED) return "shared";
    if (kind === SYM_IN_OSEC) return (flags & SYM_ABSOLUTE) !== 0 ? "absolute" : "synthetic";
    if (kind !== SYM_DEFINED) return "discarded";
    if (sym.isec[id] === 0) return "absolute";
    return isec.live[sym.isec[id]!] === 0 ? "discarded" : "";
  }

  private fileOf(id: number): number {
    const { gsym, obj, sym, isec } = this.ctx.tables;
    if (id < this.ctx.params.get("globalSyms")) return gsym.obj[id]! !== 0 ? gsym.obj[id]! : gsym.refObj[id]!;
    if (sym.isec[id] !== 0 && (sym.flags[id]! & SYM_KIND_MASK) === SYM_DEFINED) return isec.obj[sym.isec[id]!]!;
    return this.ctx.objects.find((o) => id >= obj.localBase[o]! && id < obj.localBase[o]! + obj.firstGlobal[o]!) ?? 0;
  }
}

/** Names in memory: `list` has address and bytes of each, `table` finds them. */
interface NameIndex {
  list: number;
  table: number;
  slots: number;
}

/** `states`: a byte per name, of which indexOrder says whether it is one of those before. */
function indexNames({ arena, kernels }: Context, list: number, count: number, states: number): NameIndex {
  const slots = slotsFor(count);
  const table = arena.allocZeroed(4 * slots);
  kernels.indexOrder(list, count, table, slots, states);
  return { list, table, slots };
}

/** Calls `use` with the local symbols of each object that have one of those names (1 + index of the name, sym row: u32 each), and how many they are. */
function eachLocal({ kernels, tables, objects, pool }: Context, { list, table, slots }: NameIndex, use: (at: number, count: number) => void): void {
  for (const o of objects) {
    const out = pool.self.window(2, 8 * tables.obj.firstGlobal[o]! + 8);
    use(out, kernels.orderedLocals(o, list, table, slots, out));
  }
}

/** --symbol-ordering-file, whose text is `text`: ranks sections (u32 per isec row at `ranks`, the first is 1); the rank behind the last. */
export function rankBySymbols(ctx: Context, text: ByteString, ranks: number): number {
  const { arena, kernels, names: globals, options } = ctx;
  const path = options.symbolOrderingFile;
  const mark = arena.mark();
  const at = arena.put(text);
  // Each line has a byte and its end.
  const list = arena.alloc(4 * text.length + 8);
  const count = kernels.orderLines(at, at + text.length, list);
  arena.release(list + 16 * Math.ceil(count / 2));
  const states = arena.alloc(count);
  const name = (i: number): ByteString => arena.string(arena.u32[(list >>> 2) + 2 * i]!, arena.u32[(list >>> 2) + 2 * i + 1]!);
  const index = indexNames(ctx, list, count, states);
  kernels.rankGlobals(list, count, globals.table, globals.slots, states, ranks);
  eachLocal(ctx, index, (locals, found) => kernels.rankLocals(locals, found, states, ranks));
  const odd = arena.alloc(4 * count);
  const indices = arena.u32.slice(odd >>> 2, (odd >>> 2) + kernels.oddNames(count, states, odd));
  const isAgain = (i: number): boolean => arena.u8[states + i] === NAME_AGAIN;
  for (const i of indices.filter(isAgain)) ctx.diag.warn({ code: "OTHER", text: `${path}: duplicate ordered symbol: ${name(i)}`, symbol: name(i), at: { input: path } });
  // What is wrong with the others.
  const others = options.warnSymbolOrdering ? Array.from(indices.filter((i) => !isAgain(i)), name) : [];
  arena.release(mark);
  if (others.length > 0) new OrderedNames(ctx, path, others).find(others, (other) => `symbol ordering file: no such symbol: ${other}`);
  return count + 1;
}
