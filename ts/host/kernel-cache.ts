/**
 * The kernels as V8's optimising compiler made them when wield was built (build/kernel-cache.ts): in a small link, compiling a kernel in a
 * hurry takes longer than running it, and in a large one kernels are compiled twice.
 *
 * Node has no way to keep compiled WebAssembly. V8 has, as functions for its own tests, which the launcher's flag lets us call; it
 * refuses code of another version, of other flags or for another processor. Without the flag kernels are compiled as ever.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

export const NATIVES = "--allow-natives-syntax";

/** The end of the file says what it is for: bytes of the module, which lies in front of its code, and which Node. */
const END_BYTES = 64;
export const endOf = (moduleBytes: number, node: string): string => `${moduleBytes} ${node}`.padEnd(END_BYTES);

/** The module in the file `path` if it is for this `node`; undefined where it cannot be used. */
export function cachedKernels(path: string, node: string): WebAssembly.Module | undefined {
  let fd = -1;
  try {
    fd = openSync(path, "r");
    const end = fstatSync(fd).size - END_BYTES;
    const read = (from: number, to: number): Uint8Array => {
      const bytes = new Uint8Array(to - from);
      if (readSync(fd, bytes, 0, bytes.length, from) !== bytes.length) throw new Error("changed while it was read");
      return bytes;
    };
    const said = String.fromCharCode(...read(end, end + END_BYTES));
    const moduleBytes = Number.parseInt(said);
    if (said !== endOf(moduleBytes, node)) return undefined;
    // Text, because without the flag it is no JavaScript.
    const deserialize = new Function("code", "module", "return %DeserializeWasmModule(code, module)");
    return (deserialize as (code: unknown, module: Uint8Array) => WebAssembly.Module | undefined)(read(moduleBytes, end).buffer, read(0, moduleBytes));
  } catch {
    return undefined;
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}
