/**
 * What -Ttext, scripts and absurd sizes can do to a layout: sections that do not fit into the address space, or lie on top of each other in
 * memory, in load memory or in the file. Only reads.
 */
import { PT_LOAD, SHF_TLS, SHT_NOBITS } from "../../as-kernels/shared/elf.ts";
import type { Context, OutputSection } from "../context.ts";
import { isAlloc } from "./segments.ts";

const hex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16).toUpperCase()}`;

interface Stretch {
  osec: OutputSection;
  from: bigint;
}

/** `sharing`: sections of an OVERLAY, whose addresses may overlap. */
export function checkLayout(ctx: Context, sharing: ReadonlySet<OutputSection> = new Set()): void {
  if (!ctx.options.checkSections) return;
  const { osecs } = ctx;
  for (const osec of osecs) {
    if (osec.sh_addr + BigInt(osec.size) <= 1n << 64n) continue;
    ctx.diag.errorOrWarn({ code: "LAYOUT", text: `section ${osec.name} at ${hex(osec.sh_addr)} of size ${hex(BigInt(osec.size))} exceeds available address space` });
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
  checkOverlap(ctx, "load address", loaded.map((osec) => ({ osec, from: BigInt.asUintN(64, osec.sh_addr + (offsetOf.get(osec) ?? 0n)) })));
}

function checkOverlap(ctx: Context, what: string, stretches: Stretch[], sharing?: ReadonlySet<OutputSection>): void {
  const sorted = stretches.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const end = ({ osec, from }: Stretch): bigint => from + BigInt(osec.size) - 1n;
  const range = (stretch: Stretch): string => `>>> ${stretch.osec.name} range is [${hex(stretch.from)}, ${hex(end(stretch))}]`;
  for (let i = 1; i < sorted.length; i++) {
    const [a, b] = [sorted[i - 1]!, sorted[i]!];
    if (end(a) < b.from || (sharing?.has(a.osec) === true && sharing.has(b.osec))) continue;
    ctx.diag.errorOrWarn({ code: "LAYOUT", text: `section ${a.osec.name} ${what} range overlaps with ${b.osec.name}\n${range(a)}\n${range(b)}` });
  }
}
