/**
 * --why-live=GLOB: for every live symbol that a pattern matches, what keeps it, back to a root; in lld's words.
 *
 * lld stops at the first reason. Here every reason has its chain, each a block of its own, the shortest first; a way that only
 * exists because of the symbol itself is none.
 */
import { SYM_DEFINED, SYM_IN_OSEC, SYM_KIND_MASK } from "../../as-kernels/shared/abi.ts";
import { STT_FILE, STT_SECTION } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { displayName, displaySymbol, fileName, rawSymbol, sectionPath } from "../diagnostics/place.ts";
import { Glob } from "../script/glob.ts";
import { LiveGraph, type Edge, type Link } from "./live-graph.ts";

export function whyLive(ctx: Context): ByteString[] {
  ctx.host.optimise?.(ctx.tables.sym.rows);
  const globs = ctx.options.whyLive.map((pattern) => new Glob(pattern));
  const symbols = matching(ctx, (name) => globs.some((glob) => glob.matches(name) || glob.matches(displayName(ctx, name))));
  const { sym } = ctx.tables;
  const graph = new LiveGraph(ctx, symbols.map((id) => (isPlaced(ctx, id) ? sym.isec[id]! : 0)).filter((row) => row !== 0));
  return symbols.flatMap((id) => new Explanation(ctx, graph, id).lines());
}

function isPlaced(ctx: Context, id: number): boolean {
  return (ctx.tables.sym.flags[id]! & SYM_KIND_MASK) === SYM_DEFINED;
}

/** Live symbols whose name is wanted: globals, then the locals of each object. */
function matching(ctx: Context, wanted: (name: ByteString) => boolean): number[] {
  const { sym, isec, obj } = ctx.tables;
  const isLive = (id: number): boolean => {
    const kind = sym.flags[id]! & SYM_KIND_MASK;
    return kind === SYM_IN_OSEC || (kind === SYM_DEFINED && (sym.isec[id] === 0 || isec.live[sym.isec[id]!] !== 0));
  };
  const found: number[] = [];
  const globals = ctx.params.get("globalSyms");
  for (let id = 1; id < globals; id++) if (isLive(id) && wanted(ctx.symbolName(id))) found.push(id);
  for (const o of ctx.objects) {
    const end = Math.min(obj.firstGlobal[o]!, obj.esymCount[o]!);
    for (let i = 1; i < end; i++) {
      const id = obj.localBase[o]! + i;
      const raw = isLive(id) ? rawSymbol(ctx, o, i) : null;
      if (raw !== null && raw.name !== "" && raw.type !== STT_SECTION && raw.type !== STT_FILE && wanted(raw.name)) found.push(id);
    }
  }
  return found;
}

const WORDS: Record<Link, string> = {
  reference: "referenced by", dependent: "depended on by section", group: "in section group with", personality: "referenced by", unwinding: "referenced by unwind information of",
};

class Explanation {
  private readonly ctx: Context;
  private readonly graph: LiveGraph;
  private readonly id: number;

  constructor(ctx: Context, graph: LiveGraph, id: number) {
    this.ctx = ctx;
    this.graph = graph;
    this.id = id;
  }

  lines(): ByteString[] {
    const { id, graph } = this;
    const head = `live symbol: ${this.symbol(id)}`;
    const row = isPlaced(this.ctx, id) ? this.ctx.tables.sym.isec[id]! : 0;
    const note = graph.symbolNote(id);
    if (row === 0) return [`${head} (no section)`];
    const blocks: ByteString[][] = [];
    if (note !== "") blocks.push([`${head} (${note})`]);
    const edges = graph.reasons(row);
    const through = edges.filter((edge) => edge.sym === id);
    for (const edge of through) blocks.push([head, ...this.edge(edge)]);
    const section = `>>> in live section: ${this.section(row)}`;
    if (graph.sectionNote(row) !== "") blocks.push([head, section]);
    const reason = graph.reason(row);
    if (reason !== null && "symbol" in reason && reason.symbol !== id) blocks.push([head, section, ...this.containing(reason.symbol)]);
    const others = new Set<number>();
    for (const edge of edges) {
      if (edge.sym === id || others.has(edge.sym)) continue;
      if (edge.sym !== 0) others.add(edge.sym);
      blocks.push([head, section, ...(edge.sym === 0 ? [] : this.containing(edge.sym)), ...this.edge(edge)]);
    }
    return blocks.flat();
  }

  private symbol(id: number): string {
    const { gsym, isec, sym } = this.ctx.tables;
    const o = id < this.ctx.params.get("globalSyms") ? gsym.obj[id]! : isec.obj[sym.isec[id]!]!;
    return `${fileName(this.ctx, o)}:(${displaySymbol(this.ctx, id)})`;
  }

  private section(row: number): string {
    const note = this.graph.sectionNote(row);
    return sectionPath(this.ctx, row) + (note === "" ? "" : ` (${note})`);
  }

  private containing(id: number): ByteString[] {
    const note = this.graph.symbolNote(id);
    return [`>>> contained live symbol: ${this.symbol(id)}${note === "" ? "" : ` (${note})`}`];
  }

  /** An edge and the way from a root to where it starts: as long as the program's longest chain of references. */
  private edge(first: Edge): ByteString[] {
    const lines: ByteString[] = [];
    let edge: Edge | null = first;
    while (edge !== null) {
      const { link, from }: Edge = edge;
      lines.push(`>>> ${WORDS[link]}: ${this.section(from)}`);
      const reason: ReturnType<LiveGraph["reason"]> = this.graph.sectionNote(from) === "" ? this.graph.reason(from) : null;
      edge = reason === null || "symbol" in reason ? null : reason;
      const symbol = reason === null ? 0 : "symbol" in reason ? reason.symbol : reason.sym;
      if (symbol !== 0) lines.push(...this.containing(symbol));
    }
    return lines;
  }
}
