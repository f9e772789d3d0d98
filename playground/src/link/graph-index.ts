/** Questions to a link's graph: who refers to a symbol, where a relocation stands, how a section is reached. */
import type { GraphSection, GraphSymbol, LinkGraph } from "wield";

const STT_SECTION = 3;

export interface Step {
  section: number;
  /** Why it is kept; the last step is a root. */
  text: string;
  symbol: number;
}

export class GraphIndex {
  readonly graph: LinkGraph;
  /** Rows of relocations by what they refer to and by where they are; symbols of each section, by address. Made when they are first asked for. */
  private bySymbol: Groups | undefined;
  private bySection: Groups | undefined;
  private inside: Groups | undefined;

  constructor(graph: LinkGraph) {
    this.graph = graph;
  }

  relocationsTo(symbol: number): readonly number[] {
    return (this.bySymbol ??= grouped(this.graph.relocations.symbol)).get(symbol) ?? [];
  }

  relocationsOf(section: number): readonly number[] {
    return (this.bySection ??= grouped(this.graph.relocations.section)).get(section) ?? [];
  }

  symbolsIn(section: number): readonly number[] {
    return (this.inside ??= grouped(this.graph.symbols.map((symbol) => (isOwnSymbol(symbol) ? symbol.section : -1)))).get(section) ?? [];
  }

  file(object: number): string {
    const found = this.graph.objects[object];
    return found === undefined ? "" : found.input === "<internal>" ? "the linker" : found.member === undefined ? found.input : `${found.input}(${found.member})`;
  }

  place(section: number): string {
    const { object, name } = this.graph.sections[section]!;
    return `${this.file(object)}:(${name})`;
  }

  /** `main+0x7`, or the section's name. */
  within(section: number, offset: number): string {
    const from = this.graph.sections[section]!;
    if (from.address !== undefined) {
      const at = from.address + BigInt(offset);
      let before: { name: string; address: bigint } | undefined;
      for (const i of this.symbolsIn(section)) {
        const { address, size, name } = this.graph.symbols[i]!;
        if (address !== undefined && size === 0 && address <= at && (before === undefined || address > before.address)) before = { name, address };
        if (address !== undefined && at >= address && at < address + BigInt(Math.max(size, 1))) return at === address ? name : `${name}+0x${(at - address).toString(16)}`;
      }
      // Labels in assembly often have no size: the last one counts.
      if (before !== undefined) return `${before.name}+0x${(at - before.address).toString(16)}`;
    }
    return `${from.name}+0x${offset.toString(16)}`;
  }

  /** From a section back to a root. */
  why(section: number): Step[] {
    const steps: Step[] = [];
    const seen = new Set<number>();
    for (let at = section; at >= 0 && !seen.has(at); ) {
      seen.add(at);
      const { why } = this.graph.sections[at]!;
      if (why === undefined) break;
      if (why.kind === "root") {
        const name = why.symbol === undefined || why.symbol < 0 ? "" : `${this.graph.symbols[why.symbol]!.name}: `;
        steps.push({ section: at, text: `${name}${why.note || "kept"}`, symbol: why.symbol ?? -1 });
        break;
      }
      const name = why.symbol < 0 ? "" : ` through ${this.graph.symbols[why.symbol]!.name}`;
      steps.push({ section: at, text: `${WORDS[why.kind]}${name}`, symbol: why.symbol });
      at = why.from;
    }
    return steps;
  }

  /** Who refers to a section that was left out. */
  referrers(section: number): { row: number; from: number }[] {
    const found: { row: number; from: number }[] = [];
    this.graph.symbols.forEach((symbol, i) => {
      if (symbol.section !== section) return;
      for (const row of this.relocationsTo(i)) found.push({ row, from: this.graph.relocations.section[row]! });
    });
    return found.filter(({ from }) => from !== section);
  }
}

const WORDS = { reference: "referred to", dependent: "belongs to what is kept", group: "in a group with", personality: "handles exceptions for", unwinding: "referred to by unwind information" } as const;

type Groups = ReadonlyMap<number, readonly number[]>;

/** Rows by their key, which is not negative. */
function grouped(keys: ArrayLike<number>): Groups {
  const groups = new Map<number, number[]>();
  for (let row = 0; row < keys.length; row++) {
    const list = groups.get(keys[row]!);
    if (list !== undefined) list.push(row);
    else if (keys[row]! >= 0) groups.set(keys[row]!, [row]);
  }
  return groups;
}

export const isOwnSymbol = ({ type }: GraphSymbol): boolean => type !== STT_SECTION;

const BINDS: Record<number, string> = { 0: "local", 1: "global", 2: "weak", 10: "unique" };
const TYPES: Record<number, string> = { 0: "", 1: "object", 2: "function", 3: "section", 5: "common", 6: "TLS", 10: "ifunc" };
export const bindName = (bind: number): string => BINDS[bind] ?? String(bind);
export const typeName = (type: number): string => TYPES[type] ?? String(type);
export const isLoaded = ({ flags }: GraphSection): boolean => (flags & 2) !== 0;
