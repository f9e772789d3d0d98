/**
 * Reading inputs and writing by descriptor on Node, the same for the main thread and for workers.
 *
 * Not for the output's life (node-output.ts). The surprising choice: closing a file keeps its descriptor, because every
 * input is read again in the output pass; the oldest unused ones go when there are too many.
 */
import { closeSync, fstatSync, openSync, readFileSync, readlinkSync, readSync, statSync, writeSync, type Stats } from "node:fs";
import { ELFCOMPRESS_ZLIB, ELFCOMPRESS_ZSTD } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { WorkerIo } from "../memory/pool.ts";
import { CALL_BYTES_MAX, guarded, hostError } from "./errno.ts";
import { isDirectory, isFifo, isFile, isSocket } from "./file-kind.ts";
import { HandOver } from "./hand-over.ts";
import { hasPipe, leavePipe } from "./handed-over.ts";
import { HostError, type Digest, type DigestAlgorithm } from "./host.ts";
import { openUnnamed, spool } from "./pipe.ts";
import { unpackZstd } from "./unpack-zstd.ts";

/** Bytes of a path as the kernel wants them; plain ASCII stays a string, which Node passes on faster. */
export function pathOf(path: ByteString): string | Buffer {
  if (path.includes("\0")) throw new HostError("EINVAL", "Invalid argument");
  for (let i = 0; i < path.length; i++) {
    if (path.charCodeAt(i) >= 0x80) return Buffer.from(path, "latin1");
  }
  return path;
}

interface OpenInput {
  fd: number;
  path: ByteString;
  /** How many callers of open() have not closed it. */
  users: number;
  bytes: number;
  /** Where the file is kept, most often instead of a descriptor, which is then a negative number: from `at` of `shelf` on. */
  shelf: Uint8Array | undefined;
  at: number;
  /** Short reads here and there. */
  jumps: number;
}

/** What a file was when it was first opened. Of one that is read as a whole nobody asks: what becomes of it does not matter any more. */
interface Seen {
  ino: number;
  dev: number;
  size: number;
  mtimeMs: number;
}

/** Good in programs that we start, too. */
const pathOfDescriptor = (fd: number): ByteString => `/proc/${guarded(() => readlinkSync("/proc/self"))}/fd/${fd}`;

/** Short reads that follow each other in a file with gaps up to this are served from blocks, once there were so many. */
const BLOCK_GAP_BYTES = 4 << 10;
const BLOCK_RUN = 2;
const BLOCK_BYTES = 128 << 10;
/** Longer reads go straight to their target. */
const SMALL_READ_BYTES = 16 << 10;

/** A file that is read here and there is read as a whole once its short reads have cost as much: one costs what so many bytes do, whose pages are new. */
const JUMP_BYTES = 4 << 10;
/** Fewer are no habit. */
const MANY_JUMPS = 64;

/** Short files beyond so many are read as a whole when they are opened, instead of being opened again by every pass. */
export const KEPT_FROM = 64;
/** Those are read without stat(2), which in Node takes longer than opening and reading. */
const READ_UNSEEN = ".o";
const KEPT_FILE_BYTES = 16 << 10;
/** All of them together. */
const KEPT_BYTES = 96 << 20;
const SHELF_BYTES = 1 << 20;

/** What zstd takes when nobody asks for a level. */
const ZSTD_LEVEL = 3;

/** In place of a descriptor: an output that is no file yet. */
export const HELD = -2;
/** And of one that nobody wants: takes everything, and is zeros. */
export const NOWHERE = -3;
/** And below: files that are kept. */
const FIRST_KEPT = -16;

function sameFile(a: Seen, b: Stats): boolean {
  return a.ino === b.ino && a.dev === b.dev && a.size === b.size && a.mtimeMs === b.mtimeMs;
}

/** Reads to `address` of `memory`: hundreds of thousands of times in a large link, so it makes no views and no closures. */
function readInto(fd: number, memory: Uint8Array, address: number, bytes: number, position: number): number {
  try {
    return readSync(fd, memory, address, bytes, position);
  } catch (error) {
    throw hostError(error);
  }
}

