/**
 * Tens of thousands of names, patterns, sections and statements where people have a handful: every list is read as one, none is handed to a
 * function as its arguments, and none is gone through once for each entry of another.
 */

import { STB_GLOBAL } from "../../../as-kernels/shared/elf.ts";
import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";
import { archive, ObjectBuilder } from "../../helpers/object.ts";

const long = behaviour("long lists");

/** What takes minutes when it is gone through again and again has seconds. */
const SECONDS = 20_000;

const lines = (count: number, line: (i: number) => string): string => Array.from({ length: count }, (_, i) => line(i)).join("\n") + "\n";
const functions = (count: number): string => `.globl _start\n.text\n_start: ret\n${lines(count, (i) => `.section .text.f${i},"ax",@progbits\n.globl f${i}\nf${i}: nop`)}`;

long("a dynamic list and an EXTERN of more names than a function takes arguments", (w) => {
  w.write({ "m.s": functions(3), "list": `{\n${lines(130_000, (i) => `f${i};`)}};\n`, "extern.ld": `EXTERN(${lines(130_000, (i) => `f${i}`)})` });
  w.sh("as m.s -o m.o && $LD -shared -Bsymbolic --dynamic-list=list m.o -o m.so", SECONDS);
  assert.ok(w.elf("m.so").dynamicSymbol("f2"));
  w.sh("$LD --gc-sections extern.ld m.o -o m", SECONDS);
  assert.ok(w.elf("m").symbol("f2"));
});

long("an EXTERN of many names that nobody defines, and PROVIDEs each of which wants the one before", (w) => {
  if (linkerName === "bfd") return;
  w.write({
    "m.s": ".globl _start\n.text\n_start: ret\n.quad p20000\n",
    "extern.ld": `EXTERN(${lines(150_000, (i) => `none${i}`)})`,
    "provide.ld": `PROVIDE(p0 = 7);\n${lines(20_000, (i) => `PROVIDE(p${i + 1} = p${i} + 1);`)}`,
  });
  // Once through all symbols for each name would take some 5 s, in a process that needs a half.
  w.sh("as m.s -o m.o && $LD provide.ld extern.ld m.o -o m", SECONDS);
  assert.is(w.elf("m").symbol("p20000")!.value, 20_007);
});

long("-y through a chain of archive members, each of which wants the next", (w) => {
  if (linkerName !== "wield") return;
  const chain = (from: string, to: string): Uint8Array => {
    const object = new ObjectBuilder();
    object.symbol(from, { in: object.text([0xc3]), bind: STB_GLOBAL });
    object.symbol(to, { bind: STB_GLOBAL });
    return object.bytes();
  };
  const COUNT = 8000;
  const members = Array.from({ length: COUNT }, (_, i) => ({ name: `m${i}.o`, data: chain(`f${i}`, i === COUNT - 1 ? "_start" : `f${i + 1}`), symbols: [`f${i}`] }));
  w.write({ "chain.a": archive(members), "m.o": chain("_start", "f0") });
  const said = w.sh(`$LD chain.a m.o -y f${COUNT - 1} -o m`, SECONDS).split("\n");
  assert.equal(said, [`chain.a(m${COUNT - 1}.o): lazy definition of f${COUNT - 1}`, `chain.a(m${COUNT - 2}.o): reference to f${COUNT - 1}`, `chain.a(m${COUNT - 1}.o): definition of f${COUNT - 1}`, ""]);
});

long("a version script of more versions than have numbers, an MRI script of one long line", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "m.s": functions(3), "v.map": lines(40_000, (i) => `V${i} { f${i}; };`), "script.mri": `LOAD m.o\nx ${"(".repeat(200_000)}\n` });
  contains(w.fails("as m.s -o m.o && $LD -shared m.o --version-script=v.map -o m.so"), "v.map:32767: too many versions");
  contains(w.try("$LD -c script.mri -o m", SECONDS).stderr, "script.mri:2: not understood in an MRI script");
});

