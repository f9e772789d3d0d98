/**
 * Turns what scan-relocs found into linker-made sections: numbers GOT and PLT entries, makes room for copies, gives every input
 * section its slice of .rela.dyn, and then has the dynamic symbol table collected.
 *
 * Reads SYM_NEEDS_*; writes `aux`, sym.aux, the counts in params, ctx.synthetics. resolveSynthetic comes after
 * resolve-addresses and gives the symbols that live in such entries their addresses.
 */
import {
  SYM_EXPORTED, SYM_KIND_MASK, SYM_NEEDS_COPY, SYM_PREEMPTIBLE, SYM_REF_LIVE, SYM_SHARED, SYM_USED_REGULAR,
} from "../../as-kernels/shared/abi.ts";
import { RELA_BYTES, STV_DEFAULT } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import * as messages from "../diagnostics/messages.ts";
import * as place from "../diagnostics/place.ts";
import { copyInfo } from "../input/copy-info.ts";
import { pushTo } from "../memory/lists.ts";
import { inSteps } from "../memory/rows.ts";
import { allocTable } from "../memory/table.ts";
import { CopyRelSection } from "../synthetic/copy-rel.ts";
import { GotPltSection } from "../synthetic/got-plt.ts";
import { GotSection } from "../synthetic/got.ts";
import { createAll } from "../synthetic/index.ts";
import { PltEntries, PltSection } from "../synthetic/plt.ts";
import { RelaDynSection, relocationForm } from "../synthetic/rela-dyn.ts";
import { RelaPltSection } from "../synthetic/rela-plt.ts";
import { RelrSection } from "../synthetic/relr.ts";

/** Gives symbols with needs their aux rows and entries. Counts in params must be 0. */
export function assignNeeds(ctx: Context): void {
  const { arena, tables, params, kernels } = ctx;
  let rows = 1;
  inSteps(tables.sym.rows, (from, to) => (rows += kernels.countNeeds(from, to)));
  allocTable(arena, tables, "aux", rows);
  for (const name of ["auxRows", "gotWords", "pltCount", "pltGotCount", "ipltCount", "relativeCount", "symbolicCount", "relrCount"] as const) {
    params.set(name, 0);
  }
  if (params.get("needsTlsModule") === 1) {
    // lld puts the pair first.
    params.set("tlsModuleGot", 1);
    params.set("gotWords", 2);
    params.set("symbolicCount", 1);
  }
  inSteps(tables.sym.rows, (from, to) => kernels.assignNeeds(from, to));
  if (rows !== params.get("auxRows") + 1) throw new Error("create-synthetic: needs changed while they were counted");
  const header = params.get("pltCount") > 0 || needsGotBase(ctx);
  params.set("gotPltHeader", header ? ctx.arch.gotPltHeaderWords : 0);
}

/** Does anything refer to _GLOBAL_OFFSET_TABLE_, by relocation type or by name? As lld, a mention in a symbol table is enough. */
function needsGotBase(ctx: Context): boolean {
  if (ctx.params.get("needsGotBase") === 1) return true;
  const sym = ctx.lookup("_GLOBAL_OFFSET_TABLE_");
  return sym !== 0 && (ctx.tables.sym.flags[sym]! & SYM_USED_REGULAR) !== 0;
}

