import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  MARK_DYNAMIC_LIST, SYM_COMMON, SYM_DEFINED, SYM_EXPORTED, SYM_FUNC, SYM_IFUNC, SYM_IN_OSEC, SYM_LAZY, SYM_OBJECT, SYM_PREEMPTIBLE, SYM_ROOT, SYM_SHARED, SYM_TLS, SYM_UNDEF,
  SYM_USED_REGULAR, SYM_USED_SHARED, VIS_DYNAMIC_LIST_BINDS, VIS_EXPORT_ALL, VIS_HAS_DYNSYM, VIS_KEEP_EXPORTED, VIS_NO_DYNAMIC_LINKER, VIS_NOTHING_AT_RUN_TIME, VIS_SHARED,
} from "../../as-kernels/shared/abi.ts";
import { STB_GLOBAL, STB_GNU_UNIQUE, STB_WEAK } from "../../as-kernels/shared/elf.ts";
import { globTable } from "../../ts/passes/version-patterns.ts";
import { Glob, GlobError } from "../../ts/script/glob.ts";
import { prng } from "../helpers/prng.ts";
import { isExported, isKept, isPreemptible, type Globals, type Settings } from "../helpers/twin/set-visibility.ts";
import { makeWorld } from "../synthetic/world.ts";

const ROWS = 2000;
const KINDS = [SYM_UNDEF, SYM_DEFINED, SYM_SHARED, SYM_LAZY, SYM_COMMON, SYM_IN_OSEC];

for (const debug of [false, true]) {
  const test = suite(`kernel set-visibility ${debug ? "debug" : "release"}`);

  test("exports and preempts what its twin does, on seeded rows", () => {
    const { ctx } = makeWorld({ symbols: Array.from({ length: ROWS }, (_, i) => ({ name: `s${i}` })) }, debug);
    const { sym, gsym } = ctx.tables;
    const marks = ctx.arena.allocZeroed(ROWS + 1);
    for (let seed = 1; seed <= 40; seed++) {
      const random = prng(seed);
      const settings: Settings = {
        hasDynsym: random.chance(0.7), exportAll: random.chance(0.5), shared: random.chance(0.5), noDynamicLinker: random.chance(0.5), nothingAtRunTime: random.chance(0.2), gnuUnique: random.chance(0.8),
        dynamicListBinds: random.chance(0.2), keepExported: random.chance(0.2), bsymbolic: random.below(5),
      };
      const rows: Globals[] = [];
      for (let i = 1; i <= ROWS; i++) {
        const flags = random.pick(KINDS) | random.pick([0, SYM_FUNC, SYM_FUNC, SYM_FUNC | SYM_IFUNC, SYM_OBJECT, SYM_TLS]) | (random.chance(0.5) ? SYM_USED_REGULAR : 0) | (random.chance(0.5) ? SYM_USED_SHARED : 0);
        const row = {
          flags, bind: random.pick([STB_GLOBAL, STB_WEAK, STB_GNU_UNIQUE]), vis: random.below(4), ver: random.below(4), listed: random.chance(0.3),
        };
        rows.push(row);
        sym.flags[i] = flags;
        gsym.bind[i] = row.bind;
        gsym.vis[i] = row.vis;
        gsym.ver[i] = row.ver;
        ctx.arena.u8[marks + i] = row.listed ? MARK_DYNAMIC_LIST : 0;
      }
      ctx.params.set("bsymbolic", settings.bsymbolic);
      ctx.params.set("gnuUnique", settings.gnuUnique ? 1 : 0);
      const bits =
        (settings.hasDynsym ? VIS_HAS_DYNSYM : 0) | (settings.exportAll ? VIS_EXPORT_ALL : 0) | (settings.shared ? VIS_SHARED : 0) |
        (settings.noDynamicLinker ? VIS_NO_DYNAMIC_LINKER : 0) | (settings.nothingAtRunTime ? VIS_NOTHING_AT_RUN_TIME : 0) | (settings.keepExported ? VIS_KEEP_EXPORTED : 0) | (settings.dynamicListBinds ? VIS_DYNAMIC_LIST_BINDS : 0);
      ctx.kernels.setVisibility(1, ROWS + 1, bits, marks);
      rows.forEach((row, i) => {
        const flags = sym.flags[i + 1]!;
        const place = `seed ${seed} row ${i} ${JSON.stringify(row)} ${JSON.stringify(settings)}`;
        assert.is((flags & SYM_EXPORTED) !== 0, isExported(row, settings), `exported, ${place}`);
        assert.is((flags & SYM_ROOT) !== 0, isKept(row, settings), `kept, ${place}`);
        assert.is((flags & SYM_PREEMPTIBLE) !== 0, isPreemptible(row, settings), `preemptible, ${place}`);
      });
    }
  });

  test("matches patterns as the script reader's Glob does, on seeded patterns", () => {
    const { ctx } = makeWorld({ symbols: [] }, debug);
    const { arena, kernels } = ctx;
    let matches = 0;
    for (let seed = 1; seed <= 3000; seed++) {
      const random = prng(seed);
      const piece = (): string => random.pick(["a", "b", "c", "*", "*", "?", "[ab]", "[!a]", "[a-c]", "[^b]", "\\*", "[]a]", "[a-]", "[!-b]", "ab"]);
      const pattern = Array.from({ length: random.below(6) }, piece).join("");
      let glob: Glob;
      try {
        glob = new Glob(pattern);
      } catch (error) {
        if (error instanceof GlobError) continue;
        throw error;
      }
      const mark = arena.mark();
      const at = arena.put(pattern);
      for (let n = 0; n < 20; n++) {
        const name = Array.from({ length: random.below(7) }, () => random.pick(["a", "b", "c", "*", "]", "-"])).join("");
        const found = kernels.globMatch(at, pattern.length, arena.put(name), name.length) === 1;
        if (found) matches++;
        assert.is(found, glob.matches(name), `${pattern} and ${name}`);
      }
      arena.release(mark);
    }
    assert.ok(matches > 1000, `only ${matches} matches`);
  });

  test("finds the first pattern of a list through its index, whatever the patterns begin with, on seeded lists", () => {
    const { ctx } = makeWorld({ symbols: [] }, debug);
    const { arena, kernels } = ctx;
    for (let seed = 1; seed <= 300; seed++) {
      const random = prng(seed);
      const word = (): string => Array.from({ length: random.below(5) }, () => random.pick(["a", "b", "ab", "c"])).join("");
      const start = random.chance(0.1) ? "a".repeat(random.between(250, 260)) : "";
      const patterns = Array.from({ length: random.below(30) }, () => start + word() + random.pick(["*", "?*", "[ab]*", "*c", "", "*b*"]) + (random.chance(0.2) ? word() : ""));
      const mark = arena.mark();
      const rules = patterns.map((pattern) => ({ pattern: { pattern, cxx: false, exact: false }, ver: 2, node: random.pick(["V", "W"]) }));
      const { rows, index } = globTable(ctx, rules);
      const globs = patterns.map((pattern) => new Glob(pattern));
      for (let n = 0; n < 20; n++) {
        const name = (random.chance(0.5) ? start : "") + word() + word();
        const version = random.pick(["", "V"]);
        const expected = globs.findIndex((glob, i) => glob.matches(name) && (version === "" || rules[i]!.node === version));
        const found = kernels.firstGlob(arena.put(name), name.length, version === "" ? 0 : arena.put(version), version.length, rows, patterns.length, index);
        assert.is(found === patterns.length ? -1 : found, expected, `${patterns.join(" ")} and ${name}`);
      }
      arena.release(mark);
    }
  });

  test.run();
}
