/**
 * --compress-debug-sections and --compress-sections: output sections that are not loaded are stored deflated.
 *
 * Runs after resolve-addresses, because contents depend on addresses, and before writing, because offsets behind them depend on the
 * compressed sizes. Every window of a section is made, relocated and compressed by one thread and forgotten (a shard); shards of
 * one section follow one another in its stream, so only compressed bytes are kept. A section whose windows do not simply follow
 * one another (scripts' data between contents, merged strings beside others) is put together in memory first, and so is all
 * that -r compresses.
 */
import { CHDR_BYTES, ELFCOMPRESS_ZLIB, ELFCOMPRESS_ZSTD, SHF_COMPRESSED } from "../../as-kernels/shared/elf.ts";
import type { Compression } from "../args/link-options.ts";
import type { Context, OutputSection } from "../context.ts";
import type { Phases, WorkerContext } from "../memory/pool.ts";
import { placeInFile } from "./assign-addresses.ts";
import { noCompression, wantedSections, type Wanted } from "./wanted-compression.ts";
import { writeSectionBytes } from "./script/script-output.ts";
import { writeMerged } from "./write-merged.ts";
import { cutWindows, makeSections, makeWindow, WINDOW_ROW } from "./write-output.ts";

/** Sections are compressed in parts of about this size, as lld does. */
const SHARD_BYTES = 1 << 20;
/** RFC 1950: deflate with a 32 KiB window, fastest. The level does not matter to readers. */
const ZLIB_HEADER = [0x78, 0x01];
const KINDS = { zlib: ELFCOMPRESS_ZLIB, zstd: ELFCOMPRESS_ZSTD } as const;

/** u32 cells of a shard: source, what it is made from, level, kind, last of its section, address, bytes, checksum; then f64 from, to. */
const SHARD_ROW = 48;
const FROM_WINDOW = 0;
const FROM_MERGED = 1;
const FROM_MEMORY = 2;
/** osec.memory of a section that is finished: nothing of it goes to the file any more but what is in `ready`. */
const ELSEWHERE = 1;

/** Contents of a shard: address and bytes from there on, which may be fewer than it covers. */
function makeShard(w: WorkerContext, source: number, subject: number, from: number, to: number): { address: number; bytes: number } {
  if (source === FROM_MEMORY) return { address: subject + from, bytes: to - from };
  if (source === FROM_WINDOW) {
    const { window, bytes } = makeWindow(w, subject);
    return { address: window, bytes };
  }
  const start = w.tables.msec.outOffset[subject]!;
  const bytes = Math.min(to - from, w.tables.msec.size[subject]! - (from - start));
  const address = w.window(3, bytes + 16);
  writeMerged(w, subject, from - start, from - start + bytes, address);
  return { address, bytes };
}

/** Phase: one shard. Argument: address of the shard rows. */
function compressPhase(w: WorkerContext, chunk: number): void {
  const row = w.args[0]! + chunk * SHARD_ROW;
  const [source, subject, level, kind, last] = w.words(row, 5);
  const [from, to] = [w.f64[(row >>> 3) + 4]!, w.f64[(row >>> 3) + 5]!];
  let { address, bytes } = makeShard(w, source, subject, from, to);
  if (bytes < to - from) {
    const padded = w.window(4, to - from + 16);
    w.kernels.fillBytes(padded, 0, to - from);
    w.kernels.copyMemory(padded, address, bytes);
    [address, bytes] = [padded, to - from];
  }
  const packed: Uint8Array[] = [];
  for (let at = 0; at < bytes; at += SHARD_BYTES) {
    const size = Math.min(SHARD_BYTES, bytes - at);
    packed.push(w.io.deflate(kind, w.bytes(address + at, size), level, last !== 0 && at + size === bytes)!);
  }
  const total = packed.reduce((sum, part) => sum + part.length, 0);
  let place = w.alloc(total);
  w.u32[(row >>> 2) + 5] = place;
  w.u32[(row >>> 2) + 6] = total;
  w.u32[(row >>> 2) + 7] = kind === ELFCOMPRESS_ZLIB ? w.kernels.adler32(address, bytes) : 0;
  for (const part of packed) {
    w.u8.set(part, place);
    place += part.length;
  }
}

