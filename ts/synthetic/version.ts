/**
 * Symbol versions: .gnu.version (an index per dynamic symbol), .gnu.version_d (versions defined here), .gnu.version_r
 * (versions needed of each shared object). Records as in the LSB core specification, Symbol Versioning.
 *
 * Indexes: 0 local, 1 global, 2 … the nodes of the version script, then the needed versions in order of first use by a symbol.
 */
import { SHF_ALLOC, SHT_GNU_verdef, SHT_GNU_verneed, SHT_GNU_versym, VERDAUX_BYTES, VERDEF_BYTES, VERNAUX_BYTES, VERNEED_BYTES } from "../../as-kernels/shared/elf.ts";
import type { ByteString, LinkOptions } from "../args/link-options.ts";
import type { Context, InputFile } from "../context.ts";
import { baseName } from "../input/search.ts";
import { sysvHash } from "./hash.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

const VER_CURRENT = 1;
const VER_FLG_BASE = 1;

export class VersymSection extends SectionBase implements SyntheticSection {
  readonly name = ".gnu.version";
  readonly sh_type = SHT_GNU_versym;
  readonly sh_flags = SHF_ALLOC;
  readonly align = 1;
  override readonly sh_entsize = 2;
  readonly link = ".dynsym";

  isNeeded(ctx: Context): boolean {
    return ctx.synthetics.verdef!.isNeeded(ctx) || ctx.synthetics.verneed!.isNeeded();
  }

  size(ctx: Context): number {
    return (ctx.synthetics.dynsym!.count + 1) * 2;
  }

  write(ctx: Context, _out: Uint8Array, outAddr: number): void {
    const { list, count } = ctx.synthetics.dynsym!;
    ctx.kernels.writeVersym(list, count, outAddr, ctx.synthetics.verneed!.maps);
  }
}

export class VerdefSection extends SectionBase implements SyntheticSection {
  readonly name = ".gnu.version_d";
  readonly sh_type = SHT_GNU_verdef;
  readonly sh_flags = SHF_ALLOC;
  readonly align = 2;
  readonly link = ".dynstr";
  /** The file's own name, then the version nodes'. */
  private names: ByteString[] = [];

  isNeeded(ctx: Context): boolean {
    return ctx.versionNodes.some((node) => node.name !== "");
  }

  /** sh_info and DT_VERDEFNUM. */
  get info(): number {
    return this.names.length;
  }

  collect(ctx: Context): void {
    if (!this.isNeeded(ctx)) return;
    this.names = [ownName(ctx.options), ...ctx.versionNodes.map((node) => node.name).filter((name) => name !== "")];
    for (const name of this.names) this.nameOffset(ctx, name);
  }

  /** Its place in .dynstr. A version and its symbol have one: by that readelf knows what the symbol is. */
  private nameOffset(ctx: Context, name: ByteString): number {
    const { dynstr, dynsym } = ctx.synthetics;
    const index = ctx.tables.gsym.dynsym[ctx.lookup(name)]!;
    return index > 0 ? ctx.arena.u32[(dynsym!.nameOffsets >>> 2) + index]! : dynstr!.add(name);
  }

  size(): number {
    return this.names.length * (VERDEF_BYTES + VERDAUX_BYTES);
  }

  write(ctx: Context, out: Uint8Array): void {
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    this.names.forEach((name, i) => {
      const at = i * (VERDEF_BYTES + VERDAUX_BYTES);
      const last = i === this.names.length - 1;
      view.setUint16(at, VER_CURRENT, true); // vd_version
      view.setUint16(at + 2, i === 0 ? VER_FLG_BASE : 0, true); // vd_flags
      view.setUint16(at + 4, i + 1, true); // vd_ndx
      view.setUint16(at + 6, 1, true); // vd_cnt
      view.setUint32(at + 8, sysvHash(name), true); // vd_hash
      view.setUint32(at + 12, VERDEF_BYTES, true); // vd_aux
      view.setUint32(at + 16, last ? 0 : VERDEF_BYTES + VERDAUX_BYTES, true); // vd_next
      view.setUint32(at + VERDEF_BYTES, this.nameOffset(ctx, name), true); // vda_name
    });
  }
}

/** What the output calls itself, as a version too. */
export const ownName = ({ soname, output }: LinkOptions): ByteString => soname || baseName(output);

/** The versions one shared object has to offer. */
interface Need {
  file: InputFile;
  versions: { name: ByteString; index: number }[];
}

