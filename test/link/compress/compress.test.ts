/** --compress-debug-sections and --compress-sections: what is stored deflated inflates to what is stored without the option. */
import { inflateSync } from "node:zlib";
import { decompress } from "fzstd";
import type { ElfFile } from "../../helpers/dump.ts";
import { assert, behaviour, contains, linkerName, type Workspace } from "../../helpers/link.ts";

const compress = behaviour("compressed output sections");
const SHF_COMPRESSED = 0x800;

/** Contents of a section as they are when inflated. */
function contents(elf: ElfFile, name: string): Buffer {
  const section = elf.need(name);
  const bytes = Buffer.from(elf.content(section));
  if ((section.flags & SHF_COMPRESSED) === 0) return bytes;
  // ELFCOMPRESS_ZLIB, ELFCOMPRESS_ZSTD
  const inflated = bytes.readUInt32LE(0) === 2 ? decompress(bytes.subarray(24)) : inflateSync(bytes.subarray(24));
  assert.ok(bytes.readUInt32LE(0) <= 2);
  assert.is(BigInt(inflated.length), bytes.readBigUInt64LE(8), `${name}: ch_size`);
  return Buffer.from(inflated);
}

/** Links twice, with and without `flags`, and compares all sections that are not loaded. */
function compare(w: Workspace, command: string, flags: string, packed: string[]): void {
  w.sh(`${command} -o plain && ${command} ${flags} -o packed`);
  const [plain, other] = [w.elf("plain"), w.elf("packed")];
  assert.equal(other.sectionNames(), plain.sectionNames());
  for (const section of plain.shdrs.slice(1)) {
    if ((section.flags & 2) !== 0 || section.type === 8) continue;
    const same = contents(other, section.name).equals(contents(plain, section.name));
    assert.ok(same, section.name);
    assert.is((other.need(section.name).flags & SHF_COMPRESSED) !== 0, packed.includes(section.name), section.name);
  }
}

// Some megabytes of each: relocated words of many objects, strings that merge (more than two: several shards), strings that do not, one giant section, alignment.
const MANY = (n: number): string => `
  .section .debug_words,"",@progbits
  .balign 16
  .rept 20000
  .quad start${n}, start${n}+8
  .endr
  .section .debug_mixed,"MS",@progbits,1
  .rept 50
  .string "shared"
  .string "only in ${n}"
  .endr
  .section .debug_str,"MS",@progbits,1
  .set i, 0
  .rept 3000
  .ascii "string ${n} number ${"x".repeat(100)}"
  .byte 65 + i % 26, 65 + i / 26 % 26, 65 + i / 676
  .byte 0
  .set i, i + 1
  .endr
  .section .debug_tiny,"",@progbits
  .byte ${n}
  .text
  .globl start${n}
  start${n}: nop`;

function objects(w: Workspace): string {
  const names = Array.from({ length: 8 }, (_, n) => `o${n}.o`);
  names.forEach((_, n) => w.write({ [`o${n}.s`]: MANY(n) }));
  w.write({ "giant.s": `.section .debug_giant,"",@progbits\n.rept 100000\n.ascii "0123456789 abcdefghij"\n.endr\n.section .debug_mixed,"",@progbits\n.ascii "${"plain".repeat(30)}"\n`, "main.s": ".globl _start\n_start: nop\n" });
  w.sh("for f in *.s; do as $f -o ${f%.s}.o || exit 1; done");
  return `$LD main.o ${names.join(" ")} giant.o`;
}

compress("every shape of section: windows, merged strings, both, a giant, one that does not shrink", (w) => {
  const command = objects(w);
  compare(w, command, "--compress-debug-sections=zlib", [".debug_words", ".debug_mixed", ".debug_str", ".debug_giant"]);
});

compress("zstd, whether or not the runtime knows it; a linker reads it again", (w) => {
  const command = objects(w);
  compare(w, command, "--compress-debug-sections=zstd", [".debug_words", ".debug_mixed", ".debug_str", ".debug_giant"]);
  compare(w, command, "--compress-sections='.debug_*=zstd:3' --compress-sections=.debug_str=none", [".debug_words", ".debug_mixed", ".debug_giant"]);
  const [plain, packed] = [w.elf("plain"), w.elf("packed")];
  for (const name of [".debug_words", ".debug_giant"]) {
    assert.is(Buffer.from(packed.content(packed.need(name))).readUInt32LE(0), 2);
    assert.ok(packed.need(name).size < plain.need(name).size / 2, name);
  }
  if (linkerName !== "wield") return;
  w.sh("for n in 1 3; do $LD -r o*.o giant.o --compress-debug-sections=zstd --threads=$n -o r$n.o || exit 1; done; cmp r1.o r3.o && $LD main.o r1.o -o again && $LD main.o o*.o giant.o -o once");
  assert.ok(contents(w.elf("again"), ".debug_giant").equals(contents(w.elf("once"), ".debug_giant")));
});

