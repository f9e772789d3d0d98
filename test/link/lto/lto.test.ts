/**
 * Objects of link-time optimisation: slim GCC objects and LLVM bitcode end in an error that names the file; fat objects link from their code.
 */

import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const lto = behaviour("LTO objects");

lto("slim GCC objects are refused by name, also in an archive", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "m.c": "int f(void); int main(void) { return f(); }", "f.c": "int f(void) { return 0; }" });
  w.sh("gcc -O1 -flto -fno-fat-lto-objects -c f.c -o f.o && gcc -O1 -c m.c && ar rc lib.a f.o 2>/dev/null");
  contains(w.fails("gcc -fno-lto -B$B m.o f.o -o m"), "f.o", /lto/i);
  contains(w.fails("gcc -O1 -flto -B$B m.o f.o -o m"), "f.o", /lto/i);
  contains(w.fails("gcc -fno-lto -B$B m.o -Wl,--whole-archive lib.a -Wl,--no-whole-archive -o m"), "lib.a", /lto/i);
  assert.not(w.exists("m"));
}, "ar");

lto("fat GCC objects link from their machine code", (w) => {
  w.write({ "m.c": "int f(void); int main(void) { return f(); }", "f.c": "int f(void) { return 0; }" });
  w.sh("gcc -O1 -flto -ffat-lto-objects -c f.c m.c && gcc -fno-lto -B$B m.o f.o -o m && ./m");
  assert.not(w.elf("m").sectionNames().some((n) => n.startsWith(".gnu.lto_") && linkerName === "wield"));
});

lto("LLVM bitcode is refused by name", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "m.c": "int f(void); int main(void) { return f(); }", "f.c": "int f(void) { return 0; }" });
  w.sh("$CLANG -O1 -flto -c f.c && $CLANG -O1 -c m.c");
  contains(w.fails("$CLANG -B$B m.o f.o -o m"), "f.o", /lto|bitcode/i);
  assert.not(w.exists("m"));
}, "clang");

lto("-plugin and -plugin-opt are accepted in silence", (w) => {
  w.write({ "m.c": "int main(void) { return 0; }" });
  const done = w.try("gcc m.c -B$B -o m && ./m");
  assert.is(done.status, 0);
  assert.is(done.stderr, "");
});

lto.run();
