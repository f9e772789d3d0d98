/**
 * -r: object files that can be linked again, by this linker and by others, into programs that run: contents, sections, scripts, options.
 * wield's own choices (which sections are joined) are asserted only where a reader depends on them.
 */
import * as fs from "node:fs";
import { ElfFile } from "../../helpers/dump.ts";
import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";
import { C, C_SAYS, groups, object, runs, SHF, SHN_COMMON, SHT } from "../../helpers/relocatable.ts";

const rel = behaviour("relocatable");

rel("C: statics, strings, constants, commons and TLS, of some objects and of all", (w) => {
  w.write(C).sh("gcc -O1 -fcommon -c a.c b.c m.c && $LD -r a.o b.o -o ab.o && $LD -r ab.o m.o -o all.o && $LD -r all.o -o again.o");
  const elf = object(w, "ab.o");
  object(w, "all.o");
  assert.equal(elf.symtab().filter((s) => s.name === "helper").map((s) => s.bind), [0, 0], "both locals");
  assert.is(elf.symbol("missing")!.shndx, 0);
  assert.is(elf.symbol("missing")!.bind, 2, "still weak");
  assert.is(elf.sectionNames().filter((name) => name === ".text").length, 1, "joined by name");
  assert.is(elf.entry, 0);
  assert.ok(elf.section(".note.GNU-stack"));
  if (linkerName !== "lld") {
    const common = elf.symbol("common")!;
    assert.equal([common.shndx, common.size], [SHN_COMMON, 16]);
  }
  runs(w, "gcc", "ab.o m.o", C_SAYS);
  runs(w, "gcc -static", "again.o", C_SAYS);
  assert.is(fs.statSync(w.path("ab.o")).mode & 0o111, 0, "not executable");
});

rel("the compiler driver asks with -r", (w) => {
  w.write(C).sh("gcc -O1 -fcommon -c a.c b.c m.c && gcc -B$B -r a.o b.o -o ab.o && gcc -B$B -no-pie -r -nostdlib ab.o m.o -o all.o");
  object(w, "ab.o");
  runs(w, "gcc", "all.o", C_SAYS);
});

rel("equal strings and constants are merged, and references follow them", (w) => {
  const source = (n: number): string => `
    .section .rodata.str1.1,"aMS",@progbits,1
    .LC${n}: .string "only ${n}"
    .Lsame: .string "both"
    .section .rodata.cst8,"aM",@progbits,8
    .balign 8
    .quad 77, ${n}
    .data
    .globl p${n}, q${n}
    p${n}: .quad .Lsame, .LC${n}, .rodata.cst8
    q${n}: .quad .rodata.cst8+8`;
  w.write({
    "a.s": source(1), "b.s": source(2),
    "m.c": `#include <stdio.h>
      extern const char *p1[], *p2[]; extern long *q1, *q2; int main(void) {
      printf("%s %s %s %s %d %ld %ld %ld\\n", p1[0], p1[1], p2[0], p2[1], p1[0] == p2[0], *(long *)p2[2], *q1, *q2); }`,
  });
  w.sh("as a.s -o a.o && as b.s -o b.o && gcc -no-pie -c m.c && $LD -r a.o b.o -o r.o && $LD -r r.o -o rr.o");
  for (const name of ["r.o", "rr.o"]) {
    const elf = object(w, name);
    assert.is(elf.need(".rodata.str1.1").size, 5 + 7 + 7);
    assert.is(elf.need(".rodata.cst8").size, 24);
    runs(w, "gcc -no-pie", `${name} m.o`, "only 1 both only 2 both 1 77 1 2\n".replace("only 1 both only 2 both", "both only 1 both only 2"));
  }
});

rel("--unique keeps every section apart, with and without -r", (w) => {
  w.write({ "a.s": ".text\nnop\n.data\n.quad a\na: .byte 1\n", "m.s": ".globl _start\n_start: mov $60, %eax\nxor %edi, %edi\nsyscall\n.data\n.globl d\nd: .quad _start\n" });
  w.sh("as a.s -o a.o && as m.s -o m.o && $LD -r --unique a.o m.o -o r.o && $LD --unique m.o a.o -o prog && ./prog && $LD r.o -o again && ./again && $LD -q --unique m.o a.o -o kept && ./kept");
  const named = (elf: ElfFile, name: string): number => elf.shdrs.filter((s) => s.name === name && s.size > 0).length;
  for (const elf of [object(w, "r.o"), w.elf("prog"), w.elf("kept")]) assert.equal([named(elf, ".text"), named(elf, ".data")], [2, 2]);
  assert.is(named(w.elf("kept"), ".rela.data"), 2);
  assert.is(named(w.elf("again"), ".text"), 1);
});

