/**
 * Symbol resolution seen from running programs: weak, undefined weak, common, absolute, unique, hidden, section symbols, COMDAT.
 *
 * Not about archives (link/archives) or shared objects' versions (link/versions).
 */

import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const symbols = behaviour("symbols");

symbols("a strong definition beats a weak one, and the first weak one wins", (w) => {
  w.write({
    "a.c": "__attribute__((weak)) int f(void) { return 1; } __attribute__((weak)) int g(void) { return 10; } __attribute__((weak)) int v = 100;",
    "b.c": "int f(void) { return 2; } __attribute__((weak)) int g(void) { return 20; } int v = 200;",
    "m.c": '#include <stdio.h>\nint f(void), g(void); extern int v; int main(void) { printf("%d %d %d\\n", f(), g(), v); }',
  });
  w.sh("gcc -O1 -c a.c b.c m.c && gcc -B$B a.o b.o m.o -o ab && gcc -B$B b.o a.o m.o -o ba");
  assert.is(w.sh("./ab && ./ba"), "2 10 200\n2 20 200\n");
});

symbols("undefined weak symbols are zero in every kind of output", (w) => {
  w.write({ "m.c": `
    #include <stdio.h>
    extern int nothing(void) __attribute__((weak)); extern int nodata __attribute__((weak));
    extern int hidden_nothing(void) __attribute__((weak, visibility("hidden")));
    int (*volatile pointer)(void) = nothing; int *volatile data = &nodata;
    int main(void) { printf("%d%d%d%d%d\\n", nothing == 0, pointer == 0, data == 0, &nodata == 0, hidden_nothing == 0); if (nothing) nothing(); if (hidden_nothing) hidden_nothing(); }` });
  for (const [name, flags] of [["pie", "-fPIE -pie"], ["exec", "-fno-pie -no-pie"], ["static", "-fno-pie -no-pie -static"], ["spie", "-fPIE -static-pie"], ["picexe", "-fPIC -pie"]] as const) {
    w.sh(`gcc -O1 ${flags} m.c -B$B -o ${name}`);
    assert.is(w.sh(`./${name}`), "11111\n", name);
    w.elf(name);
  }
});

symbols("an undefined weak symbol of a shared object is found at run time", (w) => {
  w.write({
    "lib.c": "extern int hook(int) __attribute__((weak)); int call(int x) { return hook ? hook(x) : -1; }",
    "with.c": "int call(int); int hook(int x) { return x * 2; } int main(void) { return call(21) != 42; }",
    "without.c": "int call(int); int main(void) { return call(21) != -1; }",
  });
  w.sh("gcc -O1 -fPIC -c lib.c && gcc -B$B -shared lib.o -o libw.so && for n in with without; do gcc -O1 $n.c -B$B -L. -lw -Wl,-rpath,. -o $n && ./$n; done");
  assert.ok(w.elf("libw.so").imports().includes("hook"));
  assert.ok(w.elf("with").exports().includes("hook"), "exported because the library refers to it");
  assert.not(w.elf("without").exports().includes("hook"));
});

symbols("common symbols: largest size and alignment, and a definition wins", (w) => {
  w.write({
    "a.c": "char buffer[10]; int number; double d;",
    "b.c": "char buffer[4000] __attribute__((aligned(64))); int number; extern int after; int *p = &after;",
    "c.c": "int after; double d = 2.5;",
    "m.c": '#include <stdio.h>\nextern char buffer[]; extern int number, after, *p; extern double d; int main(void) { number = 3; p[0] = 9; buffer[3999] = 1; printf("%d %d %d %.1f\\n", number, after, (int)((unsigned long)buffer & 63), d); }',
  });
  w.sh("gcc -O1 -fcommon -c a.c b.c c.c m.c && gcc -B$B a.o b.o c.o m.o -o m");
  assert.is(w.sh("./m"), "3 9 0 2.5\n");
  const elf = w.elf("m");
  assert.is(elf.symbol("buffer")!.size, 4000);
  assert.is(elf.shdrs[elf.symbol("buffer")!.shndx]!.name, ".bss");
  assert.is(elf.shdrs[elf.symbol("d")!.shndx]!.name, ".data");
});

symbols("absolute symbols keep their value in a PIE", (w) => {
  w.write({
    "a.s": ".globl magic, local_user\nmagic = 0x12345\nlocal = 77\n.data\nlocal_user: .quad local\n.section .note.GNU-stack,\"\",@progbits",
    "m.c": '#include <stdio.h>\nextern char magic[]; extern long local_user; int main(void) { printf("%lx %ld\\n", (long)magic, local_user); }',
  });
  w.sh("gcc -c a.s && gcc -O1 -fPIE -mcmodel=large -c m.c && gcc -B$B a.o m.o -o m");
  assert.is(w.sh("./m"), "12345 77\n");
  assert.is(w.elf("m").symbol("magic")!.shndx, 0xfff1);
});

