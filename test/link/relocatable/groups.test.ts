/** -r of C++: COMDAT groups stay groups, debug information and exceptions survive. */
import { assert, behaviour, contains } from "../../helpers/link.ts";
import { C, groups, object, relocations, runs, linkers, SHF } from "../../helpers/relocatable.ts";

const rel = behaviour("relocatable groups");

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
    for (const [name, place] of [["a", "a.c:6"], ["b", "b.c:7"], ["main", "m.c:3"]] as const) {
      contains(w.sh(`addr2line -f -e prog${i} $(nm prog${i} | awk '$3 == "${name}" { print $1 }')`), name, place);
    }
  }
}, "addr2line");

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

rel.run();