long("thousands of C++ patterns in a dynamic list: names are demangled and matched once", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "m.s": `.text\n${lines(3000, (i) => `.globl _ZN3ns${String(i % 10)}1fEi_${i}\n_ZN3ns${i % 10}1fEi_${i}:`)}.globl _ZN3abc1fEv\n_ZN3abc1fEv: ret\n`, "list": `{ extern "C++" {\n${lines(5000, (i) => `none${i}::*;`)}abc::*;\n}; };\n` });
  w.sh("as m.s -o m.o && $LD --no-gc-sections -pie --dynamic-list=list m.o -e 0 -o m", SECONDS);
  assert.equal(w.elf("m").dynsym().map(({ name }) => name).filter((name) => name !== ""), ["_ZN3abc1fEv"]);
});

long("a script that lists thousands of functions, with an output section each or all in one", (w) => {
  w.write({
    "m.s": functions(3000),
    "each.ld": `SECTIONS {\n${lines(3000, (i) => `.s${i} : { *(.text.f${2999 - i}) }`)}}\n`,
    "one.ld": `SECTIONS { .text : {\n${lines(3000, (i) => `*(.text.f${2999 - i})`)}*(.text .text.*) } }\n`,
  });
  w.sh("as m.s -o m.o && $LD -T each.ld m.o -o each && $LD -T one.ld m.o -o one", SECONDS);
  for (const name of ["each", "one"]) {
    const elf = w.elf(name);
    const address = (f: string): number => elf.symbol(f)!.value;
    assert.ok(address("f2999") < address("f2") && address("f2") < address("f1") && address("f1") < address("f0"), name);
  }
});

long("which pattern counts does not depend on how many there are: exact names and wildcards in the script's order", (w) => {
  w.write({ "m.s": functions(6), "s.ld": "SECTIONS { .a : { *(.text.f1 .text.f2*) } .b : { *(.text.f[23] .text.f3) } .c : { *(.text.f3 .text.f4 .text.f1) } .d : { *(.text*) } .e : { *(.text.f5) } }\n" });
  w.sh("as m.s -o m.o && $LD -T s.ld m.o -o m");
  const elf = w.elf("m");
  const home = (name: string): string => elf.shdrs[elf.symbol(name)!.shndx]!.name;
  assert.equal(["f1", "f2", "f3", "f4", "f5", "_start"].map(home), [".a", ".a", ".b", ".c", ".d", ".d"]);
});

long("a section ordering file with a line for every function", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "m.s": functions(5000), "order": lines(5000, (i) => `.text.f${4999 - i}`) });
  w.sh("as m.s -o m.o && $LD --section-ordering-file=order m.o -o m", SECONDS);
  const elf = w.elf("m");
  for (const i of [0, 1, 2500, 4998]) assert.ok(elf.symbol(`f${i + 1}`)!.value < elf.symbol(`f${i}`)!.value);
});

long("one section of very many is discarded with what depends on it; the others stay", (w) => {
  w.write({
    "m.s": `${functions(130_000)}.section .text.linked,"axo",@progbits,f0\n.byte 1\n`,
    "s.ld": "SECTIONS { /DISCARD/ : { *(.text.f0) } .text : { *(.text*) } }\n",
  });
  w.sh("as m.s -o m.o && $LD -T s.ld m.o -o m", SECONDS);
  const text = w.elf("m").need(".text").size;
  assert.ok(text >= 130_000 && text < 130_020, `${text}`);
});

long("thousands of sections that are not loaded, in more than one object", (w) => {
  const notes = (o: number): string => lines(4500, (i) => `.section nd${i},"",@progbits\n.byte ${o}, ${i & 255}`);
  w.write({ "a.s": `.globl _start\n_start: ret\n${notes(1)}`, "b.s": notes(2) });
  w.sh("as a.s -o a.o && as b.s -o b.o && $LD a.o b.o -o m", SECONDS);
  const elf = w.elf("m");
  for (const i of [0, 1, 4499]) assert.equal([...elf.content(elf.need(`nd${i}`))], [1, i & 255, 2, i & 255]);
});