symbols("hidden, internal and protected visibility", (w) => {
  w.write({
    "a.c": `
      __attribute__((visibility("hidden"))) int h = 1; __attribute__((visibility("protected"))) int p(void) { return 2; }
      __attribute__((visibility("internal"))) int i(void) { return 3; } int d = 4;`,
    "b.c": `
      extern int h; __attribute__((visibility("hidden"))) extern int d; int p(void), i(void);
      int sum(void) { return h + p() + i() + d; }`,
    "m.c": "int sum(void); int main(void) { return sum() != 10; }",
  });
  w.sh("gcc -O1 -fPIC -c a.c b.c && gcc -B$B -shared a.o b.o -o libv.so && gcc m.c -B$B -L. -lv -Wl,-rpath,. -o m && ./m");
  const lib = w.elf("libv.so");
  assert.equal(lib.exports(), ["p", "sum"], "the most constraining visibility wins, also when a reference has it");
  assert.is(lib.dynamicSymbol("p")!.visibility, 3);
  assert.is(lib.symbol("h")!.bind, 0, "hidden symbols become local");
});

symbols("STB_GNU_UNIQUE is kept and exported", (w) => {
  w.write({ "a.cc": "template <class T> struct S { static int n; }; template <class T> int S<T>::n = 3; int *get() { return &S<int>::n; }" });
  w.sh("g++ -O1 -fPIC -c a.cc && g++ -B$B -shared a.o -o libu.so");
  const symbol = w.elf("libu.so").dynamicSymbol("_ZN1SIiE1nE");
  assert.ok(symbol && (symbol.bind === 10 || symbol.bind === 2));
  w.sh("g++ -B$B -shared a.o -Wl,--no-gnu-unique -o libn.so");
  assert.not.equal(w.elf("libn.so").dynamicSymbol("_ZN1SIiE1nE")!.bind, 10);
}, "g++");

symbols(".gnu.linkonce sections are one", (w) => {
  const source = (n: number): string => `.section .gnu.linkonce.t.twice,"ax",@progbits\n.weak twice\ntwice: mov $${n}, %eax\n ret\n.text\n.globl f${n}\nf${n}: jmp twice\n.section .note.GNU-stack,"",@progbits\n`;
  w.write({ "a.s": source(1), "b.s": source(2), "m.c": "int f1(void), f2(void); int main(void) { return f1() * 10 + f2() != 11; }" });
  w.sh("gcc -c a.s b.s m.c && gcc -B$B a.o b.o m.o -o m && ./m");
});

symbols("a function in a .gnu.linkonce section and in a group is one", (w) => {
  if (linkerName !== "wield" && linkerName !== "bfd" && linkerName !== "gold") return; // lld calls it a duplicate
  const old = '.section .gnu.linkonce.t.twice,"ax",@progbits\n';
  const source = (n: number, section: string): string => `${section}.globl twice\ntwice: mov $${n}, %eax\n ret\n.text\n.globl f${n}\nf${n}: jmp twice\n.section .note.GNU-stack,"",@progbits\n`;
  w.write({
    "a.s": source(1, old), "b.s": source(2, '.section .text.twice,"axG",@progbits,twice,comdat\n'), "c.s": '.section .gnu.linkonce.r.twice,"a",@progbits\n.globl table\ntable: .long 5\n.section .note.GNU-stack,"",@progbits\n',
    "m.c": "int f1(void), f2(void); extern const int table; int main(void) { return f1() * 10 + f2() + table; }",
  });
  w.sh("gcc -c a.s b.s c.s && gcc -fno-pie -c m.c && gcc -no-pie -B$B a.o b.o c.o m.o -o m && gcc -no-pie -B$B b.o a.o c.o m.o -o n");
  assert.is(w.sh("./m || echo $?; ./n || echo $?").trim().replace("\n", " "), "16 27");
});

symbols("a group whose signature has become a local symbol is still called by its name", (w) => {
  const source = (n: number): string => `.section .text.one,"axG",@progbits,one,comdat\n.globl one, other\none: mov $${n}, %eax\n ret\nother: jmp one\n.text\n.globl f${n}\nf${n}: jmp other\n.section .note.GNU-stack,"",@progbits\n`;
  w.write({ "a.s": source(1), "b.s": source(2), "c.s": source(3).replace("f3: jmp other", "f3: jmp one"), "m.c": "int f1(void), f2(void); int main(void) { return f1() * 10 + f2(); }" });
  w.sh("gcc -c a.s b.s c.s && gcc -fno-pie -c m.c && objcopy --localize-symbol=one b.o && objcopy --localize-symbol=one c.o && for o in 'a.o b.o' 'b.o a.o'; do gcc -no-pie -B$B $o m.o -o m; ./m || echo $?; done > said");
  assert.is(w.sh("cat said").trim().replace("\n", " "), "11 22");
  // The group of a.o is kept, and then nobody has what f3 calls.
  if (linkerName !== "mold") contains(w.fails("gcc -no-pie -B$B a.o b.o c.o m.o -o m"), /discarded section/);
  w.sh("$LD -r a.o b.o -o r.o && gcc -no-pie -B$B r.o m.o -o m; ./m || echo $? > said");
  if (linkerName !== "bfd") assert.is(w.sh("cat said").trim(), "11");
}, "objcopy");

