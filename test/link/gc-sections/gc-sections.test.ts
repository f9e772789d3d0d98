/**
 * --gc-sections: what is a root, which edges keep sections alive, what goes; always with the program run afterwards.
 */

import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";

const gc = behaviour("gc-sections");
const CC = "gcc -O1 -ffunction-sections -fdata-sections";

gc("keeps what main reaches and drops the rest, also libraries only the dead need", (w) => {
  w.write({
    "a.c": `
      extern int dead_data[]; int live_data = 4; static int live_through_pointer(void) { return 3; }
      int (*table[])(void) = { live_through_pointer }; int dead_data[1000] = { 1 }; int dead(void) { return dead_data[4]; } int dead2(void) { return dead(); }
      int live(void) { return table[0]() + live_data; }`,
    "m.c": "int live(void); int main(void) { return live() - 7; }",
  });
  w.sh(`${CC} -c a.c m.c && gcc -B$B -Wl,--gc-sections -Wl,--print-gc-sections a.o m.o -o m > log 2>&1 && ./m`);
  const elf = w.elf("m");
  for (const name of ["live", "table", "live_data", "live_through_pointer"]) assert.ok(elf.symbol(name), name);
  for (const name of ["dead", "dead2", "dead_data"]) assert.not(elf.symbol(name), name);
  contains(w.read("log"), /removing unused section.*(a\.o.*\.text\.dead|\.text\.dead.*a\.o)/);
  lacks(w.read("log"), ".text.live");
});

gc("roots: entry, -u, exported symbols, init arrays, retain, used in the dynamic list", (w) => {
  w.write({ "m.c": `
    #include <stdio.h>
    int by_u(void) { return 1; } int by_list(void) { return 2; } int nobody(void) { return 3; }
    __attribute__((visibility("hidden"))) int hidden_nobody(void) { return 4; }
    __attribute__((constructor)) static void ctor(void) { puts("ctor"); }
    __attribute__((retain, used, section(".keep.me"))) int retained = 6;
    int main(void) { return 0; }`, "list": "{ by_list; };" });
  w.sh(`${CC} -fPIC -c m.c && gcc -B$B m.o -Wl,--gc-sections,-u,by_u,--dynamic-list=list -o m && gcc -B$B -shared m.o -Wl,--gc-sections -o m.so`);
  assert.is(w.sh("./m"), "ctor\n");
  const elf = w.elf("m");
  for (const name of ["by_u", "by_list", "ctor", "retained"]) assert.ok(elf.symbol(name), name);
  for (const name of ["nobody", "hidden_nobody"]) assert.not(elf.symbol(name), name);
  const lib = w.elf("m.so");
  assert.ok(lib.symbol("nobody"), "exported");
  assert.not(lib.symbol("hidden_nobody"));
});

gc("_start of a library, though nobody sees it", (w) => {
  w.write({ "s.s": '.globl _start, dead\n_start: ret\n.section .text.dead,"ax"\ndead: ret\n', "v": "{ local: *; };" });
  w.sh("as s.s -o s.o && $LD -shared --gc-sections --version-script=v s.o -o s.so");
  const elf = w.elf("s.so");
  assert.is(elf.entry, elf.symbol("_start")?.value);
  assert.not(elf.symbol("dead"));
});

gc("__start_ and __stop_ keep their sections, under -z start-stop-gc only when nothing else keeps one", (w) => {
  w.write({ "m.c": `
    #include <stdio.h>
    #define ITEM(n) __attribute__((section("items"), used)) static int item##n = n;
    ITEM(1) ITEM(2) ITEM(4)
    extern int __start_items[], __stop_items[];
    int main(void) { int sum = 0; for (int *p = __start_items; p < __stop_items; p++) sum += *p; printf("%d\\n", sum); }` });
  w.sh(`${CC} -c m.c && gcc -B$B m.o -Wl,--gc-sections -Wl,-z,nostart-stop-gc -o m && gcc -B$B m.o -o plain`);
  assert.is(w.sh("./m"), "7\n");
  assert.is(w.sh("./plain"), "7\n");
  w.elf("m");
  if (linkerName !== "wield") return;
  // Without SHF_GNU_RETAIN, which gcc gives to what is "used".
  const items = (n: number): string => `.section items,"aw",@progbits,unique,${n}\n.globl item${n}\nitem${n}: .quad ${n}\n`;
  w.write({ "n.s": `.globl _start\n_start: lea __start_items(%rip), %rax\n${items(1)}${items(2)}` }).sh("as n.s -o n.o");
  const kept = (flags: string): number => (w.sh(`$LD n.o --gc-sections ${flags} -o n`), w.elf("n").need("items").size);
  assert.equal(["", "-u item1", "-u item1 -z start-stop-gc", "-u item1 --start-stop-gc"].map(kept), [16, 8, 8, 8]);
  assert.equal(["-u item1 -z nostart-stop-gc", "-u item1 --start-stop-gc --no-start-stop-gc"].map(kept), [16, 16]);
});

