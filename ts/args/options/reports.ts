/**
 * Options under "Reports" in --help: what is printed and written besides the output, and the threads that do it.
 */
import type { ByteString } from "../link-options.ts";
import { targetOf } from "../../arch/targets.ts";
import { count, into, onOff, option, push, pushGlob, put } from "../option-row.ts";
import type { OptionRow, ParseState } from "../option-row.ts";

export const REPORTS: OptionRow[] = [
  option("-v", "", "Print the version, and link when there are inputs", (s) => void (s.showVersion ||= 1)),
  option("-V", "", "As -v, with the supported emulations", (s) => void (s.showVersion = 2)),
  option("--version", "", "Print the version and stop", (s) => void (s.stop ||= "version")),
  option("--print-output-format", "", "Print the output format and stop", (s) => void ((s.stop ||= "print"), s.printed.push(() => `${targetOf(s.options.emulation).format}\n`))),
  option("--print-sysroot", "", "Print the sysroot and stop", (s) => void ((s.stop ||= "print"), s.printed.push(() => `${s.options.sysroot}\n`))),
  option("--rsp-quoting", "=STYLE", "Quoting in @files: posix (default) or windows", setQuoting),
  option("--run", "", "As the first option: run a command with this linker in place of ld", (s) => void s.errors.push("--run must be the first option")),
  option("--help --target-help", "", "Print this text and stop", (s) => void (s.stop ||= "help")),
  option("--verbose", "[=LEVEL]", "Say what is done, and print the default layout as a script", put("verbose", true)),
  option("--trace -t", "", "Print the names of the input files", put("trace", true)),
  option("--trace-symbol -y", "=SYMBOL", "Print who mentions SYMBOL", push("traceSymbols")),
  option("--Map", "=FILE", "Write a link map; % in FILE is the output, a folder is for OUTPUT.map in it", into("mapFile")),
  ...onOff("--print-map-discarded", "mapDiscarded", "The link map names the sections that were left out (GNU ld)", "It does not (default)"),
  ...onOff("--print-map-locals", "mapLocals", "The link map has local symbols (default)", "It has none"),
  option("--print-map -M", "", "Print a link map", put("mapFile", "-")),
  option("--report", "=FILE", "Write the layout as a page to look at: one HTML file", into("reportFile")),
  option("--metafile", "=FILE", "Write inputs and output as JSON for bundle analysers", into("metafile")),
  option("--cref", "", "Print a cross reference table", put("cref", true)),
  option("--print-memory-usage", "", "Print how full each memory region of the script is", put("printMemoryUsage", true)),
  option("--dependency-file", "=FILE", "Write the inputs as a Makefile rule", into("dependencyFile")),
  ...onOff("--fatal-warnings", "fatalWarnings", "Warnings are errors", "They are not (default)"),
  option("--no-warnings -w", "", "Print no warnings", put("noWarnings", true)),
  option("--demangle", "[=STYLE]", "Print C++ names as written in the source (default)", put("demangle", true)),
  option("--no-demangle", "", "Print them as in the symbol table", put("demangle", false)),
  option("--color-diagnostics", "[=WHEN]", "Colours: auto (default), always or never", setColor),
  option("--no-color-diagnostics", "", "No colours", put("color", "never")),
  option("--error-limit", "=N", "Stop after N errors, 0 = never (default 20)", (s, v, spelling) => void (s.options.errorLimit = count(s, v, spelling))),
  option("--vs-diagnostics", "", "Begin messages with file(line), as Visual Studio wants them", put("vsDiagnostics", true)),
  option("--error-handling-script", "=FILE", "Run FILE with missing-lib NAME or undefined-symbol NAME before such errors", into("errorHandlingScript")),
  option("--warn-common", "", "Warn when a common symbol meets another definition", put("warnCommon", true)),
  option("--warn-textrel", "", "Warn when the output needs text relocations", put("warnTextrel", "any")),
  option("--warn-shared-textrel", "", "Warn when a shared object needs text relocations", (s) => void (s.options.warnTextrel ||= "shared")),
  option("--no-warn-shared-textrel", "", "Do not (default)", put("warnTextrel", "")),
  option("--no-warn-common", "", "Do not (default)", put("warnCommon", false)),
  option("--warn-backrefs", "", "Warn when an archive only resolves names of files after it", put("warnBackrefs", true)),
  option("--warn-backrefs-exclude", "=GLOB", "Do not when the member, as lib.a(member.o), matches", pushGlob("warnBackrefsExclude")),
  option("--no-warn-backrefs", "", "Do not (default)", put("warnBackrefs", false)),
  option("--no-warn-mismatch", "", "Do not complain about unknown section types", put("warnMismatch", false)),
  option("--warn-mismatch", "", "Complain (default)", put("warnMismatch", true)),
  option("--noinhibit-exec", "", "Write the output in spite of errors", put("noinhibitExec", true)),
  option("--why-extract", "=FILE", "Write why each archive member is in the link", into("whyExtract")),
  option("--reproduce", "=FILE", "Write a tar of the inputs and a response file (also LLD_REPRODUCE)", into("reproduce")),
  option("--repro", "", "As --reproduce=OUTPUT.repro.tar (also MOLD_REPRO)", put("reproduce", "\0")),
  option("--why-live", "=GLOB", "Print what keeps the symbols that match GLOB under --gc-sections", pushGlob("whyLive")),
  option("--print-dependencies", "", "Print which file refers to which for what", put("printDependencies", true)),
  option("--print-symbol-counts", "=FILE", "Write how many symbols each input defines, and how many are used", into("printSymbolCounts")),
  option("--print-archive-stats", "=FILE", "Write how many members of each archive are in the link", into("printArchiveStats")),
  option("--threads", "[=COUNT]", "At most so many threads, and 256 (default: one per processor); small links use one", setThreads),
  option("--thread-count", "=N", "As --threads=N", (s, v) => setThreads(s, v, "--threads=")),
  option("--no-threads", "", "One thread", put("threads", 1)),
  option("--time --perf", "[=KINDS]", "Print the passes with their milliseconds", put("time", true)),
  option("--stats", "[=FILE]", "Print counts, in FILE or on standard output", (s, v) => void (s.options.stats = v || "-")),
  option("--no-stats", "", "Do not (default)", put("stats", "")),
  option("--time-trace", "[=FILE]", "Write Chrome trace events (default OUTPUT.time-trace)", (s, v) => void (s.options.timeTrace = v === "" ? "\0" : v)),
  option("--time-trace-granularity", "=N", "Leave passes shorter than N microseconds out of it (default 500)", (s, v, spelling) => void (s.options.timeTraceGranularity = count(s, v, spelling))),
  option("--verify-hashes", "", "Compare the bytes behind equal hashes", put("verifyHashes", true)),
  option("--compat-version", "=TEXT", "First line of --version (also WIELD_COMPAT_VERSION)", into("compatVersion")),
  option("--lto-O0 --lto-O1 --lto-O2 --lto-O3", "", "As clang -O0 to -O3, for LLVM bitcode", (s, _, spelling) => void s.options.pluginOpts.push(spelling.slice(-2))),
  option("--plugin", "=FILE", "The compiler's LTO plugin", into("plugin")),
  option("--plugin-opt", "=OPTION", "An option of the plugin", push("pluginOpts")),
];

function setQuoting(s: ParseState, v: ByteString): void {
  if (v !== "posix" && v !== "windows") s.errors.push(`invalid response file quoting: ${v}`);
}

function setColor(s: ParseState, v: ByteString): void {
  if (v === "" || v === "always") s.options.color = "always";
  else if (v === "auto" || v === "never") s.options.color = v;
  else s.errors.push(`unknown option '--color-diagnostics=${v}': expected auto, always or never`);
}

/** More help no link; machines have more processors, though, and builds ask for as many. */
const THREADS_MAX = 256;

/** A bare --threads asks for threads, which is the default. */
function setThreads(s: ParseState, v: ByteString, spelling: ByteString): void {
  if (v === "" && !spelling.includes("=")) s.options.threads = 0;
  else if (!/^[0-9]+$/.test(v) || Number(v) === 0) s.errors.push(`--threads: expected a positive integer, but got '${v}'`);
  else if (Number(v) > 0xffffffff) s.errors.push(`--threads: expected a number of threads, but got '${v}'`);
  else s.options.threads = Math.min(Number(v), THREADS_MAX);
}
