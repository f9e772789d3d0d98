import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as abi from "../../as-kernels/shared/abi.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { orderingLines } from "../../ts/script/ordering-file.ts";
import { kernelMemory } from "../helpers/kernel-memory.ts";
import { prng } from "../helpers/prng.ts";

const SLOTS = 128;

for (const debug of [false, true]) {
  const test = suite(`kernel ordered-names ${debug ? "debug" : "release"}`);
  const { arena, tables, kernels } = kernelMemory(debug);

  const lines = (text: string): { list: number; names: string[] } => {
    const at = arena.put(text);
    const list = arena.alloc(4 * text.length + 8);
    const count = kernels.orderLines(at, at + text.length, list);
    return { list, names: Array.from({ length: count }, (_, i) => arena.string(arena.u32[(list >>> 2) + 2 * i]!, arena.u32[(list >>> 2) + 2 * i + 1]!)) };
  };

  test("lines without white space, empty ones and comments, as TypeScript has them", () => {
    for (let seed = 1; seed <= 500; seed++) {
      const random = prng(seed);
      const top = arena.mark();
      const text = Array.from({ length: random.below(60) }, () => random.pick(["a", "b c", "#", "\n", "\n", " ", "\t", "\r", "\v", "\f", "\0", "\xff"])).join("");
      assert.equal(lines(text).names, orderingLines(text), JSON.stringify(text));
      arena.release(top);
    }
  });

  test("sections by the first name that one of their symbols has, as maps find them; names that need a word", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = prng(seed);
      const top = arena.mark();
      const globals = Array.from({ length: random.between(1, 12) }, (_, i) => `g${i}`);
      const locals = Array.from({ length: random.between(1, 12) }, () => random.pick(["l0", "l1", "l2", "g0", "g1"]));
      const { names, list } = lines(Array.from({ length: random.between(1, 15) }, () => random.pick([...globals, "l0", "l1", "l2", "nobody"])).join("\n"));
      allocTable(arena, tables, "record", 2);
      const gsym = allocTable(arena, tables, "gsym", globals.length + 1);
      globals.forEach((name, i) => {
        kernels.hashName(arena.put(name), name.length);
        gsym.h0[i + 1] = tables.record.h0[0]!;
        gsym.h1[i + 1] = tables.record.h1[0]!;
      });
      const index = arena.allocZeroed(4 * SLOTS);
      kernels.indexNames(1, globals.length + 1, index, SLOTS);
      const count = 1 + globals.length + locals.length;
      const sym = allocTable(arena, tables, "sym", count);
      const isec = allocTable(arena, tables, "isec", 8);
      for (let row = 0; row < 8; row++) isec.live[row] = random.chance(0.8) ? 1 : 0;
      for (let id = 1; id < count; id++) {
        sym.isec[id] = random.below(8);
        sym.flags[id] = random.pick([abi.SYM_DEFINED, abi.SYM_DEFINED, abi.SYM_UNDEF, abi.SYM_LAZY, abi.SYM_SHARED]) | random.pick([0, abi.SYM_USED_REGULAR]);
      }
      const table = arena.allocZeroed(4 * SLOTS);
      const states = arena.alloc(names.length);
      const ranks = arena.allocZeroed(4 * 8);
      kernels.indexOrder(list, names.length, table, SLOTS, states);
      kernels.rankGlobals(list, names.length, index, SLOTS, states, ranks);
      const found = locals.flatMap((name, i) => (names.includes(name) ? [[1 + names.indexOf(name), 1 + globals.length + i]] : []));
      const pairs = arena.alloc(8 * found.length + 8);
      arena.u32.set(found.flat(), pairs >>> 2);
      kernels.rankLocals(pairs, found.length, states, ranks);
      const odd = arena.alloc(4 * names.length);
      const oddCount = kernels.oddNames(names.length, states, odd);
      const wantedRanks = new Uint32Array(8);
      const wantedStates = names.map((name, i) => {
        if (names.indexOf(name) !== i) return abi.NAME_AGAIN;
        const kindOf = (id: number): number => sym.flags[id]! & abi.SYM_KIND_MASK;
        const global = globals.indexOf(name) + 1;
        const isThere = global > 0 && kindOf(global) !== abi.SYM_LAZY && (sym.flags[global]! & (abi.SYM_USED_REGULAR | abi.SYM_KIND_MASK)) !== 0;
        const ids = [...(isThere ? [global] : []), ...locals.flatMap((local, k) => (local === name ? [1 + globals.length + k] : []))];
        let state = 0;
        for (const id of ids) {
          const row = sym.isec[id]!;
          const isDefined = kindOf(id) === abi.SYM_DEFINED && row !== 0;
          state |= isDefined && isec.live[row] !== 0 ? abi.NAME_FOUND : abi.NAME_OBSTACLE;
          if (isDefined && wantedRanks[row] === 0) wantedRanks[row] = i + 1;
        }
        return state;
      });
      assert.equal([...arena.u8.subarray(states, states + names.length)], wantedStates, `seed ${seed}`);
      assert.equal([...arena.u32.subarray(ranks >>> 2, (ranks >>> 2) + 8)], [...wantedRanks], `seed ${seed}`);
      assert.equal([...arena.u32.subarray(odd >>> 2, (odd >>> 2) + oddCount)], wantedStates.flatMap((state, i) => (state === abi.NAME_FOUND ? [] : [i])), `seed ${seed}`);
      arena.release(top);
    }
  });

  test.run();
}
