/**
 * .dynsym: the symbols other modules may look up here, and those we look up in them.
 *
 * Collects, orders and numbers the symbols (create-synthetic), then writes the entries; the loops are kernels
 * (as-kernels/passes/dynsym.ts). Order with .gnu.hash: null entry, references, definitions grouped by bucket, each in symbol
 * order; without: symbol order. Names are in symbol order either way, at the front of .dynstr (lld).
 */
import { SHF_ALLOC, SHT_DYNSYM, SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import type { Context } from "../context.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

/** Definitions per bucket of .gnu.hash that we aim at (as lld). */
const BUCKET_LOAD = 4;

export class DynsymSection extends SectionBase implements SyntheticSection {
  readonly name = ".dynsym";
  readonly sh_type = SHT_DYNSYM;
  readonly sh_flags = SHF_ALLOC;
  readonly align = 3;
  override readonly sh_entsize = SYM_BYTES;
  readonly link = ".dynstr";
  /** One local symbol: the null entry. */
  readonly info = 1;
  /** Address of the u32 sym rows in table order. */
  list = 0;
  /** The same rows in symbol order: the order of their names. */
  ordered = 0;
  /** Address of the u32 offsets of the names in .dynstr, by index in .dynsym; and where the names end. */
  nameOffsets = 0;
  nameBytes = 0;
  /** Symbols without the null entry. */
  count = 0;
  /** The last `hashed` of them are in .gnu.hash; address of their u32 hashes. */
  hashed = 0;
  hashes = 0;
  buckets = 1;

  isNeeded(): boolean {
    return true;
  }

  size(): number {
    return (this.count + 1) * SYM_BYTES;
  }

  /** After scan-relocs: fixes which symbols there are, their order and gsym.dynsym. */
  collect(ctx: Context): void {
    const { arena, kernels } = ctx;
    const globals = ctx.params.get("globalSyms");
    const gc = ctx.options.gcSections ? 1 : 0;
    const counts = arena.alloc(8);
    kernels.collectDynsyms(globals, gc, 0, 0, counts);
    const references = arena.u32[counts >>> 2]!;
    this.hashed = arena.u32[(counts >>> 2) + 1]!;
    this.count = references + this.hashed;
    this.buckets = Math.max(Math.floor(this.hashed / BUCKET_LOAD), 1);
    const hashed = this.hashed * 4;
    this.ordered = this.list = arena.alloc(this.count * 4);
    if (ctx.synthetics.gnuHash?.isNeeded(ctx)) this.list = arena.alloc(this.count * 4);
    this.hashes = arena.alloc(hashed);
    this.nameOffsets = arena.alloc((this.count + 1) * 4);
    const mark = arena.mark();
    const undefinedList = arena.alloc(references * 4);
    const definedList = arena.alloc(hashed);
    kernels.collectDynsyms(globals, gc, undefinedList, definedList, counts);
    kernels.mergeDynsyms(undefinedList, references, definedList, this.hashed, this.ordered);
    if (this.list !== this.ordered) {
      arena.u8.copyWithin(this.list, undefinedList, undefinedList + references * 4);
      this.sort(ctx, definedList, this.list + references * 4);
    }
    arena.release(mark);
    kernels.numberDynsyms(this.list, this.count);
    this.nameBytes = kernels.placeDynsymNames(this.ordered, this.count, 1, this.nameOffsets) - 1;
    ctx.dynsyms = arena.u32.subarray(this.list >>> 2, (this.list >>> 2) + this.count);
  }

  private sort(ctx: Context, defined: number, sorted: number): void {
    const { arena, kernels } = ctx;
    const hashes = arena.alloc(this.hashed * 4);
    const cursors = arena.allocZeroed((this.buckets + 1) * 4);
    kernels.gnuHashNames(defined, this.hashed, hashes);
    kernels.sortByBucket(defined, hashes, this.hashed, this.buckets, sorted, this.hashes, cursors);
  }

  write(ctx: Context, _out: Uint8Array, outAddr: number): void {
    ctx.kernels.writeDynsyms(this.list, this.count, outAddr, this.nameOffsets, ctx.options.noGnuUnique ? 0 : 1);
  }
}
