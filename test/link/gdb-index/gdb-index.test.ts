/**
 * --gdb-index. Decoded here by the gdb manual's description; where lld is installed its index must say the same, and gdb must take it.
 */
import * as fs from "node:fs";
import { ElfFile } from "../../helpers/dump.ts";
import { assert, behaviour, contains, lacks, type Workspace } from "../../helpers/link.ts";
import { prng } from "../../helpers/prng.ts";
import { tool } from "../../helpers/tools.ts";

const index = behaviour("gdb index");

interface Index {
  units: [offset: number, length: number][];
  areas: { low: number; high: number; unit: number }[];
  /** Name → units with their attributes in the top byte. */
  names: Map<string, number[]>;
}

const hash = (name: string): number => [...name.toLowerCase()].reduce((h, c) => (Math.imul(h, 67) + c.charCodeAt(0) - 113) >>> 0, 0);

function decode(elf: ElfFile): Index {
  const bytes = elf.content(".gdb_index");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u32 = (at: number) => view.getUint32(at, true);
  const u64 = (at: number) => Number(view.getBigUint64(at, true));
  const [version, units, types, areas, table, pool] = [0, 4, 8, 12, 16, 20].map(u32);
  assert.equal([version, units, types], [7, 24, areas]);
  const found: Index = { units: [], areas: [], names: new Map() };
  for (let at = units!; at < types!; at += 16) found.units.push([u64(at), u64(at + 8)]);
  for (let at = areas!; at < table!; at += 20) found.areas.push({ low: u64(at), high: u64(at + 8), unit: u32(at + 16) });
  const slots = (pool! - table!) / 8;
  for (let slot = 0; slot < slots; slot++) {
    const [name, list] = [u32(table! + slot * 8), u32(table! + slot * 8 + 4)];
    if (name === 0 && list === 0) continue;
    let end = pool! + name;
    while (bytes[end] !== 0) end++;
    const text = Buffer.from(bytes.subarray(pool! + name, end)).toString();
    found.names.set(text, Array.from({ length: u32(pool! + list) }, (_, i) => u32(pool! + list + 4 + 4 * i)));
    // gdb finds it: the probes from its hash on are taken
    const h = hash(text);
    const step = ((Math.imul(h, 17) >>> 0) & (slots - 1)) | 1;
    for (let i = h & (slots - 1); i !== slot; i = (i + step) & (slots - 1)) assert.ok(u32(table! + i * 8) !== 0, `probe for ${text}`);
  }
  return found;
}

const SOURCE = {
  "a.c": "struct point { int x, y; } origin; int helper(int); static int hidden(int x) { return x + 1; } int main(int c, char **v) { return hidden(helper(c)) - 3; }",
  "b.c": "struct point { int x, y; }; int helper(int n) { return n + 1; } int dead(void) { return 5; }",
};
const FLAGS = "-O0 -ggnu-pubnames -ffunction-sections";

for (const [cc, version] of [["gcc", 4], ["gcc", 5], ["$CLANG", 3], ["$CLANG", 4], ["$CLANG", 5]] as const) {
  index(`units, code and names: ${cc.replace("$CLANG", "clang")}, DWARF ${version}`, (w) => {
    w.write(SOURCE).sh(`${cc} ${FLAGS} -gdwarf-${version} -c a.c b.c && $LD --gdb-index --gc-sections -e main a.o b.o -o prog`);
    const elf = w.elf("prog");
    const { units, areas, names } = decode(elf);
    assert.is(units.length, 2);
    assert.is(units[0]![0], 0);
    assert.is(units[1]![0] + units[1]![1], elf.need(".debug_info").size);
    for (const [name, unit] of [["main", 0], ["hidden", 0], ["helper", 1]] as const) {
      const { value, size } = elf.symbol(name)!;
      assert.ok(areas.some(({ low, high, unit: of }) => of === unit && low <= value && value + size <= high), `${name} in ${JSON.stringify(areas)}`);
    }
    assert.is(areas.length, 3, "dead code is not described");
    assert.equal(names.get("main")!.map((value) => value & 0xffffff), [0]);
    assert.equal(names.get("hidden")!.map((value) => value >>> 31), [1], "static");
    assert.equal(names.get("int")!.length, 2);
    for (const name of [".debug_gnu_pubnames", ".debug_gnu_pubtypes"]) assert.not(elf.section(name), name);
  }, "clang");
}

const theirs = tool("ld.lld");
if (theirs !== "") {
  index("the same index as lld's", (w) => {
    w.write(SOURCE).sh(`$CLANG ${FLAGS} -g -c a.c b.c && ln -sf ${theirs} ld.lld`);
    for (const [name, linker] of [["ours", "$LD"], ["theirs", "./ld.lld"]]) w.sh(`${linker} --gdb-index --gc-sections -e main -Ttext=0x400000 a.o b.o -o ${name}`);
    const [ours, other] = ["ours", "theirs"].map((name) => decode(new ElfFile(w.elf(name).bytes)));
    assert.equal(ours!.units, other!.units);
    assert.equal(ours!.areas.map(({ unit, low, high }) => [unit, high - low]), other!.areas.map(({ unit, low, high }) => [unit, high - low]));
    assert.equal([...ours!.names], [...other!.names]);
  }, "clang");
}

