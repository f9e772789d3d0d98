/**
 * Who defines what: replays lld's resolution in command-line order, then extracts what options ask for.
 *
 * The replay is one kernel over interned ids; this file orders the calls and adds the demands that come from options in
 * the order lld has them (input files, entry and defsym names, wrapped names).
 */
import {
  OBJ_RELOCATABLE, SYM_COMMON, SYM_DEFINED, SYM_IN_OSEC, SYM_KIND_MASK, SYM_LAZY, SYM_REF_STRONG, SYM_ROOT,
  SYM_SHARED, SYM_UNDEF, SYM_USED_REGULAR, SYM_USED_SHARED, SYM_WEAK, SUSPECT_LOST,
} from "../../as-kernels/shared/abi.ts";
import { STB_GLOBAL, STB_WEAK } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { inSteps } from "../memory/rows.ts";
import { allocTable } from "../memory/table.ts";
import { Glob } from "../script/glob.ts";
import { indexNamesWhile } from "./intern-names.ts";
import { demandProvided } from "./script/script-symbols.ts";

/** Objects per kernel call, so that optimised code takes over early. */
const OBJECTS_PER_CALL = 64;

/** Reads `record`, `group`; writes sym.flags and `gsym` of globals, obj.seq, group.won, ctx.objects. */
export async function resolveSymbols(ctx: Context): Promise<void> {
  const { tables, arena, kernels, params } = ctx;
  const rows = tables.obj.rows;
  const { flags } = allocTable(arena, tables, "sym", params.get("globalSyms"));
  kernels.fillBytes(flags.byteOffset, 0, flags.byteLength); // as clearRows in load-sections
  params.set("suspects", 0);
  const included = arena.alloc((rows + 1) * 4);
  const state = arena.allocZeroed(16);
  const mark = arena.mark();
  arena.u32[(state >>> 2) + 1] = included;
  arena.u32[(state >>> 2) + 2] = arena.alloc(rows * 8);
  await indexNamesWhile(ctx, () => {
    inSteps(rows, (from, to) => kernels.resolveObjects(from, to, state), OBJECTS_PER_CALL);
  });
  const demand = (name: ByteString) => {
    const id = ctx.lookup(name);
    if (id !== 0) kernels.demand(id, state);
    return id;
  };
  demandOptions(ctx, demand);
  demandWrapped(ctx, demand);
  const count = arena.u32[state >>> 2]!;
  arena.release(mark);
  settle(ctx, included, count);
  ctx.objects = arena.u32.subarray((included >>> 2) + 1, (included >>> 2) + 1 + count);
}

/** What the replay suspected, if anything, is looked at again now that every symbol has its final definition. */
function settle({ kernels, params, tables, arena, options }: Context, included: number, count: number): void {
  const suspects = params.get("suspects");
  if (suspects === 0) return;
  for (let seq = 1; seq <= count; seq++) kernels.findConflicts(arena.u32[(included >>> 2) + seq]!, options.allowMultipleDefinition ? 1 : 0);
  if ((suspects & SUSPECT_LOST) !== 0) kernels.takeBackLost(1, tables.gsym.rows);
}

/** Makes an undefined symbol as weak or as strong as the references to another one are. */
function copyStrength(ctx: Context, from: number, to: number): void {
  const { sym, gsym } = ctx.tables;
  if ((sym.flags[to]! & SYM_KIND_MASK) !== SYM_UNDEF) return;
  const weak = isWeaklyReferred(ctx, from);
  sym.flags[to] = (sym.flags[to]! & ~SYM_WEAK) | (weak ? SYM_WEAK : 0);
  gsym.bind[to] = weak ? STB_WEAK : STB_GLOBAL;
}

/** An object may refer to what it defines, as strongly as it defines it (lld). What --defsym defines, nobody refers to by that. */
function isWeaklyReferred({ tables: { sym, gsym } }: Context, id: number): boolean {
  const flags = sym.flags[id]!;
  return isDefined(flags) && gsym.esym[id] === 0 ? (flags & SYM_REF_STRONG) === 0 : (flags & SYM_WEAK) !== 0;
}

