/**
 * Scripts as kernels and boot loaders write them: the layout is GNU ld's, section by section and symbol by symbol.
 *
 * The scripts are ours, with the features of a multiboot kernel, of U-Boot, of Linux for x86 and of its vDSO. Sections that stay empty and
 * commons are left out of the comparison, because lld, which we follow there, differs from GNU ld.
 */
import { assert, behaviour, contains, lacks, type Workspace } from "../../helpers/link.ts";
import { ElfFile } from "../../helpers/dump.ts";
import { bytes, image, symbol } from "../../helpers/script.ts";

const systems = behaviour("linker-script-systems", "ld.bfd");
const FLAGS = "-O1 -fno-pie -ffreestanding -fno-common -fno-asynchronous-unwind-tables";
const USED = "#define AT(x) __attribute__((section(x), used))\n#define ALIGNED(x, n) __attribute__((section(x), used, aligned(n)))\n";
/** Contents are the linker's own, or strings that GNU ld merges more. */
const TABLES = [".symtab", ".strtab", ".shstrtab", ".comment", ".debug_str", ".debug_line_str"];

/** Sections that hold bytes, with address, size and type, and the load address; as text, because addresses do not fit a number. */
function sections(w: Workspace, name: string): string[] {
  const text = w.sh(`readelf -SlW ${name}`);
  const loads = [...text.matchAll(/^  LOAD +\S+ 0x(\S+) 0x(\S+) 0x\S+ 0x(\S+)/gm)].map((match) => match.slice(1).map((word) => BigInt("0x" + word)));
  return [...text.matchAll(/^  \[ *\d+\] (\S+) +(\S+) +([0-9a-f]{16}) \S+ ([0-9a-f]+) \S+ +([A-Z]*) /gm)].flatMap(([, section, type, address, size, flags]) => {
    if (TABLES.includes(section!) || Number("0x" + size) === 0) return [];
    const at = BigInt("0x" + address);
    const load = flags!.includes("A") ? loads.find(([start, , bytes]) => at >= start! && at < start! + bytes!) : undefined;
    return [`${section} ${type} at ${address} size ${size} loaded ${load === undefined ? "nowhere" : (at - load[0]! + load[1]!).toString(16)}`];
  });
}

/** Links with both and compares sections and symbols. `but`: symbols that may differ. */
function compare(w: Workspace, args: string, but: string[] = []): ElfFile {
  w.sh(`$LD ${args} -o own && ld.bfd --no-warn-rwx-segments ${args} -o theirs 2>/dev/null`);
  assert.equal(sections(w, "own"), sections(w, "theirs"));
  const symbols = (name: string): string[] =>
    w.sh(`nm ${name}`).split("\n").map((line) => line.split(" ")).filter((words) => !but.includes(words.at(-1)!)).map((words) => `${words.at(-1)} ${words[0]}`).sort();
  assert.equal(symbols("own"), symbols("theirs"));
  return image(w, "own");
}

systems("a multiboot kernel in the upper half: load addresses below, constructors sorted, what is not needed thrown away", (w) => {
  w.write({
    "m.c": `${USED}extern char bss_start[], bss_end[]; void helper(int);
AT(".multiboot") const unsigned header[3] = { 0x1BADB002, 0, -0x1BADB002u };
AT(".boot.text") void start(void) { __asm__ volatile("movabs $kernel, %rax; jmp *%rax"); }
static int counter; static char big[5000]; int value = 7; const char text[] = "kernel"; const char *const names[] = { text, "other" };
static __attribute__((constructor(101))) void early(void) { counter++; }
static __attribute__((constructor)) void late(void) { counter += 2; }
void kernel(void) { for (char *p = bss_start; p < bss_end; p++) *p = 0; helper(value); for (;;) big[value]++; }`,
    "n.c": "static volatile char buffer[100]; void helper(int x) { buffer[x & 63] = x; } static __attribute__((constructor(7))) void first(void) { buffer[1] = 1; }",
    "k.ld": `ENTRY(start) OUTPUT_FORMAT(elf64-x86-64)
UPPER = 0xFFFFFFFF80000000;
SECTIONS {
  . = 1M;
  .boot : { KEEP(*(.multiboot)) *(.boot.text) }
  . += UPPER;
  .text ALIGN(4K) : AT(ADDR(.text) - UPPER) { text_start = .; *(.text .text.*) text_end = .; }
  .rodata ALIGN(4K) : AT(ADDR(.rodata) - UPPER) { *(.rodata .rodata.*) }
  .ctors : AT(ADDR(.ctors) - UPPER) { ctors_start = .; KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*) SORT_BY_INIT_PRIORITY(.ctors.*))) KEEP(*(.init_array .ctors)) ctors_end = .; }
  .data ALIGN(4K) : AT(ADDR(.data) - UPPER) { *(.data .data.*) }
  .bss ALIGN(4K) : AT(ADDR(.bss) - UPPER) { bss_start = .; *(COMMON) *(.bss .bss.*) bss_end = .; }
  image_end = .;
  physical_end = . - UPPER;
  pages = (image_end - text_start + 0xfff) >> 12;
  /DISCARD/ : { *(.comment) *(.eh_frame) *(.note .note.*) }
}`,
  });
  w.sh(`gcc ${FLAGS} -mcmodel=kernel -mno-red-zone -c m.c n.c`);
  for (const options of ["-z max-page-size=0x1000", "-n"]) {
    const elf = compare(w, `${options} m.o n.o -T k.ld`);
    assert.is(elf.need(".boot").addr, 0x100000);
    assert.is(elf.segments(1)[1]!.paddr, 0x101000);
    assert.is(elf.need(".ctors").size, 24);
  }
  contains(w.sh("readelf -hW own"), `Entry point address:               0x${symbol(image(w, "own"), "start").toString(16)}\n`);
});

