/**
 * Why sections are live: garbage collection once more, breadth first and remembering who led to whom.
 *
 * For --why-live alone, so it loops over relocations in TypeScript. Roots and edges are those of mark-live; what is live has been
 * decided there and is only explained here. Sections that are not loaded hold on to nothing.
 */
import { ISEC_CONSUMED, ISEC_EH_FRAME, SYM_DEFINED, SYM_EXPORTED, SYM_KIND_MASK, SYM_ROOT, SYM_SECTION } from "../../as-kernels/shared/abi.ts";
import {
  RELA_BYTES, SHF_ALLOC, SHF_EXECINSTR, SHF_GNU_RETAIN, SHF_LINK_ORDER, SHT_FINI_ARRAY, SHT_INIT_ARRAY, SHT_NOTE, SHT_PREINIT_ARRAY,
} from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";

/** How one live section leads to another. */
export type Link = "reference" | "dependent" | "group" | "personality" | "unwinding";

export interface Edge {
  link: Link;
  /** isec row: the section that refers; for unwinding: whose code is described. */
  from: number;
  /** sym row through which it refers, 0 = a section symbol or none. */
  sym: number;
}

const ARRAYS = [SHT_INIT_ARRAY, SHT_FINI_ARRAY, SHT_PREINIT_ARRAY] as readonly number[];
const EXPORTED = "externally visible symbol; may interpose";
const RESERVED = /^(\.(init|fini|jcr|stapsdt\.base)$|\.(ctors|dtors|init_array))/;

export class LiveGraph {
  private readonly ctx: Context;
  /** What made a section live first; roots have none. */
  private readonly first = new Map<number, Edge>();
  /** Why a section is a root. */
  private readonly notes = new Map<number, string>();
  /** Root symbol that made a section live first. */
  private readonly rootSymbol = new Map<number, number>();
  /** All edges to the sections that were asked about. */
  private readonly incoming = new Map<number, Edge[]>();
  private readonly queue: number[] = [];
  private readonly seen: Uint8Array;
  private readonly named = new Map<string, number[]>();

  /** `asked`: the sections whose every reason is wanted. */
  constructor(ctx: Context, asked: Iterable<number>) {
    this.ctx = ctx;
    this.seen = new Uint8Array(ctx.tables.isec.rows);
    for (const row of asked) this.incoming.set(row, []);
    this.start();
    for (let at = 0; at < this.queue.length; at++) this.visit(this.queue[at]!);
  }

  /** Why a symbol is live by itself, "" = it is not. */
  symbolNote(sym: number): string {
    const { tables, options } = this.ctx;
    const flags = tables.sym.flags[sym]!;
    if ((flags & SYM_ROOT) !== 0) {
      const name = this.ctx.symbolName(sym);
      if (name === (options.entry || "_start")) return "entry point";
      if (name === options.init) return "initializer function";
      if (name === options.fini) return "finalizer function";
      if ([...options.undefined, ...options.requireDefined].includes(name)) return "undefined command line flag";
      const exports = options.exportDynamic || this.ctx.dynamicList.length > 0;
      return exports && this.ctx.params.get("dynamic") === 0 ? EXPORTED : "referenced by linker script";
    }
    return (flags & SYM_EXPORTED) !== 0 ? EXPORTED : "";
  }

  sectionNote(row: number): string {
    return this.notes.get(row) ?? "";
  }

  /** The shortest way a section became live: an edge, or a root symbol in it, or nothing when it is a root. */
  reason(row: number): Edge | { symbol: number } | null {
    const symbol = this.rootSymbol.get(row);
    return symbol !== undefined ? { symbol } : (this.first.get(row) ?? null);
  }

  /** Every edge to an asked section, but for those that are only there because of it. */
  reasons(row: number): Edge[] {
    return (this.incoming.get(row) ?? []).filter(({ from }) => !this.leadsThrough(from, row));
  }

  private leadsThrough(from: number, row: number): boolean {
    for (let at = from; ; ) {
      if (at === row) return true;
      const reason = this.notes.has(at) ? null : this.reason(at);
      if (reason === null || "symbol" in reason) return false;
      at = reason.from;
    }
  }

  // ---- the walk ----

  private start(): void {
    const { tables, params, arena } = this.ctx;
    const { isec, sym, ehrec } = tables;
    const globals = params.get("globalSyms");
    const roots: number[] = [];
    for (let id = 1; id < globals; id++) if ((sym.flags[id]! & (SYM_ROOT | SYM_EXPORTED)) !== 0 && (sym.flags[id]! & SYM_KIND_MASK) === SYM_DEFINED) roots.push(id);
    const rank = (id: number): number => (sym.flags[id]! & SYM_ROOT ? 0 : 1);
    for (const id of roots.sort((a, b) => rank(a) - rank(b) || a - b)) {
      const row = sym.isec[id]!;
      if (row === 0 || isec.live[row] === 0) continue;
      if (!this.rootSymbol.has(row)) this.rootSymbol.set(row, id);
      this.enqueue(row);
    }
    for (let row = 1; row < isec.rows; row++) {
      const note = isec.live[row] === 0 ? "" : this.rootNote(row, arena.cstring(isec.name[row]!));
      if (note === "") continue;
      this.notes.set(row, note);
      if ((isec.sh_flags[row]! & SHF_ALLOC) !== 0 && isec.kind[row] !== ISEC_EH_FRAME) this.enqueue(row);
    }
    for (const row of tables.ehsec.isec.subarray(1, tables.ehsec.rows - 1)) {
      for (let rec = isec.pieceBase[row]!, end = rec + isec.pieceCount[row]!; rec < end; rec++) {
        if (ehrec.cie[rec] === 0) this.follow(row, ehrec.rela[rec]!, ehrec.relaCount[rec]!, (sym) => ({ link: "personality", from: row, sym }));
      }
    }
  }

