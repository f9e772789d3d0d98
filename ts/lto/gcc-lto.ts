/**
 * GCC's link-time optimisation without its plugin: what the plugin tells lto-wrapper, told by us.
 *
 * A first round resolves symbols with stand-ins for the slim objects: objects that only have the symbols of their LTO symbol tables.
 * From it follows, for each symbol, who defines it and who else sees it: the resolution file. lto-wrapper compiles, and a second round
 * links what it made in the place of the slim objects. Ordinary links never come here: resolve-symbols meets the mark that GCC leaves
 * in slim objects first. Fat objects are linked from their code.
 */
import { ISSUE_DUPLICATE, OBJ_RELOCATABLE, SYM_COMMON, SYM_DEFINED, SYM_KIND_MASK, SYM_ROOT, SYM_SHARED, SYM_USED_SHARED } from "../../as-kernels/shared/abi.ts";
import { STV_HIDDEN, STV_INTERNAL } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { takeIssues } from "../diagnostics/issues.ts";
import { fileName } from "../diagnostics/place.ts";
import { HostError } from "../host/host.ts";
import type { InputPart } from "../input/input-file.ts";
import { groupClaims, standIn } from "../input/made-object.ts";
import { SLIM_MARK } from "./slim-mark.ts";
import { LTO_UNDEF, LTO_WEAK_UNDEF, readLtoSymbols, type LtoSymbol } from "../input/gcc-symtab.ts";

interface Claim {
  /** As lto-wrapper knows it: a path, `archive@0xOFFSET` for a member. */
  name: ByteString;
  symbols: LtoSymbol[];
  /** The unnamed file that stands for it. */
  path: ByteString;
  bytes: number;
}

/** Options of the plugin that are for the linker, not for lto-wrapper. */
const PLUGIN_OPTIONS = /^-(pass-through=|fresolution=|linker-output|sym-style|save-temps|nop$)/;
/** Above this many characters of names they go to lto-wrapper in a file. */
const ARGUMENT_CHARACTERS = 100_000;

export class GccLto {
  /** What was compiled; null = not yet. */
  objects: ByteString[] | null = null;
  /** Slim objects, by source and offset; null = an ordinary object. */
  private readonly claims = new Map<string, Claim | null>();
  private readonly replaced = new Set<string>();

  /** The stand-in of a file or member, "gone" when it has been compiled, null for ordinary objects. */
  claim(ctx: Context, part: InputPart): Claim | "gone" | null {
    const key = `${part.source}@${part.offset}`;
    if (this.replaced.has(key)) return "gone";
    let claim = this.claims.get(key);
    if (claim === undefined) this.claims.set(key, (claim = makeClaim(ctx, part)));
    return claim;
  }

  /** After the first round: runs lto-wrapper on the slim objects of the link. False = there are none. */
  compile(ctx: Context): boolean {
    reportDuplicates(ctx);
    const members = this.included(ctx);
    if (members.length === 0) return false;
    const wrapper = findWrapper(ctx);
    if (wrapper === "") {
      for (const { obj } of members) ctx.diag.error(cannotCompile(fileName(ctx, obj)));
      ctx.diag.throwIfErrors();
    }
    const { text, signatures } = resolutions(ctx, members);
    const file = resolutionFile(ctx, text);
    this.objects = runWrapper(ctx, wrapper, file, members.map(({ claim }) => claim.name));
    ctx.host.removeAtEnd([...this.objects]);
    if (signatures.length > 0) this.objects.push(ctx.host.unnamed(groupClaims(ctx.params.get("machine"), signatures)));
    for (const { key } of members) this.replaced.add(key);
    return true;
  }

  private included(ctx: Context): Member[] {
    const byPath = new Map([...this.claims].flatMap(([key, claim]) => (claim === null ? [] : [[claim.path, { key, claim }] as const])));
    return [...ctx.objects].flatMap((obj) => {
      const found = byPath.get(ctx.sources[ctx.tables.obj.source[obj]!]!);
      return found === undefined ? [] : [{ ...found, obj }];
    });
  }
}

