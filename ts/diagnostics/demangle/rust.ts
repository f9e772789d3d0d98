/**
 * Rust symbol names: legacy (`_ZN…17h<hash>E`) and v0 (RFC 2603).
 *
 * v0 is printed while it is read, because its back references repeat text and not nodes. Hashes of v0 crates are left out, the
 * hash of a legacy name is kept, as lld's messages do.
 */
import type { ByteString } from "../../args/link-options.ts";
import { utf8 } from "../../memory/text.ts";
import { NotMangled, Out } from "./nodes.ts";
import { State } from "./state.ts";

// ---- legacy ----

const ESCAPES: Record<string, string> = { SP: "@", BP: "*", RF: "&", LT: "<", GT: ">", LP: "(", RP: ")", C: "," };

/** null when the name is not a legacy Rust one. */
export function decodeRustLegacy(name: string): string | null {
  if (!name.includes("17h")) return null;
  const match = /^_ZN(.*)17h([0-9a-f]{16})E(\.[\w.@$]*)?$/s.exec(name);
  if (match === null) return null;
  const p = new State(match[1]!);
  const parts: string[] = [];
  while (!p.done) {
    const length = Number(p.number());
    if (!(length > 0) || p.i + length > p.s.length) return null;
    parts.push(decodeLegacyPart(p.s.slice(p.i, p.i + length)));
    p.i += length;
  }
  return `${[...parts, `h${match[2]}`].join("::")}${match[3] ? ` (${match[3]})` : ""}`;
}

function decodeLegacyPart(part: string): string {
  const text = part.startsWith("_$") ? part.slice(1) : part;
  return text
    .replace(/\$([A-Z]+|u[0-9a-f]+)\$/g, (whole, code: string) => ESCAPES[code] ?? (code[0] === "u" ? character(parseInt(code.slice(1), 16)) : whole))
    .replaceAll("..", "::");
}

function character(code: number): ByteString {
  if (code > 0x10ffff) throw new NotMangled();
  return utf8(String.fromCodePoint(code));
}

// ---- v0 ----

const BASIC: Record<string, string> = {
  a: "i8", b: "bool", c: "char", d: "f64", e: "str", f: "f32", h: "u8", i: "isize", j: "usize", l: "i32", m: "u32", n: "i128",
  o: "u128", p: "_", s: "i16", t: "u16", u: "()", v: "...", x: "i64", y: "u64", z: "!",
};

export function demangleRust(name: string): string {
  const dot = name.search(/[.]/);
  const end = dot < 0 ? name.length : dot;
  const reader = new V0(name.slice(2, end));
  const text = reader.symbol();
  return dot < 0 ? text : `${text} (${name.slice(dot)})`;
}

class V0 {
  private readonly p: State;
  private readonly o = new Out();
  private lifetimes = 0;
  private silent = false;

  constructor(text: string) {
    this.p = new State(text);
  }

  symbol(): string {
    if (/^[0-9]/.test(this.p.s)) throw new NotMangled(); // a later encoding version
    this.path(true);
    if (!this.p.done) {
      this.silent = true; // the instantiating crate
      this.path(false);
    }
    if (!this.p.done) throw new NotMangled();
    return this.o.text;
  }

  private write(text: string): void {
    if (!this.silent) this.o.write(text);
  }

  private base62(): number {
    if (this.p.eat("_")) return 0;
    let value = 0;
    for (;;) {
      const char = this.p.peek();
      const digit = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".indexOf(char || "-");
      if (digit < 0) break;
      value = value * 62 + digit;
      this.p.i++;
    }
    this.p.need("_");
    return value + 1;
  }

  private optional62(tag: string): number {
    return this.p.eat(tag) ? this.base62() + 1 : 0;
  }

  private identifier(): { name: string; disambiguator: number } {
    const disambiguator = this.optional62("s");
    const isPunycode = this.p.eat("u");
    const digits = this.p.peek() === "0" ? (this.p.i++, "0") : this.p.number();
    if (digits === "") throw new NotMangled();
    this.p.eat("_");
    const bytes = this.p.s.slice(this.p.i, this.p.i + Number(digits));
    if (bytes.length !== Number(digits)) throw new NotMangled();
    this.p.i += bytes.length;
    return { name: isPunycode ? punycode(bytes) : bytes, disambiguator };
  }

