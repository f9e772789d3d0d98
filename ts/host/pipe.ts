/**
 * What can be read only once, and files without names to keep it in.
 *
 * The quick program is without these: it hands over before the first byte is taken from a pipe, because the complete program
 * must find all of them.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmdirSync, unlinkSync } from "node:fs";
import type { ByteString } from "../args/link-options.ts";
import { guarded, hostError } from "./errno.ts";
import { takePipe } from "./handed-over.ts";
import { HostError, tooLarge } from "./host.ts";
import { writeAll } from "./print.ts";

const BLOCK_BYTES = 1 << 16;

/** All that comes out of a pipe or device, which may be without end. */
export function readStream(path: string | Buffer, atMost: number): Uint8Array {
  const fd = openSync(path, "r");
  try {
    const parts: Uint8Array[] = [];
    const block = new Uint8Array(BLOCK_BYTES);
    let bytes = 0;
    for (let count = 0; (count = readSync(fd, block)) > 0; parts.push(block.slice(0, count))) {
      bytes += count;
      if (bytes > atMost) throw tooLarge();
    }
    return Buffer.concat(parts, bytes);
  } finally {
    closeSync(fd);
  }
}

/** Descriptor of a new file that has no name. */
export function openUnnamed(): number {
  const os = require("node:os") as typeof import("node:os");
  try {
    const folder = mkdtempSync(`${os.tmpdir()}/wield-`);
    const fd = openSync(`${folder}/f`, "wx+", 0o600);
    unlinkSync(`${folder}/f`);
    rmdirSync(folder);
    return fd;
  } catch (error) {
    const cause = hostError(error);
    throw cause instanceof HostError ? new HostError(cause.code, `cannot make a temporary file in ${os.tmpdir()}: ${cause.message}`) : cause;
  }
}

/** Reads the pipe `name` to its end into an unnamed file, whose descriptor it returns. */
export function spool(path: string | Buffer, name: ByteString): number {
  const pipe = takePipe(name) ?? guarded(() => openSync(path, "r"));
  let fd = -1;
  try {
    fd = openUnnamed();
    const buffer = new Uint8Array(BLOCK_BYTES);
    for (let got = 0; (got = guarded(() => readSync(pipe, buffer))) > 0; ) guarded(() => writeAll(fd, buffer.subarray(0, got)));
    return fd;
  } catch (error) {
    if (fd >= 0) closeSync(fd);
    throw error;
  } finally {
    closeSync(pipe);
  }
}
