/** SHT_CREL, LLVM's compact relocations: an object that has them links to what the same object with RELA links to. */
import * as fs from "node:fs";
import { assert, behaviour, contains, type Workspace } from "../../helpers/link.ts";

const crel = behaviour("compact relocations", "llvm-mc-22");

const SOURCE = `
  .globl _start
  .cfi_startproc
  _start: call f@plt
  mov foo(%rip), %eax
  lea .Ls(%rip), %rax
  f: ret
  .cfi_endproc
  .section .text.dead,"ax"
  dead: call gone
  .data
  foo: .quad _start, f+5, .Ls, .data+8
  .skip 70000
  .quad f-100, foo+0x123456789abcdef
  .section .rodata.str1.1,"aMS",@progbits,1
  .string "first"
  .Ls: .string "hi"
  .section .debug_x,"",@progbits
  .quad foo, f+4
  .long foo`;

/** Object with compact relocations, and the same with RELA: crel.o, rela.o. */
function objects(w: Workspace): void {
  w.write({ "a.s": SOURCE }).sh("llvm-mc-22 -filetype=obj -triple=x86_64 -crel a.s -o crel.o && llvm-mc-22 -filetype=obj -triple=x86_64 a.s -o rela.o");
  assert.ok(w.sh("readelf -SW crel.o").includes(".crel.text"));
}

for (const flags of ["--gc-sections --eh-frame-hdr", "-q --gc-sections", "-r", "-r --gc-sections -e _start", "-shared --gc-sections -z notext -e _start"]) {
  crel(`the output is the same: ${flags}`, (w) => {
    objects(w);
    w.sh(`$LD ${flags} crel.o -o crel && $LD ${flags} rela.o -o rela && cmp crel rela`);
  });
}

crel("contents that end too early or claim too much are an error", (w) => {
  objects(w);
  const good = fs.readFileSync(w.path("crel.o"));
  const line = w.sh("readelf -SW crel.o").split("\n").find((text) => text.includes(".crel.data"))!;
  const [offset, size] = / ([0-9a-f]{6}) ([0-9a-f]{6}) /.exec(line)!.slice(1).map((text) => parseInt(text, 16)) as [number, number];
  for (const [at, byte] of [[0, 0xff], [0, 0x7c], [size - 1, 0xff], [1, 0xff]] as const) {
    const bad = Buffer.from(good);
    bad[offset + at] = byte;
    fs.writeFileSync(w.path("bad.o"), bad);
    const said = w.try("$LD --noinhibit-exec bad.o -o bad");
    if (said.status !== 0) contains(said.stderr, /SHT_CREL relocations are corrupt|relocation|not used on this architecture/);
    assert.not(/internal error|at .*\.js:/.test(said.stderr), said.stderr);
  }
  const cut = Buffer.from(good);
  cut[offset] = 0x7c; // says 15 relocations
  fs.writeFileSync(w.path("cut.o"), cut);
  contains(w.fails("$LD cut.o -o cut"), "SHT_CREL relocations are corrupt");
});

crel.run();
