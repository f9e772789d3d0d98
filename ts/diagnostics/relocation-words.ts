/**
 * Relocation types as people read them: names, and the range of values a field can hold.
 *
 * Only for messages. Names are taken from the shared ELF numbers, so a type that is added there has a name here.
 */
import * as elf from "../../as-kernels/shared/elf.ts";
import { RANGE_SIGNED, RANGE_UNSIGNED } from "../../as-kernels/shared/reloc.ts";

const PREFIXES: Record<number, string> = {
  [elf.EM_386]: "R_386_",
  [elf.EM_X86_64]: "R_X86_64_",
  [elf.EM_AARCH64]: "R_AARCH64_",
  [elf.EM_RISCV]: "R_RISCV_",
};

const names = new Map<number, Map<number, string>>();

function namesOf(machine: number): Map<number, string> {
  const known = names.get(machine);
  if (known !== undefined) return known;
  const prefix = PREFIXES[machine];
  const made = new Map<number, string>();
  if (prefix !== undefined) {
    for (const [name, value] of Object.entries(elf)) if (name.startsWith(prefix) && !made.has(value)) made.set(value, name);
  }
  names.set(machine, made);
  return made;
}

/** `R_X86_64_PC32`, or `Unknown (99)`. */
export function relocationName(machine: number, r_type: number): string {
  return namesOf(machine).get(r_type) ?? `Unknown (${r_type})`;
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
