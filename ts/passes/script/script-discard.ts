/**
 * What a layout script takes away: sections that go to /DISCARD/ and what depends on them, symbols of descriptions that do not apply.
 *
 * Loops over sections and symbols are TypeScript here, as in script-sections.
 */
import { SYM_ABSOLUTE, SYM_DEFINED, SYM_DISCARDED, SYM_EXPORTED, SYM_KIND_MASK, SYM_UNDEF, SYM_USED_REGULAR } from "../../../as-kernels/shared/abi.ts";
import type { Context } from "../../context.ts";
import { assignments, type Assignment, type LayoutScript, type OutputDescription } from "../../script/layout.ts";

/** /DISCARD/: with everything that depends on it; its symbols cannot be referred to. `lists`: of rows, that what goes is taken out of. */
export function discardSections(ctx: Context, rows: readonly number[], lists: readonly Map<unknown, number[]>[]): void {
  if (rows.length === 0) return;
  const { isec, sym } = ctx.tables;
  const gone = new Set(rows);
  for (const row of gone) {
    isec.live[row] = 0;
    isec.osec[row] = 0;
    for (let d = isec.dependent[row]!; d !== 0; d = isec.nextDependent[d]!) gone.add(d);
  }
  for (const list of lists) {
    for (const [key, members] of list) if (members.some((row) => gone.has(row))) list.set(key, members.filter((row) => !gone.has(row)));
  }
  const { flags } = sym;
  for (let id = 1, end = sym.rows; id < end; id++) {
    if ((flags[id]! & SYM_KIND_MASK) !== SYM_DEFINED || !gone.has(sym.isec[id]!)) continue;
    flags[id] = (flags[id]! & ~(SYM_KIND_MASK | SYM_EXPORTED)) | SYM_DISCARDED;
  }
}

/** Symbols that only descriptions which turned out not to apply would define. */
export function unclaimSymbols(ctx: Context, layout: LayoutScript, disabled: Iterable<OutputDescription>): void {
  const { flags } = ctx.tables.sym;
  const inside = (command: OutputDescription): Assignment[] => command.commands.filter((inner) => inner.kind === "assign");
  const dropped = [...disabled].flatMap(inside);
  const gone = new Set(dropped);
  const kept = new Set(assignments(layout).filter((assignment) => !gone.has(assignment)).map(({ sym }) => sym));
  for (const assignment of dropped) {
    const { sym } = assignment;
    assignment.sym = 0;
    if (sym !== 0 && !kept.has(sym)) flags[sym] = (flags[sym]! & ~(SYM_KIND_MASK | SYM_USED_REGULAR | SYM_ABSOLUTE)) | SYM_UNDEF;
  }
}