rel("--unique keeps together what a program needs in one piece", (w) => {
  if (linkerName === "lld") return;
  w.write({ "a.c": `
    #include <stdio.h>
    static int order;
    __attribute__((constructor(200))) static void last(void) { order = order * 10 + 2; }
    int other(void);
    int main(void) { printf("%d %d\\n", order, other()); }`, "b.c": `
    static int order;
    __attribute__((constructor(101))) static void first(void) { order = 1; }
    int other(void) { return order; }` });
  w.sh("gcc -O0 -g -c a.c b.c");
  for (const flags of ["-static", "-static-pie", ""]) {
    assert.is(w.sh(`gcc -B$B ${flags} -Wl,--unique a.o b.o -o prog && ./prog`), "2 1\n");
    const named = (name: string): number => w.elf("prog").shdrs.filter((section) => section.name === name).length;
    assert.equal([".init", ".fini", ".init_array", ".debug_info"].map(named), [1, 1, 1, 1]);
  }
});

rel("under a script: named, sorted, discarded, with data and symbols; what it does not name stays as it is", (w) => {
  w.write({
    "mod.lds": `SECTIONS {
      /DISCARD/ : { *(.discard) }
      __tab 0 : { start_tab = .; *(SORT(__tab+*)) QUAD(9) end_tab = .; }
      .data : ALIGN(32) { *(.data .data.[0-9a-z]*) BYTE(7) . = ALIGN(16); *(.late) }
      .nothing : { *(.no_such) }
      magic = 0x1234;
      .bss : { *(.bss .bss.*) }
    }`,
    "t.s": `
      .section __tab+b,"a"
      .quad 2
      .section __tab+a,"a"
      .quad 1, late
      .section .late,"aw"
      late: .quad 5
      .section .data.x,"aw"
      .quad 3
      .section .discard,"aw"
      .quad 4
      .section .text.grp,"axG",@progbits,grp,comdat
      .globl grp
      grp: mov $6, %eax
      ret`,
    "m.c": `#include <stdio.h>
      extern long start_tab[], end_tab[]; extern char magic[]; int grp(void); int main(void) {
      printf("%d %ld %ld %ld %ld %lx %d\\n", (int)(end_tab - start_tab), start_tab[0], *(long *)start_tab[1], start_tab[2], start_tab[3], (long)magic, grp()); }`,
  });
  w.sh("as t.s -o t.o && gcc -fno-pie -c m.c && $LD -r -T mod.lds t.o -o r.o");
  const elf = object(w, "r.o");
  assert.equal([elf.need("__tab").size, elf.need(".data").size, elf.need(".data").align], [32, 24, 32]);
  for (const name of [".discard", ".nothing", ".late"]) assert.not(elf.section(name), name);
  assert.equal(groups(elf).map((group) => group.members), [[".text.grp"]]);
  assert.is(elf.bytes[elf.need(".data").offset + 8], 7);
  runs(w, "gcc -no-pie", "r.o m.o", "4 1 5 2 9 1234 6\n");
  w.sh("$LD -r -T mod.lds --gc-sections -u grp t.o -o gc.o");
  assert.not(object(w, "gc.o").section("__tab+a"));
});

rel("-d gives commons space", (w) => {
  w.write(C).sh("gcc -O1 -fcommon -c a.c b.c m.c && $LD -r -d a.o b.o m.o -o all.o");
  const elf = object(w, "all.o");
  assert.is(elf.shdrs[elf.symbol("common")!.shndx]!.type, SHT.NOBITS);
  runs(w, "gcc", "all.o", C_SAYS);
});

