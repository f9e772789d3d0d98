/** --build-id=fast: the 128-bit name hash over a stretch of the output. Not cryptographic. */
import { hashBytes } from "../lib/hash.ts";

/** Writes two u64 at `out`. */
export function hashPiece(ptr: u32, bytes: u32, out: u32): void {
  hashBytes(ptr, bytes, out, out + 8);
}
