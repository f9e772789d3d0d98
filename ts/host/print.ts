/**
 * Text to standard output and standard error.
 *
 * In a file of its own, because the quick program is without it: what has nothing to say is quick, everything else is said by
 * the complete program.
 */
import { writeSync } from "node:fs";
import type { ByteString } from "../args/link-options.ts";
import { CALL_BYTES_MAX, hostError } from "./errno.ts";
import { HostError } from "./host.ts";

/** Writes all bytes to a descriptor that may be a non-blocking pipe. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(fd, bytes, done, Math.min(bytes.length - done, CALL_BYTES_MAX));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** A reader of standard output that has gone is no error; a full disk is. Nobody can be told that standard error is gone. */
export function printText(stream: "out" | "err", text: ByteString): void {
  try {
    writeAll(stream === "out" ? 1 : 2, Buffer.from(text, "latin1"));
  } catch (error) {
    const failure = hostError(error);
    if (stream === "out" && !(failure instanceof HostError && failure.code === "EPIPE")) throw new HostError("EIO", `cannot write to standard output: ${(failure as Error).message}`);
  }
}
