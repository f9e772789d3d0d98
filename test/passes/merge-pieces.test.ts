import { suite } from "uvu";
import * as assert from "uvu/assert";
import { PIECE_WINNER } from "../../as-kernels/shared/abi.ts";
import { SHF_ALLOC, SHF_GROUP, SHF_MERGE } from "../../as-kernels/shared/elf.ts";
import { mergePieces } from "../../ts/passes/merge-pieces.ts";
import { putXxh3Secret } from "../../ts/memory/xxh3-secret.ts";
import { splitPieces } from "../../ts/passes/split-pieces.ts";
import { writeMerged } from "../../ts/passes/write-merged.ts";
import { constants, pieceWorld, strings, type PieceWorld, type PieceWorldSpec, type SectionSpec } from "../helpers/piece-world.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { mergeTwin, tailSizeTwin } from "../helpers/twin/merge-pieces.ts";
import { splitStringsTwin, type Piece } from "../helpers/twin/split-pieces.ts";

const test = suite("merge-pieces");

async function merge(spec: PieceWorldSpec, kill: (world: PieceWorld) => void = () => {}): Promise<PieceWorld> {
  const world = pieceWorld(spec);
  await splitPieces(world.ctx);
  kill(world);
  await mergePieces(world.ctx);
  assert.equal(world.issues(), []);
  return world;
}

/** Contents of msec `m`, written in windows of `step` bytes. */
function contents({ ctx }: PieceWorld, m: number, step = 1 << 20): Uint8Array {
  const size = ctx.tables.msec.size[m]!;
  const out = ctx.arena.alloc(size + 64);
  ctx.pool.self.tables = ctx.tables;
  const whole = new Uint8Array(size);
  // Each window by itself: nothing may be written behind it.
  for (let from = 0; from < size; from += step) {
    const bytes = Math.min(step, size - from);
    ctx.arena.u8.fill(0xaa, out, out + bytes + 64);
    writeMerged(ctx.pool.self, m, from, from + bytes, out);
    assert.ok(ctx.arena.bytes(out + bytes, 64).every((byte) => byte === 0xaa), `behind ${from + bytes}`);
    whole.set(ctx.arena.bytes(out, bytes), from);
  }
  return whole;
}

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** Places of all pieces of an object's section. */
function places({ ctx, row }: PieceWorld, object: number, section: number): number[] {
  const { isec, piece } = ctx.tables;
  const i = row(object, section);
  return [...piece.out.subarray(isec.pieceBase[i]!, isec.pieceBase[i]! + isec.pieceCount[i]!)];
}

/** Shard of a string with its NUL: what lld orders merged sections by. */
function shardOf({ ctx }: PieceWorld): (piece: Piece) => number {
  const secret = putXxh3Secret(ctx.arena);
  const at = ctx.arena.alloc(1024);
  return ({ bytes }) => {
    ctx.arena.u8.set(bytes, at);
    ctx.kernels.hashXxh3(at, bytes.length - 1, secret, at + 512);
    return ctx.arena.u32[(at + 512) >>> 2]! >>> 27;
  };
}

test("equal strings of all objects share one place, in lld's order", async () => {
  const world = await merge({ objects: [[strings("AAA\0BBB\0")], [strings("CCC\0AAA\0")]] });
  assert.is(text(contents(world, 1)), "AAA\0CCC\0BBB\0");
  assert.equal([places(world, 0, 0), places(world, 1, 0)], [[0, 8], [4, 0]]);
});

