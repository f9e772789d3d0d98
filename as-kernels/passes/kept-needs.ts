/**
 * What scan-relocs found, kept for a link in which some objects are others: their part is taken back and scanned anew, the rest stays.
 *
 * Needs of symbols are bits that any relocation may set. What an old object alone had set is lost with it; who else may have set it is found
 * by looking at every object that mentions the symbol again. As everywhere here, the rule is to refuse.
 */
import { tables, params } from "../shared/tables.ts";
import { isBssHuge } from "../lib/needs.ts";
import { SYM_NEEDS } from "../lib/symbol-flags.ts";
import {
  ISEC_EH_FRAME, NEEDED_NAME_BYTES, SYM_ADDRESS_TAKEN, SYM_EXPORTED, SYM_REF_LIVE, SYM_REF_STRONG, SYM_USED_REGULAR, SYM_USED_SHARED,
} from "../shared/abi.ts";
import { SHF_X86_64_LARGE } from "../shared/elf.ts";

/** Bits that the scan sets; EXPORTED is known of some symbols before. */
const NEEDS: u32 = SYM_REF_LIVE | SYM_NEEDS | SYM_ADDRESS_TAKEN;
/** Kept in place of EXPORTED where the scan has set it. */
const LATE_EXPORTED: u32 = 1 << 31;
/** Bits that nothing is decided by which the scan does. */
const UNDECIDING: u32 = NEEDS | LATE_EXPORTED | SYM_REF_STRONG | SYM_USED_REGULAR | SYM_USED_SHARED;
/** In a kept count of relative relocations: the section was scanned. */
const SCANNED: u32 = 1 << 31;

/** Of a list of names: u32 sym row, flags, needs. */
const NAME_BYTES: u32 = NEEDED_NAME_BYTES;
/** In a map of names: an object that is another one mentions it, or did. */
const CHANGED: u32 = 1 << 28;
/** And: needs are lost that others may have. */
const LOST: u32 = 1 << 29;

// @ts-ignore: decorator
@inline
function isScanned(i: u32): bool {
  return tables().isec.live[i] != 0 && tables().isec.osec[i] != 0;
}

/**
 * Copies flags of all symbols to `flags` and three counts of every section to `counts`, columns of `most` rows. `before`: flags of globals before
 * the scan.
 */
export function keepNeeds(flags: u32, counts: u32, most: u32, before: u32): void {
  const t = tables();
  const now = t.sym.flags;
  memory.copy(flags, changetype<u32>(now), t.sym.rows << 2);
  for (let id: u32 = 1, globals = params().globalSyms; id < globals; id++) {
    if (now[id] & SYM_EXPORTED && !(load<u32>(before + (id << 2)) & SYM_EXPORTED)) store<u32>(flags + (id << 2), (now[id] & ~SYM_EXPORTED) | LATE_EXPORTED);
  }
  const rows = t.isec.rows;
  const relative = t.isec.dynRel;
  for (let i: u32 = 0; i < rows; i++) store<u32>(counts + (i << 2), relative[i] | (isScanned(i) ? SCANNED : 0));
  memory.copy(counts + (most << 2), changetype<u32>(t.isec.dynSym), rows << 2);
  memory.copy(counts + (most << 3), changetype<u32>(t.isec.relr), rows << 2);
}

/** Brings the counts back, with a mark, before rows move. */
export function restoreCounts(counts: u32, most: u32): void {
  const isec = tables().isec;
  const bytes = isec.rows << 2;
  memory.copy(changetype<u32>(isec.dynRel), counts, bytes);
  memory.copy(changetype<u32>(isec.dynSym), counts + (most << 2), bytes);
  memory.copy(changetype<u32>(isec.relr), counts + (most << 3), bytes);
}

/** No section has been scanned: rows [from, to). */
export function clearCounts(from: u32, to: u32): void {
  const isec = tables().isec;
  for (let i = from; i < to; i++) {
    isec.dynRel[i] = 0;
    isec.dynSym[i] = 0;
    isec.relr[i] = 0;
  }
}

/** Is any section of rows [from, to), or some of .bss, far from code? Then references to its symbols are decided otherwise. */
export function anyLarge(from: u32, to: u32): bool {
  const flags = tables().isec.sh_flags;
  for (let i = from; i < to; i++) if (flags[i] & SHF_X86_64_LARGE) return true;
  return isBssHuge();
}

// ---- what the old object needs ----

// @ts-ignore: decorator
@inline
function eachGlobal(o: u32): u32 {
  return tables().obj.esymBase[o] + tables().obj.firstGlobal[o];
}

/** Flags of the globals of object `o` become what they were before any scan (`kept`: of keepNeeds); what they are is left at `list` (NAME_BYTES). */
export function hideNeeds(o: u32, kept: u32, list: u32): u32 {
  const t = tables();
  let n: u32 = 0;
  for (let e = eachGlobal(o), end = t.obj.esymBase[o] + t.obj.esymCount[o]; e < end; e++, n++) {
    const id = t.esym.sym[e];
    store<u32>(list + n * NAME_BYTES, id);
    store<u32>(list + n * NAME_BYTES, t.sym.flags[id], 4);
  }
  for (let k: u32 = 0; k < n; k++) {
    const id = load<u32>(list + k * NAME_BYTES);
    t.sym.flags[id] = load<u32>(kept + (id << 2)) & ~(NEEDS | LATE_EXPORTED);
  }
  return n;
}

