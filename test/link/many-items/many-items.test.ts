/**
 * Links of very many of something: what comes out is complete. Maps, tables and lists of errors are made by the complete program; the
 * links that need it begin there.
 *
 * How long they take is not looked at.
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

many("--error-limit=0 tells of all of 10,000 errors", (w) => {
  if (!wield) return;
  const count = 10000;
  w.write({ "u.s": `.globl _start\n_start:\n${lines(count, (i) => `call u${i}\n`)}`, "d.s": lines(count, (i) => `.globl d${i}\n.type d${i},@function\nd${i}: nop\n.size d${i},1\n`) });
  w.sh("as u.s -o u.o && as d.s -o d.o && cp d.o e.o");
  const said = (command: string): string => w.try(command).stderr;
  const undefinedOnes = said("$LD u.o -o u --error-limit=0");
  for (const i of [0, 5000, 9999]) assert.match(undefinedOnes, `undefined symbol: u${i}\n>>> referenced by u.o:(.text+0x${(5 * i + 1).toString(16).toUpperCase()})\n`);
  assert.is(undefinedOnes.match(/undefined symbol: /g)!.length, count);
  const duplicates = said("$LD u.o d.o e.o -o u --error-limit=0 --unresolved-symbols=ignore-all");
  for (const i of [0, 5000, 9999]) assert.match(duplicates, `duplicate symbol: d${i}\n>>> defined at d.o:(d${i})\n`);
  assert.is(duplicates.match(/duplicate symbol: /g)!.length, count);
});

many("any number of undefined symbols that are only warned of leaves the link as it is", (w) => {
  if (!wield) return;
  const count = 5000;
  w.write({ "u.s": `.globl _start\n_start:\n${lines(count, (i) => `call u${i}\n`)}` }).sh("as u.s -o u.o");
  for (const option of ["--warn-unresolved-symbols", "--noinhibit-exec"]) {
    const { status, stderr } = w.try(`$LD u.o -o u ${option}`);
    assert.is(status, 0, option);
    assert.is(stderr.match(/warning: undefined symbol: u/g)!.length, count);
    assert.not.match(stderr, "not kept");
  }
});

many("what only the complete program can do begins there", (w) => {
  if (!wield) return;
  w.write({ "a.s": ".globl _start\n_start: nop\n" }).sh("as a.s -o a.o");
  // What the words say, and what only the linker knows.
  for (const option of ["-r", "-Map=a.map", "--cref", "--emit-relocs", "--icf=all", "--gdb-index"]) {
    assert.not.match(w.try(`WIELD_DEBUG=1 $LD a.o -o a ${option}`).stderr, "handing over", option);
  }
  for (const option of ["--relocatable", "--Map=a.map", "--gc-sections --print-gc-sections"]) {
    assert.match(w.try(`WIELD_DEBUG=1 $LD a.o -o a ${option}`).stderr, "handing over: host/complete-program.ts", option);
  }
  assert.not.match(w.try("WIELD_DEBUG=1 $LD a.o -o a --gc-sections").stderr, "handing over");
  w.write({ words: "--defsym=x=1\n".repeat(5000) });
  assert.not.match(w.try("WIELD_DEBUG=1 $LD a.o -o a @words").stderr, "handing over", "a line of so many words begins with the complete program");
});

many("versions of the ends of 2,000 sections among 20,000 names and 2,000 wildcards", (w) => {
  if (!wield) return;
  const count = 2000;
  w.write({
    "a.s": lines(count, (i) => `.section set${i},"aw"\n.quad __start_set${i}, __stop_set${i}\n`) + `.text\n${lines(10 * count, (i) => `.globl f${i}\nf${i}:\n`)}nop\n`,
    "v.map": `V1 { global: ${lines(10 * count, (i) => `f${i}; `)}${lines(count / 2, (i) => `__start_set${i}; `)}local: *; };\nV2 { global: ${lines(count, (i) => `__stop_set${i}*; `)}};\n`,
  });
  w.sh("as a.s -o a.o && $LD -shared a.o --version-script=v.map -o a.so");
  const exports = new Set(w.elf("a.so").exports());
  for (let i = 0; i < count; i++) assert.equal([exports.has(`__start_set${i}@@V1`), exports.has(`__stop_set${i}@@V2`)], [i < count / 2, true], `${i}`);
  assert.is(exports.size, 10 * count + count / 2 + count + 2, "and those of the versions");
});

many("140,000 sections that a script does not name are sections of the output, in their order", (w) => {
  const count = 140000;
  w.write({ "a.s": `.globl _start\n_start: nop\n${lines(count, (i) => `.section .d${i},"ax"\n.byte 1\n`)}`, "t.ld": "SECTIONS { . = 0x10000; .text : { *(.text) } }" });
  w.sh("as a.s -o a.o && $LD a.o -T t.ld -o a && readelf -SW a > sections");
  const numbers = [...w.read("sections").matchAll(/\.d(\d+) /g)].map(([, number]) => Number(number));
  assert.is(numbers.length, count);
  assert.ok(numbers.every((number, i) => number === i));
});

many("names of more than a megabyte are whole, also of sections and in maps", (w) => {
  if (!wield) return;
  const long = (c: string): string => c.repeat(1100000);
  w.write({ "a.s": `.globl _start\n_start: nop\n.section .d.${long("s")},"ax"\n.globl ${long("g")}\n${long("g")}: nop\n`, "t.ld": "SECTIONS { . = 0x10000; .text : { *(.text) } }" });
  w.sh("as a.s -o a.o && $LD a.o -T t.ld -o a -Map=a.map");
  assert.ok(w.elf("a").shdrs.some(({ name }) => name === `.d.${long("s")}`));
  assert.ok(w.elf("a").symtab().some(({ name }) => name === long("g")));
  const map = w.read("a.map");
  assert.ok(map.includes(` .d.${long("s")}\n`) && map.includes(`a.o:(.d.${long("s")})`) && map.includes(` ${long("g")}\n`));
});

many.run();
