/**
 * Which option an argument is, by its spelling.
 *
 * The surprise is the order in which spellings are tried: `-soname` is the long option, `-sX` would be the letter; names that begin
 * with o need two dashes, so that `-outfoo` is `-o utfoo` as it has always been.
 */
import type { ByteString } from "./link-options.ts";
import { optionNames, rowOf } from "./option-index.ts";
import { KNOWN_ELSEWHERE } from "./options.ts";
import type { OptionRow } from "./option-row.ts";

export const ELSEWHERE = new Set(KNOWN_ELSEWHERE);

/** Letters whose value may follow at once. -f and -F are not among them: `-fPIC` and `-fuse-ld` are a compiler's options. */
const JOINED = new Set("lLhReuyTOoImzGYbPCA");

export interface Match {
  row: OptionRow;
  value: ByteString;
  /** The value is the next argument. */
  needsNext: boolean;
}

/** Which row an argument that begins with a dash means; undefined = none. `exactly`: not by the beginning of a name. */
export function matchOption(arg: ByteString, exactly = false): Match | undefined {
  const two = arg.startsWith("--");
  const body = arg.slice(two ? 2 : 1);
  const name = optionName(body);
  if (two || body[0] !== "o") {
    const long = rowOf(`--${name}`);
    if (long) return matchLong(long, name, body);
    if (ELSEWHERE.has(name)) return undefined;
  }
  return (two ? undefined : matchShort(body)) ?? (exactly ? undefined : matchBeginning(name, body));
}

/** The one name that begins like this (GNU ld): `--gc-section`. */
function matchBeginning(name: ByteString, body: ByteString): Match | undefined {
  const names = optionNames().filter((each) => each.startsWith(name));
  return names.length === 1 ? matchLong(rowOf(`--${names[0]}`)!, name, body) : undefined;
}

/** Values that lld also takes from the next argument, and mold and gold do without: --threads, --shuffle-sections. */
const NEXT_VALUES: Record<string, RegExp> = { COUNT: /^[0-9]+$/, "GLOB=SEED": /=/ };

export function takesNumber({ row }: Match, arg: ByteString, next = ""): boolean {
  return row.value === "optional" && !arg.includes("=") && NEXT_VALUES[row.metavar]?.test(next) === true;
}

/** `-sx` for `-s -x`, as GNU ld still takes it; null = something else. */
export function groupedFlags(arg: ByteString): OptionRow[] | null {
  if (!/^-[a-zA-Z]{2,}$/.test(arg)) return null;
  const rows = [...arg.slice(1)].map((letter) => rowOf(`-${letter}`));
  return rows.every((row): row is OptionRow => row !== undefined && row.value === "none") ? rows : null;
}

/** `body`: without the dashes. */
export function optionName(body: ByteString): ByteString {
  const equals = body.indexOf("=");
  return equals < 0 ? body : body.slice(0, equals);
}

function matchLong(row: OptionRow, name: ByteString, body: ByteString): Match | undefined {
  const joined = body.length > name.length;
  if (row.value === "none") return joined ? undefined : { row, value: "", needsNext: false };
  return { row, value: body.slice(name.length + 1), needsNext: !joined && row.value === "required" };
}

function matchShort(body: ByteString): Match | undefined {
  const letter = body[0] ?? "";
  const row = rowOf(`-${letter}`);
  if (row === undefined) return undefined;
  if (body.length === 1) return { row, value: "", needsNext: row.value === "required" };
  return JOINED.has(letter) ? { row, value: body.slice(1), needsNext: false } : undefined;
}
