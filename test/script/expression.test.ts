import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseExpression } from "../../ts/script/expression.ts";
import { ScriptError } from "../../ts/script/lexer.ts";
import { evaluate } from "../../ts/script/script-value.ts";

const SYMBOLS: Record<string, bigint> = { a: 10n, b: 3n, "x.y$z": 7n, foo: 0x1000n };
const value = (text: string): bigint => evaluate(parseExpression(text), (name) => (Object.hasOwn(SYMBOLS, name) ? SYMBOLS[name] : undefined));

function message(text: string): string {
  try {
    value(text);
  } catch (error) {
    if (error instanceof ScriptError) return error.message;
    throw error;
  }
  return "no error";
}

test("numbers", () => {
  const cases: [string, bigint][] = [["0x10", 16n], ["10", 10n], ["010", 10n], ["4K", 4096n], ["2M", 2n << 20n], ["0x1k", 1024n], ["10h", 16n], ["1Fx", 31n], ["10000o", 4096n], ["17O", 15n], ["101b", 5n], ["11B", 3n], ["9d", 9n], ["1Dk", 1024n], ["10hK", 16384n], ["0xffffffffffffffff", (1n << 64n) - 1n], ["0XfF", 255n]];
  for (const [text, expected] of cases) assert.is(value(text), expected, text);
  for (const text of ["0x", "12ab", "1KK", "0x10000000000000000", "99999999999999999999", "9".repeat(50)]) assert.match(message(text), /number/, text);
});

test("operators bind as in C, and values wrap at 64 bits", () => {
  const cases: [string, bigint][] = [
    ["1+2*3", 7n],
    ["(1+2)*3", 9n],
    ["10-3-2", 5n],
    ["100/7/2", 7n],
    ["7%4", 3n],
    ["1<<4+1", 32n],
    ["0xff>>4", 15n],
    ["2<<69>>65", 32n],
    ["0xf0|0x0f&0x3", 0xf3n],
    ["6^3", 5n],
    ["6^3&1", 7n],
    ["1|3^1", 3n],
    ["2==1<2", 0n],
    ["5&3==3", 1n],
    ["1==1", 1n],
    ["1!=1", 0n],
    ["2<1||3>=3&&1", 1n],
    ["-1", (1n << 64n) - 1n],
    ["~0", (1n << 64n) - 1n],
    ["!0+!5", 1n],
    ["- -5", 5n],
    ["0-1", (1n << 64n) - 1n],
    ["1?2:3", 2n],
    ["0?2:0?4:5", 5n],
    ["a+b", 13n],
    ["a-b*2", 4n],
    ["x.y$z", 7n],
    ["\"x.y$z\"+1", 8n],
    ["a > b ? a : b", 10n],
    ["0 && nosuch", 0n],
    ["1 || nosuch", 1n],
    ["DEFINED(a) + DEFINED(nosuch)", 1n],
    ["DEFINED(nosuch) ? nosuch : 4", 4n],
    ["MAX(a, b) + MIN(a, b)", 13n],
    ["ALIGN(0x1001, 0x1000)", 0x2000n],
    ["ABSOLUTE(a)", 10n],
    ["LOG2CEIL(5)", 3n],
    ["1 # + 2", 1n],
  ];
  for (const [text, expected] of cases) assert.is(value(text), expected, text);
});

test("names the symbols it needs, once", () => {
  assert.equal(parseExpression("a+b*a + DEFINED(c)").symbols, ["a", "b"]);
});

test("errors point into the expression", () => {
  assert.is(message("a + nosuch"), "--defsym:1: symbol not found: nosuch\n>>> a + nosuch\n>>>     ^");
  assert.is(message("foo + /* q */ 1 + q"), "--defsym:1: symbol not found: q\n>>> foo + /* q */ 1 + q\n>>>                   ^");
  assert.is(message("DEFINED(qq) + qqa * qq"), "--defsym:1: symbol not found: qqa\n>>> DEFINED(qq) + qqa * qq\n>>>               ^");
  assert.match(message("1/0"), /division by zero/);
  assert.match(message("1%(b-3)"), /modulo by zero/);
  assert.match(message("1+"), /expression expected, but got end of expression/);
  assert.match(message(""), /expression expected/);
  assert.match(message("(1"), /\) expected/);
  assert.match(message("1 2"), /operator expected, but got 2/);
  assert.match(message("1 ? 2"), /: expected/);
  assert.match(message("SIZEOF(.text)"), /needs a layout/);
  assert.match(message("MAX(1)"), /takes 2 arguments/);
  for (const text of [". + 4", "ALIGN(8)", "NEXT(8)", "SIZEOF_HEADERS", "DATA_SEGMENT_END(1)", "ASSERT(0, no)"]) assert.match(message(text), /needs a layout/, text);
  assert.match(message("ALIGN(5, 3)"), /alignment must be power of 2/);
  assert.match(message("a , b"), /operator expected/);
  assert.match(message("a ; b"), /operator expected, but got ;/);
  assert.match(message('"a'), /unclosed quote/);
});

test("depth is bounded", () => {
  assert.match(message("(".repeat(100000)), /too deeply/);
  assert.match(message("-".repeat(100000) + "1"), /too deeply/);
  assert.match(message("1+".repeat(100000) + "1"), /too deeply/);
  assert.match(message("1?".repeat(100000)), /too deeply/);
  assert.is(value("1+".repeat(500) + "1"), 501n);
});

test.run();
