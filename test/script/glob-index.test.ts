/** GlobIndex finds what trying every pattern finds. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { GlobIndex } from "../../ts/script/glob-index.ts";
import { Glob } from "../../ts/script/glob.ts";
import { prng } from "../helpers/prng.ts";

test("every pattern that matches, of all kinds", () => {
  const random = prng(7);
  const pick = (from: string, least: number, most: number): string => Array.from({ length: least + random.below(most - least + 1) }, () => from[random.below(from.length)]).join("");
  const patterns = [...Array.from({ length: 400 }, () => pick("ab.*?", 1, 5)), "*", "a", "[ab]*", "a[ab]", "*a*", "", "\\*"];
  const globs = patterns.map((pattern) => new Glob(pattern));
  const index = new GlobIndex<number>();
  globs.forEach((glob, i) => index.add(glob, i));
  let found = 0;
  for (let round = 0; round < 300; round++) {
    const name = pick("ab.*", 0, 6);
    const expected = globs.flatMap((glob, i) => (glob.matches(name) ? [i] : []));
    assert.equal(index.matching(name).sort((a, b) => a - b), expected, name);
    found += expected.length;
  }
  assert.ok(found > 1000);
});

test("a pattern that cannot match is not tried", () => {
  const index = new GlobIndex<number>();
  let tried = 0;
  for (let i = 0; i < 5000; i++) {
    const glob = new Glob(`.text.f${i}*`);
    const matches = glob.matches.bind(glob);
    index.add(Object.assign(Object.create(glob), { kind: glob.kind, literal: glob.literal, matches: (name: string) => (tried++, matches(name)) }), i);
  }
  assert.equal(index.matching(".text.f4321").sort((a, b) => a - b), [4, 43, 432, 4321]);
  assert.is(tried, 4);
});

test.run();