export class VerneedSection extends SectionBase implements SyntheticSection {
  readonly name = ".gnu.version_r";
  readonly sh_type = SHT_GNU_verneed;
  readonly sh_flags = SHF_ALLOC;
  readonly align = 2;
  readonly link = ".dynstr";
  /** Address of a u32 per obj row: address of u16 output index per version index of that object (word 0: how many), 0 = none. */
  maps = 0;
  private needs: Need[] = [];

  isNeeded(): boolean {
    return this.needs.length > 0;
  }

  /** sh_info and DT_VERNEEDNUM. */
  get info(): number {
    return this.needs.length;
  }

  /** After dynsym.collect: which versions of which objects are used. */
  collect(ctx: Context): void {
    const { arena } = ctx;
    this.maps = arena.allocZeroed(ctx.tables.obj.rows * 4);
    for (const file of ctx.sharedObjects) {
      const count = file.versions.length;
      if (count <= 2 || ctx.tables.obj.needed[file.obj] === 0) continue;
      const map = arena.allocZeroed(count * 2);
      arena.u16[map >>> 1] = count;
      arena.u32[(this.maps >>> 2) + file.obj] = map;
    }
    const { ordered, count } = ctx.synthetics.dynsym!;
    const named = ctx.versionNodes.filter((node) => node.name !== "").length;
    this.listNeeds(ctx, ctx.kernels.numberNeededVersions(ordered, count, this.maps, named + 2));
  }

  /** Numbers are given by first use, records are in order of objects and of their own versions (lld). `next`: first free number. */
  private listNeeds(ctx: Context, next: number): void {
    const { u16, u32 } = ctx.arena;
    const dynstr = ctx.synthetics.dynstr!;
    for (const file of ctx.sharedObjects) {
      const map = u32[(this.maps >>> 2) + file.obj]!;
      if (map === 0) continue;
      const versions = file.versions.map((name, own) => ({ name, index: own < 2 ? 0 : u16[(map >>> 1) + own]! })).filter(({ index }) => index !== 0);
      if (versions.length === 0) continue;
      const need: Need = { file, versions };
      for (const name of abiVersions(ctx, need)) versions.push({ name, index: next++ });
      this.needs.push(need);
      dynstr.add(file.soname);
      for (const { name } of versions) dynstr.add(name);
    }
  }

  size(): number {
    return this.needs.reduce((bytes, need) => bytes + VERNEED_BYTES + need.versions.length * VERNAUX_BYTES, 0);
  }

  write(ctx: Context, out: Uint8Array): void {
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    const dynstr = ctx.synthetics.dynstr!;
    let at = 0;
    this.needs.forEach(({ file, versions }, i) => {
      const bytes = VERNEED_BYTES + versions.length * VERNAUX_BYTES;
      view.setUint16(at, VER_CURRENT, true); // vn_version
      view.setUint16(at + 2, versions.length, true); // vn_cnt
      view.setUint32(at + 4, dynstr.add(file.soname), true); // vn_file
      view.setUint32(at + 8, VERNEED_BYTES, true); // vn_aux
      view.setUint32(at + 12, i === this.needs.length - 1 ? 0 : bytes, true); // vn_next
      versions.forEach(({ name, index }, v) => {
        const aux = at + VERNEED_BYTES + v * VERNAUX_BYTES;
        view.setUint32(aux, sysvHash(name), true); // vna_hash
        view.setUint16(aux + 4, 0, true); // vna_flags
        view.setUint16(aux + 6, index, true); // vna_other
        view.setUint32(aux + 8, dynstr.add(name), true); // vna_name
        view.setUint32(aux + 12, v === versions.length - 1 ? 0 : VERNAUX_BYTES, true); // vna_next
      });
      at += bytes;
    });
  }
}

/**
 * Versions that glibc defines to say what it can do, so that those that cannot refuse to load the file: required of the object that
 * stands for glibc when options ask for them. DT_RELR: 2.36; TLS descriptors that keep all registers: 2.42.
 */
function abiVersions({ options, tables }: Context, { file, versions }: Need): ByteString[] {
  if (!(options.packRelrGlibc || options.gnu2TlsTag) || !file.soname.startsWith("libc.so.") || !versions.some(({ name }) => name.startsWith("GLIBC_2."))) return [];
  const wanted = options.packRelrGlibc ? ["GLIBC_ABI_DT_RELR"] : [];
  if (options.gnu2TlsTag && tables.aux.tlsDesc.some((slot) => slot !== 0)) wanted.push("GLIBC_ABI_GNU2_TLS");
  return wanted.filter((name) => !versions.some((version) => version.name === name));
}
