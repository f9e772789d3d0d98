/**
 * .iplt: entries for IFUNCs that are bound inside the output; each jumps through its word of .got.plt, which an IRELATIVE
 * relocation fills at start. Exists in static executables too. It is its own section so that entry numbers of .plt stay those
 * of .rela.plt.
 */
import { SHF_ALLOC, SHF_EXECINSTR, SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { PLT_IFUNC, pltStyle, writeEntries } from "./plt.ts";
import type { SyntheticSection } from "./section.ts";

export class IpltSection implements SyntheticSection {
  readonly name = ".iplt";
  readonly sh_type = SHT_PROGBITS;
  readonly sh_flags = SHF_ALLOC | SHF_EXECINSTR;
  readonly align = 4;
  readonly sh_entsize = 0;
  address = 0n;
  osec = 0;

  isNeeded(ctx: Context): boolean {
    return ctx.params.get("ipltCount") > 0;
  }

  size(ctx: Context): number {
    return ctx.params.get("ipltCount") * pltStyle(ctx).iplt.bytes.length;
  }

  write(ctx: Context, _out: Uint8Array, outAddr: number): void {
    writeEntries(ctx, PLT_IFUNC, outAddr, pltStyle(ctx).iplt);
  }
}
