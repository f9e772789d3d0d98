/**
 * Libraries that objects ask for themselves: clang's `#pragma comment(lib, "…")`.
 */
import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const dependent = behaviour("dependent libraries", "ar");
const SOURCES = {
  "a.s": '.globl _start\n_start: call f\n.section .deplibs,"MS",@0x6fff4c04,1\n.asciz "one"\n.asciz "lib/two.a"\n.asciz "one"\n',
  "f.s": '.globl f\nf: call g\n.section .deplibs,"MS",@0x6fff4c04,1\n.asciz "three.a"\n', "g.s": ".globl g\ng: ret\n", "u.s": '.section .deplibs,"MS",@0x6fff4c04,1\n.asciz "missing"\n',
};
const BUILD = "mkdir -p lib && for f in a f g u; do as $f.s -o $f.o; done; ar rc lib/libone.a f.o u.o && ar rc lib/two.a && ar rc lib/three.a g.o; ";

dependent("are loaded behind the command line, those of extracted members too, once", (w) => {
  if (linkerName === "bfd") return;
  w.write(SOURCES).sh(`${BUILD} $LD a.o -L lib -o p -t > trace`);
  for (const name of ["f", "g"]) assert.ok(w.elf("p").symbol(name));
  assert.not(w.elf("p").sectionNames().includes(".deplibs"));
  if (linkerName === "wield") assert.equal(w.read("trace").trim().split("\n"), ["a.o", "lib/libone.a(f.o)", "lib/three.a(g.o)"]);
  w.sh("$LD a.o f.o g.o lib/libone.a -L lib -o q");
});

dependent("missing ones and broken sections are errors, --no-dependent-libraries ignores them, -r keeps them", (w) => {
  if (linkerName === "bfd") return;
  w.write({ ...SOURCES, "b.s": '.section .deplibs,"MS",@0x6fff4c04,1\n.ascii "x"\n' }).sh(`${BUILD} as b.s -o b.o`);
  contains(w.fails("$LD a.o -o p"), "a.o: unable to find library from dependent library specifier: one");
  contains(w.fails("$LD a.o -L lib --no-dependent-libraries -o p"), "undefined symbol: f");
  contains(w.fails("$LD a.o b.o -L lib -o p"), "b.o: corrupted dependent libraries section (unterminated string): .deplibs");
  w.sh("$LD -r a.o a.o -o r.o --allow-multiple-definition && $LD r.o -L lib -o p");
  contains(w.sh("readelf -p .deplibs r.o"), "one", "lib/two.a");
});

dependent.run();
