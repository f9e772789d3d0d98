/**
 * Every static relocation type of the x86-64 psABI in a running program, the GOTPCRELX relaxations instruction by instruction, and overflow.
 *
 * The assembler writes the relocations, a C program checks the values against its own arithmetic. Thread-local ones are in link/tls.
 */

import { ObjectBuilder } from "../../helpers/object.ts";
import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const relocations = behaviour("relocations");
const STACK = '.section .note.GNU-stack,"",@progbits\n';

const TABLE = `
  .data
  .globl base, r64, rpc32, rpc64, rgotoff, rgot, rgotpc32, rgotpc64, rgotpcrel64, rpltoff, rsize32, rsize64, rgotpcrel, target, rgot32
  .type target, @object
  .size target, 24
  .balign 8
  base: .quad 0
  target: .quad 111, 222, 333
  r64: .quad target + 8
  rpc64: .quad target + 8 - .
  rgotoff: .quad target@GOTOFF + 16
  rgot: .quad target@GOT
  rgotpc64: .quad _GLOBAL_OFFSET_TABLE_ - .
  rgotpcrel64: .quad target@GOTPCREL
  rpltoff: .quad function@PLTOFF
  rsize64: .quad target@SIZE + 1
  rpc32: .long target + 16 - .
  rgotpc32: .long _GLOBAL_OFFSET_TABLE_ - .
  rsize32: .long target@SIZE - 4
  rgotpcrel: .long target@GOTPCREL
  rgot32: .long target@GOT
  .text
  .globl got_base
  got_base: lea _GLOBAL_OFFSET_TABLE_(%rip), %rax
    ret
`;
const CHECK = `
  #include <stdio.h>
  #include <stdint.h>
  extern long target[3]; extern char got_base_dummy; char *got_base(void); int function(void) { return 7; }
  extern intptr_t r64, rpc64, rgotoff, rgot, rgotpc64, rgotpcrel64, rpltoff, rsize64; extern int rpc32, rgotpc32, rsize32, rgotpcrel, rgot32;
  int main(void) {
    int bad = 0; char *got = got_base(); char *t = (char *)target;
  #define IS(a, b) if ((intptr_t)(a) != (intptr_t)(b)) { bad = 1; printf("%s: %lx, not %lx\\n", #a, (long)(a), (long)(b)); }
    IS(r64, t + 8) IS((char *)&rpc64 + rpc64, t + 8) IS(got + rgotoff, t + 16) IS(*(char **)(got + rgot), t)
    IS((char *)&rgotpc64 + rgotpc64, got) IS(*(char **)((char *)&rgotpcrel64 + rgotpcrel64), t)
    IS(((int (*)(void))(got + rpltoff))(), 7) IS(rsize64, 25)
    IS((char *)&rpc32 + rpc32, t + 16) IS((char *)&rgotpc32 + rgotpc32, got) IS(rsize32, 20) IS(*(char **)((char *)&rgotpcrel + rgotpcrel), t)
    IS(*(char **)(got + rgot32), t)
    puts(bad ? "bad" : "ok"); return bad;
  }`;

relocations("what --unresolved-symbols leaves undefined is 0 in an executable that is not moved, for code without -fPIC, too", (w) => {
  w.write({
    "m.c": '#include <stdio.h>\nextern int gone; int lost(void); int *volatile word = &gone; int (*volatile other)(void) = lost; int main(int c, char **v) { if (c > 5) return gone + lost(); printf("%d %d\\n", word == 0, other == 0); return 0; }',
  });
  w.sh("gcc -fno-pie -c m.c");
  for (const option of ["--unresolved-symbols=ignore-all", "--warn-unresolved-symbols", "--noinhibit-exec"]) assert.is(w.sh(`gcc -B$B -no-pie m.o -Wl,${option} -o p 2>/dev/null && ./p`), "1 1\n", option);
});

relocations("64-bit relative fields of data refer to what shared objects define: no dynamic linker fills them in", (w) => {
  w.write({
    "t.s": `.data\n.balign 8\n.globl table\ntable: .quad puts - ., environ - .\n${STACK}`,
    "m.c": '#include <stdio.h>\nextern long table[2]; extern char **environ; int main(void) { int (*say)(const char *) = (void *)((char *)table + table[0]); say("said"); return (char *)&table[1] + table[1] != (char *)&environ; }',
  });
  w.sh("gcc -fno-pie -c m.c t.s && gcc -B$B -no-pie m.o t.o -o exec && ./exec && gcc -fPIE -c m.c && gcc -B$B -pie m.o t.o -o pie");
  assert.is(w.sh("./exec && ./pie"), "said\nsaid\n");
  if (linkerName !== "wield") return;
  contains(w.fails("$LD -shared t.o -z defs -o t.so $(gcc -print-file-name=libc.so.6)"), "relocation R_X86_64_PC64 cannot be used against symbol 'puts'; recompile with -fPIC");
  contains(w.sh("$LD -shared t.o -z notext -o t.so && readelf -rW t.so"), /R_X86_64_PC64 .* puts/);
});

