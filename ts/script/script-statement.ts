/**
 * Statements that may stand anywhere in a layout script: assignments, PROVIDE, PROVIDE_HIDDEN, HIDDEN, ASSERT.
 */
import type { ByteString } from "../args/link-options.ts";
import type { BinaryOperator } from "./expression.ts";
import type { Assertion, Assignment } from "./layout.ts";
import { skipBlanks } from "./lexer.ts";
import type { ScriptText } from "./script-text.ts";

const NAME = /"([^"]*)"|[A-Za-z_.$\x80-\xff][\w.$@\x80-\xff]*/y;
const OPERATOR = /(<<|>>|[-+*/&|^]?)=(?!=)/y;

/** `name =`, `name +=`, …: without the `=`, and where it ends. A comment must stand apart from the name: `dir/*` is a file pattern. */
function readTarget(t: ScriptText): { name: ByteString; operator: string; end: number } | null {
  t.skip();
  NAME.lastIndex = t.at;
  const name = NAME.exec(t.text);
  if (name === null) return null;
  const { lastIndex } = NAME;
  OPERATOR.lastIndex = t.text[lastIndex] === "/" ? lastIndex : skipBlanks(t.text, t.name, lastIndex);
  const operator = OPERATOR.exec(t.text);
  return operator && { name: name[1] ?? name[0], operator: operator[1]!, end: OPERATOR.lastIndex };
}

export const isAssignment = (t: ScriptText): boolean => readTarget(t) !== null;

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
  const { name, operator, end } = readTarget(t)!;
  const start = t.at;
  t.at = end;
  const expr = t.expression();
  if (operator !== "") {
    const old = name === "." ? ({ kind: "dot" } as const) : ({ kind: "symbol", name, offset: start } as const);
    expr.root = { kind: "binary", op: operator as BinaryOperator, a: old, b: expr.root, offset: start };
  }
  return { kind: "assign", name, expr, provide, hidden, start: statement, sym: 0, at: 0n, moved: 0n };
}
