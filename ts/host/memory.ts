/** The shared memory of a machine: what runtimes do when they reserve address space. */
import { OutOfMemory } from "../memory/arena.ts";

/** Largest memory wasm32 can have, in 64 KiB pages. */
const MAX_PAGES = 65536;
/** A memory has at least as many, unless fewer are asked for. */
const LEAST_PAGES = 1024;
/** What a memory that grows begins with. */
const FEW_PAGES = 16;

/**
 * A shared memory as large as the runtime gives: address space only, pages cost when touched. `pages`: of 64 KiB.
 * The most that it may have is no more than that: WebKit, where 14 of 4 GiB are all there is room for, counts that.
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
    // An address-space limit (ulimit -v), or a hundred of them at once in a page: try half.
    if (pages > LEAST_PAGES) return createMemory(pages >>> 1, grows);
    throw new OutOfMemory("cannot reserve 64 MiB of address space");
  }
}
