import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SYM_DEFINED, SYM_DISCARDED, SYM_UNDEF } from "../../as-kernels/shared/abi.ts";
import { SHF_ALLOC, SHF_MERGE, SHN_ABS, SHN_LORESERVE, SHN_XINDEX, STT_FILE } from "../../as-kernels/shared/elf.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory } from "../helpers/kernel-memory.ts";
import { prng } from "../helpers/prng.ts";
import { isWritten, type Discard, type Local } from "../helpers/twin/emit-symtab.ts";

const POLICIES: Discard[] = ["default", "locals", "all", "none"];

for (const debug of [false, true]) {
  const test = suite(`kernel emit-symtab ${debug ? "debug" : "release"}`);
  const memory = kernelMemory(debug);
  const { arena, tables, kernels } = memory;

  test("writes the locals its twin keeps, names of any length to the byte, on seeded objects", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const mark = arena.mark();
      const random = prng(seed);
      // Sections 1 (live), 2 (dead), 3 (live, mergeable flag); a header index that needs SHT_SYMTAB_SHNDX now and then.
      const sections = [{ live: true, flags: SHF_ALLOC }, { live: false, flags: SHF_ALLOC }, { live: true, flags: SHF_ALLOC | SHF_MERGE }];
      const isec = allocTable(arena, tables, "isec", 4);
      const osec = allocTable(arena, tables, "osec", 4);
      sections.forEach(({ live, flags }, s) => {
        isec.live[s + 1] = live ? 1 : 0;
        isec.sh_flags[s + 1] = flags;
        isec.osec[s + 1] = s + 1;
        osec.index[s + 1] = random.pick([s + 1, SHN_LORESERVE - 1, SHN_LORESERVE, 70_000]);
      });
      const locals = Array.from({ length: random.below(40) }, (): Local & { section: (typeof sections)[number] | null } => ({
        name: random.pick(["", ".L", "."]) + "x".repeat(random.pick([0, 1, 7, 8, 40, random.below(70)])), type: random.pick([0, 1, 2, 3, STT_FILE]),
        flags: random.pick([SYM_DEFINED, SYM_DEFINED, SYM_DEFINED, SYM_UNDEF, SYM_DISCARDED]), section: random.pick([...sections, null]),
      }));
      const strtab = "\0" + locals.map(({ name }) => name + "\0").join("");
      const obj = allocTable(arena, tables, "obj", 2);
      const sym = allocTable(arena, tables, "sym", 10 + locals.length);
      const count = locals.length + 1;
      obj.symtab[1] = arena.allocZeroed(24 * count);
      obj.strtab[1] = arena.put(strtab);
      obj.strtabBytes[1] = strtab.length;
      obj.firstGlobal[1] = count;
      obj.localBase[1] = 5;
      let nameAt = 1;
      locals.forEach(({ name, type, flags, section }, k) => {
        const at = obj.symtab[1]! + 24 * (k + 1);
        arena.u32[at >>> 2] = nameAt;
        nameAt += name.length + 1;
        arena.u8[at + 4] = type;
        arena.u8[at + 5] = k & 3;
        arena.u64[(at >>> 3) + 2] = BigInt(k);
        const id = 5 + k + 1;
        sym.flags[id] = flags;
        sym.isec[id] = section === null ? 0 : sections.indexOf(section) + 1;
        sym.addr[id] = random.u64();
      });
      POLICIES.forEach((policy, discard) => {
        const kept = locals.map((local, k) => ({ local, k })).filter(({ local }) => isWritten(local, policy));
        const text = kept.map(({ local }) => local.name + "\0").join("");
        const total = arena.allocZeroed(8);
        arena.f64[total >>> 3] = 3;
        const where = `seed ${seed}, ${policy}`;
        assert.is(kernels.countLocals!(1, discard, total), kept.length, where);
        assert.is(arena.f64[total >>> 3], 3 + text.length, where);
        const at = arena.alloc(24 * kept.length + 16);
        const wide = arena.alloc(4 * kept.length + 16);
        const names = arena.alloc(text.length + 64) + random.below(16);
        arena.u8.fill(0xee, names, names + text.length + 32);
        assert.is(kernels.emitLocals!(1, discard, at, names, 100, wide), text.length, where);
        assert.is(arena.string(names, text.length), text, where);
        assert.ok(arena.bytes(names + text.length, 32).every((byte) => byte === 0xee), `nothing behind the names, ${where}`);
        let nameOffset = 100;
        kept.forEach(({ local, k }, n) => {
          const entry = at + 24 * n;
          const file = local.type === STT_FILE;
          const index = file || local.section === null ? SHN_ABS : osec.index[sections.indexOf(local.section) + 1]!;
          const home = local.section === null ? SHN_ABS : osec.index[sections.indexOf(local.section) + 1]!;
          const escapes = index >= SHN_LORESERVE && index !== SHN_ABS;
          const got = [arena.u32[entry >>> 2], arena.u8[entry + 4], arena.u8[entry + 5], arena.u16[(entry >>> 1) + 3], arena.u64[(entry >>> 3) + 1], arena.u64[(entry >>> 3) + 2]];
          assert.equal(got, [local.name === "" ? 0 : nameOffset, local.type, k & 3, escapes ? SHN_XINDEX : index, file ? 0n : sym.addr[5 + k + 1], BigInt(k)], where);
          if (!file) assert.is(arena.u32[(wide >>> 2) + n], home >= SHN_LORESERVE && home !== SHN_ABS ? home : 0, where);
          nameOffset += local.name.length + 1;
        });
      });
      arena.release(mark);
    }
  });

  test.run();
}
