/**
 * Shared objects as inputs: which definition wins against archives and objects, hidden and non-default versions, weak and common mixtures, chains of needed libraries.
 */

import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const shared = behaviour("shared libraries as inputs");

shared("the first of archive and shared object wins, objects always win", (w) => {
  w.write({ "a.c": "int who(void) { return 1; }", "s.c": "int who(void) { return 2; }", "m.c": "int who(void); int main(void) { return who(); }", "o.c": "int who(void) { return 3; }" });
  w.sh("gcc -O1 -fPIC -c *.c && ar rc lib.a a.o && gcc -B$B -shared s.o -o libs.so");
  const code = (inputs: string): string => w.sh(`gcc -B$B ${inputs} -Wl,-rpath,. -o m; ./m && echo 0 || echo $?`).trim();
  assert.is(code("m.o lib.a libs.so"), "1");
  assert.is(code("m.o libs.so lib.a"), "2");
  assert.is(code("m.o libs.so o.o"), "3");
  assert.is(code("m.o lib.a o.o -Wl,-z,muldefs").length, 1);
}, "ar");

shared("a weak definition in the program beats a shared object's, and is exported to it", (w) => {
  w.write({ "s.c": "int who(void) { return 2; } int ask(void) { return who(); }", "m.c": "__attribute__((weak)) int who(void) { return 5; } int ask(void); int main(void) { return ask() * 10 + who(); }" });
  w.sh("gcc -O1 -fPIC -c s.c && gcc -O0 -fPIE -c m.c && gcc -B$B -shared s.o -o libs.so && gcc -B$B m.o libs.so -Wl,-rpath,. -o m");
  assert.is(w.sh("./m || echo $?").trim(), "55");
});

shared("a common symbol meets a shared object's definition", (w) => {
  w.write({ "s.c": "int shared_number = 7; int get(void) { return shared_number; }", "m.c": "int shared_number; int get(void); int main(void) { return get() * 10 + shared_number; }" });
  w.sh("gcc -O1 -fPIC -c s.c && gcc -O1 -fcommon -c m.c && gcc -B$B -shared s.o -o libs.so && gcc -B$B m.o libs.so -Wl,-rpath,. -o m");
  // the tentative definition is a definition; GNU ld lets the shared object's win
  assert.is(w.sh("./m || echo $?").trim(), linkerName === "bfd" ? "77" : "");
});

shared("a symbol that exists only as a hidden version is not found by its plain name", (w) => {
  w.write({ "s.c": 'int f1(void) { return 1; } __asm__(".symver f1, f@V1"); int g(void) { return 2; }', "v.map": "V1 { global: f; g; local: *; };", "m.c": "int f(void); int main(void) { return f(); }", "n.c": '__asm__(".symver f, f@V1"); int f(void); int main(void) { return f() - 1; }' });
  w.sh("gcc -O1 -fPIC -c s.c && gcc -B$B -shared s.o -Wl,--version-script=v.map -o libs.so && gcc -c m.c n.c");
  contains(w.fails("gcc -B$B m.o libs.so -o m"), /undefined.*f/);
  w.sh("gcc -B$B n.o libs.so -Wl,-rpath,. -o n && ./n");
});

shared("libraries that need libraries", (w) => {
  w.write({ "a.c": "int a(void) { return 1; }", "b.c": "int a(void); int b(void) { return a() + 1; }", "m.c": "int b(void); int main(void) { return b() - 2; }", "direct.c": "int a(void), b(void); int main(void) { return a() + b() - 3; }" });
  w.sh("gcc -O1 -fPIC -c *.c && gcc -B$B -shared a.o -Wl,-soname,liba.so -o liba.so && gcc -B$B -shared b.o -L. -la -Wl,-soname,libb.so,-rpath,'$ORIGIN' -o libb.so && gcc -B$B m.o -L. -lb -Wl,-rpath,. -o m && ./m");
  assert.not(w.elf("m").needed().includes("liba.so"));
  contains(w.fails("gcc -B$B direct.o -L. -lb -Wl,-rpath,. -o d"), /a\b/);
});

shared("data of a library through the GOT, by address constants and in read-only tables", (w) => {
  w.write({
    "l.c": "int numbers[4] = { 1, 2, 3, 4 }; const char *const words[] = { \"x\", \"y\" }; int call(int (*f)(void)) { return f(); }",
    "m.c": "#include <string.h>\nextern int numbers[4]; extern const char *const words[]; int call(int (*)(void)); static int mine(void) { return 40; } int *const table[] = { &numbers[1], &numbers[3] }; int main(void) { return call(mine) + *table[0] + *table[1] + strcmp(words[1], \"y\") - 46; }",
  });
  w.sh("gcc -O1 -fPIC -shared l.c -B$B -o libl.so");
  for (const [name, flags] of [["pie", "-fPIE -pie"], ["exec", "-fno-pie -no-pie"], ["pic", "-fPIC -pie"]] as const) {
    w.sh(`gcc -O1 ${flags} m.c ./libl.so -B$B -o ${name} && ./${name}`);
    w.elf(name);
  }
});

