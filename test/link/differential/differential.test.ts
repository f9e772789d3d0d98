/**
 * The same link by the linker under test, ld.bfd and ld.lld: what a program's loader and its users can see must be the same.
 *
 * Compared: needed libraries, exported and imported symbols with versions, which dynamic tags exist, flags, segments, section order,
 * constructor order, and the sections removed by --gc-sections. Not compared: addresses, sizes, hash layouts.
 * The surprising choice: ld.lld is the norm; where it differs from GNU ld, GNU ld is only asked for what both agree on.
 */

import { type ElfFile } from "../../helpers/dump.ts";
import { assert, behaviour, linkerName, type Workspace } from "../../helpers/link.ts";
import { run, tool } from "../../helpers/tools.ts";

const differential = behaviour("differential", "ld.bfd", "ld.lld");

/** Layout and rules of ld.lld before 18 differ from what wield follows; such a one is not asked. */
const norm = Number(/LLD (\d+)/.exec(tool("ld.lld") === "" ? "" : run(tool("ld.lld"), ["--version"]).stdout)?.[1] ?? 0) >= 18;
if (!norm) console.log("differential: no ld.lld of version 18 or newer, so only ld.bfd is compared");

interface Linked { own: ElfFile; lld: ElfFile; bfd: ElfFile }

/** Links with all three; `line` is a driver line without -o, in which $B is the driver folder. */
function linkAll(w: Workspace, line: string, output = "out"): Linked {
  for (const [name, program] of [["lld", tool("ld.lld")], ["bfd", tool("ld.bfd")]] as const) {
    w.write({ [`${name}-dir/.keep`]: "" });
    w.sh(`ln -sf ${program} ${name}-dir/ld.real; printf '#!/bin/sh\\nexec ${program} "$@"\\n' > ${name}-dir/ld; chmod +x ${name}-dir/ld`);
    w.sh(`${line.replaceAll("$B", `$PWD/${name}-dir`)} -o ${output}.${name}`);
  }
  w.sh(`${line} -o ${output}.own`);
  return { own: w.elf(`${output}.own`), lld: w.elf(norm ? `${output}.lld` : `${output}.own`), bfd: w.elf(`${output}.bfd`) };
}

/** GNU ld defines these in the dynamic symbol table where others do not, or the other way round. */
const LINKER_SYMBOLS = /^(_edata|edata|_end|end|__bss_start|_etext|etext|__data_start|data_start|_init|_fini|_start|main|_IO_stdin_used|__libc_csu_\w+|_DYNAMIC|_GLOBAL_OFFSET_TABLE_|_ITM_\w+)(@|$)/;
/** GNU ld exports fewer aliases of copied variables. */
const visible = (list: string[]): string[] => list.filter((s) => !LINKER_SYMBOLS.test(s) && !/^_?_?environ@/.test(s));
/** Symbols of versions, which lld does not write. */
const isVersion = (name: string): boolean => /^(\w+)@@\1$/.test(name);
/** Tags whose presence is a linker's taste: DT_BIND_NOW and DT_FLAGS say the same, DT_RELACOUNT may be left out when zero. */
const TASTE = new Set(["BIND_NOW", "FLAGS", "FLAGS_1", "RELACOUNT", "NULL", "HASH"]);
const tagNames = (elf: ElfFile): string[] => [...new Set(elf.dynamic().map((d) => d.name))].filter((name) => !TASTE.has(name)).sort();

function compareDynamic({ own, lld, bfd }: Linked): void {
  assert.equal(own.needed(), lld.needed(), "needed libraries as ld.lld");
  assert.equal([...own.needed()].sort(), [...bfd.needed()].sort(), "needed libraries as ld.bfd");
  assert.is(own.soname(), lld.soname());
  assert.is(own.runpath(), lld.runpath());
  assert.is(own.interp(), lld.interp());
  assert.equal(own.exports().filter((name) => !isVersion(name)), lld.exports(), "exports as ld.lld");
  assert.equal(visible(own.exports()), visible(bfd.exports()), "exports as ld.bfd");
  assert.equal(own.imports(), lld.imports(), "imports as ld.lld");
  assert.equal(visible(own.imports()), visible(bfd.imports()), "imports as ld.bfd");
  assert.equal(tagNames(own), tagNames(lld), "dynamic tags as ld.lld");
  for (const tag of ["FLAGS", "FLAGS_1"]) assert.is(own.tag(tag) ?? 0, lld.tag(tag) ?? 0, `DT_${tag}`);
}

