/**
 * -r: object files that can be linked again, by this linker and by others, into programs that run.
 *
 * What an object file must be is checked by `objectProblems` below on every output; wield's own choices (which sections are joined)
 * are asserted only where a reader depends on them.
 */
import * as fs from "node:fs";
import { ElfFile } from "../../helpers/dump.ts";
import { assert, behaviour, contains, ld, linkerName, type Workspace } from "../../helpers/link.ts";
import { tool } from "../../helpers/tools.ts";

const rel = behaviour("relocatable");
const SHT = { RELA: 4, NOBITS: 8, GROUP: 17 };
const SHF = { GROUP: 0x200, INFO_LINK: 0x40, LINK_ORDER: 0x80, RETAIN: 0x200000 };
const SHN_COMMON = 0xfff2;

interface Relocation { offset: number; type: number; sym: number; addend: number }

function relocations(elf: ElfFile, name: string): Relocation[] {
  const section = elf.need(name);
  const list: Relocation[] = [];
  for (let at = section.offset; at < section.offset + section.size; at += 24) {
    list.push({ offset: elf.u64(at), type: elf.u32(at + 8), sym: elf.u32(at + 12), addend: elf.i64(at + 16) });
  }
  return list;
}

function groups(elf: ElfFile): { signature: string; comdat: boolean; members: string[] }[] {
  return elf.shdrs.filter((s) => s.type === SHT.GROUP).map((s) => {
    const words = Array.from({ length: s.size / 4 }, (_, i) => elf.u32(s.offset + 4 * i));
    const symbol = elf.symtab()[s.info];
    const signature = symbol.type === 3 ? elf.shdrs[symbol.shndx].name : symbol.name;
    return { signature, comdat: words[0] === 1, members: words.slice(1).map((index) => elf.shdrs[index].name) };
  });
}

/** What gABI ch. 4 demands of any relocatable file. */
function objectProblems(elf: ElfFile): string[] {
  const problems: string[] = [];
  const symbols = elf.symtab();
  const ranges = [{ from: 0, to: 64, name: "header" }, { from: elf.u64(40), to: elf.u64(40) + 64 * elf.shdrs.length, name: "section headers" }];
  if (elf.type !== 1 || elf.phdrs.length !== 0) problems.push("not ET_REL without segments");
  for (const s of elf.shdrs.slice(1)) {
    if (s.addr !== 0) problems.push(`${s.name} has an address`);
    if (s.type !== SHT.NOBITS && s.size > 0) ranges.push({ from: s.offset, to: s.offset + s.size, name: s.name });
    if (s.type !== SHT.NOBITS && s.align > 1 && s.offset % s.align !== 0) problems.push(`${s.name} is not aligned in the file`);
    if (s.type === SHT.GROUP) {
      for (let i = 1; i < s.size / 4; i++) {
        const member = elf.shdrs[elf.u32(s.offset + 4 * i)];
        if (member === undefined || member.index <= s.index) problems.push(`group ${s.index} before its member ${member?.index}`);
        else if (!(member.flags & SHF.GROUP)) problems.push(`${member.name} is in a group without SHF_GROUP`);
      }
    }
    if (s.type !== SHT.RELA) continue;
    const target = elf.shdrs[s.info];
    if (elf.shdrs[s.link].name !== ".symtab" || s.name !== ".rela" + target.name || !(s.flags & SHF.INFO_LINK)) problems.push(`${s.name} is not about ${target.name}`);
    for (let at = s.offset; at < s.offset + s.size; at += 24) {
      if (elf.u64(at) >= target.size) problems.push(`${s.name}: offset outside ${target.name}`);
      if (elf.u32(at + 12) >= symbols.length) problems.push(`${s.name}: symbol ${elf.u32(at + 12)}`);
    }
  }
  const sorted = ranges.sort((a, b) => a.from - b.from);
  sorted.forEach((r, i) => {
    if (r.to > elf.bytes.length || (i > 0 && r.from < sorted[i - 1].to)) problems.push(`${r.name} overlaps ${sorted[i - 1]?.name} or the end`);
  });
  symbols.forEach((s, i) => {
    if (s.bind === 0 !== i < elf.need(".symtab").info) problems.push(`symbol ${i} ${s.name} is on the wrong side of sh_info`);
    if (s.shndx >= elf.shdrs.length && s.shndx < 0xff00) problems.push(`symbol ${i} ${s.name} in section ${s.shndx}`);
  });
  return problems;
}

