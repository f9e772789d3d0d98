/**
 * zstd where the runtime has none: pages, and Node before 22.15. Never more bytes than the section says it has, whatever its
 * contents claim or come to.
 *
 * In a file of its own, because the quick program is without it. The library knows no limit, and its streaming half moves its whole
 * window after every block: so it is the other half that is used, with a target that sees where each block goes.
 */
import { decompress } from "fzstd";

const corrupted = (): Error => new Error("corrupted compressed data");

/** Where a frame goes: knows where its last block began, and refuses one that begins behind the end. */
class Target extends Uint8Array<ArrayBuffer> {
  reached = 0;

  private reach(at: number): void {
    if (at > this.length) throw corrupted();
    this.reached = at;
  }

  /** Of a block of sequences: the library works in what it gets. */
  override subarray(from: number, to: number): Uint8Array<ArrayBuffer> {
    this.reach(from);
    return new Uint8Array(this.buffer, this.byteOffset + from, Math.min(to, this.length) - from);
  }

  /** Of a block of bytes. */
  override set(block: ArrayLike<number>, at: number): void {
    this.reach(at);
    super.set(block, at);
  }

  /** The library compares it with a number, which would make a string of all elements. */
  override valueOf(): this {
    return 2 as never;
  }
}

const MAX_BLOCK_BYTES = 1 << 17;
/** A block of one byte repeated. */
const MIN_BLOCK_BYTES = 4;

/** RFC 8878. Throws unless it is `size` bytes. */
export function unpackZstd(bytes: Uint8Array, size: number): Uint8Array {
  if (size > (bytes.length / MIN_BLOCK_BYTES) * MAX_BLOCK_BYTES) throw corrupted();
  const out = new Uint8Array(size);
  let reached = 0;
  for (const frame of frames(bytes)) {
    const target = new Target(out.buffer, reached);
    decompress(frame, target);
    reached += target.reached;
  }
  if (reached !== size) throw corrupted();
  return out;
}

/** The frames, each with an empty block behind its last one, by which the target learns where that ended. */
function* frames(bytes: Uint8Array): Generator<Uint8Array> {
  const byte = (at: number): number => {
    if (at >= bytes.length) throw corrupted();
    return bytes[at]!;
  };
  const three = (at: number): number => byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16);
  const word = (at: number): number => (three(at) | (byte(at + 3) << 24)) >>> 0;
  for (let start = 0; start < bytes.length; ) {
    const magic = word(start);
    if (magic >>> 4 === 0x184d2a5) {
      start += 8 + word(start + 4);
      continue;
    }
    if (magic !== 0xfd2fb528) throw corrupted();
    const flags = byte(start + 4);
    const [contentSize, single, checksum, dictionary] = [flags >> 6, (flags >> 5) & 1, (flags >> 2) & 1, flags & 3];
    let block = start + 5 + (1 - single) + [0, 1, 2, 4][dictionary]! + (contentSize > 0 ? 1 << contentSize : single);
    for (;;) {
      const head = three(block);
      const next = block + 3 + (((head >> 1) & 3) === 1 ? 1 : head >> 3);
      if (next > bytes.length) throw corrupted();
      if ((head & 1) === 1) {
        const frame = new Uint8Array(next - start + 3);
        frame.set(bytes.subarray(start, next));
        frame[block - start]! &= ~1;
        frame[next - start] = 1;
        yield frame;
        start = next + 4 * checksum;
        break;
      }
      block = next;
    }
  }
}
