/**
 * Section headers (gABI ch. 4, Sections) of 64-bit little-endian files: read one, write one.
 *
 * For single headers: shared objects and the output. The headers of relocatable objects, of which there can be a million,
 * are read by the parse-object kernel instead. sh_flags is a number because every flag in use lies in the low 32 bits.
 */
import { SHDR_BYTES } from "../../as-kernels/shared/elf.ts";
import { readOffset, writeOffset } from "./ehdr.ts";

export interface Shdr {
  sh_name: number;
  sh_type: number;
  sh_flags: number;
  sh_addr: bigint;
  sh_offset: number;
  sh_size: number;
  sh_link: number;
  sh_info: number;
  /** Bytes, 0 or a power of two. */
  sh_addralign: number;
  sh_entsize: number;
}

/** The header at byte `at` of `view`. */
export function readShdr(view: DataView, at: number): Shdr {
  return {
    sh_name: view.getUint32(at, true),
    sh_type: view.getUint32(at + 4, true),
    sh_flags: view.getUint32(at + 8, true),
    sh_addr: view.getBigUint64(at + 16, true),
    sh_offset: readOffset(view, at + 24),
    sh_size: readOffset(view, at + 32),
    sh_link: view.getUint32(at + 40, true),
    sh_info: view.getUint32(at + 44, true),
    sh_addralign: readOffset(view, at + 48),
    sh_entsize: readOffset(view, at + 56),
  };
}

/** `count` headers from the start of `view`. */
export function readShdrs(view: DataView, count: number): Shdr[] {
  const shdrs: Shdr[] = [];
  for (let i = 0; i < count; i++) shdrs.push(readShdr(view, i * SHDR_BYTES));
  return shdrs;
}

export function writeShdr(view: DataView, at: number, shdr: Shdr): void {
  view.setUint32(at, shdr.sh_name, true);
  view.setUint32(at + 4, shdr.sh_type, true);
  writeOffset(view, at + 8, shdr.sh_flags >>> 0);
  view.setBigUint64(at + 16, shdr.sh_addr, true);
  writeOffset(view, at + 24, shdr.sh_offset);
  writeOffset(view, at + 32, shdr.sh_size);
  view.setUint32(at + 40, shdr.sh_link, true);
  view.setUint32(at + 44, shdr.sh_info, true);
  writeOffset(view, at + 48, shdr.sh_addralign);
  writeOffset(view, at + 56, shdr.sh_entsize);
}
