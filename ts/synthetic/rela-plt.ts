/**
 * .rela.plt: a JUMP_SLOT relocation per .plt entry, in entry order (a lazy entry pushes its number in this section), then the IRELATIVE
 * ones. .rel.plt with -z rel.
 */
import { REL_BYTES, RELA_BYTES, SHF_ALLOC, SHF_INFO_LINK, SHT_REL, SHT_RELA } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { irelativeBehindPlt, writeRel, type RelocationForm } from "./rela-dyn.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

export class RelaPltSection extends SectionBase implements SyntheticSection {
  readonly name: string;
  readonly sh_type: number;
  readonly sh_flags = SHF_ALLOC | SHF_INFO_LINK;
  readonly align = 3;
  override readonly sh_entsize: number;
  readonly link = ".dynsym";
  readonly info = ".got.plt";
  private readonly form: RelocationForm;

  constructor(form: RelocationForm = "rela") {
    super();
    this.form = form;
    this.name = form === "rel" ? ".rel.plt" : ".rela.plt";
    this.sh_type = form === "rel" ? SHT_REL : SHT_RELA;
    this.sh_entsize = form === "rel" ? REL_BYTES : RELA_BYTES;
  }

  isNeeded(ctx: Context): boolean {
    return this.count(ctx) > 0;
  }

  private count(ctx: Context): number {
    return ctx.params.get("pltCount") + (irelativeBehindPlt(ctx, this.form) ? ctx.params.get("ipltCount") : 0);
  }

  size(ctx: Context): number {
    return this.count(ctx) * this.sh_entsize;
  }

  write(ctx: Context, out: Uint8Array, outAddr: number): void {
    if (this.form !== "rel") this.writeRecords(ctx, outAddr);
    else writeRel(ctx, out, this.count(ctx), (records) => this.writeRecords(ctx, records));
  }

  private writeRecords(ctx: Context, to: number): void {
    const { kernels, params } = ctx;
    const rows = params.get("auxRows") + 1;
    kernels.writeJumpSlots(1, rows, to);
    if (irelativeBehindPlt(ctx, this.form)) kernels.writeIrelative(1, rows, to + params.get("pltCount") * RELA_BYTES);
  }
}
