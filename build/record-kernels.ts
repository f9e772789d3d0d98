/** Compiles the kernels that links like a compiler's call. */
import { loadBundle } from "../ts/start/load.ts";
import { runLinks } from "./run-links.ts";

/**
 * Runs the command lines `links` one after another in this process, with kernels that V8's optimising compiler compiles when they are called
 * first, then writes the module with those to `file`.
 */
export function recordKernels(links: string[][], file: string): void {
  const { setFlagsFromString } = require("node:v8") as typeof import("node:v8");
  const { start } = loadBundle("quick");
  setFlagsFromString("--no-liftoff");
  const { Module } = WebAssembly;
  let kernels: WebAssembly.Module | undefined;
  WebAssembly.Module = function compileOnce(bytes: BufferSource): WebAssembly.Module {
    return (kernels ??= new Module(bytes));
  } as unknown as typeof Module;
  runLinks(links, start, () => {
    // V8 compares flags, and Liftoff takes others along.
    for (const flag of ["--liftoff", "--wasm-lazy-compilation", "--wasm-dynamic-tiering"]) setFlagsFromString(flag);
    const serialize = new Function("module", "return %SerializeWasmModule(module)") as (module: unknown) => ArrayBuffer;
    require("node:fs").writeFileSync(file, new Uint8Array(serialize(kernels)));
  });
}
