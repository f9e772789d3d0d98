/**
 * DT_NEEDED, exactly: order, --as-needed with weak references, dead references, shared objects' own references, --no-as-needed, duplicates.
 */

import { assert, behaviour, linkerName } from "../../helpers/link.ts";

const needed = behaviour("needed libraries");

const SOURCES = {
  "one.c": "int one(void) { return 1; }",
  "two.c": "int two(void) { return 2; }",
  "three.c": "int two(void); int three(void) { return two() + 1; }",
  "data.c": "int data = 5;",
  "m.c": "int one(void); extern int weak_thing __attribute__((weak)); int main(void) { return one() - 1; }",
};

function libraries(w: { write(f: Record<string, string>): { sh(s: string): string } }): void {
  w.write(SOURCES).sh("gcc -O1 -fPIC -ffunction-sections -c *.c && for l in one two three data; do gcc -B$B -shared $l.o -Wl,-soname,lib$l.so -o lib$l.so; done");
}

const link = (flags: string): string => `gcc -B$B ${flags} -Wl,-rpath,. -Wl,-rpath-link,. -o m && ./m`;

needed("--copy-dt-needed-entries looks into the libraries of libraries, and lists those that are used", (w) => {
  if (linkerName === "lld" || linkerName === "mold") return;
  libraries(w);
  w.sh("gcc -B$B -shared three.o -L. -ltwo -lone -Wl,--no-as-needed -Wl,-soname,libthree.so -o libthree.so");
  w.write({ "n.c": "int three(void), two(void); int main(void) { return three() - two() - 1; }" });
  w.sh("gcc -c n.c");
  if (linkerName === "wield") w.fails(link("n.o -L. -lthree"));
  w.sh(link("-Wl,--copy-dt-needed-entries n.o -L. -lthree"));
  assert.equal(w.elf("m").needed(), ["libthree.so", "libtwo.so", "libc.so.6"]);
  w.fails(link("-Wl,--add-needed,--no-add-needed n.o -L. -lthree"));
});

needed("without --as-needed everything is listed, in order and once", (w) => {
  libraries(w);
  w.sh(link("-Wl,--no-as-needed m.o libtwo.so libone.so libtwo.so -L. -ldata"));
  assert.equal(w.elf("m").needed(), ["libtwo.so", "libone.so", "libdata.so", "libc.so.6"]);
});

needed("--as-needed drops what nothing refers to, and is positional", (w) => {
  libraries(w);
  w.sh(link("m.o -Wl,--as-needed libtwo.so libone.so libdata.so -Wl,--no-as-needed libthree.so libtwo.so"));
  assert.equal(w.elf("m").needed().slice(0, 3), linkerName === "bfd" ? ["libone.so", "libthree.so", "libtwo.so"] : ["libtwo.so", "libone.so", "libthree.so"]);
  w.sh(link("m.o -Wl,--push-state,--as-needed libtwo.so -Wl,--pop-state,--as-needed libone.so"));
  assert.equal(w.elf("m").needed(), ["libone.so", "libc.so.6"]);
});

needed("a weak reference alone does not make a library needed", (w) => {
  libraries(w);
  w.write({ "weak.c": "extern int two(void) __attribute__((weak)); extern int one(void); int main(void) { return (two ? two() : 0) + one() - 1 - (two ? 2 : 0); }" });
  w.sh("gcc -O1 -fPIC -c weak.c");
  w.sh(link("weak.o -Wl,--as-needed libtwo.so libone.so"));
  assert.equal(w.elf("m").needed(), ["libone.so", "libc.so.6"]);
});

needed("a reference of another needed library counts where that does not ask for the library", (w) => {
  libraries(w);
  const listed = (order: string): boolean => (w.sh(link(order)), w.elf("m").needed().includes("libtwo.so"));
  const three = "m.o -Wl,--no-as-needed libthree.so libone.so -Wl,--as-needed libtwo.so libdata.so -lc";
  assert.is(listed(three), linkerName !== "lld");
  assert.is(listed(three.replace("-Wl", "-Wl,--gc-sections -Wl")), linkerName !== "lld");
  assert.not(listed("m.o -Wl,--as-needed libthree.so libone.so libtwo.so"), "libthree.so is not needed itself");
  w.write({ "uses.c": "int three(void); int main(void) { return three() - 3; }" }).sh("gcc -c uses.c");
  if (linkerName !== "lld") w.sh(link("uses.o -Wl,--as-needed libone.so libthree.so libtwo.so"));
  w.sh("gcc -B$B -shared three.o -L. -Wl,--no-as-needed -ltwo -Wl,-rpath,. -Wl,-soname,libthree.so -o libthree.so");
  assert.not(listed(three), "libthree.so asks for libtwo.so");
});

needed("a reference from dead code does not count", (w) => {
  libraries(w);
  w.write({ "dead.c": "int one(void), two(void); int unused(void) { return two(); } int main(void) { return one() - 1; }" });
  w.sh("gcc -O1 -fPIC -ffunction-sections -c dead.c");
  w.sh(link("dead.o -Wl,--gc-sections -Wl,--as-needed libone.so libtwo.so"));
  if (linkerName !== "bfd") assert.equal(w.elf("m").needed(), ["libone.so", "libc.so.6"]);
});

needed("the name is DT_SONAME, or the file name as given, or libX.so for -lX", (w) => {
  libraries(w);
  w.sh("gcc -B$B -shared one.o -Wl,-soname,other.so.7 -o libs1.so && ln -sf libs1.so other.so.7 && gcc -B$B -shared two.o -o libn.so && mkdir -p sub && gcc -B$B -shared data.o -o sub/libd.so");
  w.write({ "all.c": "int one(void), two(void); extern int data; int main(void) { return one() + two() + data - 8; }" });
  w.sh("gcc -O1 -fPIC -c all.c && gcc -B$B all.o libs1.so -L. -ln sub/libd.so -Wl,-rpath,. -o m && ./m");
  assert.equal(w.elf("m").needed(), ["other.so.7", "libn.so", "sub/libd.so", "libc.so.6"]);
});

needed("rpath and new dtags", (w) => {
  libraries(w);
  w.sh("gcc -B$B m.o libone.so -Wl,-rpath,/a -Wl,-rpath,'$ORIGIN' -Wl,-R,/b -Wl,--enable-new-dtags -o m && gcc -B$B m.o libone.so -Wl,-rpath=/a:/c -Wl,--disable-new-dtags -Wl,-z,origin -o n");
  assert.is(w.elf("m").runpath(), "/a:$ORIGIN:/b");
  assert.is(w.elf("n").rpath(), "/a:/c");
  assert.is(w.elf("n").runpath(), undefined);
  assert.is((w.elf("n").tag("FLAGS_1") ?? 0) & 0x80, 0x80, "DF_1_ORIGIN");
});

needed.run();