/** Decides which variables are copied, in sym order; other names of a copied variable move with it. */
function createCopies(ctx: Context, bss: CopyRelSection, relro: CopyRelSection): void {
  const { arena, tables, kernels, params } = ctx;
  const globals = params.get("globalSyms");
  const count = kernels.listCopies(1, globals, 0);
  if (count === 0) return;
  const mark = arena.mark();
  const list = arena.alloc(count * 4);
  kernels.listCopies(1, globals, list);
  const wanted = [...arena.u32.subarray(list >>> 2, (list >>> 2) + count)];
  arena.release(mark);
  const isWanted = new Set(wanted);
  // name and name@V of one symbol are two rows.
  const byEntry = new Map<number, number[]>();
  for (const row of wanted) {
    pushTo(byEntry, tables.gsym.esym[row]!, row);
  }
  const done = new Set<number>();
  for (const sym of wanted) {
    if (done.has(sym)) continue;
    const owner = tables.gsym.obj[sym]!;
    const info = copyInfo(ctx, owner, tables.gsym.esym[sym]! - tables.obj.esymBase[owner]!);
    if (info.size === 0 || info.align < 0) {
      ctx.diag.errorOrWarn(messages.noSizeToCopy(place.displaySymbol(ctx, sym), place.definedIn(ctx, sym)));
      continue;
    }
    const aliases = info.aliases.flatMap(({ index, hidden }) => {
      const row = tables.esym.sym[tables.obj.esymBase[owner]! + index]!;
      // A hidden version is nobody's alias by accident (lld), unless it is copied itself.
      return isAlias(ctx, row, sym, owner) && (!hidden || isWanted.has(row)) ? [row] : [];
    });
    for (const row of byEntry.get(tables.gsym.esym[sym]!)!) if (row !== sym && !aliases.includes(row)) aliases.push(row);
    // They appear in both symbol tables, although perhaps no object mentions them: other modules must find the copy.
    for (const row of aliases) tables.sym.flags[row]! |= SYM_NEEDS_COPY | SYM_EXPORTED | SYM_PREEMPTIBLE | SYM_USED_REGULAR | SYM_REF_LIVE;
    for (const row of [sym, ...aliases]) done.add(row);
    // The longest of the names brings all of the bytes.
    const size = (row: number): number => tables.gsym.size[row]!;
    const longest = aliases.reduce((best, row) => (size(row) > size(best) ? row : best), sym);
    const others = [sym, ...aliases].filter((row) => row !== longest);
    (info.readOnly ? relro : bss).add(longest, others, Math.max(info.size, size(longest)), info.align);
  }
}

function isAlias(ctx: Context, row: number, sym: number, owner: number): boolean {
  const { flags } = ctx.tables.sym;
  if (row === 0 || row === sym || row >= ctx.params.get("globalSyms")) return false;
  return (flags[row]! & SYM_KIND_MASK) === SYM_SHARED && ctx.tables.gsym.obj[row] === owner && ctx.tables.gsym.vis[row] === STV_DEFAULT;
}

/** Turns the counts of dynamic relocations into slices, and takes memory for the records. */
export function sliceDynamic(ctx: Context): void {
  const { arena, tables, params, kernels } = ctx;
  inSteps(tables.member.rows, (from, to) => kernels.sumDynamic(from, to));
  params.set("relaDyn", arena.alloc((params.get("relativeCount") + params.get("symbolicCount")) * RELA_BYTES));
}

export function createSynthetic(ctx: Context): void {
  const all = ctx.synthetics;
  const bss = new CopyRelSection(".bss");
  const relro = new CopyRelSection(".bss.rel.ro");
  createCopies(ctx, bss, relro);
  ctx.checkIssues();
  assignNeeds(ctx);
  ctx.params.set("symbolicCount", ctx.params.get("symbolicCount") + bss.copies.length + relro.copies.length);
  const ownSymbolic = ctx.params.get("symbolicCount");
  sliceDynamic(ctx);
  all.got = new GotSection();
  all.gotPlt = new GotPltSection();
  all.plt = new PltSection();
  all.pltSec = new PltEntries(".plt.sec");
  all.pltGot = new PltEntries(".plt.got");
  all.iplt = new PltEntries(".iplt");
  const form = relocationForm(ctx.options);
  all.relaDyn = new RelaDynSection(ownSymbolic, form);
  all.relaPlt = new RelaPltSection(form);
  all.relr = new RelrSection(ctx.options.androidRelrTags);
  all.copyRel = bss;
  all.copyRelRo = relro;
  createAll(ctx);
}

/** After resolve-addresses: addresses of copies and of PLT entries that stand for their symbols. */
export function resolveSynthetic(ctx: Context): void {
  ctx.synthetics.copyRel?.resolve(ctx);
  ctx.synthetics.copyRelRo?.resolve(ctx);
  inSteps(ctx.params.get("auxRows") + 1, (from, to) => ctx.kernels.resolveAux(from, to));
}
