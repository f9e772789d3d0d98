/**
 * A small seeded random number generator for tests and benches, so that a failure can be repeated from its seed.
 *
 * Not for anything secret. The surprising choice: it is splitmix32, so nearby seeds give unrelated streams and a test may seed with its row number.
 */

export interface Prng {
  /** A 32-bit unsigned integer. */
  u32(): number;
  /** An integer in [0, limit). */
  below(limit: number): number;
  /** An integer in [from, to], both included. */
  between(from: number, to: number): number;
  /** True with probability `p`. */
  chance(p: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** A 64-bit unsigned integer. */
  u64(): bigint;
  /** Shuffles in place and returns the array. */
  shuffle<T>(items: T[]): T[];
}

export function prng(seed: number): Prng {
  let state = seed >>> 0;
  const u32 = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  const below = (limit: number): number => Math.floor((u32() / 0x1_0000_0000) * limit);
  return {
    u32,
    below,
    between: (from, to) => from + below(to - from + 1),
    chance: (p) => u32() < p * 0x1_0000_0000,
    pick: (items) => items[below(items.length)]!,
    u64: () => (BigInt(u32()) << 32n) | BigInt(u32()),
    shuffle: (items) => {
      for (let i = items.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [items[i], items[j]] = [items[j]!, items[i]!];
      }
      return items;
    },
  };
}
