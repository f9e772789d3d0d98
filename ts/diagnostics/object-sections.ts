/**
 * Sections of one relocatable object, read again from its file: for debug information in messages.
 *
 * Independent of the link's tables, because debug sections may have been stripped, discarded or never loaded. Every bound
 * is checked and every failure is null: the object may be the corrupt file a message is about.
 */
import {
  CHDR_BYTES,
  EHDR_BYTES,
  ELFCOMPRESS_ZLIB,
  RELA_BYTES,
  SHDR_BYTES,
  SHF_COMPRESSED,
  SHN_LORESERVE,
  SHN_XINDEX,
  SHT_NOBITS,
  SHT_RELA,
  SHT_SYMTAB,
  SHT_SYMTAB_SHNDX,
  SYM_BYTES,
  ZDEBUG_BYTES,
} from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import { readEhdr, readOffset } from "../elf/ehdr.ts";
import { readShdrs, type Shdr } from "../elf/shdr.ts";
import { readSym } from "../elf/sym.ts";

/** Reading one object; positions are relative to its ELF header. */
export interface ObjectSource {
  bytes: number;
  read(position: number, bytes: number): Uint8Array | null;
  /** Inflates ELFCOMPRESS_* `kind` to exactly `size` bytes; may throw. */
  inflate(kind: number, bytes: Uint8Array, size: number): Uint8Array;
}

/** A section's bytes with its relocations applied, and what those at code addresses refer to. */
export interface DebugSection {
  bytes: Uint8Array;
  /** Offset in the section → section header index the relocated value is relative to. */
  targets: Map<number, number>;
}

/** Debug sections above this are not read: a message is not worth the memory. */
const MAX_SECTION_BYTES = 1 << 30;
/** What .zdebug sections begin with; the size follows, in big-endian order. */
const ZLIB = 0x5a4c4942;

