/**
 * INSERT of layout scripts: output sections move behind or before another one, wherever the script or the default layout has that.
 */
import type { Context } from "../../context.ts";
import type { LayoutScript } from "../../script/layout.ts";
import type { PlanItem } from "../../script/plan.ts";

/** In the order of the commands, so that a section that several of them move ends where the last one says. */
export function applyInsertions(ctx: Context, layout: LayoutScript, items: PlanItem[]): void {
  for (const { names, after, where } of layout.insertions) {
    const moved: PlanItem[] = [];
    for (const name of names) {
      const from = items.findIndex((item) => item.kind === "section" && item.osec.name === name);
      if (from >= 0) moved.push(...items.splice(from, 1));
    }
    const at = items.findIndex((item) => item.kind === "section" && item.osec.name === where);
    if (at < 0) ctx.diag.error({ code: "BAD_SCRIPT", text: `unable to insert ${names[0]} ${after ? "after" : "before"} ${where}` });
    else items.splice(after ? at + 1 : at, 0, ...moved);
  }
}
