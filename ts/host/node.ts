/**
 * The host on Node: the file system, worker threads, this process. With cli.ts the only place that touches `process`.
 *
 * Builtin modules that most links never need (zlib, crypto, worker_threads) are loaded on first use with the `require` that
 * the bundles have, and standard output is written by descriptor, because each of them costs milliseconds of start-up.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, readdirSync, readlinkSync, readSync, realpathSync, statSync } from "node:fs";
import type { ByteString } from "../args/link-options.ts";
import { decoded, utf8, type Write } from "../memory/text.ts";
import { cgroupQuota } from "./cgroup.ts";
import { CALL_BYTES_MAX, guarded, hostError } from "./errno.ts";
import { isDirectory, isFile } from "./file-kind.ts";
import { startFolder } from "./handed-over.ts";
import { HostError, tooLarge, WHOLE_BYTES_MAX, type Digest, type DigestAlgorithm, type FileStat, type Host, type OutputFile, type OutputOptions } from "./host.ts";
import { NodeCompute, type NodeWorker } from "./node-compute.ts";
import { NodeFiles, pathOf } from "./node-files.ts";
import { beComplete } from "./complete-program.ts";
import { runCommand } from "./run-command.ts";
import { checkWritable, openOutput } from "./node-output.ts";
import { unlinkIfThere } from "./output-base.ts";
import { readStream } from "./pipe.ts";
import { printText, writeAll } from "./print.ts";
import type { Platform } from "./virtual.ts";

/** Descriptors of inputs kept open before the system is asked how many it allows. */
const OPEN_INPUTS = 64;
/** Age of a process up to which it does not wait for signals. */
const QUICK_SECONDS = 0.1;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * The arguments after the script, as bytes. Node decodes argv as UTF-8 and loses what is not; /proc has the original.
 */
export function argumentBytes(): ByteString[] {
  const decoded = process.argv.slice(2);
  if (!decoded.some((argument) => argument.includes("\ufffd"))) return decoded.map(utf8);
  try {
    const all = readFileSync("/proc/self/cmdline").toString("latin1").split("\0");
    all.pop();
    if (all.length >= decoded.length) return all.slice(all.length - decoded.length);
  } catch {
    // No /proc here: what Node gives is all there is.
  }
  return decoded.map(utf8);
}

/** In Deno every thread has descriptors of its own. */
const threadsShareDescriptors = (): boolean => !("deno" in process.versions);

