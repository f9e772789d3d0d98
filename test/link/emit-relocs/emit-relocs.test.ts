/**
 * --emit-relocs: a finished program that still says which of its fields came from which symbols. The oracle is the program itself:
 * every kept relocation, computed from the symbol table of the output, must give what stands in the output.
 */
import { ElfFile } from "../../helpers/dump.ts";
import { assert, behaviour, contains, lacks, ld, linkerName, type Workspace } from "../../helpers/link.ts";
import { image } from "../../helpers/script.ts";
import { tool } from "../../helpers/tools.ts";

const emit = behaviour("emit-relocs");
const R = { NONE: 0, ABS64: 1, PC32: 2, PLT32: 4, ABS32: 10, ABS32S: 11 };

interface Kept { place: number; type: number; sym: number; addend: number; target: string }

function kept(elf: ElfFile): Kept[] {
  const found: Kept[] = [];
  for (const section of elf.shdrs) {
    if (section.type !== 4 || (section.flags & 2) !== 0) continue;
    assert.is(elf.shdrs[section.link]!.name, ".symtab", section.name);
    const target = elf.shdrs[section.info]!.name;
    assert.is(section.name, ".rela" + target);
    assert.is(section.flags & 0x40, 0x40, `${section.name}: SHF_INFO_LINK`);
    for (let at = section.offset; at < section.offset + section.size; at += 24) {
      found.push({ place: elf.u64(at), type: elf.u32(at + 8), sym: elf.u32(at + 12), addend: elf.i64(at + 16), target });
    }
  }
  return found;
}

/** What a relocation must have left behind, for the types whose value follows from the symbol table; null = not checked. */
function expectedField(elf: ElfFile, { place, type, sym, addend }: Kept): bigint | null {
  const symbol = elf.symtab()[sym]!;
  if (sym === 0 || symbol.shndx === 0 || symbol.type === 6 || symbol.type === 10) return null; // thread-local, indirect function
  const value = BigInt(symbol.value) + BigInt(addend);
  if (type === R.PC32 || type === R.PLT32) return BigInt.asUintN(32, value - BigInt(place));
  if (type === R.ABS32 || type === R.ABS32S) return BigInt.asUintN(32, value);
  return type === R.ABS64 ? BigInt.asUintN(64, value) : null;
}

/** Checks all kept relocations of loaded sections; returns how many could be. */
function verify(elf: ElfFile): number {
  let checked = 0;
  for (const relocation of kept(elf)) {
    const target = elf.shdrs.find((s) => s.name === relocation.target)!;
    if (relocation.type !== R.NONE) assert.ok(relocation.place >= target.addr && relocation.place < target.addr + target.size, `${relocation.target}: r_offset`);
    const expected = expectedField(elf, relocation);
    if (expected === null || (target.flags & 2) === 0) continue;
    const at = target.offset + relocation.place - target.addr;
    const found = relocation.type === R.ABS64 ? BigInt.asUintN(64, BigInt(elf.u64(at))) : BigInt(elf.u32(at));
    assert.is(found, expected, `${relocation.target}+0x${(relocation.place - target.addr).toString(16)} type ${relocation.type} ${elf.symtab()[relocation.sym]!.name}`);
    checked++;
  }
  return checked;
}

const C = {
  "a.c": `
    #include <stdio.h>
    static const char *names[] = { "zero", "one", "two" }; int common[4]; int data = 3;
    static __attribute__((noinline)) int helper(int x) { return x * data + common[1]; }
    int dead(int x) { return helper(x) + 9; }
    int a(int x) { printf("%s\\n", names[x]); return helper(x); }`,
  "m.c": 'int a(int); int main(void) { return a(1) - 3; }',
};

function programs(w: Workspace, flags: string): ElfFile {
  w.write(C).sh(`gcc -g -O1 -fcommon -ffunction-sections -c a.c m.c && gcc -B$B -no-pie -static ${flags} -Wl,-q a.o m.o -o prog && ./prog`);
  return w.elf("prog");
}

