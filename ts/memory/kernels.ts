/**
 * The kernels as TypeScript calls them: real types (kernel-types.ts, generated), and u32 results that are unsigned.
 *
 * WebAssembly returns u32 as a signed number; every wrapper here ends in `>>> 0`, except for the kernels in F64_RESULTS.
 * Kernels are called once per chunk, so the wrapper's few nanoseconds do not matter.
 */
import { F64_RESULTS, KERNEL_NAMES, type Kernels } from "./kernel-types.ts";

export type { Kernels };
export type KernelModule = WebAssembly.Module;

type Call = (...args: (number | undefined)[]) => number;

/**
 * For a context that is made before its kernels are: instantiateKernels fills it. Without a prototype it is a hash table for V8 (the properties of
 * other objects are hidden classes, 2 µs for each).
 */
export const noKernels = (): Kernels => Object.create(null) as Kernels;

/** A kernel as it is called. */
const callable = (raw: Call, name: string): Call =>
  F64_RESULTS.has(name) ? raw : (a?: number, b?: number, c?: number, d?: number, e?: number, f?: number, g?: number, h?: number) => raw(a, b, c, d, e, f, g, h) >>> 0;

/**
 * Makes the kernels callable over `memory`; a context made earlier passes the object that it already handed out. A kernel becomes a property of it when
 * it is called for the first time: a small link calls a fifth of them.
 */
export function instantiateKernels(module: KernelModule, memory: WebAssembly.Memory, kernels: Kernels = noKernels()): Kernels {
  const table = new WebAssembly.Instance(module, { env: { memory } }).exports["kernels"] as WebAssembly.Table;
  const first = {
    get(_: unknown, name: string): Call | undefined {
      const index = KERNEL_NAMES.indexOf(name);
      if (index < 0) return undefined;
      const value = callable(table.get(index) as Call, name);
      Object.defineProperty(kernels, name, { value });
      return value;
    },
  };
  return Object.setPrototypeOf(kernels, new Proxy({}, first)) as Kernels;
}
