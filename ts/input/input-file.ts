/**
 * One file while load-inputs looks at it: an open descriptor, its size and its first bytes.
 *
 * The only place where load-inputs touches the host's files. Descriptors are closed as soon as a file is classified or
 * walked; contents are read again later, by path, by whoever needs them.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Named } from "../diagnostics/input-messages.ts";
import { ENTRY_BYTES, tooLarge, type Host } from "../host/host.ts";
import { latin1 } from "../memory/text.ts";
import type { ByteSource } from "./archive.ts";
import { fileKind, HEAD_BYTES, type FileKind } from "./file-kind.ts";

/** The bytes of an object: a file, or a stretch of one. Named as users know it: the file, or the archive and its member. */
export interface InputPart extends Named {
  /** Path of the file that holds the bytes: not the archive's where that is thin. */
  source: ByteString;
  /** Bytes from the start of that file. */
  offset: number;
  bytes: number;
}

/** A file that is an object, or has been made one. */
export const wholeFile = (path: ByteString, bytes: number): InputPart => ({ source: path, offset: 0, bytes, path, member: "" });

/** The part of Host that reads inputs. Failures throw HostError. */
export type InputHost = Pick<Host, "open" | "read" | "size" | "close" | "optimise">;

/** Largest linker script that is read. */
const SCRIPT_BYTES_MAX = 1 << 24;

export class OpenFile implements ByteSource {
  readonly path: ByteString;
  readonly size: number;
  readonly head: Uint8Array;
  readonly headBytes: number;
  readonly kind: FileKind;
  private readonly host: InputHost;
  private readonly fd: number;

  /** Throws what the host throws. */
  constructor(host: InputHost, path: ByteString, machine: number) {
    this.host = host;
    this.path = path;
    this.fd = host.open(path);
    try {
      this.size = host.size(this.fd);
      this.head = new Uint8Array(HEAD_BYTES);
      this.headBytes = host.read(this.fd, this.head, 0);
      this.kind = fileKind(this.head, 0, this.headBytes, machine);
    } catch (error) {
      host.close(this.fd);
      throw error;
    }
  }

  read(target: Uint8Array, position: number): number {
    let done = 0;
    while (done < target.length) {
      const got = this.host.read(this.fd, done === 0 ? target : target.subarray(done), position + done);
      if (got <= 0) break;
      done += got;
    }
    return done;
  }

  /** The whole file, one character per byte; for scripts. */
  text(): ByteString {
    if (this.size > SCRIPT_BYTES_MAX) throw tooLarge();
    this.host.optimise?.(this.size / ENTRY_BYTES);
    const bytes = new Uint8Array(this.size);
    const count = this.read(bytes, 0);
    return latin1(bytes, 0, count);
  }

  close(): void {
    this.host.close(this.fd);
  }
}
