/** The playground's command line and its form say the same, whichever is changed. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { addFile, CHOICES, choose, chosen, joinWords, linkerWords, namedFiles, removeFile, setValue, splitWords, valueOf } from "../../playground/src/command-line.ts";

const test = suite("playground/command-line");
const choice = (id: string) => CHOICES.find((each) => each.id === id)!;

test("words are split as a shell does, and written so that they are split the same", () => {
  const text = `ld -o 'my program' "a \\"b\\".o" c\\ d.o --defsym='x=1'`;
  const words = ["ld", "-o", "my program", 'a "b".o', "c d.o", "--defsym=x=1"];
  assert.equal(splitWords(text), words);
  assert.equal(splitWords(joinWords(words)), words);
  assert.equal(splitWords("ld 'open"), ["ld", "open"]);
  assert.equal(splitWords("it's' o'k"), ["its", "ok"]);
});

test("the program's name is not an argument", () => {
  for (const name of ["ld", "/usr/bin/ld", "ld.lld", "wield"]) assert.equal(linkerWords(`${name} a.o`), ["a.o"]);
  assert.equal(linkerWords("a.o b.o"), ["a.o", "b.o"]);
});

test("a choice of the form is read from the words and put into them, others stay", () => {
  const words = splitWords("ld -static -o out main.o -z relro libc.a");
  assert.is(chosen(choice("kind"), words), 0);
  assert.is(chosen(choice("gc"), words), 0);
  const collected = choose(choice("gc"), 1, words);
  assert.is(joinWords(collected), "ld --gc-sections -static -o out main.o -z relro libc.a");
  assert.equal(choose(choice("gc"), 0, collected), words);
  for (const each of CHOICES) {
    for (let value = 0; value < each.values.length; value++) {
      const next = choose(each, value, words);
      assert.is(chosen(each, next), value, `${each.id} ${value}`);
      assert.equal(namedFiles(next).slice(-2), ["main.o", "libc.a"]);
    }
  }
});

test("options are known with one dash and with two", () => {
  assert.is(chosen(choice("gc"), ["ld", "-gc-sections"]), 1);
  assert.equal(choose(choice("gc"), 0, ["ld", "-gc-sections", "a.o"]), ["ld", "a.o"]);
});

test("values of options are no files", () => {
  const words = splitWords("ld -o out -e start a.o -T x.ld b.a");
  assert.equal(namedFiles(words.slice(1)), ["a.o", "b.a"]);
  assert.is(valueOf("-e", words), "start");
  assert.is(joinWords(setValue("-e", "go", words)), "ld -o out -e go a.o -T x.ld b.a");
  assert.is(joinWords(setValue("-e", "", words)), "ld -o out a.o -T x.ld b.a");
  assert.is(joinWords(setValue("-e", "go", ["ld", "a.o"])), "ld -e go a.o");
});

test("a dropped object goes before archives, an archive behind them, and neither twice", () => {
  const words = splitWords("ld -o out crt1.o main.o libc.a crtn.o");
  const added = addFile("extra.o", words);
  assert.is(joinWords(added), "ld -o out crt1.o main.o extra.o libc.a crtn.o");
  assert.equal(addFile("extra.o", added), added);
  assert.is(joinWords(addFile("libz.a", words)), "ld -o out crt1.o main.o libc.a crtn.o libz.a");
  assert.equal(removeFile("extra.o", added), words);
  assert.equal(removeFile("out", words), words);
});

test.run();
