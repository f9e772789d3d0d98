/**
 * Relocatable objects that the linker makes of other things: of any file (-b binary), of a program's symbols (--just-symbols, --out-implib).
 *
 * They are real ELF files in memory, handed to the host as unnamed files, so that no pass needs to know that they were made.
 */
import { EHDR_BYTES, ELF_MAGIC, ELFCLASS64, ELFDATA2LSB, ET_REL, SHDR_BYTES, GRP_COMDAT, SHF_ALLOC, SHF_EXECINSTR, SHF_GROUP, SHF_WRITE, SHN_ABS, SHN_COMMON, SHN_LORESERVE, SHN_UNDEF, SHT_DYNSYM, SHT_GROUP, SHT_NOTE, SHT_PROGBITS, SHT_STRTAB, SHT_SYMTAB, STB_GLOBAL, STB_LOCAL, STB_WEAK, STT_FUNC, STT_NOTYPE, STT_OBJECT, SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import type { ByteString } from "../args/link-options.ts";
import { readEhdr, writeEhdr } from "../elf/ehdr.ts";
import { readShdrs, writeShdr } from "../elf/shdr.ts";
import { readSym, writeSym, type Sym } from "../elf/sym.ts";
import { LTO_COMMON, LTO_UNDEF, LTO_WEAK_DEF, LTO_WEAK_UNDEF, type LtoSymbol } from "./gcc-symtab.ts";
import { bytesOf, latin1 } from "../memory/text.ts";

interface MadeSection {
  name: string;
  sh_type: number;
  sh_flags: number;
  sh_addralign: number;
  bytes: Uint8Array;
  /** SHT_GROUP: symbol index of the signature. */
  signature?: number;
}

type MadeSymbol = Pick<Sym, "st_info" | "st_other" | "st_shndx" | "st_value" | "st_size"> & { name: ByteString };

/** NT_GNU_PROPERTY_TYPE_0 with IBT and SHSTK: data has no branches, so it must not take the features from the link. */
const HARMLESS = Uint8Array.of(4, 0, 0, 0, 16, 0, 0, 0, 5, 0, 0, 0, 0x47, 0x4e, 0x55, 0, 2, 0, 0, 0xc0, 4, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0);
const NOTES: MadeSection[] = [
  { name: ".note.gnu.property", sh_type: SHT_NOTE, sh_flags: SHF_ALLOC, sh_addralign: 8, bytes: HARMLESS },
  { name: ".note.GNU-stack", sh_type: SHT_PROGBITS, sh_flags: 0, sh_addralign: 1, bytes: new Uint8Array(0) },
];

/** A string table, and the offset of each name in it. */
function strings(names: readonly ByteString[]): { bytes: Uint8Array; offsets: number[] } {
  let text = "\0";
  const offsets = names.map((name) => {
    text += `${name}\0`;
    return text.length - name.length - 1;
  });
  return { bytes: bytesOf(text), offsets };
}

/** `locals` of the symbols, the first ones, are local. */
export function makeObject({ e_machine, osabi = 0 }: { e_machine: number; osabi?: number }, sections: readonly MadeSection[], symbols: readonly MadeSymbol[], locals = 0): Uint8Array {
  const strtab = strings(symbols.map(({ name }) => name));
  const symtab = new Uint8Array((symbols.length + 1) * SYM_BYTES);
  const entries = new DataView(symtab.buffer);
  symbols.forEach((symbol, i) => writeSym(entries, (i + 1) * SYM_BYTES, { ...symbol, st_name: strtab.offsets[i]! }));
  const all = [
    ...sections.map((section) => ({ ...section, sh_link: section.signature === undefined ? 0 : sections.length + 1, sh_info: section.signature ?? 0, sh_entsize: 0 })),
    { name: ".symtab", sh_type: SHT_SYMTAB, sh_flags: 0, sh_addralign: 8, bytes: symtab, sh_link: sections.length + 2, sh_info: locals + 1, sh_entsize: SYM_BYTES },
    { name: ".strtab", sh_type: SHT_STRTAB, sh_flags: 0, sh_addralign: 1, bytes: strtab.bytes, sh_link: 0, sh_info: 0, sh_entsize: 0 },
    { name: ".shstrtab", sh_type: SHT_STRTAB, sh_flags: 0, sh_addralign: 1, bytes: new Uint8Array(0), sh_link: 0, sh_info: 0, sh_entsize: 0 },
  ];
  const names = strings(all.map(({ name }) => name));
  all[all.length - 1]!.bytes = names.bytes;
  let end = EHDR_BYTES;
  const places = all.map(({ bytes, sh_addralign }) => {
    const at = Math.ceil(end / sh_addralign) * sh_addralign;
    end = at + bytes.length;
    return at;
  });
  const e_shoff = Math.ceil(end / 8) * 8;
  const out = new Uint8Array(e_shoff + (all.length + 1) * SHDR_BYTES);
  const view = new DataView(out.buffer);
  writeEhdr(view, {
    osabi, abiVersion: 0, e_type: ET_REL, e_machine, e_entry: 0n, e_phoff: 0, e_shoff, e_flags: 0, e_phentsize: 0, e_phnum: 0, e_shentsize: SHDR_BYTES,
    e_shnum: all.length + 1, e_shstrndx: all.length,
  });
  all.forEach(({ bytes, ...shdr }, i) => {
    out.set(bytes, places[i]);
    writeShdr(view, e_shoff + (i + 1) * SHDR_BYTES, { ...shdr, sh_name: names.offsets[i]!, sh_addr: 0n, sh_offset: places[i]!, sh_size: bytes.length });
  });
  return out;
}

/** Has the symbols of a slim LTO object: what it defines lies in an empty section. */
export function standIn(e_machine: number, symbols: readonly LtoSymbol[]): Uint8Array {
  const text = { name: ".text", sh_type: SHT_PROGBITS, sh_flags: SHF_ALLOC, sh_addralign: 1, bytes: new Uint8Array(0) };
  return makeObject({ e_machine }, [text, ...NOTES], symbols.map(({ name, comdat, kind, visibility, size }) => {
    const isUndefined = kind === LTO_UNDEF || kind === LTO_WEAK_UNDEF;
    const isWeak = kind === LTO_WEAK_DEF || kind === LTO_WEAK_UNDEF || (comdat !== "" && !isUndefined);
    return {
      name, st_info: (isWeak ? STB_WEAK : STB_GLOBAL) << 4, st_other: visibility, st_shndx: isUndefined ? SHN_UNDEF : kind === LTO_COMMON ? SHN_COMMON : 1,
      st_value: kind === LTO_COMMON ? 16n : 0n, st_size: isUndefined ? 0n : size,
    };
  }));
}

/** Has COMDAT groups with these signatures and nothing in them: copies that come later are left out. */
export function groupClaims(e_machine: number, signatures: readonly ByteString[]): Uint8Array {
  const sections = signatures.flatMap((_, i) => [
    { name: ".group", sh_type: SHT_GROUP, sh_flags: 0, sh_addralign: 4, bytes: new Uint8Array(Uint32Array.of(GRP_COMDAT, 2 * i + 2).buffer), signature: i + 1 },
    { name: ".text", sh_type: SHT_PROGBITS, sh_flags: SHF_ALLOC | SHF_EXECINSTR | SHF_GROUP, sh_addralign: 1, bytes: new Uint8Array(0) },
  ]);
  const symbols = signatures.map((name) => ({ name, st_info: 0, st_other: 0, st_shndx: SHN_UNDEF, st_value: 0n, st_size: 0n }));
  return makeObject({ e_machine }, [...sections, ...NOTES], symbols, symbols.length);
}

/** -b binary: the bytes in .data, between `_binary_PATH_start` and `_binary_PATH_end`; what is no letter or digit becomes `_`. */
export function objectOfBinary(e_machine: number, path: ByteString, bytes: Uint8Array): Uint8Array {
  const stem = `_binary_${path.replace(/[^A-Za-z0-9]/g, "_")}`;
  const symbol = (name: string, st_shndx: number, value: number): MadeSymbol => ({
    name: stem + name, st_info: (STB_GLOBAL << 4) | STT_OBJECT, st_other: 0, st_shndx, st_value: BigInt(value), st_size: 0n,
  });
  const data = { name: ".data", sh_type: SHT_PROGBITS, sh_flags: SHF_ALLOC | SHF_WRITE, sh_addralign: 8, bytes };
  return makeObject({ e_machine }, [data, ...NOTES], [symbol("_start", 1, 0), symbol("_end", 1, bytes.length), symbol("_size", SHN_ABS, bytes.length)]);
}

/**
 * --just-symbols: what the symbol table of an ELF file defines, as absolute symbols. undefined = not an ELF file of this kind, or
 * its symbol table cannot be read. A file without one defines nothing (GNU ld, lld).
 */
export function objectOfSymbols(e_machine: number, bytes: Uint8Array): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const inside = (at: number, size: number): boolean => at >= 0 && size >= 0 && at + size <= bytes.length;
  if (bytes.length < EHDR_BYTES || view.getUint32(0, true) !== ELF_MAGIC || bytes[4] !== ELFCLASS64 || bytes[5] !== ELFDATA2LSB) return undefined;
  const ehdr = readEhdr(view);
  if (ehdr.e_machine !== e_machine || !inside(ehdr.e_shoff, ehdr.e_shnum * SHDR_BYTES)) return undefined;
  const shdrs = readShdrs(new DataView(view.buffer, view.byteOffset + ehdr.e_shoff, ehdr.e_shnum * SHDR_BYTES), ehdr.e_shnum);
  const table = shdrs.find(({ sh_type }) => sh_type === SHT_SYMTAB) ?? shdrs.find(({ sh_type }) => sh_type === SHT_DYNSYM);
  if (table === undefined) return makeObject({ e_machine }, NOTES, []);
  const names = shdrs[table.sh_link];
  if (names === undefined || !inside(table.sh_offset, table.sh_size) || !inside(names.sh_offset, names.sh_size)) return undefined;
  const found: MadeSymbol[] = [];
  for (let at = table.sh_offset; at + SYM_BYTES <= table.sh_offset + table.sh_size; at += SYM_BYTES) {
    const symbol = readSym(view, at);
    const bind = symbol.st_info >> 4;
    const isDefined = symbol.st_shndx !== SHN_UNDEF && (symbol.st_shndx < SHN_LORESERVE || symbol.st_shndx === SHN_ABS);
    if (!isDefined || bind === STB_LOCAL || symbol.st_name >= names.sh_size) continue;
    const start = names.sh_offset + symbol.st_name;
    const end = bytes.indexOf(0, start);
    const name = latin1(bytes, start, Math.min(end < 0 ? bytes.length : end, names.sh_offset + names.sh_size));
    const type = symbol.st_info & 15;
    found.push({ ...symbol, name, st_info: ((bind === STB_WEAK ? STB_WEAK : STB_GLOBAL) << 4) | (type === STT_OBJECT || type === STT_FUNC ? type : STT_NOTYPE), st_shndx: SHN_ABS });
  }
  return makeObject({ e_machine }, NOTES, found);
}
