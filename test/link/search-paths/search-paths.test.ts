/**
 * Where libraries are found: default folders, -L order, incompatible files skipped, -nostdlib, --sysroot, rpath-link, names with slashes.
 */

import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const search = behaviour("search paths");

search("the default folders hold libc, without any -L", (w) => {
  if (linkerName === "lld" || linkerName === "mold") return; // they have none
  w.write({ "m.c": '#include <stdio.h>\nint main(void) { puts("found"); return 0; }' });
  w.sh("gcc -fPIE -c m.c && crt=$(dirname $(gcc -print-file-name=Scrt1.o)) && $LD -pie -dynamic-linker /lib64/ld-linux-x86-64.so.2 $crt/Scrt1.o $crt/crti.o m.o -lc $crt/crtn.o -o m");
  assert.is(w.sh("./m"), "found\n");
  contains(w.fails("$LD -nostdlib m.o -lc -e main -o n"), "-lc");
});

search("an incompatible library is skipped with the search going on", (w) => {
  w.write({ "a.c": "int a(void) { return 1; }", "m.c": "int a(void); int main(void) { return a() - 1; }" });
  w.sh("mkdir bad good && gcc -fPIC -c a.c m.c && gcc -B$B -shared a.o -o good/liba.so && ar rc good/libb.a a.o && cp good/liba.so bad/ && printf '\\267\\0' | dd of=bad/liba.so bs=1 seek=18 conv=notrunc 2>/dev/null && cp a.o x.o && printf '\\267\\0' | dd of=x.o bs=1 seek=18 conv=notrunc 2>/dev/null && ar rcS bad/libb.a x.o");
  const done = w.try("gcc -B$B m.o -Lbad -Lgood -la -Wl,-rpath,good -o m && ./m");
  // ld.lld stops at the first file it finds
  if (linkerName !== "lld") assert.is(done.status, 0, done.stderr);
}, "ar");

search("--sysroot with a whole small system", (w) => {
  w.write({ "a.c": "int a(void) { return 1; }", "m.c": "int a(void); int main(void) { return a() - 1; }", "root/usr/lib/libs.so": "GROUP ( /usr/lib/liba.so.1 )" });
  w.sh("gcc -fPIC -c a.c m.c && gcc -B$B -shared a.o -Wl,-soname,liba.so.1 -o root/usr/lib/liba.so.1 && $LD --sysroot=$PWD/root -L=/usr/lib m.o -ls -e main -o m");
  assert.equal(w.elf("m").needed(), ["liba.so.1"]);
  if (linkerName === "lld") return; // it knows only =
  w.sh("$LD --sysroot=$PWD/root '-L$SYSROOT/usr/lib' m.o -ls -e main -o m2");
  assert.equal(w.elf("m2").needed(), ["liba.so.1"]);
});

search("names with slashes are paths; a bare name is in the working folder; -l with a slash", (w) => {
  w.write({ "d/a.c": "int a(void) { return 1; }", "m.c": "int a(void); int main(void) { return a() - 1; }" });
  w.sh("gcc -fPIC -c d/a.c -o d/a.o && gcc -c m.c && gcc -B$B m.o d/a.o -o m && ./m && cd d && gcc -B$B ../m.o a.o -o ../m2 && ../m2 && gcc -B$B ../m.o ./a.o -o ../m3 && ../m3");
  w.fails("gcc -B$B m.o -L. -ld/a -o m4");
});

search("many -L folders, folders that do not exist, and the same library many times", (w) => {
  w.write({ "a.c": "int a(void) { return 1; }", "m.c": "int a(void); int main(void) { return a() - 1; }" });
  w.sh("gcc -fPIC -c a.c m.c && mkdir -p deep && ar rc deep/liba.a a.o");
  const folders = Array.from({ length: 200 }, (_, i) => `-Lno/such/folder${i}`).join(" ");
  w.sh(`gcc -B$B m.o ${folders} -Ldeep ${"-la ".repeat(200)} -o m && ./m`);
}, "ar");

search.run();
