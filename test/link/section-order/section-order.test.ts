/** Orders of input sections that somebody asked for: --symbol-ordering-file, --section-ordering-file, call graph files and profiles. */

import { assert, behaviour, contains, lacks } from "../../helpers/link.ts";
import type { ElfFile } from "../../helpers/dump.ts";

const order = behaviour("section order");

const FUNCTIONS = [..."abcdef"].map((name) => `.section .text.${name},"ax"\n${name === "f" ? "" : `.globl ${name}\n`}${name}: .fill 16,1,0x90\n`).join("");
const START = ".text\n.globl _start\n_start: ret\n";

/** Names of one letter by address. */
function byAddress(elf: ElfFile): string {
  return elf.symtab().filter(({ name }) => /^[a-f]$/.test(name)).sort((x, y) => x.value - y.value).map(({ name }) => name).join("");
}

order("symbols of the ordering file come first, globals and locals, and the rest keeps its order", (w) => {
  w.write({ "a.s": FUNCTIONS + START, order: "  e \t\n# comment\n\nf\nb\ne\nnobody\n" });
  w.sh("as a.s -o a.o && $LD a.o --symbol-ordering-file order -o m 2> log && $LD a.o --symbol-ordering-file=order --no-warn-symbol-ordering -o m2 2> log2 && cmp m m2");
  assert.is(byAddress(w.elf("m")), "efbacd");
  contains(w.read("log"), "warning: order: duplicate ordered symbol: e\n", "warning: symbol ordering file: no such symbol: nobody\n");
  lacks(w.read("log2"), "nobody");
  contains(w.fails("$LD a.o --symbol-ordering-file=none -o m"), "error: cannot open none: No such file or directory");
  contains(w.fails("$LD a.o --symbol-ordering-file=order --call-graph-ordering-file=order -o m"), "may not be used together");
});

order("contents come to the places of ordered sections, from any object, beside those that keep theirs", (w) => {
  const names = Array.from({ length: 3 }, (_, o) => Array.from({ length: 40 }, (_, i) => `f${o}_${i}`));
  names.forEach((each, o) => w.write({ [`o${o}.s`]: each.map((name, i) => `.section .text.${name},"ax"\n.globl ${name}\n${name}: .fill ${i % 7}, 1, 0x90\naddl $${i + o}, %edi\nret\n`).join("") }));
  const all = names.flat();
  w.write({ "main.s": `.globl _start\n_start: xorl %edi, %edi\n${all.map((name) => `call ${name}\n`).join("")}movl $60, %eax\nsyscall\n`, order: all.filter((_, i) => i % 3 !== 0).reverse().join("\n") });
  w.sh("for o in o0 o1 o2 main; do as $o.s -o $o.o; done; $LD main.o o0.o o1.o o2.o --symbol-ordering-file=order -o m && $LD main.o o0.o o1.o o2.o --symbol-ordering-file=order --threads=2 -o m2 && cmp m m2");
  assert.is(w.try("./m").status, all.reduce((sum, _, i) => sum + (i % 40) + Math.floor(i / 40), 0) & 255);
  const address = (name: string): number => w.elf("m").symbol(name)!.value;
  assert.ok(address("f2_39") < address("f0_1") && address("f0_1") < address("f0_0"));
});

order("what cannot be ordered is said", (w) => {
  w.write({
    "a.s": `${FUNCTIONS}${START} call u\n.globl number\n.set number, 5\n.weak u, none\n.quad none\n`, "so.s": ".globl u\n.type u,@function\nu: ret\n",
    "order": "number\nnone\na\nu\nd\n",
  });
  w.sh("as a.s -o a.o && as so.s -o so.o && $LD -shared so.o -o so.so && $LD a.o so.so --gc-sections -u d --symbol-ordering-file order -o m 2> log");
  contains(w.read("log"), "unable to order absolute symbol: number", "a.o: unable to order undefined symbol: none", "a.o: unable to order discarded symbol: a\n", "so.so: unable to order shared symbol: u");
  lacks(w.read("log"), "symbol: d");
});

order("under a script each input description is ordered for itself, .init never", (w) => {
  w.write({
    "a.s": FUNCTIONS + START + '.section .init,"ax",@progbits,unique,1\n.globl i1\ni1: nop\n.section .init,"ax",@progbits,unique,2\n.globl i2\ni2: nop\n',
    "t.ld": "SECTIONS { .init : { *(.init) } .text : { *(.text.a .text.b .text.c) *(.text .text.*) } }", order: "f\ni2\nc\ni1\nd\nb\n",
  });
  w.sh("as a.s -o a.o && $LD a.o -T t.ld --symbol-ordering-file order -o m");
  const elf = w.elf("m");
  assert.is(byAddress(elf), "cbafde");
  assert.ok(elf.symbol("i1")!.value < elf.symbol("i2")!.value);
});

const CALLS = "a b 5\nb c 50\nc d 40\nd b 10\nd e 1\n";