relocations("data relocations of every width and kind", (w) => {
  // ld.lld does not know R_X86_64_GOTPCREL64
  const lld = linkerName === "lld";
  w.write({ "t.s": (lld ? TABLE.replace("target@GOTPCREL\n  rpltoff", "0\n  rpltoff") : TABLE) + STACK, "m.c": lld ? CHECK.replace("IS(*(char **)((char *)&rgotpcrel64 + rgotpcrel64), t)", "") : CHECK });
  w.sh("gcc -c t.s");
  for (const [name, flags] of [["pie", "-fPIE -pie"], ["exec", "-fno-pie -no-pie"], ["static", "-fno-pie -no-pie -static"], ["spie", "-fPIE -static-pie"]] as const) {
    w.sh(`gcc -O1 ${flags} m.c t.o -B$B -o ${name}`);
    // GNU ld makes no pointer-sized GOT entry for a PLTOFF64 to a function of the program itself
    assert.is(w.sh(`./${name} || true`), "ok\n", name);
    w.elf(name);
  }
});

relocations("absolute 32, 16 and 8 bits in a position dependent program", (w) => {
  w.write({
    "t.s": `
      .globl r32, r32s, r16, r8, rpc16, rpc8, there, back
      .set small16, 0x1234
      .data
      there: .long 5
      r32: .long there
      r32s: .quad 0
      r16: .word abs16
      r8: .byte abs8
      .balign 2
      rpc16: .word there - .
      rpc8: .byte near - .
      near: .byte 0
      .text
      .globl load
      load: movslq there, %rax
        mov there(,%rdi,4), %eax
        ret
      ${STACK}`,
    "m.c": '#include <stdio.h>\nextern int there; extern unsigned r32; extern short r16, rpc16; extern unsigned char r8, rpc8; int load(long); int main(void) { printf("%d %x %d %d %d %d\\n", r32 == (unsigned)(long)&there, r16, r8, (char *)&rpc16 + rpc16 == (char *)&there, rpc8, load(0)); }',
  });
  w.sh("gcc -c t.s && gcc -O1 -fno-pie -no-pie m.c t.o -B$B -Wl,--defsym=abs16=0x1234,--defsym=abs8=200 -o m");
  assert.is(w.sh("./m"), "1 1234 200 1 1 5\n");
});

const FORMS: [string, string][] = [
  ["mov v@GOTPCREL(%rip), %rax\n mov (%rax), %rax", "42"], ["mov v@GOTPCREL(%rip), %r9\n mov (%r9), %rax", "42"], ["call *f@GOTPCREL(%rip)", "7"], ["jmp *f@GOTPCREL(%rip)", "7"],
  ["mov v@GOTPCREL(%rip), %rcx\n lea 1(%rcx), %rax\n sub v@GOTPCREL(%rip), %rax", "1"], ["xor %eax, %eax\n add v@GOTPCREL(%rip), %rax\n mov (%rax), %rax", "42"],
  ["xor %eax, %eax\n or v@GOTPCREL(%rip), %rax\n mov (%rax), %rax", "42"], ["mov $-1, %rax\n and v@GOTPCREL(%rip), %rax\n mov (%rax), %rax", "42"],
  ["xor %r10d, %r10d\n xor v@GOTPCREL(%rip), %r10\n mov (%r10), %rax", "42"], ["lea v(%rip), %rcx\n xor %eax, %eax\n cmp v@GOTPCREL(%rip), %rcx\n sete %al", "1"],
  ["lea v(%rip), %r12\n mov %r12, %r11\n xor %eax, %eax\n test %r11, v@GOTPCREL(%rip)\n setnz %al", "1"], ["clc\n mov $0, %eax\n adc v@GOTPCREL(%rip), %rax\n mov (%rax), %rax", "42"],
  ["clc\n lea v(%rip), %rax\n sbb v@GOTPCREL(%rip), %rax", "0"], ["push v@GOTPCREL(%rip)\n pop %rax\n mov (%rax), %rax", "42"], ["mov w@GOTPCREL(%rip), %rax\n test %rax, %rax\n setz %al\n movzx %al, %eax", "1"],
  ["mov v@GOTPCREL+4(%rip), %eax\n xor %eax, %eax", "0"],
];

