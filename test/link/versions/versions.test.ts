/**
 * Symbol versions: version scripts with wildcards, extern "C++" and inheritance, foo@V and foo@@V, versions of needed libraries.
 */

import { assert, behaviour, contains, linkerName, type Workspace } from "../../helpers/link.ts";
import { tool } from "../../helpers/tools.ts";

const versions = behaviour("symbol versions");

const OLD_AND_NEW = `
  int old_f(void) { return 1; } int new_f(void) { return 2; } int helper(void) { return 3; } int api_x(void) { return helper(); }
  __asm__(".symver old_f, f@V1"); __asm__(".symver new_f, f@@V2");`;
const MAP = "V1 { global: f; api_*; local: *; };\nV2 { global: f; } V1;\n";

versions("two versions of one symbol: the default links, the old one still runs", (w) => {
  w.write({ "lib.c": OLD_AND_NEW, "v.map": MAP, "m.c": 'int f(void); int api_x(void); int main(void) { return f() * 10 + api_x(); }', "old.c": '__asm__(".symver f, f@V1"); int f(void); int main(void) { return f(); }' });
  w.sh("gcc -O1 -fPIC -c lib.c && gcc -B$B -shared lib.o -Wl,--version-script=v.map -Wl,-soname,libf.so -o libf.so && for n in m old; do gcc -O1 $n.c -B$B -L. -lf -Wl,-rpath,. -o $n; done");
  assert.is(w.sh("./m; echo $?".replace("./m;", "./m ||")).trim(), "23");
  assert.is(w.sh("./old || echo $?").trim(), "1");
  const lib = w.elf("libf.so");
  assert.equal(lib.exports().filter((s) => !/^V\d@/.test(s)), ["api_x@@V1", "f@@V2", "f@V1"]);
  const defs = lib.verdefs();
  assert.equal(defs.map((d) => [d.name, d.flags, d.index]), [["libf.so", 1, 1], ["V1", 0, 2], ["V2", 0, 3]]);
  assert.ok(w.elf("m").imports().includes("f@V2"));
  assert.ok(w.elf("old").imports().includes("f@V1"));
  assert.equal(w.elf("old").verneeds().filter((n) => n.file === "libf.so").map((n) => n.name), ["V1"]);
  assert.is(lib.symbol("helper")?.bind ?? 0, 0);
});

versions("symbols without a version beside those with one: programs of before there were versions still run", (w) => {
  w.write({
    "before.c": "int f(void) { return 8; } int g(void) { return 9; }", "m.c": "int f(void); int g(void); int main(void) { return f() * 10 + g(); }",
    "lib.c": OLD_AND_NEW.replace("f@V1", "f@") + 'int new_g(void) { return 4; } __asm__(".symver new_g, g@@");', "v.map": "V2 { global: f; local: *; };\n",
  });
  w.sh("gcc -fPIC -shared before.c -Wl,-soname,libf.so -o libf.so && gcc m.c -L. -lf -Wl,-rpath,. -o old");
  w.sh("gcc -fPIC -c lib.c && gcc -B$B -shared lib.o -Wl,--version-script=v.map -Wl,-soname,libf.so -o libf.so && gcc m.c -B$B -L. -lf -Wl,-rpath,. -o new");
  assert.equal([w.sh("./old || echo $?").trim(), w.sh("./new || echo $?").trim()], ["14", "24"]);
  assert.equal(w.elf("libf.so").exports().filter((s) => !s.startsWith("V")).map((s) => s.replace(/@$/, "")), ["f", "f@@V2", "g"]);
});

versions("the anonymous version hides without naming", (w) => {
  w.write({ "a.c": "int keep_me, keep_too, drop_me; int function(void) { return keep_me + drop_me; }", "v.map": "{ global: keep_*; function; local: *; };" });
  w.sh("gcc -O1 -fPIC -fno-common -c a.c && gcc -B$B -shared a.o -Wl,--version-script,v.map -o liba.so && gcc -B$B -shared a.o -Wl,-version-script,v.map -o libb.so");
  for (const name of ["liba.so", "libb.so"]) assert.equal(w.elf(name).exports(), ["function", "keep_me", "keep_too"], name);
  assert.is(w.elf("liba.so").section(".gnu.version_d"), undefined);
});