function object(w: Workspace, name: string): ElfFile {
  const elf = w.elf(name);
  assert.equal(objectProblems(elf), [], name);
  return elf;
}

/** Linkers that must accept the object: this one, and the others that are installed. */
function linkers(): string[] {
  return [ld, tool("ld.bfd"), tool("ld.lld")].filter((program) => program !== "");
}

/** Links `objects` with every linker through `driver`, runs the program and compares what it prints. */
function runs(w: Workspace, driver: string, objects: string, expected: string): void {
  for (const [i, program] of linkers().entries()) {
    w.sh(`mkdir -p with${i} && ln -sf ${program} with${i}/ld && ${driver} -Bwith${i} ${objects} -o prog${i}`);
    assert.is(w.sh(`./prog${i}`), expected, `${objects} linked by ${program}`);
  }
}

const C = {
  "a.c": `
    #include <stdio.h>
    int common[4]; static volatile int hidden_state = 5; int shared_data = 3;
    static const char *names[] = { "zero", "one", "two" };
    static __attribute__((noinline)) int helper(int x) { return x * hidden_state; }
    int a(int x) { printf("%s ", names[x]); common[1]++; return helper(x) + shared_data; }`,
  "b.c": `
    #include <stdio.h>
    extern int common[4]; extern int shared_data; __thread int tls_zero; __thread int tls_two = 2;
    extern int missing(void) __attribute__((weak));
    static __attribute__((noinline)) int helper(int x) { static int calls; return ++calls + x; }
    double half(double x) { return x * 0.5; }
    int b(int x) { tls_zero += tls_two; printf("%s %d ", "zero", missing ? 1 : 0); return helper(x) + tls_zero + common[1] + (int)half(8); }`,
  "m.c": `
    #include <stdio.h>
    int a(int), b(int); int main(void) { int x = a(1), y = a(2), z = b(3); printf("%d %d %d\\n", x, y, z); }`,
};
const C_SAYS = "one two zero 0 8 13 12\n";

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

rel("range lists of debug information do not end where a lost copy was; only odd references to one are warned about", (w) => {
  w.write({ "a.s": `
    .section .text.f,"axG",@progbits,f,comdat
    .globl f
    f: ret
    .section .debug_ranges,"",@progbits
    .quad .text.f, .text.f+1, 0, 0
    .section .table,"aw"
    .quad .text.f` });
  w.sh("as a.s -o a.o && cp a.o b.o && $LD -r a.o b.o -o r.o 2> said");
  const elf = object(w, "r.o");
  const ranges = elf.need(".debug_ranges").offset;
  assert.equal([0, 8, 32, 40, 48].map((at) => elf.u64(ranges + at)), [0, 0, 1, 1, 0]);
  assert.equal(relocations(elf, ".rela.debug_ranges").map((r) => r.type), [1, 1, 0, 0]);
  contains(w.read("said"), "relocation refers to a discarded section: .text.f\n>>> referenced by b.o:(.rela.table+0x0)");
  assert.is(w.read("said").split("warning:").length, 2);
});

rel("-d gives commons space", (w) => {
  w.write(C).sh("gcc -O1 -fcommon -c a.c b.c m.c && $LD -r -d a.o b.o m.o -o all.o");
  const elf = object(w, "all.o");
  assert.is(elf.shdrs[elf.symbol("common")!.shndx].type, SHT.NOBITS);
  runs(w, "gcc", "all.o", C_SAYS);
});

