/**
 * Options that contradict each other or cannot be obeyed yet: said at once, so that nobody believes they took effect.
 *
 * What would change the meaning of the output is an error; what only leaves out an optimisation or a mark is a warning.
 */
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { HostError } from "../host/host.ts";
import { debugPath } from "./separate-debug.ts";

/** e_machine (gABI ch. 4 ELF Header). */
const MACHINES = { AArch64: 183, ARM: 40, PowerPC64: 21, "RISC-V": 243 };

export function checkOptions(ctx: Context): void {
  const { options, diag } = ctx;
  checkPages(ctx);
  for (const { option, machine } of options.machineOptions) {
    if (MACHINES[machine] === ctx.arch.e_machine) continue;
    diag.error({ code: "BAD_OPTION", text: option.startsWith("-z ") ? `${option} only supported on ${machine}` : `${option} is only supported on ${machine} targets` });
  }
  if (options.emitRelocs && options.strip === "all") diag.error({ code: "BAD_OPTION", text: "--strip-all and --emit-relocs may not be used together" });
  if (!options.shared && options.filter.length > 0) diag.error({ code: "BAD_OPTION", text: "-F may not be used without -shared" });
  if (!options.shared && options.auxiliary.length > 0) diag.error({ code: "BAD_OPTION", text: "-f may not be used without -shared" });
  if (options.z.text && options.z.ifuncNoplt) diag.error({ code: "BAD_OPTION", text: "-z text and -z ifunc-noplt may not be used together" });
  if (options.z.retpolineplt && options.z.forceIbt) diag.error({ code: "BAD_OPTION", text: "-z force-ibt may not be used with -z retpolineplt" });
}

/** Once the inputs are read, and with them OUTPUT() of scripts: nobody wants to learn at the end that a path was mistyped. */
export function checkPaths(ctx: Context): void {
  const { options, diag, host } = ctx;
  const check = (what: string, path: ByteString, replaced: boolean): void => {
    try {
      host.checkWritable(path, replaced);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      diag.error({ code: "OUTPUT", text: `cannot open ${what} file ${path}: ${error.message}` });
    }
  };
  check("output", options.output, true);
  if (options.separateDebug !== "") check("--separate-debug-file", debugPath(options), true);
  if (options.mapFile !== "" && host.stat(options.mapFile)?.kind !== "directory") check("map", options.mapFile, false);
  if (options.reportFile !== "") check("--report", options.reportFile, false);
  if (options.metafile !== "") check("--metafile", options.metafile, false);
  diag.throwIfErrors();
}

/**
 * Once it is known what is linked. Without -m the output is for the system that the first input names: first on the command line (lld, which asks
 * archive members that are not linked, too). A raw image has no symbol table, no debug information, no relocations, no RELRO.
 */
export function settleFormat(ctx: Context): void {
  const { options, diag } = ctx;
  if (ctx.osabi < 0) ctx.osabi = ctx.kernels.firstAbi(ctx.tables.obj.rows);
  if (!options.binary) return;
  if (options.relocatable) diag.error({ code: "BAD_OPTION", text: `-r and --oformat=${options.hexFormat || "binary"} may not be used together` });
  options.strip = "all";
  options.emitRelocs = false;
  // No program header speaks of it, and nothing is padded to a page for its sake.
  options.z.relro = false;
}

/** -n and -N: nothing is aligned to pages, so PT_GNU_RELRO could protect nothing. */
function checkPages({ options, diag, arch }: Context): void {
  const { z, imageBase, scripts, defaultScript } = options;
  if (options.nmagic || options.omagic) {
    // Scripts ask for page sizes on their own: CONSTANT(COMMONPAGESIZE) in EDK2's.
    const sizes = [["max", z.maxPageSize, arch.maxPageSize], ["common", z.commonPageSize, arch.commonPageSize]] as const;
    if (scripts.length === 0 && defaultScript === "") {
      for (const [name, size, usual] of sizes) if (size !== 0 && size !== usual) diag.warn({ code: "BAD_OPTION", text: `-z ${name}-page-size set, but paging disabled by omagic or nmagic` });
    }
    z.relro = false;
  } else if (imageBase !== undefined && imageBase % BigInt(z.maxPageSize || arch.maxPageSize) !== 0n) {
    const spelling = options.segmentStarts.get("text-segment") === imageBase ? "-Ttext-segment" : "--image-base";
    diag.warn({ code: "BAD_OPTION", text: `${spelling}: address isn't multiple of page size: 0x${imageBase.toString(16)}` });
  }
}
