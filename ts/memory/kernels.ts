/**
 * The kernels as TypeScript calls them: real types, and u32 results that are unsigned.
 *
 * WebAssembly returns u32 as a signed number; every wrapper here ends in `>>> 0`, except for the kernels in F64_RESULTS.
 * Kernels are called once per chunk, so the wrapper's few nanoseconds do not matter.
 */

/** Arguments and results by kernel are documented at the kernel; all are numbers (u32 or f64). */
export interface Kernels {
  [kernel: string]: (...args: number[]) => number;
}

/** Kernels whose result is an f64, not a u32. */
const F64_RESULTS = new Set<string>(["pieceBytes", "placeGdbNames", "layoutMembers", "layoutOutputs", "layoutRelas", "layoutEhFrame"]);

export type KernelModule = WebAssembly.Module;

/** Makes the kernels callable over `memory`; a context made earlier passes the object that it already handed out. */
export function instantiateKernels(module: KernelModule, memory: WebAssembly.Memory, kernels: Kernels = {}): Kernels {
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports;
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value !== "function") continue;
    const raw = value as (...args: (number | undefined)[]) => number;
    kernels[name] = F64_RESULTS.has(name)
      ? (raw as (...args: number[]) => number)
      : (a?: number, b?: number, c?: number, d?: number, e?: number, f?: number, g?: number, h?: number) =>
          raw(a, b, c, d, e, f, g, h) >>> 0;
  }
  return kernels;
}