const CXX = {
  "h.h": `
    #include <stdexcept>
    #include <string>
    struct Base { virtual ~Base() {} virtual int value() const { return 1; } };
    template <class T> T twice(T t) { static int calls; ++calls; if (t > 100) throw std::out_of_range("twice"); return t + t + calls * 1000; }
    inline int &counter() { static int n; return n; }
    int a(int); int b(int);`,
  "a.cc": '#include "h.h"\nstruct A : Base { int value() const override { return 2; } }; int a(int x) { A o; Base *p = &o; counter()++; return twice(x) + p->value(); }',
  "b.cc": '#include "h.h"\nint b(int x) { Base *p = new Base; counter()++; int v = twice(x) + p->value(); delete p; return v; }',
  "m.cc": `
    #include "h.h"
    #include <iostream>
    int main() {
      std::cout << a(1) << ' ' << b(2) << ' ' << counter() << ' ';
      for (int i = 0; i < 2; i++) try { i ? a(101) : b(102); } catch (const std::exception &e) { std::cout << e.what() << i << ' '; }
      std::cout << twice(3) << '\\n';
    }`,
};
const CXX_SAYS = "1004 2005 2 twice0 twice1 5006\n";

rel("C++: COMDAT groups stay groups, exceptions work, -r of -r", (w) => {
  w.write(CXX).sh("g++ -O0 -g -c a.cc b.cc m.cc && $LD -r a.o b.o -o ab.o && $LD -r ab.o m.o -o all.o && $LD -r all.o -o again.o");
  const inputs = new Set(["a.o", "b.o"].flatMap((name) => groups(w.elf(name)).map((group) => group.signature)));
  const elf = object(w, "ab.o");
  assert.equal(groups(elf).map((group) => group.signature).sort(), [...inputs].sort(), "one copy of each group");
  for (const group of groups(elf)) {
    assert.ok(group.comdat, group.signature);
    for (const name of group.members) assert.ok(!elf.section(".rela" + name) || group.members.includes(".rela" + name), `relocations of ${name} belong to the group`);
  }
  assert.ok(groups(elf).some((group) => /5Ev$/.test(group.signature)), "local signatures");
  assert.ok(relocations(elf, ".rela.eh_frame").some((r) => r.type === 0 && r.sym === 0), "FDEs of lost copies refer to nothing");
  object(w, "all.o");
  runs(w, "g++", "ab.o m.o", CXX_SAYS);
  runs(w, "g++", "all.o", CXX_SAYS);
  runs(w, "g++ -static", "again.o", CXX_SAYS);
}, "g++");

rel("groups without loaded sections stay groups; --force-group-allocation and its script command dissolve all", (w) => {
  const types = (n: number): string => `.section .debug_types,"G",@progbits,wt.one,comdat\n.long 1\n.section .debug_types,"G",@progbits,wt.own${n},comdat\n.long .text\n.section .text.f,"axG",@progbits,f,comdat\n.weak f\nf: nop\n.text\n call f\n`;
  w.write({ "a.s": types(1), "b.s": types(2), "t.ld": "FORCE_GROUP_ALLOCATION" }).sh("as a.s -o a.o && as b.s -o b.o && $LD -r a.o b.o -o r.o && $LD -r r.o a.o -o again.o");
  for (const name of ["r.o", "again.o"]) {
    assert.equal(groups(object(w, name)).map(({ signature }) => signature).sort(), ["f", "wt.one", "wt.own1", "wt.own2"], name);
    assert.is(object(w, name).shdrs.filter((section) => section.name === ".debug_types").length, 3, name);
  }
  w.sh("$LD -r a.o b.o --force-group-allocation -o d.o && $LD -r a.o b.o t.ld -o e.o && cmp d.o e.o");
  const elf = object(w, "d.o");
  assert.equal(groups(elf), []);
  assert.is(elf.need(".debug_types").size, 12);
  assert.ok(elf.shdrs.every(({ flags }) => (flags & SHF.GROUP) === 0));
});

rel("C++ of clang with sections per function", (w) => {
  w.write(CXX).sh("$CLANGXX -O1 -ffunction-sections -fdata-sections -c a.cc b.cc && g++ -O1 -c m.cc && $LD -r a.o b.o -o ab.o && $LD -r ab.o m.o -o all.o");
  object(w, "ab.o");
  runs(w, "g++ -Wl,--gc-sections", "ab.o m.o", CXX_SAYS);
  runs(w, "g++", "all.o", CXX_SAYS);
}, "g++", "clang++");