versions("wildcards, exact names before patterns, quoted names, extern C++", (w) => {
  w.write({
    "a.cc": `
      namespace ns { int alpha(int) { return 1; } int beta(int) { return 2; } struct T { virtual ~T(); void m(); }; T::~T() {} void T::m() {} }
      extern "C" { int c_one, c_two, c_three, plain; }`,
    "v.map": `
      V1 { global: extern "C++" { ns::alpha*; "ns::T::m()"; vtable*for?ns::T; }; c_[a-s]*; };
      V2 { global: c_two; local: *; };`,
  });
  w.sh("g++ -O1 -fPIC -c a.cc && g++ -B$B -shared a.o -Wl,--version-script=v.map -o liba.so");
  assert.equal(w.elf("liba.so").exports().filter((s) => !/^V\d@/.test(s)), ["_ZN2ns1T1mEv@@V1", "_ZN2ns5alphaEi@@V1", "_ZTVN2ns1TE@@V1", "c_one@@V1", "c_two@@V2"]);
}, "g++");

versions("names of templates as GNU's tools write them, and as LLVM's", (w) => {
  w.write({
    "a.cc": "template <class T> struct box {}; int first(box<box<box<int>>>) { return 1; } int second(box<box<int>>) { return 2; } int third(box<box<int>>) { return 3; }",
    "v.map": 'V1 { global: extern "C++" { "first(box<box<box<int> > >)"; "second(box<box<int>>)"; }; local: *; };',
    "d.list": '{ extern "C++" { "first(box<box<box<int> > >)"; "third(box<box<int>>)"; }; };',
    "m.cc": '#include "a.cc"\nint main() { return 0; }',
  });
  const names = (file: string): string[] => w.elf(file).exports().filter((s) => s.startsWith("_Z")).map((s) => /first|second|third/.exec(s)![0]).sort();
  w.sh("g++ -fPIC -c a.cc && g++ -B$B -shared a.o -Wl,--version-script=v.map,--undefined-version -o liba.so && g++ m.cc -B$B -Wl,--dynamic-list=d.list -o m");
  if (linkerName === "wield") assert.equal([names("liba.so"), names("m")], [["first", "second"], ["first", "third"]]);
}, "g++");

versions("glibc's versions are recorded once per version", (w) => {
  w.write({ "m.c": '#include <stdio.h>\n#include <math.h>\n#include <pthread.h>\nint main(int c, char **v) { printf("%f\\n", pow(c, 2)); return pthread_join(pthread_self(), 0) == 0; }' });
  w.sh("gcc -O1 -fno-builtin m.c -B$B -lm -o m && ./m");
  const elf = w.elf("m");
  const keys = elf.verneeds().map((n) => n.file + n.name);
  assert.is(new Set(keys).size, keys.length);
  assert.ok(elf.imports().includes("printf@GLIBC_2.2.5"));
  assert.ok(elf.imports().some((s) => /^pow@GLIBC_2\.29/.test(s)));
});

versions("--default-symver, a missing version and --no-undefined-version", (w) => {
  w.write({ "a.c": "int a(void) { return 1; }", "v.map": "V1 { global: a; not_there; local: *; };", "bad.map": "V1 { global: a; } NOPE;", "worse.map": "V1 { global a }" });
  w.sh("gcc -O1 -fPIC -c a.c && gcc -B$B -shared a.o -Wl,--version-script=v.map -Wl,--undefined-version -o liba.so");
  assert.ok(w.elf("liba.so").exports().includes("a@@V1"));
  contains(w.fails("gcc -B$B -shared a.o -Wl,--version-script=v.map -Wl,--no-undefined-version -o libb.so"), "not_there");
  if (linkerName === "wield") {
    contains(w.sh("gcc -B$B -shared a.o -Wl,--version-script=v.map -o libc.so 2>&1"), /warning: version script assignment of 'V1' to symbol 'not_there' failed: symbol not defined/);
    assert.equal(w.elf("libc.so").exports(), w.elf("liba.so").exports());
    w.sh("mkdir as-lld && ln -s $LD as-lld/ld.lld");
    contains(w.fails("as-lld/ld.lld -shared a.o --version-script=v.map -o libb.so"), "not_there");
  }
  assert.not(w.exists("libb.so"));
  w.fails("gcc -B$B -shared a.o -Wl,--version-script=worse.map -o libb.so");
  w.fails("gcc -B$B -shared a.o -Wl,--version-script=missing.map -o libb.so");
});

