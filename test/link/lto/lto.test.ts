/**
 * Objects of link-time optimisation: slim GCC objects go through lto-wrapper, LLVM bitcode through clang, fat objects link from their code;
 * what cannot be compiled ends in an error that names the file.
 */

import { join } from "node:path";
import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";
import { repoRoot } from "../../helpers/tools.ts";

const lto = behaviour("LTO objects");
const wield = linkerName === "wield";

const C = {
  "m.c": "#include <stdio.h>\nint f(int); int g(void); int main(void) { printf(\"%d %d\\n\", f(3), g()); return 0; }",
  "f.c": "static int h(int x) { return x * 2; }\nint f(int x) { return h(x) + 1; }",
  "g.c": "int g(void) { return 7; } int unused(void) { return 3; }",
};
const SLIM = "gcc -O2 -flto -c m.c f.c g.c";

for (const kind of ["", "-static", "-no-pie"]) {
  lto(`gcc -flto ${kind || "-pie"}: code of several files becomes one`, (w) => {
    w.write(C).sh(`${SLIM} && gcc-ar rcs libg.a g.o`);
    assert.is(w.sh(`gcc ${kind} -O2 -flto -B$B m.o f.o libg.a -o p && ./p`), "7 7\n");
    if (!wield) return;
    for (const name of ["f", "g", "unused"]) assert.is(w.elf("p").symbol(name), undefined, `${name} is inlined or gone`);
    w.sh("gcc -O2 -flto -B$B m.o f.o libg.a -o p -Wl,--dependency-file=d");
    contains(w.read("d"), "m.o", "libg.a");
  }, "gcc-ar");
}

lto("slim and ordinary objects together, -fno-lto at the link, thin archives, -Wl,--wrap, -u and --defsym", (w) => {
  w.write({ ...C, "n.c": "extern int seen; int seen_by_code(void) { return seen; }", "s.c": "int seen = 5; int kept(void) { return 1; } int __wrap_g(void); int __wrap_g(void) { return 8; }" });
  w.sh(`${SLIM} && gcc -O2 -c n.c && gcc -O2 -flto -c s.c && ar rcT libt.a f.o && gcc -O2 -c g.c -o gn.o`);
  assert.is(w.sh("gcc -O2 -flto -B$B m.o libt.a n.o s.o gn.o -Wl,-u,kept,--wrap=g,--defsym=x=seen -o p && ./p"), "7 8\n");
  assert.ok(w.elf("p").symbol("kept"));
  if (wield) assert.is(w.sh("gcc -fno-lto -B$B m.o f.o g.o -o q && ./q"), "7 7\n");
}, "ar");

lto("code alone that needs slim members of archives, with and without -flto at the link", (w) => {
  w.write({ ...C, "h.c": "int h(void) { return 3; }" }).sh("gcc -O2 -c m.c && gcc -O2 -flto -c f.c g.c h.c && gcc-ar rc libs.a f.o g.o h.o && gcc-ar rc libf.a f.o && gcc-ar rc libg.a g.o h.o");
  for (const line of ["libs.a", "libf.a libg.a", "-Wl,--start-lib f.o g.o -Wl,--end-lib"]) {
    for (const flags of ["", "-flto"]) assert.is(w.sh(`gcc -O2 ${flags} -B$B m.o ${line} -o p && ./p`), "7 7\n", `${flags} ${line}`);
  }
}, "gcc-ar");

lto("C++: templates, exceptions, inline variables in slim and ordinary objects, either first, with debug information", (w) => {
  const shared = "#include <stdexcept>\nstruct A { virtual ~A() {} virtual int v() { return 1; } };\nstruct B : A { int v() override { return 42; } };\ninline int counter() { static int n; return ++n; }\n";
  w.write({
    "a.cc": `${shared}#include <iostream>\n#include <vector>\nA *make(); void thrower(); int other(); extern thread_local int t;\nint main() { A *a = make(); std::vector<int> v(3);
      try { thrower(); } catch (std::exception &e) { std::cout << e.what() << a->v() << v.size() << counter() << other() << t << "\\n"; } delete a; }`,
    "b.cc": `${shared}A *make() { return new B; } thread_local int t = 5; void thrower() { t++; throw std::runtime_error("boom"); } int other() { return counter(); }`,
  });
  w.sh("g++ -O2 -g -flto -c a.cc b.cc && g++ -O2 -c b.cc -o bn.o && g++ -O2 -c a.cc -o an.o");
  for (const line of ["a.o bn.o", "an.o b.o", "-static a.o b.o"]) {
    assert.is(w.sh(`g++ -O2 -g -flto -B$B ${line} -o p && ./p`), "boom423126\n", line);
  }
}, "g++");

