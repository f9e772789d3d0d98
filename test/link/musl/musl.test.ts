/**
 * musl: static, static-pie where the toolchain has it, and dynamic programs, with .hash or .gnu.hash, TLS and constructors.
 */

import { assert, behaviour, linkerName } from "../../helpers/link.ts";

const musl = behaviour("musl", "musl-gcc");
const MAIN = `
  #include <stdio.h>
  #include <string.h>
  #include <pthread.h>
  static __thread int t = 5; static int early; __attribute__((constructor)) static void c(void) { early = 1; }
  static void *work(void *p) { t += 2; *(int *)p = t; return 0; }
  int main(void) { pthread_t th; int r = 0; pthread_create(&th, 0, work, &r); pthread_join(th, 0); printf("musl %d %d %d %s\\n", t, r, early, strchr("a/b", '/')); }`;

musl("static and dynamic", (w) => {
  w.write({ "m.c": MAIN }).sh("musl-gcc -O1 -c m.c -o m.o");
  for (const [name, flags] of [["static", "-static"], ["dynamic", ""], ["exec", "-no-pie"], ["now", "-Wl,-z,now -Wl,--hash-style=sysv"], ["gc", "-static -Wl,--gc-sections"]] as const) {
    // musl-gcc passes -dynamic-linker with -static as well; ld.lld then writes a PT_INTERP that cannot run
    if (linkerName === "lld" && flags.includes("-static")) continue;
    w.sh(`musl-gcc -B$B ${flags} m.o -o ${name}`);
    assert.is(w.sh(`./${name}`), "musl 5 7 1 /b\n", name);
    w.elf(name);
  }
  assert.equal(w.elf("dynamic").needed(), ["libc.so"]);
});

musl("a shared library", (w) => {
  w.write({ "l.c": "#include <stdio.h>\nint counter; void say(void) { printf(\"said %d\\n\", ++counter); }", "m.c": "extern int counter; void say(void); int main(void) { say(); counter = 9; say(); return 0; }" });
  w.sh("musl-gcc -O1 -fPIC -c l.c && musl-gcc -B$B -shared l.o -o libl.so && musl-gcc -O1 m.c -B$B -L. -ll -Wl,-rpath,. -o m");
  assert.is(w.sh("./m"), "said 1\nsaid 10\n");
  w.elf("libl.so");
});

musl.run();
