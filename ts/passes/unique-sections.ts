/** --unique and --unique=GLOB: which input sections get an output section of their own. */
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { Glob } from "../script/glob.ts";

/** By name. */
export function isUnique(ctx: Context): (name: ByteString) => boolean {
  const { unique, uniqueGlobs } = ctx.options;
  const globs = uniqueGlobs.map((text) => new Glob(text));
  const known = new Map<ByteString, boolean>();
  return (name) => {
    let is = known.get(name);
    if (is === undefined) known.set(name, (is = unique || globs.some((glob) => glob.matches(name))));
    return is;
  };
}

/** For kernels: 0 = none, 1 = all, else the address of a byte for each isec row. */
export function uniqueRows(ctx: Context): number {
  const { options, arena, tables } = ctx;
  if (options.unique) return 1;
  if (options.uniqueGlobs.length === 0) return 0;
  const is = isUnique(ctx);
  const { name, rows } = tables.isec;
  const bytes = arena.allocZeroed(rows);
  for (let row = 1; row < rows; row++) if (name[row] !== 0 && is(arena.cstring(name[row]!))) arena.u8[bytes + row] = 1;
  return bytes;
}
