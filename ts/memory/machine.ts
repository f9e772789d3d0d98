/**
 * What a link runs on: the shared memory, the kernels over it, the threads. One per link, or one for all links of a context
 * (api/context.ts), because memory that has been touched, compiled kernels and started workers are dear. For the same reason, the API
 * has small ones used again.
 *
 * Nothing of a link is left for the next but the bytes in memory, which count as unknown: what must be zero is made zero.
 */
import { ARENA_ADDR, CTL_ADDR, CTL_READY, CTL_WINDOW_TOP, TABLES_ADDR, WINDOW_UNIT } from "../../as-kernels/shared/abi.ts";
import { createMemory } from "../host/memory.ts";
import { Arena } from "./arena.ts";
import { noKernels, type Kernels } from "./kernels.ts";
import { Pool, type Phases, type WorkerIo } from "./pool.ts";
import { initTables, type Tables } from "./table.ts";

/** What files may have of the memory, or an output, and what is left for tables and windows. */
const SHARE = 1 / 4;

/** A machine that has used no more memory than a small program needs may wait for the next link with all of it. */
const SPARE_BYTES = 64 << 20;

/** What is made again grows: a block that it fits into the next time, too, is reserved once. */
const withRoom = (pages: number): number => pages + (pages >>> 4) + 1;

export class Machine {
  private readonly pages: number | undefined;
  private readonly grows: boolean | undefined;
  private reserved: Arena | null = null;
  /** Empty until they are instantiated. */
  readonly kernels: Kernels = noKernels();
  private pool: Pool | null = null;
  /** Files in memory: pages by address, how many in all, and blocks that were dropped. */
  private readonly kept = new Map<number, number>();
  private keptPages = 0;
  private readonly free: { at: number; pages: number }[] = [];
  private output: { at: number; pages: number } | null = null;
  private used = false;

  /** `pages`: how large the memory is, in 64 KiB; undefined = as large as can be. `grows`: Host.memoryGrows. */
  constructor(pages?: number, grows?: boolean) {
    this.pages = pages;
    this.grows = grows;
  }

  /** Reserved when it is first asked for: throws OutOfMemory where there is no address space left. */
  get arena(): Arena {
    return (this.reserved ??= new Arena(createMemory(this.pages, this.grows)));
  }

  /** The memory as if nothing had been linked yet, and its tables. */
  begin(io: WorkerIo, phases: Phases): { tables: Tables; pool: Pool } {
    const { arena, kernels, pool } = this;
    if (this.used) {
      // Windows stay where workers have them, and workers stay ready.
      const windows = pool === null ? 0 : arena.u32[CTL_WINDOW_TOP >>> 2]!;
      // Before its top is cleared with the other control words: what lies below it has been used.
      arena.release(ARENA_ADDR);
      arena.u8.fill(0, CTL_ADDR, pool === null ? TABLES_ADDR : CTL_READY);
      arena.u8.fill(0, TABLES_ADDR, ARENA_ADDR);
      arena.u32[CTL_WINDOW_TOP >>> 2] = windows;
      arena.release(ARENA_ADDR);
    }
    this.used = true;
    const tables = initTables(arena);
    if (pool !== null) {
      pool.begin(tables, io);
      return { tables, pool };
    }
    this.pool = new Pool(arena, tables, kernels, io, phases);
    return { tables, pool: this.pool };
  }

  /**
   * Puts a file where kernels can copy from: copying out of other memory is many times slower in V8 when it is not shared.
   * 0 = there is no room for it. Stays until `drop`.
   */
  keep(bytes: Uint8Array): number {
    const pages = Math.ceil(bytes.length / WINDOW_UNIT) || 1;
    if (withRoom(pages) + this.keptPages > this.share / WINDOW_UNIT) return 0;
    const fits = this.free.findIndex((block) => block.pages >= pages && block.pages <= 2 * pages);
    const [block = { at: this.reserve(withRoom(pages)), pages: withRoom(pages) }] = fits < 0 ? [] : this.free.splice(fits, 1);
    if (block.at === 0) return 0;
    this.keptPages += block.pages;
    this.kept.set(block.at, block.pages);
    this.arena.u8.set(bytes, block.at);
    return block.at;
  }

  drop(at: number): void {
    const pages = this.kept.get(at)!;
    this.kept.delete(at);
    this.keptPages -= pages;
    this.free.push({ at, pages });
  }

  /** Address of `bytes` bytes for the output, the same as before where they fit; 0 = there is no room. Contents are undefined. */
  outputMemory(bytes: number): number {
    const pages = Math.ceil(bytes / WINDOW_UNIT);
    if (this.output === null || this.output.pages < pages) {
      if (this.output !== null) this.free.push(this.output);
      const room = withRoom(pages);
      const at = room > this.share / WINDOW_UNIT ? 0 : this.reserve(room);
      this.output = at === 0 ? null : { at, pages: room };
    }
    return this.output?.at ?? 0;
  }

  private get share(): number {
    return this.arena.u8.length * SHARE;
  }

  /** Below the windows, which stay where they are, too; 0 = there is no room. */
  private reserve(pages: number): number {
    const { i32, top } = this.arena;
    const at = Atomics.sub(i32, CTL_WINDOW_TOP >>> 2, pages) - pages;
    if (at * WINDOW_UNIT > top + this.share) return at * WINDOW_UNIT;
    Atomics.add(i32, CTL_WINDOW_TOP >>> 2, pages);
    return 0;
  }

  /** Ends its workers. */
  stop(): void {
    this.pool?.stop();
  }

  /** The same, and forgets what it has; true = another link may have it: not much has been used, and no worker is still at work in its memory. */
  retire(): boolean {
    const { reserved, pool } = this;
    pool?.stop();
    this.pool = null;
    this.kept.clear();
    this.keptPages = 0;
    this.free.length = 0;
    this.output = null;
    if (reserved === null || pool?.leavesMemory === false) return false;
    return reserved.touched + reserved.u8.length - reserved.u32[CTL_WINDOW_TOP >>> 2]! * WINDOW_UNIT <= SPARE_BYTES;
  }
}
