/**
 * Big alignments and big data: sections aligned beyond a page, .ldata/.lbss of the medium model, TLS aligned to a page, thousands of pages of .bss.
 */

import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const large = behaviour("large data and alignment");

large("variables and functions aligned to 64 KiB, and TLS aligned to a page", (w) => {
  w.write({ "m.c": `
    #include <stdio.h>
    __attribute__((aligned(65536))) int data = 1; __attribute__((aligned(65536))) int bss; const __attribute__((aligned(16384))) int ro = 2;
    __attribute__((aligned(8192))) int f(void) { return 3; } __thread __attribute__((aligned(4096))) int tls = 4; __thread __attribute__((aligned(256))) int tbss;
    int main(void) { printf("%lx %lx %lx %lx %lx %lx %d\\n", (long)&data & 65535, (long)&bss & 65535, (long)&ro & 16383, (long)f & 8191, (long)&tls & 4095, (long)&tbss & 255, data + bss + ro + f() + tls + tbss); }` });
  for (const [name, flags] of [["pie", "-fPIE -pie"], ["exec", "-fno-pie -no-pie"], ["static", "-fno-pie -no-pie -static"]] as const) {
    w.sh(`gcc -O1 ${flags} m.c -B$B -o ${name}`);
    const elf = w.elf(name);
    assert.ok(elf.segments(1).some((p) => p.align >= 65536), name);
    const line = w.sh(`./${name}`).split(" ");
    // the kernel of this machine may load a PIE at less than its alignment; only the others must be exact
    if (name !== "pie") assert.is(line.join(" "), "0 0 0 0 0 0 10\n", name);
    else assert.is(line.slice(4).join(" "), "0 0 10\n", name);
  }
});

large("medium code model: large arrays in .ldata and .lbss, beyond 2 GiB", (w) => {
  w.write({ "m.c": `
    #include <stdio.h>
    static char huge[3ul << 30]; int near_bss[100]; long table[20000] = { 5 }; const long constants[20000] = { [19999] = 6 };
    int main(void) { huge[(3ul << 30) - 1] = 7; near_bss[3] = 8; printf("%d %ld %ld %d\\n", huge[(3ul << 30) - 1], table[0], constants[19999], near_bss[3]); }` });
  for (const [name, flags] of [["exec", "-fno-pie -no-pie"], ["static", "-fno-pie -no-pie -static"], ["pie", "-fPIE -pie"]] as const) {
    w.sh(`gcc -O1 -mcmodel=medium ${flags} m.c -B$B -o ${name}`);
    assert.is(w.sh(`./${name}`), "7 5 6 8\n", name);
    w.elf(name);
  }
});

large("common symbols of the medium model lie behind all that is small, unless small code knows them, too", (w) => {
  if (linkerName === "lld") return; // takes them for absolute
  w.write({
    "m.c": `
      #include <stdio.h>
      char huge[3ul << 30]; int near_bss[100]; char both[100000]; char *shorter(void); int other(void);
      int main(void) { huge[(3ul << 30) - 1] = 7; near_bss[3] = 8; both[9] = 4; printf("%d %d %d %d\\n", huge[(3ul << 30) - 1], near_bss[3], other(), shorter() == both); }`,
    "n.c": "int near_other[10]; char both[90000]; int other(void) { return near_other[4] + both[9]; } char *shorter(void) { return both; }",
  });
  for (const [name, flags] of [["exec", "-fno-pie -no-pie"], ["pie", "-fPIE -pie"]] as const) {
    w.sh(`gcc -O1 -fcommon ${flags} -mcmodel=medium -c m.c && gcc -O1 -fcommon ${flags} -c n.c`);
    for (const files of ["m.o n.o", "n.o m.o"]) {
      w.sh(`gcc ${flags} ${files} -B$B -o ${name}`);
      assert.is(w.sh(`./${name}`), "7 8 4 1\n", `${name} ${files}`);
    }
  }
  w.write({ "s.ld": "SECTIONS { .text : { *(.text*) } .bss : { *(.bss COMMON) } }" }).sh("$LD -r m.o n.o -o r.o && gcc -no-pie r.o -B$B -o r && ./r && $LD -T s.ld --unresolved-symbols=ignore-all -e main m.o -o s");
  contains(w.sh("readelf -SW s"), " .lbss ");
});

large("large code and constants stand apart from small code, which has its data beside it", (w) => {
  if (linkerName !== "wield") return; // lld since 20
  w.write({ "m.s": `
    .globl _start
    _start: movabs $far, %rax
    call *%rax
    mov near(%rip), %edi
    mov $60, %eax
    syscall
    .section .ltext,"axl",@progbits
    far: ret
    .section .lrodata,"al",@progbits
    .quad 1
    .section .rodata,"a",@progbits
    .quad 1
    .data
    near: .long 5` });
  for (const options of ["", "-z separate-code", "--no-rosegment"]) {
    w.sh(`as m.s -o m.o && $LD ${options} m.o -o m && { ./m || test $? = 5; }`);
    const order = [".ltext", ".lrodata", ".rodata", ".text", ".data"];
    assert.equal(w.elf("m").sectionNames().filter((name) => order.includes(name)), order, options);
  }
});

