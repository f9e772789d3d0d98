import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createMemory } from "../../ts/host/memory.ts";
import { Arena } from "../../ts/memory/arena.ts";
import { copyInfo } from "../../ts/input/copy-info.ts";
import { BadSharedObject, readSharedObject, type SharedObject } from "../../ts/input/shared-object.ts";
import { loadInputs } from "../../ts/passes/load-inputs.ts";
import { prng } from "../helpers/prng.ts";
import { fixture } from "./fixture.ts";
import { RW_ADDRESS, sharedObject, type SharedSpec } from "./shared-builder.ts";

const test = suite("shared-object");
const arena = new Arena(createMemory());

function read(bytes: Uint8Array): SharedObject {
  return readSharedObject(arena, {
    size: bytes.length,
    read(target, position) {
      const part = bytes.subarray(position, position + target.length);
      target.set(part);
      return part.length;
    },
  });
}

function symbolNames(object: SharedObject): string[] {
  const names: string[] = [];
  for (let i = object.firstGlobal; i < object.esymCount; i++) {
    const version = arena.u16[(object.versym >>> 1) + i]!;
    names.push(`${arena.cstring(object.strtab + arena.u32[(object.symtab >>> 2) + 6 * i]!)}@${version}`);
  }
  return names;
}

const SPEC: SharedSpec = {
  soname: "libx.so.1",
  needed: ["libc.so.6", "libm.so.6"],
  symbols: [
    { name: "local", info: 0x01, version: 0 },
    { name: "old", version: 0x8002 },
    { name: "new", version: 3 },
    { name: "puts", shndx: 0, version: 4 },
  ],
  verdef: { 1: "libx.so.1", 2: "X_1", 3: "X_2" },
  verneed: { 4: "GLIBC_2.2.5" },
};

for (const bare of [false, true]) {
  test(`reads names, symbols and versions ${bare ? "without" : "with"} section headers`, () => {
    const object = read(sharedObject({ ...SPEC, bare }));
    assert.is(object.soname, "libx.so.1");
    assert.equal(object.needed, ["libc.so.6", "libm.so.6"]);
    assert.is(object.esymCount, 5);
    assert.is(object.firstGlobal, bare ? 2 : 1);
    assert.equal(symbolNames(object).slice(-3), ["old@32770", "new@3", "puts@4"]);
    assert.equal(object.versions, ["", "", "X_1", "X_2", "GLIBC_2.2.5"]);
    assert.is(object.verCount, 5);
    const pairs = object.verNames >>> 2;
    assert.is(arena.string(arena.u32[pairs + 6]!, arena.u32[pairs + 7]!), "X_2");
    assert.is(arena.string(arena.u32[pairs + 8]!, arena.u32[pairs + 9]!), "GLIBC_2.2.5");
    assert.is(arena.u32[pairs + 2], 0);
    assert.is(object.symtab % 8, 0);
  });
}

test("takes an object without symbols, versions or soname", () => {
  const object = read(sharedObject({}));
  assert.is(object.soname, "");
  assert.is(object.esymCount, 1);
  assert.equal(object.versions, []);
});

