/**
 * -fsplit-stack: code that checks its stack calls code that does not, and sees to enough stack for it.
 */

import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";

const split = behaviour("split stacks");

split("callers of ordinary functions ask for more stack, and the program runs", (w) => {
  w.write({
    "s.c": "#include <stdio.h>\nint plain(int); __attribute__((noinline)) int own(int x) { return x + 1; } __attribute__((noinline)) int alone(int x) { volatile char b[300]; b[x & 63] = own(x); return b[x & 63]; }\n__attribute__((noinline)) int deep(int n) { volatile char b[200]; b[n & 127] = n; return n == 0 ? plain(b[0]) : deep(n - 1) + b[n & 127]; }\nint main(void) { printf(\"%d %d\\n\", deep(100), alone(4)); return 0; }",
    "p.c": "int plain(int x) { volatile char big[9000]; big[x & 15] = 3; return big[x & 15]; }",
  });
  w.sh("gcc -O1 -fsplit-stack -c s.c && gcc -O1 -c p.c && gcc -fsplit-stack -B$B s.o p.o -o s");
  assert.is(w.sh("./s"), "5053 5\n");
  const elf = w.elf("s");
  assert.not(elf.sectionNames().some((name) => name.includes("split-stack")));
  if (linkerName !== "wield" && linkerName !== "lld") return;
  const code = (name: string): Buffer => Buffer.from(elf.bytes.subarray(elf.fileOffset(elf.symbol(name)!.value)));
  assert.is(code("deep")[0], 0xf9, "stc: always asks");
  assert.is(code("alone").toString("hex", 0, 5).slice(0, 4) === "f90f", false, "calls only its like");
});

split("prologues that are not known, and what is missing, are errors", (w) => {
  if (linkerName !== "wield" && linkerName !== "lld") return;
  const note = '.section .note.GNU-split-stack,"",@progbits\n';
  const odd = ".globl odd, odd2\n.type odd,@function\n.type odd2,@function\nodd: odd2: push %rbp\ncall __morestack\ncall plain\nret\n.size odd, . - odd\n.size odd2, . - odd2\n";
  w.write({ "a.s": odd + note, "no.s": `${odd}${note}.section .note.GNU-no-split-stack,"",@progbits\n`, "p.s": ".globl plain\n.type plain,@function\nplain: ret\n" });
  w.sh("for i in a no p; do as $i.s -o $i.o; done");
  const text = w.fails("$LD -e odd --defsym __morestack=0x100 --defsym __morestack_non_split=0x200 a.o p.o -o x");
  contains(text, "a.o:(.text): odd (with -fsplit-stack) calls plain (without -fsplit-stack), but couldn't adjust its prologue");
  lacks(text, "odd2 (with");
  contains(w.fails("$LD -e odd --defsym __morestack=0x100 a.o p.o -o x"), "mixing split-stack objects requires a definition of __morestack_non_split");
  contains(w.fails("$LD -r a.o p.o -o r.o"), "cannot mix split-stack and non-split-stack in a relocatable link");
  w.sh("$LD -e odd --image-base=0x10000 --defsym __morestack=0x10100 --defsym __morestack_non_split=0x10200 no.o p.o -o x");
});

split("--split-stack-adjust-size says how much more a large frame asks for", (w) => {
  if (linkerName !== "wield" && linkerName !== "lld") return;
  const note = '.section .note.GNU-split-stack,"",@progbits\n';
  w.write({ "a.s": `.globl f\n.type f,@function\nf: lea -0x1000(%rsp), %r11\ncmp %fs:0x70, %r11\njae 1f\ncall __morestack\nret\n1: call plain\nret\n.size f, . - f\n${note}`, "p.s": ".globl plain\n.type plain,@function\nplain: ret\n" });
  w.sh("as a.s -o a.o && as p.s -o p.o");
  const asks = (flag: string): number => {
    w.sh(`$LD -e f --image-base=0x10000 --defsym __morestack=0x10100 --defsym __morestack_non_split=0x10200 ${flag} a.o p.o -o x`);
    const elf = w.elf("x");
    return Buffer.from(elf.bytes).readInt32LE(elf.fileOffset(elf.symbol("f")!.value) + 4);
  };
  assert.is(asks(""), -0x1000 - 0x4000);
  assert.is(asks("--split-stack-adjust-size=64"), -0x1000 - 64);
});

split.run();
