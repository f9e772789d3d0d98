/**
 * Where layout scripts put things: memory regions, load addresses, overlays, INSERT, OVERWRITE_SECTIONS, NOCROSSREFS, orphans.
 *
 * The layouts are those of GNU ld: each script is linked by ld.bfd as well, where both agree on what the script means, and sections, load
 * addresses and symbols are compared.
 */
import { assert, behaviour, contains, lacks, linkerName, type Workspace } from "../../helpers/link.ts";
import { ElfFile } from "../../helpers/dump.ts";
import { bytes, symbol } from "../../helpers/script.ts";

const memory = behaviour("script-memory");
const FLAGS = "-Os -fno-pie -ffreestanding -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -fcf-protection=none";
const image = (w: Workspace, name: string): ElfFile => new ElfFile(w.bytes(name));

/** `name address load-address size` of every loaded section with contents. */
function layout(elf: ElfFile): string[] {
  return elf.shdrs.filter((shdr) => (shdr.flags & 2) !== 0 && shdr.size > 0).map((shdr) => {
    const load = elf.segments(1).find((phdr) => shdr.addr >= phdr.vaddr && shdr.addr + shdr.size <= phdr.vaddr + phdr.memsz && (shdr.type === 8 || (shdr.offset >= phdr.offset && shdr.offset < phdr.offset + phdr.filesz)));
    const lma = load === undefined ? shdr.addr : shdr.addr - load.vaddr + load.paddr;
    return `${shdr.name} 0x${shdr.addr.toString(16)} 0x${lma.toString(16)} ${shdr.size}`;
  });
}

function symbols(elf: ElfFile, names: string[]): string[] {
  return names.map((name) => `${name} 0x${(elf.symtab().find((entry) => entry.name === name)?.value ?? -1).toString(16)}`);
}

/** Links with both linkers; fails unless layout and symbols agree. Returns ours. */
function sameAsBfd(w: Workspace, args: string, names: string[]): ElfFile {
  w.sh(`$LD ${args} -o ours && ld.bfd --no-warn-rwx-segments -z norelro ${args} -o bfd`);
  const [ours, bfd] = [image(w, "ours"), image(w, "bfd")];
  assert.equal(layout(ours), layout(bfd));
  assert.equal(symbols(ours, names), symbols(bfd, names));
  return ours;
}

const FIRMWARE = `
ENTRY(Reset_Handler)
_estack = ORIGIN(RAM) + LENGTH(RAM);
_Min_Heap_Size = 0x200;
_Min_Stack_Size = 0x400;
MEMORY {
  RAM (xrw) : ORIGIN = 0x20000000, LENGTH = 128K
  CCM (xrw) : ORIGIN = 0x10000000, LENGTH = 64K
  FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 1M
}
REGION_ALIAS("REGION_TEXT", FLASH)
SECTIONS {
  .isr_vector : { . = ALIGN(4); KEEP(*(.isr_vector)) . = ALIGN(4); } >FLASH
  .text : { . = ALIGN(4); *(.text) *(.text*) KEEP(*(.init)) KEEP(*(.fini)) . = ALIGN(4); _etext = .; } >REGION_TEXT
  .rodata : { . = ALIGN(4); *(.rodata) *(.rodata*) . = ALIGN(4); } >FLASH
  .preinit_array : { PROVIDE_HIDDEN(__preinit_array_start = .); KEEP(*(.preinit_array*)) PROVIDE_HIDDEN(__preinit_array_end = .); } >FLASH
  .init_array : { PROVIDE_HIDDEN(__init_array_start = .); KEEP(*(SORT(.init_array.*))) KEEP(*(.init_array*)) PROVIDE_HIDDEN(__init_array_end = .); } >FLASH
  _sidata = LOADADDR(.data);
  .data : { . = ALIGN(4); _sdata = .; *(.data) *(.data*) . = ALIGN(4); _edata = .; } >RAM AT> FLASH
  _siccm = LOADADDR(.ccm);
  .ccm : { . = ALIGN(4); _sccm = .; *(.ccm) *(.ccm*) . = ALIGN(4); _eccm = .; } >CCM AT> FLASH
  . = ALIGN(4);
  .bss : { _sbss = .; __bss_start__ = _sbss; *(.bss) *(.bss*) *(COMMON) . = ALIGN(4); _ebss = .; } >RAM
  ._user_heap_stack : { . = ALIGN(8); PROVIDE(end = .); . = . + _Min_Heap_Size; . = . + _Min_Stack_Size; . = ALIGN(8); } >RAM
  .noinit (NOLOAD) : { *(.noinit*) } >RAM
  /DISCARD/ : { *(.comment) *(.note*) *(.eh_frame*) }
}
`;

const FIRMWARE_C = `
extern unsigned char _estack, _sidata, _sdata, _edata, _siccm, _sccm, _eccm, _sbss, _ebss, end;
int initialized = 42; char odd[5] = "four"; int zero[7]; const char text[] = "read only"; static char scratch[100];
__attribute__((section(".ccm"), aligned(4))) int fast[3] = { 1, 2, 3 };
__attribute__((section(".noinit"))) int kept[4];
static void boot(void) { initialized++; }
__attribute__((section(".init_array"), used)) static void (*const hook)(void) = boot;
static void copy(unsigned char *to, unsigned char *end_, const unsigned char *from) { while (to < end_) *to++ = *from++; }
void Reset_Handler(void) { copy(&_sdata, &_edata, &_sidata); copy(&_sccm, &_eccm, &_siccm); for (unsigned char *p = &_sbss; p < &_ebss; p++) *p = 0;
  for (;;) { scratch[zero[0] & 63] = text[fast[0]] + odd[1] + kept[2] + end; } }
__attribute__((section(".isr_vector"), used)) void *const vectors[2] = { &_estack, Reset_Handler };
`;