long("--emit-relocs with thousands of sections: every relocation section has its symbol table and target", (w) => {
  w.write({ "m.s": `.globl _start\n.text\n_start: ret\n${lines(5000, (i) => `.section s${i},"ax",@progbits\ncall _start`)}` });
  w.sh("as m.s -o m.o && $LD --emit-relocs m.o -o m", SECONDS);
  const elf = w.elf("m");
  for (const i of [0, 4999]) {
    const { link, info } = elf.need(`.relas${i}`);
    assert.equal([elf.shdrs[link]!.name, elf.shdrs[info]!.name], [".symtab", `s${i}`]);
  }
});

long("hundreds of copied variables and their aliases; hundreds of __start_ and __stop_ symbols", (w) => {
  w.write({
    "so.s": `.data\n${lines(300, (i) => `.globl v${i}, w${i}\n.type v${i},@object\n.type w${i},@object\n.size v${i},8\n.size w${i},8\nv${i}: w${i}: .quad ${i}`)}`,
    "m.s": `.text\n.globl _start\n_start: ret\n${lines(300, (i) => `mov v${i},%eax`)}${lines(300, (i) => `.section set${i},"aw"\n.quad __start_set${i}, __stop_set${i}`)}`,
  });
  w.sh("as so.s -o so.o && $LD -shared so.o -o libso.so && as m.s -o m.o && $LD m.o libso.so -o m", SECONDS);
  const elf = w.elf("m");
  const dynamic = new Map(elf.dynsym().map(({ name, value }) => [name, value]));
  const places = new Set<number>();
  for (let i = 0; i < 300; i++) {
    assert.is(dynamic.get(`v${i}`), dynamic.get(`w${i}`), `w${i}`);
    places.add(dynamic.get(`v${i}`)!);
    assert.is(elf.symbol(`__stop_set${i}`)!.value - elf.symbol(`__start_set${i}`)!.value, 16);
  }
  assert.is(places.size, 300);
});

long("thousands of sections that do not fit into a region are said once each, with the last word", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "m.s": functions(2000), "s.ld": `MEMORY { R (rwx) : ORIGIN = 0, LENGTH = 1000 }\nSECTIONS {\n${lines(2000, (i) => `.s${i} : { *(.text.f${i}) . += 1; } >R`)}}\n` });
  const said = w.fails("as m.s -o m.o && $LD --error-limit=0 -T s.ld m.o -o m");
  contains(said, "section '.s501' will not fit in region 'R': overflowed by 4 bytes");
  assert.is(said.match(/section '\.s1500' will not fit/g)!.length, 1);
});

long.run();

long("thousands of short objects are read once, and the bytes are those of an archive of them", (w) => {
  const COUNT = 3000;
  const one = (name: string, next: string): Uint8Array => {
    const object = new ObjectBuilder();
    object.symbol(name, { in: object.text([0xc3]), bind: STB_GLOBAL });
    object.symbol(next, { bind: STB_GLOBAL });
    return object.bytes();
  };
  const names = Array.from({ length: COUNT }, (_, i) => (i === 0 ? "_start" : `f${i}`));
  const members = names.map((name, i) => ({ name: `m${i}.o`, data: one(name, names[(i + 1) % COUNT]!), symbols: [name] }));
  w.write({ ...Object.fromEntries(members.map(({ name, data }) => [name, data])), "all.a": archive(members), "rsp": lines(COUNT, (i) => `m${i}.o`) });
  w.sh("$LD @rsp -o many && $LD --whole-archive all.a -o one && $LD -r @rsp -o r.o && $LD r.o -o relinked", SECONDS);
  for (const out of ["many", "one", "relinked"]) assert.is(w.elf(out).symtab().filter((symbol) => /^(f\d+|_start)$/.test(symbol.name)).length, COUNT);
  w.sh("cmp many one");
  contains(w.fails("rm m2999.o && $LD @rsp -o many"), "m2999.o");
});