/** Widths in bytes of the absolute relocations debug sections use, by e_machine. */
const ABSOLUTE: Record<number, Record<number, number>> = {
  62: { 1: 8, 10: 4, 11: 4 }, // R_X86_64_64, _32, _32S
  183: { 257: 8, 258: 4 }, // R_AARCH64_ABS64, ABS32
  243: { 1: 4, 2: 8 }, // R_RISCV_32, _64
};

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export class ObjectSections {
  private readonly source: ObjectSource;
  private readonly machine: number;
  private readonly shdrs: Shdr[];
  private readonly names: Uint8Array;
  private symbols: DataView | null | undefined;
  private shndxTable: DataView | null = null;

  private constructor(source: ObjectSource, machine: number, shdrs: Shdr[], names: Uint8Array) {
    this.source = source;
    this.machine = machine;
    this.shdrs = shdrs;
    this.names = names;
  }

  static open(source: ObjectSource): ObjectSections | null {
    const head = source.read(0, EHDR_BYTES);
    if (head === null) return null;
    const ehdr = readEhdr(viewOf(head));
    if (ehdr.e_shentsize !== SHDR_BYTES) return null;
    const first = source.read(ehdr.e_shoff, SHDR_BYTES);
    if (first === null) return null;
    const [zero] = readShdrs(viewOf(first), 1);
    const count = ehdr.e_shnum === 0 ? zero!.sh_size : ehdr.e_shnum;
    const namesIndex = ehdr.e_shstrndx === SHN_XINDEX ? zero!.sh_link : ehdr.e_shstrndx;
    const table = count * SHDR_BYTES > source.bytes ? null : source.read(ehdr.e_shoff, count * SHDR_BYTES);
    if (table === null) return null;
    const shdrs = readShdrs(viewOf(table), count);
    const namesHeader = shdrs[namesIndex];
    const names = namesHeader === undefined ? null : source.read(namesHeader.sh_offset, namesHeader.sh_size);
    return names === null ? null : new ObjectSections(source, ehdr.e_machine, shdrs, names);
  }

  /** Header index of the first section called `name`, 0 = none. */
  find(name: ByteString): number {
    return Math.max(0, this.shdrs.findIndex((shdr) => shdr.sh_type !== SHT_RELA && this.name(shdr) === name));
  }

  header(index: number): Shdr | undefined {
    return this.shdrs[index];
  }

  /** Name of the section header `index`, "" when it cannot be read. */
  nameOf(index: number): ByteString {
    const shdr = this.shdrs[index];
    return shdr === undefined ? "" : this.name(shdr);
  }

  private name(shdr: Shdr): ByteString {
    return cstringAt(this.names, shdr.sh_name);
  }

  /** A section by name with its relocations applied; null when it is missing or cannot be read. */
  load(name: ByteString): DebugSection | null {
    const index = this.find(name) || this.find(name.replace(/^\.debug/, ".zdebug"));
    const bytes = index === 0 ? null : this.contents(index);
    if (bytes === null) return null;
    const targets = new Map<number, number>();
    this.shdrs.forEach((shdr) => {
      if (shdr.sh_type === SHT_RELA && shdr.sh_info === index) this.apply(shdr, bytes, targets);
    });
    return { bytes, targets };
  }

  private contents(index: number): Uint8Array | null {
    const shdr = this.shdrs[index]!;
    if (shdr.sh_type === SHT_NOBITS || shdr.sh_size > MAX_SECTION_BYTES) return null;
    const stored = this.source.read(shdr.sh_offset, shdr.sh_size);
    if (stored === null) return stored;
    const chdr = viewOf(stored);
    const old = stored.length >= ZDEBUG_BYTES && chdr.getUint32(0) === ZLIB && this.name(shdr).startsWith(".zdebug_");
    if (!old && !(shdr.sh_flags & SHF_COMPRESSED)) return stored;
    if (!old && stored.length < CHDR_BYTES) return null;
    const size = old ? chdr.getUint32(8) : readOffset(chdr, 8);
    if (size > MAX_SECTION_BYTES) return null;
    try {
      // A copy: relocations are applied in place, and the host may hand out a view of something it keeps.
      return (old ? this.source.inflate(ELFCOMPRESS_ZLIB, stored.subarray(ZDEBUG_BYTES), size) : this.source.inflate(chdr.getUint32(0, true), stored.subarray(CHDR_BYTES), size)).slice();
    } catch {
      // Damaged debug information: the message has no source line.
      return null;
    }
  }

  /** Writes S + A at every absolute relocation of `bytes`. */
  private apply(shdr: Shdr, bytes: Uint8Array, targets: Map<number, number>): void {
    const symbols = this.symbolTable();
    const raw = this.source.read(shdr.sh_offset, shdr.sh_size);
    const widths = ABSOLUTE[this.machine];
    if (symbols === null || raw === null || widths === undefined) return;
    const relas = viewOf(raw);
    const out = viewOf(bytes);
    for (let at = 0; at + RELA_BYTES <= raw.length; at += RELA_BYTES) {
      const offset = readOffset(relas, at);
      const width = widths[relas.getUint32(at + 8, true)];
      const symbolAt = relas.getUint32(at + 12, true) * SYM_BYTES;
      if (width === undefined || offset + width > bytes.length || symbolAt + SYM_BYTES > symbols.byteLength) continue;
      const symbol = readSym(symbols, symbolAt);
      const value = symbol.st_value + relas.getBigInt64(at + 16, true);
      if (width === 8) out.setBigUint64(offset, BigInt.asUintN(64, value), true);
      else out.setUint32(offset, Number(BigInt.asUintN(32, value)), true);
      targets.set(offset, this.sectionIndex(symbol.st_shndx, symbolAt / SYM_BYTES));
    }
  }

  private sectionIndex(st_shndx: number, symbol: number): number {
    if (st_shndx !== SHN_XINDEX) return st_shndx < SHN_LORESERVE ? st_shndx : 0;
    const table = this.shndxTable;
    return table === null || 4 * symbol + 4 > table.byteLength ? 0 : table.getUint32(4 * symbol, true);
  }

  private symbolTable(): DataView | null {
    if (this.symbols !== undefined) return this.symbols;
    this.symbols = null;
    for (const shdr of this.shdrs) {
      if (shdr.sh_type !== SHT_SYMTAB && shdr.sh_type !== SHT_SYMTAB_SHNDX) continue;
      const bytes = this.source.read(shdr.sh_offset, shdr.sh_size);
      const view = bytes === null ? null : viewOf(bytes);
      if (shdr.sh_type === SHT_SYMTAB) this.symbols = view;
      else this.shndxTable = view;
    }
    return this.symbols;
  }
}

/** The NUL-terminated bytes at `at`, "" outside. */
export function cstringAt(bytes: Uint8Array, at: number): ByteString {
  let text = "";
  for (let i = at; i < bytes.length && bytes[i] !== 0; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}
