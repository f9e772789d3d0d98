/**
 * What goes into output sections: input patterns and their order, fills, types, what may be thrown away, and what an empty section is.
 */
import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";
import { bytes, image, names, symbol } from "../../helpers/script.ts";

const contents = behaviour("script-contents");
const START = '.globl _start\n.text\n_start: nop\n';
const NOTE = '\n.section .note.GNU-stack,"",@progbits\n';

contents("REVERSE, sorted files and EXCLUDE_FILE in front of the file", (w) => {
  const section = (name: string, value: number): string => `.section ${name},"aw"\n.byte ${value}\n`;
  w.write({
    "a.s": START + section(".x.1", 1) + section(".x.2", 2) + section(".f", 3) + section(".e", 5) + NOTE,
    "b.s": section(".x.3", 4) + section(".f", 6) + section(".e", 7) + NOTE,
    "t.ld": `SECTIONS { .text : { *(.text) } .sorted : { *(REVERSE(SORT(.x.*))) } .files : { REVERSE(*)(.f) } .kept : { EXCLUDE_FILE(*a.o) *(.e) } .rest : { *(.e) } }`,
  });
  w.sh("gcc -c a.s && gcc -c b.s && $LD a.o b.o -T t.ld -o t");
  const elf = image(w, "t");
  assert.equal(bytes(elf, ".sorted"), [4, 2, 1]);
  assert.equal(bytes(elf, ".files"), [6, 3]);
  assert.equal(bytes(elf, ".kept"), [7]);
  assert.equal(bytes(elf, ".rest"), [5]);
}, ...(linkerName === "wield" ? [] : ["wield"]));

contents("commons belong to the file that defines them", (w) => {
  w.write({ "a.s": `${START}.comm one,4,4${NOTE}`, "b.s": `.comm two,8,8${NOTE}`, "t.ld": "SECTIONS { .text : { *(.text) } .first : { *(EXCLUDE_FILE(*b.o) COMMON) } .second : { *(COMMON) } }" });
  w.sh("gcc -c a.s && gcc -c b.s && $LD a.o b.o -T t.ld -o t");
  const elf = image(w, "t");
  assert.is(symbol(elf, "one"), elf.need(".first").addr);
  assert.is(symbol(elf, "two"), elf.need(".second").addr);
});

contents("fills: constant expressions, a zero fill between code, traps where nothing is said", (w) => {
  w.write({
    "t.s": `${START}.section .c.1,"ax"\n.byte 1\n.section .c.2,"ax"\n.p2align 2\n.byte 2\n.section .d.1,"ax"\n.byte 1\n.section .d.2,"ax"\n.p2align 2\n.byte 2\n.section .e.1,"aw"\n.byte 1\n.section .e.2,"aw"\n.p2align 2\n.byte 2${NOTE}`,
    "t.ld": "SECTIONS { .text : { *(.text) } .c : { FILL(0) *(.c.*) } .d : { *(.d.*) } .e : { *(.e.*) } =((0x11 << 24) | (0x22 << 16) | 0x3344) }",
  });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -o t");
  const elf = image(w, "t");
  assert.equal(bytes(elf, ".c"), [1, 0, 0, 0, 2]);
  if (linkerName !== "bfd") assert.equal(bytes(elf, ".d"), [1, 0xcc, 0xcc, 0xcc, 2]);
  if (linkerName !== "bfd") assert.equal(bytes(elf, ".e"), [1, 0x11, 0x22, 0x33, 2]);
});

contents("a fill of more than eight digits is as long as it is written (GNU ld)", (w) => {
  w.write({
    "t.s": `${START}.section .d.1,"aw"\n.byte 1\n.section .d.2,"aw"\n.p2align 3\n.byte 2${NOTE}`,
    "t.ld": "SECTIONS { .text : { *(.text) } .c : { FILL(0x0102030405) . = . + 7; BYTE(9) } .d : { *(.d.*) } =0x00112233445566 }",
  });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -o t");
  const elf = image(w, "t");
  assert.equal(bytes(elf, ".c"), [1, 2, 3, 4, 5, 1, 2, 9]);
  assert.equal(bytes(elf, ".d"), [1, 0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 2]);
}, ...(linkerName === "lld" ? ["wield"] : []));

