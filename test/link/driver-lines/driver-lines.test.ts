/**
 * What the drivers add for their features: sanitizers, OpenMP, coverage, profiling, static runtimes, partial sysroots; linked and run.
 *
 * A feature whose runtime library is not installed beside the compiler is left out silently: that is the compiler's packaging, not a tool of ours.
 */

import { assert, behaviour, contains } from "../../helpers/link.ts";

const lines = behaviour("driver lines");

lines("gcc: sanitizers, OpenMP, coverage, profiling", (w) => {
  w.write({
    "ok.c": "#include <stdio.h>\n#include <stdlib.h>\nint main(int argc, char **argv) { char *p = malloc(10); p[argc] = 1; int n = 0;\n#pragma omp parallel for reduction(+:n)\nfor (int i = 0; i < 100; i++) n += i;\nprintf(\"%d\\n\", n); free(p); return 0; }",
    "bad.c": "#include <stdlib.h>\nint main(int argc, char **argv) { char *p = malloc(10); free(p); return p[argc]; }",
  });
  const has = (library: string): boolean => w.sh(`gcc -print-file-name=${library}`).includes("/");
  for (const [library, flags] of [["libasan.so", "-fsanitize=address"], ["libubsan.so", "-fsanitize=undefined"], ["libgomp.so", "-fopenmp"], ["libgcov.a", "--coverage"], ["libtsan.so", "-fsanitize=thread"], ["libasan.a", "-fsanitize=address -static-libasan"], ["gcrt1.o", "-pg"]] as const) {
    if (!has(library)) continue;
    w.sh(`gcc -O1 -g ${flags} ok.c -B$B -o ok`);
    assert.is(w.try("./ok").stdout, "4950\n", flags);
    w.elf("ok");
  }
  // PGO: profile, run, use; the second program is another one.
  w.sh("gcc -O2 -fopenmp -fprofile-generate ok.c -B$B -o ok && ./ok && gcc -O2 -fopenmp -fprofile-use ok.c -B$B -o used && ./used");
  w.sh("gcc -fsplit-stack -fopenmp ok.c -B$B -o split && ./split");
  if (has("libasan.so")) {
    w.sh("gcc -O0 -g -fsanitize=address bad.c -B$B -o bad");
    contains(w.try("./bad").stderr, "heap-use-after-free", "bad.c:2");
  }
});

lines("clang: sanitizers and profile where compiler-rt is there", (w) => {
  w.write({ "ok.c": "#include <stdio.h>\nint main(void) { puts(\"ok\"); return 0; }" });
  for (const flags of ["-fsanitize=address", "-fsanitize=undefined", "-fprofile-instr-generate -fcoverage-mapping", "-fsanitize=thread", "-fsanitize=memory", "-fsanitize=safe-stack", "-fsanitize=leak", "-fsanitize=scudo", "-static -fsanitize=undefined", "-fbasic-block-sections=all", "-mcmodel=medium", "-static-pie", "-fxray-instrument -fxray-instruction-threshold=1", "--coverage", "-rtlib=compiler-rt"]) {
    if (w.try(`$CLANG ${flags} ok.c -fuse-ld=bfd -o probe`).status !== 0) continue;
    w.sh(`$CLANG ${flags} ok.c -B$B -o ok`);
    assert.is(w.try("./ok").stdout, "ok\n", flags);
    w.elf("ok");
  }
  w.write({ "fuzz.c": "#include <stdint.h>\n#include <stddef.h>\nint LLVMFuzzerTestOneInput(const uint8_t *d, size_t n) { return 0; }" });
  if (w.try("$CLANG -fsanitize=fuzzer fuzz.c -fuse-ld=bfd -o probe").status === 0) {
    contains(w.sh("$CLANG -fsanitize=fuzzer fuzz.c -B$B -o fuzz && ./fuzz -runs=10 2>&1"), "Done 10 runs");
  }
}, "clang");

lines("libtool, cmake and meson lines", (w) => {
  w.write({ "a.c": "int a(void) { return 1; }", "b.c": "int b(void) { return 2; }", "m.c": "int a(void), b(void); int main(void) { return a() + b() - 3; }", "x.ver": "{ global: a; local: *; };" });
  w.sh("gcc -fPIC -O1 -c a.c b.c m.c && ar rc libst.a b.o");
  w.sh("gcc -shared -fPIC -DPIC a.o -Wl,-soname -Wl,libx.so.1 -Wl,-version-script -Wl,x.ver -B$B -o libx.so.1.0 && ln -sf libx.so.1.0 libx.so.1 && ln -sf libx.so.1.0 libx.so");
  w.sh("gcc -fPIC -shared -Wl,-soname,libs.so.1 -B$B -o libs.so a.o -Wl,-rpath,/build/dir:::::::: -Wl,--push-state,--whole-archive libst.a -Wl,--pop-state -Wl,--dependency-file=link.d");
  assert.is(w.elf("libs.so").runpath(), "/build/dir::::::::");
  assert.equal(w.elf("libs.so").exports(), ["a", "b"]);
  w.sh("gcc -B$B -o m m.o -Wl,--as-needed -Wl,--no-undefined -Wl,-O1 -Wl,--start-group libst.a libx.so -Wl,--end-group '-Wl,-rpath,$ORIGIN/:XXXXXXXX' -Wl,-rpath-link,/nonexistent && ./m");
  w.sh("gcc -B$B -o m2 m.o -Wl,--whole-archive -Wl,--start-group libst.a -Wl,--no-whole-archive libx.so -Wl,--end-group -Wl,-rpath,. && ./m2");
}, "ar");

lines("the output survives strip, objcopy --only-keep-debug and a debug link", (w) => {
  w.write({ "m.c": "#include <stdio.h>\nint main(void) { puts(\"ok\"); return 0; }" }).sh("gcc -g m.c -B$B -o m && objcopy --only-keep-debug m m.debug && strip -o s m && objcopy --add-gnu-debuglink=m.debug s && ./s && objcopy --add-section .extra=m.c s t && ./t && objcopy -O binary m raw && strip -s s && ./s");
  contains(w.sh("readelf -SW t"), ".extra", ".gnu_debuglink");
}, "objcopy", "strip", "readelf");

lines.run();
