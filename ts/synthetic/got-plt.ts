/**
 * .got.plt: three words for the dynamic linker, a word per .plt entry, a word per .iplt entry.
 *
 * Also what _GLOBAL_OFFSET_TABLE_ names on x86-64, so it exists when something is relative to that. The header is left out
 * when there are only IFUNC words, as in static executables.
 */
import { SHF_ALLOC, SHF_WRITE, SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";
import { WORD_BYTES } from "./got.ts";

export class GotPltSection extends SectionBase implements SyntheticSection {
  readonly name = ".got.plt";
  readonly sh_type = SHT_PROGBITS;
  readonly sh_flags = SHF_ALLOC | SHF_WRITE;
  readonly align = 3;

  isNeeded(ctx: Context): boolean {
    return this.size(ctx) > 0;
  }

  size(ctx: Context): number {
    const { params } = ctx;
    return (params.get("gotPltHeader") + params.get("pltCount") + params.get("ipltCount")) * WORD_BYTES;
  }

  write(ctx: Context, out: Uint8Array, outAddr: number): void {
    const { params, kernels } = ctx;
    // psABI ch. 5.2: the first word holds the address of the dynamic structure; the others are the dynamic linker's.
    if (params.get("gotPltHeader") > 0) new DataView(out.buffer, out.byteOffset).setBigUint64(0, ctx.synthetics.dynamic?.address ?? 0n, true);
    kernels.writeGotPlt(1, params.get("auxRows") + 1, outAddr);
  }
}
