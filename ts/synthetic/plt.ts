/**
 * .plt: a header and an entry per function that another module may define, bound lazily or at start (-z now).
 *
 * Machine code comes from the architecture (ts/arch); the kernel copies it and fills the fields in.
 */
import { SHF_ALLOC, SHF_EXECINSTR, SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import type { PltCode } from "../arch/arch.ts";
import type { Context } from "../context.ts";
import type { SyntheticSection } from "./section.ts";

/** Kinds of writePlt (as-kernels/passes/create-synthetic.ts). */
export const PLT_LAZY = 0;
export const PLT_GOT = 1;
export const PLT_IFUNC = 2;

/** Has the kernel write all entries of one kind at `outAddr`. */
export function writeEntries(ctx: Context, kind: number, outAddr: number, code: PltCode): void {
  const { arena, kernels } = ctx;
  const mark = arena.mark();
  const template = arena.alloc(code.bytes.length);
  arena.u8.set(code.bytes, template);
  kernels.writePlt!(kind, outAddr, template, code.bytes.length, code.slot, code.index, code.header);
  arena.release(mark);
}

export class PltSection implements SyntheticSection {
  readonly name = ".plt";
  readonly sh_type = SHT_PROGBITS;
  readonly sh_flags = SHF_ALLOC | SHF_EXECINSTR;
  readonly align = 4;
  readonly sh_entsize = 0;
  address = 0n;
  osec = 0;

  isNeeded(ctx: Context): boolean {
    return ctx.params.get("pltCount") > 0;
  }

  size(ctx: Context): number {
    const { arch, params } = ctx;
    return arch.pltHeader.bytes.length + params.get("pltCount") * arch.pltEntry.bytes.length;
  }

  write(ctx: Context, out: Uint8Array, outAddr: number): void {
    const { bytes, link, resolver } = ctx.arch.pltHeader;
    const view = new DataView(out.buffer, out.byteOffset);
    const gotPlt = ctx.synthetics.gotPlt!.address;
    const toWord = (word: bigint, field: number) => Number(BigInt.asIntN(32, gotPlt + 8n * word - (this.address + BigInt(field + 4))));
    out.set(bytes);
    view.setInt32(link, toWord(1n, link), true);
    view.setInt32(resolver, toWord(2n, resolver), true);
    writeEntries(ctx, PLT_LAZY, outAddr, ctx.arch.pltEntry);
  }
}