gc("exception tables and personality routines live with their function", (w) => {
  w.write({
    "a.cc": 'extern "C" int puts(const char *); struct T { ~T() { puts("~"); } }; void thrower(); int live() { T t; try { thrower(); } catch (int x) { return x; } return 0; } int dead() { T t; thrower(); return 1; }',
    "b.cc": "void thrower() { throw 5; } int live(); int main() { return live() - 5; }",
  });
  w.sh("g++ -O1 -ffunction-sections -fdata-sections -c a.cc b.cc && g++ -B$B -Wl,--gc-sections a.o b.o -o m && g++ -B$B -static -Wl,--gc-sections a.o b.o -o ms");
  assert.is(w.sh("./m && ./ms"), "~\n~\n");
  assert.not(w.elf("m").symbol("_Z4deadv"));
  w.elf("ms");
}, "g++");

gc("section groups and link-order sections follow their text", (w) => {
  w.write({ "a.s": `
    .section .text.used,"ax",@progbits
    .globl used
    used: mov $1, %eax
      ret
    .section .text.unused,"ax",@progbits
    .globl unused
    unused: ret
    .section meta,"ao",@progbits,.text.used
      .quad 0x1111
    .section meta,"ao",@progbits,.text.unused
      .quad 0x2222
    .section .note.GNU-stack,"",@progbits
`, "m.c": "int used(void); int main(void) { return used() - 1; }" });
  w.sh(`gcc -c a.s && ${CC} -c m.c && gcc -B$B -Wl,--gc-sections a.o m.o -o m && ./m`);
  const elf = w.elf("m");
  assert.not(elf.symbol("unused"));
  if (linkerName !== "bfd") assert.is(elf.need("meta").size, 8);
});

gc("a static program shrinks and still runs", (w) => {
  w.write({ "m.c": '#include <stdio.h>\n#include <locale.h>\nint main(void) { setlocale(LC_ALL, ""); printf("%d %s\\n", 42, "ok"); }' });
  w.sh(`${CC} -c m.c && gcc -B$B -static m.o -o all && gcc -B$B -static -Wl,--gc-sections m.o -o gc`);
  assert.is(w.sh("./all && ./gc"), "42 ok\n42 ok\n");
  w.elf("all");
  assert.ok(w.elf("gc").bytes.length < w.elf("all").bytes.length);
});

gc("debug information does not keep code alive", (w) => {
  w.write({ "m.c": "int dead(int x) { return x * 3; } int main(void) { return 0; }" });
  w.sh(`${CC} -g -c m.c && gcc -B$B -Wl,--gc-sections m.o -o m && ./m`);
  assert.not(w.elf("m").symbol("dead"));
  assert.ok(w.elf("m").section(".debug_info"));
});

gc("--no-gc-sections wins when later", (w) => {
  w.write({ "m.c": "int dead(int x) { return x * 3; } int main(void) { return 0; }" });
  w.sh(`${CC} -c m.c && gcc -B$B -Wl,--gc-sections,--no-gc-sections m.o -o m && ./m`);
  assert.ok(w.elf("m").symbol("dead"));
});

gc("groups without allocated sections, reserved names, weak start/stop references, excluded sections", (w) => {
  w.write({ "a.s": `
    .weak __start_set, __stop_set
    .globl _start
    _start: .quad __start_set, __stop_set, __start_other
    .section set,"a"
      .quad 1
    .section other,"a"
      .quad 2
    .section .debug_types,"G",@progbits,abcd,comdat
      .quad 3
    .section .init_x,"ax"
      .quad 4
    .section .init_array.7,"aw",@progbits
      .quad 5
    .section .gone,"ae"
      .quad 6
    .section .ctors,"aw",@progbits
      .quad -1` });
  w.sh("as a.s -o a.o && $LD --gc-sections --print-gc-sections a.o -o m > log");
  assert.equal(w.read("log").split("\n").sort(), ["", "removing unused section a.o:(.data)", "removing unused section a.o:(.bss)", "removing unused section a.o:(.init_x)", "removing unused section a.o:(set)"].sort());
  const elf = w.elf("m");
  assert.equal(["other", ".debug_types", ".init_array", ".ctors"].map((name) => elf.section(name)?.size), [8, 8, 8, 8]);
  assert.equal(["set", ".init_x", ".gone"].filter((name) => elf.section(name)), []);
  const text = elf.content(".text");
  assert.equal([...new BigUint64Array(Uint8Array.from(text.subarray(0, 24)).buffer)].map(Number), [0, 0, elf.section("other")!.addr]);
});

