/**
 * --oformat srec and ihex: the same records as objcopy makes of the ELF output, for low, middle and high addresses and with gaps.
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

hexes.run();
