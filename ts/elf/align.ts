/** Rounding up to a multiple: file offsets and sizes are numbers, addresses bigints. An alignment of 0 is one of 1 (gABI ch. 4, sh_addralign). */

export function alignUp(value: number, align: number): number {
  return align <= 1 ? value : Math.ceil(value / align) * align;
}

export function alignAddress(value: bigint, align: bigint): bigint {
  return align <= 1n ? value : ((value + align - 1n) / align) * align;
}
