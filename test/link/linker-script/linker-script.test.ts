/**
 * -T scripts that lay out sections: addresses, order, contents, symbols, segments, memory regions, orphans, gc, errors.
 *
 * The scripts say where everything is, so assertions are on numbers; programs run where the layout allows it.
 */

import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";
import { bytes, EXITS, FLAGS, has, image, names, symbol } from "../../helpers/script.ts";

const scripts = behaviour("linker-script");

scripts("a bare program: addresses, symbols, PHDRS, KEEP, data and NOLOAD", (w) => {
  w.write({
    "t.ld": `OUTPUT_FORMAT("elf64-x86-64") ENTRY(_start)
PHDRS { text PT_LOAD FLAGS(5); data PT_LOAD FLAGS(6); stack PT_GNU_STACK FLAGS(6); }
BASE = 0x600000;
SECTIONS {
  . = BASE; text_start = .;
  .text : { *(.text .text.*) } :text
  .rodata : ALIGN(16) { *(.rodata .rodata.*) }
  . = ALIGN(0x1000);
  .data : { *(.data .data.*) . = ALIGN(8); tab_start = .; KEEP(*(SORT_BY_NAME(.tab.*))) tab_end = .; LONG(0xdeadbeef) } :data
  .bss (NOLOAD) : { bss_start = .; *(.bss .bss.*) *(COMMON) . = . + 16; bss_end = .; } :data
  PROVIDE(provided = 0x42); PROVIDE(unwanted = 1);
  total = SIZEOF(.text) + SIZEOF(.data);
  ASSERT(bss_end > bss_start, "no bss")
  /DISCARD/ : { *(.comment) *(.note.*) }
}`,
    "t.c": EXITS("tab_end - tab_start == 2 && tab_start[0] == 1 && tab_start[1] == 2 && &provided == (char *)0x42 && !zeros[3] ? data : 1", `
      extern int tab_start[], tab_end[]; extern char provided; int data = 7, zeros[9];
      __attribute__((section(".tab.b"))) int b = 2; __attribute__((section(".tab.a"))) int a = 1;`),
  });
  w.sh(`gcc ${FLAGS} -c t.c && $LD t.o -T t.ld --gc-sections -o t`);
  assert.is(w.try("./t").status, 7);
  const elf = w.elf("t");
  assert.is(elf.need(".text").addr, 0x600000);
  assert.is(elf.need(".data").addr, 0x601000);
  assert.is(symbol(elf, "total"), elf.need(".text").size + elf.need(".data").size);
  assert.is(symbol(elf, "bss_end"), elf.need(".bss").addr + elf.need(".bss").size);
  assert.not(has(elf, "unwanted"));
  assert.equal(bytes(elf, ".data").slice(-4), [0xef, 0xbe, 0xad, 0xde]);
  assert.equal(elf.phdrs.map((phdr) => [phdr.type, phdr.flags, phdr.vaddr]), [[1, 5, 0x600000], [1, 6, 0x601000], [0x6474e551, 6, 0]]);
  lacks(names(elf).join(), ".comment");
});

scripts("headers are loaded where there is room, SIZEOF_HEADERS makes it", (w) => {
  w.write({
    "with.ld": "SECTIONS { . = 0x400000 + SIZEOF_HEADERS; .text : { *(.text*) } }",
    "without.ld": "SECTIONS { . = 0x400000; .text : { *(.text*) } }",
    "explicit.ld": "PHDRS { h PT_PHDR PHDRS; t PT_LOAD FILEHDR PHDRS; } SECTIONS { . = 0x400000 + SIZEOF_HEADERS; .text : { *(.text*) } :t }",
    "t.c": EXITS("3"),
  });
  w.sh(`gcc ${FLAGS} -c t.c && for s in with without explicit; do $LD t.o -T $s.ld -o $s; done`);
  for (const name of ["with", "without", "explicit"]) assert.is(w.try(`./${name}`).status, 3, name);
  assert.is(image(w, "with").segments(1)[0]!.vaddr, 0x400000);
  assert.is(w.elf("without").segments(1)[0]!.vaddr, 0x400000);
  assert.is(w.elf("without").segments(1)[0]!.offset, 0x1000);
  if (linkerName !== "bfd") assert.not(w.elf("without").segment(6));
  assert.is(image(w, "explicit").segment(6)!.vaddr, 0x400040);
});

