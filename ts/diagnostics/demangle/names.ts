/**
 * Itanium C++ ABI §5.1.2 to §5.1.4 and §5.1.8: encodings, names, operators, special names, substitutions.
 */
import { atParamDecl, BINARY, expression, PREFIX, templateParamDecl, type NameState } from "./expressions.ts";
import { Abbreviation, Closure, Name, nested, Node, NotMangled, Seq, withArgs } from "./nodes.ts";
import { Encoding } from "./type-nodes.ts";
import { isDigit, type State } from "./state.ts";
import { parseType, qualifiers, templateArgs, templateParam, decltype } from "./types.ts";

function newNameState(p: State): NameState {
  return { ctorDtorConversion: false, endsWithArgs: false, cv: "", ref: "", explicitObject: false, forwardsFrom: p.forwards.length };
}

/** _Z… without the prefix: name, and parameter types when it is a function. */
export function encoding(p: State): Node {
  const params = p.params;
  p.params = [];
  const node = p.nested(p.peek() === "G" || p.peek() === "T" ? specialName : plainEncoding);
  p.params = params;
  return node;
}

function atEncodingEnd(p: State): boolean {
  return p.done || p.peek() === "E" || p.peek() === "." || p.peek() === "_";
}

function plainEncoding(p: State): Node {
  const state = newNameState(p);
  const name = parseName(p, state);
  resolveForwards(p, state);
  if (atEncodingEnd(p)) return name;
  const suffix: (Node | string)[] = [];
  if (p.eat("Ua9enable_ifI")) suffix.push(" [enable_if:", new Seq(commas(p.until("E", () => templateArgs.one(p)))), "]");
  const result = !state.ctorDtorConversion && state.endsWithArgs ? parseType(p) : null;
  const parameters: Node[] = [];
  if (!p.eat("v")) {
    do parameters.push(parseType(p));
    while (!atEncodingEnd(p) && p.peek() !== "Q");
  }
  if (state.explicitObject && parameters.length > 0) parameters[0] = new Seq(["this ", parameters[0]!]);
  suffix.unshift(state.cv + state.ref);
  if (p.eat("Q")) suffix.push(" requires ", constraint(p));
  return new Encoding(result, name, parameters, suffix);
}

export function constraint(p: State): Node {
  const saved = p.inConstraint;
  p.inConstraint = true;
  const node = expression(p);
  p.inConstraint = saved;
  return node;
}

function commas(nodes: Node[]): (Node | string)[] {
  return nodes.flatMap((node, i) => (i === 0 ? [node] : [", ", node]));
}

/** Gives the parameters that a conversion operator's type mentioned early their arguments. */
function resolveForwards(p: State, state: NameState): void {
  if (p.forwards.length === state.forwardsFrom) return;
  for (const ref of p.forwards.splice(state.forwardsFrom)) {
    const target = p.params[0]?.[ref.index];
    if (target === undefined) throw new NotMangled();
    ref.target = target;
  }
}

// ---- names ----

export function parseName(p: State, state: NameState | null): Node {
  return p.nested(() => {
    if (p.peek() === "N") return nestedName(p, state);
    if (p.peek() === "Z") return localName(p, state);
    if (p.peek() === "S" && p.peek(1) !== "t") {
      const name = substitution(p);
      if (p.peek() !== "I") throw new NotMangled();
      return templateName(p, name, state);
    }
    const name = unscopedName(p, state);
    if (p.peek() !== "I") return name;
    p.remember(name);
    return templateName(p, name, state);
  });
}

function templateName(p: State, name: Node, state: NameState | null): Node {
  const args = templateArgs(p, state !== null);
  if (state !== null) state.endsWithArgs = true;
  return withArgs(name, args);
}

function unscopedName(p: State, state: NameState | null): Node {
  const std = p.eat("St");
  const name = unqualifiedName(p, state, null);
  return std ? nested(new Name("std"), name) : name;
}

