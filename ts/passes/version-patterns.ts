/**
 * Which version a version script gives to which symbol, and which symbols a dynamic list names: the order of patterns.
 *
 * lld's order: exact names first (a later node that says otherwise is only a warning), then wildcards other than `*` from the
 * last node to the first, then `*` likewise; within all of these the first match counts. Plain wildcards run as one kernel
 * call per uninterrupted stretch; only `extern "C++"` patterns are matched here, because names have to be demangled for them.
 */
import {
  FNV_BASIS, FNV_PRIME, GLOB_BYTES, GLOB_INDEX_SLOTS, GLOB_START_MAX, MARK_ASSIGNED, MARK_DYNAMIC_LIST, MARK_VERSIONED, MARK_VERSIONED_DEFAULT, OBJF_EXCLUDE_LIBS, SYM_COMMON, SYM_DEFINED, SYM_IN_OSEC, SYM_KIND_MASK,
  SYM_LAZY,
} from "../../as-kernels/shared/abi.ts";
import { VER_NDX_GLOBAL, VER_NDX_LOCAL } from "../../as-kernels/shared/elf.ts";
import { isLld } from "../args/identity.ts";
import type { ByteString, SymbolPattern, VersionNode } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { demangle } from "../diagnostics/demangle.ts";
import * as messages from "../diagnostics/messages.ts";
import { pushTo } from "../memory/lists.ts";
import { slotsFor } from "../memory/rows.ts";
import { Glob, PatternSet } from "../script/glob.ts";
import { GlobIndex } from "../script/glob-index.ts";

/** A pattern with what it assigns: version index, and the name of the node it stands in. */
export interface Rule {
  pattern: SymbolPattern;
  ver: number;
  node: ByteString;
}

/** Index of the first named version: 0 and 1 are VER_NDX_LOCAL and VER_NDX_GLOBAL. That of --default-symver stands before all others. */
const FIRST_VERSION = 2;

/** Index of each named version, in script order; the anonymous node's symbols are VER_NDX_GLOBAL, or have the version of --default-symver. */
export function versionIds(nodes: VersionNode[]): Map<ByteString, number> {
  const ids = new Map<ByteString, number>();
  for (const node of nodes) if (node.name !== "") ids.set(node.name, ids.size + FIRST_VERSION);
  return ids;
}

/** All patterns of the version script in the order they count. */
function orderedRules(ctx: Context): { exact: Rule[]; wildcards: Rule[] } {
  const ids = versionIds(ctx.versionNodes);
  const unnamed = ctx.options.defaultSymver && ctx.options.shared ? FIRST_VERSION : VER_NDX_GLOBAL;
  const nodes = ctx.versionNodes.map((node): Rule[] => [
    ...node.globals.map((pattern) => ({ pattern, ver: ids.get(node.name) ?? unnamed, node: node.name })),
    ...node.locals.map((pattern) => ({ pattern, ver: VER_NDX_LOCAL, node: node.name })),
  ]);
  const wildcards = [...nodes].reverse().flat().filter((rule) => !rule.pattern.exact);
  return { exact: nodes.flat().filter((rule) => rule.pattern.exact), wildcards: [...wildcards.filter((rule) => !isStar(rule)), ...wildcards.filter(isStar)] };
}

/** Writes gsym.ver for all symbols the version script names. `versioned`: how many definitions are called name@V or name@@V. */
export function assignVersionNodes(ctx: Context, marks: number, versioned: number): void {
  const { exact, wildcards } = orderedRules(ctx);
  const names = new DemangledNames(ctx);
  const exactRules = new ExactRules(ctx, marks, versioned, names);
  for (const rule of exact) exactRules.assign(rule, rule.ver === VER_NDX_LOCAL ? "local" : rule.node === "" ? "global" : rule.node);
  warnAboutStars(ctx);
  assignWildcards(ctx, marks, wildcards, names);
}