scripts("output sections: address, ALIGN, SUBALIGN, AT, fill, data commands, assignments inside", (w) => {
  w.write({
    "t.ld": `SECTIONS {
      .text 0x10000 : { *(.text*) }
      .a ALIGN(0x100) : SUBALIGN(32) { *(.a) } =0x11223344
      .b : AT(0x5000) ALIGN(64) { BYTE(1) SHORT(0x302) LONG(0x7060504) QUAD(ADDR(.text)) here = .; . += 3; BYTE(0xff) . = ALIGN(8); } =0x90
      .c : { *(.c) }
      a_at = ADDR(.a); a_size = SIZEOF(.a); b_load = LOADADDR(.b); c_load = LOADADDR(.c);
      none = SIZEOF(.none); page = CONSTANT(MAXPAGESIZE); both = MAX(1, 5) + MIN(2, 9); bit = 1 << 4 | 1; cond = DEFINED(nosuch) ? 1 : 2;
    }`,
    "t.s": '.globl _start\n.text\n_start: nop\n.section .a,"aw"\n.byte 1\n.section .c,"aw"\n.byte 9\n.section .note.GNU-stack,"",@progbits\n',
    "u.s": '.section .a,"aw"\n.byte 2\n',
  });
  w.sh("gcc -c t.s && gcc -c u.s && $LD t.o u.o -T t.ld -o t");
  const elf = image(w, "t");
  assert.is(elf.need(".text").addr, 0x10000);
  assert.is(elf.need(".a").addr, 0x10100);
  assert.is(elf.need(".a").size, 33);
  assert.equal(bytes(elf, ".a").slice(0, 9), [1, 0x11, 0x22, 0x33, 0x44, 0x11, 0x22, 0x33, 0x44]);
  const b = bytes(elf, ".b");
  assert.equal(b.slice(0, 15), [1, 2, 3, 4, 5, 6, 7, 0, 0, 1, 0, 0, 0, 0, 0]);
  assert.is(b[18], 0xff);
  assert.is(b.length % 8, 0);
  assert.is(elf.need(".b").addr, 0x10140);
  const values: [string, number][] = [
    ["a_at", 0x10100], ["a_size", 33], ["b_load", 0x5000], ["none", 0], ["page", 0x1000], ["both", 7], ["bit", 17], ["cond", 2], ["here", 0x1014f],
  ];
  for (const [name, value] of values) assert.is(symbol(elf, name), value, name);
  if (linkerName !== "bfd") assert.is(symbol(elf, "c_load") - 0x5000, elf.need(".c").addr - 0x10140);
  w.sh("$LD t.o u.o -T t.ld -Ttext=0x20000 --section-start=.a=0x30000 -o t"); // the command line has the last word
  assert.equal([".text", ".a"].map((name) => image(w, "t").need(name).addr), [0x20000, 0x30000]);
});

scripts("input descriptions: first match wins, files, archives, EXCLUDE_FILE, sorts, link order across patterns", (w) => {
  const section = (name: string, value: number, align = 0): string => `.section ${name},"aw"\n.p2align ${align}\n.byte ${value}\n`;
  w.write({
    "a.s": section(".x.2", 1) + section(".x.1", 2) + section(".y", 3) + section(".s.b", 4) + section(".s.a", 5) + section(".z", 6, 0) + section(".z.big", 7, 4) + section(".p.20", 8) + section(".p.3", 9),
    "b.s": section(".x.1", 11) + section(".y", 13) + section(".s.c", 14),
    "m.s": section(".y", 23) + ".globl member\nmember:\n",
    "s.s": '.globl _start\n.text\n_start: nop\n.quad member\n.section .note.GNU-stack,"",@progbits\n',
    "t.ld": `SECTIONS { .text : { *(.text) }
      .first : { b.o(.y) }
      .archive : { *lib.a:m.o(.y) }
      .rest : { *(EXCLUDE_FILE(*b.o) .x.* .nothing) }
      .order : { *(.s.b .s.a) }
      .again : { *(.x.*) *(.y) *(SORT(.s.*)) }
      .aligned : { *(SORT_BY_ALIGNMENT(.z*)) }
      .priority : { *(SORT_BY_INIT_PRIORITY(.p.*)) }
    }`,
  });
  w.sh("for f in a b m s; do gcc -c $f.s; done && rm -f lib.a && ar rc lib.a m.o && $LD s.o a.o b.o lib.a -T t.ld -o t");
  const elf = image(w, "t");
  assert.equal(bytes(elf, ".first"), [13]);
  if (linkerName !== "bfd") assert.equal(bytes(elf, ".archive"), [23]);
  assert.equal(bytes(elf, ".rest"), [1, 2]);
  assert.equal(bytes(elf, ".order"), [4, 5]);
  assert.equal(bytes(elf, ".again"), [11, 3, 14]);
  assert.equal(bytes(elf, ".aligned"), [7, 6]);
});

