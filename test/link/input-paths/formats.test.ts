/**
 * Inputs that are no objects: -b binary, --just-symbols, -R.
 */
import { assert, behaviour, contains, lacks, linkerName } from "../../helpers/link.ts";

const formats = behaviour("input-formats");
const MAIN = `extern char start[] __asm__("_binary_dir_a_b_txt_start"), end[] __asm__("_binary_dir_a_b_txt_end"), size[] __asm__("_binary_dir_a_b_txt_size");
#include <stdio.h>
int main(void) { printf("%.*s %d %d\\n", (int)(end - start), start, (int)(end - start), (int)(long)size); }`;

formats("-b binary puts a file between two symbols, until --format=default", (w) => {
  w.write({ "dir/a-b.txt": "hello, world", "m.c": MAIN });
  assert.is(w.sh("gcc -no-pie -B$B -Wl,-b,binary dir/a-b.txt -Wl,--format=default m.c -o m && ./m"), "hello, world 12 12\n");
});

formats("TARGET(binary) of a script does so for the files that its INPUT names", (w) => {
  w.write({ "dir/a-b.txt": "hello, world", "m.c": MAIN, "t.ld": "TARGET(binary) INPUT(dir/a-b.txt) TARGET(elf64-x86-64) INPUT(m.o)" });
  assert.is(w.sh("gcc -fno-pie -c m.c && gcc -no-pie -B$B t.ld -o m && ./m"), "hello, world 12 12\n");
});

formats("-r -b binary makes an object that links", (w) => {
  w.write({ "dir/a-b.txt": "x".repeat(100_000), "m.c": MAIN });
  assert.is(w.sh("$LD -m elf_x86_64 -r -b binary dir/a-b.txt -o a.o && gcc -no-pie -B$B a.o m.c -o m && ./m | wc -c").trim(), String(100_000 + 1 + 7 + 7));
  contains(w.sh("readelf -SW a.o"), /\.data +PROGBITS .* WA +0 +0 +8\n/);
});

formats("data does not take IBT and SHSTK from a link, nor an executable stack to it", (w) => {
  if (linkerName !== "wield") return;
  w.write({ a: "x", "m.s": ".globl _start\n_start: ret\n.section .note.gnu.property,\"a\"\n.align 8\n.long 4,16,5\n.asciz \"GNU\"\n.long 0xc0000002,4,3,0\n.section .note.GNU-stack,\"\"\n" });
  const notes = w.sh("as m.s -o m.o && $LD m.o -b binary a -o m && readelf -nlW m");
  contains(notes, "IBT, SHSTK", /GNU_STACK.* RW /);
});

formats("--just-symbols takes addresses from a program and nothing else; -R does when it names a file", (w) => {
  w.write({ "a.s": ".globl _start, f, v\n_start: f: ret\n.data\nv: .quad 1\n.text\nlocal: ret\n", "b.s": ".globl go\ngo: call f\nmov $v, %eax\n" });
  w.sh("as a.s -o a.o && $LD a.o -o a && as b.s -o b.o && $LD -e go --just-symbols=a b.o -o b -Ttext=0x400000");
  const [a, b] = [w.elf("a"), w.elf("b")];
  for (const name of ["f", "v"]) assert.is(b.symbol(name)!.value, a.symbol(name)!.value);
  assert.is(b.symbol("local"), undefined);
  assert.is(w.sh("objdump -d b | grep -c '# 0\\|call '").trim(), "1");
  if (linkerName !== "wield") return;
  w.sh("mkdir lib && $LD -e go -R a -Rlib b.o -o c -Ttext=0x400000 && cmp b c && $LD -shared -Ra -R lib a.o -o l.so --allow-multiple-definition");
  contains(w.sh("readelf -d l.so"), "runpath: [lib]");
  lacks(w.sh("readelf -d l.so"), "runpath: [a");
  contains(w.fails("$LD -e go --just-symbols=b.s b.o -o d"), "b.s: --just-symbols: not an ELF file");
  w.sh("strip a -o stripped && $LD a.o --just-symbols=stripped -o e && cmp a e");
});

formats.run();
