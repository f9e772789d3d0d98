import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ERR_MERGE_UNTERMINATED, ISSUE_BAD_MERGE, PIECE_LIVE, PIECE_WINNER } from "../../as-kernels/shared/abi.ts";
import { SHF_MERGE, SHF_STRINGS } from "../../as-kernels/shared/elf.ts";
import { putXxh3Secret } from "../../ts/memory/xxh3-secret.ts";
import { mergePieces } from "../../ts/passes/merge-pieces.ts";
import { splitPieces } from "../../ts/passes/split-pieces.ts";
import { writeMerged } from "../../ts/passes/write-merged.ts";
import { pieceWorld, strings, type PieceWorld, type PieceWorldSpec, type SectionSpec } from "../helpers/piece-world.ts";
import { prng, type Prng } from "../helpers/prng.ts";
import { mergeTwin } from "../helpers/twin/merge-pieces.ts";
import { pieceOfTwin, splitStringsTwin, type Piece } from "../helpers/twin/split-pieces.ts";

const test = suite("stream-strings");

const UNLOADED = { flags: SHF_MERGE | SHF_STRINGS };
/** Shorter than what the twin's hash has room for. */
const LONGEST = 500;
/** Behind windows. */
const GUARD = 0xa5;
const GUARD_BYTES = 1024;

async function merge(spec: PieceWorldSpec): Promise<PieceWorld> {
  const world = pieceWorld(spec);
  await splitPieces(world.ctx);
  await mergePieces(world.ctx);
  return world;
}

function randomSection(random: Prng, bytes: number, variety: number, more: Partial<SectionSpec> = {}): SectionSpec {
  const width = more.entsize ?? 1;
  const parts: number[] = [];
  while (parts.length < bytes * width) {
    const word = random.below(variety).toString(36).padStart(random.chance(0.01) ? random.below(LONGEST) : random.below(30), "pad");
    for (const c of word) parts.push(c.charCodeAt(0), ...new Array<number>(width - 1).fill(0));
    parts.push(...new Array<number>(width).fill(0));
  }
  return strings("", { ...UNLOADED, ...more, data: Uint8Array.from(parts) });
}

/** Merged bytes of msec `m`, made in windows of `step` bytes, behind which nothing is written. */
function contents({ ctx }: PieceWorld, m: number, step: number): Uint8Array {
  const { arena, pool, tables } = ctx;
  const size = tables.msec.size[m]!;
  const found = new Uint8Array(size);
  const window = arena.alloc(Math.min(step, size) + GUARD_BYTES);
  pool.self.tables = tables;
  for (let from = 0; from < size; from += step) {
    const bytes = Math.min(step, size - from);
    arena.u8.fill(0, window, window + bytes).fill(GUARD, window + bytes, window + bytes + GUARD_BYTES);
    writeMerged(pool.self, m, from, from + bytes, window);
    assert.ok(arena.u8.subarray(window + bytes, window + bytes + GUARD_BYTES).every((byte) => byte === GUARD), "bytes behind the window");
    found.set(arena.bytes(window, bytes), from);
  }
  return found;
}

