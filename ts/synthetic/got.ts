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

  write(ctx: Context, out: Uint8Array, outAddr: number): void {
    const { params, kernels } = ctx;
    const pair = params.get("tlsModuleGot");
    // In an executable the module of local dynamic code is known: number 1.
    if (pair !== 0 && params.get("shared") === 0) out[(pair - 1) * WORD_BYTES] = 1;
    kernels.writeGot(1, params.get("auxRows") + 1, outAddr);
  }
}
