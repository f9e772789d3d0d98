/**
 * --reproduce: a tar archive of every file the link read, with a response.txt that links them again to the same bytes.
 *
 * As lld: paths become relative to the root (response.txt says `--chroot .`), outputs lose their folders. Written after the link,
 * whether it worked or not; nothing of it runs in other links.
 */
import type { ByteString, WrittenOption } from "../args/link-options.ts";
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
    text("response.txt", responseFile(options.written, host, namesInOutput(ctx)));
    text("version.txt", versionText(options, 1));
    for (const path of filesOf(ctx)) {
      const name = `${top}/${relativeToRoot(path, host)}`;
      if (!tar.has(name)) addFile(tar, name, path, host);
    }
    tar.end();
    file.commit();
  } catch (error) {
    output?.abort();
    if (!(error instanceof HostError)) throw error;
    diag.error({ code: "OUTPUT", text: `--reproduce: failed to ${output === undefined ? "open" : "write"} ${options.reproduce}: ${error.message}` });
  }
}

/** What the link read, layout scripts last; first what options name. */
function filesOf(ctx: Context): ByteString[] {
  const { options, host, loadedFiles } = ctx;
  const named = FILES.flatMap((name) => values(options.written, name)).filter((path) => host.exists(path));
  const scripts = new Set(options.scripts.map(({ path }) => path));
  return [...named, ...loadedFiles.filter((path) => !scripts.has(path)), ...loadedFiles.filter((path) => scripts.has(path))];
}

function values(written: readonly WrittenOption[], option: string): ByteString[] {
  return written.flatMap(({ name, value }) => (name === option ? [value] : []));
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

/** Inputs whose name, as it was given, is part of the output: -b binary, shared objects without a soname. */
function namesInOutput({ options, sharedObjects }: Context): Set<ByteString> {
  const binary = options.inputs.filter(({ kind, format }) => kind === "file" && format === "binary").map(({ name }) => name);
  const shared = sharedObjects.filter(({ path, soname }) => path === soname).map(({ path }) => path);
  return new Set([...binary, ...shared]);
}

/** response.txt: one option a line. Inputs in `kept` keep their name, and are read from where they are packed. */
function responseFile(written: readonly WrittenOption[], host: Host, kept: ReadonlySet<ByteString> = new Set()): ByteString {
  const lines = ["--chroot ."];
  for (const name of kept) lines.push(`--remap-inputs ${quote(`${name}=${rewritten(name, host)}`)}`);
  for (const option of written) {
    const { name, takes, spelling, value } = option;
    // Paths are rewritten as seen from the folder the link ran in.
    if (name === "--reproduce" || name === "--repro" || name === "--directory") continue;
    if (name === "") lines.push(quote(kept.has(value) ? value : rewritten(value, host)));
    else if (takes === "none") lines.push(spelling);
    else if (name === "--output" || OUTPUTS.has(name)) lines.push(joined(option, spelling, baseName(value)));
    else if (PATHS.has(name)) lines.push(joined(option, name === "--script" || name === "--default-script" ? name : spelling, rewritten(value, host)));
    // A run path is not a path of this machine. lld makes it relative to the root all the same; an absolute one stays as it is here,
    // because it is part of the output.
    else if (name === "--rpath" && !value.startsWith("/")) lines.push(`${spelling} ${quote(rewritten(value, host))}`);
    else lines.push(joined(option, spelling, value));
  }
  // Names inside scripts may have been found from the folder the link ran in.
  if (values(written, "--script").length > 0) lines.push(`-L ${quote(relativeToRoot(".", host))}`);
  return `${lines.join("\n")}\n`;
}

function joined({ name, takes }: WrittenOption, spelling: ByteString, value: ByteString): ByteString {
  if (takes === "optional") return value === "" ? spelling : `${spelling}=${quote(value)}`;
  return `${spelling}${JOINED.has(name) ? "=" : " "}${quote(value)}`;
}

/** For @file: GNU quoting. */
function quote(word: ByteString): ByteString {
  return word === "" || /[\s'"\\]/.test(word) ? `"${word.replace(/["\\]/g, "\\$&")}"` : word;
}