symbols("a group's losers leave, whatever is in them", (w) => {
  const source = (n: number): string => `
    .section .text.shared,"axG",@progbits,shared,comdat
    .weak shared
    shared: lea extra(%rip), %rax
      mov (%rax), %eax
      ret
    .section .data.shared,"awG",@progbits,shared,comdat
    extra: .long ${n}
    .text
    .globl f${n}
    f${n}: jmp shared@PLT
    .section .note.GNU-stack,"",@progbits
  `;
  w.write({ "a.s": source(1), "b.s": source(2), "m.c": "int f1(void), f2(void); int main(void) { return f1() * 10 + f2() != 11; }" });
  w.sh("gcc -c a.s b.s m.c && gcc -B$B a.o b.o m.o -o m && ./m");
  w.elf("m");
});

symbols("duplicate definitions name both places; --allow-multiple-definition takes the first", (w) => {
  w.write({ "a.c": "int twice(void) { return 1; }", "b.c": "int twice(void) { return 2; }", "m.c": "int twice(void); int main(void) { return twice() != 1; }" });
  w.sh("gcc -O1 -c a.c b.c m.c");
  contains(w.fails("gcc -B$B a.o b.o m.o -o m"), /duplicate symbol: twice|multiple definition of/, "a.o", "b.o");
  assert.not(w.exists("m"));
  w.sh("gcc -B$B a.o b.o m.o -Wl,--allow-multiple-definition -o m && ./m && gcc -B$B a.o b.o m.o -Wl,-z,muldefs -o m && ./m");
});

symbols("more than 65280 sections in one object", (w) => {
  const lines = Array.from({ length: 66000 }, (_, i) => `.section .text.f${i},"ax",@progbits\nf${i}: ret`);
  w.write({ "many.s": lines.join("\n") + '\n.section .text.last,"ax",@progbits\n.globl last\nlast: mov $5, %eax\n ret\n.section .note.GNU-stack,"",@progbits\n', "m.c": "int last(void); int main(void) { return last() != 5; }" });
  w.sh("gcc -c many.s m.c && gcc -B$B m.o many.o -o m && ./m && gcc -B$B m.o many.o -Wl,--gc-sections -o gc && ./gc");
  w.elf("gc");
});

symbols("names stand in the order of the symbols, although hidden ones come first in the table", (w) => {
  const names = Array.from({ length: 5000 }, (_, i) => `s${i}`);
  w.write({ "a.s": names.map((name, i) => `.globl ${name}\n${i % 3 === 0 ? `.hidden ${name}\n` : ""}.set ${name}, ${i}\n`).join("") + ".globl _start\n_start: ret\n" });
  w.sh("as a.s -o a.o && $LD a.o -o m --threads=1 && $LD a.o -o m2 --threads=2 && cmp m m2");
  const elf = w.elf("m");
  assert.is(elf.text(".strtab"), ["", ...names, "_start", ""].join("\0"));
  const table = elf.symtab().filter(({ name }) => name !== "");
  assert.equal(table.map(({ name }) => name), [...names.filter((_, i) => i % 3 === 0), ...names.filter((_, i) => i % 3 !== 0), "_start"]);
  assert.equal(table.slice(0, -1).map(({ name, value }) => name === `s${value}`).indexOf(false), -1);
}, "as");

symbols("hidden symbols are behind the STT_FILE of the object that defines them", (w) => {
  if (linkerName !== "wield" && linkerName !== "lld") return;
  const object = (n: string): string => `.file "${n}.c"\n.globl f${n}, h${n}\n.hidden h${n}\nl${n}: f${n}: h${n}: ret\n`;
  w.write({ "1.s": `${object("1")}.globl _start\n_start: call h2\n`, "2.s": object("2"), "n.s": ".globl hn\n.hidden hn\nhn: ret\n" }).sh("for n in 1 2 n; do as $n.s -o $n.o; done; $LD n.o 1.o 2.o -o p");
  assert.equal(w.elf("p").symtab().slice(1).map(({ name }) => name), ["1.c", "l1", "h1", "2.c", "l2", "h2", "hn", "f1", "_start", "f2"]);
});

symbols.run();
