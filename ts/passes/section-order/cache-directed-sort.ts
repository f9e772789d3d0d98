/**
 * --call-graph-profile-sort=cdsort, the default: Cache-Directed Sort. Chains of functions are joined, the best gain first, where the
 * gain is what is saved in distance between caller and callee and in instruction cache misses; then dense chains come first.
 *
 * The model and its numbers are those LLVM documents for its code layout library ("CDSort"), so that the order is lld's. Needs no
 * context. Sums are made in a fixed order: the result depends on the graph alone.
 */
import type { CallGraph } from "./call-graph.ts";
import { inverseFourthRoot, powerOfTwoPower } from "./rounded-power.ts";

/** log2 of the entries of the cache. */
const CACHE_ENTRIES_LOG2 = 4;
const CACHE_BYTES = 2048;
/** Chains of more functions than this are not joined. */
const MAX_CHAIN = 128;
const FREQUENCY_SCALE = 0.25;
/** Gains that differ less are equal. */
const EPSILON = 1e-8;

interface Call {
  source: number;
  target: number;
  count: number;
  /** Bytes from the start of the caller: in its middle, because the profile does not say. */
  offset: number;
}

interface Chain {
  /** Function that stands first. */
  id: number;
  functions: number[];
  size: number;
  calls: number;
  /** What these calls cost in cache misses. */
  misses: number;
  /** Edges to other chains, and to itself. */
  edges: Map<Chain, Edge>;
}

interface Edge {
  source: Chain;
  target: Chain;
  calls: Call[];
  gain: number;
  /** The target's functions come first. */
  reversed: boolean;
  /** Counts insertions into the queue; an entry with an older number is void. */
  stamp: number;
}

/** Sections in the order they should have; `sizeOf`: bytes of a section. */
export function sortByCache(graph: CallGraph, sizeOf: (section: number) => number): number[] {
  const sections: number[] = [];
  const index = new Map<number, number>();
  const node = (section: number): number => {
    const known = index.get(section);
    if (known !== undefined) return known;
    index.set(section, sections.length);
    return sections.push(section) - 1;
  };
  const { from, to, weight } = withoutUnused(graph);
  const ends = from.map((section, i) => [node(section), node(to[i]!)] as const);
  const sizes = sections.map(sizeOf);
  const counts = sections.map(() => 0);
  const calls: Call[] = [];
  ends.forEach(([source, target], i) => {
    if (source === target) return;
    calls.push({ source, target, count: weight[i]!, offset: Math.floor((sizes[source]! + 1) / 2) });
    counts[target]! += weight[i]!;
  });
  return new Layout(sizes, counts, calls).order().map((id) => sections[id]!);
}

class Layout {
  private readonly sizes: number[];
  private readonly counts: number[];
  private readonly chainOf: Chain[];
  private readonly totalCalls: number;
  private readonly totalBytes: number;
  /** What a call costs that goes through all the bytes. */
  private readonly farthest: number;
  /** Bytes from the start of its chain, of each function. */
  private readonly place: Float64Array;
  private readonly queue = new Queue();

  constructor(sizes: number[], counts: number[], calls: Call[]) {
    this.sizes = sizes.map((size) => Math.max(size, 1));
    this.totalCalls = counts.reduce((sum, count) => sum + count, 0);
    this.totalBytes = counts.reduce((sum, count, id) => (count > 0 ? sum + this.sizes[id]! : sum), 0);
    this.farthest = locality(this.totalBytes);
    this.place = new Float64Array(sizes.length);
    this.counts = executionCounts(counts, calls);
    this.chainOf = this.sizes.map((size, id) => ({ id, functions: [id], size, calls: this.counts[id]!, misses: this.misses(this.counts[id]!, size), edges: new Map() }));
    const bySource = sizes.map((): Call[] => []);
    for (const call of calls) if (call.count > 0) bySource[call.source]!.push(call);
    for (const call of bySource.flat()) this.addCall(call);
  }

  private addCall(call: Call): void {
    const [source, target] = [this.chainOf[call.source]!, this.chainOf[call.target]!];
    const known = source.edges.get(target);
    if (known !== undefined) {
      known.calls.push(call);
      return;
    }
    const edge: Edge = { source, target, calls: [call], gain: -1, reversed: false, stamp: 0 };
    source.edges.set(target, edge);
    target.edges.set(source, edge);
  }

  order(): number[] {
    for (const chain of this.chainOf) {
      if (chain.calls === 0) continue;
      for (const edge of chain.edges.values()) if (edge.source !== edge.target && edge.gain === -1) this.offer(edge);
    }
    for (let edge = this.queue.take(); edge !== undefined; edge = this.queue.take()) this.join(edge);
    return this.concatenated();
  }

  private join(edge: Edge): void {
    const { source, target } = edge;
    for (const chain of [source, target]) for (const old of chain.edges.values()) old.stamp++;
    const [moved, bytes] = edge.reversed ? [source, target.size] : [target, source.size];
    for (const id of moved.functions) this.place[id]! += bytes;
    source.functions = edge.reversed ? [...target.functions, ...source.functions] : [...source.functions, ...target.functions];
    source.id = source.functions[0]!;
    source.calls += target.calls;
    source.size += target.size;
    source.misses = this.misses(source.calls, source.size);
    for (const id of target.functions) this.chainOf[id] = source;
    moveEdges(source, target);
    target.functions = [];
    for (const next of source.edges.values()) {
      if (next.source !== next.target && next.source.functions.length + next.target.functions.length <= MAX_CHAIN) this.offer(next);
    }
  }

