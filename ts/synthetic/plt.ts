/**
 * .plt: a header and an entry per function that another module may define, bound lazily or at start (-z now); and .plt.sec, its
 * second half where processors check indirect branches.
 *
 * Machine code comes from the architecture (ts/arch) in one of its styles; the kernel copies it and fills the fields in.
 */
import { SHF_ALLOC, SHF_EXECINSTR, SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import type { PltCode, PltStyle } from "../arch/arch.ts";
import type { Context } from "../context.ts";
import { GNU_PROPERTY_X86_FEATURE_1_AND, GNU_PROPERTY_X86_FEATURE_1_IBT } from "./note-property.ts";
import type { SyntheticSection } from "./section.ts";

/** Kinds of writePlt (as-kernels/passes/create-synthetic.ts). */
const PLT_LAZY = 0;
export const PLT_GOT = 1;
export const PLT_IFUNC = 2;
const PLT_SECOND = 3;

/** -z retpolineplt asks for it; else the output's properties decide: what promises IBT must keep it in its own code too. */
export function pltStyle(ctx: Context): PltStyle {
  const { z } = ctx.options;
  if (z.retpolineplt) return ctx.arch.plt(z.now ? "retpoline-now" : "retpoline");
  const features = ctx.properties.get(GNU_PROPERTY_X86_FEATURE_1_AND) ?? 0;
  return ctx.arch.plt(z.ibtplt || (features & GNU_PROPERTY_X86_FEATURE_1_IBT) !== 0 ? "ibt" : "plain");
}

/** Tells the kernels where entries are; after addresses have been given. */
export function publishPlt(ctx: Context): void {
  const { params, synthetics } = ctx;
  const style = pltStyle(ctx);
  const plt = synthetics.plt?.address ?? 0n;
  const first = plt + BigInt(style.header.bytes.length);
  params.set("pltAddr", plt);
  params.set("pltFirst", style.second === null ? first : (synthetics.pltSec?.address ?? 0n));
  params.set("pltBytes", style.entry.bytes.length);
  params.set("pltLazy", style.lazy < 0 ? 0n : first + BigInt(style.lazy));
  params.set("pltGotAddr", synthetics.pltGot?.address ?? 0n);
  params.set("pltGotBytes", style.got.bytes.length);
  params.set("ipltAddr", synthetics.iplt?.address ?? 0n);
  params.set("ipltBytes", style.iplt.bytes.length);
}

/** Has the kernel write all entries of one kind, the first at `outAddr` + `skip`. */
export function writeEntries(ctx: Context, kind: number, outAddr: number, code: PltCode, skip = 0): void {
  const { arena, kernels } = ctx;
  const mark = arena.mark();
  const template = arena.alloc(code.bytes.length);
  arena.u8.set(code.bytes, template);
  const header = code.header.reduce((packed, field, i) => packed | (field << (8 * i)), 0);
  kernels.writePlt(kind, outAddr, template, code.bytes.length, skip, code.slot, code.index, header);
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

  /** Retpoline entries of .iplt run through its header. */
  isNeeded(ctx: Context): boolean {
    const { params } = ctx;
    return params.get("pltCount") > 0 || (params.get("ipltCount") > 0 && ctx.options.z.retpolineplt);
  }

  size(ctx: Context): number {
    const { header, entry } = pltStyle(ctx);
    return header.bytes.length + ctx.params.get("pltCount") * entry.bytes.length;
  }

  write(ctx: Context, out: Uint8Array, outAddr: number): void {
    const { header, entry } = pltStyle(ctx);
    const { bytes, link, resolver } = header;
    const view = new DataView(out.buffer, out.byteOffset);
    const gotPlt = ctx.synthetics.gotPlt!.address;
    const toWord = (word: bigint, field: number) => Number(BigInt.asIntN(32, gotPlt + 8n * word - (this.address + BigInt(field + 4))));
    out.set(bytes);
    if (link > 0) view.setInt32(link, toWord(1n, link), true);
    if (resolver > 0) view.setInt32(resolver, toWord(2n, resolver), true);
    writeEntries(ctx, PLT_LAZY, outAddr, entry, bytes.length);
  }
}

export class PltSecSection implements SyntheticSection {
  readonly name = ".plt.sec";
  readonly sh_type = SHT_PROGBITS;
  readonly sh_flags = SHF_ALLOC | SHF_EXECINSTR;
  readonly align = 4;
  readonly sh_entsize = 0;
  address = 0n;
  osec = 0;

  isNeeded(ctx: Context): boolean {
    return ctx.params.get("pltCount") > 0 && pltStyle(ctx).second !== null;
  }

  size(ctx: Context): number {
    return ctx.params.get("pltCount") * pltStyle(ctx).second!.bytes.length;
  }

  write(ctx: Context, _out: Uint8Array, outAddr: number): void {
    writeEntries(ctx, PLT_SECOND, outAddr, pltStyle(ctx).second!);
  }
}
