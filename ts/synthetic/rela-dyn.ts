/**
 * .rela.dyn: RELATIVE relocations by address, then the symbolic ones by symbol and address, then IRELATIVE if there is no .rela.plt.
 *
 * Input sections' records are in memory (params.relaDyn) when this is written: relocate put each section's into its slice.
 * This adds those of .got and the copies, and sorts. IRELATIVE comes last, because resolvers may look at relocated data.
 * Two other forms: without addends (-z rel, then they are in place), and packed for Android, whose size depends on addresses and
 * is found out in every layout round.
 */
import { BY_INFO, BY_OFFSET, BY_SYMBOL } from "../../as-kernels/shared/cells.ts";
import { REL_BYTES, RELA_BYTES, SHF_ALLOC, SHT_ANDROID_RELA, SHT_REL, SHT_RELA } from "../../as-kernels/shared/elf.ts";
import { isLld } from "../args/identity.ts";
import type { LinkOptions } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import type { CopyRelSection } from "./copy-rel.ts";
import { WORD_BYTES } from "./got.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

export type RelocationForm = "rela" | "rel" | "android";

export function relocationForm({ packAndroid, z }: LinkOptions): RelocationForm {
  return packAndroid ? "android" : z.rel ? "rel" : "rela";
}

/**
 * Whether IRELATIVE stands in .rela.plt (lld: always in .rela.dyn). Loaders relocate the words of .plt after all of .rela.dyn, and resolvers
 * may call through .plt. Android's loader takes IRELATIVE from nowhere else.
 */
export function irelativeBehindPlt({ params, options }: Context, form: RelocationForm): boolean {
  return form === "android" || (params.get("pltCount") > 0 && !isLld(options));
}

/** Bytes a record that refers to a symbol without a place yet may grow by: two numbers in SLEB128. */
const OPEN_BYTES = 20;

/** -z rel: `count` records without their addends at `out`; `write` makes them with addends. */
export function writeRel({ arena, kernels }: Context, out: Uint8Array, count: number, write: (records: number) => void): void {
  const mark = arena.mark();
  const records = arena.alloc(count * RELA_BYTES);
  write(records);
  kernels.dropAddends(records, count);
  out.set(arena.bytes(records, out.length));
  arena.release(mark);
}

export class RelaDynSection extends SectionBase implements SyntheticSection {
  readonly name: string;
  readonly sh_type: number;
  readonly sh_flags = SHF_ALLOC;
  readonly align = 3;
  override readonly sh_entsize: number;
  readonly link = ".dynsym";
  readonly late = true;
  /** Symbolic records of .got and of copies: they come before those of input sections. */
  private readonly ownSymbolic: number;
  private readonly form: RelocationForm;
  /** Android: bytes of the packed form. It never shrinks, so that layout settles; trailing zeroes are no relocations. */
  private packed = 0;

  constructor(ownSymbolic: number, form: RelocationForm = "rela") {
    super();
    this.ownSymbolic = ownSymbolic;
    this.form = form;
    this.name = form === "rel" ? ".rel.dyn" : ".rela.dyn";
    this.sh_type = form === "android" ? SHT_ANDROID_RELA : form === "rel" ? SHT_REL : SHT_RELA;
    this.sh_entsize = form === "android" ? 1 : form === "rel" ? REL_BYTES : RELA_BYTES;
  }

  isNeeded(ctx: Context): boolean {
    return this.count(ctx) > 0;
  }

  /** Relocations it holds. */
  private count(ctx: Context): number {
    const { params } = ctx;
    return params.get("relativeCount") + params.get("symbolicCount") + (irelativeBehindPlt(ctx, this.form) ? 0 : params.get("ipltCount"));
  }

  size(ctx: Context): number {
    return this.form === "android" ? this.packed : this.count(ctx) * this.sh_entsize;
  }

  /** R_*_RELATIVE entries it begins with: DT_RELACOUNT. */
  relativeCount(ctx: Context): number {
    return this.form === "android" ? 0 : ctx.params.get("relativeCount");
  }

  /** Android: the size with the addresses of now. */
  settle(ctx: Context): boolean {
    if (this.form !== "android" || !this.isNeeded(ctx)) return false;
    const { kernels, tables } = ctx;
    kernels.resolveAddresses(1, tables.sym.rows);
    ctx.synthetics.copyRel?.resolve(ctx);
    ctx.synthetics.copyRelRo?.resolve(ctx);
    kernels.resolveAux(1, ctx.params.get("auxRows") + 1);
    let open = 0;
    for (const osec of ctx.osecs) {
      const base = tables.osec.memberBase[osec.id]!;
      open += kernels.collectRecords(base, base + tables.osec.memberCount[osec.id]!);
    }
    this.addGot(ctx);
    const bytes = this.pack(ctx, 0, 0) + open * OPEN_BYTES;
    if (bytes <= this.packed) return false;
    this.packed = bytes;
    return true;
  }