order("a section ordering file puts sections first, in the default layout and under a script", (w) => {
  w.write({
    "a.s": `${FUNCTIONS}${START}.section .data.x,"aw"\nx: .quad 1\n.section .data.y,"aw"\ny: .quad 2\n`,
    "order.ld": "/* functions, then data */\n.text : { *(.text.e) a.o(.text.b .text.d) ; *(SORT_BY_NAME(.text.[cf])) }\n.data : { *(.data.y) }\n",
    "whole.ld": "SECTIONS { .text : { *(.text.e) } }", "lines": "# gold's form\n.text.e\n.text.[bd]\n.text.e\n",
    "t.ld": "SECTIONS { . = 0x10000; .text : { *(.text.a) *(.text .text.*) } . = ALIGN(0x1000); .data : { *(.data .data.*) } }",
    "moves.ld": ".text : { . = 16; }", "names.ld": ".nowhere : { *(.text.a) }",
  });
  w.sh("as a.s -o a.o && $LD a.o -o plain");
  const link = (options: string): ElfFile => (w.sh(`$LD a.o ${options} -o m`), w.elf("m"));
  const data = (elf: ElfFile): boolean => elf.symbol("y")!.value < elf.symbol("x")!.value;
  let elf = link("--section-ordering-file=order.ld");
  assert.is(byAddress(elf), "ebdcfa");
  assert.ok(data(elf));
  assert.equal(elf.sectionNames(), w.elf("plain").sectionNames());
  assert.is(byAddress(link("-section-ordering-file whole.ld")), "eabcdf");
  assert.is(byAddress(link("--section-ordering-file lines")), "ebdacf");
  elf = link("-T t.ld --section-ordering-file=order.ld");
  assert.is(byAddress(elf), "ebdcfa");
  assert.ok(data(elf));
  contains(w.fails("$LD a.o --section-ordering-file=moves.ld -o m"), "error: moves.ld:1: a section ordering file may only place input sections into output sections");
  contains(w.fails("$LD a.o -T t.ld --section-ordering-file=names.ld -o m"), "names.ld:1", "the linker script has no output section '.nowhere'");
  contains(w.fails("$LD a.o --section-ordering-file=missing -o m"), "cannot open missing");
  contains(w.try("$LD -r a.o --section-ordering-file=order.ld -o m.o").stderr, "warning: --section-ordering-file is ignored");
});

order("a program in C++ runs under a section ordering file, all else where it was", (w) => {
  w.write({ "m.cc": "#include <iostream>\nthread_local int t = 2;\nint main() { try { throw 3; } catch (int x) { std::cout << x + t << std::endl; } }", "none.ld": ".data : { *(.no.such) }", "main.ld": ".text : { *(.text.main .text.startup*) }" });
  w.sh("g++ -O1 -ffunction-sections -c m.cc && g++ -B$B m.o -Wl,--build-id=none -o plain && g++ -B$B m.o -Wl,--build-id=none,--section-ordering-file=none.ld -o same && cmp plain same");
  assert.is(w.sh("g++ -B$B m.o -Wl,--section-ordering-file=main.ld -o m && ./m"), "5\n");
  const elf = w.elf("m");
  assert.is(elf.symbol("main")!.value, elf.section(".text")!.addr);
}, "g++");

order("a call graph file orders functions, by either sort; the order can be written and read again", (w) => {
  w.write({ "a.s": FUNCTIONS + START, calls: CALLS, bad: "a b\n" });
  const link = (options: string): string => {
    w.sh(`$LD a.o --call-graph-ordering-file=calls ${options} -o m`);
    return byAddress(w.elf("m"));
  };
  w.sh("as a.s -o a.o");
  assert.is(link("--call-graph-profile-sort=hfsort --print-symbol-order=order"), "bcdeaf");
  assert.is(w.read("order"), "b\nc\nd\ne\na\n");
  w.sh("$LD a.o --symbol-ordering-file=order -o again && cmp m again");
  assert.is(link(""), "abcdef");
  assert.is(link("--call-graph-profile-sort=none"), "abcdef");
  contains(w.fails("$LD a.o --call-graph-ordering-file=bad -o m"), "error: bad: parse error");
  contains(w.fails("$LD a.o --call-graph-profile-sort=sort -o m"), "unknown --call-graph-profile-sort= value: sort");
  w.write({ calls: "f e 100\ne d 90\nnobody a 5\nb a 1\n" });
  assert.is(link("2> log"), "fedbac");
  contains(w.read("log"), "warning: calls: no such symbol: nobody");
});

order("clang's call graph profiles are obeyed, with folded and dead sections too", (w) => {
  w.write({ "a.s": `${FUNCTIONS.replace("f: .fill 16,1,0x90", "f: nop")}${START}.cg_profile f, d, 100\n.cg_profile d, b, 90\n.cg_profile c, a, 1\n.cg_profile e, e, 7\n.cg_profile nobody, a, 5\n.reloc 0, R_X86_64_NONE, nobody\n.weak nobody\n` });
  w.sh("$CLANG -c a.s && $LD a.o -o m && $LD a.o --no-call-graph-profile-sort -o plain && $LD a.o --call-graph-profile-sort=hfsort --icf=all -o folded && $LD a.o --gc-sections -u b -u d -o dead");
  assert.is(byAddress(w.elf("m")), "fdbcae");
  assert.is(byAddress(w.elf("plain")), "abcdef");
  assert.is(byAddress(w.elf("dead")), "db");
  w.elf("folded");
}, "clang");

order("metadata that follows code follows its order", (w) => {
  const metadata = [..."abcdef"].map((name, i) => `.section meta,"ao",@progbits,.text.${name}\n.byte ${i}\n`).join("");
  w.write({ "a.s": FUNCTIONS + START + metadata, order: "e\nc\na\n" });
  w.sh("as a.s -o a.o && $LD a.o --symbol-ordering-file=order -o m");
  assert.equal([...w.elf("m").content("meta")], [4, 2, 0, 1, 3, 5]);
});

order.run();