test("output section, entry size and the alignment of strings keep pieces apart, that of constants does not", async () => {
  const eight = Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 0]);
  const world = await merge({
    osecs: 2,
    objects: [
      [strings("a\0"), strings("a\0", { align: 3 }), strings("a\0", { osec: 2 }), strings("a\0\0\0", { entsize: 2 })],
      [constants(eight, 8), constants(eight, 8, { align: 3 }), constants(eight, 4)],
      [constants(eight, 8, { flags: SHF_ALLOC | SHF_MERGE | SHF_GROUP })],
    ],
  });
  const { isec, msec } = world.ctx.tables;
  const group = (object: number, section: number): number => isec.msec[world.row(object, section)]!;
  assert.equal([0, 1, 2, 3].map((section) => group(0, section)), [1, 2, 3, 4]);
  assert.equal([group(1, 0), group(1, 1), group(1, 2), group(2, 0)], [5, 5, 6, 5]);
  assert.is(msec.align[5], 3);
  assert.equal([...msec.size], [0, 2, 2, 2, 4, 8, 8]);
});

test("pieces stand at multiples of the alignment, with zeros between them", async () => {
  const world = await merge({ objects: [[strings("abc\0d\0\0", { align: 3 }), strings("d\0", { align: 3 })]] });
  const all = ["abc\0", "d\0", "\0"];
  const [abc, d, empty] = places(world, 0, 0) as [number, number, number];
  assert.equal([abc, d, empty].sort((a, b) => a - b), [0, 8, 16]);
  const bytes = text(contents(world, 1, 5));
  [abc, d, empty].forEach((at, i) => assert.is(bytes.slice(at, at + 8), all[i]!.padEnd(8, "\0").slice(0, bytes.length - at)));
  assert.equal(places(world, 0, 1), [d]);
});

test("dead pieces and sections leave nothing", async () => {
  const world = await merge({ objects: [[strings("a\0b\0c\0"), strings("d\0", { live: false })], [strings("b\0")]] }, ({ ctx }) => {
    ctx.tables.piece.live[2] = 0;
  });
  assert.equal(text(contents(world, 1)).split("\0").sort(), ["", "a", "b", "c"]);
  assert.is(world.ctx.tables.isec.msec[2], 0);
});

test("addresses follow the piece: through a section symbol by offset, at the end of the section too", async () => {
  const world = await merge({ objects: [[strings("one\0two\0")], [strings("two\0x\0")]] });
  const { ctx } = world;
  ctx.tables.osec.addr[1] = 0x1000n;
  ctx.tables.msec.outOffset[1] = 0x20;
  const i = world.row(1, 0);
  const address = (offset: number): number => {
    const row = ctx.kernels.pieceOf(i, offset);
    return 0x1020 + ctx.tables.piece.out[row]! + offset - ctx.tables.piece.inOffset[row]!;
  };
  const [two, x] = places(world, 1, 0) as [number, number];
  assert.equal([0, 2, 4, 6].map(address), [0x1020 + two, 0x1022 + two, 0x1020 + x, 0x1022 + x]);
});

function randomSection(random: Prng, count: number, variety: number, more: Partial<SectionSpec> = {}): SectionSpec {
  let data = "";
  for (let i = 0; i < count; i++) data += "suffix".slice(random.below(7)).padStart(random.below(4), "q") + random.below(variety).toString(36) + "\0";
  return strings(data, more);
}

/** All pieces of all sections, in order, with their places and winner bits. */
function allPieces(world: PieceWorld, sections: SectionSpec[]): { pieces: Piece[]; out: number[]; winners: number } {
  const { isec, piece } = world.ctx.tables;
  const pieces: Piece[] = [];
  const out: number[] = [];
  let winners = 0;
  sections.forEach((section, s) => {
    const own = splitStringsTwin(section.data, section.entsize!)!;
    const base = isec.pieceBase[world.row(0, s)]!;
    own.forEach((item, k) => {
      pieces.push(item);
      out.push(piece.out[base + k]!);
      if (piece.live[base + k]! & PIECE_WINNER) winners++;
    });
  });
  return { pieces, out, winners };
}

/** Every piece's bytes stand where it was placed. */
function assertPlaced(pieces: Piece[], out: number[], bytes: Uint8Array): void {
  pieces.forEach((piece, i) => {
    assert.is(text(bytes.subarray(out[i]!, out[i]! + piece.bytes.length)), text(piece.bytes), `piece ${i}`);
  });
}

