/**
 * --reproduce: a tar archive of every file the link read, with a response.txt that links them again to the same bytes.
 *
 * As lld: paths become relative to the root (response.txt says `--chroot .`), outputs lose their folders. Written after the link,
 * whether it worked or not; nothing of it runs in other links.
 */
import type { ByteString } from "../args/link-options.ts";
import { groupedFlags, matchOption, takesNumber } from "../args/parse.ts";
import { namesOf, type OptionRow } from "../args/option-row.ts";
import { versionText } from "../args/identity.ts";
import type { Context } from "../context.ts";
import { HostError, type Host, type OutputFile } from "../host/host.ts";
import { baseName, joinPath, normalized } from "../input/search.ts";
import { TarWriter } from "./tar.ts";

/** Options that name something written: the archive has no folders to write to. */
const OUTPUTS = new Set(["--output", "--Map", "--print-archive-stats", "--why-extract", "--dependency-file", "--time-trace", "--print-symbol-order", "--print-symbol-counts", "--separate-debug-file", "--report", "--metafile", "--print-gc-sections"]);
/** Options that name files or folders read. Those of the first line are packed even when the link did not come to read them. */
const FILES = [
  "--remap-inputs-file", "--symbol-ordering-file", "--call-graph-ordering-file", "--dynamic-list", "--export-dynamic-symbol-list", "--version-script",
  "--retain-symbols-file", "--section-ordering-file", "--just-symbols", "--lto-sample-profile",
];
const PATHS = new Set([...FILES, "--script", "--default-script", "--mri-script", "--library-path", "--sysroot"]);
/** Options whose value is written as part of the same word, besides those where it is optional. */
const JOINED = new Set(["--print-archive-stats", "--why-extract", "--lto-sample-profile"]);

const CHUNK_BYTES = 1 << 20;

export function reproduce(ctx: Context): void {
  const { options, diag, host } = ctx;
  let output: OutputFile | undefined;
  try {
    const file = (output = host.createOutput(options.reproduce, { mode: 0o666 }));
    let at = 0;
    const tar = new TarWriter((bytes) => {
      file.write(bytes, at);
      at += bytes.length;
    });
    const top = baseName(options.reproduce).replace(/(.)\.[^.]*$/, "$1");
    const text = (name: string, contents: ByteString): void => tar.add(`${top}/${name}`, contents.length, [Uint8Array.from(contents, (char) => char.charCodeAt(0))]);
    text("response.txt", responseFile(options.arguments, host, namesInOutput(ctx)));
    text("version.txt", versionText({ programName: options.programName, compatVersion: options.compatVersion, emulations: [], targets: [] }, 1));
    for (const path of filesOf(ctx)) {
      const name = `${top}/${relativeToRoot(path, host)}`;
      if (!tar.has(name)) addFile(tar, name, path, host);
    }
    tar.end();
    file.commit();
  } catch (error) {
    output?.abort();
    if (!(error instanceof HostError)) throw error;
    diag.error({ code: "OUTPUT", text: `--reproduce: failed to open ${options.reproduce}: ${error.message}` });
  }
}

/** What the link read, layout scripts last; first what options name. */
function filesOf(ctx: Context): ByteString[] {
  const { options, host, loadedFiles } = ctx;
  const named = FILES.flatMap((name) => values(options.arguments, name)).filter((path) => host.exists(path));
  const scripts = new Set(options.scripts.map(({ path }) => path));
  return [...named, ...loadedFiles.filter((path) => !scripts.has(path)), ...loadedFiles.filter((path) => scripts.has(path))];
}

function values(args: readonly ByteString[], option: string): ByteString[] {
  return [...words(args)].flatMap(({ row, value }) => (row !== null && namesOf(row)[0] === option ? [value] : []));
}

function addFile(tar: TarWriter, name: string, path: ByteString, host: Host): void {
  const fd = host.open(path);
  try {
    if (path === "/dev/null") return tar.add(name, 0, []);
    if (host.stat(path)?.kind !== "file") return;
    tar.add(name, host.size(fd), contents(host, fd));
  } finally {
    host.close(fd);
  }
}

function* contents(host: Host, fd: number): Generator<Uint8Array> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (let position = 0; ; ) {
    const got = host.read(fd, buffer, position);
    if (got === 0) return;
    yield buffer.subarray(0, got);
    position += got;
  }
}

// ---- paths ----

