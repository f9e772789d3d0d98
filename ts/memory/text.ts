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

/** All of `bytes`, one character each. */
export function latin1Of(bytes: Uint8Array): ByteString {
  if (slice !== undefined) return slice.call(bytes, 0, bytes.length);
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += PART) parts.push(String.fromCharCode(...bytes.subarray(at, at + PART)));
  return parts.join("");
}

/** Arguments that every engine takes. */
const PART = 4096;

/** Bytes of a byte string, in memory of their own. */
export function bytesOf(text: ByteString): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

const ASCII = /^[\0-\x7f]*$/;
/** Longer texts are worth a regular expression, which V8 compiles to machine code when it is used again. */
const SHORT = 64;

function isAscii(text: string): boolean {
  if (text.length > SHORT) return ASCII.test(text);
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** Takes a text, or the next part of a long one. */
export type Write = (part: ByteString) => void;

/** All that `fill` writes. */
export function writtenBy(fill: (write: Write) => void): ByteString {
  let text = "";
  fill((part) => (text += part));
  return text;
}

/** Text as UTF-8 bytes. */
export function utf8(text: string): ByteString {
  return isAscii(text) ? text : latin1Of(new TextEncoder().encode(text));
}

/** What UTF-8 bytes say; what is no UTF-8 becomes U+FFFD. */
export function decoded(bytes: ByteString): string {
  return isAscii(bytes) ? bytes : new TextDecoder().decode(bytesOf(bytes));
}
