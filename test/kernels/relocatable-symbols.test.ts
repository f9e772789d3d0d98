import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  CTL_COUNTERS, ISEC_EH_FRAME, ISEC_MERGE, ISEC_REGULAR, ISEC_SYNTHETIC, SYM_COMMON, SYM_DEFINED, SYM_DISCARDED, SYM_IN_OSEC, SYM_LAZY, SYM_REF_LIVE, SYM_ROOT, SYM_UNDEF, SYM_USED_REGULAR,
} from "../../as-kernels/shared/abi.ts";
import {
  SHF_ALLOC, SHF_MERGE, SHN_COMMON, SHN_LORESERVE, SHN_UNDEF, SHN_XINDEX, STB_GLOBAL, STB_GNU_UNIQUE, STB_WEAK, STT_FILE, STT_FUNC, STT_GNU_IFUNC, STT_OBJECT, STT_SECTION, STT_TLS, SYM_BYTES,
} from "../../as-kernels/shared/elf.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory, type KernelMemory } from "../helpers/kernel-memory.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { FIRST_LOCAL, PIECES, placeLocals, readEntry, symbolWorld, type SymbolWorld } from "../helpers/symbol-world.ts";
import type { Discard, Entry } from "../helpers/twin/emit-symtab.ts";
import {
  globalEntryOfObject, isGlobalKept, isLocalKept, localEntryOfObject, nameOfGlobal, needsGnuAbi, ownerOfSection, typeOfReference, type MemberKind, type RGlobal, type RLocal,
} from "../helpers/twin/relocatable-symbols.ts";

const POLICIES: Discard[] = ["default", "locals", "all", "none"];
/** Where symbols of the output begin in the table, and in its string table. */
const FIRST_ENTRY = 7;
const FIRST_NAME = 100;
/** st_shndx of commons in the large model (psABI, SHN_X86_64_LCOMMON). */
const LARGE_COMMON = 0xff02;
/** Header indexes of the object's groups; the second needs SHT_SYMTAB_SHNDX in symbol `WIDE`. */
const GROUPS = [3, 4];

function randomLocal(random: Prng, world: SymbolWorld, groups: number[]): RLocal {
  const kind = random.pick([SYM_DEFINED, SYM_DEFINED, SYM_DEFINED, SYM_UNDEF, SYM_DISCARDED]);
  return {
    name: random.pick(["", ".L", "."]) + "x".repeat(random.pick([0, 1, 7, 8, random.below(70)])), type: random.pick([0, STT_OBJECT, STT_FUNC, STT_SECTION, STT_FILE, STT_GNU_IFUNC]),
    flags: kind | random.pick([0, 0, SYM_REF_LIVE, SYM_ROOT]), section: kind === SYM_DEFINED ? random.pick([...world.sections, null]) : null,
    groupIndex: kind === SYM_DISCARDED && random.chance(0.7) ? random.pick(groups) : null,
    piece: random.pick(["none", "dead", "live", "live"]), addr: random.u64(), size: random.u64(), other: random.below(4),
  };
}

function randomGlobal(random: Prng, world: SymbolWorld, k: number): RGlobal {
  const kind = random.pick([SYM_DEFINED, SYM_DEFINED, SYM_COMMON, SYM_UNDEF, SYM_LAZY, SYM_IN_OSEC, SYM_DISCARDED]);
  const name = `g${k}` + "x".repeat(random.below(40));
  const defined = kind === SYM_DEFINED || kind === SYM_COMMON;
  return {
    name, definedAs: defined && random.chance(0.9) ? name + random.pick(["", "@V1", "@@V1"]) : null, type: random.pick([0, 1, 2, STT_GNU_IFUNC]),
    bind: random.pick([0, STB_GLOBAL, STB_WEAK, STB_GNU_UNIQUE]), vis: random.below(4), flags: kind | random.pick([0, SYM_USED_REGULAR, SYM_USED_REGULAR]) | random.pick([0, SYM_REF_LIVE, SYM_ROOT]),
    section: kind === SYM_DEFINED ? random.pick([...world.sections, null]) : null, output: kind === SYM_IN_OSEC ? random.pick([...world.link.outputs, null]) : null,
    piece: random.pick(["none", "dead", "live", "live"]), addr: random.u64(), size: random.below(2 ** 40), align: random.below(8), special: SHN_COMMON,
  };
}

