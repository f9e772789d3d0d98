/**
 * ar archives: what is extracted and in which order, every way of writing them, --start-lib, --whole-archive, and GNU ld scripts as inputs.
 *
 * Archives come from ar(1) here; test/helpers/object.ts builds the odd ones (no index, 64-bit index).
 */

import { archive } from "../../helpers/object.ts";
import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const archives = behaviour("archives", "ar");

const PARTS = {
  "a.c": "int b(void); int a(void) { return b() + 1; }",
  "b.c": "int c(void); int b(void) { return c() + 1; }",
  "c.c": "int c(void) { return 40; }",
  "unused.c": "int missing(void); int unused(void) { return missing(); }",
  "m.c": "int a(void); int main(void) { return a() != 42; }",
};

archives("members are taken as they are needed, across archives in any order", (w) => {
  w.write(PARTS).sh("gcc -O1 -c *.c && ar rc liba.a a.o unused.o && ar rc libb.a b.o c.o && gcc -B$B m.o liba.a libb.a -o m && ./m");
  const elf = w.elf("m");
  assert.ok(elf.symbol("a") && elf.symbol("c"));
  assert.not(elf.symbol("unused"));
  if (linkerName !== "bfd") w.sh("gcc -B$B libb.a liba.a m.o -o m2 && ./m2");
  w.sh("gcc -B$B m.o -Wl,--start-group libb.a liba.a -Wl,--end-group -o m3 && ./m3 && gcc -B$B m.o '-Wl,-(' libb.a liba.a '-Wl,-)' -o m4 && ./m4");
});

archives("thin, long names, equal names, no index, 64-bit index, empty", (w) => {
  w.write(PARTS).sh("gcc -O1 -c *.c && cp a.o a_member_with_a_very_long_name.o && mkdir d && cp b.o d/same.o && cp c.o same.o");
  w.sh("ar rcT thin.a a.o b.o c.o && gcc -B$B m.o thin.a -o thin && ./thin");
  w.sh("ar rcT d/thin.a a.o d/same.o same.o && gcc -B$B m.o d/thin.a -o thin2 && ./thin2 && cd / && gcc -B$B $OLDPWD/m.o $OLDPWD/d/thin.a -o $OLDPWD/thin3");
  // GNU ar leaves a stray `/` behind the number of a file name of 15 letters
  w.sh("cp a.o fifteen_chars.o && cp c.o fourteen_xyz.o && (cd d && ar rc fifteen_libxy.a ../b.o)");
  w.sh("ar rcT odd.a fifteen_chars.o d/fifteen_libxy.a fourteen_xyz.o && grep -q '^/0  *//*0' odd.a && gcc -B$B m.o odd.a -o odd && ./odd && gcc -B$B m.o -Wl,--whole-archive odd.a -Wl,--no-whole-archive -o odd2 && ./odd2");
  w.sh("ar rc long.a a_member_with_a_very_long_name.o b.o c.o && gcc -B$B m.o long.a -o long && ./long");
  w.sh("ar rc same.a a.o && ar q same.a d/same.o same.o && gcc -B$B m.o same.a -o same && ./same");
  w.sh("ar rc empty.a && gcc -B$B m.o empty.a long.a empty.a -o empty && ./empty");
  const members = ["a", "b", "c"].map((name) => ({ name: name + ".o", data: w.bytes(name + ".o"), symbols: [name] }));
  w.write({ "wide.a": archive(members, { index64: true }) }).sh("gcc -B$B m.o wide.a -o wide && ./wide");
  w.write({ "bare.a": archive(members, { index: false }) });
  if (linkerName !== "bfd") w.sh("gcc -B$B m.o bare.a -o bare && ./bare");
  w.sh("ar rcT inner.a a.o b.o && ar rcT outer.a inner.a c.o && gcc -B$B m.o outer.a -o nested && ./nested");
  for (const name of ["thin", "thin2", "thin3", "odd", "odd2", "long", "same", "wide", "nested"]) w.elf(name);
});

archives("--whole-archive takes everything, once", (w) => {
  w.write({ ...PARTS, "unused.c": "int unused(void) { return 1; }" }).sh("gcc -O1 -c *.c && ar rc lib.a a.o b.o c.o unused.o");
  w.sh("gcc -B$B m.o -Wl,--whole-archive lib.a -Wl,--no-whole-archive -o m && ./m && gcc -B$B m.o -Wl,--push-state,--whole-archive lib.a -Wl,--pop-state lib.a -o m2 && ./m2");
  assert.ok(w.elf("m").symbol("unused"));
  assert.ok(w.elf("m2").symbol("unused"));
});

