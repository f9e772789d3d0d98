/**
 * Program headers and their flags: GNU_STACK, RELRO, GNU_PROPERTY, W^X, -z separate-code, max-page-size, notes, image base, -N.
 */

import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";
import { ElfFile } from "../../helpers/dump.ts";

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

segments("an object that asks for an executable stack and does not get one is a warning", (w) => {
  w.write({ "a.s": ".globl _start\n_start: ret\n.section .note.GNU-stack,\"\",@progbits\n", "x.s": '.section .note.GNU-stack,"x",@progbits\n' }).sh("as a.s -o a.o && as x.s -o x.o");
  const said = (flags: string): string => w.sh(`$LD a.o ${flags} -o m 2>&1`);
  if (linkerName !== "wield") return;
  const warning = "warning: x.o: requires an executable stack, but -z execstack is not given";
  for (const flags of ["x.o", "x.o -shared", "x.o --warn-execstack", "x.o --warn-execstack-objects"]) contains(said(flags), warning);
  assert.is(w.elf("m").segment(0x6474e551)!.flags, 6);
  for (const flags of ["", "x.o -z execstack", "x.o -z noexecstack", "x.o -z execstack-if-needed", "x.o --no-warn-execstack", "x.o --error-execstack", "x.o -r"]) assert.is(said(flags), "");
  contains(w.fails("$LD a.o x.o --fatal-warnings -o f"), "requires an executable stack");
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

segments("sections with given addresses are in the order of these, behind the headers or without them", (w) => {
  w.write({ "t.s": '.globl _start\n_start: ret\n.section .rodata,"a"\n.long 1\n.data\n.long 2\n.bss\n.zero 8\n.section .note.GNU-stack,"",@progbits\n' }).sh("as t.s -o t.o");
  if (linkerName === "lld") return;
  const loads = (flags: string) => (w.sh(`$LD t.o ${flags} -o t`), w.elf("t").segments(1));
  const starts = (flags: string): number[] => loads(flags).map(({ vaddr }) => vaddr);
  for (const flags of ["-Ttext=0x500000 -Tdata=0x600000 -Tbss=0x700000", "-Ttext=0x500000 -Tdata=0x400000", "-Ttext=0x10000 -Tdata=0x8000", "-Ttext=0x8000", "-Ttext=0x500000 --section-start=.bss=0x4f0000"]) {
    const found = starts(flags);
    assert.equal(found, [...found].sort((a, b) => a - b), flags);
  }
  // The headers come before -Ttext, where there is room for them.
  assert.equal([loads("-Ttext=0x100000")[0]!.offset, starts("-Ttext=0x100000")[0]], [0, 0xff000]);
  assert.equal([loads("-Ttext=0x80")[0]!.offset, starts("-Ttext=0x80")[0]], [0x1080, 0x80]);
  assert.is(w.elf("t").segment(6), undefined);
  if (linkerName !== "wield") return;
  assert.is(starts("--section-start=.rodata=0x100000")[0], 0xff000);
  assert.is(starts("--image-base=0x400000 -Ttext=0x200000")[0], 0x1ff000);
  w.write({ "m.c": '#include <stdio.h>\n_Thread_local int t = 4; int main(void) { printf("%d\\n", t); return 0; }' });
  for (const flags of ["-static", "-no-pie"]) assert.is(w.sh(`gcc ${flags} -B$B m.c -Wl,-Ttext=0x100000 -o m && ./m`), "4\n");
});

segments("the image base: default, --image-base, -Ttext-segment", (w) => {
  w.write({ "s.c": 'void _start(void) { __asm__("mov $60, %eax; xor %edi, %edi; syscall"); }' });
  w.sh("gcc -O1 -fno-pie -c s.c && $LD s.o -o s && ./s");
  assert.is(w.elf("s").segments(1)[0]!.vaddr, linkerName === "bfd" ? 0x400000 : 0x200000);
  if (linkerName === "bfd") return;
  w.sh("$LD --image-base=0x10000000 s.o -o b && ./b");
  assert.is(w.elf("b").segments(1)[0]!.vaddr, 0x10000000);
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

segments("no empty PT_LOAD; what only holds .tbss needs neither a PT_LOAD nor RELRO", (w) => {
  w.write({ "t.s": '.globl _start\n_start: ret\n.section .tbss,"awT",@nobits\n.zero 4\n.section .note.GNU-stack,"",@progbits\n' });
  w.sh("gcc -c t.s && $LD t.o -o t");
  const elf = w.elf("t");
  for (const load of elf.segments(1)) assert.ok(load.memsz > 0, "memsz");
  assert.is(elf.segment(7)!.memsz, 4);
  if (linkerName !== "wield") return;
  assert.equal(elf.phdrs.map((phdr) => phdr.type), [6, 1, 1, 7, 0x6474e551]);
  assert.not(elf.section(".relro_padding"));
});

segments("sections behind RELRO go on in the file where it ended", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "t.s": '.globl _start\n_start: ret\n.section .init_array,"aw"\n.quad _start\n.data\n.byte 1\n.section .note.GNU-stack,"",@progbits\n' });
  w.sh("gcc -c t.s && $LD t.o -o t");
  const [array, data] = [w.elf("t").need(".init_array"), w.elf("t").need(".data")];
  assert.is(data.offset, array.offset + 8, "no hole in the file");
  assert.is(data.addr % 4096, data.offset % 4096);
  assert.is(Math.floor(data.addr / 4096), Math.floor(array.addr / 4096) + 1);
});

segments("-n and -N: no headers in memory, no RELRO, page sizes are warned about", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "t.s": '.globl _start\n_start: ret\n.section .init_array,"aw"\n.quad _start\n.section .note.GNU-stack,"",@progbits\n' });
  contains(w.sh("gcc -c t.s && $LD -n -z max-page-size=0x10000 -z common-page-size=0x10000 t.o -o n 2>&1 && $LD -N t.o -o N"),
    "-z max-page-size set, but paging disabled by omagic or nmagic", "-z common-page-size set");
  w.write({ "t.ld": "SECTIONS { . = CONSTANT(COMMONPAGESIZE); .text : { *(.text) } .data : { *(.init_array) } }" });
  assert.is(w.sh("$LD -n -z max-page-size=0x40 -z common-page-size=0x40 t.o -T t.ld -o s 2>&1"), "");
  assert.is(new ElfFile(w.bytes("s")).need(".text").addr, 0x40);
  assert.equal(new ElfFile(w.bytes("n")).phdrs.map((phdr) => [phdr.type, phdr.flags]), [[1, 5], [1, 6], [0x6474e551, 6]]);
  assert.equal(new ElfFile(w.bytes("N")).phdrs.map((phdr) => [phdr.type, phdr.flags]), [[1, 7], [0x6474e551, 6]]);
});

