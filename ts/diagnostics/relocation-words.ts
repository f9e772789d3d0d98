/**
 * Relocation types as people read them: names, and the range of values a field can hold.
 *
 * Only for messages. The names stand here as text, beside the shared ELF numbers, because a module taken as an object would
 * be built at every start; the test holds the two together.
 */
import { EM_X86_64 } from "../../as-kernels/shared/elf.ts";
import { RANGE_SIGNED, RANGE_UNSIGNED } from "../../as-kernels/shared/reloc.ts";

/** Names without the prefix from type 0 on; "-" = no such type. */
const X86_64 = [
  "NONE 64 PC32 GOT32 PLT32 COPY GLOB_DAT JUMP_SLOT RELATIVE GOTPCREL 32 32S 16 PC16 8 PC8 DTPMOD64 DTPOFF64",
  "TPOFF64 TLSGD TLSLD DTPOFF32 GOTTPOFF TPOFF32 PC64 GOTOFF64 GOTPC32 GOT64 GOTPCREL64 GOTPC64 GOTPLT64 PLTOFF64",
  "SIZE32 SIZE64 GOTPC32_TLSDESC TLSDESC_CALL TLSDESC IRELATIVE RELATIVE64 - - GOTPCRELX REX_GOTPCRELX",
  "CODE_4_GOTPCRELX CODE_4_GOTTPOFF CODE_4_GOTPC32_TLSDESC CODE_5_GOTPCRELX CODE_5_GOTTPOFF",
  "CODE_5_GOTPC32_TLSDESC CODE_6_GOTPCRELX CODE_6_GOTTPOFF CODE_6_GOTPC32_TLSDESC",
];

/** `R_X86_64_PC32`, or `Unknown (99)`. */
export function relocationName(machine: number, r_type: number): string {
  const name = machine === EM_X86_64 ? X86_64.join(" ").split(" ")[r_type] : undefined;
  return name === undefined || name === "-" ? `Unknown (${r_type})` : `R_X86_64_${name}`;
}

export interface ValueRange {
  min: bigint;
  max: bigint;
  /** The 64-bit value is shown as a signed number. */
  signed: boolean;
}

/** What a field of `bits` bits may hold under RANGE_* `check`. */
export function valueRange(bits: number, check: number): ValueRange {
  const width = BigInt(bits || 32);
  const signed = check !== RANGE_UNSIGNED;
  return {
    min: signed ? -(1n << (width - 1n)) : 0n,
    max: (1n << (check === RANGE_SIGNED ? width - 1n : width)) - 1n,
    signed,
  };
}
