import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as abi from "../../as-kernels/shared/abi.ts";
import { SHT_NOBITS, SHT_NOTE, SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory, type KernelMemory } from "../helpers/kernel-memory.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { bindTwin, cutTwin, layoutTwin, runTwin, type TwinSection } from "../helpers/twin/layout.ts";

const RULES: [string, string][] = [[".text.hot", ".text.hot"], [".text", ".text"], [".data.rel.ro", ".data.rel.ro"], [".data", ".data"], ["COMMON", ".bss"], [".bss", ".bss"], [".long", ".longer.name"]];
const NAMES = [
  ".text", ".text.f", ".text.hot", ".text.hot.f", ".text.hotter", ".text.", ".textual", ".tex", ".data.rel.ro.local", ".data.rel.roo", ".data.rel", ".data", "COMMON",
  ".bss", "", "a", ".long", ".long.y", ".longer.name", "n".repeat(300), "n".repeat(301),
];
const KINDS = [abi.ISEC_REGULAR, abi.ISEC_REGULAR, abi.ISEC_REGULAR, abi.ISEC_MERGE, abi.ISEC_EH_FRAME];

function randomSections(random: Prng, count: number): TwinSection[] {
  let offset = 0;
  return Array.from({ length: count }, () => {
    const size = random.pick([0, 0, 1, 3, 16, random.below(300), random.below(9000)]);
    offset = random.chance(0.05) ? 0 : offset + random.pick([0, 0, 1, 15, 16384, 16385]);
    const section = {
      name: random.pick(NAMES), kind: random.chance(0.05) ? abi.ISEC_CONSUMED : random.pick(KINDS), type: random.pick([SHT_PROGBITS, SHT_PROGBITS, SHT_NOBITS, SHT_NOTE]),
      flags: random.below(64), entsize: random.pick([0, 1, 8]), align: random.pick([0, 0, 2, 3, 4, 6, 12]), live: random.chance(0.9), size,
      source: random.chance(0.9) ? 1 : 2, offset, compressed: random.chance(0.04),
    };
    offset += size;
    return section;
  });
}

/** Section s is isec s + 1. */
function fill({ arena, tables }: KernelMemory, sections: TwinSection[]): void {
  const obj = allocTable(arena, tables, "obj", 3);
  obj.source.set([1, 2], 1);
  const isec = allocTable(arena, tables, "isec", sections.length + 1);
  const names = new Map<string, number>();
  sections.forEach((section, s) => {
    const i = s + 1;
    if (!names.has(section.name) || s % 3 === 0) names.set(section.name, arena.put(section.name));
    isec.name[i] = names.get(section.name)!;
    isec.obj[i] = section.source;
    isec.kind[i] = section.kind;
    isec.sh_type[i] = section.type;
    isec.sh_flags[i] = section.flags;
    isec.sh_entsize[i] = section.entsize;
    isec.sh_offset[i] = section.offset;
    isec.align[i] = section.align;
    isec.live[i] = section.live ? 1 : 0;
    isec.size[i] = section.size;
    isec.compressed[i] = section.compressed ? 1 : 0;
    isec.kept[i] = 0;
  });
}

/** member row m = section m - 1. */
function fillMembers({ arena, tables }: KernelMemory, sections: TwinSection[]): void {
  fill({ arena, tables } as KernelMemory, sections);
  const member = allocTable(arena, tables, "member", sections.length + 1);
  sections.forEach((_, s) => (member.isec[s + 1] = s + 1));
}

/** Contents of source 1 and 2. */
const files = [1, 2].map((source) => Uint8Array.from({ length: 400_000 }, (_, i) => (i * 7 + (i >> 8) + source) & 255));

