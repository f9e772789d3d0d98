/**
 * Sections called `.gnu.warning.SYMBOL`: their text is a warning for whoever refers to SYMBOL (glibc: "the use of `tmpnam' is
 * dangerous"; in static programs: functions that need shared objects at run time).
 *
 * As GNU ld, but with the places that refer to the symbol in lld's form. Like there, the sections and their symbols are not in the output
 * but for -r: in a static program debuggers would find glibc's at address 0, where a call of what is not there goes. Never an error, not
 * even with --fatal-warnings: lld users would be surprised by a link that fails for it. Runs only when load-sections has seen such a
 * section (params.warningSections).
 */
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import * as messages from "../diagnostics/messages.ts";
import { displayName, rawRelocation, readObject, sectionName, sourcePlace } from "../diagnostics/place.ts";
import { inSteps } from "../memory/rows.ts";
import { latin1 } from "../memory/text.ts";

const PREFIX = ".gnu.warning.";
/** References listed per symbol. */
const MAX_REFERENCES = 3;
/** Longer texts are not texts. */
const MAX_TEXT = 4096;

/** After scan-relocs. */
export function warnOfReferences(ctx: Context): void {
  const { kernels, params, tables } = ctx;
  if (params.get("warningSections") === 0 || ctx.options.noWarnings) return;
  const rows = tables.isec.rows;
  for (let row = kernels.nextWarning(1, rows); row < rows; row = kernels.nextWarning(row + 1, rows)) {
    const name = sectionName(ctx, row).slice(PREFIX.length);
    const sym = name === "" ? 0 : ctx.lookup(name);
    if (sym === 0) continue;
    const found = references(ctx, sym, tables.isec.obj[row]!);
    if (found.count === 0) continue;
    const places = found.places.map(([isec, index]) => sourcePlace(ctx, isec, rawRelocation(ctx, isec, index)?.r_offset ?? 0, name));
    const text = textOf(ctx, row) + messages.references(places, found.count - places.length);
    ctx.diag.remark({ code: "OTHER", text, symbol: displayName(ctx, name), rawSymbol: name, ...messages.refsOf(places) });
  }
}

function textOf(ctx: Context, row: number): ByteString {
  const { isec, obj } = ctx.tables;
  const o = isec.obj[row]!;
  const bytes = readObject(ctx, o, isec.sh_offset[row]! - obj.offset[o]!, Math.min(isec.size[row]!, MAX_TEXT));
  return bytes === null ? "" : latin1(bytes, 0, bytes.length).replace(/[\0\n]+$/, "").replace(/[\0-\x1f]/g, " ");
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
