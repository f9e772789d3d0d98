/** --optimize-bb-jumps: blocks in sections of their own fall through to each other. */

import { assert, behaviour } from "../../helpers/link.ts";

const jumps = behaviour("optimize-bb-jumps");

jumps("jumps to the next block go, conditional ones over it are turned; the program does the same", (w) => {
  w.write({ "m.c": `
    #include <stdio.h>
    __attribute__((noinline)) int f(int x) { int s = 0; for (int i = 0; i < x; i++) { if (i % 3 == 0) s += i; else if (i % 7 == 1) s ^= x; else s -= 2; } return s; }
    int main(int argc, char **argv) { int s = 0; for (int i = 0; i < 50; i++) s = s * 31 + f(i + argc); printf("%d\\n", s); return 0; }` });
  w.sh("$CLANG -O1 -fbasic-block-sections=all -c m.c && gcc -B$B m.o -o plain && gcc -B$B m.o -Wl,--optimize-bb-jumps -o short && gcc -B$B m.o -Wl,--optimize-bb-jumps,--no-optimize-bb-jumps -o same && cmp plain same");
  assert.is(w.sh("./short"), w.sh("./plain"));
  const size = (name: string): number => w.elf(name).section(".text")!.size;
  assert.ok(size("short") < size("plain") - 20, `${size("plain")} to ${size("short")}`);
}, "clang");

jumps("sizes of functions shrink with them, and nothing comes between the blocks", (w) => {
  w.write({ "a.s": `
    .globl _start, g
    .section .text,"ax",@progbits,unique,1
    .type f,@function
    f: nop
      je g
      .byte 0xe9
      .long far - . - 4
    end:
    .size f, . - f
    .section .text,"ax",@progbits,unique,2
    g: nop
    .byte 0xe9
    .long _start - . - 4
    .section .text,"ax",@progbits,unique,3
    .p2align 4
    _start: nop
    far: ret` });
  w.sh("as a.s -o a.o && $LD a.o --optimize-bb-jumps -o m");
  const elf = w.elf("m");
  const [f, g, end] = [elf.symbol("f")!, elf.symbol("g")!, elf.symbol("end")!];
  assert.is(f.size, 7);
  assert.is(g.value, f.value + 7);
  assert.is(end.value, g.value);
  const text = elf.content(".text");
  const start = f.value - elf.section(".text")!.addr;
  assert.equal([...text.subarray(start, start + 3)], [0x90, 0x0f, 0x85], "je has become jne");
  assert.is(text[start + 8], 0xe9, "the jump to an aligned block stays");
});

jumps("unwind records cover as much less, whether or not they are listed", (w) => {
  w.write({ "a.s": `
    .globl _start
    .section .text,"ax",@progbits,unique,1
    f: .cfi_startproc
    nop
    .byte 0xe9
    .long _start - . - 4
    .cfi_endproc
    .section .text,"ax",@progbits,unique,2
    _start: ret` });
  w.sh("as a.s -o a.o");
  for (const option of ["--eh-frame-hdr", "--no-eh-frame-hdr"]) {
    w.sh(`$LD a.o --optimize-bb-jumps ${option} -o m`);
    const frames = w.elf("m").content(".eh_frame");
    // Behind a CIE of 24 bytes: length, CIE pointer, address, range.
    assert.is(new DataView(frames.buffer, frames.byteOffset).getUint32(24 + 12, true), 1, option);
  }
});

jumps.run();
