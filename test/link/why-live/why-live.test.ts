/** --why-live and --print-gc-sections: what garbage collection kept and why, what it dropped. */

import { assert, behaviour, contains } from "../../helpers/link.ts";

const why = behaviour("why-live");

const SOURCE = `
  .globl _start, f, g, d, h, kept, gg, gd, ff, pers, dead, absolute
  _start: call f
    call g
    .quad gg, __start_set
  .section .text.f,"ax"
  f: jmp local
  .section .text.l,"ax"
  local: .quad d
  .section .data.d,"aw"
  d: .quad h
  .section .text.h,"ax"
  h: jmp h
  .section .text.g,"ax"
  g: jmp h
  .section .text.kept,"axR"
  kept: jmp deeper
  .section .text.deeper,"ax"
  deeper: ret
  .section .init_array,"aw"
    .quad ctor
  .section .text.ctor,"ax"
  ctor: ret
  .section .text.dead,"ax"
  dead: jmp h
  .section meta,"ao",@progbits,.text.h
  m: .quad 1
  .section set,"aw"
  member: .quad 0
  .section .text.grp,"axG",@progbits,gg,comdat
  gg: ret
  .section .data.grp,"awG",@progbits,gg,comdat
  gd: .quad 0
  .section .text.fde,"ax"
  ff: .cfi_startproc
    .cfi_personality 0x1b, pers
    .cfi_lsda 0x1b, lsda
    ret
    .cfi_endproc
  .section .text.pers,"ax"
  pers: ret
  .section .gcc_except_table,"a"
  lsda: .byte 1
  .set absolute, 7
`;

why("each live symbol's way from a root, and every such way", (w) => {
  w.write({ "a.s": SOURCE });
  w.sh("as a.s -o a.o");
  const START = ">>> referenced by: a.o:(.text)\n>>> contained live symbol: a.o:(_start) (entry point)\n";
  const explain = (glob: string): string => w.sh(`$LD a.o --gc-sections -z nostart-stop-gc -u ff '--why-live=${glob}' -o m`);
  assert.is(explain("_start"), "live symbol: a.o:(_start) (entry point)\n");
  assert.is(explain("f"), `live symbol: a.o:(f)\n${START}`);
  assert.is(explain("ff"), "live symbol: a.o:(ff) (undefined command line flag)\n");
  assert.is(explain("h"), `live symbol: a.o:(h)\n>>> referenced by: a.o:(.text.g)\n>>> contained live symbol: a.o:(g)\n${START}` +
    `live symbol: a.o:(h)\n>>> referenced by: a.o:(.data.d)\n>>> contained live symbol: a.o:(d)\n>>> referenced by: a.o:(.text.l)\n>>> referenced by: a.o:(.text.f)\n>>> contained live symbol: a.o:(f)\n${START}`);
  assert.is(explain("[k]ept"), "live symbol: a.o:(kept)\n>>> in live section: a.o:(.text.kept) (retained)\n");
  assert.is(explain("deeper"), "live symbol: a.o:(deeper)\n>>> in live section: a.o:(.text.deeper)\n>>> referenced by: a.o:(.text.kept) (retained)\n");
  assert.is(explain("ctor"), "live symbol: a.o:(ctor)\n>>> in live section: a.o:(.text.ctor)\n>>> referenced by: a.o:(.init_array) (reserved)\n");
  assert.is(explain("member"), `live symbol: a.o:(member)\n>>> in live section: a.o:(set)\n${START}`);
  assert.is(explain("gd"), `live symbol: a.o:(gd)\n>>> in live section: a.o:(.data.grp)\n>>> in section group with: a.o:(.text.grp)\n>>> contained live symbol: a.o:(gg)\n${START}`);
  contains(explain("m"), "live symbol: a.o:(m)\n>>> in live section: a.o:(meta)\n>>> depended on by section: a.o:(.text.h)\n>>> contained live symbol: a.o:(h)\n>>> referenced by: a.o:(.text.g)\n");
  assert.is(explain("pers"), "live symbol: a.o:(pers)\n>>> referenced by: a.o:(.eh_frame) (exception handling frame)\n");
  assert.is(explain("lsda"), "live symbol: a.o:(lsda)\n>>> in live section: a.o:(.gcc_except_table)\n>>> referenced by unwind information of: a.o:(.text.fde)\n>>> contained live symbol: a.o:(ff) (undefined command line flag)\n");
  assert.is(explain("absolute"), "live symbol: a.o:(absolute) (no section)\n");
  assert.is(explain("dead"), "");
  assert.is(w.sh("$LD a.o --why-live=h -o m"), "", "nothing is collected");
  contains(w.fails("$LD a.o '--why-live=[' -o m"), "error:");
});

why("exported symbols, C++ names, several patterns", (w) => {
  w.write({ "a.cc": "namespace n { int hidden() { return 1; } } __attribute__((visibility(\"default\"))) int outside() { return n::hidden(); }" });
  const out = w.sh("g++ -O1 -fno-inline -fvisibility=hidden -ffunction-sections -fPIC -c a.cc && $LD -shared a.o --gc-sections --why-live='n::*' --why-live=_Z7outsidev -o m.so");
  contains(out, "live symbol: a.o:(outside()) (externally visible symbol; may interpose)\n", "live symbol: a.o:(n::hidden())\n>>> referenced by: a.o:(.text._Z7outsidev)\n>>> contained live symbol: a.o:(outside()) (externally visible symbol; may interpose)\n");
}, "g++");

why("the list of dropped sections goes to standard output or to a file", (w) => {
  w.write({ "a.s": SOURCE });
  const out = w.sh("as a.s -o a.o && $LD a.o --gc-sections --print-gc-sections -o m");
  contains(out, "removing unused section a.o:(.text.dead)\n", "removing unused section a.o:(.text.fde)\n");
  assert.is(w.sh("$LD a.o --gc-sections --print-gc-sections=list -o m"), "");
  assert.is(w.read("list"), out);
});

why.run();
