import { test } from "uvu";
import * as assert from "uvu/assert";
import { Glob, GlobError, PatternSet } from "../../ts/script/glob.ts";
import { prng } from "../helpers/prng.ts";

const matches = (pattern: string, name: string): boolean => new Glob(pattern).matches(name);

test("stars, question marks and brackets", () => {
  for (const [pattern, yes, no] of [
    ["foo", ["foo"], ["foo1", "fo", "xfoo"]],
    ["foo*", ["foo", "foobar"], ["fo", "xfoo"]],
    ["*foo", ["foo", "xfoo"], ["foox"]],
    ["*foo*", ["foo", "xfoox"], ["fo"]],
    ["*", ["", "a"], []],
    ["**", ["", "a"], []],
    ["f?o", ["fxo", "f\xffo"], ["fo", "fxxo"]],
    ["f*o*r", ["for", "fxoxr", "foooor"], ["fo", "fr", "forx"]],
    ["[a-c]x", ["ax", "cx"], ["dx", "x", "aax"]],
    ["[!a-c]x", ["dx", "\xe9x"], ["ax"]],
    ["[^a]", ["b"], ["a", ""]],
    ["[]a]", ["]", "a"], ["b"]],
    ["[a-]", ["a", "-"], ["b"]],
    ["\\*x", ["*x"], ["ax"]],
    ["[\\x]y", ["\\y", "xy"], ["y"]],
    ["a.*b", ["a.b", "a..b"], ["ab", "axb"]],
    ["_Z[0-9]*foo*v", ["_Z3foov", "_Z12xfooxv"], ["_Zfoov", "_Z3foox"]],
    ["", [""], ["a"]],
  ] as [string, string[], string[]][]) {
    for (const name of yes) assert.ok(matches(pattern, name), `${pattern} matches ${name}`);
    for (const name of no) assert.not(matches(pattern, name), `${pattern} does not match ${name}`);
  }
});

test("simple patterns are not compiled", () => {
  assert.is(new Glob("foo").kind, "exact");
  assert.is(new Glob("foo*").kind, "prefix");
  assert.is(new Glob("*foo").kind, "suffix");
  assert.is(new Glob("*foo*").kind, "contains");
  assert.is(new Glob("*").kind, "any");
  assert.is(new Glob("f*o").kind, "general");
  assert.is(new Glob("f*o", true).kind, "exact");
});

test("malformed patterns throw", () => {
  for (const pattern of ["[", "a[b", "[]", "[!]", "[b-a]"]) assert.throws(() => new Glob(pattern), (e: unknown) => e instanceof GlobError, pattern);
});

test("hostile patterns take no exponential time", () => {
  assert.not(matches("*a".repeat(200) + "b", "a".repeat(2000)));
  assert.not(matches("*".repeat(100000) + "x*y", "z"));
});

test("agrees with a plain recursive matcher on random patterns", () => {
  const random = prng(12345);
  const slow = (p: string, s: string): boolean => {
    if (p === "") return s === "";
    if (p[0] === "*") return slow(p.slice(1), s) || (s !== "" && slow(p, s.slice(1)));
    if (s === "") return false;
    return (p[0] === "?" || p[0] === s[0]) && slow(p.slice(1), s.slice(1));
  };
  const word = (letters: string, n: number): string => Array.from({ length: random.below(n) }, () => letters[random.below(letters.length)]).join("");
  for (let i = 0; i < 20000; i++) {
    const pattern = word("ab*?*", 7);
    const name = word("ab", 8);
    assert.is(matches(pattern, name), slow(pattern, name), `${pattern} ${name}`);
  }
});

test("a set prefers exact names, then the wildcard added first", () => {
  const set = new PatternSet<number>();
  const patterns = ["foo*", "*bar", "f*r", "x", "foo*", "fooz", "*mid*", "?", "*"];
  patterns.forEach((pattern, i) => set.add(pattern, false, i));
  assert.is(set.match("fooz"), 5);
  assert.is(set.match("foobar"), 0);
  assert.is(set.match("fxbar"), 1);
  assert.is(set.match("fr"), 2);
  assert.is(set.match("amidb"), 6);
  assert.is(set.match("x"), 3);
  assert.is(set.wildcard("x"), 7);
  assert.is(set.match("zz"), 8);
  assert.is(set.exact("zz"), undefined);
  assert.is(set.add("x", true, 99), 3);
});

test("a set of thousands answers as a list does", () => {
  const patterns: string[] = [];
  for (let i = 0; i < 3000; i++) patterns.push([`name${i}`, `pre${i}_*`, `*_suf${i}`, `a${i}*b?c`, `*mid${i}mid*`][i % 5] as string);
  const set = new PatternSet<number>();
  patterns.forEach((pattern, i) => set.add(pattern, false, i));
  const globs = patterns.map((pattern) => new Glob(pattern));
  for (let i = 0; i < 3000; i += 7) {
    for (const name of [`name${i}`, `pre${i}_x`, `x_suf${i}`, `a${i}xxbyc`, `zmid${i}midz`, `pre${i}_mid4mid_suf${i}`]) {
      const found = globs.findIndex((glob) => glob.matches(name));
      assert.is(set.match(name), found < 0 ? undefined : found, name);
    }
  }
});

test.run();