compress("strings that merge: more than are compressed in one go, and of two kinds in a section", (w) => {
  const command = objects(w);
  const numbered = (flags: string): string => `.section .debug_str,${flags}\n.set i, 0\n.rept 60000\n.ascii "one of many strings "\n.byte 65 + i % 26, 65 + i / 26 % 26, 65 + i / 676 % 26, 65 + i / 17576\n.byte 0, 0, 0, 0\n.set i, i + 1\n.endr\n`;
  w.write({ "many.s": numbered('"MS",@progbits,1'), "wide.s": `.section .debug_str,"MS",@progbits,4\n.balign 4\n.set i, 0\n.rept 80000\n.long i + 1, 65, 0\n.set i, i + 1\n.endr\n` });
  w.sh("for f in many wide; do as $f.s -o $f.o || exit 1; done");
  compare(w, `${command} many.o wide.o`, "--compress-debug-sections=zlib", [".debug_words", ".debug_mixed", ".debug_str", ".debug_giant"]);
  assert.ok(w.elf("plain").need(".debug_str").size > 2.5 * 2 ** 20);
});

compress("the same bytes for any number of threads", (w) => {
  const command = objects(w);
  w.sh(`for n in 1 2 5; do ${command} --compress-debug-sections=zlib --threads=$n -o p$n || exit 1; done; cmp p1 p2 && cmp p1 p5`);
});

compress("--compress-sections: by pattern, the last that fits, with a level", (w) => {
  const command = objects(w);
  compare(w, command, "--compress-sections='.debug_*=zlib:9' --compress-sections=.debug_str=none", [".debug_words", ".debug_mixed", ".debug_giant"]);
  compare(w, command, "--compress-debug-sections=zlib --compress-sections '.debug_w*=none' --compress-sections .symtab=zlib", [".debug_mixed", ".debug_str", ".debug_giant"]);
  w.sh(`${command} --compress-sections=.debug_str=zlib:1 -o l1 && ${command} --compress-sections=.debug_str=zlib:6 -o l6`);
  assert.ok(w.elf("l6").need(".debug_str").size !== w.elf("l1").need(".debug_str").size, "the level matters");
  for (const kind of ["zlib", "zstd"]) {
    compare(w, command, `--compress-debug-sections=${kind}:9`, [".debug_words", ".debug_mixed", ".debug_str", ".debug_giant"]);
    w.sh(`${command} --compress-debug-sections=${kind}:1 -o l1`);
    assert.ok(w.elf("l1").need(".debug_str").size !== w.elf("packed").need(".debug_str").size, kind);
  }
  for (const [value, what] of [["zstd:x", "expected a non-negative integer compression level, but got 'x'"], ["zip:1", "unknown --compress-debug-sections value: zip"]] as const) {
    contains(w.fails(`${command} --compress-debug-sections=${value} -o x`), what);
  }
});

compress("what a script puts into a section is compressed with it", (w) => {
  const command = objects(w);
  w.write({ "t.ld": "SECTIONS { .text : { *(.text) } .debug_words 0 : { *(.debug_words) QUAD(0x1122334455667788) . = ALIGN(64); BYTE(7) } }" });
  compare(w, `${command} -T t.ld`, "--compress-debug-sections=zlib", [".debug_words", ".debug_mixed", ".debug_str", ".debug_giant"]);
});

compress("loaded sections cannot be; words that mean nothing are errors", (w) => {
  const command = objects(w);
  contains(w.fails(`${command} --compress-sections=.text=zlib -o x`), "--compress-sections: section '.text' with the SHF_ALLOC flag cannot be compressed");
  for (const [value, said] of [["a", "parse error, not 'section-glob=[none|zlib|zstd]'"], ["a=", "parse error"], ["a=lzma", "unknown --compress-sections value: lzma"],
    ["a=zlib:x", "expected a non-negative integer compression level, but got 'x'"], ["[=zlib", "invalid glob pattern"]] as const) {
    contains(w.fails(`${command} --compress-sections='${value}' -o x`), said);
  }
});

compress("-r compresses, from compressed and plain inputs, also under a script, for any number of threads", (w) => {
  const command = objects(w).replace("$LD", "$LD -r");
  const packed = [".debug_words", ".debug_mixed", ".debug_str", ".debug_giant"];
  compare(w, command, "--compress-debug-sections=zlib --threads=3", packed);
  w.sh(`mv packed packed3 && ${command} --compress-debug-sections=zlib --threads=1 -o packed && cmp packed packed3`);
  compare(w, command, "--compress-debug-sections=zlib --compress-sections=.debug_m*=none", [".debug_words", ".debug_str", ".debug_giant"]);
  w.write({ "t.ld": "SECTIONS { .debug_words 0 : { *(.debug_words) } .debug_mixed 0 : { *(.debug_mixed) BYTE(0) } .debug_str 0 : { *(.debug_str) } }" });
  compare(w, `${command} -T t.ld`, "--compress-debug-sections=zlib", [".debug_words", ".debug_str", ".debug_giant"]);
  contains(w.fails(`${command} --compress-sections=.text=zlib -o x`), "section '.text' with the SHF_ALLOC flag cannot be compressed");
});

