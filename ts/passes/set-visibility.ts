/**
 * Decides for every global symbol: its version, whether it is exported, and whether another module may preempt it.
 *
 * Reads options, version nodes, dynamic lists and the sym/gsym rows resolve-symbols left; writes gsym.ver and the flags
 * SYM_EXPORTED, SYM_PREEMPTIBLE, SYM_PROTECTED, SYM_FORCED_LOCAL, SYM_ABSOLUTE. Which pattern counts is in
 * version-patterns.ts. The surprising choice: this comes before garbage collection (what is exported is a root), so an
 * exported reference may still turn out unused; collectDynsyms leaves it out.
 */
import {
  MARK_VERSIONED, MARK_VERSIONED_DEFAULT, SYM_ABSOLUTE, SYM_DEFINED, SYM_IN_OSEC, SYM_KIND_MASK, SYM_REF_STRONG, SYM_SHARED, SYM_UNDEF, SYM_USED_REGULAR,
  SYM_USED_SHARED, VIS_DYNAMIC_LIST_BINDS, VIS_EXPORT_ALL, VIS_HAS_DYNSYM, VIS_NO_DYNAMIC_LINKER, VIS_READ_SUFFIX, VIS_SHARED,
} from "../../as-kernels/shared/abi.ts";
import { VER_NDX_LOCAL, VERSYM_HIDDEN } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import * as messages from "../diagnostics/messages.ts";
import { redirectWrapped } from "./resolve-symbols.ts";
import { assignVersionNodes, definedVersion, markDynamicList, versionIds } from "./version-patterns.ts";

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
  const listed = ctx.dynamicList.length > 0 || options.dynamicListData;
  const patterns = ctx.versionNodes.length > 0 || listed;
  const bits = optionBits(ctx) | (patterns || options.shared ? VIS_READ_SUFFIX : 0);
  const mark = arena.mark();
  const marks = (bits & VIS_READ_SUFFIX) !== 0 ? arena.allocZeroed(globals) : 0;
  const versioned = kernels.startVersions!(1, globals, bits, marks);
  if (ctx.versionNodes.length > 0) assignVersionNodes(ctx, marks, versioned);
  if (versioned > 0) readOwnVersions(ctx, marks);
  if (listed) markDynamicList(ctx, marks);
  redirectWrapped(ctx);
  redirectVersionedReferences(ctx);
  kernels.setVisibility!(1, globals, bits, marks);
  arena.release(mark);
}

/** Decides again for one global that the linker has defined since (__start_X): it is no reference any more. */
export function refreshVisibility(ctx: Context, row: number): void {
  ctx.tables.sym.flags[row]! &= ~SYM_ABSOLUTE;
  ctx.kernels.setVisibility!(row, row + 1, optionBits(ctx), 0);
}

/** -z [no]dynamic-undefined-weak; by itself only programs without a dynamic linker settle them (lld: glibc's static-pie counts on it). */
function undefinedWeakIsZero({ options }: Context): boolean {
  return options.z.dynamicUndefinedWeak === undefined ? options.dynamicLinker === "" : !options.z.dynamicUndefinedWeak;
}

function optionBits(ctx: Context): number {
  const { options } = ctx;
  return (
    (hasDynamicTables(ctx) ? VIS_HAS_DYNSYM : 0) |
    (options.shared || options.exportDynamic ? VIS_EXPORT_ALL : 0) |
    (options.shared ? VIS_SHARED : 0) |
    (undefinedWeakIsZero(ctx) ? VIS_NO_DYNAMIC_LINKER : 0) |
    (options.dynamicLists.length > 0 || options.dynamicListData || options.dynamicListCpp.length > 0 ? VIS_DYNAMIC_LIST_BINDS : 0)
  );
}

