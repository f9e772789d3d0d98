/** The shared memory of a machine: what runtimes do when they reserve address space. */
import { OutOfMemory } from "../memory/arena.ts";

/** Largest memory wasm32 can have, in 64 KiB pages. */
const MAX_PAGES = 65536;
/** What a memory that grows begins with. */
const FEW_PAGES = 16;

/**
 * A shared memory as large as the runtime gives: address space only, pages cost when touched. `pages`: of 64 KiB.
 *
 * It begins with its full size, because WebKit writes zeros to what a memory grows by: seconds, and 4 GiB that are used up. `grows`: in V8,
 * where growth costs nothing, it grows instead, because before V8 gives that much at once it collects all garbage (since version 14, Node 26):
 * a quarter of the time of a small link.
 */
export function createMemory(pages = MAX_PAGES, grows = false): WebAssembly.Memory {
  const initial = grows ? Math.min(FEW_PAGES, pages) : pages;
  try {
    const memory = new WebAssembly.Memory({ initial, maximum: pages, shared: true });
    if (grows) memory.grow(pages - initial);
    return memory;
  } catch {
    return smallerMemory();
  }
}

function smallerMemory(): WebAssembly.Memory {
  let memory: WebAssembly.Memory | undefined;
  for (let pages = MAX_PAGES; pages >= 1024; pages >>>= 1) {
    try {
      memory ??= new WebAssembly.Memory({ initial: FEW_PAGES, maximum: MAX_PAGES, shared: true });
      memory.grow(pages - FEW_PAGES);
      return memory;
    } catch {
      // An address-space limit (ulimit -v), or a hundred of them at once in a page: try half.
    }
  }
  throw new OutOfMemory("cannot reserve 64 MiB of address space");
}