function compareSegments({ own, lld, bfd }: Linked): void {
  assert.is(own.type, lld.type);
  assert.equal(own.loadFlags(), lld.loadFlags(), "PT_LOAD flags as ld.lld");
  const kinds = (elf: ElfFile): string[] => elf.phdrs.map((p) => p.type.toString(16));
  assert.equal(kinds(own), kinds(lld), "program header types as ld.lld");
  assert.is(own.segment(0x6474e551)?.flags, bfd.segment(0x6474e551)?.flags, "GNU_STACK as ld.bfd");
  assert.is(own.segment(7)?.memsz, lld.segment(7)?.memsz, "PT_TLS size");
  assert.is(own.segment(7)?.align, lld.segment(7)?.align, "PT_TLS alignment");
}

/** Allocated section names in order, without those whose presence is a matter of taste. */
function sectionOrder(elf: ElfFile): string[] {
  return elf.shdrs.filter((s) => s.flags & 2 && s.size > 0).map((s) => s.name).filter((n) => !/^\.(relro_padding|tm_clone_table|hash|plt\.got|bss\.rel\.ro|copyrel.*)$/.test(n));
}

/** As ld.lld, but .init stands before .text, as with ld.bfd. */
function wantedOrder({ lld, bfd }: Linked): string[] {
  const names = sectionOrder(lld).filter((name) => name !== ".init");
  if (sectionOrder(bfd).includes(".init")) names.splice(names.indexOf(".text"), 0, ".init");
  return names;
}

/** Global function and object symbols of .symtab. */
function globals(elf: ElfFile): string[] {
  return elf.symtab().filter((s) => s.bind !== 0 && s.shndx !== 0 && s.name !== "").map((s) => s.name).sort();
}

const C = `
  #include <stdio.h>
  #include <stdlib.h>
  #include <math.h>
  #include <errno.h>
  #include <pthread.h>
  extern char **environ; __thread int t = 4; static const char *const names[] = { "one", "two" };
  __attribute__((constructor(101))) static void early(void) { puts("early"); }
  __attribute__((constructor)) static void late(void) { puts("late"); }
  __attribute__((destructor)) static void gone(void) { puts("gone"); }
  int main(int argc, char **argv) { errno = 0; printf("%s %f %d %d\\n", names[argc > 1], pow(argc, 2.5), t, environ != 0); return 0; }`;

for (const [title, flags] of [
  ["a PIE", ""], ["a PIE with -z now and --hash-style=both", "-Wl,-z,now,--hash-style=both"], ["a position dependent program", "-no-pie"],
  ["a static program", "-static"], ["a static PIE", "-static-pie"], ["-rdynamic and rpath", "-rdynamic -Wl,-rpath,/opt/lib,--enable-new-dtags"], ["--gc-sections", "-Wl,--gc-sections"],
]) {
  differential(`C: ${title}`, (w) => {
    w.write({ "m.c": C }).sh(`gcc -O1 ${/no-pie|-static$/.test(flags!) ? "-fno-pie" : "-fPIE"} -fno-builtin -ffunction-sections -c m.c`);
    const linked = linkAll(w, `gcc -B$B ${flags} m.o -lm -pthread`);
    compareDynamic(linked);
    compareSegments(linked);
    assert.equal(sectionOrder(linked.own), wantedOrder(linked), "section order");
    const ours = globals(linked.own);
    assert.equal(ours, globals(linked.lld), "global symbols as ld.lld");
    assert.is(w.sh("./out.own"), w.sh("./out.bfd"));
  });
}