interface Member {
  key: string;
  claim: Claim;
  obj: number;
}

function cannotCompile(file: ByteString): ByteString {
  return `${file}: this is a GCC LTO object without machine code, and GCC's lto-wrapper is not known: link with gcc -flto, or compile with -ffat-lto-objects or without -flto`;
}

function makeClaim(ctx: Context, { source, offset, bytes }: InputPart): Claim | null {
  const { host } = ctx;
  const read = (position: number, count: number): Uint8Array | null => {
    if (!(position >= 0 && count >= 0 && position + count <= bytes)) return null;
    const target = new Uint8Array(count);
    for (let done = 0; done < count; ) {
      const got = host.readAt(source, target.subarray(done), offset + position + done);
      if (got <= 0) return null;
      done += got;
    }
    return target;
  };
  const symbols = readLtoSymbols({ bytes, read, inflate: (kind, packed, size) => host.inflate(kind, packed, size) }, SLIM_MARK);
  if (symbols === null) return null;
  const object = standIn(ctx.params.get("machine"), symbols);
  return { name: offset === 0 ? source : `${source}@0x${offset.toString(16)}`, symbols, path: host.unnamed(object), bytes: object.length };
}

// ---- lto-wrapper ----

/** gcc says where it is, to us in the environment and to its plugin on the command line. "" = nowhere. */
function findWrapper({ host, options }: Context): ByteString {
  if (host.env("COLLECT_GCC") === undefined) return "";
  return host.env("COLLECT_LTO_WRAPPER") ?? options.pluginOpts.find((option) => /(^|\/)lto-wrapper$/.test(option)) ?? "";
}

function resolutionFile({ options, host }: Context, text: ByteString): ByteString {
  const given = options.pluginOpts.find((option) => option.startsWith("-fresolution="))?.slice("-fresolution=".length);
  if (given === undefined) return host.unnamed(Uint8Array.from(text, (char) => char.charCodeAt(0)));
  host.writeText(given, (write) => write(text));
  return given;
}

function runWrapper(ctx: Context, wrapper: ByteString, resolution: ByteString, names: ByteString[]): ByteString[] {
  const { options, host, diag } = ctx;
  const kind = options.relocatable ? "nolto-rel" : options.shared ? "dyn" : options.pie ? "pie" : "exec";
  const args = [...options.pluginOpts.filter((option) => option.startsWith("-") && !PLUGIN_OPTIONS.test(option)), `-fresolution=${resolution}`, `-flinker-output=${kind}`, ...names];
  try {
    const long = args.join(" ").length > ARGUMENT_CHARACTERS;
    const done = host.execute(wrapper, long ? [`@${argumentFile(ctx, args)}`] : args);
    if (done.status !== 0) return diag.fatal(`${wrapper} failed with status ${done.status}`);
    return done.output.split("\n").filter((line) => line !== "");
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return diag.fatal(`cannot run ${wrapper}: ${error.message}`);
  }
}

/** GNU quoting, one a line. The path is unnamed: lto-wrapper opens it while we are there. */
function argumentFile({ host }: Context, args: readonly ByteString[]): ByteString {
  const text = args.map((word) => `${word.replace(/[\s\\'"]/g, "\\$&")}\n`).join("");
  return host.unnamed(Uint8Array.from(text, (char) => char.charCodeAt(0)));
}

// ---- resolutions ----

/**
 * The file that lto1 reads: for each slim object, what became of each of its symbols; and the signatures of the COMDAT groups that
 * slim objects have won. What lto1 makes of those need not be in a group any more, but later copies are still copies.
 */
