/**
 * --icf: sections with the same contents that refer to the same things become one.
 *
 * Runs when every section has its output section and merged pieces have their places, because both are part of what "the same"
 * means, and before relocations are scanned, so that folded sections need nothing. Contents pass through a window once, for a
 * 128-bit hash; --verify-hashes compares bytes. Writes isec.live, sym.isec and SYM_FOLDED, `member`.
 */
import { CTL_COUNTERS, SHARDS } from "../../as-kernels/shared/abi.ts";
import type { Context } from "../context.ts";
import { sectionPath } from "../diagnostics/place.ts";
import type { Phases, WorkerContext } from "../memory/pool.ts";
import { slotsFor } from "../memory/rows.ts";
import { allocTable, setRows } from "../memory/table.ts";
import { foldedSections } from "../report/folded-sections.ts";
import { joinLines, writeListing } from "../report/write.ts";
import { HEADERS_OSEC } from "./bind-sections.ts";
import { eachRun } from "./section-runs.ts";
import { addressSignificancePhase, findSignificant } from "./address-significance.ts";

/** isec rows, work list entries, symbols a chunk takes. */
const CHUNK_ROWS = 4096;
const CHUNK_ENTRIES = 16384;
const CHUNK_SYMBOLS = 65536;
/** Contents are read together up to this size. */
const RUN_BYTES = 1 << 20;
/** Worker windows: section contents, table of foldGroup. */
const CONTENTS = 0;
const TABLE = 2;

/** Phase: hashes of candidates but for the classes of what they refer to. */
function constantsPhase(w: WorkerContext, chunk: number): void {
  const from = 1 + chunk * CHUNK_ROWS;
  const to = Math.min(from + CHUNK_ROWS, w.tables.isec.rows);
  eachRun(w, from, (row, cell) => w.kernels.nextFoldRun(row, to, RUN_BYTES, cell), (row) => row, w.kernels.foldContents);
  w.kernels.foldConstants(from, to);
}

const A_COUNT = 0;
const A_ACTIVE = 1;
const A_KEYS = 2;
const A_ROUND = 3;

/** Phase: keys of a stretch of the work list. */
function keysPhase(w: WorkerContext, chunk: number): void {
  const from = chunk * CHUNK_ENTRIES;
  const to = Math.min(from + CHUNK_ENTRIES, w.args[A_COUNT]!);
  w.kernels.foldKeys(from, to, w.args[A_ACTIVE]!, w.args[A_KEYS]!, w.args[A_ROUND]!);
}

const A_STARTS = 0;
const A_ORDER = 3;
const A_NEXT = 4;

/** Phase: new classes of one shard of the keys. */
function groupPhase(w: WorkerContext, chunk: number): void {
  const starts = (w.args[A_STARTS]! >>> 2) + chunk;
  const [from, to] = [w.u32[starts]!, w.u32[starts + 1]!];
  if (from === to) return;
  const slots = slotsFor(to - from);
  w.kernels.foldGroup(from, to, w.args[A_ORDER]!, w.args[A_KEYS]!, w.args[A_ACTIVE]!, w.args[A_NEXT]!, w.window(TABLE, slots * 4), slots);
}

function symbolsPhase(w: WorkerContext, chunk: number): void {
  const from = 1 + chunk * CHUNK_SYMBOLS;
  w.kernels.foldSymbols(from, Math.min(from + CHUNK_SYMBOLS, w.tables.sym.rows));
}

export const FOLD_PHASES: Phases = {
  "address-significance": addressSignificancePhase, "fold-constants": constantsPhase, "fold-keys": keysPhase, "fold-group": groupPhase, "fold-symbols": symbolsPhase,
};

export async function foldIdentical(ctx: Context): Promise<void> {
  const { arena, kernels, tables, pool } = ctx;
  const mark = arena.mark();
  const { rows } = tables.isec;
  allocTable(arena, tables, "fold", rows);
  await findSignificant(ctx);
  ctx.checkIssues();
  const candidates = kernels.foldCandidates(1, rows);
  if (candidates > 1) {
    await pool.run("fold-constants", Math.ceil((rows - 1) / CHUNK_ROWS));
    const active = arena.alloc(4 * candidates);
    kernels.listCandidates(1, rows, active);
    const count = await refine(ctx, active, candidates);
    if (ctx.options.verifyHashes) verify(ctx, active, count);
    if (ctx.options.printIcfSections !== "") writeListing(ctx, ctx.options.printIcfSections, joinLines(foldedSections(ctx, active, count)), "--print-icf-sections");
    if (kernels.foldSections(count, active) > 0) {
      await pool.run("fold-symbols", Math.ceil((tables.sym.rows - 1) / CHUNK_SYMBOLS));
      compactMembers(ctx);
    }
  }
  arena.release(mark);
}

/** Splits classes until they are stable; returns how many of the work list are left: those that share a class. */
async function refine(ctx: Context, active: number, candidates: number): Promise<number> {
  const { arena, kernels, pool } = ctx;
  const keys = arena.alloc(16 * candidates);
  const order = arena.alloc(4 * candidates);
  const next = arena.alloc(4 * candidates);
  const starts = arena.alloc(4 * (SHARDS + 2));
  const counter = CTL_COUNTERS >>> 2;
  let count = candidates;
  let classes = 0;
  for (let round = 0; count > 0; round++) {
    await pool.run("fold-keys", Math.ceil(count / CHUNK_ENTRIES), count, active, keys, round);
    kernels.foldScatter(count, keys, order, starts);
    arena.u32[counter] = 0;
    await pool.run("fold-group", SHARDS, starts, active, keys, order, next);
    if (arena.u32[counter] === classes) break;
    count = kernels.foldCompact(count, active, next);
    classes = arena.u32[counter + 1]!;
  }
  return count;
}

/** --verify-hashes: members of a class must have equal bytes. */
function verify(ctx: Context, active: number, count: number): void {
  const { arena, kernels, tables, pool } = ctx;
  for (let i = 0; i < count; i++) {
    const row = arena.u32[(active >>> 2) + i]!;
    const leader = tables.fold.cls[row]!;
    const bytes = tables.isec.size[row]!;
    if (leader === row || bytes === 0) continue;
    const [a, b] = [pool.self.window(CONTENTS, bytes + 16), pool.self.window(TABLE, bytes + 16)];
    pool.self.contents(row, a);
    pool.self.contents(leader, b);
    if (kernels.equalBytes(a, b, bytes) === 0) ctx.diag.fatal(`hash collision between sections ${sectionPath(ctx, row)} and ${sectionPath(ctx, leader)}`);
  }
}

/** Takes folded sections out of the output sections' members; the runs stay in order, without gaps. */
function compactMembers(ctx: Context): void {
  const { kernels, tables, plan } = ctx;
  const { memberBase, memberCount } = tables.osec;
  let at = 1;
  if (plan === null) {
    for (let id = HEADERS_OSEC; id < tables.osec.rows; id++) {
      const from = at;
      at = kernels.compactMembers(memberBase[id]!, memberBase[id]! + memberCount[id]!, from);
      memberBase[id] = from;
      memberCount[id] = at - from;
    }
  }
  for (const { osec, parts } of plan?.sections ?? []) {
    const base = at;
    for (const part of parts) {
      if (part.kind !== "members") continue;
      const from = at;
      at = kernels.compactMembers(part.from, part.to, from);
      Object.assign(part, { from, to: at });
    }
    memberBase[osec.id] = base;
    memberCount[osec.id] = at - base;
  }
  setRows(tables, "member", at);
}
