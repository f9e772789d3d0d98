/** The kernels, wherever they come from, compiled. Pages and their workers do this; Node has files (host/node.ts). */
import type { EngineOptions } from "./types.ts";

/** Where the kernels come from: compiled, as bytes, or to be fetched. */
export type KernelSource = WebAssembly.Module | Uint8Array | ArrayBuffer | { url: string };

/** What `createEngine` was given, `own` when that is nothing. Relative addresses are the page's. */
export function kernelSource(given: EngineOptions["kernels"], own: KernelSource): KernelSource {
  if (given === undefined) return own;
  return typeof given === "string" || given instanceof URL ? { url: new URL(given, globalThis.location?.href).href } : given;
}

export async function compileKernels(source: KernelSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (!("url" in source)) return WebAssembly.compile(source as BufferSource);
  try {
    const answer = await fetch(source.url);
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    // While it arrives, which browsers do only when the server says what it is.
    const isNamed = answer.headers.get("content-type")?.startsWith("application/wasm") === true;
    return await (isNamed ? WebAssembly.compileStreaming(answer) : WebAssembly.compile(await answer.arrayBuffer()));
  } catch (error) {
    throw new Error(`${source.url}: ${(error as Error).message}`, { cause: error });
  }
}