  write(ctx: Context, out: Uint8Array, outAddr: number): void {
    this.addGot(ctx);
    if (this.form === "android") {
      const used = this.pack(ctx, outAddr, 1);
      if (used > this.packed) throw new Error(`.rela.dyn: ${used} bytes packed, ${this.packed} promised`);
      return;
    }
    if (this.form === "rela") this.writeRecords(ctx, outAddr);
    else writeRel(ctx, out, this.count(ctx), (records) => this.writeRecords(ctx, records));
  }

  /** All records at `to`, in their order. */
  private writeRecords(ctx: Context, to: number): void {
    const { arena, params, kernels } = ctx;
    const relative = params.get("relativeCount");
    const symbolic = params.get("symbolicCount");
    const records = params.get("relaDyn");
    if (ctx.options.z.combreloc) {
      sortRecords(ctx, records, to, relative, BY_OFFSET);
      sortRecords(ctx, records + relative * RELA_BYTES, to + relative * RELA_BYTES, symbolic, BY_SYMBOL);
    } else {
      arena.u8.copyWithin(to, records, records + (relative + symbolic) * RELA_BYTES);
    }
    if (!irelativeBehindPlt(ctx, this.form)) kernels.writeIrelative(1, params.get("auxRows") + 1, to + (relative + symbolic) * RELA_BYTES);
  }

  /** Packs all records to `out`; `write` = 0 only counts. Returns the bytes. */
  private pack(ctx: Context, out: number, write: number): number {
    const { arena, params, kernels } = ctx;
    const relative = params.get("relativeCount");
    const symbolic = params.get("symbolicCount");
    const mark = arena.mark();
    const first = arena.alloc(relative * RELA_BYTES);
    const others = arena.alloc(symbolic * RELA_BYTES);
    const loose = arena.alloc(symbolic * RELA_BYTES);
    const spare = arena.alloc((relative + symbolic) * RELA_BYTES);
    const records = params.get("relaDyn");
    // The records stay where they are: the next round wants them again.
    arena.u8.copyWithin(spare, records, records + (relative + symbolic) * RELA_BYTES);
    sortRecords(ctx, spare, first, relative, BY_OFFSET);
    sortRecords(ctx, spare + relative * RELA_BYTES, others, symbolic, BY_INFO);
    const looseCount = kernels.takeUngrouped(others, symbolic, spare);
    sortRecords(ctx, spare, loose, looseCount, BY_OFFSET);
    const bytes = kernels.packRecords(first, relative, others, symbolic, loose, looseCount, out, write);
    arena.release(mark);
    return bytes;
  }

  private addGot(ctx: Context): void {
    const { params, kernels } = ctx;
    params.set("gotRelative", 0);
    params.set("gotSymbolic", params.get("relativeCount"));
    kernels.writeGotRelocs(1, params.get("auxRows") + 1);
    this.addOwn(ctx, params.get("relaDyn") + params.get("gotSymbolic") * RELA_BYTES);
  }

  /** Relocations that no section and no aux row stands for: local dynamic's module number, copies. */
  private addOwn(ctx: Context, address: number): void {
    const { arch, arena, params, tables } = ctx;
    let word = address >>> 3;
    const put = (r_offset: bigint, sym: number, type: number) => {
      arena.u64[word++] = r_offset;
      arena.u64[word++] = (BigInt(sym) << 32n) | BigInt(type);
      arena.u64[word++] = 0n;
    };
    const pair = params.get("tlsModuleGot");
    if (pair !== 0) put(params.get("gotAddr") + BigInt((pair - 1) * WORD_BYTES), 0, arch.R_DTPMOD);
    for (const section of copySections(ctx)) {
      for (const copy of section.copies) put(section.address + BigInt(copy.offset), tables.gsym.dynsym[copy.sym]!, arch.R_COPY);
    }
    if (word * 8 !== params.get("relaDyn") + (params.get("relativeCount") + this.ownSymbolic) * RELA_BYTES) {
      throw new Error(".rela.dyn: the records written for .got and copies are not those counted");
    }
  }
}

/** The sections that hold copies, if any. */
const copySections = ({ synthetics: { copyRel, copyRelRo } }: Context): CopyRelSection[] => [copyRel, copyRelRo].filter((section) => section !== null);

/** Sorts `count` records at `from` into `to`; both are overwritten. */
function sortRecords(ctx: Context, from: number, to: number, count: number, order: number): void {
  if (count === 0) return;
  let [source, target] = [from, to];
  while (ctx.kernels.mergeRela(source, target, count, order) > 1) [source, target] = [target, source];
  if (target !== to) ctx.arena.u8.copyWithin(to, target, target + count * RELA_BYTES);
}
