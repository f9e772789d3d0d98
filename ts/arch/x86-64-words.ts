/**
 * x86-64 as people read it: names of relocation types, and what messages advise about them.
 *
 * The names stand here as text, beside the shared ELF numbers, because a module taken as an object would be built at every start; the test
 * holds the two together.
 */
import { EM_X86_64 } from "../../as-kernels/shared/elf.ts";

/** Names without the prefix from type 0 on; "-" = no such type. */
const NAMES = [
  "NONE 64 PC32 GOT32 PLT32 COPY GLOB_DAT JUMP_SLOT RELATIVE GOTPCREL 32 32S 16 PC16 8 PC8 DTPMOD64 DTPOFF64",
  "TPOFF64 TLSGD TLSLD DTPOFF32 GOTTPOFF TPOFF32 PC64 GOTOFF64 GOTPC32 GOT64 GOTPCREL64 GOTPC64 GOTPLT64 PLTOFF64",
  "SIZE32 SIZE64 GOTPC32_TLSDESC TLSDESC_CALL TLSDESC IRELATIVE RELATIVE64 - - GOTPCRELX REX_GOTPCRELX",
  "CODE_4_GOTPCRELX CODE_4_GOTTPOFF CODE_4_GOTPC32_TLSDESC CODE_5_GOTPCRELX CODE_5_GOTTPOFF",
  "CODE_5_GOTPC32_TLSDESC CODE_6_GOTPCRELX CODE_6_GOTTPOFF CODE_6_GOTPC32_TLSDESC",
];

/** `R_X86_64_PC32`, or `Unknown (99)`. */
export function relocationName(machine: number, r_type: number): string {
  const name = machine === EM_X86_64 ? NAMES.join(" ").split(" ")[r_type] : undefined;
  return name === undefined || name === "-" ? `Unknown (${r_type})` : `R_X86_64_${name}`;
}

/**
 * What helps when a value does not fit into 32 bits: which code model the compiler has to be told (psABI ch. 3.5.1, Architectural Constraints).
 * One line; "" for fields of 8 and 16 bits, which only assembly has, and for thread-local offsets.
 */
export function rangeAdvice(type: string, value: bigint): string {
  if (/^R_X86_64_(PC32|PLT32|\w*GOTPCREL\w*|GOTPC32)$/.test(type)) {
    return `${gibibytes(value)} GiB apart, and 2 is the limit: compile with -mcmodel=medium (much data) or -mcmodel=large (much code), or link with less`;
  }
  if (/^R_X86_64_(32|32S)$/.test(type)) return "32 bits cannot hold this address: compile with -fPIE or -mcmodel=large, or link at a lower address (--image-base)";
  return "";
}

function gibibytes(bytes: bigint): string {
  return (Number(bytes < 0n ? -bytes : bytes) / 2 ** 30).toFixed(1);
}

const TLS_SEQUENCE: Record<string, string> = {
  R_X86_64_GOTTPOFF: "R_X86_64_GOTTPOFF must be used in MOVQ or ADDQ instructions only",
  R_X86_64_GOTPC32_TLSDESC: "R_X86_64_GOTPC32_TLSDESC must be used in leaq x@tlsdesc(%rip), %REG",
  R_X86_64_TLSGD: "expected R_X86_64_PLT32 or R_X86_64_GOTPCRELX after R_X86_64_TLSGD",
  R_X86_64_TLSLD: "expected R_X86_64_PLT32 or R_X86_64_GOTPCRELX after R_X86_64_TLSLD",
};

/** What is wrong about the instructions around a thread-local relocation. */
export function tlsSequence(type: string): string {
  return TLS_SEQUENCE[type] ?? `${type} is not part of a code sequence the psABI knows`;
}

/** Bytes from the start of the instruction to the field, where a message names the instruction (lld). */
export function bytesBeforeField(type: string): number {
  return type === "R_X86_64_GOTTPOFF" || type === "R_X86_64_GOTPC32_TLSDESC" ? 3 : 0;
}
