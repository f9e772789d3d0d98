/**
 * The link as set-visibility left it, kept so that one with replaced objects can go on from there (replace-objects.ts).
 *
 * Passes from split-pieces on write few columns of the tables that were there before (listed in the replace-object kernel); those of globals
 * are copied, the others were empty. Everything else that they make is in memory above the mark. A column that is forgotten is found by
 * test/passes/resolved-state.test.ts.
 */
import { SAVED_BYTES, SAVED_FLAGS } from "../../as-kernels/shared/abi.ts";
import type { Context, ResolvedState } from "../context.ts";
import { paramsBlock } from "../memory/table.ts";
import { allocMarks, loseMarks } from "./kept-marks.ts";
import { allocNeeds, restoreNeeds } from "./kept-needs.ts";
import { restorePieces } from "./kept-pieces.ts";
import type { Attempt } from "./patch-objects.ts";
import { noSynthetics } from "../synthetic/index.ts";
import { SymbolTable } from "../synthetic/symtab.ts";

/** What tables of replaced objects may take before it is time to tidy up: a quarter of what the link took, within limits. */
const AREA_PART = 4;
const MIN_AREA = 4 << 20;
const MAX_AREA = 64 << 20;

/** After set-visibility, for a context. */
export function saveResolved(ctx: Context): void {
  const { arena, checkpoint, params, tables } = ctx;
  checkpoint.resolved = null;
  if (ctx.spareRows(1) === 0 || ctx.script !== null) return;
  const globals = arena.alloc(SAVED_BYTES * params.get("globalSyms") + 16);
  const needed = arena.alloc(tables.obj.rows);
  const block = arena.alloc(paramsBlock().bytes);
  const marks = allocMarks(ctx);
  const needs = allocNeeds(ctx);
  const area = arena.setAside(Math.min(MAX_AREA, Math.max(MIN_AREA, arena.mark() / AREA_PART)));
  checkpoint.resolved = { mark: arena.mark(), spares: arena.spares(), area, globals, needed, params: block, pieces: null, marks, needs };
  saveAgain(ctx, checkpoint.resolved);
}

/** Address of the flags that globals had after set-visibility. */
export const flagsOf = ({ params }: Context, { globals }: ResolvedState): number => globals + SAVED_FLAGS * params.get("globalSyms");

/** The same when tables have been brought up to date. */
export function saveAgain({ arena, kernels, params, tables: { obj } }: Context, { globals, needed, params: block }: ResolvedState): void {
  kernels.saveGlobals(0, params.get("globalSyms"), globals, params.get("globalSyms"));
  arena.u8.set(obj.needed, needed);
  const { address, bytes } = paramsBlock();
  kernels.copyMemory(block, address, bytes);
}

/** Takes back what all later passes have done, for `attempts`. */
export function restoreResolved(ctx: Context, state: ResolvedState, attempts: readonly Attempt[]): void {
  const { arena, checkpoint, kernels, params, tables: { obj } } = ctx;
  const { address, bytes } = paramsBlock();
  kernels.copyMemory(address, state.params, bytes);
  arena.rewind(state.pieces?.mark ?? state.mark, state.pieces?.spares ?? state.spares);
  const globals = params.get("globalSyms");
  kernels.restoreGlobals(state.globals, globals);
  kernels.clearLate(globals, params.get("nameRules"), params.get("nameRuleCount"));
  loseMarks(ctx, state.marks, attempts);
  restoreNeeds(ctx, state.needs, attempts);
  if (state.pieces === null) kernels.clearPieces();
  else restorePieces(ctx, state.pieces);
  obj.needed.set(arena.bytes(state.needed, obj.rows));
  checkpoint.linkerDefined.restart();
  Object.assign(ctx, {
    synthetics: noSynthetics(), symtab: new SymbolTable(), osecs: [], segments: [], loads: [], headers: { address: 0n, bytes: 0 }, sectionHeaders: 0, dynsyms: new Uint32Array(0),
  });
}
