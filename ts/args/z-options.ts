/**
 * The -z keywords: one line each.
 *
 * A keyword that is not here is a warning, never an error: build systems pass -z keywords of other systems' linkers and count on
 * that (GNU ld, lld and mold agree).
 */
import type { Message } from "../diagnostics/message.ts";
import type { ByteString, LinkOptions } from "./link-options.ts";
import { isGlob, parseNumber } from "./option-row.ts";
import type { ParseState, Setter } from "./option-row.ts";
import { nearest } from "./suggest.ts";

type Z = LinkOptions["z"];

/** A table that is made when somebody looks at it: few command lines have a -z. */
function made<T>(make: () => T): () => T {
  let table: T | undefined;
  return () => (table ??= make());
}

/** Sets a field of options.z. */
function z<K extends keyof Z>(key: K, value: Z[K]): Setter {
  return (s) => {
    s.options.z[key] = value;
  };
}

type Switch = { [K in keyof Z]: boolean extends Z[K] ? K : never }[keyof Z];

/** Keywords that are fields of options.z; `undone`: with "no" before them they take it back. */
function switches(keys: readonly Switch[], undone: boolean): Record<string, Setter> {
  return Object.fromEntries(keys.flatMap((key) => {
    const word = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return undone ? [[word, z(key, true)], [`no${word}`, z(key, false)]] : [[word, z(key, true)]];
  }));
}

function o(change: (options: LinkOptions) => void): Setter {
  return (s) => change(s.options);
}

/** A size; lld's wording for what is none. */
function size(key: "maxPageSize" | "commonPageSize" | "stackSize", name: string, powerOfTwo: boolean): Setter {
  return (s, v) => {
    const value = parseNumber(v);
    if (value === undefined || value > 1n << 40n) s.errors.push(`invalid ${name}: ${v}`);
    else if (powerOfTwo && (value === 0n || (value & (value - 1n)) !== 0n)) s.errors.push(`${name}: value isn't a power of 2`);
    else s.options.z[key] = Number(value);
  };
}

/** Keywords that only mean something on another machine, unless what they ask for is what happens anyway. */
function elsewhere(machine: "AArch64" | "RISC-V", names: string): Record<string, Setter> {
  const setter = (name: string): Setter => (s, v) => void (v !== "none" && v !== "implicit" && s.options.machineOptions.push({ option: `-z ${name}`, machine }));
  return Object.fromEntries(names.split(" ").map((name) => [name, setter(name)]));
}

/** gABI ch. 4 Symbol Table, STV_*. */
const VISIBILITY: Record<string, number> = { default: 0, internal: 1, hidden: 2, protected: 3 };

/** GNU_PROPERTY_X86_FEATURE_1_*: linear address masking (x86-64 psABI, Program Property). */
const FEATURE_LAM_U48 = 4;
const FEATURE_LAM_U57 = 8;

const flags = made((): Record<string, Setter> => ({
  ...switches(["relro", "copyreloc", "combreloc", "keepTextSectionPrefix", "gnustack", "lrodataAfterBss", "unique", "memorySeal", "rewriteEndbr", "markPlt", "uniqueSymbol", "dynamicUndefinedWeak", "text"], true),
  ...switches(["now", "nodelete", "origin", "initfirst", "interpose", "nodlopen", "nodefaultlib", "nodump", "global", "rodynamic", "ibt", "shstk", "forceIbt", "ibtplt", "retpolineplt", "ifuncNoplt", "nosectionheader", "wxneeded", "nobtcfi", "globalaudit", "loadfltr", "rel"], false),
  lazy: z("now", false),
  textoff: z("text", false),
  execstack: o((x) => ((x.z.execstack = true), (x.z.gnustack = true))),
  noexecstack: o((x) => ((x.z.execstack = false), (x.z.gnustack = true))),
  // As mold.
  "execstack-if-needed": o((x) => ((x.z.execstack = undefined), (x.z.execstackIfNeeded = true))),
  defs: o((x) => (x.reportUndefined = true)),
  undefs: o((x) => (x.reportUndefined = false)),
  nodefs: o((x) => (x.reportUndefined = false)),
  muldefs: o((x) => (x.allowMultipleDefinition = true)),
  "separate-code": z("separateCode", "code"),
  "separate-loadable-segments": z("separateCode", "loadable-segments"),
  "noseparate-code": z("separateCode", "none"),
  sectionheader: z("nosectionheader", false),
  "pack-relative-relocs": o((x) => ((x.packRelr = true), (x.packRelrGlibc = true))),
  "nopack-relative-relocs": o((x) => ((x.packRelr = false), (x.packRelrGlibc = false))),
  "start-stop-gc": o((x) => (x.startStopGc = true)),
  "nostart-stop-gc": o((x) => (x.startStopGc = false)),
  "lam-u48": o((x) => (x.z.features |= FEATURE_LAM_U48 | FEATURE_LAM_U57)),
  "lam-u57": o((x) => (x.z.features |= FEATURE_LAM_U57)),
  "x86-64-baseline": o((x) => (x.z.isa |= 0b1)),
  "x86-64-v2": o((x) => (x.z.isa |= 0b11)),
  "x86-64-v3": o((x) => (x.z.isa |= 0b111)),
  "x86-64-v4": o((x) => (x.z.isa |= 0b1111)),
  rela: z("rel", false),
  common: z("sttCommon", true),
  nocommon: z("sttCommon", false),
  ...elsewhere("AArch64", "force-bti pac-plt"),
  "indirect-extern-access": o((x) => ((x.z.indirectExternAccess = true), (x.z.copyreloc = false))),
  "noindirect-extern-access": z("indirectExternAccess", false),
  "report-relative-reloc": z("reportRelative", true),
  "noreloc-overflow": z("ignoreOverflow", true),
  // What we do anyway: GNU ld's and gold's defaults.
  "notext-unlikely-segment": o(() => {}),
  "noextern-protected-data": o(() => {}),
  // MIPS only, and lld does not mind.
  hazardplt: o(() => {}),
}));

