/** .rela.plt: a JUMP_SLOT relocation per .plt entry, in entry order (a lazy entry pushes its number in this section). */
import { RELA_BYTES, SHF_ALLOC, SHF_INFO_LINK, SHT_RELA } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import type { SyntheticSection } from "./section.ts";

export class RelaPltSection implements SyntheticSection {
  readonly name = ".rela.plt";
  readonly sh_type = SHT_RELA;
  readonly sh_flags = SHF_ALLOC | SHF_INFO_LINK;
  readonly align = 3;
  readonly sh_entsize = RELA_BYTES;
  readonly link = ".dynsym";
  readonly info = ".got.plt";
  address = 0n;
  osec = 0;

  isNeeded(ctx: Context): boolean {
    return ctx.params.get("pltCount") > 0;
  }

  size(ctx: Context): number {
    return ctx.params.get("pltCount") * RELA_BYTES;
  }

  write(ctx: Context, _out: Uint8Array, outAddr: number): void {
    ctx.kernels.writeJumpSlots!(1, ctx.params.get("auxRows") + 1, outAddr);
  }
}
