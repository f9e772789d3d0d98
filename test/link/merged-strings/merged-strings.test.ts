/**
 * SHF_MERGE sections: equal strings and constants of many objects become one, pointers into their middle stay right, -O2 merges tails.
 */

import { assert, behaviour } from "../../helpers/link.ts";

const merge = behaviour("merged strings");

merge("strings of several objects are one", (w) => {
  w.write({
    "a.c": 'const char *a(void) { return "a shared sentence"; } const char *a2(void) { return "sentence"; } const char *tail = "only in a";',
    "b.c": 'const char *b(void) { return "a shared sentence"; } const char *b2(void) { return "a shared sentence" + 2; }',
    "m.c": '#include <stdio.h>\n#include <string.h>\nconst char *a(void), *a2(void), *b(void), *b2(void); int main(void) { printf("%d %d %s %s\\n", a() == b(), b2() == a() + 2, a2(), b2()); }',
  });
  w.sh("gcc -O2 -fPIE -c *.c && gcc -B$B a.o b.o m.o -o m && gcc -B$B -Wl,-O2 a.o b.o m.o -o m2 && gcc -B$B -Wl,-O0 a.o b.o m.o -o m0 && ./m0 > /dev/null");
  assert.is(w.sh("./m"), "1 1 sentence shared sentence\n");
  assert.is(w.sh("./m2"), "1 1 sentence shared sentence\n");
  const count = (name: string): number => w.elf(name).text(".rodata").split("a shared sentence").length - 1;
  assert.is(count("m"), 1);
  assert.ok(w.elf("m2").text(".rodata").split("sentence").length - 1 <= w.elf("m").text(".rodata").split("sentence").length - 1);
});

merge("wide strings, constants and alignments", (w) => {
  w.write({
    "a.c": '#include <wchar.h>\nconst wchar_t *wa(void) { return L"wide"; } double da(double x) { return x * 1234.5; } const unsigned short *ua(void) { return u"short"; } const int *ia(void) { static const int t[4] = {1,2,3,4}; return t; }',
    "b.c": '#include <wchar.h>\nconst wchar_t *wb(void) { return L"wide"; } double db(double x) { return x + 1234.5; } const unsigned short *ub(void) { return u"short"; } ',
    "m.c": '#include <stdio.h>\n#include <wchar.h>\nconst wchar_t *wa(void), *wb(void); double da(double), db(double); const unsigned short *ua(void), *ub(void); const int *ia(void); int main(void) { printf("%d %d %.1f %.1f %ls %d\\n", wa() == wb(), ua() == ub(), da(2), db(1), wa(), ia()[3]); }',
  });
  w.sh("gcc -O2 -fPIE -c *.c && gcc -B$B a.o b.o m.o -o m && gcc -B$B -static a.o b.o m.o -o ms");
  assert.is(w.sh("./m"), "1 1 2469.0 1235.5 wide 4\n");
  assert.is(w.sh("./ms"), "1 1 2469.0 1235.5 wide 4\n");
});

merge("strings only dead code names disappear", (w) => {
  w.write({ "a.c": 'const char *dead(void) { return "a string for the dead"; } const char *live(void) { return "a string for the living"; }', "m.c": '#include <stdio.h>\nconst char *live(void); int main(void) { puts(live()); }' });
  w.sh("gcc -O2 -ffunction-sections -c a.c m.c && gcc -B$B -Wl,--gc-sections a.o m.o -o m");
  assert.is(w.sh("./m"), "a string for the living\n");
  assert.not(w.elf("m").text(".rodata").includes("for the dead"));
});

merge("section symbols with addends, and named symbols inside pieces", (w) => {
  w.write({
    "a.s": `
      .section .rodata.str1.1,"aMS",@progbits,1
      first: .asciz "first"
      .globl second
      second: .asciz "second"
      .section .rodata.cst8,"aM",@progbits,8
      .globl k
      .quad 7
      k: .quad 9
      .data
      .globl p, q, r
      p: .quad .rodata.str1.1 + 6
      q: .quad second + 3
      r: .quad first
      .section .note.GNU-stack,"",@progbits
`,
    "b.c": 'const char *other(void) { return "second"; }',
    "m.c": '#include <stdio.h>\nextern const char *p, *q, *r, second[]; extern long k; const char *other(void); int main(void) { printf("%s %s %s %ld %d\\n", p, q, r, k, other() == second && p == second); }',
  });
  w.sh("gcc -c a.s && gcc -O1 -fPIE -c b.c m.c && gcc -B$B a.o b.o m.o -o m");
  assert.is(w.sh("./m"), "second ond first 9 1\n");
});

merge(".comment strings are merged and the linker's own is there", (w) => {
  w.write({ "a.c": "int a;", "m.c": "int main(void) { return 0; }" }).sh("gcc -c a.c m.c && gcc -B$B a.o m.o -o m");
  const comment = w.elf("m").text(".comment");
  const gcc = comment.split("\0").filter((s) => s.startsWith("GCC:"));
  assert.is(new Set(gcc).size, gcc.length);
});

merge.run();
