/**
 * The symbols of the link map: those of each input section, and those that live in linker-made sections (copies, PLT entries).
 *
 * Names are only made when a section is printed.
 */
import { SYM_DEFINED, SYM_KIND_MASK, SYM_SECTION, SYM_SHARED, SYM_TLS, SYM_USED_REGULAR } from "../../as-kernels/shared/abi.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { displayName, displaySymbol, fileName, rawSymbol } from "../diagnostics/place.ts";

export interface MapSymbol {
  address: bigint;
  size: number;
  name: ByteString;
}

interface Mention {
  sym: number;
  /** Locals: object and index in its symbol table; 0 = a global. */
  obj: number;
  index: number;
}

export class MapSymbols {
  private readonly ctx: Context;
  private readonly bySection = new Map<number, Mention[]>();
  /** Symbols of shared objects that the output has an address for. */
  private readonly placed: number[] = [];
  private readonly added = new Set<number>();

  constructor(ctx: Context) {
    this.ctx = ctx;
    const { obj, esym, gsym, sym } = ctx.tables;
    const globals = ctx.params.get("globalSyms");
    for (const id of ctx.objects) {
      const locals = Math.min(obj.firstGlobal[id]!, obj.esymCount[id]!);
      for (let i = 1; i < obj.esymCount[id]!; i++) {
        if (i < locals && !ctx.options.mapLocals) continue;
        const row = i < locals ? obj.localBase[id]! + i : esym.sym[obj.esymBase[id]! + i]!;
        if (i < locals || (row < globals && gsym.obj[row] === id)) this.add({ sym: row, obj: i < locals ? id : 0, index: i });
      }
    }
    for (let row = 1; row < globals; row++) {
      const mentioned = (sym.flags[row]! & (SYM_KIND_MASK | SYM_USED_REGULAR)) === (SYM_SHARED | SYM_USED_REGULAR);
      if (mentioned && sym.addr[row] !== 0n) this.placed.push(row);
    }
  }

  private add(mention: Mention): void {
    const { flags, isec } = this.ctx.tables.sym;
    const row = mention.sym;
    if ((flags[row]! & SYM_KIND_MASK) !== SYM_DEFINED || (flags[row]! & SYM_SECTION) !== 0 || isec[row] === 0) return;
    if (mention.obj === 0 && this.added.has(row)) return;
    this.added.add(row);
    const list = this.bySection.get(isec[row]!);
    if (list === undefined) this.bySection.set(isec[row]!, [mention]);
    else list.push(mention);
  }

  /** Of an input section, by address. */
  of(isec: number): MapSymbol[] {
    const symbols = (this.bySection.get(isec) ?? []).map((mention) => this.describe(mention));
    return symbols.filter(({ name }) => name !== "").sort(byAddress);
  }

  /** File that brings a common symbol, which has a section of its own. */
  fileOfCommon(isec: number): ByteString {
    const mention = this.bySection.get(isec)?.[0];
    return fileName(this.ctx, mention === undefined ? 0 : this.ctx.tables.gsym.obj[mention.sym]!);
  }

  /** Symbols of shared objects with an address in [from, to). */
  inside(from: bigint, to: bigint): MapSymbol[] {
    const { addr } = this.ctx.tables.sym;
    const here = this.placed.filter((row) => addr[row]! >= from && addr[row]! < to);
    return here.map((row) => this.describe({ sym: row, obj: 0, index: 0 })).sort(byAddress);
  }

  private describe({ sym, obj, index }: Mention): MapSymbol {
    const { addr, flags } = this.ctx.tables.sym;
    // Thread-local ones have no address but a place in the block (lld).
    const address = addr[sym]! - ((flags[sym]! & SYM_TLS) !== 0 ? this.ctx.params.get("tlsAddr") : 0n);
    if (obj === 0) return { address, size: this.ctx.tables.gsym.size[sym]!, name: displaySymbol(this.ctx, sym) };
    const raw = rawSymbol(this.ctx, obj, index);
    return { address, size: raw?.size ?? 0, name: displayName(this.ctx, raw?.name ?? "") };
  }
}

function byAddress(x: MapSymbol, y: MapSymbol): number {
  return x.address < y.address ? -1 : x.address > y.address ? 1 : 0;
}
