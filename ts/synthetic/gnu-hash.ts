/**
 * .gnu.hash: bloom filter, buckets and chains over the definitions at the end of .dynsym.
 *
 * Sizes as lld: 12 filter bits per symbol rounded up to a power of two of words, four symbols per bucket.
 */
import { SHF_ALLOC, SHT_GNU_HASH } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

const HEADER_BYTES = 16;
const WORD_BYTES = 8;
const FILTER_BITS_PER_SYMBOL = 12;
/** The filter's second bit comes from the hash shifted right by this. */
const BLOOM_SHIFT = 26;

export class GnuHashSection extends SectionBase implements SyntheticSection {
  readonly name = ".gnu.hash";
  readonly sh_type = SHT_GNU_HASH;
  readonly sh_flags = SHF_ALLOC;
  readonly align = 3;
  readonly link = ".dynsym";

  isNeeded(ctx: Context): boolean {
    return ctx.options.hashStyle === "gnu" || ctx.options.hashStyle === "both";
  }

  size(ctx: Context): number {
    const { hashed, buckets } = ctx.synthetics.dynsym!;
    return HEADER_BYTES + maskWords(hashed) * WORD_BYTES + (buckets + hashed) * 4;
  }

  write(ctx: Context, _out: Uint8Array, outAddr: number): void {
    const { count, hashed, hashes, buckets } = ctx.synthetics.dynsym!;
    ctx.kernels.writeGnuHash(hashes, hashed, count - hashed + 1, outAddr, buckets, maskWords(hashed), BLOOM_SHIFT);
  }
}

/** Filter words of 64 bits: the power of two above the wanted number. */
function maskWords(symbols: number): number {
  let words = 1;
  const wanted = Math.floor((symbols * FILTER_BITS_PER_SYMBOL) / 64);
  while (words <= wanted) words *= 2;
  return words;
}
