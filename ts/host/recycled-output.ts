/**
 * The memory of an output that nobody needs any more, for the next one: pages that are there already need not be made by the system, which
 * takes longer than to write them.
 *
 * What the new output does not write must be zero, as it is in new memory. The surprising choice: nothing is cleared before, but what was
 * written is noted, because that is nearly all.
 */

import { eachGap } from "./gaps.ts";

/** Where there is too little, the next one gets this part more, so that it fits the one after that. */
const MORE = 32;

export class RecycledOutput {
  private buffer: ArrayBuffer | null;
  /** Ends of what was written, in the order of the writes: from, to, from, to… null = there is nothing to clear. */
  private written: number[] | null = null;

  constructor(buffer: ArrayBuffer) {
    this.buffer = buffer;
  }

  /** Memory for `bytes` bytes; once. `whole`: all of them will be written. */
  take(bytes: number, whole: boolean): Uint8Array<ArrayBuffer> {
    const { buffer } = this;
    this.buffer = null;
    if (buffer === null) return new Uint8Array(bytes);
    if (buffer.byteLength < bytes) return new Uint8Array(new ArrayBuffer(bytes + Math.ceil(bytes / MORE)), 0, bytes);
    if (!whole) this.written = [];
    return new Uint8Array(buffer, 0, bytes);
  }

  wrote(from: number, to: number): void {
    const { written } = this;
    if (written === null) return;
    if (written.length > 0 && written.at(-1) === from) written[written.length - 1] = to;
    else written.push(from, to);
  }

  /** Clears what was not written of `output`, before anybody reads it. */
  clear(output: Uint8Array): void {
    const { written } = this;
    if (written === null) return;
    this.written = null;
    eachGap(written, output.length, (from, to) => output.fill(0, from, to));
  }
}

/** The memory of `bytes`, which are gone for whoever has them; null = it cannot be taken away. */
export function takeMemory(bytes: Uint8Array): ArrayBuffer | null {
  const { buffer } = bytes;
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength === 0) return null;
  try {
    return structuredClone(buffer, { transfer: [buffer] });
  } catch {
    return null;
  }
}