  /** Finds what joining the two chains would gain, and queues the edge if it is anything. */
  private offer(edge: Edge): void {
    const { source, target } = edge;
    edge.gain = -1;
    edge.reversed = false;
    for (const reversed of [false, true]) {
      const gain = this.gainOf(edge, reversed);
      // Among equals the order of the input wins.
      const equal = Math.abs(edge.gain - gain) < EPSILON;
      if (equal ? source.id < target.id !== reversed && source.id !== target.id : gain > edge.gain + EPSILON) {
        edge.gain = gain;
        edge.reversed = reversed;
      }
    }
    if (edge.gain > EPSILON) this.queue.put(edge);
  }

  private gainOf({ source, target, calls }: Edge, reversed: boolean): number {
    const gain = this.distanceGain(calls, reversed ? target : source, reversed ? source : target) + FREQUENCY_SCALE * this.frequencyGain(source, target);
    return gain >= 0 ? gain / Math.min(source.size, target.size) : gain;
  }

  private misses(calls: number, size: number): number {
    const samples = (calls / size) * CACHE_BYTES;
    return calls * (samples >= this.totalCalls ? 0 : powerOfTwoPower(1 - samples / this.totalCalls, CACHE_ENTRIES_LOG2));
  }

  private frequencyGain(a: Chain, b: Chain): number {
    return a.misses + b.misses - this.misses(a.calls + b.calls, a.size + b.size);
  }

  /** When `second` comes after `first`. */
  private distanceGain(calls: Call[], first: Chain, second: Chain): number {
    const { place, chainOf, farthest } = this;
    let apart = 0;
    let together = 0;
    for (const { source, target, count, offset } of calls) {
      const from = place[source]! + (chainOf[source] === second ? first.size : 0) + offset;
      const to = place[target]! + (chainOf[target] === second ? first.size : 0);
      together += count * locality(Math.abs(to - from));
      apart += count * farthest;
    }
    return together - apart;
  }

  /** Chains by density. */
  private concatenated(): number[] {
    const density = (chain: Chain): number => {
      let [size, calls] = [0, 0];
      for (const id of chain.functions) {
        size += this.sizes[id]!;
        calls += this.counts[id]!;
      }
      return calls / size;
    };
    const chains = [...new Set(this.chainOf)].map((chain) => ({ chain, density: density(chain) }));
    return chains.sort((a, b) => b.density - a.density || a.chain.id - b.chain.id).flatMap(({ chain }) => chain.functions);
  }
}

/** How often functions ran: at least as often as any call of or from them, and as all of them together. */
function executionCounts(counts: number[], calls: Call[]): number[] {
  const [most, incoming, outgoing] = [[...counts], counts.map(() => 0), counts.map(() => 0)];
  for (const { source, target, count } of calls) {
    most[source] = Math.max(most[source]!, count);
    most[target] = Math.max(most[target]!, count);
    outgoing[source]! += count;
    incoming[target]! += count;
  }
  return most.map((count, id) => Math.max(count, incoming[id]!, outgoing[id]!));
}

/** Of a call: falls with the fourth root of the distance. */
function locality(distance: number): number {
  return inverseFourthRoot(distance === 0 ? 0.1 : distance);
}

/** Calls that happened. */
function withoutUnused(graph: CallGraph): CallGraph {
  const used = (_: number, i: number): boolean => graph.weight[i]! > 0;
  return { from: graph.from.filter(used), to: graph.to.filter(used), weight: graph.weight.filter(used) };
}

/** The edges of `from`, which has been joined to `into`. */
function moveEdges(into: Chain, from: Chain): void {
  for (const [other, edge] of from.edges) {
    const target = other === from ? into : other;
    const known = into.edges.get(target);
    if (known === undefined) {
      if (edge.source === from) edge.source = into;
      if (edge.target === from) edge.target = into;
      into.edges.set(target, edge);
      if (other !== into && other !== from) other.edges.set(into, edge);
    } else {
      known.calls.push(...edge.calls);
    }
    if (other !== from) other.edges.delete(from);
  }
  from.edges.clear();
}

interface Entry {
  edge: Edge;
  gain: number;
  source: number;
  target: number;
  stamp: number;
}

/** Edges by gain, greatest first; ties by the ids of their chains. Entries whose edge has changed since are passed over. */
class Queue {
  private readonly heap: Entry[] = [];

  put(edge: Edge): void {
    const { heap } = this;
    const entry: Entry = { edge, gain: edge.gain, source: edge.source.id, target: edge.target.id, stamp: ++edge.stamp };
    let at = heap.push(entry) - 1;
    while (at > 0 && isBefore(entry, heap[(at - 1) >> 1]!)) {
      heap[at] = heap[(at - 1) >> 1]!;
      at = (at - 1) >> 1;
    }
    heap[at] = entry;
  }

  take(): Edge | undefined {
    for (let entry = this.pop(); entry !== undefined; entry = this.pop()) if (entry.stamp === entry.edge.stamp) return entry.edge;
    return undefined;
  }

  private pop(): Entry | undefined {
    const { heap } = this;
    const top = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return top;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  if (a.gain !== b.gain) return a.gain > b.gain;
  return a.source !== b.source ? a.source < b.source : a.target < b.target;
}
