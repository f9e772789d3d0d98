/**
 * Which symbols of an object cover a place: for links with very many messages, each of which asks.
 */

/** Type of symbol-table entry `i`, the section it is in, and the bytes that it covers. */
interface Span {
  index: number;
  type: number;
  shndx: number;
  from: number;
  to: number;
}

export class SymbolSpans {
  /** By section, each in order of `from`. */
  private readonly sections = new Map<number, { spans: Span[]; reach: number[] }>();

  /** `spans`: those that cover nothing are left out. */
  constructor(spans: Iterable<Span>) {
    for (const span of spans) {
      if (span.to <= span.from) continue;
      const known = this.sections.get(span.shndx);
      if (known === undefined) this.sections.set(span.shndx, { spans: [span], reach: [] });
      else known.spans.push(span);
    }
    for (const section of this.sections.values()) {
      section.spans.sort((a, b) => a.from - b.from);
      let reach = 0;
      // How far any of the first spans goes.
      for (const { to } of section.spans) section.reach.push((reach = Math.max(reach, to)));
    }
  }

  /** The first symbol of the table that covers `offset` and is accepted; 0 = none. */
  covering(shndx: number, offset: number, accept: (index: number, type: number) => boolean): number {
    const section = this.sections.get(shndx);
    if (section === undefined) return 0;
    const { spans, reach } = section;
    let [low, high] = [0, spans.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (spans[middle]!.from <= offset) low = middle + 1;
      else high = middle;
    }
    let found = 0;
    for (let i = low - 1; i >= 0 && reach[i]! > offset; i--) {
      const { index, type, to } = spans[i]!;
      if (offset < to && (found === 0 || index < found) && accept(index, type)) found = index;
    }
    return found;
  }
}
