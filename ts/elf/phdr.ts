/**
 * Program headers (gABI ch. 5, Program Header) of 64-bit little-endian files: read one, write one.
 *
 * No policy: which segments an output has is decided in assign-addresses. Addresses are bigint, file offsets and sizes
 * numbers.
 */
import { PHDR_BYTES } from "../../as-kernels/shared/elf.ts";
import { readOffset, writeOffset } from "./ehdr.ts";

export interface Phdr {
  p_type: number;
  p_flags: number;
  p_offset: number;
  p_vaddr: bigint;
  p_paddr: bigint;
  p_filesz: number;
  p_memsz: number;
  p_align: number;
}

function readPhdr(view: DataView, at: number): Phdr {
  return {
    p_type: view.getUint32(at, true),
    p_flags: view.getUint32(at + 4, true),
    p_offset: readOffset(view, at + 8),
    p_vaddr: view.getBigUint64(at + 16, true),
    p_paddr: view.getBigUint64(at + 24, true),
    p_filesz: readOffset(view, at + 32),
    p_memsz: readOffset(view, at + 40),
    p_align: readOffset(view, at + 48),
  };
}

/** `count` headers from the start of `view`. */
export function readPhdrs(view: DataView, count: number): Phdr[] {
  const phdrs: Phdr[] = [];
  for (let i = 0; i < count; i++) phdrs.push(readPhdr(view, i * PHDR_BYTES));
  return phdrs;
}

export function writePhdr(view: DataView, at: number, phdr: Phdr): void {
  view.setUint32(at, phdr.p_type, true);
  view.setUint32(at + 4, phdr.p_flags, true);
  writeOffset(view, at + 8, phdr.p_offset);
  view.setBigUint64(at + 16, phdr.p_vaddr, true);
  view.setBigUint64(at + 24, phdr.p_paddr, true);
  writeOffset(view, at + 32, phdr.p_filesz);
  writeOffset(view, at + 40, phdr.p_memsz);
  writeOffset(view, at + 48, phdr.p_align);
}
