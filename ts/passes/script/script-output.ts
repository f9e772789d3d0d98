/**
 * What a layout script itself puts into output sections: fill patterns between contents, and BYTE, SHORT, LONG, QUAD.
 *
 * Written after the contents of input sections, so windows need not know of scripts. Gaps begin a new pattern each, as in lld.
 */
import { ISEC_EH_FRAME, ISEC_MERGE } from "../../../as-kernels/shared/abi.ts";
import { SHF_EXECINSTR, SHT_NOBITS } from "../../../as-kernels/shared/elf.ts";
import type { Context } from "../../context.ts";
import type { OutputFile } from "../../host/host.ts";
import type { Plan, PlannedSection } from "../../script/plan.ts";

const WRITE_BYTES = 1 << 16;

type Write = (bytes: Uint8Array, offset: number) => void;

export function writeScriptBytes(ctx: Context, plan: Plan, file: OutputFile): void {
  for (const section of plan.sections) {
    const { osec } = section;
    if (section.removed || osec.sh_type === SHT_NOBITS || osec.size === 0 || osec.ready !== null) continue;
    writeSectionBytes(ctx, section, (bytes, offset) => file.write(bytes, osec.sh_offset + offset));
  }
}

/** What the script puts into one section; `write` takes bytes and their offset in the section. */
export function writeSectionBytes(ctx: Context, section: PlannedSection, write: Write): void {
  const executable = (section.osec.sh_flags & SHF_EXECINSTR) !== 0;
  const fill = section.command?.fill ?? (executable ? Uint8Array.of(ctx.arch.codeFill) : null);
  // Windows leave zeros between data and traps between code.
  if (fill !== null && (executable || fill.some((byte) => byte !== 0))) fillGaps(ctx, section, fill, write);
  for (const part of section.parts) {
    if (part.kind !== "data") continue;
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, part.value, true);
    write(bytes.subarray(0, part.bytes), part.offset);
  }
}

/** Stretches of the section that hold contents, in order. */
function extents(ctx: Context, { osec }: PlannedSection): [number, number][] {
  const { tables } = ctx;
  const found: [number, number][] = [];
  const base = tables.osec.memberBase[osec.id]!;
  for (const row of tables.member.isec.subarray(base, base + tables.osec.memberCount[osec.id]!)) {
    const kind = tables.isec.kind[row];
    if (kind === ISEC_MERGE || kind === ISEC_EH_FRAME) continue;
    const from = tables.isec.outOffset[row]!;
    found.push([from, from + tables.isec.size[row]!]);
  }
  for (let m = tables.osec.msec[osec.id]!; m !== 0; m = tables.msec.next[m]!) {
    found.push([tables.msec.outOffset[m]!, tables.msec.outOffset[m]! + tables.msec.size[m]!]);
  }
  for (const { section, offset } of osec.synthetic) found.push([offset, offset + section.size(ctx)]);
  return found.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

function fillGaps(ctx: Context, section: PlannedSection, fill: Uint8Array, write: Write): void {
  const { osec } = section;
  let at = 0;
  for (const [from, to] of [...extents(ctx, section), [osec.size, osec.size] as [number, number]]) {
    if (from > at) writePattern(write, at, from - at, fill);
    at = Math.max(at, to);
  }
}

function writePattern(write: Write, position: number, bytes: number, fill: Uint8Array): void {
  const block = new Uint8Array(Math.min(bytes, WRITE_BYTES - (WRITE_BYTES % fill.length)));
  for (let i = 0; i < block.length; i++) block[i] = fill[i % fill.length]!;
  for (let at = 0; at < bytes; at += block.length) write(block.subarray(0, Math.min(block.length, bytes - at)), position + at);
}
