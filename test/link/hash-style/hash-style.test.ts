/**
 * .gnu.hash and .hash: chosen by --hash-style, both able to find every exported symbol (verifyElf looks each of them up), also among thousands.
 */

import { assert, behaviour } from "../../helpers/link.ts";

const hash = behaviour("hash style");

hash("sysv, gnu, both; two thousand symbols found with dlsym", (w) => {
  const names = Array.from({ length: 2000 }, (_, i) => `function_${(i * 7919) % 100003}_${i}`);
  w.write({
    "l.c": names.map((n, i) => `int ${n}(void) { return ${i}; }`).join("\n"),
    "m.c": `
      #include <dlfcn.h>
      #include <stdio.h>
      static const char *names[] = { ${names.map((n) => `"${n}"`).join(",")} };
      int main(int c, char **v) {
        void *h = dlopen(v[1], RTLD_NOW); if (!h) return puts(dlerror());
        int good = 0; for (int i = 0; i < 2000; i++) { int (*f)(void) = (int (*)(void))dlsym(h, names[i]); good += f && f() == i; }
        printf("%d %p\\n", good, dlsym(h, "function_none"));
      }`,
  });
  w.sh("gcc -O1 -fPIC -c l.c && gcc -O1 m.c -ldl -B$B -o m");
  for (const style of ["sysv", "gnu", "both"]) {
    w.sh(`gcc -B$B -shared l.o -Wl,--hash-style=${style} -o l-${style}.so`);
    assert.is(w.sh(`./m ./l-${style}.so`), "2000 (nil)\n", style);
    const elf = w.elf(`l-${style}.so`);
    assert.is(elf.section(".hash") !== undefined, style !== "gnu", style);
    assert.is(elf.section(".gnu.hash") !== undefined, style !== "sysv", style);
  }
  w.fails("gcc -B$B -shared l.o -Wl,--hash-style=md5 -o bad.so");
});

hash("a library without exports", (w) => {
  w.write({ "l.c": "static int f(void) { return 1; } int (*volatile p)(void) __attribute__((visibility(\"hidden\"))) = f;" });
  w.sh("gcc -O1 -fPIC -nostdlib -shared l.c -B$B -o l.so");
  assert.equal(w.elf("l.so").exports(), []);
});

hash.run();
