import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  SYM_DEFINED, SYM_DISCARDED, SYM_EXPORTED, SYM_FORCED_LOCAL, SYM_IFUNC, SYM_IN_OSEC, SYM_KIND_MASK, SYM_NEEDS_COPY, SYM_NEEDS_CPLT, SYM_REF_LIVE, SYM_TLS, SYM_UNDEF,
  SYM_USED_REGULAR,
} from "../../as-kernels/shared/abi.ts";
import { STB_GLOBAL, STB_GNU_UNIQUE, STB_WEAK, STT_FILE, STT_GNU_IFUNC, SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory, type KernelMemory } from "../helpers/kernel-memory.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { FIRST_LOCAL, PIECES, placeLocals, readEntry, symbolWorld, type SymbolWorld } from "../helpers/symbol-world.ts";
import {
  GLOBAL_KINDS, globalEntry, isGlobalWritten, isLocalised, isWritten, localEntry, type Discard, type Global, type Link, type Local,
} from "../helpers/twin/emit-symtab.ts";

const POLICIES: Discard[] = ["default", "locals", "all", "none"];
/** Where symbols of the output begin in the table, and in its string table. */
const FIRST_ENTRY = 7;
const FIRST_NAME = 100;

/** In, behind or between the output sections. */
const someAddress = (random: Prng, { link }: SymbolWorld): bigint => random.pick(link.outputs).addr + BigInt(random.pick([0, 1, 0x10, 0x20, 0x28]));

function randomLocal(random: Prng, world: SymbolWorld): Local {
  const type = random.pick([0, 1, 2, 3, STT_FILE, STT_GNU_IFUNC]);
  return {
    name: random.pick(["", ".L", "."]) + "x".repeat(random.pick([0, 1, 7, 8, 40, random.below(70)])), type,
    flags: random.pick([SYM_DEFINED, SYM_DEFINED, SYM_DEFINED, SYM_UNDEF, SYM_DISCARDED]) | (type === STT_GNU_IFUNC ? random.pick([SYM_IFUNC, SYM_IFUNC | SYM_NEEDS_CPLT]) : random.pick([0, SYM_TLS])) | random.pick([0, SYM_REF_LIVE]),
    section: random.pick([...world.sections, null]), piece: random.pick(["none", "dead", "live", "live"]), addr: someAddress(random, world), size: random.u64(), other: random.below(4),
  };
}

function randomGlobal(random: Prng, world: SymbolWorld, k: number): Global {
  const kind = random.pick(GLOBAL_KINDS);
  return {
    name: `g${k}` + random.pick(["", "@@V1", "x".repeat(random.below(40))]), type: random.pick([0, 1, 2, STT_GNU_IFUNC]), bind: random.pick([0, STB_GLOBAL, STB_WEAK, STB_GNU_UNIQUE]),
    vis: random.pick([0, 0, 1, 2, 3]),
    flags: kind | random.pick([0, SYM_USED_REGULAR, SYM_USED_REGULAR]) | random.pick([0, 0, SYM_TLS, SYM_IFUNC | SYM_NEEDS_CPLT, SYM_NEEDS_COPY]) | random.pick([0, SYM_REF_LIVE, SYM_EXPORTED, SYM_FORCED_LOCAL]),
    section: kind === SYM_DEFINED ? random.pick([...world.sections, null]) : null, output: kind === SYM_IN_OSEC ? random.pick([...world.link.outputs, null]) : null,
    piece: random.pick(["none", "dead", "live", "live"]), addr: someAddress(random, world), size: random.below(2 ** 40),
  };
}

/** Room for `entries` and `text` name bytes, filled with rubbish that must be overwritten or left alone. */
function room({ arena, params, tables }: KernelMemory, random: Prng, link: Link, entries: number, text: number) {
  const bytes = SYM_BYTES * entries;
  const at = arena.alloc(bytes + 16);
  const wide = arena.alloc(4 * entries + 16);
  const names = arena.alloc(text + 64) + random.below(16);
  arena.u8.fill(0xee, at, at + bytes + 16);
  arena.u8.fill(0xee, wide, wide + 4 * entries + 16);
  arena.u8.fill(0xee, names, names + text + 32);
  const indexes = arena.allocZeroed(4 * tables.sym.rows);
  params.set("symIndex", link.copiesRelocations ? indexes : 0);
  params.set("symtabAt", at - SYM_BYTES * FIRST_ENTRY);
  return { at, wide, names, indexes };
}

