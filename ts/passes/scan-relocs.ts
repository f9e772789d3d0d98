/**
 * Looks at the relocations of live sections: who needs GOT, PLT, copy and TLS entries, and how many dynamic relocations come.
 *
 * Here: the tables the kernel decides by, the options, and reading section contents where an instruction's bytes decide. Before
 * that, which shared objects get a DT_NEEDED, because symbols of the others turn out undefined. Writes SYM_NEEDS_*,
 * SYM_REF_LIVE, isec.dynRel, dynSym, relr and obj.needed.
 */
import { ISEC_SYNTHETIC, NEEDED_PERHAPS } from "../../as-kernels/shared/abi.ts";
import { UNDEFINED_ERROR, UNDEFINED_IGNORE, UNDEFINED_WARN } from "../../as-kernels/shared/reloc.ts";
import { relocationBytes } from "../arch/index.ts";
import { isLld } from "../args/identity.ts";
import type { Context } from "../context.ts";
import { keepNeeds, scanChanged } from "./kept-needs.ts";
import { flagsOf } from "./resolved-state.ts";
import type { Phases, WorkerContext } from "../memory/pool.ts";
import { policyBytes } from "./scan-policy.ts";
import { undefinedWeakIsZero } from "./set-visibility.ts";

/** isec rows a chunk takes. */
const CHUNK_ROWS = 4096;
/** Contents that are read at once, in bytes, when instructions must be looked at. */
const WINDOW_BYTES = 1 << 20;
/** A read costs as much as copying this many bytes that nobody needs. */
const GAP_BYTES = 1 << 14;
/** Worker windows: section contents; rows that wait for theirs, and a cell for the kernel's result. */
const CONTENTS = 0;
const LIST = 1;
const RUN_CELL_BYTES = 32;
/** Immediates are sign-extended 32-bit numbers, so addresses must stay below 2 GiB; this leaves room for the image. */
const LOW_IMAGE = 0x4000_0000n;

/** Phase: one stretch of isec rows. */
function scanPhase(w: WorkerContext, chunk: number): void {
  const { isec, obj } = w.tables;
  let at = 1 + chunk * CHUNK_ROWS;
  const end = Math.min(at + CHUNK_ROWS, isec.rows);
  while (at < end) {
    const o = isec.obj[at]!;
    const base = obj.isecBase[o]!;
    // Common symbols stand before all others, each in a row of the object that has it. They have no relocations.
    const stop = at < base ? at + 1 : Math.min(end, Math.max(base + obj.isecCount[o]!, at + 1));
    if (at >= base || isec.kind[at] !== ISEC_SYNTHETIC) scanObject(w, obj.source[o]!, at, stop);
    at = stop;
  }
}

/** Rows of one object; then contents are read for those whose instructions decide. */
export function scanObject(w: WorkerContext, source: number, from: number, to: number): void {
  const waiting = w.window(LIST, (to - from) * 4 + RUN_CELL_BYTES);
  const cell = waiting + (to - from) * 4;
  const out = Math.ceil(cell / 8) * 8;
  const count = w.kernels.scanRelocs(from, to, waiting);
  for (let at = 0; at < count; ) {
    const end = w.kernels.waitingRun(waiting, at, count, GAP_BYTES, WINDOW_BYTES, out);
    const [start, stop] = [w.f64[out >>> 3]!, w.f64[(out >>> 3) + 1]!];
    // 8 bytes before the window: instructions are read from before their field.
    const window = w.window(CONTENTS, stop - start + 32) + 16;
    w.read(source, start, window, stop - start);
    w.kernels.scanWaiting(waiting, at, end, window, start);
    at = end;
  }
}

/** What an undefined symbol means: the default for executables is an error, shared objects leave it to the dynamic linker. */
export function undefinedPolicy(ctx: Context): number {
  const { options } = ctx;
  if (!(options.reportUndefined ?? !options.shared)) return UNDEFINED_IGNORE;
  return options.unresolvedAreWarnings || options.noinhibitExec ? UNDEFINED_WARN : UNDEFINED_ERROR;
}

/** Puts the architecture's tables and the options where the kernels of scan-relocs and relocate look: once, for links that take this one up, too. */
export function installTables(ctx: Context): void {
  const { arena, params, options } = ctx;
  const types = relocationBytes(ctx.arch);
  const policy = policyBytes(options.z.ifuncNoplt, params.get("zText") !== 0);
  const at = arena.alloc(types.length + policy.length);
  arena.u8.set(types, at);
  arena.u8.set(policy, at + types.length);
  params.set("relocTypes", at);
  params.set("scanPolicy", at + types.length);
  if (params.get("splitStack") === 1) {
    params.set("splitStackBytes", options.splitStackBytes);
    params.set("morestack", ctx.lookup("__morestack"));
    params.set("morestackNonSplit", ctx.lookup("__morestack_non_split"));
  }
  params.set("ifuncNoplt", options.z.ifuncNoplt ? 1 : 0);
  params.set("undefinedPolicy", undefinedPolicy(ctx));
  const starts = [options.imageBase ?? ctx.arch.target.imageBase, ...options.sectionStarts.values(), ...options.outputOrder.map((item) => item.value)];
  params.set("relaxAbs32", params.get("pic") === 0 && starts.every((start) => start < LOW_IMAGE) ? 1 : 0);
  params.set("usePltGot", options.z.now && options.optimize >= 2 && !options.z.retpolineplt ? 1 : 0);
}

/** Shared objects that the output really needs; symbols of the others become undefined and weak (lld: demote). */
function decideNeeded(ctx: Context): void {
  const { sharedObjects, tables: { isec, obj }, kernels, params } = ctx;
  const { needed } = obj;
  if (!sharedObjects.some((file) => needed[file.obj] === 0)) return;
  const globals = params.get("globalSyms");
  if (params.get("gcSections") === 1) {
    let wanted = kernels.findCandidates(1, globals);
    for (let at = 1; at < isec.rows && wanted > 0; at += CHUNK_ROWS) wanted -= kernels.markNeeded(at, Math.min(at + CHUNK_ROWS, isec.rows), wanted);
    kernels.dropCandidates(1, obj.rows);
  } else {
    kernels.markNeededSymbols(1, globals);
  }
  if (!isLld(ctx.options)) {
    // What needed libraries refer to is needed, too, if they do not ask for it (GNU ld): the GSL leaves it to programs to name a BLAS.
    for (const file of sharedObjects) {
      if (needed[file.obj] !== 1) continue;
      for (const other of sharedObjects) if (needed[other.obj] === 0 && file.needed.includes(other.soname)) needed[other.obj] = NEEDED_PERHAPS;
      kernels.sharedUndefined(file.obj, 1);
    }
    kernels.dropCandidates(1, obj.rows);
  }
  kernels.demoteShared(1, globals, undefinedWeakIsZero(ctx) ? 1 : 0);
}

export async function scanRelocs(ctx: Context): Promise<void> {
  decideNeeded(ctx);
  const { resolved } = ctx.checkpoint;
  if (resolved === null || !scanChanged(ctx, resolved)) await ctx.pool.run("scan-relocs", Math.ceil((ctx.tables.isec.rows - 1) / CHUNK_ROWS));
  if (resolved !== null) keepNeeds(ctx, resolved.needs, flagsOf(ctx, resolved));
}

export const SCAN_PHASES: Phases = { "scan-relocs": scanPhase };
