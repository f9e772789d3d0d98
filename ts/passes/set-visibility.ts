/**
 * Decides for every global symbol: its version, whether it is exported, and whether another module may preempt it.
 *
 * Reads options, version nodes, dynamic lists and the sym/gsym rows resolve-symbols left; writes gsym.ver and the flags
 * SYM_EXPORTED, SYM_PREEMPTIBLE, SYM_FORCED_LOCAL, SYM_ABSOLUTE. Which pattern counts is in
 * version-patterns.ts. The surprising choice: this comes before garbage collection (what is exported is a root), so an
 * exported reference may still turn out unused; collectDynsyms leaves it out.
 */
import {
  MARK_VERSIONED, MARK_VERSIONED_DEFAULT, SYM_ABSOLUTE, VIS_DYNAMIC_LIST_BINDS, VIS_EXPORT_ALL, VIS_HAS_DYNSYM, VIS_KEEP_EXPORTED, VIS_NO_DYNAMIC_LINKER, VIS_NOTHING_AT_RUN_TIME,
  VIS_READ_SUFFIX, VIS_SHARED,
} from "../../as-kernels/shared/abi.ts";
import { VER_NDX_GLOBAL, VER_NDX_LOCAL, VERSYM_HIDDEN } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import * as messages from "../diagnostics/messages.ts";
import { filePlace } from "../diagnostics/place.ts";
import { redirectWrapped } from "./resolve-symbols.ts";
import { settleVersionedNames } from "./versioned-names.ts";
import { assignVersionNodes, definedVersion, markDynamicList, markedRows, versionIds } from "./version-patterns.ts";
import { defineVersions } from "./version-symbols.ts";

/** Does the output get .dynsym and .dynamic? As lld: any shared object on the command line, or position independence. */
export function hasDynamicTables(ctx: Context): boolean {
  const { options } = ctx;
  if (options.relocatable) return false;
  return ctx.sharedObjects.length > 0 || options.shared || options.pie;
}

export function setVisibility(ctx: Context): void {
  const { arena, kernels, options } = ctx;
  const globals = ctx.params.get("globalSyms");
  ctx.params.set("dynamic", hasDynamicTables(ctx) ? 1 : 0);
  if (options.relocatable) {
    redirectWrapped(ctx);
    return;
  }
  if (options.z.dynamicUndefinedWeak && undefinedWeakIsZero(ctx)) ctx.diag.warn({ code: "BAD_OPTION", text: "-z dynamic-undefined-weak ignored: nothing is linked at run time" });
  const listed = ctx.dynamicList.length > 0 || options.dynamicListData;
  const patterns = ctx.versionNodes.length > 0 || listed;
  const bits = optionBits(ctx) | (patterns || options.shared ? VIS_READ_SUFFIX : 0);
  const mark = arena.mark();
  const marks = (bits & VIS_READ_SUFFIX) !== 0 ? arena.allocZeroed(globals) : 0;
  const versioned = kernels.startVersions(1, globals, bits, marks);
  if (ctx.versionNodes.length > 0) assignVersionNodes(ctx, marks, versioned);
  if (versioned > 0) readOwnVersions(ctx, marks);
  if (listed) markDynamicList(ctx, marks);
  redirectWrapped(ctx);
  settleVersionedNames(ctx, marks, versioned);
  if (ctx.versionNodes.length > 0) defineVersions(ctx);
  kernels.setVisibility(1, globals, bits, marks);
  arena.release(mark);
}

/** Decides again for one global that the linker has defined since (__start_X): it is no reference any more. */
export function refreshVisibility(ctx: Context, row: number): void {
  ctx.tables.sym.flags[row]! &= ~SYM_ABSOLUTE;
  ctx.kernels.setVisibility(row, row + 1, optionBits(ctx), 0);
}

/**
 * -z [no]dynamic-undefined-weak; by itself only programs without a dynamic linker settle them (lld: glibc's static-pie counts on it). A program
 * that needs nobody relocates itself: the start code of static-pie crashes over relocations with symbols, and there are none to be found (GNU ld).
 */
export function undefinedWeakIsZero(ctx: Context): boolean {
  const { options } = ctx;
  const { dynamicUndefinedWeak } = options.z;
  if (options.shared || options.dynamicLinker !== "") return dynamicUndefinedWeak === false;
  return !dynamicUndefinedWeak || nothingAtRunTime(ctx);
}

/** Is this a program without a dynamic linker and libraries (static-pie)? */
function nothingAtRunTime({ options, sharedObjects }: Context): boolean {
  return options.dynamicLinker === "" && !options.shared && sharedObjects.length === 0;
}

function optionBits(ctx: Context): number {
  const { options } = ctx;
  return (
    (hasDynamicTables(ctx) ? VIS_HAS_DYNSYM : 0) |
    (options.shared || options.exportDynamic ? VIS_EXPORT_ALL : 0) |
    (options.shared ? VIS_SHARED : 0) |
    (options.gcKeepExported ? VIS_KEEP_EXPORTED : 0) |
    (undefinedWeakIsZero(ctx) ? VIS_NO_DYNAMIC_LINKER : 0) |
    (nothingAtRunTime(ctx) ? VIS_NOTHING_AT_RUN_TIME : 0) |
    (options.dynamicLists.length > 0 || options.dynamicListData || options.dynamicListCpp.length > 0 ? VIS_DYNAMIC_LIST_BINDS : 0)
  );
}

/** Definitions called name@V or name@@V take the version they name, unless a `local:` pattern hid them. That of name@ is none. */
function readOwnVersions(ctx: Context, marks: number): void {
  const ids = versionIds(ctx.versionNodes).set("", VER_NDX_GLOBAL);
  for (const row of markedRows(ctx, marks, MARK_VERSIONED | MARK_VERSIONED_DEFAULT)) {
    if (ctx.tables.gsym.ver[row] === VER_NDX_LOCAL) continue;
    const version = definedVersion(ctx, row);
    const id = ids.get(version);
    if (id !== undefined) {
      ctx.tables.gsym.ver[row] = (ctx.arena.u8[marks + row]! & MARK_VERSIONED_DEFAULT) !== 0 ? id : id | VERSYM_HIDDEN;
    } else if (ctx.options.shared) {
      ctx.diag.error(messages.undefinedSymbolVersion(filePlace(ctx, ctx.tables.gsym.obj[row]!), ctx.arena.cstring(ctx.kernels.definedName(row)), version));
    }
  }
}
