/**
 * One symbol-table entry (gABI ch. 4, Symbol Table), Elf64_Sym: read it, write it.
 *
 * For the odd single symbol (diagnostics, a handful of linker-made entries): tables of symbols are the kernels' business.
 */

export interface Sym {
  st_name: number;
  /** Binding in the high nibble, type in the low one. */
  st_info: number;
  /** Visibility in the low two bits. */
  st_other: number;
  st_shndx: number;
  st_value: bigint;
  st_size: bigint;
}

export function readSym(view: DataView, at: number): Sym {
  return {
    st_name: view.getUint32(at, true),
    st_info: view.getUint8(at + 4),
    st_other: view.getUint8(at + 5),
    st_shndx: view.getUint16(at + 6, true),
    st_value: view.getBigUint64(at + 8, true),
    st_size: view.getBigUint64(at + 16, true),
  };
}

export function writeSym(view: DataView, at: number, sym: Sym): void {
  view.setUint32(at, sym.st_name, true);
  view.setUint8(at + 4, sym.st_info);
  view.setUint8(at + 5, sym.st_other);
  view.setUint16(at + 6, sym.st_shndx, true);
  view.setBigUint64(at + 8, sym.st_value, true);
  view.setBigUint64(at + 16, sym.st_size, true);
}

export function stBind(st_info: number): number {
  return st_info >>> 4;
}

export function stType(st_info: number): number {
  return st_info & 15;
}