contents("/DISCARD/ : { *(*) } leaves what the linker needs for the file; SORT_NONE of files; SHT_STRTAB; commas in MEMORY", (w) => {
  w.write({
    "t.s": `${START}.data\n.byte 1\n.section .x,"aw"\n.byte 2\n.section .x.y,"aw"\n.byte 3${NOTE}`,
    "t.ld": "MEMORY { m : ORIGIN = 0x1000, LENGTH = 0x1000, n : ORIGIN = 0x2000, LENGTH = 1 }\nSECTIONS { .text : { *(.text) } >m .x : { SORT_NONE(*)(.x.y .x) } >m names (TYPE = SHT_STRTAB) : { BYTE(0) } >n /DISCARD/ : { *(*) } }",
  });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -o t");
  const elf = image(w, "t");
  assert.equal(names(elf).filter((name) => name !== ""), [".text", ".x", "names", ".symtab", ".shstrtab", ".strtab"].filter((name) => names(elf).includes(name)));
  assert.equal(bytes(elf, ".x"), [2, 3]);
  assert.is(elf.need("names").type, 3);
  if (linkerName === "wield") contains(w.sh("ln -s $LD ld.lld && ! ./ld.lld t.o -T t.ld -o l 2>&1"), "discarding .shstrtab section is not allowed");
}, ...(linkerName === "lld" ? ["wield"] : []));

contents("{ *(*) } takes all that inputs have, not the file's own tables nor the linker's name (GNU ld)", (w) => {
  w.write({
    "t.s": `${START}.data\nvar: .long 5\n.section .symbols,"aw"\n.byte 6${NOTE}`,
    "t.ld": "SECTIONS { . = 0x7c00; .text : { *(*) } }",
    "prefix.ld": "SECTIONS { . = 0x7c00; .text : { *(.text) } .small : { *(.s*) *(.data) } }",
  });
  w.sh("as t.s -o t.o && $LD t.o -T t.ld -o t && $LD t.o -T t.ld --oformat binary -o b && $LD t.o -T prefix.ld -o p");
  for (const name of ["t", "p"]) {
    contains(names(image(w, name)).join(), ".symtab");
    assert.is(symbol(image(w, name), "_start"), 0x7c00);
  }
  assert.equal([...w.bytes("b")].slice(0, 6), [0x90, 5, 0, 0, 0, 6]);
  assert.is(w.bytes("b").length, 6);
  assert.equal(bytes(image(w, "p"), ".small").filter((byte) => byte !== 0), [6, 5]);
}, "as", ...(linkerName === "lld" ? ["wield"] : []));

contents("READONLY takes the writable flag away", (w) => {
  w.write({ "t.s": `${START}.section .ro,"aw"\n.byte 1${NOTE}`, "t.ld": "SECTIONS { .text : { *(.text) } .ro (READONLY) : { *(.ro) } .typed (READONLY (TYPE = SHT_NOTE)) : { LONG(1) } }" });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -o t");
  assert.is(image(w, "t").need(".ro").flags, 2);
  assert.is(image(w, "t").need(".typed").type, 7);
}, ...(linkerName === "wield" ? [] : ["wield"]));

contents("what /DISCARD/ says of linker-made sections is gone from .dynamic and the image too", (w) => {
  w.write({
    "t.c": "int f(void) { return 1; }",
    "t.ld": "SECTIONS { . = SIZEOF_HEADERS; .text : { *(.text) } /DISCARD/ : { *(.gnu.hash) *(.note.gnu.build-id) *(.gnu.version*) *(.comment) *(.eh_frame*) } }",
    "v.map": "V { global: *; };",
  });
  w.sh("gcc -fPIC -c t.c && $LD -shared t.o --hash-style=both --build-id --eh-frame-hdr --version-script=v.map -T t.ld -o t");
  const elf = image(w, "t");
  lacks(`${names(elf).join()},`, ".gnu.hash,", ".note.gnu.build-id", ".gnu.version", ".comment", ".eh_frame");
  const tags = w.sh("readelf -d t");
  contains(tags, "(HASH)");
  lacks(tags, "GNU_HASH", "VERSYM", "VERDEF");
});

