/** .shstrtab: names of the output sections, each once. */
import { SHT_STRTAB } from "../../as-kernels/shared/elf.ts";
import type { Context, OutputSection } from "../context.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";
import { StringTable } from "./string-table.ts";

export class SectionNames extends SectionBase implements SyntheticSection {
  readonly name = ".shstrtab";
  readonly sh_type = SHT_STRTAB;
  readonly sh_flags = 0;
  readonly align = 0;
  private table = new StringTable();
  /** Whose names the table has. */
  private osecs: readonly OutputSection[] | null = null;

  isNeeded(ctx: Context): boolean {
    return !ctx.options.z.nosectionheader;
  }

  /** Also gives every output section its sh_name: once for each list of sections, because every pass from assign-addresses on asks. */
  size(ctx: Context): number {
    if (this.osecs === ctx.osecs) return this.table.bytes;
    this.osecs = ctx.osecs;
    this.table = new StringTable();
    for (const osec of ctx.osecs) osec.sh_name = this.table.add(osec.name);
    return this.table.bytes;
  }

  write(_ctx: Context, out: Uint8Array): void {
    this.table.write(out);
  }
}
