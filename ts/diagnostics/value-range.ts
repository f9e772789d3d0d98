/** The range of values that a field can hold, for messages. */
import { RANGE_SIGNED, RANGE_UNSIGNED } from "../../as-kernels/shared/reloc.ts";

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