large("a .bss beyond 2 GiB: what code may not reach is found through the GOT", (w) => {
  if (linkerName === "bfd") return; // "failed to convert GOTPCREL relocation"
  w.write({
    "m.c": "extern char huge[], after[], _end[]; extern int near; int main(void) { huge[5] = 1; after[0] = 2; return huge[5] + after[0] + near + (_end == 0); }",
    "data.c": "char huge[0x90000000], after[8]; int near = 4;",
  });
  w.sh("gcc -O1 -fPIC -c m.c data.c");
  for (const flags of ["-pie", "-no-pie"]) w.sh(`gcc ${flags} -B$B m.o data.o -o m && { ./m || test $? = 7; }`);
  w.sh("$LD -shared m.o data.o -z defs --defsym _end=0 -Bsymbolic -o m.so");
});

large("two hundred thousand symbols and strings", (w) => {
  const lines: string[] = [".text"];
  for (let i = 0; i < 50_000; i++) lines.push(`.globl symbol_number_${i}\nsymbol_number_${i}: ret\nlocal_${i}: ret`);
  lines.push('.section .rodata.str1.1,"aMS",@progbits,1');
  for (let i = 0; i < 50_000; i++) lines.push(`.asciz "string ${i % 25_000}"`);
  w.write({ "t.s": lines.join("\n") + '\n.section .note.GNU-stack,"",@progbits\n', "m.c": "int main(void) { return 0; }" });
  w.sh("gcc -c t.s m.c && gcc -B$B m.o t.o -o m && ./m && gcc -B$B -shared t.o -o t.so");
  assert.is(w.elf("m").symtab().filter((s) => /^(symbol_number|local)_/.test(s.name)).length, 100_000);
  assert.is(w.elf("t.so").exports().length, 50_000);
  assert.is(w.elf("m").text(".rodata").split("\0").filter((s) => s.startsWith("string ")).length, 25_000);
});

large("-z lrodata-after-bss puts large constants behind what small code reaches; _edata does not count large sections", (w) => {
  w.write({ "a.s": ".globl _start\n_start: mov $_edata, %rax\n.section .rodata,\"a\"\n.byte 1\n.data\n.byte 2\n.bss\n.zero 8\n.section .lrodata,\"al\",@progbits\n.byte 3\n.section .ldata,\"awl\",@progbits\n.byte 4\n.section .lbss,\"awl\",@nobits\n.zero 8\n" });
  if (linkerName === "bfd") return;
  w.sh("$CLANG -c --target=x86_64-linux a.s -o a.o && $LD a.o -o a && $LD -z lrodata-after-bss a.o -o late");
  const order = (name: string) => w.elf(name).sectionNames().filter((section) => /^\.(l?rodata|l?data|l?bss|text)$/.test(section));
  assert.equal(order("a"), [".lrodata", ".rodata", ".text", ".data", ".bss", ".ldata", ".lbss"]);
  assert.equal(order("late"), [".rodata", ".text", ".data", ".bss", ".lbss", ".lrodata", ".ldata"]);
  const elf = w.elf("a");
  assert.is(elf.symbol("_edata")!.value, elf.need(".data").addr + elf.need(".data").size);
}, "clang");

// The start file of static position-independent programs reads main's address from the GOT before anybody has relocated it.
large("a static position-independent program whose main is in a large section starts", (w) => {
  w.write({ "m.c": "#include <stdio.h>\nint main(void) { puts(\"large\"); return 0; }" });
  w.sh("$CLANG -fPIE -mcmodel=large -c m.c -o m.o && gcc -static-pie m.o -B$B -o m");
  if (linkerName !== "bfd") assert.is(w.sh("./m"), "large\n");
}, "clang");

large("an instruction that loads the address of a large section's symbol keeps its GOT entry where the symbol is too far", (w) => {
  w.write({ "a.s": `.globl _start
_start: mov near@GOTPCREL(%rip), %rax
  mov far@GOTPCREL(%rip), %rbx
  movl $7, (%rbx)
  mov (%rax), %edi
  add (%rbx), %edi
  cmp far@GOTPCREL(%rip), %rbx
  je 1f
  xor %edi, %edi
1: mov $60, %eax
  syscall
.section .ldata,"awl",@progbits
near: .long 5
.section .lbss,"awl",@nobits
.zero 0xc0000000
far: .zero 8
` });
  w.sh("as a.s -o a.o && $LD a.o -o a");
  assert.is(w.sh("s=0; ./a || s=$?; echo $s"), "12\n");
});

large.run();
