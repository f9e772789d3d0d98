/** mold's --section-order, --filler, --zero-to-bss and --discard-section. */
import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";

const order = behaviour("options of mold for images");
const wield = linkerName === "wield";

const PROGRAM = `#include <stdio.h>
__attribute__((section(".fn1"), noinline)) int fn1(void) { return 1; }
__attribute__((section(".fn2"), noinline)) int fn2(void) { return 2; }
int data = 3; int bss[100]; __thread int tdata = 4; __thread int tbss;
int main() { printf("%d\\n", fn1() + fn2() + data + bss[3] + tdata + tbss); }
`;

order("--section-order: addresses, kinds, names and symbols; the program runs", (w) => {
  if (!wield) return;
  w.write({ "a.c": PROGRAM }).sh("gcc -c -O1 -fno-pic a.c");
  w.sh("gcc -B$B -no-pie a.o -o a '-Wl,--section-order==0x100000 EHDR PHDR =0x200000 .fn2 !here TEXT =0x310040 .fn1 DATA %0x100 !zeros BSS !there RODATA'");
  contains(w.sh("./a"), "10");
  const elf = w.elf("a");
  assert.is(elf.need(".fn2").addr, 0x200000);
  assert.is(elf.need(".fn1").addr, 0x310040);
  assert.ok(elf.need(".text").addr > 0x200000 && elf.need(".text").addr < 0x300000);
  assert.ok(elf.need(".interp").addr >= elf.need(".bss").addr + elf.need(".bss").size);
  const symbols = new Map(w.sh("nm a").trim().split("\n").map((line): [string, number] => [line.split(" ").at(-1)!, parseInt(line, 16)]));
  assert.is(symbols.get("here"), 0x200000 + elf.need(".fn2").size);
  assert.is(symbols.get("zeros")! % 0x100, 0);
  assert.is(symbols.get("there"), elf.need(".bss").addr + elf.need(".bss").size);
  const loads = elf.phdrs.filter(({ type }) => type === 1);
  assert.is(loads[0]!.vaddr, 0x100000);
  assert.equal(loads.map(({ vaddr }) => vaddr), loads.map(({ vaddr }) => vaddr).toSorted((a, b) => a - b));
  assert.ok(loads.every(({ offset, vaddr }) => (vaddr - offset) % 0x1000 === 0));
}, "gcc", "nm");

order("--section-order: headers anywhere or nowhere, position-independent programs, addresses that go down", (w) => {
  if (!wield) return;
  w.write({ "a.c": PROGRAM.replace("int main() {", "extern char here[]; int main() { if (here - (char *)main != 0) puts(here);") }).sh("gcc -c -O1 -fpie a.c");
  contains(w.sh("gcc -B$B -pie a.o -o a '-Wl,--section-order=EHDR PHDR RODATA TEXT DATA BSS !here' && ./a"), "10");
  contains(w.sh("gcc -B$B -pie a.o -o a '-Wl,--section-order=RODATA EHDR PHDR TEXT !here DATA BSS' && ./a"), "10");
  contains(w.sh("gcc -B$B -pie a.o -o a '-Wl,--section-order==0x50000 TEXT =0x10000 EHDR PHDR RODATA =0x30000 !here DATA BSS .fn1 .fn2' && ./a"), "10");
  const bare = w.write({ "b.s": ".globl _start\n_start: mov end_of_code, %edi\nmov $60, %eax\nsyscall\n.data\n.globl end_of_code\n.long 0\n" }).sh("as b.s -o b.o; $LD b.o -o b '--section-order==0x40000 TEXT =0x80000 !end_of_code DATA' && ./b && readelf -lW b");
  lacks(bare, "PHDR");
  contains(bare, /LOAD +0x\w+ 0x0+40000 /, /LOAD +0x\w+ 0x0+80000 /);
}, "gcc", "readelf");