memory("Cortex-M style firmware: flash, RAM and CCM, data copied from its load address", (w) => {
  w.write({ "stm32.ld": FIRMWARE, "main.c": FIRMWARE_C }).sh(`gcc ${FLAGS} -c main.c`);
  const names = ["_estack", "_etext", "_sidata", "_sdata", "_edata", "_siccm", "_sccm", "_eccm", "_sbss", "_ebss", "Reset_Handler", "initialized", "fast", "kept"];
  const elf = sameAsBfd(w, "main.o -T stm32.ld", names);
  assert.is(elf.need(".isr_vector").addr, 0x8000000);
  assert.is(elf.need(".data").addr, 0x20000000);
  assert.is(elf.entry, elf.symtab().find((entry) => entry.name === "Reset_Handler")!.value);
  if (linkerName !== "wield") return;
  const ram = elf.segments(1).find((phdr) => phdr.vaddr === 0x20000000)!;
  assert.ok(ram.paddr > 0x8000000 && ram.paddr < 0x8001000, "data is loaded into flash");
}, "ld.bfd");

memory("what does not fit is named, and --print-memory-usage says how full regions are", (w) => {
  w.write({ "stm32.ld": FIRMWARE.replace("LENGTH = 128K", "LENGTH = 1K"), "main.c": FIRMWARE_C }).sh(`gcc ${FLAGS} -c main.c`);
  const done = w.try("$LD main.o -T stm32.ld -o t --print-memory-usage");
  assert.is(done.status, 1);
  contains(done.stderr, /section '\._user_heap_stack' will not fit in region 'RAM': overflowed by \d+ bytes/);
  contains(done.stdout, "Memory region         Used Size  Region Size  %age Used\n", /\n             RAM:        \d+ B         1 KB    1\d\d\.\d\d%\n/, /\n           FLASH:         \d+ B         1 MB      0\.0\d%\n/);
  assert.is(done.stdout.split("\n").length, 5, "an alias is no region of its own");
});

memory("--print-memory-usage prints what GNU ld prints", (w) => {
  w.write({ "t.ld": "MEMORY { F (rx) : ORIGIN = 0, LENGTH = 64K\n R (rw) : ORIGIN = 0x100000, LENGTH = 3M\n E : ORIGIN = 0x4000000, LENGTH = 0x1234 } SECTIONS { .text : { *(.text) . += 4K - 1; } >F .data : { BYTE(1) . += 2000; } >R .e : { . += 1; } >E }", "t.s": ".globl _start\n_start: ret\n" });
  w.sh("gcc -c t.s && $LD t.o -T t.ld --print-memory-usage -o t >ours && ld.bfd t.o -T t.ld --print-memory-usage -o t >bfd && diff ours bfd");
}, "ld.bfd");

memory("LMA rules: AT, AT>, the offset goes on until region or load region change", (w) => {
  w.write({
    "t.ld": `MEMORY { ROM : ORIGIN = 0x1000, LENGTH = 64K\n RAM : ORIGIN = 0x100000, LENGTH = 64K\n X : ORIGIN = 0x200000, LENGTH = 64K }
SECTIONS {
  .text : { *(.text) . = ALIGN(4); } >ROM
  .a : { LONG(1) } >RAM AT>ROM
  .b : ALIGN(4) { LONG(2) } >RAM AT>ROM
  .c : AT(0x8000) { LONG(3) } >X
  .d : { LONG(4) } >X
  .e : { LONG(5) } >ROM
  al = LOADADDR(.a); bl = LOADADDR(.b); cl = LOADADDR(.c); dl = LOADADDR(.d); el = LOADADDR(.e);
}`,
    "t.s": ".globl _start\n_start: ret\n",
  });
  w.sh("gcc -c t.s");
  sameAsBfd(w, "t.o -T t.ld", ["al", "bl", "cl", "dl", "el"]);
}, "ld.bfd");

memory("OVERLAY: one address, load addresses in a row, symbols for the copying code", (w) => {
  w.write({
    "t.ld": `SECTIONS {
  .text 0x10000 : { *(.text) }
  OVERLAY 0x20000 : AT(0x40000) {
    .ov1 { o1.o(.data) }
    .ov2 { o2.o(.data) }
  }
  after = .;
  .rest : AT(0x60000) { BYTE(1) }
  copies = __load_start_ov1; ends = __load_stop_ov2;
}`,
    "t.s": ".globl _start\n_start: ret\n", "o1.s": ".data\n.quad 1,2,3\n", "o2.s": ".data\n.globl two\ntwo: .quad 4\n",
  });
  w.sh("for f in t o1 o2; do gcc -c $f.s; done");
  const elf = sameAsBfd(w, "t.o o1.o o2.o -T t.ld", ["after", "copies", "ends", "two"]);
  assert.is(elf.need(".ov1").addr, 0x20000);
  assert.is(elf.need(".ov2").addr, 0x20000);
  assert.is(elf.need(".rest").addr, 0x20018);
}, "ld.bfd");

