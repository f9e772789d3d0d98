/**
 * The ELF header (gABI ch. 4, ELF Header) of 64-bit little-endian files: read it, write it.
 *
 * Decides nothing: whether class, byte order and machine fit the link is input/file-kind.ts's question. Offsets are plain
 * numbers; one above 2^53 loses digits here, and is far outside every file all the same.
 */
import { EHDR_BYTES, ELF_MAGIC, ELFCLASS64, ELFDATA2LSB, EV_CURRENT } from "../../as-kernels/shared/elf.ts";

export interface Ehdr {
  /** EI_OSABI */
  osabi: number;
  /** EI_ABIVERSION */
  abiVersion: number;
  e_type: number;
  e_machine: number;
  e_entry: bigint;
  e_phoff: number;
  e_shoff: number;
  e_flags: number;
  e_phentsize: number;
  e_phnum: number;
  e_shentsize: number;
  e_shnum: number;
  e_shstrndx: number;
}

/** A u64 that is an offset or size, as a number. */
export function readOffset(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  const low = view.getUint32(at, true);
  // A sum with 2 ** 32 in it is no small integer for V8, whatever it is: fields that hold it become ones for floating-point numbers, and with each
  // one the hidden class of its object is made again.
  return high === 0 ? low : high * 2 ** 32 + low;
}

export function writeOffset(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

/** The header that `view` begins with; the caller has checked that EHDR_BYTES are there. */
export function readEhdr(view: DataView): Ehdr {
  return {
    osabi: view.getUint8(7),
    abiVersion: view.getUint8(8),
    e_type: view.getUint16(16, true),
    e_machine: view.getUint16(18, true),
    e_entry: view.getBigUint64(24, true),
    e_phoff: readOffset(view, 32),
    e_shoff: readOffset(view, 40),
    e_flags: view.getUint32(48, true),
    e_phentsize: view.getUint16(54, true),
    e_phnum: view.getUint16(56, true),
    e_shentsize: view.getUint16(58, true),
    e_shnum: view.getUint16(60, true),
    e_shstrndx: view.getUint16(62, true),
  };
}

export function writeEhdr(view: DataView, ehdr: Ehdr): void {
  view.setUint32(0, ELF_MAGIC, true);
  view.setUint8(4, ELFCLASS64);
  view.setUint8(5, ELFDATA2LSB);
  view.setUint8(6, EV_CURRENT);
  view.setUint8(7, ehdr.osabi);
  view.setUint8(8, ehdr.abiVersion);
  for (let i = 9; i < 16; i++) view.setUint8(i, 0);
  view.setUint16(16, ehdr.e_type, true);
  view.setUint16(18, ehdr.e_machine, true);
  view.setUint32(20, EV_CURRENT, true);
  view.setBigUint64(24, ehdr.e_entry, true);
  writeOffset(view, 32, ehdr.e_phoff);
  writeOffset(view, 40, ehdr.e_shoff);
  view.setUint32(48, ehdr.e_flags, true);
  view.setUint16(52, EHDR_BYTES, true);
  view.setUint16(54, ehdr.e_phentsize, true);
  view.setUint16(56, ehdr.e_phnum, true);
  view.setUint16(58, ehdr.e_shentsize, true);
  view.setUint16(60, ehdr.e_shnum, true);
  view.setUint16(62, ehdr.e_shstrndx, true);
}
