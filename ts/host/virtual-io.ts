/**
 * A worker's side of virtual files: reads them, and writes to an output in memory; everything else goes to the files the runtime has.
 *
 * Files arrive by message, once each, in memory that all threads share (VirtualHost.share).
 */
import type { ByteString } from "../args/link-options.ts";
import { noKernels } from "../memory/kernels.ts";
import type { WorkerIo } from "../memory/pool.ts";

/** OutputFile.fd of the output in memory; virtual inputs have smaller numbers. */
export const VIRTUAL_OUTPUT = -2;

/** Contents of a file in the memory that links run in. (Node cannot post views of that.) */
export interface KeptBytes {
  address: number;
  bytes: number;
}

/** Contents in a shared buffer: not as a view, because Deno looks at every element of a view that is posted. */
export interface SharedBytes {
  buffer: ArrayBufferLike;
  from: number;
  bytes: number;
}

/** What a VirtualHost tells its workers. */
export type VirtualMessage = { wieldFiles: [path: ByteString, contents: SharedBytes | KeptBytes][] } | { wieldOutput: ArrayBufferLike | KeptBytes } | { wieldForget: true };

export interface VirtualIo extends WorkerIo {
  /** True = the message was ours. */
  receive(message: unknown): boolean;
}

/**
 * Copies of bytes into shared memory: V8 makes them byte by byte where source and target are not the same number of bytes away from a
 * multiple of 8, which takes five times as long. So from this many on they are brought there in blocks that are.
 */
const MANY_BYTES = 512;
const BLOCK_BYTES = 1 << 15;
const WORD_BYTES = 8;
let block: Uint8Array | undefined;

function copyAligned(from: Uint8Array, target: Uint8Array, at: number): void {
  block ??= new Uint8Array(BLOCK_BYTES + WORD_BYTES);
  const shift = (target.byteOffset + at) % WORD_BYTES;
  for (let done = 0; done < from.length; done += BLOCK_BYTES) {
    const part = from.subarray(done, done + BLOCK_BYTES);
    block.set(part, shift);
    target.set(block.subarray(shift, shift + part.length), at + done);
  }
}

/** Up to `count` bytes of `file` from `position` on, to `target` at `at`; how many. */
export function copyOut(file: Uint8Array, target: Uint8Array, at: number, count: number, position: number): number {
  const bytes = Math.max(0, Math.min(count, file.length - position));
  const from = file.subarray(position, position + bytes);
  if (bytes < MANY_BYTES || (from.byteOffset - target.byteOffset - at) % WORD_BYTES === 0) target.set(from, at);
  else copyAligned(from, target, at);
  return bytes;
}

/** `real`: what the runtime has of files, compression and digests. */
export function createVirtualIo(real: Partial<WorkerIo> & Pick<WorkerIo, "inflate" | "deflate" | "digest"> & { reset?(): void }): VirtualIo {
  const files = new Map<ByteString, Uint8Array | KeptBytes>();
  let memory: Uint8Array = new Uint8Array(0);
  let kernels = noKernels();
  let output: Uint8Array = new Uint8Array(0);
  const contents = (file: Uint8Array | KeptBytes): Uint8Array => (file instanceof Uint8Array ? file : memory.subarray(file.address, file.address + file.bytes));
  return {
    attach(shared, made) {
      memory = new Uint8Array(shared.buffer);
      kernels = made;
    },
    receive(message) {
      const { wieldFiles, wieldOutput, wieldForget } = (message ?? {}) as { wieldFiles?: [ByteString, SharedBytes | KeptBytes][]; wieldOutput?: ArrayBufferLike | KeptBytes; wieldForget?: true };
      if (wieldForget === true) real.reset?.();
      for (const [path, file] of wieldFiles ?? []) files.set(path, "buffer" in file ? new Uint8Array(file.buffer, file.from, file.bytes) : file);
      if (wieldOutput !== undefined) output = "address" in wieldOutput ? contents(wieldOutput) : new Uint8Array(wieldOutput);
      return wieldFiles !== undefined || wieldOutput !== undefined || wieldForget === true;
    },
    readAt(path, target, position) {
      const file = files.get(path);
      return file === undefined ? real.readAt!(path, target, position) : copyOut(contents(file), target, 0, target.length, position);
    },
    readMemory(path, target, address, bytes, position) {
      const file = files.get(path);
      if (file === undefined) return real.readMemory!(path, target, address, bytes, position);
      if (file instanceof Uint8Array) return copyOut(file, target, address, bytes, position);
      const count = Math.max(0, Math.min(bytes, file.bytes - position));
      kernels.copyMemory(address, file.address + position, count);
      return count;
    },
    writeAt(fd, bytes, position) {
      if (fd === VIRTUAL_OUTPUT) output.set(bytes, position);
      else real.writeAt!(fd, bytes, position);
    },
    read: (fd, into, position) => (fd === VIRTUAL_OUTPUT ? copyOut(output, into, 0, into.length, position) : real.read!(fd, into, position)),
    digest: (algorithm) => real.digest(algorithm),
    adopt: (paths, handles) => real.adopt?.(paths, handles),
    inflate: (kind, bytes, size) => real.inflate(kind, bytes, size),
    deflate: (kind, bytes, level, last) => real.deflate(kind, bytes, level, last),
  };
}
