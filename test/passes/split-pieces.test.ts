import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  ERR_COMPRESSED, ERR_MERGE_ENTSIZE, ERR_MERGE_UNTERMINATED, ISEC_MERGE, ISEC_REGULAR, ISSUE_BAD_MERGE, ISSUE_MERGE_OFFSET, SYM_SECTION,
} from "../../as-kernels/shared/abi.ts";
import { splitPieces } from "../../ts/passes/split-pieces.ts";
import { constants, pieceWorld, strings, type PieceWorld, type SectionSpec } from "../helpers/piece-world.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { pieceOfTwin, splitConstantsTwin, splitStringsTwin, type Piece } from "../helpers/twin/split-pieces.ts";

const test = suite("split-pieces");

/** Offsets of the pieces of a section, and whether the end row closes them. */
function offsets({ ctx, row }: PieceWorld, object: number, section: number): number[] {
  const { isec, piece } = ctx.tables;
  const i = row(object, section);
  const base = isec.pieceBase[i]!;
  const count = isec.pieceCount[i]!;
  assert.is(piece.inOffset[base + count], isec.size[i]);
  return [...piece.inOffset.subarray(base, base + count)];
}

function randomStrings(random: Prng, width: number, count: number, longest: number): Uint8Array {
  const bytes: number[] = [];
  for (let i = 0; i < count; i++) {
    for (let k = random.below(longest) * width; k > 0; k--) bytes.push(random.chance(0.2) && k % width !== 0 ? 0 : random.between(1, 255));
    for (let k = 0; k < width; k++) bytes.push(0);
  }
  return Uint8Array.from(bytes);
}

test("cuts strings behind every NUL and constants at every entry", async () => {
  const world = pieceWorld({ objects: [[strings("one\0\0two\0"), constants(new Uint8Array(24), 8)]] });
  await splitPieces(world.ctx);
  assert.equal(offsets(world, 0, 0), [0, 4, 5]);
  assert.equal(offsets(world, 0, 1), [0, 8, 16]);
});

for (const debug of [false, true]) {
  test(`agrees with the twin on random sections (${debug ? "debug" : "release"})`, async () => {
    const random = prng(debug ? 7 : 8);
    for (let round = 0; round < 8; round++) {
      const twins: Piece[][] = [];
      const sections: SectionSpec[] = [];
      for (const width of [1, 2, 4, 3]) {
        const data = randomStrings(random, width, random.between(1, 200), random.pick([2, 20, 300]));
        sections.push(strings("", { data, entsize: width, gap: random.pick([0, 1, 5000]) }));
        twins.push(splitStringsTwin(data, width)!);
        const values = Uint8Array.from({ length: width * random.between(1, 50) }, () => random.below(4));
        sections.push(constants(values, width));
        twins.push(splitConstantsTwin(values, width));
      }
      const world = pieceWorld({ objects: [sections, [strings("x\0")]], debug });
      await splitPieces(world.ctx);
      twins.forEach((pieces, s) => {
        assert.equal(offsets(world, 0, s), pieces.map((piece) => piece.offset), `section ${s}`);
        const i = world.row(0, s);
        const base = world.ctx.tables.isec.pieceBase[i]!;
        for (let k = 0; k < 50; k++) {
          const offset = random.below(sections[s]!.data.length + 1);
          assert.is(world.ctx.kernels.pieceOf(i, offset) - base, pieceOfTwin(pieces, offset), `piece at ${offset}`);
        }
      });
      assert.equal(world.issues(), []);
    }
  });
}

test("equal pieces have equal hashes, others do not", async () => {
  const world = pieceWorld({ objects: [[strings("abcdefgh\0abcdefg\0\0")], [strings("\0abcdefg\0")]] });
  await splitPieces(world.ctx);
  const { h0, h1 } = world.ctx.tables.pieceHash;
  assert.is(h0[2], h0[6]);
  assert.is(h1[2], h1[6]);
  assert.is(h0[3], h0[5]);
  assert.is(new Set([1, 2, 3].map((row) => h0[row])).size, 3);
  assert.is(new Set([1, 2, 3].map((row) => h1[row])).size, 3);
});

test("refuses strings without an end and sizes that are no multiple of the entry size", async () => {
  const world = pieceWorld({ objects: [[strings("abc"), strings("a\0\0", { entsize: 2 }), constants(new Uint8Array(7), 4), strings("fine\0")]] });
  await splitPieces(world.ctx);
  const found = world.issues().sort((a, b) => a.isec - b.isec);
  assert.equal(found.map(({ code, isec, a }) => [code, isec, Number(a)]), [
    [ISSUE_BAD_MERGE, 1, ERR_MERGE_UNTERMINATED],
    [ISSUE_BAD_MERGE, 2, ERR_MERGE_ENTSIZE],
    [ISSUE_BAD_MERGE, 3, ERR_MERGE_ENTSIZE],
  ]);
  assert.equal([...world.ctx.tables.isec.kind], [0, ISEC_REGULAR, ISEC_REGULAR, ISEC_REGULAR, ISEC_MERGE]);
});

test("a compressed section that does not inflate is reported once", async () => {
  const world = pieceWorld({ objects: [[strings("", { data: new Uint8Array(40) }), strings("b\0")]] });
  const { isec } = world.ctx.tables;
  isec.compressed[1] = 41;
  isec.size[1] = 100;
  await splitPieces(world.ctx);
  assert.equal(world.issues().map(({ code, isec, a }) => [code, isec, Number(a)]), [[ISSUE_BAD_MERGE, 1, ERR_COMPRESSED]]);
  assert.equal(offsets(world, 0, 1), [0]);
});

test("named symbols get the piece of their value, section symbols none, wild values an error", async () => {
  const world = pieceWorld({
    objects: [[strings("one\0two\0")]],
    symbols: [
      { in: [0, 0], value: 5 }, { in: [0, 0], value: 0, flags: SYM_SECTION }, { in: [0, 0], value: 8 }, { in: [0, 0], value: 9 }, { value: 1 },
    ],
  });
  await splitPieces(world.ctx);
  assert.equal([...world.ctx.tables.sym.piece], [0, 3, 0, 3, 0, 0]);
  assert.equal(world.issues().map(({ code, index }) => [code, index]), [[ISSUE_MERGE_OFFSET, 4]]);
});

test("an empty link has no pieces", async () => {
  const world = pieceWorld({ objects: [[]] });
  await splitPieces(world.ctx);
  assert.is(world.ctx.tables.piece.rows, 1);
  assert.is(world.ctx.tables.ehrec.rows, 1);
});

test.run();