/** The way back: the list has what the scan has set since. */
export function showNeeds(kept: u32, list: u32, count: u32): void {
  const flags = tables().sym.flags;
  const end = list + count * NAME_BYTES;
  for (let at = list; at < end; at += NAME_BYTES) {
    const id = load<u32>(at);
    const base = load<u32>(kept + (id << 2)) & ~(NEEDS | LATE_EXPORTED);
    store<u32>(at, flags[id] & (NEEDS | SYM_EXPORTED) & ~base, 8);
  }
  for (let at = list; at < end; at += NAME_BYTES) flags[load<u32>(at)] = load<u32>(at, 4);
}

// ---- what all of them need ----

/** Notes the names of a list in `map`, a zeroed u32 per global, with what the old object had set. */
export function noteOld(map: u32, list: u32, count: u32): void {
  for (let at = list, end = list + count * NAME_BYTES; at < end; at += NAME_BYTES) {
    const cell = map + (load<u32>(at) << 2);
    store<u32>(cell, load<u32>(cell) | load<u32>(at, 8) | CHANGED);
  }
}

/** And those of the new object `o`. Nothing is kept of the symbols [from, to), which are its own or were. */
export function noteNew(o: u32, map: u32, kept: u32, from: u32, to: u32): void {
  const t = tables();
  for (let e = eachGlobal(o), end = t.obj.esymBase[o] + t.obj.esymCount[o]; e < end; e++) {
    const cell = map + (t.esym.sym[e] << 2);
    store<u32>(cell, load<u32>(cell) | CHANGED);
  }
  memory.fill(kept + (from << 2), 0, (to - from) << 2);
}

/** Are symbols what they were, as far as the scan decides by it, but for names that only one object mentions, or did? */
export function sameSymbolKinds(kept: u32): bool {
  const flags = tables().sym.flags;
  for (let id: u32 = 1, globals = params().globalSyms; id < globals; id++) {
    const was = load<u32>(kept + (id << 2));
    const now = flags[id];
    if ((was ^ now) & ~UNDECIDING && was & SYM_USED_REGULAR && now & SYM_USED_REGULAR) return false;
  }
  return true;
}

/**
 * Objects some of whose sections have become live since the scan are noted in `again` (u8 per obj), objects that are 1 in `changed` passed over.
 * Takes the marks off the counts. 0 = sections are no longer live, or unwind records need dynamic relocations.
 */
export function compareScanned(changed: u32, again: u32): bool {
  const isec = tables().isec;
  let gone = false;
  for (let i: u32 = 1, rows = isec.rows; i < rows; i++) {
    const was = (isec.dynRel[i] & SCANNED) != 0;
    isec.dynRel[i] &= ~SCANNED;
    const o = isec.obj[i];
    // Which of equal CIEs is the one that counts may be otherwise now.
    if (isec.kind[i] == ISEC_EH_FRAME && (isec.dynRel[i] | isec.dynSym[i] | isec.relr[i])) gone = true;
    if (was == isScanned(i) || load<u8>(changed + o)) continue;
    if (was) gone = true;
    else store<u8>(again + o, 1);
  }
  return !gone;
}

/**
 * The changed objects have been scanned: adds what the others need. Returns how many names have lost needs which others may have, too; the
 * objects that mention them are noted in `again`.
 */
export function mergeNeeds(map: u32, kept: u32, changed: u32, again: u32): u32 {
  const t = tables();
  const flags = t.sym.flags;
  const globals = params().globalSyms;
  let lost: u32 = 0;
  for (let id: u32 = 1; id < globals; id++) {
    const now = flags[id];
    const was = load<u32>(kept + (id << 2));
    const needs = (was & NEEDS) | (was & LATE_EXPORTED ? SYM_EXPORTED : 0);
    if (!needs) continue;
    const mark = load<u32>(map + (id << 2));
    if (!mark) {
      flags[id] = now | needs;
    } else if (now & SYM_USED_REGULAR) {
      const gone = mark & needs & ~now;
      flags[id] = now | (needs & ~gone);
      if (!gone) continue;
      store<u32>(map + (id << 2), mark | LOST);
      lost++;
    }
  }
  for (let id = globals, rows = t.sym.rows; id < rows; id++) flags[id] |= load<u32>(kept + (id << 2)) & NEEDS;
  if (lost) noteMentions(map, changed, again);
  return lost;
}

function noteMentions(map: u32, changed: u32, again: u32): void {
  const t = tables();
  for (let o: u32 = 1, rows = t.obj.rows; o < rows; o++) {
    if (!t.obj.isecCount[o] || load<u8>(changed + o)) continue;
    for (let e = eachGlobal(o), end = t.obj.esymBase[o] + t.obj.esymCount[o]; e < end; e++) {
      if (!(load<u32>(map + (t.esym.sym[e] << 2)) & LOST)) continue;
      store<u8>(again + o, 1);
      break;
    }
  }
}
