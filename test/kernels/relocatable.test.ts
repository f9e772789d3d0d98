import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  ISEC_CONSUMED, ISEC_EH_FRAME, ISEC_MERGE, ISEC_REGULAR, SYM_DEFINED, SYM_DISCARDED, SYM_ROOT, SYM_SECTION, SYM_UNDEF, TOMB_NONE, TOMB_ONE,
} from "../../as-kernels/shared/abi.ts";
import {
  EHDR_BYTES, R_X86_64_32, R_X86_64_64, R_X86_64_PC32, RELA_BYTES, SHDR_BYTES, SHF_ALLOC, SHF_COMPRESSED, SHF_GNU_RETAIN, SHF_GROUP, SHF_INFO_LINK, SHF_LINK_ORDER, SHF_MERGE, SHF_STRINGS,
  SHF_WRITE, SHT_NOBITS, SHT_NOTE, SHT_PROGBITS, SHT_X86_64_UNWIND,
} from "../../as-kernels/shared/elf.ts";
import { allocTable, setRows } from "../../ts/memory/table.ts";
import { kernelMemory, type KernelMemory } from "../helpers/kernel-memory.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { layoutTwin } from "../helpers/twin/layout.ts";
import { bindRelocatableTwin, deadIsOne, isMerged, layoutRelocatableTwin, type RGroup, type RHeader, type ROutput, type RSection } from "../helpers/twin/relocatable.ts";

const NAMES = [".text", ".data", ".eh_frame", ".debug_loc", ".debug_ranges", ".debug_loclists", ".debug_range", ".debug_rangesx", "", "n".repeat(70)];
const FLAGS = [0, 0, SHF_ALLOC, SHF_ALLOC, SHF_ALLOC | SHF_WRITE, SHF_ALLOC | SHF_GNU_RETAIN];
/** First output row that is a section. */
const FIRST = 2;

interface World {
  /** Sections of every object in the order of their headers. */
  objects: RSection[][];
  groups: RGroup[];
}

function randomWorld(random: Prng): World {
  const groups: RGroup[] = [];
  // Few names: many sections that could go together.
  const [names, flags, types] = random.chance(0.5) ? [NAMES.slice(0, 2), [SHF_ALLOC], [SHT_PROGBITS]] : [NAMES, FLAGS, [SHT_PROGBITS, SHT_PROGBITS, SHT_NOBITS, SHT_NOTE, SHT_X86_64_UNWIND]];
  const objects = Array.from({ length: random.between(1, 3) }, () => {
    const mine = Array.from({ length: random.below(3) }, (): RGroup => ({ comdat: random.chance(0.8), won: random.chance(0.8), header: random.chance(0.9), members: [], symbol: 0 }));
    groups.push(...mine);
    const sections: RSection[] = [];
    for (let left = random.below(14); left > 0; left--) {
      const targets = sections.filter(({ flags }) => (flags & SHF_LINK_ORDER) === 0);
      const linked = targets.length > 0 && random.chance(0.3) ? random.pick(targets) : null;
      const group = mine.length > 0 && random.chance(0.3) ? random.pick(mine) : null;
      const merge = random.chance(0.2);
      const type = random.pick(types);
      const stored = random.pick([0, 0, SHF_COMPRESSED, SHF_INFO_LINK]) | (merge ? SHF_MERGE | random.pick([0, SHF_STRINGS]) : random.pick([0, 0, SHF_STRINGS]));
      const section: RSection = {
        name: random.pick(names), type: merge ? SHT_PROGBITS : type, flags: random.pick(flags) | stored | (linked ? SHF_LINK_ORDER : 0) | (group ? SHF_GROUP : 0),
        entsize: merge ? random.pick([1, 4, 8, 12]) : random.pick([0, 0, 8]), align: random.below(5), size: random.pick([0, 1, 16, random.below(300)]), relas: random.pick([0, 0, random.below(5)]),
        live: (group?.won ?? true) && random.chance(0.85), consumed: !merge && random.chance(0.05), merge, linked, group,
      };
      sections.push(section);
      group?.members.push(section);
    }
    return sections;
  });
  return { objects, groups };
}

interface Rows {
  sections: RSection[];
  /** isec row of a section. */
  row: (section: RSection) => number;
}