rel("debug information survives: lines and names are found in the final program", (w) => {
  w.write(C).sh("gcc -g -O0 -c a.c b.c m.c && gcc -g -O0 -gz -c b.c && $LD -r a.o b.o m.o -o all.o");
  const elf = object(w, "all.o");
  assert.ok(elf.section(".rela.debug_info"));
  assert.is(elf.need(".debug_info").flags & 0x800, 0, "inflated");
  for (const [i, program] of linkers().entries()) {
    w.sh(`mkdir -p d${i} && ln -sf ${program} d${i}/ld && gcc -Bd${i} -no-pie all.o -o prog${i}`);
    for (const [name, place] of [["a", "a.c:6"], ["b", "b.c:7"], ["main", "m.c:3"]]) {
      contains(w.sh(`addr2line -f -e prog${i} $(nm prog${i} | awk '$3 == "${name}" { print $1 }')`), name, place);
    }
  }
}, "addr2line");

rel("-x, -X, -S and -s leave a file that can still be linked", (w) => {
  w.write({ ...C, "l.s": ".data\n.Lkept: .quad 1\nplain: .quad 2\n.text\n.globl l\nl: mov .Lkept(%rip), %rax\n ret\n" });
  w.sh("gcc -g -O1 -fcommon -c a.c b.c m.c && as -L l.s -o l.o");
  const locals = (name: string): string[] => object(w, name).symtab().filter((s) => s.bind === 0 && s.type !== 3 && s.name !== "").map((s) => s.name);
  for (const flag of ["-x", "-X", "-S", "-s"]) {
    w.sh(`$LD -r ${flag} a.o b.o m.o l.o -o all.o`);
    const names = locals("all.o");
    assert.is(names.includes("hidden_state"), flag === "-X" || flag === "-S", `${flag}: ${names}`);
    assert.is(names.includes(".Lkept"), flag === "-S", `${flag}: ${names}`);
    assert.is(w.elf("all.o").section(".debug_info") === undefined, flag === "-S" || flag === "-s", flag);
    runs(w, "gcc", "all.o", C_SAYS);
  }
});

rel("locals that relocations need by name stay under -x", (w) => {
  w.write({ "a.c": "static int (*volatile pick(void))(void); static __attribute__((noinline)) int loc(void) { return 42; } static int (*volatile p)(void) = loc; int main(void) { return p() - 42; }" });
  w.sh("clang=$CLANG; ${clang:-gcc} -O1 -fPIC -c a.c && $LD -r -x a.o -o r.o && gcc r.o -o prog && ./prog && gcc -B$B r.o -o prog && ./prog");
  object(w, "r.o");
});

rel("--gc-sections keeps what -e and -u reach, with its unwind tables", (w) => {
  w.write({ "a.cc": `
    #include <cstdio>
    void thrower(int x) { throw x; }
    int live(int x) { try { thrower(x); } catch (int y) { return y + 1; } return 0; }
    int common_dead; int dead_call(); int dead(int x) { try { return dead_call(); } catch (...) { return x; } }
    int also(void) { return 7; }` ,
    "m.cc": "#include <cstdio>\nint live(int); int also(); int main() { std::printf(\"%d %d\\n\", live(4), also()); }" });
  w.sh("g++ -O1 -ffunction-sections -fdata-sections -c a.cc m.cc && $LD -r --gc-sections -e _Z4livei -u _Z4alsov a.o -o r.o");
  const elf = object(w, "r.o");
  for (const name of ["_Z4livei", "_Z7throweri", "_Z4alsov"]) assert.ok(elf.symbol(name), name);
  for (const name of ["_Z4deadi", "_Z9dead_callv"]) assert.not(elf.symbol(name), name);
  runs(w, "g++", "r.o m.o", "5 7\n");
  if (linkerName === "wield") contains(w.fails("$LD -r --gc-sections a.o -o x.o"), "-r and --gc-sections need a symbol to start from");
}, "g++");

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
  const linked = elf.shdrs.filter((s) => s.name === "meta").map((s) => elf.shdrs[s.link].name);
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

