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

/** No object's: a global. */
const GLOBAL = 0;

export class MapSymbols {
  private readonly ctx: Context;
  private readonly nameOf: (sym: number) => ByteString;
  /** Of section `isec` are start[isec] … start[isec + 1] in what follows. */
  private readonly start: Uint32Array;
  private readonly syms: Uint32Array;
  /** Locals: object and index in its symbol table. */
  private readonly objs: Uint32Array;
  private readonly indexes: Uint32Array;
  /** Symbols of shared objects that the output has an address for. */
  private readonly placed: number[] = [];

  constructor(ctx: Context, nameOf = (sym: number): ByteString => displaySymbol(ctx, sym)) {
    this.ctx = ctx;
    this.nameOf = nameOf;
    const { sym, isec } = ctx.tables;
    const end = new Uint32Array(isec.rows + 1);
    const added = new Uint8Array(sym.rows);
    this.each(added, (row) => void end[sym.isec[row]!]!++);
    let total = 0;
    this.start = end.map((count) => (total += count) - count);
    end.set(this.start);
    [this.syms, this.objs, this.indexes] = [new Uint32Array(total), new Uint32Array(total), new Uint32Array(total)];
    this.each(added.fill(0), (row, obj, index) => {
      const at = end[sym.isec[row]!]!++;
      this.syms[at] = row;
      this.objs[at] = obj;
      this.indexes[at] = index;
    });
    for (let row = 1; row < ctx.params.get("globalSyms"); row++) {
      const mentioned = (sym.flags[row]! & (SYM_KIND_MASK | SYM_USED_REGULAR)) === (SYM_SHARED | SYM_USED_REGULAR);
      if (mentioned && sym.addr[row] !== 0n) this.placed.push(row);
    }
  }

  /** Symbols that live in input sections, in link order. `added`: zeros, by symbol. */
  private each(added: Uint8Array, visit: (row: number, obj: number, index: number) => void): void {
    const { obj, esym, gsym, sym } = this.ctx.tables;
    const globals = this.ctx.params.get("globalSyms");
    for (const id of this.ctx.objects) {
      const locals = Math.min(obj.firstGlobal[id]!, obj.esymCount[id]!);
      for (let i = this.ctx.options.mapLocals ? 1 : Math.max(1, locals); i < obj.esymCount[id]!; i++) {
        const row = i < locals ? obj.localBase[id]! + i : esym.sym[obj.esymBase[id]! + i]!;
        if (i >= locals && (row >= globals || gsym.obj[row] !== id || added[row]!++ !== 0)) continue;
        if ((sym.flags[row]! & SYM_KIND_MASK) !== SYM_DEFINED || (sym.flags[row]! & SYM_SECTION) !== 0 || sym.isec[row] === 0) continue;
        visit(row, i < locals ? id : GLOBAL, i);
      }
    }
  }

  /** Of an input section, by address. */
  of(isec: number): MapSymbol[] {
    const found: MapSymbol[] = [];
    for (let i = this.start[isec]!; i < this.start[isec + 1]!; i++) {
      const symbol = this.describe(this.syms[i]!, this.objs[i]!, this.indexes[i]!);
      if (symbol.name !== "") found.push(symbol);
    }
    return found.sort(byAddress);
  }

  /** File that brings a common symbol, which has a section of its own. */
  fileOfCommon(isec: number): ByteString {
    const at = this.start[isec]!;
    return fileName(this.ctx, at === this.start[isec + 1] ? 0 : this.ctx.tables.gsym.obj[this.syms[at]!]!);
  }

  /** Symbols of shared objects with an address in [from, to). */
  inside(from: bigint, to: bigint): MapSymbol[] {
    const { addr } = this.ctx.tables.sym;
    const here = this.placed.filter((row) => addr[row]! >= from && addr[row]! < to);
    return here.map((row) => this.describe(row, GLOBAL, 0)).sort(byAddress);
  }

  private describe(sym: number, obj: number, index: number): MapSymbol {
    const { addr, flags } = this.ctx.tables.sym;
    // Thread-local ones have no address but a place in the block (lld).
    const address = addr[sym]! - ((flags[sym]! & SYM_TLS) !== 0 ? this.ctx.params.get("tlsAddr") : 0n);
    if (obj === GLOBAL) return { address, size: this.ctx.tables.gsym.size[sym]!, name: this.nameOf(sym) };
    const raw = rawSymbol(this.ctx, obj, index);
    return { address, size: raw?.size ?? 0, name: displayName(this.ctx, raw?.name ?? "") };
  }
}

function byAddress(x: MapSymbol, y: MapSymbol): number {
  return x.address < y.address ? -1 : x.address > y.address ? 1 : 0;
}
