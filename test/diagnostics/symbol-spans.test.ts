/** SymbolSpans finds the first symbol that covers a place, as a search of the whole table does. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { SymbolSpans } from "../../ts/diagnostics/symbol-spans.ts";
import { prng } from "../helpers/prng.ts";

test("the first of all that cover an offset and are accepted", () => {
  const random = prng(11);
  for (let round = 0; round < 40; round++) {
    const spans = Array.from({ length: 30 }, (_, i) => {
      const from = random.below(100);
      return { index: i + 1, type: random.below(3), shndx: 1 + random.below(2), from, to: from + random.below(30) };
    });
    const table = new SymbolSpans(spans);
    for (let offset = 0; offset < 130; offset++) {
      for (const shndx of [1, 2, 3]) {
        const accepted = ({ index, type }: { index: number; type: number }): boolean => type !== 0 && index % 5 !== 0;
        const expected = spans.find((span) => span.shndx === shndx && span.from <= offset && offset < span.to && accepted(span))?.index ?? 0;
        assert.is(table.covering(shndx, offset, (index, type) => accepted({ index, type })), expected);
      }
    }
  }
});

test("few of many symbols are looked at", () => {
  const table = new SymbolSpans(Array.from({ length: 100000 }, (_, i) => ({ index: i + 1, type: 2, shndx: 1, from: 16 * i, to: 16 * i + 16 })));
  let looked = 0;
  for (let i = 0; i < 1000; i++) assert.is(table.covering(1, 1600 * i + 7, () => ++looked > 0), 100 * i + 1);
  assert.is(looked, 1000);
});

test.run();