function resolutions(ctx: Context, members: readonly Member[]): { text: ByteString; signatures: ByteString[] } {
  const signatures = new Set<ByteString>();
  const slim = new Set(members.map(({ obj }) => obj));
  const seen = seenOutside(ctx, slim);
  let text = `${members.length}\n`;
  for (const { claim, obj } of members) {
    text += `${claim.name} ${claim.symbols.length}\n`;
    claim.symbols.forEach((symbol, i) => {
      const sym = ctx.tables.esym.sym[ctx.tables.obj.esymBase[obj]! + i + 1]!;
      const resolution = resolutionOf(ctx, symbol, sym, obj, slim, seen);
      if (symbol.comdat !== "" && resolution.startsWith("PREVAILING")) signatures.add(symbol.comdat);
      text += `${symbol.slot} ${symbol.unit} ${resolution} ${symbol.name}\n`;
    });
  }
  return { text, signatures: [...signatures] };
}

function resolutionOf(ctx: Context, symbol: LtoSymbol, sym: number, obj: number, slim: Set<number>, seen: Set<number>): string {
  const { sym: table, gsym } = ctx.tables;
  const kind = table.flags[sym]! & SYM_KIND_MASK;
  const isDefined = kind === SYM_DEFINED || kind === SYM_COMMON;
  const definer = gsym.obj[sym]!;
  if (symbol.kind === LTO_UNDEF || symbol.kind === LTO_WEAK_UNDEF) {
    if (kind === SYM_SHARED) return "RESOLVED_DYN";
    if (!isDefined) return "UNDEF";
    return slim.has(definer) ? "RESOLVED_IR" : "RESOLVED_EXEC";
  }
  if (isDefined && definer !== obj) return slim.has(definer) ? "PREEMPTED_IR" : "PREEMPTED_REG";
  if (seen.has(sym)) return "PREVAILING_DEF";
  return isExported(ctx, sym) ? "PREVAILING_DEF_IRONLY_EXP" : "PREVAILING_DEF_IRONLY";
}

/** May the symbol be used at run time? Version scripts may still hide it: then it is only optimised less. */
function isExported({ options, tables }: Context, sym: number): boolean {
  const vis = tables.gsym.vis[sym]!;
  if (vis === STV_HIDDEN || vis === STV_INTERNAL) return false;
  const asked = options.exportDynamic || options.dynamicLists.length + options.exportDynamicSymbols.length + options.exportDynamicSymbolLists.length > 0;
  return options.shared || asked || (tables.sym.flags[sym]! & SYM_USED_SHARED) !== 0;
}

/** Symbols that somebody besides slim objects mentions: other objects, options, scripts. */
function seenOutside(ctx: Context, slim: Set<number>): Set<number> {
  const { obj, esym, sym } = ctx.tables;
  const { options } = ctx;
  const seen = new Set<number>();
  for (const id of ctx.objects) {
    if (slim.has(id) || obj.kind[id] !== OBJ_RELOCATABLE) continue;
    const base = obj.esymBase[id]!;
    for (let e = base + obj.firstGlobal[id]!; e < base + obj.esymCount[id]!; e++) seen.add(esym.sym[e]!);
  }
  const named = [...ctx.expressionNames, ...options.defsyms.map(({ name }) => name), ...options.undefined, ...options.requireDefined, options.entry || "_start", options.init, options.fini];
  const wrapped = options.wrap.flatMap((name) => [name, `__wrap_${name}`, `__real_${name}`]);
  for (const name of [...named, ...wrapped]) seen.add(ctx.lookup(name));
  const globals = ctx.params.get("globalSyms");
  for (let id = 1; id < globals; id++) if (options.relocatable || (sym.flags[id]! & SYM_ROOT) !== 0) seen.add(id);
  seen.delete(0);
  return seen;
}

/** Definitions that clash are errors of the first round: afterwards only one of them is left. Whatever else it met comes again. */
function reportDuplicates(ctx: Context): void {
  takeIssues(ctx, (code) => code !== ISSUE_DUPLICATE);
  ctx.checkIssues();
}
