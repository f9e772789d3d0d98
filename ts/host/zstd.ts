/**
 * zstd as a library has it, which is libzstd as WebAssembly: for Node before 22.15, which has none. A bundle of its own (dist/zstd.js), because
 * it is as large as a third of the linker and hardly ever asked for. unpack-zstd.ts is the other way round.
 */
import { Zstd } from "@hpcc-js/wasm-zstd";

/** Compresses bytes into one frame. */
export async function loadZstd(): Promise<(bytes: Uint8Array, level: number) => Uint8Array> {
  const zstd = await Zstd.load();
  return (bytes, level) => zstd.compress(bytes, level);
}
