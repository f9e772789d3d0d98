/**
 * The dynamic symbol table and what lld puts beside it: order of entries and of names, _DYNAMIC, segments of nothing.
 */

import { assert, behaviour, linkerName } from "../../helpers/link.ts";

const dynamic = behaviour("dynamic symbols");

const THREE = ".globl zeta, alpha, mid\nzeta: call outside@PLT\nalpha: call mid@PLT\nmid: ret\n";

dynamic("without .gnu.hash entries are in order of first mention, with it references come first", (w) => {
  w.write({ "a.s": THREE }).sh("as a.s -o a.o && $LD -shared --hash-style=sysv a.o -o s.so && $LD -shared --hash-style=gnu a.o -o g.so");
  if (linkerName === "bfd") return;
  const names = (file: string) => w.elf(file).dynsym().slice(1).map((symbol) => symbol.name);
  assert.equal(names("s.so"), ["zeta", "alpha", "mid", "outside"]);
  assert.is(names("g.so")[0], "outside");
  assert.equal(names("g.so").sort(), names("s.so").sort());
});

dynamic("PLT entries are numbered by first mention, whatever the linker itself looks up", (w) => {
  w.write({ "a.s": "call b\ncall _start\ncall a\n.globl _start\n_start: ret\n" }).sh("as a.s -o a.o && $LD -shared a.o -o a.so");
  if (linkerName === "bfd") return;
  const slots = w.elf("a.so").relocs().filter((reloc) => reloc.section === ".rela.plt").map((reloc) => reloc.name);
  assert.equal(slots, ["b", "_start", "a"]);
});

dynamic("_DYNAMIC is a local symbol of every dynamic output and absent from static ones", (w) => {
  w.write({ "a.s": ".globl _start\n_start: ret\n", "r.s": ".weak _DYNAMIC\n.globl _start\n_start: ret\n.data\n.quad _DYNAMIC\n" });
  w.sh("as a.s -o a.o && as r.s -o r.o && $LD -shared a.o -o a.so && $LD r.o -o static && $LD -pie --no-dynamic-linker r.o -o pie");
  for (const name of ["a.so", "pie"]) {
    const elf = w.elf(name);
    const symbol = elf.symbol("_DYNAMIC")!;
    assert.is(symbol.value, elf.need(".dynamic").addr);
    assert.is(symbol.bind, 0);
  }
  const elf = w.elf("static");
  assert.is(Buffer.from(elf.content(".data")).readBigUInt64LE(0), 0n, "undefined weak in a static program");
});

dynamic("data behind RELRO stays packed in the file, and a segment without bytes is not written", (w) => {
  w.write({ "a.s": ".data\n.globl d\nd: .quad d\n" }).sh("as a.s -o a.o && $LD -shared a.o -o a.so");
  if (linkerName === "bfd") return;
  const elf = w.elf("a.so");
  assert.ok(elf.bytes.length < 0x1000, "no page of padding in the file");
  assert.equal(elf.loadFlags().map((flags) => flags.trim()), ["R", "RW", "RW"]);
});

dynamic.run();
