/**
 * Builds ELF64 relocatable objects and ar archives in memory, for tests that need no compiler.
 *
 * Not a checker: it writes what it is told, malformed fields included (see `patch` users in test/link/malformed).
 * The surprising choice: local symbols may be added at any time; `bytes()` sorts locals first, as gABI ch. 4 Symbol Table demands,
 * and renumbers the relocations, so callers hold `Sym` objects and never indexes.
 */

import {
  EM_X86_64, ET_REL, GRP_COMDAT, SHF_ALLOC, SHF_EXECINSTR, SHF_GROUP, SHF_INFO_LINK, SHF_WRITE, SHN_ABS, SHN_COMMON, SHN_UNDEF,
  SHT_GROUP, SHT_NOBITS, SHT_PROGBITS, SHT_RELA, SHT_STRTAB, SHT_SYMTAB, STB_GLOBAL, STB_LOCAL, STT_NOTYPE, STT_SECTION, STV_DEFAULT,
} from "../../as-kernels/shared/elf.ts";

export interface SectionSpec {
  type?: number;
  flags?: number;
  align?: number;
  entsize?: number;
  data?: Uint8Array | number[] | string;
  /** NOBITS size in bytes. */
  size?: number;
  link?: Section;
  info?: number;
}

export interface SymbolSpec {
  /** A section, or SHN_UNDEF (default), SHN_ABS, SHN_COMMON. */
  in?: Section | number;
  value?: number | bigint;
  size?: number;
  bind?: number;
  type?: number;
  visibility?: number;
}

export interface Section {
  name: string;
  type: number;
  flags: number;
  align: number;
  entsize: number;
  data: Uint8Array;
  size: number;
  link: Section | undefined;
  info: number;
  relocs: { offset: number; type: number; sym: Sym | undefined; addend: bigint }[];
  group: { signature: Sym; flags: number; members: Section[] } | undefined;
  symbol: Sym | undefined;
}

export interface Sym {
  name: string;
  in: Section | number;
  value: bigint;
  size: number;
  bind: number;
  type: number;
  visibility: number;
}

/** Latin-1 characters to bytes. */
export function bytesOf(data: Uint8Array | number[] | string): Uint8Array {
  if (typeof data === "string") return Uint8Array.from(data, (c) => c.charCodeAt(0));
  return data instanceof Uint8Array ? data : Uint8Array.from(data);
}

/** A string table that shares nothing: one entry per distinct string. */
class StringTable {
  text = "\0";
  offsets = new Map<string, number>([["", 0]]);
  add(text: string): number {
    let offset = this.offsets.get(text);
    if (offset === undefined) {
      offset = this.text.length;
      this.offsets.set(text, offset);
      this.text += text + "\0";
    }
    return offset;
  }
}

export class ObjectBuilder {
  machine = EM_X86_64;
  osabi = 0;
  sections: Section[] = [];
  symbols: Sym[] = [];

  section(name: string, spec: SectionSpec = {}): Section {
    const data = bytesOf(spec.data ?? []);
    const section: Section = {
      name,
      type: spec.type ?? (spec.size !== undefined ? SHT_NOBITS : SHT_PROGBITS),
      flags: spec.flags ?? 0,
      align: spec.align ?? 1,
      entsize: spec.entsize ?? 0,
      data,
      size: spec.size ?? data.length,
      link: spec.link,
      info: spec.info ?? 0,
      relocs: [],
      group: undefined,
      symbol: undefined,
    };
    this.sections.push(section);
    return section;
  }

  text(data: Uint8Array | number[] | string, name = ".text"): Section {
    return this.section(name, { flags: SHF_ALLOC | SHF_EXECINSTR, align: 16, data });
  }

  data(data: Uint8Array | number[] | string, name = ".data"): Section {
    return this.section(name, { flags: SHF_ALLOC | SHF_WRITE, align: 8, data });
  }

  symbol(name: string, spec: SymbolSpec = {}): Sym {
    const sym: Sym = {
      name,
      in: spec.in ?? SHN_UNDEF,
      value: BigInt(spec.value ?? 0),
      size: spec.size ?? 0,
      bind: spec.bind ?? STB_GLOBAL,
      type: spec.type ?? STT_NOTYPE,
      visibility: spec.visibility ?? STV_DEFAULT,
    };
    this.symbols.push(sym);
    return sym;
  }

  absolute(name: string, value: number | bigint): Sym {
    return this.symbol(name, { in: SHN_ABS, value });
  }

  common(name: string, size: number, align: number): Sym {
    return this.symbol(name, { in: SHN_COMMON, value: align, size, type: 1 });
  }

  sectionSymbol(section: Section): Sym {
    section.symbol ??= this.symbol("", { in: section, bind: STB_LOCAL, type: STT_SECTION });
    return section.symbol;
  }

