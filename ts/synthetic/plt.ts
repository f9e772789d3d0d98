/**
 * .plt: a header and an entry per function that another module may define, bound lazily or at start (-z now); .plt.sec, its
 * second half where processors check indirect branches; .plt.got and .iplt.
 *
 * Machine code comes from the architecture (ts/arch) in one of its styles; the kernel copies it and fills the fields in.
 */
import { PLT_GOT, PLT_IFUNC, PLT_LAZY, PLT_SECOND } from "../../as-kernels/shared/cells.ts";
import { SHF_ALLOC, SHF_EXECINSTR, SHT_PROGBITS } from "../../as-kernels/shared/elf.ts";
import type { PltCode, PltStyle } from "../arch/arch.ts";
import type { Context } from "../context.ts";
import { GNU_PROPERTY_X86_FEATURE_1_AND, GNU_PROPERTY_X86_FEATURE_1_IBT } from "./note-property.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

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
function writeEntries(ctx: Context, kind: number, outAddr: number, code: PltCode, skip = 0): void {
  const { arena, kernels } = ctx;
  const mark = arena.mark();
  const template = arena.alloc(code.bytes.length);
  arena.u8.set(code.bytes, template);
  const header = code.header.reduce((packed, field, i) => packed | (field << (8 * i)), 0);
  kernels.writePlt(kind, outAddr, template, code.bytes.length, skip, code.slot, code.index, header);
  arena.release(mark);
}

export class PltSection extends SectionBase implements SyntheticSection {
  readonly name = ".plt";
  readonly sh_type = SHT_PROGBITS;
  readonly sh_flags = SHF_ALLOC | SHF_EXECINSTR;
  readonly align = 4;

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

/** Sections of entries and nothing else: the kind, how many there are (params), which code of the style, log2 of the alignment. */
const ENTRIES = {
  /** Where calls go in place of .plt, in styles that have it. */
  ".plt.sec": [PLT_SECOND, "pltCount", "second", 4],
  /**
   * Jump through a word of .got, for functions that have one anyway and need no lazy binding. Saves the second word and its relocation.
   * GNU ld always makes it, lld never; we do as lld, but with -z now -O2 the saving is taken (params.usePltGot).
   */
  ".plt.got": [PLT_GOT, "pltGotCount", "got", 3],
  /**
   * For IFUNCs that are bound inside the output, also of static executables; each jumps through its word of .got.plt, which an IRELATIVE
   * relocation fills at start. A section of its own so that entry numbers of .plt stay those of .rela.plt.
   */
  ".iplt": [PLT_IFUNC, "ipltCount", "iplt", 4],
} as const;

export class PltEntries extends SectionBase implements SyntheticSection {
  readonly name: keyof typeof ENTRIES;
  readonly sh_type = SHT_PROGBITS;
  readonly sh_flags = SHF_ALLOC | SHF_EXECINSTR;
  readonly align: number;

  constructor(name: keyof typeof ENTRIES) {
    super();
    this.name = name;
    this.align = ENTRIES[name][3];
  }

  isNeeded(ctx: Context): boolean {
    return this.size(ctx) > 0;
  }

  size(ctx: Context): number {
    const [, count, code] = ENTRIES[this.name];
    return ctx.params.get(count) * (pltStyle(ctx)[code]?.bytes.length ?? 0);
  }

  write(ctx: Context, _out: Uint8Array, outAddr: number): void {
    const [kind, , code] = ENTRIES[this.name];
    writeEntries(ctx, kind, outAddr, pltStyle(ctx)[code]!);
  }
}
