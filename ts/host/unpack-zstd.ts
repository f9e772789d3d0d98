/**
 * zstd where the runtime has none: pages, and Node before 22.15.
 *
 * In a file of its own, because the quick program is without it.
 */
import { decompress } from "fzstd";

/** Throws what it likes when the bytes are no zstd. */
export function unpackZstd(bytes: Uint8Array): Uint8Array {
  return decompress(bytes);
}
