/**
 * Position dependent programs that name data and functions of shared objects directly: copy relocations and canonical PLT entries.
 *
 * Function pointers must compare equal in both modules, copied variables must be one variable, aliases must stay aliases.
 */

import { assert, behaviour } from "../../helpers/link.ts";

const copy = behaviour("copy relocations and canonical PLT");

const LIB = `
  int variable = 41;
  extern int alias __attribute__((alias("variable")));
  const int constant = 8;
  int big[1000] = { 1, 2, 3 };
  int f(int x) { return x + 1; }
  int (*address_of_f(void))(int) { return f; }
  int *address_of_variable(void) { return &variable; }
  int read_alias(void) { return alias; }`;
const MAIN = `
  #include <stdio.h>
  extern int variable, alias, big[1000]; extern const int constant;
  int f(int); int (*address_of_f(void))(int); int *address_of_variable(void); int read_alias(void);
  int (*pointer)(int) = f;
  int main(void) {
    variable++;
    printf("%d %d %d %d %d %d %d %d\\n", variable, alias, read_alias(), address_of_variable() == &variable, constant, big[2],
           address_of_f() == f, pointer == f && f(1) == 2);
  }`;
const EXPECTED = "42 42 42 1 8 3 1 1\n";

copy("position dependent code", (w) => {
  w.write({ "lib.c": LIB, "main.c": MAIN });
  w.sh("gcc -O1 -fPIC -c lib.c && gcc -B$B -shared lib.o -o libc1.so && gcc -O1 -fno-pie -c main.c && gcc -no-pie -B$B main.o -L. -lc1 -Wl,-rpath,. -o main");
  assert.is(w.sh("./main"), EXPECTED);
  const elf = w.elf("main");
  const copies = elf.relocs().filter((r) => r.type === 5).map((r) => r.name);
  assert.ok(copies.includes("big"));
  assert.ok(copies.includes("variable") || copies.includes("alias"));
  const f = elf.dynamicSymbol("f")!;
  assert.is(f.shndx, 0, "canonical PLT: undefined");
  assert.not.equal(f.value, 0, "canonical PLT: with a value");
  assert.is(elf.dynamicSymbol("variable")!.value, elf.dynamicSymbol("alias")!.value, "aliases stay together");
});

copy("PIE code compiled without -fPIC uses copy relocations for data only", (w) => {
  w.write({ "lib.c": LIB, "main.c": MAIN });
  w.sh("gcc -O1 -fPIC -c lib.c && gcc -B$B -shared lib.o -o libc1.so && gcc -O1 -fPIE -c main.c && gcc -pie -B$B main.o -L. -lc1 -Wl,-rpath,. -o main");
  assert.is(w.sh("./main"), EXPECTED);
  w.elf("main");
});

copy("-fPIC code needs neither", (w) => {
  w.write({ "lib.c": LIB, "main.c": MAIN });
  w.sh("gcc -O1 -fPIC -c lib.c main.c && gcc -B$B -shared lib.o -o libc1.so && gcc -pie -B$B main.o -L. -lc1 -Wl,-rpath,. -o main");
  assert.is(w.sh("./main"), EXPECTED);
  const elf = w.elf("main");
  assert.is(elf.relocs().filter((r) => r.type === 5).length, 0);
  assert.is(elf.dynamicSymbol("f")!.value, 0);
});

copy("-z nocopyreloc makes it an error", (w) => {
  w.write({ "lib.c": LIB, "main.c": MAIN });
  w.sh("gcc -O1 -fPIC -c lib.c && gcc -B$B -shared lib.o -o libc1.so && gcc -O1 -fno-pie -c main.c");
  w.fails("gcc -no-pie -B$B main.o -L. -lc1 -Wl,-z,nocopyreloc -o main");
  assert.not(w.exists("main"));
});

copy("environ and stdout of libc in a position dependent program", (w) => {
  w.write({ "m.c": `
    #include <stdio.h>
    #include <unistd.h>
    extern char **environ; extern char **__environ;
    int main(void) { fputs(environ == __environ && environ && *environ ? "same\\n" : "differ\\n", stdout); return fflush(stdout); }` });
  w.sh("gcc -O1 -fno-pie m.c -no-pie -B$B -o m");
  assert.is(w.sh("./m"), "same\n");
  w.elf("m");
});

copy("a protected function's address is not taken by a PLT of the program", (w) => {
  w.write({
    "lib.c": '__attribute__((visibility("protected"))) int p(int x) { return x * 3; } int call(int x) { return p(x); }',
    "m.c": "int p(int); int call(int); int main(void) { return p(2) - call(2); }",
  });
  w.sh("gcc -O1 -fPIC -c lib.c && gcc -B$B -shared lib.o -o libp.so && gcc -O1 m.c -fPIE -B$B -L. -lp -Wl,-rpath,. -o m && ./m");
});

copy.run();