/** chdir(2), which Node has for names that are UTF-8 only. */
function enterFolder(path: ByteString): void {
  const name = decoded(path);
  if (!name.includes("\ufffd")) return process.chdir(name);
  const fd = openSync(pathOf(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    process.chdir(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

/** A regular file of about `size` bytes. readFileSync would do, but Node has to compile it first. */
function readWhole(path: string | Buffer, size: number, atMost: number): Uint8Array {
  if (size > atMost) throw tooLarge();
  const fd = openSync(path, "r");
  try {
    let bytes = new Uint8Array(size + 1);
    for (let end = 0; ; ) {
      const count = readSync(fd, bytes, end, Math.min(bytes.length - end, CALL_BYTES_MAX), end);
      if (count === 0) return bytes.subarray(0, end);
      end += count;
      if (end > atMost) throw tooLarge();
      if (end < bytes.length) continue;
      const longer = new Uint8Array(Math.min(2 * end, atMost + 1));
      longer.set(bytes);
      bytes = longer;
    }
  } finally {
    closeSync(fd);
  }
}

class NodeHost implements Host {
  /** The process is ours alone, and so are its settings. */
  private readonly program: boolean;
  private readonly files = new NodeFiles(OPEN_INPUTS, true);
  private readonly compute: NodeCompute;
  private readonly outputs = new Set<OutputFile>();
  /** Files of other programs that end with the link. */
  private readonly temporary: ByteString[] = [];
  private processors = 0;
  private isListening = false;
  private readonly onSignal = (signal: NodeJS.Signals): void => {
    this.cleanUp();
    process.kill(process.pid, signal);
  };

  readonly readsAreCalls: boolean;
  readonly inputBytes: number;
  /** V8. */
  readonly memoryGrows = !("bun" in process.versions);

  constructor(program: boolean, inputBytes: number, startFlags: readonly string[]) {
    this.program = program;
    this.compute = new NodeCompute(program, startFlags, process);
    this.readsAreCalls = program;
    this.inputBytes = inputBytes;
  }

  get cpus(): number {
    if (this.processors === 0) {
      const os = require("node:os") as typeof import("node:os");
      this.processors = Math.max(1, Math.min(os.availableParallelism(), Math.ceil(cgroupQuota())));
    }
    return this.processors;
  }

  /** The output is written by its descriptor. */
  get maxThreads(): number | undefined {
    return threadsShareDescriptors() ? undefined : 1;
  }

  // ---- files ----

  stat(path: ByteString): FileStat | undefined {
    try {
      const stat = statSync(pathOf(path), { throwIfNoEntry: false });
      if (stat === undefined) return undefined;
      return {
        kind: isFile(stat) ? "file" : isDirectory(stat) ? "directory" : "other",
        bytes: stat.size,
        identity: `${stat.dev}:${stat.ino}`,
        modified: stat.mtimeMs,
      };
    } catch {
      return undefined;
    }
  }

  exists(path: ByteString): boolean {
    return this.files.exists(path);
  }

  readAll(path: ByteString, atMost = WHOLE_BYTES_MAX): Uint8Array {
    const place = pathOf(path);
    return guarded(() => {
      const stat = statSync(place);
      return isFile(stat) ? readWhole(place, stat.size, atMost) : readStream(place, atMost);
    });
  }

  readdir(path: ByteString): ByteString[] {
    return this.namesIn(path) ?? [];
  }

  namesIn(path: ByteString): ByteString[] | undefined {
    try {
      return readdirSync(pathOf(path), { encoding: "buffer" }).map((name) => name.toString("latin1"));
    } catch {
      return undefined;
    }
  }

  open(path: ByteString): number {
    return this.files.open(path);
  }

  reopen(path: ByteString): ByteString {
    return this.files.reopen(path);
  }

  unnamed(bytes: Uint8Array): ByteString {
    return this.files.unnamed(bytes);
  }

  size(fd: number): number {
    return this.files.size(fd);
  }

  read(fd: number, into: Uint8Array, position: number): number {
    return this.files.read(fd, into, position);
  }

  close(fd: number): void {
    this.files.close(fd);
  }

  readAt(path: ByteString, target: Uint8Array, position: number): number {
    return this.files.readAt(path, target, position);
  }

  readMemory(path: ByteString, memory: Uint8Array, address: number, bytes: number, position: number): number {
    return this.files.readMemory(path, memory, address, bytes, position);
  }

  writeAt(fd: number, bytes: Uint8Array, position: number): void {
    this.files.writeAt(fd, bytes, position);
  }

  share(paths: readonly ByteString[]): number[] {
    return threadsShareDescriptors() ? this.files.share(paths) : paths.map(() => -1);
  }

  inflate(kind: number, bytes: Uint8Array, size: number): Uint8Array {
    return this.files.inflate(kind, bytes, size);
  }

  realpath(path: ByteString): ByteString {
    try {
      return realpathSync.native(pathOf(path), { encoding: "buffer" }).toString("latin1");
    } catch {
      return path;
    }
  }

  cwd(): ByteString {
    return guarded(() => {
      const folder = process.cwd();
      return folder.includes("\ufffd") ? readlinkSync("/proc/self/cwd", "buffer").toString("latin1") : utf8(folder);
    });
  }

  writeText(path: ByteString, fill: (write: Write) => void): void {
    const writeTo = (fd: number): void => fill((part) => writeAll(fd, Buffer.from(part, "latin1")));
    guarded(() => {
      if (path === "-") return writeTo(1);
      const there = statSync(pathOf(path), { throwIfNoEntry: false });
      if (there !== undefined && isFile(there) && this.files.isInput(there)) throw new HostError("EINVAL", "it is also an input file");
      const fd = openSync(pathOf(path), "w");
      try {
        writeTo(fd);
      } finally {
        closeSync(fd);
      }
    });
  }

  execute(program: ByteString, args: readonly ByteString[], folder?: ByteString, quiet = false): ReturnType<Host["execute"]> {
    const { spawnSync } = require("node:child_process") as typeof import("node:child_process");
    const cwd = folder === undefined ? {} : { cwd: decoded(folder) };
    const done = spawnSync(decoded(program), args.map(decoded), { ...cwd, stdio: ["ignore", "pipe", quiet ? "pipe" : "inherit"], maxBuffer: 1 << 28, encoding: "latin1" });
    if (done.error !== undefined) throw hostError(done.error);
    return { status: done.status ?? 1, output: done.stdout, errors: done.stderr ?? "" };
  }

  changeDirectory(folders: readonly ByteString[]): void {
    guarded(() => {
      for (const folder of [startFolder(() => this.currentFolder()), ...folders]) if (folder !== "") enterFolder(folder);
    });
  }

  /** "" = it has been removed, and nobody can come back to it. */
  private currentFolder(): ByteString {
    try {
      return this.cwd();
    } catch {
      return "";
    }
  }

  runCommand(args: readonly ByteString[]): Promise<number> {
    return runCommand(import.meta.dirname, [process.execPath, process.argv[1] ?? ""], process, args.map(decoded));
  }

  removeAtEnd(paths: readonly ByteString[]): void {
    this.temporary.push(...paths);
    this.listen();
  }

  // ---- the output ----

  checkWritable(path: ByteString, replaced: boolean): void {
    checkWritable(path, replaced);
  }

  createOutput(path: ByteString, options: OutputOptions): OutputFile {
    let output: OutputFile;
    try {
      // The handlers come first: a signal between the two would leave the temporary file behind. What waits for a reader has none to wait in.
      output = openOutput(path, options, { pid: process.pid, uid: process.geteuid?.(), umask: () => process.umask() }, this.files, () => this.listen(true));
    } catch (error) {
      this.listen();
      throw error;
    }
    this.outputs.add(output);
    const ended = (): void => {
      this.outputs.delete(output);
      this.listen();
    };
    return {
      fd: output.fd,
      truncate: (bytes) => output.truncate(bytes),
      write: (bytes, position) => output.write(bytes, position),
      read: (into, position) => output.read(into, position),
      ...(output.clearGaps === undefined ? {} : { clearGaps: (written: readonly number[]) => output.clearGaps!(written) }),
      commit: () => {
        try {
          output.commit();
        } finally {
          ended();
        }
      },
      abort: () => {
        output.abort();
        ended();
      },
    };
  }

  createSideFile(path: ByteString, bytes: number): OutputFile {
    const output = this.createOutput(path, { mode: 0o666 });
    output.truncate(bytes);
    return output;
  }

  /** While there is something to clean up, signals do that before they end the process. */
  private listen(on = this.outputs.size + this.temporary.length > 0): void {
    if (on === this.isListening) return;
    this.isListening = on;
    for (const signal of SIGNALS) {
      if (on) process.on(signal, this.onSignal);
      else process.off(signal, this.onSignal);
    }
  }

  private cleanUp(): void {
    for (const output of this.outputs) output.abort();
    this.outputs.clear();
    for (const path of this.temporary.splice(0)) unlinkIfThere(path);
    this.listen();
  }

  /** A program that has just started and is about to end finishes rather than looks for signals. */
  turn(): Promise<void> {
    if (process.uptime() < QUICK_SECONDS) return Promise.resolve();
    return new Promise((done) => setImmediate(done));
  }

  // ---- compute ----

  optimise(things: number): void {
    this.compute.optimise(things);
  }

  beComplete(): void {
    if (this.program) beComplete();
  }

  expectReports(): void {
    this.compute.expectReports();
  }

  expectLargeLink(bytes: number): void {
    this.compute.expectLargeLink(bytes);
  }

  kernels(debug = false): WebAssembly.Module {
    return this.compute.kernels(debug);
  }

  startWorker(file = "worker.js"): NodeWorker {
    return this.compute.startWorker(file);
  }

  deflate(kind: number, bytes: Uint8Array, level: number, last: boolean): Uint8Array | undefined {
    return this.files.deflate(kind, bytes, level, last);
  }

  loadZstd(): Promise<boolean> {
    return this.files.loadZstd();
  }

  digest(algorithm: DigestAlgorithm): Digest {
    return this.files.digest(algorithm);
  }

  random(into: Uint8Array): void {
    const crypto = require("node:crypto") as typeof import("node:crypto");
    into.set(crypto.randomBytes(into.length));
  }

  // ---- the process ----

  env(name: string): ByteString | undefined {
    const value = process.env[name];
    return value === undefined ? undefined : utf8(value);
  }

  now(): number {
    return process.uptime() * 1e3;
  }

  peakMemory(): number {
    return process.resourceUsage().maxRSS * 1024;
  }

  print(stream: "out" | "err", text: ByteString): void {
    printText(stream, text);
  }

  isTerminal(stream: "out" | "err"): boolean {
    const fd = stream === "out" ? 1 : 2;
    try {
      if (!fstatSync(fd).isCharacterDevice()) return false;
    } catch {
      return false;
    }
    // Loads the network stack, so only where there may be a terminal.
    return (require("node:tty") as typeof import("node:tty")).isatty(fd);
  }

  release(): void {
    this.cleanUp();
    this.files.reset();
  }
}

/** What links through the API need of this runtime besides files; keeps the compiled kernels. */
export function createNodePlatform(): Platform {
  const host = new NodeHost(false, 0, []);
  return {
    get cpus() {
      return host.cpus;
    },
    expectLargeLink: () => undefined,
    memoryGrows: host.memoryGrows,
    kernels: (debug) => host.kernels(debug),
    startWorker: () => host.startWorker("worker-api.js"),
    digest: (algorithm) => host.digest(algorithm),
    random: (into) => host.random(into),
    inflate: (kind, bytes, size) => host.inflate(kind, bytes, size),
    deflate: (kind, bytes, level, last) => host.deflate(kind, bytes, level, last),
    loadZstd: () => host.loadZstd(),
    now: () => performance.now(),
    peakMemory: () => host.peakMemory(),
  };
}

/** `program`: this process does nothing but link, so V8's settings are ours to choose. */
export function createNodeHost(program = false, inputBytes = 0, v8Flags: readonly string[] = []): Host {
  return new NodeHost(program, inputBytes, v8Flags);
}