function relativeToRoot(path: ByteString, host: Host): ByteString {
  return normalized(path.startsWith("/") ? path : joinPath(host.cwd(), path)).replace(/^\/+/, "");
}

/** A path that exists becomes relative to the root; what is no path (`-T` found along -L) stays. */
function rewritten(path: ByteString, host: Host): ByteString {
  return host.stat(path) === undefined ? path : relativeToRoot(path, host);
}

// ---- the command line ----

interface Word {
  /** null = an input file. */
  row: OptionRow | null;
  /** As written, without the value. */
  spelling: ByteString;
  value: ByteString;
}

const longName = (row: OptionRow): string | undefined => namesOf(row).find((name) => name.startsWith("--"));

function* words(args: readonly ByteString[]): Generator<Word> {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const found = arg[0] === "-" && arg !== "-" ? matchOption(arg) : undefined;
    const group = found === undefined ? groupedFlags(arg) : null;
    if (group !== null) {
      for (const row of group) yield { row, spelling: longName(row) ?? namesOf(row)[0]!, value: "" };
      continue;
    }
    if (found === undefined) {
      yield { row: null, spelling: "", value: arg };
      continue;
    }
    const value = found.needsNext || takesNumber(found, arg, args[i + 1]) ? (args[++i] ?? "") : found.value;
    const dashes = arg.startsWith("--") ? "--" : "-";
    const name = namesOf(found.row).some((each) => each.startsWith("--") && arg.slice(dashes.length).split("=")[0] === each.slice(2));
    // A letter with its value: the long name, because `-T`, `-L` and the like read better so; -L and -o are what lld writes.
    const letter = `-${arg[1]}`;
    const long = letter === "-L" || letter === "-o" || letter === "-l" ? letter : longName(found.row) ?? letter;
    yield { row: found.row, spelling: name ? arg.split("=")[0]! : long, value };
  }
}

/** Inputs whose name, as it was given, is part of the output: -b binary, shared objects without a soname. */
function namesInOutput({ options, sharedObjects }: Context): Set<ByteString> {
  const binary = options.inputs.filter(({ kind, format }) => kind === "file" && format === "binary").map(({ name }) => name);
  const shared = sharedObjects.filter(({ path, soname }) => path === soname).map(({ path }) => path);
  return new Set([...binary, ...shared]);
}

/** response.txt: one option a line. Inputs in `kept` keep their name, and are read from where they are packed. */
function responseFile(args: readonly ByteString[], host: Host, kept: ReadonlySet<ByteString> = new Set()): ByteString {
  const lines = ["--chroot ."];
  for (const name of kept) lines.push(`--remap-inputs ${quote(`${name}=${rewritten(name, host)}`)}`);
  for (const { row, spelling, value } of words(args)) {
    const name = row === null ? "" : namesOf(row)[0]!;
    // Paths are rewritten as seen from the folder the link ran in.
    if (name === "--reproduce" || name === "--repro" || name === "--directory") continue;
    if (row === null) lines.push(quote(kept.has(value) ? value : rewritten(value, host)));
    else if (row.value === "none") lines.push(spelling);
    else if (name === "--output" || OUTPUTS.has(name)) lines.push(joined(row, name, spelling, baseName(value)));
    else if (PATHS.has(name)) lines.push(joined(row, name, name === "--script" || name === "--default-script" ? name : spelling, rewritten(value, host)));
    // A run path is not a path of this machine. lld makes it relative to the root all the same; an absolute one stays as it is here,
    // because it is part of the output.
    else if (name === "--rpath" && !value.startsWith("/")) lines.push(`${spelling} ${quote(rewritten(value, host))}`);
    else lines.push(joined(row, name, spelling, value));
  }
  // Names inside scripts may have been found from the folder the link ran in.
  if (values(args, "--script").length > 0) lines.push(`-L ${quote(relativeToRoot(".", host))}`);
  return `${lines.join("\n")}\n`;
}

function joined(row: OptionRow, name: string, spelling: ByteString, value: ByteString): ByteString {
  if (row.value === "optional") return value === "" ? spelling : `${spelling}=${quote(value)}`;
  return `${spelling}${JOINED.has(name) ? "=" : " "}${quote(value)}`;
}

/** For @file: GNU quoting. */
function quote(word: ByteString): ByteString {
  return word === "" || /[\s'"\\]/.test(word) ? `"${word.replace(/["\\]/g, "\\$&")}"` : word;
}
