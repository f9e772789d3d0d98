/**
 * LLVM bitcode: each file is compiled by the clang that is at hand, and its object linked in its place.
 *
 * Not optimisation across files: that would take LLVM itself. The surprise: bitcode in an archive is compiled as soon as the archive is
 * opened, because only then are its symbols known.
 */
import type { ByteString, LinkOptions } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { incompatible, notCompiled, type Named } from "../diagnostics/input-messages.ts";
import { HostError, type Host } from "../host/host.ts";
import type { InputPart } from "../input/input-file.ts";
import { parentOf } from "../input/search.ts";
import { latin1 } from "../memory/text.ts";
import { bitcodeTarget } from "./bitcode-target.ts";

/** Versions of clang that are looked for, the newest first: bitcode is read by its own version and later ones. */
const NEWEST = 30;
const OLDEST = 13;

export interface Compiled {
  path: ByteString;
  bytes: number;
}

export class BitcodeCompiler {
  private readonly made = new Map<string, Compiled>();
  private program: ByteString | undefined;

  /** The object of a file of bitcode; null = there is no clang here, "refused": it is for another machine. Errors are reported. */
  compile(ctx: Context, file: InputPart): Compiled | "refused" | null {
    const { source, offset, bytes } = file;
    const key = `${source}@${offset}`;
    const known = this.made.get(key);
    if (known !== undefined) return known;
    this.program ??= findClang(ctx);
    if (this.program === "") return null;
    const copy = new Uint8Array(bytes);
    ctx.host.readAt(source, copy, offset);
    const target = bitcodeTarget(copy);
    if (target !== "" && !/^(x86_64|amd64)/.test(target)) {
      ctx.diag.error(incompatible(file, ctx.arch.target.emulation, `LLVM bitcode for ${target}`));
      return "refused";
    }
    checkIntegrity(ctx, copy, file);
    const compiled = this.run(ctx, bitcodeFile(ctx.host, source, offset, bytes), file);
    this.made.set(key, compiled);
    return compiled;
  }

  private run(ctx: Context, bitcode: ByteString, file: Named): Compiled {
    const { host, diag, options } = ctx;
    try {
      const { status, output, errors } = host.execute(this.program!, [...clangOptions(options), "-x", "ir", bitcode, "-o", "-"]);
      if (status !== 0) return diag.fatal(notCompiled(file, `${this.program} cannot compile this LLVM bitcode${indented(errors)}`));
      return { path: host.unnamed(Uint8Array.from(output, (char) => char.charCodeAt(0))), bytes: output.length };
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      return diag.fatal(notCompiled(file, `cannot run ${this.program}: ${error.message}`));
    }
  }
}

/**
 * Checks of control flow integrity are made of what a whole program's types are; compiling a file alone drops them without a word, and
 * the program would be less than it was asked to be. The names stand as they are in the bitcode. `llvm.type.test` alone is devirtualization.
 */
function checkIntegrity({ diag }: Context, bytes: Uint8Array, file: Named): void {
  const text = latin1(bytes, 0, bytes.length);
  if (!text.includes("llvm.type.test") || !/llvm\.ubsantrap|__ubsan_handle_cfi|llvm\.trap/.test(text)) return;
  diag.error(notCompiled(file, "control flow integrity (-fsanitize=cfi) needs link-time optimization of the whole program, which only LLVM has\n>>> link with lld, or compile without -fsanitize=cfi"));
}

function bitcodeFile(host: Host, source: ByteString, offset: number, bytes: number): ByteString {
  if (offset === 0) return source;
  const copy = new Uint8Array(bytes);
  host.readAt(source, copy, offset);
  return host.unnamed(copy);
}

/** What clang has said, where nobody has seen it. */
function indented(errors: ByteString = ""): ByteString {
  return errors.trim().replace(/^(?=.)/, "\n").replaceAll("\n", "\n>>> ");
}

/** What clang told the plugin it expects: `-plugin-opt=O2`, `mcpu=…`, `-function-sections=1`. */
function clangOptions(options: LinkOptions): ByteString[] {
  const found = ["-c", "-Wno-override-module", "-w", options.shared ? "-fPIC" : options.pie ? "-fPIE" : "-fno-pie"];
  let level = "-O2";
  for (const option of options.pluginOpts) {
    const cpu = /^-?mcpu=(.+)$/.exec(option)?.[1];
    if (/^O[0-3]$/.test(option)) level = `-${option}`;
    else if (cpu !== undefined) found.push(`-march=${cpu}`);
    else if (/^-?function-sections=1$/.test(option)) found.push("-ffunction-sections");
    else if (/^-?data-sections=1$/.test(option)) found.push("-fdata-sections");
  }
  return [level, ...found];
}

/** Beside LLVM's plugin when the driver named it, else along PATH. "" = nowhere. */
function findClang({ options, host }: Context): ByteString {
  const lib = parentOf(options.plugin);
  const beside = /LLVMgold/.test(options.plugin) ? [`${parentOf(lib)}/bin/clang`] : [];
  const names = [...Array.from({ length: NEWEST - OLDEST + 1 }, (_, i) => `clang-${NEWEST - i}`), "clang"];
  const folders = (host.env("PATH") ?? "").split(":").filter((folder) => folder !== "");
  const candidates = [...beside, ...names.flatMap((name) => folders.map((folder) => `${folder}/${name}`))];
  return candidates.find((path) => host.exists(path)) ?? "";
}