memory("OVERLAY in regions: loaded into another one, and taking the room of the largest section", (w) => {
  if (linkerName === "lld") return;
  w.write({
    "t.ld": `MEMORY { rom (rx) : ORIGIN = 0x100000, LENGTH = 64K  ram (rw) : ORIGIN = 0x200000, LENGTH = 0x2c }
SECTIONS {
  .text : { *(.text) } >rom
  OVERLAY : { .ov1 { *(.o1) } .ov2 { *(.o2) } .ov3 { BYTE(1) } } >ram AT>rom
  .after : { *(.data) } >ram AT>rom
  copies = __load_start_ov1; ends = __load_stop_ov3; kept = LOADADDR(.after);
}`,
    "both.ld": "MEMORY { rom : ORIGIN = 0, LENGTH = 1 } SECTIONS { OVERLAY 0 : AT(4) { .a { BYTE(1) } } AT>rom }",
    "small.ld": "MEMORY { ram : ORIGIN = 0x1000, LENGTH = 8 } SECTIONS { OVERLAY : { .a { QUAD(1) } .b { QUAD(1) BYTE(1) } } >ram .text : { *(.text) } >ram }",
    "t.s": '.globl _start\n_start: ret; nop; nop; nop\n.section .o1,"aw"\n.quad 1\n.section .o2,"aw"\n.quad 2, 3, 4, 5\n.data\n.quad 6\n',
  });
  w.sh("gcc -c t.s");
  const elf = sameAsBfd(w, "t.o -T t.ld", ["copies", "ends", "kept"]);
  assert.equal([".ov1", ".ov2", ".ov3", ".after"].map((name) => elf.need(name).addr), [0x200000, 0x200000, 0x200000, 0x200020]);
  if (linkerName !== "wield") return;
  contains(w.fails("$LD t.o -T both.ld -o x"), "section can't have both LMA and a load region");
  contains(w.fails("$LD t.o -T small.ld -o x"), "section '.b' will not fit in region 'ram': overflowed by 1 bytes");
}, "ld.bfd");

memory("READONLY holds for sections that the script alone fills", (w) => {
  if (linkerName === "lld") return;
  w.write({ "t.ld": "SECTIONS { .text : { *(.text) } .data : { *(.data) } .a (READONLY) : { LONG(1) } .b (READONLY (TYPE = 7)) : { LONG(1) } .c : { LONG(1) } }", "t.s": ".globl _start\n_start: ret\n.data\n.quad 1\n" }).sh("as t.s -o t.o && $LD t.o -T t.ld -o t");
  assert.equal([".a", ".b", ".c"].map((name) => w.sh(`readelf -SW t | grep ' ${name} '`).includes(" WA ")), [false, false, true]);
}, "readelf");

memory("sections of an overlay may share addresses, others may not; NOCROSSREFS keeps them apart", (w) => {
  if (linkerName !== "wield") return;
  w.write({
    "t.ld": "SECTIONS { .text 0x10000 : { *(.text) } OVERLAY 0x20000 : NOCROSSREFS AT(0x40000) { .ov1 { *(.o1) } .ov2 { *(.o2) } } }",
    "to.ld": "NOCROSSREFS_TO(.o2 .o1)",
    "one.ld": "NOCROSSREFS(.text)\nSECTIONS { .text : { *(.text) } }",
    "t.s": '.globl _start\n.text\n_start: ret\n.section .o1,"ax"\n.type f,@function\nf: call g\n.size f,5\n.section .o2,"ax"\n.globl g\ng: nop\n',
  });
  w.sh("gcc -c t.s");
  contains(w.fails("$LD t.o -T t.ld -o t"), "t.o:(function f: .o1+0x1): prohibited cross reference from '.ov1' to 'g' in '.ov2'");
  contains(w.fails("$LD t.o -T to.ld -o t"), "prohibited cross reference from '.o1' to 'g' in '.o2'");
  contains(w.sh("$LD t.o -T one.ld -o t 2>&1"), "one.ld:1: ignored with fewer than 2 output sections");
});

memory("INSERT adds sections to the default layout, which stays", (w) => {
  w.write({
    "t.ld": "SECTIONS { .table : { table_start = .; KEEP(*(SORT(.table.*))) table_end = .; } } INSERT AFTER .rodata;\nSECTIONS { .early : { *(.text.early) } } INSERT BEFORE .text;",
    "t.c": `extern const int table_start[], table_end[]; const char ro[] = "x";
      __attribute__((section(".table.b"))) const int b = 2; __attribute__((section(".table.a"))) const int a = 40; static int data = 0;
      __attribute__((section(".text.early"), noinline)) int early(void) { return table_start[0] + table_start[1] + data; }
      void _start(void) { long r = table_end - table_start == 2 ? early() : 1; __asm__ volatile("syscall" : : "a"(60L), "D"(r)); __builtin_unreachable(); }`,
  });
  w.sh(`gcc ${FLAGS} -fno-data-sections -c t.c && $LD t.o -T t.ld -o t`);
  assert.is(w.try("./t").status, 42);
  const names = w.elf("t").shdrs.map((shdr) => shdr.name);
  assert.is(names.indexOf(".table"), names.indexOf(".rodata") + 1);
  assert.is(names.indexOf(".early"), names.indexOf(".text") - 1);
  if (linkerName !== "wield") return;
  assert.is(w.elf("t").segments(1)[0]!.vaddr, 0x200000, "headers are where they always are");
  w.write({ "bad.ld": "SECTIONS { .table : { table_start = .; *(.table.*) table_end = .; } } INSERT AFTER .nosuch;" });
  contains(w.fails("$LD t.o -T bad.ld -o t"), "unable to insert .table after .nosuch");
});

