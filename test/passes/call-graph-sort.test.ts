/** The two sorts of a call graph, on graphs made here. Expected orders were compared with lld's. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { CallGraph } from "../../ts/passes/section-order/call-graph.ts";
import { sortByCache } from "../../ts/passes/section-order/cache-directed-sort.ts";
import { sortByCallers } from "../../ts/passes/section-order/call-graph-sort.ts";
import { inverseFourthRoot, powerOfTwoPower } from "../../ts/passes/section-order/rounded-power.ts";
import { prng } from "../helpers/prng.ts";

const test = suite("call graph sorts");

function graph(...edges: [number, number, number][]): CallGraph {
  return { from: edges.map((edge) => edge[0]), to: edges.map((edge) => edge[1]), weight: edges.map((edge) => edge[2]) };
}
const ofOne = (): number => 1;

test("callees follow their likeliest callers, dense clusters come first", () => {
  const chain = graph([1, 2, 5], [2, 3, 50], [3, 4, 40], [4, 2, 10], [4, 5, 1]);
  assert.equal(sortByCallers(chain, ofOne), [2, 3, 4, 5, 1]);
  assert.equal(sortByCache(chain, ofOne), [1, 2, 3, 4, 5]);
});

test("a cluster does not grow beyond a megabyte, nor by a callee that makes it thin", () => {
  assert.equal(sortByCallers(graph([1, 2, 6]), (section) => (section === 1 ? 1024 * 1024 : 1)), [2, 1]);
  assert.equal(sortByCallers(graph([3, 1, 1000], [1, 2, 1000]), (section) => (section === 2 ? 10000 : 1)), [3, 1, 2]);
});

test("gains that are equal on paper are equal in floating point: the input's order decides", () => {
  const sizes = [42, 1, 5, 1526];
  assert.equal(sortByCache(graph([1, 1, 10], [0, 0, 10], [3, 0, 10], [2, 0, 10], [2, 1, 2]), (section) => sizes[section]!), [2, 1, 0, 3]);
});

test("calls that never happened bring nobody into the order", () => {
  assert.equal(sortByCache(graph([2, 1, 0], [1, 1, 10], [2, 2, 0]), ofOne), [1]);
});

test("every section once, in the same order each time, on random graphs", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = prng(seed);
    const count = random.between(2, 300);
    const sizes = Array.from({ length: count }, () => random.pick([0, 1, 16, 300, 5000]));
    const calls = graph(...Array.from({ length: random.below(5 * count) + 1 }, (): [number, number, number] => [random.below(count), random.below(count), random.between(1, 1000)]));
    const mentioned = [...new Set([...calls.from, ...calls.to])].sort((a, b) => a - b);
    for (const sort of [sortByCallers, sortByCache]) {
      const order = sort(calls, (section) => sizes[section]!);
      const expected = sort === sortByCallers ? mentioned.filter((section) => order.includes(section) || sizes[section] !== 0) : mentioned;
      assert.equal([...order].sort((a, b) => a - b), expected, `seed ${seed}`);
      assert.equal(sort(calls, (section) => sizes[section]!), order);
    }
  }
});

test("powers are rounded to the nearest double", () => {
  const random = prng(5);
  for (let i = 0; i < 2000; i++) {
    const x = random.between(1, 1 << 30);
    const root = inverseFourthRoot(x);
    // x root^4 = 1: the exact distance from 1, in integers, is least for the nearest double.
    const error = (y: number): bigint => {
      const scaled = BigInt(y * 2 ** 62) ** 4n * BigInt(x) - (1n << 248n);
      return scaled < 0n ? -scaled : scaled;
    };
    const step = 2 ** (Math.floor(Math.log2(root)) - 52);
    assert.ok(error(root) <= error(root + step) && error(root) <= error(root - step), `${x}`);
  }
  assert.is(powerOfTwoPower(1.5, 4), 1.5 ** 16);
  assert.is(powerOfTwoPower(0.1, 1), 0.010000000000000002);
});

test.run();
