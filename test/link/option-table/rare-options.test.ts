/** Options that few builds give and no other behaviour is about: each does what its help says. */
import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";

const rare = behaviour("rare options");
const wield = linkerName === "wield";

const CODE = ".globl _start\n_start: ret\n.data\n.globl d\nd: .quad d\n.Ltemporary: .quad 0\n.section .text.a,\"ax\"\nnop\n.section .text.b,\"ax\"\nnop\n.section .rodata,\"a\"\n.quad 1\n";

rare("--EL, --no-eh-frame-hdr, --discard-none, --rosegment, -Tdata", (w) => {
  w.write({ "a.s": `${CODE}.text\n.cfi_startproc\nnop\n.cfi_endproc\n`, "b.s": ".globl f\nf: ret\n" }).sh("as -L a.s -o a.o && $LD a.o -o a && $LD -EL a.o -o b && cmp a b");
  const sections = (flags: string): string[] => (w.sh(`$LD a.o ${flags} -o c`), w.elf("c").sectionNames());
  assert.ok(sections("--eh-frame-hdr").includes(".eh_frame_hdr"));
  assert.not(sections("--eh-frame-hdr --no-eh-frame-hdr").includes(".eh_frame_hdr"));
  const temporary = (flags: string): boolean => (w.sh(`$LD a.o ${flags} -o c`), w.elf("c").symtab().some(({ name }) => name === ".Ltemporary"));
  assert.ok(temporary("--discard-none"));
  assert.not(temporary("--discard-none -X"));
  assert.ok(temporary("-X --discard-none"));
  w.sh("$LD a.o -Tdata 0x900000 -o c");
  assert.is(w.elf("c").need(".data").addr, 0x900000);
  if (linkerName === "bfd") return;
  const segments = (flags: string): number => (w.sh(`$LD a.o ${flags} -o c`), w.elf("c").loadFlags().length);
  assert.is(segments("--no-rosegment --rosegment"), segments(""));
  assert.is(segments("--rosegment --no-rosegment"), segments("") - 1);
});

rare("-z separate-loadable-segments: no two segments share a page of the file", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "a.s": CODE }).sh("as a.s -o a.o && $LD -z separate-loadable-segments a.o -o a");
  const loads = w.elf("a").phdrs.filter(({ type }) => type === 1);
  assert.ok(loads.length >= 3);
  for (const load of loads) assert.is(load.offset % 4096, 0);
});

rare("-z keywords for the dynamic linker", (w) => {
  w.write({ "a.s": ".globl f\nf: ret\n" }).sh("as a.s -o a.o");
  const flags = (words: string): number => (w.sh(`$LD -shared ${words} a.o -o a.so`), w.elf("a.so").tag("FLAGS_1") ?? 0);
  for (const [words, bit] of [["-z global", 2], ["-z nodelete", 8], ["-z initfirst", 0x20], ["-z nodlopen", 0x40], ["-z interpose", 0x400], ["-z nodefaultlib", 0x800]] as const) {
    if (wield || linkerName === "bfd") assert.is(flags(words), bit, words);
  }
  if (!wield) return;
  const unique = (words: string): boolean => (w.sh(`$LD -shared ${words} a.o -o a.so`), w.elf("a.so").dynamic().some(({ tag }) => tag === 0x6ffffdf4));
  assert.ok(unique("-z unique"));
  assert.not(unique("-z unique -z nounique"));
  const isa = (words: string): number => (w.sh(`$LD -shared ${words} a.o -o a.so`), Buffer.from(w.elf("a.so").content(".note.gnu.property")).readUInt32LE(24));
  assert.is(isa("-z x86-64-v2"), 3);
  assert.is(isa("-z x86-64-v4"), 15);
  assert.is(isa("-z x86-64-baseline -z x86-64-v3"), 7);
  w.write({ "all.s": '.section .note.gnu.property,"a",@note\n.balign 8\n.long 4, 16, 5\n.asciz "GNU"\n.long 0xc0008002, 4, -1, 0\n' }).sh("as -mx86-used-note=no all.s -o all.o");
  assert.is(isa("-z x86-64-v2 all.o"), 0xffffffff);
  w.sh("$LD -shared -z x86-64-baseline a.o -o a.so");
});

rare("-z rodynamic: .dynamic is read-only and has no DT_DEBUG", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "a.s": ".globl _start\n_start: ret\n" }).sh("as a.s -o a.o && $LD -pie a.o -o a && $LD -pie -z rodynamic a.o -o b");
  assert.is(w.elf("a").need(".dynamic").flags & 1, 1);
  assert.is(w.elf("b").need(".dynamic").flags & 1, 0);
  assert.ok(w.elf("a").tag("DEBUG") !== undefined);
  assert.is(w.elf("b").tag("DEBUG"), undefined);
});

