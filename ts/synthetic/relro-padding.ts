/**
 * .relro_padding: fills the last page of PT_GNU_RELRO, because the dynamic linker protects whole pages (as lld does).
 * Takes memory, not file; its size is set by assign-addresses.
 */
import { SHF_ALLOC, SHF_WRITE, SHT_NOBITS } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

export class RelroPadding extends SectionBase implements SyntheticSection {
  readonly name = ".relro_padding";
  readonly sh_type = SHT_NOBITS;
  readonly sh_flags = SHF_ALLOC | SHF_WRITE;
  readonly align = 0;

  /** Whether anything is RELRO is not known yet: order-sections drops the padding when nothing is. */
  isNeeded(ctx: Context): boolean {
    return ctx.options.z.relro && !ctx.options.relocatable;
  }

  size(): number {
    return 0;
  }

  write(): void {}
}
