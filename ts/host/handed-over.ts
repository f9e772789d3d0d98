/**
 * What the quick program leaves for the complete one when it hands over (hand-over.ts): both run in the same process, one after the other, and
 * are two bundles with modules of their own. So it lies beside them, among the globals.
 */
import type { ByteString } from "../args/link-options.ts";

interface HandedOver {
  /** Pipes that were opened before it was known that they are pipes, by path: who writes to one may be gone when it is opened again. */
  wieldPipes?: Map<ByteString, number>;
  /** The folder that the program was started in, when -C has led to another one; "" = it has been removed. */
  wieldStartedIn?: ByteString;
}

const left = globalThis as HandedOver;

export const hasPipe = (path: ByteString): boolean => left.wieldPipes?.has(path) === true;

export function leavePipe(path: ByteString, fd: number): void {
  (left.wieldPipes ??= new Map()).set(path, fd);
}

/** Descriptor of a pipe that was left; it is the caller's from now on. */
export function takePipe(path: ByteString): number | undefined {
  const fd = left.wieldPipes?.get(path);
  left.wieldPipes?.delete(path);
  return fd;
}

/** `find` is asked the first time. */
export const startFolder = (find: () => ByteString): ByteString => (left.wieldStartedIn ??= find());