relocations("GOTPCRELX relaxations, each instruction form, in every kind of output", (w) => {
  const text = FORMS.map(([code], i) => `.globl t${i}\nt${i}: push %r12\n call 1f\n pop %r12\n ret\n1: ${code}\n ret`).join("\n");
  w.write({
    "t.s": `.weak w\n.data\n.globl v\n.hidden v\nv: .quad 42\n.text\n.globl f\n.hidden f\nf: mov $7, %eax\n ret\n${text}\n${STACK}`,
    "m.c": `#include <stdio.h>\n${FORMS.map((_, i) => `long t${i}(void);`).join(" ")}\nint main(void) { ${FORMS.map((_, i) => `printf("%ld ", t${i}());`).join(" ")} return 0; }`,
  });
  w.sh("gcc -c t.s && gcc -c -Wa,-mrelax-relocations=no t.s -o plain.o");
  const expected = FORMS.map(([, value]) => value + " ").join("");
  for (const object of ["t.o", "plain.o"]) {
    for (const [name, flags] of [["pie", "-fPIE -pie"], ["exec", "-fno-pie -no-pie"], ["static", "-fno-pie -no-pie -static"], ["spie", "-fPIE -static-pie"], ["norelax", "-fPIE -pie -Wl,--no-relax"]] as const) {
      if (name === "norelax" && linkerName === "bfd") continue;
      w.sh(`gcc -O1 ${flags} m.c ${object} -B$B -o ${name}`);
      assert.is(w.sh(`./${name}`), expected, `${object} ${name}`);
      w.elf(name);
    }
  }
});

relocations("a shared object keeps GOT loads of preemptible symbols and relaxes hidden ones", (w) => {
  w.write({ "a.c": '__attribute__((visibility("hidden"))) int hidden = 1; int visible = 2; __attribute__((visibility("hidden"))) int fh(void) { return 3; } int fv(void) { return 4; } int sum(void) { return hidden + visible + fh() + fv(); } void *addresses[] = { &hidden, &visible, fh, fv };' });
  w.sh("gcc -O0 -fPIC -fno-plt -c a.c && gcc -B$B -shared a.o -o a.so");
  const elf = w.elf("a.so");
  const names = elf.relocs().filter((r) => r.type === 6).map((r) => r.name).filter((n) => /^(hidden|visible|fh|fv)$/.test(n)).sort();
  assert.equal(names, ["fv", "visible"]);
});

relocations("overflow is diagnosed with place, type, value, bounds and symbol", (w) => {
  if (linkerName === "bfd") return;
  const cases: [string, number, number, string][] = [["8", 14, 256, "R_X86_64_8"], ["16", 12, 0x12345, "R_X86_64_16"], ["32", 10, 0x123456789, "R_X86_64_32"], ["32s", 11, 0x80000000, "R_X86_64_32S"], ["pc32", 2, 0x7fffffff0000, "R_X86_64_PC32"], ["plt32", 4, 0x7fffffff0000, "R_X86_64_PLT32"]];
  for (const [name, type, value, spelled] of cases) {
    const o = new ObjectBuilder();
    const text = o.text(new Uint8Array(16));
    o.symbol("_start", { in: text, type: 2, size: 16 });
    o.reloc(text, 3, type, o.symbol("far_away"), 0);
    w.write({ [`${name}.o`]: o.bytes() });
    const errors = w.fails(`$LD ${name}.o --defsym=far_away=0x${value.toString(16)} -o ${name}`);
    contains(errors, spelled, /out of range/, "far_away", new RegExp(`${name}\\.o:\\(.*\\.text\\+0x3\\)`), /\[-?\d+, \d+\]/);
    assert.not(w.exists(name));
  }
});