/** Versions of names that the linker defines later than those (__start_X), undefined = none. lld's keep none, and are exported where a script says `local: *`. */
export function laterVersions(ctx: Context): (name: ByteString) => number | undefined {
  const { exact, wildcards } = orderedRules(ctx);
  const names = new Map<ByteString, number>();
  for (const { pattern: { pattern, cxx }, ver } of exact.reverse()) if (!cxx) names.set(pattern, ver);
  const globs = new GlobIndex<number>();
  wildcards.forEach(({ pattern: { pattern, cxx } }, rank) => cxx || globs.add(new Glob(pattern), rank));
  return (name) => names.get(name) ?? wildcards[globs.matching(name).reduce((a, b) => Math.min(a, b), wildcards.length)]?.ver;
}

/** `*` twice in the same script cannot mean what its author thinks (lld). Nodes that options stand for do not count. */
function warnAboutStars(ctx: Context): void {
  const stars = (scope: "globals" | "locals"): number =>
    ctx.versionNodes.flatMap((node) => (node.implied ? [] : node[scope].filter(({ pattern, exact }) => pattern === "*" && !exact))).length;
  const globals = stars("globals");
  const said = globals > 0 && stars("locals") > 0 ? "both 'local' and 'global' scopes" : globals > 1 ? "multiple version definitions" : "";
  if (said !== "") ctx.diag.warn(`wildcard pattern '*' is used for ${said} in version script`);
}

function isStar(rule: Rule): boolean {
  return rule.pattern.pattern === "*";
}

/** Symbols a version may be given to: defined here, or by an archive member nobody needed. */
function isVersionable(ctx: Context, row: number): boolean {
  if (row === 0) return false;
  const kind = ctx.tables.sym.flags[row]! & SYM_KIND_MASK;
  return kind === SYM_DEFINED || kind === SYM_COMMON || kind === SYM_IN_OSEC || kind === SYM_LAZY;
}

/** Is anything named that nobody defines, as far as is known, so that a message would say so? What is named as C++ writes it is not looked for. */
export function missesVersioned(ctx: Context): boolean {
  const isMissing = (node: VersionNode, { pattern, exact, cxx }: SymbolPattern): boolean =>
    exact && (cxx || ![pattern, `${pattern}@${node.name}`].some((name) => isVersionable(ctx, ctx.lookup(name))));
  return !ctx.options.undefinedVersion && ctx.versionNodes.some((node) => [...node.globals, ...node.locals].some((pattern) => isMissing(node, pattern)));
}

class ExactRules {
  private readonly ctx: Context;
  private readonly marks: number;
  private readonly versioned: number;
  private readonly names: DemangledNames;

  constructor(ctx: Context, marks: number, versioned: number, names: DemangledNames) {
    this.ctx = ctx;
    this.marks = marks;
    this.versioned = versioned;
    this.names = names;
  }

  assign(rule: Rule, shownVersion: ByteString): void {
    const { pattern, cxx } = rule.pattern;
    const { ctx } = this;
    let found = false;
    for (const row of cxx ? this.names.rows(pattern) : [ctx.lookup(pattern)]) {
      if (!isVersionable(ctx, row)) continue;
      found = true;
      // A definition that names its own version keeps it; only `local:` can hide it.
      const ownVersion = (this.ctx.arena.u8[this.marks + row]! & (MARK_VERSIONED | MARK_VERSIONED_DEFAULT)) !== 0;
      if (!ownVersion || rule.ver === VER_NDX_LOCAL) this.give(row, rule);
    }
    if (this.versioned > 0 && !cxx) {
      const row = ctx.lookup(`${pattern}@${rule.node}`);
      if (isVersionable(ctx, row)) {
        found = true;
        this.give(row, rule);
      }
    }
    const { undefinedVersion } = ctx.options;
    if (found || undefinedVersion === true) return;
    const message = messages.versionScriptUndefined(shownVersion, pattern);
    // Packages name what they do not build, since GNU ld says nothing; lld refuses.
    if (undefinedVersion === false || isLld(ctx.options)) ctx.diag.errorOrWarn(message);
    else ctx.diag.warn(message);
  }

