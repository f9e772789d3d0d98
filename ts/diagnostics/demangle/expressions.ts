/**
 * Itanium C++ ABI §5.1.6 and §5.1.7: expressions, literals, and declared parameters of generic lambdas.
 */
import { abiTags, encoding, operatorName, substitution } from "./names.ts";
import { Name, nested, Node, NotMangled, Out, PackExpansion, ParamDecl, PREC, Seq, TemplateArgs, withArgs } from "./nodes.ts";
import { isDigit, type State } from "./state.ts";
import { decltype, parseType, qualifiers, templateArgs, templateParam } from "./types.ts";

/** What a name has told about the function it belongs to. */
export interface NameState {
  ctorDtorConversion: boolean;
  endsWithArgs: boolean;
  cv: string;
  ref: string;
  explicitObject: boolean;
  forwardsFrom: number;
}

// ---- nodes ----

class Binary extends Node {
  readonly lhs: Node;
  readonly op: string;
  readonly rhs: Node;
  constructor(lhs: Node, op: string, rhs: Node, prec: number) {
    super();
    this.lhs = lhs;
    this.op = op;
    this.rhs = rhs;
    this.prec = prec;
  }
  left(o: Out): void {
    const all = o.gtIsGt === 0 && (this.op === ">" || this.op === ">>");
    if (all) o.open();
    const assign = this.prec === PREC.assign;
    this.lhs.printAsOperand(o, assign ? PREC.orIf : this.prec, !assign);
    o.write(this.op === "," ? ", " : ` ${this.op} `);
    this.rhs.printAsOperand(o, this.prec, assign);
    if (all) o.close();
  }
}

/** Text around operands that are bracketed when they bind less tightly. */
class Operands extends Node {
  private readonly parts: readonly (string | [node: Node, prec: number, strictlyWorse: boolean])[];
  constructor(parts: readonly (string | [node: Node, prec: number, strictlyWorse: boolean])[], prec: number) {
    super();
    this.parts = parts;
    this.prec = prec;
  }
  left(o: Out): void {
    for (const part of this.parts) {
      if (typeof part === "string") o.write(part);
      else part[0].printAsOperand(o, part[1], part[2]);
    }
  }
}

/** Text with bracketed lists: `f(a, b)`, `{a, b}`. Inside the brackets > is not the end of template arguments. */
class Bracketed extends Node {
  private readonly before: Node | string;
  private readonly brackets: string;
  private readonly nodes: readonly Node[];
  constructor(before: Node | string, brackets: string, nodes: readonly Node[], prec: number = PREC.primary) {
    super();
    this.before = before;
    this.brackets = brackets;
    this.nodes = nodes;
    this.prec = prec;
  }
  left(o: Out): void {
    if (typeof this.before === "string") o.write(this.before);
    else this.before.print(o);
    o.open(this.brackets[0]);
    o.list(this.nodes);
    o.close(this.brackets[1]);
  }
}

// ---- operators in expressions ----

export const BINARY: Record<string, [string, number]> = {
  aN: ["&=", PREC.assign], aS: ["=", PREC.assign], aa: ["&&", PREC.andIf], an: ["&", PREC.and], cm: [",", PREC.comma],
  dV: ["/=", PREC.assign], dv: ["/", PREC.mul], eO: ["^=", PREC.assign], eo: ["^", PREC.xor], eq: ["==", PREC.equality],
  ge: [">=", PREC.relational], gt: [">", PREC.relational], lS: ["<<=", PREC.assign], le: ["<=", PREC.relational],
  ls: ["<<", PREC.shift], lt: ["<", PREC.relational], mI: ["-=", PREC.assign], mL: ["*=", PREC.assign], mi: ["-", PREC.add],
  ml: ["*", PREC.mul], ne: ["!=", PREC.equality], oR: ["|=", PREC.assign], oo: ["||", PREC.orIf], or: ["|", PREC.or],
  pL: ["+=", PREC.assign], pl: ["+", PREC.add], rM: ["%=", PREC.assign], rS: [">>=", PREC.assign], rm: ["%", PREC.mul],
  rs: [">>", PREC.shift], ss: ["<=>", PREC.spaceship],
};
export const PREFIX: Record<string, string> = { ad: "&", aw: "co_await ", co: "~", de: "*", ng: "-", nt: "!", ps: "+" };
const OF_TYPE: Record<string, string> = { at: "alignof ", st: "sizeof ", ti: "typeid " };
const OF_EXPRESSION: Record<string, string> = { az: "alignof ", sz: "sizeof ", te: "typeid ", nx: "noexcept " };
const NAMED_CAST: Record<string, string> = { cc: "const_cast", dc: "dynamic_cast", rc: "reinterpret_cast", sc: "static_cast" };
const MEMBER: Record<string, [string, number]> = { dt: [".", PREC.postfix], pt: ["->", PREC.postfix], ds: [".*", PREC.ptrMem], pm: ["->*", PREC.ptrMem] };

