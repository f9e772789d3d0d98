/**
 * -z pack-relative-relocs and --pack-dyn-relocs=relr: the packed table decodes to the same places, glibc's version marker, and the program runs.
 */

import { assert, behaviour, linkerName } from "../../helpers/link.ts";

const relr = behaviour("RELR");

const POINTERS = `
  #include <stdio.h>
  static int v[200];
  #define P1(i) &v[i], &v[i + 1], &v[i + 2], &v[i + 3], &v[i + 4], &v[i + 5], &v[i + 6], &v[i + 7], &v[i + 8], &v[i + 9]
  int *pointers[] = { P1(0), P1(10), P1(20), P1(30), P1(40), P1(50), P1(60), P1(70), P1(80), P1(90) };
  struct odd { char c; int *p; } __attribute__((packed)) odd = { 1, &v[7] };
  struct gap { long n[3]; int *p; } gaps[] = { { { 1 }, &v[1] }, { { 2 }, &v[2] }, { { 3 }, &v[3] } };
  const char *const names[] = { "a", "b", "c" };
  int main(void) { int n = 0; for (int i = 0; i < 100; i++) n += pointers[i] == &v[i]; printf("%d %d %d %s\\n", n, odd.p == &v[7], gaps[2].p == &v[3], names[2]); }`;

relr("-z pack-relative-relocs", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "m.c": POINTERS }).sh("gcc -O1 -fPIE -c m.c && gcc -B$B m.o -Wl,-z,pack-relative-relocs -o m && gcc -B$B m.o -o plain");
  assert.is(w.sh("./m"), "100 1 1 c\n");
  const elf = w.elf("m");
  const packed = new Set(elf.relr());
  assert.ok(packed.size > 100, `${packed.size} packed`);
  const plain = w.elf("plain").relocs().filter((r) => r.type === 8).length;
  assert.is(packed.size + elf.relocs().filter((r) => r.type === 8).length, plain, "nothing lost");
  assert.ok(elf.verneeds().some((v) => v.name === "GLIBC_ABI_DT_RELR"));
  assert.is(elf.tag("RELRENT"), 8);
});

relr("--pack-dyn-relocs=relr has no glibc marker; static-pie and shared", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "m.c": POINTERS }).sh("gcc -O1 -fPIC -c m.c && gcc -B$B m.o -Wl,--pack-dyn-relocs=relr -shared -o m.so && gcc -B$B m.o -static-pie -Wl,--pack-dyn-relocs=relr -o sp");
  const elf = w.elf("m.so");
  assert.ok(elf.relr().length > 100);
  assert.not(elf.verneeds().some((v) => v.name === "GLIBC_ABI_DT_RELR"));
  assert.is(w.sh("./sp"), "100 1 1 c\n");
  w.elf("sp");
  w.sh("gcc -B$B m.o -Wl,--pack-dyn-relocs=none -o none && ./none");
  assert.is(w.elf("none").relr().length, 0);
});

relr.run();