for (const debug of [false, true]) {
  const test = suite(`kernel emit-symtab ${debug ? "debug" : "release"}`);
  const memory = kernelMemory(debug);
  const { arena, tables, kernels } = memory;
  const untouched = (from: number, bytes: number) => arena.bytes(from, bytes).every((byte) => byte === 0xee);

  test("writes the locals its twin keeps, names of any length to the byte, on seeded objects", () => {
    for (let seed = 1; seed <= 150; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const world = symbolWorld(memory, random);
      const { link } = world;
      const locals = Array.from({ length: random.below(40) }, () => randomLocal(random, world));
      placeLocals(memory, world, locals);
      const rowOf = (local: Local) => FIRST_LOCAL + locals.indexOf(local);
      POLICIES.forEach((policy, discard) => {
        const where = `seed ${seed}, ${policy}`;
        const kept = locals.filter((local) => isWritten(local, policy, link));
        const text = kept.map(({ name }) => name + "\0").join("");
        const { at, wide, names, indexes } = room(memory, random, link, kept.length, text.length);
        const total = arena.allocZeroed(8);
        arena.f64[total >>> 3] = 3;
        assert.is(kernels.countLocals(1, discard, total), kept.length, where);
        assert.is(arena.f64[total >>> 3], 3 + text.length, where);
        assert.is(kernels.emitLocals(1, discard, at, names, FIRST_NAME, wide), text.length, where);
        assert.is(arena.string(names, text.length), text, where);
        assert.ok(untouched(names + text.length, 16), `nothing behind the names, ${where}`);
        assert.ok(untouched(at + SYM_BYTES * kept.length, 16) && untouched(wide + 4 * kept.length, 16), `nothing behind the entries, ${where}`);
        let name = FIRST_NAME;
        kept.forEach((local, n) => {
          const written = readEntry(memory, at + SYM_BYTES * n, wide + 4 * n);
          assert.equal(written, { name: local.name === "" ? 0 : name, entry: localEntry(local, link) }, `${where}, local ${n}`);
          if (link.copiesRelocations) assert.is(arena.u32[(indexes >>> 2) + rowOf(local)], FIRST_ENTRY + n, where);
          name += local.name.length + 1;
        });
      });
      arena.release(mark);
    }
  });

  test("writes the globals its twin keeps, hidden ones as locals behind those of their object, both with the names of one list", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const world = symbolWorld(memory, random);
      const { link } = world;
      const globals = Array.from({ length: random.below(40) }, (_, k) => randomGlobal(random, world, k));
      const rows = globals.length + 1;
      const sym = allocTable(arena, tables, "sym", rows);
      const gsym = allocTable(arena, tables, "gsym", rows);
      globals.forEach((global, k) => {
        const id = k + 1;
        sym.flags[id] = global.flags;
        sym.isec[id] = world.row(global.section) || world.outputRow(global.output);
        sym.piece[id] = PIECES[global.piece];
        sym.addr[id] = global.addr;
        gsym.name[id] = arena.put(global.name);
        gsym.nameBytes[id] = global.name.replace(/@.*/, "").length;
        gsym.type[id] = global.type;
        gsym.bind[id] = global.bind;
        gsym.vis[id] = global.vis;
        gsym.size[id] = global.size;
      });
      // A stretch of them, as a worker takes it.
      const from = random.below(globals.length + 1);
      const to = random.between(from, globals.length);
      const kept = globals.slice(from, to).filter((global) => isGlobalWritten(global, link));
      const text = kept.map(({ name }) => name + "\0").join("");
      const nameOf = (global: Global) => FIRST_NAME + kept.slice(0, kept.indexOf(global)).reduce((sum, { name }) => sum + name.length + 1, 0);
      const list = arena.alloc(4 * rows);
      assert.is(kernels.listGlobals(from + 1, to + 1, 0, list, 0), kept.length, `seed ${seed}`);
      memory.params.set("symList", list);
      memory.params.set("symNames", arena.alloc(4 * rows));
      // Object 1 has an STT_FILE, object 2 another local symbol.
      const objects = new Map(globals.map((global) => [global, random.below(3)]));
      const named = arena.allocZeroed(2 * SYM_BYTES);
      arena.u8[named + SYM_BYTES + 4] = STT_FILE;
      const obj = allocTable(arena, tables, "obj", 3);
      obj.firstGlobal.set([random.pick([2, 3, 40]), 2], 1);
      obj.symtab.set([named, arena.allocZeroed(2 * SYM_BYTES)], 1);
      globals.forEach((global, k) => (gsym.obj[k + 1] = objects.get(global)!));
      const followed = (global: Global): number => (objects.get(global) === 1 && (global.flags & SYM_KIND_MASK) === SYM_DEFINED ? 1 : 0);
      const localised = kept.filter(isLocalised);
      const byObject = [...localised.filter((global) => followed(global) === 1), ...localised.filter((global) => followed(global) === 0)];
      const heads = arena.allocZeroed(12);
      const [places, sorted] = [arena.alloc(4 * rows), arena.alloc(4 * rows)];
      assert.is(kernels.listLocalised(0, kept.length, heads, places), localised.length, `seed ${seed}`);
      const ofObject = arena.u32[(heads >>> 2) + 1]!;
      assert.equal([ofObject, arena.u32[heads >>> 2]], [1, 0].map((o) => localised.filter((global) => followed(global) === o).length), `seed ${seed}`);
      arena.u32.set([ofObject, 0], heads >>> 2);
      kernels.sortLocalised(places, localised.length, heads, sorted);
      assert.equal([...arena.u32.subarray(sorted >>> 2, (sorted >>> 2) + localised.length)].map((place) => kept[place]), byObject, `seed ${seed}`);
      // Two stretches of names, as units have them.
      const total = arena.allocZeroed(8);
      arena.f64[total >>> 3] = 3;
      const counts = [0, 16, 32].map((place) => kernels.countGlobals(Math.min(place, kept.length), Math.min(place + 16, kept.length), total));
      assert.is(counts.reduce((a, b) => a + b, 0), kept.length - localised.length, `seed ${seed}`);
      assert.is(arena.f64[total >>> 3], 3 + text.length, `seed ${seed}`);
      const bases = arena.alloc(12);
      [0, 16, 32].forEach((place, n) => (arena.u32[(bases >>> 2) + n] = FIRST_NAME + kept.slice(0, place).reduce((sum, { name }) => sum + name.length + 1, 0)));
      for (const local of [1, 0]) {
        const where = `seed ${seed}, ${local ? "localised" : "global"}`;
        const mine = local ? byObject : kept.filter((global) => !isLocalised(global));
        const { at, wide, names, indexes } = room(memory, random, link, mine.length, text.length);
        if (local) kernels.emitLocalised(sorted, 0, mine.length, 4, bases, 4, at, wide);
        else assert.is(kernels.emitGlobals(0, kept.length, at, names, FIRST_NAME, wide), text.length, where);
        if (local) assert.ok(untouched(names, text.length + 16), where);
        else assert.is(arena.string(names, text.length), text, where);
        assert.ok(untouched(names + text.length, 16) && untouched(at + SYM_BYTES * mine.length, 16) && untouched(wide + 4 * mine.length, 16), `nothing behind, ${where}`);
        mine.forEach((global, n) => {
          assert.equal(readEntry(memory, at + SYM_BYTES * n, wide + 4 * n), { name: nameOf(global), entry: globalEntry(global, link) }, `${where}, ${global.name}`);
          if (link.copiesRelocations) assert.is(arena.u32[(indexes >>> 2) + globals.indexOf(global) + 1], FIRST_ENTRY + n, where);
        });
      }
      arena.release(mark);
    }
  });

  test.run();
}
