/**
 * .dynamic: what the dynamic linker reads first (gABI ch. 5, Dynamic Section). Tags and their order are lld's.
 *
 * The list is fixed when all linker-made sections are known; values are asked for when it is written, because addresses come
 * later. A tag whose section turns out empty would still be there: sections must know by then whether they are needed.
 */
import { SYM_COMMON, SYM_DEFINED, SYM_IN_OSEC, SYM_KIND_MASK } from "../../as-kernels/shared/abi.ts";
import { REL_BYTES, RELA_BYTES, SHF_ALLOC, SHF_WRITE, SHT_DYNAMIC, SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import type { Context } from "../context.ts";
import * as dyn from "../elf/dyn.ts";
import { relocationForm } from "./rela-dyn.ts";
import { SectionBase, type SyntheticSection } from "./section.ts";

interface Entry {
  tag: number;
  value: () => bigint;
}

const RELR_ENTRY_BYTES = 8;

export class DynamicSection extends SectionBase implements SyntheticSection {
  readonly name = ".dynamic";
  readonly sh_type = SHT_DYNAMIC;
  sh_flags = SHF_ALLOC | SHF_WRITE;
  readonly align = 3;
  override readonly sh_entsize = dyn.DYN_BYTES;
  readonly link = ".dynstr";
  private readonly entries: Entry[] = [];

  isNeeded(): boolean {
    return true;
  }

  /** Adds the tags whose strings .dynstr must know; before its size is fixed. */
  collect(ctx: Context): void {
    if (ctx.options.z.rodynamic) this.sh_flags = SHF_ALLOC;
    this.addNames(ctx);
  }

  /** The first call, once there are output sections, fixes the tags. */
  size(ctx: Context): number {
    if (this.entries.at(-1)?.tag !== dyn.DT_NULL) {
      this.addFlags(ctx);
      this.addRelocations(ctx);
      this.addSymbols(ctx);
      this.addCode(ctx);
      this.addVersions(ctx);
      // The end, and room for tags that tools like patchelf add.
      for (let i = 0; i <= ctx.options.spareDynamicTags; i++) this.number(dyn.DT_NULL, 0);
    }
    return this.entries.length * dyn.DYN_BYTES;
  }

  write(_ctx: Context, out: Uint8Array): void {
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    this.entries.forEach(({ tag, value }, i) => dyn.writeDyn(view, i * dyn.DYN_BYTES, tag, value()));
  }

  private number(tag: number, value: number | bigint): void {
    this.entries.push({ tag, value: () => BigInt(value) });
  }

  private string(ctx: Context, tag: number, text: ByteString): void {
    this.number(tag, ctx.synthetics.dynstr!.add(text));
  }

  private addressOf(tag: number, section: { address: bigint }): void {
    this.entries.push({ tag, value: () => section.address });
  }

  private sizeOf(ctx: Context, tag: number, section: SyntheticSection): void {
    this.entries.push({ tag, value: () => BigInt(section.size(ctx)) });
  }

  private addNames(ctx: Context): void {
    const { options } = ctx;
    for (const name of options.filter) this.string(ctx, dyn.DT_FILTER, name);
    for (const name of options.auxiliary) this.string(ctx, dyn.DT_AUXILIARY, name);
    if (options.rpath.length > 0) {
      this.string(ctx, options.newDtags ? dyn.DT_RUNPATH : dyn.DT_RPATH, [...new Set(options.rpath)].join(":"));
    }
    for (const soname of neededNames(ctx)) this.string(ctx, dyn.DT_NEEDED, soname);
    if (options.soname !== "") this.string(ctx, dyn.DT_SONAME, options.soname);
    // Dynamic linkers look at one entry; GNU ld joins them, too.
    if (options.audit.length > 0) this.string(ctx, dyn.DT_AUDIT, options.audit.join(":"));
    if (options.depaudit.length > 0) this.string(ctx, dyn.DT_DEPAUDIT, options.depaudit.join(":"));
  }

  private addFlags(ctx: Context): void {
    const { options } = ctx;
    const { z } = options;
    const flags =
      (options.bsymbolic === "all" ? dyn.DF_SYMBOLIC : 0) |
      (z.now ? dyn.DF_BIND_NOW : 0) |
      (z.origin ? dyn.DF_ORIGIN : 0) |
      (ctx.params.get("hasTextRel") ? dyn.DF_TEXTREL : 0) |
      (ctx.params.get("hasStaticTls") !== 0 ? dyn.DF_STATIC_TLS : 0);
    const flags1 =
      (z.global ? dyn.DF_1_GLOBAL : 0) |
      (z.group ? dyn.DF_1_GROUP : 0) |
      (z.globalaudit ? dyn.DF_1_GLOBAUDIT : 0) |
      (z.loadfltr ? dyn.DF_1_LOADFLTR : 0) |
      (z.initfirst ? dyn.DF_1_INITFIRST : 0) |
      (z.interpose ? dyn.DF_1_INTERPOSE : 0) |
      (z.nodefaultlib ? dyn.DF_1_NODEFLIB : 0) |
      (z.nodelete ? dyn.DF_1_NODELETE : 0) |
      (z.nodlopen ? dyn.DF_1_NOOPEN : 0) |
      (z.nodump ? dyn.DF_1_NODUMP : 0) |
      (options.pie && !options.shared ? dyn.DF_1_PIE : 0) |
      (z.now ? dyn.DF_1_NOW : 0) |
      (z.origin ? dyn.DF_1_ORIGIN : 0);
    if (flags !== 0) this.number(dyn.DT_FLAGS, flags);
    if (flags1 !== 0) this.number(dyn.DT_FLAGS_1, flags1 >>> 0);
    if (z.unique) this.number(dyn.DT_GNU_FLAGS_1, dyn.DF_GNU_1_UNIQUE);
    // Debuggers find the list of loaded objects through it; the dynamic linker writes there.
    if (!options.shared && !z.rodynamic) this.number(dyn.DT_DEBUG, 0);
  }

  private addRelocations(ctx: Context): void {
    const { relaDyn, relr, relaPlt, gotPlt } = ctx.synthetics;
    const form = relocationForm(ctx.options);
    const rel = form === "rel";
    if (isThere(ctx, relaDyn)) {
      this.addressOf(form === "android" ? dyn.DT_ANDROID_RELA : rel ? dyn.DT_REL : dyn.DT_RELA, relaDyn);
      // A script may put both tables into one section; the size is that of all of it then (lld).
      const joined = isThere(ctx, relaPlt) && relaPlt.osec === relaDyn.osec ? relaPlt : null;
      const tag = form === "android" ? dyn.DT_ANDROID_RELASZ : rel ? dyn.DT_RELSZ : dyn.DT_RELASZ;
      this.entries.push({ tag, value: () => BigInt(relaDyn.size(ctx) + (joined?.size(ctx) ?? 0)) });
      this.number(rel ? dyn.DT_RELENT : dyn.DT_RELAENT, rel ? REL_BYTES : RELA_BYTES);
      const relative = relaDyn.relativeCount(ctx);
      if (ctx.options.z.combreloc && relative > 0) this.number(rel ? dyn.DT_RELCOUNT : dyn.DT_RELACOUNT, relative);
    }
    if (isThere(ctx, relr)) {
      const android = ctx.options.androidRelrTags;
      this.addressOf(android ? dyn.DT_ANDROID_RELR : dyn.DT_RELR, relr);
      this.sizeOf(ctx, android ? dyn.DT_ANDROID_RELRSZ : dyn.DT_RELRSZ, relr);
      this.number(android ? dyn.DT_ANDROID_RELRENT : dyn.DT_RELRENT, RELR_ENTRY_BYTES);
    }
    if (isThere(ctx, relaPlt)) {
      this.addressOf(dyn.DT_JMPREL, relaPlt);
      this.sizeOf(ctx, dyn.DT_PLTRELSZ, relaPlt);
      if (gotPlt !== null) this.addressOf(dyn.DT_PLTGOT, gotPlt);
      this.number(dyn.DT_PLTREL, rel ? dyn.DT_REL : dyn.DT_RELA);
      if (ctx.options.z.markPlt && !rel) this.addPlt(ctx);
    }
  }

  /** -z mark-plt: dynamic linkers may rewrite PLT entries, which addends of JUMP_SLOT relocations name (x86-64 psABI). */
  private addPlt(ctx: Context): void {
    const { plt, pltSec } = ctx.synthetics;
    const section = isThere(ctx, pltSec) ? pltSec : plt;
    if (!isThere(ctx, section)) return;
    this.addressOf(dyn.DT_X86_64_PLT, section);
    this.sizeOf(ctx, dyn.DT_X86_64_PLTSZ, section);
    this.entries.push({ tag: dyn.DT_X86_64_PLTENT, value: () => BigInt(ctx.params.get("pltBytes")) });
  }

  private addSymbols(ctx: Context): void {
    const { dynsym, dynstr, gnuHash, hash } = ctx.synthetics;
    this.addressOf(dyn.DT_SYMTAB, dynsym!);
    this.number(dyn.DT_SYMENT, SYM_BYTES);
    this.addressOf(dyn.DT_STRTAB, dynstr!);
    this.sizeOf(ctx, dyn.DT_STRSZ, dynstr!);
    if (ctx.params.get("hasTextRel")) this.number(dyn.DT_TEXTREL, 0);
    if (isThere(ctx, gnuHash)) this.addressOf(dyn.DT_GNU_HASH, gnuHash);
    if (isThere(ctx, hash)) this.addressOf(dyn.DT_HASH, hash);
  }

  private addCode(ctx: Context): void {
    this.addArray(ctx, ".preinit_array", dyn.DT_PREINIT_ARRAY, dyn.DT_PREINIT_ARRAYSZ);
    this.addArray(ctx, ".init_array", dyn.DT_INIT_ARRAY, dyn.DT_INIT_ARRAYSZ);
    this.addArray(ctx, ".fini_array", dyn.DT_FINI_ARRAY, dyn.DT_FINI_ARRAYSZ);
    this.addFunction(ctx, ctx.options.init, dyn.DT_INIT);
    this.addFunction(ctx, ctx.options.fini, dyn.DT_FINI);
  }

  private addArray(ctx: Context, name: ByteString, tag: number, sizeTag: number): void {
    const osec = ctx.osecs.find((candidate) => candidate !== undefined && candidate.name === name);
    if (osec === undefined) return;
    this.entries.push({ tag, value: () => osec.sh_addr }, { tag: sizeTag, value: () => BigInt(osec.size) });
  }

  private addFunction(ctx: Context, name: ByteString, tag: number): void {
    const row = name === "" ? 0 : ctx.lookup(name);
    if (row === 0) return;
    const kind = ctx.tables.sym.flags[row]! & SYM_KIND_MASK;
    if (kind !== SYM_DEFINED && kind !== SYM_COMMON && kind !== SYM_IN_OSEC) return;
    this.entries.push({ tag, value: () => ctx.tables.sym.addr[row]! });
  }

  private addVersions(ctx: Context): void {
    const { versym, verdef, verneed } = ctx.synthetics;
    if (isThere(ctx, versym)) this.addressOf(dyn.DT_VERSYM, versym);
    if (isThere(ctx, verdef)) {
      this.addressOf(dyn.DT_VERDEF, verdef);
      this.number(dyn.DT_VERDEFNUM, verdef.info);
    }
    if (isThere(ctx, verneed)) {
      this.addressOf(dyn.DT_VERNEED, verneed);
      this.number(dyn.DT_VERNEEDNUM, verneed.info);
    }
  }
}

/** Part of the output: needed, and not discarded by a script. */
function isThere<T extends SyntheticSection>(ctx: Context, section: T | null): section is T {
  return section !== null && section.isNeeded(ctx) && section.discarded !== true;
}

/** DT_NEEDED names in command-line order, each once. */
function neededNames(ctx: Context): ByteString[] {
  const { needed } = ctx.tables.obj;
  return [...new Set(ctx.sharedObjects.filter((file) => needed[file.obj] === 1).map((file) => file.soname))];
}
