/**
 * Reads an ELF64 little-endian file of any kind into plain objects, for assertions in tests.
 *
 * Not for production and not tolerant: it throws RangeError on malformed files. The surprising choice: addresses are JavaScript numbers,
 * exact up to 2^53, which every file of a test stays below; addends are signed numbers as well.
 */

export interface Phdr {
  type: number; flags: number; offset: number; vaddr: number; paddr: number; filesz: number; memsz: number; align: number;
}
export interface Shdr {
  index: number; name: string; type: number; flags: number; addr: number; offset: number; size: number; link: number; info: number;
  align: number; entsize: number;
}
export interface Symbol {
  index: number; name: string; value: number; size: number; bind: number; type: number; visibility: number; shndx: number;
  /** "V", or "" for unversioned; only in .dynsym. */
  version: string;
  /** foo@V rather than foo@@V. */
  hidden: boolean;
}
export interface Reloc { section: string; offset: number; type: number; sym: number; name: string; addend: number }
export interface Note { section: string; name: string; type: number; desc: Uint8Array }

const DT: Record<string, number> = {
  NULL: 0, NEEDED: 1, PLTRELSZ: 2, PLTGOT: 3, HASH: 4, STRTAB: 5, SYMTAB: 6, RELA: 7, RELASZ: 8, RELAENT: 9, STRSZ: 10, SYMENT: 11, INIT: 12,
  FINI: 13, SONAME: 14, RPATH: 15, SYMBOLIC: 16, PLTREL: 20, DEBUG: 21, TEXTREL: 22, JMPREL: 23, BIND_NOW: 24, INIT_ARRAY: 25, FINI_ARRAY: 26,
  INIT_ARRAYSZ: 27, FINI_ARRAYSZ: 28, RUNPATH: 29, FLAGS: 30, PREINIT_ARRAY: 32, PREINIT_ARRAYSZ: 33, RELRSZ: 35, RELR: 36, RELRENT: 37,
  GNU_HASH: 0x6ffffef5, TLSDESC_PLT: 0x6ffffef6, TLSDESC_GOT: 0x6ffffef7, VERSYM: 0x6ffffff0, RELACOUNT: 0x6ffffff9, FLAGS_1: 0x6ffffffb,
  VERDEF: 0x6ffffffc, VERDEFNUM: 0x6ffffffd, VERNEED: 0x6ffffffe, VERNEEDNUM: 0x6fffffff, AUXILIARY: 0x7ffffffd, FILTER: 0x7fffffff,
};
const DT_NAMES = new Map(Object.entries(DT).map(([name, tag]) => [tag, name]));

