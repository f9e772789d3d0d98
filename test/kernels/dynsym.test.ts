import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  SYM_DEFINED, SYM_EXPORTED, SYM_IFUNC, SYM_IN_OSEC, SYM_LAZY, SYM_NEEDS_COPY, SYM_NEEDS_CPLT, SYM_NEEDS_GOT, SYM_NEEDS_GOTTP, SYM_NEEDS_PLT, SYM_NEEDS_TLSDESC, SYM_NEEDS_TLSGD,
  SYM_REF_LIVE, SYM_SHARED, SYM_TLS, SYM_UNDEF, SYM_WEAK,
} from "../../as-kernels/shared/abi.ts";
import { STB_GLOBAL, STB_GNU_UNIQUE, STB_WEAK, STT_COMMON, STT_FUNC, STT_GNU_IFUNC, STT_OBJECT, STT_TLS, SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../../ts/context.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { DynsymSection } from "../../ts/synthetic/dynsym.ts";
import { kernelMemory } from "../helpers/kernel-memory.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { readEntry, symbolWorld, type SymbolWorld } from "../helpers/symbol-world.ts";
import { dynamicEntry, dynamicSymbols, stemOf } from "../helpers/twin/dynsym.ts";
import type { Global } from "../helpers/twin/emit-symtab.ts";

const NEEDS = SYM_NEEDS_GOT | SYM_NEEDS_PLT | SYM_NEEDS_COPY | SYM_NEEDS_CPLT | SYM_NEEDS_TLSGD | SYM_NEEDS_GOTTP | SYM_NEEDS_TLSDESC;

function randomGlobal(random: Prng, world: SymbolWorld, k: number): Global {
  const { outputs, gcSections } = world.link;
  const kind = random.pick([SYM_DEFINED, SYM_DEFINED, SYM_SHARED, SYM_UNDEF, SYM_LAZY, SYM_IN_OSEC]);
  const type = random.pick([0, STT_OBJECT, STT_FUNC, STT_COMMON, STT_GNU_IFUNC, STT_TLS]);
  // Only garbage collection leaves definitions outside of the output.
  const homes = world.sections.filter(({ live, output }) => (live ? output !== null : gcSections));
  const needs = kind === SYM_SHARED ? (type === STT_FUNC ? [0, SYM_NEEDS_CPLT | SYM_NEEDS_PLT, SYM_NEEDS_PLT] : [0, SYM_NEEDS_COPY, SYM_NEEDS_GOT]) : type === STT_GNU_IFUNC ? [0, SYM_NEEDS_CPLT] : [0, 0, SYM_NEEDS_GOT];
  return {
    name: `${random.u32().toString(36)}_${k}` + random.pick(["", "@V1", "@@V1"]), type, bind: random.pick([0, STB_GLOBAL, STB_WEAK, STB_GNU_UNIQUE]), vis: random.pick([0, 0, 3]),
    flags: kind | random.pick(needs) | random.pick([0, SYM_WEAK]) | random.pick([0, SYM_EXPORTED, SYM_EXPORTED, SYM_EXPORTED]) | random.pick([0, SYM_REF_LIVE])
      | (type === STT_GNU_IFUNC ? SYM_IFUNC : type === STT_TLS ? SYM_TLS : 0),
    section: kind === SYM_DEFINED ? random.pick([...homes, null]) : null, output: kind === SYM_IN_OSEC ? random.pick([...outputs, null]) : null,
    piece: "live", addr: random.pick(outputs).addr + BigInt(random.pick([0, 1, 0x10, 0x20, 0x28])), size: random.below(2 ** 40),
  };
}

for (const debug of [false, true]) {
  const test = suite(`kernel dynsym ${debug ? "debug" : "release"}`);
  const memory = kernelMemory(debug);
  const { arena, tables, params, kernels } = memory;

  test("has the symbols of its twin, in the order .gnu.hash wants, with their entries and names", () => {
    for (let seed = 1; seed <= 250; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      const where = `seed ${seed}`;
      const world = symbolWorld(memory, random);
      const { link } = world;
      const globals = Array.from({ length: random.pick([0, 1, 5, 40]) }, (_, k) => randomGlobal(random, world, k));
      const sym = allocTable(arena, tables, "sym", globals.length + 1);
      const gsym = allocTable(arena, tables, "gsym", globals.length + 1);
      params.set("globalSyms", globals.length + 1);
      globals.forEach((global, k) => {
        const id = k + 1;
        sym.flags[id] = global.flags;
        sym.isec[id] = world.row(global.section) || world.outputRow(global.output);
        sym.addr[id] = global.addr;
        gsym.name[id] = arena.put(global.name);
        gsym.nameBytes[id] = stemOf(global).length;
        gsym.type[id] = global.type;
        gsym.bind[id] = global.bind;
        gsym.vis[id] = global.vis;
        gsym.size[id] = global.size;
      });
      const withGnuHash = random.chance(0.7);
      const ctx = {
        arena, tables, params, kernels, options: { gcSections: link.gcSections, noGnuUnique: !link.gnuUnique }, synthetics: { gnuHash: { isNeeded: () => withGnuHash } },
      } as unknown as Context;
      const section = new DynsymSection();
      section.collect(ctx);
      const wanted = dynamicSymbols(globals, link, NEEDS, withGnuHash);
      assert.equal([...ctx.dynsyms].map((id) => globals[id - 1]!.name), wanted.map(({ name }) => name), where);
      const out = arena.allocZeroed(SYM_BYTES * (wanted.length + 2));
      section.write(ctx, new Uint8Array(), out);
      const names = arena.allocZeroed(1 + section.nameBytes + 16) + 1;
      kernels.writeDynsymNames(section.ordered, section.count, names);
      const none = arena.allocZeroed(4);
      wanted.forEach((global, n) => {
        const { name, entry } = readEntry(memory, out + SYM_BYTES * (n + 1), none);
        assert.is(arena.cstring(names - 1 + name), stemOf(global), where);
        assert.equal(entry, { ...dynamicEntry(global, link), wide: 0 }, `${where}, ${global.name}`);
        assert.is(gsym.dynsym[globals.indexOf(global) + 1], n + 1, where);
      });
      assert.is(section.nameBytes, wanted.reduce((sum, global) => sum + stemOf(global).length + 1, 0), where);
      arena.release(mark);
    }
  });

  test.run();
}