scripts("orphans go behind what is most like them, or to their own name", (w) => {
  w.write({
    "t.s": `.globl _start\n.text\n_start: nop\n.section .other_text,"ax"\nnop\n.section .other_ro,"a"\n.byte 1\n.section .other_rw,"aw"\n.byte 2\n.section .named,"aw"\n.byte 3\n
      .data\n.byte 4\n.section .rodata,"a"\n.byte 5\n.bss\n.byte 0\n.section ident,"aw"\n.quad __start_ident,__stop_ident\n.section .note.GNU-stack,"",@progbits\n`,
    "t.ld": "SECTIONS { . = 0x20000; .rodata : { *(.rodata) } .text : { *(.text) } .data : { *(.data) } .named : { BYTE(9) } .bss : { *(.bss) } last = .; }",
  });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -o t");
  const order = names(image(w, "t"));
  const at = (name: string): number => order.indexOf(name);
  assert.ok(at(".rodata") < at(".other_ro") && at(".other_ro") < at(".text"), order.join());
  assert.ok(at(".text") < at(".other_text") && at(".other_text") < at(".data"), order.join());
  assert.ok(at(".other_rw") > at(".data") && at(".other_rw") < at(".bss"), order.join());
  assert.equal(bytes(image(w, "t"), ".named"), [9, 3]);
  const elf = image(w, "t");
  assert.is(elf.u64(elf.need("ident").offset), elf.need("ident").addr);
  if (linkerName === "bfd") return;
  contains(w.try("$LD t.o -T t.ld --orphan-handling=warn -o w").stderr, "warning: t.o:(.other_ro) is being placed in '.other_ro'");
  contains(w.fails("$LD t.o -T t.ld --orphan-handling=error -o e"), "error: t.o:(.other_ro) is being placed in '.other_ro'");
});

scripts("sections that stay empty are not written, those with symbols or data are", (w) => {
  w.write({
    "t.s": '.globl _start\n.text\n_start: nop\n.section .note.GNU-stack,"",@progbits\n',
    "t.ld": "SECTIONS { .text : { *(.text) } .empty : { *(.none) } .symbol : { here = .; } .dot : { . = . + 8; } .provided : { PROVIDE(unused = .); *(.none) } .asked : { *(.none) } x = ADDR(.asked); }",
  });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -o t");
  const found = names(image(w, "t"));
  lacks(found.join() + ",", ".empty,", ".provided,");
  if (linkerName !== "bfd") for (const name of [".symbol", ".dot", ".asked"]) assert.ok(found.includes(name), name);
});

scripts("MEMORY: regions, AT>, overflow, ORIGIN and LENGTH", (w) => {
  w.write({
    "t.s": '.globl _start\n.text\n_start: nop\n.data\n.quad 1\n.bss\n.zero 64\n.section .note.GNU-stack,"",@progbits\n',
    "t.ld": `MEMORY { rom (rx) : ORIGIN = 0x8000, LENGTH = 64K  ram (rwx) : org = 0x20000000, len = 0x80 }
      SECTIONS { .text : { *(.text) } >rom  .data : { *(.data) } >ram AT>rom  .bss : { *(.bss) } >ram
        load = LOADADDR(.data); top = ORIGIN(ram) + LENGTH(ram); }`,
  });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -o t");
  const elf = image(w, "t");
  assert.is(elf.need(".text").addr, 0x8000);
  assert.is(elf.need(".data").addr, 0x20000000);
  assert.is(elf.need(".bss").addr, 0x20000008);
  assert.is(symbol(elf, "top"), 0x20000080);
  assert.ok(symbol(elf, "load") > 0x8000 && symbol(elf, "load") < 0x8100);
  const small = w.read("t.ld").replace("0x80 }", "0x40 }");
  w.write({ "small.ld": small });
  const error = w.fails("$LD t.o -T small.ld -o s");
  contains(error, linkerName === "bfd" ? "overflowed by 8 bytes" : "section '.bss' will not fit in region 'ram': overflowed by 8 bytes");
  // The map tells what is large.
  w.fails("$LD t.o -T small.ld -Map=s.map --cref -o s");
  contains(w.read("s.map"), /\.bss(.|\n)*Cross Reference Table/);
  assert.not(w.exists("s"));
});

