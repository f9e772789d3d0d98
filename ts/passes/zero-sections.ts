/**
 * --zero-to-bss: data sections whose bytes are all 0 become SHT_NOBITS, which the file does not hold (mold).
 *
 * After load-sections, and only when asked for: every candidate is read. Those of .data and the like get the names of their .bss, or one other
 * section with contents would bring their zeros back into the file; under a script, which goes by names, they keep their own.
 */
import { SHT_NOBITS } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { outputName } from "./bind-sections.ts";

const SLICE_BYTES = 1 << 18;
const BSS: Record<string, string> = { ".data": ".bss", ".data.rel.ro": ".bss.rel.ro", ".tdata": ".tbss", ".ldata": ".lbss" };

export function zeroSections(ctx: Context): void {
  const { arena, kernels, tables: { isec } } = ctx;
  const names = new Map<string, number>();
  const { rows } = isec;
  for (let row = kernels.nextPlainData(1, rows); row < rows; row = kernels.nextPlainData(row + 1, rows)) {
    if (!holdsZeros(ctx, row)) continue;
    isec.sh_type[row] = SHT_NOBITS;
    const name = outputName(ctx, arena.cstring(isec.name[row]!));
    if (!Object.hasOwn(BSS, name) || ctx.script?.hasSections === true) continue;
    if (!names.has(name)) names.set(name, arena.put(BSS[name]!));
    isec.name[row] = names.get(name)!;
    isec.rule[row] = 0;
  }
}

function holdsZeros({ kernels, pool: { self }, tables: { isec, obj } }: Context, row: number): boolean {
  const size = isec.size[row]!;
  const window = self.window(0, SLICE_BYTES + 16);
  for (let at = 0; at < size; at += SLICE_BYTES) {
    const bytes = Math.min(SLICE_BYTES, size - at);
    self.read(obj.source[isec.obj[row]!]!, isec.sh_offset[row]! + at, window, bytes);
    if (kernels.isZero(window, bytes) === 0) return false;
  }
  return true;
}
