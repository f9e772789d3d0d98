/** Compressed sections in pages: as zlib and zstd read them, and never more memory than they may take. */
import { spawnSync } from "node:child_process";
import { deflateSync, inflateSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { webIo } from "../../ts/host/web.ts";
import { prng } from "../helpers/prng.ts";
import { need, testOrSkip } from "../helpers/skip.ts";

const test = suite("host/unpack");
const ZLIB = 1;
const ZSTD = 2;
const MiB = 1 << 20;

/** Text that is neither random nor trivial. */
function sample(bytes: number, seed: number): Uint8Array {
  const random = prng(seed);
  const out = new Uint8Array(bytes);
  for (let i = 0; i < bytes; ) {
    const [from, length] = [random.below(Math.max(1, i)), 1 + random.below(200)];
    if (random.below(3) > 0 && i > 300) out.copyWithin(i, from, Math.min(i, from + length));
    else for (let at = i; at < Math.min(bytes, i + length); at++) out[at] = random.below(60);
    i += length;
  }
  return out;
}

const inflate = (kind: number, bytes: Uint8Array, size: number): Uint8Array => webIo.inflate(kind, bytes, size);
const refuses = (kind: number, bytes: Uint8Array, size: number, what: string): void => assert.throws(() => inflate(kind, bytes, size), /corrupted compressed data/, what);

test("zlib streams of all sizes are what they were", () => {
  for (const bytes of [0, 1, 100, 40_000, MiB]) {
    const plain = sample(bytes, bytes);
    for (const level of [0, 1, 9]) assert.is(Buffer.compare(inflate(ZLIB, deflateSync(plain, { level }), bytes), plain), 0, `${bytes} bytes, level ${level}`);
  }
});

test("what zlib refuses is refused", () => {
  const plain = sample(50_000, 5);
  const packed = deflateSync(plain);
  refuses(ZLIB, packed, plain.length - 1, "more than it says");
  refuses(ZLIB, packed, plain.length + 1, "less than it says");
  refuses(ZLIB, packed, 2 ** 40, "much less than it says");
  refuses(ZLIB, packed.subarray(0, -10), plain.length, "cut");
  refuses(ZLIB, new Uint8Array(0), 0, "nothing");
  const random = prng(11);
  for (let i = 0; i < 60; i++) {
    const damaged = Uint8Array.from(packed);
    damaged[random.below(damaged.length)]! ^= 1 << random.below(8);
    let expected: Uint8Array | null = null;
    try {
      expected = inflateSync(damaged);
    } catch {
      // refused
    }
    if (expected?.length !== plain.length) refuses(ZLIB, damaged, plain.length, `damaged ${i}`);
  }
});

test("a zlib stream that would be gigabytes is stopped", () => {
  const bomb = deflateSync(new Uint8Array(128 * MiB), { level: 1 });
  const before = process.resourceUsage().maxRSS;
  refuses(ZLIB, bomb, 1000, "bomb");
  refuses(ZLIB, bomb.subarray(0, -8), MiB, "bomb without an end");
  assert.ok(process.resourceUsage().maxRSS - before < 110_000, `${process.resourceUsage().maxRSS - before} kB`);
});

/** A zstd frame (RFC 8878) of a window, without content size. */
function frame(...blocks: number[][]): Uint8Array {
  return Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, ...blocks.flat()]);
}

/** Type 1: a byte, repeated; type 0: bytes as they are. */
const repeated = (bytes: number, last: number): number[] => [(bytes << 3 | 1 << 1 | last) & 0xff, bytes >> 5 & 0xff, bytes >> 13, 0x61];
const plain = (bytes: number[], last: number): number[] => [(bytes.length << 3 | last) & 0xff, bytes.length >> 5, bytes.length >> 13, ...bytes];

test("zstd frames of plain and repeated bytes, one after another, between frames to skip", () => {
  const skipped = [0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9];
  const bytes = Uint8Array.from([...skipped, ...frame(plain([1, 2, 3], 0), repeated(5, 1)), ...skipped, ...frame(plain([4], 0), plain([], 1))]);
  assert.equal([...inflate(ZSTD, bytes, 9)], [1, 2, 3, 0x61, 0x61, 0x61, 0x61, 0x61, 4]);
  for (const size of [0, 3, 8, 10]) refuses(ZSTD, bytes, size, `${size} bytes`);
  for (let cut = 1; cut < bytes.length; cut++) if (bytes.length - cut !== 34 && bytes.length - cut !== 10) refuses(ZSTD, bytes.subarray(0, -cut), 9, `cut by ${cut}`);
});

test("a zstd frame that would be gigabytes is stopped, and no claim is believed", () => {
  const bomb = frame(...Array.from({ length: 20_000 }, (_, i) => repeated(1 << 17, Number(i === 19_999))));
  const before = process.resourceUsage().maxRSS;
  const began = performance.now();
  refuses(ZSTD, bomb, 1000, "bomb");
  refuses(ZSTD, frame(plain([1], 1)), 2 ** 40, "a claim of the section");
  // Single segment, content size of eight bytes: 2 to the power of 40.
  refuses(ZSTD, Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0, ...plain([1], 1)]), 2, "a claim of the frame");
  assert.ok(process.resourceUsage().maxRSS - before < 100_000 && performance.now() - began < 5000);
});

testOrSkip(test, "host/unpack", need("zstd"))("what zstd writes is what it was, and no byte more", () => {
  for (const bytes of [0, 1, 100, 400_000]) {
    const contents = sample(bytes, bytes + 1);
    for (const level of ["-1", "-19"]) {
      for (const words of [[], ["--no-check"]]) {
        // From a pipe it does not know the size.
        const packed = new Uint8Array(spawnSync("zstd", ["-q", "-c", level, ...words], { input: contents, maxBuffer: 1 << 26 }).stdout);
        assert.is(Buffer.compare(inflate(ZSTD, packed, bytes), contents), 0, `${bytes} bytes, ${level}`);
        if (bytes > 0) refuses(ZSTD, packed, bytes - 1, "more than it says");
        refuses(ZSTD, packed, bytes + 1, "less than it says");
      }
    }
  }
  const big = sample(MiB, 3);
  const packed = new Uint8Array(spawnSync("zstd", ["-q", "-c", "-3"], { input: big, maxBuffer: 1 << 26 }).stdout);
  const two = Uint8Array.from([...packed, ...packed]);
  assert.is(Buffer.compare(inflate(ZSTD, two, 2 * MiB), Buffer.concat([big, big])), 0, "two frames");
});

test.run();