scripts("symbols: relative and absolute, HIDDEN, PROVIDE chains, assignments win over inputs, early use", (w) => {
  w.write({
    "t.c": EXITS("&chain == (char *)5 && value == 3 ? 0 : 1", "extern char chain, after; char *const far = &after; int value = 3; int mine = 1; char *weak(void) { return &after; }"),
    "t.ld": `early = SIZEOF(.data) + late;
      SECTIONS { . = 0x30000; .text : { *(.text*) } . = ALIGN(0x1000); .data : { inner = . - ADDR(.data); start = .; *(.data*) *(.rodata*) end = .; } after = .; size = end - start; fixed = ABSOLUTE(start);
        HIDDEN(hid = start + 4); PROVIDE(chain = link); PROVIDE(link = 5); PROVIDE(mine = 0x99); late = 2; alias = value; }`,
  });
  w.sh(`gcc ${FLAGS} -c t.c && $LD t.o -T t.ld -o t && ./t`);
  const elf = image(w, "t");
  const data = elf.need(".data");
  assert.is(symbol(elf, "size"), data.size);
  assert.is(symbol(elf, "early"), data.size + 2);
  assert.is(symbol(elf, "hid"), data.addr + 4);
  assert.is(symbol(elf, "alias"), symbol(elf, "value"));
  assert.is.not(symbol(elf, "mine"), 0x99);
  const index = (name: string): number => elf.symtab().find((entry) => entry.name === name)!.shndx;
  assert.is(index("start"), data.index);
  assert.is(index("alias"), data.index);
  for (const name of ["size", "fixed", "late"]) assert.is(index(name), 0xfff1, name);
});

scripts("position-independent output: script symbols move with the image", (w) => {
  w.write({
    "t.c": '#include <stdio.h>\nextern char mark_start[], mark_end[], text_start[]; __attribute__((section(".mark"), used)) static int marks[3] = { 1, 2, 3 }; char *table[] = { mark_start, text_start };\nint main(void) { int *m = (int *)table[0]; printf("%d %d %d\\n", (int)(mark_end - mark_start), m[2], (char *)main > text_start); return 0; }',
    "t.ld": `SECTIONS { . = SIZEOF_HEADERS; .interp : { *(.interp) } .dynsym : { *(.dynsym) } .dynstr : { *(.dynstr) } .rela.dyn : { *(.rela.dyn) } .rodata : { *(.rodata*) }
      . = ALIGN(0x1000); text_start = .; .init : { KEEP(*(.init)) } .plt : { *(.plt) } .text : { *(.text*) } .fini : { KEEP(*(.fini)) }
      . = ALIGN(0x1000); .dynamic : { *(.dynamic) } .got : { *(.got) } .got.plt : { *(.got.plt) } .data : { *(.data*) } .mark : { mark_start = .; KEEP(*(.mark)) mark_end = .; } .bss : { *(.bss) } }`,
  });
  w.sh("gcc -O1 -fPIE -c t.c && gcc -B$B -pie t.o -Wl,-T,t.ld -o t");
  assert.is(w.sh("./t"), "12 3 1\n");
});

scripts("GNU ld's own default script links C++ with exceptions, constructors and thread-locals", (w) => {
  w.write({
    "t.cc": '#include <stdio.h>\n#include <stdexcept>\n#include <string>\nstatic int n; struct I { I() { n++; } } a, b; thread_local int t = 5; int main() { try { throw std::runtime_error("x"); } catch (std::exception &e) { printf("%s %d %d\\n", e.what(), n, t); } }',
  });
  w.sh("ld.bfd -pie --verbose | sed -n '/^=====/,/^=====/p' | grep -v ^==== > d.ld && g++ -O1 -fPIE -c t.cc && g++ -B$B -pie t.o -Wl,-T,d.ld -o t && g++ -B$B -pie t.o -Wl,--gc-sections,-z,now,-T,d.ld -o gc");
  assert.is(w.sh("./t && ./gc"), "x 2 5\nx 2 5\n");
  if (linkerName === "wield") w.elf("t");
}, "g++", "ld.bfd");

