/**
 * The file a link writes, on Node: a temporary file beside it that is renamed into place when the link has succeeded.
 *
 * Not for maps and other reports, which are written in one go. What cannot be seeked (pipes, terminals, "-") is spooled to a
 * temporary file first, because windows are written in any order. The mode comes from open(2), which takes the umask off.
 */
import { accessSync, closeSync, constants, fchmodSync, fstatSync, openSync, renameSync, statSync, type Stats } from "node:fs";
import type { ByteString } from "../args/link-options.ts";
import { guarded, hostError } from "./errno.ts";
import { isDirectory, isFile } from "./file-kind.ts";
import { eachGap } from "./gaps.ts";
import { HostError, type OutputFile, type OutputOptions } from "./host.ts";
import { HELD, NOWHERE, pathOf, type NodeFiles } from "./node-files.ts";
import { createExclusive, Output, temporaryName, unlinkIfThere } from "./output-base.ts";
import { openSpooled } from "./spooled-output.ts";

/**
 * Renaming over a file makes ext4 put all of the new one on disk first (mount option auto_da_alloc), a tenth of a large link; with the
 * old one moved aside it need not. What is not worth a moment without either file is replaced in one step.
 */
const FLUSHED_BYTES = 16 << 20;

/** Puts `temporary` in the place of `path`, whose file has `replaces` bytes (0 = there is none). */
function replace(temporary: ByteString, path: ByteString, replaces: number, pid: number): void {
  if (replaces < FLUSHED_BYTES) return guarded(() => renameSync(pathOf(temporary), pathOf(path)));
  const aside = temporaryName(path, pid, 0, "old");
  let moved = true;
  try {
    renameSync(pathOf(path), pathOf(aside));
  } catch {
    // Gone meanwhile, or the next rename says what is wrong.
    moved = false;
  }
  try {
    renameSync(pathOf(temporary), pathOf(path));
  } catch (error) {
    if (moved) guarded(() => renameSync(pathOf(aside), pathOf(path)));
    throw hostError(error);
  }
  if (moved) unlinkIfThere(aside);
}

/** A file under a temporary name. */
interface Temporary {
  fd: number;
  name: ByteString;
}

/** A regular output: temporary file, rename. */
class RenamedOutput extends Output {
  private readonly temporary: ByteString;
  private readonly path: ByteString;
  private readonly pid: number;
  /** Bytes of the file that is there now. */
  private readonly replaces: number;

  constructor(path: ByteString, { fd, name }: Temporary, pid: number, files: NodeFiles, replaces: number) {
    super(fd, files);
    this.temporary = name;
    this.path = path;
    this.pid = pid;
    this.replaces = replaces;
  }

  commit(): void {
    try {
      const changed = this.files.changed();
      if (changed !== undefined) throw new HostError("ESTALE", `input file changed during the link: ${changed}`);
      this.close();
      replace(this.temporary, this.path, this.replaces, this.pid);
    } catch (error) {
      this.abort();
      throw error;
    }
    this.done = true;
  }

  abort(): void {
    if (this.done) return;
    this.done = true;
    try {
      this.close();
    } catch {
      // The file is thrown away in any case.
    }
    unlinkIfThere(this.temporary);
  }

  private done = false;
}

/** An output in the blocks of the old one, which is gone. */
class ReusedOutput extends RenamedOutput {
  private readonly written: number[] = [];
  private readonly oldBytes: number;
  private bytes = 0;

  constructor(path: ByteString, old: Temporary, oldBytes: number, pid: number, files: NodeFiles) {
    super(path, old, pid, files, 0);
    this.oldBytes = oldBytes;
  }

  override truncate(bytes: number): void {
    super.truncate(bytes);
    this.bytes = bytes;
  }

  override write(bytes: Uint8Array, position: number): void {
    super.write(bytes, position);
    this.written.push(position, position + bytes.length);
  }

  clearGaps(written: readonly number[]): void {
    eachGap([...this.written, ...written], Math.min(this.bytes, this.oldBytes), (from, to) => {
      const zeros = new Uint8Array(Math.min(to - from, ZEROS_BYTES));
      for (let at = from; at < to; at += zeros.length) super.write(zeros.subarray(0, to - at), at);
    });
  }
}

const ZEROS_BYTES = 1 << 18;

/** What files may lack of the blocks for all their bytes and not be called sparse. */
const HOLES_BYTES = 1 << 20;

const isSame = (a: Stats, b: Stats): boolean => a.dev === b.dev && a.ino === b.ino && a.nlink === b.nlink;

/**
 * The old output `stat` under a temporary name, to be written over: the system takes twice as long to find new pages and blocks as to copy bytes into
 * old ones. null = somebody may notice (it has other names, runs, is another user's), it is sparse, or cannot be had.
 */
