/**
 * .sframe of several objects becomes one table, in the three versions of the format, with the functions that are in the output.
 *
 * The tables are written by hand, so that no assembler needs to know the format; rows are bytes that nobody looks into.
 */
import type { ElfFile } from "../../helpers/dump.ts";
import { assert, behaviour, contains, lacks, linkerName, type Workspace } from "../../helpers/link.ts";

const frames = behaviour("stack frames");
const wield = linkerName === "wield";

const SHT_GNU_SFRAME = 0x6ffffff4;
const PT_GNU_SFRAME = 0x6474e554;
const HEADER_BYTES = 28;
const INDEX_BYTES = [0, 17, 20, 16];
const [SORTED, FRAME_POINTER, PCREL] = [1, 2, 4];

/** A function of a table: its symbol, bytes of code, bytes of rows, its information. */
type Entry = [name: string, size: number, rows: number[], info?: number];

/** The section as assembler text. */
function table(version: number, flags: number, entries: Entry[], type = "@progbits"): string {
  const attributes = version === 3 ? 5 : 0;
  const total = entries.reduce((sum, [, , rows]) => sum + attributes + rows.length, 0);
  let at = 0;
  const index: string[] = [];
  const data: string[] = [];
  for (const [name, size, rows, info = 0] of entries) {
    index.push(`${version === 3 ? ".quad" : ".long"} ${name} - .`, `.long ${size}, ${at}${version === 3 ? "" : `, ${rows.length}\n.byte ${info}`}`, version === 2 ? ".byte 9\n.short 0" : "");
    data.push(version === 3 ? `.short ${rows.length}\n.byte ${info}, 0x41, 9` : "", rows.length > 0 ? `.byte ${rows.join()}` : "");
    at += attributes + rows.length;
  }
  const header = `.short 0xdee2\n.byte ${version}, ${flags}, 3, 0, -8, 0\n.long ${entries.length}, ${at - attributes * entries.length}, ${total}, 0, ${entries.length * INDEX_BYTES[version]!}`;
  return [`.section .sframe,"a",${type}\n.balign 8`, header, ...index, ...data, ""].join("\n");
}

/** What a reader finds: address, size, rows, information and row bytes of each function. */
function read(elf: ElfFile): { version: number; flags: number; functions: string[] } {
  const { addr } = elf.need(".sframe");
  const bytes = elf.content(".sframe");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  assert.is(view.getUint16(0, true), 0xdee2);
  const [version, flags] = [view.getUint8(2), view.getUint8(3)];
  assert.equal([view.getUint8(4), view.getInt8(5), view.getInt8(6), view.getUint8(7)], [3, 0, -8, 0]);
  const [count, rows, rowBytes, index, rowsAt] = [8, 12, 16, 20, 24].map((at) => view.getUint32(at, true)) as [number, number, number, number, number];
  assert.is(HEADER_BYTES + rowsAt + rowBytes, bytes.length);
  const names = new Map(elf.symtab().filter(({ shndx }) => shndx !== 0).map(({ name, value }) => [value, name]));
  let all = 0;
  let last = -1;
  const functions = Array.from({ length: count }, (_, i) => {
    const at = HEADER_BYTES + index + i * INDEX_BYTES[version]!;
    const start = (version === 3 ? Number(view.getBigInt64(at, true)) : view.getInt32(at, true)) + addr + ((flags & PCREL) !== 0 ? at : 0);
    assert.ok(start > last, "ascending");
    last = start;
    const next = at + (version === 3 ? 8 : 4);
    let from = HEADER_BYTES + rowsAt + view.getUint32(next + 4, true);
    let number = view.getUint32(next + 8, true);
    let said = version === 3 ? [] : [view.getUint8(next + 12), version === 2 ? view.getUint8(next + 13) : 0];
    if (version === 3) {
      number = view.getUint16(from, true);
      said = [2, 4, 3].map((k) => view.getUint8(from + k));
      from += 5;
    }
    all += number;
    return `${names.get(start)}+${view.getUint32(next, true)} [${bytes.subarray(from, from + number).join()}] ${said.join()}`;
  });
  assert.is(all, rows);
  return { version, flags, functions };
}

const CODE = (names: string): string => names.split(" ").map((name) => `.section .text.${name},"ax",@progbits\n.globl ${name}\n.type ${name},@function\n${name}: nop\nret\n`).join("");
const START = '.section .text.start,"ax",@progbits\n.globl _start\n_start: call a\ncall b\nmov $60, %eax\nxor %edi, %edi\nsyscall\n';
/** A function that both objects have a copy of. */
const TWICE = '.section .text.twice,"axG",@progbits,twice,comdat\n.weak twice\ntwice: nop\nnop\nret\n';

/** Two objects in a version each, one function of which nobody calls. */
function write(w: Workspace, first: number, second: number, flags = 0, type = "@progbits"): void {
  w.write({
    "one.s": START + CODE("b dead") + TWICE + table(first, flags | SORTED, [["_start", 9, [1, 2, 3]], ["b", 2, [4], 5], ["dead", 2, [5, 6]], ["twice", 3, [7]]], type),
    "two.s": CODE("a") + TWICE + table(second, flags, [["twice", 3, [8]], ["a", 2, [9, 10], 3]], type),
  }).sh("as one.s -o one.o && as two.s -o two.o");
}

