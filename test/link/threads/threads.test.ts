/**
 * The same bytes for any number of threads and on every run; --threads takes 1 to 256 and nothing else. Small links use one
 * thread; tests have WIELD_ALL_THREADS=1 (test/helpers/tools.ts), which starts as many as --threads says and has them work.
 */

import * as assert from "uvu/assert";
import { behaviour, contains, linkerName } from "../../helpers/link.ts";

const threads = behaviour("threads", "g++");

threads("1, 2, 3 and 8 threads write the same bytes", (w) => {
  if (linkerName === "bfd") return;
  w.write({
    "a.cc": "#include <iostream>\n#include <map>\n#include <string>\nthread_local int t = 3; std::map<std::string, int> m; int f(int x) { m[\"a string\"] = x; t += x; return t; }",
    "b.cc": "#include <regex>\n#include <string>\nint f(int); int main() { std::regex r(\"(\\\\w+)-(\\\\d+)\"); return std::regex_match(std::string(\"abc-12\"), r) ? f(0) - 3 : 1; }",
  });
  w.sh("g++ -g -O1 -ffunction-sections -fdata-sections -c a.cc b.cc");
  for (const [name, flags] of [["pie", ""], ["static", "-static"], ["gc", "-Wl,--gc-sections -Wl,-O2 -Wl,-z,pack-relative-relocs"], ["shared", "-shared -Wl,--compress-debug-sections=zlib"]]) {
    if (name === "shared") w.sh("g++ -g -O1 -fPIC -c a.cc b.cc");
    for (const n of [1, 2, 3, 8]) {
      w.sh(`g++ -B$B ${flags} a.o b.o -Wl,--build-id=sha1,--threads=${n} -o ${name}-${n}`);
      if (n > 1) w.sh(`cmp ${name}-1 ${name}-${n}`);
    }
    w.elf(`${name}-1`);
    if (name !== "shared") w.sh(`./${name}-8`);
    w.sh(`g++ -B$B ${flags} a.o b.o -Wl,--build-id=sha1 -o ${name}-default && cmp ${name}-1 ${name}-default`);
  }
});

threads("bad values are refused by name", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "m.c": "int main(void) { return 0; }" }).sh("gcc -c m.c");
  for (const value of ["0", "4294967296", "-1", "many", "1.5", ""]) contains(w.fails(`gcc -B$B m.o -Wl,--threads=${value} -o m`), "--threads");
  w.sh("unset WIELD_ALL_THREADS; gcc -B$B m.o -Wl,--threads=256 -o m && ./m && gcc -B$B m.o -Wl,--threads=4096 -o m && ./m && gcc -B$B m.o -Wl,--threads -o m && gcc -B$B m.o -Wl,--no-threads -o m && ./m");
});

threads("the order of hash tables and directories does not matter: two hundred objects", (w) => {
  for (let i = 0; i < 200; i++) w.write({ [`o${i}.c`]: `int shared_${i % 7}(void); __attribute__((weak)) int shared_${i % 7}(void) { return ${i}; } int f${i}(void) { return shared_${i % 7}() + ${i}; } const char *s${i} = "string ${i % 31}";` });
  w.write({ "m.c": "int f0(void); int main(void) { return f0(); }" });
  w.sh("gcc -O1 -fPIE -c *.c");
  const list = Array.from({ length: 200 }, (_, i) => `o${i}.o`).join(" ");
  for (const n of linkerName === "bfd" ? [] : [1, 2, 3, 8]) w.sh(`gcc -B$B m.o ${list} -Wl,--threads=${n} -o m${n} && ./m${n}`);
  // With hardly more descriptors than Node itself takes.
  for (const n of linkerName === "wield" ? [1, 3] : []) w.sh(`(ulimit -n 90; gcc -B$B m.o ${list} -Wl,--threads=${n} -o few${n}) && cmp m1 few${n}`);
  if (linkerName !== "bfd") w.sh("cmp m1 m2 && cmp m1 m3 && cmp m1 m8");
});

threads("--threads=N is at most N: a small link starts one, a large one as many as its size is worth", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "m.c": "int main(void) { return 0; }", "big.s": ".data\nbig: .fill 70 << 20, 1, 1" }).sh("gcc -c m.c && as big.s -o big.o");
  const counts = (flags: string, objects = "m.o"): number[] => {
    const text = w.sh(`${flags}; gcc -B$B ${objects} -Wl,--stats -o m`);
    return [/(\d+)  threads/, /(\d+)  chunks done by other threads/].map((pattern) => Number(pattern.exec(text)?.[1]));
  };
  assert.equal(counts("unset WIELD_ALL_THREADS", "m.o -Wl,--threads=3"), [1, 0]);
  assert.equal(counts("unset WIELD_ALL_THREADS", "m.o big.o -Wl,--threads=8")[0], 3);
  assert.equal(counts("unset WIELD_ALL_THREADS", "m.o big.o -Wl,--threads=1")[0], 1);
  assert.equal(counts("true", "m.o -Wl,--threads=1"), [1, 0]);
  const [started, chunks] = counts("true", "m.o -Wl,--threads=3");
  assert.equal(started, 3);
  if (chunks! < 5) throw new Error(`other threads did ${chunks} chunks`);
});

threads.run();
