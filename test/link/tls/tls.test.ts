/**
 * Thread-local storage: general dynamic, local dynamic, initial exec, local exec and TLSDESC, in every kind of output, with two threads.
 *
 * The surprising choice: the same source is compiled once per model and linked into every kind of output that may hold it, so that each
 * relaxation of the x86-64 psABI's TLS chapter is executed, not only inspected.
 */

import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const tls = behaviour("thread-local storage");

const SOURCE = `
  #include <pthread.h>
  #include <stdio.h>
  #include <stdlib.h>
  __thread int plain = 3;
  __thread int zeroed;
  static __thread int local1 = 10, local2 = 20;
  __thread int hidden __attribute__((visibility("hidden"))) = 7;
  __thread char aligned[64] __attribute__((aligned(64))) = "aligned";
  extern __thread int elsewhere;
  int touch(void);
  static void *work(void *arg) {
    int *sum = arg;
    plain++; zeroed += 2; local1 += 100; local2 += 1000; hidden++; elsewhere += 5;
    *sum = plain + zeroed + local1 + local2 + hidden + elsewhere + touch();
    if ((unsigned long)aligned & 63) *sum = -1;
    return 0;
  }
  int run(void) {
    int a = 0, b = 0, c = 0; pthread_t t, u;
    pthread_create(&t, 0, work, &a); pthread_join(t, 0);
    pthread_create(&u, 0, work, &b); pthread_join(u, 0);
    work(&c); work(&c);
    printf("%d %d %d %s\\n", a, b, c, aligned);
    return 0;
  }`;
const OTHER = `
  __thread int elsewhere = 50;
  static __thread int inner = 1;
  int touch(void) { return inner++; }
  __thread long double filler __attribute__((aligned(32))) = 1.0L;`;
const MAIN = "int run(void); int main(void) { return run(); }";
const EXPECTED = "1200 1200 2310 aligned\n";

const models: [string, string][] = [
  ["gd", "-fPIC -ftls-model=global-dynamic"],
  ["ld", "-fPIC -ftls-model=local-dynamic"],
  ["ie", "-fPIC -ftls-model=initial-exec"],
  ["le", "-fPIE -ftls-model=local-exec"],
  ["desc", "-fPIC -mtls-dialect=gnu2"],
];

for (const [model, flags] of models) {
  tls(`${model} in executables`, (w) => {
    w.write({ "a.c": SOURCE, "b.c": OTHER, "m.c": MAIN });
    // local dynamic is for symbols of the same module that cannot be preempted
    w.sh(`gcc -O2 ${model === "ld" ? flags + " -fvisibility=hidden" : flags} -c a.c b.c && gcc -O1 -fPIE -c m.c`);
    for (const [name, kind] of [["pie", "-pie"], ["exec", "-no-pie"], ["static", "-static"], ["spie", "-static-pie"]] as const) {
      w.sh(`gcc -B$B ${kind} a.o b.o m.o -pthread -o ${name}`);
      assert.is(w.sh(`./${name}`), EXPECTED, `${model} ${name}`);
      const elf = w.elf(name);
      const segment = elf.segment(7)!;
      assert.ok(segment.align >= 64, "PT_TLS alignment");
      if (kind === "-static") continue;
      const types = new Set(elf.relocs().map((r) => r.type));
      assert.not(types.has(16), "an executable needs no DTPMOD64");
      assert.not(types.has(36), "an executable needs no TLSDESC for its own variables");
      assert.not(types.has(18), "an executable needs no TPOFF64 for its own variables");
    }
  });
  if (model === "le") continue;
  tls(`${model} in a shared object`, (w) => {
    w.write({ "a.c": SOURCE, "b.c": OTHER, "m.c": MAIN });
    w.sh(`gcc -O2 ${model === "ld" ? flags + " -fvisibility=hidden" : flags} -c b.c && gcc -O2 ${flags} -c a.c && gcc -O1 -fPIE -c m.c`);
    w.sh("gcc -B$B -shared a.o b.o -pthread -o liba.so && gcc -B$B m.o -L. -la -Wl,-rpath,. -o m");
    assert.is(w.sh("./m"), EXPECTED);
    const lib = w.elf("liba.so");
    const types = new Set(lib.relocs().map((r) => r.type));
    if (model === "ie") {
      assert.ok(types.has(18), "TPOFF64");
      assert.ok(((lib.tag("FLAGS") ?? 0) & 16) !== 0, "DF_STATIC_TLS");
    }
    if (model === "gd") assert.ok(types.has(16) && types.has(17), "DTPMOD64 and DTPOFF64");
    if (model === "ld") assert.ok(types.has(16), "DTPMOD64");
    if (model === "desc") assert.ok(types.has(36), "TLSDESC");
    w.elf("m");
  });
}

tls("a variable of a shared object used by an executable in each model", (w) => {
  w.write({
    "lib.c": "__thread int shared_tls = 11; int get(void) { return shared_tls; }",
    "m.c": '#include <stdio.h>\nextern __thread int shared_tls; int get(void); int main(void) { shared_tls += 4; printf("%d %d\\n", shared_tls, get()); }',
  });
  w.sh("gcc -O1 -fPIC -c lib.c && gcc -B$B -shared lib.o -o libt.so");
  for (const [name, flags] of [["gd", "-fPIC"], ["ie", "-fPIE"], ["noplt", "-fPIC -fno-plt"], ["desc", "-fPIC -mtls-dialect=gnu2"], ["iex", "-fno-pie -no-pie"]] as const) {
    w.sh(`gcc -O1 ${flags} -c m.c -o ${name}.o && gcc ${name === "iex" ? "-no-pie" : ""} -B$B ${name}.o -L. -lt -Wl,-rpath,. -o ${name}`);
    assert.is(w.sh(`./${name}`), "15 15\n", name);
    const elf = w.elf(name);
    assert.ok(elf.relocs().some((r) => r.type === 18 && r.name === "shared_tls"), `${name}: relaxed to initial exec`);
    assert.not(elf.relocs().some((r) => r.type === 16 || r.type === 36), name);
  }
});

