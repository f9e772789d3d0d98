/** Messages about one object cost the same each, however many there are. */
import { assert, behaviour, linkerName } from "../../helpers/link.ts";

const many = behaviour("many warnings", "as");

many("a warning for each of thousands of sections", (w) => {
  if (linkerName !== "wield") return;
  const source = (count: number): string => `.globl _start\n_start: ret\n${Array.from({ length: count }, (_, i) => `.section .text.f${i},"ax"\nf${i}: call u${i}`).join("\n")}\n`;
  const seconds = (count: number): number => {
    w.write({ "s.s": source(count) }).sh("as s.s -o s.o");
    const before = performance.now();
    w.sh("$LD s.o --warn-unresolved-symbols --threads=1 -o s 2> said");
    const lines = w.read("said").split("\n");
    assert.is(lines.filter((line) => line.startsWith(">>> referenced by s.o:(.text.f")).length, count);
    return performance.now() - before;
  };
  const few = seconds(500);
  // Read anew for each message, headers of 4,000 sections took half a minute.
  assert.ok(seconds(4000) < 20 * few);
});

many.run();