scripts("a script without SECTIONS keeps the default layout and defines symbols", (w) => {
  w.write({ "t.ld": "answer = 0x2a; other = answer + 1; PROVIDE(wanted = 7); PROVIDE(unwanted = 8);", "t.c": EXITS("(long)&answer + (long)&wanted", "extern char answer, wanted;") });
  w.sh(`gcc ${FLAGS} -c t.c && $LD t.o -T t.ld -o t`);
  assert.is(w.try("./t").status, 49);
  assert.not(has(w.elf("t"), "unwanted"));
});

scripts("errors: ASSERT, backwards, discarded references, undefined symbols and sections, what is not there yet", (w) => {
  w.write({ "t.s": '.globl _start\n.text\n_start: nop\n.quad gone\n.section .gone,"aw"\n.globl gone\ngone: .quad 1\n.section .note.GNU-stack,"",@progbits\n' });
  w.sh("gcc -c t.s");
  const fails = (script: string): string => {
    w.write({ "t.ld": script });
    return w.fails("$LD t.o -T t.ld -o t");
  };
  contains(fails('SECTIONS { .text : { *(.text) } ASSERT(SIZEOF(.text) > 0x1000, "too small") }'), "too small");
  if (linkerName === "bfd") return;
  contains(fails("SECTIONS { .text : { *(.text) . = 0; } }"), "unable to move location counter", "backward to 0x0 for section '.text'");
  contains(fails("SECTIONS { .text : { *(.text) } /DISCARD/ : { *(.gone) } }"), /discarded section/);
  contains(fails("SECTIONS { x = nosuch; }"), "symbol not found: nosuch");
  if (linkerName === "wield") contains(fails("SECTIONS { x = DEFINED(own)\n  ? 0 : 2 * own; }"), "t.ld:2: symbol not found: own\n>>>   ? 0 : 2 * own; }\n>>>             ^\n");
  contains(fails("SECTIONS { x = ADDR(.nosuch); }"), "undefined section .nosuch");
  contains(fails("SECTIONS { .text : { *(.text) } :nosuch } PHDRS { a PT_LOAD; }"), "nosuch");
  contains(fails("SECTIONS { .text : { *(.text) } >nosuch }"), linkerName === "wield" ? "memory region 'nosuch' not declared\n>>> referenced by t.ld:1\n" : "memory region 'nosuch' not declared");
  contains(fails("SECTIONS { .a 0x1000 : { *(.text) } .b 0x1001 : { *(.gone) } }"), "section .a virtual address range overlaps with .b");
});

scripts("code, constants and data on one page may be used by programs, as with GNU ld", (w) => {
  if (linkerName !== "wield") return; // ld.lld's crash
  const sections = ".init : { *(.init) } .text : { *(.text .text.*) } .fini : { *(.fini) } .rodata : { *(.rodata .rodata.*) }";
  w.write({
    "m.c": '#include <stdio.h>\nint a = 1; const int b = 2; static int z[100]; int main(void) { z[3] = a; printf("%d %d\\n", z[3], b); return 0; }',
    "packed.ld": `SECTIONS { . = 0x400000 + SIZEOF_HEADERS; .interp : { *(.interp) } ${sections} .data : { *(.data .data.*) } .bss : { *(.bss .bss.*) *(COMMON) } }`,
    "apart.ld": `SECTIONS { . = 0x400000 + SIZEOF_HEADERS; .interp : { *(.interp) } ${sections} . = ALIGN(0x1000); .dynamic : { *(.dynamic) } .got : { *(.got) } . = ALIGN(0x1000); .data : { *(.data .data.*) } }`,
  });
  w.sh("gcc -O1 -fno-pie -c m.c");
  for (const script of ["packed", "apart"]) {
    assert.is(w.sh(`gcc -no-pie -B$B m.o -Wl,-T,${script}.ld -o ${script} && ./${script}`), "1 2\n");
    const [code, constants] = [".text", ".rodata"].map((section) => {
      const elf = image(w, script);
      const { addr } = elf.need(section);
      return elf.segments(1).find(({ vaddr, memsz }) => addr >= vaddr && addr < vaddr + memsz)!;
    });
    assert.is(code!.flags & 1, 1);
    assert.is(constants!.flags & 1, 1, "its page is the code's");
  }
  assert.is(image(w, "packed").segment(0x6474e552), undefined, "no RELRO over code");
  assert.ok(image(w, "apart").segment(0x6474e552));
  assert.equal(image(w, "apart").segments(1).filter(({ flags }) => (flags & 3) === 3), []);
});

scripts.run();
