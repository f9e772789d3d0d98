/** --icf: identical functions become one, what may be compared stays apart, and the program does the same. */

import { assert, behaviour, contains, lacks } from "../../helpers/link.ts";

const icf = behaviour("icf");
const CC = "gcc -O1 -ffunction-sections -fdata-sections";

const TWINS = {
  "a.c": `
    int one(int x) { return x * 3 + 1; } int two(int x) { return x * 3 + 1; } int other(int x) { return x * 3 + 2; }
    __attribute__((noinline)) int calls_one(int x) { return one(x) ^ other(x + 1) ^ 5; }
    __attribute__((noinline)) int calls_two(int x) { return two(x) ^ other(x + 1) ^ 5; }
    const int table1[] = { 1, 2, 3 }, table2[] = { 1, 2, 3 };`,
  "m.c": `
    #include <stdio.h>
    int one(int), two(int), other(int), calls_one(int), calls_two(int); extern const int table1[], table2[];
    int main(void) { printf("%d %d %d %d %d %d\\n", one(1), two(1), other(1), calls_one(2) == calls_two(2), one == two, table1 == table2); }`,
};

icf("--icf=all folds functions and their callers, not data whose address may matter", (w) => {
  w.write(TWINS);
  w.sh(`${CC} -fno-inline -c a.c m.c && gcc -B$B a.o m.o -Wl,--icf=all,--print-icf-sections,--verify-hashes -o m > log`);
  assert.is(w.sh("./m"), "4 4 5 1 1 0\n");
  contains(w.read("log"), "selected section a.o:(.text.one)\n  removing identical section a.o:(.text.two)\n", "removing identical section a.o:(.text.calls_two)");
  lacks(w.read("log"), "table", "other");
  const elf = w.elf("m");
  assert.is(elf.symbol("one")!.value, elf.symbol("two")!.value);
  assert.is.not(elf.symbol("one")!.value, elf.symbol("other")!.value);
  assert.is(w.sh("gcc -B$B a.o m.o -Wl,--icf=all,--print-icf-sections,--no-print-icf-sections -o m && gcc -B$B a.o m.o -Wl,--icf=all,--icf=none,--print-icf-sections -o none"), "");
  assert.is(w.sh("./none"), "4 4 5 1 0 0\n");
  w.sh("gcc -B$B a.o m.o -Wl,--icf=all,--ignore-data-address-equality -o d && gcc -B$B a.o m.o -Wl,--icf=all,--keep-unique=two,--keep-unique,nobody -o u 2> warning");
  assert.is(w.sh("./d && ./u"), "4 4 5 1 1 1\n4 4 5 1 0 0\n");
  contains(w.read("warning"), "could not find symbol nobody to keep unique");
});

icf("--icf=safe is safe for objects without address significance tables", (w) => {
  w.write(TWINS);
  w.sh(`${CC} -c a.c m.c && gcc -B$B a.o m.o -Wl,--icf=safe,--print-icf-sections -o m > log && ./m | grep ' 0 0$'`);
  lacks(w.read("log"), ".text.one", ".text.two", "table");
});

icf("--icf=safe folds what clang's tables allow", (w) => {
  w.write({ "a.c": `
    static __attribute__((noinline)) int one(int x) { return x * 3 + 1; } static __attribute__((noinline)) int two(int x) { return x * 3 + 1; }
    __attribute__((noinline)) int three(int x) { return x * 7; } __attribute__((noinline)) int four(int x) { return x * 7; }
    int (*volatile p)(int) = three, (*volatile q)(int) = four;
    int main(int argc, char **argv) { return one(argc) + two(argc) == 8 && p != q ? 0 : 1; }` });
  w.sh("$CLANG -O1 -fno-inline -ffunction-sections -faddrsig -c a.c && gcc -B$B a.o -Wl,--icf=safe,--print-icf-sections -o m > log && ./m");
  contains(w.read("log"), "selected section a.o:(.text.one)\n  removing identical section a.o:(.text.two)");
  lacks(w.read("log"), "three", "four");
  w.sh("gcc -B$B a.o -Wl,--icf=all,--print-icf-sections -o m > log");
  contains(w.read("log"), "removing identical section a.o:(.text.four)");
}, "clang");

icf("a table that -r or objcopy has cut loose from its symbol table is ignored, and that is said", (w) => {
  w.write({ "a.s": ".section .text.a,\"ax\"\na: ret\n.section .text.b,\"ax\"\nb: ret\n.text\n.globl _start\n_start: ret\n.addrsig\n" });
  w.sh("$CLANG -c a.s && $LD -r a.o -o r.o && $LD a.o --icf=safe --print-icf-sections -o m > direct && $LD r.o --icf=safe --print-icf-sections -o m > cut 2>&1");
  contains(w.read("direct"), "removing identical section a.o:(.text.b)");
  lacks(w.read("cut"), "removing");
  contains(w.read("cut"), /warning: r\.o: --icf=safe conservatively ignores SHT_LLVM_ADDRSIG \[index \d+\] with sh_link=0 \(likely created using objcopy or ld -r\)/);
}, "clang");

