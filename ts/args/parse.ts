/**
 * argv → LinkOptions: the syntax of the command line.
 *
 * What an option means is its row in options.ts, which of them an argument is match-option.ts. Opens no files except @files, through a
 * callback; what they stood for may as well be given (parseExpanded), by who has no files but knows nothing of options.
 */
import { TARGETS } from "../arch/targets.ts";
import type { Message, Said } from "../diagnostics/message.ts";
import { defaultOptions } from "./default-options.ts";
import { helpText } from "./help.ts";
import { isLld, versionText } from "./identity.ts";
import type { ByteString, LinkOptions } from "./link-options.ts";
import { ELSEWHERE, groupedFlags, matchOption, optionName, takesNumber } from "./match-option.ts";
import { optionNames, rowOf } from "./option-index.ts";
import { addInput } from "./options/inputs.ts";
import type { ParseState } from "./option-row.ts";
import { defaultScript } from "../script/default-script.ts";
import { expandResponseFiles } from "./response-file.ts";
import type { Expansion, ReadFile } from "./response-file.ts";
import { nearest } from "./suggest.ts";
import { writtenOptions } from "./written-options.ts";

export interface ParseEnv {
  /** Prefix of messages; default "wield". */
  programName?: string;
  /** Contents of a response file; default: none can be read. */
  readFile?: ReadFile;
  /** Value of WIELD_COMPAT_VERSION. */
  compatVersion?: string;
  /** Value of LLD_REPRODUCE: as --reproduce. */
  reproduce?: string;
  /** Value of LD_RUN_PATH. */
  runPath?: string;
}

export interface ParsedArgs {
  options: LinkOptions;
  warnings: Message[];
  errors: Message[];
  /**
   * link: print `text` (the version under -v, else empty), and link unless there are errors. version, help: print `text` and stop
   * with status 0, or 1 when there are errors. run: `args` is a command to run.
   */
  action: "link" | "version" | "help" | "run";
  /** For standard output, printed before any message; made when it is asked for. */
  readonly text: ByteString;
  /** The arguments after the response files were put in. */
  args: ByteString[];
}

/** What is wrong with a command line is about its options, unless it says something else. */
const message = (said: Said): Message => (typeof said === "string" ? { code: "BAD_OPTION", text: said } : said);

export function parseArgs(argv: readonly ByteString[], env: ParseEnv = {}): ParsedArgs {
  // What follows is not ours, and neither are its response files.
  if (argv[0] === "--run" || argv[0] === "-run") return commandToRun(argv.slice(1), env);
  return parseExpanded(expandResponseFiles(argv, env.readFile ?? (() => undefined)), env, argv.length === 0);
}

/** The same after the response files were put in. `isBare`: there were no arguments at all. */
export function parseExpanded(expansion: Expansion, env: ParseEnv = {}, isBare = false): ParsedArgs {
  const s = initialState(env);
  s.errors.push(...expansion.errors);
  const misused = driverOption(expansion.args);
  if (misused !== undefined) s.errors.push(notADriver(misused));
  else walk(s, expansion.args);
  const asked = s.stop !== "" || s.showVersion > 0 || (s.options.verbose && s.options.inputs.length + s.options.scripts.length === 0);
  if (misused === undefined) finish(s, asked, isBare);
  // GNU ld
  const runPath = s.options.rpath.length === 0 && env.runPath ? env.runPath : "";
  if (runPath !== "") s.options.rpath.push(runPath);
  if (s.options.reproduce !== "") s.options.written = writtenOptions(runPath === "" ? expansion.args : [...expansion.args, "-rpath", runPath]);
  const stopsHere = s.stop !== "" || (asked && s.options.inputs.length === 0);
  return {
    options: s.options,
    warnings: s.warnings.map(message),
    errors: s.errors.map(message),
    action: s.stop === "help" ? "help" : stopsHere ? "version" : "link",
    get text() {
      return s.stop === "help" ? helpText(s.options) : s.stop === "print" ? s.printed.map((text) => text()).join("") : asked || s.options.verbose ? versionText(s.options, s.showVersion) + scriptText(s) : "";
    },
    args: expansion.args,
  };
}

function commandToRun(args: ByteString[], env: ParseEnv): ParsedArgs {
  const { options } = initialState(env);
  return { options, warnings: [], errors: args.length === 0 ? [message("--run: missing argument")] : [], action: "run", text: "", args };
}

/** --verbose shows the layout as a script, between lines that scripts look for in what GNU ld prints. */
function scriptText({ options }: ParseState): string {
  if (!options.verbose || options.scripts.length > 0 || options.relocatable) return "";
  const line = "=".repeat(50);
  return `using internal linker script:\n${line}\n${defaultScript(options)}\n${line}\n`;
}

function initialState(env: ParseEnv): ParseState {
  const options = defaultOptions();
  options.programName = env.programName ?? "wield";
  options.compatVersion = env.compatVersion ?? "";
  options.reproduce = env.reproduce ?? "";
  return {
    options,
    warnings: [],
    errors: [],
    now: { asNeeded: false, wholeArchive: false, static: false, copyNeeded: false },
    saved: [],
    format: "elf",
    libs: 0,
    inLib: false,
    inGroup: 0,
    groups: 0,
    showVersion: 0,
    stop: "",
    printed: [],
  };
}