emit("every kept relocation gives what the program holds", (w) => {
  const elf = programs(w, "-Wl,--no-relax");
  assert.ok(verify(elf) > 1000);
  for (const name of [".rela.text", ".rela.data", ".rela.eh_frame", ".rela.debug_info", ".rela.rodata"]) assert.ok(elf.section(name), name);
});

emit("unwind records of a kernel, their table and their relocations: addresses near the end of the address space are exact", (w) => {
  w.write({ "a.s": ".globl _start\n.text\n_start: .cfi_startproc\nret\n.cfi_endproc\nf: .cfi_startproc\nnop\nret\n.cfi_endproc\n" });
  w.sh("as a.s -o a.o && $LD --emit-relocs --eh-frame-hdr --image-base=0xffffffff81234000 a.o -o a");
  // w.elf would check addresses as doubles.
  const elf = new ElfFile(w.bytes("a"));
  const u64 = (at: number): bigint => elf.view.getBigUint64(at, true);
  const i32 = (at: number): bigint => BigInt(elf.view.getInt32(at, true));
  const start = (name: string): bigint => u64(elf.u64(40) + 64 * elf.need(name).index + 16);
  const [rela, records, table] = [".rela.eh_frame", ".eh_frame", ".eh_frame_hdr"].map((name) => elf.need(name).offset) as [number, number, number];
  // A CIE of 24 bytes, then FDEs whose third word is the place of the function.
  [0x20, 0x34].forEach((field, i) => {
    const [place, code] = [start(".eh_frame") + BigInt(field), start(".text") + BigInt(i)];
    assert.is(u64(rela + 24 * i), place);
    assert.is(place + i32(records + field), code);
    assert.is(start(".eh_frame_hdr") + i32(table + 12 + 8 * i), code);
  });
});

emit("merged strings: addends of section symbols follow the pieces", (w) => {
  w.write({ "a.s": `
    .section .rodata.str1.1,"aMS",@progbits,1
    .string "x"
    .string "same"
    .data
    .quad .rodata.str1.1+2
    .globl _start
    .text
    _start: ret` });
  w.sh("as a.s -o a.o && as a.s --defsym B=1 -o b.o && sed -i 's/_start/other/' a.s && as a.s -o b.o && $LD -q a.o b.o -o prog");
  const elf = w.elf("prog");
  assert.is(verify(elf), 2);
  assert.equal(new Set(kept(elf).map((r) => r.addend)).size, 1, "one place for both");
});

emit("relocations of dead code go with --gc-sections, those of debug information to it become R_X86_64_NONE", (w) => {
  const all = kept(programs(w, "-Wl,--no-relax")).length;
  const elf = programs(w, "-Wl,--no-relax -Wl,--gc-sections");
  assert.ok(verify(elf) > 1000);
  assert.ok(kept(elf).length < all);
  assert.not(elf.symbol("dead"));
  assert.ok(kept(elf).some((r) => r.target === ".debug_info" && r.type === R.NONE));
});

emit("locals stay under -x when a relocation names them, -S takes debug relocations along", (w) => {
  w.write({ "a.s": ".data\nplain: .quad 1\n.text\n.globl _start\n_start: mov plain@GOTPCREL(%rip), %rax\nunused: ret\n.section .debug_x,\"\",@progbits\n.quad plain\n" });
  w.sh("as a.s -o a.o && $LD -q -x a.o -o x && $LD -q -S a.o -o s");
  const names = w.elf("x").symtab().map((s) => s.name);
  assert.ok(names.includes("plain"));
  assert.not(names.includes("unused"));
  assert.ok(w.elf("x").section(".rela.debug_x"));
  assert.not(w.elf("s").section(".rela.debug_x"));
});

