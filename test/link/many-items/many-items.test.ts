/**
 * Links of very many of something: what comes out is complete, and twice as many take about twice as long.
 *
 * Times are of the processor and relative to another link of the same run: a loop over all for each takes four times as long.
 */
import { assert, behaviour, linkerName } from "../../helpers/link.ts";

const many = behaviour("many-items");
const wield = linkerName === "wield";

const lines = (count: number, line: (i: number) => string): string => Array.from({ length: count }, (_, i) => line(i)).join("");

many("maps and cross references of more than a megabyte name every symbol once", (w) => {
  if (!wield) return;
  const count = 20000;
  const name = (i: number): string => `_ZN5outer5inner10function${String(i).padStart(5, "0")}Eii`.replace("10function", "13function");
  w.write({ "a.s": lines(count, (i) => `.section .text.${i},"ax"\n.globl ${name(i)}\n${name(i)}: nop\n`), "b.s": `.globl _start\n_start:\n${lines(count, (i) => `call ${name(i)}\n`)}` });
  w.sh("as a.s -o a.o && as b.s -o b.o && $LD b.o a.o -o a -Map=a.map --cref && $LD b.o a.o -o b --cref > b.cref");
  const map = w.read("a.map");
  const symbols = new Map(w.elf("a").symtab().map(({ name: symbol, value }) => [symbol, value]));
  const printed = [...map.matchAll(/^ *([0-9a-f]+) .* outer::inner::function(\d+)\(int, int\)$/gm)];
  assert.is(printed.length, count);
  for (const [, address, number] of printed) assert.is(Number.parseInt(address!, 16), Number(symbols.get(name(Number(number)))));
  const table = map.slice(map.indexOf("\nCross Reference Table\n"));
  assert.is(table, w.read("b.cref"));
  assert.equal(table.trimEnd().split("\n").slice(5, 9).map((line) => line.replace(/ +/g, " ")), ["outer::inner::function00000(int, int) a.o", " b.o", "outer::inner::function00001(int, int) a.o", " b.o"]);
  assert.is(table.split("\n").length, 2 * count + 6, "and _start");
});

many.run();
