/**
 * --debug-names. The oracle is the link without the option, whose .debug_names holds the inputs' indexes one after the other: the merged
 * index must know the same entries of the same names.
 */
import type { ElfFile } from "../../helpers/dump.ts";
import { assert, behaviour, contains, type Workspace } from "../../helpers/link.ts";

const names = behaviour("merged name index", "clang");

interface Index { units: number; buckets: number; names: number; augmentation: string; entries: string[] }

/** All indexes of .debug_names (DWARF 5, 6.1.1.4); entries as words: name, tag, unit, entry, parent. */
function decode(elf: ElfFile): Index[] {
  const bytes = elf.content(".debug_names");
  const text = elf.content(".debug_str");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u32 = (at: number) => view.getUint32(at, true);
  let at = 0;
  const uleb = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const found: Index[] = [];
  for (let start = 0, end = 0; start < bytes.length; start = end) {
    end = start + 4 + u32(start);
    assert.is(view.getUint16(start + 4, true), 5);
    const [unitCount, , , buckets, count, tableBytes, augmentationBytes] = Array.from({ length: 7 }, (_, i) => u32(start + 8 + 4 * i)) as number[];
    const augmentation = Buffer.from(bytes.subarray(start + 36, start + 36 + augmentationBytes!)).toString();
    const unitsAt = start + 36 + augmentationBytes!;
    const hashes = unitsAt + 4 * unitCount! + 4 * buckets!;
    const table = hashes + 12 * count!;
    const pool = table + tableBytes!;
    const abbreviations = new Map<number, { tag: number; attributes: [number, number][] }>();
    at = table;
    for (let code = uleb(); code !== 0; code = uleb()) {
      const abbreviation = { tag: uleb(), attributes: [] as [number, number][] };
      for (let [index, form] = [uleb(), uleb()]; index !== 0; [index, form] = [uleb(), uleb()]) abbreviation.attributes.push([index, form]);
      abbreviations.set(code, abbreviation);
    }
    const list: { name: string; tag: number; unit: number; entry: number; parent: number | null; at: number }[] = [];
    for (let i = 0; i < count!; i++) {
      const from = u32(hashes + 4 * (count! + i));
      const name = Buffer.from(text.subarray(from, text.indexOf(0, from))).toString();
      const bucket = u32(hashes + 4 * i) % buckets!;
      const first = u32(unitsAt + 4 * unitCount! + 4 * bucket) - 1;
      assert.ok(first >= 0 && first <= i, `${name} is found from its bucket`);
      for (let k = first; k <= i; k++) assert.is(u32(hashes + 4 * k) % buckets!, bucket, `bucket of ${name}`);
      at = pool + u32(hashes + 4 * (2 * count! + i));
      for (let own = at - pool, code = uleb(); code !== 0; own = at - pool, code = uleb()) {
        const { tag, attributes } = abbreviations.get(code)!;
        const record = { name, tag, unit: 0, entry: -1, parent: null as number | null, at: own };
        for (const [index, form] of attributes) {
          if (form === 0x19) continue;
          let value = 0;
          if (form === 0x0f) value = uleb();
          else for (let k = 0, size = ({ 0x0b: 1, 0x05: 2, 0x06: 4, 0x13: 4 } as Record<number, number>)[form]!; k < size; k++) value += bytes[at++]! * 256 ** k;
          if (index === 1) record.unit = value;
          else if (index === 3) record.entry = value;
          else if (index === 4) record.parent = value;
        }
        list.push(record);
      }
    }
    const place = ({ unit, entry }: { unit: number; entry: number }): string => `${u32(unitsAt + 4 * unit)}+${entry}`;
    const byPlace = new Map(list.map((record) => [record.at, record]));
    found.push({ units: unitCount!, buckets: buckets!, names: count!, augmentation, entries: list.map((r) => `${r.name} ${r.tag} ${place(r)} in ${r.parent === null ? "-" : place(byPlace.get(r.parent)!)}`).sort() });
  }
  return found;
}