lto("shared objects export what they should", (w) => {
  w.write({ ...C, "v.map": "{ global: f; g; local: *; };" });
  w.sh("gcc -O2 -fPIC -flto -B$B -shared f.c g.c -o l.so && gcc -O2 -fPIC -flto -B$B -shared f.c g.c -Wl,--version-script=v.map -o v.so");
  contains(w.sh("nm -D l.so"), / T f\n/, / T g\n/, / T unused\n/);
  lacks(w.sh("nm -D v.so"), "unused");
  assert.is(w.sh("gcc -O2 -flto -B$B m.c ./v.so -o p && ./p"), "7 7\n");
});

lto("-r keeps slim objects slim, and makes code of them beside code", (w) => {
  w.write(C).sh(`${SLIM} && gcc -O2 -c g.c -o n.o`);
  w.sh("gcc -O2 -flto -r -B$B m.o f.o -o mf.o && gcc -O2 -flto -r -B$B m.o f.o n.o -o all.o");
  if (wield) contains(w.sh("readelf -SW mf.o"), ".gnu.lto_");
  lacks(w.sh("readelf -sW all.o"), "__gnu_lto_slim");
  assert.is(w.sh("gcc -O2 -flto -B$B mf.o g.o -o p && ./p && gcc -fno-lto -B$B all.o -o q && ./q"), "7 7\n7 7\n");
});

lto("-r -flinker-output=nolto-rel makes code of slim objects alone", (w) => {
  w.write(C).sh(`${SLIM} && gcc -O2 -flto -r -flinker-output=nolto-rel -B$B m.o f.o g.o -o all.o && gcc -O2 -flto -r -flinker-output=rel -B$B m.o f.o g.o -o slim.o`);
  lacks(w.sh("readelf -SW all.o"), ".gnu.lto_");
  if (wield) contains(w.sh("readelf -SW slim.o"), ".gnu.lto_");
  assert.is(w.sh("gcc -fno-lto -B$B all.o -o q && ./q"), "7 7\n");
});

lto("errors: undefined and duplicate symbols, and no lto-wrapper", (w) => {
  if (!wield) return;
  w.write({ ...C, "f2.c": "int f(int x) { return 9; }" }).sh(`${SLIM} && gcc -O2 -flto -c f2.c && ar rc lib.a g.o`);
  contains(w.fails("gcc -O2 -flto -B$B m.o f.o -o p"), "undefined symbol: g");
  contains(w.fails("gcc -O2 -flto -B$B m.o f.o f2.o g.o -o p"), "duplicate symbol: f", "f2.o");
  contains(w.fails("COLLECT_GCC=gcc COLLECT_LTO_WRAPPER=/no/wrapper $LD m.o f.o -o p"), "cannot run /no/wrapper: No such file or directory");
  for (const input of ["-b binary m.c", "m.o"]) contains(w.fails(`TMPDIR=/no/folder $LD ${input} -e 0 -o p`), "cannot make a temporary file in /no/folder: No such file or directory");
  contains(w.fails("$LD m.o f.o -o p"), /m\.o: this is a GCC LTO object without machine code/, /f\.o: /);
  contains(w.fails("$LD -e 0 --whole-archive lib.a -o p"), "lib.a(g.o): this is a GCC LTO object");
  assert.not(w.exists("p"));
}, "ar");

lto("fat GCC objects link from their machine code", (w) => {
  w.write(C).sh("gcc -O1 -flto -ffat-lto-objects -c f.c m.c g.c && gcc -fno-lto -B$B m.o f.o g.o -o m && ./m");
  assert.not(w.elf("m").sectionNames().some((n) => n.startsWith(".gnu.lto_") && wield));
});

