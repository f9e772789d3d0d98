/**
 * --shuffle-sections: a seed gives one order, -1 the reverse; .init and .fini stay, priorities still count without a script.
 */
import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";
import { ElfFile } from "../../helpers/dump.ts";

const shuffle = behaviour("shuffle-sections");

/** Twelve sections of each name, each with its number as its only byte. */
const TWELVE = [".init", ".fini", ".a", ".b"].map((name) => Array.from({ length: 12 }, (_, i) => `.section ${name},"ax",@progbits,unique,${i}\n.byte ${i}\n`).join("")).join("");
const ORDERED = Array.from({ length: 12 }, (_, i) => i);

shuffle("sections that match change places, the same with every run", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "t.s": `.globl _start\n_start: nop\n${TWELVE}` });
  w.sh("gcc -c t.s && $LD t.o --shuffle-sections '*=7' -o a && $LD t.o --shuffle-sections '*=7' --threads=2 -o b && cmp a b");
  w.sh("$LD t.o --shuffle-sections '.a=-1' -o r && $LD t.o --shuffle-sections '*=8' -o c");
  const content = (file: string, section: string): number[] => [...new ElfFile(w.bytes(file)).content(section)];
  for (const name of [".init", ".fini"]) assert.equal(content("a", name), ORDERED, name);
  for (const name of [".a", ".b"]) {
    assert.not.equal(content("a", name), ORDERED);
    assert.not.equal(content("a", name), content("c", name));
    assert.equal(content("a", name).sort((x, y) => x - y), ORDERED, "nothing is lost");
  }
  assert.equal(content("r", ".a"), [...ORDERED].reverse());
  assert.equal(content("r", ".b"), ORDERED);
});

shuffle("under a script sections are shuffled inside each description", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "t.s": `.globl _start\n_start: nop\n${TWELVE}`, "t.ld": "SECTIONS { .all : { *(.a) *(.b) } }" });
  w.sh("gcc -c t.s && $LD t.o -T t.ld --shuffle-sections '*=7' -o a");
  const all = [...new ElfFile(w.bytes("a")).content(".all")];
  for (const half of [all.slice(0, 12), all.slice(12)]) {
    assert.not.equal(half, ORDERED);
    assert.equal(half.sort((x, y) => x - y), ORDERED);
  }
});

shuffle("programs still run", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "m.c": '#include <stdio.h>\nstatic int n; __attribute__((constructor(200))) void two(void) { n = n * 10 + 2; } __attribute__((constructor(101))) void one(void) { n = n * 10 + 1; } int main(void) { printf("%d\\n", n); return 0; }' });
  w.sh("gcc -O1 -ffunction-sections -c m.c && gcc m.o -B$B -Wl,--shuffle-sections='*=3' -o m");
  assert.is(w.sh("./m"), "12\n");
});

shuffle("what is not GLOB=SEED is refused", (w) => {
  if (linkerName !== "wield") return;
  contains(w.fails("$LD a.o --shuffle-sections=x"), "--shuffle-sections=: expected <section_glob>=<seed>, but got 'x'");
  contains(w.fails("$LD a.o --shuffle-sections x=y"), "--shuffle-sections=: expected an integer, but got 'y'");
});

shuffle.run();