differential("C++ with exceptions, templates and a shared library", (w) => {
  w.write({
    "l.cc": "#include <stdexcept>\n#include <vector>\n#include <string>\nstruct Base { virtual ~Base(); virtual int f(); }; Base::~Base() {} int Base::f() { throw std::runtime_error(\"f\"); } std::string join(const std::vector<int> &v) { std::string s; for (int i : v) s += std::to_string(i); return s; } template <class T> T twice(T x) { return x + x; } template int twice(int);",
    "m.cc": "#include <iostream>\n#include <vector>\n#include <string>\nstruct Base { virtual ~Base(); virtual int f(); }; std::string join(const std::vector<int> &); int main() { try { Base().f(); } catch (const std::exception &e) { std::cout << e.what(); } std::cout << join({1, 2}) << std::endl; }",
  });
  w.sh("g++ -O1 -fPIC -c l.cc m.cc");
  const lib = linkAll(w, "g++ -B$B -shared l.o -Wl,-soname,libl.so", "libl.so");
  compareDynamic(lib);
  compareSegments(lib);
  assert.equal(sectionOrder(lib.own), wantedOrder(lib), "section order");
  w.sh("ln -s libl.so.own libl.so");
  const program = linkAll(w, "g++ -B$B m.o -L. -ll -Wl,-rpath,.");
  compareDynamic(program);
  compareSegments(program);
  assert.is(w.sh("./out.own"), w.sh("./out.bfd"));
}, "g++");

differential("a versioned library with copy relocations, TLS and ifunc users", (w) => {
  w.write({
    "l.c": 'int old(void) { return 1; } int new(void) { return 2; } __asm__(".symver old, api@V1"); __asm__(".symver new, api@@V2"); int data = 4; __thread int tls = 5; static int impl(void) { return 6; } static int (*res(void))(void) { return impl; } int fast(void) __attribute__((ifunc("res"))); int hidden(void) { return 7; } int weak_one(void) __attribute__((weak)); int weak_one(void) { return 8; }',
    "v.map": "V1 { global: api; data; tls; fast; weak*; local: *; }; V2 { global: api; } V1;",
    "m.c": '#include <stdio.h>\nint api(void), fast(void), weak_one(void); extern int data; extern __thread int tls; int main(void) { printf("%d %d %d %d %d\\n", api(), fast(), weak_one(), data, tls); return 0; }',
  });
  w.sh("gcc -O1 -fPIC -c l.c && gcc -O1 -fno-pie -c m.c");
  const lib = linkAll(w, "gcc -B$B -shared l.o -Wl,--version-script=v.map,-soname,libv.so", "libv.so");
  compareDynamic(lib);
  compareSegments(lib);
  const names = (elf: ElfFile): string[] => elf.verdefs().map((d) => `${d.name}:${d.flags}:${d.parents.join()}`);
  assert.equal(names(lib.own), names(lib.lld));
  w.sh("ln -s libv.so.own libv.so");
  const program = linkAll(w, "gcc -no-pie -B$B m.o -L. -lv -Wl,-rpath,.");
  compareDynamic(program);
  compareSegments(program);
  const copies = (elf: ElfFile): string[] => elf.relocs().filter((r) => r.type === 5).map((r) => r.name).sort();
  assert.equal(copies(program.own), copies(program.lld));
  const types = (elf: ElfFile): string => [...new Set(elf.relocs().map((r) => r.type))].sort().join();
  assert.is(types(program.own), types(program.lld));
  assert.is(w.sh("./out.own"), w.sh("./out.bfd"));
});

