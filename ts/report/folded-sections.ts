/** --print-icf-sections: which sections are folded into which, in lld's words. Before they are folded. */
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { sectionPlace } from "../diagnostics/place.ts";

/** `active`: `count` isec rows that share a class with others, ascending. */
export function foldedSections(ctx: Context, active: number, count: number): ByteString[] {
  const classes = new Map<number, number[]>();
  for (const row of ctx.arena.u32.subarray(active >>> 2, (active >>> 2) + count)) {
    const leader = ctx.tables.fold.cls[row]!;
    const rows = classes.get(leader);
    if (rows === undefined) classes.set(leader, [row]);
    else rows.push(row);
  }
  return [...classes.values()].flatMap(([leader, ...others]) => [
    `selected section ${sectionPlace(ctx, leader!)}`, ...others.map((row) => `  removing identical section ${sectionPlace(ctx, row)}`),
  ]);
}
