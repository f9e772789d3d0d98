/**
 * Program headers and their flags: GNU_STACK, RELRO, GNU_PROPERTY, W^X, -z separate-code, max-page-size, notes, image base, -N.
 */

import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const segments = behaviour("segments");
const MAIN = { "m.c": '#include <stdio.h>\nint bss[100]; int data = 4; const int ro = 5; int main(void) { printf("%d\\n", bss[1] + data + ro); return 0; }' };

segments("GNU_STACK follows -z execstack and is not executable by default", (w) => {
  w.write(MAIN).sh("gcc -c m.c && gcc -B$B m.o -o m && gcc -B$B m.o -Wl,-z,execstack -o x && gcc -B$B m.o -Wl,-z,noexecstack -o n && gcc -B$B m.o -Wl,-z,stack-size=65536 -o s");
  assert.is(w.elf("m").segment(0x6474e551)!.flags, 6);
  assert.is(w.elf("x").segment(0x6474e551)!.flags, 7);
  assert.is(w.elf("n").segment(0x6474e551)!.flags, 6);
  assert.is(w.elf("s").segment(0x6474e551)!.memsz, 65536);
  assert.is(w.sh("./m"), "9\n");
});

segments("RELRO holds .dynamic, arrays and the GOT; -z now moves .got.plt into it", (w) => {
  w.write({ "m.c": '#include <stdio.h>\n#include <stdlib.h>\nconst char *const list[] = { "a", "b" }; __attribute__((constructor)) static void c(void) {} int main(void) { return puts(list[1]) < 0; }' });
  w.sh("gcc -O1 -fPIE -c m.c && gcc -B$B m.o -Wl,-z,relro,-z,now -o now && gcc -B$B m.o -Wl,-z,relro,-z,lazy -o lazy && ./now && ./lazy");
  for (const name of ["now", "lazy"]) {
    const elf = w.elf(name);
    const relro = elf.segment(0x6474e552)!;
    for (const inside of [".dynamic", ".init_array", ".fini_array", ".data.rel.ro"]) {
      const s = elf.need(inside);
      assert.ok(s.addr >= relro.vaddr && s.addr + s.size <= relro.vaddr + relro.memsz, `${name} ${inside}`);
    }
    const got = elf.section(".got.plt");
    if (got && linkerName !== "bfd") {
      const within = got.addr >= relro.vaddr && got.addr < relro.vaddr + relro.memsz;
      assert.is(within, name === "now", `${name} .got.plt`);
    }
  }
});

segments("no segment is both writable and executable, code is not readable data by default", (w) => {
  w.write(MAIN).sh("gcc -c m.c && gcc -B$B m.o -o m && gcc -B$B m.o -Wl,-z,separate-code -o sep && gcc -B$B m.o -Wl,-z,noseparate-code -o nosep && gcc -B$B m.o -Wl,-z,max-page-size=65536 -o big && gcc -B$B m.o -Wl,-z,max-page-size=0x200000,-z,common-page-size=0x1000 -o huge");
  for (const name of ["m", "sep", "nosep", "big", "huge"]) {
    assert.is(w.sh(`./${name}`), "9\n", name);
    assert.not(w.elf(name).loadFlags().includes("RWX"));
  }
  assert.ok(w.elf("big").segments(1).every((p) => p.align === 65536));
  assert.ok(w.elf("huge").segments(1).every((p) => p.align === 0x200000));
  const code = w.elf("sep").segments(1).find((p) => p.flags & 1)!;
  assert.is(code.offset % 4096, 0, "separate code begins a page");
});

segments("--no-rosegment, -N, -n", (w) => {
  w.write({ "s.c": 'int data = 1; const char text[] = "ro"; void _start(void) { data = text[0]; __asm__("mov $60, %eax; xor %edi, %edi; syscall"); }' });
  w.sh("gcc -O1 -fno-pie -c s.c && $LD s.o -o s && $LD -N s.o -o omagic && $LD -n s.o -o nmagic && ./s");
  assert.is(w.elf("s").type, 2);
  if (linkerName === "bfd") return;
  w.sh("$LD --no-rosegment s.o -o nr && ./nr");
  assert.is(w.elf("nr").loadFlags()[0], "RX");
});

segments("the image base: default, --image-base, -Ttext-segment", (w) => {
  w.write({ "s.c": 'void _start(void) { __asm__("mov $60, %eax; xor %edi, %edi; syscall"); }' });
  w.sh("gcc -O1 -fno-pie -c s.c && $LD s.o -o s && ./s");
  assert.is(w.elf("s").segments(1)[0].vaddr, linkerName === "bfd" ? 0x400000 : 0x200000);
  if (linkerName === "bfd") return;
  w.sh("$LD --image-base=0x10000000 s.o -o b && ./b");
  assert.is(w.elf("b").segments(1)[0].vaddr, 0x10000000);
});

segments(".note.gnu.property is the AND of all inputs", (w) => {
  w.write({ "a.c": "int a(void) { return 1; }", "b.c": "int a(void); int main(void) { return a() - 1; }" });
  w.sh("gcc -O1 -fcf-protection=full -c a.c -o a1.o && gcc -O1 -fcf-protection=full -c b.c -o b1.o && gcc -O1 -fcf-protection=none -c a.c -o a0.o && gcc -B$B -shared -nostdlib -fPIC a1.o -o both.so && gcc -B$B -shared -nostdlib a1.o b1.o -o both2.so && gcc -B$B -shared -nostdlib a0.o b1.o -o one.so");
  const property = (name: string): boolean => w.elf(name).notes().some((n) => n.type === 5 && n.name === "GNU");
  assert.ok(property("both.so"));
  assert.ok(property("both2.so"));
  assert.not(property("one.so"));
  const segment = w.elf("both.so").segment(0x6474e553)!;
  assert.is(segment.vaddr, w.elf("both.so").need(".note.gnu.property").addr);
  if (linkerName !== "bfd") {
    w.sh("gcc -B$B -shared -nostdlib a0.o b1.o -Wl,-z,shstk -o forced.so");
    assert.ok(property("forced.so"));
  }
});

segments("a big .bss costs no file bytes, sections of 4 GiB are not refused", (w) => {
  w.write({ "m.c": "static char big[3ul << 30]; char *get(unsigned long i) { return &big[i]; } int main(void) { *get(3000000000ul) = 1; return *get(3000000000ul) - 1; }" });
  w.sh("gcc -O1 -mcmodel=large -fno-pie -no-pie m.c -B$B -o m && ./m");
  assert.ok(w.bytes("m").length < 100000);
  w.elf("m");
});

segments("relocations out of range are diagnosed with place and symbol", (w) => {
  w.write({ "m.c": "char big[3ul << 30]; char after[16]; int main(void) { return after[3] + big[7]; }", "a.s": '.globl f\n.text\nf: mov far_away, %eax\n ret\n.section .note.GNU-stack,"",@progbits\n', "main.c": "int main(void) { return 0; }" });
  w.sh("gcc -O1 -fno-pie -c m.c main.c && gcc -c a.s");
  contains(w.fails("gcc -no-pie -B$B a.o main.o -Wl,--defsym=far_away=0x123456789 -o m"), /a\.o/, /R_X86_64_32S?/, "far_away");
  assert.not(w.exists("m"));
});

segments.run();
