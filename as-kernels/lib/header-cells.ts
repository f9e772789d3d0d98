/** What scanHeaders (read-headers.ts) leaves at `out`, in 8-byte cells. Offsets are bytes from the start of the object. */
export const OUT_ERROR_SECTION: u32 = 0; // u32
export const OUT_ERROR_VALUE: u32 = 104; // u32
/** e_shstrndx, from checkHeader to planTables. */
export const OUT_SHSTRNDX: u32 = 112; // u32
export const OUT_SYMTAB: u32 = 4; // u32 section index, 0 = none
export const OUT_GROUPS: u32 = 8; // u32 SHT_GROUP sections
export const OUT_FIRST_GLOBAL: u32 = 12; // u32
export const OUT_SYMTAB_OFFSET: u32 = 16; // f64 from here on
export const OUT_SYMTAB_SIZE: u32 = 24;
export const OUT_STRTAB_OFFSET: u32 = 32;
export const OUT_STRTAB_SIZE: u32 = 40;
export const OUT_SHNDX_OFFSET: u32 = 48;
export const OUT_SHNDX_SIZE: u32 = 56;
export const OUT_GROUP_FROM: u32 = 64;
export const OUT_GROUP_TO: u32 = 72;
export const OUT_NAMES_OFFSET: u32 = 80;
export const OUT_NAMES_SIZE: u32 = 88;
export const OUT_LOCAL_SIGNATURES: u32 = 96; // f64: groups whose signature is a local symbol
/** 1 = the section name table is not one of the planned parts: its names are only looked at. From planTables to bindTables. */
export const OUT_NAMES_DROP: u32 = 108; // u32

// planTables goes on there: how many parts (u32), then of each: offset (f64), bytes (f64), and for the reader to fill in, address (u32)
export const PLAN_PARTS: u32 = 116;
const PLAN: u32 = 120;
export const PART_BYTES: u32 = 24;
export const PART_SIZE: u32 = 8;
export const PART_ADDRESS: u32 = 16;
/** u32: 1 = it is to be read; only placeTables says so. */
export const PART_MISSING: u32 = 20;
/** Zero bytes behind every part, for kernels that look at words. */
export const MARGIN: u32 = 16;
/** In place of an ERR_*: no memory. */
export const NO_ROOM: u32 = 0xffffffff;

/** Address of part `i` of the plan at `out`. */
// @ts-ignore: decorator
@inline
export function part(out: u32, i: u32): u32 {
  return out + PLAN + i * PART_BYTES;
}

// @ts-ignore: decorator
@inline
export function cell(out: u32, at: u32): f64 {
  return load<f64>(out + at);
}