systems("a boot loader: linker lists across objects and under gc, sections ordered by alignment and name, .bss over the relocations", (w) => {
  const list = `${USED}#define ENTRY(list, name, value) AT("__list_2_" #list "_2_" #name) __attribute__((aligned(4))) int list##_##name = value\n`;
  w.write({
    "a.c": `${list}ENTRY(command, zeta, 26); ENTRY(command, alpha, 1); ENTRY(driver, uart, 100);
ALIGNED("__list_2_command_1", 4) int command_start[0]; ALIGNED("__list_2_command_3", 4) int command_end[0];
AT(".text.start") void _start(void) { for (int *c = command_start; c < command_end; c++) if (*c == 0) for (;;); }
AT(".text.runtime") int runtime(int x) { return x + 1; } AT(".bss_first") char bss_first[0]; AT(".bss_last") char bss_last[0];
const char ra[4] __attribute__((section(".rodata.z"))) = "z", rb[4] __attribute__((section(".rodata.b"), aligned(16))) = "b", rc[4] __attribute__((section(".rodata.a"), aligned(16))) = "a";
long number = 1; static int zeros[64]; int *get(void) { return zeros; }`,
    "b.c": `${list}ENTRY(command, middle, 7); ENTRY(driver, mmc, 2); int more[8]; int more_data = 5; int *table[] = { more, &more_data };`,
    "u.ld": `OUTPUT_FORMAT("elf64-x86-64", "elf64-x86-64", "elf64-x86-64") OUTPUT_ARCH(i386:x86-64) ENTRY(_start)
SECTIONS
{
  . = 0x00000000; . = ALIGN(4);
  .text : { *a.o (.text.start) *(EXCLUDE_FILE(*b.o) .text*) *(.text*) }
  .runtime : { runtime_start = .; *(.text.runtime*) *(.data.runtime*) runtime_end = .; }
  . = ALIGN(4);
  .rodata : { *(SORT_BY_ALIGNMENT(SORT_BY_NAME(.rodata*))) }
  . = ALIGN(4);
  .data : { *(.data*) }
  . = .;
  . = ALIGN(4);
  .lists : { KEEP(*(SORT(__list*))); }
  . = ALIGN(8);
  .relocations : { reloc_start = .; *(.rela*) BYTE(0) . = ALIGN(8); reloc_end = .; }
  binary_end = .;
  .bss_first reloc_start (OVERLAY) : { KEEP(*(.bss_first)); bss_base = .; }
  .bss bss_base (OVERLAY) : { *(.bss*) . = ALIGN(4); bss_limit = .; }
  .bss_last bss_limit (OVERLAY) : { KEEP(*(.bss_last)); }
  /DISCARD/ : { *(.comment*) *(.note*) *(.eh_frame*) *(.dyn*) *(.interp*) *(.plt*) }
}
ASSERT(binary_end % 4 == 0, "binary_end must be aligned");`,
  });
  w.sh(`gcc ${FLAGS} -ffunction-sections -fdata-sections -c a.c b.c`);
  const elf = compare(w, "-N a.o b.o -T u.ld", ["runtime_start", "runtime_end"]);
  const word = (name: string): number => Buffer.from(bytes(elf, ".lists")).readInt32LE(symbol(elf, name) - elf.need(".lists").addr);
  assert.equal(["command_alpha", "command_middle", "command_zeta", "driver_mmc", "driver_uart"].map(word), [1, 7, 26, 2, 100]);
  assert.is(symbol(elf, "command_end") - symbol(elf, "command_start"), 12);
  assert.is(symbol(elf, "bss_base"), symbol(elf, "reloc_start"));
  assert.equal(["rc", "rb", "ra"].map((name) => symbol(elf, name) - elf.need(".rodata").addr), [0, 16, 20]);
  w.sh("$LD -N --gc-sections a.o b.o -T u.ld -o gc");
  assert.is(image(w, "gc").need(".lists").size, 20);
});

