/** -c: MRI scripts. */
import { ElfFile } from "../../helpers/dump.ts";
import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const mri = behaviour("MRI scripts");
const wield = linkerName === "wield";

const SOURCES = {
  "a.s": ".globl _start\n_start: mov foo, %eax\n.data\n.quad foo\n",
  "b.s": '.section .mine,"aw"\n.quad 1\n.section .other,"a"\n.quad 2\n.bss\n.skip 64\n',
};
const assembled = "as a.s -o a.o && as b.s -o b.o";

mri("LOAD, NAME and PUBLIC stand for inputs, -o and definitions; upper or lower case", (w) => {
  if (!wield) return;
  w.write({ ...SOURCES, "m.mri": "* a comment\nCHIP 68000,4\nload a.o,b.o\nPUBLIC foo=0x10+4\nNAME out\n\nEND\n", "hex.mri": "LOAD a.o b.o\nPUBLIC foo $1F\n" }).sh(assembled);
  const foo = (command: string, file: string): number => (w.sh(command), parseInt(w.sh(`nm ${file} | grep foo`), 16));
  assert.is(foo("$LD -c m.mri", "out"), 0x14);
  assert.is(foo("$LD --mri-script=m.mri -o here", "here"), 0x14);
  assert.is(foo("$LD -c hex.mri -o hex", "hex"), 0x1f);
  assert.is(foo("echo 'PUBLIC foo,20h' > n.mri && $LD a.o -c n.mri b.o -o n", "n"), 0x20);
}, "nm");

mri("a line goes on behind #", (w) => {
  if (!wield && linkerName !== "bfd") return;
  w.write({ ...SOURCES, "m.mri": "load a.o,b.o\npublic foo = # the value\n  0x10 + #\n 4\nBOGUS\n" }).sh(assembled);
  if (wield) contains(w.sh("$LD -c m.mri -o out 2>&1"), "m.mri:5: not understood");
  else w.sh("sed -i /BOGUS/d m.mri; $LD -c m.mri -o out");
  contains(w.sh("nm out"), "14 A foo");
}, "nm");

mri("ORDER, BASE, SECT, ALIGN and ALIAS lay out the output", (w) => {
  if (!wield && linkerName !== "bfd") return;
  w.write({ ...SOURCES, "m.mri": "LOAD a.o,b.o\nORDER .data,.text\nBASE 0x400000\nPUBLIC foo 0x1234\nNAME out\nALIGN .text=4096\nSECT .mine=0x600000\n" }).sh(`${assembled} && $LD -c m.mri -e _start`);
  const elf = new ElfFile(w.bytes("out"));
  assert.equal([".data", ".text", ".mine"].map((name) => elf.need(name).addr), [0x400000, 0x401000, 0x600000]);
  assert.ok(elf.need(".bss").size === 64);
  if (!wield) return;
  w.write({ "n.mri": "LOAD a.o,b.o\nALIAS .renamed,.other\nPUBLIC foo,1\nSECT .text 10000h\nSECT .text 20000h\nABSOLUTE .text,.data,.renamed\nNAME n\n" }).sh("$LD -c n.mri");
  assert.is(new ElfFile(w.bytes("n")).need(".text").addr, 0x10000);
  assert.equal(new ElfFile(w.bytes("n")).sectionNames().filter((name) => /^\.(text|data|renamed|other|mine|bss)$/.test(name)).sort(), [".data", ".renamed", ".text"]);
});

mri("LIST prints a map, FORMAT S makes S-records", (w) => {
  if (!wield) return;
  w.write({ ...SOURCES, "m.mri": "LOAD a.o,b.o\nPUBLIC foo=1\nLIST s,x\nFORMAT S\nNAME out\n" }).sh(assembled);
  contains(w.sh("$LD -c m.mri"), "a.o:(.text)");
  contains(Buffer.from(w.bytes("out")).toString(), /^S0/, /^S[123]/m, /^S[789]/m);
});

mri("what is not understood is a warning, what is wrong an error, both with their line", (w) => {
  if (!wield) return;
  w.write({ ...SOURCES, "m.mri": "LOAD a.o,b.o\n\nBOGUS 4\nPUBLIC foo=1\nFORMAT IEEE\n", "e.mri": "LOAD a.o\nPUBLIC foo = 3 +\n", "l.mri": "LOAD gone.o\n" }).sh(assembled);
  contains(w.sh("$LD -c m.mri -o m 2>&1"), "warning: m.mri:3: not understood in an MRI script: BOGUS 4", "m.mri:5: not understood");
  contains(w.fails("$LD -c e.mri -o e"), "e.mri:2:");
  contains(w.fails("$LD -c l.mri -o e"), "gone.o");
  contains(w.fails("$LD -c nowhere.mri a.o -o e"), "cannot find linker script nowhere.mri");
  contains(w.sh("mkdir d && mv m.mri d && $LD -L d -c m.mri -o m 2>&1"), "BOGUS");
});

mri.run();
