/**
 * Workers and chunk claiming: the one phase protocol.
 *
 * A phase is a function of (worker context, chunk number). Chunks are claimed with an atomic counter in shared memory by
 * the main thread and by every worker that is ready; one that is still starting joins in the middle of a phase. One Comlink
 * call per worker and phase carries the phase's name and arguments; nothing is sent per chunk. With one thread no worker
 * exists and a phase is a plain loop.
 */
import * as Comlink from "comlink";
import { CTL_ARENA_TOP, CTL_CHUNKS, CTL_NEXT, CTL_READY, CTL_REGION_END, CTL_REGION_TOP, CTL_STOP, CTL_WINDOW_TOP, GUARD_BYTES, WINDOW_UNIT } from "../../as-kernels/shared/abi.ts";
import { CHDR_BYTES, ELFCOMPRESS_ZLIB, ZDEBUG_BYTES } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Digest, DigestAlgorithm } from "../host/host.ts";
import { MemoryViews, outOfMemory, type Arena } from "./arena.ts";
import { errorOf, failureOf, ReadFailed, type Failure } from "./failure.ts";
import { instantiateKernels, type Kernels, type KernelModule } from "./kernels.ts";
import { attachTables, Params, type Tables } from "./table.ts";

/** Reading inputs and writing the output, as workers see it. */
export interface WorkerIo {
  /** On a worker: the memory it works in from now on, and the kernels over it. */
  attach?(memory: WebAssembly.Memory, kernels: Kernels): void;
  /** Reads up to `target.length` bytes at `position` of the file `path` into `target`; bytes read. */
  readAt(path: ByteString, target: Uint8Array, position: number): number;
  /** The same to `bytes` bytes at `address` of `memory`, where making a view for each read can be saved. */
  readMemory?(path: ByteString, memory: Uint8Array, address: number, bytes: number, position: number): number;
  /** Writes all of `bytes` at `position` of the open descriptor `fd`. */
  writeAt(fd: number, bytes: Uint8Array, position: number): void;
  /** Reads up to `into.length` bytes at `position` of an open descriptor, also of the output's; bytes read, 0 at the end. `into` may lie in shared memory. */
  read(fd: number, into: Uint8Array, position: number): number;
  digest(algorithm: DigestAlgorithm): Digest;
  /** Handles of those of `paths` that are open, -1 for the others, which another thread's `adopt` reads by. They stay open for the rest of the link. */
  share?(paths: readonly ByteString[]): number[];
  adopt?(paths: readonly ByteString[], handles: readonly number[]): void;
  /** Inflates `bytes` (ELFCOMPRESS_* `kind`) to exactly `size` bytes; throws when they are not that. */
  inflate(kind: number, bytes: Uint8Array, size: number): Uint8Array;
  /**
   * Compresses a piece of a section (ELFCOMPRESS_* `kind`, level 0 = default): raw deflate that ends on a byte (zlib), finished if `last`,
   * or a frame (zstd). Pieces may be put one behind the other. undefined = not available here.
   */
  deflate(kind: number, bytes: Uint8Array, level: number, last: boolean): Uint8Array | undefined;
}

/** The first two characters of "ZLIB", as a number. */
const ZL = 0x4c5a;

export type Phase = (w: WorkerContext, chunk: number) => void;
export type Phases = Record<string, Phase>;

/** The window that WorkerContext.span is in. It keeps its contents between phases; of the others every phase takes what it likes. */
export const SPAN_WINDOW = 8;
/** Address space, not memory: growing a window would leave the pages of the smaller one behind. */
const MIN_WINDOW = 1 << 21;
const DIGEST_BYTES = 1 << 20;

/** What a phase works with, on the main thread and on workers alike. */
export class WorkerContext extends MemoryViews {
  tables: Tables;
  readonly params: Params;
  readonly kernels: Kernels;
  io: WorkerIo;
  sources: ByteString[] = [];
  /** Arguments of the running phase. */
  args: number[] = [];
  /** What SPAN_WINDOW holds; whoever fills it says so or clears the path: bytes [from, to) of the file `path`, at `address`. */
  readonly span = { path: "", from: 0, to: 0, address: 0 };
  /** Parts of the output that this thread wrote, while params.writesNoted asks for them: from, to, from, to… */
  written: number[] = [];
  private readonly windows: { address: number; bytes: number }[] = [];

  constructor(memory: WebAssembly.Memory, kernels: Kernels, io: WorkerIo, tables?: Tables) {
    super(memory);
    this.kernels = kernels;
    this.io = io;
    this.tables = tables ?? attachTables(this);
    this.params = new Params(this);
  }

  /** Other files, or what is in them may be other than it was. */
  setSources(sources: ByteString[]): void {
    this.sources = sources;
    this.span.path = "";
  }

