/**
 * The order in which constructors and destructors run: priorities, command-line order, .ctors and .dtors of old compilers, preinit arrays.
 */

import { assert, behaviour, linkerName } from "../../helpers/link.ts";
import { image } from "../../helpers/script.ts";

const order = behaviour("constructor order");

const UNIT = (n: number): string => `
  #include <stdio.h>
  __attribute__((constructor)) static void plain(void) { printf("c${n} "); }
  __attribute__((constructor(${200 + n}))) static void late(void) { printf("l${n} "); }
  __attribute__((constructor(${110 - n}))) static void early(void) { printf("e${n} "); }
  __attribute__((destructor)) static void end(void) { printf("d${n} "); }
  __attribute__((destructor(${150 + n}))) static void end2(void) { printf("p${n} "); }`;

order("priorities first and ascending, then command-line order; destructors mirrored", (w) => {
  w.write({ "a.c": UNIT(1), "b.c": UNIT(2), "c.c": UNIT(3), "m.c": '#include <stdio.h>\nint main(void) { printf("| "); }' });
  w.sh("gcc -O1 -fPIE -c *.c");
  const expected = "e3 e2 e1 l1 l2 l3 c1 c2 c3 | d3 d2 d1 p3 p2 p1 ";
  for (const [name, flags] of [["pie", ""], ["static", "-static"], ["spie", "-static-pie"], ["exec", "-no-pie"]] as const) {
    w.sh(`gcc -B$B ${flags} a.o b.o m.o c.o -o ${name}`);
    assert.is(w.sh(`./${name}`), expected, name);
    w.elf(name);
  }
  w.sh("gcc -O1 -fPIC -c *.c && gcc -B$B -shared a.o b.o c.o -o libi.so && gcc -B$B m.o -Wl,--no-as-needed -L. -li -Wl,-rpath,. -o dyn");
  assert.is(w.sh("./dyn"), expected);
});

const OLD = `
      .section .rodata
      s1: .asciz "one "
      s2: .asciz "two "
      s3: .asciz "three "
      .text
      .globl say
      one: lea s1(%rip), %rdi
        jmp say
      two: lea s2(%rip), %rdi
        jmp say
      three: lea s3(%rip), %rdi
        jmp say
      .section .ctors,"aw",@progbits
        .quad one
        .quad two
      .section .ctors.64535,"aw",@progbits
        .quad three
      .section .dtors,"aw",@progbits
        .quad one
      .section .note.GNU-stack,"",@progbits
`;
const SAYS = '#include <stdio.h>\n__attribute__((visibility("hidden"))) void say(const char *s) { fputs(s, stdout); } int main(void) { fputs("| ", stdout); }';

order(".ctors and .dtors sections become init and fini array entries", (w) => {
  w.write({
    "old.s": OLD,
    "m.c": SAYS,
  });
  w.sh("gcc -c old.s && gcc -O1 -fPIE -c m.c && gcc -B$B old.o m.o -o m");
  const out = w.sh("./m");
  if (linkerName !== "lld") assert.is(out, "three two one | one ");
});

order("a script that puts .ctors and .dtors into arrays gives these their type and mirrors the words, whether it names a type or not", (w) => {
  if (linkerName === "lld") return;
  w.write({ "old.s": `.globl say\nsay: ret\n${OLD}` });
  w.sh("gcc -c old.s");
  for (const type of ["", "(TYPE=SHT_INIT_ARRAY)"]) {
    const array = (name: string, old: string): string => `.${name} ${type.replace("INIT", name === "fini_array" ? "FINI" : "INIT")} : { KEEP(*(.${old}.* .${name}.*)) KEEP(*(.${name} .${old})) }`;
    w.write({ "t.ld": `SECTIONS { .text : { *(.text) } ${array("init_array", "ctors")} ${array("fini_array", "dtors")} }` });
    w.sh("$LD old.o -T t.ld -e say -o t");
    const elf = image(w, "t");
    assert.equal([".init_array", ".fini_array"].map((name) => elf.need(name).type), [14, 15], type);
    const words = (name: string): number[] => [...new BigUint64Array(Uint8Array.from(elf.content(elf.need(name))).buffer)].map(Number);
    const [one, two, three] = ["one", "two", "three"].map((name) => elf.symbol(name)!.value) as [number, number, number];
    assert.equal(words(".init_array"), [three, two, one], type);
    assert.equal(words(".fini_array"), [one], type);
  }
});

order("preinit_array, .init and .fini", (w) => {
  w.write({
    "m.c": `
      #include <stdio.h>
      static void pre(void) { printf("pre "); }
      __attribute__((section(".preinit_array"), used)) static void (*p)(void) = pre;
      __attribute__((constructor)) static void c(void) { printf("ctor "); }
      extern void (*__preinit_array_start[])(void) __attribute__((weak));
      int main(void) { puts("main"); return 0; }`,
  });
  for (const flags of ["", "-static", "-no-pie"]) {
    w.sh(`gcc -O1 ${flags.includes("no-pie") ? "-fno-pie" : "-fPIE"} m.c ${flags} -B$B -o m`);
    assert.is(w.sh("./m"), "pre ctor main\n", flags);
    w.elf("m");
  }
});

order("C++ init_priority and function-local statics", (w) => {
  w.write({
    "a.cc": '#include <cstdio>\nstruct L { const char *n; L(const char *n) : n(n) { std::printf("+%s ", n); } ~L() { std::printf("-%s ", n); } };\n__attribute__((init_priority(500))) L a("a500"); L b("b"); __attribute__((init_priority(300))) L c("c300");',
    "b.cc": '#include <cstdio>\nstruct L { const char *n; L(const char *n) : n(n) { std::printf("+%s ", n); } ~L() { std::printf("-%s ", n); } };\nL d("d"); __attribute__((init_priority(400))) L e("e400"); int main() { static L s("s"); std::printf("| "); }',
  });
  w.sh("g++ -O1 -c a.cc b.cc && g++ -B$B a.o b.o -o m");
  assert.is(w.sh("./m"), "+c300 +e400 +a500 +b +d +s | -s -d -b -a500 -e400 -c300 ");
}, "g++");

order.run();
