/**
 * STT_GNU_IFUNC: calls, address taken, in static, PIE, position dependent and shared outputs, with one address everywhere.
 *
 * The resolver returns one of two functions by an argument of the build.
 */

import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const ifunc = behaviour("ifunc");

const LIB = `
  static int one(int x) { return x + 1; }
  static int two(int x) { return x + 2; }
  int choice = PICK;
  typedef int fn(int);
  static fn *resolve(void) { return PICK == 2 ? two : one; }
  int pick(int) __attribute__((ifunc("resolve")));
  static int local_pick(int) __attribute__((ifunc("resolve")));
  __attribute__((visibility("hidden"))) int hidden_pick(int) __attribute__((ifunc("resolve")));
  fn *table[] = { pick, one, hidden_pick };
  int inside(int x) { return pick(x) + local_pick(x) + hidden_pick(x); }
  fn *address(void) { return pick; }`;
const MAIN = `
  #include <stdio.h>
  typedef int fn(int);
  int pick(int); int inside(int); fn *address(void); extern fn *table[];
  fn *mine = pick;
  int main(void) {
    printf("%d %d %d %d %d %d\\n", pick(10), inside(10), address() == pick, mine == pick, table[0](20), mine(30));
    return table[0] != pick;
  }`;
const EXPECTED = "12 36 1 1 22 32\n";

for (const [name, compile, link] of [
  ["static", "-fno-pie", "-static -no-pie"], ["static-pie", "-fPIE", "-static-pie"], ["PIE", "-fPIE", "-pie"],
  ["position dependent", "-fno-pie", "-no-pie"], ["PIE with -z now", "-fPIE", "-pie -Wl,-z,now"],
]) {
  ifunc(`${name}`, (w) => {
    w.write({ "lib.c": LIB, "main.c": MAIN });
    w.sh(`gcc -O1 -DPICK=2 ${compile} -c lib.c main.c && gcc -B$B ${link} lib.o main.o -o main`);
    assert.is(w.sh("./main"), EXPECTED);
    const elf = w.elf("main");
    assert.ok(elf.relocs().some((r) => r.type === 37), "IRELATIVE");
  });
}

ifunc("in a shared object, called from outside and inside", (w) => {
  w.write({ "lib.c": LIB, "main.c": MAIN });
  w.sh("gcc -O1 -DPICK=2 -fPIC -c lib.c && gcc -B$B -shared lib.o -o libi.so");
  w.elf("libi.so");
  assert.is(w.elf("libi.so").dynamicSymbol("pick")?.type, 10);
  w.sh("gcc -O1 -fPIE main.c -B$B -L. -li -Wl,-rpath,. -o pie");
  assert.match(w.sh("readelf -sW pie"), /FUNC +GLOBAL +DEFAULT +UND +inside\n/, "a function");
  if (linkerName !== "mold") assert.match(w.sh("readelf -sW pie"), / FUNC +GLOBAL +DEFAULT +\S+ pick\n/, "for this program, a function as any other");
  assert.is(w.sh("./pie"), EXPECTED);
  w.elf("pie");
});

ifunc("resolvers may call functions of shared objects: their words are relocated before", (w) => {
  if (linkerName === "lld" || linkerName === "mold") return;
  w.write({
    "which.c": "int which(void) { return 2; }",
    "main.c": `
      int which(void);
      static int one(void) { return 1; }
      static int two(void) { return 2; }
      static int (*resolve(void))(void) { return which() == 2 ? two : one; }
      int pick(void) __attribute__((ifunc("resolve")));
      int main(void) { return pick() == 2 ? 0 : 3; }`,
  });
  w.sh("gcc -O1 -fPIC -shared which.c -B$B -o libwhich.so && gcc -O1 -fPIE -c main.c");
  for (const flags of ["-pie -Wl,-z,lazy", "-pie -Wl,-z,now", "-pie -Wl,-z,now,-z,pack-relative-relocs", "-no-pie"]) {
    w.sh(`gcc -B$B main.o -L. -lwhich -Wl,-rpath,. ${flags} -o main && ./main`);
  }
});

ifunc("of a shared object in a position dependent program gets one canonical address", (w) => {
  if (linkerName === "mold") return;
  w.write({ "lib.c": LIB.replace("int choice = PICK;", ""), "main.c": MAIN });
  w.sh("gcc -O1 -DPICK=2 -fPIC -c lib.c && gcc -B$B -shared lib.o -o libi.so");
  w.sh("gcc -O1 -fno-pie main.c -no-pie -B$B -L. -li -Wl,-rpath,. -o exec");
  assert.is(w.sh("./exec"), EXPECTED);
  w.elf("exec");
  // STT_FUNC only (lld, GNU ld): the address a position dependent program gives it must be what the object sees, too.
  w.sh("gcc -B$B -shared lib.o -Wl,-Bsymbolic-functions -o libi.so");
  assert.is(w.sh("./exec"), EXPECTED);
});

ifunc("a static program without any ifunc still has empty __rela_iplt bounds", (w) => {
  w.write({ "m.c": `
    extern char __rela_iplt_start[] __attribute__((weak)), __rela_iplt_end[] __attribute__((weak));
    int main(void) { return (__rela_iplt_end - __rela_iplt_start) % 24; }` });
  w.sh("gcc -O1 -fno-pie m.c -no-pie -static -B$B -o m && ./m");
  w.elf("m");
});

ifunc("-z ifunc-noplt leaves every reference to whoever loads the program", (w) => {
  if (linkerName !== "wield" && linkerName !== "lld") return;
  w.write({ "a.s": ".globl f, _start\n.type f,@gnu_indirect_function\nf: ret\n_start: call f\nlea f(%rip), %rax\n", "l.s": ".globl x\nx: ret\n" });
  w.sh("as a.s -o a.o && as l.s -o l.o && $LD -shared l.o -o l.so && $LD -z ifunc-noplt -z notext a.o l.so -o a");
  const elf = w.elf("a");
  assert.equal(elf.relocs().map(({ type, name }) => `${type} ${name}`), ["4 f", "2 f"]);
  assert.is(elf.section(".iplt"), undefined);
  contains(w.fails("$LD -z ifunc-noplt a.o -o b"), "-z text and -z ifunc-noplt may not be used together");
});

ifunc.run();
