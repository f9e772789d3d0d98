/**
 * The table of rules that name output sections after input sections: rows of RULE_BYTES at an address that the driver chooses, in order.
 *
 * A rule fits a name that is its prefix, or goes on with '.' after it.
 */
import { equal } from "./bytes.ts";

/** Address of the prefix, its length (at least 4), address of the output section's name, its osec row once it has one (0 = not yet). */
export const RULE_BYTES: u32 = 16;
export const RULE_PREFIX_BYTES: u32 = 4;
export const RULE_NAME: u32 = 8;
export const RULE_OSEC: u32 = 12;

/** Number of the first of the `count` rules at `rules` that fits the name at `name`, counted from 1; 0 = none does. */
export function ruleOf(name: u32, rules: u32, count: u32): u32 {
  const head = load<u32>(name);
  for (let i: u32 = 0; i < count; i++) {
    const rule = rules + i * RULE_BYTES;
    const prefix = load<u32>(rule);
    const bytes = load<u32>(rule, RULE_PREFIX_BYTES);
    if (load<u32>(prefix) != head || !equal(name, prefix, bytes)) continue;
    const next = load<u8>(name + bytes);
    if (next == 46 || next == 0) return i + 1;
  }
  return 0;
}
