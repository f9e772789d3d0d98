/**
 * Finds the row of an option by its name.
 *
 * Not a Map at first: to fill one with 600 names took every start half a millisecond, and a command line has twenty options. All names are one
 * text, in which the engine finds a word in a few microseconds; only who asks often is answered from a Map.
 */
import { namesOf } from "./option-row.ts";
import type { OptionRow } from "./option-row.ts";
import { OPTION_GROUPS } from "./options.ts";

const ROWS: readonly OptionRow[] = OPTION_GROUPS.flatMap(([, rows]) => rows);
/** The names of each row stand between spaces, rows between line breaks. */
const NAMES = ` ${ROWS.map((row) => row.names).join(" \n ")} `;

/** By row: where its names end in NAMES. */
let ends: number[] | null = null;

function rowEnds(): number[] {
  let end = 0;
  return ROWS.map((row) => (end += row.names.length + 3));
}

/** Questions that are answered before a Map is filled. */
const FEW = 200;

let questions = 0;
let byName: ReadonlyMap<string, OptionRow> | null = null;

/** The row of `--name`, or of a letter `-x`. */
export function rowOf(name: string): OptionRow | undefined {
  if (questions++ < FEW) return search(name);
  byName ??= new Map(ROWS.flatMap((row) => namesOf(row).map((each) => [each, row] as const)).reverse());
  return byName.get(name);
}

function search(name: string): OptionRow | undefined {
  const at = name.includes(" ") ? -1 : NAMES.indexOf(` ${name} `);
  if (at < 0) return undefined;
  ends ??= rowEnds();
  let [low, high] = [0, ROWS.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ends[middle]! > at) high = middle;
    else low = middle + 1;
  }
  return ROWS[low];
}

/** All long names, without their dashes. */
export const optionNames = (): string[] => NAMES.split(/\s+/).flatMap((name) => (name.startsWith("--") ? [name.slice(2)] : []));