memory("INSERT into a script: as GNU ld orders it", (w) => {
  w.write({
    "main.ld": "SECTIONS { . = 0x10000; .text : { *(.text) } .rodata : { *(.rodata) } .data : { *(.data) } }",
    "extra.ld": "SECTIONS { .x : { xs = .; LONG(1) *(.x) xe = .; } .y : { LONG(2) } } INSERT AFTER .text;",
    "t.s": '.globl _start\n.text\n_start: ret\n.section .x,"a"\n.quad 1\n.section .rodata\n.byte 1\n.data\n.byte 2\n',
  });
  w.sh("gcc -c t.s");
  // GNU ld takes the script that INSERTs first.
  w.sh("$LD t.o -T main.ld -T extra.ld -o ours && ld.bfd -z norelro t.o -T extra.ld -T main.ld -o bfd");
  assert.equal(layout(image(w, "ours")), layout(image(w, "bfd")));
  assert.equal(symbols(image(w, "ours"), ["xs", "xe"]), symbols(image(w, "bfd"), ["xs", "xe"]));
}, "ld.bfd");

memory("OVERWRITE_SECTIONS replaces a description, or is placed like an orphan", (w) => {
  if (linkerName !== "wield") return;
  w.write({
    "t.ld": "SECTIONS { .text : { *(.text*) } .data : { *(.data) *(.x) } }",
    "over.ld": "OVERWRITE_SECTIONS { .data : { LONG(0x11223344) *(.data) } .x : { x_start = .; *(.x) } }",
    "t.s": '.globl _start\n.text\n_start: ret\n.section .x,"aw"\n.quad 1\n.data\n.byte 2\n',
  });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -T over.ld -o t && $LD t.o -T over.ld -o d");
  for (const name of ["t", "d"]) {
    assert.equal([...image(w, name).content(".data")], [0x44, 0x33, 0x22, 0x11, 2], name);
    assert.is(symbols(image(w, name), ["x_start"])[0], `x_start 0x${image(w, name).need(".x").addr.toString(16)}`, name);
  }
});

memory("MEMORY, ASSERT and `.` without SECTIONS act on the default layout", (w) => {
  if (linkerName !== "wield") return;
  w.write({
    "m.ld": "MEMORY { flash (rx!w) : org = 0x1000, len = 0x3000\n ram (rwx) : org = 0x10000000, len = 0x1000 }",
    "a.ld": 'here = .; size = SIZEOF(.text); ASSERT(size > 100, "text is small")',
    "t.s": ".globl _start\n.text\n_start: .quad here\n.data\n.byte 2\n",
  });
  w.sh("gcc -c t.s && $LD t.o --defsym=here=1 -T m.ld -o m");
  assert.is(image(w, "m").need(".text").addr, 0x1000);
  assert.is(image(w, "m").need(".data").addr, 0x10000000);
  contains(w.fails("$LD t.o -T a.ld -o a"), "text is small");
});

memory("MEMORY may use symbols of --defsym and of other scripts", (w) => {
  w.write({ "m.ld": "MEMORY { ram : ORIGIN = where, LENGTH = 4K } SECTIONS { .text : { *(.text) } >ram }", "w.ld": "where = 0x5000;", "t.s": ".globl _start\n_start: ret\n" });
  w.sh("gcc -c t.s && $LD t.o --defsym where=0x7000 -T m.ld -o a");
  assert.is(image(w, "a").need(".text").addr, 0x7000);
  if (linkerName === "bfd") return;
  w.sh("$LD t.o -T m.ld -T w.ld -o b");
  assert.is(image(w, "b").need(".text").addr, 0x5000);
});

memory("`. = NUMBER` in a section counts from its start where it would lead backward (GNU ld)", (w) => {
  w.write({
    "t.s": '.globl _start\n.text\n_start: ret\n.section .v,"aw"\n.byte 1\n',
    "t.ld": "SECTIONS { SIZE = 0x100; . = 0x2000; .heap : { . = SIZE; . = ALIGN(4); } end = .; .text : { *(.text) } .vectors 0x4000 : { *(.v) . = 8; BYTE(2) } }",
  });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -o t");
  const elf = image(w, "t");
  assert.is(symbol(elf, "end"), 0x2100);
  assert.equal(bytes(elf, ".vectors"), [1, 0, 0, 0, 0, 0, 0, 0, 2]);
  if (linkerName !== "wield") return;
  w.write({ "b.ld": "SECTIONS { .text : { *(.text) } .vectors 0x4000 : { . = 0x10; *(.v) . = 8; } }" });
  contains(w.fails("$LD t.o -T b.ld -o b"), "unable to move location counter (0x4011) backward to 0x8");
  contains(w.fails("ln -s $LD ld.lld && ./ld.lld t.o -T t.ld -o l"), "backward to 0x100 for section '.heap'");
}, ...(linkerName === "lld" ? ["wield"] : []));