  private backref(read: () => void): void {
    const start = this.p.i - 1;
    const target = this.base62();
    if (target >= start) throw new NotMangled();
    if (this.silent) return;
    const resume = this.p.i;
    this.p.i = target;
    this.p.nested(read);
    this.p.i = resume;
  }

  /** `inValue`: generic arguments are written with `::<`. Returns true when an argument list was left open. */
  private path(inValue: boolean, leaveOpen = false): boolean {
    return this.p.nested(() => this.pathAt(inValue, leaveOpen));
  }

  private pathAt(inValue: boolean, leaveOpen: boolean): boolean {
    const tag = this.p.peek();
    this.p.i++;
    switch (tag) {
      case "C":
        this.write(this.identifier().name);
        return false;
      case "M":
        this.implPath();
        this.write("<");
        this.type();
        this.write(">");
        return false;
      case "X":
        this.implPath();
        this.qualifiedSelf();
        return false;
      case "Y":
        this.qualifiedSelf();
        return false;
      case "N":
        this.nestedPath(inValue);
        return false;
      case "I": {
        this.path(inValue);
        if (inValue) this.write("::");
        this.write("<");
        this.list("E", () => this.genericArg());
        if (leaveOpen) return true;
        this.write(">");
        return false;
      }
      case "B": {
        let open = false;
        this.backref(() => (open = this.path(inValue, leaveOpen)));
        return open;
      }
      default:
        throw new NotMangled();
    }
  }

  private qualifiedSelf(): void {
    this.write("<");
    this.type();
    this.write(" as ");
    this.path(false);
    this.write(">");
  }

  private implPath(): void {
    this.optional62("s");
    const silent = this.silent;
    this.silent = true;
    this.path(false);
    this.silent = silent;
  }

  private nestedPath(inValue: boolean): void {
    const space = this.p.peek();
    if (!/[a-zA-Z]/.test(space)) throw new NotMangled();
    this.p.i++;
    this.path(inValue);
    const { name, disambiguator } = this.identifier();
    if (space >= "A" && space <= "Z") {
      const kind = space === "C" ? "closure" : space === "S" ? "shim" : space;
      this.write(`::{${kind}${name === "" ? "" : `:${name}`}#${disambiguator}}`);
    } else if (name !== "") this.write(`::${name}`);
  }

  private list(end: string, read: () => void): number {
    let count = 0;
    for (; !this.p.eat(end); count++) {
      if (this.p.done) throw new NotMangled();
      if (count > 0) this.write(", ");
      read();
    }
    return count;
  }

  private genericArg(): void {
    if (this.p.eat("L")) this.lifetime(this.base62());
    else if (this.p.eat("K")) this.constant();
    else this.type();
  }

  private lifetime(index: number): void {
    if (index === 0) return this.write("'_");
    const depth = this.lifetimes - index;
    if (depth < 0) throw new NotMangled();
    this.write(depth < 26 ? `'${String.fromCharCode(97 + depth)}` : `'z${depth - 25}`);
  }

  private type(): void {
    this.p.nested(() => this.typeAt());
  }

  private typeAt(): void {
    const tag = this.p.peek();
    const basic = BASIC[tag];
    if (basic !== undefined) {
      this.p.i++;
      return this.write(basic);
    }
    this.p.i++;
    switch (tag) {
      case "A":
        this.write("[");
        this.type();
        this.write("; ");
        this.constant();
        return this.write("]");
      case "S":
        this.write("[");
        this.type();
        return this.write("]");
      case "T": {
        this.write("(");
        const count = this.list("E", () => this.type());
        return this.write(count === 1 ? ",)" : ")");
      }
      case "R":
      case "Q": {
        this.write("&");
        if (this.p.eat("L")) {
          const index = this.base62();
          if (index > 0) {
            this.lifetime(index);
            this.write(" ");
          }
        }
        if (tag === "Q") this.write("mut ");
        return this.type();
      }
      case "P":
        this.write("*const ");
        return this.type();
      case "O":
        this.write("*mut ");
        return this.type();
      case "F":
        return this.functionSignature();
      case "D":
        return this.dynamic();
      case "B":
        return this.backref(() => this.type());
      default:
        this.p.i--;
        this.path(false);
    }
  }

