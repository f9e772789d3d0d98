/**
 * What kernels ask about x86-64 relocation types by themselves, where the table of them (ts/arch/x86-64.ts) would be too slow or does not say it.
 *
 * The only file of the kernels, besides x86-64.ts beside it, that names R_X86_64_*: what is decided here in other words is decided for one
 * machine. Source: psABI table 4.9 (relocation types).
 */
import {
  R_X86_64_32, R_X86_64_32S, R_X86_64_64, R_X86_64_CODE_4_GOTPCRELX, R_X86_64_DTPMOD64, R_X86_64_DTPOFF32, R_X86_64_DTPOFF64, R_X86_64_GLOB_DAT,
  R_X86_64_GOTPCREL, R_X86_64_GOTPCRELX, R_X86_64_IRELATIVE, R_X86_64_JUMP_SLOT, R_X86_64_NONE, R_X86_64_PC32, R_X86_64_PLT32, R_X86_64_PLTOFF64,
  R_X86_64_RELATIVE, R_X86_64_REX_GOTPCRELX, R_X86_64_SIZE32, R_X86_64_SIZE64, R_X86_64_TLSDESC, R_X86_64_TLSGD, R_X86_64_TLSLD, R_X86_64_TPOFF64,
} from "../shared/elf.ts";

/** Says nothing; readers of .eh_frame drop the record. */
export const R_NONE: u32 = R_X86_64_NONE;

// ---- what the dynamic linker does ----
export const R_RELATIVE: u32 = R_X86_64_RELATIVE;
export const R_IRELATIVE: u32 = R_X86_64_IRELATIVE;
export const R_GLOB_DAT: u32 = R_X86_64_GLOB_DAT;
export const R_JUMP_SLOT: u32 = R_X86_64_JUMP_SLOT;
export const R_DTPMOD: u32 = R_X86_64_DTPMOD64;
export const R_DTPOFF: u32 = R_X86_64_DTPOFF64;
export const R_TPOFF: u32 = R_X86_64_TPOFF64;
export const R_TLSDESC: u32 = R_X86_64_TLSDESC;

// ---- what is in objects ----
/** L + A - P: calls and jumps have it, and little else. */
export const R_CALL: u32 = R_X86_64_PLT32;

/** S + A as wide as an address. */
export const R_WORD: u32 = R_X86_64_64;

/** What a branch can have, and most of the code that refers to something directly: 4 bytes, relative to the field. */
// @ts-ignore: decorator
@inline
export function isBranch(type: u32): bool {
  return type == R_X86_64_PC32 || type == R_X86_64_PLT32;
}

/** Do passes before relocate do nothing about a relocation of this type but look at the section that its target is in? */
// @ts-ignore: decorator
@inline
export function isAddress(type: u32): bool {
  return type == R_X86_64_PC32 || type == R_X86_64_PLT32 || type == R_X86_64_64 || type == R_X86_64_32 || type == R_X86_64_32S;
}

/** May the instruction be changed to need no GOT entry (VALUE_GOT_PC_RELAX)? GOTPCRELX, REX_GOTPCRELX and CODE_4_GOTPCRELX are 41, 42, 43. */
// @ts-ignore: decorator
@inline
export function isGotRelax(type: u32): bool {
  return type >= <u32>R_X86_64_GOTPCRELX && type <= <u32>R_X86_64_CODE_4_GOTPCRELX;
}

/** General or local dynamic: the next relocation is that of the call of __tls_get_addr. */
// @ts-ignore: decorator
@inline
export function isTlsSequence(type: u32): bool {
  return type == R_X86_64_TLSGD || type == R_X86_64_TLSLD;
}

/** May the call of such a sequence have it, through the PLT or the GOT? */
// @ts-ignore: decorator
@inline
export function isTlsCallType(type: u32): bool {
  return type == R_X86_64_PLT32 || type == R_X86_64_PC32 || type == R_X86_64_GOTPCRELX || type == R_X86_64_GOTPCREL ||
    type == R_X86_64_REX_GOTPCRELX || type == R_X86_64_PLTOFF64;
}

/** Is it the symbol's size, not where it is? */
// @ts-ignore: decorator
@inline
export function isSize(type: u32): bool {
  return type == R_X86_64_SIZE32 || type == R_X86_64_SIZE64;
}

// ---- debug information: an address, or an offset in the block of thread-local variables, as it is ----
/** S + A in four bytes, zero-extended: also offsets of debug sections in each other. */
export const R_DEBUG_OFFSET: u32 = R_X86_64_32;

// @ts-ignore: decorator
@inline
export function isDtpOffset(type: u32): bool {
  return type == R_X86_64_DTPOFF32 || type == R_X86_64_DTPOFF64;
}

// @ts-ignore: decorator
@inline
export function isDebug(type: u32): bool {
  return type == R_X86_64_64 || type == R_X86_64_32 || isDtpOffset(type);
}

/** Bytes of the field of a type that isDebug. */
// @ts-ignore: decorator
@inline
export function debugBytes(type: u32): u64 {
  return type == R_X86_64_64 || type == R_X86_64_DTPOFF64 ? 8 : 4;
}
