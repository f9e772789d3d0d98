/**
 * Reads the symbol tables of all inputs into memory and turns every mention of a global name into a hashed record.
 *
 * Two phases, because rows have to be numbered in input order: `parse-object` finds and loads the tables of each object,
 * a prefix sum gives every object its rows, `read-symbols` fills them.
 */
import { KEEP_ALL, NEEDS_GROUPS, ERR_TRUNCATED, ISSUE_BAD_OBJECT, OBJ_RELOCATABLE, REC_UNUSED } from "../../as-kernels/shared/abi.ts";
import type { Context } from "../context.ts";
import { LARGE_BYTES } from "../host/host.ts";
import { ReadFailed } from "../memory/failure.ts";
import type { WorkerContext } from "../memory/pool.ts";
import { allocTable } from "../memory/table.ts";
import { keepTables } from "./read-headers.ts";
import type { PassedMembers } from "./scanned-archives.ts";
import type { WalkedArchives } from "./walk-archives.ts";

/** Objects a chunk takes: few large ones, so that threads share them evenly, many small ones. */
const MIN_OBJECTS = 8;
const MAX_OBJECTS = 128;
const CHUNK_BYTES = 1 << 18;
/** Section headers are an eighth of an object of many small functions, and the region may end before them. */
const REGION_SHARE = 4;
const MAX_REGION_BYTES = 1 << 28;
/** Objects of links up to this size are read once, and stay in memory with all that is in them. */
const KEPT_BYTES = 32 << 20;
/** What readObjects leaves: u32 index, u32 ERR_*. */
const OUT_BYTES = 16;

/** Phase: loads symbol tables, string tables and section headers of the objects of a chunk. Arguments: objects per chunk; `relas` and `drop` of keepTables. */
export function parseObjectPhase(w: WorkerContext, chunk: number): void {
  const first = 1 + chunk * w.args[0]!;
  const end = Math.min(first + w.args[0]!, w.tables.obj.rows);
  const { kind, shdrs } = w.tables.obj;
  for (let o = first; o < end; ) {
    if (kind[o] === OBJ_RELOCATABLE && shdrs[o] === 0) o = keepTables(w, o, end, w.args[1]!, w.args[2]!);
    else o++;
  }
}

/** Phase: hashes names, fills slots and groups of the objects of a chunk. Argument: objects per chunk. */
export function readSymbolsPhase(w: WorkerContext, chunk: number): void {
  const first = 1 + chunk * w.args[0]!;
  const end = Math.min(first + w.args[0]!, w.tables.obj.rows);
  const out = w.window(2, OUT_BYTES);
  for (let o = first; o < end; o++) {
    o = w.kernels.readObjects(o, end, out);
    if (o === end) return;
    let error = w.u32[(out >>> 2) + 1]!;
    if (error === NEEDS_GROUPS) error = readScattered(w, o, out);
    if (error === 0) continue;
    w.kernels.reportIssue(ISSUE_BAD_OBJECT, o, 0, w.u32[out >>> 2]!, error);
    forget(w, o);
  }
}

/** What a broken object was found to mention counts for nothing: a member that nobody wants must not stop the link, nor be extracted. */
function forget(w: WorkerContext, o: number): void {
  const { obj, record } = w.tables;
  const end = obj.recordBase[o]! + obj.recordCount[o]!;
  for (let row = obj.recordBase[o]!; row < end; row++) record.flags[row] = REC_UNUSED;
}

/** An object whose groups lie far apart. Returns 0 or ERR_* with the culprit's index at `out`. */
function readScattered(w: WorkerContext, o: number, out: number): number {
  const { obj } = w.tables;
  const from = obj.groupFrom[o]!;
  const bytes = obj.groupTo[o]! - from;
  const groups = w.window(3, bytes);
  try {
    w.read(obj.source[o]!, obj.offset[o]! + from, groups, bytes);
  } catch (error) {
    if (!(error instanceof ReadFailed)) throw error;
    w.u32[out >>> 2] = 0;
    return ERR_TRUNCATED;
  }
  return w.kernels.readSymbols(o, obj.shdrs[o]!, groups, from, obj.names[o]!, obj.namesBytes[o]!, out);
}