segments("notes of different alignment are in different PT_NOTEs", (w) => {
  w.write({ "t.s": '.globl _start\n_start: ret\n.section .note.a,"a",@note\n.align 4\n.long 0,0,0\n.section .note.b,"a",@note\n.align 8\n.quad 0,0\n.section .note.GNU-stack,"",@progbits\n' });
  w.sh("gcc -c t.s && $LD t.o -o t");
  assert.equal(w.elf("t").segments(4).map((phdr) => phdr.align), [4, 8]);
});

segments("addresses of options: what is no number is named as it was written", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "t.s": ".globl _start\n_start: ret\n" }).sh("gcc -c t.s");
  contains(w.fails("$LD t.o --section-start .text=1Q -o t"), "invalid argument: --section-start .text=1Q");
  contains(w.fails("$LD t.o -Ttext=1w -o t"), "invalid argument: -Ttext=1w");
  contains(w.fails("$LD t.o --image-base=ABC -o t"), "--image-base: number expected, but got ABC");
  contains(w.sh("$LD t.o --image-base=0x10800 -o t 2>&1"), "--image-base: address isn't multiple of page size: 0x10800");
  contains(w.sh("$LD t.o -Ttext-segment=10800 -o t 2>&1"), "-Ttext-segment: address isn't multiple of page size: 0x10800");
});

