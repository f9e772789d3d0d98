/**
 * Relocations in read-only sections: an error by default and with -z text, DT_TEXTREL with -z notext; calls through the PLT.
 */

import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const text = behaviour("text relocations and PLT kinds");
const ABSOLUTE = '.globl get\n.text\nget: movabs $target, %rax\n mov (%rax), %eax\n ret\n.data\n.globl target\ntarget: .long 77\n.section .note.GNU-stack,"",@progbits\n';

text("-z text refuses, -z notext writes DT_TEXTREL, and the program runs", (w) => {
  w.write({ "a.s": ABSOLUTE, "m.c": "int get(void); int main(void) { return get() - 77; }" }).sh("gcc -c a.s && gcc -O1 -fPIC -c m.c");
  if (linkerName !== "bfd") contains(w.fails("gcc -B$B -shared a.o -o a.so"), /R_X86_64_64 .*(target|local symbol)/, /-z notext|-fPIC/);
  w.fails("gcc -B$B -shared a.o -Wl,-z,text -o a.so");
  w.sh("gcc -B$B -shared a.o -Wl,-z,notext -o a.so && gcc -B$B m.o ./a.so -o m && ./m");
  const elf = w.elf("a.so");
  assert.ok(elf.tag("TEXTREL") !== undefined || ((elf.tag("FLAGS") ?? 0) & 4) !== 0);
  w.sh("gcc -pie -B$B m.o a.o -Wl,-z,notext -o p && ./p");
});

text("unwind records with absolute addresses are refused where they would move, in writable .eh_frame, too", (w) => {
  if (linkerName !== "wield") return; // lld writes a program that cannot start, GNU ld other encodings
  const fde = (of: string): string => `.long 1f-0f\n0: .long 0b-.Lcie\n.quad ${of}\n.quad 1\n1:\n`;
  const cie = '.section .eh_frame,"aw",@progbits\n.Lcie: .long 1f-0f\n0: .long 0\n.byte 1\n.string ""\n.byte 1,0x78,16,0xc,7,8,0x90,1\n.zero 3\n1:\n';
  w.write({ "e.s": `.globl _start\n_start: ret\nf: ret\n${cie}${fde("_start")}${fde("f")}` }).sh("as e.s -o e.o && $LD e.o -o e");
  w.elf("e");
  for (const options of ["", "-z notext", "--pack-dyn-relocs=relr"]) contains(w.fails(`$LD -pie ${options} e.o -o p`), /R_X86_64_64 cannot be used .*recompile with -fPIC/, ".eh_frame+0x");
  w.sh("$LD -pie --noinhibit-exec e.o -o p");
  assert.is(w.elf("p").relocs().length, 0);
});

text("calls through the PLT: lazy, now, address taken, with many entries", (w) => {
  const n = 300;
  w.write({
    "l.c": Array.from({ length: n }, (_, i) => `int f${i}(int x) { return x + ${i}; }`).join("\n"),
    "m.c": `${Array.from({ length: n }, (_, i) => `int f${i}(int);`).join(" ")}\nint main(void) { long s = 0; ${Array.from({ length: n }, (_, i) => `s += f${i}(1);`).join(" ")} int (*volatile p)(int) = f7; return s != ${n + (n * (n - 1)) / 2} || p(1) != 8; }`,
  });
  w.sh("gcc -O0 -fPIC -shared l.c -B$B -o libl.so");
  for (const [name, flags] of [["lazy", "-Wl,-z,lazy"], ["now", "-Wl,-z,now"], ["exec", "-fno-pie -no-pie"], ["noplt", "-fno-plt"]] as const) {
    w.sh(`gcc -O0 ${flags} m.c -B$B ./libl.so -o ${name} && ./${name} && LD_BIND_NOW=1 ./${name}`);
    w.elf(name);
  }
});

const ENDBR64 = "f30f1efa";
const entriesOf = (code: Uint8Array, bytes: number, from = 0): string[] => {
  const list: string[] = [];
  for (let at = from; at < code.length; at += bytes) list.push(Buffer.from(code.subarray(at, at + bytes)).toString("hex"));
  return list;
};