/**
 * Loads and parses all inputs, `bytes` bytes of relocatable objects; `passed`: members of archives that are not among them, `walked`: archives
 * whose members are found now. Reads `obj`; writes `slot`, `group`, `record`, `esym` rows.
 */
export async function parseObject(ctx: Context, bytes: number, passed: readonly PassedMembers[], walked: WalkedArchives | null = null): Promise<void> {
  const { tables, pool } = ctx;
  const how = [whatToKeep(ctx, bytes), Number(mayDropNames(ctx))] as const;
  ctx.arena.openRegion(Math.min(MAX_REGION_BYTES, Math.ceil(bytes / REGION_SHARE)));
  await walked?.load(...how);
  const objects = tables.obj.rows - 1;
  const average = 1 + bytes / objects;
  const perChunk = Math.min(MAX_OBJECTS, Math.max(MIN_OBJECTS, Math.floor(CHUNK_BYTES / average)));
  const chunks = Math.ceil(objects / perChunk);
  await pool.run("parse-object", chunks, perChunk, ...how);
  ctx.checkIssues();
  numberRows(ctx, passed);
  await pool.run("read-symbols", chunks, perChunk);
  ctx.checkIssues();
}

/**
 * Most objects that a large link names are needed: relocations that are at hand are kept. Of a small one it is everything, unless
 * sections are put together as -r does.
 */
function whatToKeep({ host, options, params }: Context, bytes: number): number {
  if (bytes >= LARGE_BYTES) return 1;
  if (host.readsAreCalls !== true || bytes > KEPT_BYTES || options.relocatable) return 0;
  params.set("keptMembers", 1);
  return KEEP_ALL;
}

/**
 * May section names go where a rule says what becomes of the section? They are a tenth of the memory of a large link, and it is messages that
 * ask for one (sectionName reads it again). Not where many are asked for: by options, scripts and reports, or by the API.
 */
function mayDropNames({ options, script, sectionOrder, observer }: Context): boolean {
  if (script !== null || sectionOrder.length > 0 || observer !== null || options.relocatable || options.icf !== "none") return false;
  const { unique, uniqueGlobs, discardSections, zeroToBss, shuffleSections, mapFile, printGcSections, reportFile, metafile, whyLive } = options;
  const lists = [...uniqueGlobs, ...discardSections, ...shuffleSections, ...whyLive];
  return !unique && !zeroToBss && printGcSections + mapFile + reportFile + metafile === "" && lists.length === 0;
}

function numberRows(ctx: Context, passed: readonly PassedMembers[]): void {
  const { tables, arena, kernels } = ctx;
  const { obj } = tables;
  // Members behind the last object are mentioned too late to count.
  const before = passed.filter((members) => members.obj < obj.rows);
  const counts = before.map(({ from, to }) => kernels.passNames(from, to, 0));
  before.forEach((members, i) => (obj.passed[members.obj]! += counts[i]!));
  const out = arena.alloc(OUT_BYTES);
  kernels.numberRows(out);
  const [slot, esym, group, record] = arena.words(out, 4);
  allocTable(arena, tables, "slot", slot + ctx.spareRows(slot));
  allocTable(arena, tables, "esym", esym + ctx.spareRows(esym));
  allocTable(arena, tables, "group", group + ctx.spareRows(group));
  Object.assign(ctx.checkpoint.room, { esyms: esym, esymsEnd: tables.esym.rows, slots: slot, slotsEnd: tables.slot.rows, groups: group, groupsEnd: tables.group.rows });
  allocTable(arena, tables, "record", record);
  let row = 0;
  before.forEach((members, i) => {
    if (before[i - 1]?.obj !== members.obj) row = obj.recordBase[members.obj]! - obj.passed[members.obj]!;
    row += kernels.passNames(members.from, members.to, row);
  });
}
