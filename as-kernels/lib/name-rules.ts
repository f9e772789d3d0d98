/**
 * The table of rules that name output sections after input sections: rows of RULE_BYTES at an address that the driver chooses, in order.
 *
 * A rule fits a name that is its prefix, or goes on with '.' after it.
 */
import { params } from "../shared/tables.ts";
import { NAME_RULE_BYTES } from "../shared/abi.ts";
import { equal } from "./bytes.ts";
import { isReservedName } from "./names.ts";

/** Address of the prefix, its length (at least 4), address of the output section's name, its osec row once it has one (0 = not yet). */
export const RULE_BYTES: u32 = NAME_RULE_BYTES;
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

/** ".fini_ar", whose destructors run in the order that the rest of the name says. */
const FINI_ARRAY: u64 = 0x72615f696e69662e;

/**
 * The rule for what needs no second look at its name: neither kept for the C runtime, nor a C identifier, nor given another name (".ctors"),
 * nor sorted by it.
 */
// @ts-ignore: decorator
@inline
export function plainRule(name: u32): u8 {
  const count = params().nameRuleCount;
  return count == 0 || load<u8>(name) != 46 || isReservedName(name) || load<u64>(name) == FINI_ARRAY ? 0 : <u8>ruleOf(name, params().nameRules, count);
}

/** Address of the prefix of rule `rule`, counted from 1. NUL-terminated. */
export function rulePrefix(rule: u32): u32 {
  return load<u32>(params().nameRules + (rule - 1) * RULE_BYTES);
}
