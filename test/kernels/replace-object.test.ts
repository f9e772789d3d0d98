import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EHDR_BYTES, SHDR_BYTES, SHT_NOBITS, SHT_PROGBITS, SHT_STRTAB, SHT_SYMTAB } from "../../as-kernels/shared/elf.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory } from "../helpers/kernel-memory.ts";

for (const debug of [false, true]) {
  const test = suite(`kernel replace-object ${debug ? "debug" : "release"}`);
  const { arena, tables, kernels } = kernelMemory(debug);

  /** Bytes of nothing but an ELF header and section headers: their place and number, and sh_type, sh_size of each. */
  function headers(e_shoff: bigint, e_shnum: number, sections: readonly [type: number, size: bigint][] = []): { at: number; bytes: number } {
    const bytes = EHDR_BYTES + SHDR_BYTES * sections.length;
    const at = arena.allocZeroed(bytes);
    const view = new DataView(arena.memory.buffer, at, bytes);
    view.setBigUint64(40, e_shoff, true);
    view.setUint16(60, e_shnum, true);
    sections.forEach(([type, size], i) => {
      view.setUint32(EHDR_BYTES + i * SHDR_BYTES + 4, type, true);
      view.setBigUint64(EHDR_BYTES + i * SHDR_BYTES + 32, size, true);
    });
    return { at, bytes };
  }

  test("tableBytes sums up what stays of an object, whatever its bytes say", () => {
    const sum = ({ at, bytes }: { at: number; bytes: number }): number => kernels.tableBytes(at, bytes);
    assert.is(sum({ at: arena.alloc(64), bytes: EHDR_BYTES - 1 }), 0);
    assert.is(sum(headers(64n, 0)), 0);
    // Headers behind the end, or more of them than there are bytes.
    assert.is(sum(headers(65n, 0)), 0);
    assert.is(sum(headers(64n, 1)), 0);
    assert.is(sum(headers(2n ** 64n - 1n, 65535)), 0);
    assert.is(sum(headers(64n, 2, [[SHT_PROGBITS, 50n], [SHT_NOBITS, 70n]])), 2 * SHDR_BYTES);
    assert.is(sum(headers(64n, 2, [[SHT_STRTAB, 50n], [SHT_SYMTAB, 24n]])), 2 * SHDR_BYTES + 50 + 4 * 24);
    // No more than the object has.
    const huge = headers(64n, 1, [[SHT_STRTAB, 2n ** 64n - 1n]]);
    assert.is(sum(huge), SHDR_BYTES + huge.bytes);
  });

  /** Objects 1 to 3 in link order, each with one COMDAT group of signature `names[o]`; 0 = it has none. */
  function groups(names: readonly number[]): void {
    const obj = allocTable(arena, tables, "obj", 4);
    const group = allocTable(arena, tables, "group", 4);
    const record = allocTable(arena, tables, "record", 4);
    const { groupOwner } = allocTable(arena, tables, "gsym", 8);
    for (let o = 1; o < 4; o++) {
      obj.seq[o] = obj.groupBase[o] = group.obj[o] = group.record[o] = o;
      const name = names[o - 1]!;
      obj.groupCount[o] = group.comdat[o] = name === 0 ? 0 : 1;
      group.name[o] = record.sym[o] = name;
      if (name === 0) group.obj[o] = 0;
      if (name === 0 || groupOwner[name] !== 0) continue;
      groupOwner[name] = o + 1;
      group.won[o] = 1;
    }
  }

  /** Object `o` has got another group; false = refused. */
  function claim(o: number, name: number): boolean {
    const old = arena.alloc(8);
    kernels.listGroups(o, 1, old);
    tables.record.sym[o] = name;
    return kernels.claimAgain(o, old, 1) !== 0;
  }

  test("claimAgain: a group that nobody else has comes and goes", () => {
    groups([1, 2, 3]);
    assert.ok(claim(2, 5));
    assert.is(tables.group.won[2], 1);
    assert.equal([tables.gsym.groupOwner[2], tables.gsym.groupOwner[5]], [0, 3]);
  });

  test("claimAgain: a copy behind the one that is kept is lost", () => {
    groups([1, 2, 3]);
    assert.ok(claim(3, 1));
    assert.equal([...tables.group.won], [0, 1, 1, 0]);
  });

  test("claimAgain refuses to take a group from an object behind it, and to leave one to another object", () => {
    groups([1, 2, 3]);
    assert.not(claim(1, 3));
    groups([1, 1, 0]);
    assert.not(claim(1, 4));
  });

  test("moveReferences and moveContents move what is behind, and nothing else", () => {
    const obj = allocTable(arena, tables, "obj", 3);
    const isec = allocTable(arena, tables, "isec", 5);
    for (const name of ["slot", "sym"] as const) allocTable(arena, tables, name, 5);
    obj.isecBase.set([0, 1, 3]);
    isec.link.set([0, 2, 3, 4, 0]);
    tables.slot.isec.set([0, 1, 2, 3, 4]);
    kernels.moveReferences(3, 10);
    assert.equal([[...obj.isecBase], [...isec.link], [...tables.slot.isec]], [[0, 1, 13], [0, 2, 13, 14, 0], [0, 1, 2, 13, 14]]);
    kernels.moveReferences(13, -10 >>> 0);
    assert.equal([[...obj.isecBase], [...isec.link], [...tables.slot.isec]], [[0, 1, 3], [0, 2, 3, 4, 0], [0, 1, 2, 3, 4]]);
    isec.sh_offset.set([0, 64, 80, 96, 128]);
    isec.relaOffset.set([0, 0, 200, 0, 300]);
    kernels.moveContents(2, 4, 16);
    assert.equal([[...isec.sh_offset], [...isec.relaOffset]], [[0, 64, 96, 112, 128], [0, 0, 216, 0, 300]]);
  });

  test.run();
}
