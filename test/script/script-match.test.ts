/** Which description of a layout script a section belongs to: the first that matches, and how little is tried to find it. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Matcher, matchesFile, type Candidate, type FileName, type Subject } from "../../ts/passes/script/script-match.ts";
import { Glob } from "../../ts/script/glob.ts";
import { parseInputScript } from "../../ts/script/input-script.ts";
import type { LayoutScript } from "../../ts/script/layout.ts";
import { prng } from "../helpers/prng.ts";

const parse = (text: string): LayoutScript => parseInputScript(text, "x.ld", undefined).layout!;

/** Of `a.o`, or of `lib.a:member.o`. */
const fileName = (text: string): FileName => ({ text, archive: text.includes(":") ? text.slice(0, text.indexOf(":")) : "" });

/** Every pattern of the script, tried in order. */
function firstOf(layout: LayoutScript, { name, file }: Subject): Candidate | null {
  for (const output of layout.commands) {
    if (output.kind !== "output") continue;
    for (const input of output.commands) {
      if (input.kind !== "input" || !matchesFile(input.file, file) || input.excluded.some((pattern) => matchesFile(pattern, file))) continue;
      for (const pattern of input.patterns) {
        if (pattern.excluded.some((excluded) => matchesFile(excluded, file))) continue;
        if (pattern.names.some((glob) => glob.matches(name))) return { output, input, pattern };
      }
    }
  }
  return null;
}

test("the first description in the script, whether or not it says for which files it is", () => {
  const random = prng(11);
  const pick = (list: readonly string[]): string => list[random.below(list.length)]!;
  const files = ["a.o", "b.o", "lib.a:a.o", "lib.a:b.o", "x/a.o", ""].map(fileName);
  const names = [".text", ".text.a", ".text.b", ".data", ".data.a"];
  const filePatterns = ["*", "*", "*a.o", "*lib.a:*", "a.o", "?.o", "*:b.o", "lib.a:", ":?.o", ":"];
  const namePatterns = [".text", ".text.*", ".text*", ".text.a", ".data", ".data*", "*.a", "*"];
  let found = 0;
  for (let round = 0; round < 60; round++) {
    const description = (): string => {
      const exclude = (): string => (random.below(4) === 0 ? `EXCLUDE_FILE(${pick(filePatterns.slice(2))} ${pick(filePatterns.slice(2))}) ` : "");
      return `${exclude()}${pick(filePatterns)}(${exclude()}${pick(namePatterns)} ${pick(namePatterns)})`;
    };
    const layout = parse(`SECTIONS { .o : { ${Array.from({ length: 6 }, description).join(" ")} } .p : { ${description()} } }`);
    const matcher = new Matcher(layout);
    for (const file of files) {
      for (const name of names) {
        const expected = firstOf(layout, { name, file, flags: 0 });
        const actual = matcher.find({ name, file, flags: 0 });
        assert.is(actual?.pattern, expected?.pattern);
        assert.is(actual?.input, expected?.input);
        found += Number(expected !== null);
      }
    }
  }
  assert.ok(found > 500);
});

test("archive: means all of its members, :file what is in no archive", () => {
  const matcher = new Matcher(parse("SECTIONS { .a : { :a.o(.text) } .b : { lib.a:(.text) } .c : { EXCLUDE_FILE(:*) *(.text) } .d : { EXCLUDE_FILE(libx.a:) *:b.o(.data) } }"));
  const outputOf = (file: string, name: string): string | undefined => matcher.find({ name, file: fileName(file), flags: 0 })?.output.name;
  assert.equal(["a.o", "lib.a:a.o", "lib.a:x.o", "x.a:a.o", "b.o"].map((file) => outputOf(file, ".text")), [".a", ".b", ".b", ".c", undefined]);
  assert.equal(["b.o", "lib.a:b.o", "libx.a:b.o"].map((file) => outputOf(file, ".data")), [undefined, ".d", undefined]);
});

test("the colon of a file pattern: in quotes too, not in names of sections, not that of a file in no archive", () => {
  const matcher = new Matcher(parse('SECTIONS { .a : { "lib.a:"(.text) } .b : { ":*.o"(.text) } .c : { ":"(.text) lib?.a:(.text) } .d : { *(.data: ".x:" EXCLUDE_FILE("liby.a:") .rodata) } }'));
  const outputOf = (file: FileName, name: string): string | undefined => matcher.find({ name, file, flags: 0 })?.output.name;
  assert.equal(["lib.a:m.o", "liba.a:m.o", "*.o", "n.o", "x.a:n.o", ""].map((file) => outputOf(fileName(file), ".text")), [".a", ".c", ".b", ".c", undefined, ".c"]);
  assert.is(outputOf({ text: "lib.a:m.o", archive: "" }, ".text"), ".c");
  assert.equal([".data:", ".data:x", ".data", ".x:", ".x:y"].map((name) => outputOf(fileName("a.o"), name)), [".d", undefined, undefined, ".d", undefined]);
  assert.equal(["a.o", "lib.a:m.o", "liby.a:m.o"].map((file) => outputOf(fileName(file), ".rodata")), [".d", ".d", undefined]);
});

test("of thousands of descriptions for one object each, a section is compared with those that can match", () => {
  const count = 3000;
  const list = (i: number): string => `*f${i}.o(.text .text.*) *(EXCLUDE_FILE(*x.o *y.o) .text.g${i})\n`;
  const matcher = new Matcher(parse(`SECTIONS { .text : { ${Array.from({ length: count }, (_, i) => list(i)).join("")} } }`));
  const { matches } = Glob.prototype;
  const files = Array.from({ length: count }, (_, i) => fileName(`o/f${i}.o`));
  const [other, excluded] = [fileName("other.o"), fileName("x.o")];
  let tried = 0;
  Glob.prototype.matches = function (this: Glob, name: string): boolean {
    tried++;
    return matches.call(this, name);
  };
  try {
    for (let i = 0; i < count; i++) {
      for (const name of [".text", ".text.h", `.text.g${i}`]) assert.is(matcher.find({ name, file: files[i]!, flags: 0 })?.input.file.glob.literal, `f${i}.o`);
      assert.is(matcher.find({ name: `.text.g${i}`, file: other, flags: 0 })?.input.file.glob.kind, "any");
      assert.is(matcher.find({ name: `.text.g${i}`, file: excluded, flags: 0 }), null);
    }
  } finally {
    Glob.prototype.matches = matches;
  }
  assert.ok(tried < 20 * count, `${tried} comparisons`);
});

test.run();
