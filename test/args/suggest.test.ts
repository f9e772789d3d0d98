import { test } from "uvu";
import * as assert from "uvu/assert";
import { editDistance, nearest } from "../../ts/args/suggest.ts";

test("edit distance counts inserts, deletes, replacements and swaps", () => {
  assert.is(editDistance("abc", "abc", 3), 0);
  assert.is(editDistance("abc", "acb", 3), 1);
  assert.is(editDistance("abc", "abcd", 3), 1);
  assert.is(editDistance("kitten", "sitting", 3), 3);
  assert.is(editDistance("", "ab", 3), 2);
  assert.is(editDistance("abcdef", "uvwxyz", 2), 3);
});

test("nearest takes the first of the nearest, or nothing", () => {
  assert.is(nearest("gc-section", ["gc-sections", "print-gc-sections"]), "gc-sections");
  assert.is(nearest("x", ["y"]), "");
  assert.is(nearest("nosuch", ["no-pie", "static"]), "");
});

test.run();