const SOURCE = {
  "a.cc": "namespace one { struct point { int x; long y; }; namespace inner { int deep(point p) { return p.x; } } } int shared_name() { return one::inner::deep({1, 2}); }",
  "b.cc": "namespace one { struct point { int x; long y; }; int other(point *p) { return p->x; } } static int hidden() { return 3; } int (*keep)() = hidden;",
  "c.cc": "template <class T> T twice(T t) { return t + t; } int main() { return twice(0) + (int)twice(0L); }",
};
const COMPILE = "$CLANG -x c++ -O0 -g -gdwarf-5 -gpubnames -c";

function link(w: Workspace, flags = ""): void {
  w.write(SOURCE).sh(`for f in a b c; do ${COMPILE} $f.cc -o $f.o || exit 1; done; readelf -SW a.o | grep debug_names > /dev/null`);
  w.sh(`$LD ${flags} -e main a.o b.o c.o -o plain && $LD ${flags} --debug-names -e main a.o b.o c.o -o merged`);
}

/** The merged index has all entries of the others, and each name once. */
function sameEntries(w: Workspace): Index {
  const plain = decode(w.elf("plain"));
  const [merged, ...more] = decode(w.elf("merged"));
  assert.is(more.length, 0, "one index");
  assert.equal(merged!.entries, plain.flatMap((index) => index.entries).sort());
  assert.is(merged!.units, plain.reduce((sum, index) => sum + index.units, 0));
  assert.is(new Set(merged!.entries.map((entry) => entry.split(" ")[0])).size, merged!.names);
  return merged!;
}

names("the same entries, parents included, under each name once", (w) => {
  link(w);
  const merged = sameEntries(w);
  assert.is(merged.units, 3);
  assert.ok(merged.entries.some((entry) => entry.startsWith("deep ") && !entry.endsWith("-")), "a parent");
});

names("an index that llvm-dwarfdump finds to be right", (w) => {
  link(w);
  w.sh("llvm-dwarfdump-22 --verify --debug-names merged");
}, "llvm-dwarfdump-22");

names("with strings unmerged, and units that -r put together", (w) => {
  link(w, "-O0");
  sameEntries(w);
  w.sh("$LD -r a.o b.o -o ab.o && $LD -e main ab.o c.o -o plain && $LD --debug-names -e main ab.o c.o -o merged");
  assert.is(sameEntries(w).units, 3);
});

names("more units than fit into a byte", (w) => {
  link(w);
  const many = "u.o ".repeat(260);
  w.write({ "u.cc": "int only() { return 7; }" }).sh(`${COMPILE} -ffunction-sections u.cc && $LD -z muldefs -e main c.o ${many} -o plain && $LD -z muldefs --debug-names -e main c.o ${many} -o merged`);
  assert.is(sameEntries(w).units, 261);
});

names("objects without an index; different producers; stripping; off by default", (w) => {
  link(w);
  w.sh("$CLANG -x c++ -c a.cc -o n.o && $LD --debug-names -e main c.o n.o -o one && $LD --debug-names -S -e main a.o b.o c.o -o s && $LD --debug-names --no-debug-names -e main a.o b.o c.o -o off && $LD --debug-names -e _Z11shared_namev n.o -o none");
  assert.is(decode(w.elf("one"))[0]!.units, 1);
  for (const name of ["s", "none"]) assert.not(w.elf(name).section(".debug_names"), name);
  assert.is(decode(w.elf("off")).length, 3);
  w.sh(`sed 's/LLVM0700/LLVM9999/' b.o > b2.o && $LD --debug-names -e main a.o b2.o c.o -o other`);
  assert.is(decode(w.elf("other"))[0]!.augmentation, "");
  assert.is(decode(w.elf("merged"))[0]!.augmentation, "LLVM0700");
});

names("what is not understood is an error of the input", (w) => {
  const head = (length: string, version: number, table: number): string => `
    .globl _start
    _start: nop
    .section .debug_names,"",@progbits
    .long ${length}
    .short ${version}, 0
    .long 0, 0, 0, 0, 0, ${table}, 0`;
  for (const [source, said] of [
    [head("0xffffffff", 5, 0), "a.o:(.debug_names): found DWARF64, which is currently unsupported"], [head("32", 4, 0), "unsupported version: 4"],
    [head("32", 5, 900), "entry pool start is beyond end of section"], [head("3200", 5, 0), "unexpected end of data"],
  ] as const) {
    w.write({ "a.s": source }).sh("as a.s -o a.o");
    contains(w.fails("$LD --debug-names a.o -o x"), said);
  }
});

names.run();