function nestedName(p: State, state: NameState | null): Node {
  p.need("N");
  if (p.eat("H")) {
    if (state !== null) state.explicitObject = true;
  } else {
    const cv = qualifiers(p);
    const ref = p.eat("O") ? " &&" : p.eat("R") ? " &" : "";
    if (state !== null) [state.cv, state.ref] = [cv, ref];
  }
  let scope: Node | null = null;
  while (!p.eat("E")) {
    if (p.done) throw new NotMangled();
    if (state !== null) state.endsWithArgs = false;
    if (p.peek() === "T" && scope === null) scope = p.remember(templateParam(p));
    else if (p.peek() === "I") {
      if (scope === null) throw new NotMangled();
      scope = p.remember(templateName(p, scope, state));
    } else if (p.peek() === "D" && (p.peek(1) === "t" || p.peek(1) === "T")) {
      if (scope !== null) throw new NotMangled();
      scope = p.remember(decltype(p));
    } else if (p.peek() === "S" && p.peek(1) !== "t") {
      const known = substitution(p);
      if (scope !== null) throw new NotMangled();
      scope = known;
    } else if (p.eat("St")) {
      if (scope !== null) throw new NotMangled();
      scope = new Name("std");
    } else if (p.eat("M")) {
      if (scope === null) throw new NotMangled(); // closure in a data member's initializer: the prefix stays
    } else scope = p.remember(unqualifiedName(p, state, scope));
  }
  if (scope === null || p.subs.length === 0) throw new NotMangled();
  p.subs.pop();
  return scope;
}

function localName(p: State, state: NameState | null): Node {
  p.need("Z");
  const scope = encoding(p);
  p.need("E");
  if (p.eat("s")) {
    discriminator(p);
    return nested(scope, new Name("string literal"));
  }
  if (p.eat("d")) {
    p.number(true);
    p.need("_");
    return nested(scope, parseName(p, state));
  }
  const entity = parseName(p, state);
  discriminator(p);
  return nested(scope, entity);
}

function discriminator(p: State): void {
  const rest = p.s.slice(p.i);
  const match = /^(_[0-9]|__[0-9]+_|[0-9]+$)/.exec(rest);
  if (match !== null) p.i += match[0].length;
}

/** A component of a name; `scope` names its class for constructors. The scope is part of the result. */
function unqualifiedName(p: State, state: NameState | null, scope: Node | null): Node {
  p.eat("F"); // friend declared in a class (constrained)
  p.eat("L"); // internal linkage
  const char = p.peek();
  let name: Node;
  if (isDigit(char)) name = p.sourceName();
  else if (char === "U") name = unnamedType(p);
  else if (p.eat("DC")) name = new Seq(["[", ...commas(p.until("E", () => p.sourceName())), "]"]);
  else if (char === "C" || (char === "D" && /[0-5]/.test(p.peek(1)))) {
    if (scope === null) throw new NotMangled();
    const base = scope instanceof Abbreviation ? new Name(scope.full) : scope;
    name = ctorDtor(p, state, scope.baseName());
    return nested(base, abiTags(p, name));
  } else name = operatorName(p, state);
  name = abiTags(p, name);
  return scope === null ? name : nested(scope, name);
}

export function abiTags(p: State, name: Node): Node {
  while (p.eat("B")) name = new Seq([name, `[abi:${p.counted()}]`], name);
  return name;
}

function ctorDtor(p: State, state: NameState | null, className: string): Node {
  if (state !== null) state.ctorDtorConversion = true;
  if (p.eat("C")) {
    const inherited = p.eat("I");
    if (!/[1-5]/.test(p.peek())) throw new NotMangled();
    p.i++;
    if (inherited) parseName(p, state);
    return new Name(className);
  }
  p.i += 2;
  return new Name(`~${className}`);
}

function unnamedType(p: State): Node {
  if (p.eat("Ut")) {
    const count = p.number();
    p.need("_");
    return new Name(`'unnamed${count}'`);
  }
  if (p.eat("Ul")) return closure(p);
  if (p.eat("Ub")) {
    p.number();
    p.need("_");
    return new Name("'block-literal'");
  }
  throw new NotMangled();
}

function closure(p: State): Node {
  const savedLevel = p.lambdaLevel;
  const savedParams = p.params.slice();
  p.lambdaLevel = p.params.length;
  const own: Node[] = [];
  p.params.push(own);
  const decls: Node[] = [];
  while (atParamDecl(p)) decls.push(templateParamDecl(p, own));
  if (decls.length === 0) p.params.pop();
  if (p.eat("Q")) constraint(p);
  const params: Node[] = [];
  if (!p.eat("v")) while (p.peek() !== "E" && p.peek() !== "Q") params.push(parseType(p));
  if (p.eat("Q")) constraint(p);
  p.need("E");
  const count = p.number();
  p.need("_");
  p.lambdaLevel = savedLevel;
  p.params = savedParams;
  return new Closure(count, decls, params);
}

// ---- operators ----

/** Two letters → what follows `operator`, where that is not how expressions write it. */
const OPERATOR_NAMES: Record<string, string> = {
  aw: " co_await", cl: "()", da: " delete[]", dl: " delete", ix: "[]", mm: "--", na: " new[]", nw: " new", pm: "->*", pp: "++", pt: "->", qu: "?",
};