archives("--start-lib treats objects as members", (w) => {
  if (linkerName === "bfd") return;
  w.write(PARTS).sh("gcc -O1 -c *.c && gcc -B$B m.o -Wl,--start-lib a.o b.o c.o unused.o -Wl,--end-lib -o m && ./m");
  assert.not(w.elf("m").symbol("unused"));
});

archives("weak references do not extract; weak definitions do; common symbols stay tentative", (w) => {
  w.write({
    "w.c": "extern int maybe(void) __attribute__((weak)); int main(void) { return maybe ? maybe() : 0; }",
    "maybe.c": "int maybe(void) { return 9; }",
    "s.c": "int weakly(void); int main(void) { return weakly() - 3; }",
    "weakly.c": "__attribute__((weak)) int weakly(void) { return 3; }",
    "strong.c": "int weakly(void) { return 4; }",
  });
  w.sh("gcc -O1 -c *.c && ar rc lib.a maybe.o weakly.o strong.o && gcc -B$B w.o lib.a -o w && ./w && gcc -B$B s.o lib.a -o s && ./s");
  assert.is(w.elf("w").symbol("maybe")?.shndx ?? 0, 0);
});

archives("-u and the entry extract members", (w) => {
  w.write({ ...PARTS, "extra.c": "int extra = 1;" }).sh("gcc -O1 -c *.c && ar rc lib.a a.o b.o c.o extra.o && gcc -B$B m.o lib.a -Wl,-u,extra -o m && ./m");
  assert.ok(w.elf("m").symbol("extra"));
  w.write({ "start.c": "void _start(void) { __asm__(\"mov $60, %eax; xor %edi, %edi; syscall\"); }" });
  w.sh("gcc -O1 -fno-pie -c start.c && ar rc libstart.a start.o && $LD -u _start libstart.a -o s && ./s && $LD libstart.a -e _start -o s2 && ./s2");
  w.elf("s");
});

archives("-l finds lib in -L order, -l:name takes the exact file, -Bstatic prefers archives", (w) => {
  w.write({ "one.c": "int which(void) { return 1; }", "two.c": "int which(void) { return 2; }", "m.c": "int which(void); int main(void) { return which(); }" });
  w.sh("mkdir p q && gcc -O1 -fPIC -c *.c && ar rc p/libw.a one.o && ar rc q/libw.a two.o && gcc -B$B -shared one.o -o q/libw.so && ar rc q/odd.a two.o");
  const code = (flags: string): string => w.sh(`gcc -B$B m.o ${flags} -Wl,-rpath,q -o m; ./m && echo 0 || echo $?`).trim();
  assert.is(code("-Lp -Lq -lw"), "1", "the first folder wins, even with only an archive");
  assert.is(code("-Lq -lw"), "1", "the shared object beside the archive");
  assert.is(code("-Lq -Wl,-Bstatic -lw -Wl,-Bdynamic"), "2", "-Bstatic");
  assert.is(code("-Lq -l:odd.a"), "2", "-l:");
  assert.is(code("-lw -Lp"), "1", "-L counts for all -l");
  contains(w.fails("gcc -B$B m.o -lnot_there -o m"), /(unable to find library -lnot_there|cannot find -lnot_there)/);
});

archives("GNU ld scripts as inputs: GROUP, INPUT, AS_NEEDED, -l inside, relative names", (w) => {
  w.write({
    ...PARTS,
    "lib/libgroup.so": "/* a comment */\nOUTPUT_FORMAT(elf64-x86-64)\nGROUP ( libb.a AS_NEEDED ( libextra.so ) -lc1 )\n",
    "lib/libinput.a": "INPUT(liba.a -lgroup)",
    "extra.c": "int extra_function(void) { return 1; }",
  });
  w.sh("gcc -O1 -fPIC -c *.c && ar rc lib/liba.a a.o && ar rc lib/libb.a b.o && ar rc lib/libc1.a c.o && gcc -B$B -shared extra.o -o lib/libextra.so");
  w.sh("gcc -B$B m.o -Llib -linput -lgroup -o m && ./m");
  assert.equal(w.elf("m").needed(), ["libc.so.6"]);
  w.sh("gcc -B$B m.o lib/libinput.a -Llib -o m2 && ./m2");
});

archives("--sysroot prefixes paths of scripts found inside it and -L=", (w) => {
  w.write({ ...PARTS, "root/usr/lib/libz1.so": "GROUP ( /opt/liba.a =/opt/libb.a )" });
  w.sh("gcc -O1 -fno-pie -c *.c && mkdir root/opt && ar rc root/opt/liba.a a.o && ar rc root/opt/libb.a b.o c.o && $LD --sysroot=$PWD/root -L=/usr/lib -e main m.o -lz1 -o m");
  assert.ok(w.elf("m").symbol("c"));
});

archives.run();