for (const debug of [false, true]) {
  test(`agrees with the twin on random sections (${debug ? "debug" : "release"})`, async () => {
    const random = prng(debug ? 3 : 4);
    for (let round = 0; round < 10; round++) {
      const align = random.pick([0, 0, 2]);
      const sections = Array.from({ length: random.between(1, 20) }, () => randomSection(random, random.below(200), 300, { align, gap: random.pick([0, 9000]) }));
      const world = await merge({ objects: [sections], debug, options: { verifyHashes: true } });
      const { pieces, out } = allPieces(world, sections);
      const twin = mergeTwin(pieces, 2 ** align, shardOf(world));
      assert.equal(out, twin.out);
      assert.is(world.ctx.tables.msec.size[1] ?? 0, twin.size);
      if (twin.size > 0) assertPlaced(pieces, out, contents(world, 1));
    }
  });
}

test("many pieces: shards give each string one place, whatever the order of chunks, in memory or window by window", async () => {
  const random = prng(5);
  const sections = Array.from({ length: 30 }, () => randomSection(random, 3000, 60_000));
  const forward = await merge({ objects: [sections], options: { verifyHashes: true } });
  const { pieces, out, winners } = allPieces(forward, sections);
  const bytes = contents(forward, 1);
  assertPlaced(pieces, out, bytes);
  assert.is(winners, new Set(pieces.map((piece) => text(piece.bytes))).size);
  const twin = mergeTwin(pieces, 1, shardOf(forward));
  assert.is(bytes.length, twin.size);
  assert.equal(out, twin.out);
  const backward = await merge({ objects: [sections], backwards: true });
  assert.equal(allPieces(backward, sections).out, out);
  backward.ctx.tables.msec.bytes[1] = 0;
  assert.equal(contents(backward, 1, 77_777), bytes);
});

for (const count of [200, 3000]) {
  test(`-O2 puts strings into longer ones that end alike (${count * 20} strings)`, async () => {
    const random = prng(count);
    const sections = Array.from({ length: 20 }, () => randomSection(random, count, count * 4));
    const world = await merge({ objects: [sections], options: { optimize: 2, verifyHashes: true } });
    const { pieces, out } = allPieces(world, sections);
    const bytes = contents(world, 1);
    assertPlaced(pieces, out, bytes);
    if (count === 200) assert.is(bytes.length, tailSizeTwin(pieces));
    const backward = await merge({ objects: [sections], options: { optimize: 2 }, backwards: true });
    assert.equal(allPieces(backward, sections).out, out);
  });
}

test("-O2 keeps alignment and whole characters", async () => {
  const wide = (value: string): string => [...value].map((c) => c + "\0").join("");
  const aligned = await merge({ objects: [[strings("abcdefgh\0efgh\0fgh\0", { align: 2 })]], options: { optimize: 2 } });
  assert.equal(places(aligned, 0, 0), [0, 4, 12]);
  const half = await merge({ objects: [[strings(wide("ab\0") + "\0b\0\0" + wide("b\0"), { entsize: 2 })]], options: { optimize: 2 } });
  assertPlaced(splitStringsTwin(strings(wide("ab\0") + "\0b\0\0" + wide("b\0")).data, 2)!, places(half, 0, 0), contents(half, 1));
});

test("-O2 treats wide characters, half of whose bytes are 0, as narrow ones", async () => {
  const random = prng(5);
  const words = Array.from({ length: 60 }, () => Array.from({ length: random.below(7) }, () => random.pick(["a", "b"])).join("") + "\0").join("");
  const narrow = await merge({ objects: [[strings(words)]], options: { optimize: 2 } });
  const wide = await merge({ objects: [[strings([...words].map((c) => c + "\0").join(""), { entsize: 2 })]], options: { optimize: 2 } });
  assert.equal(places(wide, 0, 0), places(narrow, 0, 0).map((place) => 2 * place));
});

test.run();
