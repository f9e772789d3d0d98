/**
 * .comment: says which linker made the file, beside the compilers' own strings (which are ordinary merged sections).
 */
import { SHF_MERGE, SHF_STRINGS, SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import { VERSION } from "../args/identity.ts";
import type { Context } from "../context.ts";
import type { SyntheticSection } from "./section.ts";

const TEXT = `Linker: wield ${VERSION}`;

export class CommentSection implements SyntheticSection {
  readonly name = ".comment";
  readonly sh_type = SHT_PROGBITS;
  readonly sh_flags = SHF_MERGE | SHF_STRINGS;
  readonly align = 0;
  readonly sh_entsize = 1;
  address = 0n;
  osec = 0;

  isNeeded(ctx: Context): boolean {
    return !ctx.options.relocatable;
  }

  size(): number {
    return TEXT.length + 1;
  }

  write(_ctx: Context, out: Uint8Array): void {
    for (let i = 0; i < TEXT.length; i++) out[i] = TEXT.charCodeAt(i);
  }
}
