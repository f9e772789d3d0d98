/**
 * The bump allocator over the shared linear memory, and raw typed views of all of it.
 *
 * The main thread allocates tables; workers take blocks while a phase runs and get windows for scratch (pool.ts). Nothing is freed one by one; a phase
 * takes a mark and releases it so that touched pages are used again (first touch costs far more than re-reading a file).
 * Released memory is not zeroed: `alloc` hands out whatever was there, `allocZeroed` clears what has been used before.
 */
import { ARENA_ADDR, CTL_ARENA_TOP, CTL_ISSUES, CTL_REGION_END, CTL_REGION_TOP, CTL_WINDOW_TOP, GUARD_BYTES, WINDOW_UNIT } from "../../as-kernels/shared/abi.ts";
import type { ByteString } from "../args/link-options.ts";

export class OutOfMemory extends Error {}

export function outOfMemory(memory: WebAssembly.Memory): OutOfMemory {
  return new OutOfMemory(`the link needs more than ${Math.floor(memory.buffer.byteLength / 2 ** 20)} MiB of working memory`);
}

/** Node's methods for text, which any bytes have: a Buffer over the memory would be one more function that Node has to compile first. */
const node = typeof Buffer === "undefined" || !("latin1Slice" in Buffer.prototype) ? null : (Buffer.prototype as Buffer);

/** `N` numbers. */
type Numbers<N extends number, T extends number[] = []> = T["length"] extends N ? T : Numbers<N, [...T, number]>;

/** Views over the whole of a shared memory; what main thread and workers both have. */
export class MemoryViews {
  readonly memory: WebAssembly.Memory;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly u64: BigUint64Array;

  constructor(memory: WebAssembly.Memory) {
    const bytes = memory.buffer;
    this.memory = memory;
    this.u8 = new Uint8Array(bytes);
    this.u16 = new Uint16Array(bytes);
    this.u32 = new Uint32Array(bytes);
    this.i32 = new Int32Array(bytes);
    this.f64 = new Float64Array(bytes);
    this.u64 = new BigUint64Array(bytes);
  }

  /** View of `count` bytes at `address`. */
  bytes(address: number, count: number): Uint8Array {
    return this.u8.subarray(address, address + count);
  }

  /** The `count` u32 from `address` on, to be taken apart. */
  words<N extends number>(address: number, count: N): Numbers<N> {
    return this.u32.subarray(address >>> 2, (address >>> 2) + count) as Iterable<number> as Numbers<N>;
  }

  /** The `count` bytes at `address`, one character each. */
  string(address: number, count: number): ByteString {
    if (node !== null) return node.latin1Slice.call(this.u8, address, address + count);
    let text = "";
    for (let i = 0; i < count; i++) text += String.fromCharCode(this.u8[address + i]!);
    return text;
  }

  /** The NUL-terminated bytes at `address`; at most `limit`. */
  cstring(address: number, limit = Infinity): ByteString {
    const end = this.u8.indexOf(0, address);
    return this.string(address, Math.min(limit, (end < 0 ? this.u8.length : end) - address));
  }

  setString(address: number, text: ByteString): void {
    if (node !== null) {
      node.latin1Write.call(this.u8, text, address, text.length);
      return;
    }
    for (let i = 0; i < text.length; i++) this.u8[address + i] = text.charCodeAt(i);
  }
}

/** Stretches of memory, in bytes from its start. */
export type ArenaSpares = readonly { at: number; end: number }[];

/** Blocks from this size on may come from memory that was given back. */
const SPARE_BYTES = 1 << 16;

/** What is set aside is at most this part of it. */
const SPARE_PART = 16;

/** The region is at most this part of the address space that is left. */
const REGION_PART = 8;

export class Arena extends MemoryViews {
  /** Clears memory; a kernel does it much faster. */
  zero = (address: number, bytes: number): void => void this.u8.fill(0, address, address + bytes);
  /** Highest top ever: what may have been written to. */
  private highWater = ARENA_ADDR;
  /** Memory below the top that was given back. */
  private spare: { at: number; end: number }[] = [];
  private regionStart = 0;
  private readonly limit: number;

  constructor(memory: WebAssembly.Memory) {
    super(memory);
    this.limit = memory.buffer.byteLength - GUARD_BYTES;
    this.u32[CTL_ARENA_TOP >>> 2] = ARENA_ADDR;
  }

  /** Next free byte. In shared memory, because workers take blocks too (WorkerContext.alloc). */
  get top(): number {
    return this.u32[CTL_ARENA_TOP >>> 2]!;
  }

