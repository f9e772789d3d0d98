/**
 * SHA-1, SHA-256 (FIPS 180-4) and MD5 (RFC 1321) where the runtime has none that is synchronous: for build-ids in browsers.
 *
 * Nothing here is about secrets. All work on blocks of 64 bytes with a length behind a 1 bit; they differ in byte order and rounds.
 */
import type { Digest, DigestAlgorithm } from "./host.ts";

const BLOCK = 64;
const rotl = (x: number, n: number): number => (x << n) | (x >>> (32 - n));

/** Cuts what comes in into blocks, and pads the last ones. */
class BlockDigest implements Digest {
  private readonly state: Int32Array;
  private readonly littleEndian: boolean;
  private readonly compress: (state: Int32Array, view: DataView) => void;
  private readonly block = new Uint8Array(BLOCK);
  private readonly view = new DataView(this.block.buffer);
  private filled = 0;
  private bytes = 0;

  constructor(state: number[], littleEndian: boolean, compress: (state: Int32Array, view: DataView) => void) {
    this.state = Int32Array.from(state);
    this.littleEndian = littleEndian;
    this.compress = compress;
  }

  update(bytes: Uint8Array): Digest {
    this.bytes += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      const count = Math.min(BLOCK - this.filled, bytes.length - at);
      this.block.set(bytes.subarray(at, at + count), this.filled);
      this.filled += count;
      at += count;
      if (this.filled === BLOCK) this.next();
    }
    return this;
  }

  private next(): void {
    this.compress(this.state, this.view);
    this.filled = 0;
  }

  digest(): Uint8Array {
    const bits = BigInt(this.bytes) * 8n;
    this.block[this.filled++] = 0x80;
    if (this.filled > BLOCK - 8) {
      this.block.fill(0, this.filled);
      this.next();
    }
    this.block.fill(0, this.filled);
    this.view.setBigUint64(BLOCK - 8, bits, this.littleEndian);
    this.next();
    const out = new DataView(new ArrayBuffer(4 * this.state.length));
    this.state.forEach((word, i) => out.setInt32(4 * i, word, this.littleEndian));
    return new Uint8Array(out.buffer);
  }
}

const WORDS = new Int32Array(80);

function sha1Block(state: Int32Array, view: DataView): void {
  for (let i = 0; i < 16; i++) WORDS[i] = view.getInt32(4 * i);
  for (let i = 16; i < 80; i++) WORDS[i] = rotl(WORDS[i - 3]! ^ WORDS[i - 8]! ^ WORDS[i - 14]! ^ WORDS[i - 16]!, 1);
  let [a, b, c, d, e] = state as unknown as [number, number, number, number, number];
  for (let i = 0; i < 80; i++) {
    const f = i < 20 ? (b & c) | (~b & d) : i >= 40 && i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
    const k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
    const next = (rotl(a, 5) + f + e + k + WORDS[i]!) | 0;
    [e, d, c, b, a] = [d, c, rotl(b, 30), a, next];
  }
  [a, b, c, d, e].forEach((word, i) => (state[i] = (state[i]! + word) | 0));
}

/** RFC 1321, 3.4: shifts by round, four in turn. */
const SHIFTS = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

function md5Block(state: Int32Array, view: DataView): void {
  let [a, b, c, d] = state as unknown as [number, number, number, number];
  for (let i = 0; i < 64; i++) {
    const round = i >> 4;
    const f = round === 0 ? (b & c) | (~b & d) : round === 1 ? (d & b) | (~d & c) : round === 2 ? b ^ c ^ d : c ^ (b | ~d);
    const word = round === 0 ? i : round === 1 ? 5 * i + 1 : round === 2 ? 3 * i + 5 : 7 * i;
    // 3.4: the i-th constant is the integer part of 4294967296 times abs(sin(i)), i in radians.
    const constant = Math.floor(2 ** 32 * Math.abs(Math.sin(i + 1)));
    const sum = (a + f + constant + view.getInt32(4 * (word & 15), true)) | 0;
    [a, d, c, b] = [d, c, b, (b + rotl(sum, SHIFTS[round]![i & 3]!)) | 0];
  }
  [a, b, c, d].forEach((word, i) => (state[i] = (state[i]! + word) | 0));
}

/** FIPS 180-4, 4.2.2 and 5.3.3: 32 bits behind the point of the cube and square roots of the first primes. */
function rootBits(count: number, root: (prime: number) => number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes.map((prime) => Math.floor((root(prime) % 1) * 2 ** 32) | 0);
}

let sha256Constants: number[] | null = null;

function sha256Block(state: Int32Array, view: DataView): void {
  const constants = (sha256Constants ??= rootBits(64, Math.cbrt));
  const rotr = (x: number, n: number): number => rotl(x, 32 - n);
  for (let i = 0; i < 16; i++) WORDS[i] = view.getInt32(4 * i);
  for (let i = 16; i < 64; i++) {
    const [x, y] = [WORDS[i - 15]!, WORDS[i - 2]!];
    WORDS[i] = WORDS[i - 16]! + (rotr(x, 7) ^ rotr(x, 18) ^ (x >>> 3)) + WORDS[i - 7]! + (rotr(y, 17) ^ rotr(y, 19) ^ (y >>> 10));
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < 64; i++) {
    const one = (h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + constants[i]! + WORDS[i]!) | 0;
    const two = ((rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => (state[i] = (state[i]! + word) | 0));
}

const START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];

export function createDigest(algorithm: DigestAlgorithm): Digest {
  if (algorithm === "sha256") return new BlockDigest(rootBits(8, Math.sqrt), false, sha256Block);
  return algorithm === "md5" ? new BlockDigest(START, true, md5Block) : new BlockDigest([...START, 0xc3d2e1f0], false, sha1Block);
}
