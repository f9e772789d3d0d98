/**
 * Which scripts are read: -T at its place among the inputs, --default-script when there is no -T, and what is said when one is missing.
 */
import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";
import { image, names } from "../../helpers/script.ts";

const scripts = behaviour("default-script");
const START = '.globl _start\n.text\n_start: nop\n.section .a,"a"\n.byte 1\n.section .b,"a"\n.byte 1\n.section .note.GNU-stack,"",@progbits\n';

scripts("--default-script stands in for -T, is found along -L, and the last one counts", (w) => {
  w.write({ "t.s": START, "ba.ld": "SECTIONS { .b : { *(.b) } .a : { *(.a) } } second = 2;", "ab.ld": "SECTIONS { .a : { *(.a) } .b : { *(.b) } }", "sym.ld": "first = 1;", "d/only.ld": "SECTIONS { .b : { *(.b) } .a : { *(.a) } }" });
  w.sh("gcc -c t.s && $LD --default-script ba.ld t.o sym.ld -o default && $LD -dT ab.ld -dT ba.ld t.o -o last && $LD -dT ba.ld t.o -T ab.ld -o t && $LD -L d --default-script=only.ld t.o -o found");
  const order = (name: string): string[] => names(image(w, name)).filter((section) => section === ".a" || section === ".b");
  for (const name of ["default", "last", "found"]) assert.equal(order(name), [".b", ".a"], name);
  assert.equal(order("t"), [".a", ".b"]);
  if (linkerName === "bfd") return;
  const symbols = image(w, "default").symtab().map((entry) => entry.name);
  assert.ok(symbols.indexOf("first") < symbols.indexOf("second"));
  contains(w.fails("$LD --default-script none.ld -T ab.ld t.o -o e"), "error: cannot find linker script none.ld");
  contains(w.fails("$LD -T none.ld t.o -o e"), "error: cannot find linker script none.ld");
});

scripts("a script without a word changes nothing", (w) => {
  w.write({ "a.s": ".globl _start\n_start: ret\n.data\n.quad 1\n", "empty.ld": "", "comment.ld": "/* nothing */\n" }).sh("as a.s -o a.o && $LD a.o -o plain");
  for (const script of ["/dev/null", "empty.ld", "comment.ld"]) {
    if (linkerName === "bfd") continue;
    w.sh(`$LD a.o -T ${script} -o m && cmp plain m`);
  }
});

scripts("files that scripts name are looked for in the sysroot when the script is there, and what is missing is shown", (w) => {
  w.write({ "t.s": START, "root/abs.ld": "INPUT(/none.o)", "abs.ld": "INPUT(/none.o)", "rel.ld": "\nINPUT(none.o)", "eq.ld": "INPUT(=t.o)" });
  w.sh("gcc -c t.s && cp t.o root/ && $LD eq.ld --sysroot=$PWD/root -o eq");
  if (linkerName === "bfd") return;
  contains(w.fails("$LD $PWD/root/abs.ld --sysroot=$PWD/root -o e"), "abs.ld:1: cannot find /none.o inside ", ">>> INPUT(/none.o)");
  contains(w.fails("$LD abs.ld -o e"), "cannot open /none.o");
  contains(w.fails("$LD rel.ld -o e"), "rel.ld:2: unable to find none.o");
});

scripts("--verbose shows the default layout as a script that links programs which work alike", (w) => {
  w.write({
    "t.cc": '#include <stdio.h>\n#include <stdexcept>\n#include <string>\nstatic int n; struct I { I() { n++; } } a, b; thread_local int t = 5, zero; int main() { try { throw std::runtime_error("x"); } catch (std::exception &e) { printf("%s %d %d\\n", e.what(), n, t + zero); } }',
  });
  w.sh("g++ -O1 -fPIE -c t.cc");
  const script = (options: string, name: string): void => void w.sh(`$LD ${options} --verbose | sed -n '/^=====/,/^=====/p' | grep -v ^==== > ${name}.ld`);
  for (const [name, driver, options] of [["pie", "-pie", "-pie"], ["now", "-pie -Wl,-z,now", "-pie -z now"], ["exec", "-no-pie", ""], ["static", "-static", "-static"]] as const) {
    script(options, name);
    w.sh(`g++ -B$B ${driver} t.o -o ${name}.plain && g++ -B$B ${driver} t.o -Wl,-T,${name}.ld -o ${name}`);
    assert.is(w.sh(`./${name}.plain && ./${name}`), "x 2 5\nx 2 5\n", name);
    if (linkerName !== "wield" || name === "static") continue;
    assert.equal(names(image(w, name)), names(image(w, `${name}.plain`)), name);
    assert.is(image(w, name).phdrs.length, image(w, `${name}.plain`).phdrs.length, name);
  }
  contains(w.sh("$LD --verbose"), "GNU ld", /using internal linker script:\n={50}\n/);
}, "g++");

scripts("what glibc's build inserts into the script of --verbose is read-only after relocation, and next to .bss", (w) => {
  w.write({
    "t.s": '.globl f\n.text\nf: ret\n.data\n.quad 1\n.bss\n.quad 0\n.section vtables,"aw"\n.quad f\n.section pointers,"aw",@nobits\n.quad 0\n.section .note.GNU-stack,"",@progbits\n',
    // As glibc's Makerules.
    "sed": "/^=====/,/^=====/!d;/^=====/d\ns/^.*\\*(\\.dynbss).*$/& start_pointers = .; *(pointers) stop_pointers = .;/\ns/^.*\\*(\\.jcr).*$/& start = .; vtables : { *(vtables) } stop = .;/\n",
  });
  w.sh("gcc -c t.s && $LD -shared --verbose | sed -f sed > shlib.ld && $LD -shared t.o -T shlib.ld -o t.so");
  const so = image(w, "t.so");
  const relro = so.phdrs.find((phdr) => phdr.type === 0x6474e552)!;
  const vtables = so.section("vtables")!.addr;
  assert.ok(vtables >= relro.vaddr && vtables < relro.vaddr + relro.memsz);
  const at = (name: string): number => so.symtab().find((symbol) => symbol.name === name)!.value;
  assert.is(at("stop") - at("start"), 8);
  assert.is(at("stop_pointers") - at("start_pointers"), 8);
});

scripts.run();
