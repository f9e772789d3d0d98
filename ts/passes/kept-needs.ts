/**
 * What scan-relocs found in the last link, kept for one with replaced objects: only these are scanned again, and who has to do with what
 * they alone had needed (kept-needs kernel).
 *
 * Refused, and then everything is scanned: sections that are no longer live, other kinds of symbols that several objects mention, another
 * set of shared objects, and what only the whole link knows (params) if the old object had a part in it.
 */
import { NEEDED_NAME_BYTES } from "../../as-kernels/shared/abi.ts";
import type { Context, ResolvedState } from "../context.ts";
import type { Attempt } from "./patch-objects.ts";
import { scanObject } from "./scan-relocs.ts";

/** Facts of the whole link that the scan adds to. */
const FACTS = ["needsGotBase", "needsTlsModule", "hasTextRel", "hasStaticTls"] as const;
type Facts = Record<(typeof FACTS)[number], number>;

/** Addresses of copies (keepNeeds kernel), and what else there is. */
export interface KeptNeeds {
  flags: number;
  counts: number;
  /** Rows that a column of counts has room for. */
  most: number;
  /** Do they belong to the last link? */
  valid: boolean;
  facts: Facts;
  needed: Uint8Array;
  /** Objects that are others in the link that goes on. */
  changed: ChangedObject[];
}

interface ChangedObject extends ObjectNeeds {
  o: number;
  /** The rows of its local symbols. */
  localBase: number;
  locals: number;
}

/** What an object had needed: the list of the kernel, and its part in FACTS. */
export interface ObjectNeeds {
  list: number;
  count: number;
  facts: Facts;
}

/** Bytes of the counts of a section, and of the flags of a symbol. */
const COUNT_BYTES = 12;
const FLAG_BYTES = 4;

const factsOf = ({ params }: Context): Facts => Object.fromEntries(FACTS.map((name) => [name, params.get(name)])) as Facts;

function setFacts({ params }: Context, facts: Partial<Facts>): void {
  for (const name of FACTS) params.set(name, facts[name] ?? 0);
}

/** Room for the copies, beside those of resolved-state. */
export function allocNeeds({ arena, checkpoint: { room }, tables }: Context): KeptNeeds {
  const most = room.isecsEnd + 1;
  const flags = arena.alloc(FLAG_BYTES * tables.sym.rows + 16);
  return { flags, counts: arena.alloc(COUNT_BYTES * most + 16), most, valid: false, facts: { needsGotBase: 0, needsTlsModule: 0, hasTextRel: 0, hasStaticTls: 0 }, needed: new Uint8Array(0), changed: [] };
}

/** After scan-relocs. `before`: flags of globals before it. */
export function keepNeeds(ctx: Context, kept: KeptNeeds, before: number): void {
  ctx.kernels.keepNeeds(kept.flags, kept.counts, kept.most, before);
  Object.assign(kept, { valid: true, facts: factsOf(ctx), needed: ctx.tables.obj.needed.slice(), changed: [] });
}

/** Of an object that is about to be replaced, whose old contents are at `before`; null = all will be scanned. */
export function needsOf(ctx: Context, o: number, before: number): ObjectNeeds | null {
  const { arena, checkpoint: { resolved }, kernels, pool: { self }, tables: { isec, obj } } = ctx;
  const kept = resolved?.needs;
  const [from, to] = [obj.isecBase[o]!, obj.isecBase[o]! + obj.isecCount[o]!];
  if (kept == null || !kept.valid || kernels.anyLarge(from, to) !== 0) return null;
  const list = arena.alloc(NEEDED_NAME_BYTES * (obj.esymCount[o]! - obj.firstGlobal[o]!) + 16);
  const facts = factsOf(ctx);
  const columns = [isec.dynRel, isec.dynSym, isec.relr];
  const counts = columns.map((column) => column.slice(from, to));
  const count = kernels.hideNeeds(o, kept.flags, list);
  setFacts(ctx, {});
  const waiting = self.window(0, 4 * (to - from) + 16);
  kernels.scanWaiting(waiting, 0, kernels.scanRelocs(from, to, waiting), before, obj.offset[o]!);
  const own = factsOf(ctx);
  setFacts(ctx, facts);
  kernels.showNeeds(kept.flags, list, count);
  columns.forEach((column, i) => column.set(counts[i]!, from));
  return arena.issues === 0 ? { list, count, facts: own } : null;
}

/** Before rows of sections move: brings the counts back, and notes what becomes other. */
export function restoreNeeds({ kernels }: Context, kept: KeptNeeds, attempts: readonly Attempt[]): void {
  kept.changed = attempts.flatMap(({ needs, o, was }) => (needs === null ? [] : [{ ...needs, o, localBase: was.localBase, locals: was.firstGlobal }]));
  kept.valid = kept.valid && kept.changed.length === attempts.length;
  if (kept.valid) kernels.restoreCounts(kept.counts, kept.most);
}

/** In place of a scan of everything; false = that has to be done. */
export function scanChanged(ctx: Context, { needs: kept }: ResolvedState): boolean {
  if (kept === null || !kept.valid) return false;
  kept.valid = false;
  const { kernels, tables: { isec } } = ctx;
  if (scanAgain(ctx, kept)) return true;
  kernels.clearCounts(1, isec.rows);
  return false;
}

function scanAgain(ctx: Context, kept: KeptNeeds): boolean {
  const { arena, kernels, params, tables: { obj } } = ctx;
  const [changed, again] = [arena.allocZeroed(obj.rows), arena.allocZeroed(obj.rows)];
  for (const { o } of kept.changed) arena.u8[changed + o] = 1;
  const live = kernels.compareScanned(changed, again) !== 0;
  const range = (o: number): [from: number, to: number] => [obj.isecBase[o]!, obj.isecBase[o]! + obj.isecCount[o]!];
  if (!live || kept.facts.hasTextRel !== 0 || kept.changed.some(({ o }) => kernels.anyLarge(...range(o)) !== 0)) return false;
  if (obj.needed.length !== kept.needed.length || ctx.sharedObjects.some(({ obj: o }) => obj.needed[o] !== kept.needed[o]) || kernels.sameSymbolKinds(kept.flags) === 0) return false;
  const map = arena.allocZeroed(4 * params.get("globalSyms"));
  for (const { o, list, count, localBase, locals } of kept.changed) {
    kernels.noteOld(map, list, count);
    kernels.noteNew(o, map, kept.flags, localBase, localBase + locals);
    kernels.noteNew(o, map, kept.flags, obj.localBase[o]!, obj.localBase[o]! + obj.firstGlobal[o]!);
  }
  for (const { o } of kept.changed) scanObject(ctx.pool.self, obj.source[o]!, ...range(o));
  // What nobody but an old object may have said of the whole link.
  if (FACTS.some((name) => params.get(name) === 0 && kept.changed.some(({ facts }) => facts[name] !== 0))) return false;
  for (const name of FACTS) if (kept.facts[name] !== 0) params.set(name, 1);
  kernels.mergeNeeds(map, kept.flags, changed, again);
  const marked = arena.bytes(again, obj.rows);
  for (let o = marked.indexOf(1); o >= 0; o = marked.indexOf(1, o + 1)) {
    kernels.clearCounts(...range(o));
    scanObject(ctx.pool.self, obj.source[o]!, ...range(o));
  }
  return true;
}
