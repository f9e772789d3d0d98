/**
 * An output that cannot be seeked: pipes, terminals, devices, "-".
 *
 * Windows are written in any order, so they go to an unnamed temporary file first. Only the complete program has this: a pipe that
 * was opened by the quick one and closed again would have ended for its reader.
 */
import { closeSync, openSync } from "node:fs";
import type { ByteString } from "../args/link-options.ts";
import { guarded } from "./errno.ts";
import type { OutputFile } from "./host.ts";
import { pathOf, type NodeFiles } from "./node-files.ts";
import { Output } from "./output-base.ts";
import { openUnnamed } from "./pipe.ts";
import { writeAll } from "./print.ts";

const COPY_BYTES = 1 << 16;

/** Pipes, terminals, devices: an unnamed temporary file, copied in order at commit. */
class SpooledOutput extends Output {
  private readonly target: number;
  private readonly closeTarget: boolean;

  constructor(target: number, closeTarget: boolean, files: NodeFiles) {
    super(openUnnamed(), files);
    this.target = target;
    this.closeTarget = closeTarget;
  }

  commit(): void {
    const buffer = new Uint8Array(COPY_BYTES);
    try {
      for (let position = 0; ; ) {
        const got = this.read(buffer, position);
        if (got === 0) break;
        guarded(() => writeAll(this.target, buffer.subarray(0, got)));
        position += got;
      }
    } finally {
      this.abort();
    }
  }

  abort(): void {
    if (!this.open) return;
    this.close();
    if (this.closeTarget) guarded(() => closeSync(this.target));
  }
}

/** To the descriptor `target`, or to what is opened as `path`: which waits until a pipe has a reader. */
export function openSpooled(target: number | ByteString, files: NodeFiles): OutputFile {
  if (typeof target === "number") return new SpooledOutput(target, false, files);
  const fd = guarded(() => openSync(pathOf(target), "w"));
  try {
    return new SpooledOutput(fd, true, files);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
