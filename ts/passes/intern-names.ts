/**
 * Names become dense ids: hashed records are partitioned into fixed shards, deduplicated per shard, numbered by first mention.
 *
 * Ids follow command-line order, never hash values, so everything ordered by symbol id is stable across machines. Leaves
 * behind an index from name to id for the few names TypeScript asks for.
 */
import { SHARDS } from "../../as-kernels/shared/abi.ts";
import type { Context } from "../context.ts";
import type { WorkerContext } from "../memory/pool.ts";
import { allocTable } from "../memory/table.ts";
import type { ByteString } from "../args/link-options.ts";
import { slotsFor } from "../memory/rows.ts";

const ROWS_PER_CHUNK = 1 << 15;

// arguments of the phases
const A_COUNTS = 0; // u32 × SHARDS per chunk: histogram, then cursors
const A_ORDER = 1; // record rows by shard
const A_STARTS = 2; // u32 × (SHARDS + 1): first place of each shard in order
const A_LEADERS = 3; // u32 per chunk: first mentions, then the id they start at

function range(w: WorkerContext, chunk: number): [number, number] {
  const from = 1 + chunk * ROWS_PER_CHUNK;
  return [from, Math.min(from + ROWS_PER_CHUNK, w.tables.record.rows)];
}

export function histogramPhase(w: WorkerContext, chunk: number): void {
  const [from, to] = range(w, chunk);
  w.kernels.histogramNames(from, to, w.args[A_COUNTS]! + chunk * SHARDS * 4);
}

export function scatterPhase(w: WorkerContext, chunk: number): void {
  const [from, to] = range(w, chunk);
  w.kernels.scatterNames(from, to, w.args[A_COUNTS]! + chunk * SHARDS * 4, w.args[A_ORDER]!);
}

export function internPhase(w: WorkerContext, shard: number): void {
  const start = w.u32[(w.args[A_STARTS]! >>> 2) + shard]!;
  const end = w.u32[(w.args[A_STARTS]! >>> 2) + shard + 1]!;
  const slots = slotsFor(end - start);
  w.kernels.internShard(w.args[A_ORDER]!, start, end, w.window(0, slots * 4), slots);
}

export function countLeadersPhase(w: WorkerContext, chunk: number): void {
  const [from, to] = range(w, chunk);
  w.u32[(w.args[A_LEADERS]! >>> 2) + chunk] = w.kernels.countLeaders(from, to, 0);
}

export function numberLeadersPhase(w: WorkerContext, chunk: number): void {
  const [from, to] = range(w, chunk);
  w.kernels.numberLeaders(from, to, w.u32[(w.args[A_LEADERS]! >>> 2) + chunk]!, 0);
}

export function bindNamesPhase(w: WorkerContext, chunk: number): void {
  const [from, to] = range(w, chunk);
  w.kernels.bindNames(from, to);
}

/** Reads `record`; writes record.sym, esym.sym of globals, `gsym` names. Sets params.globalSyms and ctx.lookup. */
export async function internNames(ctx: Context): Promise<void> {
  const { tables, arena, pool } = ctx;
  const records = tables.record.rows;
  const chunks = Math.max(1, Math.ceil((records - 1) / ROWS_PER_CHUNK));
  const mark = arena.mark();
  const counts = arena.allocZeroed(chunks * SHARDS * 4);
  const order = arena.alloc(records * 4);
  const starts = arena.alloc((SHARDS + 1) * 4);
  const leaders = arena.allocZeroed(chunks * 4);
  const run = (phase: string, n: number) => pool.run(phase, n, counts, order, starts, leaders);

  await run("histogram-names", chunks);
  ctx.kernels.prefixShards(counts, chunks, SHARDS, starts);
  await run("scatter-names", chunks);
  await run("intern-names", SHARDS);
  await run("count-leaders", chunks);
  let id = 1;
  for (let chunk = 0; chunk < chunks; chunk++) {
    const n = arena.u32[(leaders >>> 2) + chunk]!;
    arena.u32[(leaders >>> 2) + chunk] = id;
    id += n;
  }
  await run("number-leaders", chunks);
  // Names that nobody but the linker mentions come last; it is the first object (obj row 1).
  const own = tables.obj.recordBase[1]!;
  const ownEnd = own + tables.obj.recordCount[1]!;
  ctx.kernels.numberLeaders(own, ownEnd, id, 1);
  id += ctx.kernels.countLeaders(own, ownEnd, 1);
  arena.release(mark);

  // sym grows by the local symbols later: room is made by load-sections, which moves the globals' rows.
  const globals = id + ctx.spareRows(id);
  Object.assign(ctx.checkpoint.room, { names: id, namesEnd: globals, order: 0 });
  ctx.params.set("globalSyms", globals);
  allocTable(arena, tables, "gsym", globals);
  await pool.run("bind-names", chunks);
  if (ctx.options.verifyHashes) verify(ctx, records);
  installLookup(ctx, globals);
}