contents("what is about a section that /DISCARD/ takes goes with it (SHF_LINK_ORDER)", (w) => {
  const about = (name: string, value: number): string => `.section ${name},"ax"\n.byte ${value}\n.section .about,"ao",@progbits,${name}\n.byte ${value}\n`;
  w.write({ "t.s": `${START}${about(".kept", 1)}${about(".gone", 2)}${NOTE}`, "t.ld": "SECTIONS { .text : { *(.text .kept) } .about : { *(.about) } /DISCARD/ : { *(.gone) } }" });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -o t");
  assert.equal(bytes(image(w, "t"), ".about"), [1]);
}, ...(linkerName === "bfd" ? ["wield"] : []));

contents("a section that only a linker-made one would fill is writable as that would be", (w) => {
  w.write({ "t.s": `${START}${NOTE}`, "t.ld": "SECTIONS { .text : { *(.text) } .with : { *(.got.plt) BYTE(1) } .text2 : { *(.text2) } .without : { BYTE(1) } }" });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -o t");
  if (linkerName === "bfd") return;
  assert.is(image(w, "t").need(".with").flags, 3);
});

contents("sections of the same name share it, orphans that are not loaded come last", (w) => {
  w.write({ "t.s": `${START}.data\n.quad 1\n.section other,"aw"\n.quad 2${NOTE}`, "t.ld": "SECTIONS { .text : { *(.text) } .data : { *(.data) } .comment : { *(.comment) } } SECTIONS { .data : { *(other) } }" });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -o t");
  if (linkerName === "bfd") return;
  const elf = image(w, "t");
  assert.equal(names(elf).slice(1).filter((name) => name !== ".bss"), [".text", ".data", ".comment", ".data", ".symtab", ".shstrtab", ".strtab"]);
  assert.is(String.fromCharCode(...bytes(elf, ".shstrtab")).split(".data").length, 2);
});

