/**
 * The options of a command line in the spellings that --reproduce writes: which option each argument is, and which are values.
 */
import type { ByteString, WrittenOption } from "./link-options.ts";
import { groupedFlags, matchOption, takesNumber } from "./match-option.ts";
import { namesOf, type OptionRow } from "./option-row.ts";

const longName = (row: OptionRow): string | undefined => namesOf(row).find((name) => name.startsWith("--"));

/** `args`: without response files. */
export function writtenOptions(args: readonly ByteString[]): WrittenOption[] {
  const written: WrittenOption[] = [];
  const write = (row: OptionRow, spelling: ByteString, value: ByteString): void => void written.push({ name: namesOf(row)[0]!, takes: row.value, spelling, value });
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const found = arg[0] === "-" && arg !== "-" ? matchOption(arg) : undefined;
    const group = found === undefined ? groupedFlags(arg) : null;
    if (group !== null) for (const row of group) write(row, longName(row) ?? namesOf(row)[0]!, "");
    else if (found === undefined) written.push({ name: "", takes: "none", spelling: "", value: arg });
    else write(found.row, spellingOf(arg, found.row), found.needsNext || takesNumber(found, arg, args[i + 1]) ? (args[++i] ?? "") : found.value);
  }
  return written;
}

function spellingOf(arg: ByteString, row: OptionRow): ByteString {
  const body = arg.slice(arg.startsWith("--") ? 2 : 1);
  if (namesOf(row).some((name) => name.startsWith("--") && body.split("=")[0] === name.slice(2))) return arg.split("=")[0]!;
  // A letter with its value: the long name, because `-T`, `-L` and the like read better so; -L and -o are what lld writes.
  const letter = `-${arg[1]}`;
  return letter === "-L" || letter === "-o" || letter === "-l" ? letter : longName(row) ?? letter;
}
