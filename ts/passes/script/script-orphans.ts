/**
 * Orphans: sections that a layout script does not mention, and where they go.
 *
 * An orphan goes behind the last section that is most like it (equal rank bits from the top), as lld does it, because GNU ld's rules
 * are not written down anywhere but in its code.
 */
import { SHF_EXECINSTR, SHF_WRITE } from "../../../as-kernels/shared/elf.ts";
import type { Context } from "../../context.ts";
import { eachNode } from "../../script/expression.ts";
import type { LayoutScript, ScriptCommand } from "../../script/layout.ts";
import type { Plan, PlanItem, PlannedSection } from "../../script/plan.ts";
import { PADDING, UNWIND, UNWIND_BITS } from "../order-sections.ts";
import { isAlloc } from "../segments.ts";

/** --orphan-handling=warn and =error. */
export function reportOrphans({ options, diag }: Context, words: string[]): void {
  const { orphanHandling } = options;
  if (orphanHandling === "warn") for (const text of words) diag.warn({ code: "LAYOUT", text });
  else if (orphanHandling === "error") for (const text of words) diag.error({ code: "LAYOUT", text });
}

/** `. = DATA_SEGMENT_RELRO_END(…)` */
export function endsRelro(item: PlanItem | ScriptCommand): boolean {
  let found = false;
  if (item.kind === "assign") eachNode(item.expr.root, (node) => void (found ||= node.kind === "call" && node.name === "DATA_SEGMENT_RELRO_END"));
  return found;
}

/** How many leading bits of the ranks agree; -1 = cannot be an anchor. */
function proximity(orphan: PlannedSection, item: PlanItem | undefined): number {
  return item?.kind === "section" && (item.hasInputs || item.hadInputs) ? Math.clz32(orphan.osec.rank ^ item.osec.rank) : -1;
}

const isSkipped = (item: PlanItem): boolean => item.kind === "assert" || (item.kind === "assign" && item.name !== ".");

/** Puts the sections that no command makes among the others of `plan`. */
export function insertOrphans(layout: LayoutScript, plan: Plan): void {
  const isOrphan = (item: PlanItem): item is PlannedSection => item.kind === "section" && (item.command === null || item.command.orphan);
  // What INSERT has put among them goes where an orphan like it would go (lld).
  const first = plan.items.findIndex(isOrphan);
  const rest = first < 0 ? [] : plan.items.splice(first);
  const orphans = rest.filter((item) => item.kind === "section").sort((a, b) => a.osec.rank - b.osec.rank);
  // Beside the script's sections those of unwind records rank as other constants do.
  for (const { osec } of plan.sections) if (UNWIND.includes(osec.name) && (osec.sh_flags & (SHF_WRITE | SHF_EXECINSTR)) === 0) osec.rank &= ~UNWIND_BITS;
  let items: PlanItem[] = [...plan.items, ...rest.filter((item) => item.kind !== "section")];
  // ". = address" before any section is where the image starts: nothing goes before it.
  let start = items.findIndex((item) => !isSkipped(item));
  if (start < 0) start = items.length;
  else if (items[start]!.kind === "assign") start++;
  for (let i = 0; i < orphans.length; ) {
    let end = i + 1;
    while (end < orphans.length && orphans[end]!.osec.rank === orphans[i]!.osec.rank) end++;
    const at = orphanPosition(layout, items, start, orphans[i]!);
    items = [...items.slice(0, at), ...orphans.slice(i, end), ...items.slice(at)];
    i = end;
  }
  plan.items = items;
}

/** lld findOrphanPos: index to insert before. */
function orphanPosition(layout: LayoutScript, items: PlanItem[], start: number, orphan: PlannedSection): number {
  // What is not loaded comes last in the file anyway.
  if (!isAlloc(orphan.osec)) return items.length;
  if (orphan.osec.name === PADDING) {
    const end = items.findIndex(endsRelro);
    if (end >= start) return end;
  }
  let best = 0;
  let at = -1;
  for (let j = start; j < items.length; j++) {
    const near = proximity(orphan, items[j]);
    if (near < 0) continue;
    if (near > best || (near === best && (items[j] as PlannedSection).osec.rank <= orphan.osec.rank)) {
      best = near;
      at = j;
    }
  }
  if (at < 0) return items.length;
  const holds = (item: PlanItem): boolean => item.kind === "section" && (item.hasInputs || item.hadInputs);
  const mustBeAfter = layout.phdrs.length > 0 || layout.regions.size > 0;
  if ((items[at] as PlannedSection).osec.rank <= orphan.osec.rank || mustBeAfter) {
    at++;
    for (let j = at; j < items.length; j++) {
      if (!holds(items[j]!)) continue;
      if (proximity(orphan, items[j]) !== best) break;
      at = j + 1;
    }
  } else {
    while (at > start && !holds(items[at - 1]!)) at--;
  }
  // Behind the last section it goes past everything else.
  if (!items.slice(at).some(holds)) return items.length;
  while (at < items.length && isSkipped(items[at]!)) at++;
  return at;
}