export function expression(p: State): Node {
  return p.nested(expressionAt);
}

function expressionAt(p: State): Node {
  const global = p.eat("gs");
  const char = p.peek();
  if (char === "L") return literal(p);
  if (char === "T") return templateParam(p);
  if (char === "f" && (p.peek(1) === "p" || (p.peek(1) === "L" && isDigit(p.peek(2))))) return functionParam(p);
  if (isDigit(char) || p.at("on") || p.at("dn") || p.at("sr")) return unresolvedName(p, global);
  const code = p.s.slice(p.i, p.i + 2);
  p.i += 2;
  return operatorExpression(p, code, global) ?? otherExpression(p, code, global);
}

function operatorExpression(p: State, code: string, _global: boolean): Node | null {
  const binary = BINARY[code];
  if (binary !== undefined) {
    const lhs = expression(p);
    return new Binary(lhs, binary[0], expression(p), binary[1]);
  }
  const prefix = PREFIX[code];
  if (prefix !== undefined) return new Operands([prefix, [expression(p), PREC.unary, false]], PREC.unary);
  if (OF_TYPE[code] !== undefined) return new Bracketed(OF_TYPE[code], "()", [parseType(p)], PREC.unary);
  if (OF_EXPRESSION[code] !== undefined) return new Bracketed(OF_EXPRESSION[code], "()", [expression(p)], PREC.unary);
  const member = MEMBER[code];
  if (member !== undefined) {
    const lhs = expression(p);
    const rhs = code === "dt" || code === "pt" ? memberName(p) : expression(p);
    return new Operands([[lhs, member[1], true], member[0], [rhs, member[1], false]], member[1]);
  }
  if (NAMED_CAST[code] !== undefined) {
    const type = parseType(p);
    return new Bracketed(new Seq([NAMED_CAST[code], new TemplateArgs([type])]), "()", [expression(p)], PREC.postfix);
  }
  return null;
}

function memberName(p: State): Node {
  return isDigit(p.peek()) || p.at("on") || p.at("dn") || p.at("sr") ? unresolvedName(p, false) : expression(p);
}

function otherExpression(p: State, code: string, global: boolean): Node {
  switch (code) {
    case "pp":
    case "mm": {
      const sign = code === "pp" ? "++" : "--";
      if (p.eat("_")) return new Operands([sign, [expression(p), PREC.unary, false]], PREC.unary);
      return new Operands([[expression(p), PREC.postfix, true], sign], PREC.postfix);
    }
    case "ix": {
      const base = expression(p);
      return new Bracketed(new Operands([[base, PREC.postfix, true]], PREC.postfix), "[]", [expression(p)], PREC.postfix);
    }
    case "qu": {
      const test = expression(p);
      const yes = expression(p);
      const no = expression(p);
      const parts = [[test, PREC.conditional, false], " ? ", [yes, PREC.none, false], " : ", [no, PREC.assign, true]] as const;
      return new Operands(parts as unknown as ConstructorParameters<typeof Operands>[0], PREC.conditional);
    }
    case "cl":
    case "cp": {
      const callee = expression(p);
      const args = p.until("E", () => expression(p));
      return new Bracketed(code === "cp" ? new Bracketed("", "()", [callee]) : callee, "()", args, PREC.postfix);
    }
    case "cv":
      return conversionExpression(p);
    case "dl":
    case "da": {
      const what = (global ? "::" : "") + (code === "da" ? "delete[] " : "delete ");
      return new Operands([what, [expression(p), PREC.unary, false]], PREC.unary);
    }
    case "nw":
    case "na":
      return newExpression(p, code, global);
    case "il":
      return new Bracketed("", "{}", p.until("E", () => bracedExpression(p)));
    case "tl": {
      const type = parseType(p);
      return new Bracketed(type, "{}", p.until("E", () => bracedExpression(p)));
    }
    case "sp":
      return new PackExpansion(expression(p));
    case "sZ": {
      const pack = p.peek() === "T" ? templateParam(p) : functionParam(p);
      return new Bracketed("sizeof...", "()", [new PackExpansion(pack)]);
    }
    case "sP":
      return new Bracketed("sizeof... ", "()", p.until("E", () => templateArgs.one(p)));
    case "tr":
      return new Name("throw");
    case "tw":
      return new Operands(["throw ", [expression(p), PREC.none, false]], PREC.assign);
    case "fl":
    case "fr":
    case "fL":
    case "fR":
      return fold(p, code);
    case "so":
      return subobject(p);
    case "rq":
    case "rQ":
      return requirement(p, code === "rQ");
    default:
      if (code[0] === "u") {
        p.i--;
        return vendorExpression(p);
      }
      throw new NotMangled();
  }
}

