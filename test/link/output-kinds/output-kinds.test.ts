/**
 * Every kind of output of one C program: static, static-pie, PIE, position dependent, shared object with dlopen; each is run.
 *
 * Not about what is inside them beyond the ELF header, interpreter and entry. Compiled once per code model.
 */

import { assert, behaviour, contains } from "../../helpers/link.ts";

const kinds = behaviour("output kinds");

const MAIN = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
extern char **environ;
static int table[3] = { 1, 2, 3 };
int *pointer = &table[1];
const char *const words[] = { "alpha", "beta", "gamma" };
__attribute__((constructor)) static void early(void) { table[2] = 40; }
int main(int argc, char **argv) {
  char *copy = strdup(words[2]);
  printf("%s %d %d %.3f %s\\n", copy, *pointer, table[2], sqrt(argc + 1.0), environ ? "env" : "-");
  free(copy);
  return argc > 1;
}`;
const EXPECTED = "gamma 2 40 1.414 env\n";

kinds("static", (w) => {
  w.write({ "main.c": MAIN }).sh("gcc -O1 -fno-pie -c main.c && gcc -B$B -static main.o -lm -o main");
  assert.is(w.sh("./main"), EXPECTED);
  const elf = w.elf("main");
  assert.is(elf.type, 2);
  assert.is(elf.interp(), undefined);
  assert.equal(elf.dynamic(), []);
  assert.is(elf.symbol("_start")?.value, elf.entry);
});

kinds("static-pie", (w) => {
  w.write({ "main.c": MAIN }).sh("gcc -O1 -fPIE -c main.c && gcc -B$B -static-pie main.o -lm -o main");
  assert.is(w.sh("./main"), EXPECTED);
  const elf = w.elf("main");
  assert.is(elf.type, 3);
  assert.is(elf.interp(), undefined);
  assert.equal(elf.needed(), []);
  assert.is((elf.tag("FLAGS_1") ?? 0) & 0x08000000, 0x08000000, "DF_1_PIE");
});

kinds("PIE", (w) => {
  w.write({ "main.c": MAIN }).sh("gcc -O1 -fPIE -c main.c && gcc -B$B -pie main.o -lm -o main");
  assert.is(w.sh("./main"), EXPECTED);
  const elf = w.elf("main");
  assert.is(elf.type, 3);
  assert.is(elf.interp(), "/lib64/ld-linux-x86-64.so.2");
  assert.equal(elf.needed().filter((n) => n !== "libm.so.6"), ["libc.so.6"]);
  assert.is((elf.tag("FLAGS_1") ?? 0) & 0x08000000, 0x08000000, "DF_1_PIE");
  assert.ok(elf.tag("DEBUG") !== undefined);
  assert.ok(elf.segment(6), "PT_PHDR");
});

kinds("position dependent, dynamic", (w) => {
  w.write({ "main.c": MAIN }).sh("gcc -O1 -fno-pie -c main.c && gcc -B$B -no-pie main.o -lm -o main");
  assert.is(w.sh("./main"), EXPECTED);
  const elf = w.elf("main");
  assert.is(elf.type, 2);
  assert.is(elf.interp(), "/lib64/ld-linux-x86-64.so.2");
  assert.is((elf.tag("FLAGS_1") ?? 0) & 0x08000000, 0);
});

kinds("the large and medium code models", (w) => {
  w.write({ "main.c": MAIN });
  w.sh("gcc -O1 -fno-pie -mcmodel=large -c main.c -o large.o && gcc -B$B -no-pie large.o -lm -o large");
  w.sh("gcc -O1 -fPIE -mcmodel=medium -c main.c -o medium.o && gcc -B$B -pie medium.o -lm -o medium");
  w.sh("gcc -O1 -fPIC -mcmodel=large -c main.c -o piclarge.o && gcc -B$B -pie piclarge.o -lm -o piclarge");
  for (const name of ["large", "medium", "piclarge"]) {
    assert.is(w.sh(`./${name}`), EXPECTED, name);
    w.elf(name);
  }
});

kinds("shared object, linked and opened with dlopen", (w) => {
  w.write({
    "lib.c": `
      #include <stdio.h>
      int counter = 5;
      static int hidden_calls;
      int *address = &counter;
      void bump(void) { counter++; hidden_calls++; }
      int total(void) { return counter * 100 + hidden_calls; }
      __attribute__((constructor)) static void in(void) { puts("in"); }
      __attribute__((destructor)) static void out(void) { puts("out"); }`,
    "use.c": `
      #include <stdio.h>
      extern int counter, *address; void bump(void); int total(void);
      int main(void) { bump(); printf("%d %d %d\\n", counter, total(), address == &counter); }`,
    "open.c": `
      #include <dlfcn.h>
      #include <stdio.h>
      int main(void) {
        void *h = dlopen("./libx.so", RTLD_NOW);
        if (!h) { puts(dlerror()); return 1; }
        int (*total)(void) = (int (*)(void))dlsym(h, "total");
        ((void (*)(void))dlsym(h, "bump"))();
        printf("%d %p\\n", total(), dlsym(h, "hidden_calls"));
        dlclose(h);
        puts("closed");
      }`,
  });
  w.sh("gcc -O1 -fPIC -c lib.c && gcc -B$B -shared lib.o -Wl,-soname,libx.so.1 -o libx.so && ln -s libx.so libx.so.1");
  w.sh("gcc -O1 use.c -B$B -L. -lx -Wl,-rpath,'$ORIGIN' -o use && gcc -O1 open.c -B$B -ldl -o open");
  assert.is(w.sh("./use"), "in\n6 601 1\nout\n");
  assert.is(w.sh("./open"), "in\n601 (nil)\nout\nclosed\n");
  const lib = w.elf("libx.so");
  assert.is(lib.type, 3);
  assert.is(lib.soname(), "libx.so.1");
  assert.is(lib.interp(), undefined);
  assert.equal(lib.exports(), ["address", "bump", "counter", "total"]);
  const use = w.elf("use");
  assert.is(use.runpath(), "$ORIGIN");
  assert.equal(use.needed(), ["libx.so.1", "libc.so.6"]);
});

kinds("lazy binding, -z now and -z norelro all run", (w) => {
  w.write({ "main.c": MAIN }).sh("gcc -O1 -fPIE -c main.c");
  w.sh("gcc -B$B main.o -lm -Wl,-z,lazy -o lazy && gcc -B$B main.o -lm -Wl,-z,now -o now && gcc -B$B main.o -lm -Wl,-z,norelro -o norelro");
  for (const name of ["lazy", "now", "norelro"]) assert.is(w.sh(`./${name}`), EXPECTED, name);
  const now = w.elf("now");
  assert.ok(now.tag("BIND_NOW") !== undefined || ((now.tag("FLAGS") ?? 0) & 8) !== 0, "DF_BIND_NOW");
  assert.is((now.tag("FLAGS_1") ?? 0) & 1, 1, "DF_1_NOW");
  const lazy = w.elf("lazy");
  assert.is((lazy.tag("FLAGS_1") ?? 0) & 1, 0);
  assert.is(w.elf("norelro").segment(0x6474e552), undefined);
  assert.ok(lazy.segment(0x6474e552));
});

kinds("stripped outputs survive strip and objcopy", (w) => {
  w.write({ "main.c": MAIN }).sh("gcc -O1 -g main.c -B$B -lm -o main && strip main -o stripped && objcopy --strip-debug main plain");
  assert.is(w.sh("./stripped"), EXPECTED);
  assert.is(w.sh("./plain"), EXPECTED);
  contains(w.sh("readelf -W -a main 2>&1"), "Program Headers");
  assert.is(w.sh("readelf -W -a main 2>&1 | grep -ci 'warning\\|error' || true").trim(), "0");
}, "strip", "objcopy", "readelf");

kinds.run();
