/**
 * What -Ttext, scripts and absurd sizes can do to a layout: sections that do not fit into the address space, or lie on top of each other in
 * memory, in load memory or in the file. Only reads.
 */
import { PT_LOAD, SHF_TLS, SHT_NOBITS } from "../../as-kernels/shared/elf.ts";
import type { Context, OutputSection } from "../context.ts";
import { beyondAddressSpace, overlap, type Stretch } from "../diagnostics/layout-messages.ts";
import { isAlloc } from "./segments.ts";

/** A section, and where it begins in one of the spaces. */
interface Placed {
  osec: OutputSection;
  from: bigint;
}

const stretch = ({ osec, from }: Placed): Stretch => ({ name: osec.name, from, bytes: osec.size });

/** `sharing`: sections of an OVERLAY, whose addresses may overlap. */
export function checkLayout(ctx: Context, sharing: ReadonlySet<OutputSection> = new Set()): void {
  if (!ctx.options.checkSections) return;
  const { osecs } = ctx;
  for (const osec of osecs) {
    if (osec.sh_addr + BigInt(osec.size) <= 1n << 64n) continue;
    ctx.diag.errorOrWarn(beyondAddressSpace(stretch({ osec, from: osec.sh_addr })));
  }
  const loaded = osecs.filter((osec) => osec.size > 0 && isAlloc(osec) && (osec.sh_flags & SHF_TLS) === 0);
  if (ctx.plan !== null) {
    const written = osecs.filter((osec) => osec.size > 0 && osec.sh_type !== SHT_NOBITS && (isAlloc(osec) || !ctx.options.binary));
    checkOverlap(ctx, "file", written.map((osec) => ({ osec, from: BigInt(osec.sh_offset) })));
  }
  checkOverlap(ctx, "virtual address", loaded.map((osec) => ({ osec, from: osec.sh_addr })), sharing);
  const moved = ctx.segments.filter((segment) => segment.p_type === PT_LOAD && segment.lmaOffset !== 0n);
  if (moved.length === 0) return;
  const offsetOf = new Map(moved.flatMap((segment) => segment.sections.map((osec) => [osec, segment.lmaOffset] as const)));
  // Nobody loads what is only zero: Zephyr loads code on demand from where .bss will be (GNU ld).
  const brought = loaded.filter((osec) => osec.sh_type !== SHT_NOBITS);
  checkOverlap(ctx, "load address", brought.map((osec) => ({ osec, from: BigInt.asUintN(64, osec.sh_addr + (offsetOf.get(osec) ?? 0n)) })));
}

function checkOverlap(ctx: Context, space: Parameters<typeof overlap>[0], placed: Placed[], sharing?: ReadonlySet<OutputSection>): void {
  const sorted = placed.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  for (let i = 1; i < sorted.length; i++) {
    const [a, b] = [sorted[i - 1]!, sorted[i]!];
    if (a.from + BigInt(a.osec.size) <= b.from || (sharing?.has(a.osec) === true && sharing.has(b.osec))) continue;
    ctx.diag.errorOrWarn(overlap(space, stretch(a), stretch(b)));
  }
}
