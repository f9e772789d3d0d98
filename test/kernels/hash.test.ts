import { suite } from "uvu";
import * as assert from "uvu/assert";
import { REC_DEFAULT_VERSION, REC_VERSIONED } from "../../as-kernels/shared/abi.ts";
import { allocTable } from "../../ts/memory/table.ts";
import { kernelMemory } from "../helpers/kernel-memory.ts";
import { prng } from "../helpers/prng.ts";
import { hashTwin, nameTwin, type Hash } from "../helpers/twin/hash.ts";

const LONGEST = 70;
/** Every byte a name may have, "@" and NUL apart. */
const BYTES = Array.from({ length: 256 }, (_, c) => String.fromCharCode(c)).filter((c) => c !== "\0" && c !== "@");

for (const debug of [false, true]) {
  const test = suite(`kernel lib/hash, lib/bytes ${debug ? "debug" : "release"}`);
  const memory = kernelMemory(debug);
  const { arena, tables, kernels } = memory;
  const record = allocTable(arena, tables, "record", 3);
  const scratch = arena.alloc(1024);
  const random = prng(7);
  const text = (bytes: number): string => Array.from({ length: bytes }, () => random.pick(BYTES)).join("");
  const identity = (at: number, limit: number): { hash: Hash; bytes: number; flags: number } => {
    kernels.hashName(at, limit);
    return { hash: [record.h0[0]!, record.h1[0]!], bytes: record.nameBytes[0]!, flags: record.flags[0]! };
  };

  test("hashes any bytes at any alignment as BigInt arithmetic does, and no byte behind them", () => {
    for (let bytes = 0; bytes <= LONGEST; bytes++) {
      for (let shift = 0; shift < 17; shift++) {
        const name = text(bytes);
        arena.u8.fill(random.below(256), scratch, scratch + 256);
        arena.setString(scratch + shift, name);
        assert.equal(identity(scratch + shift, bytes), { hash: hashTwin(name), bytes, flags: 0 }, `${bytes} bytes at ${shift}`);
      }
    }
  });

  test("a name ends at its first NUL or at the end of the table", () => {
    for (let bytes = 0; bytes <= LONGEST; bytes++) {
      const name = text(bytes);
      const shift = random.below(17);
      arena.u8.fill(0x61, scratch, scratch + 256);
      arena.setString(scratch + shift, name + "\0");
      for (const limit of [bytes, bytes + 1, bytes + 16, 200]) assert.equal(identity(scratch + shift, limit).hash, hashTwin(name));
      for (const limit of [0, bytes >> 1]) assert.equal(identity(scratch + shift, limit).hash, hashTwin(name.slice(0, limit)));
    }
  });

  test("foo@V is a name of its own, foo@@V means foo, wherever the @ stands", () => {
    const names = ["", "@", "@@", "@@@", "a@", "a@@", "a@@@", "@a", "@@a", "a@b@c", "a@@b@c", "foo@V", "foo@@V", "fop@V", "foo@W"];
    for (let bytes = 1; bytes <= LONGEST; bytes++) names.push(text(bytes) + random.pick(["@", "@@"]) + text(random.below(LONGEST)));
    for (const name of names) {
      const shift = random.below(17);
      arena.setString(scratch + shift, name + "\0@@");
      const { hash, stem, version } = nameTwin(name);
      const flags = { none: 0, versioned: REC_VERSIONED, default: REC_DEFAULT_VERSION }[version];
      assert.equal(identity(scratch + shift, name.length), { hash, bytes: stem.length, flags }, JSON.stringify(name));
    }
  });

  test("no two of many short names share an identity", () => {
    const seen = new Set<string>();
    const names = new Set<string>();
    for (let i = 0; i < 20_000; i++) names.add(random.chance(0.5) ? `_ZN${i}E` : text(random.below(20)));
    for (const name of names) {
      arena.setString(scratch, name);
      seen.add(identity(scratch, name.length).hash.join());
    }
    assert.is(seen.size, names.size);
  });

  test("compares names of all lengths and alignments to the last byte", () => {
    // --verify-hashes is the kernel that does nothing else.
    record.leader[1] = 1;
    record.leader[2] = 1;
    const differs = (bytes: number, a: number, b: number): boolean => {
      record.name.set([a, b], 1);
      record.nameBytes.set([bytes, bytes], 1);
      return kernels.verifyNames(1, 3) === 2;
    };
    for (let bytes = 0; bytes <= LONGEST; bytes++) {
      const [a, b] = [scratch + random.below(17), scratch + 512 + random.below(17)];
      const name = text(bytes);
      arena.setString(a, name + "x");
      arena.setString(b, name + "y");
      assert.not(differs(bytes, a, b), `${bytes} bytes`);
      assert.ok(differs(bytes + 1, a, b), `${bytes} bytes and another`);
      if (bytes === 0) continue;
      arena.u8[a + random.below(bytes)]! ^= 1 << random.below(8);
      assert.ok(differs(bytes, a, b), `${bytes} bytes, one changed`);
    }
    record.nameBytes[2] = LONGEST;
    assert.is(kernels.verifyNames(1, 3), 2, "other lengths");
  });

  test.run();
}
