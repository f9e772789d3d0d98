/**
 * .hash: the System V hash table over all dynamic symbols (gABI ch. 5, Hash Table), with as many buckets as symbols.
 */
import { SHF_ALLOC, SHT_HASH } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

export class HashSection extends SectionBase implements SyntheticSection {
  readonly name = ".hash";
  readonly sh_type = SHT_HASH;
  readonly sh_flags = SHF_ALLOC;
  readonly align = 2;
  override readonly sh_entsize = 4;
  readonly link = ".dynsym";

  isNeeded(ctx: Context): boolean {
    return ctx.options.hashStyle === "sysv" || ctx.options.hashStyle === "both";
  }

  size(ctx: Context): number {
    const symbols = ctx.synthetics.dynsym!.count + 1;
    return (2 + 2 * symbols) * 4;
  }

  write(ctx: Context, _out: Uint8Array, outAddr: number): void {
    const { list, count } = ctx.synthetics.dynsym!;
    ctx.kernels.writeSysvHash(list, count, outAddr);
  }
}

/** Hash of one name; version records use it too (gABI ch. 5, Hash Table, figure "Hashing Function"). */
export function sysvHash(name: ByteString): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) {
    hash = (hash * 16 + name.charCodeAt(i)) >>> 0;
    hash = (hash ^ ((hash >>> 24) & 0xf0)) & 0x0fffffff;
  }
  return hash >>> 0;
}
