/**
 * What the linker says when a program cannot be linked: texts, places, hints, limits, exit status, and that no output appears.
 *
 * Wording is checked for wield and, where the words are the same, for ld.lld.
 */

import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";

const diagnostics = behaviour("diagnostics");
const lld = linkerName === "wield" || linkerName === "lld";
const wield = linkerName === "wield";

diagnostics("an undefined symbol with source line, object and archive member", (w) => {
  if (!lld) return;
  w.write({ "src/m.c": "int wanted(int);\nint main(void)\n{\n  return wanted(1);\n}\n", "src/a.c": "int wanted(int);\nint from_archive(void) { return wanted(2); }\n", "n.c": "int from_archive(void);\nint wanted(int);\nint main(void) { return from_archive() + wanted(3); }\n" });
  w.sh("gcc -g -c src/m.c -o m.o && gcc -g -c src/a.c -o a.o && ar rc lib.a a.o && gcc -c n.c -o n.o");
  const one = w.fails("gcc -B$B m.o -o m");
  contains(one, "error: undefined symbol: wanted", /\n>>> referenced by m\.c:4 \(.*src\/m\.c:4\)\n>>>\s+m\.o:\(main\)/);
  assert.not(w.exists("m"));
  const two = w.fails("gcc -B$B n.o lib.a -o n");
  contains(two, "undefined symbol: wanted", /referenced by n\.c\n>>>\s+n\.o:\(main\)/, /a\.o:\(from_archive\) in archive lib\.a/);
  if (wield) contains(one, /^wield: error|^ld: error|^.*: error: undefined/m);
}, "ar");

diagnostics("sections are called by their whole names, in archives and large objects, too", (w) => {
  if (!lld) return;
  const far = (name: string, pad = "") => `.section .text.${name},"ax",@progbits\n.globl ${name}\n${name}: .quad wanted\n${pad}.section .data.rel.ro.${name},"aw",@progbits\n.byte 1\n.quad wanted - .\n`;
  w.write({ "a.s": far("one"), "b.s": far("two", ".fill 100000\n"), "m.s": ".globl _start\n_start: call one\ncall two\n" });
  w.sh("for f in a b m; do as $f.s -o $f.o; done; ar rc lib.a a.o b.o");
  const said = w.fails("$LD m.o lib.a -o m");
  contains(said, /a\.o:\(\.text\.one\+0x0\)/, /a\.o:\(\.data\.rel\.ro\.one\+0x1\)/, /b\.o:\(\.text\.two\+0x0\)/);
}, "ar");

diagnostics("C++ names are demangled, and not with --no-demangle", (w) => {
  if (!lld) return;
  w.write({ "m.cc": "namespace ns { int wanted(int, const char *); }\nint main() { return ns::wanted(1, \"\"); }\n" }).sh("g++ -c m.cc");
  contains(w.fails("g++ -B$B m.o -o m"), "undefined symbol: ns::wanted(int, char const*)");
  contains(w.fails("g++ -B$B m.o -Wl,--no-demangle -o m"), "undefined symbol: _ZN2ns6wantedEiPKc");
}, "g++");

diagnostics("near names and other languages are suggested", (w) => {
  if (!lld) return;
  w.write({ "m.c": "int recieve(int); int main(void) { return recieve(1); }", "a.c": "int receive(int x) { return x; }", "b.cc": "int cxx(int x) { return x; }", "n.c": "int cxx(int); int main(void) { return cxx(1); }" });
  w.sh("gcc -c m.c a.c n.c && g++ -c b.cc");
  contains(w.fails("gcc -B$B m.o a.o -o m"), /did you mean: receive\n>>> defined in:? a\.o/);
  contains(w.fails("gcc -B$B n.o b.o -o m"), /did you mean.*cxx/);
}, "g++");

diagnostics("a near name may be in an archive that nobody asked for", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "m.c": "int recieve(int); int known(void); int main(void) { return recieve(1) + known(); }", "a.c": "int receive(int x) { return x; }", "k.c": "int known(void) { return 1; }" });
  w.sh("gcc -c m.c a.c k.c && ar rcs lib.a a.o k.o");
  contains(w.fails("gcc -B$B m.o lib.a -o m"), "did you mean: receive\n>>> defined in: lib.a(a.o)");
});

