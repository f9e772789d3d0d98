/**
 * Who may override whom: default symbols of a shared object are preemptible, -Bsymbolic, protected and dynamic lists change that.
 */

import { assert, behaviour, linkerName } from "../../helpers/link.ts";

const interposition = behaviour("interposition");

const LIB = `
  int value = 1;
  int f(void) { return 1; }
  __attribute__((visibility("protected"))) int p(void) { return 1; }
  int report(void) { return f() * 100 + p() * 10 + value; }
  int (*pointer)(void) = f; int via_pointer(void) { return pointer(); }`;
const MAIN = `
  #include <stdio.h>
  int value = 2; int f(void) { return 2; } int p(void) { return 2; }
  int report(void), via_pointer(void);
  int main(void) { printf("%d %d\\n", report(), via_pointer()); }`;

const cases: [string, string, string][] = [
  ["by default", "", "212 2\n"],
  ["-Bsymbolic", "-Wl,-Bsymbolic", "111 1\n"],
  ["-Bsymbolic-functions", "-Wl,-Bsymbolic-functions", "112 1\n"],
  ["a dynamic list keeps only what it names preemptible", "-Wl,--dynamic-list=keep.list", "112 1\n"],
  ["a version script's local", "-Wl,--version-script=v.map", "112 1\n"],
];
for (const [title, flags, expected] of cases) {
  interposition(title, (w) => {
    w.write({ "lib.c": LIB, "m.c": MAIN, "keep.list": "{ value; };", "v.map": "{ global: report; via_pointer; value; local: *; };" });
    w.sh(`gcc -O1 -fPIC -c lib.c && gcc -B$B -shared lib.o ${flags} -o libi.so && gcc -O1 -fPIC m.c -rdynamic -B$B -L. -li -Wl,-rpath,. -o m`);
    assert.is(w.sh("./m"), expected);
    w.elf("libi.so");
    w.elf("m");
  });
}

interposition("STB_GNU_UNIQUE stays one in the whole process, also with -Bsymbolic", (w) => {
  if (linkerName === "lld" || linkerName === "gold") return; // they bind it
  w.write({
    "lib.cc": 'struct S { static int &single() { static int y; return y; } };\nextern "C" int *NAME() { return &S::single(); }',
    "m.c": "int *f(void), *g(void); int main(void) { return f() != g(); }",
  });
  for (const [name, flags] of [["f", "-Bsymbolic"], ["g", "-Bsymbolic"], ["h", "-Bsymbolic,--no-gnu-unique"]] as const) {
    if (name !== "h" || linkerName === "wield") w.sh(`g++ -fPIC -DNAME=${name} -c lib.cc -o ${name}.o && g++ -B$B -shared ${name}.o -Wl,${flags} -o lib${name}.so`);
  }
  w.sh("gcc m.c -B$B -L. -lf -lg -Wl,-rpath,. -o m && ./m");
  if (linkerName === "wield") assert.not(w.elf("libh.so").relocs().some((r) => r.name.includes("single")));
});

interposition("LD_PRELOAD replaces a function of the program only when it is exported", (w) => {
  w.write({
    "pre.c": "int f(void) { return 7; }",
    "lib.c": "int f(void) { return 1; } int call(void) { return f(); }",
    "m.c": '#include <stdio.h>\nint call(void); int main(void) { printf("%d\\n", call()); }',
  });
  w.sh("gcc -O1 -fPIC -c pre.c lib.c && gcc -B$B -shared pre.o -o pre.so && gcc -B$B -shared lib.o -o libl.so && gcc m.c -B$B -L. -ll -Wl,-rpath,. -o m");
  assert.is(w.sh("./m; LD_PRELOAD=./pre.so ./m"), "1\n7\n");
});

interposition("a program's own symbols are bound at link time", (w) => {
  w.write({ "m.c": "int f(void) { return 3; } int *g(void) { static int x; return &x; } int main(void) { return f() - 3; }" });
  w.sh("gcc -O0 -fPIC m.c -rdynamic -B$B -o m && ./m");
  const elf = w.elf("m");
  assert.not(elf.relocs().some((r) => r.name === "f" || r.name === "g"));
  assert.ok(elf.exports().includes("f"));
});

const ASSIGNED: [string, string, string][] = [
  ["--defsym", "-Wl,--defsym=hook=mine,--defsym=data=my_data", ""],
  ["an assignment of a script", "s.ld", "hook = mine; data = my_data;"],
  ["PROVIDE", "s.ld", "PROVIDE(hook = mine); PROVIDE(data = my_data);"],
];
for (const [title, flags, script] of ASSIGNED) {
  interposition(`${title} in a program defines what a library defines, too, and counts there`, (w) => {
    w.write({
      "lib.c": "int data = 1; int hook(void) { return 2; } int call(void) { return hook() * 10 + data; }",
      "m.c": '#include <stdio.h>\nint call(void); int my_data = 3; int mine(void) { return 4; }\nint main(void) { printf("%d\\n", call()); }',
      "s.ld": script,
    });
    w.sh(`gcc -O1 -fPIC -c lib.c && gcc -B$B -shared lib.o -o libl.so && gcc m.c ${flags} -B$B -L. -ll -Wl,-rpath,. -o m`);
    assert.is(w.sh("./m"), "43\n");
  });
}

interposition("a library finds the linker's symbols of the program: __start_X that only it refers to, _end that it defines, too", (w) => {
  w.write({
    "lib.c": "extern char __start_set[], __stop_set[]; long size(void) { return __stop_set - __start_set; }",
    "end.s": ".data\n.globl _end\n_end: .quad 0\n.section .note.GNU-stack\n",
    "m.c": '#include <stdio.h>\nlong size(void); extern char _end[]; __attribute__((section("set"), used)) char five[5];\n' +
      'int main(void) { printf("%ld %d\\n", size(), _end > five); }',
  });
  w.sh("gcc -O1 -fPIC -c lib.c end.s && gcc -B$B -shared lib.o end.o -o libl.so && gcc m.c -B$B -L. -ll -Wl,-rpath,. -o m");
  assert.is(w.sh("./m"), "5 1\n");
  assert.ok(w.elf("m").exports().includes("_end"));
});

interposition.run();
