/** --out-implib: an object without contents that defines the output's global symbols at their addresses, for programs that call into it (GNU ld). */
import { SHN_ABS } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { makeObject } from "../input/made-object.ts";
import { latin1Of } from "../memory/text.ts";

/** Builds the file as a byte string. */
export function importLibrary(ctx: Context): ByteString {
  const { arch, arena, kernels, osabi, params, tables: { sym, gsym } } = ctx;
  const globals = params.get("globalSyms");
  const count = kernels.listDefinedGlobals(1, globals, 0);
  const mark = arena.mark();
  const list = arena.alloc(4 * count + 4);
  kernels.listDefinedGlobals(1, globals, list);
  const ids = [...arena.u32.subarray(list >>> 2, (list >>> 2) + count)];
  arena.release(mark);
  const symbols = ids.map((id) => ({
    name: ctx.symbolName(id).replace(/@.*/s, ""), st_info: (gsym.bind[id]! << 4) | gsym.type[id]!, st_other: 0, st_shndx: SHN_ABS, st_value: sym.addr[id]!, st_size: BigInt(gsym.size[id]!),
  }));
  return latin1Of(makeObject({ e_machine: arch.e_machine, osabi }, [], symbols));
}