memory("--orphan-handling: warn, error and discard, linker-made sections too", (w) => {
  w.write({ "t.ld": "SECTIONS { .text : { *(.text) } }", "t.s": '.globl _start\n.text\n_start: ret\n.section .odd,"a"\n.byte 1\n' });
  w.sh("gcc -c t.s");
  const warned = w.sh("$LD t.o -T t.ld --orphan-handling=warn -o t 2>&1");
  contains(warned, /\.odd/);
  assert.ok(image(w, "t").section(".odd"));
  w.fails("$LD t.o -T t.ld --orphan-handling=error -o e");
  w.sh("$LD t.o -T t.ld --orphan-handling=discard -o d 2>&1");
  assert.not(image(w, "d").section(".odd"));
  if (linkerName !== "wield") return;
  w.sh("ln -s $LD ld.lld");
  contains(w.sh("./ld.lld -r t.o -T t.ld --orphan-handling=warn -o r.o 2>&1"), "t.o:(.odd) is being placed in '.odd'", "<internal>:(.symtab)");
  contains(w.fails("$LD -r t.o -T t.ld --orphan-handling=error -o r2.o"), "t.o:(.odd)");
  contains(warned, "t.o:(.odd) is being placed in '.odd'");
  contains(w.sh("./ld.lld t.o -T t.ld --orphan-handling=warn -o l 2>&1"), "<internal>:(.symtab) is being placed in '.symtab'", "<internal>:(.shstrtab)");
  // For GNU ld the file's own tables are no sections.
  w.write({ "all.ld": "SECTIONS { .text : { *(.text) } .data : { *(.data .bss .odd) } .note.gnu.property : { *(.note.gnu.property) } }" });
  w.sh("$LD t.o -T all.ld --orphan-handling=error -o all && $LD -r t.o -T all.ld --orphan-handling=error -o all.o");
  lacks(w.sh("$LD t.o --orphan-handling=error -o n 2>&1"), "being placed");
});

memory("sections between DATA_SEGMENT_ALIGN and DATA_SEGMENT_RELRO_END are RELRO", (w) => {
  w.write({
    "t.ld": "SECTIONS { . = 0x400000 + SIZEOF_HEADERS; .text : { *(.text) } . = DATA_SEGMENT_ALIGN(0x1000, 0x1000); .mine : { *(.mine) } . = DATA_SEGMENT_RELRO_END(0, .); .data : { *(.data) } . = DATA_SEGMENT_END(.); }",
    "t.s": '.globl _start\n.text\n_start: ret\n.section .mine,"aw"\n.quad 1\n.data\n.byte 2\n',
  });
  w.sh("gcc -c t.s && $LD t.o -z relro -T t.ld -o t");
  const [mine, relro] = [image(w, "t").need(".mine"), image(w, "t").segment(0x6474e552)!];
  assert.ok(relro.vaddr <= mine.addr && mine.addr + mine.size <= relro.vaddr + relro.memsz);
});

memory("what a script has behind DATA_SEGMENT_RELRO_END is not RELRO, whatever it is called", (w) => {
  const relro = "SECTIONS { . = SIZEOF_HEADERS; .text : { *(.text) } . = DATA_SEGMENT_ALIGN(0x1000, 0x1000); .dynamic : { *(.dynamic) } . = DATA_SEGMENT_RELRO_END(0, .);";
  w.write({
    "t.ld": `${relro} .data : { *(.data) } .got.plt : { *(.got.plt) } .init_array : { *(.init_array) } . = DATA_SEGMENT_END(.); }`,
    "t.s": '.globl f\n.text\nf: call g@PLT\n.data\n.byte 2\n.section .init_array,"aw"\n.quad 0\n',
  });
  w.sh("gcc -c t.s && $LD -shared t.o -z relro -z now -T t.ld -o t.so");
  const { vaddr, memsz } = image(w, "t.so").segment(0x6474e552)!;
  const end = vaddr + memsz;
  for (const name of [".data", ".got.plt", ".init_array"]) assert.ok(image(w, "t.so").need(name).addr >= end, name);
  assert.ok(image(w, "t.so").need(".dynamic").addr < end);
});

memory("an address of its own counts from the location counter where that is in the region; zeros are not in the way in load memory", (w) => {
  if (linkerName === "lld") return; // it knows only how full a region is
  w.write({
    "t.ld": `MEMORY { ram : ORIGIN = 0x40000, LENGTH = 256K demand : ORIGIN = 0x40000, LENGTH = 8M flash : ORIGIN = 0x8000, LENGTH = 4K }
      SECTIONS { .text : { *(.text) } > ram .bss (NOLOAD) : { . += 0x100; } > ram .noinit (NOLOAD) : { . += 0x100; } > ram
      . = ALIGN(0x1000); .demand (.) : AT(ADDR(.bss)) { *(.demand) } > demand . += 0x10; .far ALIGN(0x100) : { *(.far) } > demand .ro : { *(.ro) } > flash }`,
    "t.s": '.globl _start\n.text\n_start: ret\n.section .demand,"ax"\n.zero 0x200\n.section .far,"ax"\nret\n.section .ro,"a"\n.byte 1\n',
  });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -o t");
  const elf = image(w, "t");
  assert.equal([".text", ".noinit", ".demand", ".far", ".ro"].map((name) => elf.need(name).addr), [0x40000, 0x40101, 0x41000, 0x41300, 0x8000]);
  assert.is(elf.phdrs.find(({ vaddr }) => vaddr === 0x41000)!.paddr, 0x40001);
});

