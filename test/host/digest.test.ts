/** SHA-1 and MD5 of our own against node:crypto, around the block boundaries and in pieces of any size. */
import { createHash } from "node:crypto";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createDigest } from "../../ts/host/digest.ts";
import { prng } from "../helpers/prng.ts";

const digest = suite("host/digest");
const random = prng(7);
const bytes = Uint8Array.from({ length: 5000 }, () => random.below(256));
const hex = (value: Uint8Array): string => Buffer.from(value).toString("hex");

for (const algorithm of ["sha1", "sha256", "md5"] as const) {
  digest(`${algorithm} of every length around one and two blocks`, () => {
    for (let length = 0; length <= 200; length++) {
      const part = bytes.subarray(0, length);
      assert.is(hex(createDigest(algorithm).update(part).digest()), createHash(algorithm).update(part).digest("hex"), String(length));
    }
  });

  digest(`${algorithm} in pieces`, () => {
    const whole = createHash(algorithm).update(bytes).digest("hex");
    for (const step of [1, 7, 63, 64, 65, 1000]) {
      const made = createDigest(algorithm);
      for (let at = 0; at < bytes.length; at += step) made.update(bytes.subarray(at, at + step));
      assert.is(hex(made.digest()), whole, String(step));
    }
  });
}

digest.run();