  private give(row: number, rule: Rule): void {
    const { gsym: { obj: from, ver }, obj } = this.ctx.tables;
    if ((obj.flags[from[row]!]! & OBJF_EXCLUDE_LIBS) !== 0) return;
    const at = this.marks + row;
    const mark = this.ctx.arena.u8[at]!;
    if ((mark & MARK_ASSIGNED) === 0) {
      this.ctx.arena.u8[at] = mark | MARK_ASSIGNED;
      ver[row] = rule.ver;
    }
    if (ver[row] === rule.ver) return;
    const shown = (id: number): ByteString => versionText(this.ctx.versionNodes, id);
    this.ctx.diag.warn(messages.versionReassigned(rule.pattern.pattern, shown(ver[row]!), shown(rule.ver)));
  }
}

function versionText(nodes: VersionNode[], id: number): ByteString {
  if (id === VER_NDX_LOCAL) return "VER_NDX_LOCAL";
  if (id === VER_NDX_GLOBAL) return "VER_NDX_GLOBAL";
  return `version '${nodes.filter((node) => node.name !== "")[id - FIRST_VERSION]?.name ?? ""}'`;
}

function assignWildcards(ctx: Context, marks: number, rules: Rule[], names: DemangledNames): void {
  const globals = ctx.params.get("globalSyms");
  for (let i = 0; i < rules.length; ) {
    const start = i;
    const { cxx } = rules[i]!.pattern;
    while (i < rules.length && rules[i]!.pattern.cxx === cxx) i++;
    const stretch = rules.slice(start, i);
    if (cxx) assignDemangled(ctx, marks, stretch, names);
    else {
      const { rows, index } = globTable(ctx, stretch);
      ctx.kernels.assignGlobs(1, globals, marks, rows, stretch.length, index);
    }
  }
}

/** As assignGlobs, by demangled names: name@V counts for the patterns of node V only, name@@V for none. */
function assignDemangled(ctx: Context, marks: number, rules: Rule[], names: DemangledNames): void {
  const { u8 } = ctx.arena;
  const { ver } = ctx.tables.gsym;
  const patterns = new PatternSet<Rule>();
  for (const rule of rules) patterns.add(rule.pattern.pattern, false, rule);
  for (const [name, rows] of names.all()) {
    const first = patterns.match(name);
    if (first === undefined) continue;
    for (const row of rows) {
      const mark = u8[marks + row]!;
      if ((mark & (MARK_ASSIGNED | MARK_VERSIONED_DEFAULT)) !== 0) continue;
      const rule = (mark & MARK_VERSIONED) === 0 ? first : ofNode(rules, name, definedVersion(ctx, row));
      if (rule === undefined) continue;
      u8[marks + row] = mark | MARK_ASSIGNED;
      ver[row] = rule.ver;
    }
  }
}

function ofNode(rules: Rule[], name: ByteString, version: ByteString): Rule | undefined {
  return rules.find((rule) => rule.node === version && new Glob(rule.pattern.pattern).matches(name));
}

/** Globals whose mark byte has one of `wanted`. */
export function markedRows(ctx: Context, marks: number, wanted: number): Uint32Array {
  const { arena, kernels } = ctx;
  const globals = ctx.params.get("globalSyms");
  const count = kernels.listMarked(1, globals, marks, wanted, 0);
  const list = arena.alloc(count * 4);
  kernels.listMarked(1, globals, marks, wanted, list);
  return arena.u32.subarray(list >>> 2, (list >>> 2) + count);
}

/** The V of a definition's name@V or name@@V. */
export function definedVersion(ctx: Context, row: number): ByteString {
  const name = ctx.kernels.definedName(row);
  return ctx.arena.cstring(name + ctx.tables.gsym.nameBytes[row]!).replace(/^@@?/, "");
}