versions("version scripts may name what only archive members define that nobody needs", (w) => {
  w.write({ "a.c": "int a(void) { return 1; }", "b.cc": 'extern "C" int b(void) { return 2; } int c(int) { return 3; }', "v.map": 'V1 { global: a; b; extern "C++" { "c(int)"; }; local: *; };', "list": "a\nb\n" });
  w.sh("gcc -fPIC -c a.c b.cc && ar rc libb.a b.o && $LD -shared a.o libb.a --version-script=v.map -o liba.so");
  assert.equal(w.elf("liba.so").exports().filter((s) => !/^V\d@/.test(s)), ["a@@V1"]);
  if (linkerName !== "bfd") w.sh("$LD -shared a.o libb.a --retain-symbols-file=list -o libr.so");
  w.write({ "w.map": "V1 { global: a; b; nobody; };" });
  if (linkerName !== "bfd") contains(w.fails("$LD -shared a.o libb.a --no-undefined-version --version-script=w.map -o libw.so"), "symbol 'nobody' failed: symbol not defined");
}, "g++");

versions("a versioned definition in an object needs its node", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "a.c": 'int f1(void) { return 1; } __asm__(".symver f1, f@@NOWHERE");' });
  contains(w.fails("gcc -O1 -fPIC -c a.c && gcc -B$B -shared a.o -o liba.so"), "NOWHERE");
});

versions("interposing a versioned symbol from the program", (w) => {
  w.write({ "m.c": '#include <stdio.h>\n#include <stdlib.h>\nvoid *malloc(size_t n) { static char pool[1 << 20]; static size_t used; void *p = pool + used; used += (n + 15) & ~15ul; return p; } void free(void *p) { (void)p; } int main(void) { char *p = malloc(10); p[0] = 0; return puts("mine") < 0; }' });
  w.sh("gcc -O1 -fno-builtin m.c -B$B -o m");
  assert.is(w.sh("./m"), "mine\n");
  assert.ok(w.elf("m").exports().some((s) => /^malloc/.test(s)));
});

versions("--retain-symbols-file exports what it lists, --default-symver gives the rest the soname as version", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "a.c": "int a1, a2; int f(void) { return a1; }", "list": "# kept\na1\nf\n", "v.map": "V1 { global: f; };" });
  w.sh("gcc -O1 -fPIC -fno-common -c a.c && $LD -shared --retain-symbols-file=list a.o -o r.so");
  assert.equal(w.elf("r.so").exports(), ["a1", "f"]);
  if (linkerName !== "wield") return;
  w.sh("$LD -shared --default-symver -soname me.so.1 --version-script=v.map a.o -o d.so && $LD -shared --default-symver a.o -o plain.so");
  assert.equal(w.elf("d.so").exports().filter((name) => !/^(V1|me)/.test(name)), ["a1@@me.so.1", "a2@@me.so.1", "f@@V1"]);
  assert.ok(w.elf("plain.so").exports().includes("f@@plain.so"));
  // Names that an anonymous script exports have no version of their own either.
  w.write({ "u.map": "{ global: f; a*; local: *; };" }).sh("gcc -O1 -fPIC -c -x c - -o b.o <<< 'int hidden; int other(void) { return 0; }' && $LD -shared --default-symver -soname me.so.1 --version-script=u.map a.o b.o -o u.so && $LD -shared --version-script=u.map a.o -o n.so");
  assert.equal(w.elf("u.so").exports().filter((name) => !/^me/.test(name)), ["a1@@me.so.1", "a2@@me.so.1", "f@@me.so.1"]);
  assert.equal(w.elf("n.so").exports(), ["a1", "a2", "f"]);
});

