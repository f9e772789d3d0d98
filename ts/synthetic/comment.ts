/**
 * .comment: says which linker made the file, beside the compilers' own strings (which are ordinary merged sections).
 */
import { SHF_MERGE, SHF_STRINGS, SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import { VERSION } from "../args/identity.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

/** As in lld, LLD_VERSION in the environment replaces the text: outputs of different versions can be compared byte by byte. */
const textOf = (ctx: Context): ByteString => ctx.host.env("LLD_VERSION") ?? `Linker: wield ${VERSION}`;

export class CommentSection extends SectionBase implements SyntheticSection {
  readonly name = ".comment";
  readonly sh_type = SHT_PROGBITS;
  readonly sh_flags = SHF_MERGE | SHF_STRINGS;
  readonly align = 0;
  override readonly sh_entsize = 1;
  private text: ByteString | null = null;

  isNeeded(ctx: Context): boolean {
    return !ctx.options.relocatable && ctx.options.linkerVersion;
  }

  size(ctx: Context): number {
    this.text ??= textOf(ctx);
    return this.text.length + 1;
  }

  write(ctx: Context, out: Uint8Array): void {
    const text = (this.text ??= textOf(ctx));
    for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  }
}