const KERNEL = `OUTPUT_FORMAT("elf64-x86-64") OUTPUT_ARCH(i386:x86-64) ENTRY(physical_start)
ticks = ticks_64;
forward = later;
PHDRS { text PT_LOAD FLAGS(5); data PT_LOAD FLAGS(6); percpu PT_LOAD FLAGS(6); init PT_LOAD FLAGS(7); note PT_NOTE FLAGS(0); }
SECTIONS
{
  . = (0xffffffff80000000 + ALIGN(0x1000000, 0x200000));
  physical_start = ABSOLUTE(startup - 0xffffffff80000000);
  later = 0x40;
  .text : AT(ADDR(.text) - 0xffffffff80000000) {
    first = .; KEEP(*(.head.text))
    . = ALIGN(16); *(.text.hot .text.hot.*) *(.text .text.fixup) *(.text.unlikely .text.unlikely.*)
    . = ALIGN(8); sched_start = .; *(.sched.text) sched_end = .;
  } :text =0xcccccccc
  . = ALIGN((1 << 12)); text_end = .;
  . = ALIGN(0x200000);
  .rodata : AT(ADDR(.rodata) - 0xffffffff80000000) { rodata_start = .; *(.rodata) *(.rodata.*) . = ALIGN(8); *(.data..after_init) . = ALIGN(8); start_ptrs = .; KEEP(*(trace_ptrs)) stop_ptrs = .; *(trace_strings) }
  exports : AT(ADDR(exports) - 0xffffffff80000000) { exports_start = .; KEEP(*(SORT(___export+*))) exports_end = .; }
  . = ALIGN(4); extable : AT(ADDR(extable) - 0xffffffff80000000) { KEEP(*(extable)) }
  /DISCARD/ : { *(.note.GNU-stack) *(.note.gnu.property) }
  .notes : AT(ADDR(.notes) - 0xffffffff80000000) { notes_start = .; KEEP(*(.note.*)) notes_end = .; } :text :note
  . = ALIGN(0x200000); rodata_end = .;
  .data : AT(ADDR(.data) - 0xffffffff80000000) {
    data_start = .; . = ALIGN((2 * (1 << 12))); stack = .; KEEP(*(.data..stack)) . = stack + (2 * (1 << 12));
    *(.data..page_aligned) . = ALIGN((1 << 12)); *(.data) *(.data.[0-9a-zA-Z_]*) CONSTRUCTORS . = ALIGN((1 << 6)); *(.data..read_mostly) . = ALIGN((1 << 6)); data_end = .;
  } :data
  . = ALIGN((1 << 12)); vars_page = .;
  .vars : AT(ADDR(.vars) - 0xffffffff80000000) { vars_start = .; . = vars_start + 128; *(.vars_clock) . = vars_start + (1 << 12); } :data
  . = ALIGN(vars_page + (1 << 12), (1 << 12));
  percpu_load = .;
  .data..percpu 0 : AT(percpu_load - 0xffffffff80000000) { percpu_start = .; *(.data..percpu..first) . = ALIGN((1 << 12)); *(.data..percpu) *(.data..percpu..shared) percpu_end = .; } :percpu
  . = percpu_load + SIZEOF(.data..percpu);
  ASSERT(SIZEOF(.data..percpu) < 0x1000000, "per-CPU data is too large")
  . = ALIGN((1 << 12));
  .init.text : AT(ADDR(.init.text) - 0xffffffff80000000) { init_start = .; *(.init.text .init.text.*) init_end = .; } :init
  . = ALIGN((1 << 12));
  .init.data : AT(ADDR(.init.data) - 0xffffffff80000000) { *(.init.data .init.data.*) . = ALIGN(16);
    calls_start = .; KEEP(*(.callearly.init)) call0_start = .; KEEP(*(.call0.init)) KEEP(*(.call0s.init)) call6_start = .; KEEP(*(.call6.init)) KEEP(*(.call6s.init)) calls_end = .; }
  .locks : AT(ADDR(.locks) - 0xffffffff80000000) { locks_start = .; *(.locks) . = ALIGN((1 << 12)); locks_end = .; }
  .bss : AT(ADDR(.bss) - 0xffffffff80000000) { bss_start = .; *(.bss..page_aligned) . = ALIGN((1 << 12)); *(.bss) *(.bss.[0-9a-zA-Z_]*) *(COMMON) . = ALIGN((1 << 12)); bss_end = .; }
  .brk : AT(ADDR(.brk) - 0xffffffff80000000) { brk_start = .; . += 64 * 1024; *(.bss..brk) brk_end = .; }
  . = ALIGN((1 << 12)); image_end = .;
  .debug_info 0 : { *(.debug_info .gnu.linkonce.wi.*) } .debug_abbrev 0 : { *(.debug_abbrev) } .debug_line 0 : { *(.debug_line .debug_line.* .debug_line_end) } .debug_str 0 : { *(.debug_str) }
  .debug_aranges 0 : { *(.debug_aranges) } .debug_line_str 0 : { *(.debug_line_str) } .debug_loclists 0 : { *(.debug_loclists) } .debug_rnglists 0 : { *(.debug_rnglists) } .debug_frame 0 : { *(.debug_frame) }
  .comment 0 : { *(.comment) } .symtab 0 : { *(.symtab) } .strtab 0 : { *(.strtab) } .shstrtab 0 : { *(.shstrtab) }
  /DISCARD/ : { *(.discard) *(.discard.*) *(.information) *(.eh_frame) }
  .got.plt (INFO) : { *(.got.plt) } ASSERT(SIZEOF(.got.plt) == 0 || SIZEOF(.got.plt) == 0x18, "unexpected PLT entries")
  .got : { *(.got) *(.igot.*) } ASSERT(SIZEOF(.got) == 0, "unexpected GOT entries")
  .plt : { *(.plt) *(.plt.*) *(.iplt) } ASSERT(SIZEOF(.plt) == 0, "unexpected procedure linkages")
  .rela.dyn : { *(.rela.*) *(.rela_*) } ASSERT(SIZEOF(.rela.dyn) == 0, "unexpected run-time relocations")
}
percpu_descriptors = ABSOLUTE(descriptors) + percpu_load;
. = ASSERT((fixed_percpu == 0), "fixed_percpu is not at the start of the per-CPU area");
. = ASSERT((image_end - first <= (512 * 1024 * 1024)), "image is too large");
`;