versions("dynamic lists of variables, of operator new and of type information", (w) => {
  if (linkerName !== "wield" && linkerName !== "bfd") return;
  w.write({ "a.cc": "struct T { virtual ~T(); }; T::~T() {} int data = 1; void *operator new(unsigned long) noexcept(false); void *operator new(unsigned long) { return &data; } int fn() { return 0; }" });
  w.sh("g++ -O1 -fPIE -fno-exceptions -c a.cc && for o in data cpp-new cpp-typeinfo; do $LD -pie --unresolved-symbols=ignore-all --dynamic-list-$o a.o -o $o 2> /dev/null; done");
  const defined = (name: string) => w.elf(name).dynsym().filter((symbol) => symbol.shndx !== 0).map((symbol) => symbol.name).sort();
  assert.ok(defined("data").includes("data") && !defined("data").includes("_Z2fnv"));
  assert.equal(defined("cpp-new"), ["_Znwm"]);
  assert.equal(defined("cpp-typeinfo"), ["_ZTI1T", "_ZTS1T"]);
}, "g++");

versions("what is odd about scripts is said: `*` in two scopes, scripts that are nowhere, references to versions nobody has", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "a.s": ".globl f\nf: call g@PLT\n", "r.s": ".symver g, g@V9\nh: call g\n", "two.map": "V1 { global: *; }; V2 { local: *; };", "many.map": "V1 { global: *; }; V2 { global: *; };", "dir/found.map": "{};" });
  w.sh("as a.s -o a.o && as r.s -o r.o");
  contains(w.try("$LD -shared --version-script=two.map a.o -o a.so").stderr, "warning: wildcard pattern '*' is used for both 'local' and 'global' scopes in version script");
  contains(w.try("$LD -shared --version-script=many.map a.o -o a.so").stderr, "warning: wildcard pattern '*' is used for multiple version definitions in version script");
  w.sh("$LD -shared -Ldir --version-script=found.map a.o -o a.so");
  contains(w.fails("$LD -shared --version-script=nowhere.map a.o -o b.so"), "cannot find version script nowhere.map");
  contains(w.fails("$LD -shared r.o -o r.so"), "undefined symbol: g@V9");
});

versions("`.symver x, x@@V` defines x twice, which is no mistake, and x has the version", (w) => {
  if (linkerName === "bfd") return; // refuses the shared object
  w.write({ "a.s": ".globl x\n.symver x, x@@V\n.type x, @function\nx: ret\n.globl y\ny: call x@PLT\n", "b.s": ".globl x\nx: ret\n", "v.map": "V { global: y; local: *; };" });
  w.sh("as a.s -o a.o && as b.s -o b.o && $LD -shared a.o --version-script=v.map -o a.so && $LD -r a.o -o r.o");
  contains(w.sh("readelf -W --dyn-syms a.so"), "x@@V\n", "y@@V\n");
  contains(w.sh("readelf -sW r.o"), "x@@V\n");
  contains(w.fails("$LD -r a.o b.o -o x.o"), "duplicate symbol: x");
}, "as");

versions("thousands of patterns", (w) => {
  const many = Array.from({ length: 4000 }, (_, i) => `prefix_${i}_*;`).join("\n");
  w.write({ "a.s": `.globl ${Array.from({ length: 4000 }, (_, i) => `prefix_${i}_x, other_${i}`).join(", ")}\n${Array.from({ length: 4000 }, (_, i) => `prefix_${i}_x: other_${i}: .byte 0`).join("\n")}\n`,
    "v.map": `V1 {\nglobal:\n${many}\nlocal: *;\n};\n` });
  w.sh("as a.s -o a.o && $LD -shared --version-script=v.map a.o -o a.so");
  const names = w.elf("a.so").exports().filter((name) => name.endsWith("_x@@V1"));
  assert.is(names.length, 4000);
});

