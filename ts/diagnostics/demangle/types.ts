/**
 * Itanium C++ ABI §5.1.5 and §5.1.6: types, template parameters and arguments.
 */
import { expression, atParamDecl, literal, templateParamDecl } from "./expressions.ts";
import { ArgumentPack, bracketed, ForwardRef, Name, Node, NotMangled, Pack, PackExpansion, Seq, withArgs } from "./nodes.ts";
import { ArrayType, FunctionType, MemberPointer, pointer, qualified } from "./type-nodes.ts";
import { constraint, encoding, parseName, substitution } from "./names.ts";
import { isDigit, type State } from "./state.ts";

const BUILTIN: Record<string, string> = {
  v: "void", w: "wchar_t", b: "bool", c: "char", a: "signed char", h: "unsigned char", s: "short", t: "unsigned short", i: "int",
  j: "unsigned int", l: "long", m: "unsigned long", x: "long long", y: "unsigned long long", n: "__int128", o: "unsigned __int128",
  f: "float", d: "double", e: "long double", g: "__float128", z: "...",
};

const EXTENDED: Record<string, string> = {
  d: "decimal64", e: "decimal128", f: "decimal32", h: "half", i: "char32_t", s: "char16_t", u: "char8_t", a: "auto", c: "decltype(auto)",
  n: "std::nullptr_t",
};

const MARKS = { P: "*", R: "&", O: "&&" } as const;

/** r, V, K → restrict, volatile, const, in the order they are printed. */
export function qualifiers(p: State): string {
  const restrict = p.eat("r") ? " restrict" : "";
  const volatile = p.eat("V") ? " volatile" : "";
  return (p.eat("K") ? " const" : "") + volatile + restrict;
}

export function parseType(p: State): Node {
  return p.nested(typeAt);
}

function typeAt(p: State): Node {
  const char = p.peek();
  const builtin = BUILTIN[char];
  if (builtin !== undefined) {
    p.i++;
    return new Name(builtin);
  }
  switch (char) {
    case "r":
    case "V":
    case "K":
      return p.remember(qualifiedType(p));
    case "U":
      return p.remember(vendorQualified(p));
    case "u":
      return p.remember(vendorType(p));
    case "D":
      return extendedType(p);
    case "F":
      return p.remember(functionType(p));
    case "A":
      return p.remember(arrayType(p));
    case "M": {
      p.i++;
      const scope = parseType(p);
      return p.remember(new MemberPointer(scope, parseType(p)));
    }
    case "T":
      return p.remember(parameterType(p));
    case "P":
    case "R":
    case "O":
      p.i++;
      return p.remember(pointer(parseType(p), MARKS[char]));
    case "C":
    case "G":
      p.i++;
      return p.remember(qualified(parseType(p), char === "C" ? " complex" : " imaginary"));
    case "S":
      return p.peek(1) === "t" ? p.remember(parseName(p, null)) : substitutedType(p);
    default:
      return p.remember(parseName(p, null));
  }
}

function substitutedType(p: State): Node {
  const node = substitution(p);
  if (p.peek() !== "I" || !p.tryTemplateArgs) return node;
  return p.remember(withArgs(node, templateArgs(p, false)));
}

function qualifiedType(p: State): Node {
  let ahead = 0;
  while ("rVK".includes(p.peek(ahead)) && p.peek(ahead) !== "") ahead++;
  const isFunction = p.peek(ahead) === "F" || (p.peek(ahead) === "D" && "oOwx".includes(p.peek(ahead + 1) || "-"));
  if (isFunction) return functionType(p);
  const quals = qualifiers(p);
  if (quals === "") throw new NotMangled();
  return qualified(parseType(p), quals);
}

function vendorQualified(p: State): Node {
  if (p.at("Ut") || p.at("Ul") || p.at("Ub")) return parseName(p, null);
  p.need("U");
  const name = p.counted();
  const args = p.peek() === "I" ? templateArgs(p, false) : null;
  const inner = parseType(p);
  return args === null ? qualified(inner, ` ${name}`) : new Seq([inner, ` ${name}`, args]);
}

function vendorType(p: State): Node {
  p.need("u");
  const name = p.sourceName();
  return p.peek() === "I" ? withArgs(name, templateArgs(p, false)) : name;
}

function extendedType(p: State): Node {
  const code = p.peek(1);
  const simple = EXTENDED[code];
  if (simple !== undefined) {
    p.i += 2;
    return new Name(simple);
  }
  switch (code) {
    case "F": {
      p.i += 2;
      const bits = p.number();
      if (p.eat("b")) return new Name("std::bfloat16_t");
      if (p.eat("x")) return new Name(`_Float${bits}x`);
      p.need("_");
      return new Name(`_Float${bits}`);
    }
    case "B":
    case "U":
      return bitInt(p, code === "U" ? "unsigned " : "");
    case "t":
    case "T":
      return p.remember(decltype(p));
    case "p": {
      p.i += 2;
      return p.remember(new PackExpansion(parseType(p)));
    }
    case "v":
      return p.remember(vectorType(p));
    case "k":
    case "K": {
      p.i += 2;
      const concept = parseName(p, null);
      return new Seq([concept, code === "k" ? " auto" : " decltype(auto)"]);
    }
    case "o":
    case "O":
    case "w":
    case "x":
      return p.remember(functionType(p));
    default:
      throw new NotMangled();
  }
}