/** The same of a file that is kept. */
function readKept({ shelf, at, bytes: length }: OpenInput, memory: Uint8Array, address: number, bytes: number, position: number): number {
  const end = Math.min(position + bytes, length);
  if (position >= end) return 0;
  memory.set(shelf!.subarray(at + position, at + end), address);
  return end - position;
}

export class NodeFiles implements WorkerIo {
  private readonly byPath = new Map<ByteString, OpenInput>();
  /** Descriptors that the main thread keeps open. */
  private readonly adopted = new Map<ByteString, number>();
  private readonly byFd = new Map<number, OpenInput>();
  /** What the regular files looked like when they were first opened. */
  private readonly seen = new Map<ByteString, Seen>();
  /** Descriptors in byPath. */
  private opened = 0;
  /** Where short files are kept: free from `shelfAt` on. */
  private shelf: Uint8Array | undefined;
  private shelfAt = 0;
  private keptBytes = 0;
  private keptFiles = 0;
  private last: OpenInput | undefined;
  /** What exists() has just found. */
  private looked: { path: ByteString; stat: Stats } | undefined;
  /** Read ahead: `blockBytes` bytes of `blockInput` from `blockAt` on. */
  private block: Uint8Array | undefined;
  private blockInput: OpenInput | undefined;
  private blockAt = 0;
  private blockBytes = 0;
  /** Fifos that were read into unnamed files. */
  private readonly kept: number[] = [];
  private readonly pipes = new Map<ByteString, number>();
  /** Where the last short read ended. */
  private lastInput: OpenInput | undefined;
  private lastEnd = 0;
  /** Short reads that each were close behind the one before. */
  private run = 0;
  private zstd: ((bytes: Uint8Array, level: number) => Uint8Array) | undefined;
  private limit: number;
  private mayRaise: boolean;
  private readonly isMain: boolean;
  /** What is written to HELD. */
  held = new Uint8Array(0);

  /** `limit`: descriptors kept open; `mayRaise`: or half of what the system allows. */
  constructor(limit: number, mayRaise = false) {
    this.limit = limit;
    this.mayRaise = mayRaise;
    this.isMain = mayRaise;
  }

  open(path: ByteString): number {
    const input = this.input(path);
    input.users++;
    return input.fd;
  }

  close(fd: number): void {
    const input = this.byFd.get(fd);
    if (input === undefined) throw new Error(`descriptor ${fd} is not an input`);
    input.users--;
  }

  reopen(path: ByteString): ByteString {
    const fd = this.pipes.get(path);
    return fd === undefined ? path : pathOfDescriptor(fd);
  }

  unnamed(bytes: Uint8Array): ByteString {
    const fd = openUnnamed();
    this.writeAt(fd, bytes, 0);
    this.kept.push(fd);
    return pathOfDescriptor(fd);
  }

  size(fd: number): number {
    return this.byFd.get(fd)!.bytes;
  }

  read(fd: number, into: Uint8Array, position: number): number {
    if (fd <= FIRST_KEPT) return readKept(this.byFd.get(fd)!, into, 0, into.length, position);
    if (fd === HELD) {
      const bytes = this.held.subarray(position, position + into.length);
      into.set(bytes);
      return bytes.length;
    }
    if (fd === NOWHERE) {
      into.fill(0);
      return into.length;
    }
    return readInto(fd, into, 0, into.length, position);
  }

  readAt(path: ByteString, target: Uint8Array, position: number): number {
    return this.readMemory(path, target, 0, target.length, position);
  }

  readMemory(path: ByteString, memory: Uint8Array, address: number, bytes: number, position: number): number {
    const shared = this.adopted.size === 0 ? undefined : this.adopted.get(path);
    if (shared !== undefined) return readInto(shared, memory, address, bytes, position);
    const input = this.last?.path === path ? this.last : this.input(path);
    this.last = input;
    if (input.shelf !== undefined) return readKept(input, memory, address, bytes, position);
    if (bytes > SMALL_READ_BYTES) return readInto(input.fd, memory, address, bytes, position);
    const ahead = input === this.lastInput ? position - this.lastEnd : -1;
    this.lastInput = input;
    this.lastEnd = position + bytes;
    this.run = ahead >= 0 && ahead <= BLOCK_GAP_BYTES ? this.run + 1 : 0;
    if (this.run >= BLOCK_RUN) return this.readSmall(input, memory.subarray(address, address + bytes), position);
    if (++input.jumps === Math.max(MANY_JUMPS, Math.ceil(input.bytes / JUMP_BYTES))) this.keepOpened(input);
    return input.shelf !== undefined ? readKept(input, memory, address, bytes, position) : readInto(input.fd, memory, address, bytes, position);
  }

