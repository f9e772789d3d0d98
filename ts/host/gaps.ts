/** What is left between parts that are written in any order. */

/** Calls `gap` for what of [0, bytes) is not in `parts` (from, to, from, to…). */
export function eachGap(parts: readonly number[], bytes: number, gap: (from: number, to: number) => void): void {
  const order = Array.from({ length: parts.length / 2 }, (_, i) => 2 * i).sort((a, b) => parts[a]! - parts[b]!);
  let end = 0;
  for (const i of order) {
    if (parts[i]! > end) gap(end, Math.min(parts[i]!, bytes));
    end = Math.max(end, parts[i + 1]!);
    if (end >= bytes) return;
  }
  gap(end, bytes);
}
