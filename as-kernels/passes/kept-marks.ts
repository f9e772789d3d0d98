/**
 * Garbage collection in a link in which some objects are others: what was live stays live where it can be shown, and only what is new is followed.
 *
 * Every live section has a parent, by which it was reached first (mark-live.ts), so that all of them hang on roots. Those whose parent was a
 * section of an old object are orphans. What hangs on an orphan is taken for live, but follows nothing until that is certain: until sections that
 * hang on roots have reached the orphan again. In the end no orphan is left, or everything has to be marked from the beginning.
 */
import { params, tables } from "../shared/tables.ts";
import { ISEC_MERGE, SYM_DEFINED, SYM_KIND_MASK } from "../shared/abi.ts";
import { SHF_ALLOC } from "../shared/elf.ts";
import { fillTargets, LIVE_WAITING, PARENT_ROOT, visit } from "./mark-live.ts";

/** In place of a parent: it was a section that is gone. */
const ORPHAN: u32 = 0xfffffffe;
/** The longest way to a root that is gone: there may be a circle where threads disagreed. */
const MOST_STEPS: u32 = 1 << 16;

/** Sections [from, to) are about to be replaced: those that they reached are orphans. Lists at `out` who has reached them from elsewhere; returns how many. */
export function loseParents(parents: u32, from: u32, to: u32, out: u32): u32 {
  const end = parents + (tables().isec.rows << 2);
  let found: u32 = 0;
  for (let row = from; row < to; row++) {
    const parent = load<u32>(parents + (row << 2));
    if (parent == 0 || parent >= ORPHAN || parent - from < to - from) continue;
    store<u32>(out + (found++ << 2), parent);
  }
  for (let at = parents + 4; at < end; at += 4) if (load<u32>(at) - from < to - from) store<u32>(at, ORPHAN);
  memory.fill(parents + (from << 2), 0, (to - from) << 2);
  return found;
}

/** Rows from `from` on, of `rows`, have moved by `delta`. */
export function moveParents(parents: u32, from: u32, rows: u32, delta: u32): void {
  memory.copy(parents + ((from + delta) << 2), parents + (from << 2), (rows - from) << 2);
  if (<i32>delta > 0) memory.fill(parents + (from << 2), 0, delta << 2);
  const end = parents + ((rows + delta) << 2);
  for (let at = parents + 4; at < end; at += 4) {
    const row = load<u32>(at);
    if (row >= from && row < ORPHAN) store<u32>(at, row + delta);
  }
}

/** All that has a parent is live, but for orphans, and so are the pieces at `pieces` (piece.live as it was). */
export function restoreLive(parents: u32, pieces: u32): void {
  const t = tables();
  const isec = t.isec;
  const live = isec.live;
  const pieceLive = <u32>changetype<usize>(t.piece.live);
  for (let row: u32 = 1, rows = isec.rows; row < rows; row++) {
    const parent = load<u32>(parents + (row << 2));
    if (parent == 0 || parent == ORPHAN) continue;
    live[row] = 1;
    if (isec.kind[row] == ISEC_MERGE) memory.copy(pieceLive + isec.pieceBase[row], pieces + isec.pieceBase[row], isec.pieceCount[row]);
  }
}

/** Lists at `out` the globals that object `o` defines in sections that are live; returns how many. */
export function listReached(o: u32, parents: u32, out: u32): u32 {
  const owner = tables().gsym.obj;
  let found: u32 = 0;
  for (let id: u32 = 1, globals = params().globalSyms; id < globals; id++) {
    if (owner[id] == o && isHomeOf(id) && load<u32>(parents + (tables().sym.isec[id] << 2))) store<u32>(out + (found++ << 2), id);
  }
  return found;
}

// @ts-ignore: decorator
@inline
function isHomeOf(id: u32): bool {
  return (tables().sym.flags[id] & SYM_KIND_MASK) == SYM_DEFINED;
}