  /** Contents of a section ordering, or of `.init_array.N`, are short and lie anywhere in the one object they come from. */
  private keepOpened(input: OpenInput): void {
    if (this.keptBytes + input.bytes > KEPT_BYTES) return;
    const shelf = new Uint8Array(input.bytes);
    if (readInto(input.fd, shelf, 0, input.bytes, 0) !== input.bytes) return;
    this.keptBytes += input.bytes;
    input.shelf = shelf;
  }

  /** Many short reads, one close behind the other, would be as many system calls. */
  private readSmall(input: OpenInput, target: Uint8Array, position: number): number {
    const missing = input !== this.blockInput || position < this.blockAt || position + target.length > this.blockAt + this.blockBytes;
    if (missing) {
      this.block ??= new Uint8Array(BLOCK_BYTES);
      this.blockInput = undefined;
      this.blockBytes = this.read(input.fd, this.block, position);
      this.blockAt = position;
      this.blockInput = input;
    }
    const from = position - this.blockAt;
    const bytes = Math.min(target.length, this.blockBytes - from);
    target.set(this.block!.subarray(from, from + bytes));
    return bytes;
  }

  writeAt(fd: number, bytes: Uint8Array, position: number): void {
    if (fd === HELD) {
      if (position + bytes.length > this.held.length) this.resizeHeld(position + bytes.length);
      return this.held.set(bytes, position);
    }
    if (fd === NOWHERE) return;
    guarded(() => {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(fd, bytes, done, Math.min(bytes.length - done, CALL_BYTES_MAX), position + done);
      }
    });
  }

  resizeHeld(bytes: number): void {
    const { held } = this;
    this.held = new Uint8Array(bytes);
    this.held.set(held.subarray(0, bytes));
  }

  digest(algorithm: DigestAlgorithm): Digest {
    const crypto = require("node:crypto") as typeof import("node:crypto");
    return crypto.createHash(algorithm) as unknown as Digest;
  }

  inflate(kind: number, bytes: Uint8Array, size: number): Uint8Array {
    const zlib = require("node:zlib") as typeof import("node:zlib") & {
      zstdDecompressSync?: (bytes: Uint8Array, options: object) => Uint8Array;
    };
    if (kind !== ELFCOMPRESS_ZLIB && kind !== ELFCOMPRESS_ZSTD) throw new HostError("ENOSYS", `unknown compression type ${kind}`);
    const decode = kind === ELFCOMPRESS_ZLIB ? zlib.inflateSync : (zlib.zstdDecompressSync ?? ((packed: Uint8Array) => unpackZstd(packed, size)));
    let out: Uint8Array;
    try {
      out = decode(bytes, { maxOutputLength: Math.max(1, size) });
    } catch (error) {
      if (error instanceof HandOver) throw error;
      throw new HostError("EINVAL", "corrupted compressed data");
    }
    if (out.length !== size) throw new HostError("EINVAL", "corrupted compressed data");
    return out;
  }

  /** Level 1 by default, as lld: higher ones cost far more time than they save space. */
  deflate(kind: number, bytes: Uint8Array, level: number, last: boolean): Uint8Array | undefined {
    const zlib = require("node:zlib") as typeof import("node:zlib") & { zstdCompressSync?: (bytes: Uint8Array, options: object) => Uint8Array };
    const { Z_FINISH, Z_SYNC_FLUSH, ...others } = zlib.constants as unknown as Record<string, number>;
    if (kind === ELFCOMPRESS_ZLIB) return zlib.deflateRawSync(bytes, { level: level === 0 ? 1 : Math.min(level, 9), finishFlush: last ? Z_FINISH! : Z_SYNC_FLUSH! });
    const packed = zlib.zstdCompressSync?.(bytes, level === 0 ? {} : { params: { [others["ZSTD_c_compressionLevel"]!]: level } });
    return packed ?? this.zstd?.(bytes, level === 0 ? ZSTD_LEVEL : level);
  }

  /** For Node before 22.15. */
  async loadZstd(): Promise<boolean> {
    if ("zstdCompressSync" in require("node:zlib")) return false;
    const { loadZstd } = require(`${import.meta.dirname}/zstd.js`) as typeof import("./zstd.ts");
    this.zstd ??= await loadZstd();
    return true;
  }

  /** True for anything but a directory that can be looked up; to be opened next, most of the time. */
  exists(path: ByteString): boolean {
    try {
      const stat = statSync(pathOf(path), { throwIfNoEntry: false });
      this.looked = stat === undefined ? undefined : { path, stat };
      return stat !== undefined && !isDirectory(stat);
    } catch {
      return false;
    }
  }

  /** Is this one of the inputs that were opened? */
  isInput(stat: Stats): boolean {
    for (const input of this.seen.values()) if (input.ino === stat.ino && input.dev === stat.dev) return true;
    for (const { shelf, bytes, path } of this.keptBytes === 0 ? [] : this.byPath.values()) {
      if (shelf === undefined || bytes !== stat.size) continue;
      const now = statSync(pathOf(path), { throwIfNoEntry: false });
      if (now?.ino === stat.ino && now.dev === stat.dev) return true;
    }
    return false;
  }

  /** A regular input that is no longer what it was when it was opened. */
  changed(): ByteString | undefined {
    for (const [path, before] of this.seen) {
      const now = statSync(pathOf(path), { throwIfNoEntry: false });
      if (now === undefined || !sameFile(before, now)) return path;
    }
    return undefined;
  }

  /** Closes the descriptors that nobody uses. */
  trim(keep = 0): void {
    this.last = undefined;
    this.blockInput = undefined;
    for (const input of this.byPath.values()) {
      if (this.opened <= keep) return;
      if (input.users > 0 || input.fd <= FIRST_KEPT) continue;
      if (input.shelf !== undefined) this.keptBytes -= input.bytes;
      this.byPath.delete(input.path);
      this.byFd.delete(input.fd);
      this.opened--;
      closeSync(input.fd);
    }
  }

  /** Forgets everything: the end of a link. */
  reset(): void {
    for (const input of this.byPath.values()) input.users = 0;
    this.trim();
    this.byPath.clear();
    this.byFd.clear();
    this.shelf = undefined;
    this.shelfAt = this.keptBytes = this.keptFiles = 0;
    this.seen.clear();
    this.adopted.clear();
    this.pipes.clear();
    for (const fd of this.kept.splice(0)) closeSync(fd);
  }

  private input(path: ByteString): OpenInput {
    return this.byPath.get(path) ?? this.keepUnseen(path) ?? this.look(path);
  }

  /** Opens a file of any kind. */
  private look(path: ByteString): OpenInput {
    // Looked at before it is opened: the end of a pipe can only be opened once.
    const found = this.looked?.path === path ? this.looked.stat : guarded(() => statSync(pathOf(path)));
    this.looked = undefined;
    if (isDirectory(found)) throw new HostError("EISDIR", "Is a directory");
    const isPipe = isFifo(found) || isSocket(found);
    if (this.keepsFiles() && isFile(found) && found.size <= KEPT_FILE_BYTES) {
      const kept = this.keep(path, found.size);
      if (kept !== undefined) return kept;
    }
    const fd = isPipe ? spool(pathOf(path), path) : this.openDescriptor(path);
    const bytes = isPipe ? fstatSync(fd).size : found.size;
    if (isFile(found) && !this.seen.has(path)) {
      const { ino, dev, size, mtimeMs } = found;
      this.seen.set(path, { ino, dev, size, mtimeMs });
    }
    if (isPipe) this.pipes.set(path, fd);
    this.opened++;
    // The contents of a pipe come once: its descriptor stays.
    return this.addInput({ fd, path, users: isPipe ? 1 : 0, bytes, shelf: undefined, at: 0, jumps: 0 });
  }

  private addInput(input: OpenInput): OpenInput {
    this.byPath.set(input.path, input);
    this.byFd.set(input.fd, input);
    return input;
  }

  private keepsFiles(): boolean {
    return this.seen.size >= KEPT_FROM && this.isMain && this.keptBytes < KEPT_BYTES;
  }

  /** A short file whose name says that it is an object; undefined when it is longer, no file or there is none, which `look` finds out. */
  private keepUnseen(path: ByteString): OpenInput | undefined {
    if (!path.endsWith(READ_UNSEEN) || !this.keepsFiles() || this.looked?.path === path || hasPipe(path)) return undefined;
    return this.keep(path, -1);
  }

  /** Keeps the contents of a short file of so many bytes (-1 = nobody knows); undefined when it had better be read when it is needed. */
  private keep(path: ByteString, bytes: number): OpenInput | undefined {
    let { shelf } = this;
    // One byte more than it may have shows that it has not more.
    if (shelf === undefined || this.shelfAt + KEPT_FILE_BYTES + 1 > shelf.length) {
      shelf = this.shelf = new Uint8Array(SHELF_BYTES);
      this.shelfAt = 0;
    }
    const at = this.shelfAt;
    const got = this.readShort(path, shelf, at);
    if (got > KEPT_FILE_BYTES || got < 0 || (bytes >= 0 && got !== bytes)) return undefined;
    this.shelfAt += got;
    this.keptBytes += got;
    return this.addInput({ fd: FIRST_KEPT - this.keptFiles++, path, users: 0, bytes: got, shelf, at, jumps: 0 });
  }

  /** Reads up to KEPT_FILE_BYTES + 1 bytes; -1 = that is not possible. */
  private readShort(path: ByteString, target: Uint8Array, at: number): number {
    let fd = -1;
    try {
      fd = openSync(pathOf(path), "r");
      return readSync(fd, target, at, KEPT_FILE_BYTES + 1, 0);
    } catch (error) {
      // A pipe has no positions. It stays open for `spool`, in the complete program, too.
      if ((error as NodeJS.ErrnoException).code === "ESPIPE") {
        leavePipe(path, fd);
        fd = -1;
      }
      return -1;
    } finally {
      if (fd >= 0) closeSync(fd);
    }
  }

  private makeRoom(): void {
    if (this.opened < this.limit) return;
    if (this.mayRaise) this.limit = Math.max(LEAST_INPUTS, (descriptorLimit() - OTHER_DESCRIPTORS) >> 1);
    this.mayRaise = false;
    if (this.opened >= this.limit) this.trim(this.limit >> 1);
  }

  /** Descriptors of those of `paths` that are open, -1 for the others. They stay open until reset: other threads read by them. */
  share(paths: readonly ByteString[]): number[] {
    let left = this.limit >> 1;
    return paths.map((path) => {
      const input = this.byPath.get(path);
      if (input === undefined || left === 0 || input.fd < 0) return -1;
      if (input.users === 0) left--;
      input.users++;
      return input.fd;
    });
  }

  /** Reads `paths` by descriptors that another thread keeps open (share). */
  adopt(paths: readonly ByteString[], descriptors: readonly number[]): void {
    paths.forEach((path, i) => {
      if (descriptors[i]! >= 0) this.adopted.set(path, descriptors[i]!);
    });
  }

  private openDescriptor(path: ByteString): number {
    const place = pathOf(path);
    this.makeRoom();
    try {
      return openSync(place, "r");
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "EMFILE" || code === "ENFILE") this.trim(this.opened >> 1);
      return guarded(() => openSync(place, "r"));
    }
  }
}

/** Descriptors that are not inputs: the output, Node's own. */
const OTHER_DESCRIPTORS = 48;
/** Inputs that are kept open even where the system allows next to nothing. */
const LEAST_INPUTS = 8;
/** Inputs that a worker keeps open besides those it reads by the main thread's descriptors. */
const WORKER_INPUTS = 16;

/** Descriptors that this process may have; Node raises the soft limit to the hard one when it starts. */
function descriptorLimit(): number {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** What a worker thread needs of the host. */
export function createWorkerIo(): NodeFiles {
  return new NodeFiles(WORKER_INPUTS);
}
