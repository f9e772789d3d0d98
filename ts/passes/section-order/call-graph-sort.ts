/**
 * --call-graph-profile-sort=hfsort: C3 of "Optimizing Function Placement for Large-Scale Data-Center Applications" (Ottoni, Maher,
 * CGO 2017) with lld's limits: callees are appended to their likeliest callers, hot clusters come first.
 *
 * Needs no context, so that it can be tried on graphs. Clusters are columns, index = section in order of first mention.
 */
import type { CallGraph } from "./call-graph.ts";

/** A merge may not make a cluster this many times less dense. */
const MAX_DENSITY_DEGRADATION = 8;
const MAX_CLUSTER_BYTES = 1024 * 1024;
/** A caller that makes fewer than one in this many of the calls is not followed. */
const UNLIKELY = 10;

/** Sections in the order they should have; `sizeOf`: bytes of a section. */
export function sortByCallers(graph: CallGraph, sizeOf: (section: number) => number): number[] {
  return new Clusters(graph, sizeOf).sorted();
}

class Clusters {
  private readonly sections: number[] = [];
  private readonly size: number[] = [];
  private readonly weight: number[] = [];
  private readonly bestCaller: number[] = [];
  private readonly bestWeight: number[] = [];
  /** Rings of the members of a cluster. */
  private readonly next: number[] = [];
  private readonly previous: number[] = [];
  private readonly leader: number[] = [];

  constructor(graph: CallGraph, sizeOf: (section: number) => number) {
    const index = new Map<number, number>();
    const node = (section: number): number => {
      const known = index.get(section);
      if (known !== undefined) return known;
      const id = this.sections.push(section) - 1;
      index.set(section, id);
      this.size.push(sizeOf(section));
      this.weight.push(0);
      this.bestCaller.push(-1);
      this.bestWeight.push(0);
      for (const column of [this.next, this.previous, this.leader]) column.push(id);
      return id;
    };
    graph.from.forEach((section, i) => {
      const from = node(section);
      const to = node(graph.to[i]!);
      const weight = graph.weight[i]!;
      this.weight[to]! += weight;
      if (from === to || (this.bestCaller[to] !== -1 && this.bestWeight[to]! >= weight)) return;
      this.bestCaller[to] = from;
      this.bestWeight[to] = weight;
    });
  }

  private density(id: number): number {
    return this.size[id] === 0 ? 0 : this.weight[id]! / this.size[id]!;
  }

  private leaderOf(id: number): number {
    let at = id;
    while (this.leader[at] !== at) at = this.leader[at] = this.leader[this.leader[at]!]!;
    return at;
  }

  /** Densest first; equal ones in order of mention. */
  private byDensity(ids: number[]): number[] {
    const density = ids.map((id) => this.density(id));
    return ids.map((_, i) => i).sort((a, b) => density[b]! - density[a]! || a - b).map((i) => ids[i]!);
  }

  sorted(): number[] {
    const calls = [...this.weight];
    const all = this.sections.map((_, id) => id);
    for (const id of this.byDensity(all)) {
      if (this.bestCaller[id] === -1 || this.bestWeight[id]! * UNLIKELY <= calls[id]!) continue;
      const into = this.leaderOf(this.bestCaller[id]!);
      if (into !== id && this.fits(into, id)) this.merge(into, id);
    }
    const order: number[] = [];
    for (const first of this.byDensity(all.filter((id) => this.size[id]! > 0))) {
      let id = first;
      do {
        order.push(this.sections[id]!);
        id = this.next[id]!;
      } while (id !== first);
    }
    return order;
  }

  private fits(into: number, id: number): boolean {
    const size = this.size[into]! + this.size[id]!;
    if (size > MAX_CLUSTER_BYTES) return false;
    return (this.weight[into]! + this.weight[id]!) / size >= this.density(into) / MAX_DENSITY_DEGRADATION;
  }

  private merge(into: number, id: number): void {
    this.leader[id] = into;
    const [tail, otherTail] = [this.previous[into]!, this.previous[id]!];
    this.previous[into] = otherTail;
    this.next[otherTail] = into;
    this.previous[id] = tail;
    this.next[tail] = id;
    this.size[into]! += this.size[id]!;
    this.weight[into]! += this.weight[id]!;
    this.size[id] = 0;
    this.weight[id] = 0;
  }
}
