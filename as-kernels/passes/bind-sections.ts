/**
 * Which output section each live input section goes to: by name prefix rules, first appearance first.
 *
 * Knows nothing about order in the file or attributes beyond what it ORs together; TypeScript ranks the result.
 */
import { params, tables } from "../shared/tables.ts";
import { equal, strlen } from "../lib/bytes.ts";
import { isOldArray } from "../lib/names.ts";
import { ruleOf, RULE_BYTES, RULE_NAME, RULE_OSEC } from "../lib/name-rules.ts";
import { hashLane0 } from "../lib/hash.ts";
import { ALONE_BY_NAME, ISEC_CONSUMED, ISEC_EH_FRAME } from "../shared/abi.ts";
import { SHF_X86_64_LARGE, SHT_NOBITS, SHT_PROGBITS } from "../shared/elf.ts";

/**
 * Length of the output section's name for input section `name`, by the `count` rules at `rules`.
 * Leaves the address of the output name at `out`.
 */
// @ts-ignore: decorator
@inline
function outputName(name: u32, rules: u32, count: u32, out: u32): u32 {
  const rule = ruleOf(name, rules, count);
  const to = rule == 0 ? name : load<u32>(rules + (rule - 1) * RULE_BYTES, RULE_NAME);
  store<u32>(out, to);
  return strlen(to);
}

/**
 * The osec row of the name that section `row` goes by, a new one (with the section's type) when there is none yet or it is to have one
 * `alone`; 0 = there is no room for one. Other arguments: see bindSections.
 */
function osecOf(row: u32, rules: u32, ruleCount: u32, table: u32, slots: u32, scratch: u32, alone: bool): u32 {
  const t = tables();
  const isec = t.isec;
  const osec = t.osec;
  const mask = slots - 1;
  const name = isec.name[row];
  let bytes = outputName(name, rules, ruleCount, scratch);
  let out = load<u32>(scratch);
  if (out != name && isec.relaCount[row] == 0 && isOldArray(name)) {
    // The ends of the list in GCC's old start files: no function, so nothing for .init_array.
    out = name;
    bytes = 6;
  }
  let at = <u32>hashLane0(out, bytes) & mask;
  let id: u32 = alone ? 0 : load<u32>(table + (at << 2));
  while (id != 0 && (osec.nameBytes[id] != bytes || !equal(osec.name[id], out, bytes))) {
    at = (at + 1) & mask;
    id = load<u32>(table + (at << 2));
  }
  if (id != 0) return id;
  id = load<u32>(scratch, 4);
  if (id >= osec.rows || id * 2 > slots) return 0;
  store<u32>(scratch, id + 1, 4);
  if (!alone) store<u32>(table + (at << 2), id);
  osec.name[id] = out;
  osec.nameBytes[id] = bytes;
  osec.sh_type[id] = isec.sh_type[row];
  osec.sh_entsize[id] = isec.sh_entsize[row];
  return id;
}

/**
 * Gives live sections [from, to) an osec, making new rows as names appear. `rules`: params.nameRules and their number; `table`: u32
 * cells, `slots` a power of two, zeroed before the first call; `scratch`: 8 bytes, the second word is the next osec row. `unique`: 0, or
 * the address of ALONE_* for each row. Returns the number of osec rows,
 * or 0 when there are too many.
 */
export function bindSections(from: u32, to: u32, rules: u32, ruleCount: u32, table: u32, slots: u32, scratch: u32, unique: u32): u32 {
  const t = tables();
  const isec = t.isec;
  const osec = t.osec;
  if (from == 1) params().bssKiB = 0;
  for (let row = from; row < to; row++) {
    if (!isec.live[row] || isec.kind[row] == ISEC_CONSUMED) continue;
    // Most names have been read by load-sections, and most rules have their section.
    const known = unique == 0 && isec.rule[row] != 0 ? rules + (<u32>isec.rule[row] - 1) * RULE_BYTES : 0;
    let id: u32 = known != 0 ? load<u32>(known, RULE_OSEC) : 0;
    if (id == 0) {
      // Unwind records are merged, whatever is asked.
      const alone = unique != 0 && isec.kind[row] != ISEC_EH_FRAME ? <u32>load<u8>(unique + row) : 0;
      id = osecOf(row, rules, alone == ALONE_BY_NAME ? 0 : ruleCount, table, slots, scratch, alone != 0);
      if (id == 0) return 0;
      if (known != 0) store<u32>(known, id, RULE_OSEC);
    }
    const type = isec.sh_type[row];
    if (type == SHT_NOBITS && !(isec.sh_flags[row] & SHF_X86_64_LARGE)) params().bssKiB += <u32>(isec.size[row] / 1024);
    if (osec.sh_type[id] != type) {
      // Contents of different kinds make a PROGBITS section, as does NOBITS beside anything with contents.
      osec.sh_type[id] = osec.sh_type[id] == SHT_NOBITS && type != SHT_PROGBITS ? type : SHT_PROGBITS;
    }
    if (osec.sh_entsize[id] != isec.sh_entsize[row]) osec.sh_entsize[id] = 0;
    osec.sh_flags[id] |= isec.sh_flags[row];
    if (isec.align[row] > osec.align[id]) osec.align[id] = isec.align[row];
    osec.memberCount[id] += 1;
    isec.osec[row] = id;
  }
  return load<u32>(scratch, 4);
}

/** Fills `member` from osec.memberBase on; `cursors`: u32 per osec, a copy of memberBase; 0 = it is filled already. */
export function fillMembers(from: u32, to: u32, cursors: u32): void {
  const isec = tables().isec;
  const member = tables().member.isec;
  for (let row = from; row < to; row++) {
    const id = isec.osec[row];
    if (id == 0 || !isec.live[row]) continue;
    const at = load<u32>(cursors + (id << 2));
    if (at == 0) continue;
    store<u32>(cursors + (id << 2), at + 1);
    member[at] = row;
  }
}
