import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ISEC_EH_FRAME, ISEC_REGULAR } from "../../as-kernels/shared/abi.ts";
import { SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { keptRun } from "../../ts/passes/section-runs.ts";
import { kernelMemory } from "../helpers/kernel-memory.ts";
import { prng } from "../helpers/prng.ts";

const ROWS = 400;
const LIMIT = 3000;
/** As in as-kernels/passes/split-pieces.ts. */
const GAP = 16384;

interface Run {
  from: number;
  to: number;
  compressed: boolean;
  start: number;
  bytes: number;
}

for (const debug of [false, true]) {
  const test = suite(`kernel runs of sections ${debug ? "debug" : "release"}`);
  const { arena, tables, kernels } = kernelMemory(debug);
  const cell = arena.alloc(32);

  const runs = (): Run[] => {
    const found: Run[] = [];
    for (let row = 1; kernels.nextPieceRun(row, ROWS, 1, LIMIT, cell) !== 0; row = found.at(-1)!.to) {
      const [from, to, compressed] = arena.words(cell, 3);
      found.push({ from, to, compressed: compressed !== 0, start: arena.f64[(cell >>> 3) + 2]!, bytes: arena.f64[(cell >>> 3) + 3]! });
    }
    return found;
  };

  test("a run is what one read brings: neighbours of one object, with small gaps, compressed ones alone", () => {
    const random = prng(5);
    const isec = allocTable(arena, tables, "isec", ROWS);
    let at = 0;
    for (let row = 1; row < ROWS; row++) {
      const isNew = random.chance(0.05);
      isec.obj[row] = row === 1 ? 1 : isec.obj[row - 1]! + (isNew ? 1 : 0);
      if (isNew || random.chance(0.03)) at = random.below(1000);
      isec.kind[row] = random.chance(0.7) ? ISEC_EH_FRAME : ISEC_REGULAR;
      isec.sh_type[row] = SHT_PROGBITS;
      isec.size[row] = random.chance(0.1) ? 0 : random.below(2 * LIMIT) >> random.below(6);
      isec.sh_offset[row] = at += random.pick([0, 1, 100, GAP, GAP + 1]);
      isec.compressed[row] = random.chance(0.1) ? 1 + random.below(50) : 0;
      at += isec.size[row]!;
    }
    const wanted = (row: number): boolean => isec.kind[row] === ISEC_EH_FRAME && isec.size[row]! > 0;
    const expected: Run[] = [];
    for (let row = 1; row < ROWS; row++) {
      if (!wanted(row)) continue;
      const last = expected.at(-1);
      const [start, size] = [isec.sh_offset[row]!, isec.size[row]!];
      const end = last === undefined ? 0 : last.start + last.bytes;
      const joins = last !== undefined && !last.compressed && isec.compressed[row] === 0 && isec.obj[row] === isec.obj[last.from] && start >= end && start - end <= GAP && start + size - last.start <= LIMIT;
      if (joins) Object.assign(last, { to: row + 1, bytes: start + size - last.start });
      else expected.push({ from: row, to: row + 1, compressed: isec.compressed[row] !== 0, start, bytes: size });
    }
    assert.ok(expected.some(({ from, to }) => to > from + 2) && expected.some(({ bytes }) => bytes > LIMIT));
    assert.equal(runs(), expected);
  });

  test("contents are together in memory only where they are one object's", () => {
    const isec = allocTable(arena, tables, "isec", 5);
    isec.obj.set([0, 1, 1, 2, 3]);
    isec.sh_offset.set([0, 100, 140, 300, 500]);
    // The third object is as far behind the first as in the file, the second is not.
    isec.kept.set([0, 4096, 4136, 4304, 4496]);
    const at = (first: number, last: number): number => keptRun({ tables }, first, last);
    assert.equal([at(1, 1), at(1, 2), at(2, 2), at(1, 3), at(1, 4), at(4, 4)], [4096, 4096, 4136, 0, 0, 4496]);
    isec.kept.set([0, 4096, 9000, 0, 0]);
    assert.equal([at(1, 2), at(3, 3)], [0, 0]);
  });

  test.run();
}
