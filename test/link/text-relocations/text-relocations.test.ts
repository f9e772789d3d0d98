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

text("calls through the PLT: lazy, now, address taken, with many entries", (w) => {
  const n = 300;
  w.write({
    "l.c": Array.from({ length: n }, (_, i) => `int f${i}(int x) { return x + ${i}; }`).join("\n"),
    "m.c": `${Array.from({ length: n }, (_, i) => `int f${i}(int);`).join(" ")}\nint main(void) { long s = 0; ${Array.from({ length: n }, (_, i) => `s += f${i}(1);`).join(" ")} int (*volatile p)(int) = f7; return s != ${n + (n * (n - 1)) / 2} || p(1) != 8; }`,
  });
  w.sh("gcc -O0 -fPIC -shared l.c -B$B -o libl.so");
  for (const [name, flags] of [["lazy", "-Wl,-z,lazy"], ["now", "-Wl,-z,now"], ["exec", "-fno-pie -no-pie"], ["noplt", "-fno-plt"]]) {
    w.sh(`gcc -O0 ${flags} m.c -B$B ./libl.so -o ${name} && ./${name} && LD_BIND_NOW=1 ./${name}`);
    w.elf(name);
  }
});

text.run();