  /** Bytes between the top and the windows. */
  get free(): number {
    return Math.min(this.limit, this.u32[CTL_WINDOW_TOP >>> 2]! * WINDOW_UNIT || this.limit) - this.top;
  }

  /** Address of `bytes` bytes aligned to `align` (a power of two); contents are undefined where memory was used before. */
  alloc(bytes: number, align = 16): number {
    if (bytes >= SPARE_BYTES && this.spare.length > 0) {
      const spare = this.allocSpare(bytes, align);
      if (spare !== 0) return spare;
    }
    const at = Math.ceil(this.top / align) * align;
    // The top stays 16-aligned so that workers can add to it.
    const end = at + Math.ceil(bytes / 16) * 16;
    if (end > this.top + this.free) throw outOfMemory(this.memory);
    this.u32[CTL_ARENA_TOP >>> 2] = end;
    return at;
  }

  private allocSpare(bytes: number, align: number): number {
    for (const block of this.spare) {
      const at = Math.ceil(block.at / align) * align;
      if (at + bytes > block.end) continue;
      block.at = at + Math.ceil(bytes / 16) * 16;
      return at;
    }
    return 0;
  }

  /** Nobody uses these bytes any more: large blocks may come from them, because touching new memory costs more than anything done in it. */
  recycle(address: number, bytes: number): void {
    const last = this.spare.at(-1);
    if (last !== undefined && address >= last.end && address <= last.end + 16) last.end = address + bytes;
    else if (bytes > 0) this.spare.push({ at: address, end: address + bytes });
  }

  /**
   * What WorkerContext.allocRegion takes from for now: `wanted` bytes of address space, of which only what is used costs memory; fewer
   * where the memory is small.
   */
  openRegion(wanted: number): void {
    const bytes = Math.min(wanted, Math.floor((this.limit - this.top) / REGION_PART));
    const at = this.alloc(bytes);
    this.u32[CTL_REGION_TOP >>> 2] = at;
    this.u32[CTL_REGION_END >>> 2] = at + bytes;
    this.regionStart = at;
  }

  /** Nobody uses what is in the region any more: it is filled from its start again. */
  reuseRegion(): void {
    this.u32[CTL_REGION_TOP >>> 2] = this.regionStart;
  }

  /** As alloc, with all bytes 0. */
  allocZeroed(bytes: number, align = 16): number {
    const used = this.touched;
    const at = this.alloc(bytes, align);
    if (at < used) this.zero(at, Math.min(bytes, used - at));
    return at;
  }

  /** Problems that kernels have reported and nobody has worded yet. */
  get issues(): number {
    return this.u32[CTL_ISSUES >>> 2]!;
  }

  /** How much has been used, from its start. */
  get touched(): number {
    return Math.max(this.highWater, this.top);
  }

  mark(): number {
    return this.top;
  }

  release(mark: number): void {
    if (this.top > this.highWater) this.highWater = this.top;
    this.spare = this.spare.filter((block) => block.end <= mark);
    this.u32[CTL_ARENA_TOP >>> 2] = mark;
  }

  /** Address space of up to `bytes` bytes that nobody has touched yet, fewer where the memory is small. */
  setAside(bytes: number): { at: number; end: number } {
    const { spare } = this;
    this.spare = [];
    const some = Math.min(bytes, (this.limit - this.top) / SPARE_PART);
    const at = this.alloc(Math.floor(some / 16) * 16);
    this.spare = spare;
    return { at, end: this.top };
  }

  /** What memory below the top was given back and is not in use. */
  spares(): ArenaSpares {
    return this.spare.map((block) => ({ ...block }));
  }

  /** As `release` to the top of that time, with what was given back until then. */
  rewind(mark: number, spares: ArenaSpares): void {
    this.release(mark);
    this.spare = spares.map((block) => ({ ...block }));
  }

  /** Runs `work` with memory taken from `block`, which shrinks by it. When that was not enough, nothing in memory is to be trusted. */
  inside<T>(block: { at: number; end: number }, work: () => T): T {
    const { spare, top } = this;
    if (top > this.highWater) this.highWater = top;
    this.spare = [];
    this.u32[CTL_ARENA_TOP >>> 2] = block.at;
    try {
      return work();
    } finally {
      block.at = Math.ceil(this.top / 16) * 16;
      this.spare = spare;
      this.u32[CTL_ARENA_TOP >>> 2] = top;
      // What lay behind is lost.
      if (block.at > block.end) throw new OutOfMemory("memory that was set aside was too small");
    }
  }

  /** Address of a NUL-terminated copy of `text`. */
  put(text: ByteString): number {
    const at = this.alloc(text.length + 1, 1);
    this.setString(at, text);
    this.u8[at + text.length] = 0;
    return at;
  }
}
