/**
 * What a mangled C++ name is made of, and how each part is printed.
 *
 * C declarators wrap around what they declare, so every node prints in two halves: `left` comes before the declared name and
 * `right` after it (`int (*` … `)(char)`). Most parts have no right half and print the same wherever they are: these are one text as soon as
 * they are read (Name). Parameter packs are expanded while printing: the output carries which element of
 * the packs is wanted. The style is LLVM's (`char const*`, `>>`).
 */

/** Printing more than this gives up: substitutions can describe names of exponential length. */
const MAX_OUTPUT = 1 << 17;

/** The name cannot be demangled; the mangled form is shown instead. */
export class NotMangled extends Error {}

export class Out {
  text = "";
  /** Element of the packs to print; Infinity = not inside an expansion. */
  packIndex = Infinity;
  packCount = Infinity;
  /** 0 = a bare > would end template arguments. */
  gtIsGt = 1;

  write(text: string): void {
    this.text += text;
    if (this.text.length > MAX_OUTPUT) throw new NotMangled();
  }

  parts(parts: readonly (Node | string)[]): void {
    for (const part of parts) {
      if (typeof part === "string") this.write(part);
      else part.print(this);
    }
  }

  open(bracket = "("): void {
    this.gtIsGt++;
    this.write(bracket);
  }

  close(bracket = ")"): void {
    this.gtIsGt--;
    this.write(bracket);
  }

  /** `a, b, c`; parts that print nothing (empty packs) leave no comma. */
  list(nodes: readonly Node[]): void {
    let first = true;
    for (const node of nodes) {
      const before = this.text.length;
      if (!first) this.text += ", ";
      const start = this.text.length;
      node.printAsOperand(this, PREC.comma);
      if (this.text.length === start) this.text = this.text.slice(0, before);
      else first = false;
    }
  }
}

/** Binding strength of expressions, tightest first. */
export const PREC = {
  primary: 0, postfix: 1, unary: 2, cast: 3, ptrMem: 4, mul: 5, add: 6, shift: 7, spaceship: 8, relational: 9, equality: 10,
  and: 11, xor: 12, or: 13, andIf: 14, orIf: 15, conditional: 16, assign: 17, comma: 18, none: 19,
} as const;

export abstract class Node {
  /** Of the prototype where it is PREC.primary: as a field it took a fifth of the time, being another shape of every class. */
  declare prec: number;
  abstract left(o: Out): void;
  right(_o: Out): void {}
  /** Does something follow the declared name? */
  hasRight(_o: Out): boolean {
    return false;
  }
  isArray(_o: Out): boolean {
    return false;
  }
  isFunction(_o: Out): boolean {
    return false;
  }
  /** Last component without template arguments: what a constructor is called. */
  baseName(): string {
    return "";
  }
  print(o: Out): void {
    this.left(o);
    this.right(o);
  }
  printAsOperand(o: Out, prec: number = PREC.none, strictlyWorse = false): void {
    const paren = this.prec >= prec + (strictlyWorse ? 1 : 0);
    if (paren) o.open();
    this.print(o);
    if (paren) o.close();
  }
}

Node.prototype.prec = PREC.primary;

/** What always prints the same: a plain name, an expression whose text is known, and what is made of nothing else. */
export class Name extends Node {
  readonly name: string;
  private readonly base: string;
  constructor(name: string, base: string = name) {
    super();
    if (name.length > MAX_OUTPUT) throw new NotMangled();
    this.name = name;
    this.base = base;
  }
  left(o: Out): void {
    o.write(this.name);
  }
  override baseName(): string {
    return this.base;
  }
}

/** Parts printed one after the other: `vtable for ` + type, name + `[abi:x]`, … */
export class Seq extends Node {
  readonly parts: readonly (Node | string)[];
  private readonly base: Node | null;
  constructor(parts: readonly (Node | string)[], base: Node | null = null, prec: number = PREC.primary) {
    super();
    this.parts = parts;
    this.base = base;
    if (prec !== PREC.primary) this.prec = prec;
  }
  left(o: Out): void {
    o.parts(this.parts);
  }
  override baseName(): string {
    return this.base === null ? "" : this.base.baseName();
  }
}

/** `scope::name` */
export function nested(scope: Node, name: Node): Node {
  return scope instanceof Name && name instanceof Name ? new Name(`${scope.name}::${name.name}`, name.baseName()) : new Nested(scope, name);
}

class Nested extends Node {
  readonly scope: Node;
  readonly name: Node;
  constructor(scope: Node, name: Node) {
    super();
    this.scope = scope;
    this.name = name;
  }
  left(o: Out): void {
    this.scope.print(o);
    o.write("::");
    this.name.print(o);
  }
  override baseName(): string {
    return this.name.baseName();
  }
}

/** `<a, b>` */
export function bracketed(args: readonly Node[]): Node {
  const text = listed(args);
  return text === null ? new TemplateArgs(args) : new Name(`<${text}>`);
}

/** What Out.list prints, when that is known. */
function listed(nodes: readonly Node[]): string | null {
  let text = "";
  for (const node of nodes) {
    const part = node instanceof Name ? node.name : node instanceof ArgumentPack ? listed(node.elements) : null;
    if (part === null) return null;
    text = text === "" || part === "" ? text + part : `${text}, ${part}`;
  }
  return text;
}

