/**
 * Wildcard patterns over byte strings: `*`, `?`, `[abc]`, `[a-z]`, `[!x]`, `[^x]`, `\x`.
 *
 * Patterns match whole names. Not fnmatch: `/` and a leading `.` are ordinary characters, as in version scripts of GNU ld and lld.
 * Time is bounded by pattern × name length; no regular expressions, which a hostile script could blow up.
 */
import type { ByteString } from "../args/link-options.ts";

export class GlobError extends Error {}

type Kind = "exact" | "prefix" | "suffix" | "contains" | "any" | "general";

/** One element of a general pattern: `*`, or a set of 256 bits (as 8 words) that one character must be in. */
type Element = "star" | Uint32Array;

export function hasWildcard(pattern: ByteString): boolean {
  return /[*?[]/.test(pattern);
}

export class Glob {
  readonly kind: Kind;
  /** The characters of exact, prefix, suffix, contains; for general: the literal start that every match has. */
  readonly literal: ByteString;
  readonly #elements: readonly Element[];

  /** Throws GlobError for `[` without `]`. `exact`: no character is special. */
  constructor(pattern: ByteString, exact = false) {
    const simple = exact ? { kind: "exact" as const, literal: pattern } : simpleShape(pattern);
    this.#elements = simple ? [] : compile(pattern);
    this.kind = simple ? simple.kind : "general";
    this.literal = simple ? simple.literal : literalStart(pattern);
  }

  matches(name: ByteString): boolean {
    switch (this.kind) {
      case "exact":
        return name === this.literal;
      case "prefix":
        return name.startsWith(this.literal);
      case "suffix":
        return name.endsWith(this.literal);
      case "contains":
        return name.includes(this.literal);
      case "any":
        return true;
      case "general":
        return name.startsWith(this.literal) && matchElements(this.#elements, name);
    }
  }
}

/** `*`s around one literal; by hand, because a regular expression backtracks over a run of stars. */
function simpleShape(pattern: ByteString): { kind: Kind; literal: ByteString } | undefined {
  if (/[?[\\]/.test(pattern)) return undefined;
  let start = 0;
  let end = pattern.length;
  while (pattern[start] === "*") start++;
  while (end > start && pattern[end - 1] === "*") end--;
  const literal = pattern.slice(start, end);
  if (literal.includes("*")) return undefined;
  if (literal === "" && start > 0) return { kind: "any", literal };
  if (start === 0) return { kind: end === pattern.length ? "exact" : "prefix", literal };
  return { kind: end === pattern.length ? "suffix" : "contains", literal };
}

function literalStart(pattern: ByteString): ByteString {
  return /^[^*?[\\]*/.exec(pattern)?.[0] ?? "";
}

function compile(pattern: ByteString): Element[] {
  const elements: Element[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i];
    if (c === "*") {
      if (elements.at(-1) !== "star") elements.push("star");
    } else if (c === "?") {
      elements.push(new Uint32Array(8).fill(0xffffffff));
    } else if (c === "[") {
      const end = bracketEnd(pattern, i);
      elements.push(bracketSet(pattern, i + 1, end));
      i = end;
    } else {
      if (c === "\\" && i + 1 < pattern.length) i++;
      elements.push(singleton(pattern.charCodeAt(i)));
    }
  }
  return elements;
}

/** Position of the `]`; a backslash is an ordinary member, as in lld, and a `]` right after `[` or `[!` is a member. */
function bracketEnd(pattern: ByteString, open: number): number {
  const negated = pattern[open + 1] === "!" || pattern[open + 1] === "^";
  const end = pattern.indexOf("]", open + (negated ? 3 : 2));
  if (end < 0) throw new GlobError(`invalid glob pattern, unmatched '[': ${pattern}`);
  return end;
}

function bracketSet(pattern: ByteString, start: number, end: number): Uint32Array {
  const set = new Uint32Array(8);
  const negated = pattern[start] === "!" || pattern[start] === "^";
  for (let i = negated ? start + 1 : start; i < end; i++) {
    const from = pattern.charCodeAt(i) & 255;
    let to = from;
    if (pattern[i + 1] === "-" && i + 2 < end) {
      to = pattern.charCodeAt(i + 2) & 255;
      i += 2;
      if (to < from) throw new GlobError(`invalid glob pattern, bad range: ${pattern}`);
    }
    for (let c = from; c <= to; c++) (set[c >> 5] as number) |= 1 << (c & 31);
  }
  if (negated) for (let i = 0; i < 8; i++) set[i] = ~(set[i] as number);
  return set;
}

function singleton(c: number): Uint32Array {
  const set = new Uint32Array(8);
  set[(c >> 5) & 7] = 1 << (c & 31);
  return set;
}

/** Goes back to the last star only: earlier ones never need another try. */
function matchElements(elements: readonly Element[], name: ByteString): boolean {
  let e = 0;
  let star = -1;
  let starName = 0;
  for (let n = 0; n < name.length; ) {
    const element = elements[e];
    if (element === "star") {
      star = e++;
      starName = n;
    } else if (element !== undefined && has(element, name.charCodeAt(n))) {
      e++;
      n++;
    } else if (star >= 0) {
      e = star + 1;
      n = ++starName;
    } else {
      return false;
    }
  }
  while (elements[e] === "star") e++;
  return e === elements.length;
}

function has(set: Uint32Array, c: number): boolean {
  return (((set[(c >> 5) & 7] as number) >>> (c & 31)) & 1) !== 0;
}

interface Entry<T> {
  glob: Glob;
  order: number;
  value: T;
}

/**
 * Many patterns with a value each. Exact names and wildcards are asked apart because an exact name beats every wildcard whatever
 * their order. Among wildcards the one added first wins.
 */
export class PatternSet<T> {
  readonly #exact = new Map<ByteString, T>();
  /** Wildcards by the literal start every match has; `#lengths` are the lengths of these starts. */
  readonly #starts = new Map<ByteString, Entry<T>[]>();
  #lengths: number[] = [];
  readonly #suffixes = new Map<ByteString, Entry<T>>();
  #suffixLengths: number[] = [];
  readonly #others: Entry<T>[] = [];
  #count = 0;

  /** Exact names: the first value stays; returns it when the name was there already. */
  add(pattern: ByteString, exact: boolean, value: T): T | undefined {
    const glob = new Glob(pattern, exact);
    if (glob.kind === "exact") {
      const known = this.#exact.get(glob.literal);
      if (known === undefined) this.#exact.set(glob.literal, value);
      return known;
    }
    this.#addWildcard({ glob, order: this.#count++, value });
    return undefined;
  }

  get isEmpty(): boolean {
    return this.#count === 0 && this.#exact.size === 0;
  }

  exact(name: ByteString): T | undefined {
    return this.#exact.get(name);
  }

  wildcard(name: ByteString): T | undefined {
    if (this.#count === 0) return undefined;
    let best: Entry<T> | undefined;
    const offer = (entry: Entry<T> | undefined): void => {
      if (entry && (!best || entry.order < best.order) && entry.glob.matches(name)) best = entry;
    };
    for (const length of this.#lengths) {
      if (length <= name.length) this.#starts.get(name.slice(0, length))?.forEach(offer);
    }
    for (const length of this.#suffixLengths) {
      if (length <= name.length) offer(this.#suffixes.get(name.slice(name.length - length)));
    }
    this.#others.forEach(offer);
    return best?.value;
  }

  match(name: ByteString): T | undefined {
    return this.exact(name) ?? this.wildcard(name);
  }

  #addWildcard(entry: Entry<T>): void {
    const { kind, literal } = entry.glob;
    if (kind === "suffix") {
      if (!this.#suffixes.has(literal)) this.#suffixes.set(literal, entry);
      this.#suffixLengths = withLength(this.#suffixLengths, literal.length);
    } else if (kind === "prefix" || (kind === "general" && literal !== "")) {
      const list = this.#starts.get(literal);
      if (list) list.push(entry);
      else this.#starts.set(literal, [entry]);
      this.#lengths = withLength(this.#lengths, literal.length);
    } else {
      this.#others.push(entry);
    }
  }
}

function withLength(lengths: number[], length: number): number[] {
  return lengths.includes(length) ? lengths : [...lengths, length].sort((a, b) => a - b);
}
