/**
 * Names of files and symbols are bytes: Latin-1 names, spaces, response files with every quoting, very long names.
 */

import { assert, behaviour, linkerName } from "../../helpers/link.ts";

const names = behaviour("file names");

names("files whose names are not UTF-8", (w) => {
  w.write({ "a.c": "int a(void) { return 1; }", "m.c": "int a(void); int main(void) { return a() - 1; }" });
  w.sh("gcc -fPIC -c a.c m.c && mv a.o $'caf\\xe9.o' && gcc -B$B m.o $'caf\\xe9.o' -o $'out\\xff' && ./$'out\\xff'");
  w.sh("ar rc $'lib\\xe9.a' $'caf\\xe9.o' && gcc -B$B m.o -L. $'-l\\xe9' -o m && ./m && mkdir $'d\\xe8' && cp $'lib\\xe9.a' $'d\\xe8/libx.a' && gcc -B$B m.o $'-Ld\\xe8' -lx -o m2 && ./m2");
  w.sh("gcc -B$B -shared $'caf\\xe9.o' -Wl,-soname,$'lib\\xe9.so' -o $'lib\\xe9.so' && gcc -B$B m.o $'lib\\xe9.so' -Wl,-rpath,$'$ORIGIN' -o m3 && ./m3");
  assert.is(w.elf("m3").needed()[0], "lib\xe9.so");
  w.sh("printf 'm.o caf\\xe9.o -o rsp\\xe9' > $'args\\xe9' && gcc -B$B -Wl,@$'args\\xe9' && ./$'rsp\\xe9'");
}, "ar");

names("-C into a folder whose name is not UTF-8, and from one that has been removed", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "s.s": ".globl _start\n_start: ret\n" });
  w.sh("as s.s -o s.o && mkdir -p $'d\\xe8/e' && $LD -C $'d\\xe8' -C e ../../s.o -o x && test -f $'d\\xe8/e/x'");
  w.sh("here=$PWD; mkdir gone && cd gone && rmdir ../gone && $LD -C $here s.o -o y && test -f $here/y");
  w.sh("cd $'d\\xe8' && cp ../s.o . && $LD s.o -o x --reproduce=r.tar && tar tf r.tar | grep 'd.350/s.o'");
  // What the quick program cannot do begins again from the first folder.
  w.sh("cd $'d\\xe8' && $LD -C e -Map=map ../s.o -o z && test -f e/map");
}, "as");

names("symbols whose names are not UTF-8, or odd", (w) => {
  w.write({ "a.s": '.globl "caf\xe9 au lait"\n.text\n"caf\xe9 au lait": mov $7, %eax\n ret\n.globl f\nf: jmp "caf\xe9 au lait"@PLT\n.section .note.GNU-stack,"",@progbits\n', "m.c": "int f(void); int main(void) { return f() - 7; }" });
  w.sh("gcc -c a.s m.c && gcc -B$B -shared a.o -o liba.so && gcc -B$B m.o liba.so -Wl,-rpath,. -o m && ./m");
  assert.ok(w.elf("liba.so").exports().includes("caf\xe9 au lait"));
});

names("response files: whitespace, quotes, backslashes, nesting, missing", (w) => {
  w.write({
    "m.c": "int a(void); int main(void) { return a() - 1; }", "a b.c": "int a(void) { return 1; }",
    "one.rsp": "m.o\n\t'a b.o'\r\n  -o   \"first out\"\n", "two.rsp": "m.o a\\ b.o @three.rsp", "three.rsp": "-o\nsecond", "quote.rsp": "-o th\"ir\"d m.o \"a b.o\" ''",
  });
  w.sh("gcc -fno-pie -c m.c 'a b.c' && gcc -no-pie -B$B -Wl,@one.rsp && './first out' && gcc -no-pie -B$B -Wl,@two.rsp && ./second");
  w.fails("gcc -no-pie -B$B m.o -Wl,@not-there.rsp -o x");
  assert.not(w.exists("x"));
  if (linkerName === "wield") w.sh("rm second; $LD -r @two.rsp && nm second | grep ' T a$'");
});

names("gcc's own response file: the whole command line in one @file", (w) => {
  w.write({ "m.c": "int a(void); int main(void) { return a() - 1; }", "a.c": "int a(void) { return 1; }", "rsp": "-B__B__ m.o a.o -Wl,-z,now -o m\n" });
  w.sh("gcc -c m.c a.c && sed -i \"s#__B__#$B#\" rsp && gcc @rsp && ./m");
});

names("a path of three thousand bytes and a name of 255", (w) => {
  const deep = Array.from({ length: 12 }, (_, i) => "d".repeat(200) + i).join("/");
  w.write({ "m.c": "int main(void) { return 0; }" });
  w.sh(`mkdir -p ${deep} && gcc -c m.c && cp m.o ${deep}/m.o && gcc -B$B ${deep}/m.o -o ${"x".repeat(255)} && ./${"x".repeat(255)} && gcc -B$B m.o -o ${deep}/out && ${deep}/out`);
});

names.run();
