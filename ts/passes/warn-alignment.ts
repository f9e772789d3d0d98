/** --warn-section-align: sections that begin later than what is before them ends, because of their alignment (GNU ld). Only reads. */
import { PT_LOAD } from "../../as-kernels/shared/elf.ts";
import type { Context, OutputSection } from "../context.ts";

/** `moved`: by how many bytes. */
export function warnAligned(ctx: Context, moved: ReadonlyMap<OutputSection, bigint>): void {
  for (const [osec, bytes] of moved) {
    if (bytes > 0n && osec.size > 0) ctx.diag.warn({ code: "LAYOUT", text: `start of section ${osec.name} changed by ${bytes}` });
  }
}

/** The default layout: between sections of a PT_LOAD there is nothing else. */
export function alignedByDefault({ segments, options }: Context): Map<OutputSection, bigint> {
  const moved = new Map<OutputSection, bigint>();
  for (const { p_type, sections } of segments) {
    if (p_type !== PT_LOAD) continue;
    sections.forEach((osec, i) => {
      const before = sections[i - 1];
      if (before !== undefined && !options.sectionStarts.has(osec.name)) moved.set(osec, osec.sh_addr - before.sh_addr - BigInt(before.size));
    });
  }
  return moved;
}
