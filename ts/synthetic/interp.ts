/**
 * .interp: path of the program that loads a dynamically linked executable (gABI ch. 5, Program Interpreter).
 *
 * There is no built-in path: as with lld, it exists only when --dynamic-linker says so; compilers always do.
 */
import { SHF_ALLOC, SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

export class InterpSection extends SectionBase implements SyntheticSection {
  readonly name = ".interp";
  readonly sh_type = SHT_PROGBITS;
  readonly sh_flags = SHF_ALLOC;
  readonly align = 0;

  isNeeded(ctx: Context): boolean {
    const { dynamicLinker, shared, relocatable } = ctx.options;
    return dynamicLinker !== undefined && dynamicLinker !== "" && !shared && !relocatable && ctx.params.get("dynamic") !== 0;
  }

  size(ctx: Context): number {
    return (ctx.options.dynamicLinker ?? "").length + 1;
  }

  write(ctx: Context, out: Uint8Array): void {
    const path = ctx.options.dynamicLinker ?? "";
    for (let i = 0; i < path.length; i++) out[i] = path.charCodeAt(i);
  }
}
