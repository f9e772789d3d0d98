/**
 * Values of expressions: a number, or an offset in an output section, as in lld's ExprValue. Arithmetic is unsigned 64-bit and wraps;
 * comparisons give 0 or 1.
 *
 * Knows no tables: symbols, sections and regions come from an Environment. The distinction matters because a symbol that gets a
 * section-relative value moves with the image and has a section index, one with an absolute value does not.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Said } from "../diagnostics/message.ts";
import { alignAddress } from "../elf/align.ts";
import { askedName, type BinaryOperator, type Expr, type NameFunction, type Node } from "./expression.ts";
import { ScriptError, scriptError } from "./lexer.ts";

/** What section-relative values are relative to: an output section, or the image itself at address 0. */
export interface Base {
  id: number;
  sh_addr: bigint;
}

export interface Value {
  sec: Base | null;
  /** Bytes from the start of `sec`, or the number. */
  value: bigint;
  /** ABSOLUTE(): relative to a section, but not to be treated so. */
  absolute: boolean;
  /** The address is rounded up to it. */
  align: bigint;
}

export interface Environment {
  dot(): Value;
  /** undefined = nobody defines it. */
  symbol(name: ByteString): Value | undefined;
  /** By an input, by the linker, or by the script further up. */
  isDefined(name: ByteString): boolean;
  named(fn: NameFunction, name: ByteString): Value | undefined;
  headers(): bigint;
  maxPageSize(): bigint;
  /** A failed ASSERT. */
  failed(message: ByteString): void;
  /** Anything else that is wrong: the complete message. */
  error(message: Said): void;
}

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);

export const number = (value: bigint): Value => ({ sec: null, value: wrap(value), absolute: false, align: 1n });
export const relative = (sec: Base, value: bigint): Value => ({ sec, value: wrap(value), absolute: false, align: 1n });

export const isAbsolute = (value: Value): boolean => value.absolute || value.sec === null;
export const addressOf = (value: Value): bigint => wrap(alignAddress((value.sec?.sh_addr ?? 0n) + value.value, value.align));
/** Bytes from the start of its section. */
export const offsetOf = (value: Value): bigint => wrap(addressOf(value) - (value.sec?.sh_addr ?? 0n));

/** The value; what is wrong is told to the environment and counts as 0. */
export function evaluateIn(expr: Expr, env: Environment): Value {
  return new Evaluator(expr, env).value(expr.root);
}

function fail(said: Said): never {
  throw new ScriptError(typeof said === "string" ? { code: "BAD_SCRIPT", text: said } : said);
}

/** With -r: symbols are numbers, undefined when nobody defines them, and there is no layout. Throws ScriptError. */
export function evaluate(expr: Expr, lookup: (name: ByteString) => bigint | undefined, isDefined = (name: ByteString): boolean => lookup(name) !== undefined): bigint {
  const noLayout = (): never => {
    throw scriptError(expr.text, expr.name, expr.offset, "an expression that needs a layout has no value with -r");
  };
  const symbol = (name: ByteString): Value | undefined => {
    const found = lookup(name);
    return found === undefined ? undefined : number(found);
  };
  const named = (fn: NameFunction): undefined => (fn === "SEGMENT_IS_GIVEN" ? undefined : noLayout());
  return addressOf(evaluateIn(expr, { symbol, isDefined, named, dot: noLayout, headers: noLayout, maxPageSize: noLayout, failed: noLayout, error: fail }));
}

/** A value that does not depend on symbols and sections; throws ScriptError. */
export function constantValue(expr: Expr): bigint {
  const unknown = () => undefined;
  const zero = () => number(0n);
  return addressOf(evaluateIn(expr, { dot: zero, symbol: unknown, isDefined: () => false, named: unknown, headers: () => 0n, maxPageSize: () => 0n, failed: fail, error: fail }));
}

const flag = (condition: boolean): bigint => (condition ? 1n : 0n);

const BINARY: Record<BinaryOperator, (a: bigint, b: bigint) => bigint> = {
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  // The count is taken modulo 64, as x86-64 and lld do it; C leaves it undefined.
  "<<": (a, b) => a << (b & 63n),
  ">>": (a, b) => a >> (b & 63n),
  "<": (a, b) => flag(a < b),
  "<=": (a, b) => flag(a <= b),
  ">": (a, b) => flag(a > b),
  ">=": (a, b) => flag(a >= b),
  "==": (a, b) => flag(a === b),
  "!=": (a, b) => flag(a !== b),
  "&": (a, b) => a & b,
  "^": (a, b) => a ^ b,
  "|": (a, b) => a | b,
  "&&": (_, b) => flag(b !== 0n),
  "||": (_, b) => flag(b !== 0n),
};

class Evaluator {
  private readonly expr: Expr;
  private readonly env: Environment;

  constructor(expr: Expr, env: Environment) {
    this.expr = expr;
    this.env = env;
  }

  private wrong(message: string, offset = this.expr.offset): Value {
    this.env.error(scriptError(this.expr.text, this.expr.name, offset, message).said);
    return number(0n);
  }

