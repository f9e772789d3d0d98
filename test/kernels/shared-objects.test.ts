import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  ISSUE_UNDEFINED_SHLIB, NEEDED_PERHAPS, SYM_COMMON, SYM_DEFINED, SYM_FORCED_LOCAL, SYM_LAZY, SYM_REF_STRONG, SYM_SHARED, SYM_UNDEF, SYM_USED_REGULAR, SYM_WEAK,
} from "../../as-kernels/shared/abi.ts";
import { RELA_BYTES, SHF_ALLOC, STB_GLOBAL, STB_WEAK, SYM_BYTES, VER_NDX_GLOBAL } from "../../as-kernels/shared/elf.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory, takeIssues } from "../helpers/kernel-memory.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { demoted, isMissing, neededObjects, refersTo, type Referrer, type SharedGlobal } from "../helpers/twin/shared-objects.ts";

const OBJECTS = 4;

function randomGlobal(random: Prng): SharedGlobal {
  const kind = random.pick([SYM_SHARED, SYM_SHARED, SYM_SHARED, SYM_DEFINED, SYM_UNDEF, SYM_LAZY, SYM_COMMON]);
  const reference = random.pick([0, SYM_USED_REGULAR, SYM_USED_REGULAR | SYM_REF_STRONG]);
  return { flags: kind | reference | random.pick([0, 0, SYM_WEAK, SYM_FORCED_LOCAL]), vis: random.below(4), owner: kind === SYM_SHARED ? random.below(OBJECTS) : -1 };
}