order("--section-order: what is wrong with it is said", (w) => {
  if (!wield) return;
  w.write({ "a.s": ".globl _start\n_start: ret\n.data\n.quad 1\n" }).sh("as a.s -o a.o");
  const fails = (items: string): string => w.fails(`$LD a.o -o a '--section-order=${items}'`);
  contains(fails("EHDR PHDR TEXT"), "--section-order: no place for section .data");
  contains(fails("EHDR TEXT"), "EHDR and PHDR stand together");
  contains(fails("=x TEXT"), "not a number: =x");
  contains(fails("%3 TEXT"), "not a power of 2: %3");
  contains(fails("TEXT !"), "without the name");
  contains(fails("=0x1000 EHDR PHDR =0x1010 TEXT DATA"), ".text overlaps the headers at 0x1000");
  w.write({ "s.ld": "SECTIONS { .text : { *(.text) } }" });
  contains(w.fails("$LD a.o -o a -T s.ld '--section-order=TEXT DATA'"), "--section-order and a script with SECTIONS may not be used together");
});

order("--filler: gaps between sections and between their parts, not the sections themselves", (w) => {
  if (!wield) return;
  w.write({ "a.s": '.globl _start\n_start: .byte 1\n.data\n.byte 2\n.section .data.b,"aw"\n.p2align 4\n.byte 3\n' }).sh("as a.s -o a.o");
  w.sh("$LD a.o -o a.bin --oformat=binary --filler=0xff '--section-order==0x1000 TEXT =0x1010 DATA'");
  assert.equal([...w.bytes("a.bin")], [1, ...Array(15).fill(255), 2, ...Array(15).fill(255), 3]);
  w.sh("$LD a.o -o a.bin --oformat=binary '--section-order==0x1000 TEXT =0x1010 DATA'");
  assert.is(w.bytes("a.bin")[5], 0);
  contains(w.fails("$LD a.o -o a --filler=256"), "--filler: expected a byte");
  w.sh("$LD a.o -o a --filler=0xee --build-id && $LD a.o -o b --filler=0xee --build-id --threads=1 && cmp a b");
  // Sections begin as zeros: the null symbol, the end of .eh_frame, and what has no bytes in its object.
  w.write({ "z.s": '.globl _start\n_start: .cfi_startproc\nret\n.cfi_endproc\n.data\n.byte 1\n.section .data.z,"aw",@nobits\n.space 2\n.section .data.y,"aw",@progbits\n.p2align 3\n.byte 2\n' }).sh("as z.s -o z.o && $LD z.o -o z --filler=0xee");
  assert.equal([...w.elf("z").content(".data")], [1, 0, 0, 0xee, 0xee, 0xee, 0xee, 0xee, 2]);
  assert.equal([...w.elf("z").content(".eh_frame").subarray(-4)], [0, 0, 0, 0]);
});

order("--zero-to-bss: zeros leave the file, everything else stays", (w) => {
  if (!wield) return;
  w.write({ "a.c": `#include <stdio.h>
__attribute__((section(".zeros"))) char zeros[70000]; __attribute__((section(".mixed"))) char mixed[70000] = { [69999] = 1 };
__attribute__((section(".data.z"))) int z[1000]; int set = 5; __attribute__((section("ident"))) long three[3]; extern long __start_ident[], __stop_ident[];
__attribute__((section(".ptr"))) int *pointer = &set;
int main() { printf("%d\\n", zeros[9] + mixed[69999] + z[3] + *pointer + (int)(__stop_ident - __start_ident)); }` }).sh("gcc -c a.c");
  const link = (flags: string): string => w.sh(`gcc -B$B a.o -o a ${flags} && ./a && readelf -SW a`);
  contains(link("-Wl,--zero-to-bss,--no-zero-to-bss"), /^9$/m, /\.zeros +PROGBITS/);
  assert.ok(w.elf("a").need(".data").size >= 4000);
  const zero = link("-Wl,--zero-to-bss");
  contains(zero, /^9$/m, /\.zeros +NOBITS/, /ident +NOBITS/, /\.mixed +PROGBITS/, /\.ptr +PROGBITS/);
  assert.ok(w.elf("a").need(".data").size < 4000 && w.elf("a").need(".bss").size >= 4000);
}, "gcc", "readelf");

order("--discard-section: input sections of exactly this name", (w) => {
  if (!wield) return;
  w.write({ "a.s": '.globl _start\n_start: ret\n.section .a.b,"a"\n.byte 1\n.section .axb,"a"\n.byte 1\n.section .a.b.c,"a"\n.byte 1\n' }).sh("as a.s -o a.o && $LD a.o -o a --discard-section=.a.b");
  const names = w.elf("a").sectionNames();
  assert.equal([".a.b", ".axb", ".a.b.c"].map((name) => names.includes(name)), [false, true, true]);
});

order.run();