/** GLOB=VALUE (lld). */
function addDeadReloc(s: ParseState, v: ByteString): void {
  const fail = (what: string): void => void s.errors.push(`-z dead-reloc-in-nonalloc=: ${what}`);
  const equals = v.indexOf("=");
  const [glob, text] = [v.slice(0, equals), v.slice(equals + 1)];
  if (equals <= 0 || text === "") return fail("expected <section_glob>=<value>");
  const value = parseNumber(text);
  if (value === undefined) return fail(`expected a non-negative integer, but got '${text}'`);
  if (isGlob(s, glob, "-z dead-reloc-in-nonalloc=")) s.options.z.deadRelocs.push({ glob, value: BigInt.asUintN(64, value) });
}

const values = made((): Record<string, Setter> => ({
  "max-page-size": size("maxPageSize", "max-page-size", true),
  "common-page-size": size("commonPageSize", "common-page-size", true),
  "stack-size": size("stackSize", "stack-size", false),
  "start-stop-visibility": (s, v) => {
    if (Object.hasOwn(VISIBILITY, v)) s.options.startStopVisibility = VISIBILITY[v] as number;
    else s.errors.push(`unknown -z start-stop-visibility= value: ${v}`);
  },
  "lam-report": (s, v) => (setLamReport(s, FEATURE_LAM_U48, "lam-report", v), setLamReport(s, FEATURE_LAM_U57, "lam-report", v)),
  "lam-u48-report": (s, v) => setLamReport(s, FEATURE_LAM_U48, "lam-u48-report", v),
  "lam-u57-report": (s, v) => setLamReport(s, FEATURE_LAM_U57, "lam-u57-report", v),
  "call-nop": setCallNop,
  "dead-reloc-in-nonalloc": addDeadReloc,
  "isa-level-report": (s, v) => {
    const which = ["none", "needed", "used", "all"].indexOf(v);
    if (which < 0) s.errors.push(`-z isa-level-report= parameter ${v} is not recognized`);
    else s.options.z.isaReport = which;
  },
  ...elsewhere("AArch64", "bti-report gcs-report gcs-report-dynamic execute-only-report pauth-report gcs"),
  ...elsewhere("RISC-V", "zicfilp zicfiss zicfilp-unlabeled-report zicfilp-func-sig-report zicfiss-report"),
  "cet-report": (s, v) => {
    if (v === "none" || v === "warning" || v === "error") s.options.z.cetReport = v;
    else s.errors.push(`-z cet-report= parameter ${v} is not recognized`);
  },
}));

/** prefix-addr, suffix-nop, prefix-BYTE or suffix-BYTE (GNU ld). */
function setCallNop(s: ParseState, v: ByteString): void {
  const [place, what = ""] = v.split(/-(.*)/s);
  const byte = what === "addr" && place === "prefix" ? 0x67n : what === "nop" && place === "suffix" ? 0x90n : parseNumber(what);
  if ((place !== "prefix" && place !== "suffix") || byte === undefined || byte > 0xffn) s.errors.push(`-z call-nop=: expected prefix-addr, suffix-nop, prefix-BYTE or suffix-BYTE, but got '${v}'`);
  else s.options.z.callNop = Number(byte) | (place === "suffix" ? 0x100 : 0);
}

function setLamReport(s: ParseState, bit: number, name: string, v: ByteString): void {
  const at = s.options.z.lamReports.findIndex((report) => report.bit === bit);
  if (at >= 0) s.options.z.lamReports.splice(at, 1);
  if (v === "warning" || v === "error") s.options.z.lamReports.push({ bit, option: `-z ${name}`, how: v });
  else if (v !== "none") s.errors.push(`-z ${name}= parameter ${v} is not recognized`);
}

function unknownKeyword(keyword: ByteString, name: ByteString): Message {
  const text = `unknown -z value: ${keyword}`;
  const near = nearest(name, [...Object.keys(flags()), ...Object.keys(values())]);
  if (near === "") return { code: "BAD_OPTION", text };
  const hint = `did you mean: -z ${near}${keyword.slice(name.length) || (Object.hasOwn(values(), near) ? "=" : "")}`;
  return { code: "BAD_OPTION", text: `${text}\n>>> ${hint}`, hint };
}

/** Obeys one -z keyword, or warns. mold's manual spells start_stop_visibility. */
export function setZ(s: ParseState, written: ByteString): void {
  const keyword = written.startsWith("start_stop_visibility=") ? written.replaceAll("_", "-") : written;
  const equals = keyword.indexOf("=");
  const name = equals < 0 ? keyword : keyword.slice(0, equals);
  const table = equals < 0 ? flags() : values();
  const setter = Object.hasOwn(table, name) ? table[name] : undefined;
  if (setter) setter(s, equals < 0 ? "" : keyword.slice(equals + 1), keyword);
  else if (equals < 0 && Object.hasOwn(values(), name)) s.errors.push(`invalid ${name}: `);
  else s.warnings.push(unknownKeyword(keyword, name));
}

/** Keywords for --help. */
export function zKeywords(): string[] {
  return [...Object.keys(flags()), ...Object.keys(values()).map((name) => name + "=")].sort();
}