rel("SHF_LINK_ORDER and SHF_GNU_RETAIN sections keep their meaning", (w) => {
  const source = (n: number): string => `
    .section .text.f${n},"ax",@progbits
    f${n}: ret
    .section meta,"ao",@progbits,.text.f${n}
    .quad f${n}
    .section keep,"awR",@progbits
    .quad ${n}`;
  w.write({ "a.s": source(1), "b.s": source(2) }).sh("as a.s -o a.o && as b.s -o b.o && $LD -r a.o b.o -o r.o");
  const elf = object(w, "r.o");
  const linked = elf.shdrs.filter((s) => s.name === "meta").map((s) => elf.shdrs[s.link]!.name);
  assert.equal(linked, [".text.f1", ".text.f2"]);
  assert.is(elf.need("keep").flags & SHF.RETAIN, SHF.RETAIN);
  assert.is(elf.bytes[7], 3, "ELFOSABI_GNU");
});

rel("program properties are merged, not listed twice", (w) => {
  w.write({ "a.c": "int a;", "b.c": "int b;" }).sh("gcc -fcf-protection=full -c a.c && gcc -fcf-protection=branch -c b.c && gcc -fcf-protection=none -c b.c -o n.o");
  w.sh("$LD -r a.o b.o -o ab.o && $LD -r a.o n.o -o an.o");
  contains(w.sh("readelf -n ab.o"), /x86 feature: IBT\s/);
  if (linkerName === "wield") assert.not(object(w, "an.o").section(".note.gnu.property"));
}, "readelf");

// Between strings that are read to be cut, constants are in memory as well; those that alignment keeps from being merged are written as they came.
rel("constants between strings stay what they are", (w) => {
  const strings = (align: number, text: string): string => `.section .rodata.str1.${align},"aMS",@progbits,1\n.balign ${align}\n.string "${text}"\n`;
  w.write({ "a.s": `${strings(1, "hello")}.section .rodata.cst4,"aM",@progbits,4\n.balign 16\n.long 0x11223344\n${strings(8, "world")}` });
  w.sh("as a.s -o a.o && $LD -r a.o -o r.o && objcopy -O binary -j .rodata.cst4 r.o r.bin");
  assert.equal([...w.bytes("r.bin")], [0x44, 0x33, 0x22, 0x11]);
});

rel("sections of megabytes are what they were, but for references to dead code", (w) => {
  const numbers = (base: string): string => `${base}: .rept 500000\n.quad . - ${base}\n.endr\n`;
  const f = '.section .text.f,"axG",@progbits,f,comdat\n.weak f\nf: ret\nlocal: ret\n';
  w.write({ "a.s": `${f}.data\n.byte 1\n`, "b.s": `${f}.data\n${numbers("base")}.section .debug_ranges\n${numbers("ranges")}.quad local, local\n` });
  w.sh("as a.s -o a.o && as b.s -o b.o && $LD -r a.o b.o -o r.o");
  const [from, to] = ["b.o", "r.o"].map((name) => object(w, name)) as [ElfFile, ElfFile];
  assert.ok(Buffer.compare(from.content(".data"), to.content(".data").subarray(-4_000_000)) === 0);
  assert.ok(Buffer.compare(from.content(".debug_ranges").subarray(0, 4_000_000), to.content(".debug_ranges").subarray(0, 4_000_000)) === 0);
  if (linkerName === "wield") assert.equal([...to.content(".debug_ranges").subarray(4_000_000)], [1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
});

rel("what is only copied is not in memory all at once", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "a.s": ".data\n.zero 60000000\n" }).sh("as a.s -o a.o");
  const peak = Number(/(\d+)\s+peak memory bytes/.exec(w.sh("$LD -r a.o -o r.o --stats"))![1]);
  assert.ok(peak < 100e6, String(peak));
  assert.ok(object(w, "r.o").content(".data").every((byte) => byte === 0));
  w.sh("rm a.o r.o");
});

rel("-e gives the entry point that programs have, as a place in its section; without -e there is none", (w) => {
  w.write({ "a.s": ".globl _start\nnop\n_start: ret\n", "b.s": ".globl last\nnop\nlast: ret\n" }).sh("as a.s -o a.o && as b.s -o b.o");
  const entry = (options: string): number => {
    w.sh(`$LD -r ${options} a.o b.o -o r.o 2> said`);
    return object(w, "r.o").entry;
  };
  assert.equal(["", "-e last", "-e 0x10", "-e last --defsym last=0x30"].map(entry), [0, 3, 16, 48]);
  assert.is(w.read("said"), "");
  assert.is(entry("-e nosuch"), 0);
  contains(w.read("said"), "warning: cannot find entry symbol nosuch; not setting start address");
});

rel.run();
