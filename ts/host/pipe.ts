/**
 * What can be read only once, and files without names to keep it in.
 *
 * The quick program is without these: it hands over before the first byte is taken from a pipe, because the complete program
 * must find all of them.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmdirSync, unlinkSync } from "node:fs";
import type { ByteString } from "../args/link-options.ts";
import { guarded, hostError } from "./errno.ts";
import { takePipe } from "./handed-over.ts";
import { HostError } from "./host.ts";
import { writeAll } from "./print.ts";

/** All that comes out of a pipe or device. */
export function readStream(path: string | Buffer): Uint8Array {
  return readFileSync(path);
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
    const buffer = new Uint8Array(1 << 16);
    for (let got = 0; (got = guarded(() => readSync(pipe, buffer))) > 0; ) guarded(() => writeAll(fd, buffer.subarray(0, got)));
    return fd;
  } catch (error) {
    if (fd >= 0) closeSync(fd);
    throw error;
  } finally {
    closeSync(pipe);
  }
}
