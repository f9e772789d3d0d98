/** Plain oracle of fold-identical: all pairs that might be identical, minus those that are found to differ, until nothing changes. */

export interface FoldReloc {
  offset: number;
  type: number;
  /** Index of a symbol, -1 = none. */
  symbol: number;
  addend: number;
}

export interface FoldSection {
  contents: string;
  flags: number;
  osec: number;
  /** Strings or constants of 8 bytes, placed in the output at `pieces`. */
  pieces: number[] | null;
  /** Must not be folded. */
  unique: boolean;
  relocs: FoldReloc[];
}

export interface FoldSymbol {
  /** -1 = absolute, -2 = undefined. */
  section: number;
  value: number;
  isSection: boolean;
  preemptible: boolean;
}

/** For each section the first one it is identical to, maybe itself. */
export function foldTwin(sections: FoldSection[], symbols: FoldSymbol[]): number[] {
  const folds = (s: number): boolean => sections[s]!.pieces === null && !sections[s]!.unique;
  const same = sections.map((a, i) => sections.map((b, j) => i === j || (folds(i) && folds(j) && alike(a, b))));

  function alike(a: FoldSection, b: FoldSection): boolean {
    return a.contents === b.contents && a.flags === b.flags && a.osec === b.osec && a.relocs.length === b.relocs.length;
  }

  function agree(a: FoldReloc, b: FoldReloc): boolean {
    if (a.offset !== b.offset || a.type !== b.type) return false;
    if (a.symbol === b.symbol) return a.addend === b.addend;
    const place = (reloc: FoldReloc) => (reloc.symbol < 0 ? { section: -1, value: reloc.addend } : target(symbols[reloc.symbol]!, reloc.addend));
    const [x, y] = [place(a), place(b)];
    if (x === null || y === null || x.value !== y.value) return false;
    if (x.section < 0 || y.section < 0) return x.section === y.section;
    const merged = [sections[x.section]!, sections[y.section]!].map(({ pieces }) => pieces !== null);
    if (merged[0] !== merged[1]) return false;
    return merged[0] ? sections[x.section]!.osec === sections[y.section]!.osec : same[x.section]![y.section]!;
  }

  /** Section and place in it, or in the merged output; null = known only to itself. */
  function target(symbol: FoldSymbol, addend: number): { section: number; value: number } | null {
    if (symbol.section === -2 || symbol.preemptible) return null;
    const pieces = symbol.section < 0 ? null : sections[symbol.section]!.pieces;
    if (pieces === null) return { section: symbol.section, value: symbol.value + addend };
    const out = (offset: number): number => {
      const piece = Math.min(offset >> 3, pieces.length - 1);
      return pieces[piece]! + offset - 8 * piece;
    };
    return { section: symbol.section, value: symbol.isSection ? out(symbol.value + addend) : out(symbol.value) + addend };
  }

  for (let again = true; again; ) {
    again = false;
    sections.forEach((a, i) => {
      sections.forEach((b, j) => {
        if (i === j || !same[i]![j]! || a.relocs.every((reloc, k) => agree(reloc, b.relocs[k]!))) return;
        same[i]![j] = same[j]![i] = false;
        again = true;
      });
    });
  }
  return sections.map((_, i) => same[i]!.indexOf(true));
}