  /** Reads `bytes` bytes of a source into memory at `address`; throws ReadFailed when the file is shorter. */
  read(source: number, position: number, address: number, bytes: number): number {
    const path = this.sources[source]!;
    let done = 0;
    while (done < bytes) {
      const got = this.readSome(path, address + done, bytes - done, position + done);
      if (got <= 0) throw new ReadFailed(`${path}: file is shorter than it was`);
      done += got;
    }
    return done;
  }

  private readSome(path: ByteString, address: number, bytes: number, position: number): number {
    const { io, u8 } = this;
    return io.readMemory === undefined ? io.readAt(path, u8.subarray(address, address + bytes), position) : io.readMemory(path, u8, address, bytes, position);
  }

  /** Writes `bytes` bytes at `address` to `position` of the output, digested while they are in the cache if a build-id wants it. */
  write(fd: number, address: number, bytes: number, position: number): void {
    const before = this.params.get("replaced");
    if (before !== 0) this.eachDigest(before + position, bytes, position, this.kernels.undigestWrite);
    if (this.params.get("digests") !== 0) this.digest(address, bytes, position);
    if (this.params.get("writesNoted") !== 0) this.written.push(position, position + bytes);
    this.io.writeAt(fd, this.bytes(address, bytes), position);
  }

  /** Adds bytes of the output to params.digest. Kernel calls stay short, so that V8 can put optimised code in place between them. */
  digest(address: number, bytes: number, position: number): void {
    this.eachDigest(address, bytes, position, this.kernels.digestWrite);
  }

  private eachDigest(address: number, bytes: number, position: number, kernel: Kernels["digestWrite"]): void {
    for (let at = 0; at < bytes; at += DIGEST_BYTES) kernel(address + at, Math.min(DIGEST_BYTES, bytes - at), position + at);
  }

  /** Address of this worker's scratch window number `index`, at least `bytes` long. Growing it drops its contents. */
  window(index: number, bytes: number): number {
    const window = this.windows[index];
    if (window !== undefined && window.bytes >= bytes) return window.address;
    const size = Math.max(MIN_WINDOW, 2 ** Math.ceil(Math.log2(bytes + 64)));
    const pages = size / WINDOW_UNIT;
    const address = Atomics.sub(this.i32, CTL_WINDOW_TOP >>> 2, pages) - pages;
    if (address * WINDOW_UNIT < this.u32[CTL_ARENA_TOP >>> 2]!) {
      // Windows stay for the next link of a context, which may be smaller.
      Atomics.add(this.i32, CTL_WINDOW_TOP >>> 2, pages);
      throw outOfMemory(this.memory);
    }
    this.windows[index] = { address: address * WINDOW_UNIT, bytes: size };
    return address * WINDOW_UNIT;
  }

  /** Address of `bytes` new bytes that stay for the rest of the link, 16-aligned. Contents are undefined. */
  alloc(bytes: number): number {
    const size = Math.ceil(bytes / 16) * 16;
    // Nothing is taken where there is no room: the top says what has been used (Arena.release), and has 32 bits.
    for (;;) {
      const at = Atomics.load(this.i32, CTL_ARENA_TOP >>> 2);
      const end = (at >>> 0) + size;
      if (end > this.u32[CTL_WINDOW_TOP >>> 2]! * WINDOW_UNIT) throw outOfMemory(this.memory);
      if (Atomics.compareExchange(this.i32, CTL_ARENA_TOP >>> 2, at, end | 0) === at) return at >>> 0;
    }
  }

  /** The same out of the region (Arena.openRegion) as long as it has room. */
  allocRegion(bytes: number): number {
    const size = Math.ceil(bytes / 16) * 16;
    const end = this.u32[CTL_REGION_END >>> 2]!;
    if (this.u32[CTL_REGION_TOP >>> 2]! + size > end) return this.alloc(bytes);
    const at = Atomics.add(this.i32, CTL_REGION_TOP >>> 2, size) >>> 0;
    return at + size <= end ? at : this.alloc(bytes);
  }

  /** Reads a whole section, inflated if need be, to `address` (room for isec.size bytes). */
  contents(isec: number, address: number): void {
    const table = this.tables.isec;
    const size = table.size[isec]!;
    const source = this.tables.obj.source[table.obj[isec]!]!;
    if (table.compressed[isec] === 0) {
      this.read(source, table.sh_offset[isec]!, address, size);
      return;
    }
    const stored = table.compressed[isec]! - 1;
    const packed = new Uint8Array(stored);
    const position = table.sh_offset[isec]!;
    if (this.io.readAt(this.sources[source]!, packed, position) !== stored) throw new ReadFailed(`${this.sources[source]}: file is shorter than it was`);
    // "ZLIB" and the size: a .zdebug section, which has no Elf64_Chdr.
    const kind = packed[0]! | (packed[1]! << 8);
    this.u8.set(kind === ZL ? this.io.inflate(ELFCOMPRESS_ZLIB, packed.subarray(ZDEBUG_BYTES), size) : this.io.inflate(kind, packed.subarray(CHDR_BYTES), size), address);
  }

