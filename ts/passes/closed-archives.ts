/** Archives that a link does without, as long as nobody refers to them. Kept by resolve-inputs.ts from one round of loading to the next. */
import { SYM_ROOT, SYM_USED_REGULAR, SYM_USED_SHARED } from "../../as-kernels/shared/abi.ts";
import { STV_DEFAULT } from "../../as-kernels/shared/elf.ts";
import { UNDEFINED_IGNORE } from "../../as-kernels/shared/reloc.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { SLIM_MARK } from "../lto/slim-mark.ts";
import { linkerNames } from "./linker-defined.ts";
import { undefinedPolicy } from "./scan-relocs.ts";
import { ScannedArchives } from "./scanned-archives.ts";
import { missesVersioned } from "./version-patterns.ts";

/** Somebody refers to the symbol. */
const REFERRED = SYM_USED_REGULAR | SYM_USED_SHARED | SYM_ROOT;
/** An object of the link or an option does: what only shared objects refer to may be in libraries that are not named. */
const MUST_BE = SYM_USED_REGULAR | SYM_ROOT;
/** Archives with more bytes than this, all together, are opened: a thousand members that are wanted have no use of being looked through first. */
const SCAN_BYTES_MAX = 64 << 20;
/** An identity (as-kernels/lib/symbol-name.ts). */
const HASH_BYTES = 16;

/** An archive's symbol index in memory: how many names it should have, address and bytes of them; and the bytes of the archive. */
export interface ClosedArchive {
  count: number;
  names: number;
  namesBytes: number;
  bytes: number;
}

/**
 * Archives that are left closed as long as nobody mentions a name of their index.
 *
 * gcc names libgcc.a on every link, and hardly ever is one of its 250 members wanted. A member can only become part of a
 * link when some file of the link refers to a name it defines, so an archive none of whose names is referred to has no
 * say in it. When one is, inputs are loaded again with those members of it that can have one (scanned-archives.ts), or with all.
 */
export class ClosedArchives {
  /** Paths of archives that are opened. */
  readonly opened = new Set<ByteString>();
  /** Bytes of those that openAll has opened, where members are no matter of the next link. */
  openedBytes = 0;
  /** Archives left closed in this round, by path. */
  readonly closed = new Map<ByteString, ClosedArchive>();
  /** Archives of which members are loaded one by one. */
  scanned: ScannedArchives | null = null;
  private readonly lasts: boolean;

  /** `lasts`: another link may take this one up, and would miss members that are not loaded. */
  constructor(lasts: boolean) {
    this.lasts = lasts;
  }

  /** After resolve-symbols: opens what somebody refers to (without looking inside: all when that is more than `few` bytes); true = load again. */
  openReferenced(ctx: Context, few: number): boolean {
    // Version scripts may name what only members define that nobody needs (lld).
    return this.openWanted(ctx, few) || ((this.closed.size > 0 || this.scanned !== null) && missesVersioned(ctx) && this.openAll());
  }

  private openWanted(ctx: Context, few: number): boolean {
    if (this.scanned?.need(REFERRED) === true) return true;
    // What is said of a symbol that is missing tells names like it, also of members that nobody asked for.
    if (this.scanned !== null && this.isMissing(ctx, undefinedPolicy(ctx) === UNDEFINED_IGNORE)) return this.openAll();
    const referred = this.referred(ctx);
    // What an index does not say, because it is stale or bitcode is among the members, counts where it makes a difference.
    if (referred.length === 0 && (this.closed.size === 0 || this.scanned !== null || !this.isMissing(ctx))) return false;
    if (this.scanned === null) {
      const more = this.scan(ctx);
      // All, where some would do: the names come in the same order.
      if (more === true && this.lasts) this.openAll();
      if (more !== null) return more;
    }
    const bytes = this.open(referred);
    if (bytes > few) this.openAll();
    return bytes > 0;
  }

  /** Is there a symbol that neither an input nor, as far as is known now, the linker defines, and that will be missed? `hidden`: only those that cannot be elsewhere count. */
  private isMissing({ kernels, symbolName, tables: { gsym } }: Context, hidden = false): boolean {
    // Programs do not call __tls_get_addr in the end: the linker rewrites the calls.
    const own = new Set([...linkerNames(), "__tls_get_addr"]);
    for (let id = kernels.nextMissing(1, MUST_BE); id !== 0; id = kernels.nextMissing(id + 1, MUST_BE)) {
      if (hidden && gsym.vis[id] === STV_DEFAULT) continue;
      const name = symbolName(id);
      if (!own.has(name) && !/^__(start|stop)_/.test(name)) return true;
    }
    return false;
  }

  /** Closed archives with a name in their index that somebody refers to; slim LTO objects are known by their mark only. */
  private referred(ctx: Context): ByteString[] {
    if (this.closed.size === 0) return [];
    const { arena, kernels, names: { table, slots } } = ctx;
    const slim = ctx.lookup(SLIM_MARK);
    const mark = arena.mark();
    const out = arena.alloc(HASH_BYTES);
    const paths = [...this.closed].filter(([, { count, names, namesBytes }]) => kernels.indexReferred(names, namesBytes, count, REFERRED, slim, table, slots, out) !== 0);
    arena.release(mark);
    return paths.map(([path]) => path);
  }

  /** One mention leads to the next, so all archives are looked through at once. Is there something to load? null = they are too large. */
  private scan(ctx: Context): boolean | null {
    let bytes = 0;
    for (const archive of this.closed.values()) bytes += archive.bytes;
    if (bytes > SCAN_BYTES_MAX) return null;
    const scanned = (this.scanned = new ScannedArchives(ctx, this.closed.keys(), bytes));
    const odd = [...this.closed.keys()].filter((path) => !scanned.has(path));
    this.open(odd);
    return scanned.need(REFERRED) || odd.length > 0;
  }

  /** Opens all; true = load again. */
  openAll(): boolean {
    const before = this.opened.size;
    const bytes = this.open([...this.closed.keys(), ...(this.scanned?.paths ?? [])]);
    if (!this.lasts) this.openedBytes += bytes;
    this.scanned = null;
    return this.opened.size > before;
  }

  /** Bytes of those that were closed until now. */
  private open(paths: Iterable<ByteString>): number {
    let bytes = 0;
    for (const path of paths) {
      this.opened.add(path);
      bytes += this.closed.get(path)?.bytes ?? 0;
    }
    return bytes;
  }
}