compress("debug information of a compressed -r output is found in what is linked from it", (w) => {
  if (linkerName !== "wield") return;
  w.write({
    "t.cc": "struct A { int a; struct B { long q; } b; }; struct C : A { virtual int f(); }; int C::f() { return a + b.q; }",
    "m.cc": "struct A { int a; struct B { long q; } b; }; struct C : A { virtual int f(); }; int main() { C c{}; return c.f(); }",
  });
  w.sh("g++ -O0 -gdwarf-4 -fdebug-types-section -c t.cc m.cc && $LD -r t.o m.o --compress-debug-sections=zlib -o r.o && $LD -r t.o m.o -o plain.o");
  assert.ok((w.elf("r.o").need(".debug_info").flags & SHF_COMPRESSED) !== 0);
  // Groups of types are groups still, and one copy of each is left.
  const groups = (name: string): number => w.elf(name).shdrs.filter(({ type }) => type === 17).length;
  assert.is(groups("r.o"), groups("plain.o"));
  assert.ok(groups("r.o") >= 2);
  for (const name of ["r.o", "plain.o"]) {
    w.sh(`g++ -no-pie -B$B ${name} -o prog && ./prog && g++ -no-pie ${name} -o other && ./other`);
    for (const program of ["prog", "other"]) contains(w.sh(`addr2line -e ${program} $(nm ${program} | awk '$3 == "main" { print $1 }')`), "m.cc:1");
  }
}, "addr2line", "g++");

compress(".zdebug sections, GNU tools' old form, are what .debug sections of the same contents are", (w) => {
  w.write({ "z.c": "#include <stdio.h>\nstruct thing { int alpha, beta; } th = { 1, 2 };\nint main(int argc, char **argv) {\n  int local_variable = argc;\n  printf(\"%d\\n\", local_variable + th.alpha);\n  return 0;\n}\n" });
  w.sh("gcc -O0 -g3 -c z.c -o plain.o && objcopy --compress-debug-sections=zlib-gnu plain.o old.o && objdump -h old.o | grep zdebug_str > /dev/null && gcc -B$B plain.o -o plain && gcc -B$B old.o -o old && ./old");
  if (linkerName !== "wield") return;
  for (const name of ["info", "abbrev", "line", "str", "line_str", "aranges", "macro"]) assert.equal(contents(w.elf("old"), `.debug_${name}`), contents(w.elf("plain"), `.debug_${name}`), name);
  assert.not(w.elf("old").sectionNames().some((name) => name.includes("zdebug")));
  w.sh("$LD -r old.o -o r.o && gcc -B$B r.o -o again && $LD -r old.o --compress-debug-sections=zlib -o c.o && gcc -B$B c.o -o third && $LD -r plain.o -o q.o");
  for (const program of ["again", "third"]) contains(w.sh(`addr2line -e ${program} $(nm ${program} | awk '$3 == "main" { print $1 }')`), "z.c:3");
  assert.equal(w.elf("r.o").sectionNames().filter((name) => name.startsWith(".debug")), w.elf("q.o").sectionNames().filter((name) => name.startsWith(".debug")));
  assert.not(w.sh("gcc -B$B -Wl,-S old.o -o stripped && readelf -SW stripped").includes("debug"));
  // Messages find the source line in it; a name alone is no compression; a size that cannot be is an error.
  w.write({ "m.c": "int missing(void);\nint main() {\n  return missing();\n}\n", "n.s": '.globl _start\n_start: ret\n.section .zdebug_odd,"",@progbits\n.ascii "not compressed at all"\n', "b.s": '.globl _start\n_start: ret\n.section .zdebug_odd,"",@progbits\n.ascii "ZLIB"\n.quad -1\n.quad 0\n' });
  contains(w.fails("gcc -g -c m.c && objcopy --compress-debug-sections=zlib-gnu m.o n.o && gcc -B$B n.o -o m"), "m.c:3");
  w.sh("as n.s -o n.o && $LD n.o -o n");
  assert.is(Buffer.from(w.elf("n").content(".zdebug_odd")).toString(), "not compressed at all");
  contains(w.fails("as b.s -o b.o && $LD b.o -o b"), "corrupted compressed section");
}, "gcc", "objcopy", "addr2line");

compress.run();
