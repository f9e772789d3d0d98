/**
 * An object with one more function or string, as a compiler with -ffunction-sections would make it of a file that was edited.
 *
 * Not an assembler: sections are taken apart, changed and written one behind the other again. The surprising choice: what calls the function is
 * a relocation that changes no byte (R_X86_64_NONE), so that the code that was there stays what it was.
 */
import {
  EHDR_BYTES, E_SHNUM, E_SHOFF, E_SHSTRNDX, RELA_BYTES, R_X86_64_NONE, R_X86_64_PC32, SHDR_BYTES, SHF_ALLOC, SHF_EXECINSTR, SHF_MERGE, SHF_STRINGS, SHT_NOBITS, SHT_PROGBITS, SHT_RELA, SHT_SYMTAB, SHT_X86_64_UNWIND, SH_ADDRALIGN,
  SH_FLAGS, SH_INFO, SH_LINK, SH_OFFSET, SH_SIZE, SH_TYPE, STB_GLOBAL, STT_FUNC, SYM_BYTES,
} from "../as-kernels/shared/elf.ts";

interface Section {
  /** Its header; offset and size are set when all is written. */
  header: DataView<ArrayBuffer>;
  data: Uint8Array;
}

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

class Sections {
  readonly all: Section[];
  private readonly ehdr: Uint8Array;

  constructor(object: Uint8Array) {
    this.ehdr = object.slice(0, EHDR_BYTES);
    const view = new DataView(object.buffer, object.byteOffset, object.length);
    const from = Number(view.getBigUint64(E_SHOFF, true));
    this.all = Array.from({ length: view.getUint16(E_SHNUM, true) }, (_, i) => {
      const header = new DataView(object.slice(from + SHDR_BYTES * i, from + SHDR_BYTES * (i + 1)).buffer);
      const [offset, bytes] = [SH_OFFSET, SH_SIZE].map((field) => Number(header.getBigUint64(field, true)));
      return { header, data: object.slice(offset!, header.getUint32(SH_TYPE, true) === SHT_NOBITS ? offset : offset! + bytes!) };
    });
  }

  find(is: (type: number, flags: number) => boolean): Section | undefined {
    const wanted = this.all.filter(({ header }) => is(header.getUint32(SH_TYPE, true), Number(header.getBigUint64(SH_FLAGS, true))));
    return wanted.sort((a, b) => b.data.length - a.data.length)[0];
  }

  /** Adds a section and gives its index. */
  add(name: string, type: number, flags: number, data: Uint8Array, link = 0, info = 0): number {
    const strings = this.all[new DataView(this.ehdr.buffer).getUint16(E_SHSTRNDX, true)]!;
    const header = new DataView(new ArrayBuffer(SHDR_BYTES));
    header.setUint32(0, strings.data.length, true);
    strings.data = joined(strings.data, bytesOf(`${name}\0`));
    header.setUint32(SH_TYPE, type, true);
    header.setBigUint64(SH_FLAGS, BigInt(flags), true);
    header.setUint32(SH_LINK, link, true);
    header.setUint32(SH_INFO, info, true);
    header.setBigUint64(SH_ADDRALIGN, 16n, true);
    return this.all.push({ header, data }) - 1;
  }

  /** The relocations of a section. */
  relocations(section: Section): Section {
    const index = this.all.indexOf(section);
    return this.all.find(({ header }) => header.getUint32(SH_TYPE, true) === SHT_RELA && header.getUint32(SH_INFO, true) === index)!;
  }

  bytes(): Uint8Array {
    const parts: Uint8Array[] = [this.ehdr];
    let at = EHDR_BYTES;
    const pad = (): void => {
      const padding = new Uint8Array(-at & 15);
      parts.push(padding);
      at += padding.length;
    };
    for (const { header, data } of this.all) {
      pad();
      header.setBigUint64(SH_OFFSET, BigInt(at), true);
      if (header.getUint32(SH_TYPE, true) !== SHT_NOBITS) header.setBigUint64(SH_SIZE, BigInt(data.length), true);
      parts.push(data);
      at += data.length;
    }
    pad();
    const ehdr = new DataView(this.ehdr.buffer);
    ehdr.setBigUint64(E_SHOFF, BigInt(at), true);
    ehdr.setUint16(E_SHNUM, this.all.length, true);
    return joined(...parts, ...this.all.map(({ header }) => new Uint8Array(header.buffer)));
  }
}

function rela(offset: number, type: number, symbol: number, addend: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(RELA_BYTES));
  view.setBigUint64(0, BigInt(offset), true);
  view.setBigUint64(8, (BigInt(symbol) << 32n) | BigInt(type), true);
  view.setBigInt64(16, BigInt(addend), true);
  return new Uint8Array(view.buffer);
}

const isCode = (type: number, flags: number): boolean => type === SHT_PROGBITS && (flags & SHF_EXECINSTR) !== 0;
const isUnwind = (type: number): boolean => type === SHT_X86_64_UNWIND;
const LITERALS = SHF_ALLOC | SHF_MERGE | SHF_STRINGS;
const isStrings = (_type: number, flags: number): boolean => (flags & LITERALS) === LITERALS;

/** A function of 32 and more bytes in a section of its own, which the largest function refers to, with an unwind record where there are some. */
export function withFunction(object: Uint8Array, round: number): Uint8Array {
  const sections = new Sections(object);
  const code = sections.find(isCode)!;
  const symtab = sections.find((type) => type === SHT_SYMTAB)!;
  const strtab = sections.all[symtab.header.getUint32(SH_LINK, true)]!;
  const name = `added${round}`;
  const size = 32 + 16 * (round & 7);
  const index = sections.add(`.text.${name}`, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, new Uint8Array(size).fill(0x90));
  const entry = new DataView(new ArrayBuffer(SYM_BYTES));
  entry.setUint32(0, strtab.data.length, true);
  entry.setUint8(4, (STB_GLOBAL << 4) | STT_FUNC);
  entry.setUint16(6, index, true);
  entry.setBigUint64(16, BigInt(size), true);
  const symbol = symtab.data.length / SYM_BYTES;
  strtab.data = joined(strtab.data, bytesOf(`${name}\0`));
  symtab.data = joined(symtab.data, new Uint8Array(entry.buffer));
  const relocations = sections.relocations(code);
  relocations.data = joined(relocations.data, rela(code.data.length - 1, R_X86_64_NONE, symbol, 0));
  const unwind = sections.find(isUnwind);
  if (unwind !== undefined) addRecord(sections, unwind, symbol, size);
  return sections.bytes();
}

/** An FDE of the first CIE, which is expected to say that addresses are relative, of four bytes (DW_EH_PE_pcrel | DW_EH_PE_sdata4), without data of a language. */
function addRecord(sections: Sections, unwind: Section, symbol: number, size: number): void {
  const at = unwind.data.length;
  const record = new DataView(new ArrayBuffer(24));
  [20, at + 4, 0, size].forEach((value, i) => record.setUint32(4 * i, value, true));
  unwind.data = joined(unwind.data, new Uint8Array(record.buffer));
  const relocations = sections.relocations(unwind);
  relocations.data = joined(relocations.data, rela(at + 8, R_X86_64_PC32, symbol, 0));
}

/** One more literal; nothing refers to it, which does not keep linkers from taking it. */
export function withString(object: Uint8Array, round: number): Uint8Array {
  const sections = new Sections(object);
  const strings = sections.find(isStrings);
  if (strings === undefined) return object.slice();
  strings.data = joined(strings.data, bytesOf(`a literal that was added in round ${round}\0`));
  return sections.bytes();
}