/** Rows as load-sections leaves them: before the sections of an object the headers of its groups, between them one that is nothing. */
function fillWorld({ arena, tables }: KernelMemory, { objects, groups }: World): Rows {
  const sections = objects.flat();
  const obj = allocTable(arena, tables, "obj", objects.length + 1);
  const isec = allocTable(arena, tables, "isec", sections.length + 1);
  const group = allocTable(arena, tables, "group", groups.length + 1);
  const slot = allocTable(arena, tables, "slot", 1 + sections.length + groups.length + 2 * objects.length);
  allocTable(arena, tables, "esym", groups.length + 2);
  allocTable(arena, tables, "sym", groups.length + 2);
  const row = (section: RSection) => sections.indexOf(section) + 1;
  let nextSlot = 1;
  let nextGroup = 1;
  objects.forEach((mine, k) => {
    const o = k + 1;
    const myGroups = groups.filter(({ members }) => members.some((member) => mine.includes(member)));
    obj.slotBase[o] = nextSlot;
    obj.esymBase[o] = nextGroup;
    obj.groupBase[o] = nextGroup;
    obj.groupCount[o] = myGroups.length;
    obj.e_shnum[o] = 2 + myGroups.length + mine.length;
    let shndx = 1;
    for (const one of myGroups) {
      const g = nextGroup++;
      group.obj[g] = o;
      group.comdat[g] = one.comdat ? 1 : 0;
      group.won[g] = one.won ? 1 : 0;
      group.shndx[g] = one.header ? shndx : 0;
      group.signature[g] = g - obj.groupBase[o]!;
      tables.esym.sym[g] = 1 + g;
      slot.group[nextSlot + shndx++] = g;
    }
    shndx++;
    for (const section of mine) {
      const i = row(section);
      isec.obj[i] = o;
      isec.shndx[i] = shndx;
      isec.name[i] = arena.put(section.name);
      isec.sh_type[i] = section.type;
      isec.sh_flags[i] = section.flags;
      isec.sh_entsize[i] = section.entsize;
      isec.align[i] = section.align;
      isec.size[i] = section.size;
      isec.relaCount[i] = section.relas;
      isec.live[i] = section.live ? 1 : 0;
      isec.kind[i] = section.consumed ? ISEC_CONSUMED : section.merge ? ISEC_MERGE : section.name === ".eh_frame" ? ISEC_EH_FRAME : ISEC_REGULAR;
      isec.link[i] = section.linked === null ? 0 : row(section.linked);
      if (section.group !== null) {
        slot.group[nextSlot + shndx] = group.obj.indexOf(o) + myGroups.indexOf(section.group);
        const ring = section.group.members;
        isec.nextInGroup[i] = row(ring[(ring.indexOf(section) + 1) % ring.length]!);
      }
      // Sections of a copy that lost have no row: nothing may ask for it.
      slot.isec[nextSlot + shndx++] = section.group !== null && !section.group.won ? 0 : i;
    }
    nextSlot += shndx;
  });
  return { sections, row };
}

/** Names that a twin cannot tell apart from others by row: groups without members in any object have no row. */
const withRows = (world: World): World => ({ ...world, groups: world.groups.filter(({ members }) => members.length > 0) });

function bind({ arena, tables, kernels }: KernelMemory, sections: RSection[], unique: number, dissolve: boolean): number {
  const limit = FIRST + sections.length;
  for (const name of ["osec", "rout"] as const) allocTable(arena, tables, name, limit);
  allocTable(arena, tables, "member", sections.length + 1);
  const slots = 2 ** Math.ceil(Math.log2(2 * limit));
  const table = arena.allocZeroed(slots * 4);
  kernels.forgetUnwind(1, sections.length + 1);
  let rows = FIRST;
  for (const linked of [0, 1]) rows = kernels.bindRelocatable(1, sections.length + 1, linked, unique, dissolve ? 1 : 0, table, slots, rows);
  const cursors = arena.allocZeroed(4 * rows);
  const members = kernels.baseMembers(FIRST, rows, 1, cursors);
  kernels.fillMembers(1, sections.length + 1, cursors);
  setRows(tables, "osec", rows);
  setRows(tables, "rout", rows);
  setRows(tables, "member", members);
  return rows;
}

/** Merged parts as merge-pieces leaves them: one or two in an output section. */
function mergeParts({ arena, tables }: KernelMemory, random: Prng, outputs: ROutput[], row: (section: RSection) => number): void {
  const msec = allocTable(arena, tables, "msec", 2 * outputs.length + 1);
  for (let m = 1; m < msec.rows; m++) {
    msec.size[m] = random.below(100);
    msec.align[m] = random.below(5);
  }
  outputs.forEach(({ members }, k) => members.filter(isMerged).forEach((section) => (tables.isec.msec[row(section)] = 2 * k + 1 + random.below(2))));
}

