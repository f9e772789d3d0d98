/** Archives that a link does without, as long as nobody refers to them. Kept by link.ts from one round of loading to the next. */
import { SYM_ROOT, SYM_USED_REGULAR, SYM_USED_SHARED } from "../../as-kernels/shared/abi.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";

/**
 * Archives that are left closed as long as nobody mentions a name of their index.
 *
 * gcc names libgcc.a on every link, and hardly ever is one of its 250 members wanted. A member can only become part of a
 * link when some file of the link refers to a name it defines, so an archive none of whose names is referred to has no
 * say in it. When one is, inputs are loaded again with that archive open.
 */
export class ClosedArchives {
  /** Paths of archives that are opened. */
  readonly opened = new Set<ByteString>();
  /** Archives left closed in this round: by path, names of the index and size of the archive. */
  readonly closed = new Map<ByteString, { names: ByteString[]; bytes: number }>();

  /** After resolve-symbols: opens what somebody refers to, or all when that is more than `few` bytes; true = load again. */
  openReferenced(ctx: Context, few: number): boolean {
    const { flags } = ctx.tables.sym;
    const referred = (name: ByteString) => {
      const sym = ctx.lookup(name);
      return sym !== 0 && (flags[sym]! & (SYM_USED_REGULAR | SYM_USED_SHARED | SYM_ROOT)) !== 0;
    };
    let bytes = 0;
    for (const [path, archive] of this.closed) {
      if (!archive.names.some(referred)) continue;
      this.opened.add(path);
      bytes += archive.bytes;
    }
    if (bytes > few) this.openAll();
    return bytes > 0;
  }

  /** Opens all; true = load again. */
  openAll(): boolean {
    for (const path of this.closed.keys()) this.opened.add(path);
    return this.closed.size > 0;
  }
}