export class TemplateArgs extends Node {
  readonly args: readonly Node[];
  constructor(args: readonly Node[]) {
    super();
    this.args = args;
  }
  left(o: Out): void {
    const saved = o.gtIsGt;
    o.gtIsGt = 0;
    o.write("<");
    o.list(this.args);
    o.write(">");
    o.gtIsGt = saved;
  }
}

/** `name<a, b>` */
export function withArgs(name: Node, args: Node): Node {
  return name instanceof Name && args instanceof Name ? new Name(name.name + args.name, name.baseName()) : new WithArgs(name, args);
}

class WithArgs extends Node {
  readonly name: Node;
  readonly args: Node;
  constructor(name: Node, args: Node) {
    super();
    this.name = name;
    this.args = args;
  }
  left(o: Out): void {
    this.name.print(o);
    this.args.print(o);
  }
  override baseName(): string {
    return this.name.baseName();
  }
}

/** std::string and friends: short as a type, in full where its constructor is named. */
export class Abbreviation extends Name {
  readonly full: string;
  constructor(short: string, full: string, base: string) {
    super(short, base);
    this.full = full;
  }
}

// ---- templates ----

/** Prints like another node, if there is one. */
export abstract class StandIn extends Node {
  abstract element(o: Out): Node | undefined;
  left(o: Out): void {
    this.element(o)?.left(o);
  }
  override right(o: Out): void {
    this.element(o)?.right(o);
  }
  override hasRight(o: Out): boolean {
    return this.element(o)?.hasRight(o) ?? false;
  }
  override isArray(o: Out): boolean {
    return this.element(o)?.isArray(o) ?? false;
  }
  override isFunction(o: Out): boolean {
    return this.element(o)?.isFunction(o) ?? false;
  }
}

/** What a template parameter pack stands for: the element that is being expanded. */
export class Pack extends StandIn {
  readonly elements: readonly Node[];
  constructor(elements: readonly Node[]) {
    super();
    this.elements = elements;
  }
  element(o: Out): Node | undefined {
    if (o.packCount === Infinity) {
      o.packCount = this.elements.length;
      o.packIndex = 0;
    }
    return this.elements[o.packIndex];
  }
}

/** J … E: an argument pack as it stands in an argument list. */
export class ArgumentPack extends Node {
  readonly elements: readonly Node[];
  constructor(elements: readonly Node[]) {
    super();
    this.elements = elements;
  }
  left(o: Out): void {
    o.list(this.elements);
  }
}

export class PackExpansion extends Node {
  readonly pattern: Node;
  constructor(pattern: Node) {
    super();
    this.pattern = pattern;
  }
  left(o: Out): void {
    const { packIndex, packCount } = o;
    o.packIndex = Infinity;
    o.packCount = Infinity;
    const start = o.text.length;
    this.pattern.print(o);
    if (o.packCount === Infinity) o.write("...");
    else if (o.packCount === 0) o.text = o.text.slice(0, start);
    else {
      for (let i = 1; i < o.packCount; i++) {
        o.write(", ");
        o.packIndex = i;
        this.pattern.print(o);
      }
    }
    o.packIndex = packIndex;
    o.packCount = packCount;
  }
}

/** A template parameter that is mentioned before its argument is known: in the type of a conversion operator. */
export class ForwardRef extends Node {
  readonly index: number;
  target: Node | null = null;
  private busy = false;
  constructor(index: number) {
    super();
    this.index = index;
  }
  private guarded<T>(use: (target: Node) => T, otherwise: T): T {
    if (this.busy || this.target === null) return otherwise;
    this.busy = true;
    try {
      return use(this.target);
    } finally {
      this.busy = false;
    }
  }
  left(o: Out): void {
    this.guarded((target) => target.left(o), undefined);
  }
  override right(o: Out): void {
    this.guarded((target) => target.right(o), undefined);
  }
  override hasRight(o: Out): boolean {
    return this.guarded((target) => target.hasRight(o), false);
  }
  override isArray(o: Out): boolean {
    return this.guarded((target) => target.isArray(o), false);
  }
  override isFunction(o: Out): boolean {
    return this.guarded((target) => target.isFunction(o), false);
  }
}

/** The parameter of a generic lambda: `typename $T`, `int $N`, `template<…> typename $TT`, with `...` for packs. */
export class ParamDecl extends Node {
  readonly before: readonly (Node | string)[];
  readonly type: Node | null;
  readonly name: string;
  readonly pack: boolean;
  constructor(before: readonly (Node | string)[], type: Node | null, name: string, pack = false) {
    super();
    this.before = before;
    this.type = type;
    this.name = name;
    this.pack = pack;
  }
  left(o: Out): void {
    o.parts(this.before);
    if (this.type !== null) {
      this.type.left(o);
      if (!this.type.hasRight(o)) o.write(" ");
    }
    if (this.pack) o.write("...");
  }
  override right(o: Out): void {
    o.write(this.name);
    this.type?.right(o);
  }
}

/** `'lambda0'(int)` */
export class Closure extends Node {
  readonly count: string;
  readonly decls: readonly Node[];
  readonly params: readonly Node[];
  constructor(count: string, decls: readonly Node[], params: readonly Node[]) {
    super();
    this.count = count;
    this.decls = decls;
    this.params = params;
  }
  left(o: Out): void {
    o.write(`'lambda${this.count}'`);
    if (this.decls.length > 0) new TemplateArgs(this.decls).print(o);
    o.open();
    o.list(this.params);
    o.close();
  }
}