function readHeader({ arena }: KernelMemory, at: number, names: number): RHeader {
  const word = (offset: number) => arena.u32[(at + offset) >>> 2]!;
  const long = (offset: number) => Number(arena.u64[(at + offset) >>> 3]!);
  return {
    name: arena.cstring(names + word(0)), type: word(4), flags: long(8), offset: long(24), size: long(32), link: word(40), info: word(44), align: long(48), entsize: long(56),
  };
}

for (const debug of [false, true]) {
  const test = suite(`kernel relocatable ${debug ? "debug" : "release"}`);
  const memory = kernelMemory(debug);
  const { arena, tables, kernels } = memory;

  test("sections, groups, their places and headers are those of the twin, on seeded objects", () => {
    for (let seed = 1; seed <= 250; seed++) {
      const mark = arena.mark();
      const where = `seed ${seed}`;
      const random = prng(seed);
      const world = withRows(randomWorld(random));
      const { sections, row } = fillWorld(memory, world);
      // All stay alone, some do, or none.
      const unique = random.pick([() => false, () => false, () => true, ({ name }: RSection) => name === ".text"]);
      const some = arena.alloc(sections.length + 2);
      sections.forEach((section) => (arena.u8[some + row(section)] = unique(section) ? 1 : 0));
      const dissolve = random.chance(0.2);
      const outputs = bindRelocatableTwin(sections, unique, dissolve);
      const how = !sections.some(unique) ? 0 : sections.every(unique) ? 1 : some;
      assert.is(bind(memory, sections, how, dissolve), FIRST + outputs.length, where);
      const { osec, rout, isec, member, group, sym } = tables;
      outputs.forEach((output, k) => {
        const id = FIRST + k;
        const members = [...member.isec.subarray(osec.memberBase[id]!, osec.memberBase[id]! + osec.memberCount[id]!)];
        assert.equal(members, output.members.map(row), `${where}, members of ${output.name}`);
        assert.is(osec.tombstone[id], deadIsOne(output) ? TOMB_ONE : TOMB_NONE, `${where}, ${output.name}`);
        rout.sym[id] = 1000 + k;
      });

      // Symbols that name groups: a global or local one, or that of a section.
      const kept = (section: RSection) => outputs.findIndex(({ members }) => members.includes(section));
      world.groups.forEach((one, k) => {
        const id = tables.esym.sym[1 + k]!;
        one.symbol = 50 + k;
        sym.aux[id] = one.symbol;
        if (random.chance(0.7)) return;
        const section = random.pick(one.members);
        sym.flags[id] = SYM_DEFINED | SYM_SECTION;
        sym.isec[id] = row(section);
        if (kept(section) >= 0) one.symbol = 1000 + kept(section);
        else sym.isec[id] = 0;
      });
      mergeParts(memory, random, outputs, row);

      let count = 0;
      let bytes = 0;
      for (let o = 1; o <= world.objects.length && !dissolve; o++) {
        count += kernels.placeGroups(o, bytes);
        bytes += kernels.groupBytes(o);
      }
      const sizes = outputs.map(({ members }, k) => {
        const { end, offsets } = layoutTwin(members.map((section) => ({ ...section, kind: isMerged(section) ? ISEC_MERGE : ISEC_REGULAR, source: 0, offset: 0, compressed: false })), 0, (m) => {
          const part = isec.msec[row(members[m]!)]!;
          return { part, size: tables.msec.size[part]!, align: tables.msec.align[part]! };
        });
        return { end, check: () => members.forEach((section, m) => offsets[m] === null || assert.is(isec.outOffset[row(section)], offsets[m], `${where}, output ${k}`)) };
      });
      const symtab = 77;
      const twin = layoutRelocatableTwin(outputs, dissolve ? [] : world.groups, sizes.map(({ end }) => end), EHDR_BYTES, symtab);
      assert.is(count, twin.groups.filter((words) => words !== null).length, where);
      assert.is(bytes, 4 * twin.groups.reduce((sum, words) => sum + (words?.length ?? 0), 0), where);
      world.groups.forEach((_, g) => assert.is((sym.flags[tables.esym.sym[1 + g]!]! & SYM_ROOT) !== 0, (twin.groups[g] ?? null) !== null, `${where}, name of group ${g}`));

      const groupsFrom = Math.ceil(kernels.layoutOutputs(FIRST, EHDR_BYTES) / 4) * 4;
      for (const { check } of sizes) check();
      assert.is(kernels.numberOutputs(FIRST, 1), twin.headers.length, where);
      kernels.layoutRelas(Math.ceil((groupsFrom + bytes) / 8) * 8);
      const before = "\0.group\0";
      const nameBytes = kernels.nameOutputs(before.length, 0);
      const names = arena.alloc(before.length + nameBytes + 16);
      arena.setString(names, before);
      arena.u8.fill(0xee, names + before.length, names + before.length + nameBytes + 16);
      assert.is(kernels.nameOutputs(before.length, names + before.length), nameBytes, where);
      assert.ok(arena.bytes(names + before.length + nameBytes, 16).every((byte) => byte === 0xee), where);
      const shdrs = arena.allocZeroed(SHDR_BYTES * twin.headers.length);
      assert.is(kernels.outputHeaders(shdrs, symtab), twin.gnuAbi ? 1 : 0, where);
      const contents = arena.alloc(bytes + 16);
      for (let o = 1; o <= world.objects.length; o++) kernels.writeGroups(o, shdrs, 1, symtab, contents, groupsFrom);
      twin.headers.forEach((header, i) => assert.equal(readHeader(memory, shdrs + SHDR_BYTES * i, names), header, `${where}, header ${i}`));
      twin.groups.forEach((words, g) => {
        if (words === null) return assert.is(group.index[1 + g], 0, where);
        const at = (contents + group.outOffset[1 + g]!) >>> 2;
        assert.equal([...arena.u32.subarray(at, at + words.length)], words, `${where}, group ${g}`);
      });
      arena.release(mark);
    }
  });

  test("fields that refer to what is not there say so, and no others", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      // Targets: symbol 0, one in the output, one whose section is dead, one whose section is dropped, a lost copy, an undefined and an absolute one.
      const targets = [false, false, true, true, true, false, false];
      const isec = allocTable(arena, tables, "isec", 5);
      const osec = allocTable(arena, tables, "osec", 3);
      const obj = allocTable(arena, tables, "obj", 2);
      const sym = allocTable(arena, tables, "sym", targets.length + 1);
      const esym = allocTable(arena, tables, "esym", targets.length + 1);
      const one = random.chance(0.5);
      osec.tombstone[2] = one ? TOMB_ONE : TOMB_NONE;
      isec.obj.fill(1);
      isec.osec.set([2, 2, 2, 0], 1);
      isec.live.set([1, 1, 0, 1], 1);
      obj.esymBase[1] = 1;
      obj.esymCount[1] = targets.length;
      targets.forEach((_, k) => (esym.sym[1 + k] = 1 + k));
      sym.flags.set([SYM_UNDEF, SYM_DEFINED, SYM_DEFINED, SYM_DEFINED, SYM_DISCARDED, SYM_UNDEF, SYM_DEFINED], 1);
      sym.isec.set([0, 2, 3, 4, 0, 0, 0], 1);
      const wanted = Uint8Array.from({ length: 64 }, () => random.below(256));
      isec.size[1] = wanted.length;
      const bytes = arena.alloc(96);
      arena.u8.set(wanted, bytes);
      const relocs = Array.from({ length: random.below(12) }, () => ({
        type: random.pick([R_X86_64_64, R_X86_64_32, R_X86_64_PC32]), offset: random.pick([random.below(70), 56, 60, 61, 2 ** 40]), sym: random.below(targets.length + 2),
      }));
      const rela = arena.alloc(RELA_BYTES * relocs.length + 8);
      relocs.forEach(({ type, offset, sym: index }, k) => {
        arena.u64.set([BigInt(offset), (BigInt(index) << 32n) | BigInt(type), 5n], (rela + RELA_BYTES * k) >>> 3);
        const width = type === R_X86_64_64 ? 8 : type === R_X86_64_32 ? 4 : 0;
        if (targets[index] && width > 0 && offset + width <= wanted.length) wanted.fill(0, offset, offset + width).fill(one ? 1 : 0, offset, offset + 1);
      });
      kernels.buryDead(1, rela, relocs.length, bytes);
      assert.equal(arena.bytes(bytes, 64).slice(), wanted, `seed ${seed}`);
      arena.release(mark);
    }
  });

  test.run();
}
