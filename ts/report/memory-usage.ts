/**
 * --print-memory-usage: how full each memory region of the script is, in the table that GNU ld and lld print.
 */
import type { ByteString } from "../args/link-options.ts";
import type { RegionUse } from "../script/plan.ts";

/** Regions in the order of the script. */
export function memoryUsage(regions: readonly RegionUse[]): ByteString {
  const lines = regions.map(({ name, used, length }) => {
    const share = length === 0n ? "" : `${size(length)}    ${((Number(used) * 100) / Number(length)).toFixed(2).padStart(6)}%`;
    return `${name.padStart(16)}: ${size(used)}${share}\n`;
  });
  return `Memory region         Used Size  Region Size  %age Used\n${lines.join("")}`;
}

/** In the largest unit that leaves no remainder. */
function size(bytes: bigint): ByteString {
  for (const [unit, shift] of [["GB", 30n], ["MB", 20n], ["KB", 10n]] as const) {
    if ((bytes & ((1n << shift) - 1n)) === 0n) return `${String(bytes >> shift).padStart(10)} ${unit}`;
  }
  return ` ${String(bytes).padStart(10)} B`;
}
