/**
 * Sections that are not just copied: excluded, link-ordered, patchable entries, address-significance tables, debug links, orphans, empty ones, .init/.fini pieces.
 */

import { ObjectBuilder } from "../../helpers/object.ts";
import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const odd = behaviour("odd sections");

odd("SHF_EXCLUDE, .note.GNU-stack, .llvm_addrsig and .gnu.lto_ sections are not in the output", (w) => {
  w.write({ "a.s": '.section .secret,"e",@progbits\n.ascii "secret"\n.section .note.GNU-stack,"",@progbits\n', "m.c": "int main(void) { return 0; }" });
  w.sh("gcc -c a.s && $CLANG -O1 -faddrsig -c m.c && gcc -B$B a.o m.o -o m && ./m");
  const names = w.elf("m").sectionNames();
  for (const name of [".secret", ".llvm_addrsig", ".note.GNU-stack"]) assert.not(names.includes(name), name);
}, "clang");

odd("a weak definition in an SHF_EXCLUDE section is none", (w) => {
  w.write({
    "a.s": '.section .gone,"e"\n.weak w\nw: .quad 1\n.data\n.quad w\n.text\n.globl _start\n_start: nop\n',
    "b.s": ".data\n.globl w\nw: .quad 7\n",
  });
  w.sh("as a.s -o a.o && as b.s -o b.o && $LD a.o -o none && $LD a.o b.o -o other && $LD -shared a.o -o a.so");
  const word = (name: string): number => w.elf(name).u64(w.elf(name).need(".data").offset);
  assert.is(word("none"), 0);
  assert.is(word("other"), w.elf("other").symbol("w")!.value);
  assert.equal(w.elf("a.so").imports(), ["w"]);
});

odd("patchable function entries keep the order of their functions, and die with them", (w) => {
  w.write({ "m.c": "#include <stdio.h>\nextern char __start___patchable_function_entries[] __attribute__((weak)); int dead(void) { return 1; } __attribute__((noinline)) int b(void) { return 2; } __attribute__((noinline)) int a(void) { return b() + 3; } int main(void) { return a() - 5; }" });
  // gcc 12 puts the entries of all functions into one section, linked to the first
  w.sh("$CLANG -O0 -ffunction-sections -fpatchable-function-entry=2 -fno-pie -c m.c && gcc -no-pie -B$B m.o -o all && ./all && gcc -no-pie -B$B m.o -Wl,--gc-sections -o gc && ./gc");
  for (const [name, functions] of [["all", ["dead", "b", "a", "main"]], ["gc", ["b", "a", "main"]]] as const) {
    const elf = w.elf(name);
    const table = elf.need("__patchable_function_entries");
    const entries = Array.from({ length: table.size / 8 }, (_, i) => elf.u64(table.offset + 8 * i));
    assert.equal(entries, functions.map((f) => elf.symbol(f)!.value).sort((x, y) => x - y), name);
  }
}, "clang");

odd("sections of any name and flags find a place; pieces of one name stay together", (w) => {
  w.write({
    "a.c": `
      __attribute__((section("my.text"))) int t1(void) { return 1; } __attribute__((section("my_data"))) int d1 = 2; __attribute__((section(".my.ro"))) const int r1 = 3;
      __attribute__((section(".text.unlikely.x"))) int t2(void) { return 4; } __attribute__((section(".data.special"))) int d2 = 5; __attribute__((section(".bss.mine"))) int b1; __attribute__((section("zero,\\"aw\\",@nobits#"))) int z1;`,
    "b.c": 'extern int d1, d2, b1, z1; extern const int r1; int t1(void), t2(void); __attribute__((section("my_data"))) int d3 = 6; int main(void) { return t1() + d1 + r1 + t2() + d2 + b1 + z1 + d3 - 21; }',
  });
  w.sh("gcc -O0 -c a.c b.c && gcc -B$B a.o b.o -o m && ./m");
  const elf = w.elf("m");
  assert.is(elf.sectionNames().filter((n) => n === "my_data").length, 1);
  assert.is(elf.need("my_data").size, 8);
  assert.not(elf.section(".data.special"));
  assert.not(elf.section(".bss.mine"));
  if (linkerName !== "bfd") assert.ok(elf.need("zero").type === 8 || elf.need("zero").type === 1);
});

odd("code fragments in .init and .fini of several objects run in order", (w) => {
  const fragment = (name: string): string => `.section .init,"ax",@progbits\n call ${name}\n`;
  w.write({ "a.s": fragment("one") + fragment("two") + '.section .fini,"ax",@progbits\n call three\n.section .note.GNU-stack,"",@progbits\n', "m.c": '#include <unistd.h>\n#define F(n, s) __attribute__((visibility("hidden"))) void n(void) { if (write(1, s, sizeof s - 1) < 0) _exit(9); }\nF(one, "one ") F(two, "two ") F(three, "three\\n")\nint main(void) { return write(1, "main ", 5) < 0; }' });
  w.sh("gcc -c a.s && gcc -O1 -c m.c && gcc -B$B a.o m.o -o m");
  assert.is(w.sh("./m"), "one two main three\n");
});