differential("the number of GOT entries, PLT entries and dynamic relocations", (w) => {
  w.write({ "m.c": "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nstatic int a, b; int *pa = &a; int *table[] = { &a, &b, &a }; extern int ext(void) __attribute__((weak)); int (*pf)(const char *) = puts; __attribute__((noinline)) int f(char *s) { return strlen(s) + atoi(s); } int main(int c, char **v) { if (ext) ext(); free(malloc(3)); return pf == puts && f(\"\") == 0 && stdout != 0 ? 0 : 1; }" });
  for (const [name, compile, link] of [["pie", "-fPIE", "-pie"], ["noplt", "-fPIE -fno-plt", "-pie"], ["shared", "-fPIC", "-shared"], ["exec", "-fno-pie", "-no-pie"]] as const) {
    w.sh(`gcc -O1 ${compile} -fno-builtin -c m.c -o ${name}.o`);
    const { own, lld } = linkAll(w, `gcc -B$B ${link} ${name}.o`, name);
    const count = (elf: ElfFile): string[] => {
      const counts = new Map<string, number>();
      for (const r of elf.relocs()) counts.set(`${r.section}:${r.type}`, (counts.get(`${r.section}:${r.type}`) ?? 0) + 1);
      return [...counts].map(([k, n]) => `${k}=${n}`).sort();
    };
    assert.equal(count(own), count(lld), name);
    for (const s of [".got", ".got.plt", ".plt"]) assert.is(own.section(s)?.size ?? 0, lld.section(s)?.size ?? 0, `${name} ${s}`);
  }
});

differential("constructor order with priorities over objects and archives", (w) => {
  const unit = (n: number): string => `#include <stdio.h>\n__attribute__((constructor)) static void c(void) { printf("c${n} "); } __attribute__((constructor(${300 - n}))) static void p(void) { printf("p${n} "); } __attribute__((destructor)) static void d(void) { printf("d${n} "); } int use${n};`;
  w.write({ "a.c": unit(1), "b.c": unit(2), "c.c": unit(3), "d.c": unit(4), "m.c": "extern int use3, use4; int main(void) { return use3 + use4; }" });
  w.sh("gcc -O1 -fPIE -c *.c && ar rc lib.a c.o d.o");
  linkAll(w, "gcc -B$B b.o m.o a.o lib.a");
  assert.is(w.sh("./out.own"), w.sh("./out.lld"));
  assert.is(w.sh("./out.own"), w.sh("./out.bfd"));
}, "ar");

differential("the live set under --gc-sections", (w) => {
  w.write({
    "a.cc": "#include <vector>\n#include <string>\n#include <stdexcept>\nstruct V { virtual ~V() {} virtual int used() { return 1; } virtual int unused() { return 2; } }; int dead1() { return 1; } int dead2() { return dead1(); } int live(int n) { std::vector<std::string> v(n, \"x\"); V x; V *p = &x; if (n > 5) throw std::runtime_error(\"n\"); return v.size() + p->used(); } static int table[] = { 1, 2 }; int *dead_table() { return table; }",
    "m.cc": "int live(int); int main() { try { return live(2) - 3; } catch (...) { return 9; } }",
  });
  w.sh("g++ -O1 -ffunction-sections -fdata-sections -c a.cc m.cc");
  for (const flags of ["", "-static", "-static-pie"]) {
    const removed = (dir: string, name: string): string[] => {
      const log = w.sh(`g++ -B${dir} ${flags} a.o m.o -Wl,--gc-sections,--print-gc-sections -o ${name} 2>&1`);
      assert.is(w.try(`./${name}`).status, 0);
      return [...log.matchAll(/removing unused section (.*)/g)].map((m) => m[1]!.replace(/^.*\/(?=[^/]*$)/, "")).sort();
    };
    linkAll(w, "g++ -B$B a.o m.o");
    const ours = removed("$B", "own");
    const theirs = removed("$PWD/lld-dir", "lld");
    // GNU ld spells these lines differently; the symbols that are left must agree with ld.lld as well
    if (linkerName !== "bfd" && norm) {
      // lld keeps the LSDA of a dead function; wield follows an FDE only once its function is live
      const isLsda = (line: string) => line.includes("(.gcc_except_table");
      // nor does lld keep the section by whose place debuggers find the probes of the C library
      const isProbeBase = (line: string) => line.includes("(.stapsdt.base");
      assert.equal(ours.filter((line) => theirs.includes(line) || !isLsda(line)), theirs.filter((line) => !isProbeBase(line)), flags);
    }
    if (norm) assert.equal(globals(w.elf("own")), globals(w.elf("lld")), flags);
  }
}, "g++");

differential.run();
