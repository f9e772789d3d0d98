/**
 * Options under "Symbols" in --help: which are exported, bound, wanted, defined, and what is said of those that are not.
 */
import type { ByteString } from "../link-options.ts";
import { named, onOff, option, push, pushGlob, put } from "../option-row.ts";
import type { OptionRow, ParseState } from "../option-row.ts";
import { setZ } from "../z-options.ts";

export const SYMBOLS: OptionRow[] = [
  ...onOff("--export-dynamic -E", "exportDynamic", "Export all global symbols of an executable", "Only those that shared objects use (default)"),
  option("--export-dynamic-symbol", "=GLOB", "Export matching symbols", pushGlob("exportDynamicSymbols")),
  option("--export-dynamic-symbol-list", "=FILE", "File of --export-dynamic-symbol patterns", push("exportDynamicSymbolLists")),
  option("--dynamic-list", "=FILE", "Symbols to export, which stay preemptible in a shared object", push("dynamicLists")),
  option("--dynamic-list-data", "", "Put all variables on the dynamic list", put("dynamicListData", true)),
  option("--dynamic-list-cpp-new", "", "Put operator new and delete on the dynamic list", (s) => void s.options.dynamicListCpp.push("operator new*", "operator delete*")),
  option("--dynamic-list-cpp-typeinfo", "", "Put C++ type information on the dynamic list", (s) => void s.options.dynamicListCpp.push("typeinfo for *", "typeinfo name for *")),
  option("--retain-symbols-file", "=FILE", "Keep and export only the symbols that FILE lists, one a line", named((s, v) => void (s.options.retainSymbols = v))),
  option("--default-symver", "", "Exported symbols without a version get the soname as version", put("defaultSymver", true)),
  option("--default-imported-symver", "", "The same for symbols of shared objects", put("defaultImportedSymver", true)),
  option("--version-script", "=FILE", "File of symbol versions", push("versionScripts")),
  option("--exclude-libs", "=LIBS", "Hide the symbols of these archives (comma-separated, or ALL)", (s, v) => void s.options.excludeLibs.push(...v.split(/[,:]/).filter(Boolean))),
  option("--Bsymbolic", "", "Bind references to own definitions when linking", put("bsymbolic", "all")),
  option("--Bsymbolic-functions", "", "As -Bsymbolic for functions", put("bsymbolic", "functions")),
  option("--Bsymbolic-non-weak", "", "As -Bsymbolic for symbols that are not weak", put("bsymbolic", "non-weak")),
  option("--Bsymbolic-non-weak-functions", "", "As -Bsymbolic for functions that are not weak", put("bsymbolic", "non-weak-functions")),
  option("--Bgroup", "", "The shared object and those it needs resolve symbols among themselves", (s) => void ((s.options.z.group = true), setZ(s, "defs"))),
  option("--Bno-symbolic", "", "Undo -Bsymbolic (default)", put("bsymbolic", "none")),
  option("--undefined -u", "=SYMBOL", "Start with an undefined symbol", push("undefined")),
  option("--undefined-glob", "=GLOB", "As --undefined for every matching name in an archive", pushGlob("undefinedGlobs")),
  option("--require-defined", "=SYMBOL", "As --undefined, and an error when nobody defines it", push("requireDefined")),
  option("--defsym", "=SYMBOL=EXPR", "Define a symbol", setDefsym),
  option("--wrap", "=SYMBOL", "References to SYMBOL go to __wrap_SYMBOL, those to __real_SYMBOL to SYMBOL", push("wrap")),
  option("--no-undefined", "", "Undefined symbols are errors in shared objects too", (s) => setZ(s, "defs")),
  option("--allow-shlib-undefined", "", "Shared objects may have undefined symbols", put("reportShlibUndefined", false)),
  option("--no-allow-shlib-undefined", "", "Undefined symbols of shared objects are errors", put("reportShlibUndefined", true)),
  option("--unresolved-symbols", "=WHAT", "report-all, ignore-all, ignore-in-object-files or ignore-in-shared-libs", setUnresolved),
  option("--ignore-unresolved-symbol", "=SYMBOL", "No word about SYMBOL when nobody defines it", push("ignoredSymbols")),
  option("--weak-unresolved-symbols", "", "Undefined symbols count as weak", put("weakUnresolved", true)),
  option("--warn-unresolved-symbols", "", "Undefined symbols are warnings", put("unresolvedAreWarnings", true)),
  option("--error-unresolved-symbols", "", "Undefined symbols are errors (default)", put("unresolvedAreWarnings", false)),
  ...onOff("--allow-multiple-definition", "allowMultipleDefinition", "The first of several definitions wins", "Several definitions are an error (default)"),
  ...onOff("--undefined-version", "undefinedVersion", "Version scripts may name symbols that nobody defines", "They may not (default: a warning)"),
];

function setDefsym(s: ParseState, v: ByteString): void {
  const equals = v.indexOf("=");
  const name = v.slice(0, equals).trim();
  if (equals > 0 && equals < v.length - 1 && !/\s/.test(name)) s.options.defsyms.push({ name, expression: v.slice(equals + 1), place: s.options.scripts.length });
  else s.errors.push(`--defsym: syntax error: ${v}\n>>> expected NAME=EXPRESSION`);
}

/** Which undefined symbols are reported: [those of objects, those of shared objects]. The last option that speaks of them counts (lld). */
const UNRESOLVED: Record<string, readonly [boolean, boolean]> = {
  "report-all": [true, true], "ignore-all": [false, false], "ignore-in-object-files": [false, true], "ignore-in-shared-libs": [true, false],
};

function setUnresolved(s: ParseState, v: ByteString): void {
  const what = Object.hasOwn(UNRESOLVED, v) ? UNRESOLVED[v] : undefined;
  if (what === undefined) s.errors.push(`unknown --unresolved-symbols value: ${v} (one of ${Object.keys(UNRESOLVED).join(", ")})`);
  else [s.options.reportUndefined, s.options.reportShlibUndefined] = what;
}
