/**
 * The state of demangling one name: position, substitutions, template parameters; and the smallest readers.
 *
 * A reader that cannot go on throws NotMangled. Depth and length are bounded, so that a hostile name costs little.
 */
import { Name, Node, NotMangled, type ForwardRef } from "./nodes.ts";

const MAX_DEPTH = 512;
const MAX_WORK = 1 << 20;

export class State {
  readonly s: string;
  i = 0;
  readonly subs: Node[] = [];
  /** By level: arguments of the template the name is in, then parameters of enclosing generic lambdas. */
  params: (Node[] | null)[] = [];
  forwards: ForwardRef[] = [];
  permitForward = false;
  tryTemplateArgs = true;
  inConstraint = false;
  lambdaLevel = -1;
  /** Made-up names of lambda parameters so far, by kind. */
  readonly synthetic: [types: number, values: number, templates: number] = [0, 0, 0];
  private depth = 0;
  private work = 0;

  constructor(text: string) {
    this.s = text;
  }

  peek(ahead = 0): string {
    return this.s[this.i + ahead] ?? "";
  }

  at(text: string): boolean {
    return this.s.startsWith(text, this.i);
  }

  eat(text: string): boolean {
    if (!this.at(text)) return false;
    this.i += text.length;
    return true;
  }

  need(text: string): void {
    if (!this.eat(text)) throw new NotMangled();
  }

  get done(): boolean {
    return this.i >= this.s.length;
  }

  /** Digits, with a leading `n` for negative when allowed; "" when there are none. */
  number(signed = false): string {
    const start = this.i;
    if (signed && this.peek() === "n") this.i++;
    const digits = this.i;
    while (isDigit(this.peek())) this.i++;
    if (this.i === digits) this.i = start;
    return this.s.slice(start, this.i);
  }

  /** `<length> <bytes>` */
  counted(): string {
    let length = 0;
    for (; isDigit(this.peek()); this.i++) length = length * 10 + Number(this.peek());
    if (!(length > 0) || this.i + length > this.s.length) throw new NotMangled();
    this.i += length;
    return this.s.slice(this.i - length, this.i);
  }

  sourceName(): Name {
    const name = this.counted();
    return new Name(name.startsWith("_GLOBAL__N") ? "(anonymous namespace)" : name);
  }

  /** Base 36 with the sequence's offset: `_` is 0, `0_` is 1. */
  seqId(): number {
    if (this.eat("_")) return 0;
    let value = 0;
    let digits = 0;
    for (; isDigit(this.peek()) || (this.peek() >= "A" && this.peek() <= "Z"); digits++) value = value * 36 + parseInt(this.s[this.i++]!, 36);
    if (digits === 0 || !this.eat("_")) throw new NotMangled();
    return value + 1;
  }

  /** One level deeper while `parse` runs. */
  nested<T>(parse: (p: this) => T): T {
    if (++this.depth > MAX_DEPTH || ++this.work > MAX_WORK) throw new NotMangled();
    const result = parse(this);
    this.depth--;
    return result;
  }

  /** Elements until `end`, which is eaten. */
  until<T>(end: string, parse: () => T): T[] {
    const list: T[] = [];
    while (!this.eat(end)) {
      if (this.done) throw new NotMangled();
      list.push(parse());
    }
    return list;
  }

  /** Remembers a component for S_ references. */
  remember<N extends Node>(node: N): N {
    this.subs.push(node);
    return node;
  }
}

export function isDigit(char: string): boolean {
  return char >= "0" && char <= "9" && char.length === 1;
}