icf("addresses of protected functions and data may differ among modules only when that is ignored", (w) => {
  w.write({
    "so.s": ".globl f, d\n.protected f, d\n.type f,@function\nf: ret\n.data\n.type d,@object\n.size d, 4\nd: .long 7\n", "f.s": ".globl _start\n_start: .quad f\n", "d.s": ".globl _start\n_start: .quad d\n",
  });
  w.sh("as so.s -o so.o && as f.s -o f.o && as d.s -o d.o && $LD -shared so.o -o so.so");
  for (const [name, option, other] of [["f", "--ignore-function-address-equality", "--ignore-data-address-equality"], ["d", "--ignore-data-address-equality", "--ignore-function-address-equality"]] as const) {
    contains(w.fails(`$LD ${name}.o so.so -o m`), `error: cannot preempt symbol: ${name}`);
    contains(w.fails(`$LD ${name}.o so.so ${other} -o m`), `error: cannot preempt symbol: ${name}`);
    w.sh(`$LD ${name}.o so.so ${option} -o m`);
    assert.ok(w.elf("m").symbol(name)!.value !== 0, name);
  }
}, "as");

icf("exceptions are caught where they were, functions with cleanups stay apart", (w) => {
  w.write({ "m.cc": `
    #include <cstdio>
    struct A {}; struct B {}; volatile int which; int plain1(), plain2(); int (*volatile one)() = plain1, (*volatile two)() = plain2;
    __attribute__((noinline)) void thrower() { if (which) throw B(); throw A(); }
    __attribute__((noinline)) int catches_a() { try { thrower(); } catch (A &) { return 1; } return 0; }
    __attribute__((noinline)) int catches_b() { try { thrower(); } catch (B &) { return 1; } return 0; }
    __attribute__((noinline)) int plain1() { thrower(); return 3; }
    __attribute__((noinline)) int plain2() { thrower(); return 3; }
    int main() { which = 1; int b = catches_b(); which = 0; int a = catches_a(); try { plain2(); } catch (A &) { std::printf("%d %d %d\\n", a, b, one == two); } }` });
  w.sh("g++ -O1 -fno-ipa-icf -ffunction-sections -c m.cc && for o in '' -static; do g++ -B$B $o m.o -Wl,--icf=all -o m$o; done");
  assert.is(w.sh("./m && ./m-static"), "1 1 1\n1 1 1\n");
  w.elf("m");
  w.elf("m-static");
}, "g++");

icf("debug information of folded functions is dead, but for their lines", (w) => {
  w.write({ "a.s": `
    .globl _start, f, g
    .section .text.f,"ax"
    f: ret
    .section .text.g,"ax"
    g: ret
    .text
    _start: call f
      call g
    .section .debug_info,"",@progbits
      .quad f, g
    .section .debug_line,"",@progbits
      .quad f, g
    .section .debug_ranges,"",@progbits
      .quad f, g
    .section other,"",@progbits
      .quad f, g` });
  w.sh("as a.s -o a.o && $LD a.o --icf=all -o m");
  const elf = w.elf("m");
  const words = (name: string): bigint[] => {
    const bytes = elf.content(name);
    const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
    return [view.getBigUint64(0, true), view.getBigUint64(8, true)];
  };
  const f = elf.symbol("f")!.value;
  const at = BigInt(f);
  assert.is(elf.symbol("g")!.value, f, "same place");
  assert.equal([words(".debug_info"), words(".debug_line"), words(".debug_ranges"), words("other")], [[at, 0n], [at, at], [at, 1n], [at, at]]);
});

icf("under a script only sections of one output section are folded", (w) => {
  w.write({
    "a.s": ["f", "g", "h"].map((name) => `.section .text.${name},"ax"\n.globl ${name}\n${name}: mov $7, %eax\n ret\n`).join("") + ".text\n.globl _start\n_start: call f\n call g\n call h\n",
    "t.ld": "SECTIONS { . = 0x10000; .first : { *(.text.f) *(.text.g) } .second : { *(.text) *(.text.h) } }",
  });
  w.sh("as a.s -o a.o && $LD a.o -T t.ld --icf=all --print-icf-sections -o m > log");
  assert.is(w.read("log"), "selected section a.o:(.text.f)\n  removing identical section a.o:(.text.g)\n");
  const elf = w.elf("m");
  assert.is(elf.section(".first")!.size, 6);
  assert.is(elf.symbol("g")!.value, elf.symbol("f")!.value);
  assert.is.not(elf.symbol("h")!.value, elf.symbol("f")!.value);
});

icf("the same folds with any number of threads; link-order metadata goes with what is folded", (w) => {
  const functions = Array.from({ length: 600 }, (_, i) => `.section .text.f${i},"ax"\n.globl f${i}\nf${i}: mov $${i % 7}, %eax\n jmp f${(i * 5) % 14}\n.section meta,"ao",@progbits,.text.f${i}\n.quad ${i}\n`);
  w.write({ "a.s": functions.join("") });
  w.sh("as a.s -o a.o && for n in 1 2 3; do $LD -shared -Bsymbolic a.o --icf=all --threads=$n -o m$n --print-icf-sections > log$n; done; cmp m1 m2; cmp m1 m3; cmp log1 log2");
  const removed = w.read("log1").split("removing").length - 1;
  // f0 and f7 jump to themselves, for which the assembler needs no relocation: they are an eighth kind.
  assert.is(removed, 592);
  assert.is(Number(w.elf("m1").section("meta")!.size), 8 * (600 - removed));
});

icf.run();
