/**
 * .got: one word per need: addresses of symbols, TP offsets, module and offset pairs, TLS descriptors.
 *
 * Slots are numbered by create-synthetic (aux rows); this only says how large the section is and has the kernel fill it.
 */
import { SHF_ALLOC, SHF_WRITE, SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

export const WORD_BYTES = 8;

export class GotSection extends SectionBase implements SyntheticSection {
  readonly name = ".got";
  readonly sh_type = SHT_PROGBITS;
  readonly sh_flags = SHF_ALLOC | SHF_WRITE;
  readonly align = 3;

  isNeeded(ctx: Context): boolean {
    return ctx.params.get("gotWords") > 0;
  }

  size(ctx: Context): number {
    return ctx.params.get("gotWords") * WORD_BYTES;
  }

  write(ctx: Context, _out: Uint8Array, outAddr: number): void {
    ctx.kernels.writeGot(1, ctx.params.get("auxRows") + 1, outAddr);
  }
}