diagnostics("the library that somebody forgot is named, once", (w) => {
  if (!wield) return;
  w.write({ "m.c": "double sqrt(double); double pow(double, double); int printf(const char *, ...); int mine(void); int main(int c, char **v) { return printf(v[0]) + mine() + (int)(sqrt(c) + pow(c, c)); }", "n.cc": "struct S { int *p = new int; ~S() { delete p; } }; void f() { S s; throw 1; }" });
  w.sh("gcc -O0 -fno-builtin -c m.c && g++ -c n.cc");
  const count = (text: string, part: string): number => text.split(part).length - 1;
  const c = w.fails("$LD m.o -o m");
  assert.is(count(c, "\n>>> the mathematical library has it: link with -lm\n"), 1);
  contains(c, /undefined symbol: printf\n.*\n.*\n>>> no C library is in the link: compilers add it/);
  const linked = w.fails("gcc -B$B m.o n.o -o m");
  lacks(linked, "no C library");
  assert.is(count(linked, "\n>>> the C++ standard library has it: link with g++ or clang++, or with -lstdc++\n"), 1);
  assert.is(count(linked, "-lm\n"), 1);
  lacks(w.fails("g++ -B$B m.o n.o -o m"), "C++ standard library", "-lm\n", "C library");
}, "g++");

diagnostics("many undefined symbols: the limit, and --error-limit", (w) => {
  if (!lld) return;
  const names = Array.from({ length: 30 }, (_, i) => `missing_${String.fromCharCode(97 + (i % 26))}${i}_function`);
  w.write({ "m.c": names.map((n) => `int ${n}(void);`).join("\n") + `int main(void) { return ${names.map((n) => n + "()").join("+")}; }` }).sh("gcc -c m.c");
  const count = (text: string): number => text.split("undefined symbol:").length - 1;
  const limited = w.fails("gcc -B$B m.o -o m");
  assert.is(count(limited), 20);
  contains(limited, "too many errors emitted, stopping now");
  assert.is(count(w.fails("gcc -B$B m.o -Wl,--error-limit=0 -o m")), 30);
  assert.is(count(w.fails("gcc -B$B m.o -Wl,--error-limit=5 -o m")), 5);
});

diagnostics("many references to one symbol are counted", (w) => {
  if (!lld) return;
  w.write({ "m.c": "int wanted(void); int main(void) { return wanted() + wanted() + wanted() + wanted() + wanted() + wanted(); }" }).sh("gcc -O0 -c m.c");
  contains(w.fails("gcc -B$B m.o -o m"), "referenced 3 more times");
});

diagnostics("duplicate symbols show both places with lines", (w) => {
  if (!lld) return;
  w.write({ "a.c": "int twice(void) { return 1; }\n", "b.c": "\n\nint twice(void) { return 2; }\n", "m.c": "int main(void) { return 0; }" }).sh("gcc -g -c a.c b.c m.c");
  contains(w.fails("gcc -B$B m.o a.o b.o -o m"), "error: duplicate symbol: twice", /\n>>> defined at a\.c:1 \(.*a\.c:1\)\n>>>\s+a\.o:\(twice\)/, /\n>>> defined at b\.c:3 \(.*b\.c:3\)\n>>>\s+b\.o:\((\.text\+0x0|.*twice)\)/);
});

diagnostics("relocations that a PIE or shared object cannot hold", (w) => {
  if (!lld) return;
  w.write({ "a.c": "extern int outside; int *get(void) { return &outside; } int inside = 1; int *get2(void) { return &inside; }" }).sh("gcc -O1 -fno-pie -mcmodel=small -c a.c");
  contains(w.fails("gcc -B$B -shared a.o -o a.so"), /relocation R_X86_64_\w+ cannot be used against symbol 'outside'; recompile with -fPIC/, /referenced by|defined in/);
  assert.not(w.exists("a.so"));
});

diagnostics("hidden symbols of a shared object, TLS mismatches", (w) => {
  if (!lld) return;
  w.write({ "m.c": "__attribute__((visibility(\"hidden\"))) int wanted(void); int main(void) { return wanted(); }", "l.c": "int wanted(void) { return 1; }" });
  w.sh("gcc -fPIC -c l.c m.c && gcc -B$B -shared l.o -o libl.so");
  contains(w.fails("gcc -B$B m.o libl.so -o m"), /undefined (hidden )?symbol: wanted/);
});

diagnostics("files that are missing, folders, empty, of another machine, not objects", (w) => {
  w.write({ "m.c": "int main(void) { return 0; }", "empty.o": "", "text.o": "this is not an object file, nor a linker script {{{\n", "short.a": "!<arch>\nxx" });
  w.sh("gcc -c m.c && mkdir folder.o && cp m.o arm.o && printf '\\267' | dd of=arm.o bs=1 seek=18 conv=notrunc 2>/dev/null && cp m.o elf32.o && printf '\\1' | dd of=elf32.o bs=1 seek=4 conv=notrunc 2>/dev/null");
  for (const name of ["missing.o", "folder.o", "arm.o", "elf32.o", "text.o", "short.a"]) {
    const text = w.fails(`gcc -B$B m.o $PWD/${name} -o m`);
    contains(text, name);
    assert.not(w.exists("m"), name);
  }
  if (lld) {
    contains(w.fails("$LD m.o missing.o -o m"), "cannot open missing.o: No such file or directory");
    contains(w.fails("$LD -o m"), "no input files");
    contains(w.fails("$LD"), "no input files");
  }
});