/** Tables filled with rubbish that must be overwritten or left alone. */
function room({ arena }: KernelMemory, random: Prng, entries: number, text: number) {
  const at = arena.alloc(SYM_BYTES * entries + 16);
  const wide = arena.alloc(4 * entries + 16);
  const names = arena.alloc(text + 64) + random.below(16);
  arena.u8.fill(0xee, at, at + SYM_BYTES * entries + 16);
  arena.u8.fill(0xee, wide, wide + 4 * entries + 16);
  arena.u8.fill(0xee, names, names + text + 32);
  arena.u32[CTL_COUNTERS >>> 2] = 0;
  return { at, wide, names };
}

for (const debug of [false, true]) {
  const test = suite(`kernel relocatable-symbols ${debug ? "debug" : "release"}`);
  const memory = kernelMemory(debug);
  const { arena, tables, params, kernels } = memory;

  /** What was written is `entries` with `names`, each at its place, and nothing behind. */
  const compare = ({ at, wide, names }: ReturnType<typeof room>, entries: Entry[], texts: string[], where: string): void => {
    const text = texts.map((name) => name + "\0").join("");
    assert.is(arena.string(names, text.length), text, where);
    for (const [end, bytes] of [[names + text.length, 16], [at + SYM_BYTES * entries.length, 16], [wide + 4 * entries.length, 16]] as const) {
      assert.ok(arena.bytes(end, bytes).every((byte) => byte === 0xee), `nothing behind, ${where}`);
    }
    let name = FIRST_NAME;
    entries.forEach((entry, n) => {
      const local = entry.info >> 4 === 0;
      assert.equal(readEntry(memory, at + SYM_BYTES * n, wide + 4 * n), { name: local && texts[n] === "" ? 0 : name, entry }, `${where}, entry ${n}`);
      name += texts[n]!.length + 1;
    });
    assert.is(arena.u32[CTL_COUNTERS >>> 2], entries.some(needsGnuAbi) ? 1 : 0, where);
  };

  test("keeps the locals its twin keeps, with their sections and groups, on seeded objects", () => {
    for (let seed = 1; seed <= 150; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const world = symbolWorld(memory, random);
      const groups = GROUPS.map(() => random.pick([0, 5, SHN_LORESERVE, 70_000]));
      const locals = Array.from({ length: random.below(40) }, () => randomLocal(random, world, groups));
      placeLocals(memory, world, locals);
      const { obj, sym } = tables;
      const slot = allocTable(arena, tables, "slot", 20);
      const group = allocTable(arena, tables, "group", 3);
      obj.slotBase[1] = 9;
      GROUPS.forEach((shndx, g) => {
        // A member of the group stands right behind its header.
        slot.group.fill(1 + g, 9 + shndx, 11 + shndx);
        group.shndx[1 + g] = shndx;
        group.index[1 + g] = groups[g]!;
      });
      obj.shndxTab[1] = random.chance(0.5) ? arena.allocZeroed(4 * (locals.length + 1)) : 0;
      locals.forEach((local, k) => {
        const at = obj.symtab[1]! + SYM_BYTES * (k + 1);
        const shndx = local.groupIndex === null ? 0 : GROUPS[groups.indexOf(local.groupIndex)]!;
        const escapes = obj.shndxTab[1] !== 0 && random.chance(0.5);
        arena.u16[(at >>> 1) + 3] = escapes ? SHN_XINDEX : shndx;
        if (escapes) arena.u32[(obj.shndxTab[1]! >>> 2) + k + 1] = shndx;
      });
      POLICIES.forEach((policy, discard) => {
        const where = `seed ${seed}, ${policy}`;
        const kept = locals.filter((local) => isLocalKept(local, policy));
        const texts = kept.map(({ name }) => name);
        const bytes = texts.reduce((sum, name) => sum + name.length + 1, 0);
        const tablesAt = room(memory, random, kept.length, bytes);
        const total = arena.allocZeroed(8);
        arena.f64[total >>> 3] = 3;
        assert.is(kernels.countRelocatableLocals(1, discard, total), kept.length, where);
        assert.is(arena.f64[total >>> 3], 3 + bytes, where);
        assert.is(kernels.emitRelocatableLocals(1, discard, tablesAt.at, FIRST_ENTRY, tablesAt.names, FIRST_NAME, tablesAt.wide), bytes, where);
        compare(tablesAt, kept.map(localEntryOfObject), texts, where);
        kept.forEach((local, n) => assert.is(sym.aux[FIRST_LOCAL + locals.indexOf(local)], FIRST_ENTRY + n, where));
      });
      arena.release(mark);
    }
  });

  test("keeps the globals its twin keeps: definitions with their versions, references, commons", () => {
    for (let seed = 1; seed <= 250; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const where = `seed ${seed}`;
      const world = symbolWorld(memory, random);
      const globals = Array.from({ length: random.below(40) }, (_, k) => randomGlobal(random, world, k));
      const rows = globals.length + 1;
      const sym = allocTable(arena, tables, "sym", rows);
      const gsym = allocTable(arena, tables, "gsym", rows);
      const obj = allocTable(arena, tables, "obj", 2);
      const symtab = arena.allocZeroed(SYM_BYTES * rows);
      let strtab = "\0";
      obj.symtab[1] = symtab;
      obj.esymBase[1] = 3;
      globals.forEach((global, k) => {
        const id = k + 1;
        sym.flags[id] = global.flags;
        sym.isec[id] = world.row(global.section) || world.outputRow(global.output);
        sym.piece[id] = PIECES[global.piece];
        sym.addr[id] = global.addr;
        gsym.name[id] = arena.put(global.name);
        gsym.type[id] = global.type;
        gsym.bind[id] = global.bind;
        gsym.vis[id] = global.vis;
        gsym.size[id] = global.size;
        gsym.align[id] = global.align;
        if (global.definedAs === null) return;
        if (random.chance(0.3)) global.special = LARGE_COMMON;
        gsym.obj[id] = 1;
        gsym.esym[id] = 3 + id;
        arena.u32[(symtab + SYM_BYTES * id) >>> 2] = strtab.length;
        arena.u16[((symtab + SYM_BYTES * id) >>> 1) + 3] = global.special;
        strtab += global.definedAs + "\0";
      });
      obj.strtab[1] = arena.put(strtab);
      const from = random.below(globals.length + 1);
      const to = random.between(from, globals.length);
      const sttCommon = random.chance(0.3);
      params.set("sttCommon", sttCommon ? 1 : 0);
      for (const onlyUsed of [0, 1]) {
        const kept = globals.slice(from, to).filter((global) => isGlobalKept(global, onlyUsed === 1));
        const texts = kept.map(nameOfGlobal);
        const bytes = texts.reduce((sum, name) => sum + name.length + 1, 0);
        const tablesAt = room(memory, random, kept.length, bytes);
        const total = arena.allocZeroed(8);
        assert.is(kernels.countRelocatableGlobals(from + 1, to + 1, onlyUsed, total), kept.length, where);
        assert.is(arena.f64[total >>> 3], bytes, where);
        assert.is(kernels.emitRelocatableGlobals(from + 1, to + 1, onlyUsed, tablesAt.at, FIRST_ENTRY, tablesAt.names, FIRST_NAME, tablesAt.wide), bytes, where);
        compare(tablesAt, kept.map((global) => globalEntryOfObject(global, params.get("gnuUnique") === 1, sttCommon)), texts, where);
        kept.forEach((global, n) => assert.is(sym.aux[globals.indexOf(global) + 1], FIRST_ENTRY + n, where));
      }
      arena.release(mark);
    }
  });

  test("what nobody defines has the type of its first typed mention", () => {
    for (let seed = 1; seed <= 100; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const [names, objects] = [4, random.between(1, 4)];
      const gsym = allocTable(arena, tables, "gsym", names + 1);
      const obj = allocTable(arena, tables, "obj", objects + 1);
      const esym = allocTable(arena, tables, "esym", 1 + objects * (2 + names));
      const mentions: number[][] = Array.from({ length: names + 1 }, () => []);
      for (let o = 1; o <= objects; o++) {
        // The null symbol, a local one, then the globals in an order of its own.
        obj.symtab[o] = arena.allocZeroed(SYM_BYTES * (2 + names));
        obj.esymBase[o] = 1 + (o - 1) * (2 + names);
        obj.esymCount[o] = 2 + names;
        obj.firstGlobal[o] = 2;
        random.shuffle([1, 2, 3, 4]).forEach((id, k) => {
          const at = obj.symtab[o]! + SYM_BYTES * (2 + k);
          const type = random.pick([0, 0, STT_OBJECT, STT_FUNC, STT_TLS, STT_GNU_IFUNC]);
          const defines = random.chance(0.2);
          arena.u8[at + 4] = type;
          arena.u16[(at >>> 1) + 3] = defines ? 1 : SHN_UNDEF;
          esym.sym[obj.esymBase[o]! + 2 + k] = id;
          if (!defines) mentions[id]!.push(type);
        });
      }
      // The last name is defined, in a way that has no type.
      gsym.esym[names] = 1;
      const list = arena.alloc(4 * objects);
      for (let o = 1; o <= objects; o++) arena.u32[(list >>> 2) + o - 1] = o;
      kernels.typeReferences(list, 0, objects);
      for (let id = 1; id <= names; id++) assert.is(gsym.type[id], id === names ? 0 : typeOfReference(mentions[id]!), `seed ${seed}, name ${id}`);
      arena.release(mark);
    }
  });

  test("section symbols stand behind the locals of the object that their sections begin with", () => {
    const KINDS: Record<MemberKind, number> = { copied: ISEC_REGULAR, merged: ISEC_MERGE, unwind: ISEC_EH_FRAME, made: ISEC_SYNTHETIC };
    for (let seed = 1; seed <= 200; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const where = `seed ${seed}`;
      const outputs = Array.from({ length: random.below(8) }, () => ({
        mergeable: random.chance(0.4), index: random.pick([0, 3, SHN_LORESERVE, 70_000]), addr: random.u64(),
        members: Array.from({ length: random.below(4) }, () => ({ kind: random.pick(["copied", "merged", "merged", "unwind", "unwind", "made"] as MemberKind[]), object: random.between(1, 3) })),
      }));
      const members = outputs.flatMap((output) => output.members);
      const osec = allocTable(arena, tables, "osec", 2 + outputs.length);
      const rout = allocTable(arena, tables, "rout", 2 + outputs.length);
      const isec = allocTable(arena, tables, "isec", 1 + members.length);
      const member = allocTable(arena, tables, "member", 1 + members.length);
      outputs.forEach((output, k) => {
        osec.sh_flags[2 + k] = output.mergeable ? SHF_ALLOC | SHF_MERGE : SHF_ALLOC;
        osec.index[2 + k] = output.index;
        osec.addr[2 + k] = output.addr;
        osec.memberBase[2 + k] = output.members.length === 0 ? 0 : 1 + members.indexOf(output.members[0]!);
        osec.memberCount[2 + k] = output.members.length;
      });
      members.forEach(({ kind, object }, m) => {
        member.isec[1 + m] = 1 + m;
        isec.kind[1 + m] = KINDS[kind];
        isec.obj[1 + m] = object;
      });
      const owners = outputs.map((output) => ownerOfSection(output.members, output.mergeable));
      const of = (o: number) => owners.filter((owner) => owner === (o === 0 ? "nobody's" : o)).length;
      const counts = arena.allocZeroed(16);
      kernels.countSectionSymbols(counts);
      assert.equal([...arena.u32.subarray(counts >>> 2, (counts >>> 2) + 4)], [0, 1, 2, 3].map(of), where);
      const starts = [1, 9, 17, 25];
      arena.u32.set(starts, counts >>> 2);
      kernels.numberSectionSymbols(counts);
      const numbers = owners.map((owner, k) => (owner === null ? 0 : starts[owner === "nobody's" ? 0 : owner]! + owners.slice(0, k).filter((before) => before === owner).length));
      assert.equal([...rout.sym.subarray(2, 2 + outputs.length)], numbers, where);
      const { at, wide } = room(memory, random, 33, 0);
      kernels.emitSectionSymbols(at, wide);
      const empty = { name: 0, entry: { info: 0, other: 0, shndx: 0, wide: 0, value: 0n, size: 0n } };
      assert.equal(readEntry(memory, at, wide), empty, where);
      outputs.forEach(({ index, addr }, k) => {
        const i = numbers[k]!;
        if (i === 0) return;
        const escapes = index >= SHN_LORESERVE;
        const entry = { info: STT_SECTION, other: 0, shndx: escapes ? SHN_XINDEX : index, wide: escapes ? index : 0, value: addr, size: 0n };
        assert.equal(readEntry(memory, at + SYM_BYTES * i, wide + 4 * i), { name: 0, entry }, where);
      });
      arena.release(mark);
    }
  });

  test.run();
}