function verify(ctx: Context, records: number): void {
  const row = ctx.kernels.verifyNames(1, records);
  if (row === 0) return;
  const { record } = ctx.tables;
  const text = (r: number) => ctx.arena.string(record.name[r]!, record.nameBytes[r]!);
  ctx.diag.fatal(`hash collision between symbol names ${text(row)} and ${text(record.leader[row]!)}`);
}

/** ctx.lookup for names up to `globals`, and as many as there is room for; its table is made by indexNames. */
function installLookup(ctx: Context, globals: number): void {
  const { arena, kernels } = ctx;
  const slots = slotsFor(globals);
  const table = arena.alloc(slots * 4);
  ctx.names = { table, slots };
  const scratch = arena.alloc(1 << 12);
  ctx.lookup = (name: ByteString): number => {
    const fits = name.length < 4000;
    const mark = arena.mark();
    const at = fits ? scratch : arena.alloc(name.length + 16);
    arena.setString(at, name);
    kernels.hashName(at, name.length);
    const id = kernels.findName(table, slots);
    if (!fits) arena.release(mark);
    return id;
  };
}

/** Memory that a chunk of index-names touches. */
const TOUCHED_BYTES = 1 << 18;
const PAGE_BYTES = 4096;
/** What load-sections is going to fill: a row of so many bytes for one section header in so many at least. */
const ROW_BYTES = 150;
const HEADERS_PER_ROW = 4;

/**
 * Phase. Chunk 0: every name into the table of ctx.lookup. The others give a thread something to do while the main thread resolves: the first
 * touch of a page takes 2 or 3 microseconds, whoever does it. Arguments: table, slots, names, where memory begins that nobody has taken, a
 * word that is 1 when the main thread is done.
 */
export function indexNamesPhase(w: WorkerContext, chunk: number): void {
  const [table, slots, globals, ahead, done] = w.args as [number, number, number, number, number];
  if (chunk === 0) {
    w.kernels.fillBytes(table, 0, slots * 4);
    w.kernels.indexNames(1, globals, table, slots);
    return;
  }
  const end = ahead + chunk * TOUCHED_BYTES;
  for (let at = end - TOUCHED_BYTES; at < end && Atomics.load(w.u32, done >>> 2) === 0; at += PAGE_BYTES) w.u32[at >>> 2] = 0;
}

/** Nobody may look up names before it is done; this thread does `work` meanwhile, which takes no memory. */
export async function indexNamesWhile({ arena, pool, names, checkpoint: { room }, tables }: Context, work: () => void): Promise<void> {
  const mark = arena.mark();
  const done = arena.allocZeroed(16);
  const touched = pool.threads === 1 ? 0 : Math.min((tables.slot.rows / HEADERS_PER_ROW) * ROW_BYTES, arena.free / 2);
  const alone = (): void => {
    work();
    Atomics.store(arena.u32, done >>> 2, 1);
  };
  await pool.runWhile(alone, "index-names", 1 + Math.floor(touched / TOUCHED_BYTES), names.table, names.slots, room.names, arena.top, done);
  arena.release(mark);
}