test("says what is corrupt", () => {
  const problem = (change: (view: DataView) => void): string => {
    const bytes = sharedObject(SPEC);
    change(new DataView(bytes.buffer));
    try {
      read(bytes);
    } catch (error) {
      if (error instanceof BadSharedObject) return error.message;
      throw error;
    }
    return "";
  };
  const shdr = (i: number): number => 7168 + 64 * i;
  assert.match(problem((v) => v.setUint32(40, 9000, true)), "section header table goes past the end of the file: e_shoff = 0x2328");
  assert.match(problem((v) => v.setUint16(58, 40, true)), "invalid e_shentsize in ELF header: 40");
  assert.match(problem((v) => v.setUint32(shdr(2) + 24, 8190, true)), /section \[index 2\] has a sh_offset \(0x1ffe\) \+ sh_size .* greater than the file size/);
  assert.match(problem((v) => v.setUint32(shdr(2) + 32, 25, true)), "has an invalid sh_size (25) which is not a multiple of its sh_entsize (24)");
  assert.match(problem((v) => v.setUint32(shdr(2) + 40, 4, true)), "not a string table");
  assert.match(problem((v) => v.setUint32(shdr(2) + 40, 400, true)), "not a string table");
  assert.match(problem((v) => v.setUint32(shdr(2) + 44, 6, true)), "invalid sh_info in symbol table: 6");
  assert.match(problem((v) => v.setUint32(shdr(3) + 32, 10, true)), "does not end in NUL");
  assert.match(problem((v) => v.setUint32(shdr(4) + 32, 2, true)), ".gnu.version has fewer");
  assert.match(problem((v) => v.setUint32(4608 + 8, 4000, true)), "invalid DT_SONAME entry");
  assert.match(problem((v) => v.setUint32(3584 + 12, 4000, true)), "has an invalid Verdaux");
  assert.match(problem((v) => v.setUint32(3584 + 16, 4000, true)), "has an invalid Verdef");
  assert.match(problem((v) => v.setUint32(4096 + 8, 4000, true)), "has an invalid Vernaux");
  assert.match(problem((v) => v.setUint32(4096 + 16 + 8, 4000, true)), "has a Vernaux with an invalid vna_name");
  const dynamic = shdr(7);
  assert.match(problem((v) => v.setUint32(dynamic + 56, 8, true)), "section [index 7] has invalid sh_entsize: expected 16, but got 8");
  assert.match(problem((v) => v.setUint32(dynamic + 32, 17, true)), "section [index 7] has an invalid sh_size (17)");
  assert.match(problem((v) => v.setUint32(shdr(2) + 4, 1, true)), "SHT_GNU_versym should be associated with symbol table");
});

test("never crashes on mutated shared objects", () => {
  const random = prng(7);
  for (const bare of [false, true]) {
    const good = sharedObject({ ...SPEC, bare });
    const interesting = good.map((_, i) => i).filter((i) => i < 64 + 3 * 56 || i >= 1024);
    for (let round = 0; round < 4000; round++) {
      const bytes = good.slice(0, random.below(8) === 0 ? 64 + random.below(good.length - 64) : good.length);
      for (let n = random.below(4); n >= 0; n--) {
        const at = random.below(2) === 0 ? random.below(232) : interesting[random.below(interesting.length)]!;
        if (at < bytes.length) bytes[at] = random.below(2) === 0 ? 255 : random.below(256);
      }
      const mark = arena.mark();
      try {
        read(bytes);
      } catch (error) {
        if (!(error instanceof BadSharedObject)) throw error;
      }
      arena.release(mark);
    }
  }
});

test("tells what a copy of a variable needs", () => {
  const symbols = [
    { name: "environ", value: RW_ADDRESS + 0x48, size: 8 },
    { name: "__environ", value: RW_ADDRESS + 0x48, size: 8 },
    { name: "table", value: 0x1000, size: 64 },
    { name: "odd", value: RW_ADDRESS + 1, size: 1 },
    { name: "undefined", shndx: 0, value: RW_ADDRESS + 1 },
    { name: "tls", info: 0x16, value: RW_ADDRESS + 1 },
  ];
  const { ctx } = fixture({ "libx.so": sharedObject({ symbols }) }, ["libx.so"]);
  loadInputs(ctx);
  assert.equal(copyInfo(ctx, 2, 2), { align: 3, size: 8, readOnly: false, aliases: [{ index: 1, hidden: false }, { index: 2, hidden: false }] });
  assert.equal(copyInfo(ctx, 2, 3), { align: 5, size: 64, readOnly: true, aliases: [{ index: 3, hidden: false }] });
  assert.equal(copyInfo(ctx, 2, 4), { align: 0, size: 1, readOnly: false, aliases: [{ index: 4, hidden: false }] });
});

test.run();
