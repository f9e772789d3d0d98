/**
 * Statements that may stand anywhere in a layout script: assignments, PROVIDE, PROVIDE_HIDDEN, HIDDEN, ASSERT.
 */
import type { BinaryOperator } from "./expression.ts";
import type { Assertion, Assignment } from "./layout.ts";
import type { ScriptText } from "./script-text.ts";

const ASSIGNS = /(?:"([^"]*)"|([A-Za-z_.$\x80-\xff][\w.$@\x80-\xff]*))\s*(<<=|>>=|[-+*/&|^]?=)(?!=)/y;

export function isAssignment(t: ScriptText): boolean {
  t.skip();
  ASSIGNS.lastIndex = t.at;
  return ASSIGNS.test(t.text);
}

/** An assignment or assertion, or null. */
export function readStatement(t: ScriptText): Assignment | Assertion | null {
  t.skip();
  const start = t.at;
  if (isAssignment(t)) {
    const assignment = readAssignment(t, start, false, false);
    if (!t.take(";") && !t.take(",") && !t.atEnd()) throw t.error(`; expected, but got ${t.shown()}`);
    return assignment;
  }
  for (const [word, provide, hidden] of [["PROVIDE_HIDDEN", true, true], ["PROVIDE", true, false], ["HIDDEN", false, true]] as const) {
    if (!t.takeWord(word)) continue;
    t.expect("(");
    if (!isAssignment(t)) {
      t.plainName("symbol");
      throw t.error(`= expected, but got ${t.shown()}`);
    }
    const assignment = readAssignment(t, start, provide, hidden);
    t.expect(")");
    t.take(";");
    return assignment;
  }
  return t.peek().replace(/[^A-Z].*$/, "") === "ASSERT" ? readAssert(t) : null;
}

function readAssert(t: ScriptText): Assertion {
  const expr = t.expression(true);
  t.take(";");
  return { kind: "assert", expr };
}

function readAssignment(t: ScriptText, statement: number, provide: boolean, hidden: boolean): Assignment {
  t.skip();
  ASSIGNS.lastIndex = t.at;
  const match = ASSIGNS.exec(t.text)!;
  const name = match[1] ?? match[2]!;
  const operator = match[3]!.slice(0, -1);
  const start = t.at;
  t.at += match[0].length;
  const expr = t.expression();
  if (operator !== "") {
    const old = name === "." ? ({ kind: "dot" } as const) : ({ kind: "symbol", name, offset: start } as const);
    expr.root = { kind: "binary", op: operator as BinaryOperator, a: old, b: expr.root, offset: start };
  }
  return { kind: "assign", name, expr, provide, hidden, start: statement, sym: 0, at: 0n, moved: 0n };
}
