/**
 * Values of --defsym and of script assignments when no script lays out sections: the default layout stands, and expressions look at it.
 *
 * After resolve-addresses. Rounds, because an assignment may refer to one further down.
 */
import { SYM_DEFINED, SYM_IN_OSEC, SYM_KIND_MASK } from "../../as-kernels/shared/abi.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { assignmentEndless } from "../diagnostics/layout-messages.ts";
import { distinct } from "../diagnostics/print.ts";
import { ScriptError } from "../script/lexer.ts";
import type { LayoutScript } from "../script/layout.ts";
import { addressOf, evaluate, evaluateIn } from "../script/script-value.ts";
import { imageBase } from "./assign-addresses.ts";
import { ScriptValues } from "./script/script-values.ts";

const MAX_ROUNDS = 30;

export function evaluatePlain(ctx: Context, script: LayoutScript): void {
  const values = new ScriptValues(ctx, script, ctx.osecs.map((osec) => ({ osec, removed: false, lmaOffset: 0n })));
  let before = "";
  for (let round = 0; round < MAX_ROUNDS; round++) {
    values.beginRound();
    values.location = imageBase(ctx);
    for (const command of script.commands) {
      if (command.kind === "output" || (command.kind === "assign" && command.name !== "." && command.sym === 0)) continue;
      const value = evaluateIn(command.expr, values);
      if (command.kind === "assert") continue;
      if (command.name === ".") values.location = addressOf(value);
      else values.assign(command.sym, value);
    }
    // Where nobody asked for what comes further down, the next round would say the same.
    if (!values.provisional) break;
    const state = values.state();
    if (state === before) break;
    before = state;
    if (round === MAX_ROUNDS - 1) values.error(assignmentEndless(ctx.symbolName(values.changing)));
  }
  for (const message of distinct(values.errors)) ctx.diag.errorOrWarn(message);
  values.publish();
  for (const command of script.commands) {
    if (command.kind === "assign" && command.sym !== 0) ctx.kernels.resolveAddresses(command.sym, command.sym + 1);
  }
}

/** -r: sections have no addresses, so expressions are about what symbols are at 0. */
export function evaluateByAddress(ctx: Context, script: LayoutScript): void {
  const { sym, isec, osec } = ctx.tables;
  /** What the script has assigned further up. */
  const done = new Set<number>();
  const isDefined = (name: ByteString): boolean => {
    const id = ctx.lookup(name);
    if (ctx.assigned.has(id)) return done.has(id) || ctx.replaced.has(id);
    return id !== 0 && [SYM_DEFINED, SYM_IN_OSEC].includes(sym.flags[id]! & SYM_KIND_MASK);
  };
  for (const command of script.commands) {
    if (command.kind !== "assign" || command.sym === 0) continue;
    let section = 0;
    const lookup = (name: ByteString): bigint | undefined => {
      const id = ctx.lookup(name);
      const input = done.has(id) ? undefined : ctx.replaced.get(id);
      if (input !== undefined) {
        if (input.isec === 0) return input.value;
        section = isec.osec[input.isec]!;
        return osec.addr[section]! + BigInt(isec.outOffset[input.isec]!) + input.value;
      }
      const kind = sym.flags[id]! & SYM_KIND_MASK;
      if (id === 0 || (kind !== SYM_DEFINED && kind !== SYM_IN_OSEC)) return undefined;
      if (kind === SYM_IN_OSEC) section = sym.isec[id]!;
      else if (sym.isec[id] !== 0) section = isec.osec[sym.isec[id]!]!;
      return sym.addr[id]!;
    };
    let value = 0n;
    try {
      value = evaluate(command.expr, lookup, isDefined);
    } catch (error) {
      if (!(error instanceof ScriptError)) throw error;
      ctx.diag.error(error.said);
    }
    done.add(command.sym);
    sym.isec[command.sym] = section;
    sym.addr[command.sym] = value;
    sym.value[command.sym] = BigInt.asUintN(64, section === 0 ? value : value - osec.addr[section]!);
  }
}
