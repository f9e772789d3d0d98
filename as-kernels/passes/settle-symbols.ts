/**
 * The last look of resolve-symbols at what the replay suspected: definitions in COMDAT copies that lost are taken back, and
 * definitions that contradict the one that counts are reported.
 *
 * Runs only when params.suspects is set, after the last object has been included (lld: postParse). Not part of the replay,
 * because a conflict is a property of the final definition: a weak one in between may hide a unique one from a strong one.
 */
import { tables } from "../shared/tables.ts";
import { report } from "../lib/issue.ts";
import { entryOf, sectionOf } from "../lib/symbol-entry.ts";
import {
  ISSUE_DUPLICATE, ISSUE_TLS_ATTRIBUTE, REC_COMMON, REC_DEFINED, REC_MENTION, REC_SIGNATURE, REC_UNUSED, REC_WEAK, SYM_DEFINED,
  SYM_KIND_MASK, SYM_LAZY, SYM_TLS, SYM_UNDEF,
} from "../shared/abi.ts";
import { SHN_ABS, STB_WEAK, STT_NOTYPE, STT_TLS, ST_INFO, ST_SHNDX, ST_VALUE } from "../shared/elf.ts";

/** Is the section of the definition `esym` of object `o` part of a COMDAT copy that was not kept? */
// @ts-ignore: decorator
@inline
function isLost(o: u32, esym: u32, entry: u32): bool {
  const t = tables();
  if (t.obj.groupCount[o] == 0) return false;
  const g = t.slot.group[t.obj.slotBase[o] + sectionOf(o, esym, entry)];
  return g != 0 && !t.group.won[g];
}

/**
 * Globals [from, to) whose definition is in a lost COMDAT copy become undefined; gsym.esym still says where that was. Returns how
 * many. Call it after findConflicts, which must see them defined.
 */
export function takeBackLost(from: u32, to: u32): u32 {
  const t = tables();
  const flags = t.sym.flags;
  const gsym = t.gsym;
  let count: u32 = 0;
  for (let id = from; id < to; id++) {
    if ((flags[id] & SYM_KIND_MASK) != SYM_DEFINED) continue;
    const o = gsym.obj[id];
    const esym = gsym.esym[id];
    if (esym == 0 || !isLost(o, esym, entryOf(o, esym))) continue;
    flags[id] = (flags[id] & ~SYM_KIND_MASK) | SYM_UNDEF;
    count++;
  }
  return count;
}

/** Two absolute definitions with the same value, but for 0, are one (lld, for the sake of GNU ld's behaviour). */
function areOne(first: u32, second: u32): bool {
  const value = load<u64>(first, ST_VALUE);
  return load<u16>(first, ST_SHNDX) == SHN_ABS && load<u16>(second, ST_SHNDX) == SHN_ABS && value != 0 && value == load<u64>(second, ST_VALUE);
}

/** Reports the mentions in object `o`, which is part of the link, that the symbols' final definitions contradict. */
export function findConflicts(o: u32, allowMultiple: u32): void {
  const t = tables();
  const record = t.record;
  const gsym = t.gsym;
  const end = t.obj.recordBase[o] + t.obj.recordCount[o];
  for (let row = t.obj.recordBase[o]; row < end; row++) {
    const rec = record.flags[row];
    if (rec & (REC_UNUSED | REC_SIGNATURE | REC_MENTION)) continue;
    const id = record.sym[row];
    const flags = t.sym.flags[id];
    const esym = record.esym[row];
    if (esym == gsym.esym[id]) continue;
    const entry = entryOf(o, esym);
    const index = esym - t.obj.esymBase[o];
    const type = load<u8>(entry, ST_INFO) & 15;
    const kind = flags & SYM_KIND_MASK;
    if (flags & SYM_TLS && type != STT_TLS && type != STT_NOTYPE && kind != SYM_UNDEF && kind != SYM_LAZY) {
      report(ISSUE_TLS_ATTRIBUTE, o, 0, index, <u64>id, 0);
    }
    if (allowMultiple || !(rec & REC_DEFINED) || rec & (REC_COMMON | REC_WEAK) || kind != SYM_DEFINED || gsym.bind[id] == STB_WEAK) continue;
    const first = gsym.obj[id];
    if (first == o) continue; // `.symver x, x@@V` defines x twice (lld)
    if (isLost(o, esym, entry) || isLost(first, gsym.esym[id], entryOf(first, gsym.esym[id]))) continue;
    if (!areOne(entryOf(first, gsym.esym[id]), entry)) report(ISSUE_DUPLICATE, o, 0, index, <u64>id, <u64>esym);
  }
}