function conversionExpression(p: State): Node {
  const saved = p.tryTemplateArgs;
  p.tryTemplateArgs = false;
  const type = parseType(p);
  p.tryTemplateArgs = saved;
  const args = p.eat("_") ? p.until("E", () => expression(p)) : [expression(p)];
  return new Bracketed(new Bracketed("", "()", [type]), "()", args, PREC.cast);
}

function newExpression(p: State, code: string, global: boolean): Node {
  const placement = p.until("_", () => expression(p));
  const type = parseType(p);
  const hasInit = p.eat("pi");
  const init = hasInit ? p.until("E", () => expression(p)) : [];
  if (!hasInit) p.need("E");
  const head = (global ? "::" : "") + (code === "na" ? "new[]" : "new");
  const where = placement.length > 0 ? new Bracketed(`${head} `, "()", placement) : new Name(`${head} `);
  const made = new Seq([where, type], null, PREC.unary);
  return hasInit ? new Bracketed(made, "()", init, PREC.unary) : made;
}

function bracedExpression(p: State): Node {
  if (p.eat("di")) {
    const field = p.sourceName();
    return designated(p, new Seq([".", field]));
  }
  if (p.eat("dx")) return designated(p, new Bracketed("", "[]", [expression(p)]));
  if (p.eat("dX")) {
    const from = expression(p);
    return designated(p, new Seq(["[", from, " ... ", expression(p), "]"]));
  }
  return expression(p);
}

function designated(p: State, element: Node): Node {
  const value = bracedExpression(p);
  return new Seq([element, /^d[ixX]/.test(p.s.slice(p.i, p.i + 2)) ? "" : " = ", value]);
}

function fold(p: State, code: string): Node {
  const isLeft = code === "fl" || code === "fL";
  const operator = BINARY[p.s.slice(p.i, p.i + 2)] ?? MEMBER[p.s.slice(p.i, p.i + 2)];
  if (operator === undefined) throw new NotMangled();
  p.i += 2;
  const first = expression(p);
  const second = code === "fL" || code === "fR" ? expression(p) : null;
  const pack = new Bracketed("", "()", [new PackExpansion(code === "fL" ? second! : first)]);
  const init = code === "fL" ? first : second;
  const op = ` ${operator[0]} `;
  const initial: [Node, number, boolean][] = init === null ? [] : [[init, PREC.cast, true]];
  const packed: [Node, number, boolean] = [pack, PREC.none, false];
  const inside = isLeft
    ? [...initial.flatMap((node) => [node, op]), "...", op, packed]
    : [packed, op, "...", ...initial.flatMap((node) => [op, node])];
  return new Bracketed("", "()", [new Operands(inside, PREC.primary)]);
}

/** so <type> <expr> [<offset>] <union-selector>* [p] E */
function subobject(p: State): Node {
  const type = parseType(p);
  const of = expression(p);
  const offset = p.number(true);
  while (p.eat("_")) p.number();
  p.eat("p");
  p.need("E");
  const at = offset === "" ? "0" : offset.replace("n", "-");
  return new Seq([of, ".<", type, ` at offset ${at}>`]);
}

