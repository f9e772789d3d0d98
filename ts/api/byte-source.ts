/**
 * Contents of files as programs give them: what they are, and getting at their bytes.
 *
 * What cannot be read throws what can be said of the file: where it is read, that becomes a diagnostic.
 */
import type { Bytes, ByteSource } from "./types.ts";

export const isBlob = (value: unknown): value is Blob => typeof Blob !== "undefined" && value instanceof Blob;

/** By name: buffers of another window are as good. */
export const isBuffer = (value: unknown): value is ArrayBufferLike => /^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(value));

export const isLater = <T>(value: T | Promise<T>): value is Promise<T> => typeof (value as Promise<T> | undefined | null)?.then === "function";

/** How a value is called in a message. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 100));
  if (Array.isArray(value)) return "an array";
  if (isLater(value)) return "a promise";
  if (typeof value !== "object" || value === null) return typeof value === "function" ? "a function" : String(value);
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  return kind === "Object" ? "an object" : `a ${kind}`;
}

/** A view of the bytes; nothing is copied. */
export function bytesOfSource(bytes: Bytes): Uint8Array {
  const view = ArrayBuffer.isView(bytes) ? bytes : undefined;
  if (view === undefined && !isBuffer(bytes)) throw new TypeError(`its contents are not bytes but ${shown(bytes)}`);
  const buffer = view?.buffer ?? (bytes as ArrayBufferLike);
  if (view === undefined || view.byteLength === 0) {
    try {
      return new Uint8Array(buffer, view?.byteOffset ?? 0, bytes.byteLength);
    } catch {
      throw new TypeError("its contents have been transferred away");
    }
  }
  return view instanceof Uint8Array ? view : new Uint8Array(buffer, (view as ArrayBufferView).byteOffset, bytes.byteLength);
}

/** What a source holds: at once when it is in memory, else later. */
export function readSource(source: ByteSource): Uint8Array | Promise<Uint8Array> {
  const bytes = typeof source === "function" ? source() : isBlob(source) ? source.arrayBuffer() : source;
  return isLater(bytes) ? Promise.resolve(bytes).then(bytesOfSource) : bytesOfSource(bytes);
}

/** Bytes of a source, 0 = not known yet. */
export function sizeOfSource(source: ByteSource): number {
  if (typeof source === "function") return 0;
  return isBlob(source) ? source.size : source.byteLength;
}