rare("-z start-stop-visibility=", (w) => {
  w.write({ "a.s": ".globl f\nf: lea __start_words(%rip), %rax\n.section words,\"aw\"\n.quad 1\n" }).sh("as a.s -o a.o");
  const visibility = (word: string): string => (w.sh(`$LD -shared ${word} a.o -o a.so`), w.sh("readelf -sW a.so | grep __start_words | tail -1"));
  contains(visibility("-z start-stop-visibility=hidden"), "LOCAL", "HIDDEN");
  contains(visibility("-z start-stop-visibility=protected"), "PROTECTED");
  w.fails("$LD -shared -z start-stop-visibility=none a.o -o a.so");
}, "readelf");

rare("-z copyreloc takes -z nocopyreloc back; words for what is done anyway change nothing", (w) => {
  w.write({ "l.c": "int value = 3;", "m.c": "extern int value; int main(void) { return value - 3; }" }).sh("gcc -fPIC -shared l.c -o l.so && gcc -fno-pie -O1 -c m.c");
  w.sh("gcc -no-pie -B$B m.o ./l.so -o plain && ./plain && gcc -no-pie -B$B m.o ./l.so -Wl,-z,nocopyreloc,-z,copyreloc -o m && cmp plain m");
  w.sh("gcc -no-pie -B$B m.o ./l.so -Wl,-z,noextern-protected-data,-z,noindirect-extern-access -o n && cmp plain n");
  if (wield) w.sh("gcc -no-pie -B$B m.o ./l.so -Wl,-z,bti-report=none,-z,gcs-report=none,-z,pauth-report=none,-z,gcs=implicit,-z,hazardplt -o n && cmp plain n");
});

rare("options and keywords of other machines say so", (w) => {
  if (!wield) return;
  w.write({ "a.s": CODE }).sh("as a.s -o a.o");
  for (const option of ["--cmse-implib", "--in-implib=x", "--be8"]) contains(w.fails(`$LD ${option} a.o -o x`), `error: ${option.split("=")[0]} is only supported on ARM targets`);
  for (const word of ["-z pac-plt", "-z force-bti", "-z gcs=always", "-z bti-report=error", "-z gcs-report=warning", "-z pauth-report=error", "-z gcs-report-dynamic=error", "-z execute-only-report=warning"]) {
    contains(w.fails(`$LD ${word} a.o -o x`), `error: ${word.split("=")[0]} only supported on AArch64`);
  }
  for (const word of ["-z zicfilp=never", "-z zicfiss=always", "-z zicfilp-unlabeled-report=error", "-z zicfilp-func-sig-report=error", "-z zicfiss-report=warning"]) {
    contains(w.fails(`$LD ${word} a.o -o x`), `error: ${word.split("=")[0]} only supported on RISC-V`);
  }
});

rare("--warn-rwx-segments, --warn-execstack and their errors", (w) => {
  if (!wield) return;
  w.write({ "a.s": CODE, "x.s": '.section .note.GNU-stack,"x",@progbits\n' }).sh("as a.s -o a.o && as x.s -o x.o");
  const plain = (flags: string): string => w.sh(`$LD a.o ${flags} -o m 2>&1`);
  const said = (flags: string): string => plain(`x.o ${flags}`);
  assert.is(plain("-N"), "");
  contains(plain("-N --warn-rwx-segments"), "warning: m has a LOAD segment with RWX permissions");
  assert.is(plain("-N --error-rwx-segments --no-warn-rwx-segments") + plain("-N --error-rwx-segments --no-error-rwx-segments") + plain("--error-rwx-segments"), "");
  contains(w.fails("$LD a.o -N --error-rwx-segments -o e"), "error: e has a LOAD segment with RWX permissions");
  contains(said("-z execstack --warn-execstack"), "warning: ", "executable stack");
  contains(said("-z execstack-if-needed --warn-execstack"), "warning: x.o: requires executable stack");
  assert.is(said("-z execstack --error-execstack --no-error-execstack") + said("-z execstack --error-execstack --no-warn-execstack") + said("--error-execstack"), "");
  contains(w.fails("$LD a.o -z execstack --error-execstack -o e"), "enabling an executable stack because of -z execstack command line option");
  assert.not(w.exists("e"));
});

rare("--unique=GLOB keeps matching sections apart: in the default layout, under a script, with -r", (w) => {
  if (linkerName === "lld") return;
  w.write({ "a.s": CODE, "t.ld": "SECTIONS { . = 0x10000; .rodata : { *(.rodata) } . = ALIGN(0x1000); .text : { *(.text) } . = ALIGN(0x1000); .data : { *(.data) } }" }).sh("as a.s -o a.o");
  const texts = (flags: string): number => (w.sh(`$LD a.o ${flags} -o m`), w.elf("m").shdrs.filter(({ name, size }) => /^\.text/.test(name) && size > 0).length);
  if (wield) assert.is(texts(""), 1);
  if (wield) assert.is(texts("'--unique=.text.[ab]'"), 3);
  if (wield) assert.equal(w.elf("m").shdrs.map(({ name }) => name).filter((name) => /^\.text/.test(name)), [".text", ".text.a", ".text.b"]);
  w.sh("sed -i s/_start/other/ a.s && sed -i s/globl.d/nop/ a.s && as a.s -o b.o");
  const joined = (flags: string): number => (w.sh(`$LD -r a.o b.o ${flags} -o r.o`), w.elf("r.o").shdrs.filter(({ name }) => name === ".text.a").length);
  assert.equal([joined(""), joined("--unique=.text.a"), joined("--unique=.text.b")], [1, 2, 1]);
  if (wield) {
    w.sh("$LD a.o b.o -T t.ld --unique=.text.a -o m");
    assert.equal([".text.a", ".text.b"].map((name) => w.elf("m").shdrs.filter((section) => section.name === name).length), [2, 1]);
    w.write({ "all.ld": "SECTIONS { . = 0x10000; .text : { *(.text .text.*) } . = 0x20000; .rodata : { *(.rodata) } . = 0x30000; .data : { *(.data) } }" }).sh("$LD a.o -T all.ld --unique=.text.a -o m && $LD -r a.o -T all.ld --unique=.text.a -o r.o");
    for (const name of ["m", "r.o"]) assert.equal(w.elf(name).shdrs.map((section) => section.name).filter((section) => /^\.text/.test(section)), [".text", ".text.a"], "although a script names it");
    contains(w.fails("$LD a.o --unique='[' -o m"), "--unique: invalid glob pattern");
  }
});

