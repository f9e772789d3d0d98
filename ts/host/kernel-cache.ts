/**
 * The kernels as V8's optimising compiler made them when wield was built (build/kernel-cache.ts): in a small link, compiling a kernel in a
 * hurry takes longer than running it, and in a large one kernels are compiled twice.
 *
 * Node has no way to keep compiled WebAssembly. V8 has, as functions for its own tests, which the launcher's flag lets us call; it
 * refuses code of another version, of other flags or for another processor. Without the flag, and in Node 26, whose V8 lacks those functions,
 * kernels are compiled as ever.
 */
import { closeSync, openSync, readSync } from "node:fs";

export const NATIVES = "--allow-natives-syntax";

/** The file begins with what it is for: bytes of the module, which comes next, bytes of its code, which comes last, and which Node. */
const HEAD_BYTES = 64;
export const headOf = (moduleBytes: number, codeBytes: number, node: string): string => `${moduleBytes} ${codeBytes} ${node}`.padEnd(HEAD_BYTES);

/** The module in the file `path` if it is for this `node`; undefined where it cannot be used. */
export function cachedKernels(path: string, node: string): WebAssembly.Module | undefined {
  let fd = -1;
  try {
    fd = openSync(path, "r");
    const read = (from: number, count: number): Uint8Array => {
      const bytes = new Uint8Array(count);
      if (readSync(fd, bytes, 0, count, from) !== count) throw new Error("shorter than it should be");
      return bytes;
    };
    const head = String.fromCharCode(...read(0, HEAD_BYTES));
    const [moduleBytes, codeBytes] = head.split(" ", 2).map(Number) as [number, number];
    if (head !== headOf(moduleBytes, codeBytes, node)) return undefined;
    // Text, because without the flag it is no JavaScript.
    const deserialize = new Function("code", "module", "return %DeserializeWasmModule(code, module)");
    return (deserialize as (code: unknown, module: Uint8Array) => WebAssembly.Module | undefined)(read(HEAD_BYTES + moduleBytes, codeBytes).buffer, read(HEAD_BYTES, moduleBytes));
  } catch {
    return undefined;
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}