shared("a shared object without section headers can be linked against", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "l.c": "int f(void) { return 4; }", "m.c": "int f(void); int main(void) { return f() - 4; }" });
  w.sh("gcc -O1 -fPIC -c l.c m.c && gcc -B$B -shared l.o -o libl.so && strip libl.so && gcc -B$B m.o ./libl.so -o m && ./m");
}, "strip");

shared("definitions of version index 0 count where no versions are defined: TinyCC's libraries have no other", (w) => {
  w.write({ "l.c": "#include <stdio.h>\nint f(void) { return 4 + (puts(\"called\") < 0); }", "v.map": "V1 { };", "m.c": "int f(void); int main(void) { return f() - 4; }" });
  w.sh("gcc -O1 -fPIC -c l.c m.c && gcc -B$B -shared l.o -o libplain.so && gcc -B$B -shared l.o -Wl,--version-script=v.map -o libversions.so");
  for (const name of ["libplain.so", "libversions.so"]) {
    const [bytes, elf] = [w.bytes(name), w.elf(name)];
    const index = elf.dynsym().findIndex((symbol) => symbol.name === "f");
    new DataView(bytes.buffer, bytes.byteOffset).setUint16(elf.need(".gnu.version").offset + 2 * index, 0, true);
    w.write({ [name]: bytes });
  }
  if (linkerName !== "lld") assert.is(w.sh("gcc -B$B m.o ./libplain.so -o m && ./m"), "called\n");
  if (linkerName !== "bfd") contains(w.fails("gcc -B$B m.o ./libversions.so -o n"), /undefined.*f/);
});

shared("dlopen, dlsym and dlvsym find what a version script keeps", (w) => {
  w.write({
    "l.c": 'int a1(void) { return 1; } int a2(void) { return 2; } int quiet(void) { return 3; } __asm__(".symver a1, a@V1"); __asm__(".symver a2, a@@V2");', "v.map": "V1 { global: a; local: *; }; V2 { global: a; } V1;",
    "m.c": '#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <stdio.h>\nint main(void) { void *h = dlopen("./libl.so", RTLD_LAZY); int (*d)(void) = (int (*)(void))dlsym(h, "a"); int (*o)(void) = (int (*)(void))dlvsym(h, "a", "V1"); printf("%d %d %p\\n", d(), o(), dlsym(h, "quiet")); }',
  });
  w.sh("gcc -O1 -fPIC -c l.c && gcc -B$B -shared l.o -Wl,--version-script=v.map -o libl.so && gcc -O1 m.c -B$B -ldl -o m");
  assert.is(w.sh("./m"), "2 1 (nil)\n");
});

shared("what a library misses may be in libraries that others need, as liblzma is for libunwind-ptrace.so", (w) => {
  if (linkerName === "lld") return;
  w.write({ "deep.c": "int deep(void) { return 4; }", "mid.c": "int nothing;", "near.c": "int near(void) { return 1; }", "under.c": "int deep(void); int under(void) { return deep(); }",
    "m.c": "int near(void), under(void); int main(void) { return near() + under() - 5; }" });
  w.sh("mkdir sub && gcc -fPIC -shared deep.c -o sub/libdeep.so && gcc -fPIC -shared mid.c -Lsub -Wl,--no-as-needed -ldeep -o sub/libmid.so");
  w.sh("gcc -fPIC -shared near.c -Lsub -Wl,--no-as-needed -lmid -Wl,--allow-shlib-undefined -o libnear.so && gcc -fPIC -shared under.c -o libunder.so");
  w.sh("gcc -B$B m.c -L. -lunder -lnear -Wl,-rpath-link,sub,-rpath,.,-rpath,sub -o m && LD_LIBRARY_PATH=sub ./m");
  assert.equal(w.elf("m").needed().filter((name) => !name.startsWith("libc")), ["libunder.so", "libnear.so"]);
  // Neither what nobody has, nor what is not found.
  w.sh("gcc -fPIC -shared -Ddeep=nowhere under.c -o libunder.so");
  contains(w.fails("gcc -B$B m.c -L. -lunder -lnear -Wl,-rpath-link,sub -o n"), "nowhere");
  w.sh("gcc -fPIC -shared under.c -o libunder.so && echo text > sub/libdeep.so");
  contains(w.fails("gcc -B$B m.c -L. -lunder -lnear -Wl,-rpath-link,sub -o n"), "deep");
}, "gcc");

shared.run();
