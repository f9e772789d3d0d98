/**
 * The nearest known word to a misspelt one.
 *
 * Not for symbol names: those have their own rules (case, mangling) where undefined symbols are reported.
 */

/** Edits (insert, delete, replace, swap of neighbours) from a to b; `limit + 1` when it takes more than `limit`. */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const line = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] as number) + 1, (line[j - 1] as number) + 1, (last[j - 1] as number) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (before[j - 2] as number) + 1);
      line.push(cost);
    }
    if (Math.min(...line) > limit) return limit + 1;
    before = last;
    last = line;
  }
  return last[b.length] as number;
}

/** The first of the nearest candidates within a third of the word's length (at most 3 edits), "" when none is near. */
export function nearest(word: string, candidates: Iterable<string>): string {
  let best = "";
  let limit = Math.min(3, Math.floor(word.length / 3));
  for (const candidate of candidates) {
    if (limit < 0) break;
    if (editDistance(word, candidate, limit) > limit) continue;
    best = candidate;
    limit = editDistance(word, candidate, limit) - 1;
  }
  return best;
}