contents("zero-initialized data among code is zero, SUBALIGN is for what a description names, and descriptions that do not apply define nothing", (w) => {
  w.write({
    "t.s": `${START}.bss\n.zero 5\n.comm c,3,1\n.section .x,"a"\n.byte 1\n.section .x.more,"a"\n.byte 2\n${NOTE}`,
    "u.s": `.section .x,"a"\n.byte 3${NOTE}`,
    "t.ld": "SECTIONS { .text : { *(.text) *(.bss COMMON) BYTE(7) } .x : SUBALIGN(8) { *t.o(.x) *(.x.more) } .gone : ONLY_IF_RW { never = .; both = 1; *(.x.more) } .kept : ONLY_IF_RO { both = 2; BYTE(1) } }",
  });
  w.sh("gcc -c t.s && gcc -c u.s && $LD t.o u.o -T t.ld -o t");
  const elf = image(w, "t");
  assert.equal(bytes(elf, ".text"), [0x90, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
  if (linkerName === "bfd") return;
  assert.equal(bytes(elf, ".x"), [1, 0, 0, 0, 0, 0, 0, 0, 2, 3]);
  const defined = elf.symtab().map(({ name, value }) => `${name}=${value}`);
  assert.ok(defined.includes("both=2") && !defined.some((entry) => entry.startsWith("never=")), defined.join());
});

contents("SORT_BY_INIT_PRIORITY goes by the number at the end of any name", (w) => {
  const section = (name: string, value: number): string => `.section ${name},"a"\n.byte ${value}\n`;
  w.write({ "t.s": START + section(".run.b.20", 20) + section(".run", 99) + section(".run.a.3", 3) + section(".run.100", 100) + NOTE, "t.ld": "SECTIONS { .text : { *(.text) } .run : { *(SORT_BY_INIT_PRIORITY(.run*)) } }" });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -o t");
  if (linkerName !== "bfd") assert.equal(bytes(image(w, "t"), ".run"), [3, 20, 100, 99]);
});

contents("an address that depends on itself is said not to converge", (w) => {
  w.write({ "t.s": `${START}.data\n.byte 1${NOTE}`, "t.ld": "SECTIONS { .text ADDR(.data) + 0x1000 : { *(.text) } .data : { *(.data) } }" });
  w.sh("gcc -c t.s");
  if (linkerName !== "bfd") contains(w.fails("$LD t.o -T t.ld -o t"), "of section '.text' does not converge");
});

contents("a section that is not loaded is relocated among those that are", (w) => {
  w.write({
    "a.s": `${START}word: .quad 0\n.section .info,"",@progbits\n.quad word\n.long word\n${NOTE}`,
    "t.ld": "SECTIONS { . = 0x10000; .text : { *(.text) *(.info) } }",
  });
  w.sh("gcc -c a.s && $LD a.o -T t.ld -o t && $LD a.o -T t.ld --threads=3 -o u && cmp t u");
  const elf = image(w, "t");
  const word = symbol(elf, "word");
  const text = Buffer.from(bytes(elf, ".text"));
  assert.equal([Number(text.readBigUInt64LE(text.length - 12)), text.readUInt32LE(text.length - 4)], [word, word]);
});

contents("/DISCARD/ : { *(*) } takes what no description names, and neither the symbol table nor the names of sections", (w) => {
  if (linkerName === "lld") return; // an error: discarding .shstrtab is not allowed
  w.write({
    "t.s": `${START}.data\n.quad 5\n.section .more,"a"\n.quad 6\n${NOTE}`,
    "t.ld": "SECTIONS { .text 0x1000 : { *(.text) } .data 0x2000 : { *(.data) } /DISCARD/ : { *(*) } }",
    "flat.ld": 'OUTPUT_FORMAT("binary") SECTIONS { .text : { *(.text) } .data 0x10 : { *(.data) } /DISCARD/ : { *(*) } }',
  });
  w.sh("gcc -g -c t.s && $LD t.o -T t.ld -o t && $LD t.o -T flat.ld -o flat");
  assert.equal(names(image(w, "t")).sort(), ["", ".data", ".shstrtab", ".strtab", ".symtab", ".text"]);
  assert.equal([...w.bytes("flat")].map((byte, i) => [i, byte]).filter(([, byte]) => byte !== 0), [[0, 0x90], [0x10, 5]]);
});

contents("scripts know the memory regions of those before them", (w) => {
  w.write({
    "t.s": `${START}${NOTE}`,
    "a.ld": "MEMORY { ROM : ORIGIN = 0x10000, LENGTH = 0x100 }",
    "b.ld": 'REGION_ALIAS("CODE", ROM) SECTIONS { .text : { *(.text) } >CODE /DISCARD/ : { *(.data .bss) } }',
    "c.ld": "MEMORY { ROM : ORIGIN = 0x20000, LENGTH = 0x100 }",
  });
  w.sh("gcc -c t.s && $LD t.o -T a.ld -T b.ld -o t");
  assert.is(image(w, "t").need(".text").addr, 0x10000);
  if (linkerName === "lld") return; // the same name twice is an error
  w.sh("$LD t.o -T a.ld -T c.ld -T b.ld -o t");
  assert.is(image(w, "t").need(".text").addr, 0x20000);
});

contents("a file that a description takes sections of by its name is an input; one that nobody has is not missed", (w) => {
  if (linkerName === "lld") return; // looks for none of them
  w.write({
    "start.s": `.globl _start\n.text\n_start: call other\n${NOTE}`,
    "other.s": `.globl other\n.text\nother: ret\n.data\n.quad 5\n${NOTE}`,
    "member.s": `.globl member\n.text\nmember: ret\n${NOTE}`,
    "t.ld": "SECTIONS { .text : { start.o(.text) *(.text) } .data : { other.o(.data) } /DISCARD/ : { *nothere.o(*) } }",
    "m.ld": "SECTIONS { .text : { start.o(.text) other.o libm.a(.text) *(.text) } }",
  });
  w.sh("gcc -c start.s && gcc -c other.s && gcc -c member.s && ar rcs libm.a member.o");
  const texts = (command: string): string[] => {
    w.sh(command);
    const elf = image(w, "t");
    return ["_start", "other", "member"].map((name) => `${elf.symtab().find((entry) => entry.name === name)?.value}`);
  };
  assert.equal(texts("$LD other.o -T t.ld -o t"), ["0", "5", "undefined"]);
  assert.equal(texts("$LD -T t.ld -o t"), ["0", "5", "undefined"]);
  // The other way to write the name is no other file.
  if (linkerName === "wield") assert.equal(texts("$LD ./other.o ./start.o -T t.ld -o t"), ["1", "0", "undefined"]);
  assert.equal(texts("$LD -T m.ld -u member -o t").map(Number), [0, 5, 14]); // other.o is there with all its sections
  if (linkerName !== "wield") return;
  w.write({ "t.ld": "SECTIONS { .text : { nothere.o(.text) *(.text) } }" });
  w.sh("$LD start.o other.o -T t.ld -o t");
});

contents.run();
