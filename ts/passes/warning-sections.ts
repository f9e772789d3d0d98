/**
 * Sections called `.gnu.warning.SYMBOL`: their text is a warning for whoever refers to SYMBOL (glibc: "the use of `tmpnam' is
 * dangerous"; in static programs: functions that need shared objects at run time).
 *
 * As GNU ld, but with the places that refer to the symbol in lld's form. Like there, the sections and their symbols are not in the output
 * but for -r: in a static program debuggers would find glibc's at address 0, where a call of what is not there goes. Never an error, not
 * even with --fatal-warnings: lld users would be surprised by a link that fails for it. Runs only when load-sections has seen such a
 * section (params.warningSections).
 */
import { SYM_KIND_MASK, SYM_REF_LIVE, SYM_SHARED } from "../../as-kernels/shared/abi.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import * as messages from "../diagnostics/messages.ts";
import { displayName, rawRelocation, readObject, sectionName, sourcePlace } from "../diagnostics/place.ts";
import { WARNING_PREFIX } from "../input/shared-object.ts";
import { inSteps } from "../memory/rows.ts";
import { latin1Of } from "../memory/text.ts";

/** What says of a symbol that it is a shared object's, and that something refers to it. */
const FROM_SHARED = SYM_KIND_MASK | SYM_REF_LIVE;
/** References listed per symbol. */
const MAX_REFERENCES = 3;
/** Longer texts are not texts. */
const MAX_TEXT = 4096;

/** After scan-relocs. */
export function warnOfReferences(ctx: Context): void {
  const { kernels, params, sharedObjects, tables: { gsym, isec, obj, sym } } = ctx;
  if (ctx.options.noWarnings) return;
  for (const input of sharedObjects) {
    for (const { symbol, offset, bytes } of input.warnings) {
      const row = ctx.lookup(symbol);
      if ((sym.flags[row]! & FROM_SHARED) === (SYM_SHARED | SYM_REF_LIVE) && gsym.obj[row] === input.obj) warn(ctx, symbol, row, input.obj, offset, bytes);
    }
  }
  if (params.get("warningSections") === 0) return;
  const rows = isec.rows;
  for (let row = kernels.nextWarning(1, rows); row < rows; row = kernels.nextWarning(row + 1, rows)) {
    const name = sectionName(ctx, row).slice(WARNING_PREFIX.length);
    const sym = name === "" ? 0 : ctx.lookup(name);
    const own = isec.obj[row]!;
    if (sym !== 0) warn(ctx, name, sym, own, isec.sh_offset[row]! - obj.offset[own]!, isec.size[row]!);
  }
}

/** Of references to `sym`, but those of object `own`, which has the text at `position`. */
function warn(ctx: Context, name: ByteString, sym: number, own: number, position: number, bytes: number): void {
  const found = references(ctx, sym, own);
  if (found.count === 0) return;
  const places = found.places.map(([isec, index]) => sourcePlace(ctx, isec, rawRelocation(ctx, isec, index)?.r_offset ?? 0, name));
  const text = textOf(ctx, own, position, bytes) + messages.references(places, found.count - places.length);
  ctx.diag.remark({ code: "OTHER", text, symbol: displayName(ctx, name), rawSymbol: name, ...messages.refsOf(places) });
}

function textOf(ctx: Context, o: number, position: number, size: number): ByteString {
  const bytes = readObject(ctx, o, position, Math.min(size, MAX_TEXT));
  return bytes === null ? "" : latin1Of(bytes).replace(/[\0\n]+$/, "").replace(/[\0-\x1f]/g, " ");
}

/** Relocations of live code and data, but for object `own`, that refer to `sym`: [isec, relocation] of the first, and how many there are. */
function references({ arena, kernels, tables }: Context, sym: number, own: number): { places: [number, number][]; count: number } {
  const mark = arena.mark();
  const out = arena.alloc(8 * MAX_REFERENCES);
  let count = 0;
  inSteps(tables.isec.rows, (from, to) => (count = kernels.findReferences(sym, own, from, to, out, count, MAX_REFERENCES)));
  const places = Array.from({ length: Math.min(count, MAX_REFERENCES) }, (_, i): [number, number] => [arena.u32[(out >>> 2) + 2 * i]!, arena.u32[(out >>> 2) + 2 * i + 1]!]);
  arena.release(mark);
  return { places, count };
}