export const COMPRESS_PHASES: Phases = { "compress-sections": compressPhase };

interface Shard {
  source: number;
  subject: number;
  from: number;
  to: number;
}

/** A section on its way: its shards are rows [first, end) of the list. */
interface Job {
  osec: OutputSection;
  as: Compression;
  first: number;
  end: number;
}

export async function compressSections(ctx: Context): Promise<void> {
  const jobs: Job[] = [];
  const shards: Shard[] = [];
  const whole: OutputSection[] = [];
  for (const { osec, as } of wantedSections(ctx, ctx.osecs)) {
    const own = shardsOf(ctx, osec);
    if (own === null) whole.push(osec);
    const first = shards.length;
    shards.push(...(own ?? inMemory(ctx, osec)));
    jobs.push({ osec, as, first, end: shards.length });
  }
  if (whole.length > 0) await makeWhole(ctx, whole);
  await pack(ctx, jobs, shards);
  placeInFile(ctx);
}

/** Compresses sections whose contents `make` puts to the zeros at osec.memory; those that got smaller have `ready`. */
export async function compressInMemory(ctx: Context, wanted: Wanted[], make: () => Promise<void>): Promise<void> {
  const jobs: Job[] = [];
  const shards: Shard[] = [];
  for (const { osec, as } of wanted) {
    const first = shards.length;
    shards.push(...inMemory(ctx, osec));
    jobs.push({ osec, as, first, end: shards.length });
  }
  await make();
  for (const { osec } of wanted) ctx.tables.osec.memory[osec.id] = 0;
  await pack(ctx, jobs, shards);
}

async function pack(ctx: Context, jobs: Job[], shards: Shard[]): Promise<void> {
  const alone = await loadMissing(ctx, jobs);
  const rows = putShards(ctx, jobs, shards);
  if (alone) ctx.pool.runAlone("compress-sections", shards.length, rows);
  else await ctx.pool.run("compress-sections", shards.length, rows);
  ctx.checkIssues();
  for (const job of jobs) take(ctx, job, shards, rows);
}

/** Loads what the runtime does not have, which other threads do not have then, either: true, also when an earlier link has loaded it. */
async function loadMissing({ diag, host }: Context, jobs: Job[]): Promise<boolean> {
  const alone = jobs.some(({ as }) => as.kind === "zstd") && (await host.loadZstd?.()) === true;
  const job = jobs.find(({ as }) => host.deflate(KINDS[as.kind as "zlib" | "zstd"], new Uint8Array(1), 0, true) === undefined);
  if (job !== undefined) noCompression(diag, job);
  return alone;
}

/** The windows and merged parts of a section in order, each reaching to the next; null when they overlap or it holds more. */
function shardsOf(ctx: Context, osec: OutputSection): Shard[] | null {
  const { tables, arena, plan } = ctx;
  const parts = plan?.sections.find((section) => section.osec === osec)?.parts ?? [];
  if (parts.some((part) => part.kind === "data")) return null;
  const shards: Shard[] = [];
  const { address, count } = cutWindows(ctx, [osec], SHARD_BYTES);
  for (let i = 0; i < count; i++) {
    const cell = (address + i * WINDOW_ROW) >>> 3;
    shards.push({ source: FROM_WINDOW, subject: address + i * WINDOW_ROW, from: arena.f64[cell + 2]!, to: arena.f64[cell + 3]! });
  }
  for (let m = tables.osec.msec[osec.id]!; m !== 0; m = tables.msec.next[m]!) {
    const start = tables.msec.outOffset[m]!;
    const end = start + tables.msec.size[m]!;
    for (let from = start; from < end; from += SHARD_BYTES) shards.push({ source: FROM_MERGED, subject: m, from, to: Math.min(end, from + SHARD_BYTES) });
  }
  shards.sort((a, b) => a.from - b.from);
  if (shards.length === 0 || shards[0]!.from !== 0) return null;
  for (let i = 0; i < shards.length; i++) {
    const next = shards[i + 1]?.from ?? osec.size;
    if (next < shards[i]!.to) return null;
    shards[i]!.to = next;
  }
  return shards;
}