for (const debug of [false, true]) {
  const test = suite(`kernel bind-sections, assign-addresses ${debug ? "debug" : "release"}`);
  const memory = kernelMemory(debug, 512);
  const { arena, tables, kernels } = memory;

  test("output sections by first appearance, on seeded names", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const sections = randomSections(random, random.below(80));
      fill(memory, sections);
      const twin = bindTwin(sections, RULES);
      const limit = 2 + twin.length;
      const osec = allocTable(arena, tables, "osec", limit);
      const slots = 2 ** Math.ceil(Math.log2(2 * limit));
      const table = arena.allocZeroed(slots * 4);
      const scratch = arena.allocZeroed(16);
      const rules = arena.alloc(16 * RULES.length);
      RULES.forEach(([prefix, name], k) => arena.u32.set([arena.put(prefix), prefix.length, arena.put(name), 0], (rules >>> 2) + 4 * k));
      // What load-sections has found out about some of the names.
      sections.forEach(({ name }, s) => (tables.isec.rule[s + 1] = random.below(2) === 0 || /^\.[cd]tors/.test(name) ? 0 : 1 + RULES.findIndex(([prefix]) => name === prefix || name.startsWith(`${prefix}.`))));
      arena.u32[(scratch >>> 2) + 1] = 2;
      const cut = 1 + random.below(sections.length + 1);
      kernels.bindSections(1, cut, rules, RULES.length, table, slots, scratch, 0);
      assert.is(kernels.bindSections(cut, sections.length + 1, rules, RULES.length, table, slots, scratch, 0), limit, `seed ${seed}`);
      const member = allocTable(arena, tables, "member", sections.length + 1);
      const cursors = arena.allocZeroed(limit * 4);
      let base = 1;
      twin.forEach((output, k) => {
        const id = k + 2;
        arena.u32[(cursors >>> 2) + id] = base;
        base += output.members.length;
        const got = {
          name: arena.string(osec.name[id]!, osec.nameBytes[id]!), type: osec.sh_type[id], flags: osec.sh_flags[id], entsize: osec.sh_entsize[id],
          align: osec.align[id], members: sections.map((_, s) => s).filter((s) => tables.isec.osec[s + 1] === id),
        };
        assert.equal(got, output, `seed ${seed}`);
        assert.is(osec.memberCount[id], output.members.length);
      });
      kernels.fillMembers(1, sections.length + 1, cursors);
      assert.equal([...member.isec.subarray(1, base)], twin.flatMap(({ members }) => members.map((s) => s + 1)), `seed ${seed}`);
      arena.release(mark);
    }
  });

  test("says so when there are more output sections than rows", () => {
    const mark = arena.mark();
    fill(memory, randomSections(prng(1), 5).map((section, s) => ({ ...section, name: `s${s}`, live: true, kind: 0 })));
    allocTable(arena, tables, "osec", 5);
    const scratch = arena.allocZeroed(16);
    arena.u32[(scratch >>> 2) + 1] = 2;
    assert.is(kernels.bindSections(1, 6, 0, 0, arena.allocZeroed(64), 16, scratch, 0), 0);
    arena.release(mark);
  });

  test("places members one after the other, merged parts where their first member stands", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const sections = randomSections(random, random.below(60)).map((section) => ({ ...section, size: random.chance(0.02) ? 2 ** 40 + 1 : section.size }));
      fillMembers(memory, sections);
      const msec = allocTable(arena, tables, "msec", 5);
      for (let m = 1; m < 5; m++) {
        msec.size[m] = random.below(100);
        msec.align[m] = random.below(5);
      }
      sections.forEach((_, s) => (tables.isec.msec[s + 1] = random.below(5)));
      const start = random.pick([0, 64, 2 ** 33 + 7]);
      const twin = layoutTwin(sections, start, (s) => {
        const part = tables.isec.msec[s + 1]!;
        return part === 0 ? null : { part, size: msec.size[part]!, align: msec.align[part]! };
      });
      assert.is(kernels.layoutMembers(1, sections.length + 1, start), twin.end, `seed ${seed}`);
      sections.forEach((_, s) => assert.is(tables.isec.outOffset[s + 1], twin.offsets[s] ?? 0, `member ${s}, seed ${seed}`));
      for (let m = 1; m < 5; m++) assert.is(msec.outOffset[m], twin.parts.get(m) ?? 0, `part ${m}, seed ${seed}`);
      for (const bytes of [0, 1, 500, 20_000, 2 ** 41]) {
        const from = random.below(sections.length + 1);
        assert.is(kernels.cutWindow(from + 1, sections.length + 1, bytes), cutTwin(sections, twin.offsets, from, bytes) + 1, `from ${from}, ${bytes} bytes, seed ${seed}`);
      }
      arena.release(mark);
    }
  });

  test("reads stretches of one file, and every byte comes to its place", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const sections = randomSections(random, random.between(1, 40));
      fillMembers(memory, sections);
      const end = kernels.layoutMembers(1, 1, 0);
      assert.is(end, 0);
      allocTable(arena, tables, "msec", 1);
      const size = kernels.layoutMembers(1, sections.length + 1, 0);
      const limit = random.pick([1, 5000, 1 << 20]);
      const window = arena.alloc(size + 16);
      const wanted = new Uint8Array(size);
      arena.u8.fill(0, window, window + size);
      const out = arena.alloc(32);
      const hasBytes = ({ kind, type, size: bytes }: TwinSection): boolean => kind === abi.ISEC_REGULAR && type !== SHT_NOBITS && bytes > 0;
      // What is in memory is not read.
      const isKept = sections.map((section) => seed % 2 === 0 && !section.compressed && hasBytes(section) && random.chance(0.3));
      sections.forEach(({ offset, size: bytes, source }, s) => {
        if (!isKept[s]) return;
        tables.isec.kept[s + 1] = arena.alloc(bytes);
        arena.u8.set(files[source - 1]!.subarray(offset, offset + bytes), tables.isec.kept[s + 1]);
      });
      memory.params.set("keptMembers", isKept.includes(true) ? 1 : 0);
      // Of those that the link keeps for something else nobody asks here.
      if (!isKept.includes(true)) for (let s = 0; s < sections.length; s++) tables.isec.kept[s + 1] = 4;
      const others = sections.map((section, s) => (isKept[s] ? { ...section, size: 0 } : section));
      for (let from = 0; from < sections.length; ) {
        const twin = runTwin(others, from, limit);
        const next = kernels.nextRun(from + 1, sections.length + 1, limit, out) - 1;
        const [first, last] = [arena.f64[out >>> 3]!, arena.f64[(out >>> 3) + 1]!];
        const compressed = arena.u32[(out >>> 2) + 5]! - 1;
        assert.equal({ next, first, last, compressed }, { next: twin.next, first: twin.first, last: twin.last, compressed: twin.compressed }, `seed ${seed}`);
        assert.is(arena.u32[(out >>> 2) + 6], isKept.slice(from, next).includes(true) ? 1 : 0, `seed ${seed}`);
        if (arena.u32[(out >>> 2) + 6] !== 0) kernels.placeKept(from + 1, next + 1, window, 0);
        if (last > first) {
          assert.is(arena.u32[(out >>> 2) + 4], twin.source, `seed ${seed}`);
          const input = arena.alloc(last - first);
          arena.u8.set(files[twin.source - 1]!.subarray(first, last), input);
          kernels.placeRun(from + 1, next + 1, input, first, window, 0);
        }
        for (let s = from; s < next; s++) {
          const { offset, size: bytes, source, compressed: packed } = sections[s]!;
          if (hasBytes(sections[s]!) && !packed) wanted.set(files[source - 1]!.subarray(offset, offset + bytes), tables.isec.outOffset[s + 1]!);
        }
        from = next;
      }
      assert.ok(Buffer.compare(Buffer.from(arena.u8.slice(window, window + size)), Buffer.from(wanted)) === 0, `seed ${seed}`);
      arena.release(mark);
    }
  });

  test.run();
}
