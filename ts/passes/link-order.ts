/**
 * SHF_LINK_ORDER sections in the order of the sections they are linked to (gABI ch. 4, Section Attribute Flags).
 *
 * Only for output sections that have such members. Called once output sections and their other members are in order.
 */
import { SHF_LINK_ORDER } from "../../as-kernels/shared/elf.ts";
import type { Context, OutputSection } from "../context.ts";
import { badObject } from "../diagnostics/messages.ts";
import { sectionPath, sectionPlace } from "../diagnostics/place.ts";

/** Sorts runs of `member` rows and sets sh_link. `runs`: [from, to) of the section's rows that are sorted each for themselves. */
export function orderLinked(ctx: Context, sections: readonly { osec: OutputSection; runs: readonly { from: number; to: number }[] }[]): void {
  const { isec, member, osec: table } = ctx.tables;
  let places: Map<number, number> | null = null;
  for (const { osec, runs } of sections) {
    if ((osec.sh_flags & SHF_LINK_ORDER) === 0) continue;
    places ??= memberPlaces(ctx);
    const linked = (row: number): boolean => (isec.sh_flags[row]! & SHF_LINK_ORDER) !== 0 && isec.link[row] !== 0;
    for (const { from, to } of runs) {
      const rows = member.isec.subarray(from, to);
      if (!rows.some(linked)) continue;
      for (const row of rows) {
        const link = isec.link[row]!;
        if (linked(row) && isec.osec[link] === 0) ctx.diag.error({ ...badObject(sectionPlace(ctx, row), `sh_link points to discarded section ${sectionPath(ctx, link)}`), code: "DISCARDED_SECTION" });
      }
      // What is linked to nothing follows, in the order it has.
      const key = (row: number): number => {
        if (!linked(row)) return Infinity;
        return table.index[isec.osec[isec.link[row]!]!]! * 2 ** 32 + (places!.get(isec.link[row]!) ?? 0);
      };
      const keyed = Array.from(rows, (row) => ({ row, key: key(row) }));
      keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
      rows.set(keyed.map((entry) => entry.row));
    }
    const first = runs.find(({ from, to }) => to > from);
    const row = first === undefined ? 0 : member.isec[first.from]!;
    if (row !== 0 && linked(row)) osec.sh_link = table.index[isec.osec[isec.link[row]!]!]!;
  }
}

/** Row of `member` by isec row, of sections that others are linked to. */
function memberPlaces(ctx: Context): Map<number, number> {
  const { isec, member } = ctx.tables;
  const places = new Map<number, number>();
  member.isec.forEach((row, place) => {
    if (row !== 0 && isec.dependent[row] !== 0) places.set(row, place);
  });
  return places;
}