/** Room for a section that is put together in memory, and its shards. */
function inMemory({ tables, arena }: Context, osec: OutputSection): Shard[] {
  const subject = arena.allocZeroed(osec.size + 16);
  tables.osec.memory[osec.id] = subject;
  const count = Math.ceil(osec.size / SHARD_BYTES);
  return Array.from({ length: count }, (_, i) => ({ source: FROM_MEMORY, subject, from: i * SHARD_BYTES, to: Math.min(osec.size, (i + 1) * SHARD_BYTES) }));
}

async function makeWhole(ctx: Context, osecs: OutputSection[]): Promise<void> {
  const { tables, arena, plan } = ctx;
  await makeSections(ctx, osecs);
  for (const osec of osecs) {
    const at = tables.osec.memory[osec.id]!;
    const section = plan?.sections.find((candidate) => candidate.osec === osec);
    if (section !== undefined) writeSectionBytes(ctx, section, (bytes, offset) => arena.u8.set(bytes, at + offset));
    tables.osec.memory[osec.id] = 0;
  }
}

function putShards({ arena }: Context, jobs: Job[], shards: Shard[]): number {
  const rows = arena.allocZeroed(shards.length * SHARD_ROW + 16);
  for (const { as, first, end } of jobs) {
    for (let i = first; i < end; i++) {
      const { source, subject, from, to } = shards[i]!;
      const cell = (rows + i * SHARD_ROW) >>> 2;
      arena.u32.set([source, subject, as.level, KINDS[as.kind as "zlib" | "zstd"], i === end - 1 ? 1 : 0], cell);
      arena.f64[(cell >>> 1) + 4] = from;
      arena.f64[(cell >>> 1) + 5] = to;
    }
  }
  return rows;
}

/** The finished section: header, stream, checksum; left as it is when that would be no smaller. */
function take(ctx: Context, { osec, as, first, end }: Job, shards: Shard[], rows: number): void {
  const { arena, kernels, tables } = ctx;
  const kind = KINDS[as.kind as "zlib" | "zstd"];
  const head = new Uint8Array(CHDR_BYTES + (kind === ELFCOMPRESS_ZLIB ? ZLIB_HEADER.length : 0));
  const view = new DataView(head.buffer);
  view.setUint32(0, kind, true);
  view.setBigUint64(8, BigInt(osec.size), true);
  view.setBigUint64(16, 1n << BigInt(osec.align), true);
  if (kind === ELFCOMPRESS_ZLIB) head.set(ZLIB_HEADER, CHDR_BYTES);
  const ready: Uint8Array[] = [head];
  let checksum = 1;
  for (let i = first; i < end; i++) {
    const [address, bytes, own] = arena.words(rows + i * SHARD_ROW + 20, 3);
    ready.push(arena.bytes(address, bytes));
    checksum = kernels.joinAdler32(checksum, own, shards[i]!.to - shards[i]!.from);
  }
  if (kind === ELFCOMPRESS_ZLIB) {
    const tail = new Uint8Array(4);
    new DataView(tail.buffer).setUint32(0, checksum);
    ready.push(tail);
  }
  const bytes = ready.reduce((sum, part) => sum + part.length, 0);
  if (bytes >= osec.size) return;
  osec.ready = ready;
  tables.osec.memory[osec.id] = ELSEWHERE;
  osec.size = bytes;
  osec.align = 0; // that of the contents is in the header (lld)
  osec.sh_flags |= SHF_COMPRESSED;
}
