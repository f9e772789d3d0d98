/**
 * Options that change symbols: --wrap, --defsym, -u, --export-dynamic and its lists, --exclude-libs, -e, --undefined-glob, --no-undefined.
 */

import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";

const options = behaviour("symbol options");

options("--wrap sends references to __wrap_ and __real_", (w) => {
  w.write({
    "lib.c": "int f(int x) { return x + 1; } int g(int x) { return f(x); }",
    "wrap.c": "int __real_f(int); int __wrap_f(int x) { return __real_f(x) * 100; }",
    "m.c": '#include <stdio.h>\n#include <stdlib.h>\nint f(int), g(int); void *__real_malloc(size_t); int mallocs; void *__wrap_malloc(size_t n) { mallocs++; return __real_malloc(n); } int main(void) { free(malloc(3)); printf("%d %d %d\\n", f(1), g(1), mallocs); }',
  });
  w.sh("gcc -O0 -c *.c && gcc -B$B m.o lib.o wrap.o -Wl,--wrap=f,--wrap,malloc -o m");
  // GNU ld leaves references inside the defining object alone
  assert.is(w.sh("./m"), linkerName === "bfd" ? "200 2 1\n" : "200 200 1\n");
  w.elf("m");
  w.sh("ar rc lib.a lib.o && gcc -B$B m.o wrap.o lib.a -Wl,--wrap=f -Wl,--wrap=malloc -o m2 && ./m2");
  if (linkerName !== "bfd") contains(w.fails("$LD lib.o -e g --wrap=f -o m3"), "undefined symbol: __wrap_f", "lib.o");
}, "ar");

options("--defsym with numbers, symbols and expressions", (w) => {
  w.write({ "m.c": '#include <stdio.h>\nint target(void) { return 5; } int other(void); extern char number[], shifted[]; int main(void) { printf("%d %lx %ld\\n", other(), (long)number, (long)(shifted - (char *)target)); }' });
  w.sh("gcc -O1 -fno-pie -c m.c && gcc -no-pie -B$B m.o -Wl,--defsym=other=target -Wl,--defsym,number=0x1234 -Wl,--defsym=shifted=target+8 -o m");
  assert.is(w.sh("./m"), "5 1234 8\n");
  contains(w.fails("gcc -no-pie -B$B m.o -Wl,--defsym=other=nothing,--defsym=number=1,--defsym=shifted=2 -o m2"), "nothing");
  w.fails("gcc -no-pie -B$B m.o -Wl,--defsym=broken -o m2");
});

options("--defsym may mean what comes further down, and a name that is defined twice has each value in its turn", (w) => {
  w.write({ "m.c": '#include <stdio.h>\nextern char ahead[], later[], twice[], copy[], end[]; extern char _end[]; int main(void) { printf("%ld %ld %ld %ld %d\\n", (long)ahead, (long)later, (long)twice, (long)copy, end == _end); }' });
  w.sh("gcc -O1 -fno-pie -c m.c && gcc -no-pie -B$B m.o -Wl,--defsym=ahead=later+1,--defsym=later=4,--defsym=twice=1,--defsym=copy=twice,--defsym=twice=2,--defsym=end=_end -o m");
  assert.is(w.sh("./m"), "5 4 2 1 1\n");
});

options("--export-dynamic-symbol with a plain name means the default version, and name@V that version", (w) => {
  w.write({ "m.s": ".globl _start, one, two\n_start: ret\none: ret\ntwo: ret\n.symver one, foo@V1\n.symver two, foo@@V2\n" });
  w.sh("gcc -c m.s");
  for (const [name, exported] of [["foo", ["foo"]], ["foo@V1", ["foo"]], ["f*", ["foo", "foo"]], ["fo", []]] as const) {
    w.sh(`$LD -pie m.o --export-dynamic-symbol='${name}' -o m`);
    assert.equal(w.elf("m").exports().filter((s) => s === "foo"), exported, name);
  }
});