segments("OpenBSD's marks: -z wxneeded, -z nobtcfi, -z nognustack", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "t.s": ".globl _start\n_start: ret\n" }).sh("gcc -c t.s && $LD t.o -z wxneeded -z nobtcfi -z nognustack -o t");
  const elf = w.elf("t");
  assert.is(elf.segment(0x65a3dbe7)!.flags, 1);
  assert.is(elf.segment(0x65a3dbe8)!.flags, 1);
  assert.not(elf.segment(0x6474e551));
});

segments("a script in which RELRO is not one run is none that knows of RELRO; an error as ld.lld", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "t.s": '.globl _start\n_start: ret\n.section .init_array,"aw"\n.quad 0\n.section .jcr,"aw"\n.quad 0\n', "t.ld": "SECTIONS { .text : { *(.text) } .jcr 0x10000 : { *(.jcr) } .data : { BYTE(1) } .init_array : { *(.init_array) } }" });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -o t && ln -s $LD ld.lld");
  const elf = w.elf("t");
  assert.not(elf.segment(0x6474e552));
  assert.is(elf.segments(1).filter(({ flags }) => flags === 6).length, 1);
  assert.ok(elf.need(".jcr").addr < elf.need(".data").addr && elf.need(".data").addr < elf.need(".init_array").addr);
  contains(w.fails("./ld.lld t.o -T t.ld -o l"), "section: .init_array is not contiguous with other relro sections");
  w.write({ "m.c": '#include <stdio.h>\n_Thread_local int t = 4; __attribute__((constructor)) void c(void) { t++; } int main(void) { printf("%d\\n", t); return 0; }' });
  assert.is(w.sh("gcc -B$B m.c -Wl,--section-start=.init_array=0x300000 -o m && ./m"), "5\n");
  assert.is(w.elf("m").segment(0x6474e552), undefined);
});

segments("addresses that go down are no way into the headers, not even through 2^64", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "t.s": '.globl _start\n_start: ret\n.section reset,"ax"\n.long 1\n.section boot,"ax"\n.long 2\n', "t.ld": "SECTIONS { reset -4 : { *(reset) } boot -0x1000 : { *(boot) } =0xffff . = + SIZEOF_HEADERS; .text : { *(.text) } }" });
  contains(w.fails("gcc -c t.s && $LD t.o -T t.ld -o t"), "unable to place section boot at file offset");
});

segments("-z separate-code fills the last page of code with traps, and the segment counts it when it is the last", (w) => {
  w.write({ "t.s": '.globl _start\n_start: nop\n.section .note.GNU-stack,"",@progbits\n' });
  w.sh("gcc -c t.s && $LD t.o -z separate-code -o code && $LD t.o -z noseparate-code -o none");
  if (linkerName === "bfd") return;
  const code = w.elf("code").segments(1).at(-1)!;
  assert.equal([code.offset, code.filesz, code.memsz], [0x1000, 0x1000, 0x1000]);
  assert.equal(new Set(w.bytes("code").subarray(0x1001, 0x2000)), new Set([0xcc]));
  assert.is(w.elf("none").segments(1).at(-1)!.filesz, 1);
});

