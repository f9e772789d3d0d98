/**
 * INSERT of layout scripts: output sections, and what is said between them, move behind or before another section, wherever the script or the
 * default layout has that.
 *
 * lld leaves the assignments where they were, behind everything else in the default layout; GNU ld moves all, and so do we: `start = .;` in
 * front of a section is about this section.
 */
import type { Context } from "../../context.ts";
import type { LayoutScript, ScriptCommand } from "../../script/layout.ts";
import type { Plan, PlanItem } from "../../script/plan.ts";

const nameOf = (command: ScriptCommand): string => (command.kind === "assert" ? "ASSERT" : command.name);

/** In the order of the commands, so that a section that several of them move ends where the last one says. */
export function applyInsertions(ctx: Context, layout: LayoutScript, { items, leads }: Plan): void {
  for (const { commands, after, where } of layout.insertions) {
    const moved: PlanItem[] = [];
    for (const command of commands) {
      const from = items.findIndex((item) => item === command || (item.kind === "section" && command.kind === "output" && item.osec.name === command.name));
      if (from >= 0) moved.push(...items.splice(from, 1));
    }
    let lead: PlanItem | undefined;
    for (const item of moved) {
      if (item.kind === "section" && lead !== undefined && item.command?.address === null) leads.set(lead, item);
      lead = item.kind === "section" ? undefined : (lead ?? item);
    }
    const at = items.findIndex((item) => item.kind === "section" && item.osec.name === where);
    if (at < 0) ctx.diag.error({ code: "BAD_SCRIPT", text: `unable to insert ${nameOf(commands[0]!)} ${after ? "after" : "before"} ${where}` });
    else items.splice(after ? at + 1 : at, 0, ...moved);
  }
}