export class ElfFile {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly type: number;
  readonly machine: number;
  readonly entry: number;
  readonly phdrs: Phdr[] = [];
  readonly shdrs: Shdr[] = [];

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (this.u32(0) !== 0x464c457f || bytes[4] !== 2 || bytes[5] !== 1) throw new RangeError("not an ELF64 little-endian file");
    this.type = this.u16(16);
    this.machine = this.u16(18);
    this.entry = this.u64(24);
    const phoff = this.u64(32);
    for (let i = 0; i < this.u16(56); i++) this.phdrs.push(this.phdr(phoff + 56 * i));
    const shoff = this.u64(40);
    if (shoff === 0) return;
    const shnum = this.u16(60) || this.u64(shoff + 32);
    let shstrndx = this.u16(62);
    if (shstrndx === 0xffff) shstrndx = this.u32(shoff + 40);
    for (let i = 0; i < shnum; i++) this.shdrs.push(this.shdr(i, shoff + 64 * i));
    const names = this.shdrs[shstrndx]!;
    for (const s of this.shdrs) s.name = this.string(names.offset + Number(s.name), names.offset + names.size);
  }

  u16(at: number): number { return this.view.getUint16(at, true); }
  u32(at: number): number { return this.view.getUint32(at, true); }
  i32(at: number): number { return this.view.getInt32(at, true); }
  u64(at: number): number { return Number(this.view.getBigUint64(at, true)); }
  i64(at: number): number { return Number(this.view.getBigInt64(at, true)); }

  string(at: number, limit = this.bytes.length): string {
    let text = "";
    for (; at < limit && this.bytes[at] !== 0; at++) text += String.fromCharCode(this.bytes[at]!);
    return text;
  }

  private phdr(at: number): Phdr {
    return {
      type: this.u32(at), flags: this.u32(at + 4), offset: this.u64(at + 8), vaddr: this.u64(at + 16), paddr: this.u64(at + 24), filesz: this.u64(at + 32),
      memsz: this.u64(at + 40), align: this.u64(at + 48),
    };
  }

  private shdr(index: number, at: number): Shdr {
    return {
      index, name: String(this.u32(at)), type: this.u32(at + 4), flags: this.u64(at + 8), addr: this.u64(at + 16), offset: this.u64(at + 24),
      size: this.u64(at + 32), link: this.u32(at + 40), info: this.u32(at + 44), align: this.u64(at + 48), entsize: this.u64(at + 56),
    };
  }

  section(name: string): Shdr | undefined { return this.shdrs.find((s) => s.name === name); }

  /** The section `name`, or a thrown error that lists what there is. */
  need(name: string): Shdr {
    const found = this.section(name);
    if (!found) throw new Error(`no section ${name}; there are ${this.sectionNames().join(" ")}`);
    return found;
  }

  sectionNames(): string[] { return this.shdrs.slice(1).map((s) => s.name); }

  content(section: Shdr | string): Uint8Array {
    const s = typeof section === "string" ? this.need(section) : section;
    return this.bytes.subarray(s.offset, s.offset + s.size);
  }

  /** Section contents as one char per byte. */
  text(section: Shdr | string): string { return Buffer.from(this.content(section)).toString("latin1"); }

  segment(type: number): Phdr | undefined { return this.phdrs.find((p) => p.type === type); }
  segments(type: number): Phdr[] { return this.phdrs.filter((p) => p.type === type); }

  /** File offset of address `addr`; -1 when no PT_LOAD's file part holds it. */
  fileOffset(addr: number): number {
    const load = this.phdrs.find((p) => p.type === 1 && addr >= p.vaddr && addr < p.vaddr + p.filesz);
    return load ? addr - load.vaddr + load.offset : -1;
  }

  private symbolTable(name: string): Symbol[] {
    const table = this.section(name);
    if (!table) return [];
    const strings = this.shdrs[table.link]!;
    const list: Symbol[] = [];
    for (let i = 0, at = table.offset; at < table.offset + table.size; i++, at += 24) {
      const info = this.bytes[at + 4]!;
      list.push({
        index: i, name: this.string(strings.offset + this.u32(at), strings.offset + strings.size), value: this.u64(at + 8), size: this.u64(at + 16),
        bind: info >> 4, type: info & 15, visibility: this.bytes[at + 5]! & 3, shndx: this.u16(at + 6), version: "", hidden: false,
      });
    }
    return list;
  }

  private symtabCache: Symbol[] | undefined;
  private dynsymCache: Symbol[] | undefined;

  symtab(): Symbol[] { return (this.symtabCache ??= this.symbolTable(".symtab")); }

  dynsym(): Symbol[] {
    if (this.dynsymCache) return this.dynsymCache;
    const list = this.symbolTable(".dynsym");
    const versym = this.section(".gnu.version");
    if (versym) {
      const names = this.versionNames();
      for (const sym of list) {
        const raw = this.u16(versym.offset + 2 * sym.index);
        sym.hidden = (raw & 0x8000) !== 0;
        if ((raw & 0x7fff) > 1) sym.version = names.get(raw & 0x7fff) ?? `?${raw & 0x7fff}`;
      }
    }
    return (this.dynsymCache = list);
  }

  /** Version index → name, from .gnu.version_d and .gnu.version_r. */
  versionNames(): Map<number, string> {
    const names = new Map<number, string>();
    for (const d of this.verdefs()) names.set(d.index, d.name);
    for (const n of this.verneeds()) names.set(n.index, n.name);
    return names;
  }

  verdefs(): { index: number; flags: number; hash: number; name: string; parents: string[] }[] {
    const section = this.section(".gnu.version_d");
    if (!section) return [];
    const strings = this.shdrs[section.link]!.offset;
    const list = [];
    for (let at = section.offset, next = 1; next !== 0; at += next) {
      const names: string[] = [];
      let aux = at + this.u32(at + 12);
      for (let i = 0; i < this.u16(at + 6); i++, aux += this.u32(aux + 4)) names.push(this.string(strings + this.u32(aux)));
      list.push({ index: this.u16(at + 4), flags: this.u16(at + 2), hash: this.u32(at + 8), name: names[0]!, parents: names.slice(1) });
      next = this.u32(at + 16);
    }
    return list;
  }

  verneeds(): { index: number; file: string; flags: number; hash: number; name: string }[] {
    const section = this.section(".gnu.version_r");
    if (!section) return [];
    const strings = this.shdrs[section.link]!.offset;
    const list = [];
    for (let at = section.offset, next = 1; next !== 0; at += next) {
      const file = this.string(strings + this.u32(at + 4));
      let aux = at + this.u32(at + 8);
      for (let i = 0; i < this.u16(at + 2); i++, aux += this.u32(aux + 12)) {
        list.push({
          index: this.u16(aux + 6), file, flags: this.u16(aux + 4), hash: this.u32(aux), name: this.string(strings + this.u32(aux + 8)),
        });
      }
      next = this.u32(at + 12);
    }
    return list;
  }

  symbol(name: string): Symbol | undefined { return this.symtab().find((s) => s.name === name); }
  dynamicSymbol(name: string): Symbol | undefined { return this.dynsym().find((s) => s.name === name); }

  /** Names of defined dynamic symbols, with @V or @@V, sorted. */
  exports(): string[] {
    const list = this.dynsym().filter((s) => s.index > 0 && s.shndx !== 0 && s.bind !== 0);
    return list.map((s) => s.name + (s.version ? (s.hidden ? "@" : "@@") + s.version : "")).sort();
  }

  /** Names of undefined dynamic symbols, with @V, sorted. */
  imports(): string[] {
    const list = this.dynsym().filter((s) => s.index > 0 && s.shndx === 0);
    return list.map((s) => s.name + (s.version ? "@" + s.version : "")).sort();
  }

  dynamic(): { tag: number; name: string; value: number }[] {
    const segment = this.segment(2);
    if (!segment) return [];
    const list = [];
    for (let at = segment.offset; at < segment.offset + segment.filesz; at += 16) {
      const tag = this.u64(at);
      list.push({ tag, name: DT_NAMES.get(tag) ?? "0x" + tag.toString(16), value: this.u64(at + 8) });
      if (tag === 0) break;
    }
    return list;
  }

  /** Value of the first DT_`name`, undefined when absent. */
  tag(name: string): number | undefined { return this.dynamic().find((d) => d.tag === DT[name])?.value; }

  private dynamicStrings(name: string): string[] {
    const strtab = this.fileOffset(this.tag("STRTAB") ?? 0);
    return this.dynamic().filter((d) => d.tag === DT[name]).map((d) => this.string(strtab + d.value));
  }

  needed(): string[] { return this.dynamicStrings("NEEDED"); }
  soname(): string | undefined { return this.dynamicStrings("SONAME")[0]; }
  runpath(): string | undefined { return this.dynamicStrings("RUNPATH")[0]; }
  rpath(): string | undefined { return this.dynamicStrings("RPATH")[0]; }

  interp(): string | undefined {
    const segment = this.segment(3);
    return segment && this.string(segment.offset, segment.offset + segment.filesz);
  }

  /** Relocations of all SHT_RELA sections (of allocated ones only when `allocOnly`). */
  relocs(allocOnly = true): Reloc[] {
    const list: Reloc[] = [];
    for (const s of this.shdrs) {
      if (s.type !== 4 || (allocOnly && !(s.flags & 2))) continue;
      const symbols = this.shdrs[s.link]?.name === ".dynsym" ? this.dynsym() : this.symtab();
      for (let at = s.offset; at < s.offset + s.size; at += 24) {
        const sym = this.u32(at + 12);
        list.push({ section: s.name, offset: this.u64(at), type: this.u32(at + 8), sym, name: symbols[sym]?.name ?? "", addend: this.i64(at + 16) });
      }
    }
    return list;
  }

  /** Addresses that .relr.dyn relocates (gABI: even word = address, odd word = bitmap of the next 63 words). */
  relr(): number[] {
    const section = this.shdrs.find((s) => s.type === 19);
    const list: number[] = [];
    if (!section) return list;
    let base = 0;
    for (let at = section.offset; at < section.offset + section.size; at += 8) {
      const word = this.view.getBigUint64(at, true);
      if (!(word & 1n)) {
        list.push(Number(word));
        base = Number(word) + 8;
      } else {
        for (let i = 0n; i < 63n; i++) if ((word >> (i + 1n)) & 1n) list.push(base + 8 * Number(i));
        base += 63 * 8;
      }
    }
    return list;
  }

  notes(): Note[] {
    const list: Note[] = [];
    for (const s of this.shdrs) {
      if (s.type !== 7) continue;
      const align = s.align === 8 ? 8 : 4;
      for (let at = s.offset; at + 12 <= s.offset + s.size; ) {
        const namesz = this.u32(at);
        const descsz = this.u32(at + 4);
        const desc = at + 12 + Math.ceil(namesz / 4) * 4;
        list.push({ section: s.name, name: this.string(at + 12, at + 12 + namesz), type: this.u32(at + 8), desc: this.bytes.subarray(desc, desc + descsz) });
        at = desc + Math.ceil(descsz / align) * align;
      }
    }
    return list;
  }

  /** The build id in hexadecimal, undefined when there is none. */
  buildId(): string | undefined {
    const note = this.notes().find((n) => n.name === "GNU" && n.type === 3);
    return note && Buffer.from(note.desc).toString("hex");
  }

  /** Interesting flags as text: "R", "RX", "RW"… of each PT_LOAD in order. */
  loadFlags(): string[] {
    return this.segments(1).map((p) => (p.flags & 4 ? "R" : "") + (p.flags & 2 ? "W" : "") + (p.flags & 1 ? "X" : ""));
  }
}