function requirement(p: State, withParams: boolean): Node {
  const parts: (Node | string)[] = ["requires"];
  if (withParams) {
    const params: Node[] = [];
    while (!p.eat("_")) params.push(parseType(p));
    parts.push(new Bracketed(" ", "()", params));
  }
  parts.push(" {");
  while (!p.eat("E")) {
    if (p.done) throw new NotMangled();
    if (p.eat("X")) {
      const inner = expression(p);
      const isNoexcept = p.eat("N");
      const constraint = p.eat("R") ? parseType(p) : null;
      const braced = isNoexcept || constraint !== null;
      parts.push(braced ? " {" : " ", inner, braced ? "}" : "", isNoexcept ? " noexcept" : "");
      if (constraint !== null) parts.push(" -> ", constraint);
    } else if (p.eat("T")) parts.push(" typename ", parseType(p));
    else if (p.eat("Q")) parts.push(" requires ", expression(p));
    else throw new NotMangled();
    parts.push(";");
  }
  parts.push(" }");
  return new Seq(parts);
}

function vendorExpression(p: State): Node {
  const name = p.sourceName();
  if (name.name === "__uuidof") {
    const what = p.eat("t") ? parseType(p) : (p.need("z"), expression(p));
    return new Bracketed(name, "()", [what]);
  }
  return new Bracketed(name, "()", p.until("E", () => templateArgs.one(p)));
}

/** fp [cv] [n] _, fL level p [cv] [n] _, fpT */
function functionParam(p: State): Node {
  if (p.eat("fpT")) return new Name("this");
  if (p.eat("fL")) {
    p.number();
    p.need("p");
  } else p.need("fp");
  qualifiers(p);
  const index = p.number();
  p.need("_");
  return new Name(`fp${index}`);
}

// ---- names that were not looked up ----

function simpleId(p: State): Node {
  const name = p.sourceName();
  return p.peek() === "I" ? withArgs(name, templateArgs(p, false)) : name;
}

function baseUnresolvedName(p: State): Node {
  if (isDigit(p.peek())) return abiTags(p, simpleId(p));
  if (p.eat("dn")) return new Seq(["~", isDigit(p.peek()) ? simpleId(p) : unresolvedType(p)]);
  p.eat("on");
  const name = operatorName(p, null);
  return p.peek() === "I" ? withArgs(name, templateArgs(p, false)) : name;
}

function unresolvedType(p: State): Node {
  if (p.peek() === "T") return p.remember(templateParam(p));
  if (p.peek() === "D") return p.remember(decltype(p));
  if (p.eat("St")) return p.remember(nested(new Name("std"), p.sourceName()));
  return substitution(p);
}

function unresolvedName(p: State, global: boolean): Node {
  const inGlobal = (node: Node): Node => (global ? new Seq(["::", node]) : node);
  if (p.eat("srN")) {
    let scope = scopeWithArgs(p);
    while (!p.eat("E")) scope = nested(scope, simpleId(p));
    return nested(scope, baseUnresolvedName(p));
  }
  if (!p.eat("sr")) return inGlobal(baseUnresolvedName(p));
  let scope: Node | null = null;
  if (isDigit(p.peek())) {
    do {
      const id = simpleId(p);
      scope = scope === null ? inGlobal(id) : nested(scope, id);
    } while (!p.eat("E"));
  } else scope = scopeWithArgs(p);
  return nested(scope, baseUnresolvedName(p));
}

function scopeWithArgs(p: State): Node {
  const type = unresolvedType(p);
  return p.peek() === "I" ? p.remember(withArgs(type, templateArgs(p, false))) : type;
}

// ---- literals ----

/** Suffix, or type in brackets, of integer literals. */
const INTEGER: Record<string, string> = {
  w: "wchar_t", c: "char", a: "signed char", h: "unsigned char", s: "short", t: "unsigned short", i: "", j: "u", l: "l", m: "ul",
  x: "ll", y: "ull", n: "__int128", o: "unsigned __int128",
};

