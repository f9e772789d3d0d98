/**
 * --reproduce: the archive holds what the link read, and its response.txt links it again, elsewhere, to the same bytes.
 */
import { behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";

const reproduce = behaviour("reproduce", "tar");
const wield = linkerName === "wield";

const SOURCES = {
  "src/m.c": "#include <stdio.h>\n#include <math.h>\nint f(double); int main(int c, char **v) { return f(sqrt(c)) + puts(v[0]); }",
  "src/f.c": "int g(void); int f(double x) { return g() + (int)x; }",
  "src/g.c": "int g(void) { return 2; }",
  "v.map": "{ global: f; local: *; };",
};
const COMPILE = "gcc -O1 -fPIC -c src/m.c src/f.c src/g.c && ar rcT lib/libg.a g.o";
const AGAIN = "mkdir -p again && tar xf r.tar -C again && cd again/r && $LD @response.txt";

for (const [kind, flags, output] of [
  ["a dynamic program", "-Llib -lg -lm -Wl,-rpath,/usr/lib -Wl,--build-id", "out/p"],
  ["a static program", "-static -Llib -lg -lm -Wl,--gc-sections", "out/p"],
  ["a shared object with a version script", "-shared f.o lib/libg.a -Wl,--version-script=v.map -Wl,-soname,libp.so", "out/p"],
] as const) {
  reproduce(`${kind} is linked again to the same bytes`, (w) => {
    if (!wield) return;
    w.write(SOURCES).sh(`mkdir -p out lib; ${COMPILE}; LLD_REPRODUCE=r.tar gcc -B$B m.o f.o ${flags} -o ${output} ${flags.includes("-shared") ? "-Wl,-z,muldefs" : ""}`);
    w.sh(`mv src gone; mv m.o f.o g.o lib v.map gone; ${AGAIN} && cmp p ../../${output}`);
  }, "ar");
}

reproduce("/dev/null as a script and --repro", (w) => {
  if (!wield) return;
  w.write({ "a.s": ".globl _start\n_start: ret\n" }).sh("as a.s -o a.o && $LD a.o -T /dev/null --version-script=/dev/null --repro -o r && mv r.repro.tar r.tar && mkdir -p again && tar xf r.tar -C again && cd again/r.repro && $LD @response.txt && cmp r ../../r");
  lacks(w.read("again/r.repro/response.txt"), "--repro");
});

reproduce("-C, LD_RUN_PATH, grouped flags, --threads N, and files written beside the output", (w) => {
  if (!wield) return;
  w.write({ "d/e/a.s": ".globl f\nf: ret\nlocal: ret\n" }).sh("as -g d/e/a.s -o d/e/a.o && mkdir out && LD_RUN_PATH=/run/path $LD -C d -C e -shared a.o -Sx -o ../../out/p --threads 2 --separate-debug-file=../../out/p.debug --metafile=../../out/meta --reproduce=../../r.tar 2>/dev/null");
  w.sh(`rm -r d; ${AGAIN} && cmp p ../../out/p && test -s p.debug && readelf -d p | grep /run/path > /dev/null`);
  lacks(w.read("again/r/response.txt"), /^-C/m, /^--directory/m, /^-o .*\//m);
}, "readelf");

reproduce("names with spaces, quotes and backslashes, long ones, and layout scripts that include others", (w) => {
  if (!wield) return;
  const long = `${"d".repeat(120)}/${"e".repeat(120)}`;
  w.write({
    "a b\"c\\d.s": ".globl _start\n_start: call f\n", [`${long}/f.s`]: ".globl f\nf: ret\n", "dir/t.ld": `SECTIONS { INCLUDE dir/inner.ld }\nINPUT(${long}/f.o)`,
    "dir/inner.ld": ".text : { *(.text) }",
  });
  w.sh(`as 'a b"c\\d.s' -o 'a b"c\\d.o'; as ${long}/f.s -o ${long}/f.o; $LD -T dir/t.ld 'a b"c\\d.o' -o p --reproduce=r.tar && ${AGAIN} && cmp p ../../p`);
  contains(w.read("again/r/response.txt"), /^--chroot \.$/m, /^--script .*dir\/t\.ld$/m, /^-o p$/m);
});

reproduce("names that are part of the output stay: -b binary, shared objects without a soname", (w) => {
  if (!wield) return;
  w.write({ "a.s": ".globl _start\n_start: call f\n.data\n.quad _binary_d_x_txt_start\n", "f.s": ".globl f\nf: ret\n", "d/x.txt": "hello" });
  w.sh(`as a.s -o a.o; as f.s -o f.o; $LD -shared f.o -o d/f.so; $LD a.o d/f.so -b binary d/x.txt -o p --reproduce=r.tar && ${AGAIN} && cmp p ../../p`);
  contains(w.sh("readelf -d p"), "[d/f.so]");
});

reproduce("response.txt has outputs without folders, and an archive is written for a link that fails", (w) => {
  if (!wield) return;
  w.write({ "a.s": "call missing\n" });
  w.sh("mkdir out; as a.s -o a.o; $LD a.o -o out/x -Map out/m --why-extract=out/w --dependency-file=out/d --hash-style=gnu --build-id=sha1 -zdefs --reproduce r.tar 2>errors || tar xf r.tar");
  contains(w.read("r/response.txt"), /^-o x$/m, /^-Map m$/m, /^--why-extract=w$/m, /^--dependency-file d$/m, /^--hash-style gnu$/m, /^--build-id=sha1$/m, /^-z defs$/m, /\/a\.o$/m);
  lacks(w.read("r/response.txt"), "--reproduce");
  contains(w.read("r/version.txt"), "wield");
  contains(w.read("errors"), "missing");
});

reproduce("an archive that cannot be written is an error that says which step failed", (w) => {
  if (!wield) return;
  w.write({ "a.s": "nop\n" }).sh("as a.s -o a.o");
  contains(w.fails("$LD a.o -o x --reproduce=/dev/full"), "--reproduce: failed to write /dev/full: No space left on device");
  contains(w.fails("$LD a.o -o x --reproduce=none/r.tar"), "--reproduce: failed to open none/r.tar: No such file or directory");
});

reproduce.run();
