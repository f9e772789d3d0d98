/**
 * Which of many patterns match a name: asked by how names begin or end, so that thousands of patterns cost little more than one.
 *
 * Patterns with neither a literal start nor a literal end (`*a*`) are tried one by one.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Glob } from "./glob.ts";
import { pushTo } from "../memory/lists.ts";

interface Entry<T> {
  glob: Glob;
  value: T;
}

/** Entries by a literal, and the lengths these literals have. */
class Buckets<T> {
  private readonly byLiteral = new Map<ByteString, Entry<T>[]>();
  private readonly lengths = new Set<number>();

  add(entry: Entry<T>): void {
    const { literal } = entry.glob;
    const known = this.byLiteral.get(literal);
    if (known !== undefined) return void known.push(entry);
    this.byLiteral.set(literal, [entry]);
    this.lengths.add(literal.length);
  }

  /** `atEnd`: literals that names end with. */
  collect(name: ByteString, atEnd: boolean, into: T[]): void {
    for (const length of this.lengths) {
      if (length > name.length) continue;
      const entries = this.byLiteral.get(atEnd ? name.slice(name.length - length) : name.slice(0, length));
      if (entries !== undefined) for (const { glob, value } of entries) if (glob.matches(name)) into.push(value);
    }
  }
}

export class GlobIndex<T> {
  private readonly exact = new Map<ByteString, T[]>();
  private readonly starts = new Buckets<T>();
  private readonly ends = new Buckets<T>();
  private readonly others: Entry<T>[] = [];

  add(glob: Glob, value: T): void {
    const { kind, literal } = glob;
    if (kind === "exact") {
      pushTo(this.exact, literal, value);
    } else if (kind === "prefix" || (kind === "general" && literal !== "")) this.starts.add({ glob, value });
    else if (kind === "suffix") this.ends.add({ glob, value });
    else this.others.push({ glob, value });
  }

  /** Values of all patterns that match, in no order; of several patterns with one value, that value as often. */
  matching(name: ByteString): T[] {
    const found = this.exact.get(name)?.slice() ?? [];
    this.starts.collect(name, false, found);
    this.ends.collect(name, true, found);
    for (const { glob, value } of this.others) if (glob.matches(name)) found.push(value);
    return found;
  }
}
