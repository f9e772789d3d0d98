/**
 * SHF_LINK_ORDER: sections stand in the order of those they are linked to, and say so in sh_link.
 */
import { assert, behaviour } from "../../helpers/link.ts";
import { bytes, image } from "../../helpers/script.ts";

const linkOrder = behaviour("link-order");
const SOURCE = `.globl _start
.section .text.b,"ax"
b: .byte 2
.section .text.a,"ax"
_start: .byte 1
.section meta,"ao",@progbits,.text.a
.byte 11
.section meta,"a",@progbits
.byte 10
.section meta,"ao",@progbits,.text.b
.byte 12
.section .note.GNU-stack,"",@progbits
`;

linkOrder("in the default layout and under scripts, each input description for itself", (w) => {
  w.write({
    "t.s": SOURCE,
    "u.s": SOURCE.replaceAll(".globl _start", "").replaceAll("11", "21").replaceAll("12", "22").replaceAll("10", "20"),
    "a.ld": "SECTIONS { meta : { BYTE(0) *(meta) BYTE(99) } .text : { *(.text.a) *(.text.b) } }",
    "b.ld": "SECTIONS { .text : { *(.text.b) *(.text.a) } meta : { *t.o(meta) *u.o(meta) } }",
  });
  w.sh("gcc -c t.s && gcc -c u.s && $LD t.o u.o -o t && $LD t.o u.o -T a.ld -o a && $LD t.o u.o -T b.ld -o b");
  assert.equal(bytes(image(w, "t"), "meta"), [12, 11, 22, 21, 10, 20]);
  assert.equal(bytes(image(w, "a"), "meta"), [0, 11, 21, 12, 22, 10, 20, 99]);
  assert.equal(bytes(image(w, "b"), "meta"), [12, 11, 10, 22, 21, 20]);
  for (const name of ["t", "a", "b"]) {
    const elf = image(w, name);
    assert.is(elf.need("meta").link, elf.need(".text").index, name);
    assert.is(elf.need("meta").flags, 0x82, name);
  }
}, "ld.bfd");

linkOrder.run();
