/**
 * --shuffle-sections: input sections in a random order, or from last to first, to find programs that depend on their order.
 *
 * The same seed gives the order that lld gives in plain programs: its generator (mt19937) and its way of swapping; linker-made sections,
 * which lld draws for as well, are counted as far as they are in every link.
 */
import type { Context } from "../../context.ts";
import { Glob } from "../../script/glob.ts";

/** The seed that stands for the reverse order. */
const REVERSE = 0xffff_ffff;

/** All rows of isec that are in the output, in their new order. */
export function shuffledSections(ctx: Context): number[] {
  const { isec, member } = ctx.tables;
  const name = (row: number): string => (row === 0 || isec.name[row] === 0 ? "" : ctx.arena.cstring(isec.name[row]!));
  let rows = Array.from(member.isec.subarray(1, member.rows)).sort((a, b) => a - b);
  const made = ctx.options.strip === "all" ? [".shstrtab"] : [".symtab", ".shstrtab", ".strtab"];
  for (const { pattern, seed } of ctx.options.shuffleSections) {
    const glob = new Glob(pattern);
    const matched = rows.filter((row) => glob.matches(name(row)));
    const others = made.filter((each) => glob.matches(each)).map(() => 0);
    const drawn = seed === REVERSE ? matched.reverse() : shuffle([...matched, ...others], seed);
    const kept = drawn.filter((row) => row !== 0);
    const places = new Set(kept);
    let next = 0;
    rows = rows.map((row) => (places.has(row) ? kept[next++]! : row));
  }
  return rows;
}

/** Each place in turn gets one of those that are left. Seed 0: another order in every run. */
function shuffle(rows: number[], seed: number): number[] {
  const random = new MersenneTwister(seed !== 0 ? seed : Math.floor(Math.random() * 2 ** 32));
  for (let at = 0; at + 1 < rows.length; at++) {
    const other = at + (random.next() % (rows.length - at));
    [rows[at], rows[other]] = [rows[other]!, rows[at]!];
  }
  return rows;
}

/** mt19937 of Matsumoto and Nishimura (C++ [rand.predef]): 32-bit numbers. */
export class MersenneTwister {
  private readonly state = new Uint32Array(624);
  private at = 624;

  constructor(seed: number) {
    const { state } = this;
    state[0] = seed;
    for (let i = 1; i < 624; i++) state[i] = Math.imul(1812433253, state[i - 1]! ^ (state[i - 1]! >>> 30)) + i;
  }

  next(): number {
    if (this.at === 624) this.refill();
    let y = this.state[this.at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  private refill(): void {
    const { state } = this;
    for (let i = 0; i < 624; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % 624]! & 0x7fffffff);
      state[i] = state[(i + 397) % 624]! ^ (y >>> 1) ^ ((y & 1) !== 0 ? 0x9908b0df : 0);
    }
    this.at = 0;
  }
}
