/**
 * What a row of the option table is, and the small setters rows are built from.
 *
 * Not here: the rows (options/) and the walk over argv (parse.ts). A setter never throws on bad input; it collects an error and
 * the walk goes on, so that one run names every mistake.
 */
import type { Said } from "../diagnostics/message.ts";
import { Glob, GlobError } from "../script/glob.ts";
import type { ByteString, LinkOptions } from "./link-options.ts";

/** The positional options at one place of the command line: what --push-state saves. */
export interface Positional {
  asNeeded: boolean;
  wholeArchive: boolean;
  static: boolean;
  copyNeeded: boolean;
}

export interface ParseState {
  options: LinkOptions;
  warnings: Said[];
  errors: Said[];
  now: Positional;
  saved: Positional[];
  format: "elf" | "binary";
  /** Pairs of --start-lib seen so far, and whether one is open. */
  libs: number;
  inLib: boolean;
  /** --start-group that are open. */
  inGroup: number;
  groups: number;
  /** 0 = not asked, 1 = -v, 2 = -V (also lists emulations). */
  showVersion: number;
  /** --version, --help: print and stop. */
  stop: "" | "version" | "help" | "print";
  /** What "print" prints, once the whole line is known. */
  printed: (() => ByteString)[];
}

/** `v` is the option's value ("" when it has none), `spelling` the argument as the user wrote it. */
export type Setter = (s: ParseState, v: ByteString, spelling: ByteString) => void;

export interface OptionRow {
  /**
   * With a space between them. `--name`: a long option, one or two dashes; `-x`: one dash, one letter, value may be joined. The first is the main name.
   */
  names: string;
  value: "none" | "required" | "optional";
  metavar: string;
  /** Of an option without effect: the reason why nothing is done. */
  help: string;
  /** false: the option is accepted, and has no effect. */
  obeyed: boolean;
  set: Setter;
}

/** Its names, the main one first. */
export const namesOf = ({ names }: OptionRow): string[] => names.split(" ");

/** `form`: "" no value, "=FILE" required (`=V`, separate, or joined to a letter), "[=KIND]" optional (only `=V`). */
export function option(names: string, form: string, help: string, set: Setter, obeyed = true): OptionRow {
  const value = form === "" ? "none" : form[0] === "[" ? "optional" : "required";
  return { names, value, metavar: value === "optional" ? form.slice(2, -1) : form.slice(1), help, obeyed, set };
}

/** An option without effect. */
export function accept(names: string, form: string, reason: string): OptionRow {
  return option(names, form, reason, () => {}, false);
}

type KeysOf<T> = { [K in keyof LinkOptions]: LinkOptions[K] extends T ? (T extends LinkOptions[K] ? K : never) : never }[keyof LinkOptions];

/** Sets a field to a fixed value. */
export function put<K extends keyof LinkOptions>(key: K, value: LinkOptions[K]): Setter {
  return (s) => {
    s.options[key] = value;
  };
}

type Switches = { [K in keyof LinkOptions]: boolean extends LinkOptions[K] ? K : never }[keyof LinkOptions];

/** An option that switches a field on, with what `on` says, and --no-… of its main name that switches it off. */
export function onOff(names: string, key: Switches, on: string, off: string): OptionRow[] {
  return [option(names, "", on, put(key, true)), option(`--no-${names.split(" ")[0]!.slice(2)}`, "", off, put(key, false))];
}

/** Stores the value as it is; the last one wins. */
export function into(key: "output" | "entry" | "soname" | "sysroot" | "init" | "fini" | "mapFile" | "reportFile" | "metafile" | "outImplib" | "errorHandlingScript" | "dependencyFile" | "timeTrace" | "whyExtract" | "symbolOrderingFile" | "callGraphOrderingFile" | "printSymbolOrder" | "printArchiveStats" | "printSymbolCounts" | "reproduce" | "chroot" | "plugin" | "packageMetadata" | "dynamicLinker" | "compatVersion" | "defaultScript"): Setter {
  return (s, v) => {
    s.options[key] = v;
  };
}

/** Of a file that is read: no name at all is a mistake (an empty variable), not the same as no option (lld). */
export function named(set: Setter): Setter {
  return (s, v, spelling) => {
    if (v === "") s.errors.push(`${spelling.replace(/=$/, "")}: the name of the file is empty`);
    else set(s, v, spelling);
  };
}

export function push(key: KeysOf<ByteString[]>): Setter {
  return (s, v) => {
    s.options[key].push(v);
  };
}

/** One of a few words; `what` completes lld's "unknown WHAT: value". */
export function choice<K extends keyof LinkOptions>(key: K, words: Record<string, LinkOptions[K]>, what: string): Setter {
  return (s, v) => {
    if (Object.hasOwn(words, v)) s.options[key] = words[v] as LinkOptions[K];
    else s.errors.push(`unknown ${what}: ${v} (one of ${Object.keys(words).join(", ")})`);
  };
}

/** Decimal, 0x hexadecimal, 0b binary, 0 octal as strtoul(…, 0); undefined when it is none, or is beyond 64 bits. */
export function parseNumber(text: ByteString): bigint | undefined {
  let digits = text;
  if (/^0[0-7]+$/.test(text)) digits = "0o" + text.slice(1);
  if (!/^(0[xX][0-9a-fA-F]{1,16}|0[bB][01]{1,64}|0o[0-7]{1,22}|[0-9]{1,20})$/.test(digits)) return undefined;
  const value = BigInt(digits);
  return value >> 64n ? undefined : value;
}

/** Addresses of -Ttext and --section-start: hexadecimal with or without 0x. */
export function parseHex(text: ByteString): bigint | undefined {
  const digits = text.replace(/^0[xX]/, "");
  return /^[0-9a-fA-F]{1,16}$/.test(digits) ? BigInt("0x" + digits) : undefined;
}

/** A number of things, small enough for a JavaScript number. */
export function count(s: ParseState, v: ByteString, spelling: ByteString): number {
  const value = parseNumber(v);
  if (value !== undefined && value <= 0xffffffffn) return Number(value);
  s.errors.push(`${spelling}: number expected, but got '${v}'`);
  return 0;
}

/** Checked here so that the passes may compile it without care; `option` stands before the error. */
export function isGlob(s: ParseState, pattern: ByteString, option: ByteString): boolean {
  try {
    new Glob(pattern);
    return true;
  } catch (error) {
    if (!(error instanceof GlobError)) throw error;
    s.errors.push(`${option}: ${error.message}`);
    return false;
  }
}

export function pushGlob(key: "exportDynamicSymbols" | "undefinedGlobs" | "whyLive" | "warnBackrefsExclude"): Setter {
  return (s, v, spelling) => {
    if (isGlob(s, v, spelling.split("=")[0]!)) s.options[key].push(v);
  };
}