segments("-z separate-code: the traps behind code end where other contents of its last page begin, and zeros stay zeros", (w) => {
  w.write({
    "t.s": `.globl _start
      _start: mov value(%rip), %edi
      add zeros(%rip), %edi
      mov $60, %eax
      syscall
      .section own, "awx"
      value: .long 42
      .bss
      zeros: .skip 100
      .section .note.GNU-stack`.replaceAll("\n      ", "\n") + "\n",
    "t.ld": "SECTIONS { . = 0x400000; .text : { *(.text) } own : { *(own) } . = 0x410000; .bss : { *(.bss) } }",
    "p.ld": "PHDRS { text PT_LOAD; data PT_LOAD; } SECTIONS { . = 0x400000; .text : { *(.text) } :text . = 0x401800; .data : { *(own) } :data .bss : { *(.bss) } :data }",
  });
  w.sh("as t.s -o t.o");
  const lines = ["-z separate-code", "-z separate-code --no-rosegment", "-z noseparate-code", "-z separate-code -N"];
  if (linkerName === "wield") lines.push("-z separate-code -T p.ld"); // lld runs into the traps
  for (const line of lines) assert.is(w.sh(`$LD ${line} t.o -o t && ./t || echo $?`), "42\n", line);
  w.sh("$LD -z separate-code -T t.ld t.o -o t");
  assert.equal([...w.bytes("t").subarray(new ElfFile(w.bytes("t")).need("own").offset).subarray(0, 4)], [42, 0, 0, 0]);
});

segments("large data is far from code: behind .bss, or with -z lrodata-after-bss all of it; _edata and _etext do not count it", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "t.s": '.globl _start, _etext, _edata, _end\n_start: ret\n.section .lrodata,"al"\n.space 1\n.section .ldata,"awl"\n.space 1\n.section .lbss,"awl",@nobits\n.space 9\n.data\n.byte 1\n.bss\n.space 5\n.section .rodata,"a"\n.byte 2\n' });
  w.sh("gcc -c t.s && $LD t.o -z norelro -o a && $LD t.o -z norelro -z lrodata-after-bss -o b");
  const order = (name: string): string[] => w.elf(name).shdrs.filter((shdr) => (shdr.flags & 2) !== 0).map((shdr) => shdr.name);
  assert.equal(order("a"), [".lrodata", ".rodata", ".text", ".data", ".bss", ".ldata", ".lbss"]);
  assert.equal(order("b"), [".rodata", ".text", ".data", ".bss", ".lbss", ".lrodata", ".ldata"]);
  const value = (name: string): number => w.elf("a").symtab().find((entry) => entry.name === name)!.value;
  const end = (name: string): number => w.elf("a").need(name).addr + w.elf("a").need(name).size;
  assert.equal([value("_etext"), value("_edata"), value("_end")], [end(".text"), end(".data"), end(".lbss")]);
});

segments("the OS/ABI is that of -m or of the first input that has one; OpenBSD's sections have headers of their own", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "t.s": '.globl _start\n_start: ret\n.section .openbsd.randomdata,"a"\n.quad 0\n', "e.s": "" });
  w.sh("gcc -c t.s && gcc -c e.s && cp t.o o.o && printf '\\014' | dd of=o.o bs=1 seek=7 conv=notrunc 2>/dev/null && $LD t.o -o t && $LD e.o o.o -o o && $LD -m elf_x86_64_fbsd t.o -o f && $LD -m elf_x86_64 o.o -o m");
  w.sh("$LD -r t.o -o rt && $LD -r e.o o.o -o ro && $LD -r -m elf_x86_64_fbsd t.o -o rf");
  assert.equal(["t", "o", "f", "m", "rt", "ro", "rf"].map((name) => w.bytes(name)[7]), [0, 12, 9, 0, 0, 12, 9]);
  assert.is(w.elf("o").segment(0x65a3dbe6)!.memsz, 8);
  assert.not(w.elf("t").segment(0x65a3dbe6));
});

