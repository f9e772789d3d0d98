/**
 * Room for copies of other modules' variables (R_*_COPY): in .bss, or in .bss.rel.ro when the variable is read-only there.
 *
 * The dynamic linker fills it. create-synthetic decides which variables; this only lays them out, in the order they come.
 */
import { SHF_ALLOC, SHF_WRITE, SHT_NOBITS } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

export interface Copy {
  /** sym row whose relocation brings the bytes. */
  sym: number;
  /** Other names of the same variable, as sym rows; their address is the copy's, too. */
  aliases: number[];
  /** Bytes from the start of the section. */
  offset: number;
}

export class CopyRelSection extends SectionBase implements SyntheticSection {
  readonly name: string;
  readonly sh_type = SHT_NOBITS;
  readonly sh_flags = SHF_ALLOC | SHF_WRITE;
  align = 0;
  readonly copies: Copy[] = [];
  private bytes = 0;

  constructor(name: ".bss" | ".bss.rel.ro") {
    super();
    this.name = name;
  }

  /** Makes room for `size` bytes aligned to 2 ** `align`. */
  add(sym: number, aliases: number[], size: number, align: number): void {
    const offset = Math.ceil(this.bytes / 2 ** align) * 2 ** align;
    this.copies.push({ sym, aliases, offset });
    this.bytes = offset + size;
    this.align = Math.max(this.align, align);
  }

  isNeeded(): boolean {
    return this.copies.length > 0;
  }

  size(): number {
    return this.bytes;
  }

  /** Gives the symbols their addresses; after assign-addresses. */
  resolve(ctx: Context): void {
    for (const { sym, aliases, offset } of this.copies) {
      for (const row of [sym, ...aliases]) ctx.tables.sym.addr[row] = this.address + BigInt(offset);
    }
  }

  write(): void {
    // NOBITS
  }
}
