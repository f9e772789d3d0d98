/**
 * --optimize-bb-jumps: basic blocks in sections of their own (clang -fbasic-block-sections) end in jumps that nobody needs once the
 * blocks stand in order.
 *
 * After scan-relocs, when order is final, and before anything has an address. A section is only shortened when the next one has no
 * alignment, so that no padding can come between them. Writes isec.size, relocations, sizes of symbols, params.shortened (for unwind
 * records).
 */
import { SHF_EXECINSTR } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { HEADERS_OSEC } from "./bind-sections.ts";

/** A jump and a conditional jump. */
const TAIL_BYTES = 11;

export function shortenJumps(ctx: Context): void {
  const { arena, kernels, tables } = ctx;
  const { isec, obj, member } = tables;
  const w = ctx.pool.self;
  const saved = arena.allocZeroed(isec.rows);
  const tail = arena.alloc(16);
  let any = false;
  for (const [from, to] of codeRuns(ctx)) {
    for (let i = kernels.nextJump(from, to); i < to; i = kernels.nextJump(i + 1, to)) {
      const row = member.isec[i]!;
      const bytes = Math.min(TAIL_BYTES, isec.size[row]!);
      w.read(obj.source[isec.obj[row]!]!, isec.sh_offset[row]! + isec.size[row]! - bytes, tail, bytes);
      const lost = kernels.shortenJump(i, tail, bytes);
      arena.u8[saved + row] = lost;
      any ||= lost > 0;
    }
  }
  if (!any) return;
  ctx.params.set("shortened", saved);
  for (const o of ctx.objects) kernels.trimSymbols(o, saved);
}

/** Stretches of members that will stand next to each other. */
function codeRuns(ctx: Context): [number, number][] {
  const { sh_flags, memberBase, memberCount, rows } = ctx.tables.osec;
  if (ctx.plan !== null) {
    const code = ctx.plan.sections.filter(({ osec }) => (osec.sh_flags & SHF_EXECINSTR) !== 0);
    return code.flatMap(({ parts }) => parts.flatMap((part): [number, number][] => (part.kind === "members" ? [[part.from, part.to]] : [])));
  }
  const runs: [number, number][] = [];
  for (let id = HEADERS_OSEC; id < rows; id++) if ((sh_flags[id]! & SHF_EXECINSTR) !== 0) runs.push([memberBase[id]!, memberBase[id]! + memberCount[id]!]);
  return runs;
}
