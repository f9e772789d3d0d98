/** -z report-relative-reloc: each relative relocation with what it refers to and where it is, in GNU ld's words. */
import { RELATIVE_BYTES } from "../../as-kernels/shared/cells.ts";
import { relocationName } from "../arch/x86-64-words.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { fileName, rawRelocation, rawSymbol, sectionName, symbolBytes } from "../diagnostics/place.ts";


export function relativeRelocs(ctx: Context): ByteString[] {
  const { arch, arena, kernels, params, tables: { isec, sym, obj, esym } } = ctx;
  const { output } = ctx.options;
  const type = relocationName(arch.e_machine, arch.R_RELATIVE);
  const line = (place: bigint, addend: bigint, symbol: ByteString, section: ByteString, file: ByteString): ByteString =>
    `${output}: ${type} (offset: 0x${place.toString(16)}, info: 0x${arch.R_RELATIVE.toString(16)}, addend: 0x${addend.toString(16)}) against '${symbol}' for section '${section}' in ${file}`;
  if (params.get("pic") === 0) return [];
  const count = kernels.listRelative(1, isec.rows, 0, 0);
  const words = kernels.listGotRelative(1, params.get("auxRows") + 1, 0, 0);
  const mark = arena.mark();
  const list = arena.alloc(count * RELATIVE_BYTES);
  const got = arena.alloc(words * 8);
  kernels.listRelative(1, isec.rows, list, count);
  kernels.listGotRelative(1, params.get("auxRows") + 1, got, words);
  const lines = Array.from({ length: count }, (_, n) => {
    const at = list + n * RELATIVE_BYTES;
    const row = arena.u32[at >>> 2]!;
    const o = isec.obj[row]!;
    const index = rawRelocation(ctx, row, arena.u32[(at >>> 2) + 1]!)?.r_sym ?? 0;
    const target = esym.sym[obj.esymBase[o]! + index]!;
    const name = rawSymbol(ctx, o, index)?.name || (sym.isec[target] === 0 ? "" : sectionName(ctx, sym.isec[target]!));
    return line(arena.u64[(at + 8) >>> 3]!, arena.u64[(at + 16) >>> 3]!, name, sectionName(ctx, row), fileName(ctx, o));
  });
  for (let n = 0; n < words; n++) {
    const [id, word] = [arena.u32[(got >>> 2) + 2 * n]!, arena.u32[(got >>> 2) + 2 * n + 1]!];
    lines.push(line(params.get("gotAddr") + 8n * BigInt(word - 1), sym.addr[id]!, symbolBytes(ctx, id), ".got", output));
  }
  arena.release(mark);
  return lines;
}
