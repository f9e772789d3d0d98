/**
 * x86-64: the relocation table of the psABI and the sizes lld uses. PLT code is in x86-64-plt.ts, what messages say in x86-64-words.ts.
 *
 * Sources: System V ABI, AMD64 Architecture Processor Supplement, table 4.9 (relocation types). Surprising:
 * the types that only occur in linked files (COPY, GLOB_DAT, RELATIVE …) have no row, so an object that holds one is an error.
 */
import * as elf from "../../as-kernels/shared/elf.ts";
import * as R from "../../as-kernels/shared/reloc.ts";
import type { Architecture, RelocationType } from "./arch.ts";
import { X86_64 } from "./targets.ts";
import { pltOf } from "./x86-64-plt.ts";

type Row = readonly [r_type: number, value: number, bytes: number, range: number, scan: number];

/** r_type → which value, which field, which fit, which row of the decision table. */
const ROWS: readonly Row[] = [
  [elf.R_X86_64_NONE, R.VALUE_NONE, 0, R.RANGE_NONE, R.SCAN_NOTHING],
  [elf.R_X86_64_64, R.VALUE_ABS, 8, R.RANGE_NONE, R.SCAN_ABS_WORD],
  [elf.R_X86_64_32, R.VALUE_ABS, 4, R.RANGE_UNSIGNED, R.SCAN_ABS],
  [elf.R_X86_64_32S, R.VALUE_ABS, 4, R.RANGE_SIGNED, R.SCAN_ABS],
  [elf.R_X86_64_16, R.VALUE_ABS, 2, R.RANGE_EITHER, R.SCAN_ABS],
  [elf.R_X86_64_8, R.VALUE_ABS, 1, R.RANGE_EITHER, R.SCAN_ABS],
  [elf.R_X86_64_PC64, R.VALUE_PC, 8, R.RANGE_NONE, R.SCAN_PC_WORD],
  [elf.R_X86_64_PC32, R.VALUE_PC, 4, R.RANGE_SIGNED, R.SCAN_PC],
  [elf.R_X86_64_PC16, R.VALUE_PC, 2, R.RANGE_SIGNED, R.SCAN_PC],
  [elf.R_X86_64_PC8, R.VALUE_PC, 1, R.RANGE_SIGNED, R.SCAN_PC],
  [elf.R_X86_64_PLT32, R.VALUE_PLT_PC, 4, R.RANGE_SIGNED, R.SCAN_PLT],
  [elf.R_X86_64_PLTOFF64, R.VALUE_PLT_GOT_REL, 8, R.RANGE_NONE, R.SCAN_PLT],
  [elf.R_X86_64_GOTPCREL, R.VALUE_GOT_PC, 4, R.RANGE_SIGNED, R.SCAN_GOT],
  [elf.R_X86_64_GOTPCREL64, R.VALUE_GOT_PC, 8, R.RANGE_NONE, R.SCAN_GOT],
  [elf.R_X86_64_GOTPCRELX, R.VALUE_GOT_PC_RELAX, 4, R.RANGE_SIGNED, R.SCAN_GOT_RELAX],
  [elf.R_X86_64_REX_GOTPCRELX, R.VALUE_GOT_PC_RELAX, 4, R.RANGE_SIGNED, R.SCAN_GOT_RELAX],
  [elf.R_X86_64_CODE_4_GOTPCRELX, R.VALUE_GOT_PC_RELAX, 4, R.RANGE_SIGNED, R.SCAN_GOT_RELAX],
  [elf.R_X86_64_CODE_5_GOTPCRELX, R.VALUE_GOT_PC, 4, R.RANGE_SIGNED, R.SCAN_GOT],
  [elf.R_X86_64_CODE_6_GOTPCRELX, R.VALUE_GOT_PC, 4, R.RANGE_SIGNED, R.SCAN_GOT],
  [elf.R_X86_64_GOT32, R.VALUE_GOT, 4, R.RANGE_SIGNED, R.SCAN_GOT],
  [elf.R_X86_64_GOT64, R.VALUE_GOT, 8, R.RANGE_NONE, R.SCAN_GOT],
  [elf.R_X86_64_GOTPLT64, R.VALUE_GOT, 8, R.RANGE_NONE, R.SCAN_GOT],
  [elf.R_X86_64_GOTOFF64, R.VALUE_GOT_REL, 8, R.RANGE_NONE, R.SCAN_PC],
  [elf.R_X86_64_GOTPC32, R.VALUE_GOT_BASE_PC, 4, R.RANGE_SIGNED, R.SCAN_NOTHING],
  [elf.R_X86_64_GOTPC64, R.VALUE_GOT_BASE_PC, 8, R.RANGE_NONE, R.SCAN_NOTHING],
  [elf.R_X86_64_SIZE32, R.VALUE_SIZE, 4, R.RANGE_UNSIGNED, R.SCAN_SIZE],
  [elf.R_X86_64_SIZE64, R.VALUE_SIZE, 8, R.RANGE_NONE, R.SCAN_SIZE],
  [elf.R_X86_64_TLSGD, R.VALUE_TLSGD, 4, R.RANGE_SIGNED, R.SCAN_TLS_GD],
  [elf.R_X86_64_TLSLD, R.VALUE_TLSLD, 4, R.RANGE_SIGNED, R.SCAN_TLS_LD],
  [elf.R_X86_64_DTPOFF32, R.VALUE_DTPOFF, 4, R.RANGE_SIGNED, R.SCAN_TLS_DTPOFF],
  [elf.R_X86_64_DTPOFF64, R.VALUE_DTPOFF, 8, R.RANGE_NONE, R.SCAN_TLS_DTPOFF],
  [elf.R_X86_64_GOTTPOFF, R.VALUE_GOTTPOFF, 4, R.RANGE_SIGNED, R.SCAN_TLS_IE],
  [elf.R_X86_64_CODE_4_GOTTPOFF, R.VALUE_GOTTPOFF, 4, R.RANGE_SIGNED, R.SCAN_TLS_IE],
  [elf.R_X86_64_CODE_5_GOTTPOFF, R.VALUE_GOTTPOFF, 4, R.RANGE_SIGNED, R.SCAN_TLS_IE],
  [elf.R_X86_64_CODE_6_GOTTPOFF, R.VALUE_GOTTPOFF, 4, R.RANGE_SIGNED, R.SCAN_TLS_IE],
  [elf.R_X86_64_TPOFF32, R.VALUE_TPOFF, 4, R.RANGE_SIGNED, R.SCAN_TLS_LE],
  [elf.R_X86_64_TPOFF64, R.VALUE_TPOFF, 8, R.RANGE_NONE, R.SCAN_TLS_LE_WORD],
  [elf.R_X86_64_GOTPC32_TLSDESC, R.VALUE_TLSDESC, 4, R.RANGE_SIGNED, R.SCAN_TLS_DESC],
  [elf.R_X86_64_CODE_4_GOTPC32_TLSDESC, R.VALUE_TLSDESC, 4, R.RANGE_SIGNED, R.SCAN_TLS_DESC],
  [elf.R_X86_64_CODE_5_GOTPC32_TLSDESC, R.VALUE_TLSDESC, 4, R.RANGE_SIGNED, R.SCAN_TLS_DESC],
  [elf.R_X86_64_CODE_6_GOTPC32_TLSDESC, R.VALUE_TLSDESC, 4, R.RANGE_SIGNED, R.SCAN_TLS_DESC],
  // The call has two bytes, but no field.
  [elf.R_X86_64_TLSDESC_CALL, R.VALUE_TLSDESC_CALL, 2, R.RANGE_NONE, R.SCAN_TLS_DESC_CALL],
];

const relocations: RelocationType[] = ROWS.map(([r_type, value, bytes, range, scan]) => ({
  r_type,
  value,
  bytes,
  range,
  scan,
}));

export const x86_64: Architecture = {
  target: X86_64,
  name: "x86-64",
  e_machine: elf.EM_X86_64,
  relocations,
  R_COPY: elf.R_X86_64_COPY,
  R_DTPMOD: elf.R_X86_64_DTPMOD64,
  R_RELATIVE: elf.R_X86_64_RELATIVE,
  commonPageSize: 4096,
  maxPageSize: 4096,
  codeFill: 0xcc, // int3
  gotPltHeaderWords: 3,
  plt: pltOf,
};