/** What the twin says of all sections together, and that everything about them agrees with it. */
function assertMerged(world: PieceWorld, sections: SectionSpec[], align: number): void {
  const { ctx, row } = world;
  const { isec, msec, piece } = ctx.tables;
  const width = sections[0]!.entsize!;
  const secret = putXxh3Secret(ctx.arena);
  const at = ctx.arena.alloc(4096);
  const shardOf = ({ bytes }: Piece): number => {
    ctx.arena.u8.set(bytes, at);
    ctx.kernels.hashXxh3(at, bytes.length - width, secret, at + 3072);
    return ctx.arena.u32[(at + 3072) >>> 2]! >>> 27;
  };
  const all = sections.map(({ data }) => splitStringsTwin(data, width)!);
  const twin = mergeTwin(all.flat(), 2 ** align, shardOf);
  const found = sections.flatMap((_, s) => {
    const i = row(0, s);
    assert.is(isec.pieceCount[i], all[s]!.length);
    assert.is(piece.inOffset[isec.pieceBase[i]! + isec.pieceCount[i]!], isec.size[i]);
    return [...piece.out.subarray(isec.pieceBase[i]!, isec.pieceBase[i]! + isec.pieceCount[i]!)];
  });
  assert.is(found.findIndex((out, i) => out !== twin.out[i]), -1, "first piece in another place");
  assert.is(msec.size[1] ?? 0, twin.size);
  if (twin.size === 0) return;
  const bytes = Buffer.from(contents(world, 1, 1 << 20));
  assert.ok(Buffer.from(contents(world, 1, Math.ceil(twin.size / 7) + 3)).equals(bytes), "in other windows");
  all.flat().forEach((own, i) => assert.is(bytes.compare(own.bytes, 0, own.bytes.length, found[i], found[i]! + own.bytes.length), 0));
  sections.forEach(({ data }, s) => {
    for (let offset = 0; offset < data.length; offset += 1 + Math.floor(data.length / 300)) {
      assert.is(ctx.kernels.pieceOf(row(0, s), offset), isec.pieceBase[row(0, s)]! + pieceOfTwin(all[s]!, offset), `section ${s}, offset ${offset}`);
    }
  });
}

for (const debug of [false, true]) {
  test(`agrees with the twin on random sections (${debug ? "debug" : "release"})`, async () => {
    const random = prng(debug ? 13 : 14);
    for (let round = 0; round < 8; round++) {
      const align = random.pick([0, 0, 2]);
      const entsize = align === 2 ? random.pick([1, 4]) : random.pick([1, 1, 2]);
      const sections = Array.from({ length: random.between(1, 30) }, () => randomSection(random, random.below(900), 300, { align, entsize, gap: random.pick([0, 100, 9000]) }));
      const world = await merge({ objects: [sections], debug, options: { verifyHashes: true } });
      assert.equal(world.issues(), []);
      assertMerged(world, sections, align);
    }
  });
}

test("large sections are cut where strings end, small ones stand before, between and behind them", async () => {
  const random = prng(15);
  const sections = [40, 700_000, 300, 5, 300_000, 262_144, 1000].map((bytes) => randomSection(random, bytes, 20_000));
  const forward = await merge({ objects: [sections], options: { verifyHashes: true } });
  assertMerged(forward, sections, 0);
  const bytes = contents(forward, 1, 1 << 20);
  const backward = await merge({ objects: [sections], backwards: true });
  assertMerged(backward, sections, 0);
  assert.ok(Buffer.from(contents(backward, 1, 77_777)).equals(bytes));
});

test("sections of many groups and parts give the same, whoever comes first", async () => {
  const words = Array.from({ length: 5000 }, (_, i) => `${"padding ".repeat(i % 40)}${i}\0`);
  const random = prng(17);
  const section = (bytes: number): SectionSpec => {
    const parts: string[] = [];
    for (let sum = 0; sum < bytes; sum += parts.at(-1)!.length) parts.push(random.pick(words));
    return { ...strings("", UNLOADED), data: Buffer.from(parts.join(""), "latin1") };
  };
  const objects = [[section(3_000_000), section(50_000)], [section(9_000_000)], [section(40_000)], [section(2_500_000)]];
  const worlds = [await merge({ objects }), await merge({ objects, backwards: true })];
  const size = words.reduce((sum, word) => sum + word.length, 0);
  for (const { ctx, row } of worlds) {
    const { isec, msec, piece } = ctx.tables;
    assert.is(msec.size[1], size);
    objects.forEach((sections, o) =>
      sections.forEach(({ data }, s) => {
        const i = row(o, s);
        assert.is(isec.pieceCount[i], data.reduce((sum, byte) => sum + (byte === 0 ? 1 : 0), 0));
        assert.is(piece.inOffset[isec.pieceBase[i]! + isec.pieceCount[i]!], data.length);
      }),
    );
  }
  const [bytes, other] = worlds.map((world) => Buffer.from(contents(world, 1, 1 << 18)));
  assert.ok(bytes!.equals(other!));
  const text = `\0${bytes!.toString("latin1")}`;
  for (const word of words) assert.ok(text.includes(`\0${word}`), word);
  const { ctx, row } = worlds[1]!;
  objects.forEach((sections, o) =>
    sections.forEach(({ data }, s) => {
      for (let offset = 0; offset < data.length; offset += 10_007) {
        const piece = ctx.kernels.pieceOf(row(o, s), offset);
        const place = ctx.tables.piece.out[piece]! + offset - ctx.tables.piece.inOffset[piece]!;
        assert.is(bytes![place], data[offset]);
      }
    }),
  );
});