memory("what overlaps is named: in memory, in load memory; --no-check-sections allows it", (w) => {
  if (linkerName !== "wield") return;
  w.write({
    "v.ld": "SECTIONS { .text 0x1000 : { *(.text) LONG(1) } .data 0x1001 : { *(.data) } }",
    "l.ld": "SECTIONS { .text 0x1000 : { *(.text) LONG(1) } .data 0x3000 : AT(0x1001) { *(.data) } }",
    "t.s": ".globl _start\n.text\n_start: ret\n.data\n.byte 2\n",
  });
  w.sh("gcc -c t.s");
  contains(w.fails("$LD t.o -T v.ld -o t"), "section .text virtual address range overlaps with .data\n>>> .text range is [0x1000, 0x1004]");
  contains(w.fails("$LD t.o -T l.ld -o t"), "section .text load address range overlaps with .data");
  w.sh("$LD t.o -T v.ld --no-check-sections -o t");
});

memory("--oformat binary: contents at their load addresses, as objcopy and GNU ld make it", (w) => {
  w.write({ "stm32.ld": FIRMWARE, "main.c": FIRMWARE_C }).sh(`gcc ${FLAGS} -c main.c`);
  w.sh("$LD main.o -T stm32.ld -o elf && objcopy -O binary elf expected && $LD main.o -T stm32.ld --oformat binary -o raw && cmp raw expected");
  w.sh("ld.bfd --no-warn-rwx-segments -z norelro main.o -T stm32.ld --oformat binary -o bfd");
  assert.is(w.bytes("raw").length, w.bytes("bfd").length);
  w.write({ "f.ld": "OUTPUT_FORMAT(binary)" });
  w.sh("$LD main.o -T stm32.ld -T f.ld -o again 2>&1 && cmp raw again");
}, "ld.bfd", "objcopy");

memory("--enable-non-contiguous-regions: what does not fit goes to the next description that matches it", (w) => {
  const functions = Array.from({ length: 12 }, (_, i) => `.section .text.f${i},"ax"\n.globl f${i}\nf${i}: .fill ${8 + i},1,${i}\n.quad f${(i * 5) % 12}\n`).join("");
  w.write({
    "t.ld": `MEMORY { A : ORIGIN = 0x1000, LENGTH = 0x60\n B : ORIGIN = 0x4000, LENGTH = 0x50\n C : ORIGIN = 0x8000, LENGTH = LIMIT }
SECTIONS { .a : { *(.text .text.*) } >A .b : { LONG(1) *(.text .text.*) } >B .c : { *(.text .text.*) } >C }`,
    "t.s": `.globl _start\n.text\n_start: ret\n${functions}`,
  });
  w.sh("gcc -c t.s");
  const names = Array.from({ length: 12 }, (_, i) => `f${i}`);
  const ours = sameAsBfd(w, "t.o --defsym=LIMIT=0x1000 --enable-non-contiguous-regions -T t.ld", names);
  for (const name of [".a", ".b", ".c"]) {
    assert.ok(ours.need(name).size > 0);
    assert.equal([...ours.content(name)], [...image(w, "bfd").content(name)], name);
  }
  if (linkerName !== "wield") return;
  contains(w.fails("$LD t.o --defsym=LIMIT=0x1000 -T t.ld -o t"), "section '.a' will not fit in region 'A'");
  contains(w.fails("$LD t.o --defsym=LIMIT=4 --enable-non-contiguous-regions -T t.ld -o t"), /section '\.c' will not fit in region 'C': overflowed by \d+ bytes/);
}, "ld.bfd");

memory("what cannot be computed is said: regions that depend on themselves, load addresses of program headers", (w) => {
  if (linkerName !== "wield") return;
  w.write({
    "loop.ld": "MEMORY { a : ORIGIN = LENGTH(a), LENGTH = ORIGIN(a) } SECTIONS { .text : { *(.text) } >a }",
    "at.ld": "PHDRS { a PT_LOAD AT(1 / 0); } SECTIONS { .text : { *(.text) } :a }",
    "t.s": ".globl _start\n_start: ret\n",
  });
  w.sh("gcc -c t.s");
  contains(w.fails("$LD t.o -T loop.ld -o t"), "of memory region 'a' depends on itself");
  contains(w.fails("$LD t.o -T at.ld -o t"), "at.ld:1: division by zero");
});

memory("PHDRS: load addresses may depend on the layout", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "t.ld": "PHDRS { a PT_LOAD AT(ADDR(.data) - 0x1000); } SECTIONS { .text 0x10000 : { *(.text) } :a .data 0x20000 : { BYTE(1) } :a }", "t.s": ".globl _start\n_start: ret\n" });
  w.sh("gcc -c t.s && $LD t.o -T t.ld -o t");
  assert.is(image(w, "t").segments(1)[0]!.paddr, 0x1f000);
});