/** Notes in `names` (a byte per global) which of the `count` globals at `list` are in sections that are not live; returns how many. */
export function nameDead(list: u32, count: u32, names: u32): u32 {
  const t = tables();
  let found: u32 = 0;
  for (let at = list, end = list + (count << 2); at < end; at += 4) {
    const id = load<u32>(at);
    if (!isHomeOf(id) || t.isec.live[t.sym.isec[id]]) continue;
    store<u8>(names + id, 1);
    found++;
  }
  return found;
}

/** The same of all names of orphans that nobody has reached yet; the objects that orphans are in are noted in `found` (u8 per obj). Returns how many orphans. */
export function nameOrphans(parents: u32, names: u32, found: u32): u32 {
  const t = tables();
  let orphans: u32 = 0;
  for (let row: u32 = 1, rows = t.isec.rows; row < rows; row++) {
    if (load<u32>(parents + (row << 2)) != ORPHAN) continue;
    store<u8>(found + t.isec.obj[row], 1);
    orphans++;
  }
  if (orphans == 0) return 0;
  for (let id: u32 = 1, globals = params().globalSyms; id < globals; id++) {
    if (isHomeOf(id) && load<u32>(parents + (t.sym.isec[id] << 2)) == ORPHAN) store<u8>(names + id, 1);
  }
  return orphans;
}

/** Notes the objects that mention one of `names` in `found` (u8 per obj). */
export function findReferring(names: u32, found: u32): void {
  const t = tables();
  const obj = t.obj;
  for (let o: u32 = 1, rows = obj.rows; o < rows; o++) {
    if (!obj.isecCount[o] || load<u8>(found + o)) continue;
    for (let e = obj.esymBase[o] + obj.firstGlobal[o], end = obj.esymBase[o] + obj.esymCount[o]; e < end; e++) {
      if (!load<u8>(names + t.esym.sym[e])) continue;
      store<u8>(found + o, 1);
      break;
    }
  }
}

/** Does section `row` hang on a root? */
function isCertain(parents: u32, row: u32): bool {
  let parent = load<u32>(parents + (row << 2));
  for (let step: u32 = 0; step < MOST_STEPS; step++) {
    if (parent == PARENT_ROOT) return true;
    if (parent == 0 || parent == ORPHAN) return false;
    parent = load<u32>(parents + (parent << 2));
  }
  return false;
}

/** What a relocation of object `o` leads to, once. */
// @ts-ignore: decorator
@inline
function needTargets(o: u32, filled: u32, targets: u32): void {
  if (load<u8>(filled + o)) return;
  store<u8>(filled + o, 1);
  fillTargets(o, targets);
}

/** Live sections of object `o` follow what they hold on to, where it is certain that they are live. 0 = it is of all. */
export function visitAgain(o: u32, parents: u32, filled: u32, targets: u32): u32 {
  const isec = tables().isec;
  let uncertain: u32 = 0;
  needTargets(o, filled, targets);
  for (let row = tables().obj.isecBase[o], end = row + tables().obj.isecCount[o]; row < end; row++) {
    if (isec.live[row] != 1 || !(isec.sh_flags[row] & SHF_ALLOC)) continue;
    if (isCertain(parents, row)) visit(row);
    else uncertain = 1;
  }
  return uncertain;
}

/** The same of section `row` of object `o`. One that is not live is followed when it is reached. */
export function visitRowAgain(row: u32, o: u32, parents: u32, filled: u32, targets: u32): bool {
  if (tables().isec.live[row] != 1) return false;
  if (!isCertain(parents, row)) return true;
  needTargets(o, filled, targets);
  visit(row);
  return false;
}

/** markSweep of everything, with targets (a u32 per esym) of the objects that need them. Returns how many sections waited. */
export function sweepChanged(filled: u32, targets: u32): u32 {
  const isec = tables().isec;
  const live = isec.live;
  let visited: u32 = 0;
  for (let row: u32 = 1, rows = isec.rows; row < rows; row++) {
    if (live[row] != LIVE_WAITING) continue;
    needTargets(isec.obj[row], filled, targets);
    live[row] = 1;
    visit(row);
    visited++;
  }
  return visited;
}
