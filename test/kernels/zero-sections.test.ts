import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ISEC_MERGE, ISEC_REGULAR } from "../../as-kernels/shared/abi.ts";
import { SHF_ALLOC, SHF_EXECINSTR, SHF_MERGE, SHF_WRITE, SHT_NOBITS, SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory } from "../helpers/kernel-memory.ts";
import { prng } from "../helpers/prng.ts";

const DATA = SHF_ALLOC | SHF_WRITE;

for (const debug of [false, true]) {
  const test = suite(`kernel zero-sections ${debug ? "debug" : "release"}`);
  const { arena, tables, kernels } = kernelMemory(debug);

  test("isZero sees every byte, and none beyond", () => {
    const at = arena.allocZeroed(128);
    for (let bytes = 0; bytes < 64; bytes++) {
      arena.u8[at + bytes] = 1;
      assert.is(kernels.isZero(at, bytes), 1);
      arena.u8[at + bytes] = 0;
      for (let i = 0; i < bytes; i++) {
        arena.u8[at + i] = 0x80;
        assert.is(kernels.isZero(at, bytes), 0);
        arena.u8[at + i] = 0;
      }
    }
  });

  test("nextPlainData finds what its twin finds", () => {
    const random = prng(7);
    const rows = 500;
    const isec = allocTable(arena, tables, "isec", rows);
    const wanted: number[] = [];
    for (let row = 1; row < rows; row++) {
      isec.kind[row] = random.chance(0.9) ? ISEC_REGULAR : ISEC_MERGE;
      isec.sh_type[row] = random.chance(0.9) ? SHT_PROGBITS : SHT_NOBITS;
      isec.sh_flags[row] = random.pick([DATA, DATA, DATA, SHF_ALLOC, DATA | SHF_EXECINSTR, DATA | SHF_MERGE, 0]);
      isec.size[row] = random.chance(0.8) ? 8 : 0;
      isec.relaCount[row] = random.chance(0.8) ? 0 : 1;
      isec.compressed[row] = 0;
      if (isec.kind[row] === ISEC_REGULAR && isec.sh_type[row] === SHT_PROGBITS && isec.sh_flags[row] === DATA && isec.size[row]! > 0 && isec.relaCount[row] === 0) wanted.push(row);
    }
    const found: number[] = [];
    for (let row = kernels.nextPlainData(1, rows); row < rows; row = kernels.nextPlainData(row + 1, rows)) found.push(row);
    assert.ok(wanted.length > 10);
    assert.equal(found, wanted);
  });

  test.run();
}
