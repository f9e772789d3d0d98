/** packZstd against the library that reads zstd where the runtime does not, and against zstd's own where it is installed. */
import { spawnSync } from "node:child_process";
import { decompress } from "fzstd";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ZSTD_SCRATCH_BYTES } from "../../as-kernels/shared/abi.ts";
import { kernelMemory } from "../helpers/kernel-memory.ts";
import { prng } from "../helpers/prng.ts";

const hasZstd = spawnSync("zstd", ["--version"]).status === 0;

for (const debug of [false, true]) {
  const test = suite(`kernel lib/zstd ${debug ? "debug" : "release"}`);
  const { arena, kernels } = kernelMemory(debug);
  const random = prng(22);

  const pack = (bytes: Uint8Array): Uint8Array => {
    const mark = arena.mark();
    const source = arena.alloc(bytes.length + 16);
    arena.u8.set(bytes, source);
    const scratch = arena.alloc(ZSTD_SCRATCH_BYTES);
    const target = arena.alloc(bytes.length + (bytes.length >>> 1) + 64);
    const packed = arena.u8.slice(target, target + kernels.packZstd(source, bytes.length, target, scratch));
    arena.release(mark);
    return packed;
  };
  const check = (bytes: Uint8Array, about: string): number => {
    const packed = pack(bytes);
    const read = decompress(packed);
    assert.ok(Buffer.from(read).equals(Buffer.from(bytes)), about);
    if (hasZstd) assert.ok(spawnSync("zstd", ["-dc"], { input: packed, maxBuffer: 1 << 26 }).stdout.equals(Buffer.from(bytes)), about);
    return packed.length;
  };
  /** Words of an alphabet of `letters`, some of them copied from anywhere before. */
  const text = (length: number, letters: number, copies: number): Uint8Array => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const run = Math.min(length - at, 1 + random.below(40));
      if (at > 0 && random.below(100) < copies) {
        const from = random.below(at);
        for (let i = 0; i < run; i++) bytes[at + i] = bytes[from + (i % (at - from))]!;
      } else {
        for (let i = 0; i < run; i++) bytes[at + i] = random.below(letters);
      }
      at += run;
    }
    return bytes;
  };

  test("frames of all sizes read as what was packed", () => {
    for (const length of [0, 1, 7, 8, 9, 31, 32, 100, 4095, 4096, 65_535, 131_071, 131_072, 131_073, 262_144, 400_000]) {
      check(text(length, 256, 0), `random ${length}`);
      check(new Uint8Array(length).fill(7), `one byte ${length}`);
      check(text(length, 4, 50), `text ${length}`);
    }
  });

  test("random texts, and matches and literals of all lengths", () => {
    for (let round = 0; round < (debug ? 30 : 150); round++) check(text(random.below(60_000), 1 + random.below(256), random.below(100)), `round ${round}`);
    const lengths = Array.from({ length: 200 }, (_, i) => text(3 + i * 7, 256, 0));
    check(Buffer.concat(lengths.flatMap((piece) => [piece, piece, text(random.below(300), 256, 0), piece])), "lengths");
    const long = text(100_000, 256, 0);
    check(Buffer.concat([long, long, long]), "long matches");
  });

  test("what repeats gets small", () => {
    assert.ok(check(new Uint8Array(1 << 20), "zeros") < 200);
    const words = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `string number ${i}\0`).join(""));
    assert.ok(check(words, "words") < words.length / 2);
  });

  test.run();
}