odd("code follows .init, where winegcc has the header of a PE file that tells where code begins", (w) => {
  w.write({ "a.s": '.section .init,"ax"\n jmp 1f\n.globl header\nheader: .skip 4096\n1:\n.section .note.GNU-stack,"",@progbits\n', "m.c": "extern char header[]; int main(void) { return (char *)main < header + 4096; }" });
  w.sh("gcc -c a.s m.c && gcc -B$B a.o m.o -o m && ./m && mkdir bin && ln -s $LD bin/ld.lld && gcc -B$PWD/bin -fuse-ld=lld a.o m.o -o l");
  if (linkerName === "wield") w.fails("./l");
});

odd("a zero-sized program, an object with nothing in it, zero-sized sections with symbols", (w) => {
  const nothing = new ObjectBuilder().bytes();
  const o = new ObjectBuilder();
  const empty = o.text([]);
  const marker = o.data([], ".marker");
  o.symbol("here", { in: empty });
  o.symbol("there", { in: marker });
  w.write({ "nothing.o": nothing, "empty.o": o.bytes(), "m.c": "extern char here[], there[]; int main(void) { return here == there; }" });
  w.sh("gcc -fPIE -c m.c && gcc -B$B m.o nothing.o empty.o -o m && ./m && $LD -shared nothing.o -o n.so && $LD nothing.o -o n 2>/dev/null");
  w.elf("m");
  w.elf("n.so");
});

odd("groups that are not COMDAT are all kept", (w) => {
  const make = (n: number): Uint8Array => {
    const o = new ObjectBuilder();
    const part = o.section(`.data.part`, { flags: 3, align: 4, data: [n, 0, 0, 0] });
    o.symbol(`part${n}`, { in: part, type: 1, size: 4 });
    o.group(o.symbol("sig", { in: part, bind: 0 }), [part], 0);
    return o.bytes();
  };
  w.write({ "a.o": make(1), "b.o": make(2), "m.c": "extern int part1, part2; int main(void) { return part1 + part2 - 3; }" });
  w.sh("gcc -c m.c && gcc -B$B m.o a.o b.o -o m && ./m");
});

odd("section types that ask for an unknown treatment are errors, private ones are not", (w) => {
  w.write({ "t.s": '.globl _start\n_start: nop\n.section a,"",@0x60000000\n.byte 1\n.section b,"",@0x80000001\n.byte 1\n', "u.s": '.section c,"",@0x15\n.byte 1\n.section d,"a",@0x80000001\n.byte 1\n' });
  w.sh("gcc -c t.s && gcc -c u.s && $LD t.o -o t");
  if (linkerName !== "bfd") contains(w.fails("$LD t.o u.o -o u"), "error: u.o:(c): unknown section type 0x15\n", "error: u.o:(d): unknown section type 0x80000001");
});

odd("what is loaded and called as a table of the file stands beside that table", (w) => {
  for (const name of [".shstrtab", ".strtab"]) {
    w.write({ "t.s": `.section ${name},"a"\nword: .long 42\n.text\n.globl _start\n_start: mov word(%rip), %eax\n` });
    w.sh("as t.s -o t.o 2> as.log; $LD t.o -o t && $LD -pie -s t.o -o s");
    const elf = w.elf("t");
    const loaded = elf.shdrs.filter((section) => section.name === name && (section.flags & 2) !== 0);
    assert.equal(loaded.map(({ size, offset }) => [size, elf.bytes[offset]]), [[4, 42]]);
    assert.ok(elf.symbol("_start"), name);
    assert.ok(w.elf("s").sectionNames().includes(".text"), name);
  }
});

odd("sections larger than a window arrive whole, with and without relocations", (w) => {
  w.write({
    "a.s": '.globl _start\n_start: ret\n.section .plain,"a"\n.incbin "blob"\n.section .pointed,"aw"\n.incbin "blob"\n.quad _start\n.section .notes\n.incbin "blob"\n',
  });
  w.sh("head -c 3500001 /dev/urandom > blob && as a.s -o a.o && $LD a.o -o p --threads=1 && $LD a.o -o q --threads=3 && cmp p q");
  for (const name of ["plain", "pointed", "notes"]) w.sh(`objcopy -O binary --set-section-flags .${name}=alloc,load,contents -j .${name} p ${name} && cmp -n 3500001 ${name} blob`);
}, "as", "objcopy");

odd.run();