versions("name and name@V of one shared object are one variable: it is copied once", (w) => {
  if (linkerName === "lld") return;
  w.write({ "l.s": ".globl f, d\nf: ret\n.data\nd: .long 1\n.type d,@object\n.size d, 4\n", "v": "V1 { global: f; d; };",
    "m.s": ".globl _start\n.symver fv, f@V1\n.symver dv, d@V1\n_start: call f\ncall fv\nmov d, %eax\nmov dv, %eax\n" });
  w.sh("as l.s -o l.o && $LD -shared --version-script=v -soname l.so l.o -o l.so && as m.s -o m.o && $LD m.o l.so -o m");
  const elf = w.elf("m");
  assert.is(elf.relocs().filter(({ type }) => type === 5).length, 1);
  assert.is(new Set(elf.dynsym().filter(({ name }) => name === "d").map(({ value }) => value)).size, 1);
});

versions(".symver name, name@V defines name@V only; beside name@@V it is a second definition, unless one is weak", (w) => {
  w.write({ "a.s": ".globl f\nf: ret\n.symver f, f@V1\n.globl g\ng: call f@PLT\n", "new.s": ".globl f1\n.symver f1, f@@V1\nf1: nop\nret\n", "old.s": ".globl f2\n.symver f2, f@V1\nf2: ret\n",
    "weak.s": ".weak f1\n.symver f1, f@@V1\nf1: nop\nret\n", "ref.s": ".protected f\n.symver f, f@@@V1\nh: call f\n", "v": "V1 {}; V2 {};" });
  w.sh("for i in a new old weak ref; do as $i.s -o $i.o; done && $LD -shared --version-script=v a.o -o a.so");
  if (linkerName === "bfd") return;
  assert.equal(w.elf("a.so").exports().filter((name) => !/^V/.test(name)), ["f@V1", "g"]);
  contains(w.fails("$LD -shared --version-script=v new.o old.o -o x"), /duplicate symbol: f@@V1\n>>> defined at new.o:\(.text\+0x0\)\n>>> defined at old.o/);
  w.sh("$LD -shared --version-script=v weak.o old.o -o weak.so && $LD -shared --version-script=v ref.o new.o -o ref.so");
  const f = w.elf("weak.so").dynsym().find(({ name }) => name === "f")!;
  assert.is(f.value, w.elf("weak.so").symbol("f2")!.value, "the strong one counts");
  assert.is(w.elf("ref.so").dynsym().find(({ name }) => name === "f")!.visibility, 3, "as protected as a reference wants it");
});

versions("--default-imported-symver: what comes from a library without versions has its soname as version", (w) => {
  if (linkerName !== "wield" && linkerName !== "bfd") return;
  w.write({ "lib.c": "int imported = 1; int call(void) { return 3; }", "other.c": "int other(void) { return 4; }", "v.map": "V1 { global: *; };", "m.c": "extern int imported; int call(void), other(void); int main(void) { return imported + call() + other(); }" });
  w.sh("gcc -fPIC -shared lib.c -Wl,-soname,liba.so.1 -o liba.so.1 && gcc -fPIC -shared other.c -Wl,--version-script=v.map,-soname,libo.so -o libo.so");
  w.sh("gcc -B$B m.c liba.so.1 libo.so -Wl,-rpath,.,--default-imported-symver -o m && gcc -B$B m.c liba.so.1 libo.so -Wl,-rpath,. -o plain");
  assert.equal(w.elf("m").imports().filter((name) => /call|imported|other/.test(name)), ["call@liba.so.1", "other@V1"]);
  assert.equal(w.elf("m").verneeds().filter(({ file }) => !file.startsWith("libc")).map(({ file, name }) => [file, name]), [["liba.so.1", "liba.so.1"], ["libo.so", "V1"]]);
  // Not run: glibc insists on versions of a library that is loaded by its soname.
  assert.ok(w.elf("plain").imports().includes("call"));
});