gc("the section by whose place debuggers find SystemTap's probes stays", (w) => {
  if (linkerName === "lld" || linkerName === "mold") return; // gdb then finds no probe at all
  // As <sys/sdt.h> writes them.
  const object = (symbol: string, code: string, probe: string) => `.section .text.${symbol}, "ax"\n.globl ${symbol}\n${symbol}: ${code}\n990: nop\nxor %eax, %eax\nret
    .section .note.stapsdt, "", "note"\n.balign 4\n.4byte 992f-991f, 994f-993f, 3\n991: .asciz "stapsdt"\n992: .balign 4\n993: .8byte 990b, _.stapsdt.base, 0
    .asciz "prov"\n.asciz "${probe}"\n.asciz ""\n994: .balign 4
    .section .stapsdt.base, "aG", "progbits", .stapsdt.base, comdat\n.weak _.stapsdt.base\n.hidden _.stapsdt.base\n_.stapsdt.base: .space 1\n.size _.stapsdt.base, 1\n`;
  w.write({ "m.s": object("main", "call other", "first"), "o.s": object("other", "", "later") });
  w.sh("gcc -c m.s o.s && gcc -B$B -Wl,--gc-sections m.o o.o -o m && ./m");
  const elf = w.elf("m");
  const base = elf.need(".stapsdt.base");
  assert.is(base.size, 1);
  const notes = elf.need(".note.stapsdt");
  for (const at of [0, notes.size / 2]) assert.is(elf.u64(notes.offset + at + 28), base.addr);
  contains(w.sh("gdb -nx -batch -ex 'info probes' ./m"), "first", "later");
}, "gdb");

gc("what a static executable is asked to export is kept, though it has no dynamic symbols", (w) => {
  w.write({ "a.s": ".globl _start, f, g\n.hidden g\n_start: ret\n.section .text.f,\"ax\"\nf: ret\n.section .text.g,\"ax\"\ng: ret\n" });
  w.sh("as a.s -o a.o && $LD a.o --gc-sections -o plain && $LD a.o --gc-sections --export-dynamic -o all && $LD a.o --gc-sections --export-dynamic-symbol=f -o one");
  for (const [name, expected] of [["plain", false], ["all", true], ["one", true]] as const) {
    const elf = w.elf(name);
    assert.is(elf.symbol("f") !== undefined, expected, name);
    assert.not(elf.symbol("g"));
    assert.not(elf.section(".dynsym"));
  }
});

gc("--gc-keep-exported keeps global symbols that are not hidden, in programs too", (w) => {
  if (linkerName === "lld") return;
  w.write({ "a.s": ["f", "w", "h", "l", "p"].map((name) => `.section .text.${name},"ax"\n${name}: ret\n`).join("") + ".globl _start, f, w, h, p\n.weak w\n.hidden h\n.protected p\n.text\n_start: ret\n" });
  w.sh("as a.s -o a.o");
  for (const options of ["", "-pie --no-dynamic-linker"]) {
    const names = w.sh(`$LD a.o ${options} --gc-sections --gc-keep-exported -o kept && nm kept`).split("\n").map((line) => line.split(" ").at(-1)!);
    assert.equal(names.filter((name) => name.length === 1), ["f", "p", "w"], options);
  }
}, "nm");

gc("a link-order section cannot follow one that is taken apart", (w) => {
  w.write({ "a.s": '.section .merge,"aM",@progbits,8\n.quad 0\n.section .foo,"ao",@progbits,.merge\n.quad 0\n' });
  contains(w.fails("as a.s -o a.o && $LD a.o -o m"), "error: a section .foo with SHF_LINK_ORDER should not refer a non-regular section: a.o:(.merge)");
});

gc.run();