rare("-z common: with -r commons have a type of their own", (w) => {
  w.write({ "a.s": ".comm c,8,8\n", "m.s": ".globl _start\n_start: mov c(%rip), %rax\n" }).sh("as a.s -o a.o && as m.s -o m.o && $LD -r -z common a.o -o r.o && $LD -r r.o -z nocommon -o again.o && $LD m.o r.o -o m");
  contains(w.sh("readelf -sW r.o"), / COMMON +GLOBAL +DEFAULT +COM c/);
  assert.is(w.elf("m").need(".bss").size, 8);
}, "readelf");

rare("--disable-linker-version, --print-output-format, --print-sysroot", (w) => {
  if (!wield) return;
  w.write({ "a.s": CODE }).sh("as a.s -o a.o && $LD a.o -o a && $LD a.o --disable-linker-version -o b");
  contains(Buffer.from(w.elf("a").content(".comment")).toString("latin1"), "Linker: wield");
  assert.not(w.elf("b").sectionNames().includes(".comment"));
  assert.is(w.sh("$LD --print-output-format"), "elf64-x86-64\n");
  assert.is(w.sh("$LD --print-sysroot --sysroot=/root"), "/root\n");
});

rare("--compat-version and WIELD_COMPAT_VERSION replace the first line of --version", (w) => {
  if (!wield) return;
  const text = "GNU ld (GNU Binutils) 2.46";
  assert.is(w.sh(`$LD --compat-version='${text}' --version`).split("\n")[0], text);
  assert.is(w.sh(`WIELD_COMPAT_VERSION='${text}' $LD -v`).split("\n")[0], text);
  contains(w.sh(`WIELD_COMPAT_VERSION='${text}' $LD -V`), text, "elf_x86_64");
  // What the kernel's scripts/ld-version.sh reads.
  assert.is(w.sh(`$LD --compat-version='${text}' --version | head -n1 | { read -r a b rest; echo "$a $b \${rest##* }"; }`), "GNU ld 2.46\n");
});

rare("--rsp-quoting", (w) => {
  w.write({ "a.s": CODE, "dos": "-o sub\\out a.o" }).sh("as a.s -o a.o");
  if (!wield && linkerName !== "lld") return;
  w.sh("$LD --rsp-quoting=windows @dos");
  assert.ok(w.exists("sub\\out"));
  w.sh("$LD @dos --rsp-quoting posix");
  assert.ok(w.exists("subout"));
  contains(w.fails("$LD --rsp-quoting=vms a.o -o x"), "invalid response file quoting: vms");
});

rare("--repro writes a bundle beside the output that links again", (w) => {
  if (!wield) return;
  w.write({ "a.s": CODE }).sh("as a.s -o a.o && $LD a.o -z now -o out --repro && mkdir x && tar -xf out.repro.tar -C x && cd x/out.repro && $LD @response.txt -o again && cmp again ../../out");
}, "tar");

rare("what is printed: --print-map, --no-print-gc-sections, --no-color-diagnostics", (w) => {
  w.write({ "a.s": CODE }).sh("as a.s -o a.o");
  for (const flag of ["--print-map", "-M"]) contains(w.sh(`$LD a.o ${flag} -o m`), ".text", "_start", "a.o:");
  assert.is(w.sh("$LD a.o --gc-sections --print-gc-sections --no-print-gc-sections -o m 2>&1"), "");
  if (linkerName === "bfd") return;
  contains(w.fails("$LD none.o --color-diagnostics=always -o m"), "\x1b[");
  lacks(w.fails("$LD none.o --color-diagnostics=always --no-color-diagnostics -o m"), "\x1b[");
});

rare("--plugin and --plugin-opt are the compiler's own: without LTO objects not even looked for", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "a.s": CODE }).sh("as a.s -o a.o && $LD a.o -o plain && $LD -plugin /nowhere/liblto_plugin.so -plugin-opt=-fresolution=/nowhere/x.res -plugin-opt -pass-through=-lgcc --plugin-opt=mcpu=x86-64 a.o -o m && cmp plain m");
});

rare.run();
