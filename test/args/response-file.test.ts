import { test } from "uvu";
import * as assert from "uvu/assert";
import { expandResponseFiles, splitWindowsWords, splitWords } from "../../ts/args/response-file.ts";

test("white space separates words", () => {
  assert.equal(splitWords("  a b\n\tc\r\nd "), ["a", "b", "c", "d"]);
  assert.equal(splitWords(" \n"), []);
});

test("a byte that is no ASCII is part of a word, though it were a space in Latin-1", () => {
  for (const split of [splitWords, splitWindowsWords]) {
    for (const quote of ["", '"', "'"]) assert.equal(split(`\xc3\xa0.o -L\xe2\x80\xa0 ${quote}x\xc2\x85${quote}`), ["\xc3\xa0.o", "-L\xe2\x80\xa0", quote === "'" && split === splitWindowsWords ? "'x\xc2\x85'" : "x\xc2\x85"]);
  }
});

test("quotes group, a backslash takes the next character, in quotes too", () => {
  assert.equal(splitWords(`'a b' "c 'd" e\\ f "g\\"h" 'i\\'j' x"y z"w`), ["a b", "c 'd", "e f", 'g"h', "i'j", "xy zw"]);
  assert.equal(splitWords(`"" '' a""`), ["", "", "a"]);
});

test("an unfinished quote or backslash ends with the file", () => {
  assert.equal(splitWords(`a "b c`), ["a", "b c"]);
  assert.equal(splitWords("a\\"), ["a\\"]);
});

test("files nest, and bytes stay bytes", () => {
  const files: Record<string, string> = { a: "1 @b 4", b: "2 '@c'", c: "caf\xe9.o" };
  const result = expandResponseFiles(["0", "@a", "5", "@missing", "@"], (path) => files[path]);
  assert.equal(result.args, ["0", "1", "2", "caf\xe9.o", "4", "5", "@missing", "@"]);
  assert.equal(result.files, ["a", "b", "c"]);
});

test("a file that names itself, once or twice, is an error", () => {
  assert.is(expandResponseFiles(["@a"], () => "x @a").errors.length, 1);
  assert.is(expandResponseFiles(["@a"], () => "@a @a").errors.length, 1);
});

test("Windows quoting: only double quotes group, backslashes stay", () => {
  assert.equal(splitWindowsWords(String.raw`a\b.o "c:\d e\f.o" 'x y' "a""b" \"q\" "end\\" z\\"w"`), ["a\\b.o", "c:\\d e\\f.o", "'x", "y'", 'a"b', '"q"', "end\\", "z\\w"]);
  assert.equal(expandResponseFiles(["--rsp-quoting=windows", "@f"], () => "a\\b").args.slice(1), ["a\\b"]);
});

test.run();
