/**
 * A command line, run: arguments in, exit status out. What the program and the API share.
 *
 * Knows no process: arguments, environment and files come from the host. Everything that is the user's to mend ends as a
 * printed message and status 1; anything else that is thrown is a bug and goes up.
 */
import type { ByteString } from "./args/link-options.ts";
import { parseArgs, type ParsedArgs } from "./args/parse.ts";
import { Diagnostics, LinkFailed } from "./diagnostics/print.ts";
import { HostError, readText, type Host } from "./host/host.ts";
import { link } from "./link.ts";
import { Machine } from "./memory/machine.ts";

/** Status of the link that `argv` (without the program's name) asks for: 0 or 1. */
export async function run(argv: readonly ByteString[], host: Host): Promise<number> {
  let colors: boolean | undefined;
  const diag = new Diagnostics(
    (stream, text) => host.print(stream === "stdout" ? "out" : "err", text),
    () => (colors ??= host.isTerminal("err") && host.env("TERM") !== "dumb"),
  );
  try {
    const parsed = parse(argv, host);
    diag.configure(parsed.options);
    diag.text(parsed.text);
    for (const warning of parsed.warnings) diag.warn(warning);
    for (const error of parsed.errors) diag.error(error);
    if (diag.hasErrors && parsed.action === "run") return 1;
    if (parsed.action === "run") return await runCommand(parsed.args, host);
    if (parsed.options.directories.length > 0) changeDirectory(parsed.options.directories, host, diag);
    // Misused options do not keep us from saying which files are missing, too.
    if (parsed.action === "link") return await link(parsed.options, host, diag, new Machine(undefined, host.memoryGrows));
    return diag.hasErrors ? 1 : 0;
  } catch (error) {
    // What cannot be written, of all that is printed.
    if (error instanceof HostError) diag.error(error.message);
    else if (!(error instanceof LinkFailed)) throw error;
    return 1;
  } finally {
    host.release();
  }
}

function parse(argv: readonly ByteString[], host: Host): ParsedArgs {
  host.optimise?.(argv.length);
  return parseArgs(argv, {
    programName: programName(host.env("WIELD_CALLED") ?? ""),
    compatVersion: host.env("WIELD_COMPAT_VERSION") ?? "",
    reproduce: host.env("LLD_REPRODUCE") ?? (host.env("MOLD_REPRO") ? "\0" : ""),
    runPath: host.env("LD_RUN_PATH") ?? "",
    readFile: (path) => textOf(host, path),
  });
}

function changeDirectory(directories: readonly ByteString[], host: Host, diag: Diagnostics): void {
  try {
    host.changeDirectory(directories);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    diag.fatal(`cannot change to ${directories.join("/")}: ${error.message}`);
  }
}

/** --run: without a shell; the linker's own messages stay its own. */
async function runCommand(args: readonly ByteString[], host: Host): Promise<number> {
  try {
    return await host.runCommand(args);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    host.print("err", `wield: error: cannot run ${args[0]}: ${error.message}\n`);
    return 1;
  }
}

/**
 * Who installs us as ld.lld or ld.bfd has programs that look for messages of that name; as `ld` we say who we are. As ld.lld we leave out
 * lines that lld's messages do not have where its tests say which line follows.
 */
function programName(called: ByteString): ByteString {
  return ["ld.lld", "ld.bfd", "ld.gold", "ld.mold"].includes(called) ? called : "wield";
}

/** A small file, one character per byte; undefined when it cannot be read. */
function textOf(host: Host, path: ByteString): ByteString | undefined {
  try {
    return readText(host, path);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    if (error.code === "EFBIG") throw new HostError(error.code, `cannot open ${path}: ${error.message}`);
    return undefined;
  }
}
