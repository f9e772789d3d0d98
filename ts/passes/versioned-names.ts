/**
 * name, name@V and name@@V: which of them are one symbol.
 *
 * After versions are known. Symbols that mean another are taken out, and whoever mentions them is redirected. References that a shared
 * object satisfies under both names stay two (lld), because it offers both.
 */
import {
  MARK_VERSIONED, MARK_VERSIONED_DEFAULT, SYM_DEFINED, SYM_IN_OSEC, SYM_KIND_MASK, SYM_REF_STRONG, SYM_SHARED, SYM_UNDEF, SYM_USED_REGULAR,
  SYM_USED_SHARED, SYM_WEAK,
} from "../../as-kernels/shared/abi.ts";
import { STB_WEAK, STV_DEFAULT, VER_NDX_GLOBAL, VERSYM_HIDDEN } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { duplicateSymbol } from "../diagnostics/issues.ts";
import { definedVersion, markedRows, versionIds } from "./version-patterns.ts";

/** `marks`: mark byte per global, 0 = none were made. `versioned`: definitions called name@V or name@@V. */
export function settleVersionedNames(ctx: Context, marks: number, versioned: number): void {
  const { arena, kernels } = ctx;
  const globals = ctx.params.get("globalSyms");
  const references = kernels.listVersionedUndefined(1, globals, 0);
  if (references === 0 && versioned === 0) return;
  const mark = arena.mark();
  const redirect = new Redirect(ctx);
  const ids = versionIds(ctx.versionNodes);
  // References first: they may mean a definition that is about to become another's.
  const list = arena.alloc(references * 4);
  kernels.listVersionedUndefined(1, globals, list);
  for (let i = 0; i < references; i++) {
    const row = arena.u32[(list >>> 2) + i]!;
    const target = targetOfReference(ctx, ids, row);
    if (target !== 0) redirect.add(row, target);
  }
  if (versioned > 0) for (const row of markedRows(ctx, marks, MARK_VERSIONED)) settleDefinition(ctx, ids, marks, row, redirect);
  redirect.apply();
  arena.release(mark);
}

/** Index of each version the script defines. */
type VersionIds = ReadonlyMap<string, number>;

/** Collects symbols that mean others. */
class Redirect {
  private readonly ctx: Context;
  /** Address of a u32 per global, 0 = stays; made when the first is added. */
  private map = 0;

  constructor(ctx: Context) {
    this.ctx = ctx;
  }

  /** `from` is no symbol any more; its mentions count for `to`, its visibility too. */
  add(from: number, to: number): void {
    const { arena, params, tables } = this.ctx;
    if (this.map === 0) this.map = arena.allocZeroed(params.get("globalSyms") * 4);
    arena.u32[(this.map >>> 2) + from] = to;
    const { flags } = tables.sym;
    flags[to] = flags[to]! | (flags[from]! & (SYM_USED_REGULAR | SYM_USED_SHARED | SYM_REF_STRONG));
    flags[from] = (flags[from]! & ~(SYM_KIND_MASK | SYM_USED_REGULAR | SYM_USED_SHARED | SYM_REF_STRONG)) | SYM_UNDEF;
    const { vis } = tables.gsym;
    if (vis[from] !== STV_DEFAULT && (vis[to] === STV_DEFAULT || vis[from]! < vis[to]!)) vis[to] = vis[from]!;
  }

  apply(): void {
    if (this.map === 0) return;
    const { arena, kernels, objects: included } = this.ctx;
    const objects = arena.alloc(included.length * 4);
    arena.u32.set(included, objects >>> 2);
    kernels.redirectSymbols(objects, 0, included.length, this.map);
  }
}

const kindOf = (ctx: Context, row: number): number => ctx.tables.sym.flags[row]! & SYM_KIND_MASK;

/**
 * The global that an undefined name@V stands for, 0 = none: `name` when its version is V, because a version script put it there or
 * because it is called name@@V.
 */
function targetOfReference(ctx: Context, ids: VersionIds, row: number): number {
  const { arena, tables } = ctx;
  const stemBytes = tables.gsym.nameBytes[row]!;
  const full = arena.cstring(tables.gsym.name[row]!);
  const version = full.slice(stemBytes + 1);
  const target = ctx.lookup(full.slice(0, stemBytes));
  if (target === 0 || target === row || version === "") return 0;
  const kind = kindOf(ctx, target);
  const ver = tables.gsym.ver[target]!;
  if (kind === SYM_SHARED) {
    return ctx.inputs[tables.obj.fileId[tables.gsym.obj[target]!]!]?.versions[ver] === version ? target : 0;
  }
  if (kind !== SYM_DEFINED && kind !== SYM_IN_OSEC) return 0;
  return ids.get(version) === ver ? target : 0;
}

/**
 * A definition called name@V beside one of `name`: when that is called name@@V they are one symbol, defined twice. Otherwise
 * `.symver name, name@V` has defined both, and unless a script gives `name` another version only name@V was meant (GNU ld).
 */
function settleDefinition(ctx: Context, ids: VersionIds, marks: number, row: number, redirect: Redirect): void {
  const { arena, tables } = ctx;
  const stem = ctx.lookup(arena.string(tables.gsym.name[row]!, tables.gsym.nameBytes[row]!));
  if (stem === 0 || stem === row || kindOf(ctx, stem) !== SYM_DEFINED || kindOf(ctx, row) !== SYM_DEFINED) return;
  const version = definedVersion(ctx, row);
  if ((arena.u8[marks + stem]! & MARK_VERSIONED_DEFAULT) !== 0) {
    if (definedVersion(ctx, stem) !== version) return;
    mergeDefinition(ctx, row, stem, version);
    redirect.add(row, stem);
    return;
  }
  const ver = tables.gsym.ver[stem]! & ~VERSYM_HIDDEN;
  const isSame = ver > VER_NDX_GLOBAL ? ids.get(version) === ver : isSamePlace(ctx, stem, row);
  if (isSame) redirect.add(stem, row);
}

function isSamePlace({ tables: { sym } }: Context, a: number, b: number): boolean {
  return sym.isec[a] === sym.isec[b] && sym.value[a] === sym.value[b];
}

/** Of two definitions the strong one counts, of two strong ones none. */
function mergeDefinition(ctx: Context, row: number, stem: number, version: string): void {
  const { sym, gsym } = ctx.tables;
  const isWeak = (each: number): boolean => gsym.bind[each] === STB_WEAK;
  if (!isWeak(row) && !isWeak(stem)) {
    const name = `${ctx.arena.string(gsym.name[stem]!, gsym.nameBytes[stem]!)}@@${version}`;
    if (!ctx.options.allowMultipleDefinition) ctx.diag.errorOrWarn(duplicateSymbol(ctx, name, gsym.esym[stem]!, gsym.obj[stem]!, gsym.esym[row]!));
    return;
  }
  if (isWeak(row)) return;
  for (const column of [sym.isec, sym.piece]) column[stem] = column[row]!;
  sym.value[stem] = sym.value[row]!;
  for (const column of [gsym.obj, gsym.esym, gsym.size, gsym.bind, gsym.type]) column[stem] = column[row]!;
  sym.flags[stem] = (sym.flags[row]! & ~(SYM_USED_REGULAR | SYM_USED_SHARED)) | (sym.flags[stem]! & ~SYM_WEAK & (SYM_USED_REGULAR | SYM_USED_SHARED | SYM_REF_STRONG));
}
