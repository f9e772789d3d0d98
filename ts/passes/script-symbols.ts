/**
 * Symbols that a layout script assigns, and what its expressions and KEEPs hold on to.
 *
 * Before gc the symbols only become "defined by the linker"; script-layout gives them their values. Whether a value will be absolute
 * is known from the form of its expression, and must be, because position-independent output relocates differently.
 */
import {
  SYM_ABSOLUTE, SYM_COMMON, SYM_DEFINED, SYM_IN_OSEC, SYM_KIND_MASK, SYM_ROOT, SYM_USED_REGULAR, SYM_USED_SHARED,
} from "../../as-kernels/shared/abi.ts";
import { STV_DEFAULT, STV_HIDDEN } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { eachNode, type Node } from "../script/expression.ts";
import { assignments, expressions, type Assignment } from "../script/layout.ts";
import { markLinkerDefined } from "./linker-defined.ts";

/** Names the script defines or mentions; ctx.expressionNames gets those that it demands. Before names are interned. */
export function scriptNames(ctx: Context): ByteString[] {
  if (ctx.script === null) return [];
  const names = new Set<ByteString>();
  const always = new Set<ByteString>();
  for (const assignment of assignments(ctx.script)) {
    if (assignment.name === ".") continue;
    names.add(assignment.name);
    if (!assignment.provide) always.add(assignment.name);
  }
  for (const { expr, of } of expressions(ctx.script)) {
    for (const name of expr.symbols) {
      names.add(name);
      if (of?.provide !== true && !always.has(name)) ctx.expressionNames.push(name);
    }
    eachNode(expr.root, (node) => {
      if (node.kind === "call" && node.name === "DEFINED") names.add((node.args[0] as { name: ByteString }).name);
    });
  }
  return [...names];
}

/** After resolve-symbols: which assignments define something. PROVIDE does when somebody wants the name and no input has it. */
export function claimScriptSymbols(ctx: Context): void {
  if (ctx.script === null) return;
  const all = assignments(ctx.script).filter((assignment) => assignment.name !== ".");
  for (const assignment of all) if (!assignment.provide) claim(ctx, assignment);
  const asked = new Set<ByteString>();
  for (let again = true; again; ) {
    again = false;
    for (const assignment of all) {
      if (!assignment.provide || assignment.sym !== 0 || !isWanted(ctx, assignment.name, asked)) continue;
      claim(ctx, assignment);
      for (const name of assignment.expr.symbols) asked.add(name);
      again = true;
    }
  }
  for (const assignment of all) {
    if (assignment.sym !== 0 && isAbsolute(ctx, assignment.expr.root)) ctx.tables.sym.flags[assignment.sym]! |= SYM_ABSOLUTE;
  }
}

function isWanted(ctx: Context, name: ByteString, asked: Set<ByteString>): boolean {
  const id = ctx.lookup(name);
  if (id === 0) return false;
  const flags = ctx.tables.sym.flags[id]!;
  const kind = flags & SYM_KIND_MASK;
  if (kind === SYM_DEFINED || kind === SYM_COMMON || kind === SYM_IN_OSEC) return false;
  return asked.has(name) || (flags & (SYM_USED_REGULAR | SYM_USED_SHARED | SYM_ROOT)) !== 0;
}

function claim(ctx: Context, assignment: Assignment): void {
  const id = ctx.lookup(assignment.name);
  if (id === 0) return;
  markLinkerDefined(ctx, id, assignment.hidden ? STV_HIDDEN : STV_DEFAULT);
  ctx.tables.sym.flags[id]! |= SYM_USED_REGULAR;
  ctx.assigned.set(id, assignment.expr);
  assignment.sym = id;
}

/** Will the value be a number rather than a place in the image? */
function isAbsolute(ctx: Context, node: Node): boolean {
  const absolute = (child: Node) => isAbsolute(ctx, child);
  switch (node.kind) {
    case "dot":
    case "assert":
      return false;
    case "symbol":
      return isAbsoluteSymbol(ctx, node.name);
    case "name":
      return node.fn !== "ADDR";
    case "unary":
      return node.op !== "+" || absolute(node.a);
    case "choice":
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

function isAbsoluteSymbol(ctx: Context, name: ByteString): boolean {
  const id = ctx.lookup(name);
  if (id === 0) return true;
  const { flags, isec } = ctx.tables.sym;
  const kind = flags[id]! & SYM_KIND_MASK;
  if (kind === SYM_IN_OSEC) return (flags[id]! & SYM_ABSOLUTE) !== 0;
  return kind !== SYM_DEFINED || isec[id] === 0;
}
