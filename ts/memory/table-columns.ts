/**
 * Tables' views, and places of parameters, for programs without a code cache: pages, where the build puts them in the place of what is in
 * table-layout.ts.
 *
 * All columns share one getter. The classes have one each, every one of which V8 would compile in the first link that looks at its
 * column: 190 of them, a fifth of the link.
 */
import { View } from "./table-view.ts";

/** Kinds of arrays by number. */
export const ARRAYS = [Uint8Array, Uint16Array, Uint32Array, BigUint64Array, BigInt64Array, Float64Array];

/** The class of a table: names of its columns, and of each the index of its kind of array. */
export function viewOf(names: string, kinds: string): typeof View {
  const made = class extends View {};
  names.split(" ").forEach((name, i) => {
    const Column = ARRAYS[Number(kinds[i])]!;
    Object.defineProperty(made.prototype, name, { get(this: View) { return this.columns[i] ?? this.view(i, Column); } });
  });
  return made;
}

/** Byte offset of each parameter, one behind the other; "!" is behind the names of those that have 64 bits. */
export function offsetsOf(names: string): Readonly<Record<string, number>> {
  const offsets: Record<string, number> = Object.create(null);
  let end = 0;
  for (const word of names.split(" ")) {
    const bytes = word.endsWith("!") ? 8 : 4;
    const at = Math.ceil(end / bytes) * bytes;
    offsets[word.replace("!", "")] = at;
    end = at + bytes;
  }
  return offsets;
}