segments("for the OS/ABI only what is linked counts, however an archive is read", (w) => {
  if (linkerName !== "wield") return; // lld asks members that are not linked, too
  w.write({ "t.s": ".globl _start\n_start: call f\n", "v.s": ".globl _start\n_start: ret\n", "u.s": ".globl g\ng: ret\n", "f.s": ".globl f\nf: call h\nret\n", "h.s": ".globl h\nh: ret\n" });
  w.sh("for f in t v u f h; do as $f.s -o $f.o; done; for f in u h; do printf '\\003' | dd of=$f.o bs=1 seek=7 conv=notrunc 2>/dev/null; done; ar rc u.a u.o f.o h.o; ar rc n.a u.o");
  w.sh("$LD t.o f.o h.o -o plain; $LD t.o u.a -o needed; $LD v.o n.a -o closed; $LD v.o u.a -o beside; $LD -t v.o u.a -o opened; $LD --start-lib u.o --end-lib v.o -o lib");
  assert.equal(["plain", "needed", "closed", "beside", "opened", "lib"].map((name) => w.bytes(name)[7]), [3, 3, 0, 0, 0, 0]);
});

segments("copies of read-only variables join .data.rel.ro of a script, so that RELRO is one run", (w) => {
  if (linkerName !== "wield") return;
  w.write({
    "s.c": "extern const int * const shared; int x; const int *const shared = &x;", "m.c": "extern const int *const shared; int y = 1; void _start(void) { y = *shared; }",
    "t.ld": "SECTIONS { .text : { *(.text*) } .data.rel.ro : { *(.data.rel.ro .data.rel.ro.*) } .dynamic : { *(.dynamic) } .got : { *(.got) } .got.plt : { *(.got.plt) } .data : { *(.data) } }",
  });
  w.sh("gcc -fPIC -shared -nostdlib s.c -o libs.so -B$B && gcc -O1 -fno-pie -c m.c && $LD m.o libs.so -T t.ld -o m");
  assert.not(new ElfFile(w.bytes("m")).section(".bss.rel.ro"));
  // As the scripts of GNU ld, whose .bss takes .bss.*.
  w.sh("sed 's/}$/.bss : { *(.bss .bss.*) } }/' t.ld > bss.ld && $LD m.o libs.so -T bss.ld -o n");
  const n = new ElfFile(w.bytes("n"));
  const [copy, relro] = [n.symbol("shared")!.value, n.segment(0x6474e552)!];
  assert.ok(copy >= relro.vaddr && copy < relro.vaddr + relro.memsz);
});

segments("-N -z separate-code: the zeros behind code stay part of its segment", (w) => {
  if (linkerName !== "wield") return; // lld cuts them off
  w.write({ "t.s": ".globl _start\n_start: ret\n.bss\n.zero 100000\n" });
  w.sh("as t.s -o t.o && $LD -N -z separate-code t.o -o t");
  assert.ok(new ElfFile(w.bytes("t")).segment(1)!.memsz >= 100_000);
});

segments("more program headers than e_phnum can count (gABI ch. 5, PN_XNUM)", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "t.s": ".globl _start\n_start: ret\n", "t.ld": `PHDRS { text PT_LOAD; ${Array.from({ length: 65_540 }, (_, i) => `n${i} PT_NULL;`).join(" ")} } SECTIONS { .text : { *(.text) } :text }` });
  w.sh("as t.s -o t.o && $LD -T t.ld t.o -o t");
  const elf = new ElfFile(w.bytes("t"));
  assert.is(elf.u16(56), 0xffff);
  assert.is(elf.u32(elf.u64(40) + 44), 65_541);
});

segments("a number as --entry is read as strtoul does; beyond 64 bits it is none", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "t.s": ".globl _start\n_start: ret\n" });
  w.sh("as t.s -o t.o && $LD -e 010 t.o -o octal && $LD -e 0x400000 t.o -o hex");
  assert.equal(["octal", "hex"].map((name) => new ElfFile(w.bytes(name)).entry), [8, 0x400000]);
  contains(w.sh("$LD -e 0x10000000000000001 t.o -o t 2>&1"), "cannot find entry symbol 0x10000000000000001");
});

segments.run();
