/**
 * The symbols that the names in an ordering file mean: globals, and local symbols of any object.
 *
 * Runs only when such a file was given: that is why every local symbol's name may be looked up.
 */
import { SYM_ABSOLUTE, SYM_DEFINED, SYM_IN_OSEC, SYM_KIND_MASK, SYM_LAZY, SYM_SHARED, SYM_UNDEF, SYM_USED_REGULAR } from "../../../as-kernels/shared/abi.ts";
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
    const { arena, kernels, tables, objects } = this.ctx;
    const mark = arena.mark();
    const list = arena.alloc(8 * names.length + 8);
    names.forEach((name, i) => arena.u32.set([arena.put(name), name.length], (list >>> 2) + 2 * i));
    const slots = slotsFor(names.length);
    const table = arena.allocZeroed(4 * slots);
    kernels.indexOrder(list, names.length, table, slots);
    for (const o of objects) {
      const out = this.ctx.pool.self.window(2, 8 * tables.obj.firstGlobal[o]! + 8);
      const count = kernels.orderedLocals(o, list, table, slots, out);
      for (let i = 0; i < count; i++) found.get(names[arena.u32[(out >>> 2) + 2 * i]! - 1]!)!.push(arena.u32[(out >>> 2) + 2 * i + 1]!);
    }
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