diagnostics("warnings: --fatal-warnings, -w", (w) => {
  w.write({ "m.c": "int main(void) { return 0; }" }).sh("gcc -c m.c");
  const plain = w.try("gcc -B$B m.o -Wl,-z,no-such-keyword -o m");
  assert.is(plain.status, 0);
  contains(plain.stderr, /warning: .*no-such-keyword/);
  w.fails("gcc -B$B m.o -Wl,-z,no-such-keyword,--fatal-warnings -o f");
  assert.not(w.exists("f"));
  w.sh("gcc -B$B m.o -Wl,-z,no-such-keyword,--fatal-warnings,--no-fatal-warnings -o g && ./g");
});

diagnostics("a missing entry symbol is a warning", (w) => {
  w.write({ "a.c": "int f(void) { return 1; }" }).sh("gcc -c -fno-pie a.c");
  const done = w.try("$LD a.o -e nowhere -o m");
  assert.is(done.status, 0);
  contains(done.stderr, /cannot find entry symbol nowhere/);
  // Scripts made of --verbose, such as glibc's for its shared objects, say ENTRY(_start).
  w.write({ "e.ld": "ENTRY(_start) SECTIONS { .text : { *(.text*) } }" });
  if (linkerName !== "lld") lacks(w.sh("$LD -shared --no-warn-rwx-segments a.o -T e.ld -o s 2>&1"), "_start");
  contains(w.try("$LD -shared a.o -T e.ld -e nowhere -o s").stderr, "cannot find entry symbol nowhere");
  contains(w.try("$LD a.o -T e.ld -o m").stderr, "cannot find entry symbol _start");
});

diagnostics("no colour codes in a pipe, colour when asked for", (w) => {
  w.write({ "m.c": "int wanted(void); int main(void) { return wanted(); }" }).sh("gcc -c m.c");
  lacks(w.fails("gcc -B$B m.o -o m"), "\x1b[");
  if (lld) contains(w.fails("gcc -B$B m.o -Wl,--color-diagnostics=always -o m"), "\x1b[");
});

diagnostics(".gnu.warning texts", (w) => {
  w.write({ "a.c": 'int risky(void) { return 0; } static const char text[] __attribute__((used, section(".gnu.warning.risky"))) = "risky is risky";', "m.c": "int risky(void); int main(void) { return risky(); }" });
  w.sh("gcc -O1 -c a.c m.c");
  const done = w.try("gcc -B$B a.o m.o -o m && ./m");
  assert.is(done.status, 0);
  if (wield) {
    lacks(done.stderr, "error");
    contains(done.stderr, /warning: risky is risky\n>>> referenced by m\.c\n>>>\s+m\.o:\(main\)/);
  }
  // Neither without a reference, nor as an error, nor when warnings are not wanted.
  w.write({ "n.c": "int main(void) { return 0; }" }).sh("gcc -O1 -c n.c");
  lacks(w.try("gcc -B$B a.o n.o -o n").stderr, "risky");
  if (linkerName === "wield") assert.is(w.try("gcc -B$B a.o m.o -Wl,--fatal-warnings -o m").status, 0);
  if (wield) assert.is(w.try("gcc -B$B a.o m.o -Wl,-w -o m").stderr, "");
  if (linkerName === "lld") return;
  // The texts are for the linker: neither sections nor symbols of a program, but relocatable output hands them on.
  lacks(w.sh("readelf -SsW m"), "gnu.warning", " text\n");
  w.sh("$LD -r a.o -o r.o");
  contains(w.try("gcc -B$B r.o m.o -o m").stderr, "risky is risky");
  // A shared object's own, which is where glibc has most of them.
  w.sh("gcc -B$B -shared a.o -o r.so; objcopy --add-section .gnu.warning.risky=/dev/stdin r.so liba.so <<< 'ask before'; gcc -O1 -fPIC -c a.c -o p.o; gcc -B$B -shared p.o -o libp.so");
  contains(w.try("gcc -B$B m.o -L. -la -o m && LD_LIBRARY_PATH=. ./m").stderr, /warning: ask before\n/);
  // Not when nobody refers to it, or another definition counts.
  for (const inputs of ["n.o -L. -la", "m.o p.o -Wl,--no-as-needed -L. -la", "m.o -L. -lp -la"]) lacks(w.sh(`gcc -B$B ${inputs} -o m 2>&1`), "ask before");
  w.write({ "t.c": "#include <stdio.h>\nint main(void) { return tmpnam(0) == 0; }" });
  contains(w.try("gcc -B$B t.c -o t && ./t").stderr, /warning: the use of .tmpnam' is dangerous/);
});

diagnostics.run();
