/**
 * The kernels as TypeScript calls them: real types (kernel-types.ts, generated), and u32 results that are unsigned.
 *
 * WebAssembly returns u32 as a signed number; every wrapper here ends in `>>> 0`, except for the kernels in F64_RESULTS.
 * Kernels are called once per chunk, so the wrapper's few nanoseconds do not matter.
 */
import { F64_RESULTS, type Kernels } from "./kernel-types.ts";

export type { Kernels };
export type KernelModule = WebAssembly.Module;

type Call = (...args: (number | undefined)[]) => number;

/** For a context that is made before its kernels are: instantiateKernels fills it. */
export const noKernels = (): Kernels => ({}) as Kernels;

/** Makes the kernels callable over `memory`; a context made earlier passes the object that it already handed out. */
export function instantiateKernels(module: KernelModule, memory: WebAssembly.Memory, kernels: Kernels = noKernels()): Kernels {
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports;
  const callable = kernels as unknown as Record<string, Call>;
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value !== "function") continue;
    const raw = value as Call;
    callable[name] = F64_RESULTS.has(name)
      ? raw
      : (a?: number, b?: number, c?: number, d?: number, e?: number, f?: number, g?: number, h?: number) => raw(a, b, c, d, e, f, g, h) >>> 0;
  }
  return kernels;
}