function isDefined(flags: number): boolean {
  const kind = flags & SYM_KIND_MASK;
  return kind === SYM_DEFINED || kind === SYM_COMMON || kind === SYM_IN_OSEC;
}

/** Which global names an object of the link refers to or defines (a byte each in the arena). */
function mentionedNames({ objects, arena, tables, kernels, params }: Context): (id: number) => boolean {
  const marks = arena.allocZeroed(params.get("globalSyms"));
  for (const o of objects) if (tables.obj.kind[o] === OBJ_RELOCATABLE) kernels.markMentions(o, marks);
  return (id) => arena.u8[marks + id] !== 0;
}

/** What only --entry or -u asks for, and no input defines, is no reference: it is neither dynamic nor undefined (lld). Once no archive is left to open. */
export function dropUnmentioned(ctx: Context): void {
  const { arena, options, tables: { sym } } = ctx;
  const mark = arena.mark();
  let isMentioned: ((id: number) => boolean) | undefined;
  for (const name of new Set([options.entry || "_start", ...options.undefined, ...options.requireDefined])) {
    const id = ctx.lookup(name);
    const kind = sym.flags[id]! & SYM_KIND_MASK;
    if (id === 0 || (kind !== SYM_UNDEF && kind !== SYM_SHARED)) continue;
    isMentioned ??= mentionedNames(ctx);
    if (!isMentioned(id)) sym.flags[id]! &= ~(SYM_USED_REGULAR | SYM_REF_STRONG);
  }
  arena.release(mark);
}

/** --undefined-glob: every symbol that matches and is an archive member's or a shared object's is demanded. */
function extractGlobs(ctx: Context, root: (name: ByteString) => void): void {
  if (ctx.options.undefinedGlobs.length === 0) return;
  const globs = ctx.options.undefinedGlobs.map((pattern) => new Glob(pattern));
  const { arena, kernels, tables } = ctx;
  const mark = arena.mark();
  const list = arena.alloc(tables.sym.rows * 4);
  const names = [SYM_LAZY, SYM_SHARED].flatMap((kind) => {
    const count = kernels.listKind(kind, list);
    return Array.from(arena.u32.subarray(list >>> 2, (list >>> 2) + count), (id) => ctx.symbolName(id));
  });
  arena.release(mark);
  for (const name of names.filter((each) => globs.some((glob) => glob.matches(each)))) {
    root(name);
    strengthen(ctx, ctx.lookup(name));
  }
}

/** A shared object that defines the symbol is needed. */
function strengthen({ tables: { sym, gsym } }: Context, id: number): void {
  if ((sym.flags[id]! & SYM_KIND_MASK) !== SYM_SHARED) return;
  sym.flags[id] = (sym.flags[id]! & ~SYM_WEAK) | SYM_REF_STRONG;
  gsym.bind[id] = STB_GLOBAL;
}

function demandOptions(ctx: Context, demand: (name: ByteString) => number): void {
  const { options, tables } = ctx;
  const { whyExtracted } = ctx;
  whyExtracted.clear();
  const root = (name: ByteString, option = "") => {
    if (option !== "" && options.whyExtract !== "") whyExtracted.set(ctx.lookup(name), option);
    const id = demand(name);
    if (id !== 0) tables.sym.flags[id]! |= SYM_ROOT;
  };
  demandEntry(ctx, (name) => root(name, "--entry"));
  for (const name of [...options.undefined, ...options.requireDefined, ...ctx.expressionNames]) root(name);
  demandProvided(ctx, root);
  extractGlobs(ctx, (name) => root(name, "--undefined-glob"));
  for (const name of [options.init, options.fini]) {
    const id = ctx.lookup(name);
    if (id !== 0 && (tables.sym.flags[id]! & SYM_KIND_MASK) === SYM_DEFINED) tables.sym.flags[id]! |= SYM_ROOT;
  }
  for (const name of options.requireDefined) {
    const id = ctx.lookup(name);
    const kind = id === 0 ? SYM_UNDEF : tables.sym.flags[id]! & SYM_KIND_MASK;
    if (kind === SYM_UNDEF) ctx.diag.error({ code: "UNDEFINED_SYMBOL", text: `required symbol not defined: ${name}`, symbol: name });
  }
}

