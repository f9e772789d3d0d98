/**
 * An output that cannot be seeked: pipes, terminals, devices, "-".
 *
 * Windows are written in any order, so they go to an unnamed temporary file first. Only the complete program has this: a pipe that
 * was opened by the quick one and closed again would have ended for its reader.
 */
import { closeSync, openSync, unlinkSync } from "node:fs";
import type { ByteString } from "../args/link-options.ts";
import { guarded } from "./errno.ts";
import type { OutputFile } from "./host.ts";
import { pathOf, type NodeFiles } from "./node-files.ts";
import { createExclusive, Output, temporaryName } from "./output-base.ts";

const COPY_BYTES = 1 << 16;

/** Pipes, terminals, devices: an unnamed temporary file, copied in order at commit. */
class SpooledOutput extends Output {
  private readonly target: number;
  private readonly closeTarget: boolean;
  private readonly print: (fd: number, bytes: Uint8Array) => void;

  constructor(target: number, closeTarget: boolean, pid: number, files: NodeFiles, print: (fd: number, bytes: Uint8Array) => void) {
    const os = require("node:os") as typeof import("node:os");
    const folder = Buffer.from(os.tmpdir(), "utf8").toString("latin1");
    const { fd, name } = createExclusive((attempt) => temporaryName(`${folder}/wield`, pid, attempt), 0o600);
    unlinkSync(pathOf(name));
    super(fd, files);
    this.target = target;
    this.closeTarget = closeTarget;
    this.print = print;
  }

  commit(): void {
    const buffer = new Uint8Array(COPY_BYTES);
    try {
      for (let position = 0; ; ) {
        const got = this.read(buffer, position);
        if (got === 0) break;
        guarded(() => this.print(this.target, buffer.subarray(0, got)));
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

/** To the descriptor `target`, or to what is opened as `path`: which waits until a pipe has a reader. `print` writes all bytes. */
export function openSpooled(target: number | ByteString, pid: number, files: NodeFiles, print: (fd: number, bytes: Uint8Array) => void): OutputFile {
  if (typeof target === "number") return new SpooledOutput(target, false, pid, files, print);
  return new SpooledOutput(guarded(() => openSync(pathOf(target), "w")), true, pid, files, print);
}