function walk(s: ParseState, args: readonly ByteString[]): void {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as ByteString;
    // "$FLAGS" of a build where there are none (lld).
    if (arg === "") continue;
    if (arg[0] !== "-" || arg === "-") {
      addInput(s, "file", arg);
      continue;
    }
    const found = matchOption(arg, isLld(s.options));
    const group = found === undefined ? groupedFlags(arg) : null;
    if (group !== null) {
      s.warnings.push(`grouped short command line options are deprecated: ${arg}`);
      for (const row of group) row.set(s, "", arg);
    } else if (found === undefined) {
      s.errors.push(unknownOption(arg));
    } else if (takesNumber(found, arg, args[i + 1])) {
      found.row.set(s, args[++i] as ByteString, `${arg}=`);
    } else if (!found.needsNext) {
      found.row.set(s, found.value, arg);
    } else if (i + 1 < args.length) {
      found.row.set(s, args[++i] as ByteString, arg);
    } else {
      s.errors.push(`${arg}: missing argument`);
    }
  }
}

/** For cmake and autoconf scripts, which look for "unknown option" or "unrecognized option". */
const UNKNOWN = "\n>>> unknown option; --help lists all there are";

/** What compilers do with it, a linker does not even know; -rdynamic they pass on as --export-dynamic. */
const COMPILER_OPTION = /^-(W(all|extra|error)\b|m(arch|tune)=|f(pic|PIC|pie|PIE)$|fsanitize=|std=|static-pie$|rdynamic$)/;

/** lld's words. */
function unknownOption(arg: ByteString): Message {
  const dashes = arg.startsWith("--") ? "--" : "-";
  const body = arg.slice(dashes.length);
  const name = optionName(body);
  const isCompilers = COMPILER_OPTION.test(arg);
  const known = rowOf(`--${name}`) !== undefined;
  const near = known || ELSEWHERE.has(name) || isCompilers ? "" : nearest(name, optionNames());
  const hint = `did you mean '${near[0] === "o" ? "--" : dashes}${near}${body.slice(name.length)}'`;
  const why = known ? `: ${dashes}${name} takes no value` : ELSEWHERE.has(name) ? ": not supported yet" : near === "" ? "" : `, ${hint}`;
  return { code: "BAD_OPTION", text: `unknown argument '${arg}'${why}${UNKNOWN}${isCompilers ? "\n>>> it is an option of compilers (gcc, clang), and this is a linker" : ""}`, ...(near === "" ? {} : { hint }) };
}

/** Options that only make sense for gcc or clang, as passed by someone who gave us as the compiler (rustc -Clinker=wield). */
const DRIVER_OPTIONS = ["-m64", "-m32", "-mx32", "-nostartfiles", "-nodefaultlibs", "-pthread", "-static-libgcc", "-static-libstdc++"];

function driverOption(args: readonly ByteString[]): ByteString | undefined {
  return args.find((arg) => arg.startsWith("-Wl,") || DRIVER_OPTIONS.includes(arg));
}

function notADriver(arg: ByteString): ByteString {
  return [
    `unknown option '${arg}': it belongs to a compiler driver (gcc, clang), and this is a linker`,
    ">>> let the compiler start the linker:",
    ">>>   gcc -B DIR (DIR holds this linker under the name ld), clang --ld-path=FILE",
    ">>>   rustc -Clinker=clang -Clink-arg=--ld-path=FILE, or -Clinker=gcc -Clink-arg=-B -Clink-arg=DIR",
  ].join("\n");
}

/** For those who want to know what this is. */
const usage = (program: string): string => `\n>>> usage: ${program} [options] file...; --help lists the options\n>>> compilers start it: gcc -B DIR (DIR holds this linker under the name ld), clang --ld-path=FILE`;

/** Checks that need the whole line. `isBare`: there is none. */
function finish(s: ParseState, asked: boolean, isBare: boolean): void {
  const o = s.options;
  if (s.inLib) s.warnings.push("--start-lib without --end-lib");
  if (o.reproduce === "\0") o.reproduce = o.output + ".repro.tar";
  // Nowhere for it to be, or to be looked for.
  const nameless = o.separateDebug === "\0" && (o.output === "-" || o.output.startsWith("/dev/"));
  if (o.relocatable || o.binary || o.z.nosectionheader || nameless) o.separateDebug = "";
  if (o.separateDebug !== "") [o.stripsOutput, o.strip] = [o.strip === "all", "none"];
  // GNU ld
  if (o.mapFile.includes("%")) o.mapFile = o.mapFile.replace("%", () => o.output) + (o.mapFile.endsWith("%") ? ".map" : "");
  if (o.timeTrace === "\0") o.timeTrace = o.output + ".time-trace";
  // The last -m counts, after those of the compiler.
  const supported = TARGETS.map(({ emulation }) => emulation);
  if (o.emulation !== "" && !supported.includes(o.emulation)) s.errors.push(`unknown emulation: ${o.emulation} (supported: ${supported.join(" ")})`);
  if (o.output === "") s.errors.push("the name of the output file is empty");
  if (o.shared && o.pie) s.errors.push("-shared and -pie may not be used together");
  if (o.relocatable && o.shared) s.errors.push("-r and -shared may not be used together");
  if (o.relocatable && o.gdbIndex) s.errors.push("-r and --gdb-index may not be used together");
  if (o.relocatable && o.icf !== "none") s.errors.push("-r and --icf may not be used together");
  if (o.relocatable && o.pie) s.errors.push("-r and -pie may not be used together");
  // gcc -r -rdynamic: nothing is exported (GNU ld).
  if (o.relocatable && o.exportDynamic && isLld(o)) s.errors.push("-r and --export-dynamic may not be used together");
  if (o.relocatable && o.debugNames) s.errors.push("-r and --debug-names may not be used together");
  // What is wrong with such a file is said first (read-scripts).
  const scripts = o.scripts.length + o.versionScripts.length + o.dynamicLists.length;
  if (!asked && o.inputs.length === 0 && scripts === 0 && s.errors.length === 0) s.errors.push({ code: "NO_INPUT", text: `no input files${isBare ? usage(o.programName) : ""}` });
}