function takeOld(path: ByteString, mode: number, { pid, uid, umask }: Owner, stat: Stats): Temporary | null {
  if (stat.nlink !== 1 || stat.uid !== uid || stat.blocks * 512 < stat.size - HOLES_BYTES) return null;
  let fd = -1;
  try {
    // ETXTBSY: it runs.
    fd = openSync(pathOf(path), constants.O_RDWR | constants.O_NOFOLLOW);
    if (isSame(fstatSync(fd), stat)) {
      fchmodSync(fd, mode & ~umask());
      const name = temporaryName(path, pid, 0);
      renameSync(pathOf(path), pathOf(name));
      if (isSame(statSync(pathOf(name)), stat)) return { fd, name };
      // Another link was quicker.
      renameSync(pathOf(name), pathOf(path));
    }
  } catch {
    // A new file will do.
  }
  if (fd !== -1) closeSync(fd);
  return null;
}

const createTemporary = (path: ByteString, mode: number, pid: number): Temporary => createExclusive((attempt) => temporaryName(path, pid, attempt), mode);

/** Outputs up to so many bytes are worth neither a call of the system for each of their parts nor handlers of signals. */
const HELD_BYTES = 64 << 10;

/** A small regular output: there is no file before commit, so nothing to clean up. */
class HeldOutput implements OutputFile {
  readonly fd = HELD;
  private readonly path: ByteString;
  private readonly mode: number;
  private readonly pid: number;
  private readonly files: NodeFiles;

  constructor(path: ByteString, mode: number, pid: number, files: NodeFiles) {
    this.path = path;
    this.mode = mode;
    this.pid = pid;
    this.files = files;
  }

  truncate(bytes: number): void {
    this.files.resizeHeld(bytes);
  }

  write(bytes: Uint8Array, position: number): void {
    this.files.writeAt(HELD, bytes, position);
  }

  read(into: Uint8Array, position: number): number {
    return this.files.read(HELD, into, position);
  }

  commit(): void {
    const file = new RenamedOutput(this.path, createTemporary(this.path, this.mode, this.pid), this.pid, this.files, 0);
    try {
      file.write(this.files.held, 0);
    } catch (error) {
      file.abort();
      throw error;
    }
    this.abort();
    file.commit();
  }

  abort(): void {
    this.files.resizeHeld(0);
  }
}

/** /dev/null: keeps nothing. */
class NullOutput implements OutputFile {
  readonly fd = NOWHERE;
  private readonly files: NodeFiles;

  constructor(files: NodeFiles) {
    this.files = files;
  }

  truncate(): void {}

  write(): void {}

  read(into: Uint8Array, position: number): number {
    return this.files.read(NOWHERE, into, position);
  }

  commit(): void {}

  abort(): void {}
}

/** Linux: major 1, minor 3. */
const isNull = (stat: Stats): boolean => stat.isCharacterDevice() && stat.rdev === 0x103;

/** Names of open descriptors: also where they lead to a regular file, the name itself must not be replaced by one. */
const isDescriptor = (path: ByteString): boolean => (path.startsWith("/dev/") || path.startsWith("/proc/")) && /^\/(dev\/(std(out|err)|fd\/\d+)|proc\/(self|\d+)\/fd\/\d+)$/.test(path);

/** Whose outputs are: of the process. */
interface Owner {
  pid: number;
  uid: number | undefined;
  umask(): number;
}

/** `beforeTemporary` is called before there is a file to be cleaned up. */
export function openOutput(path: ByteString, { mode, bytes = Infinity, reuse = false }: OutputOptions, owner: Owner, files: NodeFiles, beforeTemporary: () => void): OutputFile {
  if (path === "-") return openSpooled(1, files);
  const { pid } = owner;
  const stat = guarded(() => statSync(pathOf(path), { throwIfNoEntry: false }));
  if (stat !== undefined && isDirectory(stat)) throw new HostError("EISDIR", "Is a directory");
  if (stat !== undefined && files.isInput(stat)) throw new HostError("EINVAL", "it is also an input file");
  if (stat === undefined || (isFile(stat) && !isDescriptor(path))) {
    if (bytes <= HELD_BYTES && (stat?.size ?? 0) < FLUSHED_BYTES) return new HeldOutput(path, mode, pid, files);
    beforeTemporary();
    const old = reuse && stat !== undefined && stat.size >= FLUSHED_BYTES ? takeOld(path, mode, owner, stat) : null;
    return old === null ? new RenamedOutput(path, createTemporary(path, mode, pid), pid, files, stat?.size ?? 0) : new ReusedOutput(path, old, stat!.size, pid, files);
  }
  return isNull(stat) ? new NullOutput(files) : openSpooled(path, files);
}

/** Says early what openOutput, or writing a report, would say at the end of a long link. */
export function checkWritable(path: ByteString, replaced: boolean): void {
  if (path === "" || path === "-") return;
  const stat = guarded(() => statSync(pathOf(path), { throwIfNoEntry: false }));
  if (stat !== undefined && isDirectory(stat)) throw new HostError("EISDIR", "Is a directory");
  const slash = path.lastIndexOf("/");
  // With "/.", what is not a folder fails too.
  const needed = stat === undefined || (replaced && isFile(stat) && !isDescriptor(path)) ? `${path.slice(0, slash + 1)}.` : path;
  guarded(() => accessSync(pathOf(needed), constants.W_OK));
}