  /** Runs `inside` with the lifetimes that G declares. */
  private binder(inside: () => void): void {
    const count = this.optional62("G");
    const saved = this.lifetimes;
    if (count > 0) {
      if (count > 1000) throw new NotMangled();
      this.write("for<");
      for (let i = 0; i < count; i++) {
        this.lifetimes++;
        if (i > 0) this.write(", ");
        this.lifetime(1);
      }
      this.write("> ");
    }
    inside();
    this.lifetimes = saved;
  }

  private functionSignature(): void {
    this.binder(() => {
      if (this.p.eat("U")) this.write("unsafe ");
      if (this.p.eat("K")) {
        const abi = this.p.eat("C") ? "C" : this.identifier().name.replaceAll("_", "-");
        this.write(`extern "${abi}" `);
      }
      this.write("fn(");
      this.list("E", () => this.type());
      this.write(")");
      if (this.p.eat("u")) return;
      this.write(" -> ");
      this.type();
    });
  }

  private dynamic(): void {
    this.write("dyn ");
    this.binder(() => {
      for (let i = 0; !this.p.eat("E"); i++) {
        if (this.p.done) throw new NotMangled();
        if (i > 0) this.write(" + ");
        this.dynamicTrait();
      }
    });
    this.p.need("L");
    const index = this.base62();
    if (index > 0) {
      this.write(" + ");
      this.lifetime(index);
    }
  }

  private dynamicTrait(): void {
    let open = this.path(false, true);
    while (this.p.eat("p")) {
      this.write(open ? ", " : "<");
      open = true;
      this.write(`${this.identifier().name} = `);
      this.type();
    }
    if (open) this.write(">");
  }

  private constant(): void {
    const tag = this.p.peek();
    this.p.i++;
    if (tag === "B") return this.backref(() => this.constant());
    if (tag === "p") return this.write("_");
    if (BASIC[tag] === undefined) throw new NotMangled();
    const negative = this.p.eat("n");
    const match = /^([0-9a-f]*)_/.exec(this.p.s.slice(this.p.i));
    if (match === null) throw new NotMangled();
    this.p.i += match[0].length;
    const value = BigInt(`0x${match[1] || "0"}`);
    if (tag === "b") this.write(value === 0n ? "false" : "true");
    else if (tag === "c") this.write(`'${character(Number(value))}'`);
    else this.write(`${negative ? "-" : ""}${value}`);
  }
}

/** Rust's form of RFC 3492: `_` separates the plain characters. */
function punycode(text: string): string {
  const cut = text.lastIndexOf("_");
  const output = [...text.slice(0, Math.max(0, cut))].map((char) => char.charCodeAt(0));
  let [code, at, bias, first] = [0x80, 0, 72, true];
  const digits = text.slice(cut + 1);
  for (let i = 0; i < digits.length; ) {
    const before = at;
    for (let weight = 1, k = 36; ; k += 36) {
      const digit = "abcdefghijklmnopqrstuvwxyz0123456789".indexOf(digits[i++] ?? "-");
      if (digit < 0) throw new NotMangled();
      at += digit * weight;
      const threshold = Math.min(26, Math.max(1, k - bias));
      if (digit < threshold) break;
      weight *= 36 - threshold;
    }
    const count = output.length + 1;
    let delta = Math.floor((at - before) / (first ? 700 : 2));
    first = false;
    delta += Math.floor(delta / count);
    let k = 0;
    for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
    bias = k + Math.floor((36 * delta) / (delta + 38));
    code += Math.floor(at / count);
    at %= count;
    output.splice(at++, 0, code);
  }
  return output.map(character).join("");
}