  reloc(section: Section, offset: number, type: number, sym: Sym | undefined, addend: number | bigint = 0): void {
    section.relocs.push({ offset, type, sym, addend: BigInt(addend) });
  }

  group(signature: Sym, members: Section[], flags = GRP_COMDAT): Section {
    const group = this.section(".group", { type: SHT_GROUP, align: 4, entsize: 4 });
    group.group = { signature, flags, members };
    for (const member of members) member.flags |= SHF_GROUP;
    return group;
  }

  /** The object file. Section order: group sections, the sections in call order, each followed by its .rela, then the tables. */
  bytes(): Uint8Array {
    const list: Section[] = [];
    const relaOf = new Map<Section, Section>();
    const ordered = [...this.sections.filter((s) => s.group), ...this.sections.filter((s) => !s.group)];
    for (const section of ordered) {
      list.push(section);
      if (section.relocs.length === 0) continue;
      const rela = plain(".rela" + section.name, SHT_RELA, SHF_INFO_LINK | (section.flags & SHF_GROUP), 8, 24);
      relaOf.set(section, rela);
      list.push(rela);
    }
    const symtab = plain(".symtab", SHT_SYMTAB, 0, 8, 24);
    const strtab = plain(".strtab", SHT_STRTAB, 0, 1, 0);
    const shstrtab = plain(".shstrtab", SHT_STRTAB, 0, 1, 0);
    list.push(symtab, strtab, shstrtab);
    const indexOf = new Map(list.map((section, i) => [section, i + 1]));

    const locals = this.symbols.filter((s) => s.bind === STB_LOCAL);
    const globals = this.symbols.filter((s) => s.bind !== STB_LOCAL);
    const symIndex = new Map([...locals, ...globals].map((s, i) => [s, i + 1]));
    const names = new StringTable();
    symtab.data = symbolTable([...locals, ...globals], names, indexOf);
    symtab.info = locals.length + 1;
    symtab.link = strtab;
    strtab.data = bytesOf(names.text);
    for (const [section, rela] of relaOf) {
      rela.data = relaTable(section, symIndex);
      rela.link = symtab;
      rela.info = indexOf.get(section)!;
    }
    for (const section of list) {
      if (!section.group) continue;
      const members = section.group.members.flatMap((m) => [m, ...(relaOf.has(m) ? [relaOf.get(m)!] : [])]);
      section.data = new Uint8Array(Uint32Array.from([section.group.flags, ...members.map((m) => indexOf.get(m)!)]).buffer);
      section.link = symtab;
      section.info = symIndex.get(section.group.signature)!;
    }
    const shnames = new StringTable();
    for (const section of list) shnames.add(section.name);
    shstrtab.data = bytesOf(shnames.text);
    for (const section of list) if (section.type !== SHT_NOBITS) section.size = section.data.length;
    return this.write(list, indexOf, shnames, indexOf.get(shstrtab)!);
  }

  private write(list: Section[], indexOf: Map<Section, number>, shnames: StringTable, shstrndx: number): Uint8Array {
    let end = 64;
    const offsets = list.map((section) => {
      const align = section.align > 4096 ? 1 : Math.max(1, section.align);
      const offset = Math.ceil(end / align) * align;
      end = offset + (section.type === SHT_NOBITS ? 0 : section.data.length);
      return offset;
    });
    const shoff = Math.ceil(end / 8) * 8;
    const out = new Uint8Array(shoff + 64 * (list.length + 1));
    const view = new DataView(out.buffer);
    out.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, this.osabi]);
    view.setUint16(16, ET_REL, true);
    view.setUint16(18, this.machine, true);
    view.setUint32(20, 1, true);
    view.setBigUint64(40, BigInt(shoff), true);
    view.setUint16(52, 64, true);
    view.setUint16(58, 64, true);
    view.setUint16(60, list.length + 1, true);
    view.setUint16(62, shstrndx, true);
    list.forEach((section, i) => {
      if (section.type !== SHT_NOBITS) out.set(section.data, offsets[i]);
      const at = shoff + 64 * (i + 1);
      view.setUint32(at, shnames.add(section.name), true);
      view.setUint32(at + 4, section.type, true);
      view.setBigUint64(at + 8, BigInt(section.flags >>> 0), true);
      view.setBigUint64(at + 24, BigInt(offsets[i]!), true);
      view.setBigUint64(at + 32, BigInt(section.size), true);
      view.setUint32(at + 40, section.link ? indexOf.get(section.link)! : 0, true);
      view.setUint32(at + 44, section.info, true);
      view.setBigUint64(at + 48, BigInt(section.align), true);
      view.setBigUint64(at + 56, BigInt(section.entsize), true);
    });
    return out;
  }
}