  /** Claims chunks of the announced phase until none is left, and calls `between` after each; how many there were. */
  claim(phase: Phase, args: number[], between: (() => void) | null = null): number {
    this.args = args;
    const chunks = this.u32[CTL_CHUNKS >>> 2]!;
    try {
      for (let claimed = 0; ; claimed++) {
        const chunk = Atomics.add(this.i32, CTL_NEXT >>> 2, 1);
        if (chunk >= chunks || Atomics.load(this.i32, CTL_STOP >>> 2) !== 0) return claimed;
        phase(this, chunk);
        between?.();
      }
    } catch (error) {
      Atomics.store(this.i32, CTL_STOP >>> 2, 1);
      throw error;
    }
  }
}

/** A worker's part in a phase. */
interface Done {
  chunks: number;
  /** WorkerContext.written. */
  written: number[];
}

/** What a worker offers over Comlink. */
export interface WorkerEndpoint {
  /** Sets the u32 at `ready` to 1 when it is done: the main thread is too busy to be told by message. */
  attach(memory: WebAssembly.Memory, module: KernelModule, ready: number): void;
  /** What it did, or what ended it. */
  run(phase: string, args: number[], sources: ByteString[] | null, handles: number[] | null): Done | Failure;
}

/** A started worker thread: the Comlink side and how to end it. */
export interface StartedWorker {
  endpoint: Comlink.Remote<WorkerEndpoint>;
  terminate(): void;
  /** While it is, the process stays; else an idle worker would keep one from ending. */
  busy?(on: boolean): void;
  /** `ended` is called when the thread ends by itself: it could not start, or had no memory left. */
  onEnd?(ended: (reason: Error) => void): void;
}

interface Member {
  worker: StartedWorker;
  /** Address of a u32 that the worker sets when it has attached. */
  ready: number;
  knowsSources: boolean;
  /** Why it takes no part any more; null = it does. */
  ended: Error | null;
  /** Fails what it has been asked for. */
  fail: (reason: Error) => void;
}

export class Pool {
  readonly self: WorkerContext;
  /** Small tests would be over before a thread has started: phases wait for all of them, and for one to have claimed a chunk. */
  patient = false;
  /** Chunks that workers did. */
  helped = 0;
  /** Threads that take part when all have started, or did before they were stopped. */
  threads = 1;
  /** No worker that was ended will touch the memory: all of them had attached. */
  leavesMemory = true;
  private readonly members: Member[] = [];
  private readonly phases: Phases;

  /** `tables`: the views that allocTable keeps fresh; the main thread works with them. */
  constructor(arena: Arena, tables: Tables, kernels: Kernels, io: WorkerIo, phases: Phases) {
    arena.u32[CTL_WINDOW_TOP >>> 2] = (arena.memory.buffer.byteLength - GUARD_BYTES) / WINDOW_UNIT;
    this.self = new WorkerContext(arena.memory, kernels, io, tables);
    this.phases = phases;
  }

  /** The next link of the same machine: workers stay, and know nothing of its files yet. */
  begin(tables: Tables, io: WorkerIo): void {
    this.self.tables = tables;
    this.self.io = io;
    this.setSources([]);
  }

  /** Phases read from these files from now on. */
  setSources(sources: ByteString[]): void {
    this.self.setSources(sources);
    for (const member of this.members) member.knowsSources = false;
  }

  /** Adds workers; they join phases as soon as they have attached. */
  start(workers: StartedWorker[], module: KernelModule): void {
    for (const worker of workers) {
      const member: Member = { worker, ready: CTL_READY + 4 * this.members.length, knowsSources: false, ended: null, fail: () => undefined };
      this.members.push(member);
      this.threads++;
      worker.onEnd?.((reason) => {
        member.ended = reason;
        member.fail(reason);
      });
      // One that cannot attach never gets ready: the others do its chunks.
      worker.endpoint.attach(this.self.memory, module, member.ready).catch(() => undefined);
    }
  }

  /** Runs phase `name` over `chunks` chunks on all ready threads; resolves when every chunk is done. */
  run(name: string, chunks: number, ...args: number[]): Promise<void> {
    return this.runPhase(null, name, chunks, args);
  }