versions("an assignment in a script defines name@V, as attr's libattr.lds does, or name@@V", (w) => {
  if (linkerName === "gold" || linkerName === "mold") return;
  w.write({
    "a.c": '__attribute__((visibility("hidden"))) int first(void) { return 1; } int second(void) { return 2; } int call(void) { return 3; }',
    "v.map": "V1 { global: get; both; local: *; }; V2 { global: call; } V1;", "a.lds": '"get@V1" = first; "both@V1" = second;',
    "m.c": "__asm__(\".symver get, get@V1\"); int get(void), call(void); int main(void) { return get() + call() - 4; }",
  });
  w.sh("gcc -O1 -fPIC -c a.c && gcc -B$B -shared a.o a.lds -Wl,--version-script=v.map -o liba.so && gcc m.c -L. -la -Wl,-rpath,. -o m && ./m");
  const names = (): string[] => w.elf("liba.so").exports().filter((name) => /^(get|both|call)/.test(name)).sort();
  assert.equal(names(), linkerName === "bfd" ? ["both@V1", "call@@V2"] : ["both@V1", "call@@V2", "get@V1"]);
  if (linkerName !== "wield") return;
  w.write({ "a.lds": '"get@V1" = first; "both@@V2" = second;' }).sh("gcc -B$B -shared a.o a.lds -Wl,--version-script=v.map -o liba.so");
  assert.equal(w.sh("nm -D --defined-only liba.so | cut -d' ' -f3").split("\n").filter((name) => /^(get|both)/.test(name)).sort(), ["both@@V2", "get@V1"]);
  w.write({ "a.lds": '"get@V1" = first; both = second; "call@V9" = second;' });
  contains(w.fails("gcc -B$B -shared a.o a.lds -Wl,--version-script=v.map -o x"), "<internal>: symbol call@V9 has undefined version V9");
});

/** What readelf says of dynamic symbols, without addresses and order. */
const dynamicSymbols = (w: Workspace, file: string): string[] =>
  w.sh(`readelf -W --dyn-syms ${file} | awk '$5 == "GLOBAL" { print $4, $6, $7 == "ABS", $8 }' | sort`).trim().split("\n").filter((line) => !/_(init|fini|_bss_start|edata|end)$/.test(line));

versions("every version of a script is a symbol, as GNU ld and gold have them, unless called as ld.lld", (w) => {
  if (linkerName !== "wield") return;
  w.write({
    "a.c": OLD_AND_NEW + " int main(void) { return 0; }", "v.map": "V1 { global: f; api_*; main; local: *; };\nV2 { global: f; } V1;\nV3 { };\n", "s.map": "V1 { global: f; api_*; };\nV2 { global: f; *; } V1;\n", "anon.map": "{ global: api_*; local: *; };", "p.c": "int p(void) { return 1; }",
    "m.c": "extern int V1; int *where(void) { return &V1; }", "d.c": "int V2 = 7; int api_x(void) { return V2; }",
  });
  w.sh("gcc -O1 -fPIC -c a.c && gcc -c p.c && gcc -O1 -fPIC -c m.c && gcc -O1 -fPIC -c d.c && mkdir as && ln -s $LD as/ld.lld");
  const both = (args: string): string[] => {
    w.sh(`$LD ${args} -o own 2>/dev/null`);
    const bfd = tool("ld.bfd");
    const own = dynamicSymbols(w, "own");
    if (bfd !== "") assert.equal(own, dynamicSymbols((w.sh(`${bfd} ${args} -o bfd`), w), "bfd"), args);
    return own.filter((line) => line.startsWith("OBJECT"));
  };
  const symbols = ["OBJECT DEFAULT 1 V1", "OBJECT DEFAULT 1 V2", "OBJECT DEFAULT 1 V3"];
  for (const hash of ["gnu", "sysv", "both"]) assert.equal(both(`-shared a.o --version-script=v.map -soname libf.so --hash-style=${hash}`), symbols, hash);
  assert.equal(both("-shared -s --gc-sections -Bsymbolic a.o --version-script=v.map -soname libf.so"), symbols, "--gc-sections");
  // Programs have them, too; those of --default-symver have the soname as version, with a symbol of its own.
  w.sh("$LD -pie a.o -e main --version-script=v.map -o pie");
  assert.equal(dynamicSymbols(w, "pie").filter((line) => line.startsWith("OBJECT")), symbols);
  w.sh("$LD -shared p.o --default-symver -soname p.so.1 -o p.so");
  assert.equal(dynamicSymbols(w, "p.so"), ["FUNC DEFAULT 0 p@@p.so.1", "OBJECT DEFAULT 1 p.so.1"]);
  w.sh("$LD -shared a.o m.o --version-script=v.map --no-undefined -o m.so && $LD -shared d.o --version-script=v.map -o d.so 2>/dev/null");
  assert.equal(dynamicSymbols(w, "m.so").filter((line) => line.startsWith("OBJECT")), symbols, "an object refers to one");
  assert.not(dynamicSymbols(w, "d.so").some((line) => line.endsWith(" V2")), "an object defines it");
  // No symbols without dynamic symbols or without names; none of lld's.
  w.sh("$LD -shared p.o --version-script=anon.map -o anon.so; $LD a.o -e main --version-script=v.map -o static; $LD -r a.o --version-script=v.map -o r.o; as/ld.lld -shared a.o --version-script=v.map -o lld.so");
  for (const name of ["anon.so", "static", "r.o", "lld.so"]) assert.is(w.sh(`readelf -Ws ${name} | grep -c 'ABS V' || true`).trim(), "0", name);
}, "readelf");

