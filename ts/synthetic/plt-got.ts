/**
 * .plt.got: entries that jump through a word of .got, for functions that have one anyway and need no lazy binding.
 *
 * Saves the second word and its relocation. GNU ld always makes it, lld never; we do as lld, but with -z now -O2 the saving is
 * taken (params.usePltGot).
 */
import { SHF_ALLOC, SHF_EXECINSTR, SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { PLT_GOT, pltStyle, writeEntries } from "./plt.ts";
import type { SyntheticSection } from "./section.ts";

export class PltGotSection implements SyntheticSection {
  readonly name = ".plt.got";
  readonly sh_type = SHT_PROGBITS;
  readonly sh_flags = SHF_ALLOC | SHF_EXECINSTR;
  readonly align = 3;
  readonly sh_entsize = 0;
  address = 0n;
  osec = 0;

  isNeeded(ctx: Context): boolean {
    return ctx.params.get("pltGotCount") > 0;
  }

  size(ctx: Context): number {
    return ctx.params.get("pltGotCount") * pltStyle(ctx).got.bytes.length;
  }

  write(ctx: Context, _out: Uint8Array, outAddr: number): void {
    writeEntries(ctx, PLT_GOT, outAddr, pltStyle(ctx).got);
  }
}
