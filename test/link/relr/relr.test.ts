/**
 * -z pack-relative-relocs and --pack-dyn-relocs=relr: the packed table decodes to the same places, glibc's version marker, and the program runs.
 */

import { ElfFile } from "../../helpers/dump.ts";
import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

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

interface Record { offset: number; type: number; sym: number; addend: number }

/** Android's packed relocations, read as bionic reads them: "APS2", then numbers in SLEB128. */
function unpack(bytes: Uint8Array): Record[] {
  assert.is(Buffer.from(bytes.subarray(0, 4)).toString(), "APS2");
  let at = 4;
  const next = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return BigInt.asIntN(64, (byte & 0x40) !== 0 ? value - (1n << (shift + 7n)) : value);
    }
  };
  const count = next();
  let [offset, addend] = [next(), 0n];
  const records: Record[] = [];
  while (records.length < count) {
    const [size, flags] = [Number(next()), Number(next())];
    const delta = (flags & 2) !== 0 ? next() : undefined;
    const info = (flags & 1) !== 0 ? next() : undefined;
    if ((flags & 12) === 12) addend += next();
    for (let i = 0; i < size; i++) {
      offset += delta ?? next();
      const own = info ?? next();
      if ((flags & 12) === 8) addend += next();
      else if ((flags & 8) === 0) addend = 0n;
      records.push({ offset: Number(offset), type: Number(own & 0xffffffffn), sym: Number(own >> 32n), addend: Number(addend) });
    }
  }
  return records;
}

/** Addresses as section and distance, so that links with tables of different sizes compare. */
function describe(elf: ElfFile, records: Record[]): string[] {
  const place = (address: number): string => {
    const loaded = elf.shdrs.filter(({ addr, flags }) => (flags & 2) !== 0 && (flags & 0x400) === 0 && address >= addr);
    const section = loaded.find(({ addr, size }) => address < addr + size) ?? loaded.find(({ addr, size }) => address === addr + size);
    return section === undefined ? `${address}` : `${section.name}+${address - section.addr}`;
  };
  const isAddress = (type: number): boolean => type === 8 || type === 37;
  return records.map(({ offset, type, sym, addend }) => `${place(offset)} ${type} ${elf.dynsym()[sym]?.name ?? ""} ${isAddress(type) ? place(addend) : addend}`).sort();
}

const MIXED = `
  extern int outside[], other; extern void call(void); int v[64]; static __thread int t1 = 1, t2 = 2; extern __thread int t3;
  #define P4(i) &v[i], &v[i + 1], &v[i + 2], &v[i + 3]
  int *row[] = { P4(0), P4(4), P4(8), P4(12), P4(20) }; struct { char c; int *p; } __attribute__((packed)) odd = { 1, v }; int *zeros[] = { outside, outside, outside, outside };
  int *theirs[] = { outside + 1, &other, outside + 5 }; void (*f)(void) = call; int *get(void) { return &t1 + t2 + t3; } void g(void) { call(); } extern char _end[]; char *end = _end;
  static int impl(void) { return 1; } static int (*pick(void))(void) { return impl; } static int indirect(void) __attribute__((ifunc("pick"))); int use(void) { return indirect(); }`;

relr("--pack-dyn-relocs=android holds the same relocations, with and without .relr.dyn beside it", (w) => {
  if (linkerName !== "wield" && linkerName !== "lld") return;
  w.write({ "m.c": MIXED }).sh("gcc -O1 -fPIC -ftls-model=initial-exec -c m.c && for f in none android android+relr relr; do $LD -shared -Bsymbolic --pack-dyn-relocs=$f m.o -o $f.so; done");
  for (const [packed, plain] of [["android", "none"], ["android+relr", "relr"]] as const) {
    const [a, b] = [w.elf(`${packed}.so`), w.elf(`${plain}.so`)];
    const section = a.need(".rela.dyn");
    assert.equal([section.type, section.entsize], [0x60000002, 1]);
    const irelative = a.relocs().filter(({ section: name }) => name === ".rela.plt").filter(({ type }) => type === 37);
    assert.equal(describe(a, [...unpack(a.content(section)), ...irelative]), describe(b, b.relocs().filter(({ section: name, type }) => name === ".rela.dyn" || type === 37)), packed);
    assert.ok(section.size < b.need(".rela.dyn").size / 2);
    const tags = a.dynamic().map(({ tag }) => tag);
    assert.ok(tags.includes(0x60000011) && tags.includes(0x60000012) && !tags.includes(7) && !tags.includes(0x6ffffff9));
    assert.is(a.relr().length, b.relr().length);
  }
  w.sh("$LD -shared -Bsymbolic --pack-dyn-relocs=relr --use-android-relr-tags m.o -o tags.so");
  const tagged = new ElfFile(w.bytes("tags.so"));
  assert.is(tagged.need(".relr.dyn").type, 0x6fffff00);
  assert.ok(tagged.dynamic().some(({ tag }) => tag === 0x6fffe000));
  contains(w.fails("$LD -shared --pack-dyn-relocs=zip m.o -o x"), "unknown --pack-dyn-relocs format: zip");
});

relr("-z rel: the same relocations with their addends in place", (w) => {
  if (linkerName !== "wield" && linkerName !== "lld") return;
  w.write({ "m.c": MIXED }).sh("gcc -O1 -fPIC -ftls-model=initial-exec -c m.c && $LD -shared -Bsymbolic -z rel m.o -o rel.so && $LD -shared -Bsymbolic m.o -o rela.so");
  const [a, b] = [new ElfFile(w.bytes("rel.so")), w.elf("rela.so")]; // no x86-64 loader takes the first
  const records = [".rel.dyn", ".rel.plt"].flatMap((name) => {
    const { offset, size, type, entsize } = a.need(name);
    assert.equal([type, entsize], [9, 16]);
    return Array.from({ length: size / 16 }, (_, i): Record => {
      const at = offset + 16 * i;
      const [place, kind] = [Number(a.view.getBigUint64(at, true)), a.view.getUint32(at + 8, true)];
      // The word of a lazy entry is about to be bound, whatever it holds.
      return { offset: place, type: kind, sym: a.view.getUint32(at + 12, true), addend: kind === 7 ? 0 : Number(a.view.getBigInt64(a.fileOffset(place), true)) };
    });
  });
  assert.equal(describe(a, records), describe(b, b.relocs()));
  const tags = a.dynamic().map(({ tag }) => tag);
  assert.ok([17, 18, 19, 0x6ffffffa].every((tag) => tags.includes(tag)) && !tags.includes(7));
  assert.is(a.tag("PLTREL"), 17);
});

relr.run();