text("what promises IBT has endbr64 in its PLT, in both halves, and runs", (w) => {
  w.write({
    "l.c": "#include <stdlib.h>\n#include <string.h>\nint twice(const char *a) { return 2 * atoi(a) + (int)strlen(a); }\nstatic int v(void) { return 5; }\nstatic int (*pick(void))(void) { return v; }\nint five(void) __attribute__((ifunc(\"pick\"), visibility(\"hidden\")));\nint ten(void) { return five() + five(); }",
    "m.c": "int twice(const char *); int ten(void); int main(void) { return twice(\"20\") + ten() - 52; }",
  });
  w.sh("gcc -O1 -fPIC -fcf-protection=full -nostdlib -shared l.c -B$B -o libl.so && gcc m.c -B$B ./libl.so -o m && ./m && LD_BIND_NOW=1 ./m");
  const elf = w.elf("libl.so");
  const plt = elf.content(".plt");
  const slots = elf.relocs().filter((reloc) => reloc.section === ".rela.plt" && reloc.type === 7);
  for (const entry of entriesOf(plt, 16, 16)) assert.ok(entry.startsWith(ENDBR64), entry);
  const second = entriesOf(elf.content(".plt.sec"), 16);
  assert.ok(second.length >= 2);
  for (const entry of second) assert.ok(entry.startsWith(`${ENDBR64}ff25`), entry);
  if (linkerName !== "wield") return;
  assert.is(second.length, slots.length);
  for (const entry of entriesOf(elf.content(".iplt"), 16)) assert.ok(entry.startsWith(`${ENDBR64}ff25`), entry);
  const gotPlt = Buffer.from(elf.content(".got.plt"));
  slots.forEach((_, i) => assert.is(Number(gotPlt.readBigUInt64LE(24 + 8 * i)), elf.need(".plt").addr + 16 + 16 * i));
});

text("an input without IBT takes the promise and the endbr64 away; -z ibtplt keeps the PLT, -z force-ibt both", (w) => {
  w.write({ "a.c": "int g(void); int f(void) { return g(); }", "b.s": ".globl h\nh: call k@PLT\n" });
  w.sh("gcc -O1 -fPIC -fcf-protection=full -c a.c && as b.s -o b.o && $LD -shared a.o b.o -o plain.so");
  assert.is(w.elf("plain.so").section(".plt.sec"), undefined);
  assert.is(w.elf("plain.so").section(".note.gnu.property"), undefined);
  if (linkerName !== "wield") return;
  w.sh("$LD -shared -z ibtplt a.o b.o -o plt.so && $LD -shared -z force-ibt a.o b.o -o forced.so 2> warned");
  assert.ok(w.elf("plt.so").section(".plt.sec"));
  assert.is(w.elf("plt.so").section(".note.gnu.property"), undefined);
  assert.ok(w.elf("forced.so").section(".plt.sec"));
  assert.ok(w.elf("forced.so").section(".note.gnu.property"));
  contains(w.read("warned"), "b.o: -z force-ibt: file does not have GNU_PROPERTY_X86_FEATURE_1_IBT property");
  contains(w.fails("$LD -shared -z force-ibt -z retpolineplt a.o -o x"), "-z force-ibt may not be used with -z retpolineplt");
  contains(w.fails("$LD -shared -z cet-report=maybe a.o -o x"), "-z cet-report= parameter maybe is not recognized");
});

text("-z retpolineplt: no indirect jump in the PLT, lazy, now, and for IFUNCs of a static program", (w) => {
  if (linkerName === "bfd") return;
  w.write({
    "l.c": "int f(int x) { return x + 1; }\nint g(int x) { return x + 2; }",
    "m.c": "int f(int); int g(int); int main(void) { int (*volatile p)(int) = f; return f(1) + g(2) + p(3) - 10; }",
    "i.c": "#include <string.h>\n#include <stdlib.h>\nint main(int c, char **v) { char b[64]; memset(b, c, 64); strcpy(b, v[0]); return strlen(b) != strlen(v[0]); }",
  });
  w.sh("gcc -O1 -fPIC -shared l.c -B$B -o libl.so && gcc -O0 -c m.c i.c");
  for (const [name, flags] of [["lazy", "-Wl,-z,lazy"], ["now", "-Wl,-z,now"], ["exec", "-no-pie -Wl,-z,lazy"]] as const) {
    w.sh(`gcc ${flags} -Wl,-z,retpolineplt m.o -B$B ./libl.so -o ${name} && ./${name}`);
    const plt = Buffer.from(w.elf(name).content(".plt")).toString("hex");
    assert.not(/ff25........(68|66)/.test(plt), "jmpq *x(%rip)");
  }
  w.sh("gcc -static -Wl,-z,retpolineplt i.o -B$B -o s && ./s && gcc -static -Wl,-z,retpolineplt,-z,now i.o -B$B -o sn && ./sn");
  assert.ok(w.elf("s").section(".plt"), "the thunk");
});

text.run();