/** Definitions called name@V or name@@V take the version they name, unless a `local:` pattern hid them. */
function readOwnVersions(ctx: Context, marks: number): void {
  const ids = versionIds(ctx.versionNodes);
  for (const row of markedRows(ctx, marks, MARK_VERSIONED | MARK_VERSIONED_DEFAULT)) {
    if (ctx.tables.gsym.ver[row] === VER_NDX_LOCAL) continue;
    const version = definedVersion(ctx, row);
    const id = ids.get(version);
    if (id !== undefined) {
      const isDefault = (ctx.arena.u8[marks + row]! & MARK_VERSIONED_DEFAULT) !== 0;
      ctx.tables.gsym.ver[row] = isDefault ? id : id | VERSYM_HIDDEN;
    } else if (ctx.options.shared) {
      ctx.diag.error(messages.undefinedSymbolVersion(definingPlace(ctx, row), ctx.arena.cstring(ctx.kernels.definedName!(row)), version));
    }
  }
}

function markedRows(ctx: Context, marks: number, wanted: number): Uint32Array {
  const { arena, kernels } = ctx;
  const globals = ctx.params.get("globalSyms");
  const count = kernels.listMarked!(1, globals, marks, wanted, 0);
  const list = arena.alloc(count * 4);
  kernels.listMarked!(1, globals, marks, wanted, list);
  return arena.u32.subarray(list >>> 2, (list >>> 2) + count);
}

function definingPlace(ctx: Context, row: number): ByteString {
  const file = ctx.inputs[ctx.tables.obj.fileId[ctx.tables.gsym.obj[row]!]!];
  if (file === undefined) return "<internal>";
  return file.member === "" ? file.path : `${file.path}(${file.member})`;
}

/**
 * References to name@V that nobody defines under that name mean `name` when its version is V: a definition a version script
 * put into V, or one called name@@V. (Shared objects offer both names already.)
 */
function redirectVersionedReferences(ctx: Context): void {
  const { arena, kernels, tables } = ctx;
  const globals = ctx.params.get("globalSyms");
  const count = kernels.listVersionedUndefined!(1, globals, 0);
  if (count === 0) return;
  const mark = arena.mark();
  const list = arena.alloc(count * 4);
  kernels.listVersionedUndefined!(1, globals, list);
  const map = arena.allocZeroed(globals * 4);
  let found = 0;
  for (let i = 0; i < count; i++) {
    const row = arena.u32[(list >>> 2) + i]!;
    const target = targetOfVersioned(ctx, row);
    if (target === 0) continue;
    arena.u32[(map >>> 2) + row] = target;
    const flags = tables.sym.flags;
    flags[target] = flags[target]! | (flags[row]! & (SYM_USED_REGULAR | SYM_USED_SHARED | SYM_REF_STRONG));
    flags[row] = (flags[row]! & ~(SYM_KIND_MASK | SYM_USED_REGULAR | SYM_REF_STRONG)) | SYM_UNDEF;
    found++;
  }
  if (found > 0) {
    const objects = arena.alloc(ctx.objects.length * 4);
    arena.u32.set(ctx.objects, objects >>> 2);
    kernels.redirectSymbols!(objects, 0, ctx.objects.length, map);
  }
  arena.release(mark);
}

/** The global that an undefined name@V stands for, 0 = none. */
function targetOfVersioned(ctx: Context, row: number): number {
  const { arena, tables } = ctx;
  const stemBytes = tables.gsym.nameBytes[row]!;
  const full = arena.cstring(tables.gsym.name[row]!);
  const version = full.slice(stemBytes + 1);
  const target = ctx.lookup(full.slice(0, stemBytes));
  if (target === 0 || target === row || version === "" || version.startsWith("@")) return 0;
  const kind = tables.sym.flags[target]! & SYM_KIND_MASK;
  const ver = tables.gsym.ver[target]!;
  if (kind === SYM_SHARED) {
    return ctx.inputs[tables.obj.fileId[tables.gsym.obj[target]!]!]?.versions[ver] === version ? target : 0;
  }
  if (kind !== SYM_DEFINED && kind !== SYM_IN_OSEC) return 0;
  return versionIds(ctx.versionNodes).get(version) === ver ? target : 0;
}