/** The GLOB_BYTES rows the kernels read, and their index by literal start (abi.ts, GLOB_INDEX_SLOTS). */
export function globTable(ctx: Context, rules: readonly Rule[]): { rows: number; index: number } {
  const { arena } = ctx;
  const rows = arena.alloc(rules.length * GLOB_BYTES);
  const slots = slotsFor(rules.length);
  const index = arena.allocZeroed(GLOB_INDEX_SLOTS + 4 * slots);
  const words = index >>> 2;
  arena.u32[words + 9] = slots - 1;
  for (let i = rules.length - 1; i >= 0; i--) {
    const { pattern, ver, node } = rules[i]!;
    const start = /^[^*?[\\]*/.exec(pattern.pattern)![0].slice(0, GLOB_START_MAX);
    let chain = words + 10;
    if (start.length > 0) {
      arena.u32[words + (start.length >>> 5)]! |= 1 << (start.length & 31);
      arena.u32[words + 8] = Math.max(arena.u32[words + 8]!, start.length);
      chain = words + GLOB_INDEX_SLOTS / 4 + (hashStart(start) & (slots - 1));
    }
    const at = (rows + i * GLOB_BYTES) >>> 2;
    arena.u32.set([arena.put(pattern.pattern), pattern.pattern.length, ver, arena.put(node), node.length, arena.u32[chain]!], at);
    arena.u32[chain] = i + 1;
  }
  return { rows, index };
}

function hashStart(text: ByteString): number {
  let hash = FNV_BASIS;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME) >>> 0;
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** Sets MARK_DYNAMIC_LIST on every symbol the dynamic list names. */
export function markDynamicList(ctx: Context, marks: number): void {
  const { u8 } = ctx.arena;
  const names = new DemangledNames(ctx);
  const mark = (row: number): void => {
    if (isVersionable(ctx, row)) u8[marks + row] = u8[marks + row]! | MARK_DYNAMIC_LIST;
  };
  const globs: Rule[] = [];
  const demangled = new PatternSet<true>();
  for (const pattern of ctx.dynamicList) {
    if (!pattern.exact && !pattern.cxx) globs.push({ pattern, ver: 0, node: "" });
    else if (!pattern.cxx) mark(ctx.lookup(pattern.pattern));
    else demangled.add(pattern.pattern, pattern.exact, true);
  }
  if (!demangled.isEmpty) for (const [name, rows] of names.all()) if (demangled.match(name) === true) rows.forEach(mark);
  const globals = ctx.params.get("globalSyms");
  if (ctx.options.dynamicListData) ctx.kernels.markDynamicData(1, globals, marks);
  if (globs.length === 0) return;
  const { rows, index } = globTable(ctx, globs);
  ctx.kernels.markDynamicGlobs(1, globals, marks, rows, globs.length, index);
}

/** Demangled names of all versionable symbols, made when the first `extern "C++"` pattern asks. */
class DemangledNames {
  private readonly ctx: Context;
  private made: Map<ByteString, number[]> | undefined;

  constructor(ctx: Context) {
    this.ctx = ctx;
  }

  rows(name: ByteString): number[] {
    return this.all().get(name) ?? [];
  }

  all(): Map<ByteString, number[]> {
    if (this.made !== undefined) return this.made;
    const { ctx } = this;
    const { arena, kernels, tables } = ctx;
    const globals = ctx.params.get("globalSyms");
    const count = kernels.listVersionable(1, globals, 0);
    const list = arena.alloc(count * 4);
    kernels.listVersionable(1, globals, list);
    ctx.host.optimise?.(count);
    const made = new Map<ByteString, number[]>();
    for (const row of arena.u32.subarray(list >>> 2, (list >>> 2) + count)) {
      const name = demangle(arena.string(tables.gsym.name[row]!, tables.gsym.nameBytes[row]!));
      pushTo(made, name, row);
    }
    return (this.made = made);
  }
}