const KERNEL = `
OUTPUT_FORMAT("elf64-x86-64")
OUTPUT_ARCH(i386:x86-64)
ENTRY(phys_startup_64)
jiffies = jiffies_64;
PHDRS {
  text PT_LOAD FLAGS(5);
  data PT_LOAD FLAGS(6);
  percpu PT_LOAD FLAGS(6);
  init PT_LOAD FLAGS(7);
  note PT_NOTE FLAGS(0);
}
SECTIONS {
  . = (0xffffffff80000000 + ALIGN(0x1000000, 0x200000));
  phys_startup_64 = ABSOLUTE(startup_64 - 0xffffffff80000000);
  .text : AT(ADDR(.text) - 0xffffffff80000000) {
    _text = .; _stext = .;
    *(.head.text) *(.text.hot .text.hot.*) *(.text .text.fixup)
    . = ALIGN(64); __entry_text_start = .; *(.entry.text) __entry_text_end = .;
  } :text = 0xcccccccc
  . = ALIGN((1 << 12)); _etext = .;
  .rodata : AT(ADDR(.rodata) - 0xffffffff80000000) { __start_rodata = .; *(.rodata) *(.rodata.*) . = ALIGN(8); __start___tracepoints_ptrs = .; KEEP(*(__tracepoints_ptrs)) __stop___tracepoints_ptrs = .; } :text
  __ex_table : AT(ADDR(__ex_table) - 0xffffffff80000000) { . = ALIGN(4); __start___ex_table = .; KEEP(*(__ex_table)) __stop___ex_table = .; }
  .notes : AT(ADDR(.notes) - 0xffffffff80000000) { __start_notes = .; KEEP(*(.note.*)) __stop_notes = .; } :text :note
  . = ALIGN(0x200000); __end_rodata = .;
  .data : AT(ADDR(.data) - 0xffffffff80000000) {
    _sdata = .;
    . = ALIGN(0x4000); *(.data..init_task)
    . = ALIGN(0x1000); *(.data..page_aligned)
    . = ALIGN(64); *(.data..read_mostly) *(.data) *(.data.[0-9a-zA-Z_]*) . = ALIGN(8); BYTE(0x7f) SHORT(0x1234)
    _edata = .;
  } :data
  . = ALIGN((1 << 12));
  __init_begin = .;
  __per_cpu_load = .;
  .data..percpu 0 : AT(__per_cpu_load - 0xffffffff80000000) {
    __per_cpu_start = .; *(.data..percpu..first) . = ALIGN(64); *(.data..percpu) __per_cpu_end = .;
  } :percpu
  . = __per_cpu_load + SIZEOF(.data..percpu);
  ASSERT(SIZEOF(.data..percpu) < 0x200000, "per-CPU data too large - increase CONFIG_PHYSICAL_START")
  .init.text : AT(ADDR(.init.text) - 0xffffffff80000000) { _sinittext = .; *(.init.text .init.text.*) _einittext = .; } :init
  .init.data : AT(ADDR(.init.data) - 0xffffffff80000000) { *(.init.data) . = ALIGN(16); __setup_start = .; KEEP(*(.init.setup)) __setup_end = .; }
  . = ALIGN(8);
  .altinstructions : AT(ADDR(.altinstructions) - 0xffffffff80000000) { *(.altinstructions) LONG(7) }
  . = ALIGN((1 << 12));
  __init_end = .;
  .bss : AT(ADDR(.bss) - 0xffffffff80000000) { __bss_start = .; *(.bss..page_aligned) *(.bss .bss.[0-9a-zA-Z_]*) *(COMMON) . = ALIGN((1 << 12)); __bss_stop = .; }
  . = ALIGN((1 << 12));
  .brk : AT(ADDR(.brk) - 0xffffffff80000000) { __brk_base = .; . += 64 * 1024; *(.bss..brk) __brk_limit = .; }
  . = ALIGN((1 << 12)); _end = .;
  /DISCARD/ : { *(.exitcall.exit) *(.discard) *(.discard.*) *(.comment) *(.eh_frame) *(.note.GNU-stack) *(.note.gnu.property) }
  .got : { *(.got) *(.igot.*) }
  ASSERT(SIZEOF(.got) == 0, "Unexpected GOT entries detected!")
}
. = ASSERT((_end - _text <= (1024 * 1024 * 1024)), "kernel image bigger than KERNEL_IMAGE_SIZE");
`;

const KERNEL_S = `
.section .head.text,"ax"\n.globl startup_64\nstartup_64: nop
.text\nret\n.balign 16\nnop
.section .entry.text,"ax"\n.globl entry\nentry: syscall
.section .rodata.str,"aMS",@progbits,1\n.asciz "linux"
.section __tracepoints_ptrs,"a"\n.quad 1,2
.section __ex_table,"a"\n.long 3
.section .note.Linux,"a",@note\n.balign 4\n.long 6,4,0x100\n.asciz "Linux"\n.balign 4\n.long 1
.section .data..init_task,"aw"\n.fill 0x100
.section .data..read_mostly,"aw"\n.quad 5
.data\n.globl jiffies_64\njiffies_64: .quad 6
.section .data..percpu..first,"aw"\n.globl fixed\nfixed: .quad 7
.section .data..percpu,"aw"\n.quad 8,9
.section .init.text,"ax"\n.quad __per_cpu_load, jiffies
.section .init.data,"aw"\n.quad 10
.section .init.setup,"aw"\n.quad 11
.section .altinstructions,"a"\n.long 12
.section .discard.x,"aw"\n.quad 13
.bss\n.skip 300
.section .bss..brk,"aw",@nobits\n.skip 4096
.section .note.GNU-stack,"",@progbits
`;

