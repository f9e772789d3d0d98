/** The kernel against the reference library's results for each of the algorithm's branches and their edges. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { putXxh3Secret } from "../../ts/memory/xxh3-secret.ts";
import { kernelMemory } from "../helpers/kernel-memory.ts";

const VECTORS: [number, bigint][] = [
  [0, 0x2d06800538d394c2n], [1, 0xc44bdff4074eecdbn], [2, 0x8137d9528d0e685dn], [3, 0x32074f6b94585ea5n], [4, 0xfdd8c65add01c2fan],
  [7, 0xe115af78a1e64717n], [8, 0x622b9451647c902dn], [9, 0x3d978073ee949064n], [12, 0xb46295e70d5964a8n], [16, 0xb666997d87225e9an],
  [17, 0xb439b53a29247a63n], [31, 0x27cc824525cf4068n], [32, 0xe9a948d671cd2614n], [33, 0x534c710873896361n], [64, 0x624d8ab3833cfd0n],
  [65, 0x1c945bc94ef49b26n], [96, 0x695d7d476d6297f9n], [97, 0x31f58beacfc06a78n], [128, 0xb19ad7f53a2de2afn], [129, 0x4979891bca3481f7n],
  [143, 0x1d50bd4d9ae2217an], [144, 0xcb83b10f1193fc56n], [192, 0xe29d8d0e7890aa7en], [240, 0x947e21352b67412dn], [241, 0x113425ae2609c4e6n],
  [255, 0x9c5a2b55352a05dn], [256, 0xe161e33d880ecc9fn], [257, 0xf02d631e8ba3c345n], [512, 0x732dea49beed8604n], [1023, 0xedd5d61e24e45c7bn],
  [1024, 0x7f4fa34ab3652065n], [1025, 0x5a4ef97c9f849f8bn], [1088, 0x783b789d0a37b54fn], [2048, 0x6adf16d71d0c5ce2n], [2049, 0x562a54379250541cn],
  [4097, 0x240d367c0425b5c7n], [6000, 0x31e4f84e2ec307b3n],
];

for (const debug of [false, true]) {
  const test = suite(`kernel xxh3 ${debug ? "debug" : "release"}`);
  const { arena, kernels } = kernelMemory(debug);

  test("gives the reference library's hashes, wherever the bytes lie", () => {
    const secret = putXxh3Secret(arena);
    const out = arena.alloc(16);
    for (const start of [0, 1, 5]) {
      const at = arena.alloc(6100) + start;
      for (let i = 0; i < 6000; i++) arena.u8[at + i] = (i * i * 7 + i * 3) & 255;
      for (const [bytes, expected] of VECTORS) {
        kernels.hashXxh3(at, bytes, secret, out);
        assert.is(arena.u64[out >>> 3], expected, `${bytes} bytes`);
      }
    }
  });

  test.run();
}