  value(node: Node): Value {
    switch (node.kind) {
      case "number":
        return number(node.value);
      case "dot":
        return this.env.dot();
      case "headers":
        return number(this.env.headers());
      case "symbol":
        return this.env.symbol(node.name) ?? this.wrong(`symbol not found: ${node.name}`, node.offset);
      case "name":
        if (node.fn === "SEGMENT_IS_GIVEN") return this.env.named(node.fn, node.name) ?? number(0n);
        return this.env.named(node.fn, node.name) ?? this.wrong(this.unknownName(node.fn, node.name), node.offset);
      case "unary":
        return this.unary(node);
      case "binary":
        return this.binary(node);
      case "choice":
        return this.value(this.address(node.condition) !== 0n ? node.yes : node.no);
      case "assert":
        if (this.address(node.condition) === 0n) this.env.failed(node.message);
        return this.env.dot();
      case "call":
        return this.call(node);
    }
  }

  private unknownName(fn: NameFunction, name: ByteString): string {
    if (fn === "CONSTANT") return `unknown constant: ${name}`;
    return fn === "ORIGIN" || fn === "LENGTH" ? `memory region not defined: ${name}` : `undefined section ${name}`;
  }

  private address(node: Node): bigint {
    return addressOf(this.value(node));
  }

  private unary(node: Node & { kind: "unary" }): Value {
    if (node.op === "+") return this.value(node.a);
    const a = this.address(node.a);
    return number(node.op === "!" ? (a === 0n ? 1n : 0n) : node.op === "-" ? -a : ~a);
  }

  private binary(node: Node & { kind: "binary" }): Value {
    const a = this.value(node.a);
    if (node.op === "&&" && addressOf(a) === 0n) return number(0n);
    if (node.op === "||" && addressOf(a) !== 0n) return number(1n);
    const b = this.value(node.b);
    switch (node.op) {
      case "+":
        return this.shared(a, b, node.offset, (x, y) => ({ sec: x.sec, absolute: x.absolute, value: wrap(offsetOf(x) + addressOf(y)), align: 1n }));
      case "-":
        if (!isAbsolute(a) && !isAbsolute(b)) return number(addressOf(a) - addressOf(b));
        return { sec: a.sec, absolute: false, value: wrap(offsetOf(a) - addressOf(b)), align: 1n };
      case "&":
      case "|":
      case "^": {
        const operate = BINARY[node.op];
        return this.shared(a, b, node.offset, (x, y) => {
          const value = operate(addressOf(x), addressOf(y)) - (x.sec?.sh_addr ?? 0n);
          return { sec: x.sec, absolute: x.absolute, value: wrap(value), align: 1n };
        });
      }
      case "/":
      case "%":
        if (addressOf(b) === 0n) return this.wrong(node.op === "/" ? "division by zero" : "modulo by zero", node.offset);
    }
    return number(BINARY[node.op](addressOf(a), addressOf(b)));
  }

  /** Of two values at most one may belong to a section; it comes first. */
  private shared(a: Value, b: Value, offset: number, combine: (a: Value, b: Value) => Value): Value {
    if (a.sec === null || (a.absolute && !isAbsolute(b))) [a, b] = [b, a];
    if (!isAbsolute(b)) return this.wrong("at least one side of the expression must be absolute", offset);
    return combine(a, b);
  }

  private call(node: Node & { kind: "call" }): Value {
    const { env } = this;
    if (node.name === "DEFINED") return number(flag(env.isDefined(askedName(node))));
    const first = this.value(node.args[0]!);
    const a = addressOf(first);
    const b = node.args.length > 1 ? this.address(node.args[1]!) : 0n;
    switch (node.name) {
      case "ABSOLUTE":
        return { ...first, absolute: true };
      case "ALIGN":
      case "BLOCK":
      case "NEXT":
        if (node.args.length === 2) return { ...first, align: this.alignment(b, node.offset) };
        return number(alignAddress(addressOf(env.dot()), this.alignment(a, node.offset)));
      case "MAX":
        return number(a > b ? a : b);
      case "MIN":
        return number(a < b ? a : b);
      case "LOG2CEIL":
        return number(a <= 1n ? 0n : BigInt((a - 1n).toString(2).length));
      case "DATA_SEGMENT_ALIGN":
        // The mask is lld's: what is not a power of two is no error.
        return number((addressOf(env.dot()) + (a > 0n ? a : 1n) - 1n) & -(a > 0n ? a : 1n));
      case "DATA_SEGMENT_END":
        return env.dot();
      case "DATA_SEGMENT_RELRO_END":
        return number(alignAddress(addressOf(env.dot()), env.maxPageSize()));
    }
  }

  private alignment(value: bigint, offset: number): bigint {
    const align = value > 1n ? value : 1n;
    if ((align & (align - 1n)) === 0n) return align;
    this.wrong("alignment must be power of 2", offset);
    return 1n;
  }
}
