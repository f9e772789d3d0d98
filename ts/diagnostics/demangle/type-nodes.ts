/**
 * Types of a mangled name: declarators print around what they declare.
 *
 * References collapse while they are printed (dcl.ref), because what a template parameter stands for is only known then.
 */
import { ForwardRef, Name, Node, Pack, StandIn, type Out } from "./nodes.ts";

/** `T const`, `T vendor`, `T complex` */
export function qualified(inner: Node, suffix: string): Node {
  return inner instanceof Name ? new Name(inner.name + suffix, inner.baseName()) : new Qualified(inner, suffix);
}

class Qualified extends StandIn {
  readonly inner: Node;
  readonly suffix: string;
  constructor(inner: Node, suffix: string) {
    super();
    this.inner = inner;
    this.suffix = suffix;
  }
  element(): Node {
    return this.inner;
  }
  override left(o: Out): void {
    this.inner.left(o);
    o.write(this.suffix);
  }
  override baseName(): string {
    return this.inner.baseName();
  }
}

/** Pointers and references: `int (*)(char)`, `int (&) [3]`. */
export function pointer(inner: Node, mark: string): Node {
  return mark === "*" && inner instanceof Name ? new Name(inner.name + mark, "") : new Pointer(inner, mark);
}

class Pointer extends Node {
  readonly inner: Node;
  readonly mark: string;
  constructor(inner: Node, mark: string) {
    super();
    this.inner = inner;
    this.mark = mark;
  }
  /** & and && of a reference collapse (dcl.ref): an lvalue reference wins. */
  private collapsed(o: Out): { inner: Node; mark: string } {
    let mark = this.mark;
    let inner = actual(this.inner, o);
    for (let i = 0; mark !== "*" && inner instanceof Pointer && inner.mark !== "*" && i < 64; i++) {
      if (inner.mark === "&") mark = "&";
      inner = actual(inner.inner, o);
    }
    return { inner, mark };
  }
  left(o: Out): void {
    const { inner, mark } = this.collapsed(o);
    inner.left(o);
    if (inner.isArray(o)) o.write(" ");
    if (inner.isArray(o) || inner.isFunction(o)) o.write("(");
    o.write(mark);
  }
  override right(o: Out): void {
    const { inner } = this.collapsed(o);
    if (inner.isArray(o) || inner.isFunction(o)) o.write(")");
    inner.right(o);
  }
  override hasRight(o: Out): boolean {
    return this.inner.hasRight(o);
  }
}

/** The node itself, or what a pack or a forward reference stands for at this moment. */
function actual(node: Node, o: Out): Node {
  for (let i = 0; i < 64; i++) {
    if (node instanceof Pack) {
      const element = node.element(o);
      if (element === undefined) return node;
      node = element;
    } else if (node instanceof ForwardRef && node.target !== null) node = node.target;
    else return node;
  }
  return node;
}

/** `int Class::*`, `void (Class::*)(int)` */
export class MemberPointer extends Node {
  readonly scope: Node;
  readonly member: Node;
  constructor(scope: Node, member: Node) {
    super();
    this.scope = scope;
    this.member = member;
  }
  private wraps(o: Out): boolean {
    return this.member.isArray(o) || this.member.isFunction(o);
  }
  left(o: Out): void {
    this.member.left(o);
    o.write(this.wraps(o) ? "(" : " ");
    this.scope.print(o);
    o.write("::*");
  }
  override right(o: Out): void {
    if (this.wraps(o)) o.write(")");
    this.member.right(o);
  }
  override hasRight(o: Out): boolean {
    return this.member.hasRight(o);
  }
}

export class ArrayType extends Node {
  readonly base: Node;
  readonly bound: Node | null;
  constructor(base: Node, bound: Node | null) {
    super();
    this.base = base;
    this.bound = bound;
  }
  left(o: Out): void {
    this.base.left(o);
  }
  override right(o: Out): void {
    if (!o.text.endsWith("]")) o.write(" ");
    o.open("[");
    this.bound?.print(o);
    o.close("]");
    this.base.right(o);
  }
  override hasRight(): boolean {
    return true;
  }
  override isArray(): boolean {
    return true;
  }
}

export class FunctionType extends Node {
  readonly result: Node;
  readonly params: readonly Node[];
  readonly suffix: string;
  readonly exception: Node | null;
  constructor(result: Node, params: readonly Node[], suffix: string, exception: Node | null) {
    super();
    this.result = result;
    this.params = params;
    this.suffix = suffix;
    this.exception = exception;
  }
  left(o: Out): void {
    this.result.left(o);
    o.write(" ");
  }
  override right(o: Out): void {
    o.open();
    o.list(this.params);
    o.close();
    this.result.right(o);
    o.write(this.suffix);
    if (this.exception !== null) {
      o.write(" ");
      this.exception.print(o);
    }
  }
  override hasRight(): boolean {
    return true;
  }
  override isFunction(): boolean {
    return true;
  }
}

/** A function with its parameters; `result` only where it is part of the mangled name. */
export class Encoding extends Node {
  readonly result: Node | null;
  readonly name: Node;
  readonly params: readonly Node[];
  readonly suffix: readonly (Node | string)[];
  constructor(result: Node | null, name: Node, params: readonly Node[], suffix: readonly (Node | string)[]) {
    super();
    this.result = result;
    this.name = name;
    this.params = params;
    this.suffix = suffix;
  }
  left(o: Out): void {
    if (this.result !== null) {
      this.result.left(o);
      if (!this.result.hasRight(o)) o.write(" ");
    }
    this.name.print(o);
  }
  override right(o: Out): void {
    o.open();
    o.list(this.params);
    o.close();
    this.result?.right(o);
    o.parts(this.suffix);
  }
  override hasRight(): boolean {
    return true;
  }
  override isFunction(): boolean {
    return true;
  }
  override baseName(): string {
    return this.name.baseName();
  }
}