for (const debug of [false, true]) {
  const test = suite(`kernel shared objects ${debug ? "debug" : "release"}`);
  const memory = kernelMemory(debug);
  const { arena, tables, kernels } = memory;

  test("those are needed that something strongly refers to, and the symbols of others become undefined", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const where = `seed ${seed}`;
      const globals = Array.from({ length: random.below(12) }, () => randomGlobal(random));
      const rows = globals.length + 1;
      const mentioned = globals.filter(({ flags }) => (flags & SYM_USED_REGULAR) !== 0);
      const referrers = Array.from({ length: random.below(6) }, (): Referrer => ({
        live: random.chance(0.6), loaded: random.chance(0.8), globals: mentioned.length === 0 ? [] : Array.from({ length: random.below(4) }, () => random.pick(mentioned)),
      }));
      const asked = Array.from({ length: OBJECTS }, () => random.chance(0.2));
      // Object 1 has all references; shared object o is row 2 + o.
      const obj = allocTable(arena, tables, "obj", 2 + OBJECTS);
      const esym = allocTable(arena, tables, "esym", 3 + rows);
      const sym = allocTable(arena, tables, "sym", rows);
      const gsym = allocTable(arena, tables, "gsym", rows);
      const isec = allocTable(arena, tables, "isec", 1 + referrers.length);
      asked.forEach((is, o) => (obj.needed[2 + o] = is ? 1 : 0));
      obj.esymBase[1] = 3;
      obj.esymCount[1] = rows;
      globals.forEach((global, k) => {
        esym.sym[4 + k] = k + 1;
        sym.flags[k + 1] = global.flags;
        gsym.obj[k + 1] = global.owner + 2;
        gsym.esym[k + 1] = 77;
        gsym.ver[k + 1] = 5;
        if (global.owner < 0) gsym.obj[k + 1] = 1;
      });
      referrers.forEach(({ live, loaded, globals: targets }, r) => {
        isec.obj[r + 1] = 1;
        isec.live[r + 1] = live ? 1 : 0;
        isec.sh_flags[r + 1] = loaded ? SHF_ALLOC : 0;
        isec.relaCount[r + 1] = targets.length;
        const at = (isec.rela[r + 1] = arena.allocZeroed(RELA_BYTES * targets.length + 8));
        targets.forEach((target, k) => (arena.u32[(at + RELA_BYTES * k + 12) >>> 2] = 1 + globals.indexOf(target)));
      });
      const gc = random.chance(0.6);
      const needed = neededObjects(asked, globals, referrers, gc);
      if (gc) {
        let wanted = kernels.findCandidates(1, rows);
        const cut = random.between(1, referrers.length + 1);
        for (const [from, to] of [[1, cut], [cut, referrers.length + 1]] as const) if (wanted > 0) wanted -= kernels.markNeeded(from, to, wanted);
        kernels.dropCandidates(1, obj.rows);
      } else kernels.markNeededSymbols(1, rows);
      assert.equal([...obj.needed.subarray(2, 2 + OBJECTS)], needed.map(Number), where);
      const after = globals.map((global) => demoted(global, needed));
      assert.is(kernels.demoteShared(1, rows, 0), after.filter((global, k) => global !== globals[k]).length, where);
      after.forEach((global, k) => {
        const id = k + 1;
        const lost = global !== globals[k];
        const want = { flags: global.flags, obj: lost ? 0 : global.owner < 0 ? 1 : global.owner + 2, esym: lost ? 0 : 77, ver: lost ? VER_NDX_GLOBAL : 5 };
        assert.equal({ flags: sym.flags[id], obj: gsym.obj[id], esym: gsym.esym[id], ver: gsym.ver[id] }, want, `${where}, symbol ${k}`);
      });
      arena.release(mark);
    }
  });

  test("those that another shared object strongly refers to are needed, unless one asks for them", () => {
    for (let seed = 1; seed <= 150; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const globals = Array.from({ length: random.below(12) }, () => randomGlobal(random));
      const rows = globals.length + 1;
      // Object 2 refers to all globals; shared object o is row 3 + o.
      const obj = allocTable(arena, tables, "obj", 3 + OBJECTS);
      const esym = allocTable(arena, tables, "esym", 3 + rows);
      const sym = allocTable(arena, tables, "sym", rows);
      const gsym = allocTable(arena, tables, "gsym", rows);
      const before = Array.from({ length: OBJECTS }, () => random.pick([0, 0, 1, NEEDED_PERHAPS]));
      before.forEach((is, o) => (obj.needed[3 + o] = is));
      obj.esymBase[2] = 3;
      obj.esymCount[2] = rows;
      obj.symtab[2] = arena.allocZeroed(SYM_BYTES * rows);
      const references = globals.map((global, k) => {
        sym.flags[k + 1] = global.flags;
        gsym.obj[k + 1] = global.owner + 3;
        esym.sym[4 + k] = k + 1;
        const reference = { bind: random.pick([STB_GLOBAL, STB_WEAK]), defined: random.chance(0.2) };
        const at = obj.symtab[2]! + SYM_BYTES * (k + 1);
        arena.u8[at + 4] = reference.bind << 4;
        arena.u16[(at + 6) >>> 1] = reference.defined ? 1 : 0;
        return { ...reference, global };
      });
      assert.is(kernels.sharedUndefined(2, 1), 0);
      assert.equal([...obj.needed.subarray(3, 3 + OBJECTS)], before.map((is, o) => (is === 0 && refersTo(references, o) ? 1 : is)), `seed ${seed}`);
      arena.release(mark);
    }
  });

  test("references of shared objects that nobody provides are reported", () => {
    for (let seed = 1; seed <= 150; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const globals = Array.from({ length: random.below(20) }, () => randomGlobal(random));
      const rows = globals.length + 1;
      const obj = allocTable(arena, tables, "obj", 3);
      const esym = allocTable(arena, tables, "esym", 3 + rows);
      const sym = allocTable(arena, tables, "sym", rows);
      const gsym = allocTable(arena, tables, "gsym", rows);
      obj.esymBase[2] = 3;
      obj.esymCount[2] = rows;
      obj.symtab[2] = arena.allocZeroed(SYM_BYTES * rows);
      const wanted: { code: number; obj: number; index: number; a: bigint }[] = [];
      globals.forEach((global, k) => {
        const id = k + 1;
        sym.flags[id] = global.flags;
        gsym.vis[id] = global.vis;
        const reference = { bind: random.pick([STB_GLOBAL, STB_WEAK]), defined: random.chance(0.2) };
        const at = obj.symtab[2]! + SYM_BYTES * id;
        arena.u8[at + 4] = reference.bind << 4;
        arena.u16[(at + 6) >>> 1] = reference.defined ? 1 : 0;
        // A local symbol means no global one.
        const local = random.chance(0.1);
        esym.sym[3 + id] = local ? 0 : id;
        if (!local && isMissing(global, reference)) wanted.push({ code: ISSUE_UNDEFINED_SHLIB, obj: 2, index: id, a: BigInt(id) });
      });
      assert.is(kernels.sharedUndefined(2, 0), wanted.length, `seed ${seed}`);
      assert.equal(takeIssues(memory).map(({ code, obj: o, index, a }) => ({ code, obj: o, index, a })), wanted, `seed ${seed}`);
      arena.release(mark);
    }
  });

  test.run();
}