test("bytes that do not stay in memory are made window by window", async () => {
  const random = prng(16);
  const sections = [300_000, 500, 10_000].map((bytes) => randomSection(random, bytes, 20_000));
  const { ctx, ...world } = await merge({ objects: [sections] });
  const bytes = contents({ ctx, ...world }, 1, 1 << 20);
  assert.is(ctx.tables.msec.bytes[1], 0);
  ctx.tables.msec.stream[1] = 0;
  ctx.kernels.countWinners(1, ctx.tables.mmember.rows);
  assert.ok(Buffer.from(contents({ ctx, ...world }, 1, 50_000)).equals(Buffer.from(bytes)));
});

test("many strings of one byte and one string larger than a slice", async () => {
  const sections = [strings("\0".repeat(300_000), UNLOADED), strings("x\0".repeat(5) + "l".repeat(400) + "\0" + "\0".repeat(7), UNLOADED)];
  assertMerged(await merge({ objects: [sections] }), sections, 0);
  const long = await merge({ objects: [[strings("a\0" + "b".repeat(9_000_000) + "\0c\0", UNLOADED)]] });
  assert.is(long.ctx.tables.msec.size[1], 9_000_005);
  assert.is(long.ctx.tables.isec.pieceCount[1], 3);
});

test("strings of half a part each: parts that end early are more than their size says", async () => {
  const words = Array.from({ length: 12 }, (_, i) => `${i}`.padEnd(2_150_000, "x"));
  const { ctx } = await merge({ objects: [[strings(words.map((word) => `${word}\0`).join(""), UNLOADED)]] });
  assert.is(ctx.tables.msec.size[1], 12 * 2_150_001);
  assert.is(ctx.tables.isec.pieceCount[1], 12);
});

test("output section and entry size keep strings apart; a section that is dead leaves nothing", async () => {
  const world = await merge({
    osecs: 2,
    objects: [[strings("a\0", UNLOADED), strings("a\0b\0", { ...UNLOADED, osec: 2 }), strings("a\0\0\0", { ...UNLOADED, entsize: 2 }), strings("dead\0", { ...UNLOADED, live: false })]],
  });
  assert.equal([...world.ctx.tables.msec.size], [0, 2, 4, 4]);
  assert.is(world.ctx.tables.isec.msec[world.row(0, 3)], 0);
});

test("symbols in strings know their piece, and all pieces live", async () => {
  const world = await merge({
    objects: [[strings("zero\0one\0two\0", UNLOADED)], [strings("loaded\0")]],
    symbols: [{ in: [0, 0], value: 5 }, { in: [0, 0], value: 9 }, { in: [1, 0], value: 0 }],
    options: { gcSections: true },
  });
  const { isec, piece, sym } = world.ctx.tables;
  const base = isec.pieceBase[world.row(0, 0)]!;
  assert.equal([...sym.piece.subarray(1, 3)], [base + 2, base + 3]);
  assert.is.not(sym.piece[3], 0);
  assert.equal([...piece.live.subarray(base, base + 3)], [PIECE_LIVE | PIECE_WINNER, PIECE_LIVE | PIECE_WINNER, PIECE_LIVE | PIECE_WINNER]);
});

test("strings without an end are reported and merged as they are", async () => {
  const world = await merge({ objects: [[strings("good\0bad", UNLOADED)], [strings("bad\0", UNLOADED)]] });
  assert.equal(world.issues().map(({ code, isec, a }) => [code, isec, Number(a)]), [[ISSUE_BAD_MERGE, world.row(0, 0), ERR_MERGE_UNTERMINATED]]);
  assert.is(world.ctx.tables.isec.pieceCount[world.row(0, 0)], 2);
});

test.run();