memory("a kernel's script: segments by name, physical load addresses, per-CPU data at 0, fills, assertions", (w) => {
  w.write({ "vmlinux.ld": KERNEL, "k.s": KERNEL_S.replace(/\\n/g, "\n") }).sh("gcc -c k.s");
  const names = ["_text", "_etext", "__entry_text_start", "__entry_text_end", "__end_rodata", "__start_notes", "__stop_notes", "_sdata", "_edata", "jiffies", "jiffies_64", "__init_begin", "__per_cpu_load",
    "__per_cpu_start", "__per_cpu_end", "fixed", "_sinittext", "__setup_start", "__init_end", "__bss_start", "__bss_stop", "__brk_base", "__brk_limit", "_end", "phys_startup_64", "__start___tracepoints_ptrs", "__stop___ex_table"];
  const ours = sameAsBfd(w, "-z max-page-size=0x200000 k.o -T vmlinux.ld", names);
  const bfd = image(w, "bfd");
  const headers = (elf: ElfFile): string[] => elf.phdrs.map((p) => `${p.type} ${p.flags} 0x${p.vaddr.toString(16)} 0x${p.paddr.toString(16)} ${p.filesz} ${p.memsz}`);
  assert.equal(headers(ours), headers(bfd));
  assert.is(ours.entry, bfd.entry);
  for (const name of [".text", ".data", ".notes", ".init.text", ".data..percpu"]) assert.equal([...ours.content(name)], [...bfd.content(name)], name);
}, "ld.bfd");

memory("a heap and a stack behind .bss take no space in the file", (w) => {
  w.write({
    "a.s": ".globl _start\n_start: ret\n.data\n.quad 1\n.bss\n.zero 0x100000\n.section .note.GNU-stack\n",
    "t.ld": `SECTIONS { . = 0x10000; .text : { *(.text) } . = ALIGN(0x1000); .data : { *(.data) } .bss : { *(.bss) . = ALIGN(. != 0 ? 8 : 1); }
      .heap : { . = ALIGN(8); end = .; . = . + 0x400; } .stack : { . = . + 0x200; } .ldata : { *(.ldata) . = ALIGN(. != 0 ? 8 : 1); } }`,
    "u.ld": "SECTIONS { .text : { *(.text) } .data : { *(.data) } .bss : { *(.bss) } .filled : { . = . + 8; BYTE(1) } }",
  });
  w.sh("gcc -c a.s && $LD a.o -T t.ld -o t && $LD a.o -T u.ld -o u");
  const elf = image(w, "t");
  const [, writable] = elf.segments(1);
  if (linkerName !== "lld") {
    assert.equal([".bss", ".heap", ".stack"].map((name) => elf.need(name).type), [8, 8, 8]);
    assert.equal([writable!.filesz, writable!.memsz >= 0x100608], [8, true]);
  }
  assert.is(image(w, "u").need(".filled").type, 1);
});

const PARTS = '.globl _start\n_start: .fill 20,1,0x90\n.data\n.byte 1,2,3\n.section .more,"aw"\n.balign 16\n.quad 7\n';

memory("what a region is loaded from as well counts once in it", (w) => {
  w.write({ "p.s": PARTS, "p.ld": "MEMORY { FLASH (rx) : ORIGIN = 0x1000, LENGTH = 28 RAM (w) : ORIGIN = 0x8000, LENGTH = 4K }\nSECTIONS { .text : { *(.text) } >FLASH AT>FLASH .data : { *(.data) } >RAM AT>FLASH .more : { *(.more) } >RAM AT>RAM }" });
  w.sh("as p.s -o p.o");
  sameAsBfd(w, "p.o -T p.ld", ["_start"]);
}, "ld.bfd");

memory("attributes choose the region of a section that names none: one of those given, none of those behind !", (w) => {
  w.write({ "p.s": PARTS, "p.ld": "MEMORY { RAM (rw!x) : ORIGIN = 0x8000, LENGTH = 4K FLASH (rx) : ORIGIN = 0x1000, LENGTH = 4K }\nSECTIONS { .text : { *(.text) } .data : { *(.data) } .more : { *(.more) } }" });
  w.sh("as p.s -o p.o");
  const ours = sameAsBfd(w, "p.o -T p.ld", ["_start"]);
  assert.equal([".text", ".data"].map((name) => ours.need(name).addr), [0x1000, 0x8000]);
}, "ld.bfd");

memory("a section is aligned where it is loaded, too", (w) => {
  w.write({ "p.s": PARTS, "p.ld": "MEMORY { RAM : ORIGIN = 0x8000, LENGTH = 4K CCM : ORIGIN = 0xa000, LENGTH = 4K FLASH : ORIGIN = 0x1000, LENGTH = 4K }\nSECTIONS { .text : { *(.text) } >FLASH .data : { *(.data) } >RAM AT>FLASH .more : { *(.more) } >CCM AT>FLASH }" });
  w.sh("as p.s -o p.o && $LD p.o -T p.ld -o p");
  // GNU ld aligns .more only where it runs; lld there, too.
  if (linkerName === "bfd") return;
  assert.equal(layout(image(w, "p")), [".text 0x1000 0x1000 20", ".data 0x8000 0x1014 3", ".more 0xa000 0x1020 8"]);
});

memory.run();
