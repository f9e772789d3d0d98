/** --unique and --unique=GLOB: which input sections get an output section of their own. */
import { ALONE, ALONE_BY_NAME } from "../../as-kernels/shared/abi.ts";
import { SHF_ALLOC } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { Glob } from "../script/glob.ts";

/** By name, which --unique=GLOB matches. */
export function isUnique(ctx: Context): (name: ByteString) => boolean {
  const globs = ctx.options.uniqueGlobs.map((text) => new Glob(text));
  const known = new Map<ByteString, boolean>();
  return (name) => {
    let is = known.get(name);
    if (is === undefined) known.set(name, (is = globs.some((glob) => glob.matches(name))));
    return is;
  };
}

/**
 * Parts of one function (.init of crti.o and crtn.o) and of one table, of which .dynamic, start files or __start_X know where it begins and
 * ends: programs need them together. GNU ld, too, keeps what its own script names together; lld does not, and such programs crash.
 */
const TOGETHER = /^(\.((init|fini|jcr|tm_clone_table)$|((pre)?init_array|fini_array|ctors|dtors|gcc_except_table)(\.|$))|[A-Za-z_]\w*$)/;

/** For kernels: 0 = none, 1 = all, else the address of ALONE_* (u8) for each isec row. */
export function uniqueRows(ctx: Context): number {
  const { options, arena, tables } = ctx;
  if (options.unique && options.relocatable) return 1;
  if (!options.unique && options.uniqueGlobs.length === 0) return 0;
  const is = options.unique ? (name: ByteString) => !TOGETHER.test(name) : isUnique(ctx);
  const { name, rows, sh_flags } = tables.isec;
  const bytes = arena.allocZeroed(rows);
  for (let row = 1; row < rows; row++) {
    // Debuggers look for one section of a name.
    if (name[row] === 0 || (options.unique && (sh_flags[row]! & SHF_ALLOC) === 0) || !is(arena.cstring(name[row]!))) continue;
    arena.u8[bytes + row] = options.unique ? ALONE : ALONE_BY_NAME;
  }
  return bytes;
}
