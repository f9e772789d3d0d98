/**
 * mold's symbols at the ends of output sections: --start-stop (__start_data_rel_ro, of any section that is loaded) and
 * --physical-image-base (__phys_start_X, the load address).
 *
 * Beside those of C identifiers (LinkerDefined.claimStartStop), and as those only when something refers to them. This is before
 * linker-made sections are known, so the usual ones are listed here; one that is not made has both ends at the start of the image.
 */
import { SHF_ALLOC } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { isIdentifier } from "./linker-defined.ts";

const MADE = ".interp .note.gnu.build-id .hash .gnu.hash .dynsym .dynstr .rela.dyn .rela.plt .plt .eh_frame_hdr .eh_frame .dynamic .got .got.plt .bss".split(" ");

/** After bind-sections. */
export function claimOtherEnds(ctx: Context): void {
  const { checkpoint: { linkerDefined }, options: { startStop, physicalBase } } = ctx;
  for (const section of [...loadedNames(ctx), ...MADE]) {
    if (!startStop && !isIdentifier(section)) continue;
    const name = section.replace(/^\./, "").replace(/[^A-Za-z0-9]/g, "_");
    if (startStop) linkerDefined.claimEnds(ctx, section, "__", name);
    if (physicalBase !== undefined) linkerDefined.claimEnds(ctx, section, "__phys_", name);
  }
}

function loadedNames({ arena, plan, tables: { osec } }: Context): ByteString[] {
  if (plan !== null) return plan.sections.filter((section) => (section.osec.sh_flags & SHF_ALLOC) !== 0).map((section) => section.osec.name);
  const names = Array.from({ length: osec.rows }, (_, id) => ((osec.sh_flags[id]! & SHF_ALLOC) !== 0 ? arena.string(osec.name[id]!, osec.nameBytes[id]!) : ""));
  return names.filter((name) => name !== "");
}
