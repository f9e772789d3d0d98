/**
 * .relr.dyn: relative relocations at even addresses, packed as addresses and bitmaps (gABI draft, SHT_RELR).
 *
 * Its size depends on the addresses it holds, which depend on its size: layout repeats until it stops growing. It never
 * shrinks, so that layout settles; a word too many is a bitmap of nothing.
 */
import { SHF_ALLOC, SHT_ANDROID_RELR, SHT_RELR } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { WORD_BYTES } from "./got.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

const EMPTY_BITMAP = 1n;

export class RelrSection extends SectionBase implements SyntheticSection {
  readonly name = ".relr.dyn";
  readonly sh_type: number;
  readonly sh_flags = SHF_ALLOC;
  readonly align = 3;
  override readonly sh_entsize = WORD_BYTES;
  private words = 0;

  constructor(androidTags = false) {
    super();
    this.sh_type = androidTags ? SHT_ANDROID_RELR : SHT_RELR;
  }

  isNeeded(ctx: Context): boolean {
    return ctx.params.get("relrCount") > 0;
  }

  size(): number {
    return this.words * WORD_BYTES;
  }

  settle(ctx: Context): boolean {
    const mark = ctx.arena.mark();
    const addresses = this.sorted(ctx);
    const words = ctx.kernels.encodeRelr(addresses, ctx.params.get("relrCount"), 0);
    ctx.arena.release(mark);
    if (words <= this.words) return false;
    this.words = words;
    return true;
  }

  write(ctx: Context, out: Uint8Array, outAddr: number): void {
    const mark = ctx.arena.mark();
    const used = ctx.kernels.encodeRelr(this.sorted(ctx), ctx.params.get("relrCount"), outAddr);
    ctx.arena.release(mark);
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    for (let i = used; i < this.words; i++) view.setBigUint64(i * WORD_BYTES, EMPTY_BITMAP, true);
  }

  /** All addresses, ascending; the sections are visited in output order, so that there is little to sort. */
  private sorted(ctx: Context): number {
    const { arena, kernels, params, tables } = ctx;
    const count = params.get("relrCount");
    let from = arena.alloc(count * WORD_BYTES);
    let to = arena.alloc(count * WORD_BYTES);
    let found = 0;
    for (const osec of ctx.osecs) {
      const base = tables.osec.memberBase[osec.id]!;
      found += kernels.collectRelr(base, base + tables.osec.memberCount[osec.id]!, from + found * WORD_BYTES);
    }
    found += kernels.collectGotRelr(1, params.get("auxRows") + 1, from + found * WORD_BYTES);
    if (found !== count) throw new Error(`.relr.dyn: ${found} relocations found, ${count} counted`);
    for (let runs = 2; runs > 1; [from, to] = [to, from]) runs = kernels.mergeAddresses(from, to, count);
    return from;
  }
}