for (const version of [1, 2, 3]) {
  frames(`version ${version}: one index, ascending, of what is in the output`, (w) => {
    if (!wield) return;
    const repeats = version === 1 ? 0 : 9;
    const mid = version === 3 ? `${repeats},65` : `${repeats}`;
    for (const flags of version === 1 ? [0] : [0, PCREL, PCREL | FRAME_POINTER]) {
      write(w, version, version, flags, flags === 0 ? "@progbits" : `@${SHT_GNU_SFRAME}`);
      w.sh("$LD one.o two.o -o all && ./all && $LD --gc-sections one.o two.o -o live && ./live && $LD -r one.o two.o -o r.o && $LD r.o -o again && ./again && $LD -shared one.o two.o -o all.so");
      const expected = [`_start+9 [1,2,3] 0,${mid}`, `b+2 [4] 5,${mid}`, `dead+2 [5,6] 0,${mid}`, `twice+3 [7] 0,${mid}`, `a+2 [9,10] 3,${mid}`];
      for (const name of ["all", "again", "all.so"]) assert.equal(read(w.elf(name)), { version, flags: flags | SORTED, functions: expected }, name);
      assert.equal(read(w.elf("live")).functions, expected.filter((line) => !/^(dead|twice)/.test(line)));
      const elf = w.elf("all");
      assert.is(elf.need(".sframe").type, flags === 0 ? 1 : SHT_GNU_SFRAME);
      const segment = elf.segment(PT_GNU_SFRAME)!;
      assert.equal([segment.vaddr, segment.memsz], [elf.need(".sframe").addr, elf.need(".sframe").size]);
    }
  });
}

frames("inputs of several versions become the newest of them", (w) => {
  if (!wield) return;
  write(w, 1, 2);
  w.sh("$LD one.o two.o -o m");
  assert.equal(read(w.elf("m")), { version: 2, flags: SORTED, functions: ["_start+9 [1,2,3] 0,0", "b+2 [4] 5,0", "dead+2 [5,6] 0,0", "twice+3 [7] 0,0", "a+2 [9,10] 3,9"] });
  write(w, 3, 2);
  w.sh("$LD one.o two.o -o m");
  assert.equal(read(w.elf("m")), { version: 3, flags: SORTED, functions: ["_start+9 [1,2,3] 0,9,65", "b+2 [4] 5,9,65", "dead+2 [5,6] 0,9,65", "twice+3 [7] 0,9,65", "a+2 [9,10] 3,9,0"] });
});

frames("of functions that are folded one is described", (w) => {
  if (!wield) return;
  write(w, 2, 2, PCREL);
  w.sh("$LD --icf=all one.o two.o -o m && ./m");
  assert.equal(read(w.elf("m")).functions.map((line) => line.split(" ")[0]!.replace(/.*(?=\+)/, "")), ["+9", "+2", "+3"]);
});

frames("under a script, or left out", (w) => {
  if (!wield) return;
  write(w, 2, 2, PCREL);
  w.write({ "s.ld": "SECTIONS { . = 0x400000 + SIZEOF_HEADERS; . = ALIGN(0x1000); .text : { *(.text*) } . = ALIGN(0x1000); .frames : { *(.sframe) } }", "d.ld": "SECTIONS { .text : { *(.text*) } /DISCARD/ : { *(.sframe) } }" });
  w.sh("$LD -T s.ld one.o two.o -o s && ./s && $LD -T d.ld one.o two.o -o d && $LD --discard-sframe one.o two.o -o n && ./n");
  contains(w.elf("s").sectionNames().join(), ".frames");
  for (const name of ["d", "n"]) {
    lacks(w.elf(name).sectionNames().join(), "frame");
    assert.not.ok(w.elf(name).segment(PT_GNU_SFRAME));
  }
});

frames("what is not in the format is left out with a warning, empty sections in silence", (w) => {
  if (!wield) return;
  write(w, 2, 2, PCREL);
  const good = table(2, PCREL, [["a", 2, [1]]]);
  const bad: [string, string][] = [
    ['.section .sframe,"a"\n.quad 1\n', "is not in the SFrame format"],
    [good.replace("0xdee2\n.byte 2", "0xdee2\n.byte 4"), "has SFrame version 4, which is not known"],
    [good.replace(/(\.byte 2, \d+), 3/, "$1, 2"), "is of another processor"],
    [good.replace(/\.long 1, 1,/, ".long 900, 1,"), "SFrame table goes past the end of the section"],
    [good.replace(".long 2, 0, 1", ".long 2, 77, 1"), "SFrame rows are outside the table"],
  ];
  for (const [text, message] of bad) {
    w.write({ "bad.s": `.globl bad\nbad: ret\n${text}` }).sh("as bad.s -o bad.o");
    contains(w.sh("$LD one.o bad.o two.o -o m 2>&1 && ./m"), `bad.o:(.sframe): ${message}; its stack frames are left out`);
    assert.is(read(w.elf("m")).functions.length, 5);
  }
  w.write({ "bad.s": '.section .sframe,"a"\n' }).sh("as bad.s -o bad.o && $LD --fatal-warnings bad.o one.o two.o -o m && ./m");
  assert.is(read(w.elf("m")).functions.length, 5);
});

frames.run();
