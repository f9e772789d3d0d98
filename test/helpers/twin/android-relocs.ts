/** Reads Android's packed relocations as its loader does (bionic, linker/linker_reloc_iterators.h): the oracle of pack-relocs. */

export interface PackedRecord {
  offset: bigint;
  info: bigint;
  addend: bigint;
}

const GROUPED_BY_INFO = 1n;
const GROUPED_BY_OFFSET_DELTA = 2n;
const GROUPED_BY_ADDEND = 4n;
const GROUP_HAS_ADDEND = 8n;

/** All of `bytes` is read; what is left over is an error. */
export function unpack(bytes: Uint8Array): PackedRecord[] {
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== "APS2") throw new Error("no APS2");
  let at = 4;
  const number = (): bigint => {
    let value = 0n;
    let shift = 0n;
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error("ends too early");
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) return BigInt.asIntN(64, (byte & 0x40) !== 0 ? value - (1n << shift) : value);
    }
  };
  const total = Number(number());
  let offset = number();
  let info = 0n;
  let addend = 0n;
  const records: PackedRecord[] = [];
  while (records.length < total) {
    const size = Number(number());
    const flags = number();
    const has = (flag: bigint): boolean => (flags & flag) !== 0n;
    const delta = has(GROUPED_BY_OFFSET_DELTA) ? number() : 0n;
    if (has(GROUPED_BY_INFO)) info = number();
    if (has(GROUP_HAS_ADDEND) && has(GROUPED_BY_ADDEND)) addend += number();
    if (!has(GROUP_HAS_ADDEND)) addend = 0n;
    for (let i = 0; i < size; i++) {
      offset += has(GROUPED_BY_OFFSET_DELTA) ? delta : number();
      if (!has(GROUPED_BY_INFO)) info = number();
      if (has(GROUP_HAS_ADDEND) && !has(GROUPED_BY_ADDEND)) addend += number();
      records.push({ offset: BigInt.asUintN(64, offset), info: BigInt.asUintN(64, info), addend: BigInt.asIntN(64, addend) });
    }
  }
  if (at !== bytes.length || records.length !== total) throw new Error(`${bytes.length - at} bytes left`);
  return records;
}
