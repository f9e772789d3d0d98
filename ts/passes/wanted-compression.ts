/** --compress-debug-sections and --compress-sections: which output sections they mean. compress-sections.ts does it; pages cannot. */
import { SHF_ALLOC, SHT_NOBITS } from "../../as-kernels/shared/elf.ts";
import type { ByteString, Compression } from "../args/link-options.ts";
import type { Context, OutputSection } from "../context.ts";
import type { Diagnostics } from "../diagnostics/print.ts";
import { Glob, GlobError } from "../script/glob.ts";

/** An output section that shall be compressed. */
export interface Wanted {
  osec: OutputSection;
  as: Compression;
}

/** Which of `osecs` the options want compressed. */
export function wantedSections(ctx: Context, osecs: OutputSection[]): Wanted[] {
  const patterns = ctx.options.compressSections.map(({ glob, ...as }) => ({ glob: pattern(ctx, glob), as }));
  const wanted: Wanted[] = [];
  for (const osec of osecs) {
    const as = wish(ctx, patterns, osec);
    if (as !== null) wanted.push({ osec, as });
  }
  ctx.diag.throwIfErrors();
  return wanted;
}

/** What the options say about an output section: the last pattern that fits decides (lld). */
function wish(ctx: Context, patterns: { glob: Glob; as: Compression }[], osec: OutputSection): Compression | null {
  const { options, diag } = ctx;
  let chosen: Compression = { kind: "none", level: 0 };
  if (osec.name.startsWith(".debug_") && (osec.sh_flags & SHF_ALLOC) === 0) chosen = options.compressDebug;
  for (const { glob, as } of patterns) if (glob.matches(osec.name)) chosen = as;
  if (chosen.kind === "none" || osec.size === 0 || osec.sh_type === SHT_NOBITS) return null;
  if ((osec.sh_flags & SHF_ALLOC) !== 0) {
    diag.errorOrWarn({ code: "BAD_OPTION", text: `--compress-sections: section '${osec.name}' with the SHF_ALLOC flag cannot be compressed` });
    return null;
  }
  return osec.synthetic.length > 0 ? null : chosen;
}

function pattern(ctx: Context, text: ByteString): Glob {
  try {
    return new Glob(text);
  } catch (error) {
    if (!(error instanceof GlobError)) throw error;
    return ctx.diag.fatal({ code: "BAD_OPTION", text: `--compress-sections: ${error.message}` });
  }
}

export function noCompression(diag: Diagnostics, { osec, as }: Wanted): never {
  return diag.fatal(`${osec.name}: compression with ${as.kind} is not available in this runtime`);
}
