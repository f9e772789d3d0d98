/**
 * --enable-non-contiguous-regions: input sections that do not fit into their memory region move to the next description that matches
 * them, until no region overflows or nothing can move (GNU ld's option, lld's way).
 *
 * Binding notes the further descriptions; layout asks for a spill whenever a region has overflowed, and lays out again.
 */
import type { Context } from "../../context.ts";
import { pushTo } from "../../memory/lists.ts";
import type { Fill, Members, PlanItem, PlannedSection, Spilling } from "../../script/plan.ts";

type FillsOf = (section: PlannedSection) => Fill[];

interface Target {
  section: PlannedSection;
  part: Members;
}

export class Spills implements Spilling {
  private readonly ctx: Context;
  /** Where else a row may go, in script order. */
  private readonly later = new Map<number, Target[]>();
  /** Where a row that has a choice is. */
  private readonly here = new Map<number, Members>();
  /** All rows that each part has or may get, in its order. */
  private readonly rows = new Map<Members, number[]>();

  constructor(ctx: Context) {
    this.ctx = ctx;
  }

  /** A further description matches the row. */
  offer(row: number, first: Members, target: Target): void {
    this.here.set(row, first);
    pushTo(this.later, row, target);
  }

  /** The rows of `all` that are in the part now; the others may come. */
  present(part: Members, all: number[]): number[] {
    this.rows.set(part, all);
    return all.filter((row) => (this.here.get(row) ?? part) === part);
  }

  /** Moves rows out of regions that overflowed, last ones first, as far as that may help. True: lay out again. */
  spill(items: readonly PlanItem[], fillsOf: FillsOf): boolean {
    let moved = false;
    for (const section of items.toReversed()) {
      if (section.kind !== "section" || section.removed) continue;
      const full = fillsOf(section);
      for (const part of section.parts.toReversed()) if (part.kind === "members" && this.spillPart(part, full, fillsOf)) moved = true;
    }
    if (moved) this.rebuild(items);
    return moved;
  }

  private spillPart(part: Members, full: Fill[], fillsOf: FillsOf): boolean {
    const { isec } = this.ctx.tables;
    let moved = false;
    for (const row of this.rows.get(part)?.toReversed() ?? []) {
      if (!full.some(overflows)) break;
      if (this.here.get(row) !== part) continue;
      const target = this.next(row, full, fillsOf);
      if (target === null) continue;
      this.here.set(row, target.part);
      isec.osec[row] = target.section.osec.id;
      for (const filling of full) filling.at -= BigInt(isec.size[row]!);
      moved = true;
    }
    return moved;
  }

  /** The next description that is not in a region that has overflowed already. */
  private next(row: number, full: Fill[], fillsOf: FillsOf): Target | null {
    const targets = this.later.get(row)!;
    while (targets.length > 0) {
      const target = targets.shift()!;
      const there = fillsOf(target.section);
      if (!full.some((filling) => overflows(filling) && there.includes(filling))) return target;
    }
    return null;
  }

  /** The `member` table anew, parts in the order of the plan. */
  private rebuild(items: readonly PlanItem[]): void {
    const { member, osec } = this.ctx.tables;
    const sections = items.filter((item) => item.kind === "section").sort((a, b) => osec.memberBase[a.osec.id]! - osec.memberBase[b.osec.id]!);
    const lists = sections.map(({ parts }) =>
      parts.filter((part) => part.kind === "members").map((part) => {
        const all = this.rows.get(part);
        const rows = all === undefined ? Array.from(member.isec.subarray(part.from, part.to)) : this.present(part, all);
        return { part, rows };
      }),
    );
    let at = 1;
    sections.forEach(({ osec: { id } }, i) => {
      osec.memberBase[id] = at;
      for (const { part, rows } of lists[i]!) {
        member.isec.set(rows, at);
        part.from = at;
        part.to = at += rows.length;
      }
      osec.memberCount[id] = at - osec.memberBase[id]!;
    });
  }
}

function overflows({ at, origin, length }: Fill): boolean {
  return at > origin + length;
}