systems("a kernel: PHDRS, per-CPU data at 0, sorted export tables, initcalls, notes in two segments, discarded sections, assertions", (w) => {
  w.write({
    "k.c": `${USED}struct export { unsigned long value; const char *name; }; typedef void (*call)(void);
AT(".head.text") void startup(void) { __asm__ volatile("hlt"); } AT(".init.text") void init(void) {} AT(".sched.text") int schedule(int x) { return x; } int plain(int x) { return x / 3; }
AT(".text.hot.run") int hot(int x) { return x + 1; } AT(".text.unlikely.stop") void stop(void) { for (;;); }
ALIGNED(".data..page_aligned", 4096) char tables[4096]; AT(".data..read_mostly") int shift = 3; unsigned long ticks_64 = 5; int plain_data = 9; static long zeros[20]; long *get(void) { return zeros; }
ALIGNED(".bss..page_aligned", 4096) char zero_page[4096]; AT(".data..percpu..first") long fixed_percpu[4]; AT(".data..percpu") long descriptors[16]; ALIGNED(".data..percpu..shared", 64) long shared[8];
ALIGNED("___export+beta", 8) const struct export beta = { (unsigned long)&hot, "beta" }; ALIGNED("___export+alpha", 8) const struct export alpha = { (unsigned long)&schedule, "alpha" };
ALIGNED("extable", 8) const int ex[2] = { 1, 2 }; AT(".call6.init") call c6 = startup; AT(".callearly.init") call ce = stop; AT(".call0.init") call c0 = init; AT(".call6s.init") call c6s = stop;
AT(".init.data") int init_value = 4; AT(".locks") const int locks[3] = { 1, 2, 3 }; AT("trace_ptrs") const int pointers = 5; AT("trace_strings") const char trace[] = "t"; AT(".bss..brk") char brk_early[4096];
AT(".vars_clock") long clock = 3; AT(".information") const char information[] = "x"; const int table[] __attribute__((section(".rodata..t"))) = { 1 }; AT(".data..after_init") int after = 6;`,
    "n.s": '.section .note.System,"a",@note\n.long 7,4,0x100\n.asciz "System"\n.balign 4\n.long 42\n.section .note.GNU-stack,"",@progbits\n',
    "k.ld": KERNEL,
  });
  w.sh(`gcc ${FLAGS} -g -mcmodel=kernel -c k.c && gcc -c n.s`);
  const elf = compare(w, "-z max-page-size=0x200000 -z noexecstack --build-id=sha1 -X k.o n.o -T k.ld");
  assert.equal(elf.segments(1).map(({ flags }) => flags), [5, 6, 6, 7]);
  assert.is(elf.segments(1)[2]!.vaddr, 0);
  assert.is(elf.segments(4)[0]!.filesz, elf.need(".notes").size);
  contains(w.sh("readelf -hW own"), `Entry point address:               0x${symbol(elf, "physical_start").toString(16)}\n`);
  contains(w.sh("nm -n own"), / alpha\n[^]* beta\n/);
  w.write({ "bad.ld": KERNEL.replace("< 0x1000000", "< 0x10") });
  contains(w.fails("$LD k.o n.o -T bad.ld -o bad"), "per-CPU data is too large");
  contains(w.try("$LD --orphan-handling=warn k.o n.o -T k.ld -o warned").stderr, /^$/);
});

