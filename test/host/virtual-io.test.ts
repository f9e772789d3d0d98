/** ts/host/virtual-io.ts: bytes of files on their way into shared memory. */
import * as assert from "uvu/assert";
import { suite } from "uvu";
import { copyOut } from "../../ts/host/virtual-io.ts";

const FILE_BYTES = 100_000;
const io = suite("host/virtual-io");

io("bytes arrive where they should, however source and target are aligned, and nowhere else", () => {
  const file = Uint8Array.from({ length: FILE_BYTES }, (_, i) => (i * 7 + (i >>> 8)) & 255);
  for (const count of [0, 7, 511, 512, 513, 4096, 32767, 32768, 32769, 70000]) {
    for (let position = 0; position < 9; position++) {
      for (const [offset, at] of [[0, 0], [0, 3], [5, 8], [2, 6]] as const) {
        const target = new Uint8Array(new SharedArrayBuffer(FILE_BYTES), offset);
        target.fill(0xee);
        assert.equal(copyOut(file, target, at, count, position), count);
        assert.equal(target.slice(at, at + count), file.slice(position, position + count), `${count} bytes from ${position} to ${offset} + ${at}`);
        assert.ok(target.slice(0, at).every((byte) => byte === 0xee) && target.slice(at + count).every((byte) => byte === 0xee), `${count} bytes from ${position} to ${offset} + ${at}: others`);
      }
    }
  }
});

io("a file that ends early gives what it has", () => {
  const target = new Uint8Array(new SharedArrayBuffer(2000)).fill(0xee);
  assert.equal(copyOut(new Uint8Array(1000), target, 1, 1500, 300), 700);
  assert.equal(target[700], 0);
  assert.equal(target[701], 0xee);
  assert.equal(copyOut(new Uint8Array(1000), target, 1, 1500, 1200), 0);
});

io.run();