tls("a shared object says of an undefined variable that it is thread-local: others refuse it beside a definition when it does not", (w) => {
  w.write({ "u.c": "extern __thread int t; __attribute__((weak)) extern __thread int w; int *weak(void) { return &w; } int get(void) { return t; }", "t.c": "__thread int t = 3, w;", "m.c": "__thread int t = 3; int get(void); int main(void) { return get(); }" });
  w.sh("gcc -fPIC -O1 -c u.c t.c && gcc -O1 -c m.c && $LD -shared u.o -o libu.so && $LD -shared u.o --start-lib t.o --end-lib -o libboth.so && $LD -shared --start-lib t.o --end-lib u.o --wrap=get -o libfirst.so");
  assert.equal(["t", "w"].map((name) => w.elf("libu.so").dynamicSymbol(name)!.type), [6, 6]);
  for (const name of ["libboth.so", "libfirst.so"]) assert.is(w.elf(name).dynamicSymbol("t")!.type, 6, name);
  w.sh("gcc -B$B m.o ./libu.so -o m");
  assert.is(w.try("./m").status, 3);
});

tls("local dynamic needs one module entry, and TLS in a dlopened object works", (w) => {
  w.write({
    "lib.c": `
      static __thread int a = 1, b = 2, c = 3; static __thread char pad[300];
      int sum(int n) { a += n; b += n; c += n; pad[n] = n; return a + b + c + pad[n]; }`,
    "m.c": `
      #include <dlfcn.h>
      #include <stdio.h>
      #include <pthread.h>
      static int (*sum)(int);
      static void *work(void *p) { *(int *)p = sum(2); return 0; }
      int main(void) {
        void *h = dlopen("./libl.so", RTLD_NOW); int r; pthread_t t;
        sum = (int (*)(int))dlsym(h, "sum");
        pthread_create(&t, 0, work, &r); pthread_join(t, 0);
        printf("%d %d\\n", r, sum(1));
      }`,
  });
  w.sh("gcc -O2 -fPIC -c lib.c && gcc -B$B -shared lib.o -o libl.so && gcc -O1 m.c -B$B -pthread -ldl -o m");
  assert.is(w.sh("./m"), "14 10\n");
  assert.is(w.elf("libl.so").relocs().filter((r) => r.type === 16).length, 1);
});

tls("-fno-plt general dynamic, and clang's code for every model", (w) => {
  w.write({ "a.c": SOURCE, "b.c": OTHER, "m.c": MAIN });
  w.sh("gcc -O2 -fPIC -fno-plt -c a.c b.c m.c && gcc -B$B a.o b.o m.o -pthread -o pie && gcc -B$B -shared a.o b.o -o liba.so && gcc -B$B m.o ./liba.so -o dyn");
  for (const name of ["pie", "dyn"]) assert.is(w.sh(`./${name}`), EXPECTED, name);
  w.sh("$CLANG -O2 -fPIC -c a.c b.c m.c && $CLANG -B$B a.o b.o m.o -pthread -o pie && $CLANG -B$B -shared a.o b.o -o liba.so && $CLANG -B$B m.o ./liba.so -o dyn && $CLANG -B$B -static a.o b.o m.o -o static");
  for (const name of ["pie", "dyn", "static"]) assert.is(w.sh(`./${name}`), EXPECTED, `clang ${name}`);
}, "clang");

tls("the size of an object with only .tbss, and no TLS segment when all TLS is dead", (w) => {
  w.write({
    "a.c": "__thread int only_bss[1000]; int *get(void) { return only_bss; }",
    "m.c": "int *get(void); int main(void) { get()[999] = 1; return get()[0]; }",
    "dead.c": "__thread int dead = 4; int *dead_get(void) { return &dead; }",
    "n.c": "int main(void) { return 0; }",
  });
  w.sh("gcc -O1 -ffunction-sections -fdata-sections -c a.c m.c dead.c n.c && gcc -B$B a.o m.o -o m && ./m && gcc -B$B -Wl,--gc-sections dead.o n.o -o n && ./n");
  const elf = w.elf("m");
  assert.is(elf.segment(7)!.filesz, 0);
  assert.is(elf.segment(7)!.memsz, 4000);
  assert.is(w.elf("n").segment(7), undefined);
});

tls.run();

tls("local dynamic code for what a shared object defines is an error in an executable", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "l.c": "__thread int far = 7;", "m.c": "extern __thread int far; int main(void) { return far; }" });
  w.sh("gcc -shared -fPIC -B$B l.c -o l.so && gcc -fPIC -ftls-model=local-dynamic -c m.c");
  for (const kind of ["-pie", "-no-pie"]) contains(w.fails(`gcc -B$B ${kind} m.o ./l.so -o p`), "relocation R_X86_64_DTPOFF32 cannot be used against symbol 'far'", "l.so");
});