lto("LLVM bitcode is compiled by clang, in archives too, for programs and shared objects", (w) => {
  if (!wield) return;
  w.write(C).sh("$CLANG -O1 -flto -c f.c m.c g.c && ar rc libg.a g.o");
  assert.is(w.sh("$CLANG -O1 -flto -B$B m.o f.o libg.a -o m && ./m && gcc -B$B m.o f.o --static libg.a -o n && ./n"), "7 7\n7 7\n");
  assert.is(w.sh("$CLANG -O1 -flto=thin -fPIC -B$B -shared f.c g.c -o l.so && $CLANG -B$B m.o ./l.so -o d && ./d"), "7 7\n");
  contains(w.fails("PATH=/nowhere $LD m.o -o x"), "m.o: LLVM bitcode", "clang");
  w.write({ "i.c": "int f(int x) { return x; } int (*volatile p)(int) = f; int main(void) { return p(0); }", "v.cc": "struct A { virtual int f(); }; int A::f() { return 0; } int use(A *a) { return a->f(); } int main() { A a; return use(&a); }" });
  // Checks that would vanish are an error; devirtualization may.
  contains(w.fails("$CLANG -O1 -flto -fvisibility=hidden -fsanitize=cfi-icall i.c -B$B -o i"), "control flow integrity (-fsanitize=cfi) needs");
  w.sh("$CLANGXX -O1 -flto -fvisibility=hidden -fwhole-program-vtables v.cc -B$B -o v && ./v");
  w.write({ "o.c": "static int twice(int x) { return 2 * x; } int _start(int x) { int sum = 0; for (int i = 0; i < 10; i++) sum += twice(i); return sum; }" });
  w.sh("$CLANG -O1 -Xclang -disable-llvm-passes -flto -c o.c && $LD o.o -o o2 && $LD o.o --lto-O0 -o o0 && $LD o.o --lto-O3 -o o3 && $LD o.o -plugin-opt=O0 -o p0 && cmp o0 p0");
  const size = (name: string): number => w.elf(name).need(".text").size;
  assert.ok(size("o0") > size("o2") && size("o0") > size("o3"));
}, "clang");

lto("LLVM bitcode in memory is compiled, too; a program that links prints nothing, what clang says is in its diagnostics", (w) => {
  if (!wield) return;
  w.write({ ...C, "run.mjs": `import { readFileSync, writeFileSync } from "node:fs";
import { link } from ${JSON.stringify(join(repoRoot(), "dist", "index.mjs"))};
const inputs = ["o.o", "libg.a"].map((path) => ({ name: \`virtual/\${path}\`, data: readFileSync(path) }));
writeFileSync("o", (await link({ inputs })).output, { mode: 0o755 });
const { diagnostics } = await link({ inputs: [{ name: "bad.o", data: inputs[0].data.subarray(0, 64) }], throwOnError: false });
console.log(diagnostics[0].message);` });
  w.write({ "o.c": "int g(void); void _start(void) { __asm__(\"syscall\" : : \"a\"(60), \"D\"(g())); }" }).sh("$CLANG -O1 -flto -c o.c g.c && ar rc libg.a g.o");
  contains(w.sh("node run.mjs 2>&1"), /^bad\.o: \S+ cannot compile this LLVM bitcode\n>>> /);
  assert.is(w.sh("./o || echo $?"), "7\n");
}, "clang", "ar");

lto("LLVM bitcode for another machine is refused", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "m.c": "int f(void); int _start(void) { return f(); }", "f.c": "int f(void) { return 1; } int a_name_that_makes_the_string_table_longer(void) { return 2; }" });
  w.sh("gcc -c m.c && $CLANG -flto -c --target=aarch64-linux-gnu f.c -o arm.o && ar rcS arm.a arm.o && $CLANG -flto -c f.c");
  contains(w.fails("$LD m.o arm.o -o m"), /arm\.o is incompatible with elf_x86_64\n>>> it is LLVM bitcode for aarch64/);
  contains(w.fails("$LD m.o --whole-archive arm.a -o m"), /arm\.a\(arm\.o\) is incompatible with elf_x86_64\n>>> it is LLVM bitcode for aarch64/);
  w.sh("$LD m.o f.o -o m");
}, "clang", "ar");

lto("-plugin and -plugin-opt are accepted in silence", (w) => {
  w.write({ "m.c": "int main(void) { return 0; }" });
  const done = w.try("gcc m.c -B$B -o m && ./m");
  assert.is(done.status, 0);
  assert.is(done.stderr, "");
});

lto.run();