emit("under a script: named after the output section, in spite of patterns that would fit", (w) => {
  w.write({
    "a.s": ".globl _start\n.text\n_start: mov $foo, %eax\n.section .foo,\"ax\"\nfoo: mov $_start, %eax\n.section .bar,\"aw\"\n.quad foo\n.cfi_sections .eh_frame\n.text\n.cfi_startproc\nret\n.cfi_endproc\n",
    "t.ld": "SECTIONS { . = 0x10000; .zed : { *(.foo) *(.text) } . = 0x20000; .unwind : { *(.eh_frame) } . = 0x30000; .other : { *(.bar) } /DISCARD/ : { *(.rela.*) } }",
  });
  w.sh("as a.s -o a.o && $LD -q -T t.ld a.o -o prog");
  const elf = w.elf("prog");
  assert.equal(elf.shdrs.filter((s) => s.type === 4).map((s) => s.name).sort(), [".rela.other", ".rela.unwind", ".rela.zed"]);
  assert.is(verify(elf), 4);
});

emit("the same bytes for any number of threads; contradictions are errors", (w) => {
  w.write(C).sh("gcc -g -O1 -fcommon -c a.c m.c && for n in 1 4; do gcc -B$B -no-pie -static -Wl,-q,--threads=$n a.o m.o -o p$n; done && cmp p1 p4");
  contains(w.fails("$LD -q -s a.o -o x"), "--strip-all and --emit-relocs may not be used together");
  lacks(w.sh("$LD -q -r a.o -o r.o && readelf -SW r.o"), ".rela.rela");
});

emit("a program without a global symbol has the symbols of its sections", (w) => {
  w.write({ "a.s": "movabsq .bss, %rax\n.bss\n.byte 0\n", "l.ld": "SECTIONS { .bss : { BYTE(0) *(.bss) } }\n" });
  contains(w.sh("as a.s -o a.o && $LD -q -T l.ld a.o -o a 2>said && readelf -rsW a"), /R_X86_64_64 .* \.bss \+ 1/, /SECTION LOCAL +DEFAULT +\d+ \.comment/);
});

const bolt = tool("ld.lld");
if (bolt !== "") {
  emit("the same relocations as lld keeps", (w) => {
    w.write(C).sh(`gcc -O1 -fcommon -fno-asynchronous-unwind-tables -c a.c m.c && printf '.globl _start\\n_start: call main\\n.globl printf\\n.globl puts\\nputs:\\nprintf: ret\\n' > s.s && as s.s -o s.o`);
    w.sh(`ln -sf ${bolt} ld.lld && $LD -q -O0 s.o a.o m.o -o ours && ./ld.lld -q -O0 s.o a.o m.o -o theirs`);
    const words = (name: string): string[] => {
      const elf = w.elf(name);
      return kept(elf).map((r) => {
        const symbol = elf.symtab()[r.sym]!;
        const section = elf.shdrs.find((s) => s.name === r.target)!;
        return `${r.target}+${r.place - section.addr} ${r.type} ${symbol.type === 3 ? elf.shdrs[symbol.shndx]!.name : symbol.name}+${r.addend}`;
      }).sort();
    };
    assert.equal(words("ours").filter((word) => !word.includes(".bss")), words("theirs").filter((word) => !word.includes(".bss")), ld);
  });
}

emit("under a script: relocations of its sections in its order before all orphans that are not loaded, those of an orphan behind it", (w) => {
  const quads = ['.section .foo,"a"', '.section .data,"aw"', '.section .bar,"aw"', '.section .baz,"a"', '.section .info,""', '.section .info2,""'].map((line) => `${line}\n.quad _start\n`);
  w.write({ "a.s": `.globl _start\n_start: .quad _start\n${quads.join("")}`, "b.s": `${quads.slice(2).join("")}`, "t.ld": "SECTIONS { .text : { *(.text) } .data : { *(.data) } }" });
  w.sh("as a.s -o a.o && as b.s -o b.o && $LD -q -T t.ld a.o b.o -o t");
  const names = image(w, "t").sectionNames().filter((name) => /^(\.rela)?\.(text|data|foo|ba.|info2?)$/.test(name));
  if (linkerName === "bfd") return;
  assert.equal(names, [".foo", ".baz", ".text", ".data", ".bar", ".rela.text", ".rela.data", ".rela.foo", ".rela.bar", ".rela.baz", ".info", ".rela.info", ".info2", ".rela.info2"]);
  assert.is(image(w, "t").need(".info").size, 16, "second orphans join the first of their name");
});

emit.run();