rel("symbols keep visibility, binding, size, version suffix and absolute values", (w) => {
  w.write({ "a.s": `
    .globl hid, weakling, uniq, abs, impl
    .hidden hid
    .weak weakling
    .type hid, @object
    .size hid, 8
    .data
    hid: .quad 1
    weakling: .quad 2
    .type uniq, @gnu_unique_object
    uniq: .quad 3
    impl: .quad 4
    .symver impl, pub@@V1, remove
    .set abs, 0x1234
    .quad other
    .protected other`, "b.s": ".data\n.globl second\nsecond: .quad hid, weakling" });
  w.sh("as a.s -o a.o && as b.s -o b.o && $LD -r b.o a.o -o r.o");
  const elf = object(w, "r.o");
  const shown = (name: string): number[] => { const s = elf.symbol(name)!; return [s.bind, s.type, s.visibility, s.value, s.size]; };
  assert.equal(shown("hid"), [1, 1, 2, 16, 8]);
  assert.equal(shown("weakling").slice(0, 1), [2]);
  assert.equal(shown("uniq").slice(0, 1), [10]);
  assert.equal([elf.symbol("abs")!.shndx, elf.symbol("abs")!.value], [0xfff1, 0x1234]);
  assert.is(elf.symbol("other")!.visibility, 3);
  assert.ok(elf.symbol("pub@@V1"));
  assert.is(elf.bytes[7], 3, "ELFOSABI_GNU because of STB_GNU_UNIQUE");
});

rel("more sections than fit into st_shndx", (w) => {
  const lines = Array.from({ length: 33000 }, (_, i) => `.section .text.f${i},"axG",@progbits,g${i},comdat\n.globl g${i}\ng${i}: ret\n`);
  w.write({ "a.s": lines.join(""), "m.c": "void g1(void), g32999(void); int main(void) { g1(); g32999(); return 0; }" });
  w.sh("as a.s -o a.o && $LD -r a.o -o r.o");
  const elf = object(w, "r.o");
  assert.ok(elf.shdrs.length > 66000);
  assert.is(elf.symbol("g32999")!.shndx, 0xffff);
  runs(w, "gcc -Wl,--gc-sections", "r.o m.c", "");
});

rel("the same bytes for any number of threads", (w) => {
  w.write(CXX).sh("g++ -g -c a.cc b.cc m.cc && for n in 1 2 5; do $LD --threads=$n -r a.o b.o m.o -o r$n.o; done && cmp r1.o r2.o && cmp r1.o r5.o");
}, "g++");

rel("undefined symbols are kept, duplicate ones are errors, shared objects are refused", (w) => {
  w.write({ "a.c": "int nowhere(void); int a(void) { return nowhere(); }", "b.c": "int a(void) { return 1; }" });
  w.sh("gcc -c a.c b.c && gcc -shared -fPIC b.c -o b.so && $LD -r a.o -o r.o");
  assert.is(object(w, "r.o").symbol("nowhere")!.shndx, 0);
  contains(w.fails("$LD -r a.o b.o -o x.o"), /duplicate symbol: a|multiple definition of/);
  assert.not(w.exists("x.o"));
  w.fails("$LD -r a.o b.so -o x.o");
});

rel("--defsym keeps the section of what it refers to, also by way of another", (w) => {
  w.write({ "f.s": ".globl f\nnop\nf: nop\n" }).sh("as f.s -o f.o && $LD -r f.o --defsym a=f+4 --defsym b=a+4 --defsym c=7 -o r.o");
  const place = (name: string): [string, number] => {
    const elf = w.elf("r.o");
    const { shndx, value } = elf.symtab().find((each) => each.name === name)!;
    return [elf.shdrs[shndx]?.name ?? "absolute", value];
  };
  if (linkerName !== "bfd") assert.equal(["a", "b", "c"].map(place), [[".text", 5], [".text", 9], ["absolute", 7]]);
}, "as");

rel("--wrap, --defsym and archives", (w) => {
  w.write({
    "a.c": "int f(void), g(void); int a(void) { return f() * 10 + g(); }", "f.c": "int f(void) { return 1; } int __wrap_f(void) { return 2; }",
    "g.c": "int lib_g(void) { return 3; }", "u.c": "int unused(void) { return 9; }", "m.c": '#include <stdio.h>\nint a(void); int main(void) { printf("%d\\n", a()); }',
  });
  w.sh("gcc -O1 -c a.c f.c g.c u.c m.c && ar rc lib.a f.o u.o && $LD -r --wrap=f --defsym=g=lib_g a.o g.o lib.a -o r.o");
  assert.not(object(w, "r.o").symbol("unused"));
  runs(w, "gcc", "r.o m.o", "23\n");
});

rel.run();
