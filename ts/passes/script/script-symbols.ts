/**
 * Symbols that --defsym and scripts assign, and what their expressions hold on to.
 *
 * Before gc the symbols only become "defined by the linker"; script-layout or plain-assignments gives them their values. Whether a value
 * will be absolute is known from the form of its expression, and must be, because position-independent output relocates differently.
 */
import {
  SYM_ABSOLUTE, SYM_COMMON, SYM_DEFINED, SYM_FUNC, SYM_IFUNC, SYM_IN_OSEC, SYM_KIND_MASK, SYM_OBJECT, SYM_ROOT, SYM_SHARED, SYM_TLS, SYM_USED_REGULAR, SYM_USED_SHARED,
} from "../../../as-kernels/shared/abi.ts";
import { SHF_GNU_RETAIN, STT_FUNC, STT_GNU_IFUNC, STT_OBJECT, STT_TLS, STV_DEFAULT, STV_HIDDEN } from "../../../as-kernels/shared/elf.ts";
import type { ByteString } from "../../args/link-options.ts";
import type { Context } from "../../context.ts";
import { pushTo } from "../../memory/lists.ts";
import { askedName, eachNode, parseExpression, type Node } from "../../script/expression.ts";
import { assignments, expressions, joinLayouts, newLayout, type Assignment } from "../../script/layout.ts";
import { ScriptError } from "../../script/lexer.ts";
import { markLinkerDefined } from "../linker-defined.ts";

/** Adds each --defsym that stands behind `place` scripts as an assignment: the last one of a name counts. Throws nothing: errors are reported. */
export function addDefsyms(ctx: Context, place: number): void {
  const defsyms = ctx.options.defsyms.filter((defsym) => defsym.place === place);
  if (defsyms.length === 0) return;
  const layout = newLayout("", "--defsym");
  for (const { name, expression } of defsyms) {
    try {
      layout.commands.push({ kind: "assign", name, expr: parseExpression(expression), provide: false, hidden: false, start: 0, sym: 0, at: 0n, moved: 0n });
    } catch (error) {
      if (!(error instanceof ScriptError)) throw error;
      ctx.diag.error(error.said);
    }
  }
  ctx.script = joinLayouts(ctx.script, layout);
}

/** Names that are defined or mentioned; ctx.expressionNames gets those that are demanded. Before names are interned. */
export function scriptNames(ctx: Context): ByteString[] {
  if (ctx.script === null) return [];
  const names = new Set<ByteString>();
  const always = new Set<ByteString>();
  const demanded = new Set<ByteString>();
  for (const assignment of assignments(ctx.script)) if (assignment.name !== "." && !assignment.provide) always.add(assignment.name);
  for (const { expr, of } of expressions(ctx.script)) {
    for (const name of expr.symbols) {
      names.add(name);
      if (of?.provide !== true && !always.has(name)) demanded.add(name);
    }
    eachNode(expr.root, (node) => {
      if (node.kind === "call" && node.name === "DEFINED") names.add(askedName(node));
    });
  }
  for (const assignment of assignments(ctx.script)) if (assignment.name !== ".") names.add(assignment.name);
  ctx.expressionNames = [...demanded];
  return [...names];
}

/**
 * PROVIDE that somebody wants, and what those refer to in turn, at once. `visit` is told of each once; what it does may make others
 * wanted, so all are gone through until none is.
 */
function eachProvided(ctx: Context, all: readonly Assignment[], visit: (assignment: Assignment) => void): void {
  const asked = new Set<ByteString>();
  const left = new Map<ByteString, Assignment[]>();
  for (const assignment of all) {
    if (!assignment.provide) continue;
    pushTo(left, assignment.name, assignment);
  }
  for (let found = true; found; ) {
    found = false;
    for (const name of [...left.keys()]) {
      for (const next = [name]; next.length > 0; ) {
        const current = next.pop()!;
        const assignments = left.get(current);
        const id = ctx.lookup(current);
        while (assignments !== undefined && assignments.length > 0 && isWanted(ctx, id, asked.has(current))) {
          const assignment = assignments.shift()!;
          visit(assignment);
          found = true;
          for (const symbol of assignment.expr.symbols) asked.add(symbol);
          next.push(...assignment.expr.symbols);
        }
        if (assignments?.length === 0) left.delete(current);
      }
    }
  }
}

/** During resolve-symbols: what provided symbols refer to may be in archives. */
export function demandProvided(ctx: Context, demand: (name: ByteString) => void): void {
  if (ctx.script === null) return;
  eachProvided(ctx, assignments(ctx.script), (assignment) => assignment.expr.symbols.forEach(demand));
}

/** After resolve-symbols: which assignments define something. PROVIDE does when somebody wants the name and no input has it. */
export function claimScriptSymbols(ctx: Context): void {
  if (ctx.script === null) return;
  const all = assignments(ctx.script).filter((assignment) => assignment.name !== ".");
  for (const assignment of all) if (!assignment.provide) claim(ctx, assignment);
  eachProvided(ctx, all, (assignment) => claim(ctx, assignment));
  if (ctx.replaced.size > 0) keepReplaced(ctx);
}

/** What inputs defined and the script replaces, but still means further up, stays. */
function keepReplaced({ script, replaced, tables: { isec }, lookup }: Context): void {
  for (const { expr } of expressions(script!)) {
    for (const name of expr.symbols) {
      const row = replaced.get(lookup(name))?.isec ?? 0;
      if (row !== 0) isec.sh_flags[row]! |= SHF_GNU_RETAIN;
    }
  }
}