options("--export-dynamic, --dynamic-list and --export-dynamic-symbol choose an executable's exports", (w) => {
  w.write({ "m.c": 'int alpha(void) { return 1; } int beta(void) { return 2; } __attribute__((visibility("hidden"))) int hid(void) { return 3; } int main(void) { return alpha() + beta() + hid() - 6; }', "list": "{ al*; };", "where/far": "{ al*; };" });
  w.sh("gcc -O0 -c m.c");
  const exportsOf = (flags: string): string[] => {
    w.sh(`gcc -B$B m.o ${flags} -o m && ./m`);
    return w.elf("m").exports().filter((s) => /^(alpha|beta|hid)$/.test(s));
  };
  assert.equal(exportsOf(""), []);
  assert.equal(exportsOf("-Wl,--export-dynamic"), ["alpha", "beta"]);
  assert.equal(exportsOf("-rdynamic -Wl,--no-export-dynamic"), []);
  assert.equal(exportsOf("-Wl,-E"), ["alpha", "beta"]);
  assert.equal(exportsOf("-Wl,--dynamic-list=list"), ["alpha"]);
  if (linkerName !== "lld") assert.equal(exportsOf("-Wl,--dynamic-list=far -Lwhere"), ["alpha"]);
  assert.equal(exportsOf("-Wl,--export-dynamic-symbol=b*"), ["beta"]);
});

options("--exclude-libs hides what comes from archives", (w) => {
  w.write({ "a.c": "int from_a(void) { return 1; }", "b.c": "int from_b(void) { return 2; }", "m.c": "int from_a(void), from_b(void); int own(void) { return from_a() + from_b(); }" });
  w.sh("gcc -O1 -fPIC -c *.c && ar rc liba.a a.o && ar rc libb.a b.o");
  const exportsOf = (flags: string): string[] => {
    w.sh(`gcc -B$B -shared m.o -L. -la -lb ${flags} -o m.so`);
    return w.elf("m.so").exports().filter((name) => name !== "V1@@V1");
  };
  assert.equal(exportsOf(""), ["from_a", "from_b", "own"]);
  assert.equal(exportsOf("-Wl,--exclude-libs,ALL"), ["own"]);
  assert.equal(exportsOf("-Wl,--exclude-libs=liba.a"), ["from_b", "own"]);
  assert.equal(exportsOf("-Wl,--exclude-libs,liba.a:libb.a"), ["own"]);
  // A version script does not bring back what is excluded, by its name or by a pattern.
  w.write({ "v.map": "V1 { global: own; from_a; from_*; };" });
  assert.equal(exportsOf("-Wl,--exclude-libs=liba.a,--version-script=v.map"), ["from_b@@V1", "own@@V1"]);
}, "ar");

options("-e takes a symbol or an address, -init and -fini name functions", (w) => {
  w.write({ "a.c": 'void other(void) { __asm__("mov $60, %eax; mov $4, %edi; syscall"); } void _start(void) { __asm__("mov $60, %eax; mov $3, %edi; syscall"); }' });
  w.sh("gcc -O1 -fno-pie -c a.c && $LD a.o -o s && $LD a.o -e other -o o && $LD a.o --entry=other -o o2");
  assert.is(w.sh("./s || echo $?; ./o || echo $?; ./o2 || echo $?"), "3\n4\n4\n");
  assert.is(w.elf("o").entry, w.elf("o").symbol("other")!.value);
  w.sh("gcc -O1 -fPIC -shared -B$B a.c -Wl,-init,other -Wl,-fini,_start -nostartfiles -o l.so");
  const lib = w.elf("l.so");
  assert.is(lib.tag("INIT"), lib.dynamicSymbol("other")!.value);
  assert.is(lib.tag("FINI"), lib.dynamicSymbol("_start")!.value);
  w.sh("$LD a.o -e 0x201234 -o addr");
  assert.is(w.bytes("addr").length > 0, true);
});

options("--no-undefined, -z defs, --unresolved-symbols and --warn-unresolved-symbols", (w) => {
  w.write({ "a.c": "int nowhere(void); int f(void) { return nowhere(); } int main(int c, char **v) { return c > 5 ? f() : 0; }" });
  w.sh("gcc -O1 -fPIC -c a.c && gcc -B$B -shared a.o -o a.so");
  assert.ok(w.elf("a.so").imports().includes("nowhere"));
  for (const flag of ["-Wl,--no-undefined", "-Wl,-z,defs", "-Wl,--unresolved-symbols=report-all"]) contains(w.fails(`gcc -B$B -shared a.o ${flag} -o b.so`), "nowhere");
  contains(w.fails("gcc -B$B a.o -o m"), "nowhere");
  for (const flag of ["-Wl,--unresolved-symbols=ignore-all", "-Wl,--unresolved-symbols=ignore-in-object-files", "-Wl,--warn-unresolved-symbols"]) w.sh(`gcc -B$B a.o ${flag} -o m && ./m`);
  contains(w.try("gcc -B$B a.o -Wl,--warn-unresolved-symbols -o m").stderr, /warning: .*nowhere/);
  w.elf("m");
});