function bitInt(p: State, sign: string): Node {
  p.i += 2;
  const bits = isDigit(p.peek()) ? new Name(p.number()) : expression(p);
  p.need("_");
  return new Seq([`${sign}_BitInt(`, bits, ")"]);
}

function vectorType(p: State): Node {
  p.need("Dv");
  const bound = isDigit(p.peek()) ? new Name(p.number()) : p.peek() === "_" ? null : expression(p);
  p.need("_");
  if (p.eat("p")) return new Seq(["pixel vector[", bound ?? "", "]"]);
  return new Seq([parseType(p), " vector[", bound ?? "", "]"]);
}

export function decltype(p: State): Node {
  p.i += 2;
  const inner = expression(p);
  p.need("E");
  return new Seq(["decltype(", inner, ")"]);
}

function functionType(p: State): Node {
  const cv = qualifiers(p);
  let exception: Node | null = null;
  if (p.eat("Do")) exception = new Name("noexcept");
  else if (p.eat("DO")) {
    exception = new Seq(["noexcept(", expression(p), ")"]);
    p.need("E");
  } else if (p.eat("Dw")) {
    const thrown = p.until("E", () => parseType(p));
    exception = new Seq(["throw(", ...thrown.flatMap((type, i) => (i === 0 ? [type] : [", ", type])), ")"]);
  }
  p.eat("Dx");
  p.need("F");
  p.eat("Y");
  const result = parseType(p);
  const params: Node[] = [];
  let ref = "";
  while (!p.eat("E")) {
    if (p.eat("v")) continue;
    if (p.eat("RE")) ref = " &";
    else if (p.eat("OE")) ref = " &&";
    if (ref !== "") break;
    if (p.done) throw new NotMangled();
    params.push(parseType(p));
  }
  return new FunctionType(result, params, cv + ref, exception);
}

function arrayType(p: State): Node {
  p.need("A");
  let bound: Node | null = null;
  if (isDigit(p.peek())) bound = new Name(p.number());
  else if (p.peek() !== "_") bound = expression(p);
  p.need("_");
  return new ArrayType(parseType(p), bound);
}

/** T…: a template parameter, a template template parameter with arguments, or an elaborated type. */
function parameterType(p: State): Node {
  const elaborated: Record<string, string> = { s: "struct ", u: "union ", e: "enum " };
  const keyword = elaborated[p.peek(1)];
  if (keyword !== undefined) {
    p.i += 2;
    return new Seq([keyword, parseName(p, null)]);
  }
  const param = templateParam(p);
  if (!p.tryTemplateArgs || p.peek() !== "I") return param;
  p.remember(param);
  return withArgs(param, templateArgs(p, false));
}

export function templateParam(p: State): Node {
  p.need("T");
  let level = 0;
  if (p.eat("L")) {
    level = Number(p.number() || "-1") + 1;
    p.need("_");
  }
  let index = 0;
  if (!p.eat("_")) {
    index = Number(p.number() || "-1") + 1;
    p.need("_");
  }
  // Constraints are not instantiated, so their parameters cannot be looked up.
  if (p.inConstraint) return new Name("T" + (level > 0 ? `L${level - 1}_` : "") + (index > 0 ? `${index - 1}` : ""));
  if (p.permitForward && level === 0) {
    const forward = new ForwardRef(index);
    p.forwards.push(forward);
    return forward;
  }
  const found = p.params[level]?.[index];
  if (found !== undefined) return found;
  if (p.lambdaLevel === level && level <= p.params.length) {
    if (level === p.params.length) p.params.push(null);
    return new Name("auto");
  }
  throw new NotMangled();
}

/** I … E. `tag`: they are the arguments of the template that is being named, which T_ refers to. */
export function templateArgs(p: State, tag: boolean): Node {
  p.need("I");
  const own: Node[] = [];
  if (tag) p.params = [own];
  const args: Node[] = [];
  while (!p.eat("E")) {
    if (p.done) throw new NotMangled();
    if (p.eat("Q")) {
      constraint(p);
      continue;
    }
    const saved = p.params;
    if (tag) {
      // An argument cannot mention its own list, but the declared type of a parameter (Tn…) can mention what came before.
      if (atParamDecl(p)) templateParamDecl(p, null);
      p.params = [];
    }
    const arg = templateArgs.one(p);
    if (tag) p.params = saved;
    args.push(arg);
    if (tag) own.push(arg instanceof ArgumentPack ? new Pack(arg.elements) : arg);
  }
  return bracketed(args);
}

templateArgs.one = (p: State): Node =>
  p.nested(() => {
    if (p.eat("X")) {
      const node = expression(p);
      p.need("E");
      return node;
    }
    // GCC wrote packs as I…E before the ABI settled on J.
    if (p.eat("J") || p.eat("I")) return new ArgumentPack(p.until("E", () => templateArgs.one(p)));
    if (p.at("LZ")) {
      p.i += 2;
      const node = encoding(p);
      p.need("E");
      return node;
    }
    if (p.peek() === "L") return literal(p);
    if (atParamDecl(p)) {
      templateParamDecl(p, null);
      return templateArgs.one(p);
    }
    return parseType(p);
  });
