/**
 * What must hold for a compiled kernel module: no data section (every worker's instance would write it again), no start
 * function, and nothing imported but the shared memory. Reads the binary's section headers, nothing else.
 */
import { SECTION_DATA, SECTION_IMPORT, SECTION_START, wasmSections } from "./wasm-sections.ts";

/** Throws with the reason when the module must not be used. */
export function checkKernels(bytes: Uint8Array, name: string): void {
  const ids = wasmSections(bytes).map((section) => section.id);
  if (ids.includes(SECTION_DATA)) throw new Error(`${name} has a data section: a kernel uses a string, array literal or StaticArray`);
  if (ids.includes(SECTION_START)) throw new Error(`${name} has a start function: a kernel file has statements at top level`);
  if (!ids.includes(SECTION_IMPORT)) throw new Error(`${name} imports nothing`);
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes as BufferSource));
  const foreign = imports.filter((entry) => entry.module !== "env" || entry.name !== "memory");
  if (foreign.length > 0) throw new Error(`${name} imports ${foreign.map((entry) => `${entry.module}.${entry.name}`).join(", ")}`);
}
