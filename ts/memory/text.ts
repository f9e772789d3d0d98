/**
 * Byte strings out of bytes: one character per byte.
 *
 * Not TextDecoder: names are bytes, not UTF-8, and decoders refuse shared memory in browsers. Node's latin1Slice is used where
 * there is one because a loop over characters is what a cold start pays for most.
 */
import type { ByteString } from "../args/link-options.ts";

type Slice = (this: Uint8Array, start: number, end: number) => string;

const slice = typeof Buffer === "undefined" ? undefined : (Buffer.prototype as unknown as { latin1Slice?: Slice }).latin1Slice;

/** bytes[at … end) */
export function latin1(bytes: Uint8Array, at: number, end: number): ByteString {
  if (slice !== undefined) return slice.call(bytes, at, end);
  let text = "";
  for (let i = at; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}
