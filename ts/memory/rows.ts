/** Kernels over many rows: calls in steps, tables of hashes. */

/** Rows that a kernel call takes when it is one of many. */
const ROWS_PER_CALL = 1 << 14;

/** Calls `kernel` for rows 1…rows - 1 in steps [from, to) short enough for V8 to put optimised code in place between them. */
export function inSteps(rows: number, kernel: (from: number, to: number) => void, step = ROWS_PER_CALL): void {
  for (let from = 1; from < rows; from += step) kernel(from, Math.min(from + step, rows));
}

/** How many slots a hash table for `entries` entries has: a power of two, more than twice as many. */
export const slotsFor = (entries: number): number => 2 ** Math.ceil(Math.log2(2 * entries + 2));
