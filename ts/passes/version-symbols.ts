/**
 * A symbol for every version that a version script defines, as GNU ld and gold write them: `V1@@V1`, an object of no size at the absolute address 0.
 *
 * No program refers to them, but lists of a library's symbols name them (Debian's dpkg-gensymbols fails when one is gone). lld has none, so there
 * are none when called as ld.lld.
 */
import { SYM_ABSOLUTE, SYM_OBJECT, SYM_USED_REGULAR, SYM_USED_SHARED } from "../../as-kernels/shared/abi.ts";
import { STT_OBJECT, STV_DEFAULT } from "../../as-kernels/shared/elf.ts";
import { isLld } from "../args/identity.ts";
import type { Context } from "../context.ts";
import { isDefined, markLinkerDefined } from "./linker-defined.ts";
import { hasDynamicTables } from "./set-visibility.ts";
import { versionIds } from "./version-patterns.ts";

/** After all patterns, which have no say here. What an input defines under such a name stays its own. Writes sym, gsym. */
export function defineVersions(ctx: Context): void {
  if (!hasDynamicTables(ctx) || isLld(ctx.options)) return;
  const { gsym, sym } = ctx.tables;
  for (const [name, ver] of versionIds(ctx.versionNodes)) {
    const id = ctx.lookup(name);
    if (id === 0 || isDefined(ctx, id)) continue;
    markLinkerDefined(ctx, id, STV_DEFAULT);
    // In programs, too, they are dynamic symbols, as if a library referred to them.
    sym.flags[id]! |= SYM_ABSOLUTE | SYM_OBJECT | SYM_USED_REGULAR | SYM_USED_SHARED;
    sym.isec[id] = 0;
    gsym.type[id] = STT_OBJECT;
    gsym.ver[id] = ver;
  }
}
