/**
 * Position dependent programs that name data and functions of shared objects directly: copy relocations and canonical PLT entries.
 *
 * Function pointers must compare equal in both modules, copied variables must be one variable, aliases must stay aliases.
 */

import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

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

copy("a copied variable takes the names it has by default along, and the version that was asked for", (w) => {
  w.write({ "lib.s": ".data\n.balign 16\n.globl new, old, plain\n.symver old, v@V1\n.symver new, v@@V2\nold: new: plain: .long 7, 8\n.size old, 4\n.size new, 8\n.size plain, 8\n.type old,@object\n.type new,@object\n.type plain,@object\n", "lib.ver": "V1 {}; V2 { global: plain; local: *; };",
    "new.s": ".globl _start\n_start: mov v, %eax\n", "old.s": ".symver v, v@V1\n.globl _start\n_start: mov v, %eax\n" });
  w.sh("as lib.s -o lib.o && $LD -shared --version-script=lib.ver -soname lib.so lib.o -o lib.so && as new.s -o new.o && as old.s -o old.o && $LD new.o lib.so -o new && $LD old.o lib.so -o old");
  if (linkerName === "bfd") return;
  const names = (file: string) => w.elf(file).dynsym().slice(1).map((symbol) => `${symbol.name} ${symbol.size}`).sort();
  assert.equal(names("new"), ["plain 8", "v 8"]);
  assert.equal(names("old"), ["plain 8", "v 4", "v 8"]);
  assert.not.equal(w.elf("old").relocs()[0]!.name, "old", "the longest name brings all bytes");
  assert.is(new Set(w.elf("old").dynsym().slice(1).map((symbol) => symbol.value)).size, 1);
});

copy("a name that another library defines first is no name of the copied variable", (w) => {
  const data = (names: string, value: number) => `.globl ${names}\n.data\n${names.replace(/, /g, ": ")}: .long ${value}\n` + names.split(", ").map((name) => `.type ${name},@object\n.size ${name}, 4\n`).join("");
  w.write({ "a.s": data("x, y", 1), "b.s": data("y", 2), "m.s": ".globl _start\n_start: mov x, %eax\nmov y, %eax\n" });
  w.sh("for f in a b m; do as $f.s -o $f.o; done; $LD -shared a.o -o liba.so; $LD -shared b.o -o libb.so; $LD m.o libb.so liba.so -o m");
  // lld 22 gives both names the address of one copy.
  if (linkerName === "lld") return;
  assert.is(w.elf("m").relocs().length, 2);
  assert.is(new Set(w.elf("m").dynsym().slice(1).map((symbol) => symbol.value)).size, 2);
});

copy("what has no type in the shared object cannot be defined here, and what is protected there neither", (w) => {
  w.write({ "lib.s": ".globl p, q, f, d\n.protected p, f, d\np: q: f: ret\n.type f,@function\n.data\nd: .quad 1\n.type d,@object\n.size d, 8\n",
    "m.s": ".globl _start\n_start: lea p, %eax\nmov $q, %eax\n", "f.s": ".globl _start\n_start: lea f, %eax\n", "d.s": ".globl _start\n_start: lea d, %eax\n" });
  w.sh("as lib.s -o lib.o && $LD -shared lib.o -o lib.so && for i in m f d; do as $i.s -o $i.o; done");
  if (linkerName === "bfd") return;
  contains(w.fails("$LD m.o lib.so -o m"), /cannot preempt symbol: p\n>>> defined in lib.so/, "relocation R_X86_64_32 cannot be used against symbol 'q'; recompile with -fPIC");
  contains(w.fails("$LD f.o lib.so -o f"), "cannot preempt symbol: f");
  contains(w.fails("$LD d.o lib.so -o d"), "cannot preempt symbol: d");
  w.sh("$LD --ignore-function-address-equality f.o lib.so -o f && $LD --ignore-data-address-equality d.o lib.so -o d");
  assert.not.equal(w.elf("f").dynamicSymbol("f")!.value, 0);
  assert.ok(w.elf("d").relocs().some((reloc) => reloc.type === 5));
});

copy("a copy is aligned as its address in the shared object says", (w) => {
  w.write({
    "l.s": ".data\n.balign 64\n.globl x, y, c\n.type x, @object\n.type y, @object\n.type c, @object\nx: .quad 1\n.size x, 8\ny: .quad 2\n.size y, 8\nc: .byte 1\n.size c, 1\n",
    "m.s": ".globl _start\n_start: mov c, %al\n mov x, %eax\n mov c, %al\n mov y, %eax\n",
  });
  w.sh("as l.s -o l.o && as m.s -o m.o && $LD -shared l.o -o l.so && $LD m.o l.so -o m");
  const elf = w.elf("m");
  const at = (name: string): number => elf.symbol(name)!.value;
  assert.is(at("x") % 64, 0);
  assert.is(at("y") % 8, 0);
  assert.is(at("c") + 64, at("x"), "c is first, and x has to go on to the next 64 bytes");
}, "as");

copy("program headers that are not in the file, of a library whose variable is copied", (w) => {
  w.write({ "lib.c": "int variable = 1;", "m.c": "extern int variable; int main(void) { return variable; }" });
  w.sh("gcc -fPIC -c lib.c && gcc -fno-pie -O1 -c m.c && $LD -shared lib.o -o lib.so");
  w.sh("printf '\\0\\0\\0\\0\\0\\0\\0\\100' | dd of=lib.so bs=1 seek=32 conv=notrunc status=none"); // e_phoff
  contains(w.fails("$LD m.o lib.so -e main -o m"), "error: lib.so: program headers reach behind the end of the file");
  w.sh("printf '\\100\\0\\0\\0\\0\\0\\0\\0' | dd of=lib.so bs=1 seek=32 conv=notrunc status=none; printf '\\71' | dd of=lib.so bs=1 seek=54 conv=notrunc status=none"); // e_phentsize
  contains(w.fails("$LD m.o lib.so -e main -o m"), "error: lib.so: e_phentsize is 57 and not 56");
});

copy.run();
