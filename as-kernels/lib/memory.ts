/** What TypeScript does with memory, much faster than by its own means. */

/** Fills [address, address + bytes) with `byte`. */
export function fillBytes(address: u32, byte: u32, bytes: u32): void {
  memory.fill(address, <u8>byte, bytes);
}

/** Copies bytes inside memory. */
export function copyMemory(to: u32, from: u32, bytes: u32): void {
  memory.copy(to, from, bytes);
}
