/**
 * What all outputs on Node have in common: a descriptor that windows are written to in any order, and the names of temporary files.
 *
 * Not what becomes of it in the end: node-output.ts, spooled-output.ts.
 */
import { closeSync, ftruncateSync, openSync, unlinkSync } from "node:fs";
import type { ByteString } from "../args/link-options.ts";
import { guarded, hostError } from "./errno.ts";
import type { OutputFile } from "./host.ts";
import { pathOf, type NodeFiles } from "./node-files.ts";

/** NAME_MAX on every file system we know. */
const NAME_MAX = 255;
const TRIES = 100;

/** FNV-1a, to keep shortened names apart. */
function shortHash(text: ByteString): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/** `.<out>.<pid>.<kind>` in the folder of `path`, shortened to what a file name may be. */
export function temporaryName(path: ByteString, pid: number, attempt: number, kind = "tmp"): ByteString {
  const slash = path.lastIndexOf("/") + 1;
  const name = path.slice(slash);
  const tail = `.${pid}${attempt === 0 ? "" : `.${attempt}`}.${kind}`;
  const room = NAME_MAX - 1 - tail.length;
  const stem = name.length <= room ? name : `${name.slice(0, room - 9)}-${shortHash(name)}`;
  return `${path.slice(0, slash)}.${stem}${tail}`;
}

/** Opens a file that was not there: the first free of the names that `nameOf` gives. */
export function createExclusive(nameOf: (attempt: number) => ByteString, mode: number): { fd: number; name: ByteString } {
  for (let attempt = 0; ; attempt++) {
    const name = nameOf(attempt);
    try {
      return { fd: openSync(pathOf(name), "wx+", mode), name };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || attempt === TRIES) throw hostError(error);
    }
  }
}

/** Removes a file; one that is gone, or that cannot be removed, is left as it is. */
export function unlinkIfThere(path: ByteString): void {
  try {
    unlinkSync(pathOf(path));
  } catch {
    // Nobody waits for this.
  }
}

export abstract class Output implements OutputFile {
  readonly fd: number;
  protected readonly files: NodeFiles;
  protected open = true;

  constructor(fd: number, files: NodeFiles) {
    this.fd = fd;
    this.files = files;
  }

  truncate(bytes: number): void {
    guarded(() => ftruncateSync(this.fd, bytes));
  }

  write(bytes: Uint8Array, position: number): void {
    this.files.writeAt(this.fd, bytes, position);
  }

  read(into: Uint8Array, position: number): number {
    return this.files.read(this.fd, into, position);
  }

  protected close(): void {
    if (!this.open) return;
    this.open = false;
    guarded(() => closeSync(this.fd));
  }

  abstract commit(): void;
  abstract abort(): void;
}
