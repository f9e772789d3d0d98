/** Which architectures exist, and their relocation tables as the kernels want them. */
import { RELOC_TYPES, SCAN_ROWS } from "../../as-kernels/shared/reloc.ts";
import type { Architecture } from "./arch.ts";
import { targetOf } from "./targets.ts";
import { x86_64 } from "./x86-64.ts";

const ARCHITECTURES: readonly Architecture[] = [x86_64];

/** The architecture a -m value means. */
export function architectureOf(emulation: string): Architecture {
  const target = targetOf(emulation);
  return ARCHITECTURES.find((arch) => arch.target === target)!;
}

/** Four bytes per r_type: VALUE, bytes of the field, RANGE, SCAN (as-kernels/shared/reloc.ts). No row: zeroes, VALUE_UNKNOWN. */
export function relocationBytes(arch: Architecture): Uint8Array {
  const bytes = new Uint8Array(4 * RELOC_TYPES);
  for (const { r_type, value, bytes: width, range, scan } of arch.relocations) {
    if (r_type >= RELOC_TYPES || scan >= SCAN_ROWS) throw new Error(`${arch.name}: relocation ${r_type} is outside the tables`);
    bytes.set([value, width, range, scan], 4 * r_type);
  }
  return bytes;
}

