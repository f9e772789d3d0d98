/**
 * Says which symbols are undefined: one message per symbol, with the places that refer to it.
 *
 * Reads → writes: `issue` rows that scan-relocs left (ISSUE_UNDEFINED, ISSUE_DISCARDED_REF), symbol tables of shared objects →
 * ctx.diag. Runs after scan-relocs and before create-synthetic. Whether an undefined symbol is worth a row has been decided by
 * scan-relocs (params.undefinedPolicy); here it is only decided whether it is an error or a warning.
 */
import * as abi from "../../as-kernels/shared/abi.ts";
import { SHN_UNDEF, ST_SHNDX, STT_SECTION, STV_DEFAULT, STV_HIDDEN, STV_INTERNAL, STV_PROTECTED, SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import { UNDEFINED_WARN } from "../../as-kernels/shared/reloc.ts";
import type { ByteString, LinkOptions } from "../args/link-options.ts";
import type { Context, InputFile } from "../context.ts";
import { takeIssues, wordIssues, type Issue } from "../diagnostics/issues.ts";
import { taggedError } from "../diagnostics/error-script.ts";
import { libraryHint } from "../diagnostics/known-libraries.ts";
import type { Message, SourcePlace } from "../diagnostics/message.ts";
import * as messages from "../diagnostics/messages.ts";
import * as place from "../diagnostics/place.ts";
import { spellingHint } from "../diagnostics/spelling.ts";
import { pushTo } from "../memory/lists.ts";
import { definedByNeeded } from "./needed-libraries.ts";

/** References listed per symbol. */
const MAX_REFERENCES = 3;
/** Undefined symbols that get a spelling suggestion. */
const MAX_SUGGESTIONS = 2;

/** --ignore-unresolved-symbol, --weak-unresolved-symbols: nobody has to define these, as if they were weak. Before set-visibility. */
export function ignoreUnresolved({ tables, options, lookup, params, kernels }: Context): void {
  const { flags } = tables.sym;
  if (options.weakUnresolved) kernels.weakenUndefined(1, params.get("globalSyms"));
  for (const name of options.ignoredSymbols) {
    const id = lookup(name);
    if (id !== 0 && (flags[id]! & abi.SYM_KIND_MASK) === abi.SYM_UNDEF) flags[id]! |= abi.SYM_WEAK;
  }
}

export function reportUndefined(ctx: Context): void {
  if (ctx.arena.issues > 0) reportReferences(ctx);
  if (checksSharedObjects(ctx.options)) reportSharedObjects(ctx);
}

function reportReferences(ctx: Context): void {
  wordIssues(ctx);
  const { found, lost } = takeIssues(ctx, (code) => code === abi.ISSUE_UNDEFINED || code === abi.ISSUE_DISCARDED_REF);
  let suggestions = MAX_SUGGESTIONS;
  const libraries = new Set<string>();
  for (const [sym, issues] of groupBySymbol(ctx, found)) {
    const discarded = lostDefinition(ctx, sym) ?? discardedSymbol(ctx, sym, issues[0]!);
    if (discarded !== null) report(ctx, sym, discardedMessage(ctx, discarded, issues));
    else report(ctx, sym, undefinedMessage(ctx, sym, issues, suggestions-- > 0, libraries), true);
  }
  if (lost > 0) ctx.diag.error(messages.moreProblems(lost));
}

/** Issues by `sym` row, in the order of the first reference; references in link order. */
function groupBySymbol(ctx: Context, issues: Issue[]): [number, Issue[]][] {
  issues.sort((x, y) => x.isec - y.isec || x.index - y.index);
  const groups = new Map<number, Issue[]>();
  for (const issue of issues) {
    const sym = issue.code === abi.ISSUE_UNDEFINED ? Number(issue.a) : (Number(issue.b) || discardedRow(ctx, issue));
    pushTo(groups, sym, issue);
  }
  return [...groups];
}

function discardedRow(ctx: Context, issue: Issue): number {
  return place.relocationSym(ctx, issue.obj, Number(issue.a));
}

/** --warn-unresolved-symbols speaks of symbols that another module could define. */
function report(ctx: Context, sym: number, message: Message, isUndefined = false): void {
  const external = sym < ctx.params.get("globalSyms") && ctx.tables.gsym.vis[sym] === STV_DEFAULT;
  if (external && ctx.params.get("undefinedPolicy") === UNDEFINED_WARN) ctx.diag.warn(message);
  else if (isUndefined && !ctx.options.noinhibitExec) taggedError(ctx, message);
  else ctx.diag.errorOrWarn(message);
}

// ---- undefined symbols ----

const VISIBILITY: Record<number, string> = { [STV_INTERNAL]: "internal ", [STV_HIDDEN]: "hidden ", [STV_PROTECTED]: "protected " };

/** `libraries`: hints that have been given already. */
function undefinedMessage(ctx: Context, sym: number, issues: Issue[], suggest: boolean, libraries: Set<string>): Message {
  const name = place.symbolBytes(ctx, sym);
  const global = sym < ctx.params.get("globalSyms");
  return messages.undefinedSymbol({
    visibility: global ? (VISIBILITY[ctx.tables.gsym.vis[sym]!] ?? "") : "",
    symbol: place.displayName(ctx, name),
    rawSymbol: name,
    ...listReferences(ctx, name, issues),
    hints: [...hints(ctx, name, issues[0]!.obj, suggest), ...missingLibrary(ctx, name, libraries)],
  });
}

function listReferences(ctx: Context, name: ByteString, issues: Issue[]): { references: SourcePlace[]; more: number } {
  const references = issues.slice(0, MAX_REFERENCES).map(({ isec, index }) => {
    const offset = place.rawRelocation(ctx, isec, index)?.r_offset ?? 0;
    return place.sourcePlace(ctx, isec, offset, name);
  });
  return { references, more: Math.max(0, issues.length - MAX_REFERENCES) };
}

function hints(ctx: Context, name: ByteString, obj: number, suggest: boolean): messages.Hint[] {
  const found = [suggest ? (versionHint(ctx, name) ?? spellingHint(ctx, name, obj)) : null];
  if (name.startsWith("_ZTV")) found.push(messages.vtableHint());
  if (ctx.options.gcSections && ctx.options.startStopGc && name.startsWith("__start_")) found.push(messages.startStopHint());
  return found.filter((hint) => hint !== null);
}

/** Each library is spoken of once. */
function missingLibrary(ctx: Context, name: ByteString, given: Set<string>): messages.Hint[] {
  const hint = libraryHint(name, ctx.loadedFiles);
  if (hint === null || given.has(hint)) return [];
  given.add(hint);
  return [messages.oneLine(hint)];
}

/** Another version of the name: the one references without a version get, or the first hidden one of a shared object. */
function versionHint(ctx: Context, name: ByteString): messages.Hint | null {
  const at = name.indexOf("@");
  const stem = at < 0 ? name : name.slice(0, at);
  if (at < 0 && ctx.sharedObjects.every((input) => input.versions.length === 0)) return null;
  const plain = at < 0 ? 0 : ctx.lookup(stem);
  const kind = plain === 0 ? abi.SYM_UNDEF : ctx.tables.sym.flags[plain]! & abi.SYM_KIND_MASK;
  if (kind !== abi.SYM_UNDEF && kind !== abi.SYM_LAZY) return messages.didYouMean(": ", place.displayName(ctx, stem), "", place.definedIn(ctx, plain).text);
  for (const input of ctx.sharedObjects) {
    const [first] = versionsOf(ctx, input, stem);
    if (first !== undefined) return messages.didYouMean(": ", place.displayName(ctx, first), "", place.fileName(ctx, input.obj));
  }
  return null;
}

/** `foo@V` and `foo@@V` of a shared object's definitions of `stem`. Runs for symbols that are undefined only. */
function versionsOf(ctx: Context, input: InputFile, stem: ByteString): ByteString[] {
  const versym = ctx.tables.obj.versym[input.obj]!;
  if (versym === 0) return [];
  const found: ByteString[] = [];
  for (let i = 1; i < ctx.tables.obj.esymCount[input.obj]!; i++) {
    if (!place.hasName(ctx, input.obj, i, stem)) continue;
    const raw = place.rawSymbol(ctx, input.obj, i);
    if (raw === null || raw.shndx === SHN_UNDEF) continue;
    const index = ctx.arena.u8[versym + 2 * i]! | (ctx.arena.u8[versym + 2 * i + 1]! << 8);
    const version = input.versions[index & 0x7fff] ?? "";
    if (version !== "") found.push(`${stem}${index & 0x8000 ? "@" : "@@"}${version}`);
  }
  return found;
}

// ---- references to discarded sections ----

interface Discarded {
  obj: number;
  raw: place.RawSymbol;
  /** A global whose only definition that counted is in a COMDAT copy that lost. */
  global: boolean;
}

/** resolve-symbols took the definition back in the end (kernel settle-symbols), but left word of it. */
function lostDefinition(ctx: Context, sym: number): Discarded | null {
  if (sym >= ctx.params.get("globalSyms")) return null;
  const { obj, esym } = ctx.tables.gsym;
  const raw = esym[sym] === 0 ? null : place.rawSymbol(ctx, obj[sym]!, esym[sym]! - ctx.tables.obj.esymBase[obj[sym]!]!);
  return raw === null || raw.shndx === SHN_UNDEF ? null : { obj: obj[sym]!, raw, global: true };
}

/** The symbol an issue refers to when its own object defines it in a section that was discarded. --wrap=foo: a mention of foo means another name. */
function discardedSymbol(ctx: Context, sym: number, issue: Issue): Discarded | null {
  const rela = place.rawRelocation(ctx, issue.isec, issue.index);
  const raw = rela === null ? null : place.rawSymbol(ctx, issue.obj, rela.r_sym);
  if (raw !== null && ctx.options.wrap.includes(raw.name) && place.symbolBytes(ctx, sym) !== raw.name) return null;
  return raw === null || raw.shndx === SHN_UNDEF ? null : { obj: issue.obj, raw, global: false };
}

function discardedMessage(ctx: Context, { obj, raw, global }: Discarded, issues: Issue[]): Message {
  const group = ctx.tables.slot.group[ctx.tables.obj.slotBase[obj]! + raw.shndx] ?? 0;
  const signature = group === 0 ? 0 : ctx.tables.group.name[group]!;
  const winner = signature === 0 ? 0 : ctx.tables.gsym.groupOwner[signature]!;
  return messages.discardedReference({
    symbol: place.displayName(ctx, raw.name),
    section: raw.type === STT_SECTION ? place.headerName(ctx, obj, raw.shndx) : "",
    definedIn: place.filePlace(ctx, obj),
    signature: winner === 0 ? "" : place.symbolBytes(ctx, signature),
    mixed: global,
    prevailing: winner === 0 ? "" : place.fileName(ctx, ctx.tables.group.obj[winner - 1]!),
    ...listReferences(ctx, raw.name, issues),
  });
}

// ---- undefined symbols of shared objects ----

/** lld: an error for executables unless --allow-shlib-undefined or --unresolved-symbols lets it pass. */
function checksSharedObjects(options: LinkOptions): boolean {
  if (options.relocatable) return false;
  return options.reportShlibUndefined ?? !options.shared;
}

/** A shared object is checked when everything it needs is part of the link; else the symbol may well be in what is not. */
function reportSharedObjects(ctx: Context): void {
  const known = new Set(ctx.sharedObjects.map((input) => input.soname));
  for (const { obj, needed } of ctx.sharedObjects) if (needed.every((name) => known.has(name))) ctx.kernels.sharedUndefined(obj, 0);
  if (ctx.arena.issues === 0) return;
  const { found } = takeIssues(ctx, (code) => code === abi.ISSUE_UNDEFINED_SHLIB);
  if (found.length === 0) return;
  const atRunTime = definedByNeeded(ctx);
  const defined = definedBySharedObjects(ctx);
  for (const issue of found) {
    const sym = Number(issue.a);
    if (!defined.has(sym) && !atRunTime.has(place.symbolBytes(ctx, sym))) reportSharedReference(ctx, issue);
  }
}

function reportSharedReference(ctx: Context, issue: Issue): void {
  const sym = Number(issue.a);
  const kind = ctx.tables.sym.flags[sym]! & abi.SYM_KIND_MASK;
  const file = place.filePlace(ctx, issue.obj);
  const shown = place.displaySymbol(ctx, sym);
  const section = kind === abi.SYM_DEFINED ? ctx.tables.sym.isec[sym]! : 0;
  const undefinedHere = kind === abi.SYM_UNDEF || kind === abi.SYM_LAZY || (section !== 0 && ctx.tables.isec.live[section] === 0);
  const message = undefinedHere
    ? messages.undefinedInSharedObject(shown, file)
    : messages.notExportedToSharedObject(shown, place.definedIn(ctx, sym), file);
  if (ctx.options.unresolvedAreWarnings) ctx.diag.warn(message);
  else ctx.diag.errorOrWarn(message);
}

/** Symbols (sym rows) that a shared object of the link defines, though another definition may have been chosen. */
function definedBySharedObjects({ sharedObjects, arena, tables: { obj, esym } }: Context): ReadonlySet<number> {
  const defined = new Set<number>();
  for (const { obj: o } of sharedObjects) {
    const [base, symtab] = [obj.esymBase[o]!, obj.symtab[o]!];
    for (let i = 1; i < obj.esymCount[o]!; i++) {
      if (arena.u16[(symtab + SYM_BYTES * i + ST_SHNDX) >>> 1] !== SHN_UNDEF) defined.add(esym.sym[base + i]!);
    }
  }
  return defined;
}
