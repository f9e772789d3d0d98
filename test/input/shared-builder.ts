/**
 * Builds small shared objects in memory, with or without section headers, for tests that need no compiler.
 *
 * Only what a linker reads of them: dynamic symbols, versions, .dynamic, one text and one data segment without contents.
 */
import { EM_X86_64, ET_DYN, PF_R, PF_W, PHDR_BYTES, PT_DYNAMIC, PT_LOAD, SHDR_BYTES, SHT_DYNAMIC, SHT_DYNSYM, SYM_BYTES } from "../../as-kernels/shared/elf.ts";
import { writeEhdr } from "../../ts/elf/ehdr.ts";
import { writePhdr } from "../../ts/elf/phdr.ts";
import { writeShdr } from "../../ts/elf/shdr.ts";
import { writeSym } from "../../ts/elf/sym.ts";

export interface SharedSymbol {
  name: string;
  /** Default 1: defined in section 1 (.data). 0 = undefined. */
  shndx?: number;
  value?: number;
  size?: number;
  info?: number;
  /** Version index, default 1. */
  version?: number;
}

export interface SharedSpec {
  soname?: string;
  needed?: string[];
  symbols?: SharedSymbol[];
  /** Definitions: version index → name. */
  verdef?: Record<number, string>;
  /** Needed versions: index → name. */
  verneed?: Record<number, string>;
  /** No section headers. */
  bare?: boolean;
}

/** .data: read-only below RW_ADDRESS. */
export const RW_ADDRESS = 0x20000;

export function sharedObject(spec: SharedSpec): Uint8Array {
  const bytes = new Uint8Array(8192);
  const view = new DataView(bytes.buffer);
  const symbols = spec.symbols ?? [];
  let strings = "\0";
  const name = (text: string): number => {
    strings += `${text}\0`;
    return strings.length - text.length - 1;
  };

  const dynsym = 1024;
  const symbolBytes = SYM_BYTES * (symbols.length + 1);
  symbols.forEach((symbol, i) =>
    writeSym(view, dynsym + SYM_BYTES * (i + 1), {
      st_name: name(symbol.name),
      st_info: symbol.info ?? 0x11,
      st_other: 0,
      st_shndx: symbol.shndx ?? 1,
      st_value: BigInt(symbol.value ?? 0),
      st_size: BigInt(symbol.size ?? 8),
    }),
  );
  const versym = 3072;
  symbols.forEach((symbol, i) => view.setUint16(versym + 2 * (i + 1), symbol.version ?? 1, true));

  const verdef = 3584;
  const definitions = Object.entries(spec.verdef ?? {});
  definitions.forEach(([index, text], i) => {
    const at = verdef + 28 * i;
    view.setUint16(at, 1, true);
    view.setUint16(at + 4, Number(index), true);
    view.setUint16(at + 6, 1, true);
    view.setUint32(at + 12, 20, true);
    view.setUint32(at + 16, i + 1 < definitions.length ? 28 : 0, true);
    view.setUint32(at + 20, name(text), true);
  });
  const verneed = 4096;
  const references = Object.entries(spec.verneed ?? {});
  view.setUint16(verneed, 1, true);
  view.setUint16(verneed + 2, references.length, true);
  view.setUint32(verneed + 8, 16, true);
  references.forEach(([index, text], i) => {
    const at = verneed + 16 + 16 * i;
    view.setUint16(at + 6, Number(index), true);
    view.setUint32(at + 8, name(text), true);
    view.setUint32(at + 12, i + 1 < references.length ? 16 : 0, true);
  });

  const dynamic = 4608;
  const tags: [number, number][] = [];
  if (spec.soname !== undefined) tags.push([14, name(spec.soname)]);
  for (const library of spec.needed ?? []) tags.push([1, name(library)]);
  const dynstr = 5632;
  const hash = 6656;
  view.setUint32(hash + 4, symbols.length + 1, true);
  tags.push([5, dynstr], [10, strings.length], [6, dynsym], [4, hash], [0x6ffffff0, versym]);
  if (definitions.length > 0) tags.push([0x6ffffffc, verdef]);
  if (references.length > 0) tags.push([0x6ffffffe, verneed]);
  tags.push([0, 0]);
  tags.forEach(([tag, value], i) => {
    view.setUint32(dynamic + 16 * i, tag, true);
    view.setUint32(dynamic + 16 * i + 8, value, true);
  });
  for (let i = 0; i < strings.length; i++) bytes[dynstr + i] = strings.charCodeAt(i);

  const shdrs = 7168;
  const section = (i: number, sh_type: number, sh_offset: number, sh_size: number, sh_link = 0, sh_info = 0, sh_addralign = 8): void =>
    writeShdr(view, shdrs + SHDR_BYTES * i, {
      sh_name: 0, sh_type, sh_flags: 2, sh_addr: BigInt(sh_offset), sh_offset, sh_size, sh_link, sh_info, sh_addralign, sh_entsize: sh_type === SHT_DYNAMIC ? 16 : sh_type === SHT_DYNSYM ? 24 : 0,
    });
  section(1, 8, 0, 0x30000, 0, 0, 32);
  section(2, 11, dynsym, symbolBytes, 3, 1);
  section(3, 3, dynstr, strings.length);
  section(4, 0x6fffffff, versym, 2 * (symbols.length + 1), 2);
  section(5, definitions.length > 0 ? 0x6ffffffd : 0, verdef, 28 * definitions.length, 3);
  section(6, references.length > 0 ? 0x6ffffffe : 0, verneed, 16 + 16 * references.length, 3);
  section(7, 6, dynamic, 16 * tags.length, 3);

  const load = (i: number, p_type: number, p_flags: number, address: number, p_offset: number, p_filesz: number, p_memsz = p_filesz): void =>
    writePhdr(view, 64 + PHDR_BYTES * i, {
      p_type, p_flags, p_offset, p_vaddr: BigInt(address), p_paddr: BigInt(address), p_filesz, p_memsz, p_align: 4096,
    });
  load(0, PT_LOAD, PF_R, 0, 0, bytes.length, RW_ADDRESS);
  load(1, PT_LOAD, PF_R | PF_W, RW_ADDRESS, 0, 0, 0x10000);
  load(2, PT_DYNAMIC, PF_R, dynamic, dynamic, 16 * tags.length);
  writeEhdr(view, {
    osabi: 0, abiVersion: 0, e_type: ET_DYN, e_machine: EM_X86_64, e_entry: 0n, e_phoff: 64, e_shoff: spec.bare ? 0 : shdrs, e_flags: 0,
    e_phentsize: PHDR_BYTES, e_phnum: 3, e_shentsize: SHDR_BYTES, e_shnum: spec.bare ? 0 : 8, e_shstrndx: 0,
  });
  return bytes;
}