export function operatorName(p: State, state: NameState | null): Node {
  const code = p.s.slice(p.i, p.i + 2);
  if (code === "cv") {
    p.i += 2;
    return conversion(p, state);
  }
  if (code === "li") {
    p.i += 2;
    return new Seq(['operator"" ', p.sourceName()]);
  }
  if (code[0] === "v" && isDigit(code[1] ?? "")) {
    p.i += 2;
    return new Seq(["operator ", p.sourceName()]);
  }
  const name = OPERATOR_NAMES[code] ?? BINARY[code]?.[0] ?? PREFIX[code];
  if (name === undefined) throw new NotMangled();
  p.i += 2;
  return new Name(`operator${name}`);
}

/** The type may mention template parameters whose arguments come after it. */
function conversion(p: State, state: NameState | null): Node {
  const { tryTemplateArgs, permitForward } = p;
  p.tryTemplateArgs = false;
  p.permitForward = permitForward || state !== null;
  const type = parseType(p);
  p.tryTemplateArgs = tryTemplateArgs;
  p.permitForward = permitForward;
  if (state !== null) state.ctorDtorConversion = true;
  return new Seq(["operator ", type]);
}

// ---- special names (§5.1.4) ----

const SPECIAL_TYPES: Record<string, string> = {
  TV: "vtable for ", TT: "VTT for ", TI: "typeinfo for ", TS: "typeinfo name for ",
};
const SPECIAL_NAMES: Record<string, string> = {
  GV: "guard variable for ", TW: "thread-local wrapper routine for ", TH: "thread-local initialization routine for ",
};

function specialName(p: State): Node {
  const code = p.s.slice(p.i, p.i + 2);
  p.i += 2;
  const ofType = SPECIAL_TYPES[code];
  if (ofType !== undefined) return new Seq([ofType, parseType(p)]);
  const ofName = SPECIAL_NAMES[code];
  if (ofName !== undefined) return new Seq([ofName, parseName(p, null)]);
  switch (code) {
    case "TA":
      return new Seq(["template parameter object for ", templateArgs.one(p)]);
    case "Th":
    case "Tv":
      p.i--;
      callOffset(p);
      return new Seq([code === "Th" ? "non-virtual thunk to " : "virtual thunk to ", encoding(p)]);
    case "Tc":
      callOffset(p);
      callOffset(p);
      return new Seq(["covariant return thunk to ", encoding(p)]);
    case "TC": {
      const derived = parseType(p);
      p.number();
      p.need("_");
      return new Seq(["construction vtable for ", parseType(p), "-in-", derived]);
    }
    case "GR": {
      const name = parseName(p, null);
      if (!p.eat("_")) {
        p.seqId();
      }
      return new Seq(["reference temporary for ", name]);
    }
    case "GT": {
      const kind = p.peek();
      p.i++;
      if (kind !== "t" && kind !== "n") throw new NotMangled();
      return new Seq([kind === "t" ? "transaction clone for " : "non-transaction clone for ", encoding(p)]);
    }
    case "GI":
      return new Seq(["initializer for module ", p.sourceName()]);
    default:
      throw new NotMangled();
  }
}

function callOffset(p: State): void {
  const virtual = p.eat("v");
  if (!virtual) p.need("h");
  p.number(true);
  p.need("_");
  if (virtual) {
    p.number(true);
    p.need("_");
  }
}

// ---- substitutions (§5.1.10) ----

const STD = "std::";
const CHAR_ARGS = "<char, std::char_traits<char>";
const ABBREVIATIONS: Record<string, Abbreviation> = {
  a: new Abbreviation(`${STD}allocator`, `${STD}allocator`, "allocator"),
  b: new Abbreviation(`${STD}basic_string`, `${STD}basic_string`, "basic_string"),
  s: new Abbreviation(`${STD}string`, `${STD}basic_string${CHAR_ARGS}, std::allocator<char>>`, "basic_string"),
  i: new Abbreviation(`${STD}istream`, `${STD}basic_istream${CHAR_ARGS}>`, "basic_istream"),
  o: new Abbreviation(`${STD}ostream`, `${STD}basic_ostream${CHAR_ARGS}>`, "basic_ostream"),
  d: new Abbreviation(`${STD}iostream`, `${STD}basic_iostream${CHAR_ARGS}>`, "basic_iostream"),
};

export function substitution(p: State): Node {
  p.need("S");
  const abbreviation = ABBREVIATIONS[p.peek()];
  if (abbreviation !== undefined) {
    p.i++;
    if (p.peek() !== "B") return abbreviation;
    return p.remember(abiTags(p, abbreviation));
  }
  const node = p.subs[p.seqId()];
  if (node === undefined) throw new NotMangled();
  return node;
}

