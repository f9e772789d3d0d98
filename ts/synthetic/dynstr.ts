/**
 * .dynstr: names of libraries and versions, then the names of the dynamic symbols in .dynsym order.
 *
 * Symbol names are not looked up or shared: entry i's name follows entry i - 1's, so neither .dynsym nor this section keeps
 * an offset per symbol. Names of libraries must be added before the size is asked for.
 */
import { SHF_ALLOC, SHT_STRTAB } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import type { SyntheticSection } from "./section.ts";
import { StringTable } from "./string-table.ts";

export class DynstrSection implements SyntheticSection {
  readonly name = ".dynstr";
  readonly sh_type = SHT_STRTAB;
  readonly sh_flags = SHF_ALLOC;
  readonly align = 0;
  readonly sh_entsize = 0;
  address = 0n;
  osec = 0;
  private readonly strings = new StringTable();
  private symbolBytes = 0;
  private frozen = false;

  isNeeded(): boolean {
    return true;
  }

  add(text: ByteString): number {
    const before = this.strings.bytes;
    const offset = this.strings.add(text);
    if (this.frozen && this.strings.bytes !== before) throw new Error(`.dynstr: ${text} added after the size was fixed`);
    return offset;
  }

  /** Fixes the size: no new strings from here on. */
  freeze(ctx: Context): void {
    const { list, count } = ctx.synthetics.dynsym!;
    this.symbolBytes = ctx.kernels.sumDynsymNames!(list, count);
    this.frozen = true;
  }

  /** Offset of the first symbol's name. */
  namesAt(): number {
    return this.strings.bytes;
  }

  size(): number {
    if (!this.frozen) throw new Error(".dynstr: size asked for before freeze");
    return this.strings.bytes + this.symbolBytes;
  }

  write(ctx: Context, out: Uint8Array, outAddr: number): void {
    const { list, count } = ctx.synthetics.dynsym!;
    this.strings.write(out);
    ctx.kernels.writeDynsymNames!(list, count, outAddr + this.strings.bytes);
  }
}