/** Once all names that the linker defines are known: which values will be numbers, and of which type aliases are. */
export function classifyScriptSymbols(ctx: Context): void {
  if (ctx.script === null) return;
  /** Other names of indirect functions: whose they are. */
  const indirect = new Map<number, number>();
  /** What the script has assigned further up. */
  const done = new Set<number>();
  for (const { sym, expr } of assignments(ctx.script)) {
    if (sym === 0) continue;
    const number = isAbsolute(ctx, expr.root, done);
    done.add(sym);
    if (number) ctx.tables.sym.flags[sym]! |= SYM_ABSOLUTE;
    if (expr.root.kind !== "symbol") continue;
    const from = ctx.lookup(expr.root.name);
    const original = indirect.get(from) ?? from;
    if ((ctx.tables.sym.flags[original]! & SYM_IFUNC) !== 0 && original !== sym) indirect.set(sym, original);
    else copyType(ctx, sym, from);
  }
  if (indirect.size > 0) redirect(ctx, indirect);
}

/** Who means another name of an indirect function means the function, whose PLT entry it needs: the name's address is its resolver's. */
function redirect({ arena, kernels, params, objects, tables: { gsym } }: Context, indirect: ReadonlyMap<number, number>): void {
  const mark = arena.mark();
  const map = arena.allocZeroed(params.get("globalSyms") * 4);
  for (const [sym, original] of indirect) {
    arena.u32[(map >>> 2) + sym] = original;
    gsym.type[sym] = STT_GNU_IFUNC;
  }
  kernels.redirectSymbols(objects.byteOffset, 0, objects.length, map);
  arena.release(mark);
}

/** `alias = name;` makes a symbol of the same type (lld). */
function copyType(ctx: Context, sym: number, from: number): void {
  const { gsym, sym: table } = ctx.tables;
  const type = gsym.type[from]!;
  if (from === 0 || ![STT_FUNC, STT_OBJECT, STT_TLS].includes(type)) return;
  gsym.type[sym] = type;
  table.flags[sym]! |= table.flags[from]! & (SYM_FUNC | SYM_OBJECT | SYM_TLS);
}

/** `asked`: an assignment that is wanted mentions the symbol. */
function isWanted(ctx: Context, id: number, asked: boolean): boolean {
  if (id === 0) return false;
  const flags = ctx.tables.sym.flags[id]!;
  const kind = flags & SYM_KIND_MASK;
  if (kind === SYM_DEFINED || kind === SYM_COMMON || kind === SYM_IN_OSEC) return false;
  return asked || kind === SYM_SHARED || (flags & (SYM_USED_REGULAR | SYM_USED_SHARED | SYM_ROOT)) !== 0;
}

function claim(ctx: Context, assignment: Assignment): void {
  const { flags } = ctx.tables.sym;
  for (const name of assignment.expr.symbols) flags[ctx.lookup(name)]! |= SYM_USED_REGULAR | SYM_ROOT;
  const id = assignedSymbol(ctx, assignment.name);
  if (id === 0) return;
  if ((flags[id]! & SYM_KIND_MASK) === SYM_DEFINED) ctx.replaced.set(id, { isec: ctx.tables.sym.isec[id]!, value: ctx.tables.sym.value[id]! });
  markLinkerDefined(ctx, id, assignment.hidden ? STV_HIDDEN : STV_DEFAULT);
  flags[id]! |= SYM_USED_REGULAR;
  assignment.sym = id;
  ctx.assigned.set(id, assignment.expr);
}

/** The symbol that an assignment to `name` defines: `"foo@V" = x;` defines version V of foo, `"foo@@V" = x;` its default version. */
function assignedSymbol(ctx: Context, name: ByteString): number {
  const stem = name.indexOf("@", 1);
  if (stem < 0) return ctx.lookup(name);
  const id = ctx.lookup(name[stem + 1] === "@" ? name.slice(0, stem) : name);
  if (id !== 0) ctx.tables.gsym.name[id] = ctx.arena.put(name); // set-visibility reads the version there
  return id;
}

/** Will the value be a number rather than a place in the image? */
function isAbsolute(ctx: Context, node: Node, done: ReadonlySet<number>): boolean {
  const absolute = (child: Node) => isAbsolute(ctx, child, done);
  switch (node.kind) {
    case "dot":
    case "assert":
      return false;
    case "symbol":
      return isAbsoluteSymbol(ctx, node.name, done);
    case "name":
      return node.fn !== "ADDR";
    case "unary":
      return node.op !== "+" || absolute(node.a);
    case "choice":
      if (node.condition.kind === "call" && node.condition.name === "DEFINED") {
        const id = ctx.lookup(askedName(node.condition));
        if (ctx.assigned.has(id)) return absolute(done.has(id) || ctx.replaced.has(id) ? node.yes : node.no);
      }
      return absolute(node.yes) && absolute(node.no);
    case "binary":
      if (node.op === "-") return absolute(node.a) || !absolute(node.b);
      return !["+", "&", "|", "^"].includes(node.op) || (absolute(node.a) && absolute(node.b));
    case "call":
      if (node.name === "DATA_SEGMENT_END") return false;
      return node.name !== "ALIGN" || node.args.length === 1 || absolute(node.args[0]!);
    default:
      return true;
  }
}

function isAbsoluteSymbol(ctx: Context, name: ByteString, done: ReadonlySet<number>): boolean {
  const id = ctx.lookup(name);
  if (id === 0) return true;
  const input = done.has(id) ? undefined : ctx.replaced.get(id);
  if (input !== undefined) return input.isec === 0;
  const { flags, isec } = ctx.tables.sym;
  const kind = flags[id]! & SYM_KIND_MASK;
  if (kind === SYM_IN_OSEC) return (flags[id]! & SYM_ABSOLUTE) !== 0;
  return kind !== SYM_DEFINED || isec[id] === 0;
}