systems("a vDSO: headers, dynamic section and notes in one read-only segment, VERSION in the script, nothing else exported", (w) => {
  w.write({
    "v.c": `extern int page[] __attribute__((visibility("hidden"))); int real_time(int *p) { return page[0] + *p; } int get_time(int *) __attribute__((weak, alias("real_time")));
static const char text[] = "abc"; const char *internal(void) { return text; }`,
    "n.s": '.section .note.System,"a",@note\n.long 7,4,0x100\n.asciz "System"\n.balign 4\n.long 42\n.section .note.GNU-stack,"",@progbits\n',
    "v.ld": `OUTPUT_FORMAT(elf64-x86-64) OUTPUT_ARCH(i386:x86-64)
SECTIONS {
  page = . - 4096;
  . = SIZEOF_HEADERS;
  .hash : { *(.hash) } :text
  .gnu.hash : { *(.gnu.hash) } .dynsym : { *(.dynsym) } .dynstr : { *(.dynstr) } .gnu.version : { *(.gnu.version) } .gnu.version_d : { *(.gnu.version_d) } .gnu.version_r : { *(.gnu.version_r) }
  .dynamic : { *(.dynamic) } :text :dynamic
  .rodata : { *(.rodata*) *(.data*) *(.got.plt) *(.got) *(.bss*) } :text
  .eh_frame_hdr : { *(.eh_frame_hdr) } :text :eh_frame_hdr
  .eh_frame : { KEEP (*(.eh_frame)) *(.eh_frame.*) } :text
  .note : { *(.note.*) } :text :note
  . = ALIGN(0x100);
  .text : { *(.text*) } :text =0x90909090,
  /DISCARD/ : { *(.comment) *(.note.GNU-stack) *(.note.gnu.property) }
}
PHDRS { text PT_LOAD FLAGS(5) FILEHDR PHDRS; dynamic PT_DYNAMIC FLAGS(4); note PT_NOTE FLAGS(4); eh_frame_hdr PT_GNU_EH_FRAME; }
VERSION { SYSTEM_1 { global: get_time; real_time; local: *; }; }`,
    "m.c": '#include <stdio.h>\n#include <dlfcn.h>\nint main(void) { void *h = dlopen("./v.so", RTLD_NOW); puts(h && dlvsym(h, "get_time", "SYSTEM_1") && !dlsym(h, "internal") ? "fine" : dlerror()); }',
  });
  w.sh("gcc -O2 -fPIC -c v.c n.s && $LD -shared -Bsymbolic --no-undefined -soname system.so.1 --eh-frame-hdr --hash-style=both -z max-page-size=4096 v.o n.o -T v.ld -o v.so && gcc m.c -o m");
  const elf = image(w, "v.so");
  assert.equal(elf.phdrs.map(({ type, flags, vaddr }) => [type, flags, vaddr === 0]), [[1, 5, true], [2, 4, false], [4, 4, false], [0x6474e550, 4, false]]);
  assert.is(elf.need(".text").addr % 256, 0);
  assert.is(BigInt.asIntN(64, BigInt(elf.symtab().find(({ name }) => name === "page")!.value)), -4096n);
  lacks(w.sh("readelf --dyn-syms -W v.so"), "internal");
  assert.is(w.sh("./m"), "fine\n");
});

systems.run();