export function literal(p: State): Node {
  p.need("L");
  const char = p.peek();
  const integer = INTEGER[char];
  if (integer !== undefined) {
    p.i++;
    return integerLiteral(p, integer);
  }
  if (p.eat("b0E")) return new Name("false");
  if (p.eat("b1E")) return new Name("true");
  if (char === "f" || char === "d" || char === "e") {
    const digits = /^.[0-9a-f]*/.exec(p.s.slice(p.i))![0];
    p.i += digits.length;
    p.need("E");
    return new Name(floatText(char, digits.slice(1)));
  }
  if (p.eat("_Z") || p.eat("Z")) {
    const node = encoding(p);
    p.need("E");
    return node;
  }
  if (p.eat("Dn")) {
    p.eat("0");
    p.need("E");
    return new Name("nullptr");
  }
  if (char === "A") {
    const type = parseType(p);
    p.need("E");
    return new Seq(['"<', type, '>"']);
  }
  const type = parseType(p);
  const value = p.number(true);
  p.need("E");
  return value === "" ? type : new Seq(["(", type, ")", value.replace("n", "-")], null, PREC.cast);
}

/** The value as printf's %a shows it; long double keeps its digits. */
function floatText(type: string, digits: string): string {
  const wide = type === "d";
  if (type === "e" || digits.length !== (wide ? 16 : 8)) return `(${{ f: "float", d: "double", e: "long double" }[type]})[${digits}]`;
  const bits = BigInt(`0x${digits}`);
  const mantissaBits = wide ? 52n : 23n;
  const exponentMask = wide ? 0x7ffn : 0xffn;
  const exponent = Number((bits >> mantissaBits) & exponentMask);
  const mantissa = bits & ((1n << mantissaBits) - 1n);
  const sign = bits >> (wide ? 63n : 31n) ? "-" : "";
  const suffix = wide ? "" : "f";
  if (BigInt(exponent) === exponentMask) return `${sign}${mantissa === 0n ? "inf" : "nan"}${suffix}`;
  if (exponent === 0 && mantissa === 0n) return `${sign}0x0p+0${suffix}`;
  const fraction = (wide ? mantissa.toString(16).padStart(13, "0") : (mantissa << 1n).toString(16).padStart(6, "0")).replace(/0+$/, "");
  const power = exponent - (wide ? 1023 : 127);
  return `${sign}0x1${fraction === "" ? "" : `.${fraction}`}p${power < 0 ? "" : "+"}${power}${suffix}`;
}

function integerLiteral(p: State, type: string): Node {
  const value = p.number(true).replace("n", "-");
  p.need("E");
  if (value === "") throw new NotMangled();
  return type.length > 3 ? new Seq([`(${type})${value}`], null, PREC.cast) : new Name(value + type);
}

// ---- parameters of generic lambdas ----

export function atParamDecl(p: State): boolean {
  return p.peek() === "T" && p.peek(1) !== "" && "yptnk".includes(p.peek(1));
}

const SYNTHETIC = ["$T", "$N", "$TT"] as const;

/** Ty, Tk, Tn, Tt, Tp; the made-up name is added to `into`. */
export function templateParamDecl(p: State, into: Node[] | null): Node {
  const invent = (kind: 0 | 1 | 2): string => {
    const count = p.synthetic[kind]++;
    const name = SYNTHETIC[kind] + (count > 0 ? String(count - 1) : "");
    into?.push(new Name(name));
    return name;
  };
  if (p.eat("Ty")) return new ParamDecl(["typename "], null, invent(0));
  if (p.eat("Tk")) {
    const concept = isDigit(p.peek()) || p.peek() === "N" || p.peek() === "S" ? parseType(p) : expression(p);
    return new ParamDecl([concept, " "], null, invent(0));
  }
  if (p.eat("Tn")) {
    const name = invent(1);
    return new ParamDecl([], parseType(p), name);
  }
  if (p.eat("Tt")) {
    const name = invent(2);
    const own: Node[] = [];
    p.params.push(own);
    const decls = p.until("E", () => templateParamDecl(p, own));
    p.params.pop();
    return new ParamDecl(["template", new TemplateArgs(decls), " typename "], null, name);
  }
  p.need("Tp");
  const inner = templateParamDecl(p, into);
  if (!(inner instanceof ParamDecl)) throw new NotMangled();
  return new ParamDecl(inner.before.map((part) => (typeof part === "string" ? part.trimEnd() : part)), inner.type, inner.name, true);
}

