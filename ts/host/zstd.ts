/**
 * zstd as a library has it, which is libzstd as WebAssembly: for Node before 22.15, which has none. A bundle of its own (dist/zstd.js), because
 * it is as large as a third of the linker and hardly ever asked for. unpack-zstd.ts is the other way round.
 */
import { Zstd } from "@hpcc-js/wasm-zstd";

/** What the library copies results with. */
interface Heap<Block> {
  heapView(block: Block): Uint8Array;
  heapToUint8Array(block: Block): Uint8Array;
}

/** Compresses bytes into one frame. The library would copy it number by number, which took two thirds of the time and 1 GB. */
export async function loadZstd(): Promise<(bytes: Uint8Array, level: number) => Uint8Array> {
  const zstd = await Zstd.load();
  const heap = zstd["_mainModule"] as Heap<unknown>;
  heap.heapToUint8Array = (block) => heap.heapView(block).slice();
  return (bytes, level) => zstd.compress(bytes, level);
}