/** The entry symbol is only looked for: when no file mentions it, it does not become undefined. A library that is not told of any has one if it defines it. */
function demandEntry({ options, tables, lookup }: Context, root: (name: ByteString) => void): void {
  const given = options.entry !== "" && !/^[0-9]/.test(options.entry);
  if (!given && options.relocatable) return;
  const name = given ? options.entry : "_start";
  const id = lookup(name);
  if (id === 0) return;
  const flags = tables.sym.flags[id]!;
  if ((given || !options.shared) && ((flags & SYM_KIND_MASK) !== SYM_UNDEF || (flags & (SYM_USED_REGULAR | SYM_USED_SHARED)) !== 0)) root(name);
  else tables.sym.flags[id]! |= SYM_ROOT;
}

/** Nothing is called foo@@V: that is foo (lld). */
function wrapped({ options }: Context): ByteString[] {
  return [...new Set(options.wrap)].filter((name) => !name.includes("@@"));
}

/** --wrap=foo: who mentions foo will mean __wrap_foo, who mentions __real_foo means foo; both may be in archives. */
function demandWrapped(ctx: Context, demand: (name: ByteString) => number): void {
  const isUsed = (name: ByteString) => {
    const id = ctx.lookup(name);
    return id !== 0 && (ctx.tables.sym.flags[id]! & SYM_USED_REGULAR) !== 0;
  };
  for (const name of wrapped(ctx)) {
    if (isUsed(name)) demand("__wrap_" + name);
    if (isUsed("__real_" + name)) demand(name);
  }
}

/**
 * --wrap=foo: mentions of foo mean __wrap_foo, mentions of __real_foo mean foo, inside the defining object too.
 * After load-sections, which finds a definition through its symbol-table entry.
 */
export function redirectWrapped(ctx: Context): void {
  const { options, arena, params, kernels } = ctx;
  if (options.wrap.length === 0) return;
  const mark = arena.mark();
  const map = arena.allocZeroed(params.get("globalSyms") * 4);
  const isMentioned = mentionedNames(ctx);
  for (const name of wrapped(ctx)) {
    const [sym, wrap, real] = [name, "__wrap_" + name, "__real_" + name].map((each) => ctx.lookup(each)) as [number, number, number];
    if (sym === 0) continue;
    if (wrap !== 0) arena.u32[(map >>> 2) + sym] = wrap;
    if (real !== 0) arena.u32[(map >>> 2) + real] = sym;
    moveMentions(ctx, isMentioned, sym, wrap, real);
  }
  const objects = arena.alloc(ctx.objects.length * 4);
  arena.u32.set(ctx.objects, objects >>> 2);
  kernels.redirectSymbols(objects, 0, ctx.objects.length, map);
  arena.release(mark);
}

/**
 * foo is mentioned when __real_foo was, or when it is defined; nobody mentions __real_foo any more (lld). References take their
 * strength along: __wrap_foo is as weak as foo was, foo as weak as __real_foo.
 */
function moveMentions(ctx: Context, isMentioned: (id: number) => boolean, sym: number, wrap: number, real: number): void {
  const { flags } = ctx.tables.sym;
  const mentions = SYM_USED_REGULAR | SYM_REF_STRONG;
  // demandWrapped has marked names that no object mentions.
  const of = (row: number): number => (row !== 0 && isMentioned(row) ? (flags[row]! & mentions) | SYM_USED_REGULAR : 0);
  const [ofSym, ofWrap, ofReal] = [of(sym), of(wrap), of(real)];
  if (wrap !== 0) flags[wrap] = (flags[wrap]! & ~mentions) | ofSym | ofWrap;
  if (ofSym !== 0 && (ofWrap === 0 || !isWeaklyReferred(ctx, sym))) copyStrength(ctx, sym, wrap);
  if (ofReal !== 0) copyStrength(ctx, real, sym);
  flags[sym] = (flags[sym]! & ~mentions) | (isDefined(flags[sym]!) ? flags[sym]! & mentions : 0) | ofReal;
  if (real !== 0) flags[real]! &= ~mentions;
}