versions("a library with symbols of versions is found and linked by everybody", (w) => {
  if (linkerName !== "wield") return;
  w.write({
    "lib.c": OLD_AND_NEW, "v.map": MAP, "m.c": "int f(void); int api_x(void); int main(void) { return f() * 10 + api_x() - 23; }",
    "d.c": '#define _GNU_SOURCE\n#include <dlfcn.h>\nint main(void) { void *l = dlopen("./libf.so", RTLD_NOW); int (*a)(void) = dlvsym(l, "f", "V1"), (*b)(void) = dlvsym(l, "f", "V2"), (*c)(void) = dlsym(l, "f"); return !l || !a || !b || dlvsym(l, "V2", "V1") || a() != 1 || b() != 2 || c != b; }',
  });
  w.sh("gcc -O1 -fPIC -c lib.c m.c && gcc -B$B -shared lib.o -Wl,--version-script=v.map -Wl,-soname,libf.so -o libf.so && gcc d.c -ldl -o d && ./d");
  for (const name of ["ld.bfd", "ld.gold", "ld.lld", "mold"]) {
    if (tool(name) === "") continue;
    w.sh(`mkdir -p by-${name} && ln -sf ${tool(name)} by-${name}/ld && gcc -Bby-${name} m.o -L. -lf -Wl,-rpath,. -o m && ./m`);
  }
  w.sh("gcc -B$B m.o -L. -lf -Wl,-rpath,.,--copy-dt-needed-entries -o m && ./m && gcc -B$B -shared -fPIC lib.o libf.so -Wl,--version-script=v.map -o libg.so");
  assert.ok(w.elf("libg.so").exports().includes("V1@@V1"), "a library's own versions, though another has such ones");
});

versions("the version script decides about __start_X and __stop_X, too", (w) => {
  if (linkerName !== "wield" && linkerName !== "bfd") return; // lld exports them without a version
  w.write({
    "a.c": '__attribute__((used, section("set"))) static int one = 1; extern int __start_set[], __stop_set[]; int f(void) { return __stop_set - __start_set; }',
    "m.c": "int f(void); int main(void) { return f() != 1; }",
    "local.map": "V1 { global: f; local: *; };", "glob.map": "V1 { f; };\nV2 { __st*_set; local: *; };", "exact.map": 'V1 { f; extern "C++" { __st*; }; };\nV2 { __stop*; };\nV3 { local: __start*; };',
  });
  w.sh("gcc -O1 -fPIC -c a.c && for n in local glob exact; do gcc -B$B -shared a.o -Wl,--version-script=$n.map -o $n.so && gcc -B$B m.c ./$n.so -o m && ./m || exit 1; done");
  const exports = (name: string): string[] => w.elf(name).exports().filter((symbol) => !/^V\d@/.test(symbol));
  assert.equal(exports("local.so"), ["f@@V1"]);
  assert.equal(exports("glob.so"), ["__start_set@@V2", "__stop_set@@V2", "f@@V1"]);
  assert.equal(exports("exact.so"), ["__stop_set@@V2", "f@@V1"]);
});

versions.run();
