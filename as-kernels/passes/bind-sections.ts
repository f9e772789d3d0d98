/**
 * Which output section each live input section goes to: by name prefix rules, first appearance first.
 *
 * Knows nothing about order in the file or attributes beyond what it ORs together; TypeScript ranks the result.
 */
import { tables } from "../shared/tables.ts";
import { equal, strlen } from "../lib/bytes.ts";
import { isOldArray } from "../lib/names.ts";
import { hashLane0 } from "../lib/hash.ts";
import { ISEC_CONSUMED, ISEC_EH_FRAME } from "../shared/abi.ts";
import { SHT_NOBITS, SHT_PROGBITS } from "../shared/elf.ts";

/**
 * Length of the output section's name for input section `name`. Rules at `rules`, `count` of them, are 12 bytes: address of the prefix,
 * its length (at least 4), address of the output name. A rule fits when the name is the prefix or goes on with '.' after it.
 * Leaves the address of the output name at `out`.
 */
// @ts-ignore: decorator
@inline
function outputName(name: u32, rules: u32, count: u32, out: u32): u32 {
  const head = load<u32>(name);
  for (let i: u32 = 0; i < count; i++) {
    const rule = rules + i * 12;
    const prefix = load<u32>(rule);
    const bytes = load<u32>(rule, 4);
    if (load<u32>(prefix) != head || !equal(name, prefix, bytes)) continue;
    const next = load<u8>(name + bytes);
    if (next != 46 && next != 0) continue;
    const to = load<u32>(rule, 8);
    store<u32>(out, to);
    return strlen(to);
  }
  store<u32>(out, name);
  return strlen(name);
}

/**
 * Gives live sections [from, to) an osec, making new rows as names appear. `table`: u32 cells, `slots` a power of two,
 * zeroed before the first call; `limit`: rows the osec table has. `scratch`: 8 bytes. `unique`: 1 = every section gets
 * one of its own, above = address of a byte for each row that says so. Returns the number of osec rows,
 * or 0 when there are too many.
 */
export function bindSections(from: u32, to: u32, rules: u32, ruleCount: u32, table: u32, slots: u32, scratch: u32, unique: u32): u32 {
  const t = tables();
  const isec = t.isec;
  const osec = t.osec;
  const limit = osec.rows;
  const mask = slots - 1;
  let rows = load<u32>(scratch, 4);
  for (let row = from; row < to; row++) {
    if (!isec.live[row] || isec.kind[row] == ISEC_CONSUMED) continue;
    const name = isec.name[row];
    let bytes = outputName(name, rules, ruleCount, scratch);
    let out = load<u32>(scratch);
    if (out != name && isec.relaCount[row] == 0 && isOldArray(name)) {
      // The ends of the list in GCC's old start files: no function, so nothing for .init_array.
      out = name;
      bytes = 6;
    }
    let at = <u32>hashLane0(out, bytes) & mask;
    // Unwind records are merged, whatever is asked.
    const alone = (unique > 1 ? load<u8>(unique + row) != 0 : unique != 0) && isec.kind[row] != ISEC_EH_FRAME;
    let id = alone ? 0 : load<u32>(table + (at << 2));
    while (id != 0 && (osec.nameBytes[id] != bytes || !equal(osec.name[id], out, bytes))) {
      at = (at + 1) & mask;
      id = load<u32>(table + (at << 2));
    }
    const type = isec.sh_type[row];
    if (id == 0) {
      if (rows >= limit || rows * 2 > slots) return 0;
      id = rows++;
      store<u32>(scratch, rows, 4);
      if (!alone) store<u32>(table + (at << 2), id);
      osec.name[id] = out;
      osec.nameBytes[id] = bytes;
      osec.sh_type[id] = type;
      osec.sh_entsize[id] = isec.sh_entsize[row];
    } else if (osec.sh_type[id] != type) {
      // Contents of different kinds make a PROGBITS section, as does NOBITS beside anything with contents.
      osec.sh_type[id] = osec.sh_type[id] == SHT_NOBITS && type != SHT_PROGBITS ? type : SHT_PROGBITS;
    }
    if (osec.sh_entsize[id] != isec.sh_entsize[row]) osec.sh_entsize[id] = 0;
    osec.sh_flags[id] |= isec.sh_flags[row];
    if (isec.align[row] > osec.align[id]) osec.align[id] = isec.align[row];
    osec.memberCount[id] += 1;
    isec.osec[row] = id;
  }
  return rows;
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