function plain(name: string, type: number, flags: number, align: number, entsize: number): Section {
  return {
    name, type, flags, align, entsize, data: new Uint8Array(0), size: 0, link: undefined, info: 0, relocs: [], group: undefined, symbol: undefined,
  };
}

function symbolTable(symbols: Sym[], names: StringTable, indexOf: Map<Section, number>): Uint8Array {
  const out = new Uint8Array(24 * (symbols.length + 1));
  const view = new DataView(out.buffer);
  symbols.forEach((sym, i) => {
    const at = 24 * (i + 1);
    view.setUint32(at, names.add(sym.name), true);
    out[at + 4] = (sym.bind << 4) | sym.type;
    out[at + 5] = sym.visibility;
    view.setUint16(at + 6, typeof sym.in === "number" ? sym.in : indexOf.get(sym.in)!, true);
    view.setBigUint64(at + 8, BigInt.asUintN(64, sym.value), true);
    view.setBigUint64(at + 16, BigInt(sym.size), true);
  });
  return out;
}

function relaTable(section: Section, symIndex: Map<Sym, number>): Uint8Array {
  const out = new Uint8Array(24 * section.relocs.length);
  const view = new DataView(out.buffer);
  section.relocs.forEach((reloc, i) => {
    view.setBigUint64(24 * i, BigInt(reloc.offset), true);
    view.setUint32(24 * i + 8, reloc.type, true);
    view.setUint32(24 * i + 12, reloc.sym ? symIndex.get(reloc.sym)! : 0, true);
    view.setBigInt64(24 * i + 16, BigInt.asIntN(64, reloc.addend), true);
  });
  return out;
}

export interface Member {
  name: string;
  data: Uint8Array;
  /** Symbols to list in the archive index. */
  symbols?: string[];
}

export interface ArchiveSpec {
  /** Write the `/` symbol index (default true when a member lists symbols). */
  index?: boolean;
  /** `!<thin>`: names only, the data stays in files. */
  thin?: boolean;
  /** `/SYM64/` instead of `/`. */
  index64?: boolean;
}

function memberHeader(name: string, size: number): string {
  return name.padEnd(16) + "0".padEnd(12) + "0".padEnd(6) + "0".padEnd(6) + "644".padEnd(8) + String(size).padEnd(10) + "`\n";
}

/** An ar archive as GNU ar writes it: optional symbol index, `//` long names, members padded to even offsets. */
export function archive(members: Member[], spec: ArchiveSpec = {}): Uint8Array {
  const withIndex = spec.index ?? members.some((m) => m.symbols?.length);
  let longNames = "";
  const headerNames = members.map((m) => {
    if (!spec.thin && m.name.length <= 15) return m.name + "/";
    longNames += m.name + "/\n";
    return "/" + (longNames.length - m.name.length - 2);
  });
  if (longNames.length % 2) longNames += "\n";
  const word = spec.index64 ? 8 : 4;
  const entries = members.flatMap((m, member) => (m.symbols ?? []).map((symbol) => ({ symbol, member })));
  const symbolText = entries.map((e) => e.symbol + "\0").join("");
  let indexBytes = withIndex ? word * (entries.length + 1) + symbolText.length : 0;
  indexBytes += indexBytes % 2;

  const offsets: number[] = [];
  let at = 8 + (withIndex ? 60 + indexBytes : 0) + (longNames ? 60 + longNames.length : 0);
  for (const m of members) {
    offsets.push(at);
    at += 60 + (spec.thin ? 0 : m.data.length + (m.data.length % 2));
  }
  const out = new Uint8Array(at);
  out.set(bytesOf(spec.thin ? "!<thin>\n" : "!<arch>\n"));
  let to = 8;
  if (withIndex) {
    out.set(bytesOf(memberHeader(spec.index64 ? "/SYM64/" : "/", indexBytes)), to);
    const view = new DataView(out.buffer, to + 60);
    const put = (i: number, value: number): void => {
      if (spec.index64) view.setBigUint64(8 * i, BigInt(value));
      else view.setUint32(4 * i, value);
    };
    put(0, entries.length);
    entries.forEach((e, i) => put(i + 1, offsets[e.member]!));
    out.set(bytesOf(symbolText), to + 60 + word * (entries.length + 1));
    to += 60 + indexBytes;
  }
  if (longNames) {
    out.set(bytesOf(memberHeader("//", longNames.length) + longNames), to);
  }
  members.forEach((m, i) => {
    out.set(bytesOf(memberHeader(headerNames[i]!, m.data.length)), offsets[i]);
    if (!spec.thin) out.set(m.data, offsets[i]! + 60);
    if (!spec.thin && m.data.length % 2) out[offsets[i]! + 60 + m.data.length] = 0x0a;
  });
  return out;
}
