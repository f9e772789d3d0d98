/**
 * .dynstr: the names of the dynamic symbols in symbol order, then names of versions and libraries.
 *
 * Symbol names are not looked up or shared: kernels lay them out. The other strings must be added before the size is asked for,
 * and after the symbols are known, because they come behind them (lld).
 */
import { SHF_ALLOC, SHT_STRTAB } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";
import { StringTable } from "./string-table.ts";

export class DynstrSection extends SectionBase implements SyntheticSection {
  readonly name = ".dynstr";
  readonly sh_type = SHT_STRTAB;
  readonly sh_flags = SHF_ALLOC;
  readonly align = 0;
  private readonly strings = new StringTable();
  private symbolBytes = 0;
  private frozen = false;

  isNeeded(): boolean {
    return true;
  }

  /** After dynsym.collect: symbol names take `bytes` behind the leading NUL. */
  reserve(bytes: number): void {
    this.symbolBytes = bytes;
  }

  add(text: ByteString): number {
    const before = this.strings.bytes;
    const offset = this.strings.add(text);
    if (this.frozen && this.strings.bytes !== before) throw new Error(`.dynstr: ${text} added after the size was fixed`);
    return offset === 0 ? 0 : this.symbolBytes + offset;
  }

  /** Fixes the size: no new strings from here on. */
  freeze(): void {
    this.frozen = true;
  }

  size(): number {
    if (!this.frozen) throw new Error(".dynstr: size asked for before freeze");
    return this.strings.bytes + this.symbolBytes;
  }

  write(ctx: Context, out: Uint8Array, outAddr: number): void {
    const { ordered, count } = ctx.synthetics.dynsym!;
    this.strings.write(out.subarray(this.symbolBytes));
    ctx.kernels.writeDynsymNames(ordered, count, outAddr + 1);
  }
}