  /**
   * The same while this thread does something else first, which neither needs nor disturbs the phase: it runs no other, and the phase
   * takes no memory from the arena (WorkerContext.alloc), which `work` may give back.
   */
  runWhile(work: () => void, name: string, chunks: number, ...args: number[]): Promise<void> {
    return this.runPhase(work, name, chunks, args);
  }

  /** A phase for which the others lack something: this thread does all chunks. */
  runAlone(name: string, chunks: number, ...args: number[]): void {
    this.beginPhase(chunks);
    this.self.claim(this.phases[name]!, args);
  }

  private beginPhase(chunks: number): void {
    const { u32 } = this.self;
    u32[CTL_NEXT >>> 2] = 0;
    u32[CTL_CHUNKS >>> 2] = chunks;
    u32[CTL_STOP >>> 2] = 0;
  }

  private async runPhase(work: (() => void) | null, name: string, chunks: number, args: number[]): Promise<void> {
    const phase = this.phases[name];
    if (phase === undefined) throw new Error(`no phase ${name}`);
    const views = this.self;
    this.beginPhase(chunks);
    const running: Promise<void>[] = [];
    let waiting = chunks > (work === null ? 1 : 0) ? this.members.filter((member) => member.ended === null) : [];
    // Workers that are still starting join as soon as they can.
    const join = (): void => {
      if (waiting.length === 0) return;
      const ready = waiting.filter((member) => Atomics.load(views.i32, member.ready >>> 2) === 1);
      if (ready.length === 0) return;
      waiting = waiting.filter((member) => !ready.includes(member));
      for (const member of ready) running.push(this.ask(member, name, args));
    };
    if (this.patient) this.awaitReady(waiting);
    join();
    if (this.patient && running.length > 0) this.awaitClaim();
    let failure: unknown;
    try {
      work?.();
      this.self.claim(phase, args, join);
    } catch (error) {
      Atomics.store(views.i32, CTL_STOP >>> 2, 1);
      failure = error;
    }
    for (const result of running.length === 0 ? [] : await Promise.allSettled(running)) {
      if (result.status === "rejected") failure ??= result.reason;
    }
    if (failure !== undefined) throw failure;
  }

  /** Where the calling thread may sleep. Ten seconds at most: a thread may fail to start. */
  private awaitReady(members: Member[]): void {
    for (const { ready } of members) Atomics.wait(this.self.i32, ready >>> 2, 0, 10_000);
  }

  private awaitClaim(): void {
    const { i32 } = this.self;
    for (let i = 0; i < 20_000 && Atomics.load(i32, CTL_NEXT >>> 2) === 0; i++) Atomics.wait(i32, CTL_NEXT >>> 2, 0, 0.05);
  }

  private ask(member: Member, phase: string, args: number[]): Promise<void> {
    const sources = member.knowsSources ? null : this.self.sources;
    member.knowsSources = true;
    const { endpoint, busy } = member.worker;
    const handles = sources === null ? null : (this.self.io.share?.(sources) ?? null);
    busy?.(true);
    const done = new Promise<void>((resolve, reject) => {
      member.fail = (reason) => reject(new Error(`a thread has ended: ${reason.message}`));
      endpoint.run(phase, args, sources, handles).then((done) => {
        if (!("chunks" in done)) return reject(errorOf(done));
        this.helped += done.chunks;
        for (const end of done.written) this.self.written.push(end);
        resolve();
      }, reject);
    });
    return done.finally(() => busy?.(false));
  }

  /** Not while a phase runs. */
  stop(): void {
    this.leavesMemory &&= this.members.every(({ ready, ended }) => ended === null && Atomics.load(this.self.i32, ready >>> 2) === 1);
    for (const { worker } of this.members) {
      // What a thread has not answered (it may end before it has started) would keep its callers, and so this memory, for ever.
      worker.endpoint[Comlink.releaseProxy]();
      worker.terminate();
    }
    this.members.length = 0;
  }
}

/** The worker side: what an entry file exposes. */
export function serve(io: WorkerIo, phases: Phases): WorkerEndpoint {
  let self: WorkerContext | undefined;
  return {
    attach(memory, module, ready) {
      self = new WorkerContext(memory, instantiateKernels(module, memory), io);
      io.attach?.(memory, self.kernels);
      Atomics.store(self.i32, ready >>> 2, 1);
      Atomics.notify(self.i32, ready >>> 2);
    },
    run(name, args, sources, handles) {
      if (self === undefined) throw new Error("phase before attach");
      if (sources !== null) self.setSources(sources);
      if (sources !== null && handles !== null) io.adopt?.(sources, handles);
      self.tables = attachTables(self);
      try {
        const chunks = self.claim(phases[name]!, args);
        return { chunks, written: self.written.splice(0) };
      } catch (error) {
        return failureOf(error);
      }
    },
  };
}