  /** Rules of mark-live for sections that are roots. */
  private rootNote(row: number, name: string): string {
    const { isec } = this.ctx.tables;
    const flags = isec.sh_flags[row]!;
    if (isec.kind[row] === ISEC_CONSUMED) return "";
    if (isec.kind[row] === ISEC_EH_FRAME) return "exception handling frame";
    if ((flags & SHF_GNU_RETAIN) !== 0) return "retained";
    if ((flags & SHF_LINK_ORDER) !== 0) return "";
    if ((flags & SHF_ALLOC) === 0) return isec.nextInGroup[row] === 0 ? "not loaded" : "";
    if (ARRAYS.includes(isec.sh_type[row]!) || RESERVED.test(name)) return "reserved";
    return isec.sh_type[row] === SHT_NOTE && isec.nextInGroup[row] === 0 ? "reserved" : "";
  }

  private enqueue(row: number): void {
    if (this.seen[row] !== 0) return;
    this.seen[row] = 1;
    this.queue.push(row);
  }

  private reach(row: number, edge: Edge): void {
    if (row === 0 || this.ctx.tables.isec.live[row] === 0) return;
    if (row !== edge.from || edge.link === "unwinding") this.incoming.get(row)?.push(edge);
    if (this.seen[row] !== 0) return;
    this.first.set(row, edge);
    this.enqueue(row);
  }

  /** Edges of `count` relocations at `rela` of section `row`. */
  private follow(row: number, rela: number, count: number, edge: (sym: number) => Edge): void {
    const { obj, isec, esym, sym, gsym } = this.ctx.tables;
    const { u32 } = this.ctx.arena;
    const o = isec.obj[row]!;
    const known = new Set<number>();
    for (let i = 0; i < count && rela !== 0; i++) {
      const index = u32[(rela + i * RELA_BYTES + 12) >>> 2]!;
      if (index >= obj.esymCount[o]! || known.has(index)) continue;
      known.add(index);
      const id = esym.sym[obj.esymBase[o]! + index]!;
      const flags = sym.flags[id]!;
      if ((flags & SYM_KIND_MASK) === SYM_DEFINED) this.reach(sym.isec[id]!, edge((flags & SYM_SECTION) !== 0 ? 0 : id));
      else if (id < this.ctx.params.get("globalSyms") && gsym.startStop[id] !== 0) for (const set of this.setOf(id)) this.reach(set, edge(0));
    }
  }

  /** Sections named X, for __start_X and __stop_X. */
  private setOf(id: number): number[] {
    const { isec } = this.ctx.tables;
    const name = this.ctx.symbolName(id).replace(/^__(start|stop)_/, "");
    const known = this.named.get(name);
    if (known !== undefined) return known;
    const rows: number[] = [];
    for (let row = 1; row < isec.rows; row++) {
      if ((isec.sh_flags[row]! & SHF_LINK_ORDER) === 0 && this.ctx.arena.cstring(isec.name[row]!) === name) rows.push(row);
    }
    this.named.set(name, rows);
    return rows;
  }

  private visit(row: number): void {
    const { isec, ehrec, sym, esym, obj } = this.ctx.tables;
    this.follow(row, isec.rela[row]!, isec.relaCount[row]!, (id) => ({ link: "reference", from: row, sym: id }));
    for (let d = isec.dependent[row]!; d !== 0; d = isec.nextDependent[d]!) this.reach(d, { link: "dependent", from: row, sym: 0 });
    if (isec.nextInGroup[row] !== 0) this.reach(isec.nextInGroup[row]!, { link: "group", from: row, sym: 0 });
    for (let rec = isec.fde[row]!; rec !== 0; rec = ehrec.nextFde[rec]!) {
      const o = isec.obj[row]!;
      for (let i = 1; i < ehrec.relaCount[rec]!; i++) {
        const index = this.ctx.arena.u32[(ehrec.rela[rec]! + i * RELA_BYTES + 12) >>> 2]!;
        const id = index < obj.esymCount[o]! ? esym.sym[obj.esymBase[o]! + index]! : 0;
        const target = (sym.flags[id]! & SYM_KIND_MASK) === SYM_DEFINED ? sym.isec[id]! : 0;
        if (target === 0 || (isec.sh_flags[target]! & (SHF_EXECINSTR | SHF_LINK_ORDER)) !== 0 || isec.nextInGroup[target] !== 0) continue;
        this.reach(target, { link: "unwinding", from: row, sym: (sym.flags[id]! & SYM_SECTION) !== 0 ? 0 : id });
      }
    }
  }
}