index("gdb takes it", (w) => {
  w.write(SOURCE).sh("gcc -O0 -g -ggnu-pubnames -c a.c b.c && gcc -B$B -Wl,--gdb-index a.o b.o -o prog");
  contains(w.sh("gdb -nx -batch -ex 'mt print objfiles prog' -ex 'info line helper' -ex 'ptype struct point' ./prog 2>&1"), "gdb_index", "b.c", "int x;");
}, "gdb");

index("folded functions share their address; compressed and unsorted inputs", (w) => {
  w.write({ "a.c": "int a(int x) { return x * 3; }", "b.c": "int b(int x) { return x * 3; }" });
  w.sh(`$CLANG -O1 -ggnu-pubnames -ffunction-sections -gz=zlib -g -c a.c b.c && $LD --gdb-index --icf=all -e a a.o b.o -o prog && $LD -r a.o b.o -o r.o && $LD --gdb-index -e a r.o -o again`);
  const [first, second] = decode(w.elf("prog")).areas;
  assert.equal([first!.low, first!.high], [second!.low, second!.high]);
  const again = decode(w.elf("again"));
  assert.is(again.units.length, 2);
  assert.equal(again.areas.map(({ unit }) => unit), [0, 1]);
}, "clang");

const PUBNAMES = (text: string): string => `
  .section .debug_abbrev,"",@progbits
  .byte 1, 17, 0, 0, 0, 0
  .section .debug_info,"",@progbits
  .long 8
  .short 4
  .long 0
  .byte 8, 1
  .section .debug_gnu_pubnames,"",@progbits
  ${text}
  .globl _start
  .text
  _start: ret`;

function warned(w: Workspace, text: string): string {
  w.write({ "a.s": PUBNAMES(text) }).sh("as a.s -o a.o && $LD --gdb-index a.o -o prog 2> said");
  w.elf("prog");
  return w.read("said");
}

index("what cannot be read is warned about", (w) => {
  contains(warned(w, ".byte 0"), "a.o:(.debug_gnu_pubnames): name lookup table at offset 0x0 parsing failed: unexpected end of data at offset 0x1 while reading [0x0, 0x4)");
  contains(warned(w, ".long 100\n.short 2\n.long 0"), "does not have a complete header");
  contains(warned(w, '.long 20\n.short 2\n.long 0, 12, 1\n.byte 0x30\n.ascii "abc"'), "parsing failed");
  contains(warned(w, '.long 32\n.short 2\n.long 0, 12, 1\n.byte 0x30\n.string "abc"\n.long 0, 0, 0\n.byte 0'), "has a terminator at offset");
  assert.is(warned(w, '.long 23\n.short 2\n.long 0, 12, 1\n.byte 0x30\n.string "abc"\n.long 0'), "");
  assert.equal([...decode(w.elf("prog")).names], [["abc", [0x30000000]]]);
});

index("corrupt debug information is a diagnosis, whatever byte of it is wrong", (w) => {
  w.write(SOURCE).sh(`$CLANG ${FLAGS} -gdwarf-5 -gpubnames -c a.c -o n.o && $CLANG ${FLAGS} -g -gz=zlib -c b.c -o z.o && $CLANG ${FLAGS} -g -c a.c b.c`);
  const random = prng(5);
  for (const name of ["a.o", "n.o", "z.o"]) {
    const good = fs.readFileSync(w.path(name));
    const sections = w.elf(name).shdrs.filter((s) => /debug_(info|abbrev|names|gnu_pub|addr|rnglists)/.test(s.name) && s.size > 0);
    for (let round = 0; round < 10; round++) {
      const bad = Buffer.from(good);
      for (let i = 0; i < 3; i++) {
        const { offset, size } = sections[random.below(sections.length)]!;
        bad[offset + random.below(size)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
      }
      fs.writeFileSync(w.path("bad.o"), bad);
      const { status, stderr } = w.try("$LD --gdb-index --debug-names --noinhibit-exec -z muldefs --unresolved-symbols=ignore-all -e main bad.o -o bad");
      assert.ok(status === 0 || status === 1, `${status}`);
      assert.not(/internal error|\.js:/.test(stderr), stderr);
    }
  }
}, "clang");

index("not with -r, nothing without debug information, --no-gdb-index undoes it", (w) => {
  w.write(SOURCE).sh("gcc -O0 -g -ggnu-pubnames -c a.c b.c && gcc -c b.c -o n.o && $LD --gdb-index --no-gdb-index -e main a.o b.o -o off && $LD --gdb-index -e helper n.o -o none && $LD --gdb-index -S -e main a.o b.o -o stripped");
  for (const name of ["off", "none", "stripped"]) assert.not(w.elf(name).section(".gdb_index"), name);
  contains(w.fails("$LD -r --gdb-index a.o -o r.o"), "-r and --gdb-index may not be used together");
  w.sh("$LD -q --gdb-index -e main a.o b.o -o q && readelf -SW q > q.txt");
  lacks(w.read("q.txt"), "pubnames");
});

index.run();
