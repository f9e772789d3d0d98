/**
 * The dynamic symbol table and what lld puts beside it: order of entries and of names, _DYNAMIC, segments of nothing.
 */

import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

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

dynamic("-u and the entry are no references: what nobody defines is not looked for at run time", (w) => {
  w.write({ "a.s": ".globl f\nf: ret\n" }).sh("as a.s -o a.o && $LD -shared -u nothere a.o -o a.so && $LD -pie -u nothere a.o a.so -o p 2> warned");
  if (linkerName === "bfd") return;
  for (const name of ["a.so", "p"]) assert.equal(w.elf(name).imports(), []);
});

dynamic("an executable at a fixed address without shared objects has no dynamic tables, whatever it exports", (w) => {
  w.write({ "a.s": ".globl _start\n_start: ret\n.weak w\n.data\n.quad w\n" }).sh("as a.s -o a.o && $LD --export-dynamic a.o -o a && $LD --export-dynamic -pie a.o -o p");
  assert.is(w.elf("a").section(".dynsym"), undefined);
  assert.ok(w.elf("p").dynamicSymbol("_start"));
});

dynamic("--wrap hands on whether a reference is weak", (w) => {
  w.write({ "a.s": ".weak foo, __real_bar\n.globl _start\n_start: call foo@PLT\ncall __real_bar@PLT\ncall bar@PLT\n" });
  w.sh("as a.s -o a.o && $LD -shared --wrap=foo --wrap=bar a.o -o a.so");
  const binds = Object.fromEntries(w.elf("a.so").dynsym().slice(1).map((symbol) => [symbol.name, symbol.bind]));
  if (linkerName !== "bfd") assert.equal(binds, { __wrap_foo: 2, bar: 2, __wrap_bar: 1, _start: 1 });
});

dynamic("--wrap of what --defsym defines: who refers to it weakly refers to __wrap_ weakly", (w) => {
  if (linkerName === "lld") return;
  w.write({ "a.s": ".weak foo\n.globl _start\n_start: .quad foo\n", "b.s": ".quad foo\n" });
  w.sh("for f in a b; do as $f.s -o $f.o; done");
  for (const inputs of ["a.o --defsym=foo=5", "--defsym=foo=5 a.o"]) {
    w.sh(`$LD --wrap=foo ${inputs} -o a`);
    assert.is(w.elf("a").u64(w.elf("a").need(".text").offset), 0, inputs);
    contains(w.fails(`$LD --wrap=foo ${inputs} b.o -o a`), "__wrap_foo");
  }
});

dynamic("a static-pie asks for nothing at run time: not for __tls_get_addr, whose calls are rewritten, nor for what may stay undefined", (w) => {
  w.write({ "a.s": ".globl _start\n_start: mov foo@GOTPCREL(%rip), %rax\n.byte 0x66\nleaq x@tlsgd(%rip), %rdi\n.word 0x6666\nrex64\ncall __tls_get_addr@PLT\n.section .tdata,\"awT\"\n.globl x\nx: .quad 1\n" });
  w.sh("as a.s -o a.o && $LD -pie --no-dynamic-linker --unresolved-symbols=ignore-all a.o -o a");
  assert.equal(w.elf("a").imports(), []);
  if (linkerName !== "bfd") assert.equal(w.elf("a").relocs(), []);
});

dynamic.run();
