/**
 * --oformat srec and ihex: the same records as objcopy makes of the ELF output, for low, middle and high addresses and with gaps. Raw images
 * (--oformat binary) without layout scripts; with them: script-memory.
 */
import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const hexes = behaviour("hex output", "objcopy");
const SOURCE = ".globl _start\n_start: .skip 45, 0x90\n.data\n.ascii \"some data, longer than a record\"\n.bss\n.skip 8\n.section .flash,\"a\"\n.skip 70, 7\n";

for (const [what, text, data, flash] of [["16-bit", 0x100, 0x8000, 0xf000], ["20-bit", 0x1000, 0x1fff0, 0x3fff8], ["24-bit", 0x1000, 0x300000, 0x1fffe0], ["32-bit", 0x8000000, 0x20000000, 0x80fffff0]] as const) {
  hexes(`${what} addresses`, (w) => {
    if (linkerName !== "wield") return;
    w.write({ "a.s": SOURCE, "s.ld": `SECTIONS { . = ${text}; .text : { *(.text) } .data ${data} : AT(${data + 0x100}) { *(.data) } .bss : { *(.bss) } .flash ${flash} : { *(.flash) } }` });
    w.sh("as a.s -o a.o && $LD -T s.ld a.o -o out");
    w.sh("mkdir srec ihex && cp out srec/elf && cp out ihex/elf");
    for (const format of ["srec", "ihex"]) {
      w.sh(`(cd ${format} && objcopy -O ${format} elf out) && cp ${format}/out ${format}.want && $LD -T s.ld a.o --oformat=${format} -o out && cmp out ${format}.want`);
      w.sh(`(echo 'OUTPUT_FORMAT(${format})'; cat s.ld) > f.ld && $LD -T f.ld a.o -o out && cmp out ${format}.want`);
    }
  });
}

hexes("addresses beyond 32 bits are an error", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "a.s": SOURCE }).sh("as a.s -o a.o");
  contains(w.fails("$LD a.o --oformat=ihex -Ttext=0x100000000 -o out"), "does not fit in 32 bits");
});

hexes("an object file cannot be a raw image", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "a.s": SOURCE }).sh("as a.s -o a.o");
  for (const format of ["ihex", "srec", "binary"]) contains(w.fails(`$LD -r a.o --oformat=${format} -o out`), `-r and --oformat=${format} may not be used together`);
  assert.not(w.exists("out"));
});

hexes("--oformat binary of shared objects and position-independent programs has no padding for RELRO", (w) => {
  w.write({ "s.c": "extern int ext(int); int data = 4; int *p = &data; int f(int x) { return ext(x) + *p; } static int bss[10]; int g(int i) { return bss[i]; }" });
  w.sh("gcc -fpic -O1 -fno-asynchronous-unwind-tables -c s.c");
  for (const kind of ["-shared", "-pie -e0 --unresolved-symbols=ignore-all --no-dynamic-linker"]) {
    const sizes = ["relro", "norelro"].map((relro) => (w.sh(`$LD ${kind} -z ${relro} s.o --oformat=binary -o ${relro}`), w.bytes(relro).length));
    if (linkerName === "wield") assert.is(sizes[0], sizes[1]);
  }
}, "gcc");

hexes("--oformat binary without a script: sections follow each other, nothing else is in the file", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "t.s": '.text\n.globl _start\n_start: .byte 1,2,3\n.data\n.byte 4\n.bss\n.space 100\n.section .odd\n.byte 9\n' });
  w.sh("gcc -c t.s && $LD t.o --oformat=binary -o t");
  assert.equal([...w.bytes("t")], [1, 2, 3, 4]);
  w.write({ "u.s": '.text\n.globl _start\n_start: .fill 64,1,7\n.section .debug_str,"MS",@progbits,1\n.asciz "not in the image"\n' });
  w.sh("gcc -c u.s && $LD u.o --oformat=binary -o u");
  assert.equal([...w.bytes("u")], Array.from({ length: 64 }, () => 7));
  w.sh("$LD t.o --oformat elf64-little -o u");
  contains(w.fails("$LD t.o --oformat foo -o u"), "unknown --oformat value: foo");
  w.write({ "bad.ld": "OUTPUT_FORMAT(binary-freebsd)" });
  contains(w.fails("$LD t.o -T bad.ld -o u"), "bad.ld:1: unknown output format name: binary-freebsd");
});

hexes.run();