options("a shared object's undefined symbols are reported for an executable", (w) => {
  w.write({ "a.c": "int absent(void); int f(void) { return absent(); }", "m.c": "int f(void); int main(int c, char **v) { return c > 5 ? f() : 0; }" });
  w.sh("gcc -O1 -fPIC -c *.c && gcc -B$B -shared a.o -lc -o liba.so");
  contains(w.fails("gcc -B$B m.o liba.so -lc -Wl,-rpath,. -o m"), "absent");
  w.sh("gcc -B$B m.o liba.so -lc -Wl,-rpath,. -Wl,--allow-shlib-undefined -Wl,-z,lazy -o m && ./m");
});

options("--require-defined and --undefined-glob", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "m.c": "int main(void) { return 0; }", "a.c": "int plugin_a;", "b.c": "int plugin_b;" });
  w.sh("gcc -O1 -c *.c && ar rc lib.a a.o b.o && gcc -B$B m.o lib.a '-Wl,--undefined-glob=plugin_*' -o m");
  assert.ok(w.elf("m").symbol("plugin_a") && w.elf("m").symbol("plugin_b"));
  contains(w.fails("gcc -B$B m.o lib.a -Wl,--require-defined=absent -o m"), "absent");
  w.sh("gcc -fPIC -shared a.c -o liba.so && gcc -fPIC -shared -DNAME=other -xc - -o libb.so <<< 'int NAME;' && gcc -B$B m.o -L. -Wl,--as-needed -la -lb '-Wl,--undefined-glob=plugin_*' -o n");
  assert.ok(w.elf("n").imports().includes("plugin_a"));
  contains(w.sh("readelf -dW n"), "[liba.so]");
  if (linkerName === "wield") w.sh("gcc -B$B m.o -L. -la -Wl,--require-defined=plugin_a -o r"); // a shared object may define it (GNU ld)
  lacks(w.sh("readelf -dW n"), "[libb.so]");
}, "ar");

options("-Bsymbolic-non-weak binds strong definitions, -Bsymbolic-non-weak-functions only functions", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "a.c": "int data = 1; void strong(void) {} __attribute__((weak)) void weak(void) {} int use(void) { strong(); weak(); return data; }" }).sh("gcc -O1 -fPIC -fno-inline -c a.c");
  const preemptible = (flag: string): string => {
    w.sh(`$LD -shared ${flag} a.o -o a.so`);
    return w.sh("readelf -rW a.so").match(/\b(data|strong|weak)\b/g)?.sort().join(" ") ?? "";
  };
  assert.is(preemptible(""), "data strong weak");
  assert.is(preemptible("-Bsymbolic-non-weak"), "weak");
  assert.is(preemptible("-Bsymbolic-non-weak-functions"), "data weak");
  assert.is(preemptible("-Bsymbolic-non-weak -Bno-symbolic"), "data strong weak");
}, "readelf");

options("--export-dynamic-symbol-list reads patterns from a file", (w) => {
  w.write({ "m.c": "int alpha(void) { return 1; } int beta(void) { return 2; } int gamma_(void) { return 3; } int main(void) { return 0; }", list: "{ al*; gamma_; };" }).sh("gcc -O0 -c m.c");
  w.sh("gcc -B$B m.o -Wl,--export-dynamic-symbol-list=list -o m && ./m");
  assert.equal(w.elf("m").exports().filter((name) => /^(alpha|beta|gamma_)$/.test(name)), ["alpha", "gamma_"]);
});

options("--ignore-unresolved-symbol: nobody has to define it, and who does is not disturbed", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "m.c": "extern int maybe(void), never(void), here; int *p = &here; int main(void) { return p == 0 ? maybe() : 0; }", "h.c": "int here = 5;" }).sh("gcc -O0 -fno-pie -c m.c && gcc -c h.c");
  w.fails("gcc -no-pie -B$B m.o h.o -o m");
  w.sh("gcc -no-pie -B$B m.o h.o -Wl,--ignore-unresolved-symbol=maybe,--ignore-unresolved-symbol,here,--ignore-unresolved-symbol=nobody -o m && ./m");
  contains(w.fails("gcc -no-pie -B$B m.o -Wl,--ignore-unresolved-symbol=maybe -o m"), "undefined symbol: here");
});

options.run();
