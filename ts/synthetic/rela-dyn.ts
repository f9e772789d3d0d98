/**
 * .rela.dyn: RELATIVE relocations by address, then the symbolic ones by symbol and address, then IRELATIVE.
 *
 * Input sections' records are in memory (params.relaDyn) when this is written: relocate put each section's into its slice.
 * This adds those of .got and the copies, and sorts. IRELATIVE comes last, because resolvers may look at relocated data.
 */
import { R_X86_64_DTPMOD64, RELA_BYTES, SHF_ALLOC, SHT_RELA } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { WORD_BYTES } from "./got.ts";
import type { SyntheticSection } from "./section.ts";

export class RelaDynSection implements SyntheticSection {
  readonly name = ".rela.dyn";
  readonly sh_type = SHT_RELA;
  readonly sh_flags = SHF_ALLOC;
  readonly align = 3;
  readonly sh_entsize = RELA_BYTES;
  readonly link = ".dynsym";
  address = 0n;
  osec = 0;
  /** Symbolic records of .got and of copies: they come before those of input sections. */
  private readonly ownSymbolic: number;

  constructor(ownSymbolic: number) {
    this.ownSymbolic = ownSymbolic;
  }

  isNeeded(ctx: Context): boolean {
    return this.size(ctx) > 0;
  }

  size(ctx: Context): number {
    const { params } = ctx;
    return (params.get("relativeCount") + params.get("symbolicCount") + params.get("ipltCount")) * RELA_BYTES;
  }

  /** R_*_RELATIVE entries it begins with: DT_RELACOUNT. */
  relativeCount(ctx: Context): number {
    return ctx.params.get("relativeCount");
  }

  write(ctx: Context, out: Uint8Array, outAddr: number): void {
    const { params, kernels } = ctx;
    const relative = params.get("relativeCount");
    const symbolic = params.get("symbolicCount");
    const records = params.get("relaDyn");
    params.set("gotRelative", 0);
    params.set("gotSymbolic", relative);
    kernels.writeGotRelocs!(1, params.get("auxRows") + 1);
    this.addOwn(ctx, records + params.get("gotSymbolic") * RELA_BYTES);
    if (ctx.options.z.combreloc) {
      sortRecords(ctx, records, outAddr, relative, 0);
      sortRecords(ctx, records + relative * RELA_BYTES, outAddr + relative * RELA_BYTES, symbolic, 1);
    } else {
      out.set(ctx.arena.bytes(records, (relative + symbolic) * RELA_BYTES));
    }
    kernels.writeIrelative!(1, params.get("auxRows") + 1, outAddr + (relative + symbolic) * RELA_BYTES);
  }

  /** Relocations that no section and no aux row stands for: local dynamic's module number, copies. */
  private addOwn(ctx: Context, address: number): void {
    const { arena, params, tables } = ctx;
    let word = address >>> 3;
    const put = (r_offset: bigint, sym: number, type: number) => {
      arena.u64[word++] = r_offset;
      arena.u64[word++] = (BigInt(sym) << 32n) | BigInt(type);
      arena.u64[word++] = 0n;
    };
    const pair = params.get("tlsModuleGot");
    if (pair !== 0 && params.get("shared") === 1) put(params.get("gotAddr") + BigInt((pair - 1) * WORD_BYTES), 0, R_X86_64_DTPMOD64);
    for (const { section } of copySections(ctx)) {
      for (const copy of section.copies) put(section.address + BigInt(copy.offset), tables.gsym.dynsym[copy.sym]!, ctx.arch.dynamic.copy);
    }
    if (word * 8 !== params.get("relaDyn") + (params.get("relativeCount") + this.ownSymbolic) * RELA_BYTES) {
      throw new Error(".rela.dyn: the records written for .got and copies are not those counted");
    }
  }
}

/** The sections that hold copies, if any. */
function copySections(ctx: Context): { section: { copies: readonly { sym: number; offset: number }[]; address: bigint } }[] {
  return [ctx.synthetics.copyRel, ctx.synthetics.copyRelRo].flatMap((section) => (section === null ? [] : [{ section }]));
}

/** Sorts `count` records at `from` into `to`; both are overwritten. */
function sortRecords(ctx: Context, from: number, to: number, count: number, bySymbol: number): void {
  if (count === 0) return;
  let [source, target] = [from, to];
  while (ctx.kernels.mergeRela!(source, target, count, bySymbol) > 1) [source, target] = [target, source];
  if (target !== to) ctx.arena.u8.copyWithin(to, target, target + count * RELA_BYTES);
}