relocations("the least and the greatest value that a field holds are written, the next ones are out of range", (w) => {
  if (linkerName === "bfd") return;
  const limits: [string, number, number, number][] = [
    ["32", 4, 0, 2 ** 32 - 1],
    ["32S", 4, -(2 ** 31), 2 ** 31 - 1],
    ["16", 2, -(2 ** 15), 2 ** 16 - 1],
    ["8", 1, -(2 ** 7), 2 ** 8 - 1],
    ["PC32", 4, -(2 ** 31), 2 ** 31 - 1],
    ["PC16", 2, -(2 ** 15), 2 ** 15 - 1],
    ["PC8", 1, -(2 ** 7), 2 ** 7 - 1],
  ];
  // Each field has 8 bytes, of which those behind it must stay as they are.
  const fields = (outside: 0 | 1): [string, number, number][] => limits.flatMap(([type, bytes, least, greatest]): [string, number, number][] => [[type, bytes, least - outside], [type, bytes, greatest + outside]]);
  const source = (outside: 0 | 1): string => `.data\n${fields(outside).map(([type, , value]) => `.reloc ., R_X86_64_${type}, ${type.startsWith("PC") ? "." : "zero"} + ${value}\n.quad -1\n`).join("")}.globl _start\n.text\n_start: ret\n`;
  w.write({ "in.s": source(0), "out.s": source(1) });
  w.sh("as in.s -o in.o && as out.s -o out.o && $LD in.o --defsym=zero=0 -o in");
  const data = w.elf("in").content(".data");
  const view = new DataView(data.buffer, data.byteOffset);
  for (const [i, [type, bytes, value]] of fields(0).entries()) assert.is(view.getBigInt64(8 * i, true), BigInt.asIntN(64, (-1n << BigInt(8 * bytes)) | BigInt.asUintN(8 * bytes, BigInt(value))), `${type} ${value}`);
  const errors = w.fails("$LD out.o --defsym=zero=0 --error-limit=0 -o out");
  const found = [...errors.matchAll(/\.data\+0x([0-9a-f]+)\)?: relocation R_X86_64_(\w+) out of range: (-?\d+) is not in/g)].map(([, at, type, value]) => `${parseInt(at!, 16)} ${type} ${value}`);
  assert.equal(found, fields(1).map(([type, , value], i) => `${8 * i} ${type} ${type === "32" ? BigInt.asUintN(64, BigInt(value)) : value}`));
}, "as");

relocations("overflow names who defines the symbol: a file, an option, a line of a script, the linker", (w) => {
  if (linkerName === "bfd") return;
  w.write({ "a.s": ".globl _start\n_start: movb $far, %al\n", "f.s": ".globl far\nfar = 0x1000\n", "x.ld": "other = 1;\nfar = 0x1000;\n", "e.s": ".globl _start\n_start: movb $_end, %al\n" });
  w.sh("for f in a f e; do as $f.s -o $f.o; done");
  const cases = [["a.o f.o", "f.o"], ["a.o --defsym=far=0x1000", "--defsym"], ["a.o -T x.ld", "x.ld:2"], ["e.o", "<internal>"]];
  for (const [words, definedIn] of cases) contains(w.fails(`$LD ${words} -o x`), "relocation R_X86_64_8 out of range: ", `\n>>> defined in ${definedIn}\n`);
}, "as");

relocations("an unknown relocation type is an error that names it", (w) => {
  for (const type of [200, 0x7fffffff]) {
    const o = new ObjectBuilder();
    const text = o.text(new Uint8Array(16));
    o.reloc(text, 0, type, o.symbol("_start", { in: text, type: 2, size: 16 }), 0);
    w.write({ "u.o": o.bytes() });
    contains(w.fails("$LD u.o -o u"), "u.o", /unknown relocation|unrecognized relocation|unsupported relocation/i);
    assert.not(w.exists("u"));
  }
});

relocations("a relocation against a discarded section of a group is an error in code and a tombstone in debug information", (w) => {
  if (linkerName === "bfd") return;
  const make = (n: number, inner: boolean): Uint8Array => {
    const o = new ObjectBuilder();
    const text = o.text(new Uint8Array(8));
    const grouped = o.section(".text.g", { flags: 6, data: [0xc3, n] });
    const local = o.symbol("inner", { in: grouped, bind: 0 });
    o.group(o.symbol("g", { in: grouped, bind: 2 }), [grouped]);
    const debug = o.section(".debug_info", { data: new Uint8Array(8) });
    o.symbol(`start${n}`, { in: text });
    o.reloc(debug, 0, 1, local, 0);
    if (inner) o.reloc(text, 0, 2, local, 0);
    return o.bytes();
  };
  w.write({ "a.o": make(1, false), "b.o": make(2, false), "c.o": make(3, true) });
  w.sh("$LD a.o b.o -e start1 -o m");
  assert.equal([...w.elf("m").content(".debug_info").subarray(8, 16)], [0, 0, 0, 0, 0, 0, 0, 0]);
  contains(w.fails("$LD a.o c.o -e start1 -o bad"), /discarded section|relocation refers to a/, "c.o");
});

relocations.run();
